"""Closing a month: decided, reported, recorded; and the report of a closed one, held against its record.

The first record of a month counts. Should two processes record the same month at the same moment, the one recorded
first is the closing, for both of them and for ever; the other has no effect.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, datetime, time, timedelta
from typing import Final, NamedTuple

import msgspec

from commands.outside import random_nonces
from ledger.book import Book
from ledger.facts.administration import MonthClosed
from ledger.facts.entry import UnreadableEntry, statement_of
from ledger.facts.events import EpisodeOpened
from ledger.facts.zones import zone
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger, RecordConflictError, StoreError
from projections.audit.as_closed import is_of_edition_1, judged_alike, zones_to_keep
from projections.audit.month import Month, MonthReport, report_of
from projections.read_model.version import code_version
from projections.reading.cohorts import cohorts_in, complete
from projections.words import minute, utc_text

ATTEMPTS: Final = 20
_VERIFY: Final = "'episode-ledger verify' shows whether the ledger holds"
_FURTHEST: Final = timedelta(hours=15)
"""No clock in the world is further from that of UTC."""


class CannotClose(Exception):
    """The month cannot be closed as things are: why, and what to do."""


class NotOver(CannotClose):
    """The month is still running."""


class StillOpen(CannotClose):
    """Something in the month is not settled, and nobody said why to close it all the same."""


class NotAsClosed(Exception):
    """The report of a closed month does not come out as it was: why, and what to do."""


class Closed(NamedTuple):
    """A closed month with its report; ``new`` if it was closed just now."""

    record: MonthClosed
    report: MonthReport
    new: bool


def closed_months(ledger: EpisodeLedger) -> dict[str, MonthClosed]:
    """The closed months in the order they were closed; the first record of a month counts."""
    try:
        records = ledger.closings()
    except UnreadableEntry as error:
        where = f" at position {error.position}" if error.position else ""
        raise StoreError(
            f"the record of a closed month{where} cannot be read; restore the ledger from a backup"
        ) from error
    found: dict[str, MonthClosed] = {}
    for _, record in records:
        found.setdefault(record.month, record)
    return found


def close_month(
    ledger: EpisodeLedger,
    book: Book,
    month: Month,
    by: str,
    now: datetime,
    set_aside: Collection[str] = (),
    progress: Progress = silent,
    still_open: Callable[[], str] = lambda: "",
    anyway: str | None = None,
) -> Closed:
    """Close a month, or give the report of one that is closed.

    ``still_open`` says what of the month is not settled, ``anyway`` why it is closed all the same.

    NotOver if it still runs, CannotClose if patients are set aside, StillOpen if something is not settled and no reason
    is given, NotAsClosed if a closed one's report does not come out again.
    """
    record = closed_months(ledger).get(month.text)
    if record is not None:
        return Closed(record, report_again(ledger, record, progress), new=False)
    _check_over(ledger, month, now)
    if set_aside:
        names = ", ".join(sorted(set_aside))
        message = f"{month.words} cannot be closed without patients that are set aside: {names}"
        raise CannotClose(
            message,
            "a closed month is whole; mend the ledger from a backup, or allow more, and 'rebuild' takes them back",
        )
    unsettled = still_open()
    if unsettled and anyway is None:
        raise StillOpen(
            f"{month.words} has {unsettled}",
            f"'episode-ledger close {month.text} --check' lists them; --anyway REASON closes the month with them",
        )
    nonce, zones = random_nonces(1)[0], zones_to_keep(_zones(ledger))
    drawn = MonthClosed(
        month.text, now, by, ledger.position(), book.text, code_version(), "", nonce, zones=zones,
        anyway=(anyway or "") if unsettled else "",
    )  # fmt: skip
    report = report_of(ledger, drawn, progress)
    mine = msgspec.structs.replace(drawn, report=report.hash, printed=report.text)
    theirs = _record(ledger, mine)
    return Closed(mine, report, new=True) if theirs == mine else Closed(theirs, report_again(ledger, theirs), new=False)


def _check_over(ledger: EpisodeLedger, month: Month, now: datetime) -> None:
    """NotOver while the month's last date still runs where an episode's patient lives."""
    after = datetime.combine(month.last, time()) + timedelta(days=1)
    in_utc = after.replace(tzinfo=UTC)
    if now < in_utc - _FURTHEST:
        raise NotOver(f"{month.words} is not over: it can be closed from {after:%Y-%m-%d} on")
    if now < in_utc + _FURTHEST:
        over = max((after.replace(tzinfo=zone(name)) for name in _zones(ledger)), default=in_utc)
        if over > now:
            raise NotOver(f"{month.words} is not over: it can be closed from {minute(utc_text(over))} on")


def _zones(ledger: EpisodeLedger) -> set[str]:
    """The time zones that openings name."""
    head = ledger.position()
    return {
        fact.zone
        for streams in complete(ledger, cohorts_in(ledger, head), head)
        for entries in streams.values()
        for fact in map(statement_of, entries)
        if isinstance(fact, EpisodeOpened)
    }


def _record(ledger: EpisodeLedger, mine: MonthClosed) -> MonthClosed:
    """The record that counts: this one, unless another process was faster."""
    for _ in range(ATTEMPTS):
        theirs = closed_months(ledger).get(mine.month)
        if theirs is not None:
            return theirs
        try:
            ledger.record_closing(mine)
        except RecordConflictError:  # of this month or another: look again
            continue
        except StoreError:  # a commit may fail and yet have been done
            if closed_months(ledger).get(mine.month) != mine:
                raise
        return closed_months(ledger)[mine.month]
    raise StoreError("others kept closing months, and nothing was recorded; try again")


def report_again(ledger: EpisodeLedger, record: MonthClosed, progress: Progress = silent) -> MonthReport:
    """The report of a closed month, byte for byte as it was; NotAsClosed if it does not come out so.

    Where the version that closed it judges here, or edition 1 did, it is made again and held against the record: then
    only altered entries can make another one. Another version may judge otherwise; so what the closing kept is given.
    """
    kept = _kept_report(record)
    if kept and (not judged_alike(record) or ledger.forgettings(after=record.position)):
        return kept
    try:
        report = report_of(ledger, record, progress)
    except (msgspec.MsgspecError, ValueError) as error:
        raise _not_as_closed(ledger, record) from error
    if report.hash != record.report:
        raise _not_as_closed(ledger, record)
    return report


def read_otherwise(
    ledger: EpisodeLedger, record: MonthClosed, progress: Progress = silent
) -> tuple[MonthReport, MonthReport] | None:
    """The report as it was closed, and as this version makes it, if it is another judge that makes another one.

    NotAsClosed if the month does not come out as closed though it should.
    """
    closed = report_again(ledger, record, progress)
    if judged_alike(record):
        return None
    read = report_of(ledger, record, progress)
    return (closed, read) if (closed.head.days_sha256, closed.rows) != (read.head.days_sha256, read.rows) else None


def _kept_report(record: MonthClosed) -> MonthReport | None:
    """The report that a closing kept, None if it kept none; NotAsClosed if it is not the one it pins."""
    if not record.printed:
        return None
    words = Month.read(record.month).words
    altered = NotAsClosed(
        f"the record of the closing of {words} was altered: the report in it is not the one it pins",
        f"{_VERIFY}; restore the ledger from a backup",
    )
    try:
        report = MonthReport.read(record.printed)
    except msgspec.MsgspecError as error:
        raise altered from error
    if report.hash != record.report:
        raise altered
    return report


def _not_as_closed(ledger: EpisodeLedger, record: MonthClosed) -> NotAsClosed:
    words = Month.read(record.month).words
    if ledger.forgettings(after=record.position):
        message = f"a patient was forgotten since {words} was closed, so its report cannot be made again"
        return NotAsClosed(message, "the report given out then still proves itself by its hash, which the ledger keeps")
    if is_of_edition_1(record):
        message = (
            f"{words} was closed under edition 1 of the rulebook by version {record.code}, and its report does not come"
            " out the same here: that version, or the zone data of the machine it ran on, may have judged otherwise"
        )
        return NotAsClosed(message, f"run the version that closed it, on that machine; {_VERIFY}")
    message = f"the report of {words} does not come out as it was closed: the ledger was altered"
    return NotAsClosed(message, f"{_VERIFY}; restore the ledger from a backup")
