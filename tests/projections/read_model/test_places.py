"""Where read models are, which one is live, and how that changes in one step."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from ledger.recorders import StoreError
from projections.read_model import generations as module
from projections.read_model.generations import Places
from projections.read_model.trouble import ViewsError
from projections.read_model.views import Views, open_views


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "ledger.views.db")


def note(views: Views, text: str) -> None:
    with closing(views), views.writing():
        views.note(told=text)


def live_note(places: Places) -> str:
    with closing(places.open_live()) as views:
        return views.noted()["told"]


def built(places: Places, text: str) -> Path:
    """A new read model beside the live one."""
    with places.rebuilding() as folder:
        note(open_views(folder / "built.db"), text)
        path = places.adopt(folder / "built.db")
        places.switch(path)
    return path


def names(places: Places) -> list[str]:
    return sorted(path.name for path in places.live.parent.iterdir() if path != places.lock)


def test_the_first_one(places: Places) -> None:
    assert (places.current(), places.previous(), places.generations()) == (None, None, {})
    note(places.open_live(), "first")
    assert live_note(places) == "first"
    assert names(places) == ["ledger.views.1.db", "ledger.views.db"]
    assert places.live.readlink() == Path("ledger.views.1.db")
    assert places.previous() is None


def test_the_live_one_and_the_one_before_are_kept(places: Places) -> None:
    note(places.open_live(), "1")
    for number in range(2, 12):
        path = built(places, str(number))
        assert path.name == f"ledger.views.{number}.db"
        assert live_note(places) == str(number)
        assert places.previous() == path.with_name(f"ledger.views.{number - 1}.db")
        assert names(places) == sorted([f"ledger.views.{number - 1}.db", path.name, "ledger.views.db"])


def test_back_and_forth_and_on(places: Places) -> None:
    note(places.open_live(), "1")
    built(places, "2")
    for expected in ("1", "2", "1"):
        previous = places.previous()
        assert previous
        places.switch(previous)
        assert live_note(places) == expected
    built(places, "3")
    assert [path.name for path in places.generations().values()].count("ledger.views.2.db") == 0
    previous = places.previous()
    assert previous
    assert previous.name == "ledger.views.1.db"


@pytest.mark.parametrize(
    ("live", "others", "previous"),
    [
        (2, [1], 1),
        (2, [1, 3], 1),  # 3 was killed before its switch
        (3, [1, 2], 2),  # 3 was killed after its switch
        (1, [2], 2),  # gone back
        (1, [2, 3], 2),  # gone back, then 3 was killed before its switch
        (12, [9], 9),
        (None, [3, 4], 4),
    ],
)
def test_the_one_before_whatever_was_killed(places: Places, live: int | None, others: list[int], previous: int) -> None:
    for number in [live, *others]:
        if number is not None:
            note(open_views(places.live.with_name(f"ledger.views.{number}.db")), str(number))
    if live is not None:
        places.live.symlink_to(f"ledger.views.{live}.db")
    found = places.previous()
    assert found
    assert found.name == f"ledger.views.{previous}.db"
    if live is not None:
        with places.rebuilding():
            assert places.generations().keys() == {live, previous}
        assert live_note(places) == str(live)


def test_a_reader_sees_the_old_or_the_new(places: Places) -> None:
    note(places.open_live(), "old")
    with closing(places.open_live()) as before:
        with before.reading():
            assert before.noted()["told"] == "old"
            built(places, "new")
            assert live_note(places) == "new"
            assert before.noted()["told"] == "old"
        assert before.noted()["told"] == "old"
        built(places, "newer")
        assert before.noted()["told"] == "old"  # its file is gone by name, not under its hands
    assert live_note(places) == "newer"


def test_there_is_a_live_one_at_every_moment(places: Places) -> None:
    """While it is switched back and forth, it can always be opened, and it is always one of the two."""
    note(places.open_live(), "a")
    built(places, "b")
    stop = threading.Event()
    trouble: list[BaseException] = []

    def switches() -> None:
        try:
            while not stop.is_set():
                previous = places.previous()
                assert previous
                places.switch(previous)
        except BaseException as error:
            trouble.append(error)

    switching = threading.Thread(target=switches)
    switching.start()
    seen = set()
    for _ in range(300):
        assert places.live.exists()
        seen.add(live_note(places))
    stop.set()
    switching.join()
    assert (trouble, seen) == ([], {"a", "b"})
    assert names(places) == ["ledger.views.1.db", "ledger.views.2.db", "ledger.views.db"]


def test_many_that_find_no_live_one_make_one(tmp_path: Path) -> None:
    for round in range(10):
        places = Places(tmp_path / str(round) / "ledger.views.db")
        places.live.parent.mkdir()
        gate = threading.Barrier(5)
        trouble: list[BaseException] = []
        thread = [threading.Thread(target=opens(places, gate, trouble)) for _ in range(5)]
        for each in thread:
            each.start()
        for each in thread:
            each.join()
        assert trouble == []
        made = [name for name in names(places) if name.endswith(".db")]  # of two that close at once neither clears up
        assert made == ["ledger.views.1.db", "ledger.views.db"]


def opens(places: Places, gate: threading.Barrier, trouble: list[BaseException]) -> Callable[[], None]:
    def one() -> None:
        gate.wait()
        try:
            places.open_live().close()
        except BaseException as error:
            trouble.append(error)

    return one


def test_one_rebuild_at_a_time(places: Places) -> None:
    with places.rebuilding() as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        for kind in (ViewsError, StoreError):
            with pytest.raises(kind, match="another rebuild of this read model is running"), places.rebuilding():
                pass
        assert folder.is_dir()
    assert not folder.exists()
    with places.rebuilding():
        pass
    assert places.lock.stat().st_mode & 0o777 == 0o600


def test_a_folder_is_gone_also_after_a_failure(places: Places) -> None:
    with suppress(ZeroDivisionError), places.rebuilding() as folder:
        (folder / "built.db").touch()
        1 / 0
    assert names(places) == []


def test_only_its_own_leavings_are_cleared(tmp_path: Path) -> None:
    places = Places(tmp_path / "ledger[1].views.db")
    note(places.open_live(), "1")
    for name in ("ledger[1].views.building-x", "ledger1.views.building-x", "ledger[1].views.building"):
        (tmp_path / name).mkdir()
    (tmp_path / "ledger[1].views.7.db.bak").touch()
    (tmp_path / "ledger1.views.9.db").touch()
    built(places, "2")
    kept = ["ledger1.views.9.db", "ledger1.views.building-x"]
    kept += [f"ledger[1].views.{rest}" for rest in ("1.db", "2.db", "7.db.bak", "building", "db")]
    assert names(places) == sorted(kept)


def test_a_plain_file_gives_way_to_a_link(places: Places) -> None:
    """As read models were before there were rebuilds; one that is in use stays whole for its user."""
    note(open_views(places.live), "plain")
    with closing(places.open_live()) as before:
        assert before.noted()["told"] == "plain"
        built(places, "new")
        assert before.noted()["told"] == "plain"
    assert live_note(places) == "new"
    assert names(places) == ["ledger.views.1.db", "ledger.views.db"]


def test_a_link_whose_file_is_gone(places: Places) -> None:
    note(places.open_live(), "1")
    (places.live.parent / "ledger.views.1.db").unlink()
    assert places.current() is None
    with closing(places.open_live()) as views:
        assert views.noted() == {}
    assert names(places) == ["ledger.views.1.db", "ledger.views.db"]


def test_the_log_of_a_deleted_one_is_not_taken_for_a_new_ones(places: Places) -> None:
    with closing(places.open_live()) as views, views.writing():
        views.note(told="in the log")
    views = places.open_live()
    with views.writing():
        views.note(told="still in the log")
    log = places.live.parent / "ledger.views.1.db-wal"
    content = log.read_bytes()
    views.close()
    for path in places.live.parent.glob("ledger.views.*"):
        path.unlink()
    log.write_bytes(content)
    path = built(places, "new")
    assert path.name == "ledger.views.1.db"
    assert live_note(places) == "new"


def test_the_ledger_may_be_named_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    os.symlink("real", tmp_path / "link")
    one, other = Places(tmp_path / "real" / "l.views.db"), Places(tmp_path / "link" / "l.views.db")
    assert (one.live, one.lock) == (other.live, other.lock)
    note(one.open_live(), "1")
    assert live_note(other) == "1"


def test_a_switch_that_fails_changes_nothing(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    note(places.open_live(), "1")

    def full(*args: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(module.os, "replace", full)
        with pytest.raises(OSError, match="disk full"):
            built(places, "2")
    assert live_note(places) == "1"
    assert names(places) == ["ledger.views.1.db", "ledger.views.db"]
