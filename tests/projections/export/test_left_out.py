"""Who is too large to read is left out of the feed by name; everybody else's changes come, and theirs when they can."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.facts.feed_acts import PatientLeftOut, PatientTakenIn
from ledger.recorders.protocol import FEW
from ledger.store import RecordConflictError
from projections.export.change_shapes import compared_columns
from projections.export.shapes import DATASETS
from projections.reading.budget import TooCostly, budget, set_budget
from tests.builders import NOON, entry
from tests.command_line import Ended, House, example, told
from tests.encrypted_house import Locked
from tests.exports import Row, manifest_of, rows_in
from tests.stores import open_ledger

SMALL = {"EPISODE_PATIENT_MB": "1"}
"""So little that who has more than FEW entries, and 90 KB of text, is too large."""
KEY = ("patient", "episode", "date")
NEWS = {"type": "DayServed", "order": "RX-1", "date": "2026-02-20"}
Days = dict[tuple[str, ...], Row]


@pytest.fixture(autouse=True)
def as_it_was() -> Any:
    """The budget is the process's; a command sets it."""
    before = budget()
    yield
    set_budget(before)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    assert house.tell(*example("EP-1", "P-1"), *example("EP-2", "P-2")).status == 0
    return house


def grown(house: House) -> None:
    """P-1 has grown too large, P-2 has a day more, and so has P-1."""
    note = {"type": "ResponseNoted", "date": "2026-02-03", "note": "x" * 600}
    notes = [told(f"n-{number}", note, source="chart") for number in range(FEW)]
    news = [told("news", NEWS, episode=episode, source="chart") for episode in ("EP-1", "EP-2")]
    assert house.tell(*notes, *news, options=("--no-effect",)).status == 0


def days(house: House, out: Path, env: dict[str, str]) -> tuple[int, Days]:
    """What `export days` gives: its position, and its rows."""
    assert house.run("export", "days", "--format", "jsonl", "--out", out, env=env).status == 0
    place = out / "days"
    return manifest_of(place)["position"], {tuple(row[name] for name in KEY): row for row in rows_in(place)}


def applied(had: Days, changes: list[Row]) -> Days:
    """What a program makes of changes, whose old values must be those that it has."""
    rows = dict(had)
    for change in changes:
        key = tuple(change[name] for name in KEY)
        old, new = (
            {name.removeprefix(side): cell for name, cell in change.items() if name.startswith(side)}
            for side in ("old_", "new_")
        )
        was = rows.pop(key, None)
        assert was == (None if change["kind"] == "insert" else dict(zip(KEY, key, strict=True)) | old)
        if change["kind"] != "retract":
            rows[key] = dict(zip(KEY, key, strict=True)) | new
    return rows


class Exported:
    """Changes as `export changes` writes them."""

    def __init__(self, house: House, out: Path) -> None:
        self.house, self.out = house, out

    def since(self, position: int, env: dict[str, str]) -> tuple[int, list[Row], Ended]:
        asked = ("export", "changes", "--since", position, "--format", "jsonl", "--out", self.out)
        ended = self.house.run(*asked, env=env)
        assert ended.status == 0, ended.err
        manifest = manifest_of(self.out / "changes")
        assert manifest["patients_set_aside"] == ended.err.count("is left out of the feed")
        return manifest["position"], rows_in(self.out / "changes"), ended


class Followed:
    """Changes as `follow` prints them."""

    def __init__(self, house: House, out: Path) -> None:
        self.house = house

    def since(self, position: int, env: dict[str, str]) -> tuple[int, list[Row], Ended]:
        ended = self.house.run("follow", "--once", "--since", position, env=env)
        assert ended.status == 0, ended.err
        first, *rows = ended.rows
        assert [row["last"] for row in rows] == [False] * (len(rows) - 1) + [True] * bool(rows)
        return rows[-1]["position"] if rows else first["position"], rows, ended


