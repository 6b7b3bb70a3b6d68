"""The event store library's own recorder cases, run against our recorders: on real files and on a real server, as they
are and with the wrapper around them that encrypts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from eventsourcing.persistence import StoredEvent

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


class OnAStore:
    """Text identities and a new ledger for each case, on one kind of store."""

    moved: type | None = None
    kind: str

    def setUp(self) -> None:
        meant = patch.dict(os.environ, {stores.STORE: self.kind})
        meant.start()
        self.addCleanup(meant.stop)  # type: ignore[attr-defined]
        super().setUp()  # type: ignore[misc]

    def new_originator_id(self) -> str:
        return str(uuid4())

    def create_recorder(self) -> Any:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)  # type: ignore[attr-defined]
        datastore, recorder = self._of(Path(folder.name) / "ledger.db")
        self.addCleanup(datastore.close)  # type: ignore[attr-defined]
        master = stores.master()
        if master is None:
            return self._moved(recorder)(datastore)
        inner = recorder(datastore)
        return self._moved(EncryptedRecorder)(inner, inner.about()["id"], master)

    def _moved(self, recorder: type) -> type:
        return type("Recorder", (self.moved, recorder), {}) if self.moved else recorder

    def _of(self, path: Path) -> tuple[Any, Any]:
        stores.make(path)
        if stores.on_postgres():
            return postgres_pool.LedgerDatastore(named(path)), postgres.LedgerRecorder
        key_id = stores.KEY.id if stores.master() else ""
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


class PositionsDoNotInterleave:
    def test(self) -> None:
        """It starts from ``max_notification_id() is None``, which select_notifications takes as the beginning."""
        super().test()  # type: ignore[misc]


FROM_ZERO = {"moved": CountingFromZero, "INITIAL_VERSION": 0}
CONCURRENT = {"test_concurrent_no_conflicts": None, "test_concurrent_throughput": None}
CASES: dict[str, tuple[tuple[type, ...], dict[str, Any]]] = {
    "ApplicationRecorder": ((library.ApplicationRecorderTestCase,), CONCURRENT),
    "ApplicationRecorderFromZero": ((library.ApplicationRecorderTestCase,), FROM_ZERO),
    "AggregateRecorder": ((library.AggregateRecorderTestCase,), FROM_ZERO | {"moved": GivingNoPositions}),
    "PositionsDoNotInterleave": ((PositionsDoNotInterleave, library.NonInterleavingNotificationIDsBaseCase), FROM_ZERO),
}
"""The library's cases. In the first, versions start at 1, as ours do, save in its two concurrent cases; those and the
others start at 0."""


for _name, (_bases, _changes) in CASES.items():  # a class each: the library's cases take no fixtures
    for _kind in stores.KINDS:
        _class = f"Test{_name}On{_kind.title().replace(' ', '')}"
        globals()[_class] = type(_class, (OnAStore, *_bases), _changes | {"kind": _kind})
