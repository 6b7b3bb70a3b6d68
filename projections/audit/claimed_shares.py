"""What live claims ask for each service date, and what of it has to be given back as the date is judged now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, NamedTuple, Protocol

from ledger.judge.claims import ClaimedLine, claimed_lines
from ledger.judge.episode import Episode
from ledger.judge.lines import days_between
from ledger.judge.paid import paid_days, spread

ClaimedKind = Literal["overclaimed", "changed", "unbilled", "as_claimed"]
"""How a day as claimed stands beside the day as it is now."""


class DayNow(Protocol):
    """A day as it is now, judged or out of the read model: what a claim is held against."""

    @property
    def is_billable(self) -> bool:
        """Whether it goes on a claim line."""

    @property
    def code(self) -> str | None:
        """The per-diem code."""

    @property
    def payer(self) -> str | None:
        """The payer to bill."""

    @property
    def rate_cents(self) -> int | None:
        """What it pays."""


class Share(NamedTuple):
    """One date of a live claim's per-diem line, with its share of the line's charge."""

    date: int
    line: ClaimedLine
    cents: int

    @property
    def claimed_at(self) -> datetime:
        """When the ledger learned of the claim."""
        return self.line.entry.recorded_at

    def is_for(self, billed: tuple[str, str] | None) -> bool:
        """Whether it asks for exactly what is billable: this code from this payer."""
        return billed == (self.line.code, self.line.payer)


class Settled(NamedTuple):
    """A share beside the day as it is now; ``beside`` is the earlier share that asks for the same, ``unfiled`` says
    that the day is billable and no share asks its payer."""

    share: Share
    kind: ClaimedKind
    exposure_cents: int
    beside: Share | None
    unfiled: bool


def shares_of(episode: Episode) -> dict[int, list[Share]]:
    """What the episode's live claims ask for, by date; on one date in the order the claims were recorded."""
    on_date: dict[int, list[Share]] = {}
    lines = sorted(claimed_lines(episode), key=lambda line: line.entry.version)
    for line in lines:
        if line.is_per_diem:
            for place, cents in enumerate(spread(line.charge_cents, days_between(line.from_, line.to))):
                on_date.setdefault(line.from_ + place, []).append(Share(line.from_ + place, line, cents))
    return on_date


def billed_as(day: DayNow | None) -> tuple[str, str] | None:
    """Code and payer of a billable day; None if it is not billable, or no day of the episode."""
    if day is None or not day.is_billable:
        return None
    assert day.code is not None
    assert day.payer is not None
    return day.code, day.payer


Paid = Mapping[tuple[str, int, str], int]
"""What was paid, by claim, date and code, where there is an answer."""

NOTHING_PAID: Final[Paid] = MappingProxyType({})


def paid_of(episode: Episode) -> Paid:
    """What was paid for each claimed day of an episode that was answered, be it that it was taken back since."""
    if not episode.postings:  # most
        return {}
    return {(day.claim, day.date, day.code): day.paid_cents for day in paid_days(episode) if day.because}


def settle(shares: Sequence[Share], day: DayNow | None, paid: Paid = NOTHING_PAID) -> Iterator[Settled]:
    """The shares of one date beside the day. Only one of them can keep what the day is worth: the first that asks for
    exactly that, else the first that asks the same payer. Where there is an answer, what was paid is held against what
    is due: a day that was denied owes nothing."""
    billed = billed_as(day)
    right = next((share for share in shares if share.is_for(billed)), None)
    keeps = right or next((share for share in shares if billed and share.line.payer == billed[1]), None)
    worth = day.rate_cents or 0 if day and billed else 0
    for share in shares:
        had = max(0, paid.get((share.line.claim, share.date, share.line.code), share.cents))
        if share is right:
            yield Settled(share, "as_claimed", 0, None, False)
        elif share is keeps:
            yield Settled(share, "changed", max(0, had - worth), None, False)
        elif share.is_for(billed):
            yield Settled(share, "overclaimed", had, right, False)
        else:
            unfiled = billed is not None and keeps is None
            yield Settled(share, "changed" if billed else "overclaimed", had, None, unfiled)
