"""Worlds in which something is built wrongly on purpose: the model must find it, or it would find nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple
from unittest.mock import patch

from eventsourcing.persistence import StoredEvent

from commands.writing.handle import Handled, HeadCache, Recorder
from ledger import store
from ledger.facts.heads import EpisodeHead
from ledger.facts.stored import StoredRow
from ledger.recorders import NotRecorded, StoreError, Unknown, reading_back
from ledger.recorders.protocol import Entries
from tests.deterministic.ground import Shelf
from tests.deterministic.writers import Made


class Oblivious(EpisodeHead):
    """A head that knows what may be corrected, and no identity."""

    def __init__(self, head: EpisodeHead) -> None:
        for name in EpisodeHead.__slots__:
            setattr(self, name, getattr(head, name))

    def version_of(self, source: str, id: str) -> int | None:
        return None


class Forgetful(HeadCache):
    """Heads that know no identity."""

    def take(self, episodes: Iterable[str]) -> dict[str, EpisodeHead]:
        return {episode: Oblivious(head) for episode, head in super().take(episodes).items()}


class Doubling(Recorder):
    """After *unknown* it records the lines once more, without asking whether they stand."""

    def handle(self, lines: Any) -> list[Handled]:
        try:
            return super().handle(lines)
        except Unknown:
            remembered, self._cache = self._cache, Forgetful(self._ledger, 1000)
            try:
                return super().handle(lines)
            finally:
                self._cache = remembered


class HasHeadsAhead(Recorder):
    """It keeps the heads that an append brought forward, though the append failed."""

    def _append(self, decisions: Any, acts: Any, after_act: int | None) -> list[int]:
        heads: dict[str, EpisodeHead] = {}
        try:
            return super()._append(decisions, acts, after_act)
        except StoreError:
            entries = [decision.entry for decision in decisions if hasattr(decision, "entry")]
            for entry in self._ledger.entries_of_all({entry.episode for entry in entries}):
                heads.setdefault(entry.episode, EpisodeHead()).apply(entry)
            for entry in entries:
                head = heads.setdefault(entry.episode, EpisodeHead())
                if entry.version == head.version + 1:
                    head.apply(entry)
            self._cache.keep(heads, [])
            raise


class Unchecked(Shelf):
    """It takes an entry over whatever head it was decided; only the very same one it does not take again."""

    def check(self, stored_events: Sequence[StoredEvent]) -> None:
        here = {row[4] for each in stored_events for row in self.of.get(str(each.originator_id), ())}
        if any(each.state.decode() in here for each in stored_events):
            super().check(stored_events)


class HalfDone(Shelf):
    """Now and then it keeps the first entry of a batch, and fails."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **more: Any) -> Sequence[int]:
        if len(stored_events) > 1 and len(self.rows) % 50 == 49:
            super().insert_events(stored_events[:1], **more)
            raise StoreError("half of it was written")
        return super().insert_events(stored_events, **more)


class Lying(Shelf):
    """Now and then it says where entries are that it never wrote."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **more: Any) -> Sequence[int]:
        if len(self.rows) % 50 == 49:
            return range(50, 50 + len(stored_events))
        return super().insert_events(stored_events, **more)


class Denying(Shelf):
    """Now and then it records, and says that it recorded nothing: nobody asks it again then."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **more: Any) -> Sequence[int]:
        positions = super().insert_events(stored_events, **more)
        if len(self.rows) % 50 == 0:
            raise NotRecorded("a lie: it was recorded")
        return positions


class Rewriting(Shelf):
    """Once, it loses an entry that was acknowledged long ago, and puts another in its place."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **more: Any) -> Sequence[int]:
        if len(self.rows) > 300:
            self.rows[200] = self.rows[199]
        return super().insert_events(stored_events, **more)


class Through:
    """A store, seen through something that bends one answer."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries

    def __getattr__(self, name: str) -> Any:
        return getattr(self.entries, name)


