"""A place for one ledger in the run's PostgreSQL server, for tests that are about PostgreSQL itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from ledger.recorders.postgres.migrate import migrate
from tests import stores
from tests.command_line import BOOK, Ended, run


class Place(NamedTuple):
    """A schema without a ledger: its name, and the URLs of its owner and of the one who records."""

    schema: str
    owner: str
    recorder: str
    folder: Path

    def run(self, *args: object, url: str | None = None, **more: Any) -> Ended:
        return run("--ledger", url or self.recorder, "--book", BOOK, "--views", self.folder, *args, **more)

    def as_owner(self, statement: str) -> None:
        with psycopg.connect(self.owner, autocommit=True) as connection:
            connection.execute(statement)  # type: ignore[call-overload]

    def sql(self, statement: str, url: str | None = None) -> list[Any]:
        with psycopg.connect(url or self.owner, autocommit=True) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    schema = stores.schema_of(tmp_path)
    with psycopg.connect(stores.server(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[call-overload]
    owner = stores.in_schema(stores.server(), schema)
    return Place(schema, owner, stores.as_role(owner), tmp_path)


@pytest.fixture
def made(place: Place) -> Place:
    migrate(place.owner, stores.ROLE)
    return place


def changed(url: str, **parts: str) -> str:
    """A URL with another password, host, port or database."""
    split = stores.urlsplit(url)
    user, password = parts.get("user", split.username), parts.get("password", split.password)
    netloc = f"{user}:{password}@{parts.get('host', split.hostname)}:{parts.get('port', split.port)}"
    return split._replace(netloc=netloc, path=parts.get("path", split.path)).geturl()
