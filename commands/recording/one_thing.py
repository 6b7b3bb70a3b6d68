"""One thing said at a desk: rehearsed, its effect shown, asked for, recorded, and its effect said again."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import click
import msgspec

from commands.door.intake import Line, parse_line
from commands.door.spoken import NotUnderstood, in_words, lines_said
from commands.outside import random_nonces, utc_now
from commands.recording.doubted import book_of, idle_decisions
from commands.recording.effect import Effect, clock_option, recording
from commands.references.doubts import Doubt, doubts
from commands.references.watching import Decided
from commands.terminal.options import INSTANT, Command, Setup, format_option, with_options
from commands.terminal.show import chosen_form, printable, say, show_rows_to_the_end
from commands.terminal.who import named
from commands.writing.record import record
from ledger.facts.events import ConflictResolved
from ledger.facts.forms import canonical_instant
from ledger.store import EpisodeLedger
from projections.reading.around import entries_around
from projections.reading.as_known import AsKnown

DESK: Final = "desk"
"""The source of what is said at a desk, unless another is named."""

Fact = Mapping[str, Any]


class Said(msgspec.Struct, frozen=True):
    """What became of one thing that was said; by ``source`` and ``id`` it can be corrected or retracted."""

    episode: str
    source: str
    id: str
    outcome: str
    position: int | None
    code: str | None
    message: str | None


class Saying(NamedTuple):
    """How something is said: under which identity, by whom, and whether it is asked first."""

    source: str
    id: str | None
    by: str | None
    at: datetime | None
    yes: bool
    dry_run: bool
    no_effect: bool
    clock_is_right: bool
    form: str | None


ASKING_FIRST: Final = (
    click.option("--yes", is_flag=True, help="Do it; without it, you see what would change, and are asked."),
    click.option("--dry-run", is_flag=True, help="Record nothing; show what would change."),
    click.option("--no-effect", is_flag=True, help="Do not work out what changes."),
)
"""The options of what is done only once somebody saw what would change."""


def saying_options(command: Command) -> Command:
    """The options of every verb that says one thing, to be gathered into one ``Saying``."""
    command = with_options(
        command,
        click.option("--source", default=DESK, show_default=True, metavar="NAME", help="Which system says it."),
        click.option("--id", metavar="ID", help="Its id within that source. Default: one is made."),
        click.option("--by", metavar="NAME", help="Who says it. Default: the name you are logged in by."),
        click.option("--at", type=INSTANT, help="When it was entered, for bringing history over. Default: now."),
        *ASKING_FIRST,
    )
    return format_option(clock_option(command))


def say_things(setup: Setup, saying: Saying, episode: str, facts: Sequence[Fact], *, create: bool = False) -> None:
    """Record facts of an episode as they are said: nothing, if one is no fact or it is not wanted.

    UsageError for what is no fact; ends with 1 if the ledger refuses one.
    """
    told = _lines(saying, episode, facts)
    try:
        lines = lines_said(told)
    except NotUnderstood as error:
        raise click.UsageError(f"nothing was recorded: {error}") from None
    effect = Effect(saying.dry_run or not saying.yes, shown=not saying.no_effect)
    if effect.dry_run:
        with recording(setup, effect) as rehearsal:
            _tell_doubts(setup, rehearsal, lines)
            rows = _recorded(rehearsal, told, lines, saying.clock_is_right)
            _tell_idle(setup, rehearsal, lines)
        if saying.dry_run or any(row.outcome != "recorded" for row in rows):
            _end(rows, saying.form, rehearsed=True)
        ask(saying.yes)
    with recording(setup, effect._replace(dry_run=False), create=create) as ledger:
        if saying.yes:
            _tell_doubts(setup, ledger, lines)
        rows = _recorded(ledger, told, lines, saying.clock_is_right)
        if saying.yes:
            _tell_idle(setup, ledger, lines)
        _show(rows, saying.form)
    _end(rows)


def ask(yes: bool) -> None:
    """Ask whether it is to be done; UsageError where nobody can be asked, Abort where it is not."""
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nothing was done; give --yes where nobody can be asked")
        click.confirm("Do it?", abort=True, err=True)


def _lines(saying: Saying, episode: str, facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """The facts as lines of intake; an id that is made is another one each time."""
    made = f"{utc_now():%Y%m%dT%H%M%SZ}-{random_nonces(1)[0][:8]}"
    first, who = saying.id if saying.id is not None else made, named(saying.by, "says it")
    at = {} if saying.at is None else {"recorded_at": canonical_instant(saying.at)}
    return [
        {"episode": episode, "source": saying.source, "id": f"{first}-{number}" if number > 1 else first, "by": who,
         "fact": fact} | at
        for number, fact in enumerate(facts, 1)
    ]  # fmt: skip


def _tell_doubts(setup: Setup, ledger: EpisodeLedger, lines: Sequence[bytes]) -> None:
    """Say of each fact what it refers to that nobody knows; a book with a mistake stops nothing here."""
    book = book_of(setup)
    for line in (parse_line(1, raw) for raw in lines):
        if book and isinstance(line, Line) and line.episode not in ledger.forgotten():
            for doubt in doubts(line.fact, line.episode, entries_around(ledger, [line.episode]), book):
                say(printable(f"Note: {doubt}"))


def _tell_idle(setup: Setup, ledger: EpisodeLedger, lines: Sequence[bytes]) -> None:
    """Say of a decision, once it is recorded, that it changes nothing."""
    book = book_of(setup)
    for line in (parse_line(1, raw) for raw in lines):
        if book and isinstance(line, Line) and isinstance(line.fact, ConflictResolved):
            decided = Decided((None, 1), line.fact.date, line.fact.bill)
            if idle_decisions(AsKnown(ledger, book), line.episode, [decided]):
                say(printable(f"Note: {Doubt('idle', 'bill', '')}"))


def _recorded(
    ledger: EpisodeLedger, told: Sequence[Mapping[str, Any]], lines: Sequence[bytes], clock_is_right: bool
) -> list[Said]:
    kept = any("recorded_at" in each for each in told)
    stream = io.BytesIO(b"\n".join(lines))
    outcomes = record(ledger, stream, keep_recorded_at=kept, clock_is_right=clock_is_right)
    return [
        Said(
            each["episode"], each["source"], each["id"], outcome.outcome, outcome.position, outcome.code,
            in_words(outcome.message) if outcome.message else None,
        )
        for each, outcome in zip(told, outcomes, strict=True)
    ]  # fmt: skip


def _show(rows: Sequence[Said], form: str | None, *, rehearsed: bool = False) -> None:
    if chosen_form(form) != "table":
        show_rows_to_the_end(iter(rows), Said, form)
        return
    for row in rows:
        if row.outcome == "recorded":
            told = "Nothing was recorded: this was a dry run." if rehearsed else f"Recorded as {row.source}:{row.id}."
        elif row.outcome == "duplicate":
            told = "Nothing was recorded: the ledger has this already."
        else:
            told = f"Nothing was recorded ({row.code}): {row.message}"
        click.echo(printable(told))


def _end(rows: Sequence[Said], form: str | None = None, *, rehearsed: bool = False) -> None:
    """End with what became of it, shown first if it was rehearsed alone."""
    if rehearsed:
        _show(rows, form, rehearsed=True)
    sys.exit(1 if any(row.outcome == "refused" for row in rows) else 0)
