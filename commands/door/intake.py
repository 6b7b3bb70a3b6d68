"""The door: raw bytes become typed lines, or refusals that say where and why."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO, Final

import msgspec
from msgspec import UNSET

from commands.door.explain import faults_of
from commands.door.line_reader import LONGEST_LINE_BYTES, numbered_lines
from commands.door.shapes import (
    EVENTS,
    IntakeLine,
    prepare,
    prepare_as_before,
)
from commands.door.texts import are_plain, has_faults, texts_with_form
from ledger.facts.events import Event
from ledger.facts.forms import Number, parse_instant
from ledger.facts.texts import CONTROL_CHARACTER


class Unformed(msgspec.Struct, frozen=True, gc=False):
    """What is wrong with a line that has the forms of edition 1, but not today's; the past may bear it out.

    ``names`` are the fields and texts that are of a form that no new name may have, each with its message: where all
    of them stand in the ledger the line is taken. None if more is wrong: then it is only known again, if it stands.
    """

    message: str
    names: Mapping[tuple[str, str], str] | None


class Line(msgspec.Struct, frozen=True, gc=False):
    """A well-formed line of intake; or one that is well-formed by the past alone."""

    number: int
    episode: str
    source: str
    id: str
    by: str
    fact: Event
    recorded_at: datetime | None
    unformed: Unformed | None = None


class Refusal(msgspec.Struct, frozen=True, gc=False):
    """A line that is refused for its form: ``malformed`` or ``too_large``; unless the past bears ``line`` out."""

    number: int
    code: str
    message: str
    line: Line | None = None


_decoder: Final = msgspec.json.Decoder(IntakeLine, float_hook=Number)
_ESCAPE: Final = re.compile(rb"\\.")
_ENVELOPE_STRINGS: Final = 5 + 4  # its required keys, and the values of all but ``fact``


def read_lines(stream: BinaryIO) -> Iterator[Line | Refusal]:
    """Every line of a stream in order, blank ones left out; holds one line at a time."""
    for number, raw in numbered_lines(stream):
        yield parse_line(number, raw)


def parse_line(number: int, raw: bytes) -> Line | Refusal:
    """One line, typed or refused; whatever the bytes are, nothing is raised."""
    if len(raw) > LONGEST_LINE_BYTES:
        advice = "Shorten it and send it again."
        message = f"line {number}: expected a line of at most {LONGEST_LINE_BYTES:,} bytes. {advice}"
        return Refusal(number, "too_large", message)
    try:
        return _typed(number, raw)
    except (ValueError, RecursionError):
        return _refused(number, raw)


def _refused(number: int, raw: bytes) -> Refusal:
    faults = [(f"line {number}: {each.message}", each.name) for each in faults_of(raw)]
    if faults[-1][1] is None:
        unformed = Unformed(faults[-1][0], None)
    else:
        unformed = Unformed(faults[0][0], {name: message for message, name in faults if name})
    return Refusal(number, "malformed", unformed.message, _as_before(number, raw, unformed))


def _typed(number: int, raw: bytes) -> Line:
    told = _decoder.decode(raw)
    fact, at = told.fact, told.recorded_at
    texts = _texts_without_repeated_key(raw, told)
    if (not are_plain(texts) and has_faults(told)) or ":" in told.source:
        raise ValueError
    tag = fact.get("type")
    shape = EVENTS.get(tag) if type(tag) is str else None
    if shape is None:
        raise ValueError
    typed: Event = msgspec.convert(prepare(shape, fact), shape.struct)
    recorded_at = None if at is UNSET else parse_instant(at)
    return Line(number, told.episode, told.source, told.id, told.by, typed, recorded_at)


def _texts_without_repeated_key(raw: bytes, told: IntakeLine) -> list[str]:
    """Every text of a line but for its ``recorded_at``; ValueError if a key is repeated in it."""
    texts, keys = texts_and_keys(told.fact)
    strings = _ENVELOPE_STRINGS if told.recorded_at is UNSET else _ENVELOPE_STRINGS + 2
    strings += len(texts) + keys
    if raw.count(b'"') != 2 * strings and has_repeated_key(raw, strings):
        raise ValueError
    texts += told.episode, told.source, told.id, told.by
    return texts


def _as_before(number: int, raw: bytes, unformed: Unformed) -> Line | None:
    """The line by the forms of edition 1, if it has those; by today's where nothing but names is wrong."""
    prepared = prepare_as_before if unformed.names is None else prepare
    try:
        told = _decoder.decode(raw)
        _texts_without_repeated_key(raw, told)
        if any(CONTROL_CHARACTER.search(text) for _, text, _ in texts_with_form(told)):
            return None
        shape = EVENTS[told.fact["type"]]
        typed: Event = msgspec.convert(prepared(shape, told.fact), shape.struct)
        recorded_at = None if told.recorded_at is UNSET else parse_instant(told.recorded_at)
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    return Line(number, told.episode, told.source, told.id, told.by, typed, recorded_at, unformed)


def has_repeated_key(raw: bytes, strings: int) -> bool:
    """Whether a key is repeated in a JSON text that was decoded to so many strings, keys among them.

    Exact, and ten times faster than looking: every key and every string brings two quotes to the text, and of a
    repeated key only the last value is kept. So a key is repeated if, and only if, the text has more quotes than what
    was kept accounts for. Escaped ones are no quotes.
    """
    quotes = (_ESCAPE.sub(b"", raw) if b"\\" in raw else raw).count(b'"')
    return quotes != 2 * strings


def texts_and_keys(value: dict[str, Any]) -> tuple[list[str], int]:
    """Every text in a JSON object, and how many keys there are in it."""
    texts: list[str] = []
    keys, values = len(value), [*value.values()]
    for each in values:  # which grows meanwhile
        kind = type(each)
        if kind is str:
            texts.append(each)
        elif kind is dict:
            keys += len(each)
            values += each.values()
        elif kind is list:
            values += each
    return texts, keys
