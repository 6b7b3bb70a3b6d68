"""``record``: entries in, outcomes out."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click

from commands.door.source import Source
from commands.terminal.effect import clock_option, effect_of, effect_options, recording
from commands.terminal.options import Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, hand_over, say, show_rows_to_the_end
from commands.writing.record import Outcome
from commands.writing.record import record as record_stream


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--keep-recorded-at", is_flag=True, help="Take each line's recorded_at: for bringing history over.")
@clock_option
@effect_options
@format_option
@click.pass_obj
def record(
    setup: Setup,
    /,
    file: BinaryIO,
    keep_recorded_at: bool,
    clock_is_right: bool,
    dry_run: bool,
    no_effect: bool,
    effect_to: Path | None,
    form: str | None,
) -> None:
    """Record the facts and acts of FILE (JSON Lines; '-' reads stdin) and print what became of each line.

    Each line is recorded, a duplicate, or refused with its reason; good lines land whatever the others are. Sending a
    file again is safe: what is there already answers 'duplicate'. Then the effect is said: days, dollars and findings
    that change, and claims to be replaced. Exits with 1 if a line was refused.

    The clock gives each line its time, for good. One that is more than an hour behind the ledger's newest entry, or
    more than a year ahead of it, records nothing: set the clock, or if it is right say so.

    \b
    Examples:
      episode-ledger record --dry-run intake.jsonl
      episode-ledger record intake.jsonl
      pharmacy-export | episode-ledger record --no-effect -
      episode-ledger record --keep-recorded-at history.jsonl
    """
    counts: Counter[str] = Counter()
    effect = effect_of(dry_run, no_effect, effect_to)
    with recording(setup, effect, create=True) as ledger:
        with progress("Recording", "lines") as tell:
            source = Source(file)
            recorded = record_stream(
                ledger, source, keep_recorded_at=keep_recorded_at, clock_is_right=clock_is_right, answered=hand_over
            )
            outcomes = _counted(recorded, counts, tell)
            if chosen_form(form) == "table":
                outcomes = (outcome for outcome in outcomes if _is_to_be_mended(outcome, source, counts["refused"]))
            show_rows_to_the_end(
                outcomes, Outcome, form, hidden=("position",), below="message", nothing="No line was refused."
            )
            if counts["refused"] and (foreign := source.looks_like()):
                say(foreign)
        told = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("recorded", "duplicate", "refused"))
        say(f"Nothing was recorded; it would be: {told}" if dry_run else told)
    if counts["refused"]:
        sys.exit(1)


def _is_to_be_mended(outcome: Outcome, source: Source, refused: int) -> bool:
    """Whether a person is shown the line: of a file that never held lines, the first one."""
    return outcome.outcome == "refused" and (refused == 1 or outcome.code != "malformed" or not source.looks_like())


def _counted(outcomes: Iterable[Outcome], counts: Counter[str], tell: object) -> Iterator[Outcome]:
    assert callable(tell)
    for outcome in outcomes:
        counts[outcome.outcome] += 1
        tell(outcome.line, 0)
        yield outcome
