"""What is wrong in a file of the book: all of it, by key, in words for the person who wrote the file.

The structs of the tables are the only declaration: their annotations give the keys, the values allowed and the checks.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from ledger.facts.forms import LARGEST_INTEGER

LONGEST_SHOWN: Final = 60
_TABLE: Final = "a table"
_PLAIN: Final[dict[type, str]] = {
    date: "a date such as 2026-01-31, without quotes or time",
    bool: "true or false, without quotes",
    str: "text in quotes",
}


class _Form(NamedTuple):
    """What a value must be: its kind, the words for it, the bounds and the check that go with it."""

    kind: Any
    items: tuple[Any, ...]
    expected: str
    bounds: Meta
    check: Callable[[Any], Any] | None


def mistakes_of(table: Mapping[str, Any], struct: type[Struct], where: str = "") -> Iterator[str]:
    """Every mistake of a table that is meant to be this struct."""
    hints = {field.encode_name: field for field in _fields(struct)}
    for key in table:
        if key not in hints:
            yield f"{where}{key}: {_no_such_key(key, list(hints))}"
    for key, field in hints.items():
        if key in table:
            yield from mistakes_in(table[key], field.type, where + key)
        elif field.required:
            yield f"{where}{key}: is missing; expected {_form(field.type).expected}"


def mistakes_in(value: Any, hint: Any, path: str) -> Iterator[str]:
    """Every mistake of a value that is meant to be of an annotated type."""
    form = _form(hint)
    if not _is_of(value, form.kind):
        yield f"{path}: {_not_expected(value, form, path)}"
    elif isinstance(form.kind, type) and issubclass(form.kind, Struct):
        yield from mistakes_of(value, form.kind, f"{path}: ")
    elif wrong := _wrong(value, form):
        yield f"{path}: {wrong}"
    elif form.kind is tuple and form.check is None:
        for number, item in enumerate(value, 1):
            yield from mistakes_in(item, form.items[0], _item_path(path, number, item, form.items[0]))
    elif form.kind is dict:
        for key, item in value.items():
            yield from mistakes_in(key, form.items[0], path)
            yield from mistakes_in(item, form.items[1], f"{path}.{key}")


def expected_of(hint: Any) -> str:
    """What may stand where a value is of an annotated type, in words."""
    return _form(hint).expected


def item_name(key: str, number: int, table: Any) -> str:
    """A table of a list by what tells it from the others: ``[[terms]] 2 (from 2026-07-01)``."""
    named = [f"{tell} {table[tell]}" for tell in ("code", "payer", "from") if isinstance(table, dict) and tell in table]
    return f"[[{key}]] {number} ({', '.join(named[:2])})" if named else f"[[{key}]] {number}"


def shown(value: Any) -> str:
    """A value as its writer knows it."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f"'{value}'" if len(value) <= LONGEST_SHOWN else f"'{value[:LONGEST_SHOWN]}…'"
        case dict():
            return "a table"
        case list():
            return f"[{', '.join(map(shown, value))}]"
    return str(value)


def _item_path(path: str, number: int, item: Any, hint: Any) -> str:
    is_table = isinstance(hint, type) and issubclass(hint, Struct)
    return item_name(path, number, item) if is_table else path


@cache
def _fields(struct: type[Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    return msgspec.structs.fields(struct)


@cache
def _form(hint: Any) -> _Form:
    core, metas = _unwrapped(hint)
    kind = get_origin(core) or core
    meta = metas[0] if metas else Meta()
    bounds = next((each for each in metas if each.ge is not None or each.min_length is not None), meta)
    check = next((each.extra["bound"].check for each in metas if each.extra), None)
    expected = next((each.description for each in metas if each.description), None)
    items = get_args(core)
    return _Form(kind, items, expected or _words(kind, items, bounds), bounds, check)


def _unwrapped(hint: Any) -> tuple[Any, list[Meta]]:
    """A key's type without ``Annotated`` and without what an absent key is; and what was annotated."""
    metas: list[Meta] = []
    while True:
        if get_origin(hint) is Annotated:
            metas += (meta for meta in hint.__metadata__ if isinstance(meta, Meta))
            hint = hint.__origin__
        elif get_origin(hint) in (Union, UnionType):
            (hint,) = (member for member in get_args(hint) if member is not NoneType)
        else:
            return hint, metas


def _words(kind: Any, items: tuple[Any, ...], bounds: Meta) -> str:
    if kind is Literal:
        return f"one of {', '.join(map(str, items))}"
    if kind is int:
        return f"a whole number from {bounds.ge}" + (f" to {bounds.le}" if bounds.le and bounds.le < 1000 else "")
    if kind is tuple:
        return f"a list of {_form(items[0]).expected}".replace(_TABLE, "tables")
    if kind is str and bounds.max_length:
        return f"text in quotes, 1 to {bounds.max_length:,} characters"
    return _PLAIN.get(kind, _TABLE)


def _is_of(value: Any, kind: Any) -> bool:
    if kind is Literal:
        return isinstance(value, str)
    if kind in (int, date):  # neither true nor an instant
        return type(value) is kind
    if kind is tuple:
        return isinstance(value, list)
    return isinstance(value, kind if kind in (str, bool) else dict)


def _not_expected(value: Any, form: _Form, path: str) -> str:
    key = path.rpartition(": ")[2].partition(".")[0]
    if isinstance(value, float) and key.endswith("_cents") and 0 <= value < LARGEST_INTEGER:
        cents = round(value * 100)
        if abs(value * 100 - cents) < 1e-6:
            return f"{key.removesuffix('_cents')} in whole cents: {value:.2f} is {cents}"
    return f"{shown(value)} is not {form.expected}"


def _wrong(value: Any, form: _Form) -> str | None:
    if isinstance(value, str) and not unicodedata.is_normalized("NFC", value):
        composed = shown(unicodedata.normalize("NFC", value))
        return f"has a letter made of several characters (it is not in Unicode NFC); type it again: {composed}"
    if value in ("", []) and form.bounds.min_length:
        return f"is empty; expected {form.expected}"
    if not (_is_allowed(value, form) and _is_within(value, form.bounds)):
        return f"{shown(value)} is not {form.expected}"
    return _refused(value, form)


def _refused(value: Any, form: _Form) -> str | None:
    try:
        if form.check:
            form.check(value)
    except ValueError as error:
        return f"{shown(value)} is not {form.expected}" + (f"; {error}" if str(error) else "")
    return None


def _is_allowed(value: Any, form: _Form) -> bool:
    return form.kind is not Literal or value in form.items


def _is_within(value: Any, bounds: Meta) -> bool:
    if isinstance(value, int) and not isinstance(value, bool):
        return (bounds.ge is None or value >= bounds.ge) and (bounds.le is None or value <= bounds.le)
    if isinstance(value, str | list):
        return (bounds.min_length or 0) <= len(value) <= (bounds.max_length or len(value))
    return True


def _no_such_key(key: str, known: list[str]) -> str:
    close = get_close_matches(key.lower(), known, n=1)
    return (
        f"no key of this name; did you mean {close[0]}?"
        if close
        else f"no key of this name; there are {', '.join(known)}"
    )
