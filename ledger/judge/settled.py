"""Each claimed day with what was paid for it beside what is expected now: paid, too little, too much, denied."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from msgspec import UNSET

from ledger.facts.billing import RefundSent, WrittenOff
from ledger.judge.answers import chains_of
from ledger.judge.case import Case, Region
from ledger.judge.claims import live_claims
from ledger.judge.episode import Episode
from ledger.judge.paid import PaidDay, paid_days
from ledger.judge.regions import regions

PaidStatus = Literal["paid", "underpaid", "overpaid", "denied", "patient", "reversed", "unpaid"]
"""Where a claimed day stands with its payer."""

DayKey = tuple[str, int, str]
"""Claim, date and code."""


class Worth(Protocol):
    """A billable day: which code its payer owes how much for."""

    @property
    def code(self) -> str | None:
        """The per-diem code."""

    @property
    def payer(self) -> str | None:
        """The payer to bill."""

    @property
    def rate_cents(self) -> int | None:
        """What it pays."""


class SettledDay(NamedTuple):
    """A claimed day, what is expected for it now (step 24; None for what is no per diem), and where it stands.

    ``returned_cents`` is what the house gave back of what was paid too much.
    """

    day: PaidDay
    expected_cents: int | None
    status: PaidStatus
    is_live: bool = True
    returned_cents: int = 0
    is_written_off: bool = False

    @property
    def key(self) -> DayKey:
        """Claim, date and code."""
        return _key(self.day)

    @property
    def to_give_back_cents(self) -> int:
        """What was paid beyond what is expected for it now, and not given back yet."""
        return max(0, _beyond(self.day, self.expected_cents) - self.returned_cents)

    @property
    def missing_cents(self) -> int:
        """What was allowed less than is expected; of what is no per diem, than was asked. Nothing as long as no answer
        stands, or once nothing more is wanted."""
        if not self.is_live or self.is_written_off or self.status not in ("denied", "underpaid"):
            return 0
        expected = self.day.charge_cents if self.expected_cents is None else self.expected_cents
        return max(0, expected - self.day.allowed_cents)


def _key(day: PaidDay) -> DayKey:
    return day.claim, day.date, day.code


def _beyond(day: PaidDay, expected: int | None) -> int:
    return 0 if expected is None else max(0, day.paid_cents - expected)


def settled_days(case: Case) -> list[SettledDay]:
    """Every claimed day of a judged episode, by claim, date and code."""
    days = paid_days(case.episode)
    by_date = _by_date(case) if days else {}

    def tolerance(on: int) -> int:
        region = by_date.get(on)
        return region.terms.tolerance_cents if region and region.terms else 0

    return settle_days(case.episode, days, by_date, tolerance)


def settle_days(
    episode: Episode,
    days: Sequence[PaidDay],
    billable: Mapping[int, Worth],
    tolerance: Callable[[int], int] = lambda on: 0,
) -> list[SettledDay]:
    """The claimed days of an episode beside its billable days, by date."""
    live = {claim.fact.claim for claim in live_claims(episode)}
    worth = _worth(episode, days, billable, live)
    expected = {_key(day): worth.get(_key(day), 0) if day.is_per_diem else None for day in days}
    returned, given_up = _returned(episode, days, expected), _written_off(episode)
    return [
        SettledDay(
            day, expected[_key(day)], status_of(day, expected[_key(day)], tolerance(day.date)), day.claim in live,
            returned.get(_key(day), 0), bool(given_up & {(day.claim, None), (day.claim, day.date)}),
        )
        for day in days
    ]  # fmt: skip


def _by_date(case: Case) -> dict[int, Region]:
    return {date: region for region in regions(case) if region.is_billable for date in case.calendar.dates(region.days)}


def _worth(
    episode: Episode, days: Sequence[PaidDay], billable: Mapping[int, Worth], live: Collection[str]
) -> dict[DayKey, int]:
    """What is expected for claimed days. A date is worth its rate once: of several live claims that ask its payer, for
    the one that asks for its code, that was paid, that left first. Of claims that were replaced, with a replacement
    that is not answered, likewise: their money still counts."""
    waiting = _waiting(episode, days, live)
    asked = [day for day in days if day.is_per_diem and _asks_the_payer(day, billable.get(day.date))]
    found: dict[DayKey, int] = {}
    for those in (
        [day for day in asked if day.claim in live],
        [day for day in asked if (day.claim, day.date) in waiting],
    ):
        by_date: dict[int, list[PaidDay]] = {}
        for day in those:
            by_date.setdefault(day.date, []).append(day)
        for on, several in by_date.items():
            kept = several[0] if len(several) == 1 else _keeper(episode, several, billable[on])
            found[_key(kept)] = billable[on].rate_cents or 0
    return found


def _asks_the_payer(day: PaidDay, worth: Worth | None) -> bool:
    return worth is not None and worth.payer == day.payer


def _keeper(episode: Episode, days: Iterable[PaidDay], worth: Worth) -> PaidDay:
    return min(
        days,
        key=lambda day: (day.code != worth.code, day.paid_cents <= 0, episode.claims[day.claim].first.version),
    )


def _waiting(episode: Episode, days: Sequence[PaidDay], live: Collection[str]) -> set[tuple[str, int]]:
    """The dates of claims that were replaced, as long as the replacement is not answered."""
    answers: dict[str, set[int]] = {}
    for day in days:
        if day.claim in live and day.is_per_diem and not day.is_answered:
            answers.setdefault(day.claim, set()).add(day.date)
    waiting: set[tuple[str, int]] = set()
    for chain in chains_of(episode) if answers else ():
        asked = Counter(date for claim in chain for date in answers.get(claim, ()))
        for claim in chain:
            own = answers.get(claim, ())
            waiting |= {(claim, date) for date, times in asked.items() if times > (date in own)}
    return waiting


def _returned(episode: Episode, days: Sequence[PaidDay], expected: Mapping[DayKey, int | None]) -> Mapping[DayKey, int]:
    """What the house gave back, on the days it was paid too much for: those it named, else from the first on."""
    found: dict[DayKey, int] = {}
    for _, fact in episode.settled:
        left = fact.cents if isinstance(fact, RefundSent) else 0
        named = None if fact.dates is UNSET else {on.toordinal() for on in fact.dates}
        for day in days:
            if left > 0 and day.claim == fact.claim and (named is None or day.date in named):
                key = _key(day)
                gives = min(left, _beyond(day, expected[key]) - found.get(key, 0))
                found[key] = found.get(key, 0) + gives
                left -= gives
    return found


def _written_off(episode: Episode) -> set[tuple[str, int | None]]:
    """The claims, or dates of claims, of which nothing more is wanted."""
    return {
        (fact.claim, None if on is None else on.toordinal())
        for _, fact in episode.settled
        if isinstance(fact, WrittenOff)
        for on in ((None,) if fact.dates is UNSET else fact.dates)
    }


def status_of(day: PaidDay, expected: int | None, tolerance_cents: int) -> PaidStatus:
    """Where a claimed day stands."""
    if expected is not None and day.paid_cents > expected:
        return "overpaid"
    if not day.is_answered:
        return "reversed" if day.is_taken_back else "unpaid"
    if day.allowed_cents <= 0:
        return "denied"
    if expected is not None and day.allowed_cents < expected - tolerance_cents:
        return "underpaid"
    return "patient" if day.paid_cents <= 0 and day.patient_cents > 0 else "paid"
