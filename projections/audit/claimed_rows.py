"""The claimed days of one judged episode as rows: as claimed, as known when claimed and now, and what was paid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from itertools import chain
from typing import Final

import msgspec

from ledger.facts.zones import zone
from ledger.judge.evidence import local_date
from ledger.judge.settled import SettledDay
from projections.audit.claimed_shares import (
    NO_ANSWER,
    Answered,
    ClaimedKind,
    ClaimedSpan,
    Settled,
    Share,
    answered_of,
    settle,
    shares_of,
    shares_within,
)
from projections.audit.claiming import BeforeNow, Claiming, DayToday
from projections.audit.revealed import Revealed
from projections.words import iso, utc_text

REPAYMENT_DAYS: Final = {"medicaid": 60}
"""By kind of payer, the days within which an identified overpayment is returned (docs/reference/claimed-days.md)."""


class ClaimedDay(msgspec.Struct, frozen=True, gc=False):
    """A service date as claimed, as known when claimed, and as known now; money is whole cents.

    ``paid_cents`` is what was paid for it, None as long as there is no answer; ``exposure_cents`` what of that is to be
    given back, or as long as there is no answer, what of the claim does not stand.
    """

    patient: str
    episode: str
    date: str
    kind: ClaimedKind
    claim: str | None
    payer: str | None
    claimed_code: str | None
    claimed_cents: int
    known_when_claimed: str | None
    known_now: str | None
    now_payer: str | None
    now_code: str | None
    now_cents: int
    exposure_cents: int
    revealed_by: tuple[str, ...]
    revealed_at: str | None
    repay_by: str | None
    file_by: str | None
    paid_cents: int | None = None


def owed_cents(rows: Iterable[ClaimedDay]) -> int:
    """What of some days was paid, and is to be given back."""
    return sum(row.exposure_cents for row in rows if row.paid_cents is not None)


def claimed_rows(case: Claiming, money: Sequence[SettledDay], past: BeforeNow, every: bool) -> Iterator[ClaimedDay]:
    """The rows of one episode."""
    shares, gone = shares_of(case.episode), _gone_by_date(money)
    now = case.days(shares.keys() | gone.keys())
    rows = _rows_of(case, shares, now, answered_of(money), past, every)
    for on in sorted(shares.keys() | now.keys() | gone.keys()):
        day = now.get(on)
        if day is not None and on not in shares and day.is_billable:
            yield unbilled(case.patient, case.episode.name, day)
        if on in shares:
            yield from next(rows)
        for each in gone.get(on, ()):
            yield _overpaid(case, day, each, past)


def rows_within(case: Claiming, spans: Iterable[ClaimedSpan], past: BeforeNow, every: bool) -> Iterator[ClaimedDay]:
    """The rows of some dates of lines without answers, which share no date with others."""
    shares = shares_within(spans)
    return chain.from_iterable(_rows_of(case, shares, case.on(shares), NO_ANSWER, past, every))


def _rows_of(
    case: Claiming,
    shares: Mapping[int, Sequence[Share]],
    now: Mapping[int, DayToday],
    answered: Answered,
    past: BeforeNow,
    every: bool,
) -> Iterator[list[ClaimedDay]]:
    """The rows of each date that is asked for, by date."""
    settled = {on: list(settle(shares[on], now.get(on), answered)) for on in sorted(shares)}
    wrong = [one for of_date in settled.values() for one in of_date if one.kind not in ("as_claimed", "overpaid")]
    revealed = iter(past.revealed(case.episode.name, wrong))
    past.look_back(one.share for on in settled for one in settled[on] if every or one.kind != "as_claimed")
    for on, of_date in settled.items():
        day, rows = now.get(on), list[ClaimedDay]()
        for one in of_date:
            if one.kind == "overpaid":
                rows.append(_overpaid(case, day, answered[one.share.key], past))
            elif one.kind != "as_claimed":
                rows.append(_claimed(case, day, one, past, next(revealed)))
            elif every:
                rows.append(_claimed(case, day, one, past, None))
        yield rows


def _gone_by_date(money: Iterable[SettledDay]) -> dict[int, list[SettledDay]]:
    """What is to be given back of claims that are not live any more."""
    found: dict[int, list[SettledDay]] = {}
    for each in money:
        if not each.is_live and each.to_give_back_cents:
            found.setdefault(each.day.date, []).append(each)
    return found


def _overpaid(case: Claiming, day: DayToday | None, settled: SettledDay, past: BeforeNow) -> ClaimedDay:
    """A day that was paid more than is due as it was claimed, or on a claim that is not live: the answers show it."""
    paid = settled.day
    answers = [(entry, fact) for entry, fact in case.episode.postings if entry.label in paid.because]
    at = max(entry.recorded_at for entry, _ in answers)
    claim = case.episode.claims.get(paid.claim)
    return ClaimedDay(
        patient=case.patient,
        episode=case.episode.name,
        date=iso(paid.date),
        kind="overpaid",
        claim=paid.claim,
        payer=paid.payer,
        claimed_code=paid.code,
        claimed_cents=paid.charge_cents,
        known_when_claimed=past.verdict(case.episode.name, paid.date, claim.entry.recorded_at) if claim else None,
        known_now=day.says if day else None,
        now_payer=day.payer if day else None,
        now_code=day.code if day else None,
        now_cents=day.rate_cents or 0 if day else 0,
        exposure_cents=settled.to_give_back_cents,
        revealed_by=tuple(paid.because),
        revealed_at=utc_text(at),
        repay_by=_repay_by(case, paid.payer, at),
        file_by=None,
        paid_cents=paid.paid_cents,
    )


def _claimed(
    case: Claiming, day: DayToday | None, settled: Settled, past: BeforeNow, why: Revealed | None
) -> ClaimedDay:
    (on, line, cents), kind, exposure, _, unfiled, paid = settled
    return ClaimedDay(
        patient=case.patient,
        episode=case.episode.name,
        date=iso(on),
        kind=kind,
        claim=line.claim,
        payer=line.payer,
        claimed_code=line.code,
        claimed_cents=cents,
        known_when_claimed=past.verdict(case.episode.name, on, settled.share.claimed_at),
        known_now=day.says if day else None,
        now_payer=day.payer if day else None,
        now_code=day.code if day else None,
        now_cents=day.rate_cents or 0 if day else 0,
        exposure_cents=exposure,
        revealed_by=why.by if why else (),
        revealed_at=utc_text(why.at) if why else None,
        repay_by=_repay_by(case, line.payer, why.at) if why and exposure else None,
        file_by=_file_by(day) if day and unfiled else None,
        paid_cents=paid,
    )


def unbilled(patient: str, episode: str, day: DayToday) -> ClaimedDay:
    """A billable day on no claim."""
    return ClaimedDay(
        patient=patient,
        episode=episode,
        date=iso(day.date),
        kind="unbilled",
        claim=None,
        payer=day.payer,
        claimed_code=None,
        claimed_cents=0,
        known_when_claimed=None,
        known_now=day.says,
        now_payer=day.payer,
        now_code=day.code,
        now_cents=day.rate_cents or 0,
        exposure_cents=0,
        revealed_by=(),
        revealed_at=None,
        repay_by=None,
        file_by=_file_by(day),
    )


def _repay_by(case: Claiming, payer: str, revealed_at: datetime) -> str | None:
    """When an overpayment must be back with its payer; None where no such date is set. It was revealed on a date where
    the patient lives and on another in UTC perhaps: the earlier counts."""
    payers = case.book.payers
    days = REPAYMENT_DAYS.get(payers[payer].kind) if payer in payers else None
    revealed_on = min(
        revealed_at.astimezone(UTC).toordinal(), local_date(revealed_at, zone(case.episode.opening[1].zone))
    )
    return None if days is None else iso(revealed_on + days)


def _file_by(day: DayToday) -> str:
    """The last date on which the payer takes the claim for a day."""
    assert day.terms is not None
    return iso(min(day.date + day.terms.timely_filing_days, date.max.toordinal()))
