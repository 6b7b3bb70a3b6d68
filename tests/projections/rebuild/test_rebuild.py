"""A rebuild comes to the rows that catching up came to, byte for byte, and takes their place in one step."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import load_book
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.events import DayServed, EpisodeOpened, Event, TherapyOrdered
from ledger.facts.upcasts import SCHEMA
from ledger.recorders import StoreError
from ledger.store import open_ledger as opened_mapped
from projections.read_model import rows_file
from projections.read_model.catch_up import catch_up
from projections.read_model.generations import Places
from projections.read_model.views import open_views
from projections.rebuild import build as building
from projections.rebuild import rebuild as rebuilding
from projections.rebuild.rebuild import certificates
from projections.rebuild.work import MEMORY_MB, mapped_mb
from tests import ROOT
from tests.command_line import BOOK, INTAKE, LIVE, House, assert_plain, example, told
from tests.harness import book_of
from tests.read_models import (
    Site,
    crowd,
    mixed,
    reading_at_once,
    tables,
    whole,
)
from tests.stores import examples, named, open_ledger
from tests.tiers import many

# The same rows


@settings(max_examples=examples(many(12, 100)), deadline=None)
@given(seed=st.integers(0, 2**32), ahead=st.sampled_from([0, 1, 7, 40, 100_000]), cuts=st.lists(st.floats(0, 1)))
def test_a_rebuild_equals_many_catch_ups(seed: int, ahead: int, cuts: list[float]) -> None:
    """Also with openings corrected to another patient and several episodes a patient, and little memory."""
    rng = Random(seed)
    histories, tables_of_book = crowd(rng, rng.randint(1, 4))
    entries = mixed(rng, histories)
    ends = sorted({int(cut * len(entries)) for cut in cuts} | {len(entries)})
    with TemporaryDirectory() as name:
        site = Site(Path(name), [], book_of(tables_of_book))
        for start, end in zip([0, *ends], ends, strict=False):
            site.tell(*entries[start:end])
            before = site.catch_up()
        with reading_at_once(ahead):
            made = site.rebuild()
        assert (made.outcome, made.switched, made.changed_rows, made.rows_file) == ("equal", True, {}, None)
        assert made.fingerprints_before == made.fingerprints_after
        assert site.rows() == before
        assert (made.fingerprints_after, before) == whole(site.path, site.book)


@settings(max_examples=examples(many(8, 80)), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_the_order_of_arrival_does_not_matter(seed: int) -> None:
    rng = Random(seed)
    histories, tables_of_book = crowd(rng, 3)
    found = []
    for _ in range(2):
        with TemporaryDirectory() as name:
            site = Site(Path(name), mixed(rng, histories), book_of(tables_of_book))
            made = site.rebuild()
            assert made.outcome == "first"
            found.append((made.fingerprints_after, site.rows()))
    assert found[0] == found[1]


@pytest.mark.parametrize("processes", [2, 3])
@pytest.mark.parametrize("ahead", [1, 100_000])
def test_several_processes_come_to_the_same(tmp_path: Path, processes: int, ahead: int) -> None:
    rng = Random(processes + ahead)
    histories, tables_of_book = crowd(rng, 7)
    site = Site(tmp_path, mixed(rng, histories), book_of(tables_of_book))
    before = site.catch_up()
    with reading_at_once(ahead):
        made = site.rebuild(processes=processes)
    assert (made.outcome, made.switched) == ("equal", True)
    assert site.rows() == before
    assert site.names() == ["ledger.views.1.db", "ledger.views.2.db", "ledger.views.db"]


def test_more_processes_than_patients(site: Site) -> None:
    before = site.rows()
    assert site.rebuild(processes=4).outcome == "equal"
    assert site.rows() == before


def test_an_empty_ledger_is_rebuilt(tmp_path: Path) -> None:
    site = Site(tmp_path, [], load_book(BOOK))
    assert (site.rebuild().outcome, site.rebuild().outcome) == ("first", "equal")
    assert site.rebuild(processes=2).outcome == "equal"


@pytest.mark.sqlite_file
def test_another_process_with_another_hash_seed_comes_to_the_same(tmp_path: Path) -> None:
    rng = Random(5)
    histories, _ = crowd(rng, 4)
    site = Site(tmp_path, mixed(rng, histories), load_book(BOOK))
    expected = site.rebuild(load_book(None)).fingerprints_after
    for seed, processes in (("0", "1"), ("1", "2"), ("77", "1")):
        said = [
            *LIVE,
            "--example-book",
            "--ledger",
            named(site.path),
            "--views",
            str(site.path.parent),
            "rebuild",
            "--processes",
            processes,
        ]
        ended = subprocess.run(said, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed}, check=True)
        made = json.loads(ended.stdout)
        assert (made["outcome"], made["fingerprints_after"]) == ("equal", expected)


def test_fingerprints_say_what_is_there(site: Site) -> None:
    with closing(open_views(site.places.live)) as views:
        before = views.fingerprints()
        assert len(set(before.values())) == 3
        with views.writing():
            views.forget(["P-2", "P-9"])
        without = views.fingerprints()
        assert without["days"] != before["days"]
        with open_ledger(site.path, create=False) as ledger, views.writing():
            views.note(position="0", last="")
            views.forget(["P-1", "P-3"])
        assert set(views.fingerprints().values()) == {"0" * 64}
        with open_ledger(site.path, create=False) as ledger:
            catch_up(ledger, views, site.book)
        assert views.fingerprints() == before


def test_more_is_recorded_while_it_builds(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no difference, and they are in the read model that is switched to."""
    build = rebuilding.build

    def busy(*args: Any) -> Any:
        done = build(*args)
        site.tell(*[entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in example("EP-9", "P-9")])
        return done

    monkeypatch.setattr(rebuilding, "build", busy)
    made = site.rebuild()
    assert (made.outcome, made.position, made.switched) == ("equal", 33, True)
    with closing(open_views(site.places.live)) as views:
        assert views.noted()["position"] == "44"
        assert (views.fingerprints(), tables(views)) == whole(site.path, site.book)


