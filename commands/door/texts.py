"""The texts in a line, and whether they have the form of text; for almost every line that is known at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from commands.door.shapes import LINE, Form, IntakeLine, shape_of
from ledger.facts.texts import TextKind, fault_of

_QUOTE: Final = '"'


def are_plain(texts: list[str]) -> bool:
    """Whether texts have their form for being plain ASCII, as almost all are; one that is not may have it all the same.

    A quote meets a space where a text begins or ends with one, or where one holds a quote.
    """
    joined = f'"{_QUOTE.join(texts)}"'
    if not (joined.isascii() and joined.isprintable()):
        return False
    return " " not in joined or ('" ' not in joined and ' "' not in joined)


def has_faults(told: IntakeLine) -> bool:
    """Whether a text of a line does not have its form."""
    return any(fault_of(text, kind) for _, text, kind in texts_with_form(told))


def texts_with_form(told: IntakeLine) -> Iterator[tuple[str, str, TextKind]]:
    """Every text of a line that has a form of its own: the field's name, the text, and what kind it is."""
    return _texts_in(LINE, {name: getattr(told, name) for name in told.__struct_fields__})


def odd_names(stored: str) -> list[tuple[str, str]]:
    """The fields and names in an entry's stored text that have a form which no new name may have; most have none."""
    plain = stored.isascii() and "\\" not in stored and "\x7f" not in stored
    if plain and '" ' not in stored and ' "' not in stored:  # stored text has no space between its tokens
        return []
    try:
        told = msgspec.json.decode(stored)
    except (msgspec.DecodeError, UnicodeError):  # damage is for whoever reads the entry itself
        return []
    return [(name, text) for name, text, kind in _texts_in(LINE, told) if kind == "name" and fault_of(text, kind)]


def _texts_in(form: Form, value: Any, name: str = "") -> Iterator[tuple[str, str, TextKind]]:
    if isinstance(value, str):
        if form.text:
            yield name, value, form.text
    elif isinstance(value, list) and form.item:
        for each in value:
            yield from _texts_in(form.item, each, name)
    elif isinstance(value, dict):
        shape = shape_of(value, form.tagged) if form.tagged else form.shape
        for field in shape.fields.values() if shape else ():
            if field.name in value:
                yield from _texts_in(field.form, value[field.name], field.name)
