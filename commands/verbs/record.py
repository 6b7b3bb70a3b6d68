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
from commands.writing.record import Outcome
from commands.writing.record import record as record_stream


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--keep-recorded-at", is_flag=True, help="Take each line's recorded_at: for bringing history over.")
@format_option
@click.pass_obj
def record(setup: Setup, /, file: BinaryIO, keep_recorded_at: bool, form: str | None) -> None:
    """Record the facts and acts of FILE (JSON Lines; '-' reads stdin) and print what became of each line.

    Each line is recorded, a duplicate, or refused with its reason; good lines land whatever the others are. Sending a
    file again is safe: what is there already answers 'duplicate'. Exits with 1 if a line was refused.

    \b
    Examples:
      episode-ledger record intake.jsonl
      pharmacy-export | episode-ledger record -
      episode-ledger record --keep-recorded-at history.jsonl
    """
    counts: Counter[str] = Counter()
    with setup.open(create=True) as ledger, progress("Recording", "lines") as tell:
        if ledger.made:
            say(printable(_made(setup)))
        outcomes = _counted(record_stream(ledger, file, keep_recorded_at=keep_recorded_at), counts, tell)
        if chosen_form(form) == "table":
            outcomes = (outcome for outcome in outcomes if outcome.outcome == "refused")
        show_rows_to_the_end(outcomes, Outcome, form, hidden=("position",), nothing="No line was refused.")
    say(", ".join(f"{counts[kind]:,} {kind}" for kind in ("recorded", "duplicate", "refused")))
    if counts["refused"]:
        sys.exit(1)


def _made(setup: Setup) -> str:
    how = f"encrypted under master key {setup.master.id}" if setup.master else "not encrypted"
    return f"Made a new ledger: {os.path.realpath(setup.ledger_name)}, {how}."


def _counted(outcomes: Iterable[Outcome], counts: Counter[str], tell: object) -> Iterator[Outcome]:
    assert callable(tell)
    for outcome in outcomes:
        counts[outcome.outcome] += 1
        tell(outcome.line, 0)
        yield outcome
