"""Why a line is refused, in one sentence a tired biller understands.

A message names the place and what belongs there, never what was found there: values and unfamiliar field names may be
a patient's data.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

import msgspec

from commands.door.rules import ends_never
from commands.door.shapes import EVENTS, LINE, Form, Shape, out_of_order, shape_of
from ledger.facts.forms import Number
from ledger.facts.texts import fault_of

CORRECT: Final = "Correct the field and send the line again."
CORRECT_LINE: Final = "Correct the line and send it again."
HIDDEN_NAME: Final = "(a field name that is not shown)"
LONGEST_INTEGER_DIGITS: Final = 400

_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"[A-Za-z_]{1,40}\Z")
_WORDS = re.compile(r"[a-z]+(?:_[a-z]+)*\Z")


class _Object(dict[str, Any]):
    """A JSON object that remembers a key given more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated: str | None = None
        if len(self) < len(pairs):
            times_given = Counter(name for name, _ in pairs)
            self.repeated = next(name for name, times in times_given.items() if times > 1)


class Fault(NamedTuple):
    """What is wrong with a line, and what to do; if it is the form of a name, the field and the name."""

    message: str
    name: tuple[str, str] | None = None


def faults_of(raw: bytes) -> list[Fault]:
    """What is wrong with a malformed line: where it departs from its form, what was expected there, and what to do.

    At the end stands the first fault that is none of a name, if there is one. Before it, or else alone, those of names,
    which the ledger may hold already as they are.
    """
    found: list[Fault] = []
    for fault in _all_faults(raw):
        found.append(fault)
        if fault.name is None:
            break
    otherwise = f"expected {LINE.expected}, in the forms of the reference. {CORRECT_LINE}"
    return found or [Fault(otherwise)]


def first_fault(form: Form, value: Any, path: str) -> str | None:
    """The first fault of a single value that stands where this form is asked for; None if it has it."""
    found = next(_problems(form, _remembered(value), path), None)
    return found.message if found else None


