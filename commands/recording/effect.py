"""Recording with its effect said, or rehearsed alone: ``--dry-run``, ``--no-effect`` and ``--effect-to``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import click
import msgspec

from commands.book.example import ForeignPayers
from commands.recording.holding import clock_told, opened_to_record
from commands.terminal.handing_out import giving
from commands.terminal.options import Command, Setup, with_options
from commands.terminal.output import Output, OutputPath
from commands.terminal.progress import progress
from commands.terminal.show import printable, say
from commands.writing.rehearsal import Rehearsal
from ledger.book import Book, BookError
from ledger.facts.entry import UnreadableEntry
from ledger.store import EpisodeLedger, Forgotten, NoLedger, StoreError, in_postgres, open_ledger
from projections.effects.effect import State, changes_between
from projections.effects.rows import Change, dollars_of
from projections.effects.text import effect_lines
from projections.read_model.passing import passing_folder
from projections.reading.budget import TooCostly

MOST_PATIENTS: Final = 500
"""Of how many patients the effect is worked out without being asked for: a second or two."""
MOST_ENTRIES: Final = 50_000
"""After how many entries nobody counts the patients first."""

_encode: Final = msgspec.json.Encoder().encode


class Effect(NamedTuple):
    """How recording is to be done: rehearsed alone or for good, and what is to be said of its effect."""

    dry_run: bool = False
    shown: bool = True
    file: Output | None = None


def effect_options(command: Command) -> Command:
    """``--dry-run``, ``--no-effect`` and ``--effect-to``, to be gathered with ``effect_of``."""
    return with_options(
        command,
        click.option(
            "--dry-run", is_flag=True, help="Record nothing; show what would become of it, and what would change."
        ),
        click.option("--no-effect", is_flag=True, help="Do not work out what changes: for feeds."),
        click.option(
            "--effect-to",
            type=OutputPath(),
            metavar="FILE",
            help="Write the whole effect to FILE, for programs (JSON Lines).",
        ),
    )


def effect_of(dry_run: bool, no_effect: bool, effect_to: Path | None) -> Effect:
    """What the options say; UsageError if they contradict each other, or the file is there."""
    if no_effect and effect_to:
        raise click.UsageError("--no-effect and --effect-to contradict each other; give one of them")
    return Effect(dry_run, not no_effect, Output.of(effect_to) if effect_to else None)


def clock_option(command: Command) -> Command:
    """``--clock-is-right``: whatever the ledger's newest entry says of it."""
    return click.option(
        "--clock-is-right", is_flag=True, help="Record though the newest entry says another time by far."
    )(command)


@contextmanager
def recording(setup: Setup, effect: Effect, *, create: bool = False) -> Iterator[EpisodeLedger]:
    """The ledger to record into: the real one, or a rehearsal of it; afterwards the effect is said on stderr."""
    with clock_told():
        yield from _recording(setup, effect, create)


def _recording(setup: Setup, effect: Effect, create: bool) -> Iterator[EpisodeLedger]:
    if effect.dry_run:
        book = setup.book if effect.shown else None  # a mistake in it is told before anything is done
        with rehearsing(setup) as rehearsal:
            yield rehearsal
            if book is not None and rehearsal.position() > rehearsal.began:
                _show_effect(
                    setup, effect, State(rehearsal.real, rehearsal.began), State(rehearsal), rehearsal.touched()
                )
        return
    with opened_to_record(setup, create=create) as ledger:
        began = ledger.position()
        yield ledger
        if effect.shown:
            _tell_recorded(setup, effect, ledger, began)


@contextmanager
def rehearsing(setup: Setup) -> Iterator[Rehearsal]:
    """A rehearsal of the ledger that is named; of an empty one, if there is none yet."""
    with ExitStack() as stack:
        folder = stack.enter_context(passing_folder(setup.places, "rehearsal"))
        try:
            real = stack.enter_context(setup.open())
        except NoLedger:
            if in_postgres(setup.ledger_name):
                raise
            real = stack.enter_context(open_ledger(folder / "empty.db", create=True, master=setup.master))
        yield stack.enter_context(Rehearsal(real, folder))


def _tell_recorded(setup: Setup, effect: Effect, ledger: EpisodeLedger, began: int) -> None:
    """Say the effect of what stands in the ledger; whatever stops that, it was recorded."""
    upto = ledger.position()
    if upto == began:
        return
    if upto - began > MOST_ENTRIES and not effect.file:
        say(_too_many(f"{upto - began:,} entries"))
        return
    try:
        touched = ledger.patients_since(began, upto)
        _show_effect(setup, effect, State(ledger, began), State(ledger, upto), touched)
    except ForeignPayers as foreign:
        say(f"What changes is not shown: {foreign}; name your book with --book DIR.")
    except BookError:
        say("What changes is not shown: the book has mistakes, which 'days' lists.")
    except TooCostly as costly:
        say(f"What changes is not shown: {costly}; --patient-seconds and --patient-mb allow more.")
    except (UnreadableEntry, Forgotten, StoreError):
        say("What changes is not shown: not everything that has to do with it can be read; 'verify' says more.")


def _show_effect(setup: Setup, effect: Effect, before: State, after: State, touched: set[str]) -> None:
    if len(touched) > MOST_PATIENTS and not effect.file:
        say(_too_many(f"{len(touched):,} patients"))
        return
    verb = click.get_current_context().info_name or ""
    path = effect.file.path if effect.file else None
    with (
        giving(setup, before.ledger, verb, path) as notes,
        progress("Judging", "patients") as tell,
    ):
        changes = list(changes_between(before, after, touched, setup.book, tell))
        if effect.file:
            rows = b"".join(_encode(row) + b"\n" for row in (*changes, *dollars_of(changes)))
            notes.content(rows)
            effect.file.write(rows)
    say_changes(changes, setup.book)


def say_changes(changes: list[Change], book: Book) -> None:
    """Say on stderr what changes."""
    for line in effect_lines(changes, book):
        say(printable(line))


def _too_many(what: str) -> str:
    return (
        f"What changes is not shown for {what}: --effect-to FILE works it out for any number;"
        " 'diff EPISODE --between' shows an episode's days."
    )
