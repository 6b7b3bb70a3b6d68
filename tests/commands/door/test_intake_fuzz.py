"""The door under random bytes: never a traceback, never a value in a message, and the fast proof is right."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.explain import faults_of
from commands.door.intake import Line, Refusal, has_repeated_key, parse_line, texts_and_keys
from ledger.facts.forms import Number, check_decimal
from ledger.facts.texts import CONTROL_CHARACTER
from tests.intake_samples import BAD_VALUES, entry, every_fact, line, put, required
from tests.tiers import many

MUTANTS_PER_LINE = 200
MARKER = "ZQSECRETZQ"

awkward = st.sampled_from(['"', '":', "\\", '\\"', "", "a"])
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | awkward
keys = text | st.sampled_from(["a", "b", "é", '"a":'])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text
blanks = st.text(" \t\r\n", max_size=2)


@st.composite
def written(draw: st.DrawFn, value: Any) -> str:
    """A JSON text of a value, with random blanks and escapes; an object is a list of pairs, keys may repeat."""
    blank = draw(blanks)
    if isinstance(value, tuple):
        members = [f"{draw(written(k))}{blank}:{draw(written(v))}" for k, v in value]
        return f"{{{blank}{(blank + ',').join(members)}}}{blank}"
    if isinstance(value, list):
        return f"[{blank}{','.join(draw(written(each)) for each in value)}{blank}]"
    if isinstance(value, str) and value and draw(st.booleans()):
        units = value.encode("utf-16-be")
        return '"' + "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)) + '"'
    return blank + json.dumps(value, ensure_ascii=draw(st.booleans())) + blank


values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.lists(st.tuples(keys, inner), max_size=5).map(tuple),
    max_leaves=20,
)
seeded = settings(max_examples=many(50, 500), deadline=None, derandomize=True, database=None)


def repeats(raw: bytes) -> bool:
    """Whether any object of a JSON text gives a key twice, found the slow and exact way."""
    found = []

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        found.append(len(dict(members)) < len(members))
        return dict(members)

    json.loads(raw, object_pairs_hook=pairs)
    return any(found)


@seeded
@given(values.flatmap(written))
def test_the_proof_by_quotes_agrees_with_the_slow_exact_one(json_text: str) -> None:
    raw = json_text.encode()
    texts, keys = texts_and_keys({"whole": msgspec.json.decode(raw)})
    assert has_repeated_key(raw, len(texts) + keys - 1) == repeats(raw)


@seeded
@given(st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{0,5})?([eE][+-]?[0-9]{1,2})?", fullmatch=True) | st.decimals().map(str))
def test_a_decimal_means_the_same_as_text_and_as_a_number(number: str) -> None:
    well_formed = re.fullmatch(r"(0|[1-9][0-9]*)(\.[0-9]{1,3})?", number) and float(number) > 0 and len(number) <= 128
    fact = required("SupplyDispensed", quantity=MARKER)
    as_text = parse_line(1, line({**fact, "quantity": number}))
    as_number = parse_line(1, line(fact).replace(f'"{MARKER}"'.encode(), number.encode()))
    assert isinstance(as_text, Line) == isinstance(as_number, Line) == bool(well_formed)
    if isinstance(as_text, Line) and isinstance(as_number, Line):
        assert as_text.fact == as_number.fact
        assert b'"%s"' % check_decimal(Number(number)).encode() in msgspec.json.encode(as_text.fact)


def mutants(raw: bytes, chance: random.Random) -> Iterator[bytes]:
    """The line with one to three random bytes changed, put in, taken out, doubled, or its end cut off."""
    tokens = [*rb'" \ { } [ ] , : null 1.0 0 \ud800 "to"'.split(), b"\xff", b"\xc2\x80", b"\x7f"]
    for _ in range(MUTANTS_PER_LINE):
        changed = bytearray(raw)
        for _ in range(chance.randint(1, 3)):
            at, kind = chance.randrange(len(changed) or 1), chance.randrange(6)
            end = at + chance.randint(1, 12)
            if kind == 0:
                changed[at : at + 1] = bytes([chance.randrange(256)])
            elif kind == 1:
                changed[at:at] = bytes([chance.randrange(256)])
            elif kind == 2:
                changed[at:at] = chance.choice(tokens)
            elif kind == 3:
                del changed[at:end]
            elif kind == 4:
                changed[end:end] = changed[at:end]
            elif chance.randrange(4) == 0:
                del changed[at:]
        yield bytes(changed)


def assert_as_the_json_says(raw: bytes, answer: Line) -> None:
    """What was let in is strict JSON of the form, without repeated keys or control characters."""
    told = json.loads(raw.decode("utf-8"))
    assert not repeats(raw)
    envelope = [told[name] for name in ("episode", "source", "id", "by")]
    assert envelope == [answer.episode, answer.source, answer.id, answer.by]
    for name in ("target_source", "target_id"):  # a target of any form is none, if it is not there
        told["fact"].pop(name, None)
    assert not any(CONTROL_CHARACTER.search(each) for each in strings(told))
    again = parse_line(
        answer.number, json.dumps({**told, "fact": json.loads(msgspec.json.encode(answer.fact))}).encode()
    )
    assert again == answer, "the stored form of a fact is let in and means the same"


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)


@pytest.mark.parametrize("seed", range(len(every_fact())))
def test_a_broken_line_is_answered_and_never_raises(seed: int) -> None:
    chance = random.Random(seed)
    raw = line(every_fact()[seed], recorded_at="2026-11-02T16:00:00Z")
    answers = [0, 0]
    for mutant in mutants(raw, chance):
        answer = parse_line(3, mutant)
        answers[isinstance(answer, Line)] += 1
        if isinstance(answer, Line):
            assert_as_the_json_says(mutant, answer)
        else:
            assert answer.code == "malformed"
            assert answer.message.startswith("line 3: ")
            assert "in the forms of the reference" not in answer.message, mutant
    assert all(answers)


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact["type"])
def test_nothing_is_found_wrong_with_a_good_line(fact: dict[str, Any]) -> None:
    assert "in the forms of the reference" in faults_of(line(fact))[-1].message


@seeded
@given(st.binary(max_size=200) | values.flatmap(written).map(str.encode))
def test_any_bytes_are_answered(raw: bytes) -> None:
    assert isinstance(parse_line(1, raw), Refusal)


def places(value: Any, path: str = "") -> Iterator[str]:
    """The path of every value inside an object."""
    if isinstance(value, (dict, list)):
        for key, each in value.items() if isinstance(value, dict) else enumerate(value):
            here = f"{path}[{key}]" if isinstance(value, list) else f"{path}.{key}".lstrip(".")
            yield here
            yield from places(each, here)


def marked(whole: dict[str, Any], chance: random.Random) -> Iterator[dict[str, Any]]:
    """The line with a secret in every place in turn, alone and beside some other faults of the line."""
    echoed = f"{MARKER} - at `$.fact`"
    for path in places(whole):
        for secret in (MARKER, echoed, f"2026-{MARKER}", [MARKER], {MARKER: 1}, {f"{MARKER.lower()}1": MARKER}):
            with_secret = put(whole, path, secret)
            yield with_secret
            beside = list(spoiled_too(with_secret, path))
            yield from chance.sample(beside, min(len(beside), many(1, 5)))


def spoiled_too(with_secret: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """The line with another fault, for each kind of it."""
    if path != "id":
        yield put(with_secret, "id", 5)
    if isinstance(with_secret["fact"], dict):
        yield put(with_secret, "fact.colour", 5)
        yield put(with_secret, "fact.type", MARKER)
        yield {**with_secret, "fact": {**with_secret["fact"], f"{MARKER}": 1}}
        yield {**with_secret, "fact": {**with_secret["fact"], f"date {MARKER}": 1}}


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact["type"])
def test_no_message_repeats_what_the_line_says(fact: dict[str, Any]) -> None:
    refusals, chance = 0, random.Random(fact["type"])
    for whole in marked(entry(fact, recorded_at="2026-11-02T16:00:00Z"), chance):
        raw = json.dumps(whole).encode()
        twice = raw.replace(b'"fact": {', b'"fact": {"%s": 1, "%s": 2, ' % (MARKER.encode(), MARKER.encode()))
        broken = (raw[:-1], raw + b"\xff", twice, raw.replace(b'"id"', b'"by": "x", "id"'))
        for spoiled in (raw, chance.choice(broken)):
            answer = parse_line(1, spoiled)
            if isinstance(answer, Refusal):
                refusals += 1
                assert MARKER.lower() not in answer.message.lower()
    assert refusals > 40


@pytest.mark.parametrize("says", BAD_VALUES)
def test_no_message_repeats_a_wrong_value(says: str) -> None:
    name, path, wrong = BAD_VALUES[says]
    for value in wrong:
        raw = line(put(required(name), path, value)) if name else line(required("DayServed"), **{path: value})
        answer = parse_line(1, raw)
        assert isinstance(answer, Refusal)
        shown = answer.message.split(": expected", 1)[0]
        given_text = value if isinstance(value, str) else json.dumps(value)
        assert len(given_text) < 5 or given_text not in shown
