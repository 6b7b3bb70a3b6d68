"""An encrypted ledger and a book in a folder, its master key in another, and ways to meddle with the ledger's file."""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

import pytest

from ledger.keys.cipher import MasterKey, load_master_key
from ledger.proof.seals import first_seal
from ledger.recorders import StoreError
from ledger.recorders.sealing import sealed
from ledger.recorders.sqlite.recorder import LedgerRecorder
from ledger.store import EpisodeLedger
from ledger.store import open_ledger as open_named
from tests import kept
from tests.command_line import Ended, House, example, run

EXAMPLES = sorted((Path(__file__).parent.parent / "docs" / "examples").glob("*.jsonl"))


class Locked(House):
    """A house whose ledger is encrypted; its commands are told of the master key."""

    def __init__(self, folder: Path) -> None:
        made = folder / "house"
        made.mkdir()
        super().__init__(made)
        self.key = folder / "keys" / "ledger.key"
        assert run("master-key", self.key).status == 0

    @classmethod
    def at(cls, folder: Path, book: str = "book") -> Self:
        """The one that stands in a folder already, its keys beside it."""
        house = super().at(folder / "house", book)
        house.key = folder / "keys" / "ledger.key"
        return house

    @property
    def env(self) -> dict[str, str]:
        """What tells a command of the key."""
        return {"EPISODE_MASTER_KEY_FILE": str(self.key)}

    @property
    def master(self) -> MasterKey:
        """The key itself."""
        return load_master_key(self.key)

    def run(self, *args: object, **more: Any) -> Ended:
        """One command."""
        return super().run(*args, **({"env": self.env} | more))

    def open(self) -> EpisodeLedger:
        """The ledger."""
        return open_named(self.ledger, create=True, master=self.master)


def two_locked(folder: Path) -> Locked:
    """Two episodes of two patients, encrypted; recorded once a run, and copied."""
    kept.copied(folder, "two locked", _tell_two)
    return Locked.at(folder)


def _tell_two(folder: Path) -> None:
    assert Locked(folder).tell(*example(), *example("EP-2", "P-2")).status == 0


def spelled(secret: bytes) -> list[bytes]:
    """Bytes as they might stand somewhere: themselves, in hex, in base64 whatever stands before them."""
    shifted = [base64.b64encode(b"\0" * before + secret)[4 if before else 0 : -4] for before in range(3)]
    return [secret, secret.hex().encode(), secret.hex().upper().encode(), *shifted]


def files_with(folder: Path, secrets: Iterable[bytes]) -> set[str]:
    """The files under a folder in which any of these bytes stand, or in whose names."""
    wanted = list(secrets)
    found = set()
    for path in folder.rglob("*"):
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if any(each in content or each in path.name.encode() for each in wanted):
            found.add(path.relative_to(folder).as_posix())
    return found


@contextmanager
def unguarded(file: Path) -> Iterator[sqlite3.Connection]:
    """The ledger's file to somebody who drops the guards first, and puts them back."""
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in guards:
            connection.execute(sql)


def seal_anew(connection: sqlite3.Connection) -> None:
    """Make every seal fit what stands there now, as somebody who knows how would."""
    (ledger,) = connection.execute("SELECT value FROM ledger WHERE key = 'id'").fetchone()
    rows = connection.execute(
        "SELECT originator_id, originator_version, topic, CAST(state AS BLOB) FROM entries ORDER BY position"
    ).fetchall()
    made = sealed(_stored(rows), 0, first_seal(ledger))
    connection.executemany(
        "UPDATE entries SET seal = ? WHERE position = ?", [(row[-1], place) for place, row in enumerate(made, 1)]
    )


def _stored(rows: Sequence[tuple[str, int, str, bytes]]) -> list[Any]:
    from eventsourcing.persistence import StoredEvent

    return [StoredEvent(*row) for row in rows]


def rows_of(file: Path, statement: str, *values: object) -> list[Any]:
    """What a foreign tool reads."""
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(statement, values).fetchall()


def failing_append(monkeypatch: pytest.MonkeyPatch, *, commit: bool) -> None:
    """The store fails while it appends: before it did so, or after."""
    inner = LedgerRecorder.insert_events

    def insert(recorder: LedgerRecorder, stored: Any, **more: Any) -> Any:
        if commit:
            inner(recorder, stored, **more)
        raise StoreError("the commit failed")

    monkeypatch.setattr(LedgerRecorder, "insert_events", insert)
