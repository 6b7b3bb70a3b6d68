"""A closed month comes out the same for ever; what arrives later is told beside it, with what it changed."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.terminal import who
from commands.verbs import close as command
from commands.writing import closing as module
from commands.writing.closing import close_month, closed_months
from commands.writing.record import record
from ledger.book import load_book
from ledger.facts.administration import MonthClosed, decode_act, encode_act
from ledger.store import EpisodeLedger, RecordConflictError, StoreError
from projections.audit import month as report_module
from projections.audit.month import Month, report_of
from projections.audit.restated import Restatements
from projections.audit.restated_row import Restated
from projections.audit.since_closing import LearnedSince, same_terms, told_by_book
from projections.read_model.queries import Filters
from projections.read_model.version import code_version
from tests import ROOT
from tests.at_once import started
from tests.command_line import (
    ANYWAY,
    COMMAND,
    EXAMPLE,
    INTAKE,
    SERVED,
    House,
    Told,
    assert_plain,
    example,
    lines_of,
    run,
    told,
)
from tests.harness import book_of, judge_entries
from tests.histories import history
from tests.stores import examples, open_ledger
from tests.tiers import many

FORMS = ("json", "csv", "table")
FEBRUARY = ("--from", "2026-02-01", "--to", "2026-02-28")
MARCH_5 = datetime(2026, 3, 5, 9, tzinfo=UTC)
GOLDEN = EXAMPLE.parent
STORIES = ROOT / "docs" / "examples"
RETRACTED = {"type": "FactRetracted", "target_source": "pump", "target_id": "2026-02-03", "reason": "another patient's"}


def printed(house: House, month: str = "2026-02") -> list[bytes]:
    """The report of a closed month in every form."""
    shown = [house.run("close", month, *ANYWAY, "--format", form) for form in FORMS]
    assert {ended.status for ended in shown} == {0}
    return [ended.out for ended in shown]


def closed(house: House, month: str = "2026-02", *more: object) -> list[bytes]:
    """A month closed by the controller, whatever the test's clock says, and its report in every form."""
    ended = house.run("close", month, *ANYWAY, "--by", "controller-1", "--clock-is-right", *more)
    assert ended.status == 0, ended
    return printed(house, month)


def restated(house: House, *more: object) -> list[Told]:
    ended = house.run("restatements", "2026-02", *more)
    assert ended.status == 0, ended
    return ended.rows


def new_edition(house: House, **changes: str) -> None:
    """Another edition of prairie-blue's terms in the book, as the first but for these keys."""
    path = house.book / "payers" / "prairie.toml"
    text = path.read_text(encoding="utf-8")
    first = text.split("[[terms]]")[1]
    lines = [line for line in first.splitlines() if line.partition(" = ")[0] not in changes]
    lines += [f"{key} = {value}" for key, value in changes.items()]
    path.write_text(text + "\n[[terms]]" + "\n".join(lines) + "\n", encoding="utf-8")


