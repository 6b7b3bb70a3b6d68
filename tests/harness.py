"""The real engine behind the plain model's signature, so that both run the same scenarios and histories."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from commands.door.intake import Line, parse_line
from commands.writing.record import Outcome, record
from ledger.book import Book, Code, Payer, Provider
from ledger.facts.administration import PatientsMerged, PatientsParted, PaymentReceived
from ledger.facts.entry import Entry, decode, encode
from ledger.facts.forms import parse_instant
from ledger.facts.merges import Merged, MergeRefused, Parted
from ledger.facts.upcasts import SCHEMA
from ledger.judge.checks import ReceivedCheck, find_in_checks
from ledger.judge.patients import by_episode, gather
from ledger.store import EpisodeLedger
from projections.read_model import queries
from projections.read_model.queries import Filters
from projections.read_model.views import passing_views
from projections.reading.as_known import book_known
from projections.rows.finding import finding_cells
from projections.rows.kept import NOBODY
from projections.rows.patient import Sheets, derive_patient
from tests.stores import open_ledger

LATER: Final = datetime(2029, 1, 1, tzinfo=UTC)
"""The ledger's clock while scenarios are told: after all that they tell of."""


class Derived(msgspec.Struct):
    """Days, findings and lines as the contract's rows."""

    days: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    lines: list[dict[str, Any]]
    outcomes: list[dict[str, Any]] = []


def book_of(tables: dict[str, Any]) -> Book:
    """A book from the tables a TOML file would give."""
    return Book(
        msgspec.convert(tables["codes"], tuple[Code, ...]),
        msgspec.convert(tables["payers"], tuple[Payer, ...]),
        msgspec.convert(tables["providers"], tuple[Provider, ...]),
    )


def judge_entries(entries: list[Entry], book: Book, known_at: datetime | None = None) -> Derived:
    """Rows judged straight from entries in recorded order."""
    views = passing_views()
    for patient in gather(by_episode(entries), known_at):
        views.write(patient.name, derive_patient(patient, book_known(book, known_at)))
    views.write(NOBODY, Sheets([], finding_cells(find_in_checks(_checks(entries, known_at))), []))
    sheets = (rows(views, Filters()) for rows in (queries.day_rows, queries.finding_rows, queries.line_rows))
    return Derived(*(msgspec.json.decode(msgspec.json.encode(list(sheet))) for sheet in sheets))


def _checks(entries: list[Entry], known_at: datetime | None) -> list[ReceivedCheck]:
    """The checks among some entries, as known at an instant."""
    acts = [(entry.version, entry.fact, entry.recorded_at) for entry in entries]
    return [
        ReceivedCheck(number, act)
        for number, act, at in acts
        if isinstance(act, PaymentReceived) and (known_at is None or at <= known_at)
    ]


def typed(entries: list[dict[str, Any]]) -> list[Entry]:
    """Accepted intake dicts as the ledger would hold them: through the door, but without a store."""
    versions: dict[str, int] = {}
    made = []
    for number, raw in enumerate(entries, 1):
        if not raw["episode"]:
            made.append(_act(raw, number))
            continue
        line = parse_line(number, msgspec.json.encode(raw))
        assert isinstance(line, Line), line
        assert line.recorded_at is not None
        version = versions[line.episode] = versions.get(line.episode, 0) + 1
        entry = Entry(
            line.episode, version, line.source, line.id, line.by, line.recorded_at, "0" * 32, line.fact, SCHEMA
        )
        made.append(decode(encode(entry)))
    return made


def _act(raw: dict[str, Any], number: int) -> Entry:
    """An act of the house, as readers meet it among entries."""
    at = parse_instant(raw["recorded_at"])
    is_check = raw["fact"]["type"] == "PaymentReceived"
    fact = _check(raw["fact"], at) if is_check else msgspec.convert(raw["fact"], Merged | Parted)
    return Entry("", number, raw["source"], raw["id"], raw["by"], at, "", fact, SCHEMA)  # type: ignore[arg-type]


def _check(fact: dict[str, Any], at: datetime) -> PaymentReceived:
    more = {"claims": 1, "received_at": at, "file": "", "nonce": "0" * 32}
    return msgspec.convert(more | fact, PaymentReceived)


def plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what the plain model leaves out."""
    return [{key: value for key, value in row.items() if key not in ("because", "message")} for row in rows]


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def derive(
    entries: list[dict[str, Any] | str | bytes],
    book: dict[str, Any],
    known_at: str | None = None,
    *,
    keep_recorded_at: bool = True,
) -> Derived:
    """The whole way: lines through the door into a real ledger file, then judged from what it holds."""
    outcomes: list[Any] = []
    with TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.db", create=True) as ledger:
        for are_acts, several in groupby(entries, _is_act):
            if are_acts:
                outcomes += [done_in(ledger, act) for act in several]
                continue
            stream = io.BytesIO(b"\n".join(map(_line, several)))
            outcomes += record(ledger, stream, keep_recorded_at=keep_recorded_at, clock=lambda: LATER)
        stored = [*(entry for _, entry in ledger.follow(0)), *ledger.merge_entries()]
        stored += [_among_entries(position, act) for position, act in ledger.acts_of(PaymentReceived)]
    derived = judge_entries(stored, book_of(book), parse_instant(known_at) if known_at else None)
    derived.outcomes = msgspec.json.decode(msgspec.json.encode(outcomes))
    return derived


def tell(ledger: EpisodeLedger, entries: list[dict[str, Any]]) -> list[Any]:
    """Record lines with the instants they bear."""
    stream = io.BytesIO(b"".join(json.dumps(entry).encode() + b"\n" for entry in entries))
    return list(record(ledger, stream, keep_recorded_at=True))


def _is_act(entry: dict[str, Any] | str | bytes) -> bool:
    return isinstance(entry, dict) and entry["episode"] == ""


def _among_entries(position: int, act: PaymentReceived) -> Entry:
    return Entry("", position, "house", str(position), "", act.received_at, "", act, SCHEMA)  # type: ignore[arg-type]


def done_in(ledger: EpisodeLedger, entry: Any) -> Outcome:
    """An act of the house, done in a ledger."""
    fact, at = entry["fact"], parse_instant(entry["recorded_at"])
    if fact["type"] == "PaymentReceived":
        return Outcome(0, "recorded", ledger.append([], acts=[_check(fact, at)])[0])
    by = {"by": entry["by"], "patient": fact["patient"], "reason": fact["reason"], "nonce": "0" * 32}
    try:
        if fact["type"] == "PatientsMerged":
            position = ledger.record_merging(PatientsMerged(merged_at=at, into=fact["into"], **by))
        else:
            position = ledger.record_parting(PatientsParted(parted_at=at, **by))
    except MergeRefused as refused:
        return Outcome(0, "refused", None, "merge_refused", str(refused))
    return Outcome(0, "recorded", position)


def _line(entry: dict[str, Any] | str | bytes) -> bytes:
    if isinstance(entry, bytes):
        return entry
    return (entry if isinstance(entry, str) else json.dumps(entry)).encode()
