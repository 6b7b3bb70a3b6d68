"""A place for one ledger in the run's PostgreSQL server, for tests that are about PostgreSQL itself."""

from __future__ import annotations

import atexit
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest

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
        _in(self).execute(statement)  # type: ignore[call-overload]

    def sql(self, statement: str, url: str | None = None) -> list[Any]:
        if url is None:
            return _in(self).execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]
        with psycopg.connect(url, autocommit=True) as connection:
            return connection.execute(statement).fetchall()  # type: ignore[call-overload, no-any-return]


_KEPT: dict[str, psycopg.Connection[Any]] = {}
"""A connection of the owner of each server that is asked, kept between what is asked: to make one takes longer."""


def _in(place: Place) -> psycopg.Connection[Any]:
    """That of a place's server, in its schema. Nothing is prepared: in another schema the same words are another
    statement."""
    server = urlsplit(place.owner)._replace(query="").geturl()
    kept = _KEPT.get(server)
    if kept is None or kept.closed:
        kept = _KEPT[server] = psycopg.connect(server, autocommit=True, prepare_threshold=None)
        atexit.register(kept.close)
    kept.execute(f"SET search_path TO {place.schema}")  # type: ignore[call-overload]
    return kept


def place_of(folder: Path) -> Place:
    """The place that a folder stands for."""
    schema = stores.schema_of(folder)
    stores.schema_for(folder)
    owner = stores.in_schema(stores.server(), schema)
    return Place(schema, owner, stores.as_role(owner), folder)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return place_of(tmp_path)


@pytest.fixture
def made(place: Place) -> Place:
    stores.migrated(place.owner)
    return place


def changed(url: str, **parts: str) -> str:
    """A URL with another password, host, port or database."""
    split = urlsplit(url)
    user, password = parts.get("user", split.username), parts.get("password", split.password)
    netloc = f"{user}:{password}@{parts.get('host', split.hostname)}:{parts.get('port', split.port)}"
    return split._replace(netloc=netloc, path=parts.get("path", split.path)).geturl()