def meddle(house: House, statement: str, *values: object) -> None:
    """The ledger altered by somebody who drops its guard and lays it again."""
    with closing(sqlite3.connect(house.ledger)) as connection, connection:
        (guard,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'entries_update'").fetchone()
        connection.execute("DROP TRIGGER entries_update")
        connection.execute(statement, values)
        connection.execute(guard)


def spoil(house: House, position: int) -> None:
    """An entry that cannot be read any more."""
    meddle(house, "UPDATE entries SET state = '{' WHERE position = ?", position)


def alter(house: House, change: Callable[[MonthClosed], MonthClosed]) -> None:
    """The only record of a closing altered."""
    with open_ledger(house.ledger, create=False) as ledger:
        ((position, record),) = ledger.closings()
    meddle(house, "UPDATE entries SET state = ? WHERE position = ?", encode_act(change(record)).decode(), position)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    assert house.run("record", INTAKE).status == 0
    return house


# The report


def test_it_counts_days_and_dollars_by_verdict_payer_and_status(house: House) -> None:
    head, *rows = house.run("close", "2026-02", *ANYWAY, "--by", "controller-1").rows
    assert (head["month"], head["by"], head["position"], head["days"]) == ("2026-02", "controller-1", 11, 3)
    assert [tuple(row.values()) for row in rows] == [
        ("verdict", "prairie-blue", None, "not_billable", "not_served", 1, 0),
        ("verdict", "prairie-blue", "S9325", "billable", None, 2, 18000),
        ("payer", "prairie-blue", None, "billable", None, 2, 18000),
        ("status", None, None, "billable", None, 2, 18000),
        ("status", None, None, "not_billable", None, 1, 0),
        ("all", None, None, None, None, 3, 18000),
    ]


def test_the_ledger_keeps_the_hash_of_the_json_and_the_json_that_of_the_days(house: House) -> None:
    as_json = closed(house)[0]
    (listed,) = house.run("close", "--list").rows
    assert list(listed) == ["month", "closed_at", "by", "position", "report", "anyway"]
    assert listed["report"] == hashlib.sha256(as_json).hexdigest()
    days = house.run("days", *FEBRUARY).rows
    pinned = lines_of({key: value for key, value in day.items() if key != "because"} for day in days)
    compact = b"".join(msgspec.json.encode(json.loads(line)) + b"\n" for line in pinned.splitlines())
    assert json.loads(as_json.splitlines()[0])["days_sha256"] == hashlib.sha256(compact).hexdigest()


@pytest.mark.parametrize("month", ["2026-07", "2026-08", "2026-09"])
def test_its_dollars_are_those_of_the_claim_lines(tmp_path: Path, month: str) -> None:
    house = House(tmp_path)
    base = ("--ledger", house.ledger)  # with the packaged book, whose lines end with the month
    for story in sorted(STORIES.glob("*.jsonl")):
        assert run(*base, "record", "--keep-recorded-at", story).status == 0
    rows = run(*base, "close", month, *ANYWAY).rows[1:]
    lines = [line for line in run(*base, "lines").rows if line["from"].startswith(month)]
    assert lines
    for payer in {line["payer"] for line in lines}:
        (total,) = [row for row in rows if (row["row"], row["payer"]) == ("payer", payer)]
        theirs = [line for line in lines if line["payer"] == payer]
        assert total["cents"] == sum(line["charge_cents"] for line in theirs)
        assert total["days"] == sum(line["units"] for line in theirs)


def test_a_month_without_days_can_be_closed(house: House) -> None:
    as_json, as_csv, as_table = closed(house, "2025-12")
    head, total = map(json.loads, as_json.splitlines())
    assert (head["days"], head["days_sha256"]) == (0, hashlib.sha256(b"").hexdigest())
    assert (total["row"], total["days"], total["cents"]) == ("all", 0, 0)
    assert as_csv.decode().splitlines() == ["row,payer,code,status,reason,days,cents", "all,,,,,0,0"]
    assert as_table.decode().startswith("December 2025, closed ")


@pytest.mark.parametrize(("form", "ending"), [("json", "jsonl"), ("csv", "csv"), ("table", "txt")])
def test_every_byte_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, ending: str) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 10, 5, 9, tzinfo=UTC))
    house, kept = House(tmp_path), ("--keep-recorded-at",)
    house.run("record", EXAMPLE / "trouble.jsonl")
    house.tell(*(entry | {"recorded_at": "2026-02-20T09:00:00Z"} for entry in example()), options=kept)
    for month in ("2026-02", "2026-09", "2026-01"):
        house.run("close", month, *ANYWAY, "--by", "controller-1")
    late = [told("late", RETRACTED, source="chart"), told("late-4", SERVED | {"date": "2026-02-04"})]
    house.tell(*(entry | {"recorded_at": "2026-10-06T15:30:00Z"} for entry in late), options=kept)
    verbs = (
        ("close", "2026-02", *ANYWAY),
        ("close", "2026-09", *ANYWAY),
        ("close", "2026-01", *ANYWAY),
        ("restatements", "2026-02"),
    )
    out = b"".join(_without_chance(house, house.run(*verb, "--format", form).out) for verb in verbs)
    golden = GOLDEN / f"closed-months.{ending}"
    if os.environ.get("GOLDEN") == "write":
        golden.write_bytes(out)
    assert out == golden.read_bytes()


def _without_chance(house: House, out: bytes) -> bytes:
    with open_ledger(house.ledger, create=False) as ledger:
        drawn = {ledger.id: "LEDGER", code_version(): "VERSION", load_book(house.book).hash: "BOOK"}
        drawn |= {ledger.seal_at(record.position): "SEAL" for _, record in ledger.closings()}
    text = out.decode()
    for what, name in drawn.items():
        text = text.replace(what, name)
    return text.encode()


# The same at any later time


def test_facts_that_arrive_later_change_no_byte(house: House) -> None:
    before = closed(house)
    assert house.tell(told("late", RETRACTED), *example("EP-2", "P-2")).status == 0
    assert printed(house) == before
    assert house.run("close", "2026-02", *ANYWAY, "--by", "somebody-else").out == before[0]
    assert house.run("days", *FEBRUARY).rows != []
    assert restated(house) != []


def test_history_brought_in_with_older_dates_arrived_later_all_the_same(house: House) -> None:
    before = closed(house)
    brought = [entry | {"recorded_at": "2026-02-10T09:00:00Z"} for entry in example("EP-9", "P-9")]
    assert house.tell(*brought, options=("--keep-recorded-at",)).status == 0
    assert printed(house) == before
    rows = restated(house)
    assert [(row["date"], row["before"]) for row in rows] == [
        ("2026-02-02", None),
        ("2026-02-03", None),
        ("2026-02-04", None),
    ]
    assert {row["recorded_at"] for row in rows} == {"2026-02-10T09:00:00Z"}
    assert all(row["position"] > 12 for row in rows)