@pytest.fixture(params=[Exported, Followed])
def feed(request: pytest.FixtureRequest, house: House, tmp_path: Path) -> Any:
    return request.param(house, tmp_path / "feed")


def test_everybody_elses_changes_come_and_theirs_without_a_gap_when_there_is_room_again(
    house: House, feed: Any, tmp_path: Path
) -> None:
    first, had = days(house, tmp_path / "days", {})
    grown(house)
    at, changes, ended = feed.since(first, SMALL)
    assert "Patient P-1 is left out of the feed" in ended.err
    assert "P-2" not in ended.err
    had = applied(had, changes)
    assert {row["cause"][0] if isinstance(row["cause"], list) else row["cause"] for row in changes
            if row["patient"] == "P-1"} == {"left_out"}  # fmt: skip
    assert had == days(house, tmp_path / "days", SMALL)[1]
    assert ("P-2", "EP-2", "2026-02-20") in had

    later, changes, ended = feed.since(at, SMALL)  # still: nothing comes, and it is said again
    assert (changes, "P-1" in ended.err) == ([], True)

    had = applied(had, feed.since(later, {})[1])
    assert house.run("rebuild").status == 0
    assert had == days(house, tmp_path / "days", {})[1]
    assert ("P-1", "EP-1", "2026-02-20") in had


def test_who_was_too_large_from_the_beginning_comes_when_there_is_room(house: House, feed: Any, tmp_path: Path) -> None:
    grown(house)
    at, changes, ended = feed.since(0, SMALL)
    assert "P-1" in ended.err
    assert {row["patient"] for row in changes} == {"P-2"}
    had = applied({}, changes)
    for payer in (house.book / "payers").glob("*.toml"):  # another book: everybody is judged
        payer.write_text(re.sub(r"S9325 = \d+", "S9325 = 9100", payer.read_text()))
    had = applied(had, feed.since(at, SMALL)[1])
    assert {row["patient"] for row in had.values()} == {"P-2"}
    at, had_now = days(house, tmp_path / "days", SMALL)
    assert had == had_now
    had = applied(had, feed.since(at, {})[1])
    assert had == applied({}, feed.since(0, {})[1])


def test_whom_the_days_leave_out_the_changes_since_bring(house: House, feed: Any, tmp_path: Path) -> None:
    """A program that begins with the days of a patient less is given that patient later, though nothing was told."""
    grown(house)
    at, had = days(house, tmp_path / "days", SMALL)
    assert {key[0] for key in had} == {"P-2"}
    had = applied(had, feed.since(at, {})[1])
    assert {key[0] for key in had} == {"P-1", "P-2"}
    assert house.run("rebuild").status == 0
    assert had == days(house, tmp_path / "days", {})[1]


def sheet(house: House, of: str, out: Path, env: dict[str, str]) -> tuple[int, dict[tuple[str, ...], Row]]:
    """What an export of a dataset gives of what its changes compare: its position, and its rows."""
    assert house.run("export", of, "--format", "jsonl", "--out", out, env=env).status == 0
    names = [name for part in compared_columns(DATASETS[of]) for name in part]
    rows = ({name: row[name] for name in names} for row in rows_in(out / of))
    return manifest_of(out / of)["position"], {tuple(str(row[name]) for name in DATASETS[of].key): row for row in rows}


