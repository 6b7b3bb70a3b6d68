"""What encrypts the entries of one ledger and opens them again, and knows which episodes were forgotten.

Keys are held between calls. Somebody else may destroy one meanwhile, and does so with an act of the house: their number
is looked at first, and when it has changed nothing that was held is used any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeVar

from eventsourcing.persistence import IntegrityError, Notification, StoredEvent

from ledger.facts.administration import HOUSE, PatientForgotten, decode_act
from ledger.facts.entry import UnreadableEntry
from ledger.facts.stored import StoredRow
from ledger.keys.cipher import EntryKey, MasterKey, Unopened, WrappedKey
from ledger.keys.envelope import enclose
from ledger.keys.keyring import Keyring
from ledger.recorders import Forgotten, StoreError, hidden_lines, hidden_names
from ledger.recorders.protocol import Entries

_LARGEST: Final = 2**63 - 1
_Keys = Mapping[str, EntryKey]
_Stored = TypeVar("_Stored", bound=StoredEvent)


class Envelopes:
    """The envelopes of one encrypted ledger, to whoever has its master key."""

    def __init__(self, stored: Entries, ledger: str, master: MasterKey) -> None:
        self._stored, self._ledger = stored, ledger
        self._keys = Keyring(master, ledger, stored.keys_of)
        self._acts: int | None = None
        self.look_again()

    def look_again(self) -> None:
        """If there is another act of the house, let go of the keys that are held, and read who was forgotten."""
        acts = self._stored.count_of(HOUSE, _LARGEST)
        if acts != self._acts:
            self._keys.let_go()
            self._forgotten = {episode: act for _, act in self.forgettings() for episode in act.episodes}
            self._acts = acts

    def forgettings(self) -> list[tuple[int, PatientForgotten]]:
        """Every act by which a patient was forgotten, with its position, in order."""
        rows = self._stored.rows_of_kinds(HOUSE, hidden_lines.KEEPING)
        acts = [(at, decode_act(self._act(version, tag, text, at))) for at, _, version, tag, text in rows]
        return [(position, act) for position, act in acts if isinstance(act, PatientForgotten)]

    @property
    def forgotten(self) -> Mapping[str, PatientForgotten]:
        """The episodes that were forgotten when last looked, each with the act that did it."""
        return self._forgotten

    def enclosed(self, stored_events: Sequence[StoredEvent]) -> tuple[list[StoredEvent], list[WrappedKey]]:
        """Entries in envelopes, each under its episode's key, and the keys drawn for the episodes that begin."""
        keys, new = self._keys_for(stored_events)
        return [self._enclosed(each, keys) for each in stored_events], new

    def _keys_for(self, stored_events: Sequence[StoredEvent]) -> tuple[_Keys, list[WrappedKey]]:
        """The key of each episode, and those of them that are new."""
        begun = [str(each.originator_id) for each in stored_events if each.originator_version == 1]
        episodes = {str(each.originator_id) for each in stored_events} - {HOUSE}
        drawn = [self._keys.new_key(episode) for episode in begun if episode in episodes]
        new = {kept.episode: key for key, kept in drawn}
        keys = self._keys.keys_of(episodes - new.keys()) | new
        if keys.keys() != episodes:
            raise IntegrityError("an episode was forgotten meanwhile, or its key is missing")
        return keys, [kept for _, kept in drawn]

    def _enclosed(self, stored: StoredEvent, keys: _Keys) -> StoredEvent:
        episode, version, tag = str(stored.originator_id), stored.originator_version, stored.topic
        if episode == HOUSE:
            return self._hidden_act(stored)
        text = enclose(keys[episode], self._ledger, episode, version, tag, stored.state)
        return StoredEvent(episode, version, tag, text)

    def _hidden_act(self, stored: StoredEvent) -> StoredEvent:
        """An act of the house, in the open but for the names of patients in it, and for what it keeps of one."""
        version, text = stored.originator_version, stored.state
        if stored.topic in hidden_lines.KEEPING:
            return replace(stored, state=hidden_lines.hide(self._keys.house_key, self._ledger, version, text))
        if stored.topic not in hidden_names.NAMING:
            return stored
        try:
            act = hidden_names.hide(self._ledger, version, text, self._episodes_of, self._keys.keys_of)
        except Unopened:
            raise IntegrityError("a patient was forgotten meanwhile, or no episode is theirs") from None
        return replace(stored, state=act)

    def _act(self, version: int, tag: str, text: str, position: int | None) -> str:
        """The text of an act of the house, with what it keeps, and the names in it; none where a patient was
        forgotten."""
        try:
            if tag in hidden_lines.KEEPING:
                return hidden_lines.show(self._keys.house_key, self._ledger, version, text).decode()
            if tag not in hidden_names.NAMING:
                return text
            return hidden_names.show(self._ledger, version, text, self._forgotten, self._keys.keys_of).decode()
        except Unopened:
            raise UnreadableEntry(HOUSE, version, position) from None

    def _episodes_of(self, patient: str) -> Sequence[str]:
        return self._stored.episodes_of(self.hide_name(patient))

    def remembered(self, rows: Sequence[StoredRow]) -> list[StoredRow]:
        """The rows without those of forgotten episodes; one whose key is missing for no reason stays, to be told."""
        names = self._remembered({row[1] for row in rows})
        return [row for row in rows if row[1] in names]

    def remembered_events(self, events: Sequence[_Stored]) -> list[_Stored]:
        """The same of the library's stored events."""
        names = self._remembered({str(each.originator_id) for each in events})
        return [each for each in events if str(each.originator_id) in names]

    def _remembered(self, episodes: set[str]) -> set[str]:
        keys = self._keys_of(episodes)
        if any(name not in keys and name not in self._forgotten for name in episodes):
            self.look_again()
        return episodes - self._forgotten.keys()

    def opened(self, rows: Sequence[StoredRow]) -> Iterator[StoredRow]:
        """Rows with the texts that were told; Forgotten at the first whose key went with its patient."""
        keys = self._keys_of({row[1] for row in rows})
        for position, episode, version, tag, text in rows:
            if episode == HOUSE:
                yield position, episode, version, tag, self._act(version, tag, text, position)
                continue
            told = self._opened_text(keys, episode, version, tag, text, position)
            yield position, episode, version, tag, told.decode("utf-8", "surrogateescape")

    def opened_events(self, events: Sequence[_Stored]) -> list[_Stored]:
        """The same of the library's stored events."""
        keys = self._keys_of({str(each.originator_id) for each in events})
        return [self._opened_event(each, keys) for each in events]

    def _opened_event(self, stored: _Stored, keys: _Keys) -> _Stored:
        episode, position = str(stored.originator_id), stored.id if isinstance(stored, Notification) else None
        if episode == HOUSE:
            act = self._act(stored.originator_version, stored.topic, stored.state.decode(), position)
            return replace(stored, state=act.encode())
        told = self._opened_text(keys, episode, stored.originator_version, stored.topic, stored.state, position)
        return replace(stored, state=told)

    def texts(self, rows: Sequence[StoredRow]) -> list[str]:
        """The texts that were told; none, which nobody can read, for one that does not open: others say whose it is."""
        keys = self._keys_of({row[1] for row in rows})
        return [self._text_or_nothing(keys.get(row[1]), row) for row in rows]

    def _text_or_nothing(self, key: EntryKey | None, row: StoredRow) -> str:
        try:
            return self._keys.open(key, *row[1:]).decode() if key else ""
        except (Unopened, UnicodeError):
            return ""

    def _opened_text(
        self, keys: _Keys, episode: str, version: int, tag: str, text: bytes | str, position: int | None
    ) -> bytes:
        """The text that was told, out of its envelope."""
        if episode not in keys:
            raise self._why_closed(episode, version, position)
        try:
            return self._keys.open(keys[episode], episode, version, tag, text)
        except Unopened:
            raise UnreadableEntry(episode, version, position) from None

    def _why_closed(self, episode: str, version: int, position: int | None) -> Exception:
        self.look_again()
        if episode in self._forgotten:
            return Forgotten(episode, self._forgotten[episode].forgotten_at)
        return UnreadableEntry(episode, version, position)

    def _keys_of(self, episodes: set[str]) -> _Keys:
        return self._keys.keys_of(episodes - {HOUSE})

    def hide_name(self, name: str) -> str:
        """A patient's name as this ledger keeps it."""
        return self._keys.hide_name(name)

    def name_of(self, hidden: str) -> str:
        """A patient's name again."""
        try:
            return self._keys.show_name(hidden)
        except Unopened:
            raise StoreError("the table of patients was changed: a name in it cannot be opened") from None
