"""The feed: the rows of any position with the changes since then are the rows of any later one, and causes are true."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.writing.adopt import adopt
from ledger.book import Book
from ledger.judge.patients import by_episode, gather
from ledger.store import EpisodeLedger
from projections.changes import days
from projections.changes.days import changes_since
from projections.changes.stretch import NothingAdopted
from projections.export.shapes import DATASETS
from projections.rows.cells import Cells, as_list
from projections.rows.patient import derive_patient
from tests.command_line import House, example, told
from tests.harness import book_of, tell
from tests.histories import book, history
from tests.stores import examples, open_ledger
from tests.tiers import many

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = [column.name for column in DATASETS["changes"].columns]
SEEDS = st.integers(0, 2**32)
Snapshot = dict[tuple[str, ...], Cells]


class Told:
    """A ledger told a random history, books taken up in between, and what its rows were at every position."""

    def __init__(self, ledger: EpisodeLedger, rng: Random) -> None:
        self.ledger = ledger
        entries, tables = history(rng)
        self.books = [book_of(tables), book_of(book(rng)), book_of(tables | {"providers": []})]
        self.in_force: list[tuple[int, Book]] = []
        while entries:
            batch = rng.choice((1, 4, 20))
            tell(ledger, entries[:batch])  # some are refused, as lying in the future
            entries = entries[batch:]
            if rng.random() < 0.3:
                self.adopt(rng.choice(self.books))
        if not self.in_force or rng.random() < 0.2:
            self.adopt(rng.choice(self.books))
        self.head = ledger.position()
        self.entries = list(ledger.follow(0))
        self.snapshot = cache(self._snapshot)

    def adopt(self, chosen: Book) -> None:
        before = self.ledger.position()
        if adopt(self.ledger, chosen, NOW) > before:
            self.in_force.append((before + 1, chosen))

    def _snapshot(self, position: int) -> Snapshot:
        """Every row from the entries up to a position, and the book of then: the long way round."""
        streams = by_episode(entry for at, entry in self.entries if at <= position)
        before = [chosen for at, chosen in self.in_force if at <= position]
        judged_by = before[-1] if before else self.in_force[0][1]
        return {row[:3]: row for patient in gather(streams) for row in derive_patient(patient, judged_by).days}

    def changes(self, since: int, upto: int) -> list[dict[str, Any]]:
        return [dict(zip(NAMES, change, strict=True)) for change in changes_since(self.ledger, since, upto)]


def applied(snapshot: Snapshot, changes: list[dict[str, Any]]) -> Snapshot:
    """What a consumer makes of the changes: what is said to be old must be what it has."""
    rows = dict(snapshot)
    for change in changes:
        key = (change["patient"], change["episode"], change["date"])
        old, new = ([change[name] for name in NAMES if name.startswith(side)] for side in ("old_", "new_"))
        assert rows.pop(key, None) == ((*key, *old) if change["kind"] != "insert" else None)
        if change["kind"] == "insert":
            assert set(old) == {None}
        if change["kind"] == "retract":
            assert set(new) == {None}
        else:
            assert old != new
            rows[key] = (*key, *new)
    return rows


@given(SEEDS)
@settings(max_examples=examples(many(8, 100)), deadline=None)
def test_the_rows_of_a_position_and_the_changes_since_are_the_rows_of_a_later_one(seed: int) -> None:
    rng = Random(seed)
    with TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.db", create=True) as ledger:
        told = Told(ledger, rng)
        positions = [0, told.head, *(rng.randint(0, told.head) for _ in range(6))]
        for since, upto in ((since, upto) for since in positions for upto in (rng.choice(positions), told.head)):
            if since <= upto:
                changes = told.changes(since, upto)
                assert applied(told.snapshot(since), changes) == told.snapshot(upto) or since == 0
                assert {change["position"] for change in changes} <= {upto}
        assert applied({}, told.changes(0, told.head)) == told.snapshot(told.head)


@given(SEEDS)
@settings(max_examples=examples(many(6, 60)), deadline=None)
def test_the_first_cause_is_what_made_the_row_what_it_is(seed: int) -> None:
    """However many days are asked about at once."""
    rng = Random(seed)
    at_once = patch.object(days, "DAYS_AT_ONCE", rng.choice((3, 40, days.DAYS_AT_ONCE)))
    with at_once, TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.db", create=True) as ledger:
        told = Told(ledger, rng)
        labels = {at: entry.label for at, entry in told.entries} | {at: "book" for at, _ in told.in_force}
        for since in {rng.randint(1, told.head) for _ in range(3)}:
            for change in told.changes(since, told.head):
                key = (change["patient"], change["episode"], change["date"])
                states = [told.snapshot(at).get(key) for at in range(since, told.head + 1)]
                moved = [since + at for at in range(1, len(states)) if states[at] != states[at - 1]]
                if change["cause_position"] is None:
                    assert all(row[0] != change["patient"] for row in told.snapshot(since).values())
                    assert change["cause"] == change["new_because"]
                    continue
                assert change["cause_position"] == moved[-1]
                assert as_list(change["cause"]) == tuple(dict.fromkeys(labels[at] for at in reversed(moved)))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EpisodeLedger]:
    with open_ledger(tmp_path / "ledger.db", create=True) as opened:
        yield opened


def test_nothing_taken_up_has_no_rows(ledger: EpisodeLedger) -> None:
    with pytest.raises(NothingAdopted):
        list(changes_since(ledger, 0, 0))


def test_a_book_is_taken_up_once(ledger: EpisodeLedger) -> None:
    books = [book_of(book(Random(seed))) for seed in (1, 2)]
    assert [adopt(ledger, books[choice], NOW) for choice in (0, 0, 1, 1, 0)] == [1, 1, 2, 2, 3]


def house_with_example(folder: Path) -> House:
    house = House(folder)
    assert house.tell(*example()).status == 0
    return house


def feed(house: House, since: int) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = house.run("follow", "--since", since, "--once").rows
    return rows[1:]


def summary(rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(row["kind"], row["patient"], row["date"], row["old_status"], row["new_status"]) for row in rows]


def test_an_episode_given_to_another_patient_is_taken_from_the_first(tmp_path: Path) -> None:
    house = house_with_example(tmp_path)
    position = feed(house, 0)[0]["position"]
    opened = example()[0]
    named = {"target_source": opened["source"], "target_id": opened["id"], "reason": "mistaken"}
    house.tell(told("right", {"type": "FactCorrected", **named, "fact": opened["fact"] | {"patient": "P-2"}}))
    rows = feed(house, position)
    assert {(row[0], row[1]) for row in summary(rows)} == {("retract", "P-1"), ("insert", "P-2")}
    assert [row["cause"] for row in rows if row["kind"] == "retract"] == [["pump:right"]] * (len(rows) // 2)
    assert {row["cause_position"] for row in rows if row["kind"] == "retract"} == {position + 1}


def test_a_new_book_restates_by_name(tmp_path: Path) -> None:
    house = house_with_example(tmp_path)
    before = feed(house, 0)
    payer = house.book / "payers" / "prairie.toml"
    terms = payer.read_text(encoding="utf-8")
    payer.write_text(terms.replace("S9325 = 9000", "S9325 = 9100"), encoding="utf-8")
    position = before[0]["position"]
    assert "Another book is taken up" in house.run("follow", "--once").err
    rows = feed(house, position)
    billable = [row for row in before if row["new_status"] == "billable"]
    assert [(row["kind"], row["old_rate"], row["new_rate"], row["cause"]) for row in rows] == [
        ("restate", "90.00", "91.00", ["book"])
    ] * len(billable)
    assert {row["position"] for row in rows} == {before[0]["position"] + 1}
    assert {row["book"] for row in rows} != {row["book"] for row in before}
    assert feed(house, rows[0]["position"]) == []


def test_another_cause_alone_restates(tmp_path: Path) -> None:
    house = house_with_example(tmp_path)
    first = next(row for row in feed(house, 0) if row["new_status"] == "billable")
    house.tell(told("again", {"type": "DayServed", "order": "RX-1", "date": first["date"]}))
    (row,) = feed(house, first["position"])
    assert (row["kind"], row["old_status"], row["new_status"]) == ("restate", "billable", "billable")
    assert set(row["new_because"]) == {*row["old_because"], "pump:again"}
    assert row["cause"] == ["pump:again"]
