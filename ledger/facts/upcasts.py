"""Old stored forms, brought up to today's: where a change of a struct keeps yesterday's entries readable.

Every stored entry names the schema it was written under. When a struct changes incompatibly, ``SCHEMA`` goes up by one
and a step is added here that turns a decoded entry of the schema before into the next; stored rows never change.

Schema 1 was the pilot's: its ``PainAssessed`` called the score ``pain_score``. Edition 2 of the rulebook only added to
what may stand in a fact, and its structs read every text of schema 2 as it is, so that stayed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec import ValidationError

SCHEMA: Final = 2

JsonObject = dict[str, Any]


def _rename_pain_score(fact: JsonObject) -> JsonObject:
    if fact.get("type") == "PainAssessed" and "pain_score" in fact:
        return {("score" if name == "pain_score" else name): value for name, value in fact.items()}
    if fact.get("type") == "FactCorrected" and isinstance(fact.get("fact"), dict):
        return fact | {"fact": _rename_pain_score(fact["fact"])}
    return fact


FACT_STEPS: Final[dict[int, Callable[[JsonObject], JsonObject]]] = {1: _rename_pain_score}
"""For each schema that was ever written, the step that brings a fact to the next one."""


def upcast(entry: Any) -> JsonObject:
    """A decoded entry of any known schema in today's form; ``ValidationError`` for an unknown schema."""
    if not isinstance(entry, dict) or not isinstance(entry.get("fact"), dict):
        raise ValidationError("not an entry")
    schema: Any = entry.get("schema")
    fact = entry["fact"]
    while schema != SCHEMA or type(schema) is not int:
        if type(schema) is not int or schema not in FACT_STEPS:
            raise ValidationError("an unknown schema")
        fact, schema = FACT_STEPS[schema](fact), schema + 1
    return entry | {"fact": fact, "schema": SCHEMA}
