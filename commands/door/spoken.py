"""One line said in words, ``field=value``: the same shapes as intake's, and the same messages.

Every value is a text here; what a field takes says how it is read. Lists have commas between their parts, objects are
written ``code=S9325,from=2026-10-05``, and anything may be given as JSON. An empty value takes a field away.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from commands.door.explain import close_name, first_fault
from commands.door.intake import Refusal, parse_line
from commands.door.shapes import EVENTS, Form, Shape

NOTHING: Final = ("nothing", "null")
"""How ``null`` is said."""

_BOOLEANS: Final = {"true": True, "yes": True, "false": False, "no": False}
_WHOLE: Final = re.compile(r"-?[0-9]{1,18}\Z")
_PLACE: Final = re.compile(r"^line [0-9]+: (?:fact\.)*")


class NotUnderstood(ValueError):
    """What was said is no line; the message says why, in the words of intake, and what to do."""


def fact_of(type_: str, words: Iterable[str], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fact of this type that some words say, as JSON has it; they change what it was ``before``."""
    shape = EVENTS.get(type_)
    if shape is None:
        near = close_name(type_, EVENTS)
        raise NotUnderstood(
            f'TYPE: expected the name of a fact; did you mean "{near}"?' if near else
            "TYPE: expected the name of a fact, such as DayServed; 'episode-ledger tell --help' lists them"
        )  # fmt: skip
    told: dict[str, Any] = {**(before or {}), "type": type_}
    told.update(_fields(shape, words))
    return {name: value for name, value in told.items() if value != ""}


def _fields(shape: Shape, words: Iterable[str]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise NotUnderstood(f"expected field=value after {shape.name}; it takes {', '.join(shape.fields)}")
        field = shape.fields.get(name)
        many = shape.fields.get(f"{name}s")
        if field is None and many is not None and many.form.item is not None and many.form.item.shape is not None:
            said.setdefault(many.name, []).append(value_of(many.form.item, text))
        elif name in said:
            raise NotUnderstood(f"{name if field else 'a field'}: expected once, but it is given more than once")
        else:
            said[name] = value_of(field.form, text) if field else text
    return said


def value_of(form: Form, text: str) -> Any:
    """What a text says where this form is asked for; what it cannot say is left for intake to refuse."""
    kinds = kinds_of(form.hint)
    if form.item is not None or form.shape is not None or form.tagged is not None or tuple in kinds:
        return _composed(form, text)
    if NoneType in kinds and text in NOTHING:
        return None
    if bool in kinds:
        return _BOOLEANS.get(text, text)
    return int(text) if int in kinds and _WHOLE.match(text) else text


def _composed(form: Form, text: str) -> Any:
    if text[:1] in ("[", "{"):
        try:
            return json.loads(text, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError):
            return text
    if not text:
        return text
    if form.shape is not None:
        return _fields(form.shape, text.split(","))
    if form.tagged is None and (form.item is None or form.item.shape is None):
        return [part.strip() for part in text.split(",")]
    return text


def kinds_of(hint: Any) -> set[Any]:
    """The types that a field takes, without what is annotated; a choice of words is ``str``."""
    origin = get_origin(hint)
    if origin is Annotated:
        return kinds_of(hint.__origin__)
    if origin in (Union, UnionType):
        return {kind for member in get_args(hint) for kind in kinds_of(member)}
    if origin is Literal:
        return {str}
    return {origin or hint}


def choices_of(hint: Any) -> list[str]:
    """The words that a field takes, if it takes but a few."""
    if get_origin(hint) is Annotated:
        return choices_of(hint.__origin__)
    if get_origin(hint) is Literal:
        return [str(each) for each in get_args(hint)]
    return ["true", "false"] if hint is bool else []


def fault_in(type_: str, name: str, value: Any) -> str | None:
    """What is wrong with the value of a field by itself, if anything is."""
    return first_fault(EVENTS[type_].fields[name].form, value, name)


def missing_fields(fact: Mapping[str, Any]) -> list[str]:
    """The fields that a fact must have and has not."""
    return [name for name, field in EVENTS[fact["type"]].fields.items() if field.required and name not in fact]


def lines_said(told: Sequence[Mapping[str, Any]]) -> list[bytes]:
    """Lines of intake; NotUnderstood if one is none, whatever the ledger holds."""
    lines = [json.dumps(each).encode() for each in told]
    for number, line in enumerate(lines, 1):
        refused = parse_line(number, line)
        if isinstance(refused, Refusal) and refused.line is None:
            raise NotUnderstood(in_words(refused.message))
    return lines


def in_words(message: str) -> str:
    """A message of intake about what was said: without a line, and a field by its own name."""
    text = _PLACE.sub("", message)
    for told, said in (("send the line again", "say it again"), ("send it again", "say it again")):
        text = text.replace(told, said)
    return text
