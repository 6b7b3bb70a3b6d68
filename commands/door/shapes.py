"""What every line of intake must look like, read once from the structs of the ledger.

The structs are the only declaration: their annotations give the field names, the checks of the forms and the sentences
of the error messages. The fast path runs ``prepare`` and a typed conversion; the explanation of a refusal walks the
same shapes field by field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from commands.door.rules import RULES, Rule
from ledger.facts.billing import DrugAdministered
from ledger.facts.events import DrugBilledSeparately, Event, ServiceBilledSeparately
from ledger.facts.forms import Bound, Check, Name, Source, Text, parse_instant
from ledger.facts.texts import TextKind

ONE_DATE_WHEN_OPEN: Final = (DrugAdministered, DrugBilledSeparately, ServiceBilledSeparately)
"""The facts whose absent ``to`` is their ``from``."""

FROM_TO: Final = ("from", "to", False)
STARTED_STOPPED: Final = ("started_at", "stopped_at", True)


class Form(Struct, frozen=True):
    """What one value must be: a sentence, a type and a check, and the forms inside a list or an object.

    ``check_before`` is the check of edition 1: what the ledger may hold from then passes it.
    """

    expected: str
    hint: Any
    check: Check | None = None
    check_before: Check | None = None
    item: Form | None = None
    shape: Shape | None = None
    tagged: Mapping[str, Shape] | None = None
    text: TextKind | None = None
    meant: Callable[[str], str | None] | None = None


class Field(Struct, frozen=True):
    """A field of an object by the name it has in JSON."""

    name: str
    required: bool
    form: Form


Checks = tuple[tuple[str, Check], ...]
Prepare = Callable[["Shape", dict[str, Any]], dict[str, Any]]


class Shape(Struct, frozen=True):
    """One kind of object: its fields, and what is checked before it becomes its struct."""

    name: str
    struct: type[Any]
    fields: Mapping[str, Field]
    checks: Checks
    checks_before: Checks
    fills_to: bool
    order: tuple[str, str, bool] | None
    rules: tuple[Rule, ...]
    as_a_whole: bool


def prepare(shape: Shape, told: dict[str, Any]) -> dict[str, Any]:
    """Check an object's fields and put their canonical values in place; ValueError when a form is wrong."""
    for name, check in shape.checks:
        value = told.get(name)
        if value is not None:  # null is of a foreign type, which the conversion refuses
            told[name] = check(value)
    if shape.as_a_whole:
        _prepare_whole(shape, told)
    return told


def _prepare_whole(shape: Shape, told: dict[str, Any]) -> None:
    if shape.fills_to and "from" in told:
        told.setdefault("to", told["from"])
    if shape.order is not None and out_of_order(shape.order, told):
        raise ValueError
    for rule in shape.rules:
        if rule(told):
            raise ValueError


def prepare_as_before(shape: Shape, told: dict[str, Any]) -> dict[str, Any]:
    """The same by the forms of edition 1."""
    return prepare(msgspec.structs.replace(shape, checks=shape.checks_before, rules=()), told)


def out_of_order(order: tuple[str, str, bool], told: Mapping[str, Any]) -> bool:
    """Whether two fields, checked and both given, end before they begin (strictly: or at once)."""
    first, second, strictly = order
    begin, end = told.get(first), told.get(second)
    if isinstance(begin, str) and isinstance(end, str):
        return end <= begin if strictly else end < begin
    if isinstance(begin, datetime) and isinstance(end, datetime):
        return end <= begin if strictly else end < begin
    return False  # absent, or of a foreign type that the conversion refuses


def shape_of(told: dict[str, Any], tagged: Mapping[str, Shape]) -> Shape | None:
    """The shape that an object's ``type`` names, if any."""
    tag = told.get("type")
    return tagged.get(tag) if isinstance(tag, str) else None


def _check_items(check: Check | None) -> Check | None:
    if check is None:
        return None

    def check_items(value: Any) -> Any:
        return [check(item) for item in value] if isinstance(value, list) else value

    return check_items


def _check_object(shape: Shape, prepare: Prepare) -> Check:
    def check_object(value: Any) -> Any:
        return prepare(shape, value) if isinstance(value, dict) else value

    return check_object


