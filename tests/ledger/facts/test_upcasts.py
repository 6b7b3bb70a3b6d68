"""What was ever stored is read for good: golden texts of today's schema and of the ones before it.

A text under ``golden/stored`` is never changed. When the schema goes up, today's file stays as it is, and a new one is
added beside it: each old text must then be read into the struct of the day (``ledger/facts/upcasts.py``). What the
second edition added stands in files of its own, under the same schema: its structs read every older text as it is.
"""

from __future__ import annotations

import json
import pickle
import sqlite3
import sys
from contextlib import closing
from datetime import UTC, date
from pathlib import Path
from typing import Any, get_args

import pytest
from eventsourcing.persistence import StoredEvent
from msgspec import ValidationError
from msgspec.structs import replace

from commands.door.intake import Line, parse_line
from ledger.book import Book, load_book
from ledger.facts.entry import Entry, NewerEntry, decode, encode, tag_of
from ledger.facts.events import Event, FactCorrected, PainAssessed
from ledger.facts.stored import read_row, read_stored
from ledger.facts.upcasts import SCHEMA, upcast
from ledger.store import EntryMapper, UnreadableEntry
from tests import GOLDENS
from tests.command_line import House, assert_plain, example
from tests.harness import judge_entries
from tests.stores import open_ledger
from tests.tampering import plant

GOLDEN = GOLDENS / "stored"


def texts(name: str) -> list[str]:
    return (GOLDEN / name).read_text(encoding="utf-8").splitlines()


TODAY = texts(f"schema-{SCHEMA}.jsonl") + texts(f"schema-{SCHEMA}-edition-2.jsonl")
TODAY += texts(f"schema-{SCHEMA}-claims.jsonl")
SENT = texts(f"schema-{SCHEMA}-sent.jsonl") + texts(f"schema-{SCHEMA}-edition-2-sent.jsonl")
SENT += texts(f"schema-{SCHEMA}-claims-sent.jsonl")
PILOT = texts("schema-1.jsonl")


def tag_in(text: str) -> str:
    return str(json.loads(text)["fact"]["type"])


def row(text: str, tag: str | None = None) -> tuple[int, str, int, str, str]:
    entry = json.loads(text)
    return 17, entry["episode"], entry["version"], tag or tag_in(text), text


def test_every_fact_has_its_golden_text() -> None:
    assert {tag_in(text) for text in TODAY} == {kind.__name__ for kind in get_args(Event)}


@pytest.mark.parametrize(("sent", "stored"), [*zip(SENT, TODAY, strict=True)], ids=map(tag_in, TODAY))
def test_what_is_sent_is_stored_as_ever_and_read_back(sent: str, stored: str) -> None:
    number = json.loads(stored)["version"]
    line = parse_line(number, sent.encode())
    assert isinstance(line, Line)
    assert line.recorded_at is not None
    told = line.recorded_at.astimezone(UTC)
    entry = Entry(line.episode, number, line.source, line.id, line.by, told, f"{number:032x}", line.fact, SCHEMA)
    assert encode(entry).decode() == stored
    assert decode(stored) == read_row(row(stored)) == entry
    assert encode(decode(stored)).decode() == stored
    assert tag_of(entry.fact) == tag_in(stored)


def as_of_schema_1(stored: Any) -> Any:
    """Today's text as the pilot would have written it."""
    fact = stored["fact"]
    inner = fact.get("fact", fact)
    if inner["type"] == "PainAssessed":
        inner["pain_score"] = inner.pop("score")
    return stored | {"schema": 1}


CORRECTION = next(json.loads(text) for text in TODAY if tag_in(text) == "FactCorrected")
INSIDE_CORRECTIONS = [
    json.dumps(CORRECTION | {"fact": CORRECTION["fact"] | {"fact": json.loads(text)["fact"]}})
    for text in TODAY
    if tag_in(text) not in ("FactCorrected", "FactRetracted")
]


@pytest.mark.parametrize("stored", [*TODAY, *INSIDE_CORRECTIONS])
def test_every_fact_of_the_pilot_is_read_as_todays(stored: str) -> None:
    old = json.dumps(as_of_schema_1(json.loads(stored)))
    assert '"score"' not in old
    assert decode(old) == decode(stored)


