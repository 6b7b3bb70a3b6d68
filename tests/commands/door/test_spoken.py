"""What is said in words is what intake reads: the same facts, refused with the same messages, and no more."""

from __future__ import annotations

import json
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.intake import Line, Refusal, parse_line
from commands.door.shapes import EVENTS
from commands.door.spoken import NotUnderstood, fact_of, lines_said, missing_fields
from commands.door.spoken import in_words as in_spoken_words
from tests.intake_samples import BAD_VALUES, entry, every_fact, required
from tests.marked import MARK
from tests.tiers import many

SAYABLE = [fact for fact in every_fact() if fact["type"] != "FactCorrected"]


def in_words(fact: dict[str, Any]) -> list[str]:
    """A fact as somebody says it."""
    return [word for name, value in fact.items() if name != "type" for word in _words(name, value)]


def _words(name: str, value: Any) -> list[str]:
    if value is None:
        return [f"{name}=nothing"]
    if isinstance(value, list) and isinstance(value[0], dict):
        return [f"{name[:-1]}={_inside(each)}" for each in value]
    if isinstance(value, list):
        return [f"{name}={','.join(value)}"]
    return [f"{name}={value if isinstance(value, str) else json.dumps(value)}"]


def _inside(line: dict[str, Any]) -> str:
    if any(isinstance(value, list) for value in line.values()):
        return json.dumps(line)
    return ",".join(f"{name}={value}" for name, value in line.items())


def typed(fact: Any) -> Any:
    line = parse_line(1, json.dumps(entry(fact)).encode())
    assert isinstance(line, Line), line
    return line.fact


@pytest.mark.parametrize("fact", SAYABLE, ids=lambda fact: fact["type"])
def test_every_fact_can_be_said_in_words(fact: dict[str, Any]) -> None:
    assert typed(fact_of(fact["type"], in_words(fact))) == typed(fact)


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact["type"])
def test_every_field_can_be_given_as_json(fact: dict[str, Any]) -> None:
    words = [
        word
        for name, value in fact.items()
        if name != "type"
        for word in ([f"{name}={json.dumps(value)}"] if isinstance(value, dict | list) else _words(name, value))
    ]
    assert typed(fact_of(fact["type"], words)) == typed(fact)


def refusal(words: list[str], type_: str = "DayServed") -> str:
    with pytest.raises(NotUnderstood) as caught:
        lines_said([entry(fact_of(type_, words))])
    return str(caught.value)


def test_a_mistake_is_said_in_the_words_of_intake_by_the_fields_own_name() -> None:
    assert refusal(["order=RX-1", "date=11/02/2026"]) == (
        "date: expected a date written YYYY-MM-DD, from 2000-01-01 to 2099-12-31. Correct the field and say it again."
    )
    assert refusal(["ordr=RX-1", "date=2026-11-02"]).startswith(
        'ordr: expected no field of this name; did you mean "order"?'
    )
    assert refusal(["date=2026-11-02"]).startswith("order: the field is missing; expected text")
    assert refusal(["order"]) == "expected field=value after DayServed; it takes order, date, infused, place_of_service"
    assert refusal(["order=a", "order=b"]) == "order: expected once, but it is given more than once"


def test_a_type_is_known_by_its_name_alone_and_a_near_one_is_asked_for() -> None:
    assert refusal([], "DayServd") == 'TYPE: expected the name of a fact; did you mean "DayServed"?'
    assert "tell --help" in refusal([], MARK)
    assert MARK not in refusal([], MARK)


def test_words_change_what_was_before_and_an_empty_one_takes_a_field_away() -> None:
    before = {"type": "DaysServed", "order": "RX-1", "from": "2026-11-02", "to": "2026-11-08", "place_of_service": "12"}
    after = fact_of("DaysServed", ["to=2026-11-05", "place_of_service="], before)
    assert after == {"type": "DaysServed", "order": "RX-1", "from": "2026-11-02", "to": "2026-11-05"}
    assert missing_fields({"type": "DaysServed", "order": "RX-1"}) == ["from", "to"]


@pytest.mark.parametrize("says", BAD_VALUES)
def test_a_text_that_intake_refuses_is_refused_in_words_too(says: str) -> None:
    name, path, wrong = BAD_VALUES[says]
    if name not in EVENTS or path not in EVENTS[name].fields or path in ("fact", "codes", "lines"):
        return
    for text in (each for each in wrong if isinstance(each, str) and each and not each.isdigit() and each != "true"):
        others = [word for word in in_words(required(name)) if not word.startswith(f"{path}=")]
        told = entry(fact_of(name, [*others, f"{path}={text}"]))
        answer = parse_line(1, json.dumps(told).encode())
        assert isinstance(answer, Refusal), (name, path, text)
        assert in_spoken_words(answer.message).startswith(f"{path}: expected")


hard = st.sampled_from(["{", "[", "[[", "{}", "[1e999]", "nothing", "a,b", ",", "=", "[" * 9_000])
names = st.sampled_from(sorted({name for shape in EVENTS.values() for name in shape.fields} | {"line"}))
words = st.one_of(st.text(max_size=30), st.builds("{}={}".format, names, st.one_of(st.text(max_size=20), hard)))


def answer_to(type_: str, said: list[str]) -> str | None:
    """Why what is said is no fact; None if it is one."""
    try:
        (line,) = lines_said([entry(fact_of(type_, said))])
    except NotUnderstood as error:
        return str(error)
    assert line
    return None


@settings(max_examples=many(400, 3000), deadline=None)
@given(st.sampled_from(sorted(EVENTS)), st.lists(words, max_size=6))
def test_whatever_is_said_is_a_fact_or_is_not_understood(type_: str, said: list[str]) -> None:
    assert "\n" not in (answer_to(type_, said) or "")


def test_no_message_repeats_what_was_said() -> None:
    rng = Random(7)
    refused = 0
    for fact in SAYABLE:
        said = in_words(fact)
        for at in range(len(said)):
            name = said[at].partition("=")[0]
            for spoiled in (f"{name}={MARK}\n", f"{MARK}={MARK}", f"{name}=[{MARK}", MARK, f'{name}={{"{MARK}": 1}}'):
                spoilt = [*said[:at], spoiled, *said[at + 1 :]]
                rng.shuffle(spoilt)
                message = answer_to(fact["type"], spoilt)
                refused += message is not None
                assert MARK.lower() not in (message or "").lower()
    assert refused > 500
