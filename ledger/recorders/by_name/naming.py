"""How a ledger is named: by the path of a file, or by a URL; a URL's password is never shown."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from pathlib import Path
from socket import socket
from typing import Any

from ledger.recorders import WrongPath
from ledger.recorders.sqlite.file import plain_path
from ledger.recorders.sqlite.rights import files_of


def in_postgres(name: str) -> bool:
    """Whether a ledger so named is in PostgreSQL."""
    return name.startswith(("postgres://", "postgresql://"))


def postgres_module(name: str) -> Any:
    """A module of the PostgreSQL recorder; optional weight, which only whoever needs it has."""
    try:
        return import_module(f"ledger.recorders.postgres.{name}")
    except ImportError as error:
        raise WrongPath("for a ledger in PostgreSQL: pip install 'episode-ledger[postgres]'") from error


def hint_of(name: str) -> AbstractContextManager[socket | None]:
    """What can be read from soon after an append, where the store tells of one; readers look by themselves as well."""
    if not in_postgres(name):
        return nullcontext()
    hint: AbstractContextManager[socket] = postgres_module("hint").listening(name)
    return hint


def shown(name: str) -> str:
    """The name as it may be printed."""
    told: str = postgres_module("url").shown(name) if in_postgres(name) else name
    return told


def views_file(name: str, folder: Path | None) -> Path:
    """Where the ledger's read model is: beside a file, else in the current folder, unless another one is named."""
    if in_postgres(name):
        return (folder or Path()) / f"{postgres_module('url').file_stem(name)}.views.db"
    file = Path(name)
    return (folder or file.parent) / (file.name.removesuffix(".db") + ".views.db")


def is_beside(name: str, real: Path) -> bool:
    """Whether a path is the file of the ledger so named, or a name that SQLite or this program keeps beside it."""
    if in_postgres(name):
        return False
    file = plain_path(name)
    return (real == file and file.exists()) or (real.parent == file.parent and real.name.startswith(f"{file.name}-"))


def files_beside(name: str) -> list[Path]:
    """The files of the ledger so named that are there: itself and its logs; none for one that is in no file."""
    return [] if in_postgres(name) else files_of(plain_path(name))


def folder_of(name: str) -> Path | None:
    """The folder that a ledger's file is in; None if it is no file."""
    return None if in_postgres(name) else plain_path(os.fspath(name)).parent
