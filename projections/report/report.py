"""The report of a Monday: what is billed, what waits, what is lost soon, what has to be given back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter

import msgspec

from ledger.book import Book
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.read_model.trouble import SetAside
from projections.read_model.views import Views
from projections.report.asked import Asked
from projections.report.authorizations import RunningOut
from projections.report.behind import Behind, Collected, Key, collect_claimed
from projections.report.billed import Billed, billed
from projections.report.claims import ClaimSums, Exposed, Unbilled
from projections.report.conflicts import Conflict, HardFinding, conflicts, hard_findings
from projections.report.holds import Hold, holds
from projections.report.patients import patients_told
from projections.words import utc_text

ReportRow = Billed | Hold | Unbilled | Exposed | RunningOut | Conflict | HardFinding


class Heading(msgspec.Struct, frozen=True, tag_field="section", tag="report"):
    """On what a report rests: the ledger up to a position, the book, and the date it is made for."""

    on: str
    payer: str | None
    from_: str | None = msgspec.field(name="from")
    to: str | None
    known_at: str | None
    position: int
    ledger_id: str
    book_hash: str
    set_aside: int


class WeeklyReport(msgspec.Struct, frozen=True):
    """All sections of a report. ``behind`` holds the rows behind the numbers, if they were asked for."""

    heading: Heading
    billed: Sequence[Billed]
    holds: Sequence[Hold]
    unbilled: Sequence[Unbilled]
    exposure: Sequence[Exposed]
    authorizations: Sequence[RunningOut]
    conflicts: Sequence[Conflict]
    findings: Sequence[HardFinding]
    asked: Asked
    payer_names: dict[str, str]
    left_out: Sequence[SetAside]
    behind: dict[Key, Behind]

    def rows(self) -> Iterator[Heading | ReportRow]:
        """The heading and then every row, section by section."""
        yield self.heading
        for name in SECTIONS:
            yield from getattr(self, name)


SECTIONS = ("billed", "holds", "unbilled", "exposure", "authorizations", "conflicts", "findings")


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
    sums, running, left_out = ClaimSums(asked), list[RunningOut](), list[SetAside]()
    for told in patients_told(ledger, views, book, asked, left_out.append, progress):
        running += told.running_out
        for row in told.claimed:
            sums.add(row)
            if collected is not None:
                collect_claimed(collected, sums, row)
    running.sort(key=attrgetter("lasts_to", "patient", "episode", "number"))
    if collected is not None:
        collected.add_from(views, asked, running)
    return WeeklyReport(
        _heading(ledger, views, book, asked),
        list(billed(views, asked)), holds(views, book, asked), list(sums.unbilled()), list(sums.exposure()), running,
        list(conflicts(views, asked)), list(hard_findings(views, asked)), asked,
        {payer.id: payer.name for payer in book.payers.values()}, left_out, collected.by_key if collected else {},
    )  # fmt: skip


def _heading(ledger: EpisodeLedger, views: Views, book: Book, asked: Asked) -> Heading:
    known_at = utc_text(asked.known_at) if asked.known_at else None
    position = int(views.noted()["position"])
    aside = len(views.set_aside())
    return Heading(asked.on, asked.payer, asked.from_, asked.to, known_at, position, ledger.id, book.hash, aside)


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
        case RunningOut():
            return "authorizations", row.episode, row.number
        case Conflict():
            return "conflicts", row.rule
        case HardFinding():
            return "findings", row.rule