class Gaps(Through):
    """The entry before the last becomes visible after the last, and the reader does not wait."""

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        last = self.entries.max_position()
        return (row for row in self.entries.scan(after, upto) if row[0] != last - 1)


class MissesSome(Through):
    """It leaves out whom only the earlier entries after a position touched."""

    def patients_between(self, after: int, upto: int) -> set[str]:
        return self.entries.patients_between((after + upto) // 2, upto)


class Impatient(Through):
    """It reads back at once, while the append may still be under way."""

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        return self.entries.rows_at(places)


def _impatient() -> AbstractContextManager[Any]:
    return patch.object(store, "read_back", lambda entries, *rest: reading_back.read_back(Impatient(entries), *rest))


def _never_overtaken() -> AbstractContextManager[Any]:
    return patch.object(HeadCache, "overtaken", lambda *_: False)


def _by_whoever() -> AbstractContextManager[Any]:
    return patch("commands.writing.decide.same_content", lambda entry, by, fact: entry.fact == fact)


def _no_read_back() -> AbstractContextManager[Any]:
    def give_up(entries: Entries, stored: Any, error: StoreError) -> list[int]:
        raise error

    return patch.object(store, "read_back", give_up)


def _takes_anothers() -> AbstractContextManager[Any]:
    def by_place(entries: Entries, stored: Sequence[StoredEvent], error: StoreError) -> list[int]:
        places = [(str(each.originator_id), each.originator_version) for each in stored]
        try:
            rows = entries.rows_at(places, reading_back.DEADLINE_SECONDS)
        except StoreError as silence:
            raise Unknown from silence
        if len(rows) < len(stored):
            raise error
        return [row[0] for row in rows]

    return patch.object(store, "read_back", by_place)


def _passes_over_others() -> AbstractContextManager[Any]:
    keep = HeadCache.keep

    def keep_all(cache: HeadCache, heads: dict[str, EpisodeHead], positions: Sequence[int]) -> None:
        keep(cache, heads, positions)
        cache._seen = max([cache._seen, *positions])

    return patch.object(HeadCache, "keep", keep_all)


class Wrong(NamedTuple):
    """What is built wrongly, and what the model says of it."""

    says: str
    made: Made = Recorder
    shelf: type[Shelf] = Shelf
    seen_as: Callable[[Entries], Any] = lambda entries: entries
    patched: Callable[[], AbstractContextManager[Any]] = nullcontext
    first: int = 0
    """Which seed is tried first, where it takes long in others."""


STANDS = "was not recorded stands|answered as not recorded stands"
WRONGS = {
    "a writer that doubles on retry": Wrong("one identity is recorded twice", made=Doubling),
    "a stale head and no check of conflicts": Wrong("version .* follows", shelf=Unchecked),
    "a stale head and no look at what others did": Wrong("the rulebook says", patched=_never_overtaken),
    "a head ahead of the ledger": Wrong("StopIteration|the rulebook says", made=HasHeadsAhead),
    "a reader that skips on gaps": Wrong("a reader after .* was given", seen_as=Gaps),
    "a read model that misses patients": Wrong(
        "not those judged from scratch|not the rows of the later", seen_as=MissesSome
    ),
    "a read-back that does not wait": Wrong(STANDS, patched=_impatient),
    "no read-back at all": Wrong(STANDS, patched=_no_read_back),
    "a read-back that takes another's entry for its own": Wrong("is another entry", patched=_takes_anothers),
    "a cache that passes over what others did": Wrong("the rulebook says", patched=_passes_over_others, first=2),
    "a store that does half": Wrong(STANDS + "|of a recorded batch", shelf=HalfDone),
    "a store that records and denies it": Wrong(STANDS, shelf=Denying),
    "a store that acknowledges and does nothing": Wrong("is another entry|is not where", shelf=Lying),
    "a store that rewrites the past": Wrong("has changed", shelf=Rewriting),
    "a duplicate by somebody else": Wrong("the rulebook says", patched=_by_whoever),
}
