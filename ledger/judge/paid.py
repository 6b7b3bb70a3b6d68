"""What payers' answers make of claimed days: each answer's money on the dates it is for (claims.md section 5).

A day is worth the sum of what was posted to it, what was taken back below zero. Whatever an answer says is posted
somewhere: the sum over a claim's days is the sum of its answers, to the cent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import UNSET, Struct, field

from ledger.book import PER_DIEM_CODES
from ledger.facts.billing import Adjustment, PaidLine, RemittancePosted
from ledger.facts.events import ClaimLine, ClaimSubmitted
from ledger.judge.answers import TAKEN_BACK, Posting, in_order, postings_of
from ledger.judge.episode import Episode, Live

_PATIENT: Final = "PR"
_MOST_DAYS: Final = 366  # as on a claim's line
_PAID_BEFORE: Final = ("OA", "23")
_CONTRACT: Final = frozenset({("CO", "45"), ("CO", "253"), _PAID_BEFORE})
"""Why less is paid than was asked, and nothing is wrong: the contract, sequestration, another payer before."""


class PaidDay(Struct, gc=False):
    """A date of a claim and what was answered for it; ``allowed_cents`` counts what the patient owes, and what another
    payer paid before. ``answers`` are how many stand, those taken back not counted."""

    claim: str
    payer: str
    date: int
    code: str
    is_claimed: bool
    charge_cents: int = 0
    paid_cents: int = 0
    patient_cents: int = 0
    allowed_cents: int = 0
    answers: int = 0
    is_taken_back: bool = False
    is_cut: bool = False
    reasons: set[str] = field(default_factory=set)
    because: list[str] = field(default_factory=list)

    @property
    def is_per_diem(self) -> bool:
        """Whether it is a day of S9325-S9328."""
        return self.code in PER_DIEM_CODES

    @property
    def is_answered(self) -> bool:
        """Whether an answer stands for it."""
        return self.answers > 0


def spread(cents: int, days: int) -> list[int]:
    """An amount over so many dates: equal shares, the cents that are left over one by one from the first date; what is
    taken back in the same shares."""
    each, left = divmod(abs(cents), days)
    sign = -1 if cents < 0 else 1
    return [sign * (each + (place < left)) for place in range(days)]


def paid_days(episode: Episode) -> list[PaidDay]:
    """Every date of every claim of an episode that asks for money or was answered, by claim, date and code."""
    days: dict[tuple[str, int, str], PaidDay] = {}
    for claim in episode.claims.values():
        if claim.fact.frequency != "8":
            _ask(days, claim.fact)
    for posting in in_order(postings_of(episode)):
        _post(days, posting, episode.claims.get(posting.claim))
    return [days[place] for place in sorted(days)]


_Days = dict[tuple[str, int, str], PaidDay]


def _ask(days: _Days, claim: ClaimSubmitted) -> None:
    for line in claim.lines:
        dates = _dates(line)
        for date, cents in zip(dates, spread(line.charge_cents, len(dates)), strict=True):
            _day(days, claim.claim, claim.payer, date, line.code, True).charge_cents += cents


def _day(days: _Days, claim: str, payer: str, date: int, code: str, is_claimed: bool) -> PaidDay:
    found = days.get((claim, date, code))
    if found is None:
        found = days[claim, date, code] = PaidDay(claim, payer, date, code, is_claimed)
    return found


def _dates(line: ClaimLine) -> range:
    return range(line.from_.toordinal(), line.to.toordinal() + 1)


def _post(days: _Days, posting: Posting, claim: Live[ClaimSubmitted] | None) -> None:
    fact, lines = posting.fact, claim.fact.lines if claim else ()
    for line in fact.lines:
        ours = lines_of(lines, line)
        dates = _dates_of(line, ours, lines) or (fact.paid_on.toordinal(),)
        code = ours[0].code if ours else asked_code(line)
        touched = [_day(days, posting.claim, fact.payer, date, code, False) for date in dates]
        _share(touched, line.paid_cents, line.adjustments)
        _answered(touched, posting, line.adjustments)
        _mark_cut(touched, line)
    whole = [
        _day(days, posting.claim, fact.payer, date, code, False)
        for date, code in _all_of(lines) or [(fact.paid_on.toordinal(), "")]
    ]
    per_diem = [day for day in whole if day.is_per_diem] or whole
    rest = fact.paid_cents - sum(line.paid_cents for line in fact.lines)
    adjustments = fact.adjustments or (() if fact.lines else _owed(fact))
    if not fact.lines or rest or adjustments:
        _share(per_diem, rest, adjustments)
    if not fact.lines or adjustments:
        _answered(whole, posting, adjustments, again=bool(fact.lines))


def _owed(fact: RemittancePosted) -> tuple[Adjustment, ...]:
    """What the patient owes of a claim without lines or adjustments."""
    cents = 0 if fact.patient_cents is UNSET else fact.patient_cents
    return (Adjustment(_PATIENT, "", cents),) if cents else ()


def _all_of(lines: Iterable[ClaimLine]) -> list[tuple[int, str]]:
    return sorted({(date, line.code) for line in lines for date in _dates(line)})


def asked_code(line: PaidLine) -> str:
    """The code that was billed, whatever was paid."""
    return line.code if line.billed_code is UNSET else line.billed_code


def lines_of(lines: Sequence[ClaimLine], line: PaidLine) -> list[ClaimLine]:
    """Which of a claim's lines an answered one may be: by our number of it, else by code and dates; where more than one
    is left, by modifiers, then by what was asked."""
    for number, ours in enumerate(lines, 1):
        if line.line is not UNSET and line.line == (str(number) if ours.line is UNSET else ours.line):
            return [ours]
    found = _dated([ours for ours in lines if ours.code == asked_code(line)], line)
    for alike in (
        [ours for ours in found if _modifiers(ours.modifiers) == _modifiers(line.modifiers)],
        [ours for ours in found if ours.charge_cents == abs(line.charge_cents)],
    ):
        if len(found) > 1:
            found = [ours for ours in found if ours in alike] or found
    return found


def _dated(found: list[ClaimLine], line: PaidLine) -> list[ClaimLine]:
    """Those with the answered dates; else those within which they lie; else those that lie within them."""
    if (own := _own_dates(line)) is None:
        return found
    exactly = [ours for ours in found if _dates(ours) == own]
    around = [ours for ours in found if _within(own, _dates(ours))]
    return exactly or around or [ours for ours in found if _within(_dates(ours), own)]


def _within(dates: range, others: range) -> bool:
    return others[0] <= dates[0] and dates[-1] <= others[-1]


def _modifiers(told: object) -> tuple[str, ...]:
    return tuple(sorted(told)) if isinstance(told, tuple) else ()


def _own_dates(line: PaidLine) -> range | None:
    """The dates that an answered line says it is for, if a service can have them: forwards, and at most a year."""
    if line.from_ is UNSET:
        return None
    last = line.from_ if line.to is UNSET else line.to
    dates = range(line.from_.toordinal(), last.toordinal() + 1)
    return dates if 0 < len(dates) <= _MOST_DAYS else None


def _dates_of(line: PaidLine, ours: Sequence[ClaimLine], lines: Sequence[ClaimLine]) -> Sequence[int]:
    """The dates that an answered line is for: its own, else those of the lines of ours that it may be, else the
    claim's. One that answers a whole line of ours, and says the dates of its claim, is for those of the line."""
    own = _own_dates(line)
    if own is not None and not (len(ours) == 1 and _answers_whole(line, ours[0], own)):
        return own
    return sorted({date for one in ours or lines for date in _dates(one)})