def test_a_read_model_that_lags_is_compared_where_it_stands(site: Site) -> None:
    site.tell(*[entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in example("EP-9", "P-1")])
    made = site.rebuild()
    assert (made.outcome, made.position, made.changed_rows) == ("equal", 33, {})
    assert site.rows() == whole(site.path, site.book)[1]


# Switching


def test_of_the_read_models_the_live_and_the_one_before_are_kept(site: Site) -> None:
    assert site.names() == ["ledger.views.1.db", "ledger.views.db"]
    for number in (2, 3, 4):
        site.rebuild()
        assert site.names() == [f"ledger.views.{number - 1}.db", f"ledger.views.{number}.db", "ledger.views.db"]
        assert site.places.live.readlink() == Path(f"ledger.views.{number}.db")
    assert {path.stat().st_mode & 0o777 for path in site.path.parent.glob("ledger*.db*")} == {0o600}


@pytest.mark.sqlite_file
def test_back_and_forth(house: House) -> None:
    terms = house.book / "payers" / "prairie.toml"
    terms.write_text(terms.read_text(encoding="utf-8").replace("S9325 = 9000 }", "S9325 = 9100 }"), encoding="utf-8")
    assert house.run("rebuild").rows[0]["outcome"] == "explained"
    assert house.views.readlink() == Path("ledger.views.2.db")
    ended = house.run("rebuild", "--back")
    assert (ended.status, ended.out) == (0, b"")
    assert "live again" in ended.err
    assert house.views.readlink() == Path("ledger.views.1.db")
    ended = house.run("lines")
    assert ended.err == "The read model is built anew: it was made with another book.\n"
    assert {row["rate_cents"] for row in ended.rows} == {9100}
    assert house.run("rebuild", "--back").status == 0
    assert house.views.readlink() == Path("ledger.views.2.db")
    house.tell(told("late", {"type": "DayServed", "order": "RX-1", "date": "2026-02-09"}))
    assert len(house.run("days").rows) == 14


