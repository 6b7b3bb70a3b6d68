"""A store as a reader sees it that is behind."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from random import Random
from typing import Any

from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.recorders.protocol import FEW, Entries


class Lagging:
    """A store seen late: up to a position that only moves on, and never past what there is."""

    def __init__(self, inner: Entries, rng: Random) -> None:
        self.inner, self.rng, self.seen, self.lags = inner, rng, 0, True

    def max_position(self) -> int:
        there = self.inner.max_position()
        if not self.lags or self.rng.random() < 0.6:
            self.seen = there
        elif self.seen < there:
            self.seen = self.rng.randint(self.seen, there)
        return self.seen

    def _upto(self, upto: int | None) -> int:
        return self.seen if upto is None else min(upto, self.seen)

    def insert_events(self, *_: Any, **__: Any) -> Sequence[int] | None:
        raise AssertionError("a reader does not write")

    def seal_at(self, position: int) -> bytes:
        return self.inner.seal_at(position) if position <= self.seen else b""

    def count_of(self, episode: str, upto: int) -> int:
        return self.inner.count_of(episode, self._upto(upto))

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        if upto is None:
            self.max_position()
        return self.inner.scan(after, self._upto(upto))

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = FEW) -> int:
        return self.inner.text_bytes(episodes, self._upto(upto), few)

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        return self.inner.joined(episodes, self._upto(upto), without)

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        return self.inner.extents(self._upto(upto))

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        return [row for row in self.inner.rows_at(places) if row[0] <= self.seen]

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        return self.inner.rows_of(episodes, after_version, self._upto(upto))

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        return [row for row in self.inner.rows_of_kinds(episode, tags, after_version) if row[0] <= self.seen]

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        return self.inner.versions_without(tags, self._upto(upto))

    def versions(self, after: int) -> list[tuple[str, int]]:
        return sorted({row[1]: row[2] for row in self.inner.scan(after, self.seen)}.items())

    def episodes_of(self, patient: str) -> list[str]:
        return self.inner.episodes_of(patient)

    def patients_of(self, episode: str) -> list[str]:
        return self.inner.patients_of(episode)

    def patients_between(self, after: int, upto: int) -> set[str]:
        return self.inner.patients_between(after, self._upto(upto))

    def page_when_opened(self) -> dict[str, str]:
        return self.inner.page_when_opened()

    def about(self) -> dict[str, str]:
        return self.inner.about()

    def settings(self) -> dict[str, str]:
        return self.inner.settings()
