"""What an entry's text must agree with, whatever its seal says: its columns, and the entries of its episode before it.

Somebody who knows how seals are made can seal what nobody ever recorded. Here stands what recording itself never lets
through, read without the types of the facts, so that entries of any age are held to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.facts.administration import HOUSE
from ledger.keys.cipher import Unopened
from ledger.keys.envelope import read_envelope
from ledger.keys.keyring import Locks
from ledger.proof.breaks import Fault

NONCE_CHARACTERS: Final = 32


class _Inner(Struct, gc=False):
    type: str
    patient: str | UnsetType = UNSET


class _Fact(Struct, gc=False):
    type: str
    patient: str | UnsetType = UNSET
    fact: _Inner | UnsetType = UNSET


class _Entry(Struct, gc=False):
    episode: str
    version: int
    recorded_at: Annotated[datetime, Meta(tz=True)]
    nonce: str
    fact: _Fact


class _Act(Struct, gc=False):
    type: str
    nonce: str
    episodes: tuple[str, ...] = ()


_entry: Final = msgspec.json.Decoder(_Entry).decode
_act: Final = msgspec.json.Decoder(_Act).decode
_HOUSE: Final = HOUSE.encode()

Pair = tuple[bytes, bytes]
"""A patient and an episode that named them, as stored."""


class Contents:
    """What the entries so far say: each episode's last version and time, and whom its openings named."""

    def __init__(self, locks: Locks | None = None) -> None:
        self._locks = locks
        self._last: dict[bytes, tuple[int, datetime | None]] = {}
        self._acts = 0
        self._closed: dict[bytes, int] = {}
        self._forgotten: set[str] = set()
        self._named: dict[Pair, int] = {}

    def take(self, position: int, episode: bytes, version: int, tag: bytes, text: bytes) -> str | None:
        """Take in the next entry; says what about it could not have been recorded, if anything."""
        try:
            if episode == _HOUSE:
                return self._take_act(version, tag, text)
            if self._locks is not None:
                return self._take_locked(self._locks, position, episode, version, tag, text)
            return self._take_told(position, episode, version, tag, text)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return "its text cannot be read as an entry"

    def _take_told(self, position: int, episode: bytes, version: int, tag: bytes, text: bytes) -> str | None:
        told = _entry(text)
        fact = told.fact
        if told.episode.encode() != episode or told.version != version or fact.type.encode() != tag:
            return "its text and its columns do not agree"
        if wrong := self._follow(episode, version, told.recorded_at):
            return wrong
        if len(told.nonce) != NONCE_CHARACTERS:
            return "its random bytes are missing"
        if type(fact.patient) is str or type(fact.fact) is _Inner:
            self._note(position, episode, fact)
        return None

    def _take_locked(
        self, locks: Locks, position: int, episode: bytes, version: int, tag: bytes, text: bytes
    ) -> str | None:
        """An entry in its envelope: held to its columns, and looked into where it opens."""
        try:
            told = read_envelope(text)
        except Unopened:
            return "its text is no envelope, as an encrypted entry's is"
        if told.episode.encode() != episode or told.version != version or told.type.encode() != tag:
            return "its envelope and its columns do not agree"
        try:
            opened = locks.open(episode, version, tag, text) if locks.open else None
        except Unopened:
            return "its envelope does not open with its episode's key"
        if opened is None:
            if episode not in self._last and (locks.open or not locks.kept(told.episode)):
                self._closed[episode] = position
            return self._follow(episode, version, None)
        return self._take_told(position, episode, version, tag, opened)

    def _follow(self, episode: bytes, version: int, recorded_at: datetime | None) -> str | None:
        """Whether an entry follows the last one of its episode, in number and in time where that can be read."""
        last = self._last.get(episode)
        self._last[episode] = version, recorded_at
        if last is None:
            return None if version == 1 else f"it is version {version}, but the first of its episode"
        if version != last[0] + 1:
            return f"its version is {version}, but the one before it in its episode is {last[0]}"
        if recorded_at is not None and last[1] is not None and recorded_at < last[1]:
            return "it was recorded before the entry that precedes it in its episode"
        return None

    def _take_act(self, version: int, tag: bytes, text: bytes) -> str | None:
        """An act of the house: under no episode's name, numbered among its own."""
        told = _act(text)
        self._acts += 1
        self._forgotten.update(told.episodes)
        if told.type.encode() != tag:
            return "its text and its columns do not agree"
        if version != self._acts:
            return f"it is version {version} of the acts of the house, but number {self._acts} of them"
        return None if len(told.nonce) == NONCE_CHARACTERS else "its random bytes are missing"

    def _note(self, position: int, episode: bytes, fact: _Fact | _Inner) -> None:
        said = fact.fact if isinstance(fact, _Fact) and isinstance(fact.fact, _Inner) else fact
        if said.type == "EpisodeOpened" and isinstance(said.patient, str):
            name = said.patient if self._locks is None else self._locks.hide_name(said.patient)
            self._named.setdefault((name.encode(), episode), position)

    def compare(self, patients: Iterable[Pair]) -> list[Fault]:
        """Hold the table of patients to the openings: the first pair it lacks, and one that no opening names.

        In an encrypted ledger the table has names that are hidden; without the key nothing can be said of it.
        """
        faults = [] if self._locks is None else list(self._compare_keys(self._locks))
        if self._locks is not None and self._locks.open is None:
            return faults
        missing, extra = dict(self._named), None
        for patient, episode in patients:
            if missing.pop((patient, episode), None) is None and extra is None:
                extra = episode
        if missing:
            (_, episode), position = min(missing.items(), key=lambda pair: pair[1])
            lacks = (
                f"the table of patients does not have whom entry {position} names in episode {_episode_name(episode)}"
            )
            faults.append(Fault("altered", position, lacks))
        if extra is not None:
            has = f"the table of patients has somebody for episode {_episode_name(extra)} whom no opening of it names"
            faults.append(Fault("altered", None, has))
        return faults

    def _compare_keys(self, locks: Locks) -> Iterator[Fault]:
        """Hold the keys to the acts that forget: the first that is gone without one, and one that stayed."""
        gone = {each: at for each, at in self._closed.items() if _episode_name(each) not in self._forgotten}
        if gone:
            episode, position = min(gone.items(), key=lambda each: each[1])
            without = (
                f"the key of episode {_episode_name(episode)} is missing or was changed, and no act forgets its patient"
            )
            yield Fault("altered", position, without)
        if stayed := sorted(filter(locks.kept, self._forgotten)):
            yield Fault("altered", None, f"episode {stayed[0]} was forgotten with its patient, but it has a key")


def _episode_name(episode: bytes) -> str:
    return episode.decode("utf-8", "replace")
