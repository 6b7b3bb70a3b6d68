"""Claims that are not as they should be and can be put right at the payer: replaced (7), or voided (8).

A claim can be corrected once the payer gave it a number. All its lines are restated as they are now; days added inside
its span go along, for a claim of their own would be taken for a duplicate. Where no day is left it is voided, and its
days, now on no live claim, go out anew the next time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from ledger.book import PER_DIEM_CODES, Book
from ledger.facts.events import ClaimLine, ClaimSubmitted
from ledger.judge.answers import TAKEN_BACK, Posting, chain_of, in_order, own_number, postings_of
from ledger.judge.case import Case
from ledger.judge.claims import Claim, live_claims
from ledger.judge.lines import Line
from projections.answers.claim_list import payer_control_of
from projections.answers.windows import Windows

REPLACEMENT: Final = "7"
VOID: Final = "8"
SOURCE_OF_CORRECTIONS: Final = frozenset(
    {
        "claimed_not_billable", "claimed_before_signature", "claimed_ahead", "claimed_twice", "claim_units",
        "replaces_unknown", "number_reused",
    }
)  # fmt: skip
"""Hard findings about what was claimed: they are what a correction puts right."""


class Correction(NamedTuple):
    """A claim put right: the claim it is for, under which frequency and number of the payer's, and its lines now."""

    claim: ClaimSubmitted
    frequency: str
    payer_number: str
    lines: tuple[ClaimLine, ...]


class Corrections(NamedTuple):
    """What of an episode is put right, and the dates that wait for that: no claim of their own asks for them."""

    claims: list[Correction]
    waiting: frozenset[int]


def corrections_of(
    case: Case, lines: Sequence[Line], claimed: Mapping[int, object], off: Mapping[int, str], today: date, book: Book
) -> Corrections:
    """The corrections that can go out on a day; ``lines`` are what is billable, ``off`` what a hard finding stops."""
    found, waiting = list[Correction](), set[int]()
    if not case.episode.postings and not case.episode.acknowledgements:  # nothing came back: no payer gave a number
        return Corrections(found, frozenset())
    postings = in_order(postings_of(case.episode))
    for claim in live_claims(case.episode):
        number = payer_number_of(case, claim.fact)
        if number is None:
            continue
        span = _span(claim.fact)
        now = [part for line in lines if (part := _within(line, claim.fact, span, claimed)) is not None]
        added = {day for part in now for day in _days(part) if day not in claimed}
        if not added and _same(claim.fact, now):
            continue
        waiting |= added
        windows = Windows(book, claim.fact, [each for each in postings if each.claim == claim.fact.claim])
        if _may(claim, windows, postings, off, now, today):
            voids = windows.terms is not None and windows.terms.corrections == "void_and_new"
            found.append(_corrected(claim.fact, number, now, voids=voids))
    return Corrections(found, frozenset(waiting))


def payer_number_of(case: Case, claim: ClaimSubmitted) -> str | None:
    """The payer's number of a claim; of a replacement that has none yet, that of what it replaces."""
    for each in reversed([one.fact.claim for one in chain_of(case.episode, claim.claim)] or [claim.claim]):
        if number := payer_control_of(case.episode, each):
            return number
    return None


def number_to_name(case: Case, claim: ClaimSubmitted) -> str:
    """The payer's number that a recorded replacement or void names on its file; nothing for an original."""
    if claim.frequency not in (REPLACEMENT, VOID) or claim.replaces is UNSET:
        return ""
    replaced = own_number(case.episode, claim.replaces)
    earlier = case.episode.claims.get(replaced)
    return (payer_number_of(case, earlier.fact) if earlier else None) or claim.replaces


def _span(claim: ClaimSubmitted) -> tuple[int, int]:
    """The first and the last date that a claim's per diems ask for."""
    days = [day for line in claim.lines if line.code in PER_DIEM_CODES for day in _days(line)]
    return (min(days), max(days)) if days else (1, 0)


def _days(line: ClaimLine) -> range:
    return range(line.from_.toordinal(), line.to.toordinal() + 1)


def _within(
    line: Line, claim: ClaimSubmitted, span: tuple[int, int], claimed: Mapping[int, object]
) -> ClaimLine | None:
    """What of a billable line belongs on a claim: its payer's days inside the claim's span."""
    from_, to = max(line.from_, span[0]), min(line.to, span[1])
    if line.payer != claim.payer or to < from_:
        return None
    own = {day for each in claim.lines if each.code in PER_DIEM_CODES for day in _days(each)}
    if any(day in claimed and day not in own for day in range(from_, to + 1)):
        return None  # another claim has some of it: a human's
    units = to - from_ + 1
    return ClaimLine(
        line.code, date.fromordinal(from_), date.fromordinal(to), units, units * line.price.charge_cents,
        modifiers=line.price.modifiers or UNSET, authorization=line.authorization or UNSET,
    )  # fmt: skip


def _same(claim: ClaimSubmitted, now: Sequence[ClaimLine]) -> bool:
    """Whether a claim asks for what is billable: day by day the same code, modifiers and, if it tells one, number."""
    asked = {day: line for line in claim.lines if line.code in PER_DIEM_CODES for day in _days(line)}
    billable = {day: line for line in now for day in _days(line)}
    return asked.keys() == billable.keys() and all(_alike(asked[day], billable[day]) for day in asked)


def _alike(asked: ClaimLine, now: ClaimLine) -> bool:
    tells_number = asked.authorization is not UNSET
    return (
        asked.code == now.code
        and _modifiers(asked) == _modifiers(now)
        and asked.units == len(_days(asked))
        and not (tells_number and asked.authorization != now.authorization)
    )


def _modifiers(line: ClaimLine) -> tuple[str, ...]:
    return () if line.modifiers is UNSET else line.modifiers


def _may(
    claim: Claim, windows: Windows, postings: Sequence[Posting], off: Mapping[int, str], now: Sequence[ClaimLine],
    today: date,
) -> bool:  # fmt: skip
    """Whether a claim can be corrected now: the payer takes corrections, its window is open, the one before it is
    answered, and no finding of another kind touches what would be asked."""
    fact, terms = claim.fact, windows.terms
    answered = any(each.claim == fact.claim and each.fact.status != TAKEN_BACK for each in postings)
    if terms is None or terms.corrections == "none" or (fact.frequency == REPLACEMENT and not answered):
        return False
    if any(off.get(day, "") not in ("", *SOURCE_OF_CORRECTIONS) for line in now for day in _days(line)):
        return False
    return windows.correction is None or today <= windows.correction


def _corrected(claim: ClaimSubmitted, number: str, now: Sequence[ClaimLine], *, voids: bool) -> Correction:
    """A claim restated; voided where nothing of it is left, or where the payer takes a void and then a new claim."""
    if not now or voids:
        return Correction(claim, VOID, number, tuple(_numbered(claim.lines)))
    apart = [line for line in claim.lines if line.code not in PER_DIEM_CODES]
    return Correction(claim, REPLACEMENT, number, tuple(_numbered([*now, *apart])))


def _numbered(lines: Sequence[ClaimLine]) -> Iterator[ClaimLine]:
    return (replace(line, line=str(place)) for place, line in enumerate(lines, 1))


def original_control(case: Case, claim: ClaimSubmitted) -> str:
    """The number that stands on a claim's corrections: that of the original at the beginning of its chain."""
    return next(iter(_controls(case, claim)), claim.number_on_claim)


def _controls(case: Case, claim: ClaimSubmitted) -> Iterator[str]:
    return (one.fact.number_on_claim for one in chain_of(case.episode, claim.claim) if one.fact.frequency == "1")
