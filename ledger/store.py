"""The ledger as an application of the event store: entries in, entries out, nothing decided here.

Entries are mapped by a closed table of tags, never by import paths, and what is read must agree with the columns it
stands under. The process's environment is not consulted: settings are ours, and the recorder reads them back.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final, cast

from eventsourcing.application import Application, Repository
from eventsourcing.persistence import (
    ApplicationRecorder,
    EventStore,
    InfrastructureFactory,
    Mapper,
    RecordConflictError,
    StoredEvent,
)
from eventsourcing.utils import Environment, EnvType

from ledger.administration import stored_acts
from ledger.facts.administration import HOUSE, HouseAct, PatientForgotten
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.stored import JoinedEntries, StoredRow, in_order, read_row, read_stored
from ledger.keys.cipher import MasterKey, WrappedKey
from ledger.merging import MergedPatients
from ledger.recorders import Forgotten, NoLedger, StoreError, WrongPath
from ledger.recorders.by_name.naming import in_postgres, postgres_module
from ledger.recorders.encrypted import EncryptedRecorder, opened_with
from ledger.recorders.mapping import EntryMapper, EntryStore, EpisodeRepository, NotOffered
from ledger.recorders.protocol import FEW, Entries, StoredEntries
from ledger.recorders.reading_back import read_back
from ledger.recorders.sqlite.recorder import LedgerFactory

__all__ = [
    "FEW", "EpisodeLedger", "Forgotten", "NoLedger", "RecordConflictError", "StoreError", "UnreadableEntry",
    "WrongPath", "in_postgres", "open_ledger",
]  # fmt: skip

LOG_SECTION_ENTRIES: Final = 10_000
EPISODES_AT_ONCE: Final = 100
LARGE_BYTES: Final = 8 * 2**20
_LARGEST: Final = 2**63 - 1
LEDGER_URL: Final = "LEDGER_URL"
"""The setting that names a ledger in PostgreSQL."""


class EpisodeLedger(MergedPatients, Application[str]):
    """Every entry of every episode, append-only, in the order it was recorded.

    The library's ``save``, ``events``, ``repository`` and ``notification_log`` work on it, encrypted or not: what goes
    in takes the way of ``append``, what was forgotten is passed over, or ``Forgotten`` where it is asked for by name.
    """

    name = "EpisodeLedger"
    log_section_size = LOG_SECTION_ENTRIES

    log = NotOffered("the notification log has its long name")
    take_snapshot = NotOffered("what is made from entries can be made again, and a snapshot would outlive forgetting")

    def __init__(self, env: EnvType, master: MasterKey | None = None) -> None:
        self._master = master
        super().__init__(env)

    def construct_env(self, name: str, env: EnvType | None = None) -> Environment:
        """Our settings and nothing from the process's environment, which would override them."""
        return Environment(name, dict(env or {}))

    def construct_factory(self, env: Environment) -> InfrastructureFactory[Any]:
        """The factory of the recorder for this database."""
        if LEDGER_URL not in env:
            return LedgerFactory(env)
        factory: InfrastructureFactory[Any] = postgres_module("recorder").LedgerFactory(env)
        return factory

    def construct_mapper(self) -> Mapper[str]:
        """The mapper of entries."""
        return EntryMapper()

    def construct_recorder(self) -> ApplicationRecorder:
        """The recorder, with the master key around it where entries are encrypted; to the ledger it is its entries."""
        try:
            recorder = opened_with(cast(StoredEntries, self.factory.application_recorder()), self._master)
        except BaseException:
            self.factory.close()
            raise
        self._entries: Entries = recorder
        return cast(ApplicationRecorder, recorder)

    def construct_event_store(self) -> EventStore[str]:
        """The library's event store, over the one way in."""
        return EntryStore(self.mapper, self.recorder, self._insert)

    def construct_repository(self) -> Repository[str]:
        """Episodes made from their entries; none is held between calls."""
        return EpisodeRepository(self.events)

    @property
    def id(self) -> str:
        """The ledger's own name, drawn at random when it was created."""
        if found := self._entries.about().get("id"):
            return found
        raise StoreError("the ledger is damaged: it does not say which one it is")

    @property
    def made(self) -> bool:
        """Whether it was made when it was opened: there was none before."""
        return isinstance(self.factory, LedgerFactory) and self.factory.datastore.made

    @property
    def encrypted(self) -> bool:
        """Whether its entries are encrypted, so that patients can be forgotten."""
        return isinstance(self._entries, EncryptedRecorder)

    def settings(self) -> dict[str, str]:
        """The engine's settings in force, read back from it."""
        return self._entries.settings()

    def append(
        self,
        entries: Sequence[Entry],
        patients: Iterable[tuple[str, str]] = (),
        acts: Sequence[HouseAct] = (),
        after_act: int | None = None,
    ) -> list[int]:
        """Record entries, (patient, episode) pairs they name, and acts of the house, in one transaction; gives the
        positions of the entries, then of the acts.

        ``after_act`` is how many acts there were when these were decided on; without it, there may be any.
        ``RecordConflictError`` if another writer recorded one of these versions meanwhile, ``StoreError`` if the store
        failed: then nothing was recorded. ``Unknown`` if it cannot be told.
        """
        stored = [*map(self.mapper.to_stored_event, entries)]
        if acts:
            stored += stored_acts(acts, self.count_of_acts() if after_act is None else after_act)
        return self._insert(stored, patients)

    def _insert(
        self, stored: Sequence[StoredEvent], patients: Iterable[tuple[str, str]] = (), **more: Any
    ) -> list[int]:
        """The one way in, for entries and acts."""
        _assert_contiguous(stored)
        try:
            return list(self._entries.insert_events(stored, patients=patients, **more) or ())
        except StoreError as error:
            return read_back(self._entries, stored, error)

    def entries_of(self, episode: str, after_version: int = 0, upto: int | None = None) -> list[Entry]:
        """An episode's entries in order: those after a version, up to a position."""
        return list(in_order([*map(read_row, self._entries.rows_of([episode], after_version, upto))], after_version))

    def entries_of_all(self, episodes: Iterable[str]) -> Iterator[Entry]:
        """The entries of several episodes, each episode's in order, a group of episodes read at a time; where these are
        large, a page of entries."""
        remaining = iter(episodes)
        while group := list(islice(remaining, EPISODES_AT_ONCE)):
            if self.text_bytes(group) < LARGE_BYTES:
                yield from in_order(list(map(read_row, self._entries.rows_of(group))))
                continue
            gone = self.forgotten()
            for name in group:
                if name not in gone:
                    yield from in_order(cast("Iterator[Entry]", self.events.get(name)))

    def text_bytes(self, episodes: Sequence[str], upto: int | None = None, few: int = FEW) -> int:
        """How many bytes the texts of these episodes have, about; 0 where there are so few that nobody needs to ask."""
        return self._entries.text_bytes(episodes, _LARGEST if upto is None else upto, few)

    def joined(
        self, episodes: Sequence[str], upto: int | None = None, without: Collection[str] = ()
    ) -> list[JoinedEntries]:
        """These episodes up to a position, each as one row, undecoded, in any order; without the texts of some tags."""
        return self._entries.joined(episodes, _LARGEST if upto is None else upto, without)

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and last version, by position."""
        found = self._entries.extents(upto)
        together = self.names_together()
        return found + [
            (episode, other, first, last)
            for episode, patient, first, last in (found if together else ())
            for other in together.get(patient, frozenset()) - {patient}
        ]

    def entries_at(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Entry]:
        """The entries at these places (episode, version), as far as they exist."""
        return {(row[1], row[2]): read_row(row) for row in self._entries.rows_at(places)}

    def positions_of(self, entries: Sequence[Entry]) -> list[int] | None:
        """The positions of these very entries, or None if not all of them stand in the ledger."""
        rows = {(row[1], row[2]): row for row in self._entries.rows_at((e.episode, e.version) for e in entries)}
        found = [(rows.get((entry.episode, entry.version)), entry) for entry in entries]
        positions = [row[0] for row, entry in found if row is not None and _is_of(row, entry)]
        return positions if len(positions) == len(entries) else None

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """Stored rows (position, episode, version, tag, text) after a position, undecoded; for bulk readers."""
        return self._entries.scan(after, upto)

    def follow(self, after: int, upto: int | None = None) -> Iterator[tuple[int, Entry]]:
        """Entries with their positions, after a position, in the order they were recorded."""
        for position, episode, version, tag, text in self._entries.scan(after, upto):
            yield position, read_stored(episode, version, tag, text, position)

    def position(self) -> int:
        """The position of the last entry; 0 in an empty ledger."""
        return self._entries.max_position()

    def seal_at(self, position: int) -> str:
        """The seal of the entry at a position, in hex: it stands for everything up to there. Empty before the first."""
        return self._entries.seal_at(position).hex()

    def count_of_unjudged(self, upto: int) -> int:
        """How many of the positions up to one are acts of the house, or entries that were forgotten."""
        return sum(self._entries.count_of(name, upto) for name in (HOUSE, *self.forgotten()))

    def refuse_forgotten(self, episode: str) -> None:
        """Forgotten if this episode was forgotten with its patient: there is nothing to say of it."""
        if act := self.forgotten().get(episode):
            raise Forgotten(episode, act.forgotten_at)

    def forgotten(self) -> Mapping[str, PatientForgotten]:
        """The episodes that were forgotten with their patients, each with the act that did it."""
        return self._entries.forgotten() if isinstance(self._entries, EncryptedRecorder) else {}

    def keys_of(self, episodes: Iterable[str]) -> list[WrappedKey]:
        """The keys that an encrypted ledger keeps of these episodes, wrapped."""
        return self._entries.keys_of(episodes)

    def scrub(self) -> bool:
        """See to it that nothing of a destroyed key is left in the database's own files; whether that was possible."""
        return self._entries.scrub()

    def versions_since(self, after: int) -> list[tuple[str, int]]:
        """The episodes with entries after a position, each with its last version."""
        return self._entries.versions(after)

    def versions_without(self, tags: Collection[str], upto: int) -> dict[str, list[int]]:
        """The versions of the entries up to a position that have other tags than these, by episode."""
        found = self._entries.versions_without(tags, upto)
        return {episode: sorted(map(int, versions.split(","))) for episode, versions in found}

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that the episode's openings, or corrections of them, ever named, or who was merged with one."""
        return sorted({other for name in self._entries.patients_of(episode) for other in self.names_of(name)})

    def patients_since(self, after: int, upto: int | None = None) -> set[str]:
        """Every patient of the episodes that have entries after a position, up to another or the last; and those who
        were merged or parted meanwhile."""
        head = self.position() if upto is None else upto
        found = self._entries.patients_between(after, head)
        meanwhile = self.merge_entries(head)[len(self.merge_entries(after)) :]
        found |= {entry.fact.patient for entry in meanwhile}  # type: ignore[union-attr]
        together = self.names_together()
        return found.union(*(together[name] for name in found & together.keys()))

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that ever named this patient, or one who was merged with them."""
        return sorted({episode for name in self.names_of(patient) for episode in self._entries.episodes_of(name)})


def _is_of(row: StoredRow, entry: Entry) -> bool:
    """Whether an entry stands in a row; an act of the house is known by its place alone."""
    return entry.episode == HOUSE or read_row(row) == entry


def _assert_contiguous(stored: Sequence[StoredEvent]) -> None:
    last: dict[Any, int] = {}
    for each in stored:
        episode, version = each.originator_id, each.originator_version
        assert version == last.get(episode, version - 1) + 1, "versions of an episode without a gap"
        last[episode] = version


def open_ledger(
    path: str | os.PathLike[str], *, create: bool, master: MasterKey | None = None, mapped_mb: int = 0
) -> EpisodeLedger:
    """The ledger at a path, as a context manager; made if it does not exist and ``create`` is set.

    A ``postgresql://`` URL names a ledger that migrating has made: it is never made here. With a master key the ledger
    is, or is made, encrypted; MasterKeyError if it is not, or is under another one, or the key is missing.
    Of a file ``mapped_mb`` are read as mapped memory, faster; a failing disk then ends the process.
    """
    name = os.fspath(path)
    if in_postgres(name):
        return EpisodeLedger({LedgerFactory.ORIGINATOR_ID_TYPE: "text", LEDGER_URL: name}, master)
    return EpisodeLedger(file_settings(name, create=create, master=master, mapped_mb=mapped_mb), master)


def file_settings(name: str, *, create: bool, master: MasterKey | None, mapped_mb: int = 0) -> dict[str, str]:
    """With what settings the ledger in a file is opened."""
    return {
        LedgerFactory.ORIGINATOR_ID_TYPE: "text",
        LedgerFactory.SQLITE_DBNAME: name, LedgerFactory.CREATE_TABLE: "yes" if create else "no",
        LedgerFactory.MASTER_KEY: master.id if master else "",
        LedgerFactory.MAPPED_MB: str(mapped_mb),
    }  # fmt: skip
