"""``what-if``: all history judged under another book, and the difference in days, lines and dollars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from msgspec import structs

from commands.terminal.engine import engine_options, processes_for
from commands.terminal.options import Setup, filter_options, filters, format_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, say, show_rows
from commands.verbs.read import tell_set_aside
from ledger.book import Book, BookError, load_book
from projections.rebuild.differences import Comparison, DayDifference, LineDifference, Total
from projections.rebuild.what_if import both_judged, with_changes
from projections.words import counted, more_or_less


@click.command()
@click.option("--book-b", metavar="DIR", help="The other book: a folder with payers/ and providers/.")
@click.option(
    "--set",
    "changes",
    multiple=True,
    metavar="PAYER.KEY=VALUE",
    help="Or this book with one term changed: in every edition of the payer's terms, or with PAYER@FROM only in those"
    " of that from. Can be given several times.",
)
@click.option(
    "--by",
    type=click.Choice(["payer", "episode", "day", "line"]),
    default="payer",
    show_default=True,
    help="What a row is: totals of a payer or an episode, or a day or claim line that differs.",
)
@engine_options
@format_option
@filter_options
@click.pass_obj
def what_if(
    setup: Setup,
    /,
    book_b: str | None,
    changes: tuple[str, ...],
    by: str,
    processes: int | None,
    memory: int,
    form: str | None,
    **options: Any,
) -> None:
    """Judge all history under another book, and show the difference in days, lines and dollars.

    Only what differs is shown. The other book is judged in a folder of its own, gone when the answer is given: the live
    read model stays as it is, and nothing is recorded.

    \b
    Examples:
      episode-ledger --book book-2026 what-if --book-b book-2027
      episode-ledger what-if --set prairie-blue.rate_cents.S9325=9500
      episode-ledger what-if --set prairie-blue@2026-07-01.auth_required=false --by episode
      episode-ledger what-if --set prairie-blue.pain_assessment_days=14 --by day --from 2026-07-01
    """
    wanted = filters(options)
    other = other_book(setup.book, book_b, changes)
    other_names = {payer.id: payer.name for payer in other.payers.values()}
    with setup.open() as ledger:
        processes = processes or processes_for(ledger.position())
    with (
        progress("Judging", "patients") as tell,
        both_judged(setup.ledger_name, setup.places, (setup.book, other), processes, memory, tell, setup.master) as (
            before,
            after,
        ),
    ):
        tell_set_aside(after)
        comparison = Comparison(before, after, wanted)
        _show(comparison, by, form, setup.payer_names | other_names)
        say(_summary(comparison))


def other_book(book: Book, folder: str | None, changes: tuple[str, ...]) -> Book:
    """The book that another is held against: a folder's, or the other with terms changed."""
    if bool(folder) == bool(changes):
        raise click.UsageError("give the other book either with --book-b DIR or with --set PAYER.KEY=VALUE")
    if folder:
        return load_book(Path(folder))
    return changed_book(book, changes)


def changed_book(book: Book, changes: tuple[str, ...]) -> Book:
    """The book with terms changed as ``--set`` tells it."""
    try:
        return with_changes(book, changes)
    except BookError as error:
        raise click.UsageError(f"--set {error}") from error


def _show(comparison: Comparison, by: str, form: str | None, payers: dict[str, str]) -> None:
    match by:
        case "day":
            show_rows(comparison.days(), DayDifference, form, nothing="No day differs.", payers=payers)
        case "line":
            details = ("terms_from", "modifiers", "charge_cents", "member", "provider", "place_of_service")
            nothing = "No claim line differs."
            show_rows(comparison.lines(), LineDifference, form, hidden=details, nothing=nothing, payers=payers)
        case "episode":
            show_rows(comparison.totals("episode"), Total, form, hidden=("by",), nothing="No episode's dollars differ.")
        case _:
            hidden, nothing = ("by", "patient"), "No payer's dollars differ."
            totals = comparison.totals("payer")
            if chosen_form(form) == "table":
                totals = (structs.replace(row, name=payers.get(row.name, row.name)) for row in totals)
            show_rows(totals, Total, form, hidden=hidden, nothing=nothing)


def _summary(comparison: Comparison) -> str:
    more, fewer, cents = comparison.more_days, comparison.fewer_days, comparison.delta_cents
    days = "the same days are billable"
    if more or fewer:
        days = f"{counted(more, 'more day is', 'more days are')} billable, {fewer:,} fewer"
    return f"Under the other book {days}; {more_or_less(cents)}."
