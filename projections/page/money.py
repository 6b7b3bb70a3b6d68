"""What was claimed for the days of an episode, beside what they are: claimed, paid, not billed yet, to refund."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple

from ledger.judge.episode import Episode
from ledger.judge.paid import paid_days
from ledger.judge.settled import SettledDay, settle_days
from projections.audit.claimed_shares import NO_ANSWER, Answered, Share, answered_of, settle, shares_of
from projections.rows.day import DayRow
from projections.words import iso

MONEY: Final = {
    "claimed": ("●", "claimed"),
    "paid": ("$", "paid"),
    "unbilled": ("○", "not billed"),
    "undue": ("?", "claimed, not due"),
    "refund": ("↩", "to refund"),
}
"""What can be said of a day's money, with its sign and words."""


class DayMoney(NamedTuple):
    """A day's money in whole cents: what live claims ask for it, what payers paid, what is billable and on no claim,
    what is asked and not due, as long as it is not answered, and what to give back of what was paid."""

    claimed: int
    paid: int
    unbilled: int
    undue: int
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
    now = {day.date: _Now(day.status == "billable", day.code, day.payer, day.rate_cents) for day in days}
    if episode is None:
        return {on: money for on in now if (money := _of_date((), now[on], (), NO_ANSWER)).kinds}
    shares = {iso(on): found for on, found in shares_of(episode).items()}
    settled: dict[str, list[SettledDay]] = {}
    billable = {date.fromisoformat(on).toordinal(): day for on, day in now.items() if day.is_billable}
    every = settle_days(episode, paid_days(episode), billable) if episode.postings else []
    for each in every:
        if each.day.is_per_diem:
            settled.setdefault(iso(each.day.date), []).append(each)
    answered = answered_of(every)
    dates = sorted(now.keys() | shares.keys() | settled.keys())
    found = {on: _of_date(shares.get(on, ()), now.get(on), settled.get(on, ()), answered) for on in dates}
    return {on: money for on, money in found.items() if money.kinds}


def _of_date(shares: Sequence[Share], now: _Now | None, paid: Sequence[SettledDay], answered: Answered) -> DayMoney:
    """The money of one date: what was paid too much also on claims that are not live any more."""
    settled = list(settle(shares, now, answered))
    unfiled = (not shares and now is not None and now.is_billable) or any(one.unfiled for one in settled)
    return DayMoney(
        sum(share.cents for share in shares), sum(each.day.paid_cents for each in paid),
        (now.rate_cents or 0) if unfiled and now else 0,
        sum(one.exposure_cents for one in settled if one.paid_cents is None),
        sum(each.to_give_back_cents for each in paid), tuple(dict.fromkeys(share.line.claim for share in shares)),
    )  # fmt: skip


def money_sums(money: Mapping[str, DayMoney]) -> Iterator[MoneySum]:
    """The money of an episode by kind."""
    for kind, (sign, words) in MONEY.items():
        found = [each for each in money.values() if kind in each.kinds]
        yield MoneySum(kind, sign, words, len(found), sum(getattr(each, kind) for each in found))
