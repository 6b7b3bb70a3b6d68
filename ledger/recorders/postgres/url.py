"""The URL of a ledger in PostgreSQL: what of it may be shown, and what a file beside it is called."""

from __future__ import annotations

import re
from typing import Any, Final

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from ledger.recorders import WrongPath

_SCHEMA: Final = re.compile(r"search_path\s*=\s*([^\s,]+)")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9_-]")


def parts_of(url: str) -> dict[str, Any]:
    """What a URL says, by libpq's names; WrongPath, which repeats nothing of it, if it cannot be read."""
    try:
        return dict(conninfo_to_dict(url))
    except ProgrammingError:
        raise WrongPath("the ledger's URL is not one PostgreSQL understands") from None


def _schema_of(parts: dict[str, Any]) -> str:
    found = _SCHEMA.search(str(parts.get("options", "")))
    return found[1].strip("'\"") if found else ""


def _database_of(parts: dict[str, Any]) -> str:
    return str(parts.get("dbname") or parts.get("user") or "postgres")


def shown(url: str) -> str:
    """User, host, database and schema, without the password."""
    parts = parts_of(url)
    user = f"{parts['user']}@" if "user" in parts else ""
    port = f":{parts['port']}" if "port" in parts else ""
    schema = f", schema {_schema_of(parts)}" if _schema_of(parts) else ""
    return f"postgresql://{user}{parts.get('host', '')}{port}/{_database_of(parts)}{schema}"


def file_stem(url: str) -> str:
    """The database's name and, if the URL says one, the schema's, with safe characters only."""
    parts = parts_of(url)
    return ".".join(_UNSAFE.sub("_", name) for name in (_database_of(parts), _schema_of(parts)) if name)
