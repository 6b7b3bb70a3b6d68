"""``record``: entries in, outcomes out."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, TypedDict, TypeVar

import click

from commands.door.source import Source
from commands.recording.doubted import say_doubts
from commands.recording.effect import clock_option, effect_of, effect_options, recording
from commands.recording.identity import allow_identity, identity_option
from commands.references.watching import Watch
from commands.terminal.options import Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, hand_over, say, show_rows_to_the_end
from commands.writing.record import FileOutcome, Outcome, record_several
from commands.writing.record import record as record_stream
from ledger.progress import Progress
from ledger.store import EpisodeLedger

AnyOutcome = TypeVar("AnyOutcome", Outcome, FileOutcome)


class Kept(TypedDict):
    """How lines are recorded: what becomes of the instants they bring along, and who watches."""

    keep_recorded_at: bool
    as_told_now: bool
    clock_is_right: bool
    watch: Watch


_NOTHING: Final = "No line was refused."


@click.command()
@click.argument("files", type=click.File("rb"), nargs=-1, required=True, metavar="FILE...")
@click.option("--keep-recorded-at", is_flag=True, help="Take each line's recorded_at: for bringing history over.")
@clock_option
@click.option(
    "--as-told-now",
    is_flag=True,
    help="With it: a line whose episode has gone on since is recorded as of now, its instant kept beside.",
)
@identity_option
@effect_options
@format_option
@click.pass_obj
def record(
    setup: Setup,
    /,
    files: tuple[BinaryIO, ...],
    keep_recorded_at: bool,
    clock_is_right: bool,
    as_told_now: bool,
    identity_in_the_open: bool,
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

    Of several files, the first is recorded before the next; with --keep-recorded-at all go into one order by the
    instants of their lines.

    \b
    Examples:
      episode-ledger record --dry-run intake.jsonl
      episode-ledger record intake.jsonl
      pharmacy-export | episode-ledger record --no-effect -
      episode-ledger record --keep-recorded-at history.jsonl
    """
    counts: Counter[str] = Counter()
    if as_told_now and not keep_recorded_at:
        raise click.UsageError("--as-told-now goes with --keep-recorded-at")
    effect = effect_of(dry_run, no_effect, effect_to)
    watch = Watch()
    kept = Kept(
        keep_recorded_at=keep_recorded_at, as_told_now=as_told_now, clock_is_right=clock_is_right, watch=watch
    )  # fmt: skip
    with recording(setup, effect, create=True) as ledger:
        if identity_in_the_open:
            allow_identity(ledger)
        with progress("Recording", "lines") as tell:
            if len(files) == 1:
                _record_one(ledger, files[0], kept, counts, tell, form)
            else:
                _record_several(ledger, files, kept, counts, tell, form)
        told = ", ".join(f"{counts[kind]:,} {kind}" for kind in ("recorded", "duplicate", "refused"))
        say_doubts(setup, ledger, watch)
        say(f"Nothing was recorded; it would be: {told}" if dry_run else told)
    if counts["refused"]:
        sys.exit(1)


def _record_one(
    ledger: EpisodeLedger, file: BinaryIO, kept: Kept, counts: Counter[str], tell: Progress, form: str | None
) -> None:
    source = Source(file)
    outcomes = _counted(record_stream(ledger, source, **kept, answered=hand_over), counts, tell)
    if chosen_form(form) == "table":
        outcomes = (outcome for outcome in outcomes if _is_to_be_mended(outcome, source, counts["refused"]))
    show_rows_to_the_end(outcomes, Outcome, form, hidden=("position",), below="message", nothing=_NOTHING)
    if counts["refused"] and (foreign := source.looks_like()):
        say(foreign)


def _record_several(
    ledger: EpisodeLedger,
    files: Sequence[BinaryIO],
    kept: Kept,
    counts: Counter[str],
    tell: Progress,
    form: str | None,
) -> None:
    streams = {_name(file): file for file in files}
    if len(streams) < len(files):
        raise click.UsageError("a file is named twice")
    outcomes = _counted(record_several(ledger, streams, **kept), counts, tell)
    if chosen_form(form) == "table":
        outcomes = (outcome for outcome in outcomes if outcome.outcome == "refused")
    show_rows_to_the_end(outcomes, FileOutcome, form, hidden=("position",), below="message", nothing=_NOTHING)


def _name(file: BinaryIO) -> str:
    """A file as it was named; what is no text in it is shown so."""
    name = getattr(file, "name", None)
    return os.fsencode(name).decode(errors="replace") if isinstance(name, str) and name != "<stdin>" else "-"


def _is_to_be_mended(outcome: Outcome, source: Source, refused: int) -> bool:
    """Whether a person is shown the line: of a file that never held lines, the first one."""
    return outcome.outcome == "refused" and (refused == 1 or outcome.code != "malformed" or not source.looks_like())


def _counted(outcomes: Iterable[AnyOutcome], counts: Counter[str], tell: Progress) -> Iterator[AnyOutcome]:
    for done, outcome in enumerate(outcomes, 1):
        counts[outcome.outcome] += 1
        tell(done, 0)
        yield outcome
