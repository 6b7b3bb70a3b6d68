"""The power went while a ledger was made: whoever opens it next goes on."""

from __future__ import annotations

import sqlite3
import struct
from contextlib import closing
from pathlib import Path

import pytest

from tests.stores import open_ledger

MAGIC = bytes.fromhex("d9d505f920a163d7")
PAGE = 4096
SECTOR = 512
LOG_WITHOUT_PAGES = bytes.fromhex("377f0682002de21800001000000000001f5ae0d651067ae3abc75d3247293b28")
"""The head of a write-ahead log, with its checksum."""

pytestmark = pytest.mark.sqlite_file


def hot_journal(first_page: bytes, pages: int) -> bytes:
    """A rollback journal that puts the first page back."""
    nonce = 7
    checksum = nonce + sum(first_page[at] for at in range(PAGE - 200, 0, -200))
    header = MAGIC + struct.pack(">5I", 1, nonce, pages, SECTOR, PAGE)
    return header.ljust(SECTOR, b"\0") + struct.pack(">I", 1) + first_page + struct.pack(">I", checksum)


def test_a_ledger_cut_off_between_its_making_and_its_log_is_opened_at_once(tmp_path: Path) -> None:
    """The switch to the log had begun: its file was there, and the page that says so was to be put back."""
    path = tmp_path / "ledger.db"
    open_ledger(path, create=True).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
    made = path.read_bytes()
    path.write_bytes(made[:18] + b"\2\2" + made[20:])
    Path(f"{path}-journal").write_bytes(hot_journal(made[:PAGE], len(made) // PAGE))
    Path(f"{path}-wal").write_bytes(LOG_WITHOUT_PAGES)
    with open_ledger(path, create=True) as ledger:
        assert ledger.position() == 0