def _answers_whole(line: PaidLine, ours: ClaimLine, own: range) -> bool:
    return abs(line.charge_cents) == ours.charge_cents and _within(_dates(ours), own)


def _share(days: Sequence[PaidDay], paid_cents: int, adjustments: Iterable[Adjustment]) -> None:
    owed = sum(each.cents for each in adjustments if each.group == _PATIENT)
    before = sum(each.cents for each in adjustments if (each.group, each.code) == _PAID_BEFORE)
    allowed = paid_cents + owed + before  # shared as a whole: its parts' odd cents would make days a cent too little
    shares = zip(days, *(spread(cents, len(days)) for cents in (paid_cents, owed, allowed)), strict=True)
    for day, paid, patient, worth in shares:
        day.paid_cents += paid
        day.patient_cents += patient
        day.allowed_cents += worth


def _answered(
    days: Iterable[PaidDay], posting: Posting, adjustments: Iterable[Adjustment], *, again: bool = False
) -> None:
    back = posting.fact.status == TAKEN_BACK
    reasons = {f"{each.group}-{each.code}" for each in adjustments if _is_a_reason(each)}
    for day in days:
        if not again:
            day.answers = max(0, day.answers - 1) if back else day.answers + 1
            day.is_taken_back = back
        if back:
            day.reasons, day.is_cut = set(), False
        else:
            day.reasons |= reasons
        if day.because[-1:] != [posting.entry.label]:  # answers come one after the other
            day.because.append(posting.entry.label)


def _is_a_reason(adjustment: Adjustment) -> bool:
    named = adjustment.group, adjustment.code
    return adjustment.group != _PATIENT and named not in _CONTRACT and adjustment.cents != 0


def _mark_cut(days: Sequence[PaidDay], line: PaidLine) -> None:
    """Fewer units were paid than there are days: the last of them are presumed cut, until a human says which."""
    if line.paid_cents > 0 and days[0].is_per_diem and 0 < line.units < len(days):
        for day in days[int(line.units) :]:
            day.is_cut = True


def is_unbalanced(fact: RemittancePosted) -> bool:
    """Whether an answer's money does not add up: what was asked less what was adjusted is what is paid, line by line
    and in all."""
    adjusted = [*fact.adjustments, *(each for line in fact.lines for each in line.adjustments)]
    parts = [(line.charge_cents, line.adjustments, line.paid_cents) for line in fact.lines]
    if adjusted or fact.lines:
        parts.append((fact.charge_cents, tuple(adjusted), fact.paid_cents))
    if fact.lines and sum(line.charge_cents for line in fact.lines) != fact.charge_cents:
        return True
    return any(asked - sum(each.cents for each in less) != paid for asked, less, paid in parts)


def changed_lines(episode: Episode, posting: Posting) -> Iterator[tuple[PaidLine, Sequence[int]]]:
    """The lines of an answer that were paid under another code than was asked, with their dates."""
    claim = episode.claims.get(posting.claim)
    lines = claim.fact.lines if claim else ()
    for line in posting.fact.lines:
        ours = lines_of(lines, line)
        if line.code != (ours[0].code if ours else asked_code(line)):
            yield line, _dates_of(line, ours, lines)