def test_an_agreement_that_was_missing_in_the_book_cures_the_month_later(house: House) -> None:
    path = house.book / "providers" / "northside.toml"
    whole = path.read_text(encoding="utf-8")
    path.write_text(whole.replace('payer = "prairie-blue"', 'payer = "medicare"'), encoding="utf-8")
    before = closed(house)
    path.write_text(whole, encoding="utf-8")
    assert printed(house) == before
    (first, *others) = restated(house)
    assert (first["before"], first["after"], first["cause"]) == ("hold no_agreement", "billable S9325", "book")
    assert len(others) == 2


def test_an_edited_book_comes_before_whatever_arrived(house: House) -> None:
    closed(house)
    path = house.book / "payers" / "prairie.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("S9325 = 9000", "S9325 = 9100"), encoding="utf-8")
    brought = [entry | {"recorded_at": "2026-02-10T09:00:00Z"} for entry in example("EP-9", "P-9")]
    house.tell(*brought, options=("--keep-recorded-at",))
    causes = [(row["episode"], row["cause"], row["delta_cents"]) for row in restated(house, "--to", "2026-02-02")]
    assert causes == [("EP-1", "book", 100), ("EP-9", "entry", 9100)]


def test_an_edited_book_changes_no_byte_and_neither_does_a_broken_one(house: House) -> None:
    before = closed(house)
    path = house.book / "payers" / "prairie.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("S9325 = 9000", "S9325 = 9100"), encoding="utf-8")
    assert printed(house) == before
    rows = restated(house)
    assert [(row["cents_before"], row["cents_after"], row["cause"]) for row in rows] == [(9000, 9100, "book")] * 2
    assert {row["note"] for row in rows} == {"the book was edited since"}
    path.write_text("this is no book", encoding="utf-8")
    assert printed(house) == before


@pytest.mark.parametrize(("published", "cause"), [("2026-03-05", "book"), ("2026-03-06", "terms")])
def test_newly_published_terms_change_no_byte(
    house: House, monkeypatch: pytest.MonkeyPatch, published: str, cause: str
) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: MARCH_5)
    before = closed(house)
    new_edition(house, **{"from": "2026-02-03", "published": published, "rate_cents": "{ S9325 = 8000 }"})
    assert printed(house) == before
    (row,) = restated(house)
    assert (row["date"], row["delta_cents"], row["cause"], row["because"]) == ("2026-02-03", -1000, cause, [])
    told_by = {"book": "the book was edited since", "terms": f"terms from 2026-02-03 published {published}"}
    assert told_by[cause] in row["note"]
    if cause == "terms":
        assert restated(house, "--known-at", "2026-03-05T23:59:59Z") == []
        assert restated(house, "--known-at", "2026-03-06T00:00Z") == [row]


def test_terms_that_are_not_the_days_own_are_not_named_as_its(house: House) -> None:
    learned = LearnedSince(MARCH_5, book=load_book(house.book), published=MARCH_5.date())
    assert told_by_book(learned, date(2026, 2, 3).toordinal(), ("prairie-blue", None)) == "terms published 2026-03-05"


def test_terms_in_the_book_but_published_after_the_closing_do_not_count_in_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: MARCH_5)
    new_edition(house, **{"from": "2026-02-01", "published": "2026-03-06", "rate_cents": "{ S9325 = 8000 }"})
    assert json.loads(closed(house)[0].splitlines()[-1])["cents"] == 18000
    assert {row["cause"] for row in restated(house)} == {"terms"}


def test_without_its_read_model_or_after_a_rebuild_it_is_the_same(house: House) -> None:
    house.run("days")
    before = closed(house)
    assert house.run("rebuild").status == 0
    assert printed(house) == before
    for path in house.folder.glob("ledger.views*"):
        path.unlink() if not path.is_dir() else None
    assert printed(house) == before


def test_asked_again_nothing_is_recorded(house: House) -> None:
    closed(house)
    with open_ledger(house.ledger, create=False) as ledger:
        assert len(ledger.closings()) == 1
        assert ledger.position() == 12


# What arrived later


