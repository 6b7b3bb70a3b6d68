"""The report of a closed month: its days by payer and verdict, and a fingerprint that pins each of them.

It is derived from the record of the closing alone: the entries up to its position, read against the book it carries, as
far as that was published by then, and by the zones it carries. So it comes out the same at any later time, whatever was
recorded or edited since; by another version of the judge it may not, so the record carries the report as well.
"""

from __future__ import annotations

import hashlib
import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Final, Literal, NamedTuple

import msgspec

from ledger.facts.administration import MonthClosed
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.audit.as_closed import (
    EDITION_1_COLUMNS,
    Span,
    book_of_closing,
    is_of_edition_1,
    rows_as_closed,
)
from projections.read_model.queries import Filters, day_rows
from projections.read_model.version import code_version, what_changed
from projections.read_model.views import Views, passing_views
from projections.reading.cohorts import cohorts_in, complete
from projections.rows.day import DAY_COLUMNS, DayRow
from projections.rows.day_run import runs_of
from projections.rows.kept import NOBODY, kept_sheets
from projections.rows.patient import Sheets
from projections.words import dollars, utc_text

PINNED: Final = tuple(column.name for column in DAY_COLUMNS if column.name != "because")
"""What a report pins of a day: its verdict as it goes. Causes may be named better by a later version."""
_MONTH: Final = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
_encode: Final = msgspec.json.Encoder().encode


class Month(NamedTuple):
    """A calendar month of service dates."""

    year: int
    number: int

    @classmethod
    def read(cls, text: str) -> Month:
        """The month written ``YYYY-MM``, from 2000 to 2099; ValueError if it is not."""
        found = _MONTH.fullmatch(text)
        if not found:
            raise ValueError("no month")
        return cls(int(found[1]), int(found[2]))

    @property
    def text(self) -> str:
        """As it is recorded: ``2026-10``."""
        return f"{self.year}-{self.number:02}"

    def has(self, on: str) -> bool:
        """Whether a service date is in it."""
        return on.startswith(self.text)

    @property
    def words(self) -> str:
        """As a person reads it: ``October 2026``."""
        return self.first.strftime("%B %Y")

    @property
    def first(self) -> date:
        """Its first date."""
        return date(self.year, self.number, 1)

    @property
    def last(self) -> date:
        """Its last date."""
        return date(self.year, self.number, monthrange(self.year, self.number)[1])

    @property
    def span(self) -> Span:
        """Its first and last date as ordinals."""
        return self.first.toordinal(), self.last.toordinal()


class MonthHead(msgspec.Struct, frozen=True):
    """The first line of a report: which month was closed when, by whom, and on what it rests.

    ``position`` is the last entry that counts and ``seal`` that entry's seal; ``book`` is the SHA-256 of the book,
    ``version`` the judge's, ``days_sha256`` that of the month's days as ``days`` prints them, without ``because``.
    """

    month: str
    closed_at: str
    by: str
    ledger: str
    position: int
    seal: str
    book: str
    version: str
    days: int
    days_sha256: str


class MonthRow(msgspec.Struct, frozen=True, gc=False):
    """So many days and cents: of one verdict (``verdict``), or in total: billable of a payer, of a status, of all."""

    row: Literal["verdict", "payer", "status", "all"]
    payer: str | None
    code: str | None
    status: str | None
    reason: str | None
    days: int
    cents: int


class MonthReport(NamedTuple):
    """A month's report."""

    head: MonthHead
    rows: tuple[MonthRow, ...]

    @classmethod
    def read(cls, text: str) -> MonthReport:
        """The report of its JSON Lines; ``msgspec.MsgspecError`` if they are none."""
        head, *rows = text.removesuffix("\n").split("\n")
        decoded = [msgspec.json.decode(row, type=MonthRow) for row in rows]
        return cls(msgspec.json.decode(head, type=MonthHead), tuple(decoded))

    @property
    def text(self) -> str:
        """The report as JSON Lines, the head first."""
        return b"".join(_encode(line) + b"\n" for line in (self.head, *self.rows)).decode()

    @property
    def hash(self) -> str:
        """SHA-256 over the report as JSON Lines: what the record of the closing pins."""
        return hashlib.sha256(self.text.encode()).hexdigest()


_Said = tuple[str | None, str | None, str, str | None]
"""Payer, code, status and reason of a day."""


