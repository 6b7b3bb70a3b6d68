"""What stands below the fault layer: entries in plain lists, or in a real file; both behave as one."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

from eventsourcing.persistence import InfrastructureFactory, RecordConflictError, StoredEvent
from eventsourcing.utils import Environment

from ledger.facts.administration import HOUSE
from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.proof.seals import first_seal
from ledger.recorders.protocol import FEW
from ledger.recorders.sealing import sealed
from ledger.store import EpisodeLedger, open_ledger

PAGE_ROWS = 16
Stood = tuple[int, str, int, str, str, bytes]
"""A row as it stands: position, episode, version, tag, text, seal."""


class Ground(Protocol):
    """Where one world's entries are."""

    id: str

    def open(self) -> EpisodeLedger:
        """Another handle, as another process would have."""

    def rows_since(self, position: int) -> list[Stood]:
        """What stands after a position, read past the ledger's own code."""

    def close(self) -> None:
        """Let it go."""


class Shelf:
    """A store in plain lists, sealed and checked as the real ones are; ``Entries`` in the ledger's sense."""

    def __init__(self, ledger_id: str = "0" * 32) -> None:
        self.id = ledger_id
        self.rows: list[StoredRow] = []
        self.seals: list[bytes] = []
        self.of: dict[str, list[StoredRow]] = {}
        self.named: dict[tuple[str, str], None] = {}

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, patients: Iterable[tuple[str, str]] = (), **_: Any
    ) -> Sequence[int]:
        self.check(stored_events)
        before = len(self.rows)
        seal = self.seals[-1] if self.seals else first_seal(self.id)
        for position, row in enumerate(sealed(stored_events, before, seal), before + 1):
            self.put((position, row[0], row[1], row[2], row[3]), row[4])
        self.named.update(dict.fromkeys(patients))
        return list(range(before + 1, len(self.rows) + 1))

    def check(self, stored_events: Sequence[StoredEvent]) -> None:
        """All follow the last entry of their episode, or none is recorded."""
        last: dict[str, int] = {}
        for each in stored_events:
            episode = str(each.originator_id)
            before = last.get(episode, len(self.of.get(episode, ())))
            if each.originator_version != before + 1:
                raise RecordConflictError("an entry only follows the last one of its episode")
            last[episode] = before + 1

    def put(self, row: StoredRow, seal: bytes) -> None:
        self.rows.append(row)
        self.seals.append(seal)
        self.of.setdefault(row[1], []).append(row)

    def max_position(self) -> int:
        return len(self.rows)

    def seal_at(self, position: int) -> bytes:
        return self.seals[position - 1] if 1 <= position <= len(self.seals) else b""

    def count_of(self, episode: str, upto: int) -> int:
        return sum(row[0] <= upto for row in self.of.get(episode, ()))

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = FEW) -> int:
        return sum(len(row[4].encode()) for row in self.rows_of(episodes, 0, upto))

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        stop = len(self.rows) if upto is None else min(upto, len(self.rows))
        while after < stop:
            page = self.rows[after : min(after + PAGE_ROWS, stop)]
            yield from (row for row in page if row[1] != HOUSE)
            after += PAGE_ROWS

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        found = []
        for name in episodes:
            rows = self.rows_of([name], 0, upto)
            if rows:
                texts = ",".join(row[4] for row in rows if row[3] not in without)
                tags = ",".join(row[3] for row in rows)
                found.append(JoinedEntries(name, len(rows), rows[-1][2], tags, texts))
        return found

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        found = [
            (episode, patient, self.of[episode][0][0], self.count_of(episode, upto)) for patient, episode in self.named
        ]
        return sorted((each for each in found if each[2] <= upto), key=lambda each: (each[2], each[1]))

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        known = ((self.of.get(episode, ()), version) for episode, version in places)
        return [rows[version - 1] for rows, version in known if 1 <= version <= len(rows)]

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        stop = len(self.rows) if upto is None else upto
        names = sorted(set(episodes))
        return [row for name in names for row in self.of.get(name, ())[after_version:] if row[0] <= stop]

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        return [row for row in self.of.get(episode, ())[after_version:] if row[3] in tags]

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        found: dict[str, list[str]] = {}
        for _, episode, version, tag, _ in self.rows[:upto]:
            if tag not in tags and episode != HOUSE:
                found.setdefault(episode, []).append(str(version))
        return [(episode, ",".join(versions)) for episode, versions in found.items()]

    def versions(self, after: int) -> list[tuple[str, int]]:
        return sorted({row[1]: row[2] for row in self.rows[after:] if row[1] != HOUSE}.items())

    def episodes_of(self, patient: str) -> list[str]:
        return sorted(episode for name, episode in self.named if name == patient)

    def patients_of(self, episode: str) -> list[str]:
        return sorted(patient for patient, name in self.named if name == episode)

    def patients_between(self, after: int, upto: int) -> set[str]:
        touched = {row[1] for row in self.rows[after:upto]}
        return {patient for patient, episode in self.named if episode in touched}

    def page_when_opened(self) -> dict[str, str]:
        return self.about()

    def about(self) -> dict[str, str]:
        return {"id": self.id, "format": "2", "created_at": "2026-11-01T00:00:00.000Z"}

    def settings(self) -> dict[str, str]:
        return {}


class _Factory(InfrastructureFactory[Any]):
    """The library's seam, with a shelf in the place of a database."""

    def __init__(self, env: Environment, shelf: Shelf) -> None:
        super().__init__(env)
        self.shelf = shelf

    def application_recorder(self) -> Any:
        return self.shelf

    def aggregate_recorder(self, purpose: str = "events") -> Any:
        raise NotImplementedError

    def tracking_recorder(self, tracking_recorder_class: type[Any] | None = None) -> Any:
        raise NotImplementedError

    def process_recorder(self) -> Any:
        raise NotImplementedError


class InMemory:
    """A shelf and the ledgers on it."""

    def __init__(self, ledger_id: str = "0" * 32, shelf: type[Shelf] = Shelf) -> None:
        self.id, self.shelf = ledger_id, shelf(ledger_id)

    def open(self) -> EpisodeLedger:
        shelf = self.shelf

        class ShelfLedger(EpisodeLedger):
            name = "EpisodeLedger"

            def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
                return _Factory(env, shelf)

        return ShelfLedger({})

    def rows_since(self, position: int) -> list[Stood]:
        rows = self.shelf.rows[position:]
        return [(*row, seal) for row, seal in zip(rows, self.shelf.seals[position:], strict=True)]

    def close(self) -> None:
        """Nothing is held."""


class InAFile:
    """A real ledger file; what stands in it is read by another program's connection."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with open_ledger(path, create=True) as ledger:
            self.id = ledger.id
        self.connection = sqlite3.connect(path, isolation_level=None)

    def open(self) -> EpisodeLedger:
        return open_ledger(self.path, create=False)

    def rows_since(self, position: int) -> list[Stood]:
        return self.connection.execute(
            "SELECT position, originator_id, originator_version, topic, state, seal FROM entries"
            " WHERE position > ? ORDER BY position",
            (position,),
        ).fetchall()

    def close(self) -> None:
        self.connection.close()
