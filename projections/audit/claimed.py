"""Each claimed day as it was claimed, as it was known then, and as it is known now; and the days left unbilled.

Only live claims and their per-diem lines count (rulebook section 5). A day has a row for every claim line it stands on;
a billable day on no line at all is unbilled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.facts.liveness import known as known_by
from ledger.judge.case import Case
from ledger.judge.evidence import local_date
from ledger.judge.patients import gather
from ledger.judge.regions import JudgedDay, billable_and
from ledger.judge.steps import judge
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.audit.claimed_shares import ClaimedKind, Settled, paid_of, settle, shares_of
from projections.audit.revealed import Past, Revealed, Streams
from projections.reading.around import entries_around
from projections.reading.as_known import book_known, judged_among, some_episode
from projections.reading.budget import within_budget
from projections.words import iso, utc_text, verdict_text

REPAYMENT_DAYS: Final = {"medicaid": 60}
"""By kind of payer, the days within which an identified overpayment is returned (docs/reference/claimed-days.md)."""


class ClaimedDay(msgspec.Struct, frozen=True, gc=False):
    """A service date as claimed, as known when claimed, and as known now; money is whole cents."""

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


Kept = Callable[[str], "list[ClaimedDay] | None"]
"""What is kept of a patient's claimed days, all of them or those that differ; None if nothing is."""


def nothing_kept(patient: str) -> None:
    """Nothing, of anybody."""


def claimed_days(
    ledger: EpisodeLedger,
    book: Book,
    patients: Iterable[str] | None = None,
    *,
    episode: str | None = None,
    payer: str | None = None,
    known_at: datetime | None = None,
    every: bool = False,
    unreadable: Callable[[str, UnreadableEntry], None] | None = None,
    progress: Progress = silent,
    kept: Kept = nothing_kept,
    upto: int | None = None,
) -> Iterator[ClaimedDay]:
    """The claimed days of the ledger, patient by patient, of some patients or all; of an episode, or of a payer.

    What is ``kept`` of a patient at the position ``upto`` is not worked out again. An entry that cannot be read raises
    UnreadableEntry; or, where ``unreadable`` is given, that is told with the patient's name, and the patient is left
    out.
    """
    head = ledger.position() if upto is None else upto
    names = sorted(ledger.patients_since(0, head) if patients is None else patients)
    for done, name in enumerate(names, 1):
        try:
            found = kept(name)
            if found is None:
                streams = entries_around(ledger, ledger.episodes_of(name), head)
                found = claimed_of(streams, name, book, known_at, every)
        except UnreadableEntry as error:
            if unreadable is None:
                raise
            unreadable(name, error)
            continue
        for row in found:
            if (
                (every or row.kind != "as_claimed")
                and episode in (None, row.episode)
                and payer in (None, row.payer, _billed_payer(row))
            ):
                yield row
        progress(done, len(names))


def _billed_payer(row: ClaimedDay) -> str | None:
    return row.now_payer if row.kind == "changed" else None


def claimed_of(
    streams: Streams, patient: str, book: Book, known_at: datetime | None = None, every: bool = False
) -> list[ClaimedDay]:
    """The claimed days of one patient, by episode and date; ``every`` keeps those that are billable as claimed.

    ``streams`` are the entries of all that the patient's episodes ever had to do with; others do no harm. TooCostly
    beyond the budget.
    """

    def work() -> list[ClaimedDay]:
        known = {name: known_by(entries, known_at) for name, entries in streams.items()}
        judged = judged_among(known, patient, book_known(book, known_at))
        past, cases = Past(known, book, known_at), judged.cases if judged else ()
        past.today.take(cases)
        return [row for case in cases for row in _rows(case, past, every)]

    return within_budget(some_episode(streams), work)


def claimed_of_several(
    streams: Streams, patients: Collection[str], book: Book, every: bool
) -> dict[str, list[ClaimedDay]]:
    """The same of some patients whose episodes had to do with each other, from what the judge reads of them."""
    past = Past(streams, book, None, whole=False)
    judged = {one.name: judge(one, book) for one in gather(streams, whole=False) if one.name in patients}
    for cases in judged.values():
        past.today.take(cases)
    return {name: [row for case in cases for row in _rows(case, past, every)] for name, cases in judged.items()}


def _rows(case: Case, past: Past, every: bool) -> Iterator[ClaimedDay]:
    """The rows of one judged episode."""
    shares = shares_of(case.episode)
    now = billable_and(case, case.spans((on, on) for on in shares))
    paid = paid_of(case.episode)
    settled = {on: list(settle(shares[on], now.get(on), paid)) for on in shares}
    wrong = [one for on in sorted(settled) for one in settled[on] if one.kind != "as_claimed"]
    revealed = iter(past.revealed(case.episode.name, wrong))
    for on in sorted(shares.keys() | now.keys()):
        day = now.get(on)
        if day is not None and on not in shares:
            yield _unbilled(case, day)
        for one in settled.get(on, ()):
            if one.kind != "as_claimed":
                yield _claimed(case, day, one, past, next(revealed))
            elif every:
                yield _claimed(case, day, one, past, None)


def _claimed(case: Case, day: JudgedDay | None, settled: Settled, past: Past, why: Revealed | None) -> ClaimedDay:
    (on, line, cents), kind, exposure, _, unfiled = settled
    return ClaimedDay(
        patient=case.patient.name,
        episode=case.episode.name,
        date=iso(on),
        kind=kind,
        claim=line.claim,
        payer=line.payer,
        claimed_code=line.code,
        claimed_cents=cents,
        known_when_claimed=past.verdict(case.episode.name, on, settled.share.claimed_at),
        known_now=verdict_text(day) if day else None,
        now_payer=day.payer if day else None,
        now_code=day.code if day else None,
        now_cents=day.rate_cents or 0 if day else 0,
        exposure_cents=exposure,
        revealed_by=why.by if why else (),
        revealed_at=utc_text(why.at) if why else None,
        repay_by=_repay_by(case, line.payer, why.at) if why and exposure else None,
        file_by=_file_by(day) if day and unfiled else None,
    )


def _unbilled(case: Case, day: JudgedDay) -> ClaimedDay:
    return ClaimedDay(
        patient=case.patient.name,
        episode=case.episode.name,
        date=iso(day.date),
        kind="unbilled",
        claim=None,
        payer=day.payer,
        claimed_code=None,
        claimed_cents=0,
        known_when_claimed=None,
        known_now=verdict_text(day),
        now_payer=day.payer,
        now_code=day.code,
        now_cents=day.rate_cents or 0,
        exposure_cents=0,
        revealed_by=(),
        revealed_at=None,
        repay_by=None,
        file_by=_file_by(day),
    )


def _repay_by(case: Case, payer: str, revealed_at: datetime) -> str | None:
    """When an overpayment must be back with its payer; None where no such date is set. It was revealed on a date where
    the patient lives and on another in UTC perhaps: the earlier counts."""
    payers = case.book.payers
    days = REPAYMENT_DAYS.get(payers[payer].kind) if payer in payers else None
    revealed_on = min(revealed_at.astimezone(UTC).toordinal(), local_date(revealed_at, case.evidence.tz))
    return None if days is None else iso(revealed_on + days)


def _file_by(day: JudgedDay) -> str:
    """The last date on which the payer takes the claim for a day."""
    assert day.terms is not None
    return iso(min(day.date + day.terms.timely_filing_days, date.max.toordinal()))
