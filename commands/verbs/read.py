"""The read commands over rows: ``days`` and ``findings``; and how any of them gets its read model."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from typing import Any, Literal

import click

from commands.outside import utc_now
from commands.terminal.options import (
    Setup,
    calendar_format_option,
    filter_options,
    filters,
    format_option,
    known_at_option,
    verdict_options,
)
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, printable, room, say, show_rows, show_rows_to_the_end
from ledger.facts.liveness import known
from ledger.facts.merges import Merges
from ledger.store import EpisodeLedger
from projections.audit.kept_claimed import keep_claimed
from projections.operations.finding_stretches import FindingStretch, finding_stretches
from projections.page.calendar import LEGEND, calendars
from projections.read_model import queries
from projections.read_model.catch_up import catch_up, fill_as_known, stale_because
from projections.read_model.queries import Filters
from projections.read_model.views import Views, passing_views
from projections.reading.as_known import patients_asked_for
from projections.rows.day import DayRow
from projections.rows.finding import MESSAGES, FindingRow
from projections.words import counted
from projections.work.kept import keep_work

Claims = Literal["none", "wrong", "every"]
"""Which claimed days are asked for."""


@contextmanager
def derived(
    setup: Setup, known_at: datetime | None = None, wanted: Filters | None = None, claims: Claims = "none",
    *, work: bool = False,
) -> Iterator[Views]:  # fmt: skip
    """A read model to ask: the ledger's own, caught up; or, for an instant, one that is judged for this answer.

    Its own keeps ``claims``, too: those days that differ, or every claimed day; and open ``work``.
    """
    with setup.open() as ledger:
        if known_at is not None:
            with closing(passing_views()) as views:
                _fill(setup, ledger, views, known_at, wanted or Filters())
                tell_set_aside(views)
                yield views
        else:
            with closing(setup.views()) as views, live_views(setup, ledger, views, claims, work=work):
                tell_set_aside(views)
                yield views


def is_built(setup: Setup, ledger: EpisodeLedger) -> bool:
    """Whether there is a read model that needs nothing but catching up."""
    if not setup.places.current():
        return False
    with closing(setup.views()) as views:
        return "ledger" in views.noted() and not stale_because(views, ledger, setup.book)


def surviving(setup: Setup, wanted: Filters, known_at: datetime | None = None) -> Filters:
    """What was asked for, where the patient's name is one that was merged into another: under the name that stands."""
    if wanted.patient is None:
        return wanted
    with setup.open() as ledger:
        name = Merges(known(ledger.merge_entries(), known_at)).survivor(wanted.patient)
    if name != wanted.patient:
        say(printable(f"Patient {wanted.patient} was merged into {name}; these are the rows of {name}."))
    return wanted._replace(patient=name)


def tell_set_aside(views: Views) -> None:
    """Say who is left out of the report, and why."""
    for aside in views.set_aside().values():
        say(printable(f"Patient {aside.patient} is set aside and not shown: {aside.because}."))


def _fill(setup: Setup, ledger: EpisodeLedger, views: Views, known_at: datetime, wanted: Filters) -> None:
    patients = patients_asked_for(ledger, wanted.patient, wanted.episode)
    if setup.places.current():
        with closing(setup.views()) as live, views.writing():
            views.put_aside(live.set_aside().values())
    if later := sum(act.forgotten_at > known_at for _, act in ledger.forgettings()):
        say(f"Without {later} patients who were forgotten since: what was known of them then cannot be told.")
    with progress("Judging", "patients") as tell:
        fill_as_known(ledger, views, setup.book, known_at, patients, tell)


