"""``close`` and ``restatements``: a month's report fixed, and what arrived for it later."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any

import click
import msgspec

from commands.outside import utc_now
from commands.terminal.holding import refuse_broken
from commands.terminal.months import MONTH
from commands.terminal.options import Setup, filter_options, filters, format_option, known_at_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, printable, say, show_rows, show_rows_to_the_end, show_text
from commands.terminal.who import named
from commands.verbs.read import tell_set_aside
from commands.writing.closing import (
    CannotClose,
    Closed,
    NotAsClosed,
    NotOver,
    close_month,
    closed_months,
    read_otherwise,
    report_again,
)
from ledger.facts.administration import MonthClosed
from ledger.store import EpisodeLedger
from projections.audit.month import Month, MonthHead, MonthReport, MonthRow, judged_otherwise, read_by_another
from projections.audit.restated import Restated, Restatements
from projections.read_model.queries import Filters
from projections.read_model.trouble import SetAside
from projections.read_model.version import code_version
from projections.read_model.views import passing_views
from projections.words import counted, minute, more_or_less, utc_text


class ClosedMonth(msgspec.Struct, frozen=True):
    """A closed month, as ``close --list`` shows it; ``report`` is the SHA-256 of its report as JSON Lines."""

    month: str
    closed_at: str
    by: str
    position: int
    report: str


@click.command()
@click.argument("month", type=MONTH, required=False)
@click.option("--by", metavar="NAME", help="Who closes it. Default: the name you are logged in by.")
@click.option("--list", "listed", is_flag=True, help="The closed months.")
@format_option
@click.pass_obj
def close(setup: Setup, /, month: Month | None, by: str | None, listed: bool, form: str | None) -> None:
    """Fix a month's report: days and dollars by payer, code and verdict, and a fingerprint of every day.

    The first time the closing is recorded in the ledger, for good. Asked again at any later time it prints the same
    bytes, whatever was recorded since and however the book was edited; what arrived later is told by 'restatements'.
    Only a month that is over can be closed. As JSON Lines the report has the SHA-256 that the ledger keeps.

    \b
    Examples:
      episode-ledger close 2026-10
      episode-ledger close 2026-10 --format csv
      episode-ledger close --list
    """
    if listed == (month is not None):
        raise click.UsageError("give a MONTH such as 2026-10, or --list")
    with setup.open() as ledger:
        if month is None:
            _list(ledger, form)
        else:
            _tell(_close(setup, ledger, month, by), form)
    setup.rollbacks.end()


def _tell(closed: Closed, form: str | None) -> None:
    _show(closed.report, form)
    say(printable(_summary(closed)))
    if since := judged_otherwise(closed.record):
        say(printable(since))


def _list(ledger: EpisodeLedger, form: str | None) -> None:
    rows = [
        ClosedMonth(record.month, utc_text(record.closed_at), record.by, record.position, record.report)
        for record in closed_months(ledger).values()
    ]
    show_rows(rows, ClosedMonth, form, (), "No month is closed.")


def _close(setup: Setup, ledger: EpisodeLedger, month: Month, by: str | None) -> Closed:
    record = closed_months(ledger).get(month.text)
    if record is None:
        setup.rollbacks.end()  # what it said then; nothing is fixed on a ledger that is not what it was
        refuse_broken(setup, "no month was closed")
    with progress("Judging", "patients") as tell, _refusals():
        if record is not None:  # whoever asks, and whatever their book says now
            return Closed(record, report_again(ledger, record, tell), new=False)
        return close_month(ledger, setup.book, month, named(by, "closes the month"), utc_now(), _set_aside(setup), tell)


def _set_aside(setup: Setup) -> dict[str, SetAside]:
    if not setup.places.current():
        return {}
    with closing(setup.views()) as views:
        return views.set_aside()


@contextmanager
def _refusals() -> Iterator[None]:
    """What cannot be done as things are ends with 1, in one line and a hint."""
    try:
        yield
    except NotOver as refused:
        raise click.UsageError(str(refused)) from refused
    except (CannotClose, NotAsClosed) as refused:
        message, hint = refused.args
        say(printable(f"episode-ledger: {message}"))
        say(f"hint: {hint}")
        sys.exit(1)


def _show(report: MonthReport, form: str | None) -> None:
    match chosen_form(form):
        case "json":
            show_rows([report.head, *report.rows], MonthHead, form)
        case "csv":
            show_rows(report.rows, MonthRow, form)
        case _:
            head, words = report.head, Month.read(report.head.month).words
            show_text(f"{words}, closed {minute(head.closed_at)} by {head.by} as of position {head.position:,}\n")
            show_rows(report.rows, MonthRow, form)
            show_text(
                f"\nledger  {head.ledger}  seal {head.seal or 'none'}\nbook    {head.book}\ndays    {head.days_sha256}"
            )


def _summary(closed: Closed) -> str:
    record, words = closed.record, Month.read(closed.record.month).words
    how = "is closed" if closed.new else f"was closed {minute(utc_text(record.closed_at))} by {record.by},"
    return (
        f"{words} {how} as of position {record.position:,}, report {record.report};"
        f" 'episode-ledger restatements {record.month}' tells what arrived later."
    )


@click.command()
@click.argument("month", type=MONTH)
@click.option("--check", is_flag=True, help="Exit with 1 if any day shown differs from what was closed.")
@format_option
@filter_options
@known_at_option
@click.pass_obj
def restatements(
    setup: Setup, /, month: Month, check: bool, form: str | None, known_at: datetime | None, **options: Any
) -> None:
    """Show the days of a closed month that are something else now, and what changed them.

    Each day with its verdict, payer and cents as closed and as they are now, and the entries that arrived later and
    changed it: who recorded them, when, at which position; or the terms that became known, or the edited book.

    \b
    Examples:
      episode-ledger close 2026-10             the month is over
      episode-ledger restatements 2026-10      and this came later
      episode-ledger restatements 2026-10 --payer prairie-blue --format csv
      episode-ledger restatements 2026-10 --check && echo "October stands as closed"
    """
    wanted = filters(options)
    with setup.open() as ledger:
        record = closed_months(ledger).get(month.text)
        if record is None:
            raise click.UsageError(f"{month.words} is not closed; 'episode-ledger close {month.text}' closes it")
        if known_at is not None and known_at < record.closed_at:
            raise click.UsageError(f"--known-at: by then {month.words} was not closed")
        found = _found(setup, ledger, record, wanted, known_at, form)
        forgotten = bool(ledger.forgettings(after=record.position))
    say(_difference(month, found))
    if forgotten:
        say("A patient was forgotten since: whether days of theirs had become something else cannot be told any more.")
    if check and (found.found or found.otherwise):
        sys.exit(1)


_HIDDEN = (
    *("payer_before", "payer_after", "code_before", "code_after", "authorization_before", "authorization_after"),
    *("cents_before", "cents_after", "cause", "recorded_at"),
)
"""What a person's terminal has no room for."""