def test_each_day_names_what_changed_it(house: House) -> None:
    closed(house)
    assert house.tell(told("late", RETRACTED, source="chart", by="rn-7")).status == 0
    assert house.tell(told("late-4", SERVED | {"date": "2026-02-04"})).status == 0
    first, second = restated(house)
    assert {key: value for key, value in first.items() if key != "recorded_at"} == {
        "patient": "P-1", "episode": "EP-1", "date": "2026-02-03", "before": "billable S9325",
        "after": "not_billable not_served", "payer_before": "prairie-blue", "payer_after": "prairie-blue",
        "code_before": "S9325", "code_after": None, "authorization_before": None, "authorization_after": None,
        "cents_before": 9000, "cents_after": 0, "delta_cents": -9000, "cause": "entry", "because": ["chart:late"],
        "type": "FactRetracted", "by": "rn-7", "position": 13, "note": None, "paid_cents": None,
    }  # fmt: skip
    assert (second["date"], second["after"], second["because"], second["position"]) == (
        "2026-02-04", "billable S9325", ["pump:late-4"], 14,
    )  # fmt: skip
    ended = house.run("restatements", "2026-02")
    assert ended.err == "2 days of February 2026 differ from what was closed: the same dollars.\n"
    assert [field.encode_name for field in msgspec.structs.fields(Restated)] == list(first)


def test_the_sum_is_told_in_plain_words(house: House) -> None:
    closed(house)
    ended = house.run("restatements", "2026-02", "--check")
    assert (ended.status, ended.err) == (0, "No day of February 2026 differs from what was closed.\n")
    house.tell(told("late", RETRACTED))
    ended = house.run("restatements", "2026-02", "--check")
    assert (ended.status, ended.err) == (
        1,
        "1 day of February 2026 differs from what was closed: 90.00 dollars less.\n",
    )
    table = house.run("restatements", "2026-02", "--format", "table").out.decode()
    assert "not billable: not served" in " ".join(table.split())


def test_a_day_that_changed_and_changed_back_stands_as_closed(house: House) -> None:
    closed(house)
    house.tell(told("late", RETRACTED))
    house.tell(told("undone", RETRACTED | {"target_source": "pump", "target_id": "late", "reason": "theirs after all"}))
    assert restated(house) == []


def test_of_several_entries_the_latest_comes_first(house: House) -> None:
    closed(house)
    house.tell(told("late", RETRACTED))
    house.tell(told("died", {"type": "PatientDied", "date": "2026-02-02"}, by="rn-9"))
    first, second = restated(house)
    assert (first["because"], first["by"], first["type"]) == (["pump:died", "pump:late"], "rn-9", "PatientDied")
    assert (second["because"], second["after"]) == (["pump:died"], "not_billable after_death")


def shared(house: House) -> None:
    """EP-3 was told of P-2, who has EP-2, too, and turned out to be P-4's."""
    right = example("EP-3", "P-4")[0]["fact"]
    mistaken = {"type": "FactCorrected", "target_source": "intake", "target_id": "1", "reason": "another patient"}
    assert house.tell(*example("EP-2", "P-2"), *example("EP-3", "P-2")).status == 0
    assert house.tell(told("right", mistaken | {"fact": right}, episode="EP-3")).status == 0


def test_who_once_shared_an_episode_does_not_hide_the_other(house: House) -> None:
    shared(house)
    closed(house)
    house.tell(told("late", RETRACTED, episode="EP-2"))
    assert [(row["patient"], row["date"]) for row in restated(house)] == [("P-2", "2026-02-03")]


def test_an_episode_that_turns_out_to_be_anothers_is_told_under_their_name(house: House) -> None:
    house.tell(*example("EP-2", "A-1"))
    closed(house)
    right = example("EP-2", "P-9")[0]["fact"]
    mistaken = {"type": "FactCorrected", "target_source": "intake", "target_id": "1", "reason": "another patient"}
    house.tell(told("right", mistaken | {"fact": right}, episode="EP-2"))
    assert restated(house) == []
    house.tell(told("late", RETRACTED, episode="EP-2"), told("late", RETRACTED))
    assert [(row["patient"], row["episode"]) for row in restated(house)] == [("P-1", "EP-1"), ("P-9", "EP-2")]
    gone = {"type": "FactRetracted", "target_source": "chart", "target_id": "dc", "reason": "not discharged"}
    house.tell(*(told(f"gone-{day}", RETRACTED | {"target_id": f"2026-02-0{day}"}, episode="EP-2") for day in (2,)))
    house.tell(told("gone", gone, episode="EP-2"))
    assert [(row["patient"], row["after"]) for row in restated(house, "--episode", "EP-2")] == [("A-1", None)] * 3


def test_a_payers_days_are_those_that_were_or_are_theirs(house: House) -> None:
    closed(house)
    house.tell(told("other", {"type": "CoverageEnded", "payer": "prairie-blue", "last_date": "2026-02-02"}))
    (first, second) = restated(house, "--payer", "prairie-blue")
    assert (first["payer_before"], first["payer_after"], first["after"]) == (
        "prairie-blue", None, "not_billable not_covered",
    )  # fmt: skip
    assert second["date"] == "2026-02-04"
    assert house.run("restatements", "2026-02").err.endswith("closed: 90.00 dollars less.\n")


