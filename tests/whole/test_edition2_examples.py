"""Small histories with their right values (``golden/edition2/README.md``), recorded and asked by the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import GOLDENS
from tests.command_line import Ended, run

pytestmark = pytest.mark.store
FOLDER = GOLDENS / "edition2"
SETTLED = ("settled_a_soft_becomes_hard", "settled_b_duplicate", "settled_c_pair_not_duplicate", "retracted_day")

DAYS = {
    "01-transfer": {"EP-1 2026-10-07": "not_billable inpatient", "EP-1 2026-10-08": "not_billable inpatient"},
    "03-stay-number-two-episodes": {
        "EP-1 2026-03-07": "not_billable inpatient", "EP-2 2026-11-07": "not_billable inpatient",
    },
    "05-authorization-number-two-payers": {"EP-1 2026-10-05": "billable", "EP-1 2026-10-15": "billable"},
    "06-authorization-extended": {"EP-1 2026-10-05": "billable", "EP-1 2026-10-15": "billable"},
    "08-hold-number-reused": {"EP-1 2026-10-06": "not_billable held", "EP-1 2026-10-21": "not_billable held"},
    "09-authorization-shared": {"EP-2 2026-10-13": "billable", "EP-2 2026-10-14": "hold auth_exhausted"},
    "settled_a_soft_becomes_hard": {"E2 2025-01-10": "conflict specific_pair"},
    "settled_b_duplicate": {"E2 2025-01-10": "conflict duplicate_per_diem"},
    "settled_c_pair_not_duplicate": {"E2 2025-01-10": "conflict specific_pair"},
    "retracted_day": {"E1 2025-01-06": "not_billable not_served"},
}  # fmt: skip
FINDINGS = {
    "14-touching-coverage": [("coverage_overlap", ["2026-10-10"], ["t:3", "t:4"])],
    "17-two-clocks": [("runs_disagree", ["2026-10-05", "2026-10-06", "2026-10-07"], ["gateway:5", "pump:4"])],
    "19-replaced-twice": [],
    "28-year-typed-wrong": [("evidence_gap", ["2016-10-02", "2026-10-01"], ["pump:4", "t:7"])],
    "settled_a_soft_becomes_hard": [("specific_pair", ["2025-01-10"], ["s:3", "s:4", "s:5", "s:6", "s:7"])],
    "settled_b_duplicate": [("duplicate_per_diem", ["2025-01-10"], ["s:3", "s:4", "s:5", "s:6", "s:7"])],
    "settled_c_pair_not_duplicate": [("specific_pair", ["2025-01-10"], ["s:3", "s:4", "s:5", "s:6", "s:7"])],
}
REFUSED = {
    "10-served-in-the-future": {15: "told_ahead"},
    "11-zone-EST": {1: "malformed", 2: "not_opened", 3: "not_opened", 4: "not_opened", 5: "not_opened"},
    "13-look-alike-patients": dict.fromkeys(range(8, 13), "not_opened") | {7: "malformed"},
    "21-history-of-two-systems": dict.fromkeys(range(9, 14), "clock_backwards"),
    "22-colon-in-source": {4: "malformed"},
}
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))


class Told:
    """An example recorded in a ledger of its own, and the command line over it."""

    def __init__(self, folder: Path, name: str) -> None:
        self.ledger, self.book = folder / "ledger.db", FOLDER / ("book-settled" if name in SETTLED else "book")
        self.recorded = self.ask("record", "--keep-recorded-at", FOLDER / f"{name}.jsonl")

    def ask(self, *args: object) -> Ended:
        """One command."""
        return run("--ledger", self.ledger, "--book", self.book, *args)


def findings(told: Told) -> list[tuple[str, list[str], list[str]]]:
    return [(row["rule"], row["dates"], row["because"]) for row in told.ask("findings").rows]


@pytest.mark.parametrize("name", NAMES)
def test_each_example_comes_out_right(tmp_path: Path, name: str) -> None:
    told = Told(tmp_path, name)
    refused = {row["line"]: row["code"] for row in told.recorded.rows if row["outcome"] == "refused"}
    assert refused == REFUSED.get(name, {})
    found = {f"{row['episode']} {row['date']}": row for row in told.ask("days").rows}
    for day, verdict in DAYS.get(name, {}).items():
        assert " ".join(filter(None, (found[day]["status"], found[day]["reason"]))) == verdict
    if name in FINDINGS:
        assert findings(told) == FINDINGS[name]
    hard = any(row["level"] == "hard" for row in told.ask("findings").rows)
    assert told.ask("findings", "--check").status == hard


def test_the_examples_are_all_there() -> None:
    assert {*DAYS, *FINDINGS, *REFUSED} <= set(NAMES)
    table = [
        line.split("|")[1].strip() for line in (FOLDER / "README.md").read_text("utf-8").splitlines() if "|" in line
    ]
    assert len(table) - 2 == len(NAMES)


def lines(told: Told) -> list[tuple[Any, ...]]:
    return [(row["from"], row["to"], row["units"], row["member"]) for row in told.ask("lines").rows]


def test_a_day_told_ahead_is_on_no_line(tmp_path: Path) -> None:
    assert lines(Told(tmp_path, "10-served-in-the-future")) == [("2026-11-10", "2026-11-20", 11, "M-1")]


def test_a_changed_member_number_makes_two_lines(tmp_path: Path) -> None:
    assert lines(Told(tmp_path, "15-member-number-changes")) == [
        ("2026-10-01", "2026-10-10", 10, "M-1"),
        ("2026-10-11", "2026-10-15", 5, "M-2"),
    ]


def test_a_claim_replaced_twice_is_nothing_to_give_back(tmp_path: Path) -> None:
    told = Told(tmp_path, "19-replaced-twice")
    assert told.ask("diff", "EP-1", "--claimed").rows == []


def test_a_homecoming_under_another_number_is_named_and_no_other_is_proposed(tmp_path: Path) -> None:
    told = Told(tmp_path, "20-visit-numbers-differ")
    assert ("unmatched", ["2026-10-08"], ["t:home"]) in findings(told)
    (why,) = told.ask("why", "EP-1", "2026-10-10").rows
    proposed = json.dumps(why["flip"])
    assert "HospitalDischarged" not in proposed or "2026-10-08" in proposed


def test_what_was_taken_back_says_who_took_it(tmp_path: Path) -> None:
    told = Told(tmp_path, "retracted_day")
    (row,) = [row for row in told.ask("days").rows if row["date"] == "2025-01-06"]
    assert row["because"] == ["s:6"]
    (why,) = told.ask("why", "E1", "2025-01-06").rows
    assert "me retracted s:4 (DayServed)" in why["sentence"]
    assert (why["flip"]["type"], why["flip"]["fact"]["target_id"]) == ("FactRetracted", "6")
