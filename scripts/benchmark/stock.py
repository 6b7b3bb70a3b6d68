"""The event store library as it comes: dataclass events, JSON transcoder, SQLite recorder, log, repository.

Nothing of it is handicapped: its log is read in sections of 1,000 (it comes with 10), nested values are kept as plain
JSON, and optional fields cost one look each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, make_dataclass
from datetime import date, datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, get_args
from uuid import NAMESPACE_URL, UUID, uuid5

import msgspec
from eventsourcing.application import Application
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import JSONTranscoder, StoredEvent, Transcoding

from ledger.facts import events as facts
from ledger.facts.entry import Entry, encode
from ledger.facts.stored import TAGS
from ledger.judge.patients import by_episode
from projections.reading.cohorts import ByEpisode, Cohort, together

SECTION: Final = 1_000


@dataclass(frozen=True)
class Told:
    """What every event has; subclasses add the fields of one fact."""

    originator_id: str
    originator_version: int
    source: str
    id: str
    by: str
    recorded_at: datetime
    nonce: str
    schema: int


class DateAsISO(Transcoding):
    """The one transcoding that the library lacks."""

    type = date
    name = "date_iso"

    def encode(self, obj: date) -> str:
        return obj.isoformat()

    def decode(self, data: str) -> date:
        return date.fromisoformat(data)


def _event_class(kind: type[Any]) -> type[Told]:
    names = [field.name for field in msgspec.structs.fields(kind)]
    made = make_dataclass(f"{kind.__name__}Told", [(name, Any, None) for name in names], bases=(Told,), frozen=True)
    made.__module__ = __name__
    return made


KINDS: Final[dict[type[Any], type[Told]]] = {kind: _event_class(kind) for kind in get_args(facts.Event)}
globals().update({made.__name__: made for made in KINDS.values()})  # the library finds an event's class by its name
_NAMES: Final = {kind: [field.name for field in msgspec.structs.fields(kind)] for kind in KINDS}
_BY_TAG: Final = {tag: kind for kind, tag in TAGS.items()}
_UNNESTED: Final[dict[str, Callable[[Any], Any]]] = {
    "lines": lambda value: msgspec.convert(value, tuple[facts.ClaimLine, ...]),
    "codes": tuple,
    "fact": lambda value: msgspec.convert(value, _BY_TAG[value["type"]]),
}
"""Fields that hold lists or structs, kept as plain JSON: how they are read."""


def event_of(entry: Entry) -> Told:
    """The library's event of one of our entries."""
    fact = entry.fact
    values = {name: getattr(fact, name) for name in _NAMES[type(fact)]}
    for name, value in values.items():
        if value is msgspec.UNSET:
            values[name] = None
        elif name in _UNNESTED:
            values[name] = msgspec.to_builtins(value)
    return KINDS[type(fact)](
        originator_id=entry.episode, originator_version=entry.version, source=entry.source, id=entry.id, by=entry.by,
        recorded_at=entry.recorded_at, nonce=entry.nonce, schema=entry.schema, **values,
    )  # fmt: skip


def _reader(kind: type[Any]) -> Callable[[dict[str, Any]], Any]:
    names = _NAMES[kind]
    nested = not _UNNESTED.keys().isdisjoint(names)
    some = itemgetter(*names)
    values_of = some if len(names) > 1 else lambda state: (some(state),)
    null_is_a_value = kind is facts.ConflictResolved

    def read(state: dict[str, Any]) -> Any:
        values = values_of(state)
        if nested:
            values = [_UNNESTED[n](v) if n in _UNNESTED else v for n, v in zip(names, values, strict=True)]
        if None in values and not null_is_a_value:
            values = [msgspec.UNSET if value is None else value for value in values]
        return kind(*values)

    return read


_READERS: Final = {made: _reader(kind) for kind, made in KINDS.items()}


def entry_of(told: Told) -> Entry:
    """Our entry of one of the library's events."""
    return Entry(
        told.originator_id, told.originator_version, told.source, told.id, told.by, told.recorded_at, told.nonce,
        _READERS[type(told)](vars(told)), 2,
    )  # fmt: skip


class StockLedger(Application[str]):
    """A stock application over its stock recorder."""

    log_section_size = SECTION

    def register_transcodings(self, transcoder: JSONTranscoder) -> None:
        super().register_transcodings(transcoder)
        transcoder.register(DateAsISO())


def open_stock(path: Path) -> StockLedger:
    """A stock application over an SQLite file, created if it is not there."""
    return StockLedger(_settings(path, "text"))