def test_filters_choose_among_the_days(house: House) -> None:
    house.tell(*example("EP-2", "P-2"))
    closed(house)
    house.tell(told("late", RETRACTED), told("late", RETRACTED, episode="EP-2"))
    assert len(restated(house)) == 2
    assert [row["episode"] for row in restated(house, "--episode", "EP-2")] == ["EP-2"]
    assert [row["patient"] for row in restated(house, "--patient", "P-1")] == ["P-1"]
    assert restated(house, "--payer", "nobody") == restated(house, "--to", "2026-02-02") == []
    assert len(restated(house, "--payer", "prairie-blue", "--from", "2026-02-03")) == 2


def test_what_was_not_known_yet_at_an_instant_is_left_out(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: MARCH_5)
    brought = [entry | {"recorded_at": f"2026-03-0{day}T10:00:00Z"} for day in (6,) for entry in example("EP-9", "P-9")]
    closed(house)
    house.tell(*brought, options=("--keep-recorded-at",))
    assert restated(house, "--known-at", "2026-03-06T09:59:59Z") == []
    assert len(restated(house, "--known-at", "2026-03-06T10:00Z")) == 3


drawn = st.integers(0, 2**64 - 1).map(Random)
FIELDS = ("payer", "code", "authorization")


def _said(row: Told | None) -> tuple[Any, ...]:
    if row is None:
        return None, None, None, None, 0
    return (
        f"{row['status']} {row['reason'] or row['code']}",
        row["payer"],
        row["code"],
        row["authorization"],
        row["rate_cents"] or 0,
    )


@settings(max_examples=examples(many(12, 40)), deadline=None)
@given(drawn)
def test_closed_days_and_restatements_make_the_days_of_now(
    tmp_path_factory: pytest.TempPathFactory, rng: Random
) -> None:
    entries, tables = history(rng)
    book = book_of(tables)
    other = book if rng.random() < 0.6 else book_of(history(rng)[1])
    place = rng.randint(1, len(entries))
    since = datetime.fromisoformat(entries[place - 1]["recorded_at"]) + timedelta(days=rng.choice((0, 0, 3, 20)))
    known_at = None if rng.random() < 0.6 else since + timedelta(days=rng.randint(0, 25))
    month = Month.read(rng.choice(("2026-10", "2026-11")))
    with open_ledger(tmp_path_factory.mktemp("law") / "ledger.db", create=True) as ledger:
        _record(ledger, entries[:place])
        draft = MonthClosed(month.text, since, "c", place, book.text, code_version(), "", "0" * 32)
        report = report_of(ledger, draft)
        ledger.record_closing(msgspec.structs.replace(draft, report=report.hash))
        _record(ledger, entries[place:])
        assert report_of(ledger, draft) == report
        found = Restatements(ledger, draft, other, known_at)
        rows = list(found.rows(Filters()))
        stored = [entry for _, entry in ledger.follow(0)]
    later = [entry for entry in stored[place:] if known_at is None or entry.recorded_at <= known_at]
    was = _days(judge_entries(stored[:place], book.known(since.date())).days, month)
    now_book = other if known_at is None else other.known(known_at.date())
    now = _days(judge_entries(stored[:place] + later, now_book).days, month)
    assert _counted(was.values()) == {
        (row.payer, row.code, row.status, row.reason): (row.days, row.cents)
        for row in report.rows
        if row.row == "verdict"
    }
    keys = sorted(key for key in was.keys() | now.keys() if _said(was.get(key)) != _said(now.get(key)))
    assert sorted((row.episode, row.date) for row in rows) == keys
    for row in rows:
        key = row.episode, row.date
        before = (row.before, row.payer_before, row.code_before, row.authorization_before, row.cents_before)
        after = (row.after, row.payer_after, row.code_after, row.authorization_after, row.cents_after)
        assert (before, after) == (_said(was.get(key)), _said(now.get(key)))
        assert row.delta_cents == row.cents_after - row.cents_before
        assert (row.position or place + 2) > place + 1
        assert row.because if row.cause == "entry" else row.note
        if same_terms(book, other) and known_at is None and all(day <= since.date() for day in _published(tables)):
            assert row.cause == "entry"
    assert [(row.patient, row.episode, row.date) for row in rows] == sorted(
        (row.patient, row.episode, row.date) for row in rows
    )
    assert found.delta_cents == sum(_said(day)[4] for day in now.values()) - sum(_said(day)[4] for day in was.values())


def _record(ledger: EpisodeLedger, entries: list[Told]) -> None:
    at = datetime(2027, 6, 1, tzinfo=UTC)
    outcomes = record(ledger, BytesIO(lines_of(entries)), keep_recorded_at=True, clock=lambda: at)
    assert all(outcome.outcome == "recorded" for outcome in outcomes)


def _days(rows: list[Told], month: Month) -> dict[tuple[str, str], Told]:
    return {(row["episode"], row["date"]): row for row in rows if row["date"].startswith(month.text)}