@contextmanager
def live_views(
    setup: Setup, ledger: EpisodeLedger, views: Views, claims: Claims = "none", *, work: bool = False
) -> Iterator[None]:
    """The ledger's own read model, caught up, and held still while it is read."""
    while True:
        reason = stale_because(views, ledger, setup.book)
        if reason:
            say(f"The read model is built anew: {reason}.")
        with progress("Catching up", "patients") as tell:
            catch_up(ledger, views, setup.book, tell)
        if claims != "none":
            with progress("Judging claims", "patients") as tell:
                keep_claimed(ledger, views, setup.book, every=claims == "every", progress=tell)
        if work:
            with progress("Working out the list", "patients") as tell:
                keep_work(ledger, views, setup.book, utc_now(), tell)
        with views.reading():
            if not stale_because(views, ledger, setup.book):  # else another process has just built it from its book
                yield
                return


@click.command()
@calendar_format_option
@filter_options
@verdict_options
@known_at_option
@click.pass_obj
def days(setup: Setup, /, form: str | None, known_at: datetime | None, **options: Any) -> None:
    """Show each service date of each episode with its verdict.

    \b
    Examples:
      episode-ledger days
      episode-ledger days --episode EP-1 --from 2026-11-01 --to 2026-11-30
      episode-ledger days --payer prairie-blue --known-at 2026-11-02T16:00Z --format csv
      episode-ledger days --patient P-1 --format calendar
      episode-ledger days --status hold --reason plan_missing
    """
    wanted = surviving(setup, filters(options), known_at)
    with derived(setup, known_at, wanted) as views:
        rows = queries.day_rows(views, wanted)
        if chosen_form(form) == "calendar":
            _show_calendars(rows)
        else:
            show_rows(
                rows, DayRow, form, hidden=(*NOT_FOR_PEOPLE, "because"), nothing="No days.", payers=setup.payer_names
            )


NOT_FOR_PEOPLE = ("terms_published", "terms_from", "provider", "place_of_service", "member", "modifiers")
"""What a person's terminal has no room for; JSON and CSV have it."""


def _show_calendars(rows: Iterator[DayRow]) -> None:
    shown = False
    for block in calendars(rows, room()):
        for line in block.split("\n"):
            click.echo(printable(line))
        click.echo()
        shown = True
    click.echo(LEGEND if shown else "No days.")


@click.command()
@click.option("--check", is_flag=True, help="Exit with 1 if any finding shown is hard.")
@click.option("--rule", type=click.Choice(list(MESSAGES)), metavar="RULE", help="Only findings of this rule.")
@format_option
@filter_options
@known_at_option
@click.pass_obj
def findings(setup: Setup, /, check: bool, form: str | None, known_at: datetime | None, **options: Any) -> None:
    """Show contradictions and mistakes that are worth a human's time.

    A hard finding should stop a claim; a soft one warns. A table has a row for each stretch of days that say the same,
    with its claim, payer, dollars and the date by which to act, the worst first; JSON and CSV a row for each finding.

    \b
    Examples:
      episode-ledger findings
      episode-ledger findings --rule claimed_twice
      episode-ledger findings --check --payer prairie-blue && echo "nothing stops the claims"
    """
    wanted = filters(options)
    levels: Counter[str] = Counter()
    with derived(setup, known_at, wanted) as views:
        rows = _noting_levels(queries.finding_rows(views, wanted), levels)
        if chosen_form(form) == "table":
            _show_stretches(setup, views, rows, known_at)
            if levels:
                say(f"{counted(levels.total(), 'finding')}: {levels['hard']:,} hard, {levels['soft']:,} soft.")
        else:
            show = show_rows_to_the_end if check else show_rows
            show(rows, FindingRow, form)
    if check and levels["hard"]:
        sys.exit(1)


def _noting_levels(rows: Iterator[FindingRow], levels: Counter[str]) -> Iterator[FindingRow]:
    for row in rows:
        levels[row.level] += 1
        yield row


def _show_stretches(setup: Setup, views: Views, rows: Iterator[FindingRow], known_at: datetime | None) -> None:
    with setup.open() as ledger:
        found = finding_stretches(ledger, views, setup.book, rows, known_at)
    show_rows_to_the_end(
        iter(found),
        FindingStretch,
        "table",
        hidden=("rule",),
        nothing="No findings.",
        payers=setup.payer_names,
        below="message",
    )