def test_the_pilots_pain_score_is_the_score() -> None:
    entries = [decode(text) for text in PILOT]
    assert [entry.schema for entry in entries] == [SCHEMA] * len(PILOT)
    assert entries[5].fact == PainAssessed(date=date(2026, 11, 2), score=7, tool="NRS")
    assert entries[9].fact == FactCorrected(
        target_source="chart",
        target_id="pain-2",
        reason="wrong month",
        fact=PainAssessed(date=date(2026, 11, 10), score=4),
    )


def test_an_upcast_changes_no_text_and_no_other_fact() -> None:
    for text in PILOT:
        before = json.loads(text)
        after = upcast(before)
        assert before == json.loads(text)
        assert after["schema"] == SCHEMA
        if "Pain" not in text:
            assert after == before | {"schema": SCHEMA}


def book_of_unsigned_orders() -> Book:
    """The example book, whose payers ask for no signature under an order: the pilot's orders have none."""
    book = load_book()
    payers = [
        replace(payer, terms=tuple(replace(terms, order_signature="none") for terms in payer.terms))
        for payer in book.payers.values()
    ]
    return Book(book.codes.values(), payers, book.providers.values())


@pytest.mark.sqlite_file
def test_a_ledger_with_entries_of_the_pilot_reads_and_judges(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    open_ledger(path, create=True).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _, episode, version, tag, text in map(row, PILOT):
            connection.execute(
                "INSERT INTO entries (originator_id, originator_version, topic, state, seal)"
                " VALUES (?, ?, ?, ?, zeroblob(32))",
                (episode, version, tag, text),
            )
        connection.execute("INSERT INTO patients (patient, episode) VALUES ('P-1', 'EP-1')")
    with open_ledger(path, create=False) as ledger:
        entries = [entry for _, entry in ledger.follow(0)]
        assert entries == ledger.entries_of("EP-1") == [decode(text) for text in PILOT]
        stored = [text for *_, text in ledger.scan()]
    assert stored == PILOT, "reading never rewrites"
    days = judge_entries(entries, book_of_unsigned_orders()).days
    assert [(day["date"][-2:], day["status"]) for day in days] == [(f"{day:02}", "billable") for day in range(2, 13)]
    uncorrected = judge_entries(entries[:-1], book_of_unsigned_orders()).days
    assert [day["date"][-2:] for day in uncorrected if day["reason"] == "pain_assessment_overdue"] == ["10", "11", "12"]


def changed(text: str = TODAY[0], **fields: Any) -> str:
    return json.dumps({key: value for key, value in (json.loads(text) | fields).items() if value is not ...})


UNREADABLE = {
    "a schema of tomorrow": changed(schema=SCHEMA + 1),
    "a schema before the first": changed(schema=0),
    "a schema that is text": changed(schema=str(SCHEMA)),
    "a schema that is a truth value": changed(schema=True),
    "a schema that is null": changed(schema=None),
    "an unknown fact": changed(fact={"type": "VisitMissed", "date": "2026-11-02"}),
    "a fact of code": changed(fact={"type": "antigravity:geohash"}),
    "a fact without a type": changed(fact={"date": "2026-11-02"}),
    "a type that is no text": changed(fact={"type": ["PatientDied"]}),
    "no fact": changed(fact=...),
    "a fact that is text": changed(fact="PatientDied"),
    "an unknown field": changed(fact={"type": "PatientDied", "date": "2026-11-02", "place": "home"}),
    "a field of the pilot under today's schema": changed(PILOT[5], schema=SCHEMA),
    "a field of today under the pilot's schema": changed(PILOT[5], fact={"type": "PainAssessed", "pain_score": 7}),
    "a correction by nothing": changed(PILOT[9], fact={"type": "FactCorrected", "target_source": "chart"}),
    "no version": changed(version=...),
    "not an object": "[]",
    "not JSON": TODAY[0][:-1],
    "nothing": "",
}


SAYS_WHY = r"(: it says what only a newer version of this program knows)?"


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_what_it_cannot_read_stops_the_reader(text: str) -> None:
    stored = StoredEvent("EP-1001", 1, "EpisodeOpened", text.encode())
    with pytest.raises(UnreadableEntry, match=rf"^episode EP-1001, version 1{SAYS_WHY}$"):
        EntryMapper().to_domain_event(stored)
    with pytest.raises(UnreadableEntry, match=rf"^episode EP-1001, version 1, position 17{SAYS_WHY}$"):
        read_row((17, "EP-1001", 1, "EpisodeOpened", text))


@pytest.mark.parametrize("schema", [0, 3, "1", True, None, 1.0])
def test_an_unknown_schema_has_no_upcast(schema: Any) -> None:
    with pytest.raises(ValidationError, match="unknown schema"):
        upcast({"fact": {"type": "PatientDied"}, "schema": schema})


@pytest.mark.parametrize("value", [None, [], "entry", {}, {"fact": None}, {"fact": []}])
def test_what_is_no_entry_has_no_upcast(value: Any) -> None:
    with pytest.raises(ValidationError, match="not an entry"):
        upcast(value)


COLUMNS = {
    "another fact's tag": ("EP-1001", 1, "PatientDied"),
    "an unknown tag": ("EP-1001", 1, "VisitMissed"),
    "no tag": ("EP-1001", 1, ""),
    "a path to code": ("EP-1001", 1, "antigravity:geohash"),
    "a path to the very struct": ("EP-1001", 1, "ledger.facts.events:EpisodeOpened"),
    "another episode": ("EP-1002", 1, "EpisodeOpened"),
    "another version": ("EP-1001", 2, "EpisodeOpened"),
}


@pytest.mark.parametrize(("episode", "version", "tag"), COLUMNS.values(), ids=COLUMNS)
def test_columns_that_disagree_with_the_text_stop_the_reader(
    episode: str, version: int, tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("a stored tag was looked up as code")

    for target in ("eventsourcing.utils.resolve_topic", "eventsourcing.persistence.resolve_topic"):
        monkeypatch.setattr(target, never)
    with pytest.raises(UnreadableEntry):
        read_row((17, episode, version, tag, TODAY[0]))
    with pytest.raises(UnreadableEntry):
        EntryMapper().to_domain_event(StoredEvent(episode, version, tag, TODAY[0].encode()))
    assert "antigravity" not in sys.modules


NEWER = {
    "of a later schema": {"schema": SCHEMA + 1},
    "with a field that nobody knows yet": {"told_by": "north"},
    "of a later schema, with such a field": {"schema": SCHEMA + 1, "told_by": "north"},
}


@pytest.mark.parametrize("what", NEWER)
def test_an_entry_of_a_newer_program_is_refused_by_name(what: str) -> None:
    """As edition 1 refuses one with ``told_at``, which it does not know: nothing is read without what it says more."""
    text = json.dumps(json.loads(TODAY[0]) | NEWER[what])
    with pytest.raises(NewerEntry, match="only a newer version of this program knows") as stopped:
        read_row(row(text))
    assert pickle.loads(pickle.dumps(stopped.value)).position == 17


@pytest.mark.parametrize("damage", [{"schema": "3"}, {"version": None}, {"recorded_at": "yesterday"}])
def test_a_damaged_entry_is_not_taken_for_a_newer_one(damage: dict[str, Any]) -> None:
    for text in (json.dumps(json.loads(TODAY[0]) | damage), TODAY[0][:-1], "[]", "7"):
        with pytest.raises(UnreadableEntry) as stopped:
            read_row((*row(TODAY[0])[:4], text))
        assert not isinstance(stopped.value, NewerEntry)


def test_what_to_do_about_a_newer_entry_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(*example()).status == 0
    added = (
        'UPDATE entries SET state = substr(state, 1, length(state) - 1) || \',"told_by":"north"}\' WHERE position = 3'
    )
    plant(house.ledger, added)
    assert_plain(house.run("days"), 3, "only a newer version of this program knows", "update the program")


@pytest.mark.parametrize("held", [None, 0, 7, 1.5, b"\xff", ""])
def test_a_row_that_holds_no_text_stops_its_reader_at_its_place(held: Any) -> None:
    """A bit flipped in a row's header makes a number of a text, or nothing."""
    with pytest.raises(UnreadableEntry) as stopped:
        read_stored("EP-1", 2, "DayServed", held, 3)
    assert not isinstance(stopped.value, NewerEntry)
    assert "EP-1" in str(stopped.value)
