"""A recorder around a recorder: entries in the open to whoever has the master key, in envelopes to the database.

It stands between the ledger and the recorder of a file or of PostgreSQL, and is that recorder to the event store
library. Whatever is written is enclosed under the key of its episode, whatever is read is opened again. The entries of
a forgotten episode are passed over where many are read, because an act in the ledger says so, and told where they are
asked for by name; a key that is missing without such an act is damage.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, Final

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent

from ledger.facts.administration import PatientForgotten
from ledger.facts.stored import JoinedEntries, StoredRow
from ledger.keys.cipher import MasterKey, MasterKeyError, WrappedKey
from ledger.keys.keyring import WRONG_KEY
from ledger.recorders.envelopes import Envelopes
from ledger.recorders.mapping import ReadByPosition
from ledger.recorders.protocol import FEW, StoredEntries

ROWS_AT_ONCE: Final = 500


def opened_with(inner: StoredEntries, master: MasterKey | None) -> StoredEntries:
    """The recorder of a ledger, around it what opens it if it is encrypted; MasterKeyError if the key does not fit."""
    page = inner.page_when_opened()
    refuse_other_key(page, master.id if master else None)
    return EncryptedRecorder(inner, page.get("id", ""), master) if master else inner


def refuse_other_key(page: Mapping[str, str], named: str | None) -> None:
    """MasterKeyError unless the key with this id is what a ledger that says this of itself is under; None is no key."""
    under = page.get("master_key")
    if under is None and named is not None:
        raise MasterKeyError(
            "a master key is named, but this ledger is not encrypted",
            "leave the key out, or record into a new ledger: what is recorded is never encrypted afterwards",
        )
    if under is not None and named is None:
        raise MasterKeyError("this ledger is encrypted", "name its master key with --master-key FILE")
    if under != named:
        raise MasterKeyError(WRONG_KEY, "name the right one with --master-key FILE")


class EncryptedRecorder(ReadByPosition):
    """The recorder of an encrypted ledger."""

    def __init__(self, inner: StoredEntries, ledger: str, master: MasterKey) -> None:
        self._inner = inner
        self._envelopes = Envelopes(inner, ledger, master)

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, patients: Iterable[tuple[str, str]] = (), **more: Any
    ) -> Sequence[int] | None:
        """Append entries, each enclosed under its episode's key, which is drawn with the first of them."""
        enclosed, new = self._envelopes.enclosed(stored_events)
        hidden = [(self._envelopes.hide_name(patient), episode) for patient, episode in patients]
        try:
            return self._inner.insert_events(enclosed, patients=hidden, keys=new, **more)
        except IntegrityError:
            self._envelopes.look_again()
            raise

    def select_events(
        self, originator_id: Any, *, gt: int | None = None, lte: int | None = None, desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:  # fmt: skip
        """An episode's stored events; Forgotten if it was forgotten with its patient."""
        found = self._inner.select_events(originator_id, gt=gt, lte=lte, desc=desc, limit=limit)
        self._envelopes.look_again()
        return self._envelopes.opened_events(found)

    def select_notifications(
        self, start: int | None, limit: int, stop: int | None = None, topics: Sequence[str] = (), *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:  # fmt: skip
        """Entries in the order of their positions, as the library's notifications, but for those that were forgotten.

        As many as were asked for, if there are: whoever gets fewer has come to the end.
        """
        self._envelopes.look_again()
        after = 0 if start is None else start - int(inclusive_of_start)
        found = list[Notification]()
        while len(found) < limit:
            page = self._inner.select_notifications(after, limit, stop, topics, inclusive_of_start=False)
            found += self._envelopes.remembered_events(page)
            if len(page) < limit:
                break
            after = page[-1].id
        return self._envelopes.opened_events(found[:limit])

    def max_notification_id(self) -> int | None:
        """The position of the last entry, if there is one."""
        return self._inner.max_notification_id()

    def forgettings(self) -> list[tuple[int, PatientForgotten]]:
        """Every act by which a patient was forgotten, with its position, in order."""
        return self._envelopes.forgettings()

    def forgotten(self) -> Mapping[str, PatientForgotten]:
        """The episodes that were forgotten, each with the act that did it, as of now."""
        self._envelopes.look_again()
        return self._envelopes.forgotten

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """Entries after a position, in order, but for those that were forgotten."""
        self._envelopes.look_again()
        rows = self._inner.scan(after, upto)
        while page := list(islice(rows, ROWS_AT_ONCE)):
            yield from self._envelopes.opened(self._envelopes.remembered(page))

    def joined(self, episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        """These episodes up to a position, each as one row, but for those that were forgotten.

        An entry that does not open has no text, which nobody can read: which one it is is found out one by one. What is
        left out stays closed.
        """
        self._envelopes.look_again()
        rows = self._envelopes.remembered(self._inner.rows_of(episodes, 0, upto))
        return [self._one_row(name, list(entries), without) for name, entries in groupby(rows, itemgetter(1))]

    def _one_row(self, episode: str, rows: Sequence[StoredRow], without: Collection[str]) -> JoinedEntries:
        texts = self._envelopes.texts([row for row in rows if row[3] not in without])
        tags = ",".join(str(row[3]) for row in rows)
        return JoinedEntries(episode, len(rows), rows[-1][2], tags, ",".join(texts))

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[StoredRow]:
        """The entries at these places (episode, version), as far as they exist."""
        return self._opened(self._inner.rows_at(places, settled_within))

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        """The entries of these episodes, each episode's in the order of versions, up to a position."""
        return self._opened(self._inner.rows_of(episodes, after_version, upto))

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        """The entries of an episode that have one of these tags, after a version, in the order of versions."""
        return self._opened(self._inner.rows_of_kinds(episode, tags, after_version))

    def _opened(self, rows: Sequence[StoredRow]) -> list[StoredRow]:
        """Rows that were asked for by name, opened with what is known of their episodes after they were read."""
        self._envelopes.look_again()
        return list(self._envelopes.opened(rows))

    def versions(self, after: int) -> list[tuple[str, int]]:
        """Each episode with entries after a position, with its last version, but for those that were forgotten."""
        gone = self.forgotten()
        return [found for found in self._inner.versions(after) if found[0] not in gone]

    def versions_without(self, tags: Collection[str], upto: int) -> list[tuple[str, str]]:
        """Each episode that has entries up to a position with other tags than these, and their versions, but for
        those that were forgotten."""
        gone = self.forgotten()
        return [found for found in self._inner.versions_without(tags, upto) if found[0] not in gone]

    def count_of(self, episode: str, upto: int) -> int:
        """How many entries an episode has up to a position."""
        return self._inner.count_of(episode, upto)

    def text_bytes(self, episodes: Sequence[str], upto: int, few: int = FEW) -> int:
        """How many bytes the envelopes of these episodes have, which are some more than what is in them; 0 where there
        are few."""
        return self._inner.text_bytes(episodes, upto, few)

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and its last version up to one."""
        name_of = self._envelopes.name_of
        found = [(episode, name_of(hidden), first, last) for episode, hidden, first, last in self._inner.extents(upto)]
        return sorted(found, key=lambda extent: (extent[2], extent[1]))

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that ever named this patient."""
        return self._inner.episodes_of(self._envelopes.hide_name(patient))

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that this episode ever named."""
        return sorted(map(self._envelopes.name_of, self._inner.patients_of(episode)))

    def patients_between(self, after: int, upto: int) -> set[str]:
        """Every patient of the episodes that have entries after a position, up to another."""
        return set(map(self._envelopes.name_of, self._inner.patients_between(after, upto)))

    def keys_of(self, episodes: Iterable[str]) -> list[WrappedKey]:
        """The keys that the ledger keeps of these episodes."""
        return self._inner.keys_of(episodes)

    def scrub(self) -> bool:
        """See to it that nothing of a destroyed key is left in the database's own files; whether that was possible."""
        return self._inner.scrub()

    def max_position(self) -> int:
        """The position of the last entry, 0 in an empty ledger."""
        return self._inner.max_position()

    def seal_at(self, position: int) -> bytes:
        """The seal of the entry at a position; empty where there is none."""
        return self._inner.seal_at(position)

    def page_when_opened(self) -> dict[str, str]:
        """What the ledger said of itself when it was opened."""
        return self._inner.page_when_opened()

    def about(self) -> dict[str, str]:
        """What the ledger says of itself: its id, format and time of creation."""
        return self._inner.about()

    def settings(self) -> dict[str, str]:
        """The settings of the engine in force, and how entries are encrypted."""
        return self._inner.settings() | {"entries": "AES-256-GCM, a key for each episode"}
