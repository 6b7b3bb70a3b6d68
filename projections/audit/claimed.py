"""Each claimed day as it was claimed, as it was known then, and as it is known now; and the days left unbilled.

Only live claims and their per-diem lines count (rulebook section 5). A day has a row for every claim line it stands on;
a billable day on no line at all is unbilled.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import NamedTuple

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.facts.liveness import known as known_by
from ledger.judge.case import Case
from ledger.judge.patients import gather
from ledger.judge.settled import SettledDay, settled_days
from ledger.judge.steps import judge
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.answers.payments import PaymentRow, PaymentRun, rows_of
from projections.audit.by_runs import ClaimedRun, TellsByRuns, days_alike_of
from projections.audit.claimed_rows import ClaimedDay, claimed_rows, rows_within
from projections.audit.claiming import BeforeNow, Claiming, claiming_of
from projections.audit.known_today import Judged
from projections.audit.revealed import Past
from projections.reading.around import entries_around
from projections.reading.as_known import book_known, judged_among
from projections.reading.unjudged import Streams, judging

Kept = Callable[[str], "list[ClaimedDay] | None"]
"""What is kept of a patient's claimed days, all of them or those that differ; None if nothing is."""


def nothing_kept(patient: str) -> None:
    """Nothing, of anybody."""


def nothing_paid_kept(patient: str) -> list[PaymentRun] | None:
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
    return claims_of(streams, patient, book, known_at, every).claimed


class ClaimsTold(NamedTuple):
    """What is to be said of one patient's claims: the claimed days, and what each was paid."""

    claimed: list[ClaimedDay]
    payments: list[PaymentRow]


def claims_of(
    streams: Streams, patient: str, book: Book, known_at: datetime | None = None, every: bool = False
) -> ClaimsTold:
    """The claimed days of one patient, and what each was paid."""

    def work(streams: Streams) -> ClaimsTold:
        known = {name: known_by(entries, known_at) for name, entries in streams.items()}
        then = book_known(book, known_at)
        judged, today = judged_among(known, patient, then), Judged(known, then)
        cases = judged.cases if judged else ()
        today.take(cases)
        return _claims_told(cases, Past(known, then, today), every)

    return judging(streams, work)


class ClaimsKept(NamedTuple):
    """The same of one patient as it is kept: by runs of days where that does, else day by day."""

    patient: str
    claimed_runs: list[ClaimedRun]
    payment_runs: list[PaymentRun]
    claimed: list[ClaimedDay]
    payments: list[PaymentRow]


def tell(
    told: ClaimsKept,
    claiming: Claiming,
    runs: TellsByRuns,
    past: BeforeNow,
    money_of: Callable[[], list[SettledDay]],
    *,
    every: bool,
) -> None:
    """Tell of an episode's claims, and of its money, if that needs a look at every date."""
    payments = runs.payments()
    money = money_of() if payments is None else []
    told.payment_runs.extend(payments or ())
    told.payments.extend(rows_of(claiming.episode, money))
    if not runs.tells_claimed:
        told.claimed.extend(claimed_rows(claiming, money, past, every))
        return
    if spans := runs.differ():  # first: how they were known then often says how the others were
        told.claimed.extend(rows_within(claiming, spans, past, every))
    told.claimed_runs.extend(runs.claimed(claiming.patient, past if every else None))


def claims_kept_of(streams: Streams, patients: Collection[str], book: Book, every: bool) -> list[ClaimsKept]:
    """What is to be said of some patients whose episodes had to do with each other, from what the judge reads."""
    judged, past = _judged(streams, patients, book)
    found = [ClaimsKept(name, [], [], [], []) for name in judged]
    for told in found:
        for case in judged[told.patient]:
            money = partial(settled_days, case)
            runs = TellsByRuns(case.episode, days_alike_of(case))
            tell(told, claiming_of(case), runs, past, money, every=every)
    return found


def claims_of_several(streams: Streams, patients: Collection[str], book: Book, every: bool) -> dict[str, ClaimsTold]:
    """The same of some patients whose episodes had to do with each other, from what the judge reads of them."""
    judged, past = _judged(streams, patients, book)
    return {name: _claims_told(cases, past, every) for name, cases in judged.items()}


def _judged(streams: Streams, patients: Collection[str], book: Book) -> tuple[dict[str, list[Case]], Past]:
    """Some of the patients whose entries these are, as judged today, and what was known of them before."""
    judged = {one.name: judge(one, book) for one in gather(streams, whole=False) if one.name in patients}
    today = Judged(streams, book)
    for cases in judged.values():
        today.take(cases)
    return judged, Past(streams, book, today, whole=False)


def _claims_told(cases: Iterable[Case], past: Past, every: bool) -> ClaimsTold:
    told = ClaimsTold([], [])
    for case in cases:
        money = settled_days(case) if case.episode.claims or case.episode.postings else []
        told.claimed.extend(claimed_rows(claiming_of(case), money, past, every))
        told.payments.extend(rows_of(case.episode, money))
    return told
