"""``close``: what of a month is still open, and its report fixed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import click
import msgspec

from commands.outside import utc_now
from commands.recording.effect import clock_option
from commands.recording.holding import clock_told, refuse_broken
from commands.terminal.options import Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, printable, say, show_rows, show_text
from commands.terminal.who import given_reason, is_named_in, named
from commands.verbs.read import live_views
from commands.writing.closing import (
    CannotClose,
    Closed,
    NotAsClosed,
    NotOver,
    close_month,
    closed_months,
    report_again,
)
from commands.writing.handle import refuse_doubtful_clock
from ledger.store import EpisodeLedger
from projections.audit.month import Month, MonthHead, MonthReport, MonthRow, judged_otherwise
from projections.operations.open_in_month import OpenInMonth, counted_open, open_in_month
from projections.read_model.trouble import SetAside
from projections.tables import table_as_ever
from projections.words import minute, utc_text


class MonthType(click.ParamType[Month]):
    """A calendar month."""

    name = "MONTH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Month:
        """The month."""
        try:
            return value if isinstance(value, Month) else Month.read(value)
        except ValueError:
            self.fail("expected a month written YYYY-MM, such as 2026-10")


MONTH = MonthType()


class ClosedMonth(msgspec.Struct, frozen=True, omit_defaults=True):
    """A closed month, as ``close --list`` shows it; ``report`` is the SHA-256 of its report as JSON Lines, ``anyway``
    why it was closed with something open."""

    month: str
    closed_at: str
    by: str
    position: int
    report: str
    anyway: str = ""


@click.command()
@click.argument("month", type=MONTH, required=False)
@click.option("--by", metavar="NAME", help="Who closes it. Default: the name you are logged in by.")
@click.option("--list", "listed", is_flag=True, help="The closed months.")
@click.option(
    "--check", is_flag=True, help="Close nothing; list what is open in the month, exit with 1 if anything is."
)
@click.option("--anyway", metavar="REASON", help="Close it with what is open; the reason stays in the ledger.")
@clock_option
@format_option
@click.pass_obj
def close(
    setup: Setup,
    /,
    month: Month | None,
    by: str | None,
    listed: bool,
    check: bool,
    anyway: str | None,
    clock_is_right: bool,
    form: str | None,
) -> None:
    """Fix a month's report: days and dollars by payer, code and verdict, and a fingerprint of every day.

    A month in which something is open (days in conflict or on hold, hard findings, billable days on no claim) is closed
    only with --anyway and the reason; --check lists what is open.

    The first time the closing is recorded in the ledger, for good. Asked again at any later time it prints the same
    bytes, whatever was recorded since and however the book was edited; what arrived later is told by 'restatements'.
    Only a month that is over can be closed. As JSON Lines the report has the SHA-256 that the ledger keeps.

    \b
    Examples:
      episode-ledger close 2026-10 --check
      episode-ledger close 2026-10
      episode-ledger close 2026-10 --anyway "the assessments of two patients come in November"
      episode-ledger close 2026-10 --format csv
      episode-ledger close --list
    """
    if listed == (month is not None):
        raise click.UsageError("give a MONTH such as 2026-10, or --list")
    if check and (listed or anyway is not None):
        raise click.UsageError("--check goes with a MONTH alone: it closes nothing")
    with setup.open() as ledger:
        if month is None:
            _list(ledger, form)
        elif check:
            _check(setup, ledger, month, form)
        else:
            _show_closed(_close(setup, ledger, month, by, _fit(setup, ledger, anyway), clock_is_right), form)
    setup.rollbacks.end()


def _show_closed(closed: Closed, form: str | None) -> None:
    _show(closed.report, form)
    say(printable(_summary(closed)))
    if since := judged_otherwise(closed.record):
        say(printable(since))


def _check(setup: Setup, ledger: EpisodeLedger, month: Month, form: str | None) -> None:
    found = _open(setup, ledger, month)
    nothing = f"Nothing is open in {month.words}."
    show_rows(
        found, OpenInMonth, form, hidden=("reason", "findings"), nothing=nothing, payers=setup.payer_names, below="says"
    )
    if found:
        say(f"{month.words} has {counted_open(found)}.")
        sys.exit(1)


def _open(setup: Setup, ledger: EpisodeLedger, month: Month) -> list[OpenInMonth]:
    with closing(setup.views()) as views, live_views(setup, ledger, views):
        return open_in_month(ledger, views, month)


def _fit(setup: Setup, ledger: EpisodeLedger, anyway: str | None) -> str | None:
    """The reason, if it may stay in the ledger for good."""
    if anyway is None:
        return None
    given_reason("--anyway", anyway)
    if setup.master and any(is_named_in(anyway, name) for name in ledger.patients_since(0, ledger.position())):
        raise click.UsageError("--anyway stays in the ledger: do not name a patient in it")
    return anyway


def _list(ledger: EpisodeLedger, form: str | None) -> None:
    rows = [
        ClosedMonth(record.month, utc_text(record.closed_at), record.by, record.position, record.report, record.anyway)
        for record in closed_months(ledger).values()
    ]
    show_rows(rows, ClosedMonth, form, nothing="No month is closed.")


def _close(
    setup: Setup,
    ledger: EpisodeLedger,
    month: Month,
    by: str | None,
    anyway: str | None,
    clock_is_right: bool,
) -> Closed:
    record = closed_months(ledger).get(month.text)
    if record is None:
        setup.rollbacks.end()  # nothing is fixed on a ledger that is not what it was
        refuse_broken(setup, "no month was closed")
        if not clock_is_right:
            with clock_told():
                refuse_doubtful_clock(ledger, utc_now())
    with progress("Judging", "patients") as tell, month_refusals():
        if record is not None:  # whoever asks, and whatever their book says now
            return Closed(record, report_again(ledger, record, tell), new=False)
        return close_month(
            ledger, setup.book, month, named(by, "closes the month"), utc_now(), patients_set_aside(setup), tell,
            lambda: counted_open(_open(setup, ledger, month)), anyway,
        )  # fmt: skip


def patients_set_aside(setup: Setup) -> dict[str, SetAside]:
    """The patients that the read model leaves out, by name."""
    if not setup.places.current():
        return {}
    with closing(setup.views()) as views:
        return views.set_aside()


@contextmanager
def month_refusals() -> Iterator[None]:
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
            click.echo(table_as_ever(report.rows, MonthRow))
            show_text(
                f"\nledger  {head.ledger}  seal {head.seal or 'none'}\nbook    {head.book}\ndays    {head.days_sha256}"
            )


def _summary(closed: Closed) -> str:
    record, words = closed.record, Month.read(closed.record.month).words
    how = "is closed" if closed.new else f"was closed {minute(utc_text(record.closed_at))} by {record.by},"
    with_open = f", with something open: {record.anyway}" if record.anyway else ""
    return (
        f"{words} {how} as of position {record.position:,}, report {record.report}{with_open};"
        f" 'episode-ledger restatements {record.month}' tells what arrived later."
    )
