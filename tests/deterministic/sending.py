"""A batch of lines sent to one writer, and whether what was answered is the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from commands.door.intake import Refusal, parse_line
from commands.writing.handle import Handled
from ledger.recorders import StoreError, Unknown
from tests.deterministic.clients import malformed
from tests.deterministic.faults import CONFLICT, Died
from tests.deterministic.judgement import Said
from tests.deterministic.model import Attempt, must
from tests.deterministic.writers import Writer

if TYPE_CHECKING:
    from tests.deterministic.world import World


def send(world: World) -> None:
    about, world.wanted = world.wanted, ()
    record(world, world.idle(), world.clients.batch(about))


def record(world: World, writer: Writer, lines: list[Said]) -> None:
    """One batch; whatever is answered, it is what happened."""
    before = world.model.versions(lines)
    world.busy.append(writer)
    world.wanted = tuple(before)
    notes = world.troubles.done[-1]
    try:
        handled = writer.handle(lines)
    except (Died, Unknown) as error:
        world.take_in()
        _in_doubt(world, writer, lines, notes, isinstance(error, Died))
    except StoreError:
        world.take_in()
        _not_recorded(world, writer, lines, notes)
    else:
        world.take_in()
        _answered(world, writer, lines, before, handled, notes)
    finally:
        world.busy.remove(writer)
        world.wanted = ()


def _answered(
    world: World, writer: Writer, lines: list[Said], before: dict[str, int], handled: Sequence[Handled], notes: set[str]
) -> None:
    answers = writer.answers(handled)
    *earlier, last = writer.attempts
    bury(world, earlier, notes)
    world.model.check_answers(last, answers, before)
    last.dead = True  # what of it was to be recorded is
    world.counts.update("recorded" if isinstance(answer, int) else answer for answer in answers)
    for line in lines:
        if line in world.clients.unanswered:
            world.clients.unanswered.remove(line)


def bury(world: World, attempts: list[Attempt], notes: set[str]) -> None:
    """Attempts that met a conflict: nothing of them stands, unless it is the second answer to what was recorded."""
    for attempt in attempts:
        world.model.bury(attempt, but_for_landed="second answer" in notes)


def _in_doubt(world: World, writer: Writer, lines: list[Said], notes: set[str], died: bool) -> None:
    must(died or bool(notes & {"silence", "second answer", CONFLICT}), "unknown, although it could be read back")
    world.counts["died" if died else "unknown"] += 1
    bury(world, writer.attempts[:-1], notes)
    _remember(world, lines)
    if died:
        world.revive(writer)


def _not_recorded(world: World, writer: Writer, lines: list[Said], notes: set[str]) -> None:
    exhausted = len(writer.attempts) >= writer.limit
    for attempt in writer.attempts:
        world.model.bury(attempt)
    must(bool(notes - {CONFLICT}) or exhausted, "the store failed although nothing was wrong with it")
    world.counts["exhausted" if exhausted else "failed"] += 1
    _remember(world, lines)


def _remember(world: World, lines: list[Said]) -> None:
    world.clients.unanswered += [line for line in lines if line not in world.clients.unanswered]


def send_malformed(world: World) -> None:
    for line in world.clients.batch()[:1]:
        refused = parse_line(1, malformed(world.rng, line))
        must(isinstance(refused, Refusal) and refused.code == "malformed", "what has no form came through the door")
