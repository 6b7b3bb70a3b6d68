"""Tables for people: at most 100 columns wide, in dollars, payers' names and plain words."""

from __future__ import annotations

import os
import re
import shlex
import sys
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.terminal.show import say
from projections.tables import WIDEST, command_lines, fitting, row_lines
from tests import ROOT
from tests.command_line import House, run

STORIES = sorted((ROOT / "docs" / "examples").glob("*.jsonl"))
SPAN = ("2026-01-01T00:00Z", "2027-01-01T00:00Z")
READS = (
    ("days",), ("findings",), ("lines",), ("lines", "--unclaimed"), ("lines", "--claimable"), ("status",),
    ("status", "--technical"), ("why", "EP-2005", "2026-09-16"), ("why", "EP-2005", "2026-08-25"),
    ("diff", "--claimed", "--all"), ("diff", "EP-2005", "--between", *SPAN), ("replay", "EP-2005"), ("report",),
    ("report", "--payer", "prairie-blue", "--from", "2026-01-01", "--known-at", "2026-11-20T00:00Z"),
    ("close", "2026-08", "--check"), ("doctor",), ("verify",), ("rebuild", "--check"),
    ("book", "show", "prairie-blue", "--on", "2026-08-01"),
    ("what-if", "--set", "prairie-blue.rate_cents.S9325=9500", "--by", "day"),
    ("what-if", "--set", "prairie-blue.rate_cents.S9325=9500", "--by", "line"),
    ("what-if", "--set", "prairie-blue.rate_cents.S9325=9500"),
)  # fmt: skip
"""Every command that prints a table or tells at length, but for what a closed month prints byte by byte for ever."""


