"""One world: writers, readers, clients, a clock and troubles, all of one seed; and what is checked after a step."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random
from unittest.mock import patch

from commands.writing.handle import Recorder
from ledger.book import Book
from ledger.recorders import StoreError
from ledger.recorders.protocol import Entries
from ledger.store import EpisodeLedger
from tests.deterministic.acts import act, adopt
from tests.deterministic.clients import Clients
from tests.deterministic.clock import SeededClock
from tests.deterministic.faults import Faulty, Troubles
from tests.deterministic.ground import Ground
from tests.deterministic.lagging import Lagging
from tests.deterministic.model import Contradiction, Model, must
from tests.deterministic.readers import Reader, Scratch
from tests.deterministic.sending import record, send, send_malformed
from tests.deterministic.writers import Made, Writer
from tests.harness import book_of
from tests.histories import book

COMPARED_EVERY = 500
SHOWN_STEPS = 25
Wrap = Callable[[Entries], Entries]


class World:
    """Everything that happens, in the order its seed gives."""

    def __init__(self, ground: Ground, seed: int, *, made: Made = Recorder, seen_as: Wrap = lambda entries: entries):
        self.ground, self.seed = ground, seed
        self.rng = Random(seed)
        self.model = Model(ground.id)
        self.clock = SeededClock(self.rng)
        self.troubles = Troubles.drawn(self.rng)
        self.troubles.meanwhile = self._meanwhile
        self.keeper = ground.open()
        self.troubles.store = self.keeper._entries
        self.clients = Clients(self.rng, self.clock)
        self.books = [book_of(book(self.rng)) for _ in range(3)]
        self.done: deque[str] = deque(maxlen=SHOWN_STEPS)
        self.counts: Counter[str] = Counter()
        self.steps = 0
        self.seen_as = seen_as
        self.busy: list[Writer] = []
        self.wanted: tuple[str, ...] = ()
        self.writers = [
            Writer(name, self.rng, self.clock, self.model, made) for name in range(self.rng.choice((1, 2, 3, 4)))
        ]
        scratch = Scratch(self.model)
        self.readers = [self._reader(scratch, chosen) for chosen in self.books[: self.rng.choice((1, 2))]]
        self.commands: list[tuple[Callable[[], None], float]] = [
            (partial(send, self), 83), (partial(send_malformed, self), 1), (self._tail, 8), (partial(act, self), 1),
            (self._restart, 1.5), (self._end_flight, 4), (self._catch_up, 0.6), (self._feed, 0.15),
        ]  # fmt: skip

    def run(self, steps: int) -> None:
        """So many steps, then everybody gets an answer and every reader comes to the end."""
        with patch.object(time, "sleep", self.clock.sleep), self._told():
            self._begin()
            commands, weights = zip(*self.commands, strict=True)
            for command in self.rng.choices(commands, weights, k=steps):
                self.steps += 1
                self._tell(getattr(command, "func", command).__name__.lstrip("_"))
                self._step(command)
                if self.steps % COMPARED_EVERY == 0:
                    self._compare()
            self._end()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            steps, says = "\n  ".join(self.done), self._says(error)
            raise Contradiction(
                f"seed {self.seed}, step {self.steps}: {says}\n  {steps}\n"
                f"rerun: python -m tests.deterministic --seed {self.seed} --steps {self.steps}"
            ) from error

    def _says(self, error: Exception) -> str:
        """What is wrong; where the ledger's own code stumbled, what the model finds in the store comes before."""
        if not isinstance(error, Contradiction):
            try:
                self.take_in()
            except Contradiction as found:
                return str(found)
        return str(error) or repr(error)

    def _tell(self, what: str) -> None:
        self.done.append(f"{self.steps}: {what}")

    def _step(self, command: Callable[[], None]) -> None:
        self.troubles.done.append(set())
        try:
            command()
        except StoreError:
            self.counts["failed readings"] += 1
            must(bool(self.troubles.done[-1]), "the store failed although nothing was wrong with it")
        finally:
            self.troubles.done.pop()
        self.take_in()

    def take_in(self) -> None:
        """Look at what stands now, and at every attempt of which something does."""
        for row in self.ground.rows_since(self.model.last):
            self.model.take(row)
        self.model.prove_landed()

    def _begin(self) -> None:
        self.troubles.calm = True
        for writer in self.writers:
            writer.start(self._open())
        adopt(self, self.writers[0], self.books[0])
        self.troubles.calm = False

    def _open(self) -> EpisodeLedger:
        ledger = self.ground.open()
        ledger._entries = Faulty(ledger._entries, self.troubles)
        return ledger

    def _reader(self, scratch: Scratch, chosen: Book) -> Reader:
        ledger = self.ground.open()
        lagging = Lagging(self.seen_as(ledger._entries), self.rng)
        ledger._entries = Faulty(lagging, self.troubles)
        return Reader(ledger, lagging, scratch, chosen)

    def idle(self) -> Writer:
        return self.rng.choice([writer for writer in self.writers if writer not in self.busy])

    def _meanwhile(self) -> None:
        """Another writer does something before the one under way goes on."""
        if len(self.busy) >= min(2, len(self.writers)) or not self.model.rows:
            return
        self._tell("  meanwhile")
        self.troubles.done.append(set())
        try:
            if self.rng.random() < 0.05:
                act(self)
            else:
                send(self)
        finally:
            self.troubles.done.pop()
        self.take_in()

    def revive(self, writer: Writer) -> None:
        """The process is started again, over a store that answers."""
        calm, self.troubles.calm = self.troubles.calm, True
        assert writer.ledger is not None
        writer.ledger.close()
        writer.start(self._open())
        self.troubles.calm = calm

    def _restart(self) -> None:
        self.revive(self.idle())

    def _end_flight(self) -> None:
        if self.troubles.in_flight:
            self.troubles.end_flight(self.rng.choice(self.troubles.in_flight))

    def _tail(self) -> None:
        self.rng.choice(self.readers).tail(self.rng)

    def _catch_up(self) -> None:
        self.rng.choice(self.readers).catch_up()

    def _feed(self) -> None:
        self.rng.choice(self.readers).feed(self._adoptions())

    def _adoptions(self) -> list[tuple[int, Book]]:
        books = {each.hash: each for each in self.books}
        return [(position, books[said["hash"]]) for position, said in self.model.acts if said["type"] == "BookAdopted"]

    def _compare(self) -> None:
        """What stands is still what stood, and read models are what is judged from scratch."""
        self.take_in()
        must(self.ground.rows_since(0) == self.model.rows, "what stood in the store has changed")
        for reader in self.readers:
            reader.compare()

    def _end(self) -> None:
        """Quiet: what is under way ends, everybody in doubt asks again and is told, and readers come to the end."""
        self.troubles.calm = True
        self._tell("the end")
        while self.troubles.in_flight:
            self._end_flight()
            self.take_in()
        while self.clients.unanswered:
            record(self, self.idle(), self.clients.unanswered[:20])
        for reader in self.readers:
            reader.lagging.lags = False
            while reader.seen < max((row[0] for row in self.model.rows if row[1]), default=0):
                reader.tail(self.rng)
            reader.catch_up()
            reader.feed(self._adoptions())
            must(reader.position == reader.days_at == self.model.last, "a reader does not come to the end")
        self._compare()

    def close(self) -> None:
        for reader in self.readers:
            reader.close()
        for writer in self.writers:
            if writer.ledger is not None:
                writer.ledger.close()
        self.keeper.close()
        self.ground.close()
