"""What goes wrong between a ledger and its store, by the seed; the protocol on either side of it is the real one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from random import Random
from typing import Any

from eventsourcing.persistence import RecordConflictError, StoredEvent

from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.recorders import NotRecorded, StoreError
from ledger.recorders.protocol import FEW, Entries
from tests.deterministic.ground import PAGE_ROWS

DEADLINE_SECONDS = 10
"""What is promised: an identity is read back within this time."""
APPEND_FAULTS = {
    "refuses": 0.06,
    "raises": 0.06,
    "loses": 0.10,
    "late": 0.08,
    "repeats": 0.08,
    "dies before": 0.03,
    "dies after": 0.03,
    "dies in flight": 0.02,
}
"""Faults of an append, with the largest share of appends that one world gives them."""
OTHERS = {"silence": 0.5, "unread": 0.01, "overtakes": 0.08}
"""A read-back that fails, another read that fails, and another writer let in before a call: likewise."""


class Died(BaseException):
    """The process ended here: nobody got an answer."""


class Troubles:
    """The rates of one world, and what was done to the command under way."""

    def __init__(self, rng: Random, rates: dict[str, float]) -> None:
        self.rng, self.rates = rng, rates
        self.calm = False
        self.done: list[set[str]] = [set()]  # of the commands under way, the innermost last
        self.tally: Counter[str] = Counter()
        self.in_flight: list[tuple[Faulty, Sequence[StoredEvent], list[tuple[str, str]]]] = []
        self.meanwhile: Callable[[], None] = lambda: None
        self.store: Entries | None = None  # where what is in flight lands, whoever sent it and is gone meanwhile

    @classmethod
    def drawn(cls, rng: Random) -> Troubles:
        """Rates of this world's own: every fault is left out of some worlds and frequent in others."""
        every = APPEND_FAULTS | OTHERS
        return cls(rng, {name: rng.choice((0, 0.3, 1, 1)) * most for name, most in every.items()})

    def comes(self, name: str) -> bool:
        """Whether this fault comes now; if so, it is noted."""
        if self.calm or self.rng.random() >= self.rates[name]:
            return False
        self.note(name)
        return True

    def note(self, name: str) -> None:
        self.done[-1].add(name)
        self.tally[name] += 1

    def of_append(self) -> str | None:
        """The fault of this append, if any."""
        if self.calm:
            return None
        left = self.rng.random()
        for name in APPEND_FAULTS:
            left -= self.rates[name]
            if left < 0:
                self.note(name)
                return name
        return None

    def let_others_in(self) -> None:
        """Perhaps another writer is faster."""
        if not self.calm and self.rng.random() < self.rates["overtakes"]:
            self.tally["overtakes"] += 1
            self.meanwhile()

    def end_flight(self, flight: tuple[Faulty, Sequence[StoredEvent], list[tuple[str, str]]]) -> None:
        """An append that was under way all the while lands now, or never."""
        self.in_flight.remove(flight)
        if self.rng.random() < 0.7:
            assert self.store is not None
            try:
                self.store.insert_events(flight[1], patients=flight[2])
            except RecordConflictError:
                self.tally["landed in vain"] += 1
            else:
                self.tally["landed late"] += 1


CONFLICT = "conflict"
"""Noted though nothing is wrong: whoever hears it cannot know that it is no second answer."""


class Faulty:
    """The entries of a store as one process gets at them."""

    def __init__(self, inner: Entries, troubles: Troubles) -> None:
        self.inner, self.troubles = inner, troubles

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, patients: Iterable[tuple[str, str]] = (), **_: Any
    ) -> Sequence[int] | None:
        named = list(patients)
        self.troubles.let_others_in()
        fault = self.troubles.of_append()
        if fault in ("late", "dies in flight"):
            self.troubles.in_flight.append((self, stored_events, named))
        if fault == "refuses":
            raise NotRecorded("the store said no")
        if fault in ("raises", "late"):
            raise StoreError("the store did not answer")
        if fault in ("dies before", "dies in flight"):
            raise Died
        try:
            positions = self.inner.insert_events(stored_events, patients=named)
        except RecordConflictError:
            self.troubles.note(CONFLICT)
            raise
        if fault == "loses":
            raise StoreError("the answer was lost")
        if fault == "dies after":
            raise Died
        if fault == "repeats":
            self._repeat(stored_events, named)
        return positions

    def _repeat(self, stored_events: Sequence[StoredEvent], patients: list[tuple[str, str]]) -> None:
        """What was delivered is delivered again; perhaps it is the second answer that comes back."""
        try:
            self.inner.insert_events(stored_events, patients=patients)
        except RecordConflictError:
            if self.troubles.rng.random() < 0.5:
                self.troubles.note("second answer")
                raise

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        if not settled_within:
            self._read()
            return self.inner.rows_at(places)
        assert settled_within <= DEADLINE_SECONDS, "read back within the deadline"
        if self.troubles.comes("silence"):
            raise StoreError("no answer in time")
        for flight in [each for each in self.troubles.in_flight if each[0] is self]:
            self.troubles.end_flight(flight)
        return self.inner.rows_at(places, settled_within=settled_within)

    def _read(self) -> None:
        self.troubles.let_others_in()
        if self.troubles.comes("unread"):
            raise StoreError("the store cannot be read")

    def max_position(self) -> int:
        self._read()
        return self.inner.max_position()

    def seal_at(self, position: int) -> bytes:
        self._read()
        return self.inner.seal_at(position)

    def count_of(self, episode: str, upto: int) -> int:
        return self.inner.count_of(episode, upto)

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = FEW) -> int:
        self._read()
        return self.inner.text_bytes(episodes, upto, few)

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        self._read()
        for number, row in enumerate(self.inner.scan(after, upto), 1):
            yield row
            if number % PAGE_ROWS == 0:
                self._read()

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        self._read()
        return self.inner.joined(episodes, upto, without)

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        self._read()
        return self.inner.extents(upto)

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        self._read()
        return self.inner.rows_of(episodes, after_version, upto)

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        self._read()
        return self.inner.rows_of_kinds(episode, tags, after_version)

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        self._read()
        return self.inner.versions_without(tags, upto)

    def versions(self, after: int) -> list[tuple[str, int]]:
        self._read()
        return self.inner.versions(after)

    def episodes_of(self, patient: str) -> list[str]:
        self._read()
        return self.inner.episodes_of(patient)

    def patients_of(self, episode: str) -> list[str]:
        return self.inner.patients_of(episode)

    def patients_between(self, after: int, upto: int) -> set[str]:
        self._read()
        return self.inner.patients_between(after, upto)

    def page_when_opened(self) -> dict[str, str]:
        return self.inner.page_when_opened()

    def about(self) -> dict[str, str]:
        return self.inner.about()

    def settings(self) -> dict[str, str]:
        return self.inner.settings()
