"""The questions about one episode or the whole ledger: ``why``, ``replay``, ``status``."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime

import click
import msgspec

from commands.terminal.options import SERVICE_DATE, Setup, format_option, known_at_option, no_episode
from commands.terminal.show import chosen_form, room, say, show_prose, show_rows
from commands.verbs.read import live_views, tell_set_aside
from ledger.recorders.warnings import warnings_of
from projections.audit.replay import ReplayRow, render_replay, replay_of
from projections.operations.openmetrics import exposition
from projections.operations.status import StatusRow, behind, status_row
from projections.why.text import render_why
from projections.why.why import StepShown, Why, why_of
from projections.words import REASONS, STATUS, counted


@click.command()
@click.argument("episode")
@click.argument("date", type=SERVICE_DATE)
@format_option
@known_at_option
@click.pass_obj
def why(setup: Setup, /, episode: str, date: str, form: str | None, known_at: datetime | None) -> None:
    """Say why a service date of an episode is what it is.

    One sentence first, then each step of the rulebook with what it rested on, then the payer's terms, then the smallest
    single change that would turn the verdict.

    \b
    Examples:
      episode-ledger why EP-1 2026-02-03
      episode-ledger why EP-1 2026-02-03 --known-at 2026-02-10T00:00Z
    """
    with setup.open() as ledger:
        ledger.refuse_forgotten(episode)
        answer = why_of(ledger, episode, _date(date), setup.book, known_at)
    if answer is None:
        raise no_episode(known_at)
    match chosen_form(form):
        case "table":
            show_prose(render_why(answer, room()))
        case "csv":
            show_rows(answer.steps, StepShown, form)
        case _:
            show_rows([answer], Why, form)


def _date(text: str) -> date:
    return date.fromisoformat(text)


@click.command()
@click.argument("episode")
@click.option("--from", "from_", type=SERVICE_DATE, help="Only changes of service dates from this one on.")
@click.option("--to", type=SERVICE_DATE, help="Only changes of service dates up to this one.")
@format_option
@known_at_option
@click.pass_obj
def replay(
    setup: Setup, /, episode: str, from_: str | None, to: str | None, form: str | None, known_at: datetime | None
) -> None:
    """Tell an episode's story: each entry in order, and which days got which verdict because of it.

    Entries of the patient's other episodes are told where they changed a day of this one.

    \b
    Examples:
      episode-ledger replay EP-1
      episode-ledger replay EP-1 --from 2026-02-01 --to 2026-02-28 --format json
    """
    with setup.open() as ledger:
        rows = list(replay_of(ledger, episode, setup.book, known_at))
    if not rows:
        raise no_episode(known_at)
    rows = [_within(row, from_ or "0000", to or "9999-12-31") for row in rows]
    if chosen_form(form) == "table":
        show_prose(render_replay(rows))
    else:
        show_rows(rows, ReplayRow, form)


def _within(row: ReplayRow, first: str, last: str) -> ReplayRow:
    changes = tuple(change for change in row.changes if first <= change.date <= last)
    return msgspec.structs.replace(row, changes=changes)


class Stated(msgspec.Struct, frozen=True):
    """One thing that ``status`` says, for tables and spreadsheets."""

    what: str
    value: str


@click.command()
@click.option("--technical", is_flag=True, help="In a table, too: positions, versions, fingerprints and settings.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "csv", "openmetrics"]),
    help="How to print. Default: table on a terminal, json (JSON Lines) in a pipe; openmetrics is for scrapers.",
)
@click.pass_obj
def status(setup: Setup, /, technical: bool, form: str | None) -> None:
    """Show how many days, verdicts and findings there are; with --technical positions, lag and the settings in force.

    JSON and CSV always hold all of it.

    \b
    Examples:
      episode-ledger status
      episode-ledger status --technical
      episode-ledger status --format json
      episode-ledger status --format openmetrics
    """
    names = (setup.shown_name, str(setup.book_folder or "the example book in the package"))
    with setup.open() as ledger, closing(setup.views()) as views:
        lag = behind(ledger, views)
        with live_views(setup, ledger, views):
            tell_set_aside(views)
            row = status_row(ledger, setup.places, views, setup.book, names, lag)
    for sentence in warnings_of(row.settings):
        say(f"{sentence}.")
    if form == "openmetrics":
        click.echo(exposition(row), nl=False)
    elif chosen_form(form) == "json":
        show_rows([row], StatusRow, form)
    else:
        in_short = chosen_form(form) == "table" and not technical
        show_rows(_in_short(row) if in_short else _stated(row), Stated, form)
    setup.rollbacks.end()


def _in_short(row: StatusRow) -> Iterable[Stated]:
    """What a person asks of a ledger; the rest is there for whoever looks after it."""
    yield Stated("ledger", row.ledger)
    yield Stated("book", row.book)
    yield Stated("recorded", counted(row.position, "entry", "entries"))
    yield Stated("days", f"{row.days:,}")
    for verdict, number in row.verdicts.items():
        status, _, reason = verdict.partition(" ")
        yield Stated(f"  {STATUS[status]}{f': {REASONS[reason]}' if reason else ''}", f"{number:,}")
    yield Stated("findings", f"{row.hard_findings:,} hard, {sum(row.findings.values()) - row.hard_findings:,} soft")
    for aside in row.set_aside:
        yield Stated("set aside", f"patient {aside.patient}: an entry of {aside.episode} cannot be read")
    for month in row.closed_otherwise:
        yield Stated("closed by another version", month)


def _parts(part: msgspec.Struct) -> Iterable[tuple[str, object]]:
    return msgspec.structs.asdict(part).items()


def _stated(row: StatusRow) -> Iterable[Stated]:
    for field in msgspec.structs.fields(StatusRow):
        value = getattr(row, field.name)
        name = field.encode_name.replace("_", " ")
        if isinstance(value, dict):
            for key, part in value.items():
                yield Stated(f"{name}: {key}", f"{part:,}" if isinstance(part, int) else part)
        elif isinstance(value, tuple):
            for part in value:
                yield Stated(name, ", ".join(f"{key.replace('_', ' ')} {told}" for key, told in _parts(part)))
        else:
            yield Stated(name, f"{value:,}" if isinstance(value, int) else value)