def faults_by_place(tagged: Mapping[str, Shape], type_: str, fact: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every fault of a fact of one type: where in it, and what was expected there; where is empty for the whole."""
    for fault in _field_problems(tagged[type_], _remembered(dict(fact)), "", tagged=True):
        place, colon, message = fault.message.partition(": ")
        is_place = colon and not place.startswith("expected")
        yield (place, message) if is_place else ("", fault.message)


def _remembered(value: Any) -> Any:
    """A value with its objects as they are when they are read."""
    if isinstance(value, dict):
        return _Object([(name, _remembered(each)) for name, each in value.items()])
    return [_remembered(each) for each in value] if isinstance(value, list) else value


def _all_faults(raw: bytes) -> Iterator[Fault]:
    try:
        value = _decoded(raw)
    except UnicodeDecodeError:
        yield Fault("expected text in UTF-8. Save the file as UTF-8 and send the line again.")
    except json.JSONDecodeError as error:
        yield Fault(f"expected {LINE.expected}; it breaks at character {error.pos + 1}. {CORRECT_LINE}")
    except RecursionError:
        yield Fault(f"expected {LINE.expected}; it is nested too deeply. {CORRECT_LINE}")
    else:
        yield from _problems(LINE, value, "")


def _decoded(raw: bytes) -> Any:
    return json.loads(
        raw.decode("utf-8"),
        object_pairs_hook=_Object,
        parse_int=lambda text: int(text) if len(text) <= LONGEST_INTEGER_DIGITS else Number(text),
        parse_float=Number,
        parse_constant=Number,
    )


def _problems(form: Form, value: Any, path: str) -> Iterator[Fault]:
    if form.item is not None:
        yield from _list_problems(form, form.item, value, path)
    elif form.shape is not None or form.tagged is not None:
        yield from _object_problems(form, value, path)
    elif expected := _expected_instead(form, value):
        yield _wrong(path, expected)
    elif form.text and (expected := fault_of(value, form.text)):
        yield _wrong(path, expected, (path.rpartition(".")[2], value) if form.text == "name" else None)


def _wrong(path: str, expected: str, name: tuple[str, str] | None = None) -> Fault:
    stop = "" if expected.endswith("?") else "."
    where, advice = (f"{path}: ", CORRECT) if path else ("", CORRECT_LINE)
    return Fault(f"{where}expected {expected}{stop} {advice}", name)


def _expected_instead(form: Form, value: Any) -> str | None:
    """What a single value should be that it is not; None if it has its form."""
    try:
        msgspec.convert(form.check(value) if form.check else value, form.hint)
    except ValueError:
        meant = form.meant(value) if form.meant and isinstance(value, str) else None
        return f"{form.expected}; did you mean {meant}?" if meant else form.expected
    if form.text is None and isinstance(value, str) and _SURROGATE.search(value):
        return form.expected
    return None


def _list_problems(form: Form, item: Form, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield _wrong(path, form.expected)
        return
    for place, each in enumerate(value):
        yield from _problems(item, each, f"{path}[{place}]")
    if not value and _expected_instead(form, value):
        yield _wrong(path, form.expected)


def _object_problems(form: Form, value: Any, path: str) -> Iterator[Fault]:
    if not isinstance(value, _Object):
        yield _wrong(path, form.expected)
        return
    if value.repeated is not None:
        yield _repeated(value.repeated, form, path)
    shape = form.shape
    if form.tagged is not None:
        shape = shape_of(value, form.tagged)
        if shape is None:
            yield _unknown_type(value, form.tagged, path)
            return
    if shape is not None:
        yield from _field_problems(shape, value, path, tagged=form.tagged is not None)


def _field_problems(shape: Shape, told: _Object, path: str, *, tagged: bool) -> Iterator[Fault]:
    wrong = False
    for fault in _problems_of_fields(shape, told, path, tagged=tagged):
        wrong |= fault.name is None
        yield fault
    if wrong:  # what holds for the object as a whole is asked of fields that have their form
        return
    checked = told | {name: check(told[name]) for name, check in shape.checks if name in told}
    if shape.order is not None and out_of_order(shape.order, checked):
        first, second, strictly = shape.order
        yield _wrong(_join(path, second), f"an instant after {first}" if strictly else f"a date not before {first}")
    for rule in shape.rules:
        if broken := rule(checked):
            yield _wrong(_join(path, broken[0]), broken[1])


def _problems_of_fields(shape: Shape, told: _Object, path: str, *, tagged: bool) -> Iterator[Fault]:
    for name in told:
        if name not in shape.fields and not (tagged and name == "type"):
            yield _unknown_field(name, shape, path)
    for name, field in shape.fields.items():
        if name == "to" and ends_never in shape.rules and (wrong := ends_never(told)):
            yield _wrong(_join(path, name), wrong[1])
        elif name in told:
            yield from _problems(field.form, told[name], _join(path, name))
        elif field.required:
            expected = field.form.expected
            missing = f"the field is missing; expected {expected}. Add it and send the line again."
            yield Fault(f"{_join(path, name)}: {missing}")


def _repeated(name: str, form: Form, path: str) -> Fault:
    known = {field for shape in (form.tagged or {}).values() for field in ("type", *shape.fields)}
    known |= form.shape.fields.keys() if form.shape else set()
    where = _join(path, name if name in known else shown_name(name, None))
    return Fault(f"{where}: expected once, but the field is given more than once. Keep one and send the line again.")


def _unknown_field(name: str, shape: Shape, path: str) -> Fault:
    close = close_name(name, shape.fields)
    hint = f'did you mean "{close}"?' if close else f"{shape.name} takes {', '.join(shape.fields)}."
    where = _join(path, shown_name(name, close))
    advice = "Correct the name or leave it out, and send the line again."
    return Fault(f"{where}: expected no field of this name; {hint} {advice}")


def _unknown_type(told: _Object, tagged: Mapping[str, Shape], path: str) -> Fault:
    where, expected = _join(path, "type"), "the name of a fact, such as DayServed"
    if "type" not in told:
        return Fault(f"{where}: the field is missing; expected {expected}. Add it and send the line again.")
    close = close_name(told["type"], tagged) if isinstance(told["type"], str) else None
    if close:
        return Fault(f'{where}: expected {expected}; did you mean "{close}"? {CORRECT}')
    if shape_of(told, EVENTS) is not None:
        return _wrong(where, "a fact that is itself no retraction and no correction")
    return _wrong(where, expected)


def close_name(name: str, known: Mapping[str, Any]) -> str | None:
    """The known name that a misspelt one resembles, whatever its capitals."""
    lowered = {each.lower(): each for each in known}
    matches = get_close_matches(name.lower(), lowered, n=1, cutoff=0.6) if len(name) <= 40 else []
    return lowered[matches[0]] if matches else None


def shown_name(name: str, close: str | None) -> str:
    """An unfamiliar field name, if it looks like a misspelt field or like a word; else that it is not shown."""
    if _NAME.match(name) and (close is not None or _WORDS.match(name)):
        return name
    return HIDDEN_NAME


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
