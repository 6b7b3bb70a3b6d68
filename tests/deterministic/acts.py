"""Acts of the house, recorded among the entries: a month is closed once, a book taken up once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ledger.book import Book
from ledger.facts.administration import BookAdopted, MonthClosed
from ledger.recorders import StoreError, Unknown
from ledger.store import EpisodeLedger, RecordConflictError
from tests.deterministic.faults import Died
from tests.deterministic.model import Attempt, must
from tests.deterministic.sending import bury
from tests.deterministic.writers import Writer

if TYPE_CHECKING:
    from tests.deterministic.world import World


def act(world: World) -> None:
    writer = world.idle()
    if world.rng.random() < 0.4:
        adopt(world, writer, world.rng.choice(world.books))
    else:
        _close_month(world, writer, f"20{world.rng.randint(10, 40)}-{world.rng.randint(1, 12):02}")


def adopt(world: World, writer: Writer, chosen: Book) -> None:
    attempt = _attempt(world)
    act = BookAdopted(world.clock(), "b-1", chosen.text, chosen.hash, attempt.nonces[0])
    _record_act(world, writer, attempt, lambda ledger: ledger.record_adoption(act), _in_force(world) == chosen.hash)


def _close_month(world: World, writer: Writer, month: str) -> None:
    attempt = _attempt(world)
    act = MonthClosed(month, world.clock(), "b-1", world.model.last, "", "1", "0" * 64, attempt.nonces[0])
    closed = any(said.get("month") == month for _, said in world.model.acts)
    _record_act(world, writer, attempt, lambda ledger: ledger.record_closing(act), closed)


def _attempt(world: World) -> Attempt:
    attempt = Attempt((), world.clock.at, False, [f"{world.rng.getrandbits(128):032x}"])
    world.model.begin(attempt)
    return attempt


def _in_force(world: World) -> str | None:
    return next((said["hash"] for _, said in reversed(world.model.acts) if said["type"] == "BookAdopted"), None)


def _record_act(
    world: World, writer: Writer, attempt: Attempt, record: Callable[[EpisodeLedger], int], refused: bool
) -> None:
    """An act of the house: recorded once, refused if it stands already or another was faster, or in doubt."""
    assert writer.ledger is not None
    acts, notes = len(world.model.acts), world.troubles.done[-1]
    world.busy.append(writer)
    try:
        position = record(writer.ledger)
        world.take_in()
        must(not refused or len(world.model.acts) > acts + 1, "an act that stands already was recorded")
        must(world.model.landed.get(attempt.nonces[0]) == position, "an act is not where it was said to be")
    except RecordConflictError:
        world.take_in()
        must(refused or len(world.model.acts) > acts, "an act refused without reason")
        bury(world, [attempt], notes)
    except (Died, Unknown) as error:
        must(isinstance(error, Died) or "silence" in notes, "unknown, although it could be read back")
        if isinstance(error, Died):
            world.revive(writer)
    except StoreError:
        world.take_in()
        bury(world, [attempt], notes)
        must(bool(notes), "the store failed although nothing was wrong with it")
    finally:
        world.busy.remove(writer)
