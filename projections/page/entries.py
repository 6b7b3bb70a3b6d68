"""The entries of a page: what was told when by whom, what it states, what became of it, and which days it decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from ledger.facts.entry import Entry, fields_shown, statement_of, tag_of
from ledger.facts.events import FactCorrected, FactRetracted
from ledger.facts.liveness import live_entries, retractions
from projections.page.days import DayShown
from projections.page.sources import Cause, Sources
from projections.words import counted, date_runs, dollars, utc_text


class EntryShown(msgspec.Struct, frozen=True, gc=False):
    """One entry of the episode; ``standing`` says why it no longer counts, or is empty."""

    position: int
    recorded_at: str
    by: str
    label: str
    type: str
    states: tuple[tuple[str, str], ...]
    does: str
    target: Cause | None
    reason: str | None
    standing: str
    ended_by: tuple[Cause, ...]
    decides: tuple[tuple[str, str], ...]


def entries_shown(entries: Sequence[Entry], days: Iterable[DayShown], sources: Sources) -> tuple[EntryShown, ...]:
    """The entries of one episode in the order they were recorded."""
    standing = _status_by_version(entries)
    by_identity = {(entry.source, entry.id): entry for entry in entries}
    naming = _naming(entries)
    decided = _decided(days)
    return tuple(
        EntryShown(
            sources.position(entry),
            utc_text(entry.recorded_at),
            entry.by,
            entry.label,
            tag_of(statement_of(entry)),
            tuple(_fields(entry)),
            _does(entry),
            _target(entry, by_identity, sources),
            entry.fact.reason if isinstance(entry.fact, FactCorrected | FactRetracted) else None,
            standing.get(entry.version, ""),
            sources.of_entries(naming.get((entry.source, entry.id), ())) if entry.version in standing else (),
            tuple(date_runs(decided.get(sources.position(entry), ()))),
        )
        for entry in entries
    )


def _status_by_version(entries: Sequence[Entry]) -> dict[int, str]:
    """What no longer counts, by version: taken back, or replaced by a correction."""
    retracted = retractions(entries)
    live = {live.entry.version for live in live_entries(entries)}
    found = {}
    for entry in entries:
        if (entry.source, entry.id) in retracted and entry.version not in live:
            found[entry.version] = "retracted"
        elif entry.version not in live and not isinstance(entry.fact, FactRetracted):
            found[entry.version] = "corrected"
    return found


Identity = tuple[str, str]


def _naming(entries: Sequence[Entry]) -> dict[Identity, list[Entry]]:
    """The corrections and retractions of each entry."""
    naming: dict[Identity, list[Entry]] = {}
    for entry in entries:
        if isinstance(entry.fact, FactCorrected | FactRetracted):
            naming.setdefault((entry.fact.target_source, entry.fact.target_id), []).append(entry)
    return naming


def _does(entry: Entry) -> str:
    match entry.fact:
        case FactCorrected():
            return "corrects"
        case FactRetracted():
            return "retracts"
    return ""


def _target(entry: Entry, by_identity: Mapping[Identity, Entry], sources: Sources) -> Cause | None:
    if not isinstance(entry.fact, FactCorrected | FactRetracted):
        return None
    return sources.of_entries([by_identity[entry.fact.target_source, entry.fact.target_id]])[0]


def _fields(entry: Entry) -> Iterator[tuple[str, str]]:
    """What the entry states, field by field; a retraction says nothing of its own but its reason."""
    if isinstance(entry.fact, FactRetracted):
        return
    for name, value in fields_shown(entry).items():
        if name == "lines":
            yield from (("line", _line(line)) for line in value)
        elif name != "type":
            yield name.replace("_", " "), _value(value)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(map(str, value.values()))
    if value is None or isinstance(value, bool):
        return "yes" if value else "nothing" if value is None else "no"
    return ", ".join(map(_value, value)) if isinstance(value, list | tuple) else str(value)


def _line(line: Mapping[str, Any]) -> str:
    """A line of a claim in short, or of an answer to one."""
    if "paid_cents" in line:
        dates = f", {line['from']} to {line['to']}" if "from" in line else ""
        why = ", ".join(f"{each['group']}-{each['code']}" for each in line.get("adjustments", ()))
        said = f"{line['code']}{dates}, {dollars(line['paid_cents'])} of {dollars(line['charge_cents'])} paid"
        return f"{said} ({why})" if why else said
    told = line["units"]
    units = counted(told, "unit") if isinstance(told, int) else f"{told} units"
    said = f"{line['code']}, {line['from']} to {line['to']}, {units}, {dollars(line['charge_cents'])}"
    return f"{said}, {_value(line['modifiers'])}" if line.get("modifiers") else said


def _decided(days: Iterable[DayShown]) -> dict[int, list[str]]:
    """The dates that each entry, by position, is a cause of."""
    decided: dict[int, list[str]] = {}
    for day in days:
        for cause in day.causes:
            decided.setdefault(cause.position, []).append(day.date)
    return decided
