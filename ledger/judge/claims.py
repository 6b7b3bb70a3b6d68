"""Claims as they left the house: which are live, when they left, and the dates on their lines (rulebook section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from msgspec import UNSET, Struct

from ledger.book import PER_DIEM_CODES
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import ClaimLine, ClaimSubmitted, DiagnosisRecorded
from ledger.facts.zones import zone
from ledger.judge.answers import OwnNumbers, rejected_claims
from ledger.judge.episode import Episode, Live

_MOST_DIAGNOSES: Final = 12
_FOR_PAIN: Final = "G89"
_NEOPLASM_PAIN: Final = "G893"
_CHRONIC_PAIN: Final = "G892"

Claim = Live[ClaimSubmitted]
"""A claim that counts, with its entry and the first entry of its chain."""


class ClaimedLine(Struct, frozen=True, gc=False):
    """A line of a live claim with its claim's entry."""

    code: str
    from_: int
    to: int
    units: int | Decimal
    charge_cents: int
    payer: str
    claim: str
    claimed_on: int
    entry: Entry

    @property
    def is_per_diem(self) -> bool:
        """Whether it is a line of S9325-S9328."""
        return self.code in PER_DIEM_CODES


def replaces(claim: Claim) -> str | None:
    """The number that a replacement or void names; None where it names none."""
    named = claim.fact.replaces
    return None if claim.fact.frequency == "1" or named is UNSET else str(named)


def live_claims(episode: Episode) -> Iterator[Claim]:
    """Claims of frequency 1 or 7 that were not last turned back and that no other such claim that counts replaces or
    voids, whatever the order; of several that replace the same, the one recorded last (by the first entry of its
    chain)."""
    back = rejected_claims(episode)
    counting = [claim for number, claim in episode.claims.items() if number not in back]
    naming: dict[str, list[Claim]] = {}
    numbers = OwnNumbers(episode)
    for claim in counting:
        if (named := replaces(claim)) is not None:
            naming.setdefault(numbers.of(named), []).append(claim)
    if not naming:  # most: none voids, none replaces
        yield from (claim for claim in counting if claim.fact.frequency != "8")
        return
    newest = {named: max(claim.first.version for claim in those) for named, those in naming.items()}
    for claim in counting:
        if claim.fact.frequency == "8" or any(other is not claim for other in naming.get(claim.fact.claim, ())):
            continue
        if newest.get(numbers.of(replaces(claim) or ""), 0) <= claim.first.version:
            yield claim


def date_of(claim: Claim, episode: Episode) -> int:
    """When a claim left: ``sent_on``, else the local date on which the first entry of its chain was recorded."""
    sent_on = claim.fact.sent_on
    if isinstance(sent_on, date):
        return sent_on.toordinal()
    return claim.first.recorded_at.astimezone(zone(episode.opening[1].zone)).toordinal()


def claimed_lines(episode: Episode) -> list[ClaimedLine]:
    """Every line of the episode's live claims."""
    return lines_of(episode, live_claims(episode))


def lines_of(episode: Episode, claims: Iterable[Claim]) -> list[ClaimedLine]:
    """Every line of some of the episode's claims."""
    return [
        ClaimedLine(
            line.code, line.from_.toordinal(), line.to.toordinal(), line.units, line.charge_cents,
            claim.fact.payer, claim.fact.claim, claimed_on, claim.entry,
        )
        for claim in claims
        for claimed_on in (date_of(claim, episode),)
        for line in claim.fact.lines
    ]  # fmt: skip


def diagnoses_for(episode: Episode, lines: Sequence[ClaimLine]) -> tuple[str, ...]:
    """The diagnoses in force on some of the dates of a claim's lines, as a claim names them: without dots, at most
    twelve, those of pain first, else as they were recorded; G89.2- is left out beside G89.3, which excludes it."""
    first, last = min(line.from_ for line in lines).toordinal(), max(line.to for line in lines).toordinal()
    found: dict[str, None] = {}
    for span in episode.diagnoses:
        if span.from_ <= last and first <= span.to:
            fact = statement_of(span.entry)
            assert isinstance(fact, DiagnosisRecorded)
            found[fact.icd10.replace(".", "")] = None
    if _NEOPLASM_PAIN in found:
        found = {code: None for code in found if not code.startswith(_CHRONIC_PAIN)}
    return tuple(sorted(found, key=lambda code: not code.startswith(_FOR_PAIN))[:_MOST_DIAGNOSES])
