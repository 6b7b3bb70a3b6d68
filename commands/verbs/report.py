"""``report``: what people look at each Monday."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import click

from commands.outside import utc_now
from commands.terminal.handing_out import Notes, giving
from commands.terminal.options import SERVICE_DATE, Setup, filters, known_at_option
from commands.terminal.output import Output, out_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, printable, room, say, show_rows, show_text
from commands.verbs.read import derived
from ledger.store import EpisodeLedger
from projections.report.asked import Asked
from projections.report.behind import SHOWN_RUNS, Collected
from projections.report.report import WeeklyReport, report_of
from projections.words import ANSWER_DAYS


@click.command()
@click.option(
    "--on", type=SERVICE_DATE, help="The date it is made for. Default: that of --known-at, else today's, UTC."
)
@click.option("--payer", help="Only this payer.")
@click.option("--from", "from_", type=SERVICE_DATE, help="Only service dates from this one on.")
@click.option("--to", type=SERVICE_DATE, help="Only service dates up to this one.")
@click.option(
    "--answer-days",
    type=click.IntRange(0, 3650),
    default=ANSWER_DAYS,
    show_default=True,
    help="After how many days a claim should have been answered.",
)
@known_at_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "html"]),
    help="How to print. Default: table on a terminal, json (JSON Lines) in a pipe, html with --out.",
)
@out_option("FILE.html", "Where to write the page. Default: standard output.", forceable=True)
@click.option(
    "--shown",
    type=click.IntRange(0, 1000),
    default=SHOWN_RUNS,
    show_default=True,
    help="How many stretches of days the page shows behind each number.",
)
@click.option("--all", "whole", is_flag=True, help="All that is expected and not there, not the oldest of each kind.")
@click.pass_obj
def report(
    setup: Setup,
    /,
    on: str | None,
    payer: str | None,
    from_: str | None,
    to: str | None,
    answer_days: int,
    known_at: datetime | None,
    form: str | None,
    out: Output | None,
    shown: int,
    whole: bool,
) -> None:
    """Show what people look at each Monday.

    Billable days and dollars by payer and month; holds and what to do; unbilled days by the time left to file
    them; what claims ask and is not due, and money to give back; predicted against paid, claims without an answer,
    denials with their cure, payments for no known claim; authorizations running out; conflicts and hard findings; what
    is expected and not there: open orders without service, visits and drugs on no bill, episodes without a word,
    supplies, plans and assessments that run out; of these the oldest of each kind, as json or csv and with --all every
    one. Below each row stands the command that lists what it counts. As html one page with charts and those rows,
    which needs nothing else. 'episode-ledger help report-numbers' defines every number. With --on the same ledger and
    book give the same report.

    \b
    Examples:
      episode-ledger report
      episode-ledger report --payer prairie-blue --from 2026-10-01 --to 2026-10-31
      episode-ledger report --out monday.html
      episode-ledger report --known-at 2026-11-02T00:00Z --format json
    """
    filters({"from_": from_, "to": to})
    if out is not None and form not in (None, "html"):
        raise click.UsageError("--out takes the page: --format html")
    form = "html" if out is not None else chosen_form(form)
    asked = Asked(on or _utc_date(known_at or utc_now()), payer, from_, to, known_at, answer_days)
    with setup.open() as ledger, giving(setup, ledger, "report", out.path if out else None) as notes:
        made = _made(setup, ledger, asked, Collected(shown) if form == "html" else None)
        _show(made, form, out, notes, whole)
    setup.rollbacks.end()


def _utc_date(at: datetime) -> str:
    return at.astimezone(UTC).date().isoformat()


def _made(setup: Setup, ledger: EpisodeLedger, asked: Asked, collected: Collected | None) -> WeeklyReport:
    with derived(setup, asked.known_at, claims="wrong") as views, progress("Judging claims", "patients") as tell:
        made = report_of(ledger, views, setup.book, asked, collected, tell)
    for aside in made.left_out:
        say(printable(f"Claims of patient {aside.patient} are not shown: {aside.because}."))
    return made


def _show(made: WeeklyReport, form: str, out: Output | None, notes: Notes, whole: bool) -> None:
    match form:
        case "html":
            from projections.report.html import render_report

            _give(render_report(made, whole=whole).encode(), out, notes)
        case "table":
            from projections.report.text import render_text

            show_text("\n".join(render_text(made, whole=whole, widest=room())))
        case "csv":
            from projections.report.flat import FlatRow, flat_rows

            show_rows(flat_rows(made), FlatRow, "csv")
        case _:
            show_rows(made.rows(), type(made.heading), "json")


def _give(page: bytes, out: Output | None, notes: Notes) -> None:
    if out is not None:
        notes.content(page)
        out.write(page)
    else:
        sys.stdout.buffer.write(page)
        sys.stdout.buffer.flush()