def _counted(rows: Any) -> dict[tuple[Any, ...], tuple[int, int]]:
    days: Counter[tuple[Any, ...]] = Counter()
    cents: Counter[tuple[Any, ...]] = Counter()
    for row in rows:
        key = row["payer"], row["code"], row["status"], row["reason"]
        days[key] += 1
        cents[key] += row["rate_cents"] or 0
    return {key: (days[key], cents[key]) for key in days}


def _published(tables: Told) -> Iterator[date]:
    return (terms["published"] for payer in tables["payers"] for terms in payer["terms"])


def test_one_pass_and_looking_up_give_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.tell(*example("EP-2", "P-2"))
    closed(house)
    house.tell(told("late", RETRACTED), told("late", RETRACTED, episode="EP-2"))
    found = []
    for needed in (0, 10**9):
        monkeypatch.setattr("projections.audit.restated._ONE_BY_ONE", needed)
        found.append(restated(house))
    assert found[0] == found[1] != []


# Two at once


def test_of_two_that_close_at_once_the_first_record_counts_for_both(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    book, month, reported = load_book(house.book), Month.read("2026-02"), report_module.report_of
    with open_ledger(house.ledger, create=False) as ledger:

        def overtaken(*args: Any) -> Any:
            monkeypatch.setattr(module, "report_of", reported)
            theirs.append(close_month(ledger, book, month, "other", MARCH_5))
            return reported(*args)

        theirs: list[Any] = []
        monkeypatch.setattr(module, "report_of", overtaken)
        mine = close_month(ledger, book, month, "me", MARCH_5 + timedelta(seconds=1))
        assert theirs[0].new
        assert not mine.new
        assert (mine.record, mine.report) == (theirs[0].record, theirs[0].report)
        assert len(ledger.closings()) == 1
        with pytest.raises(RecordConflictError):
            ledger.record_closing(msgspec.structs.replace(mine.record, by="a third"))  # within the blink of an eye
        assert closed_months(ledger)["2026-02"].by == "other"


def test_two_processes_print_the_same(house: House) -> None:
    asked = [*house.named, "close", "2026-02", *ANYWAY, "--by"]
    running = [started(COMMAND, *asked, name) for name in ("one", "two")]
    outs = [process.communicate(60)[0].encode() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert outs[0] == outs[1] == printed(house)[0]


def test_a_conflict_with_another_month_is_tried_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(house.ledger, create=False) as ledger:
        recorded, conflicts = ledger.record_closing, [RecordConflictError(), RecordConflictError()]

        def record_closing(closing: MonthClosed) -> int:
            if conflicts:
                raise conflicts.pop()
            return recorded(closing)

        monkeypatch.setattr(ledger, "record_closing", record_closing)
        assert close_month(ledger, load_book(house.book), Month.read("2026-02"), "me", MARCH_5).new
        assert len(ledger.closings()) == 1
        conflicts.extend([RecordConflictError()] * 100)
        with pytest.raises(StoreError, match="nothing was recorded"):
            close_month(ledger, load_book(house.book), Month.read("2026-01"), "me", MARCH_5)


def test_a_commit_that_failed_and_was_done_is_a_closing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(house.ledger, create=False) as ledger:
        recorded = ledger.record_closing

        def failing(closing: MonthClosed) -> int:
            if closing.month == "2026-02":
                recorded(closing)
            raise StoreError("the disk went away")

        monkeypatch.setattr(ledger, "record_closing", failing)
        assert close_month(ledger, load_book(house.book), Month.read("2026-02"), "me", MARCH_5).new
        with pytest.raises(StoreError, match="disk"):
            close_month(ledger, load_book(house.book), Month.read("2026-01"), "me", MARCH_5)


# Refused


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (("close",), "give a MONTH"),
        (("close", "2026-02", *ANYWAY, "--list"), "give a MONTH"),
        (("close", "2026-2", *ANYWAY), "YYYY-MM"),
        (("close", "2026-13", *ANYWAY), "YYYY-MM"),
        (("close", "2026-02-01", *ANYWAY), "YYYY-MM"),
        (("close", "2099-12", *ANYWAY), "December 2099 is not over"),
        (("close", "2026-02", *ANYWAY, "--by", ""), "--by"),
        (("close", "2026-02", *ANYWAY, "--by", "x" * 129), "--by"),
        (("close", "2026-02", *ANYWAY, "--by", "a\nb"), "--by"),
        (("restatements",), "MONTH"),
        (("restatements", "2026-02"), "episode-ledger close 2026-02"),
    ],
)
def test_it_says_what_is_wrong_and_records_nothing(house: House, args: tuple[str, ...], word: str) -> None:
    assert_plain(house.run(*args), 2, word)
    with open_ledger(house.ledger, create=False) as ledger:
        assert ledger.closings() == []


