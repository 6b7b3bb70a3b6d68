"""What an entry's text must agree with, whatever its seal says: its columns, and the entries of its episode before it.

Somebody who knows how seals are made can seal what nobody ever recorded. Here stands what recording itself never lets
through, read without the types of the facts, so that entries of any age are held to it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from ledger.breaks import Fault
from ledger.house import HOUSE

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


_entry: Final = msgspec.json.Decoder(_Entry).decode
_act: Final = msgspec.json.Decoder(_Act).decode
_HOUSE: Final = HOUSE.encode()

Pair = tuple[bytes, bytes]
"""A patient and an episode that named them, as stored."""


class Contents:
    """What the entries so far say: each episode's last version and time, and whom its openings named."""

    def __init__(self) -> None:
        self._last: dict[bytes, tuple[int, datetime]] = {}
        self._acts = 0
        self._named: dict[Pair, int] = {}

    def take(self, position: int, episode: bytes, version: int, tag: bytes, text: bytes) -> str | None:
        """Take in the next entry; says what about it could not have been recorded, if anything."""
        try:
            if episode == _HOUSE:
                return self._take_act(version, tag, text)
            told = _entry(text)
            fact = told.fact
            if told.episode.encode() != episode or told.version != version or fact.type.encode() != tag:
                return "its text and its columns do not agree"
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return "its text cannot be read as an entry"
        last = self._last.get(episode)
        self._last[episode] = version, told.recorded_at
        if last is None:
            if version != 1:
                return f"it is version {version}, but the first of its episode"
        elif version != last[0] + 1:
            return f"its version is {version}, but the one before it in its episode is {last[0]}"
        elif told.recorded_at < last[1]:
            return "it was recorded before the entry that precedes it in its episode"
        if len(told.nonce) != NONCE_CHARACTERS:
            return "its random bytes are missing"
        if type(fact.patient) is str or type(fact.fact) is _Inner:
            self._note(position, episode, fact)
        return None

    def _take_act(self, version: int, tag: bytes, text: bytes) -> str | None:
        """An act of the house: under no episode's name, numbered among its own."""
        told = _act(text)
        self._acts += 1
        if told.type.encode() != tag:
            return "its text and its columns do not agree"
        if version != self._acts:
            return f"it is version {version} of the acts of the house, but number {self._acts} of them"
        return None if len(told.nonce) == NONCE_CHARACTERS else "its random bytes are missing"

    def _note(self, position: int, episode: bytes, fact: _Fact | _Inner) -> None:
        said = fact.fact if isinstance(fact, _Fact) and isinstance(fact.fact, _Inner) else fact
        if said.type == "EpisodeOpened" and isinstance(said.patient, str):
            self._named.setdefault((said.patient.encode(), episode), position)

    def compare(self, patients: Iterable[Pair]) -> list[Fault]:
        """Hold the table of patients to the openings: the first pair it lacks, and one that no opening names."""
        missing, extra = dict(self._named), None
        for patient, episode in patients:
            if missing.pop((patient, episode), None) is None and extra is None:
                extra = episode
        faults = []
        if missing:
            (_, episode), position = min(missing.items(), key=lambda pair: pair[1])
            lacks = f"the table of patients does not have whom entry {position} names in episode {_shown(episode)}"
            faults.append(Fault("altered", position, lacks))
        if extra is not None:
            has = f"the table of patients has somebody for episode {_shown(extra)} whom no opening of it names"
            faults.append(Fault("altered", None, has))
        return faults


def _shown(episode: bytes) -> str:
    return episode.decode("utf-8", "replace")
