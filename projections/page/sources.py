"""Which entries a page may name: those of its episode in full, those of the patient's others by position alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from ledger.facts.entry import Entry
from ledger.store import EpisodeLedger


class Cause(msgspec.Struct, frozen=True, gc=False):
    """An entry that a day or a finding rests on; without a label it belongs to another episode of the patient."""

    position: int
    label: str | None


class Sources:
    """The entries of a patient's episodes, as the page of one of the episodes names them."""

    def __init__(self, ledger: EpisodeLedger, episode: str, streams: Mapping[str, Sequence[Entry]]) -> None:
        entries = [entry for stream in streams.values() for entry in stream]
        positions = ledger.positions_of(entries)
        assert positions is not None, "what was just read stands in the ledger"
        self.episode = episode
        self._positions = {
            (entry.episode, entry.version): place for entry, place in zip(entries, positions, strict=True)
        }
        self._labelled: dict[str, list[Entry]] = {}
        for entry in entries:
            self._labelled.setdefault(entry.label, []).append(entry)

    def position(self, entry: Entry) -> int:
        """Where the entry stands in the ledger."""
        return self._positions[entry.episode, entry.version]

    def is_own(self, entry: Entry) -> bool:
        """Whether the entry belongs to the page's episode."""
        return entry.episode == self.episode

    def of_entries(self, entries: Iterable[Entry]) -> tuple[Cause, ...]:
        """The entries as the page names them, in their order, each once."""
        once = {(entry.episode, entry.version): entry for entry in entries}
        return tuple(
            Cause(self.position(entry), entry.label if self.is_own(entry) else None) for entry in once.values()
        )

    def of_labels(self, labels: Iterable[str], *, shared: bool = False) -> tuple[Cause, ...]:
        """The entries behind labels, for rows that know no more than those, the episode's own first.

        A label may name an entry of several episodes. The page's own is meant then, or all, if the row is ``shared``.
        """
        found = [entry for label in labels for entry in self._meant(label, shared)]
        return tuple(sorted(self.of_entries(found), key=lambda cause: (cause.label is None, cause.position)))

    def _meant(self, label: str, shared: bool) -> Sequence[Entry]:
        entries = self._labelled.get(label, ())
        return entries if shared else [entry for entry in entries if self.is_own(entry)] or entries
