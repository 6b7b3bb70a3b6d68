"""What is wrong with the facts of a mapping: fields that a fact does not have or that are missing, tables, texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, get_args

from commands.door.explain import close_name
from commands.door.shapes import EVENTS, Shape
from commands.sheets.moments import DateForm
from commands.sheets.templates import EACH, NUMBER, Template, parse
from ledger.facts.zones import is_place

NOT_TOLD_BY_SHEETS: Final = ("FactCorrected", "FactRetracted")
"""What is wrong in the ledger is found by comparing: no row says so by itself."""
FILTERS: Final = ("date", "icd10", "ndc")
"""What a cell may be put through in a template, besides a table of the mapping."""
_KEYS: Final = ("text", "table", "split", "dates", "zone", "missing")


def mistakes_in_facts(table: Mapping[str, Any]) -> Iterator[str]:
    """Every mistake of a mapping whose keys are right."""
    tables = table.get("tables", {})
    for key in ("episode", "by"):
        yield from _template_mistakes(table.get(key), key, tables)
    yield from _zone_mistakes(table.get("zone"), "zone")
    if not table["sheets"]:
        yield "sheets: is empty; expected a [[sheets]] with its facts"
    for place, sheet in enumerate(table["sheets"], 1):
        where = f"[[sheets]] {place}" + (f" ({sheet['of']})" if "of" in sheet else "")
        if not sheet["facts"]:
            yield f"{where}: facts: is empty; expected a [[sheets.facts]]"
        for number, fact in enumerate(sheet["facts"], 1):
            yield from _fact_mistakes(fact, f"{where}: [[sheets.facts]] {number} ({fact['type']})", table)


def _fact_mistakes(fact: Mapping[str, Any], where: str, table: Mapping[str, Any]) -> Iterator[str]:
    known = {name: shape for name, shape in EVENTS.items() if name not in NOT_TOLD_BY_SHEETS}
    shape = known.get(fact["type"])
    if shape is None:
        close = close_name(fact["type"], known)
        yield f"{where}: type: no fact of this name" + (f"; did you mean {close}?" if close else "")
        return
    tables, repeated = table.get("tables", {}), EACH in fact or "for_each" in fact
    for key in ("id", "by", "episode"):
        yield from _template_mistakes(fact.get(key), f"{where}: {key}", tables, repeated)
    if "split" in fact and not repeated:
        yield f"{where}: split: is for a fact with for_each"
    if repeated and not {EACH, NUMBER} & _headers(fact["id"]):
        yield f"{where}: id: names neither {{{NUMBER}}} nor {{{EACH}}}, so all that one cell holds would have one id"
    yield from _condition_mistakes(fact.get("when", {}), f"{where}: when")
    made_of_rows = {"lines"} if fact.get("line") else set()
    yield from _field_mistakes(shape, fact["fields"], f"{where}: fields", table, repeated, made_of_rows)
    if fact.get("line"):
        item = shape.fields["lines"].form.item if "lines" in shape.fields else None
        if item is None or item.shape is None:
            yield f"{where}: line: {shape.name} has no lines"
        else:
            yield from _field_mistakes(item.shape, fact["line"], f"{where}: line", table, False, set())


def _headers(text: Any) -> set[str]:
    try:
        return set(parse(text).headers)
    except ValueError:
        return set()


def _field_mistakes(
    shape: Shape, told: Mapping[str, Any], where: str, table: Mapping[str, Any], repeated: bool, made: set[str]
) -> Iterator[str]:
    for name, value in told.items():
        if name not in shape.fields:
            close = close_name(name, shape.fields)
            hint = f"did you mean {close}?" if close else f"{shape.name} takes {', '.join(shape.fields)}"
            yield f"{where}.{name}: no field of this name; {hint}"
        else:
            yield from _value_mistakes(value, f"{where}.{name}", table.get("tables", {}), repeated)
    for name, field in shape.fields.items():
        if field.required and name not in told and name not in made:
            yield f"{where}: {name}: is missing; expected {field.form.expected}"


def _value_mistakes(value: Any, where: str, tables: Mapping[str, Any], repeated: bool) -> Iterator[str]:
    if isinstance(value, str):
        yield from _template_mistakes(value, where, tables, repeated)
    elif isinstance(value, dict):
        yield from _cell_mistakes(value, where, tables, repeated)
    elif not isinstance(value, bool | int):
        yield f"{where}: expected text with {{Column}} in it, a whole number, true or false, or a table with a text"


def _cell_mistakes(value: Mapping[str, Any], where: str, tables: Mapping[str, Any], repeated: bool) -> Iterator[str]:
    for key in value:
        if key not in _KEYS:
            close = get_close_matches(key, _KEYS, n=1)
            yield f"{where}: {key}: no key of this name; " + (
                f"did you mean {close[0]}?" if close else f"there are {', '.join(_KEYS)}"
            )
    if not isinstance(value.get("text"), str):
        yield f"{where}: text: expected text with {{Column}} in it"
    else:
        yield from _template_mistakes(value["text"], where, tables, repeated)
    if "table" in value:
        yield from _table_mistakes(value["table"], f"{where}: table", tables)
    if value.get("dates", "excel") not in get_args(DateForm):
        yield f"{where}: dates: expected one of {', '.join(get_args(DateForm))}"
    if not (isinstance(value.get("split", ";"), str) and value.get("split", ";")):
        yield f"{where}: split: expected the mark between two values, such as ;"
    if not isinstance(value.get("missing", ""), str | int):
        yield f"{where}: missing: expected text, a whole number, true or false"
    yield from _zone_mistakes(value.get("zone"), f"{where}: zone")


def _table_mistakes(name: Any, where: str, tables: Mapping[str, Any]) -> Iterator[str]:
    if name not in tables:
        yield f"{where}: there is no [tables.{name}]; there are {', '.join(tables) or 'none'}"


def _template_mistakes(text: Any, where: str, tables: Mapping[str, Any], repeated: bool = False) -> Iterator[str]:
    if text is None:
        return
    try:
        template = parse(text)
    except ValueError as error:
        yield f"{where}: {error}"
        return
    yield from _filter_mistakes(template, where, tables)
    if not repeated and {EACH, NUMBER} & set(template.headers):
        yield f"{where}: {{{EACH}}} and {{{NUMBER}}} are for a fact with for_each"


def _filter_mistakes(template: Template, where: str, tables: Mapping[str, Any]) -> Iterator[str]:
    for piece in template.pieces:
        if piece.filter not in (None, *FILTERS, *tables):
            known = f"{', '.join(FILTERS)} or the name of one of the [tables]"
            yield f"{where}: after | stands {known}; there are {', '.join(tables) or 'none'}"


def _condition_mistakes(when: Mapping[str, Any], where: str) -> Iterator[str]:
    for header, wanted in when.items():
        texts = isinstance(wanted, list) and wanted and all(isinstance(each, str) for each in wanted)
        if not (texts or isinstance(wanted, str | bool)):
            expected = "a text or a list of texts; or true for any that is not empty, false for empty"
            yield f"{where}.{header}: expected {expected}"


def _zone_mistakes(zone: Any, where: str) -> Iterator[str]:
    if zone is not None and not (isinstance(zone, str) and is_place(zone)):
        yield f"{where}: expected a time zone by its place, such as America/Chicago"
