"""The files of a ledger and the engine under it, looked at from outside: sizes, rights, versions."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from pathlib import Path
from typing import Final

from msgspec import Struct

from ledger.recorders.sqlite.checkpoint_turns import has_reset_bug
from ledger.recorders.sqlite.file import SETTINGS

EXPECTED: Final = {name: str(value) for name, value in SETTINGS.items()} | {"journal_mode": "wal", "encoding": "UTF-8"}
"""What each setting of SQLite that we rely on must read back as."""

_LOGS: Final = ("-wal", "-shm", "-journal")


class Rights(Struct, frozen=True):
    """Who may do what with a file or folder."""

    path: Path
    folder: bool
    mode: int
    owner: int

    @property
    def group_reads(self) -> bool:
        """Whether the owner's group may read it."""
        return bool(self.mode & stat.S_IRGRP)

    @property
    def all_read(self) -> bool:
        """Whether everybody on the machine may read it."""
        return bool(self.mode & stat.S_IROTH)

    @property
    def others_write(self) -> bool:
        """Whether anybody but the owner may write to it; in a sticky folder nobody removes another's files."""
        writes = self.mode & (stat.S_IWGRP | stat.S_IWOTH)
        return bool(writes) and not (self.folder and self.mode & stat.S_ISVTX)


class Engine(Struct, frozen=True):
    """The SQLite that is loaded."""

    version: str
    reset_bug: bool


def engine() -> Engine:
    """The SQLite that is loaded, and whether its version has the WAL-reset bug."""
    return Engine(sqlite3.sqlite_version, has_reset_bug(sqlite3.sqlite_version_info))


def rights_of(path: Path) -> Rights:
    """The rights of a file or folder."""
    found = path.stat()
    return Rights(path, stat.S_ISDIR(found.st_mode), stat.S_IMODE(found.st_mode), found.st_uid)


def files_of(path: Path) -> list[Path]:
    """A database's file and those of its logs that are there."""
    return [path] + [log for ending in _LOGS if (log := path.with_name(path.name + ending)).exists()]


def site_files_of(path: Path) -> list[Path]:
    """What the site keeps beside a ledger, as far as it is there: who looked at what, and who may sign in."""
    stem = path.name.removesuffix(".db")
    return [each for end in ("access.jsonl", "users.json") if (each := path.with_name(f"{stem}.{end}")).exists()]


def log_bytes(path: Path) -> int:
    """How long the write-ahead log is; 0 if there is none."""
    log = path.with_name(path.name + "-wal")
    return log.stat().st_size if log.exists() else 0


def free_bytes(folder: Path) -> tuple[int, int]:
    """What is free on the folder's disk, of how much."""
    usage = shutil.disk_usage(folder)
    return usage.free, usage.total


def may_write(path: Path) -> bool:
    """Whether this user may write to a file or folder."""
    return os.access(path, os.W_OK, effective_ids=True)
