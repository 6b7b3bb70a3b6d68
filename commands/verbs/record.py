"""``record``: entries in, outcomes out."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import click

from commands.terminal.options import Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, printable, say, show_rows_to_the_end
from commands.writing.handle import WrongClock
from commands.writing.record import Outcome
from commands.writing.record import record as record_stream
from ledger.files import locks_hold
from ledger.recorders.by_name.naming import folder_of
from ledger.recorders.by_name.tail import refuse_broken_tail


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--keep-recorded-at", is_flag=True, help="Take each line's recorded_at: for bringing history over.")
@click.option("--clock-is-right", is_flag=True, help="Record though the newest entry says another time by far.")
@format_option
@click.pass_obj
def record(
    setup: Setup, /, file: BinaryIO, keep_recorded_at: bool, clock_is_right: bool, form: str | None
) -> None:  # fmt: skip
    """Record the facts and acts of FILE (JSON Lines; '-' reads stdin) and print what became of each line.

    Each line is recorded, a duplicate, or refused with its reason; good lines land whatever the others are. Sending a
    file again is safe: what is there already answers 'duplicate'. Exits with 1 if a line was refused.

    The clock gives each line its time, for good. One that is more than an hour behind the ledger's newest entry, or
    more than a year ahead of it, records nothing: set the clock, or if it is right say so.

    \b
    Examples:
      episode-ledger record intake.jsonl
      pharmacy-export | episode-ledger record -
      episode-ledger record --keep-recorded-at history.jsonl
    """
    counts: Counter[str] = Counter()
    _refuse_folder_without_locks(setup)
    with setup.open(create=True) as ledger, progress("Recording", "lines") as tell:
        if ledger.made:
            say(printable(_made(setup)))
        else:
            refuse_broken_tail(setup.ledger_name)
        told = record_stream(ledger, file, keep_recorded_at=keep_recorded_at, clock_is_right=clock_is_right)
        outcomes = _counted(told, counts, tell)
        if chosen_form(form) == "table":
            outcomes = (outcome for outcome in outcomes if outcome.outcome == "refused")
        try:
            show_rows_to_the_end(outcomes, Outcome, form, hidden=("position",), nothing="No line was refused.")
        except WrongClock as doubt:
            raise click.UsageError(f"{doubt}; set it, or if it is right give --clock-is-right") from None
    say(", ".join(f"{counts[kind]:,} {kind}" for kind in ("recorded", "duplicate", "refused")))
    if counts["refused"]:
        sys.exit(1)


def _refuse_folder_without_locks(setup: Setup) -> None:
    """UsageError where a ledger is about to be made in which writers would lose each other's entries."""
    folder = folder_of(setup.ledger_name)
    if folder is None or os.path.lexists(setup.ledger_name) or not os.access(folder, os.W_OK):
        return
    if not locks_hold(folder):
        raise click.UsageError(
            f"in {folder} a lock that one program holds is given to another, too, so that writers would lose each"
            " other's entries: name a ledger on a disk of this machine"
        )


def _made(setup: Setup) -> str:
    how = f"encrypted under master key {setup.master.id}" if setup.master else "not encrypted"
    return f"Made a new ledger: {os.path.realpath(setup.ledger_name)}, {how}."


def _counted(outcomes: Iterable[Outcome], counts: Counter[str], tell: object) -> Iterator[Outcome]:
    assert callable(tell)
    for outcome in outcomes:
        counts[outcome.outcome] += 1
        tell(outcome.line, 0)
        yield outcome
