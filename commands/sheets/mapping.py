"""A mapping: which sheet's columns make which facts. TOML, checked as a whole; every mistake is told at once.

The structs are the only declaration of its keys; what may stand in a fact's fields is told by the facts themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from commands.sheets.bounds import MappingError
from commands.sheets.mapping_checks import mistakes_in_facts
from commands.sheets.moments import DateForm
from ledger.book.mistakes import mistakes_of

READY: Final = (
    "patients", "orders", "coverage", "authorizations", "tickets", "visits", "dispensing", "diagnoses", "plans",
    "assessments", "stays", "claims",
)  # fmt: skip
"""The mappings that are in the package, each with a template of its columns."""

Text = Annotated[str, Meta(min_length=1, max_length=1000)]
HeaderRow = Annotated[int, Meta(ge=1, le=100)]


class CellOf(Struct, frozen=True, forbid_unknown_fields=True):
    """The value of a field, where a template alone does not say it."""

    text: str
    table: str | None = None
    split: str | None = None
    dates: DateForm | None = None
    zone: str | None = None
    missing: str | int | bool | None = None


Value = str | int | bool | CellOf
"""A template, a constant, or a template with more said about it."""


class FactOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A fact that a row makes: its type, the id by which this source knows it, and its fields."""

    type: Text
    id: Text
    fields: dict[str, Value]
    source: Text | None = None
    by: Text | None = None
    episode: Text | None = None
    when: dict[str, str | bool | list[str]] = {}
    for_each: Text | None = None
    split: Text | None = None
    line: dict[str, Value] = {}


class SheetOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A sheet by its name (``*`` for any), and the facts that each of its rows makes."""

    facts: tuple[FactOf, ...]
    of: Text = "*"
    header_row: HeaderRow = 1
    columns: dict[str, str] = {}


class MappingOf(Struct, frozen=True, forbid_unknown_fields=True):
    """A mapping file."""

    source: Text
    episode: Text
    sheets: tuple[SheetOf, ...]
    by: Text | None = None
    zone: Text | None = None
    dates: DateForm = "month/day/year"
    about: Text | None = None
    tables: dict[str, dict[str, str]] = {}


class NamedMapping(NamedTuple):
    """A mapping that can be used, and the name of its file."""

    name: str
    says: MappingOf


def load_mapping(named: str) -> NamedMapping:
    """The mapping in a file, or the one of that name in the package; MappingError with every mistake."""
    name, text = _text_of(named)
    try:
        table = msgspec.toml.decode(text)
    except (ValueError, RecursionError) as error:
        says = str(error).replace("Cannot overwrite a value", "a key is given twice")
        raise MappingError(f"{name}: is not TOML: {says}") from None
    if wrong := [*_mistakes(table)]:
        raise MappingError("\n".join(f"{name}: {each}" for each in wrong))
    return NamedMapping(name, msgspec.convert(table, MappingOf))


def ready_text(name: str) -> str:
    """A ready mapping as it is in the package."""
    return files("commands.sheets").joinpath("ready", f"{name}.toml").read_text(encoding="utf-8")


def _text_of(named: str) -> tuple[str, str]:
    if named in READY and not Path(named).exists():
        return f"the ready mapping {named}", ready_text(named)
    try:
        return Path(named).name, Path(named).read_bytes().decode("utf-8-sig")
    except OSError as error:
        more = "" if Path(named).exists() else f"; ready ones are {', '.join(READY)}"
        raise MappingError(f"{named}: cannot be read ({error.strerror}){more}") from None
    except UnicodeDecodeError:
        raise MappingError(f"{named}: is not UTF-8; save it as UTF-8 text") from None


def _mistakes(table: Mapping[str, Any]) -> Iterator[str]:
    """Those of the keys first, then, if there are none, those of what the facts are made of."""
    wrong = [*mistakes_of(_bare(table), MappingOf)]
    yield from wrong or mistakes_in_facts(table)


def _bare(table: Mapping[str, Any]) -> dict[str, Any]:
    """The mapping without what its facts are made of, which the facts say and not the structs here."""
    sheets = table.get("sheets")
    if not isinstance(sheets, list):
        return dict(table)
    return {**table, "sheets": [_bare_sheet(each) if isinstance(each, dict) else each for each in sheets]}


def _bare_sheet(sheet: dict[str, Any]) -> dict[str, Any]:
    facts = sheet.get("facts")
    if not isinstance(facts, list):
        return sheet
    return {**sheet, "facts": [_bare_fact(each) if isinstance(each, dict) else each for each in facts]}


def _bare_fact(fact: dict[str, Any]) -> dict[str, Any]:
    return {key: {} if key in ("fields", "line", "when") and isinstance(value, dict) else value
            for key, value in fact.items()}  # fmt: skip
