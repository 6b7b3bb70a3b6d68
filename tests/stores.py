"""On which store the tests' ledgers are: a file, or a schema of its own in a PostgreSQL that the tests bring up.

A test names its ledger by the path it has as a file. On PostgreSQL that path stands for a schema that the server's
owner makes, and the tests record as a role that may INSERT and SELECT and no more. Tests that use the fixture
``every_store`` are run on several kinds: plain and encrypted, in a file and in PostgreSQL (``tiers.of_stores``). Before
a release ``pytest --store postgres`` runs every test whose module opens ledgers: through ``open_ledger`` of here, the
command line in process, or the harness.
"""

from __future__ import annotations

import atexit
import base64
import fcntl
import hashlib
import hmac
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch
from urllib.parse import quote, urlsplit

import psycopg

from ledger.keys.cipher import MasterKey
from ledger.recorders.by_name.naming import in_postgres, views_file
from ledger.recorders.postgres import migrate as migrating
from ledger.recorders.postgres.migrate import Migrated, migrate
from ledger.recorders.postgres.pool import prepare
from ledger.store import EpisodeLedger
from ledger.store import open_ledger as open_named

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "postgres"
STORE = "EPISODE_TEST_STORE"
FOLDER = "EPISODE_TEST_POSTGRES"
"""The variables that tell the processes of one run which store is meant, and where its server's folder is."""
ROLE = "recorder"


KINDS = ("sqlite", "sqlite encrypted", "postgres", "postgres encrypted")
"""The kinds of store there are; what STORE says."""
KEY = MasterKey(bytes(range(32)))
"""The master key of the tests' encrypted ledgers."""


def kind() -> str:
    """The kind of store that the tests' ledgers are on."""
    return os.environ.get(STORE, "sqlite")


@contextmanager
def on(meant: str) -> Iterator[None]:
    """Meanwhile the tests' ledgers are on that kind of store."""
    with patch.dict(os.environ, {STORE: meant}):
        yield


def on_postgres() -> bool:
    """Whether the tests' ledgers are in PostgreSQL."""
    return kind().startswith("postgres")


def master() -> MasterKey | None:
    """The master key that the tests' ledgers are made with, if they are encrypted."""
    return KEY if kind().endswith("encrypted") else None


def told_of_the_key() -> dict[str, str]:
    """What tells a command of that key."""
    return {"EPISODE_MASTER_KEY": bytes(range(32)).hex()} if master() else {}


