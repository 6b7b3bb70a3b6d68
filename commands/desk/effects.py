"""What an act changes, as a page shows it, and whose data that is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from commands.desk.act import Part, parted
from ledger.book import Book
from projections.effects.rows import Change, PatientChanged
from projections.effects.text import effect_lines


class Effect(NamedTuple):
    """The lines of an effect under their headings, and every patient of whom they say something."""

    parts: list[Part]
    patients: frozenset[str]


def effect_of(changes: Iterable[Change], book: Book) -> Effect:
    """What changes."""
    found = list(changes)
    named = ((each.before, each.after) if isinstance(each, PatientChanged) else (each.patient,) for each in found)
    patients = frozenset(name for names in named for name in names)
    return Effect(parted(effect_lines(found, book)), patients)
