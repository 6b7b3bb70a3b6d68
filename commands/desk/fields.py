"""The fields of forms, from the same shapes as intake: names, hints, choices, and what is wrong with each.

A form holds texts. Empty is absent; a list has commas; the lines of a claim are numbered: ``lines.0.code``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from types import NoneType
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct

from commands.door.explain import faults_by_place
from commands.door.shapes import EVENTS, Field, Form, Shape
from commands.door.spoken import choices_of, kinds_of, value_of
from ledger.facts.texts import LONGEST_FREE_TEXT, LONGEST_TEXT
from projections.words import capital, sentence

Texts = Mapping[str, str]
Known = Callable[[str], Iterable[str]]
Kind = Literal["text", "date", "choice", "long", "file", "rows"]

MOST_ROWS: Final = 50
BLANK_ROWS: Final = 2
"""How many more rows a list has than are filled."""

_WORDS: Final = {"ndc": "NDC", "hcpcs": "HCPCS code", "icd10": "ICD-10 code", "rx": "Rx number", "at": "At",
                 "charge_cents": "Charge in cents"}  # fmt: skip
_DATE: Final = "a date written YYYY-MM-DD, "
_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ADVICE: Final = re.compile(r"[.;]? [A-Z][^.?]*(?:send|say) (?:the line|it) again\.$")


class Control(Struct, frozen=True):
    """A field as a page shows it; ``rows`` are the controls of each row of a list of objects.

    ``choices`` are all that it takes, ``known`` what it may be helped with.
    """

    name: str
    label: str
    hint: str
    kind: Kind
    required: bool
    value: str = ""
    error: str | None = None
    longest: int = LONGEST_TEXT
    choices: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    rows: tuple[tuple[Control, ...], ...] = ()


def title_of(type_: str) -> str:
    """The name of a fact as a person reads it: ``Day served``."""
    return _CAPITAL.sub(" ", type_).capitalize()


def about(type_: str) -> str:
    """What a fact is, in a sentence."""
    return " ".join((EVENTS[type_].struct.__doc__ or "").replace("``", "").replace("(null) ", "").split())


def controls_of(
    shape: Shape, told: Texts, errors: Texts, prefix: str = "", known: Known = lambda name: ()
) -> list[Control]:
    """The fields of a shape, filled with what was told so far, each with what is wrong with it; ``known`` gives what
    is known for a field of that name."""
    return [_control(field, f"{prefix}{field.name}", told, errors, known) for field in shape.fields.values()]


def _control(field: Field, name: str, told: Texts, errors: Texts, known: Known) -> Control:
    form, shape = field.form, field.form.item.shape if field.form.item else None
    label, hint = _WORDS.get(field.name, field.name.replace("_", " ").capitalize()), _hint(form)
    if shape is not None:
        rows = tuple(
            tuple(controls_of(shape, told, errors, f"{name}.{number}.", known))
            for number in range(_rows_shown(name, told))
        )
        return Control(name, label, hint, "rows", field.required, error=errors.get(name), rows=rows)
    choices, longest = tuple(choices_of(form.hint)), LONGEST_TEXT
    kind: Kind = "choice" if choices else "text"
    if date in kinds_of(form.hint):
        kind = "date"
    elif form.text == "free":
        kind, longest = "long", LONGEST_FREE_TEXT
    elif form.item is not None:
        longest = LONGEST_FREE_TEXT
    return Control(
        name, label, hint, kind, field.required, told.get(name, ""), errors.get(name), longest, choices,
        tuple(known(field.name)) if kind == "text" else (),
    )  # fmt: skip


def _hint(form: Form) -> str:
    """What a field takes, where its name and kind do not say it."""
    if form.text in ("text", "name"):
        return ""
    said = form.expected.removeprefix(_DATE) if date in kinds_of(form.hint) else form.expected
    said = _without_null(said) if NoneType in kinds_of(form.hint) else said
    return capital(said)


def _without_null(said: str) -> str:
    return said.replace(" or null", ', or "nothing"')


def _rows_shown(name: str, told: Texts) -> int:
    filled = [number for number in range(MOST_ROWS) if any(told[key].strip() for key in _row_keys(name, number, told))]
    return min(MOST_ROWS, max(filled, default=-1) + 1 + BLANK_ROWS)


def _row_keys(name: str, number: int, told: Texts) -> list[str]:
    return [key for key in told if key.startswith(f"{name}.{number}.")]


def object_told(shape: Shape, told: Texts, prefix: str = "") -> dict[str, Any]:
    """What a form tells, as JSON has it; what is empty is absent."""
    found: dict[str, Any] = {}
    for field in shape.fields.values():
        name, item = f"{prefix}{field.name}", field.form.item
        if item is not None and item.shape is not None:
            rows = [object_told(item.shape, told, f"{name}.{number}.") for number in range(MOST_ROWS)]
            if any(rows):
                found[field.name] = [row for row in rows if row]
        elif text := told.get(name, "").strip():
            found[field.name] = value_of(field.form, text)
    return found


def fact_told(type_: str, told: Texts) -> dict[str, Any]:
    """The fact that a form tells."""
    return {"type": type_} | object_told(EVENTS[type_], told)


def texts_of(shape: Shape, stated: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """What a form holds that tells this object."""
    found: dict[str, str] = {}
    for name, value in stated.items():
        field = shape.fields.get(name)
        item = field.form.item if field else None
        if field is None:
            continue
        if item is not None and item.shape is not None:
            for number, row in enumerate(value):
                found |= texts_of(item.shape, row, f"{prefix}{name}.{number}.")
        else:
            found[f"{prefix}{name}"] = _text(value)
    return found


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    return "nothing" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def defaults_of(type_: str) -> dict[str, str]:
    """What a field is when nothing is told, where that is something."""
    declared = msgspec.structs.fields(EVENTS[type_].struct)
    return {
        field.encode_name: _text(msgspec.to_builtins(field.default))
        for field in declared
        if field.default is not UNSET and field.default is not msgspec.NODEFAULT
    }


def errors_of(type_: str, fact: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each field of a fact, by the name it has in the form; ``""`` for the fact as a whole."""
    shape, found = EVENTS[type_], dict[str, str]()
    for place, message in _placed(type_, fact):
        name = re.sub(r"\[(\d+)\]", r".\1", place)
        found.setdefault(name if name.partition(".")[0] in shape.fields else "", plain(message))
    return found


def _placed(type_: str, fact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    return faults_by_place(EVENTS, type_, fact)


def plain(message: str) -> str:
    """A message of intake as a form says it: what was expected, without what to do with a line."""
    said = _without_null(_ADVICE.sub("", message))
    said = said.removeprefix("the field is missing; ").strip()
    return capital(said) if said.endswith((".", "?")) else sentence(said)


def shown(controls: list[Control]) -> list[tuple[str, str]]:
    """What a form tells, field by field, as it is shown before it is recorded."""
    found: list[tuple[str, str]] = []
    for each in controls:
        for number, row in enumerate(each.rows, 1):
            said = ", ".join(f"{one.label.lower()} {one.value}" for one in row if one.value.strip())
            found += [(f"{each.label} {number}", said)] if said else []
        if each.value.strip():
            found.append((each.label, each.value.strip()))
    return found
