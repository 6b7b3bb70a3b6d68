"""Texts about patients in acts of the house, in an encrypted ledger: no longer readable than the patients' own entries.

An act that merges or parts patients, or leaves one out of the feed, stands under no episode, so under no episode's
key. The names and the reason in it
are each encrypted under the keys of all episodes that name the patient: while one of those is there they can be read,
and when the patient was forgotten nobody reads them any more. So is a note on open work, under the key of its episode.
The rest of the act is in the open, as in other acts.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

import msgspec

from ledger.facts.administration import PatientsMerged, PatientsParted
from ledger.facts.desk_acts import WorkNoted
from ledger.facts.feed_acts import PatientLeftOut, PatientTakenIn
from ledger.keys.cipher import EntryKey, Unopened, framed

NAMING: Final = frozenset(
    {each.__name__ for each in (PatientsMerged, PatientsParted, WorkNoted, PatientLeftOut, PatientTakenIn)}
)
"""The acts of the house that name patients, or may."""
_EPISODE: Final = "episode"
_WHOSE: Final = {"patient": "patient", "into": "into", "reason": "patient", "note": _EPISODE}
"""The texts that are hidden, and under the keys of which patient, or of the episode itself."""

KeysOf = Callable[[Collection[str]], Mapping[str, EntryKey]]


class HiddenText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A text under the key of one episode; ``sealed`` is base64 of the random bytes, cipher text and tag."""

    episode: str
    sealed: str


def hide(ledger: str, version: int, text: bytes, episodes_of: Callable[[str], Sequence[str]], keys_of: KeysOf) -> bytes:
    """An act with its names hidden; Unopened if a patient in it has no episode whose key is there."""
    act: dict[str, Any] = msgspec.json.decode(text)
    hidden = {}
    for name, whose in _WHOSE.items():
        if name in act:
            keys = keys_of([act[_EPISODE]] if whose == _EPISODE else episodes_of(act[whose]))
            if not keys:
                raise Unopened
            hidden[name] = [
                HiddenText(episode, _lock(key, ledger, version, name, episode, act[name]))
                for episode, key in sorted(keys.items())
            ]
    return msgspec.json.encode(act | hidden)


def show(ledger: str, version: int, text: bytes | str, forgotten: Collection[str], keys_of: KeysOf) -> bytes:
    """The act again, with nothing where a forgotten patient's name stood; Unopened if it was changed."""
    try:
        act: dict[str, Any] = msgspec.json.decode(text)
        hidden = {name: msgspec.convert(act[name], tuple[HiddenText, ...]) for name in _WHOSE if name in act}
    except (msgspec.MsgspecError, UnicodeError):
        raise Unopened from None
    shown = {name: _opened_name(ledger, version, name, texts, forgotten, keys_of) for name, texts in hidden.items()}
    return msgspec.json.encode(act | shown)


def _opened_name(
    ledger: str, version: int, name: str, texts: Sequence[HiddenText], forgotten: Collection[str], keys_of: KeysOf
) -> str:
    keys = keys_of({each.episode for each in texts})
    for each in texts:
        if key := keys.get(each.episode):
            circumstances = _circumstances(ledger, version, name, each.episode, key.id)
            return key.unlock(_decoded(each.sealed), circumstances).decode()
    if texts and all(each.episode in forgotten for each in texts):
        return ""
    raise Unopened


def _lock(key: EntryKey, ledger: str, version: int, name: str, episode: str, text: str) -> str:
    locked = key.lock(text.encode(), _circumstances(ledger, version, name, episode, key.id))
    return base64.b64encode(locked).decode()


def _decoded(sealed: str) -> bytes:
    try:
        return base64.b64decode(sealed, validate=True)
    except ValueError:
        raise Unopened from None


def _circumstances(ledger: str, version: int, name: str, episode: str, key: str) -> bytes:
    fields = (
        b"name in act",
        ledger.encode(),
        version.to_bytes(8, "big"),
        name.encode(),
        episode.encode(),
        key.encode(),
    )
    return framed(*fields)