def examples(count: int) -> int:
    """How many examples of a law that opens ledgers are tried: opening one over a connection takes longer."""
    return max(1, count // 5) if on_postgres() else count


def start(folder: Path, *options: str) -> str:
    """Start the server of a folder, made if it is not there; the URL of its owner."""
    command = [sys.executable, str(SCRIPT), "start", str(folder), *options]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, f"no PostgreSQL for the tests: {ended.stderr.strip()}"
    return ended.stdout.strip()


def stop(folder: Path) -> None:
    """End the server of a folder."""
    subprocess.run([sys.executable, str(SCRIPT), "stop", str(folder)], check=True)


@contextmanager
def passing_server(*options: str) -> Iterator[str]:
    """A server of one test's own; the URL of its owner."""
    with tempfile.TemporaryDirectory(prefix="episode-ledger-postgres-") as name:
        holder = Path(name)
        holder.chmod(0o755)  # the server's user must get through
        try:
            yield start(holder / "server", *options)
        finally:
            stop(holder / "server")


@contextmanager
def passing_folder() -> Iterator[None]:
    """Meanwhile the tests' ledgers in PostgreSQL are in a server that goes with this."""
    with tempfile.TemporaryDirectory(prefix="episode-ledger-postgres-") as name, patch.dict(os.environ):
        holder = Path(name)
        holder.chmod(0o755)  # the server's user must get through
        os.environ[FOLDER] = str(holder / "server")
        try:
            yield
        finally:
            stop(holder / "server")


@cache
def server() -> str:
    """The URL of the owner of the run's one server; the first process that needs it starts it."""
    folder = Path(os.environ[FOLDER])
    with (folder.parent / "starting").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        url = start(folder)
        with psycopg.connect(url, autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (ROLE,)).fetchone():
                connection.execute(f"CREATE ROLE {ROLE} LOGIN PASSWORD '{_soon_checked(ROLE)}'")
                owner = urlsplit(url)
                kept = _soon_checked(str(owner.password))
                connection.execute(f"ALTER ROLE {owner.username} PASSWORD '{kept}'")  # type: ignore[call-overload]
    return url


def _soon_checked(password: str) -> str:
    """A password as the server keeps it, hashed once, not 4,096 times: a ledger that is opened shows its own twice."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 1)
    client, ours = (hmac.digest(salted, name, "sha256") for name in (b"Client Key", b"Server Key"))
    kept = (base64.b64encode(each).decode() for each in (salt, hashlib.sha256(client).digest(), ours))
    return "SCRAM-SHA-256$1:{}${}:{}".format(*kept)


@cache
def _owner() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(server(), autocommit=True)


_MIGRATING: dict[str, psycopg.Connection[Any]] = {}
"""A connection to each server that makes ledgers, kept: one that is new reads most of the catalogue first, and that
took two thirds of the time of making one."""


def migrated(url: str, role: str | None = ROLE, master_key_id: str = "") -> Migrated:
    """What ``migrate`` makes, over a connection that made others before."""

    @contextmanager
    def connected(parts: dict[str, Any]) -> Iterator[psycopg.Connection[Any]]:
        server = urlsplit(url)._replace(query="").geturl()
        kept = _MIGRATING.get(server)
        if kept is None or kept.closed:
            kept = _MIGRATING[server] = psycopg.connect(server, prepare_threshold=None)
            atexit.register(kept.close)
            prepare(kept)
        kept.execute("SELECT set_config('search_path', %s, false)", (parts["options"].removeprefix("-csearch_path="),))
        yield kept

    with patch.object(migrating, "connected", connected):
        return migrate(url, role, master_key_id)


def as_role(url: str, role: str = ROLE) -> str:
    """The same place for another role, whose password is its name."""
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}:{role}@{parts.hostname}:{parts.port}").geturl()


def in_schema(url: str, schema: str) -> str:
    """The URL of a schema."""
    return f"{url}?options={quote(f'-csearch_path={schema}', safe='')}"


def schema_of(path: str | os.PathLike[str]) -> str:
    """The schema that a path stands for."""
    return "t" + hashlib.sha256(os.path.realpath(path).encode()).hexdigest()[:24]


def named(path: str | os.PathLike[str]) -> str:
    """What ``--ledger`` is given for the ledger that a test names by a path."""
    name = os.fspath(path)
    return in_schema(as_role(server()), schema_of(name)) if on_postgres() and not in_postgres(name) else name


def owned(path: str | os.PathLike[str]) -> str:
    """The same for whoever owns its tables."""
    return in_schema(server(), schema_of(path))


def make(path: str | os.PathLike[str]) -> None:
    """See to it that there is a ledger on PostgreSQL; on a file, recording does that."""
    if on_postgres():
        schema = schema_of(path)
        if not _owner().execute("SELECT to_regclass(%s)", (f"{schema}.schema_versions",)).fetchone()[0]:  # type: ignore[index]
            schema_for(path)
            migrated(owned(path), ROLE, KEY.id if master() else "")


def schema_for(path: str | os.PathLike[str]) -> None:
    """See to it that there is a schema for a ledger, empty if there was none."""
    _owner().execute(f"CREATE SCHEMA IF NOT EXISTS {schema_of(path)}")


def remove(path: str | os.PathLike[str]) -> None:
    """Take the ledger that a path stands for out of PostgreSQL; a file is the caller's to remove."""
    if on_postgres():
        _owner().execute(f"DROP SCHEMA IF EXISTS {schema_of(path)} CASCADE")


def open_ledger(path: str | os.PathLike[str], *, create: bool) -> EpisodeLedger:
    """The ledger that a path stands for, on the store that is meant."""
    if create:
        make(path)
    return open_named(named(path), create=create, master=master())


def views_of(path: Path) -> Path:
    """Where the command line keeps its read model, in the path's folder."""
    return views_file(named(path), path.parent)


def placed(path: Path) -> list[str]:
    """How a command is told of the ledger that a path stands for."""
    return ["--ledger", named(path), *(["--views", str(path.parent)] if on_postgres() else [])]
