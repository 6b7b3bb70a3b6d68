"""What puts a claim right at its payer: the same claim with all its lines as they are now (7), or taken back (8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from ledger.book import PER_DIEM_CODES
from ledger.facts.events import ClaimLine, ClaimSubmitted
from ledger.judge.lines import Line

REPLACEMENT: Final = "7"
VOID: Final = "8"


class Correction(NamedTuple):
    """A claim put right: the claim it is for, under which frequency and number of the payer's, and its lines now."""

    claim: ClaimSubmitted
    frequency: str
    payer_number: str
    lines: tuple[ClaimLine, ...]


def voided(claim: ClaimSubmitted, number: str) -> Correction:
    """A claim taken back, with the lines that it asked for."""
    return Correction(claim, VOID, number, tuple(_numbered(claim.lines)))


def replaced(claim: ClaimSubmitted, number: str, billable: Iterable[Line], days: Collection[int]) -> Correction:
    """A claim restated with what is billable on some days; drugs and visits as they were asked."""
    now = [part for line in billable for part in lines_on(line, days)]
    apart = [line for line in claim.lines if line.code not in PER_DIEM_CODES]
    return Correction(claim, REPLACEMENT, number, tuple(_numbered([*now, *apart])))


def lines_on(line: Line, days: Collection[int]) -> Iterator[ClaimLine]:
    """What a billable line asks for on some days: a claim line for each stretch of them."""
    on = [day for day in range(line.from_, line.to + 1) if day in days]
    for _, stretch in groupby(enumerate(on), lambda placed: placed[1] - placed[0]):
        own = [day for _, day in stretch]
        yield claim_line(line, own[0], own[-1])


def claim_line(line: Line, from_: int, to: int) -> ClaimLine:
    """A stretch of a billable line as a claim asks for it."""
    units = to - from_ + 1
    return ClaimLine(
        line.code, date.fromordinal(from_), date.fromordinal(to), units, units * line.price.charge_cents,
        modifiers=line.price.modifiers or UNSET, authorization=line.authorization or UNSET,
    )  # fmt: skip


def _numbered(lines: Sequence[ClaimLine]) -> Iterator[ClaimLine]:
    return (replace(line, line=str(place)) for place, line in enumerate(lines, 1))
