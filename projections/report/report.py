"""The report of a Monday: what is billed, what waits, what is lost soon, what has to be given back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final

import msgspec

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.read_model.trouble import SetAside
from projections.read_model.views import Views
from projections.report.asked import Asked
from projections.report.authorizations import RunningOut
from projections.report.behind import Behind, Collected, Key, collect_claimed, collect_paid, collect_unmatched
from projections.report.billed import Billed, billed
from projections.report.claims import ClaimSums, Exposed, ExposedMonth, ToGiveBack, Unbilled
from projections.report.conflicts import Conflict, HardFinding, conflicts, hard_findings
from projections.report.expected import Expected
from projections.report.holds import Hold, holds
from projections.report.paid import Denial, PaidAgainst, PaidSums, Unanswered, Unmatched, unmatched, waiting
from projections.report.patients import patients_told
from projections.words import utc_text

ReportRow = (
    Billed
    | Hold
    | Unbilled
    | Exposed
    | ToGiveBack
    | PaidAgainst
    | Unanswered
    | Denial
    | Unmatched
    | RunningOut
    | Conflict
    | HardFinding
    | Expected
)


class Heading(msgspec.Struct, frozen=True, tag_field="section", tag="report"):
    """On what a report rests: the ledger up to a position, the book, and the date it is made for.

    ``data_until`` is when the last of its entries was recorded, ``last_month`` the month last ended on its date.
    """

    on: str
    payer: str | None
    from_: str | None = msgspec.field(name="from")
    to: str | None
    known_at: str | None
    position: int
    ledger_id: str
    book_hash: str
    set_aside: int
    data_until: str | None
    last_month: str


class WeeklyReport(msgspec.Struct, frozen=True):
    """All sections of a report. ``behind`` holds the rows behind the numbers, if they were asked for;
    ``exposure_by_month`` draws the money to refund, and is no section."""

    heading: Heading
    billed: Sequence[Billed]
    holds: Sequence[Hold]
    unbilled: Sequence[Unbilled]
    exposure: Sequence[Exposed]
    give_back: Sequence[ToGiveBack]
    paid: Sequence[PaidAgainst]
    unanswered: Sequence[Unanswered]
    denials: Sequence[Denial]
    unmatched: Sequence[Unmatched]
    authorizations: Sequence[RunningOut]
    conflicts: Sequence[Conflict]
    findings: Sequence[HardFinding]
    expected: Sequence[Expected]
    asked: Asked
    payer_names: dict[str, str]
    left_out: Sequence[SetAside]
    behind: dict[Key, Behind]
    exposure_by_month: Sequence[ExposedMonth]

    def rows(self) -> Iterator[Heading | ReportRow]:
        """The heading and then every row, section by section."""
        yield self.heading
        for name in SECTIONS:
            yield from getattr(self, name)


SECTIONS = (
    "billed", "holds", "unbilled", "exposure", "give_back", "paid", "unanswered", "denials", "unmatched",
    "authorizations", "conflicts", "findings", "expected",
)  # fmt: skip


def report_of(
    ledger: EpisodeLedger,
    views: Views,
    book: Book,
    asked: Asked,
    collected: Collected | None = None,
    progress: Progress = silent,
) -> WeeklyReport:
    """The report of what a read model holds, caught up and held still, or filled as known at an instant.

    ``collected`` takes in the rows behind the numbers. Patients whose claims cannot be read, because an episode
    that is set aside is among those their own have to do with, are left out of the sections about claims and
    authorizations, and named.
    """
    sums, paid = ClaimSums(asked), PaidSums(asked, book)
    running, expected, left_out = list[RunningOut](), list[Expected](), list[SetAside]()
    for told in patients_told(ledger, views, book, asked, left_out.append, progress):
        running += told.running_out
        expected += told.expected
        for row in told.claimed:
            sums.add(row)
            if collected is not None:
                collect_claimed(collected, sums, row)
        for run in paid.counted(told.payments, singly=collected is not None):
            paid.add(told.patient, run)
            if collected is not None:
                collect_paid(collected, paid, told.patient, run.row)
    acts = waiting(ledger, asked)
    running.sort(key=attrgetter("lasts_to", "patient", "episode", "number"))
    expected.sort(key=attrgetter("due", "patient", "episode", "kind", "what"))
    if collected is not None:
        collected.add_from(views, asked, running)
        collect_unmatched(collected, acts)
    return WeeklyReport(
        _heading(ledger, views, book, asked),
        list(billed(views, asked)), holds(views, book, asked), list(sums.unbilled()), list(sums.exposure()),
        list(sums.give_back()), list(paid.paid()), paid.unanswered(), list(paid.denials()),
        list(unmatched(acts, asked)), running,
        list(conflicts(views, asked)), list(hard_findings(views, asked)), expected, asked,
        {payer.id: payer.name for payer in book.payers.values()}, left_out, collected.by_key if collected else {},
        sums.exposure_by_month(),
    )  # fmt: skip


def _heading(ledger: EpisodeLedger, views: Views, book: Book, asked: Asked) -> Heading:
    known_at = utc_text(asked.known_at) if asked.known_at else None
    position = int(views.noted()["position"])
    aside = len(views.set_aside())
    return Heading(
        asked.on, asked.payer, asked.from_, asked.to, known_at, position, ledger.id, book.hash, aside,
        _data_until(ledger, position, asked.known_at), _last_month(asked.on),
    )  # fmt: skip


def _data_until(ledger: EpisodeLedger, position: int, known_at: datetime | None) -> str | None:
    """When the last entry was recorded that counts; at an instant, that instant is as near as it need be."""
    if known_at is not None:
        return utc_text(known_at)
    recorded = (_recorded_at(ledger, each) for each in range(max(1, position - LATEST + 1), position + 1))
    last = max(filter(None, recorded), default=None)
    return utc_text(last) if last else None


LATEST: Final = 20
"""Among so many entries the last one recorded is looked for: brought history may end with an older one."""


def _recorded_at(ledger: EpisodeLedger, position: int) -> datetime | None:
    try:
        return next((entry.recorded_at for _, entry in ledger.follow(position - 1, position)), None)
    except UnreadableEntry:  # of somebody who is set aside
        return None


def _last_month(on: str) -> str:
    """The month last ended on a date, ``YYYY-MM``; on a month's last date that month still runs."""
    return (date.fromisoformat(on).replace(day=1) - timedelta(days=1)).isoformat()[:7]


def key_of(row: ReportRow) -> Key:
    """Under which key the rows behind a row's numbers are collected."""
    match row:
        case Billed():
            return "billed", row.payer, row.month
        case Hold():
            return "holds", row.reason, row.payer or ""
        case Unbilled():
            return "unbilled", row.payer, row.left
        case Exposed():
            return "exposure", row.payer, row.kind
        case ToGiveBack():
            return "give_back", row.payer, row.kind
        case PaidAgainst():
            return "paid", row.payer, row.month
        case Unanswered():
            return "unanswered", row.episode, row.claim
        case Denial():
            return "denials", row.payer, row.status, row.reasons
        case Unmatched():
            return "unmatched", row.payer
        case RunningOut():
            return "authorizations", row.episode, row.number
        case Conflict():
            return "conflicts", row.rule
        case HardFinding():
            return "findings", row.rule
        case Expected():
            return "expected", row.episode, row.kind, row.what