class _Sum(msgspec.Struct):
    days: int = 0
    cents: int = 0

    def add(self, days: int, cents: int) -> None:
        self.days += days
        self.cents += cents


def report_of(ledger: EpisodeLedger, closed: MonthClosed, progress: Progress = silent) -> MonthReport:
    """The report of a month as closed; whether it is the one that was recorded then, its hash says."""
    pinned = EDITION_1_COLUMNS if is_of_edition_1(closed) else PINNED
    with closing(passing_views()) as views:
        _judge_month(ledger, views, closed, progress)
        days, verdicts = hashlib.sha256(), _Verdicts()
        for row in day_rows(views, Filters()):
            days.update(_encode({name: getattr(row, name) for name in pinned}) + b"\n")
            verdicts.add(row)
    head = MonthHead(
        month=closed.month,
        closed_at=utc_text(closed.closed_at),
        by=closed.by,
        ledger=ledger.id,
        position=closed.position,
        seal=ledger.seal_at(closed.position),
        book=hashlib.sha256(closed.book.encode()).hexdigest(),
        version=closed.code,
        days=verdicts.all.days,
        days_sha256=days.hexdigest(),
    )
    return MonthReport(head, tuple(verdicts.rows()))


def judged_otherwise(closed: MonthClosed) -> str | None:
    """What judges otherwise here than when a month was closed, in a sentence; None if nothing does."""
    here, words = code_version(), Month.read(closed.month).words
    differs = ", ".join(what_changed(closed.code, here))
    return f"{words} was closed by version {closed.code}; this is {here}: {differs}." if differs else None


def read_by_another(closed: MonthReport, read: MonthReport) -> str:
    """What is to be known where the days of a month cannot be judged again as they were closed."""
    was, now = closed.rows[-1], read.rows[-1]
    return (
        "The version that closed it is not here. By this one the entries of then make"
        f" {now.days:,} days and {dollars(now.cents)}, as closed {was.days:,} days and {dollars(was.cents)};"
        " the days above are held against those of this version."
    )


class _Verdicts:
    """Days and cents counted by verdict, payer and status."""

    def __init__(self) -> None:
        self.found: defaultdict[_Said, _Sum] = defaultdict(_Sum)
        self.payers: defaultdict[str, _Sum] = defaultdict(_Sum)
        self.statuses: defaultdict[str, _Sum] = defaultdict(_Sum)
        self.all = _Sum()

    def add(self, row: DayRow) -> None:
        """Count a day."""
        cents = row.rate_cents or 0
        for counted in (self.found[row.payer, row.code, row.status, row.reason], self.statuses[row.status], self.all):
            counted.add(1, cents)
        if row.payer is not None:
            self.payers[row.payer].add(row.status == "billable", cents)

    def rows(self) -> Iterator[MonthRow]:
        """The rows of the report, as text order goes; what is absent comes first."""
        for said in sorted(self.found, key=lambda said: [part or "" for part in said]):
            yield MonthRow("verdict", *said, *_numbers(self.found[said]))
        for payer in sorted(self.payers):
            yield MonthRow("payer", payer, None, "billable", None, *_numbers(self.payers[payer]))
        for status in sorted(self.statuses):
            yield MonthRow("status", None, None, status, None, *_numbers(self.statuses[status]))
        yield MonthRow("all", None, None, None, None, *_numbers(self.all))


def _numbers(counted: _Sum) -> tuple[int, int]:
    return counted.days, counted.cents


def _judge_month(ledger: EpisodeLedger, views: Views, closed: MonthClosed, progress: Progress) -> None:
    """Every patient judged once, in one pass over the ledger; only the month's days are kept, to be put in order."""
    book, month = book_of_closing(closed), Month.read(closed.month)
    cohorts = cohorts_in(ledger, closed.position)
    kept = kept_sheets(ledger.forgettings(closed.position))
    with views.writing():
        if kept:
            views.write(NOBODY, Sheets(runs_of(row for row in kept.days if month.has(row.date)), [], []))
        for done, streams in enumerate(complete(ledger, cohorts, closed.position), 1):
            found = rows_as_closed(closed, book, month.span, streams)
            for patient, rows in groupby(found, key=itemgetter(0)):
                views.write(patient, Sheets(runs_of(row for _, row in rows), [], []))
            progress(done, len(cohorts))
