"""An entry as evidence: who recorded it when, and what it says."""

from __future__ import annotations

import msgspec

from ledger.facts.entry import Entry, fields_shown, statement_of, tag_of
from ledger.facts.events import FactCorrected, FactRetracted
from projections.words import utc_text


class EvidenceShown(msgspec.Struct, frozen=True, gc=False):
    """An entry that a step rested on: who recorded it when, and what it says."""

    label: str
    episode: str
    version: int
    type: str
    by: str
    recorded_at: str
    says: str


def evidence_shown(entry: Entry) -> EvidenceShown:
    """An entry as evidence; a correction counts as what it says is right."""
    return EvidenceShown(
        entry.label, entry.episode, entry.version, tag_of(statement_of(entry)), entry.by,
        utc_text(entry.recorded_at), _says(entry),
    )  # fmt: skip


def _says(entry: Entry) -> str:
    if isinstance(entry.fact, FactRetracted):
        return f"retracts {entry.fact.target_source}:{entry.fact.target_id}: {entry.fact.reason}"
    fields = {name: value for name, value in fields_shown(entry).items() if name != "type"}
    said = ", ".join(f"{name.replace('_', ' ')} {_value(value)}" for name, value in fields.items())
    fact = entry.fact
    return f"{said} (corrects {fact.target_source}:{fact.target_id})" if isinstance(fact, FactCorrected) else said


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return "yes" if value else "nothing" if value is None else "no"
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