@pytest.mark.parametrize(
    ("of", "changes"), [("lines", "line_changes"), ("findings", "finding_changes"), ("claimed", "claimed_changes"),
                        ("payments", "payment_changes")],
)  # fmt: skip
def test_lines_findings_claimed_days_and_payments_are_kept_up_to_date_likewise(
    house: House, of: str, changes: str, tmp_path: Path
) -> None:
    claim = {"type": "ClaimSubmitted", "claim": "C-9", "payer": "prairie-blue", "frequency": "1", "lines": [
        {"code": "S9325", "from": "2026-02-02", "to": "2026-02-09", "units": 8, "charge_cents": 1}]}  # fmt: skip
    assert house.tell(*(told("c-9", claim, episode=name, source="billing") for name in ("EP-1", "EP-2"))).status == 0
    key, (named, said) = DATASETS[of].key, compared_columns(DATASETS[of])
    at, had = sheet(house, of, tmp_path, {})
    assert {row["patient"] for row in had.values()} == {"P-1", "P-2"}

    def follow(env: dict[str, str]) -> int:
        asked = ("export", changes, "--since", at, "--format", "jsonl", "--out", tmp_path)
        assert house.run(*asked, env=env).status == 0
        for change in rows_in(tmp_path / changes):
            which = tuple(str(change[name]) for name in key)
            was = had.pop(which, None)
            assert (was is None) == (change["kind"] == "insert")
            assert was is None or [was[name] for name in said] == [change[f"old_{name}"] for name in said]
            if change["kind"] != "retract":
                had[which] = {name: change[name] for name in named} | {name: change[f"new_{name}"] for name in said}
        position: int = manifest_of(tmp_path / changes)["position"]
        return position

    grown(house)
    at = follow(SMALL)
    assert had == sheet(house, of, tmp_path / "then", SMALL)[1]
    assert {row["patient"] for row in had.values()} == {"P-2"}
    at = follow({})
    assert house.run("rebuild").status == 0
    assert had == sheet(house, of, tmp_path / "then", {})[1]
    assert {row["patient"] for row in had.values()} == {"P-1", "P-2"}


def test_whoever_turns_out_to_cost_too_much_while_lines_are_judged_is_left_out_of_their_changes(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Time is seen when it is spent."""

    def within(episode: str, work: Callable[[], Any]) -> Any:
        if episode == "EP-1":
            raise TooCostly(episode)
        return work()

    monkeypatch.setattr("projections.reading.unjudged.within_budget", within)
    monkeypatch.setattr("projections.rows.patient.within_budget", within)
    ended = house.run("export", "line_changes", "--since", 0, "--format", "jsonl", "--out", tmp_path / "out")
    assert ended.status == 0
    assert "Patient P-1 is left out" in ended.err
    assert {row["patient"] for row in rows_in(tmp_path / "out" / "line_changes")} == {"P-2"}


def test_who_is_left_out_stands_in_the_ledger_under_keys_of_their_own(path: Path, every_store: str) -> None:
    with open_ledger(path, create=True) as ledger:
        ledger.append([entry(1, episode="EP-1"), entry(1, episode="EP-2")], [("Ada", "EP-1"), ("Ben", "EP-2")])
        before = ledger.position()
        for patient in ("Ada", "Ben"):
            ledger.record_for_feed(PatientLeftOut(NOON, "biller-1", patient, "0" * 32))
        with pytest.raises(RecordConflictError):
            ledger.record_for_feed(PatientLeftOut(NOON, "biller-1", "Ada", "0" * 32))
        last = ledger.record_for_feed(PatientTakenIn(NOON, "biller-1", "Ben", "0" * 32))
        assert [ledger.left_out(at) for at in (before, last - 1, last)] == [
            {}, {"Ada": before + 1, "Ben": before + 2}, {"Ada": before + 1},
        ]  # fmt: skip
        if ledger.encrypted:
            stored = json.dumps([str(row) for row in ledger.scan(before)])
            assert "Ada" not in stored


@pytest.mark.sqlite_file
def test_nobody_is_left_out_by_a_name_that_was_forgotten(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    assert house.tell(*example("EP-1", "P-1"), *example("EP-2", "P-2")).status == 0
    for patient in ("P-1", "P-2"):
        with house.open() as ledger:
            ledger.record_for_feed(PatientLeftOut(NOON, "biller-1", patient, "0" * 32))
    assert house.run("forget", "P-1", "--reason", "asked to", "--yes").status == 0
    with house.open() as ledger:
        assert list(ledger.left_out()) == ["P-2"]
    assert {row["patient"] for row in house.run("follow", "--once", "--since", 0).rows[1:]} == {"P-2", ""}
