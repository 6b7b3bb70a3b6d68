"""A file of the book as a form: every key with what it means, filled or blank, to be read back as it was written."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date
from textwrap import wrap
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from ledger.book.meanings import MEANS
from ledger.book.mistakes import expected_of
from ledger.book.tables import Agreement, Payer, Provider, Terms

LISTED: Final[dict[type[Struct], tuple[str, type[Struct]]]] = {
    Payer: ("terms", Terms),
    Provider: ("agreements", Agreement),
}
"""The list of tables in each kind of file: its key and what its tables are."""


def filled(struct: type[Struct], table: Mapping[str, Any]) -> str:
    """The text of a file: the keys that the table has, and, as comments, those it leaves at their default."""
    key, kind = LISTED[struct]
    parts = [_HEAD, *_lines(struct, table, without=key)]
    for item in table.get(key, ()):
        parts += ["", f"[[{key}]]", *_lines(kind, item)]
    return "\n".join(parts) + "\n"


def blank(struct: type[Struct]) -> str:
    """The text of a file with every key to be filled in as a comment, and what may stand there."""
    key, kind = LISTED[struct]
    return "\n".join([_HEAD, *_lines(struct, {}, without=key), "", f"[[{key}]]", *_lines(kind, {})]) + "\n"


WIDTH: Final = 100
_HEAD: Final = """\
## A file of the book. 'episode-ledger book check' looks at it, 'episode-ledger help terms' tells more.
## An amendment is a new table below the others, never an edit: what was known before can then still
## be answered.
"""


def _lines(struct: type[Struct], table: Mapping[str, Any], without: str = "") -> Iterator[str]:
    fields = [field for field in msgspec.structs.fields(struct) if field.encode_name != without]
    for field in fields:
        if field.encode_name in table:
            yield from _key_lines(struct, field, f"{field.encode_name} = {_toml(table[field.encode_name])}")
        elif field.required:
            yield from _key_lines(struct, field, f"# {field.encode_name} =")
    defaults = [field for field in fields if not field.required and field.encode_name not in table]
    if defaults:
        yield "\n## As follows where nothing else is said; to say otherwise, take the mark before the key away."
    for field in defaults:
        yield from _key_lines(struct, field, f"# {field.encode_name} = {_toml(_default(field))}".rstrip())


def _key_lines(struct: type[Struct], field: FieldInfo, line: str) -> Iterator[str]:
    """What a key means and what may stand there, and below it the key."""
    means = f"{MEANS[struct][field.encode_name].replace('`', '')} ({expected_of(field.type)})"
    yield from wrap(means, WIDTH, initial_indent="## ", subsequent_indent="## ")
    yield line


def _default(field: FieldInfo) -> Any:
    default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
    return None if default is msgspec.UNSET else default


def _toml(value: Any) -> str:
    """A value as TOML writes it; nothing for none."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case date():
            return value.isoformat()
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case dict():
            inside = ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
    return str(value)


def _key(key: str) -> str:
    return key if key.isascii() and key.replace("-", "").replace("_", "").isalnum() else json.dumps(key)
