"""Intake: a stream of lines in, one outcome for each, in order, as soon as it is certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Final, Literal

from msgspec import Struct
from msgspec.structs import astuple

from commands.door.intake import Line, Refusal, parse_line
from commands.door.line_reader import numbered_lines
from commands.door.several import by_recorded_at, one_after_another
from commands.door.source import Source
from commands.outside import utc_now
from commands.references.watching import Place, Watch
from commands.writing.decide import Refused
from commands.writing.handle import Handled, Recorded, Recorder
from ledger.recorders import Unknown
from ledger.store import EpisodeLedger

BATCH_LINES: Final = 4_000


class Outcome(Struct, frozen=True, gc=False):
    """What became of one line."""

    line: int
    outcome: Literal["recorded", "duplicate", "refused"]
    position: int | None = None
    code: str | None = None
    message: str | None = None


class FileOutcome(Struct, frozen=True, gc=False):
    """What became of one line of one of several files."""

    file: str
    line: int
    outcome: Literal["recorded", "duplicate", "refused"]
    position: int | None = None
    code: str | None = None
    message: str | None = None


def record(
    ledger: EpisodeLedger,
    stream: BinaryIO | Source,
    *,
    keep_recorded_at: bool = False,
    as_told_now: bool = False,
    clock: Callable[[], datetime] = utc_now,
    batch: int = BATCH_LINES,
    clock_is_right: bool = True,
    watch: Watch | None = None,
    answered: Callable[[], None] = lambda: None,
) -> Iterator[Outcome]:
    """Record a stream of lines, a batch to a transaction; an outcome is given once its batch is committed.

    With ``as_told_now`` an instant that its episode has gone past is kept beside the ledger's own.
    A stream that pauses does not keep waiting what came before: it is recorded, and ``answered`` is called once its
    outcomes were taken. Unless ``clock_is_right`` is taken for granted, WrongClock ends it before a clock that cannot
    be stamps a line.
    """
    recorder = Recorder(
        ledger, keep_recorded_at=keep_recorded_at, as_told_now=as_told_now, clock=clock,
        clock_is_right=clock_is_right, watch=watch,
    )  # fmt: skip
    for lines, paused in _batches(stream if isinstance(stream, Source) else Source(stream), batch):
        yield from _outcomes(recorder, lines)
        if paused:
            answered()


def record_several(
    ledger: EpisodeLedger,
    streams: Mapping[str, BinaryIO],
    *,
    keep_recorded_at: bool = False,
    as_told_now: bool = False,
    clock: Callable[[], datetime] = utc_now,
    batch: int = BATCH_LINES,
    clock_is_right: bool = True,
    watch: Watch | None = None,
) -> Iterator[FileOutcome]:
    """Record several streams, by name, as one: by ``recorded_at`` if that is kept, else one after another."""
    recorder = Recorder(
        ledger, keep_recorded_at=keep_recorded_at, as_told_now=as_told_now, clock=clock,
        clock_is_right=clock_is_right, watch=watch,
    )  # fmt: skip
    names = list(streams)
    read = (by_recorded_at if keep_recorded_at else one_after_another)(list(streams.values()))
    while chunk := list(islice(read, batch)):
        outcomes = _outcomes(recorder, [line for _, line in chunk], [names[place] for place, _ in chunk])
        for (place, _), outcome in zip(chunk, outcomes, strict=True):
            yield FileOutcome(names[place], *astuple(outcome))


def _batches(source: Source, most: int) -> Iterator[tuple[list[Line | Refusal], bool]]:
    """Lines that are recorded together, each time with whether the source has paused."""
    lines: list[Line | Refusal] = []
    for number, raw in numbered_lines(source):
        if number:
            lines.append(parse_line(number, raw))
        if lines and (not number or len(lines) == most):
            yield lines, not number
            lines = []
    if lines:
        yield lines, False


def _outcomes(recorder: Recorder, lines: Sequence[Line | Refusal], files: Sequence[str] = ()) -> Iterator[Outcome]:
    judged = [line if isinstance(line, Line) else line.line for line in lines]
    places: list[Place] = [
        (file, line.number) for file, line in zip(files, judged, strict=True) if line is not None
    ] if files else []  # fmt: skip
    try:
        handled = iter(recorder.handle([line for line in judged if line is not None], places=places))
    except Unknown as error:
        raise Unknown(
            f"it is unknown whether lines {lines[0].number} to {lines[-1].number} were recorded: {error}"
        ) from error
    for line in lines:
        if isinstance(line, Line) or line.line is not None:
            yield _outcome(line.number, next(handled))
        else:
            yield Outcome(line.number, "refused", None, line.code, line.message)


def _outcome(number: int, handled: Handled) -> Outcome:
    if isinstance(handled, Recorded):
        return Outcome(number, "recorded", handled.position)
    if isinstance(handled, Refused):
        return Outcome(number, "refused", None, handled.code, handled.message)
    return Outcome(number, "duplicate")
