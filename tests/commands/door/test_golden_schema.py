"""Others send us lines by the golden schema: whatever it allows is allowed for good; more may be allowed any time."""

from __future__ import annotations

import copy
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from scripts.reference_pages import intake_schema
from tests import GOLDENS
from tests.schema_changes import Schema, incompatible

GOLDEN = GOLDENS / "intake.schema.json"


def golden() -> Schema:
    schema: Schema = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return schema


def test_what_was_ever_taken_is_taken() -> None:
    schema = intake_schema()
    assert incompatible(golden(), schema) == []
    if schema != golden():
        warnings.warn(
            "the intake schema has grown: scripts/reference && cp docs/reference/intake.schema.json tests/golden/",
            stacklevel=1,
        )


def changed(change: Callable[[dict[str, Any], Schema], Any]) -> Schema:
    schema = copy.deepcopy(golden())
    change(schema["$defs"], schema)
    return schema


def rename(table: dict[str, Any], old: str, new: str) -> None:
    table[new] = table.pop(old)


def fields(facts: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = facts[name]["properties"]
    return found


def drop_choice(schema: Schema, name: str) -> None:
    schema["anyOf"] = [choice for choice in schema["anyOf"] if choice.get("$ref") != f"#/$defs/{name}"]


BREAKING: dict[str, tuple[Callable[[dict[str, Any], Schema], Any], str]] = {
    "a fact removed": (lambda facts, _: facts.pop("PatientDied"), "PatientDied: removed or renamed"),
    "a fact renamed": (lambda facts, _: rename(facts, "PatientDied", "Died"), "PatientDied: removed or renamed"),
    "a fact taken out of the line": (
        lambda _, line: drop_choice(line["properties"]["fact"], "PatientDied"),
        "a line.fact: #/$defs/PatientDied is no longer taken",
    ),
    "a fact that corrects no more": (
        lambda facts, _: drop_choice(fields(facts, "FactCorrected")["fact"], "PatientDied"),
        "FactCorrected.fact: #/$defs/PatientDied is no longer taken",
    ),
    "a tag changed": (
        lambda facts, _: fields(facts, "PatientDied")["type"].update(enum=["Died"]),
        "PatientDied.type: 'PatientDied' is no longer taken",
    ),
    "a field removed": (
        lambda facts, _: fields(facts, "TherapyOrdered").pop("drug"),
        "TherapyOrdered.drug: removed or renamed",
    ),
    "a field renamed": (
        lambda facts, _: rename(fields(facts, "TherapyOrdered"), "drug", "medicine"),
        "TherapyOrdered.drug: removed or renamed",
    ),
    "a field of the envelope removed": (lambda _, line: line["properties"].pop("by"), "a line.by: removed or renamed"),
    "a field of a claim line removed": (
        lambda facts, _: fields(facts, "ClaimLine").pop("units"),
        "ClaimLine.units: removed or renamed",
    ),
    "a field retyped": (
        lambda facts, _: fields(facts, "PainAssessed")["score"].update(type="string"),
        "PainAssessed.score: integer is no longer taken",
    ),
    "one of two types taken away": (
        lambda facts, _: fields(facts, "SupplyDispensed")["quantity"].update(type="string"),
        "SupplyDispensed.quantity: number is no longer taken",
    ),
    "null taken away": (
        lambda facts, _: fields(facts, "ConflictResolved")["bill"]["anyOf"].pop(1),
        "ConflictResolved.bill: null is no longer taken",
    ),
    "an item retyped": (
        lambda facts, _: fields(facts, "AuthorizationGranted")["codes"]["items"].update(type="integer"),
        "AuthorizationGranted.codes[]: string is no longer taken",
    ),
    "a date no longer any date": (
        lambda facts, _: fields(facts, "PatientDied")["date"].update(format="date-time"),
        "PatientDied.date: format changed",
    ),
    "an optional field made required": (
        lambda facts, _: facts["TherapyOrdered"]["required"].append("drug"),
        "TherapyOrdered.drug: optional before, now required",
    ),
    "a new field, required": (
        lambda facts, _: (
            fields(facts, "PatientDied").update(place={"type": "string"}),
            facts["PatientDied"]["required"].append("place"),
        ),
        "PatientDied.place: new and required",
    ),
    "a word removed": (
        lambda facts, _: fields(facts, "TherapyOrdered")["mode"]["enum"].remove("unspecified"),
        "TherapyOrdered.mode: 'unspecified' is no longer taken",
    ),
    "only some words": (
        lambda facts, _: fields(facts, "TherapyOrdered")["route"].update(enum=["IV"]),
        "TherapyOrdered.route: only some words are taken now",
    ),
    "a lower bound raised": (
        lambda facts, _: fields(facts, "PainAssessed")["score"].update(minimum=1),
        "PainAssessed.score: minimum raised",
    ),
    "an upper bound lowered": (
        lambda facts, _: fields(facts, "ResponseNoted")["note"].update(maxLength=128),
        "ResponseNoted.note: maxLength lowered",
    ),
    "a bound where there was none": (
        lambda facts, _: fields(facts, "ClaimSubmitted")["lines"].update(maxItems=50),
        "ClaimSubmitted.lines: maxItems lowered",
    ),
    "a pattern changed": (
        lambda facts, _: fields(facts, "DrugDispensed")["ndc"].update(pattern="^[0-9]{10}$"),
        "DrugDispensed.ndc: pattern changed",
    ),
    "a pattern where there was none": (
        lambda facts, _: fields(facts, "DayServed")["order"].update(pattern="^RX-"),
        "DayServed.order: pattern changed",
    ),
    "a default changed": (
        lambda facts, _: fields(facts, "DayServed")["infused"].update(default=False),
        "DayServed.infused: default changed",
    ),
    "a default taken away": (
        lambda facts, _: fields(facts, "CoverageVerified")["rank"].pop("default"),
        "CoverageVerified.rank: default changed",
    ),
    "unknown fields refused where they were ignored": (
        lambda facts, _: facts["PatientDied"].update(additionalProperties="never"),
        "PatientDied: additionalProperties changed",
    ),
}


@pytest.mark.parametrize(("change", "says"), BREAKING.values(), ids=BREAKING)
def test_it_refuses(change: Callable[[dict[str, Any], Schema], Any], says: str) -> None:
    assert says in incompatible(golden(), changed(change))


ADDITIVE: dict[str, Callable[[dict[str, Any], Schema], Any]] = {
    "nothing": lambda facts, line: None,
    "a new fact": lambda facts, line: (
        facts.update(VisitMissed=facts["PatientDied"]),
        line["properties"]["fact"]["anyOf"].append({"$ref": "#/$defs/VisitMissed"}),
    ),
    "a new optional field": lambda facts, _: fields(facts, "PatientDied").update(place={"type": "string"}),
    "a new word": lambda facts, _: fields(facts, "TherapyOrdered")["mode"]["enum"].append("bolus"),
    "any word": lambda facts, _: fields(facts, "TherapyOrdered")["mode"].clear(),
    "a required field made optional": lambda facts, _: facts["CoverageVerified"]["required"].remove("member"),
    "a bound widened": lambda facts, _: fields(facts, "PainAssessed")["score"].update(minimum=-1, maximum=100),
    "a bound taken away": lambda facts, _: fields(facts, "DayServed")["order"].pop("maxLength"),
    "a pattern taken away": lambda facts, _: fields(facts, "DrugDispensed")["ndc"].pop("pattern"),
    "a whole number made any number": lambda facts, _: fields(facts, "PainAssessed")["score"].update(type="number"),
    "null allowed": lambda facts, _: fields(facts, "CoverageVerified").update(
        to={"anyOf": [fields(facts, "CoverageVerified")["to"], {"type": "null"}]}
    ),
    "other words in the description": lambda facts, _: facts["PatientDied"].update(description="Died."),
}


@pytest.mark.parametrize("change", ADDITIVE.values(), ids=ADDITIVE)
def test_it_stays_quiet_about(change: Callable[[dict[str, Any], Schema], Any]) -> None:
    assert incompatible(golden(), changed(change)) == []