def test_a_month_is_over_when_its_last_day_has_ended_where_the_patients_live(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 2, 20, tzinfo=UTC))
    assert_plain(
        house.run("close", "2026-02", *ANYWAY, "--clock-is-right"),
        2,
        "February 2026 is not over: it can be closed from 2026-03-01 on",
    )
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 3, 1, 5, 59, 59, tzinfo=UTC))  # Chicago: 23:59:59
    assert_plain(
        house.run("close", "2026-02", *ANYWAY, "--clock-is-right"), 2, "it can be closed from 2026-03-01 06:00 UTC on"
    )
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 3, 1, 6, tzinfo=UTC))
    assert house.run("close", "2026-02", *ANYWAY, "--clock-is-right").status == 0


def test_before_it_was_closed_nothing_can_have_been_restated(house: House) -> None:
    closed(house)
    assert_plain(house.run("restatements", "2026-02", "--known-at", "2026-01-01T00:00Z"), 2, "was not closed")


def test_who_closes_is_the_one_logged_in_unless_named(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    class Nameless:
        def getpwuid(self, uid: int) -> Any:
            raise KeyError(uid)

    head = house.run("close", "2026-01", *ANYWAY, env={"LOGNAME": "mallory", "USER": "mallory"}).rows[0]
    assert head["by"] == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(who, "pwd", Nameless())
    assert_plain(house.run("close", "2026-02", *ANYWAY), 2, "--by NAME")
    assert house.run("close", "2026-02", *ANYWAY, "--by", "controller-1").rows[0]["by"] == "controller-1"


@pytest.mark.sqlite_file
def test_a_month_is_closed_whole_or_not_at_all(house: House) -> None:
    house.tell(*example("EP-2", "P-2"))
    spoil(house, 15)
    assert_plain(house.run("close", "2026-02", *ANYWAY), 1, "does not hold", "verify")
    assert house.run("rebuild", "--quarantine").status == 0
    assert_plain(house.run("close", "2026-02", *ANYWAY), 1, "does not hold", "verify")
    with open_ledger(house.ledger, create=False) as ledger:
        assert ledger.closings() == []


@pytest.mark.sqlite_file
def test_who_is_set_aside_later_is_left_out_of_the_restatements_and_named(house: House) -> None:
    house.tell(*example("EP-2", "P-2"))
    closed(house)
    house.tell(told("late", RETRACTED), told("late", RETRACTED, episode="EP-2"))
    spoil(house, 15)
    assert_plain(
        house.run("restatements", "2026-02", "--format", "csv", "--episode", "EP-2")._replace(out=b""), 3, "EP-2"
    )
    assert house.run("rebuild", "--quarantine").status == 0
    ended = house.run("restatements", "2026-02")
    assert [row["patient"] for row in ended.rows] == ["P-1"]
    assert "Patient P-2 is set aside and not shown" in ended.err


@pytest.mark.sqlite_file
def test_who_shared_an_episode_with_them_is_named_as_well(house: House) -> None:
    shared(house)
    closed(house)
    house.tell(told("late", RETRACTED, episode="EP-2"))
    spoil(house, 15)
    assert house.run("rebuild", "--quarantine").status == 0
    ended = house.run("restatements", "2026-02")
    assert (ended.status, ended.rows) == (0, [])
    assert "Patient P-2 is set aside" in ended.err
    assert "Patient P-4 is set aside" in ended.err


# Damaged


@pytest.mark.sqlite_file
def test_a_record_that_cannot_be_read_is_told_by_its_position(house: House) -> None:
    closed(house)
    spoil(house, 12)
    for args in (("close", "2026-02", *ANYWAY), ("close", "--list"), ("restatements", "2026-02")):
        assert_plain(house.run(*args), 3, "position 12", "backup")


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    "changes",
    [
        {"report": "0" * 64},
        {"by": "mallory"},
        {"position": 9},
        {"position": 10**6},
        {"book": "[]"},
        {"closed_at": MARCH_5},
    ],
)
def test_a_record_or_ledger_that_was_altered_is_not_shown_as_closed(house: House, changes: Told) -> None:
    closed(house)
    alter(house, lambda record: msgspec.structs.replace(record, **changes))
    assert_plain(house.run("close", "2026-02", *ANYWAY), 1, "February 2026", "altered", "verify")


@pytest.mark.sqlite_file
def test_an_entry_that_was_altered_is_told_by_the_report(house: House) -> None:
    closed(house)
    meddle(house, "UPDATE entries SET state = replace(state, '2026-02-03', '2026-02-02') WHERE position = ?", 8)
    assert_plain(house.run("close", "2026-02", *ANYWAY), 1, "altered")


