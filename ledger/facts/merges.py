"""Patients who are the same person (rulebook section 2, Whose episodes): merged by acts of the house, until parted.

To readers these acts are entries under no episode's name, so that they are cut by an instant, shown in a replay and
named as causes like every other entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from msgspec import Struct

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.upcasts import SCHEMA

SOURCE: Final = "house"
"""The source of an administrative act, as reports name it: ``house:7``."""


class Merged(Struct, frozen=True, tag="PatientsMerged", tag_field="type"):
    """From then on whoever is named ``patient`` is ``into``."""

    patient: str
    into: str
    reason: str


class Parted(Struct, frozen=True, tag="PatientsParted", tag_field="type"):
    """From then on ``patient`` is a patient again."""

    patient: str
    reason: str


class MergeRefused(Exception):
    """Patients cannot be merged or parted so; the message says why, without their names."""


def as_entry(fact: Merged | Parted, version: int, position: int, by: str, at: datetime, nonce: str) -> Entry:
    """A merge or parting as readers meet it among entries."""
    return Entry(HOUSE, version, SOURCE, str(position), by, at, nonce, fact, SCHEMA)  # type: ignore[arg-type]


class Merges:
    """Which names stand for which patient, after some acts in their order."""

    __slots__ = ("_into",)

    def __init__(self, acts: Iterable[Entry] = ()) -> None:
        self._into: dict[str, str] = {}
        for entry in acts:
            fact = entry.fact
            if isinstance(fact, Merged):
                self._into[fact.patient] = fact.into
            elif isinstance(fact, Parted):
                self._into.pop(fact.patient, None)

    def refuse_merge(self, patient: str, into: str) -> None:
        """MergeRefused if ``patient`` cannot become ``into``: merged already, or a circle."""
        if patient == into:
            raise MergeRefused("both names are the same")
        if patient in self._into:
            raise MergeRefused("the first name is merged already: part it before it is merged with another")
        if self.survivor(into) == patient:
            raise MergeRefused("the second name is merged into the first: that would close a circle")

    def refuse_part(self, patient: str) -> None:
        """MergeRefused if ``patient`` is merged with nobody."""
        if patient not in self._into:
            raise MergeRefused("the name is not merged into another")

    def survivor(self, patient: str) -> str:
        """The name under which a patient's rows are; merges chain."""
        while patient in self._into:
            patient = self._into[patient]
        return patient


def names_together(acts: Iterable[Entry]) -> dict[str, frozenset[str]]:
    """Each name that was ever merged or merged into, with all names that were ever one patient with it."""
    together: dict[str, frozenset[str]] = {}
    for entry in acts:
        if isinstance(fact := entry.fact, Merged):
            names = together.get(fact.patient, frozenset()) | together.get(fact.into, frozenset())
            names |= {fact.patient, fact.into}
            together.update(dict.fromkeys(names, names))
    return together