def _check_tagged(tagged: Mapping[str, Shape], prepare: Prepare) -> Check:
    def check_tagged(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        shape = shape_of(value, tagged)
        if shape is None:
            raise ValueError
        return prepare(shape, value)

    return check_tagged


def _unwrapped(hint: Any) -> tuple[Any, list[Meta], bool]:
    """A field's type without ``Annotated`` and absence; what was annotated; whether null is allowed."""
    metas: list[Meta] = []
    nullable = False
    while True:
        if get_origin(hint) is Annotated:
            metas += (meta for meta in hint.__metadata__ if isinstance(meta, Meta))
            hint = hint.__origin__
        elif get_origin(hint) in (Union, UnionType):
            members = [member for member in get_args(hint) if member not in (UnsetType, NoneType)]
            nullable = nullable or NoneType in get_args(hint)
            if len(members) > 1:
                return tuple(members), metas, nullable
            hint = members[0]
        else:
            return hint, metas, nullable


def _form(hint: Any) -> Form:
    core, metas, nullable = _unwrapped(hint)
    expected = next((meta.description for meta in metas if meta.description), "")
    bound: Bound = next((meta.extra["bound"] for meta in metas if meta.extra), Bound())
    before = None if bound.new else bound.check
    if isinstance(core, tuple) and not issubclass(core[0], Struct):
        return Form(expected, Annotated[(Union[core], *metas)], bound.check, before)  # a number of either kind
    if isinstance(core, tuple):
        tagged = {str(struct.__struct_config__.tag): _shape(struct) for struct in core}
        checks = _check_tagged(tagged, prepare), _check_tagged(tagged, prepare_as_before)
        return Form('an object with the "type" of a fact and its fields', hint, *checks, tagged=tagged)
    if get_origin(core) is tuple:
        item = _form(get_args(core)[0])
        if bound.check:
            return Form(expected, hint, bound.check, before)
        return Form(expected, hint, _check_items(item.check), _check_items(item.check_before), item=item)
    if isinstance(core, type) and issubclass(core, Struct):
        shape = _shape(core)
        checks = _check_object(shape, prepare), _check_object(shape, prepare_as_before)
        return Form(f"an object with {', '.join(shape.fields)}", hint, *checks, shape=shape)
    typed = Annotated[(core, *metas)] if metas else core
    typed, expected = typed | None if nullable else typed, expected + " or null" * nullable
    return Form(expected, typed, bound.check, before, text=bound.text, meant=bound.meant)


@cache
def _shape(struct: type[Any]) -> Shape:
    declared = msgspec.structs.fields(struct)
    fields = {field.encode_name: Field(field.encode_name, field.required, _form(field.type)) for field in declared}
    forms = [(field.name, field.form) for field in fields.values()]
    order = next((order for order in (FROM_TO, STARTED_STOPPED) if {order[0], order[1]} <= fields.keys()), None)
    rules = RULES.get(struct, ())
    return Shape(
        name=str(struct.__struct_config__.tag or struct.__name__),
        struct=struct,
        fields=fields,
        checks=tuple((name, form.check) for name, form in forms if form.check),
        checks_before=tuple((name, form.check_before) for name, form in forms if form.check_before),
        fills_to=struct in ONE_DATE_WHEN_OPEN,
        order=order,
        rules=rules,
        as_a_whole=bool(order or rules),
    )


def _check_recorded_at(value: Any) -> Any:
    if isinstance(value, str):
        parse_instant(value)
    return value


AnyInstant = Annotated[
    str,
    Meta(
        description="an instant such as 2026-11-02T16:00:00Z, with Z or an offset",
        extra={"bound": Bound(_check_recorded_at)},
    ),
]


class IntakeLine(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A line of intake before its fact is looked at."""

    episode: Name
    source: Source
    id: Name
    by: Text
    fact: dict[str, Any]
    recorded_at: AnyInstant | UnsetType = UNSET


def _whole_line(fact: Form) -> Form:
    shape = _shape(IntakeLine)
    fields = {**shape.fields, "fact": Field("fact", True, fact)}
    return Form(
        "one JSON object with episode, source, id, by and fact",
        IntakeLine,
        shape=msgspec.structs.replace(shape, name="a line", fields=fields),
    )


_FACT: Final = _form(Event)
EVENTS: Final[Mapping[str, Shape]] = _FACT.tagged or {}
"""The shape of every fact and act, by the name of its type."""
LINE: Final = _whole_line(_FACT)
"""The form of a whole line."""
