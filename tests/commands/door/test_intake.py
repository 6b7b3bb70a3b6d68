"""The door: what is let in, what is refused, where it says the fault is, and what it never says."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from commands.door.explain import HIDDEN_NAME
from commands.door.intake import Line, Refusal, parse_line
from commands.door.shapes import EVENTS
from ledger.facts.entry import tag_of
from ledger.facts.events import ConflictResolved, DrugBilledSeparately, FactCorrected, ServiceBilledSeparately
from tests.intake_samples import BAD_VALUES, CLAIM_LINE, FACTS, SERVED, entry, every_fact, full, line, put, required


def accepted(raw: bytes) -> Line:
    answer = parse_line(1, raw)
    assert isinstance(answer, Line), answer
    return answer


def refused(raw: bytes) -> str:
    answer = parse_line(7, raw)
    assert isinstance(answer, Refusal), answer
    assert (answer.number, answer.code) == (7, "malformed")
    assert "expected" in answer.message
    assert "in the forms of the reference" not in answer.message, "the explanation found nothing wrong"
    return answer.message.removeprefix("line 7: ")


def where(raw: bytes) -> str:
    return refused(raw).split(": ")[0]


def test_the_samples_cover_every_fact() -> None:
    assert FACTS.keys() == EVENTS.keys()
    for name, shape in EVENTS.items():
        assert required(name).keys() - {"type"} == {field.name for field in shape.fields.values() if field.required}
        assert full(name).keys() - {"type"} == shape.fields.keys()


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact["type"])
def test_every_fact_is_let_in(fact: dict[str, Any]) -> None:
    answer = accepted(line(fact))
    assert tag_of(answer.fact) == fact["type"]
    assert [answer.number, answer.episode, answer.source] == [1, "EP-1001", "pharmacy"]
    assert [answer.id, answer.by, answer.recorded_at] == ["d-77", "rph-7", None]
    assert accepted(json.dumps(entry(fact), indent=1).replace("\n", " \r\t").encode()) == answer
    assert accepted(json.dumps(entry(fact)).replace('"f', '"\\u0066').replace("o", "\\u006f").encode()) == answer


def test_defaults_and_canonical_values_are_filled_in() -> None:
    drug = accepted(line(required("DrugBilledSeparately", units="2.500"))).fact
    assert isinstance(drug, DrugBilledSeparately)
    assert (drug.from_, drug.to, str(drug.units)) == (date(2026, 11, 2), date(2026, 11, 2), "2.5")
    service = accepted(line(required("FactCorrected", fact=required("ServiceBilledSeparately")))).fact
    assert isinstance(service, FactCorrected)
    assert isinstance(service.fact, ServiceBilledSeparately)
    assert (service.fact.to, service.fact.units) == (date(2026, 11, 2), Decimal(1))
    nothing = accepted(line(required("ConflictResolved", bill=None))).fact
    assert isinstance(nothing, ConflictResolved)
    assert nothing.bill is None


def test_the_same_content_is_the_same_fact_however_it_is_written() -> None:
    for one, other in [
        (required("HospitalAdmitted"), required("HospitalAdmitted", at="2026-11-10T21:00:00.0Z")),
        (required("SupplyDispensed", quantity=2), required("SupplyDispensed", quantity="2.000")),
        (required("SupplyDispensed", quantity=2.5), required("SupplyDispensed", quantity="2.50")),
        (required("HospiceElected"), {"from": "2026-11-02", "type": "HospiceElected"}),
        (required("DayServed"), required("DayServed", infused=True)),
        (required("DrugBilledSeparately"), required("DrugBilledSeparately", to="2026-11-02")),
    ]:  # fmt: skip
        assert accepted(line(one)).fact == accepted(line(other)).fact


@pytest.mark.parametrize("at", ["1850-01-01T00:00Z", "2026-11-02T23:59:59.123456+14:00", "9999-12-31T23:59:59Z"])
def test_recorded_at_is_an_instant_of_any_year(at: str) -> None:
    answer = accepted(line(SERVED, recorded_at=at))
    assert answer.recorded_at == datetime.fromisoformat(at)
    assert answer.recorded_at is not None
    assert answer.recorded_at.tzinfo is UTC


GOOD = [
    ("codes of five digits and of the longest form", required("DiagnosisRecorded", icd10="S72001A")),
    ("the first and the last date", required("AuthorizationGranted", **{"from": "2000-01-01", "to": "2099-12-31"})),
    ("the last end of what may be open", required("HospiceElected", to="2098-12-31")),
    ("coverage of long ago", required("CoverageVerified", **{"from": "1900-01-01"})),
    ("a diagnosis of long ago", required("DiagnosisRecorded", **{"from": "1900-01-01"})),
    ("a stay by dates", required("HospitalAdmitted", at="2026-11-10")),
    ("a span of 366 days", required("DaysServed", **{"from": "2026-11-02", "to": "2027-11-02"})),
    ("the largest numbers of each kind", required("TherapyOrdered", interval_hours=8784)),
    ("a supply for a leap year", required("DrugDispensed", days_supply=366)),
    ("the last rank", required("TherapyRanked", rank=9)),
    ("a drug line in decimals", required("ClaimSubmitted", lines=[{**CLAIM_LINE, "code": "J2270", "units": 0.125}])),
    ("a drug line in text", required("ClaimSubmitted", lines=[{**CLAIM_LINE, "code": "J2270", "units": "12.5"}])),
    ("four modifiers", required("ClaimSubmitted", lines=[{**CLAIM_LINE, "modifiers": ["SH", "SJ", "59", "U1"]}])),
    ("fifty lines", required("ClaimSubmitted", lines=[CLAIM_LINE] * 50)),
    ("free text with a joiner in it", required("ResponseNoted", note="\U0001f469\u200d\u2695 said better")),
    ("accents in one piece", required("DayServed", order="Jos\u00e9")),
    ("a character of a Unicode yet to come", required("DayServed", order="\u0378")),
    ("a target of any form", required("FactRetracted", target_id=" \u200b" + "x" * 200, target_source="a:b")),
    ("an instant whose UTC date is just in bounds", required("HospitalAdmitted", at="2100-01-01T05:59+06:00")),
    ("text as long as it may be", required("DayServed", order="\N{SNOWMAN}" * 128)),
    ("free text as long as it may be", required("ResponseNoted", note="\N{GRINNING FACE}" * 1000)),
    ("spaces within", required("DayServed", order="RX  1")),
    ("quotes, backslashes and colons in text", required("ResponseNoted", note='\\"order":"x" \\\\" {"a":1}')),
    ("a claim without charge", required("ClaimSubmitted", lines=[{**CLAIM_LINE, "charge_cents": 0, "modifiers": []}])),
    ("a zone with a link name", required("EpisodeOpened", zone="America/Fort_Wayne")),
]


@pytest.mark.parametrize("fact", [fact for _, fact in GOOD], ids=[says for says, _ in GOOD])
def test_the_edges_are_let_in(fact: dict[str, Any]) -> None:
    accepted(line(fact))


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        pytest.param(name, path, value, id=f"{says}-{place}")
        for says, (name, path, values) in BAD_VALUES.items()
        for place, value in enumerate(values)
    ],
)
def test_a_wrong_value_is_refused_with_its_path(name: str, path: str, value: Any) -> None:
    if name:
        assert where(line(put(required(name), path, value))) == f"fact.{path}"
        if name not in ("FactCorrected", "FactRetracted"):
            inner = required("FactCorrected", fact=put(required(name), path, value))
            assert where(line(inner)) == f"fact.fact.{path}"
    else:
        assert where(line(SERVED, **{path: value})) == path


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact["type"])
def test_a_field_that_is_missing_unknown_null_or_repeated_is_refused_with_its_path(fact: dict[str, Any]) -> None:
    for name in fact.keys() & required(fact["type"]).keys():
        message = refused(line({key: value for key, value in fact.items() if key != name}))
        assert message.startswith(f"fact.{name}: the field is missing; expected ")
    for name in fact:
        if (fact["type"], name) != ("ConflictResolved", "bill"):
            assert where(line({**fact, name: None})) == f"fact.{name}"
        twice = line(fact).replace(b'"fact":{', b'"fact":{"%s":0,' % name.encode(), 1)
        assert refused(twice).startswith(f"fact.{name}: expected once")
    assert where(line({**fact, "colour": {"a": [1]}})) == "fact.colour"


def rewritten(name: str, value: Any) -> bytes:
    return json.dumps({**entry(SERVED), name: value}).encode()


def test_the_envelope_is_checked_like_a_fact() -> None:
    for name in entry(SERVED):
        assert where(rewritten(name, None)) == name
        assert where(rewritten(name, [1])) == name
        assert where(json.dumps({k: v for k, v in entry(SERVED).items() if k != name}).encode()) == name
        assert where(line(SERVED).replace(b"{", b'{"%s":"again",' % name.encode(), 1)) == name
    for name in ("episode", "source", "id", "by"):
        for value in ("", "x" * 129, "a\x1fb", "\x9f"):
            assert where(line(SERVED, **{name: value})) == name
    assert where(line(SERVED, version=3)) == "version"
    for raw in (b"[]", b"5", b'"x"', b"null", b"true", b"1.5", line(SERVED) + line(SERVED), b"[" + line(SERVED) + b"]"):
        assert refused(raw).startswith("expected one JSON object")


BACKWARDS = [
    ("to", required("HospiceElected", to="2026-11-01")),
    ("to", required("AuthorizationGranted", to="2026-10-31")),
    ("to", required("PlanSigned", to="2026-10-31")),
    ("lines[1].to", required("ClaimSubmitted", lines=[CLAIM_LINE, {**CLAIM_LINE, "to": "2026-10-31"}])),
    ("stopped_at", required("InfusionLogged", stopped_at="2026-11-02T10:00-06:00")),
    ("stopped_at", required("InfusionLogged", stopped_at="2026-11-02T15:59:59.999999Z")),
    ("stopped_at", {**full("NursingVisited"), "stopped_at": "2026-11-02T16:00Z"}),
    ("fact.to", required("FactCorrected", fact=required("HospiceElected", to="2026-11-01"))),
    ("fact.stopped_at", required("FactCorrected", fact={**full("NursingVisited"), "stopped_at": "2026-11-02T16:00Z"})),
]


@pytest.mark.parametrize(("path", "fact"), BACKWARDS)
def test_what_ends_before_it_begins_is_refused(path: str, fact: dict[str, Any]) -> None:
    assert where(line(fact)) == f"fact.{path}"


@pytest.mark.parametrize("name", [name for name, shape in EVENTS.items() if shape.order])
def test_foreign_types_in_two_fields_that_are_in_order_are_refused(name: str) -> None:
    first, second, _ = EVENTS[name].order or ("", "", False)
    for low, high in ((1.5, 2.5), (2, 1), ([2], [1]), ({}, {}), (True, False), ("2026-11-05", 5), (None, None)):
        assert where(line({**full(name), first: low, second: high})) in (f"fact.{first}", f"fact.{second}")


TEXTS = [
    ("bad UTF-8", line(SERVED).replace(b"RX-1", b"RX-\xff"), "expected text in UTF-8"),
    ("an encoded surrogate", line(SERVED).replace(b"RX-1", b"\xed\xa0\x80"), "expected text in UTF-8"),
    ("UTF-16", line(SERVED).decode().encode("utf-16"), "expected text in UTF-8"),
    ("cut off", line(SERVED)[:-1], "expected one JSON object"),
    ("empty", b"", "expected one JSON object"),
    ("a trailing comma", line(SERVED)[:-1] + b",}", "expected one JSON object"),
    ("a mark that is not at the start", b"\xef\xbb\xbf" + line(SERVED), "expected one JSON object"),
    ("a raw control character", line(SERVED).replace(b"RX-1", b"R\x01"), "expected one JSON object"),
    ("NaN", line(required("SupplyDispensed", quantity=float("nan"))), "fact.quantity: "),
    ("Infinity", line(required("PainAssessed", score=float("inf"))), "fact.score: "),
    ("minus infinity", line(required("PainAssessed", score=-float("inf"))), "fact.score: "),
    ("an exponent", line(required("PainAssessed")).replace(b":0}", b":1e0}"), "fact.score: "),
    ("a leading zero", line(required("PainAssessed")).replace(b":0}", b":01}"), "expected one JSON object"),
    ("many digits", line(required("PainAssessed")).replace(b":0}", b":" + b"9" * 60_000 + b"}"), "fact.score: "),
    ("many decimals", line(required("PainAssessed")).replace(b":0}", b":0." + b"9" * 60_000 + b"}"), "fact.score: "),
    ("an escaped control character", line(SERVED).replace(b"RX-1", b"\\u0007"), "fact.order: "),
    ("an escaped C1 control", line(SERVED).replace(b"rph-7", b"\\u0085"), "by: "),
    ("an escaped line end", line(SERVED).replace(b"RX-1", b"a\\nb"), "fact.order: "),
    ("a lone high surrogate", line(SERVED).replace(b"RX-1", b"\\ud800"), "fact.order: "),
    ("a lone low surrogate", line(SERVED).replace(b"RX-1", b"\\udc00x"), "fact.order: "),
    ("a surrogate in a name", line(SERVED).replace(b"order", b"\\ud800"), f"fact.{HIDDEN_NAME}: "),
    ("a key repeated with an escape", line(SERVED)[:-2] + b',"\\u006frder":"x"}}', "fact.order: expected once"),
    ("an unknown key repeated", line(SERVED)[:-2] + b',"A1":1,"A1":2}}', f"fact.{HIDDEN_NAME}: expected once"),
    ("a key repeated in a claim line", line(required("ClaimSubmitted")).replace(b'"code"', b'"code":1,"code"'),
     "fact.lines[0].code: expected once"),
    ("a key repeated in an unknown field", line({**SERVED, "x": 0}).replace(b":0", b':{"a":1,"a":1}'), "fact.x: "),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "begins"), [each[1:] for each in TEXTS], ids=[each[0] for each in TEXTS])
def test_a_broken_text_is_refused(raw: bytes, begins: str) -> None:
    assert refused(raw).startswith(begins)


@pytest.mark.parametrize("depth", [10, 100, 900, 1100, 5000, 10_000, 32_000, 65_000])
@pytest.mark.parametrize(("opens", "closes"), [(b"[", b"]"), (b'{"a":', b"}"), (b'[{"a":', b"}]")])
def test_no_depth_of_nesting_gets_through(opens: bytes, closes: bytes, depth: int) -> None:
    for bomb in (opens * depth, opens * depth + b"1" + closes * depth):
        for place in (b'"RX-1"', b'"EP-1001"', b'{"type"'):
            raw = line({**SERVED, "x": 0}).replace(place, bomb + b',"z":' + place, 1)
            for text in (bomb, raw):
                answer = parse_line(1, text)
                assert isinstance(answer, Refusal)
                assert answer.code == ("too_large" if len(text) > 65_536 else "malformed")


def test_messages_read_like_this() -> None:
    said = {
        b'"score":11': "fact.score: expected a whole number from 0 to 10. Correct the field and send the line again.",
        b'"scor":4': 'fact.scor: expected no field of this name; did you mean "score"? '
        "Correct the name or leave it out, and send the line again.",
        b'"JONES77":4': f"fact.{HIDDEN_NAME}: expected no field of this name; PainAssessed takes date, score, tool. "
        "Correct the name or leave it out, and send the line again.",
        b'"score":4,"score":5': "fact.score: expected once, but the field is given more than once. "
        "Keep one and send the line again.",
        b'"tool":"x"': "fact.score: the field is missing; expected a whole number from 0 to 10. "
        "Add it and send the line again.",
    }
    for given, message in said.items():
        assert refused(line(required("PainAssessed")).replace(b'"score":0', given)) == message
    assert refused(line({**SERVED, "type": "dayServd"})) == (
        'fact.type: expected the name of a fact, such as DayServed; did you mean "DayServed"? '
        "Correct the field and send the line again."
    )
    backwards = refused(line(required("HospiceElected", to="2026-11-01")))
    assert backwards == "fact.to: expected a date not before from. Correct the field and send the line again."
    asks = 'expected no field of this name; did you mean "date"?'
    assert refused(line({**SERVED, "Dates": 1})).startswith(f"fact.Dates: {asks}")
    assert refused(line({**SERVED, "date1": 1})).startswith(f"fact.{HIDDEN_NAME}: {asks}")
