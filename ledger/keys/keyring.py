"""The keys of one encrypted ledger, unwrapped as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property
from typing import Final, NamedTuple

from ledger.keys.cipher import EntryKey, MasterKey, MasterKeyError, Unopened, WrappedKey
from ledger.keys.envelope import open_envelope, read_envelope

KEYS_HELD: Final = 20_000

WRONG_KEY: Final = "that is not the master key this ledger was made with"
Fetch = Callable[[Collection[str]], Iterable[WrappedKey]]
"""Gives the keys that the ledger keeps of some episodes, as far as there are any."""
Open = Callable[[bytes, int, bytes, bytes], bytes | None]
"""Opens an encrypted entry by its columns and text; None if it has no key that opens, Unopened if it is another's."""


class Locks(NamedTuple):
    """What it takes to look into a ledger that is encrypted; without ``open``, envelopes are only held to columns.

    ``kept`` says whether there is a key of an episode.
    """

    kept: Callable[[str], bool]
    open: Open | None = None
    hide_name: Callable[[str], str] = str


def locks_of(page: Mapping[str, str], master: MasterKey | None, fetch: Fetch) -> Locks | None:
    """What it takes to look into a ledger that says this of itself: None if it is not encrypted.

    Without its master key envelopes stay closed; MasterKeyError if another one is named.
    """
    under = page.get("master_key")
    if under is None:
        return None

    def kept(episode: str) -> bool:
        return any(True for _ in fetch([episode]))

    if master is None:
        return Locks(kept)
    if master.id != under:
        raise MasterKeyError(WRONG_KEY, "name the right one with --master-key FILE")
    keyring = Keyring(master, page.get("id", ""), fetch)
    return Locks(kept, keyring.open_row, keyring.hide_name)


class Keyring:
    """Opens what a ledger stored, with the keys that it keeps; a bounded number of them is held."""

    def __init__(self, master: MasterKey, ledger: str, fetch: Fetch) -> None:
        self._master, self._ledger, self._fetch = master, ledger, fetch
        self._held: dict[str, EntryKey] = {}

    def keys_of(self, episodes: Collection[str]) -> dict[str, EntryKey]:
        """The keys of these episodes, as far as they are there and nobody tampered with them."""
        found = {episode: self._held[episode] for episode in episodes if episode in self._held}
        missing = [name for name in dict.fromkeys(episodes) if name not in found and type(name) is str]  # if damaged
        if missing:
            fetched = {kept.episode: key for kept in self._fetch(missing) if (key := self._unwrapped(kept))}
            if len(self._held) + len(fetched) > KEYS_HELD:
                self._held.clear()
            self._held |= fetched
            found |= fetched
        return found

    def _unwrapped(self, kept: WrappedKey) -> EntryKey | None:
        if tuple(map(type, kept)) != (str, str, bytes):  # a damaged file has what no ledger has
            return None
        try:
            return self._master.unwrap(self._ledger, kept)
        except Unopened:
            return None

    def new_key(self, episode: str) -> tuple[EntryKey, WrappedKey]:
        """A key for an episode that has none; it is not held until the ledger keeps it."""
        return self._master.new_key(self._ledger, episode)

    def let_go(self) -> None:
        """Forget what is held: others may have changed it."""
        self._held.clear()

    def open(self, key: EntryKey, episode: str, version: int, tag: str, text: bytes | str) -> bytes:
        """The text in a stored envelope; Unopened if it does not belong where it stands."""
        return open_envelope(read_envelope(text), key, self._ledger, episode, version, tag)

    def open_row(self, episode: bytes, version: int, tag: bytes, text: bytes) -> bytes | None:
        """The text in an envelope as its row stands in the database; None if its episode has no key that opens."""
        name = episode.decode()
        key = self.keys_of([name]).get(name)
        return None if key is None else self.open(key, name, version, tag.decode(), text)

    @cached_property
    def house_key(self) -> EntryKey:
        """The key of what is kept under no patient's name."""
        return self._master.house_key()

    def hide_name(self, name: str) -> str:
        """A patient's name as this ledger keeps it."""
        return self._master.hide_name(self._ledger, name)

    def show_name(self, hidden: str) -> str:
        """A patient's name again; Unopened if it was tampered with."""
        return self._master.show_name(self._ledger, hidden)