def _found(
    setup: Setup,
    ledger: EpisodeLedger,
    record: MonthClosed,
    wanted: Filters,
    known_at: datetime | None,
    form: str | None,
) -> Restatements:
    with progress("Judging", "patients") as tell, _refusals():
        otherwise = read_otherwise(ledger, record, tell) if record.code != code_version() else None
        found = Restatements(ledger, record, setup.book, known_at)
        found.otherwise = otherwise is not None
        rows = found.rows(wanted, tell)
        show_rows_to_the_end(rows, Restated, form, hidden=_HIDDEN, nothing="No day differs from what was closed.")
    _tell_left_out(setup, ledger, found)
    if since := judged_otherwise(record):
        say(printable(since))
    if otherwise:
        say(printable(read_by_another(*otherwise)))
    return found


def _tell_left_out(setup: Setup, ledger: EpisodeLedger, found: Restatements) -> None:
    """Say who is left out: who is set aside, and who shares episodes with them; anybody else stops the report."""
    aside = _set_aside(setup)
    with closing(passing_views()) as views:
        for cohort in found.left_out:
            mates = [aside[patient] for patient in cohort.patients if patient in aside]
            if not mates:
                deque((ledger.entries_of(episode, upto=found.upto) for episode in cohort.episodes), maxlen=0)
            with views.writing():
                views.put_aside(msgspec.structs.replace(mates[0], patient=patient) for patient in cohort.patients)
        tell_set_aside(views)


def _difference(month: Month, found: Restatements) -> str:
    basis = "what this version makes of the entries of then" if found.otherwise else "what was closed"
    if not found.found:
        return f"No day of {month.words} differs from {basis}."
    days, differ = counted(found.found, "day"), "differs" if found.found == 1 else "differ"
    return f"{days} of {month.words} {differ} from {basis}: {more_or_less(found.delta_cents)}."
