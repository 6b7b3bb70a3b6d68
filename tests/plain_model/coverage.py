"""Section 4, steps 3 to 5: who covers the patient on a date, and who of them pays for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .dates import Span
from .entries import Entry
from .episode import Episode
from .reference import Reference


@dataclass(frozen=True)
class Spell:
    """A coverage spell, as the ends recorded after it leave it."""

    payer: str
    member: str
    rank: int
    span: Span
    version: int


def coverage_spells(episode: Episode) -> list[Spell]:
    """Every spell ever verified; each stands where the first entry of its chain was recorded."""
    spells: list[Spell] = []
    for entry in episode.all("CoverageVerified"):
        span = entry.span()
        for ending in episode.all("CoverageEnded"):
            if ends(ending, entry) and ending.chain > entry.chain:
                span = span.cut(ending.date("last_date"))
        rank = int(entry.fact.get("rank", 1))
        spells.append(Spell(entry.fact["payer"], entry.fact["member"], rank, span, entry.version))
    return spells


def ends(ending: Entry, verified: Entry) -> bool:
    """Is it an end of this payer's coverage, on the day the spell begins or later?"""
    return ending.fact["payer"] == verified.fact["payer"] and verified.date("from") <= ending.date("last_date")


def remaining_spells(covering: list[Spell], d: date, reference: Reference) -> list[Spell]:
    """The covering spells in their order, without the payers whose terms on the date take no S codes."""
    found = []
    for spell in covering:
        terms = reference.terms(spell.payer, d)
        if terms is None or terms.accepts_s_codes:
            found.append(spell)
    return sorted(found, key=lambda spell: (spell.rank, spell.span.first, spell.payer))


def member_of(spells: list[Spell], first: Spell) -> str:
    """Of the payer's covering spells of this rank the latest `from`, of equal ones the one recorded last."""
    own = [spell for spell in spells if (spell.payer, spell.rank) == (first.payer, first.rank)]
    return max(own, key=lambda spell: (spell.span.first, spell.version)).member
