"""What live claims ask for each service date, and what of it has to be given back as the date is judged now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, Protocol

from ledger.judge.claims import ClaimedLine, claimed_lines
from ledger.judge.episode import Episode
from ledger.judge.lines import days_between
from ledger.judge.paid import spread
from ledger.judge.settled import DayKey, SettledDay, Worth

ClaimedKind = Literal["overclaimed", "changed", "unbilled", "as_claimed", "overpaid"]
"""How a day as claimed stands beside the day as it is now."""


class DayNow(Worth, Protocol):
    """A day as it is now, judged or out of the read model: what a claim is held against."""

    @property
    def is_billable(self) -> bool:
        """Whether it goes on a claim line."""


class Share(NamedTuple):
    """One date of a live claim's per-diem line, with its share of the line's charge."""

    date: int
    line: ClaimedLine
    cents: int

    @property
    def key(self) -> DayKey:
        """Claim, date and code."""
        return self.line.claim, self.date, self.line.code

    @property
    def claimed_at(self) -> datetime:
        """When the ledger learned of the claim."""
        return self.line.entry.recorded_at

    def is_for(self, billed: tuple[str, str] | None) -> bool:
        """Whether it asks for exactly what is billable: this code from this payer."""
        return billed == (self.line.code, self.line.payer)


class Settled(NamedTuple):
    """A share beside the day as it is now; ``beside`` is the earlier share that asks for the same, ``unfiled`` says
    that the day is billable and no share asks its payer; ``paid_cents`` is None as long as there is no answer."""

    share: Share
    kind: ClaimedKind
    exposure_cents: int
    beside: Share | None
    unfiled: bool
    paid_cents: int | None


def shares_of(episode: Episode) -> dict[int, list[Share]]:
    """What the episode's live claims ask for, by date; on one date in the order the claims were recorded."""
    lines = [line for line in claimed_lines(episode) if line.is_per_diem]
    return shares_within(ClaimedSpan(line, line.from_, line.to) for line in lines)


class ClaimedSpan(NamedTuple):
    """Some dates of a per-diem line, one after the other."""

    line: ClaimedLine
    first: int
    last: int


def shares_within(spans: Iterable[ClaimedSpan]) -> dict[int, list[Share]]:
    """What is asked for on some dates of lines, likewise."""
    on_date: dict[int, list[Share]] = {}
    for line, first, last in sorted(spans, key=lambda span: span.line.entry.version):
        cents = spread(line.charge_cents, days_between(line.from_, line.to))
        for on in range(first, last + 1):
            on_date.setdefault(on, []).append(Share(on, line, cents[on - line.from_]))
    return on_date


def billed_as(day: DayNow | None) -> tuple[str, str] | None:
    """Code and payer of a billable day; None if it is not billable, or no day of the episode."""
    if day is None or not day.is_billable:
        return None
    assert day.code is not None
    assert day.payer is not None
    return day.code, day.payer


Answered = Mapping[DayKey, SettledDay]
"""The claimed days that were answered, be it that the answer was taken back since."""

NO_ANSWER: Final[Answered] = MappingProxyType({})


def answered_of(settled: Sequence[SettledDay]) -> Answered:
    """Of an episode's claimed days those that were answered."""
    return {each.key: each for each in settled if each.day.because}


def settle(shares: Sequence[Share], day: DayNow | None, answered: Answered = NO_ANSWER) -> Iterator[Settled]:
    """The shares of one date beside the day. Only one of them can keep what the day is worth: the first that asks for
    exactly that, else the first that asks the same payer. Where there is an answer, what was paid is held against what
    is due: a day that was denied owes nothing, and one that is billable as claimed what was paid beyond its rate."""
    billed = billed_as(day)
    right = next((share for share in shares if share.is_for(billed)), None)
    keeps = right or next((share for share in shares if billed and share.line.payer == billed[1]), None)
    worth = day.rate_cents or 0 if day and billed else 0
    seen: list[DayKey] = []
    for share in shares:
        answer = answered.get(share.key)
        paid, owed = None, max(0, share.cents - (worth if share is keeps else 0))
        if answer:  # of two lines of one claim that ask for the date, the first has the money
            paid, owed = (0, 0) if share.key in seen else (answer.day.paid_cents, answer.to_give_back_cents)
        seen.append(share.key)
        if share is right:
            over = answer is not None and owed > 0
            yield Settled(share, "overpaid" if over else "as_claimed", owed if over else 0, None, False, paid)
        elif share is keeps:
            yield Settled(share, "changed", owed, None, False, paid)
        elif share.is_for(billed):
            yield Settled(share, "overclaimed", owed, right, False, paid)
        else:
            unfiled = billed is not None and keeps is None
            yield Settled(share, "changed" if billed else "overclaimed", owed, None, unfiled, paid)
