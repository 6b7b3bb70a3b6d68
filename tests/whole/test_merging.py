"""Patients who are the same person: merged and parted by acts of the house, and read under the name that stands."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.facts.administration import PatientsMerged, PatientsParted
from projections.audit.replay import replay_of
from projections.operations.search import find_episodes
from projections.read_model.views import open_views
from tests.command_line import House, example, lines_of
from tests.stores import open_ledger


def at(hour: int) -> datetime:
    return datetime(2026, 11, 20, hour, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Two episodes that two systems told under two names."""
    house = House(tmp_path)
    told = [
        line | {"recorded_at": f"2026-11-19T0{place}:{number:02d}:00Z"}
        for place, (episode, patient) in enumerate((("EP-1", "P-1"), ("EP-2", "P-1 old")))
        for number, line in enumerate(
            {k: v for k, v in each.items() if k != "recorded_at"} for each in example(episode, patient)
        )
    ]
    ended = house.run("record", "-", "--keep-recorded-at", stdin=lines_of(told))
    assert ended.status == 0, ended
    return house


def act(house: House, act: PatientsMerged | PatientsParted) -> None:
    with open_ledger(house.ledger, create=False) as ledger:
        ledger._record_act(act, len(ledger.house_acts()))


def merge(house: House, hour: int = 8) -> None:
    act(house, PatientsMerged(at(hour), "clerk", "P-1 old", "P-1", "one person", "0" * 32))


def patients(house: House, *options: str) -> set[tuple[str, str]]:
    return {(row["patient"], row["episode"]) for row in house.run("days", *options, "--format", "json").rows}


def test_a_merged_patients_episodes_are_under_the_name_that_stands(house: House) -> None:
    assert patients(house) == {("P-1", "EP-1"), ("P-1 old", "EP-2")}
    merge(house)
    assert patients(house) == {("P-1", "EP-1"), ("P-1", "EP-2")}


def test_days_of_both_clash_once_they_are_one_patients(house: House) -> None:
    before = {row["reason"] for row in house.run("days", "--format", "json").rows}
    merge(house)
    after = {row["reason"] for row in house.run("days", "--format", "json").rows}
    assert "duplicate_per_diem" not in before
    assert "duplicate_per_diem" in after


def test_as_known_before_it_they_are_two_patients(house: House) -> None:
    merge(house)
    known = ("--known-at", "2026-11-20T07:59:00Z")
    assert patients(house, *known) == {("P-1", "EP-1"), ("P-1 old", "EP-2")}


def test_parted_they_are_two_again(house: House) -> None:
    merge(house)
    act(house, PatientsParted(at(9), "clerk", "P-1 old", "two persons after all", "1" * 32))
    assert patients(house) == {("P-1", "EP-1"), ("P-1 old", "EP-2")}


def test_asked_for_by_the_old_name_the_answer_is_the_patients_rows_and_says_so(house: House) -> None:
    merge(house)
    ended = house.run("days", "--patient", "P-1 old", "--format", "json")
    assert {row["episode"] for row in ended.rows} == {"EP-1", "EP-2"}
    assert "merged into P-1" in ended.err


def test_a_rebuild_comes_to_the_same_rows_as_catching_up(house: House) -> None:
    house.run("days")
    merge(house)
    before = house.run("days", "--format", "json").out
    ended = house.run("rebuild", "--check")
    assert ended.status == 0, ended
    house.run("rebuild")
    assert house.run("days", "--format", "json").out == before


def test_why_and_findings_name_the_other_episode(house: House) -> None:
    merge(house)
    row: dict[str, Any] = next(
        row for row in house.run("days", "--format", "json").rows if row["reason"] == "duplicate_per_diem"
    )
    why = json.loads(house.run("why", row["episode"], row["date"], "--format", "json").out)
    assert why["verdict"]["reason"] == "duplicate_per_diem"
    found = [row for row in house.run("findings", "--format", "json").rows if row["rule"] == "duplicate_per_diem"]
    assert found
    assert found[0]["episodes"] == ["EP-1", "EP-2"]


def test_replay_tells_the_merge_and_the_days_it_changed(house: House) -> None:
    merge(house)
    with open_ledger(house.ledger, create=False) as ledger:
        from ledger.book import load_book

        rows = [row for row in replay_of(ledger, "EP-2", load_book(house.book)) if row.type == "PatientsMerged"]
    assert [row.source for row in rows] == ["house"]
    assert rows[0].changes


def test_the_feed_of_changes_takes_the_old_rows_away_and_puts_the_new_in(house: House) -> None:
    out = house.folder / "feed"
    assert house.run("export", "days", "--format", "jsonl", "--out", out).status == 0
    since = json.loads((out / "days" / "manifest.json").read_text())["position"]
    merge(house)
    assert house.run("export", "changes", "--since", str(since), "--format", "jsonl", "--out", out).status == 0
    rows = [
        json.loads(line)
        for part in (out / "changes").resolve().rglob("*.jsonl")
        for line in part.read_text().splitlines()
    ]
    kinds = {(row["patient"], row["episode"], row["kind"]) for row in rows}
    assert ("P-1 old", "EP-2", "retract") in kinds
    assert ("P-1", "EP-2", "insert") in kinds


def test_a_search_for_the_old_name_finds_the_patients_episodes(house: House) -> None:
    merge(house)
    with open_ledger(house.ledger, create=False) as ledger, closing(open_views(house.views)) as views:
        house.run("days")
        found, _ = find_episodes(ledger, views, "P-1 old")
    assert {(one.patient, one.episode) for one in found} == {("P-1", "EP-1"), ("P-1", "EP-2")}


def test_a_bundle_and_a_page_of_a_merged_patients_episode_are_made(
    house: House, tmp_path_factory: pytest.TempPathFactory
) -> None:
    merge(house)
    key = tmp_path_factory.mktemp("keys") / "signing.key"
    house.run("checkpoint", "--init-key", "--key", key)
    both = ("--also-shows", "P-1 old")  # its entries name the patient by the old name
    made = house.run("bundle", "EP-2", "--key", key, "--out", house.folder / "EP-2.zip", *both)
    assert made.status == 0, made
    assert house.run("page", "EP-2", "--out", house.folder / "EP-2.html", *both).status == 0
    page = (house.folder / "EP-2.html").read_text(encoding="utf-8")
    assert "P-1" in page


def test_a_difference_between_two_instants_names_the_merge(house: House) -> None:
    merge(house)
    ended = house.run("diff", "EP-2", "--between", "2026-11-20T07:00Z", "2026-11-20T09:00Z", "--format", "json")
    assert any(label.startswith("house:") for row in ended.rows for label in row["because"])
