"""The event store library's own recorder cases, run against our recorders: on real files and on a real server, as they
are and with the wrapper around them that encrypts."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from ledger.keys.cipher import MasterKey
from ledger.recorders.encrypted import EncryptedRecorder
from ledger.recorders.postgres import pool as postgres_pool
from ledger.recorders.postgres import recorder as postgres
from ledger.recorders.sqlite import pool as sqlite_pool
from ledger.recorders.sqlite import recorder as sqlite
from tests import stores
from tests.stores import named

# The library's cases also import its cipher, which asks for a package that nothing here uses.
_no_cipher = ModuleType("eventsourcing.cipher")
_no_cipher.AESCipher = object  # type: ignore[attr-defined]
with patch.dict("sys.modules", {"eventsourcing.cipher": _no_cipher}):
    import eventsourcing.tests.persistence as library


KEY = MasterKey(bytes(range(32)))


class OnAStore:
    """Text identities and a new ledger for each case."""

    moved: type | None = None
    master: MasterKey | None = None

    def new_originator_id(self) -> str:
        return str(uuid4())

    def create_recorder(self) -> Any:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)  # type: ignore[attr-defined]
        datastore, recorder = self._of(Path(folder.name) / "ledger.db")
        self.addCleanup(datastore.close)  # type: ignore[attr-defined]
        if self.master is None:
            return self._moved(recorder)(datastore)
        inner = recorder(datastore)
        return self._moved(EncryptedRecorder)(inner, inner.page()["id"], self.master)

    def _moved(self, recorder: type) -> type:
        return type("Recorder", (self.moved, recorder), {}) if self.moved else recorder

    def _of(self, path: Path) -> tuple[Any, Any]:
        key_id = self.master.id if self.master else ""
        stores.make(path, key_id)
        if stores.on_postgres():
            return postgres_pool.LedgerDatastore(named(path)), postgres.LedgerRecorder
        return sqlite_pool.LedgerDatastore(str(path), create=True, master_key=key_id), sqlite.LedgerRecorder


class CountingFromZero:
    """Our versions start at 1 and those of some cases at 0: this moves them by one, both ways."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        moved = [replace(event, originator_version=event.originator_version + 1) for event in stored_events]
        return super().insert_events(moved, **kwargs)  # type: ignore[misc, no-any-return]

    def select_events(self, originator_id: Any, **kwargs: Any) -> Sequence[StoredEvent]:
        bounds = {key: kwargs[key] + 1 for key in ("gt", "lte") if kwargs.get(key) is not None}
        events = super().select_events(originator_id, **kwargs | bounds)  # type: ignore[misc]
        return [replace(event, originator_version=event.originator_version - 1) for event in events]


class GivingNoPositions(CountingFromZero):
    """An aggregate recorder numbers nothing, so its case expects None where ours gives positions."""

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> None:
        super().insert_events(stored_events, **kwargs)


class TestApplicationRecorder(OnAStore, library.ApplicationRecorderTestCase[ApplicationRecorder]):
    """As it is: its versions start at 1, save in the two concurrent cases, which follow below."""

    test_concurrent_no_conflicts = None  # type: ignore[assignment]
    test_concurrent_throughput = None  # type: ignore[assignment]


class TestApplicationRecorderFromZero(OnAStore, library.ApplicationRecorderTestCase[ApplicationRecorder]):
    """The concurrent cases number versions from 0."""

    moved = CountingFromZero
    INITIAL_VERSION = 0


class TestAggregateRecorder(OnAStore, library.AggregateRecorderTestCase):
    """One of its events has version 0."""

    moved = GivingNoPositions
    INITIAL_VERSION = 0


class TestPositionsDoNotInterleave(OnAStore, library.NonInterleavingNotificationIDsBaseCase):
    """Its stacks are numbered from 0."""

    moved = CountingFromZero

    def test(self) -> None:
        """It starts from ``max_notification_id() is None``, which select_notifications takes as the beginning."""
        super().test()


class TestEncryptedApplicationRecorder(TestApplicationRecorder):
    """The same, encrypted."""

    master = KEY


class TestEncryptedApplicationRecorderFromZero(TestApplicationRecorderFromZero):
    """The same, encrypted."""

    master = KEY


class TestEncryptedAggregateRecorder(TestAggregateRecorder):
    """The same, encrypted."""

    master = KEY


class TestEncryptedPositionsDoNotInterleave(TestPositionsDoNotInterleave):
    """The same, encrypted."""

    master = KEY