MANY_COLUMNS = (
    "lines", "what-if --set prairie-blue.rate_cents.S9325=9500 --by day",
    "what-if --set prairie-blue.rate_cents.S9325=9500 --by line", "report",
    "report --payer prairie-blue --from 2026-01-01 --known-at 2026-11-20T00:00Z",
)  # fmt: skip
"""Tables whose columns have no room beside each other on 80 columns."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ledger = tmp_path_factory.mktemp("told") / "ledger.db"
    for story in STORIES:
        assert run("--ledger", ledger, "record", "--keep-recorded-at", story).status == 0
    return ledger


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_nothing_a_person_is_shown_is_wider_than_100_columns(told: Path, command: tuple[str, ...]) -> None:
    lines = run("--ledger", told, *command, "--format", "table").out.decode().splitlines()
    assert len(lines) > 2
    assert max(map(len, lines)) <= WIDEST


def test_a_long_command_line_goes_on_after_a_backslash_and_is_the_same_to_the_shell() -> None:
    words = "days --payer 'Prairie Blue of the North' --from 2026-01-01 --to 2026-12-31 --status hold --reason x"
    lines = list(command_lines(words, "      "))
    assert len(lines) == 2
    assert max(map(len, lines)) <= WIDEST
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == ["episode-ledger", *shlex.split(words)]


def test_a_terminal_is_given_messages_at_a_table_s_width_and_a_pipe_whole(capsys: pytest.CaptureFixture[str]) -> None:
    text = "  " + "word " * 30
    say(text)
    assert capsys.readouterr().err == f"{text}\n"
    with patch.object(sys.stderr, "isatty", return_value=True):
        say(text)
    first, second = capsys.readouterr().err.splitlines()
    assert len(first) <= WIDEST
    assert second.startswith("    word")


def test_names_of_payers_dollars_and_plain_words_stand_in_it(told: Path) -> None:
    days = run("--ledger", told, "days", "--format", "table").out.decode()
    assert "Prairie Blue" in days
    assert "prairie-blue" not in days
    assert "90.00" in days
    assert "9000" not in days
    assert "on hold" in days
    assert "pain_assessment_overdue" not in days


def test_json_and_csv_are_for_programs_and_keep_their_names(told: Path) -> None:
    row = run("--ledger", told, "days", "--format", "json").rows[0]
    assert (row["payer"], row["rate_cents"]) == ("prairie-blue", 9000)
    head, first, *_ = run("--ledger", told, "days", "--format", "csv").out.decode().splitlines()
    assert "rate_cents" in head.split(",")
    assert "prairie-blue" in first.split(",")


def test_a_table_in_a_pipe_stays_a_table(told: Path) -> None:
    assert run("--ledger", told, "lines", "--format", "table").out.startswith(b"patient ")


def test_dates_are_not_broken_where_there_is_room_for_them(told: Path) -> None:
    for line in run("--ledger", told, "lines", "--format", "table").out.decode().splitlines()[2:]:
        assert "-0 " not in line
        assert not line.rstrip().endswith("-")


def test_a_word_that_has_no_room_is_broken_at_its_hyphens_and_every_other_at_blanks() -> None:
    def shown(cell: str, width: int) -> list[str]:
        return list(row_lines([cell], [width], [False]))

    assert shown("Missouri-like Medicaid", 11) == ["Missouri-", "like", "Medicaid"]
    assert shown("Missouri-like Medicaid", 13) == ["Missouri-like", "Medicaid"]
    assert shown("from 2026-10-01 on", 10) == ["from", "2026-10-01", "on"]
    assert shown("Transcontinental", 9) == ["Transcont", "inental"]


def test_findings_stand_by_stretch_with_what_is_at_stake_the_worst_first(told: Path) -> None:
    ended = run("--ledger", told, "findings", "--format", "table")
    head, _, *lines = ended.out.decode().splitlines()
    assert head.split() == ["level", "due", "dollars", "patient", "episodes", "dates", "claim", "payer"]
    rows = [line for line in lines if line.startswith(("hard", "soft"))]
    assert rows[1].startswith("hard   2026-12-01    288.00  P-1005")
    assert "CLM-2504" in rows[1]
    assert "Cascade Medicaid" in rows[1]
    assert [row[:4] for row in rows] == sorted(row[:4] for row in rows)
    assert rows[0].split()[:3] == ["hard", "90.00", "P-1012"], "money to refund without a date is due now"


def test_findings_are_one_number_everywhere(told: Path) -> None:
    said = run("--ledger", told, "findings", "--format", "table").err.splitlines()[-1]
    rows = run("--ledger", told, "findings").rows
    hard = sum(row["level"] == "hard" for row in rows)
    assert said == f"{len(rows)} findings: {hard} hard, {len(rows) - hard} soft."
    status = run("--ledger", told, "status", "--format", "table").out.decode().splitlines()
    assert f"findings {hard} hard, {len(rows) - hard} soft" in [" ".join(line.split()) for line in status]
    report = [row for row in run("--ledger", told, "report").rows if row["section"] == "findings"]
    assert sum(row["findings"] for row in report) == hard


def test_the_short_status_has_no_word_of_ours(told: Path) -> None:
    short = run("--ledger", told, "status", "--format", "table").out.decode()
    for word in ("position", "lag", "fingerprint", "seal", "read model", "not_billable"):
        assert word not in short
    assert "fingerprints: days" in run("--ledger", told, "status", "--technical", "--format", "table").out.decode()


def test_nothing_in_a_table_steers_a_terminal(tmp_path: Path) -> None:
    house = House(tmp_path)
    wide = {"type": "EpisodeOpened", "patient": "P" * 120, "provider": "1234567893", "zone": "America/Chicago"}
    served = {"type": "DayServed", "order": "RX-1", "date": "2026-02-02"}
    line = {"episode": "E" * 120, "source": "pump", "id": "1", "by": "rn-1", "fact": wide}
    assert house.tell(line, line | {"id": "2", "fact": served}).status == 0
    lines = house.run("days", "--format", "table").out.decode().splitlines()
    assert max(map(len, lines)) <= WIDEST


@given(st.lists(st.lists(st.text("ab c", max_size=60), min_size=8, max_size=8), min_size=1, max_size=5))
def test_columns_always_fit(lines: list[list[str]]) -> None:
    widths = fitting(lines)
    assert sum(widths) + 2 * (len(widths) - 1) <= WIDEST
    assert all(width >= 0 for width in widths)


@pytest.mark.parametrize("command", [*READS, ("days", "--format", "calendar")], ids=" ".join)
def test_a_narrower_terminal_is_given_lines_that_fit_it_and_whole_dates(
    told: Path, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.get_terminal_size", lambda _: os.terminal_size((80, 24)))
    monkeypatch.setattr("tests.command_line._Screen.fileno", lambda _: 1)
    form = () if "--format" in command else ("--format", "table")
    lines = run("--ledger", told, *command, *form).out.decode().splitlines()
    assert max(map(len, lines)) <= (WIDEST if " ".join(command) in MANY_COLUMNS else 80)
    assert [line for line in lines if re.search(r"\b\d{4}-(\d\d-)?(\s|$)", line)] == []


def test_a_message_of_several_lines_keeps_them_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    with patch.object(sys.stderr, "isatty", return_value=True):
        say("Usage:\n\n  " + "word " * 30 + "\n  a")
    first, blank, *_, last = capsys.readouterr().err.splitlines()
    assert (first, blank, last) == ("Usage:", "", "  a")
