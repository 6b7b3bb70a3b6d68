"""What a bucket's judge has to know of the house and of keys without a ledger to ask: merges, who was forgotten."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.facts.stored import StoredRow, in_order, read_row
from ledger.keys.cipher import WrappedKey, load_master_key
from ledger.merging import MergedPatients
from ledger.recorders.encrypted import EncryptedRecorder
from ledger.recorders.envelopes import Envelopes
from ledger.recorders.protocol import StoredEntries
from projections.archive.grow import mark_of
from projections.distributed.task import Task
from projections.rows.house import house_sheets
from projections.rows.patient import Sheets

Row = tuple[int, str, int, str, Any]
"""A stored row whose text is bytes."""


class _Stored:
    """The acts of the house and some keys, in the place of a recorder's."""

    def __init__(self, acts: Sequence[StoredRow], keys: Sequence[WrappedKey]) -> None:
        self._acts, self._keys = acts, {key.episode: key for key in keys}

    def rows_of(self, episodes: Iterable[str], after_version: int = 0, upto: int | None = None) -> list[StoredRow]:
        return list(self._acts) if HOUSE in episodes else []

    def rows_of_kinds(self, episode: str, tags: Collection[str], after_version: int = 0) -> list[StoredRow]:
        return [row for row in self._acts if row[1] == episode and row[3] in tags and row[2] > after_version]

    def count_of(self, episode: str, upto: int) -> int:
        return sum(position <= upto for position, *_ in self._acts)

    def keys_of(self, episodes: Iterable[str]) -> list[WrappedKey]:
        return [self._keys[episode] for episode in episodes if episode in self._keys]


class House(MergedPatients):
    """The acts of the house that a task brings, and what opens its envelopes."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._master = load_master_key(Path(task.key_file)) if task.key_file else None
        stored = cast(StoredEntries, _Stored(task.acts, task.keys))
        self._entries = EncryptedRecorder(stored, task.ledger, self._master) if self._master else stored
        self._envelopes = Envelopes(stored, task.ledger, self._master) if self._master else None
        self.gone = frozenset(self._envelopes.forgotten) if self._envelopes else frozenset[str]()

    def sheets(self, at: datetime | None) -> Sheets | None:
        """The rows that are no patient's."""
        return house_sheets(self, self._task.upto, at)

    def is_called(self, mark: str, patient: str) -> bool:
        """Whether a mark in the archive stands for this patient."""
        return mark_of(patient, self._task.ledger, self._master) == mark

    def texts(self, rows: Sequence[Row]) -> bytes | str:
        """What was told, opened, with commas between; nothing, which nobody can read, where that cannot be done."""
        if self._envelopes:
            return ",".join(self._envelopes.texts(rows))
        return b",".join([row[4] for row in rows])

    def entries(self, rows: Sequence[Row]) -> list[Entry]:
        """The entries of one episode, read one by one; UnreadableEntry at the first that is not as it should be."""
        opened = self._envelopes.opened(rows) if self._envelopes else iter(rows)
        return list(in_order([*map(read_row, opened)]))
