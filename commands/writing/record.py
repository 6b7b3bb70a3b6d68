"""Intake: a stream of lines in, one outcome for each, in order, as soon as it is certain."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import BinaryIO, Final, Literal

from msgspec import Struct

from commands.door.intake import Line, Refusal, read_lines
from commands.outside import utc_now
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


def record(
    ledger: EpisodeLedger,
    stream: BinaryIO,
    *,
    keep_recorded_at: bool = False,
    clock: Callable[[], datetime] = utc_now,
    batch: int = BATCH_LINES,
    clock_is_right: bool = True,
) -> Iterator[Outcome]:
    """Record a stream of lines, a batch to a transaction; an outcome is given once its batch is committed.

    Unless ``clock_is_right`` is taken for granted, WrongClock ends it before a clock that cannot be stamps a line.
    """
    recorder = Recorder(ledger, keep_recorded_at=keep_recorded_at, clock=clock, clock_is_right=clock_is_right)
    read = read_lines(stream)
    while lines := list(islice(read, batch)):
        yield from _outcomes(recorder, lines)


def _outcomes(recorder: Recorder, lines: Sequence[Line | Refusal]) -> Iterator[Outcome]:
    judged = [line if isinstance(line, Line) else line.line for line in lines]
    try:
        handled = iter(recorder.handle([line for line in judged if line is not None]))
    except Unknown as error:
        raise Unknown(
            f"it is unknown whether lines {lines[0].number} to {lines[-1].number} were recorded: {error}"
        ) from error
    for line in lines:
        if isinstance(line, Refusal) and line.line is None:
            yield Outcome(line.number, "refused", None, line.code, line.message)
        else:
            yield _outcome(line.number, next(handled))


def _outcome(number: int, handled: Handled) -> Outcome:
    if isinstance(handled, Recorded):
        return Outcome(number, "recorded", handled.position)
    if isinstance(handled, Refused):
        return Outcome(number, "refused", None, handled.code, handled.message)
    return Outcome(number, "duplicate")
