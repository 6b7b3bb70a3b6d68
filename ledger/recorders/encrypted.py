"""An encrypted ledger's entries: in the open to whoever has the master key, in envelopes to the database.

It stands between the ledger and any recorder. Whatever is written is enclosed under the key of its episode, whatever is
read is opened again. The entries of a forgotten episode are passed over where many are read, because an act in the
ledger says so, and told where they are asked for by name; a key that is missing without such an act is damage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger.facts.administration import HOUSE, PatientForgotten, decode_act
from ledger.facts.entry import UnreadableEntry
from ledger.facts.stored import Row
from ledger.keys.cipher import EntryKey, MasterKey, MasterKeyError, Unopened, WrappedKey
from ledger.keys.envelope import enclose
from ledger.keys.keyring import WRONG_KEY, Keyring
from ledger.recorders import Forgotten, StoreError
from ledger.recorders.protocol import Entries

ROWS_AT_ONCE: Final = 500


def opened_with(inner: Entries, master: MasterKey | None) -> Entries:
    """The entries of a ledger, opened with its master key if they are encrypted; MasterKeyError if it does not fit."""
    page = inner.page_when_opened()
    refuse_other_key(page, master.id if master else None)
    return EncryptedEntries(inner, page.get("id", ""), master) if master else inner


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


class EncryptedEntries:
    """The entries of an encrypted ledger, as the ledger asks for them."""

    def __init__(self, inner: Entries, ledger: str, master: MasterKey) -> None:
        self._inner, self._ledger = inner, ledger
        self._keys = Keyring(master, self._ledger, inner.keys_of)
        self._forgotten = self._read_forgotten()

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, patients: Iterable[tuple[str, str]] = (), **more: Any
    ) -> Sequence[int] | None:
        """Append entries, each enclosed under its episode's key, which is drawn with the first of them."""
        keys, new = self._keys_for(stored_events)
        hidden = [(self._keys.hide_name(patient), episode) for patient, episode in patients]
        try:
            return self._inner.insert_events(
                [self._enclosed(each, keys) for each in stored_events], patients=hidden, keys=new, **more
            )
        except IntegrityError:
            self._look_again()
            raise

    def _keys_for(self, stored_events: Sequence[StoredEvent]) -> tuple[Mapping[str, EntryKey], list[WrappedKey]]:
        """The key of each episode, and those of them that are new."""
        begun = [str(each.originator_id) for each in stored_events if each.originator_version == 1]
        episodes = {str(each.originator_id) for each in stored_events} - {HOUSE}
        drawn = [self._keys.new_key(episode) for episode in begun if episode in episodes]
        new = {kept.episode: key for key, kept in drawn}
        keys = self._keys.keys_of(episodes - new.keys()) | new
        if keys.keys() != episodes:
            self._look_again()
            raise IntegrityError("an episode was forgotten meanwhile, or its key is missing")
        return keys, [kept for _, kept in drawn]

    def _enclosed(self, stored: StoredEvent, keys: Mapping[str, EntryKey]) -> StoredEvent:
        episode, version, tag = str(stored.originator_id), stored.originator_version, stored.topic
        if episode == HOUSE:
            return stored
        text = enclose(keys[episode], self._ledger, episode, version, tag, stored.state)
        return StoredEvent(episode, version, tag, text)

    def _opened(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Rows with the texts that were told; Forgotten at the first whose key went with its patient."""
        keys = self._keys_of(rows)
        for position, episode, version, tag, text in rows:
            if episode == HOUSE:
                yield position, episode, version, tag, text
                continue
            if episode not in keys:
                raise self._why_closed(episode, version, position)
            try:
                yield position, episode, version, tag, self._told(keys[episode], episode, version, tag, text)
            except Unopened:
                raise UnreadableEntry(episode, version, position) from None

    def _told(self, key: EntryKey, episode: str, version: int, tag: str, text: str) -> str:
        """The text that was told, out of its envelope; Unopened if it does not open."""
        try:
            return self._keys.open(key, episode, version, tag, text).decode()
        except UnicodeError:
            raise Unopened from None

    def _keys_of(self, rows: Sequence[Row]) -> Mapping[str, EntryKey]:
        return self._keys.keys_of({row[1] for row in rows if row[1] != HOUSE})

    def _why_closed(self, episode: str, version: int, position: int) -> Exception:
        self._look_again()
        if episode in self._forgotten:
            return Forgotten(episode, self._forgotten[episode].forgotten_at)
        return UnreadableEntry(episode, version, position)

    def _look_again(self) -> None:
        self._keys.let_go()
        self._forgotten = self._read_forgotten()

    def forgettings(self) -> list[tuple[int, PatientForgotten]]:
        """Every act by which a patient was forgotten, with its position, in order."""
        rows = [row for row in self._inner.rows_of([HOUSE]) if row[3] == PatientForgotten.__name__]
        acts = [(row[0], decode_act(row[4])) for row in rows]
        return [(position, act) for position, act in acts if isinstance(act, PatientForgotten)]

    def _read_forgotten(self) -> dict[str, PatientForgotten]:
        return {episode: act for _, act in self.forgettings() for episode in act.episodes}

    def forgotten(self) -> Mapping[str, PatientForgotten]:
        """The episodes that were forgotten, each with the act that did it, as of now."""
        self._forgotten = self._read_forgotten()
        return self._forgotten

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[Row]:
        """Entries after a position, in order, but for those that were forgotten."""
        rows = self._inner.scan(after, upto)
        while page := list(islice(rows, ROWS_AT_ONCE)):
            yield from self._opened(self._remembered(page))

    def _remembered(self, page: Sequence[Row]) -> list[Row]:
        """The rows of a page whose keys are there; one that is missing for no reason stays, to be told."""
        keys = self._keys_of(page)
        if any(row[1] not in keys and row[1] not in self._forgotten for row in page):
            self._look_again()
        return [row for row in page if row[1] not in self._forgotten]

    def pages(self, after: int, upto: int) -> Iterator[list[tuple[str, str, str]]]:
        """(episode, tag, text) of the entries after a position up to another, in order, a small page at a time.

        One that does not open has no text, which nobody can read: whose it is is found out one by one.
        """
        for start in range(after, upto, ROWS_AT_ONCE):
            rows = self._remembered(list(self._inner.scan(start, min(start + ROWS_AT_ONCE, upto))))
            keys = self._keys_of(rows)
            yield [(row[1], row[3], self._told_or_nothing(keys.get(row[1]), row)) for row in rows]

    def _told_or_nothing(self, key: EntryKey | None, row: Row) -> str:
        try:
            return self._told(key, *row[1:]) if key else ""
        except Unopened:
            return ""

    def rows_at(self, places: Iterable[tuple[str, int]], settled_within: float = 0) -> list[Row]:
        """The entries at these places (episode, version), as far as they exist."""
        return list(self._opened(self._inner.rows_at(places, settled_within)))

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[Row]:
        """The entries of these episodes, each episode's in the order of versions, up to a position."""
        return list(self._opened(self._inner.rows_of(episodes, after_version, upto)))

    def versions(self, after: int) -> list[tuple[str, int]]:
        """Each episode with entries after a position, with its last version, but for those that were forgotten."""
        return [found for found in self._inner.versions(after) if found[0] not in self._forgotten]

    def count_of(self, episode: str, upto: int) -> int:
        """How many entries an episode has up to a position."""
        return self._inner.count_of(episode, upto)

    def extents(self, upto: int) -> list[tuple[str, str, int, int]]:
        """Each (episode, patient it ever named) with the episode's first position and its last version up to one."""
        found = [(ep, self._name(hidden), first, last) for ep, hidden, first, last in self._inner.extents(upto)]
        return sorted(found, key=lambda extent: (extent[2], extent[1]))

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that ever named this patient."""
        return self._inner.episodes_of(self._keys.hide_name(patient))

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that this episode ever named."""
        return sorted(map(self._name, self._inner.patients_of(episode)))

    def patients_between(self, after: int, upto: int) -> set[str]:
        """Every patient of the episodes that have entries after a position, up to another."""
        return set(map(self._name, self._inner.patients_between(after, upto)))

    def _name(self, hidden: str) -> str:
        try:
            return self._keys.show_name(hidden)
        except Unopened:
            raise StoreError("the table of patients was changed: a name in it cannot be opened") from None

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

    def page(self) -> dict[str, str]:
        """What the ledger says of itself: its id, format and time of creation."""
        return self._inner.page()

    def settings(self) -> dict[str, str]:
        """The settings of the engine in force, and how entries are encrypted."""
        return self._inner.settings() | {"entries": "AES-256-GCM, a key for each episode"}