@pytest.mark.sqlite_file
def test_another_version_shows_the_report_only_if_it_comes_out_the_same(house: House) -> None:
    draft: list[MonthClosed] = []

    def closed_by_another(record: MonthClosed) -> MonthClosed:
        draft.append(msgspec.structs.replace(record, code="0.0.9/1/abc", printed="", zones={}))
        return draft[0]

    closed(house)
    alter(house, closed_by_another)
    for args in (("close", "2026-02", *ANYWAY), ("restatements", "2026-02")):
        assert_plain(house.run(*args), 1, "edition 1", "0.0.9/1/abc", "does not come out the same")
    with open_ledger(house.ledger, create=False) as ledger:
        fitting = msgspec.structs.replace(draft[0], report=report_of(ledger, draft[0]).hash)
    alter(house, lambda record: fitting)
    assert house.run("close", "2026-02", *ANYWAY).rows[0]["version"] == "0.0.9/1/abc"
    assert restated(house) == []


# What is open in the month


def claimed(house: House) -> None:
    """A claim for both billable days of February."""
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-03", "units": 2, "charge_cents": 18000}
    claim = {"type": "ClaimSubmitted", "claim": "CLM-1", "payer": "prairie-blue", "frequency": "1", "lines": [line]}
    assert house.tell(told("claim", claim | {"sent_on": "2026-02-05"}, source="billing")).status == 0


def test_a_month_with_nothing_open_is_closed_without_more(house: House) -> None:
    claimed(house)
    ended = house.run("close", "2026-02", "--check", "--format", "table")
    assert (ended.status, ended.out.decode()) == (0, "Nothing is open in February 2026.\n")
    assert house.run("close", "2026-02").status == 0
    assert "anyway" not in house.run("close", "--list").rows[0]


def test_what_is_open_is_listed_and_closes_nothing(house: House) -> None:
    ended = house.run("close", "2026-02", "--check")
    assert (ended.status, ended.err) == (1, "February 2026 has 2 billable days on no claim.\n")
    (row,) = ended.rows
    assert (row["open"], row["from"], row["to"], row["days"], row["cents"]) == (
        "unbilled", "2026-02-02", "2026-02-03", 2, 18000,
    )  # fmt: skip
    assert house.run("close", "--list").rows == []


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        ({"type": "FactRetracted", "target_source": "chart", "target_id": "pain-1", "reason": "another patient's"},
         "2 days on hold"),
        ({"type": "ServiceBilledSeparately", "code": "A4222", "from": "2026-02-02"}, "1 hard finding"),
    ],
)  # fmt: skip
def test_each_thing_that_is_open_needs_a_reason(house: House, fact: Told, words: str) -> None:
    entries = house.run("replay", "EP-1").rows
    pain = next(row for row in entries if row["type"] == "PainAssessed")
    if "target_id" in fact:
        fact = fact | {"target_source": pain["source"], "target_id": pain["id"]}
    claimed(house)
    assert house.tell(told("open", fact, source="other")).status == 0
    refused = house.run("close", "2026-02")
    assert_plain(refused, 1, words, "--anyway REASON", "--check")
    assert house.run("close", "--list").rows == []
    assert house.run("close", "2026-02", "--anyway", "they are cured in March").status == 0
    assert house.run("close", "--list").rows[0]["anyway"] == "they are cured in March"


def test_two_episodes_that_bill_one_day_keep_the_month_open(house: House) -> None:
    assert house.tell(*example("EP-2")).status == 0
    rows = house.run("close", "2026-02", "--check").rows
    assert {row["open"] for row in rows} == {"conflict", "finding"}
    assert_plain(house.run("close", "2026-02"), 1, "4 days in conflict, 2 hard findings")


def test_the_reason_is_in_the_act_and_said_for_good(house: House) -> None:
    assert (
        "with something open: claims follow in March"
        in house.run("close", "2026-02", "--anyway", "claims follow in March").err
    )
    with open_ledger(house.ledger, create=False) as ledger:
        ((_, record),) = ledger.closings()
    assert record.anyway == "claims follow in March"
    again = house.run("close", "2026-02", "--anyway", "another reason")
    assert "claims follow in March" in again.err
    assert "another reason" not in again.err


def test_an_act_of_before_has_no_reason() -> None:
    text = (GOLDEN / "edition1").joinpath("printed", "closings.jsonl").read_text(encoding="utf-8")
    assert "anyway" not in text
    act = MonthClosed("2026-02", MARCH_5, "controller-1", 1, "[]", "0.1.0", "0" * 64, "00")
    before = encode_act(act).replace(b',"anyway":""', b"")
    assert before != encode_act(act)
    assert decode_act(before) == act


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--check", "--anyway", "so"), "--check"),
        (("--anyway", ""), "--anyway"),
        (("--anyway", "x" * 1001), "--anyway"),
        (("--anyway", "two\nlines"), "--anyway"),
    ],
)
def test_a_reason_that_cannot_stay_is_refused(house: House, args: tuple[str, ...], words: str) -> None:
    assert_plain(house.run("close", "2026-02", *args), 2, words)
    assert house.run("close", "--list").rows == []