def test_there_is_nothing_to_go_back_to(house: House) -> None:
    assert_plain(house.run("rebuild", "--back"), 2, "no read model from before")
    house.run("rebuild", "--check")
    assert_plain(house.run("rebuild", "--back"), 2, "no read model from before")


@pytest.mark.sqlite_file
def test_check_compares_only(house: House) -> None:
    before = sorted(path.name for path in house.folder.iterdir())
    ended = house.run("rebuild", "--check")
    assert (ended.status, ended.rows[0]["outcome"], ended.rows[0]["switched"]) == (0, "equal", False)
    after = sorted(path.name for path in house.folder.iterdir())
    assert after == sorted([*before, "ledger.views.certificates", "ledger.views.lock"])
    assert house.views.readlink() == Path("ledger.views.1.db")


def test_a_second_rebuild_at_once_is_refused(house: House) -> None:
    with Places(house.views).rebuilding() as folder:
        for command in (["rebuild"], ["rebuild", "--check"]):
            assert_plain(house.run(*command), 3, "another rebuild", "nothing was half done")
        assert folder.is_dir()
        assert len(house.run("days").rows) == 9
    assert house.run("rebuild").status == 0
    assert not folder.exists()


def test_what_a_killed_rebuild_left_behind_is_cleared(site: Site) -> None:
    before = site.rows()
    site.rebuild()
    left = site.path.with_name("ledger.views.building-abc")
    left.mkdir()
    (left / "built.db").write_bytes(b"half")
    shutil.copy(site.path.with_name("ledger.views.2.db"), site.path.with_name("ledger.views.3.db"))
    assert site.places.previous() == site.path.with_name("ledger.views.1.db")
    site.rebuild()
    assert site.names() == ["ledger.views.2.db", "ledger.views.3.db", "ledger.views.db"]
    assert site.rows() == before


