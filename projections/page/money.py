"""What was claimed for the days of an episode, beside what they are: claimed, paid, not billed yet, to refund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from ledger.judge.episode import Episode
from ledger.judge.paid import paid_days
from projections.audit.claimed_shares import Paid, Share, paid_of, settle, shares_of
from projections.rows.day import DayRow
from projections.words import iso

MONEY: Final = {
    "claimed": ("●", "claimed"),
    "paid": ("$", "paid"),
    "unbilled": ("○", "not billed"),
    "refund": ("↩", "to refund"),
}
"""What can be said of a day's money, with its sign and words."""


class DayMoney(NamedTuple):
    """A day's money in whole cents: what live claims ask for it, what payers paid, what is billable and on no claim,
    and what to give back."""

    claimed: int
    paid: int
    unbilled: int
    refund: int
    claims: tuple[str, ...]

    @property
    def kinds(self) -> list[str]:
        """What there is to say of it."""
        return [kind for kind in MONEY if getattr(self, kind) or (kind == "claimed" and self.claims)]


class MoneySum(NamedTuple):
    """How many days have money of one kind, and how much."""

    kind: str
    sign: str
    words: str
    days: int
    cents: int


class _Now(NamedTuple):
    """A day of the read model, as a claim is held against it."""

    is_billable: bool
    code: str | None
    payer: str | None
    rate_cents: int | None


def money_of(days: Sequence[DayRow], episode: Episode | None) -> dict[str, DayMoney]:
    """The money of every date that is a day of the episode or on a claim, where there is any."""
    paid = _paid(episode) if episode else {}
    shares = {iso(on): found for on, found in shares_of(episode).items()} if episode else {}
    now = {day.date: _Now(day.status == "billable", day.code, day.payer, day.rate_cents) for day in days}
    dates = sorted(now.keys() | shares.keys() | paid.keys())
    answered = paid_of(episode) if episode else {}
    every = {on: _of_date(shares.get(on, ()), now.get(on), paid.get(on, 0), answered) for on in dates}
    return {on: money for on, money in every.items() if money.kinds}


def _paid(episode: Episode) -> dict[str, int]:
    """What payers paid for the per diems of each date, in whole cents."""
    paid: dict[str, int] = {}
    for day in paid_days(episode):
        if day.is_per_diem:
            paid[iso(day.date)] = paid.get(iso(day.date), 0) + day.paid_cents
    return paid


def _of_date(shares: Sequence[Share], now: _Now | None, paid: int, answered: Paid) -> DayMoney:
    settled = list(settle(shares, now, answered))
    unfiled = (not shares and now is not None and now.is_billable) or any(one.unfiled for one in settled)
    return DayMoney(
        sum(share.cents for share in shares), paid, (now.rate_cents or 0) if unfiled and now else 0,
        sum(one.exposure_cents for one in settled), tuple(dict.fromkeys(share.line.claim for share in shares)),
    )  # fmt: skip


def money_sums(money: Mapping[str, DayMoney]) -> Iterator[MoneySum]:
    """The money of an episode by kind."""
    for kind, (sign, words) in MONEY.items():
        found = [each for each in money.values() if kind in each.kinds]
        yield MoneySum(kind, sign, words, len(found), sum(getattr(each, kind) for each in found))
