"""An export of a ledger with an entry that cannot be read: the manifest counts who is missing, the feed stops."""

from __future__ import annotations

from pathlib import Path

from tests.command_line import House, assert_plain
from tests.exports import export, manifest_of, rows_in
from tests.test_quarantine import broken
from tests.test_rebuild import house

__all__ = ["house"]


def test_who_is_set_aside_is_counted_and_not_shown(house: House, tmp_path: Path) -> None:
    broken(house)
    house.views.unlink()
    assert house.run("rebuild", "--quarantine").status == 0
    place = export(house, "days", "jsonl", tmp_path / "out")
    assert manifest_of(place)["patients_set_aside"] == 1
    assert rows_in(place)
    assert "P-2" not in {row["patient"] for row in rows_in(place)}


def test_changes_stop_at_it_and_leave_nothing(house: House, tmp_path: Path) -> None:
    broken(house)
    command = ["export", "changes", "--format", "jsonl", "--out", tmp_path / "out"]
    assert_plain(house.run(*command), 3, "an entry cannot be read", "episode EP-2", "position 15")
    ended = house.run("follow", "--since", 1, "--once")
    assert ended.status == 3
    assert "an entry cannot be read" in ended.err
    assert [row for row in ended.rows if row["last"]] == [], "what came before it is never said to be all"
    assert [path.name for path in (tmp_path / "out").iterdir()] == [".changes.lock"]
