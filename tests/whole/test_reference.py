"""The generated pages are what the code says today, and they say all of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from ledger.facts.events import Event
from ledger.judge.checks import CHECK_RULES
from ledger.judge.findings import RULES
from projections.export.shapes import DATASETS
from scripts import reference_pages
from scripts.reference_pages import PAGES, out_of_date, write
from tests.scenario_language import STEPS as RULEBOOK


def test_the_pages_are_up_to_date() -> None:
    assert not out_of_date(), "run scripts/reference and look at what changed"


def test_a_page_is_found_out_of_date_and_written_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "docs" / "reference"  # what is made for dbt/ stands beside docs/
    assert write(folder) == list(PAGES)
    assert write(folder) == []
    (folder / "steps.md").write_text("1 step\n")
    (folder / "events.md").unlink()
    assert out_of_date(folder) == ["events.md", "steps.md"]
    assert write(folder) == ["events.md", "steps.md"]
    monkeypatch.setitem(reference_pages.PAGES, "findings.md", lambda: "new")
    assert out_of_date(folder) == ["findings.md"]


def test_every_fact_is_described() -> None:
    named = re.findall(r"^### (\w+)$", PAGES["events.md"](), re.MULTILINE)
    assert named == [kind.__name__ for kind in get_args(Event)]


def test_every_field_has_a_sentence() -> None:
    rows = [line for line in PAGES["events.md"]().splitlines() if line.startswith("| `")]
    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []


def test_the_steps_are_the_rulebooks() -> None:
    rows = [line.strip("| ").split(" | ") for line in PAGES["steps.md"]().splitlines() if re.match(r"\| \d", line)]
    assert [row[0] for row in rows] == [str(number) for number, _ in enumerate(RULEBOOK, 1)]
    assert [re.findall(r"`(\w+ \w+)`", row[3]) for row in rows] == RULEBOOK


def test_every_finding_is_described() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (hard|soft) \| \S.* \| \S.* \|$", PAGES["findings.md"](), re.MULTILINE)
    assert rows == [(rule.name, rule.level) for rule in (*RULES, *CHECK_RULES)]


def test_every_exported_column_is_described_and_its_way_to_be_unknown() -> None:
    feed, unknown = PAGES["feed.md"](), PAGES["../why/deidentified.md"]()
    for dataset in DATASETS.values():
        for column in dataset.columns:
            assert re.search(rf"^\| `{column.name}` \| (\S.* \| ){{3}}.*\| .*\S \|$", feed, re.MULTILINE)
            assert f"| `{column.name}` | " in unknown
    assert len(re.findall(r"^\| \([A-R]\) \|", unknown, re.MULTILINE)) == 18


def test_every_command_shows_its_help() -> None:
    page = PAGES["commands.md"]()
    assert {"record", "days", "findings", "lines", "why", "replay", "status"} <= set(
        re.findall(r"^## episode-ledger (\w+)$", page, re.MULTILINE)
    )
    assert max(map(len, page.splitlines())) <= 100