@pytest.mark.parametrize("place", ["build", "Comparison", "catch_up", "_settle"])
def test_a_failure_on_the_way_leaves_the_live_one_alone(
    site: Site, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    def fails(*args: Any, **more: Any) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    before, names = site.rows(), site.names()
    with monkeypatch.context() as patched:
        patched.setattr(rebuilding, place, fails)
        with pytest.raises(sqlite3.OperationalError):
            site.rebuild()
    assert (site.rows(), site.names(), certificates(site.places)) == (before, names, [])
    assert site.rebuild().outcome == "equal"


def test_a_process_of_it_that_dies_ends_it_plainly(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "_help", Dying())
    with pytest.raises(StoreError, match="ended from outside"):
        site.rebuild(processes=3)
    assert site.names() == ["ledger.views.1.db", "ledger.views.db"]


class Dying:
    """What the other process is to do; it dies on being told."""

    def __reduce__(self) -> Any:
        return os._exit, (9,)


@pytest.mark.sqlite_file
def test_processes_of_it_end_with_it(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry that cannot be read in one part does not wait for the others."""
    monkeypatch.setattr(building, "_help", Sleeping())
    site.plant("UPDATE entries SET topic = 'x' WHERE position = 1")
    started = time.monotonic()
    with pytest.raises(UnreadableEntry, match="position 1"):
        site.rebuild(processes=3)
    assert time.monotonic() - started < 30


class Sleeping:
    """What the other process is to do: nothing, for long."""

    def __reduce__(self) -> Any:
        return time.sleep, (60,)


@pytest.mark.sqlite_file
def test_a_first_rebuild_has_nothing_to_compare_with(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run("record", INTAKE)
    ended = house.run("rebuild", tty=True)
    assert ended.status == 0
    assert "There was no read model to compare with." in ended.out.decode()
    assert sorted(path.name for path in tmp_path.glob("ledger.views.*")) == [
        "ledger.views.1.db", "ledger.views.certificates", "ledger.views.db", "ledger.views.lock",
    ]  # fmt: skip
    assert (len(house.run("days").rows), house.run("days").err) == (3, "")


@pytest.mark.sqlite_file
def test_a_plain_file_of_an_older_release_is_carried_on(house: House) -> None:
    """Before there were rebuilds the read model was a plain file, without digests."""
    old = house.views.resolve()
    house.views.unlink()
    with closing(sqlite3.connect(old, isolation_level=None)) as connection:
        connection.execute("DROP TABLE digests")
        connection.execute("DROP TABLE set_aside")
        connection.execute("UPDATE model SET value = '0.0.9/1' WHERE key = 'code'")
        connection.execute("DELETE FROM model WHERE key IN ('shape', 'book_text') OR key LIKE 'fingerprint%'")
    old.rename(house.views)
    at = house.run("days", "--known-at", "2027-01-01T00:00Z")
    assert (at.status, at.err) == (0, "")
    copy = house.folder / "old.db"
    shutil.copy(house.views, copy)
    assert house.run("rebuild").rows[0]["outcome"] == "first"
    assert house.views.readlink() == Path("ledger.views.1.db")
    assert len(house.run("days").rows) == 9
    house.views.unlink()
    copy.rename(house.views)
    ended = house.run("days")
    assert (ended.status, len(ended.rows)) == (0, 9)
    assert "it was made by version 0.0.9/1" in ended.err


@pytest.mark.parametrize("notes", ["position = 'x'", "position = NULL", "position = '9' || position || '000000000000'"])
def test_a_read_model_whose_notes_are_damaged_is_built_anew(house: House, notes: str) -> None:
    value = notes.split(" = ")[1].replace("position", "value")
    for command in ("days", "rebuild", "status"):
        with closing(sqlite3.connect(house.views, isolation_level=None)) as connection:
            connection.execute(f"UPDATE model SET value = {value} WHERE key = 'position'")
        assert house.run(command).status == 0
        assert len(house.run("days").rows) == 9


@pytest.mark.sqlite_file
def test_a_ledger_put_back_from_a_copy(site: Site) -> None:
    copy = site.path.with_name("copy.db")
    shutil.copy(site.path, copy)
    before = site.rows()
    site.tell(*[entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in example("EP-9", "P-9")])
    site.catch_up()
    for path in site.path.parent.glob("ledger.db*"):
        path.unlink()
    copy.rename(site.path)
    made = site.rebuild()
    assert (made.outcome, made.position, made.switched) == ("first", 33, True)
    assert site.rows() == before


@pytest.mark.sqlite_file
def test_certificates_are_kept_and_listed(house: House) -> None:
    for _ in range(2):
        assert house.run("rebuild").status == 0
    kept = sorted((house.folder / "ledger.views.certificates").iterdir())
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    (house.folder / "ledger.views.certificates" / "notes.json").write_text("not one of ours")
    shown = house.run("status").rows[0]["rebuilds"]
    assert [(made["outcome"], made["switched"], made["position"], made["changed_rows"]) for made in shown] == [
        ("equal", True, 33, 0)
    ] * 2
    assert "rebuilds" in house.run("status", "--technical", "--format", "table").out.decode()


def test_certificates_of_one_moment_are_all_kept(site: Site) -> None:
    assert [site.rebuild().outcome for _ in range(3)] == ["equal"] * 3
    assert len(certificates(site.places)) == 3


# How it is done


def test_rows_are_written_in_small_groups(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.rows()
    monkeypatch.setattr(rows_file, "ROWS_AT_ONCE", 0)
    assert site.rebuild().outcome == "equal"
    assert site.rows() == before


def test_what_is_mapped_of_the_ledger_is_the_memory_beyond_need() -> None:
    assert mapped_mb(128, 1) == mapped_mb(MEMORY_MB, 2) == 0
    assert mapped_mb(MEMORY_MB + 1_000, 2) == 500


@pytest.mark.sqlite_file
def test_with_more_memory_the_ledger_is_mapped_and_the_rows_are_the_same(site: Site) -> None:
    before = site.rows()
    with open_ledger(site.path, create=False) as plain:
        assert plain._entries._rows("PRAGMA mmap_size", ())[0][0] == 0
    with opened_mapped(str(site.path), create=False, mapped_mb=3) as mapped:
        assert mapped._entries._rows("PRAGMA mmap_size", ())[0][0] == 3 * 2**20
    assert site.rebuild(memory_mb=2 * MEMORY_MB).outcome == "equal"
    assert site.rows() == before


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="how much memory it took is read from /proc")
def test_memory_is_bounded_where_every_patient_goes_on_to_the_end(tmp_path: Path) -> None:
    """Every episode has its first entry at the beginning and its last at the end: all of them are under way at once."""
    episodes, versions = 250, 480
    path = tmp_path / "ledger.db"
    at = datetime(2026, 1, 1, tzinfo=UTC)
    with open_ledger(path, create=True) as ledger:
        for version in range(1, versions + 1):
            fact = _fact_of(version)
            entries = [
                Entry(f"EP-{n}", version, "pump", str(version), "pump" * 75, at, f"{version:032x}", fact(n), SCHEMA)
                for n in range(episodes)
            ]
            ledger.append(entries, [(f"P-{n}", f"EP-{n}") for n in range(episodes)] if version == 1 else [])
    code = (
        "import sys; from commands.cli import run; ended = run(sys.argv[1:]);"
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))); sys.exit(ended)"
    )
    said = ["--ledger", named(path), "--views", str(path.parent), "rebuild", "--processes", "1", "--memory", "128"]
    ended = subprocess.run([sys.executable, "-c", code, *said], capture_output=True, check=True)
    made, peak = ended.stdout.split(b"\n")[:2]
    assert json.loads(made)["patients"] == episodes
    assert int(peak.split()[1]) < 128 * 1024  # without a bound it takes 145 MB
    days = subprocess.run(
        [*LIVE, "--ledger", named(path), "--views", str(path.parent), "status"], capture_output=True, check=True
    )
    assert json.loads(days.stdout)["days"] == episodes * (versions - 2)


def _fact_of(version: int) -> Callable[[int], Event]:
    day = date(2025, 1, 1) + timedelta(days=version - 3)
    if version == 1:
        return lambda n: EpisodeOpened(patient=f"P-{n}", provider="1234567893", zone="America/Chicago")
    if version == 2:
        return lambda n: TherapyOrdered(
            order="RX-1", mode="continuous", prescriber="1245319599", from_=date(2025, 1, 1), interval_hours=24
        )
    return lambda n: DayServed(order="RX-1", date=day)


def test_a_patient_without_any_row_has_a_digest(tmp_path: Path) -> None:
    opening = example()[:1]
    site = Site(tmp_path, [entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in opening], load_book(BOOK))
    assert not any(site.catch_up().values())
    made = site.rebuild()
    assert (made.outcome, made.changed_patients, made.patients) == ("equal", 0, 1)
    assert made.fingerprints_after["days"] != "0" * 64


# Killed, and while others are at work


def kill_rebuild(*args: object) -> dict[str, int]:
    script = ROOT / "scripts" / "kill_rebuild"
    ended = subprocess.run([sys.executable, script, *map(str, args)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    found: dict[str, int] = json.loads(ended.stdout)
    return found


@pytest.mark.sqlite_file  # the script copies its ledger
def test_killed_at_any_moment() -> None:
    found = kill_rebuild("--kills", 4, "--episodes", 30, "--processes", 2)
    assert found["kills"] == 4
    assert found["hung"] == found["differences"] == found["leavings"] == found["orphans"] == 0


@pytest.mark.sqlite_file  # the same script
def test_writers_and_readers_go_on() -> None:
    found = kill_rebuild("--kills", 0, "--busy", 2, "--episodes", 30)
    assert found["errors"] == found["wrong_answers"] == 0
    assert found["answers"] > 3
    assert found["switches"] > 1
