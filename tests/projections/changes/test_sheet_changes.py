"""Changes of lines, findings, claimed days and payments: a position's rows with them are the rows of any later one."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.writing.adopt import adopt
from ledger.book import Book, load_book
from ledger.facts.administration import HOUSE
from ledger.judge.case import Case
from ledger.judge.patients import Patient, by_episode, gather
from ledger.judge.steps import judge
from ledger.store import EpisodeLedger
from projections.answers.exported import exported_rows
from projections.audit.claimed import claimed_of
from projections.changes import sheets
from projections.changes.of_dataset import changes_of
from projections.changes.sheets import KeptRows
from projections.export.judged import claimed_cells
from projections.export.rows import named_findings
from projections.export.shapes import CHANGES_OF, DATASETS
from projections.rebuild.what_if import with_changes
from projections.rows.cells import Cells
from projections.rows.house import house_sheets
from projections.rows.patient import derive_patient
from tests.command_line import BOOK, example
from tests.harness import book_of, done_in, tell
from tests.histories import book, checks, history
from tests.stores import examples, open_ledger
from tests.tiers import many

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
AT = "2026-12-31T00:00:00Z"
SEEDS = st.integers(0, 2**32)
SHEETS = ("lines", "findings", "claimed", "payments")
NAMES = {of: [column.name for column in DATASETS[name].columns] for name, of in CHANGES_OF.items()}
COLUMNS = {of: [column.name for column in DATASETS[of].columns] for of in SHEETS}
Row = dict[str, Any]
Snapshot = dict[tuple[Any, ...], Row]


class House:
    """A ledger told a random history with merges and partings, payers' checks, and books taken up in between."""

    def __init__(self, ledger: EpisodeLedger, rng: Random) -> None:
        self.ledger = ledger
        entries, tables = history(rng, house=True)
        other = book(rng)
        one_payer = tables | {"payers": [other["payers"][0], *tables["payers"][1:]]}
        books = [book_of(tables), book_of(other), book_of(tables | {"providers": []}), book_of(one_payer)]
        self.in_force: list[tuple[int, Book]] = []
        received = checks(rng)
        for are_acts, several in groupby(entries, lambda entry: entry["episode"] == HOUSE):
            if are_acts:
                for act in several:
                    done_in(ledger, act)
                continue
            rest = list(several)
            while rest:
                batch = rng.choice((1, 4, 20))
                tell(ledger, rest[:batch])
                rest = rest[batch:]
                if rng.random() < 0.2:
                    self.adopt(rng.choice(books))
                if received and rng.random() < 0.3:
                    done_in(ledger, {"episode": HOUSE, "recorded_at": AT, "by": "desk", "fact": received.pop()})
        if not self.in_force or rng.random() < 0.2:
            self.adopt(rng.choice(books))
        self.head = ledger.position()
        self.snapshot = cache(self._snapshot)

    def adopt(self, chosen: Book) -> None:
        before = self.ledger.position()
        if adopt(self.ledger, chosen, NOW) > before:
            self.in_force.append((before + 1, chosen))

    def _snapshot(self, of: str, position: int) -> Snapshot:
        """Every row from the entries up to a position, and the book of then: patient by patient, the long way round."""
        streams = by_episode(entry for _, entry in self.ledger.follow(0, position))
        if acts := self.ledger.merge_entries(position):
            streams[HOUSE] = acts
        judged_by = next((chosen for at, chosen in reversed(self.in_force) if at <= position), self.in_force[0][1])
        found: list[Cells] = []
        if of == "findings" and (nobodys := house_sheets(self.ledger, position)):
            found += named_findings(nobodys.findings, DATASETS["findings"])
        for patient in gather(streams):
            if of == "payments":
                found += exported_rows("payments", streams, patient.name, judged_by, None)
                continue
            if of == "claimed":
                found += claimed_cells(claimed_of(streams, patient.name, judged_by, every=True))
                continue
            sheets = derive_patient(patient, judged_by)
            found += sheets.lines if of == "lines" else named_findings(sheets.findings, DATASETS["findings"])
        rows = [dict(zip(COLUMNS[of], cells, strict=True)) for cells in found]
        keyed = {key_of(of, row): row for row in rows}
        assert len(keyed) == len(rows), "a key names one row"
        return keyed

    def kept(self, of: str, position: int) -> Callable[[str], list[Cells] | None]:
        """What is kept of each patient there, of some of them nothing."""

        def rows(patient: str) -> list[Cells] | None:
            found = self.snapshot(of, position).values() if position else ()
            return [tuple(row.values()) for row in found if row["patient"] == patient] if patient < "P-2" else None

        return rows


def test_a_book_that_changes_one_payers_terms_has_only_those_judged_who_name_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = load_book(BOOK)
    dearer = with_changes(first, ["prairie-blue.rate_cents.S9325=9100"])
    elsewhere = json.loads(json.dumps(example("EP-2", "P-2")).replace("prairie-blue", "medicare"))
    judged: list[str] = []

    def judging(patient: Patient, by: Book) -> list[Case]:
        judged.append(patient.name)
        return judge(patient, by)

    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        tell(ledger, [entry | {"recorded_at": "2026-03-01T00:00Z"} for entry in (*example(), *elsewhere)])
        adopt(ledger, first, NOW)
        since = ledger.position()
        adopt(ledger, dearer, NOW)
        monkeypatch.setattr(sheets, "judge", judging)
        found = list(changes_of(ledger, "lines", since, ledger.position()))
    assert judged == ["P-1", "P-1"]
    assert {row[3] for row in found} == {"P-1"}


def key_of(of: str, row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in DATASETS[of].key)


def applied(of: str, snapshot: Snapshot, changes: list[Cells]) -> Snapshot:
    """What a consumer makes of the changes: what is said to be old must be what it has."""
    rows = dict(snapshot)
    for cells in changes:
        change = dict(zip(NAMES[of], cells, strict=True))
        old, new = (
            {name: change.get(f"{age}_{name}", change.get(name)) for name in COLUMNS[of]} for age in ("old", "new")
        )
        was = rows.pop(key_of(of, change), None)
        assert was == (None if change["kind"] == "insert" else old)
        if change["kind"] == "retract":
            continue
        assert new != was
        rows[key_of(of, change)] = new
    return rows


@given(SEEDS)
@settings(max_examples=examples(many(8, 100)), deadline=None)
def test_the_rows_of_a_position_and_the_changes_since_are_the_rows_of_a_later_one(seed: int) -> None:
    rng = Random(seed)
    with TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.db", create=True) as ledger:
        house = House(ledger, rng)
        loads = [0, *sorted(rng.sample(range(1, house.head + 1), k=min(3, house.head))), house.head]
        for of in SHEETS:
            rows: Snapshot = {}
            for since, upto in pairwise(loads):
                changes = list(changes_of(ledger, of, since, upto))
                rows = applied(of, rows, changes)
                assert rows == house.snapshot(of, upto)
                for kept in (KeptRows(before=house.kept(of, since)), KeptRows(after=house.kept(of, upto))):
                    assert list(changes_of(ledger, of, since, upto, kept=kept)) == changes
            assert list(changes_of(ledger, of, house.head, house.head)) == []
