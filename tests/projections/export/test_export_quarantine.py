"""An export of a ledger with an entry that cannot be read: the manifest counts who is missing, the feed stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import House, assert_plain
from tests.exports import export, manifest_of, rows_in
from tests.read_models import three_patients_house
from tests.stories import StoriesTold
from tests.tampering import broken, set_aside, tell_of_one_who_shared_an_episode


@pytest.fixture
def house(tmp_path: Path) -> House:
    return three_patients_house(tmp_path)


@pytest.mark.sqlite_file
def test_who_is_set_aside_is_counted_and_not_shown(house: House, tmp_path: Path) -> None:
    broken(house)
    house.views.unlink()
    assert house.run("rebuild", "--quarantine").status == 0
    place = export(house, "days", "jsonl", tmp_path / "out")
    assert manifest_of(place)["patients_set_aside"] == 1
    assert rows_in(place)
    assert "P-2" not in {row["patient"] for row in rows_in(place)}


@pytest.mark.sqlite_file
def test_claims_that_need_what_cannot_be_read_are_left_out_as_well(own: StoriesTold, tmp_path: Path) -> None:
    tell_of_one_who_shared_an_episode(own)
    command = ["--format", "jsonl", "--out", tmp_path / "out"]
    assert own.run("export", "claimed", *command).status == 0
    assert {"P-2", "P-9"} < {row["patient"] for row in rows_in(tmp_path / "out" / "claimed")}
    set_aside(own)
    for known_at in ([], ["--known-at", "2030-01-01T00:00Z"]):
        ended = own.run("export", "claimed", *command, *known_at)
        assert "Patient P-2 is set aside and not shown: version 3 of EP-2 at position" in ended.err
        assert (
            ended.err.splitlines()[-1]
            == "Patient P-9 is not exported: version 3 of EP-2 at position 16 cannot be read."
        )
        assert manifest_of(tmp_path / "out" / "claimed")["patients_set_aside"] == 2
        left = {row["patient"] for row in rows_in(tmp_path / "out" / "claimed")}
        assert left
        assert not left & {"P-2", "P-9"}
    assert own.run("export", "authorizations", *command).status == 0
    assert manifest_of(tmp_path / "out" / "authorizations")["patients_set_aside"] == 1


@pytest.mark.sqlite_file
def test_changes_stop_at_it_and_leave_nothing(house: House, tmp_path: Path) -> None:
    broken(house)
    command = ["export", "changes", "--since", 1, "--format", "jsonl", "--out", tmp_path / "out"]
    assert_plain(house.run(*command), 3, "an entry cannot be read", "episode EP-2", "position 15")
    ended = house.run("follow", "--since", 1, "--once")
    assert ended.status == 3
    assert "an entry cannot be read" in ended.err
    assert [row for row in ended.rows if row.get("last")] == [], "what came before it is never said to be all"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".changes.lock"]
