"""What live claims ask for each service date, and what of it has to be given back as the date is judged now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

from ledger.judge.claims import ClaimedLine, claimed_lines
from ledger.judge.episode import Episode
from ledger.judge.lines import days_between

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


def spread(charge_cents: int, days: int) -> list[int]:
    """A line's charge over its dates: equal shares, the cents that are left over one by one from the first date."""
    each, left = divmod(charge_cents, days)
    return [each + (place < left) for place in range(days)]


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


def settle(shares: Sequence[Share], day: DayNow | None) -> Iterator[Settled]:
    """The shares of one date beside the day. Only one of them can keep what the day is worth: the first that asks for
    exactly that, else the first that asks the same payer."""
    billed = billed_as(day)
    right = next((share for share in shares if share.is_for(billed)), None)
    keeps = right or next((share for share in shares if billed and share.line.payer == billed[1]), None)
    worth = day.rate_cents or 0 if day and billed else 0
    for share in shares:
        if share is right:
            yield Settled(share, "as_claimed", 0, None, False)
        elif share is keeps:
            yield Settled(share, "changed", max(0, share.cents - worth), None, False)
        elif share.is_for(billed):
            yield Settled(share, "overclaimed", share.cents, right, False)
        else:
            unfiled = billed is not None and keeps is None
            yield Settled(share, "changed" if billed else "overclaimed", share.cents, None, unfiled)