def _settings(path: Path, ids: str) -> dict[str, str]:
    return {"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(path), "ORIGINATOR_ID_TYPE": ids}


def set_synchronous(app: Application[Any], value: str) -> int:
    """Set it on the application's connections (one thread uses one); what is in force afterwards."""
    with app.recorder.datastore.get_connection(commit=True) as connection:
        connection._sqlite_conn.execute(f"PRAGMA synchronous = {value}")
    return synchronous_of(app)


def synchronous_of(app: Application[Any]) -> int:
    """The setting in force: 1 is NORMAL, 2 is FULL."""
    with app.recorder.datastore.get_connection(commit=True) as connection:
        return int(connection._sqlite_conn.execute("PRAGMA synchronous").fetchone()[0])


def stored_of(entry: Entry) -> StoredEvent:
    """Our own stored form, ready to insert: so that the stock recorder alone is measured."""
    return StoredEvent(entry.episode, entry.version, TAGS[type(entry.fact)], encode(entry))


class StockEpisode(Aggregate):
    """An episode in the library's textbook style."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.known: dict[str, int] = {}

    @staticmethod
    def create_id(name: str) -> UUID:
        return uuid5(NAMESPACE_URL, name)

    @event("FactRecorded")
    def record(self, source: str, key: str, by: str, recorded_at: str, nonce: str, fact: dict[str, Any]) -> None:
        """Every fact by one method: its own bookkeeping is the identity of the entry."""
        self.known[f"{source}:{key}"] = self.version


class StockEpisodes(Application[UUID]):
    """The application of those aggregates."""


def open_aggregates(path: Path) -> StockEpisodes:
    """An application of aggregates over an SQLite file."""
    return StockEpisodes(_settings(path, "uuid"))


Rows = list[tuple[str, float, int]]


def prepare(ledger: str, subset: str, stock: str, most: int) -> tuple[Rows, dict[str, Any]]:
    """Task: whole patients of the ledger, in recorded order, into a small ledger and into a stock application."""
    from ledger.store import open_ledger
    from projections.reading.cohorts import cohorts_of

    with open_ledger(ledger, create=False) as opened:
        chosen, entries = _first_patients(cohorts_of(opened.extents(opened.position())), most)
        passing = (entry for _, entry in opened.follow(0) if entry.episode in chosen)
        taken = list(islice(passing, entries))
        pairs = [(patient, episode) for episode in sorted(chosen) for patient in opened.patients_of(episode)]
    with open_ledger(subset, create=True) as small, open_stock(Path(stock)) as app:
        small.append(taken, pairs)
        told = list(map(event_of, taken))
        assert list(map(entry_of, told)) == taken
        for start in range(0, len(told), SECTION):
            app.events.put(told[start : start + SECTION])
    return [], {"entries": entries}


def _first_patients(cohorts: Iterable[Any], most: int) -> tuple[set[str], int]:
    episodes: set[str] = set()
    entries = 0
    for one in cohorts:
        if episodes and entries + one.entries > most:
            break
        episodes.update(one.episodes)
        entries += one.entries
    return episodes, entries


def judged_from(source: str, stock: str, subset: str, book: str, scratch: str, key: str) -> tuple[Rows, dict[str, Any]]:
    """Task: our build, its entries taken from where ``source`` says: the same judge, writer, digests and index."""
    import tempfile

    from benchmark.reading import timed_build
    from projections.rebuild import part

    with open_stock(Path(stock)) as app, tempfile.TemporaryDirectory(dir=scratch) as folder:
        app.recorder.max_notification_id()  # the connection is made before the clock starts
        if source != "ours":
            read = {"log": _from_log, "repository": _from_repository}[source](app)
            part.complete_together = lambda ledger, cohorts, *_: together(read(cohorts))  # type: ignore[assignment]
        seconds, entries, fingerprints = timed_build(subset, book, Path(folder) / "built.db", 1)
    return [(key, seconds, entries)], {"fingerprints": fingerprints}


Read = Callable[[Sequence[Cohort]], Iterator[tuple[ByEpisode, int]]]
"""The entries of each cohort, as our build takes them: as if their texts were short."""


def _from_log(app: StockLedger) -> Read:
    def read(cohorts: Sequence[Cohort]) -> Iterator[tuple[ByEpisode, int]]:
        followed = by_episode(_followed(app))
        for one in cohorts:
            yield {episode: followed.pop(episode) for episode in one.episodes}, 0

    return read


def _followed(app: StockLedger) -> Iterator[Entry]:
    start = 1
    while section := app.notification_log.select(start, SECTION):
        yield from (entry_of(app.mapper.to_domain_event(notification)) for notification in section)
        start = section[-1].id + 1


def _from_repository(app: StockLedger) -> Read:
    def entries(_: Any, told: Iterable[Told]) -> list[Entry]:
        return list(map(entry_of, told))

    def read(cohorts: Sequence[Cohort]) -> Iterator[tuple[ByEpisode, int]]:
        for one in cohorts:
            yield {episode: app.repository.get(episode, projector_func=entries) for episode in one.episodes}, 0

    return read
