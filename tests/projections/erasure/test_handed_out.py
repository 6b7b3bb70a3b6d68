"""Files of an encrypted ledger's data are listed before they are there, and taken back only as they were written."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from ledger.proof.signing import create_key
from projections.erasure import handed_out
from projections.erasure import recall as taking_back
from projections.erasure.handed_out import HandedOut
from projections.export.shapes import DATASETS
from projections.read_model.generations import Places
from tests.command_line import House, assert_plain, example, told
from tests.encrypted_house import Locked, two_locked
from tests.exports import export, manifest_of, rows_in
from tests.projections.export.starter import DIE_AT, starter
from tests.tiers import in_proportion

pytestmark = pytest.mark.sqlite_file

AT = "2026-11-23T00:00:00Z"
NOBODYS = ["providers", "rates"]
"""What the book alone says."""
NOTED = sorted(DATASETS.keys() - NOBODYS)


@pytest.fixture
def house(tmp_path: Path) -> Locked:
    """Two patients with an episode each, encrypted."""
    return two_locked(tmp_path)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for what is written for others."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def places_of(house: House) -> Places:
    return Places(house.views)


def listed(house: House) -> list[HandedOut]:
    return handed_out.handed_out(places_of(house))


def list_of(house: House) -> Path:
    return house.folder / "ledger.views.given.jsonl"


def take(house: House, *episodes: str) -> list[tuple[str, Path]]:
    """What becomes of the files that may hold these episodes."""
    found = handed_out.take_back(places_of(house), episodes)
    return [(outcome.became, outcome.path) for outcome in found]


def page(house: House, out: Path, episode: str = "EP-1") -> Path:
    assert house.run("page", episode, "--out", out, "--force").status == 0
    return out


def report(house: House, out: Path) -> Path:
    assert house.run("report", "--out", out, "--force").status == 0
    return out


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def more(house: House, id: str = "more") -> None:
    """One more entry, so that the next export is another."""
    assert house.tell(told(id, {"type": "NursingVisited", "date": "2026-02-03"}, episode="EP-2")).status == 0


def below(folder: Path) -> list[str]:
    """Everything in a folder but the locks of exports, which are empty and stay."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return sorted(name for name in found if not name.endswith(".lock"))


def files_in(folder: Path) -> list[str]:
    """Files, and links to whatever, but for locks."""
    return [name for name in below(folder) if (folder / name).is_symlink() or not (folder / name).is_dir()]


class TestWhatIsListed:
    def test_a_page_with_its_episode_and_its_hash(self, house: Locked, out: Path) -> None:
        made = page(house, out / "one.html")
        assert [(each.command, each.path, each.sha256, each.episodes) for each in listed(house)] == [
            ("page", str(made), digest(made), ("EP-1",))
        ]
        assert listed(house)[0].at.endswith("Z")
        assert stat.S_IMODE(list_of(house).stat().st_mode) == 0o600

    def test_a_report_may_hold_anybody(self, house: Locked, out: Path) -> None:
        made = report(house, out / "monday.html")
        assert [(each.command, each.sha256, each.episodes) for each in listed(house)] == [
            ("report", digest(made), None)
        ]

    def test_a_bundle_with_its_episodes(self, house: Locked, out: Path, tmp_path: Path) -> None:
        create_key(tmp_path / "keys" / "signing.key", "house.example/l")
        command = ("bundle", "EP-1", "EP-2", "--key", tmp_path / "keys" / "signing.key", "--out", out / "two.zip")
        assert house.run(*command).status == 0
        assert [(each.command, each.sha256, each.episodes) for each in listed(house)] == [
            ("bundle", digest(out / "two.zip"), ("EP-1", "EP-2"))
        ]

    @pytest.mark.parametrize("dataset", NOTED)
    def test_every_export_of_somebody_before_and_with_its_manifest(
        self, house: Locked, out: Path, dataset: str
    ) -> None:
        place = export(house, dataset, "csv", out, *(["--since", "0"] if dataset == "changes" else []))
        assert [(each.command, each.path, each.sha256, each.episodes) for each in listed(house)] == [
            (f"export {dataset}", str(place), None, None),
            (f"export {dataset}", str(place), digest(place / "manifest.json"), None),
        ]

    def test_events_and_what_is_deidentified(self, house: Locked, out: Path, tmp_path: Path) -> None:
        export(house, "events", "cloudevents", out)
        export(house, "days", "csv", out, "--deidentified", "--key", tmp_path / "keys" / "pseudonyms.key")
        assert [each.command for each in listed(house)] == ["export events"] * 2 + ["export days"] * 2

    @pytest.mark.parametrize("dataset", NOBODYS)
    def test_what_the_book_alone_says_is_nobodys(self, house: Locked, out: Path, dataset: str) -> None:
        export(house, dataset, "csv", out)
        assert listed(house) == []

    @pytest.mark.parametrize("keyless", [True, False])
    def test_a_backup_also_where_the_key_is_not_named(self, house: Locked, out: Path, keyless: bool) -> None:
        assert house.run("backup", "--out", out / "one.backup", env={} if keyless else house.env).status == 0
        assert [(each.command, each.path, each.sha256, each.episodes) for each in listed(house)] == [
            ("backup", str(out / "one.backup"), None, None),
            ("backup", str(out / "one.backup"), digest(out / "one.backup"), None),
        ]

    def test_a_copy_restored_beside_the_ledger(self, house: Locked, out: Path) -> None:
        house.run("backup", "--out", out / "one.backup")
        assert house.run("restore", out / "one.backup", "--out", out / "again.db").status == 0
        assert [(each.command, each.path, each.sha256) for each in listed(house)[2:]] == [
            ("restore", str(out / "again.db"), None)
        ]

    def test_what_is_printed_is_not(self, house: Locked) -> None:
        for command in (("page", "EP-1"), ("report", "--format", "html"), ("report",), ("days",)):
            assert house.run(*command).status == 0
        assert not list(house.folder.glob("*.given.*"))

    def test_nothing_of_a_plain_ledger(self, tmp_path: Path, out: Path) -> None:
        house = House(tmp_path)
        assert house.tell(*example()).status == 0
        page(house, out / "one.html")
        report(house, out / "monday.html")
        export(house, "days", "csv", out)
        assert house.run("backup", "--out", out / "one.backup").status == 0
        assert house.run("restore", out / "one.backup", "--out", out / "again.db").status == 0
        assert not list(tmp_path.glob("*.given.*"))

    def test_no_patient(self, house: Locked, out: Path) -> None:
        page(house, out / "one.html")
        report(house, out / "monday.html")
        export(house, "days", "csv", out)
        assert b"P-1" not in list_of(house).read_bytes().replace(b"EP-1", b"")

    def test_where_a_file_really_is(
        self, house: Locked, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "way").symlink_to(out)
        page(house, tmp_path / "way" / "one.html")
        monkeypatch.chdir(out)
        page(house, Path("two.html"))
        assert [each.path for each in listed(house)] == [str(out / "one.html"), str(out / "two.html")]

    def test_a_file_is_not_written_where_it_cannot_be_listed(self, house: Locked, out: Path) -> None:
        list_of(house).mkdir()
        assert_plain(house.run("page", "EP-1", "--out", out / "one.html"), 2)
        assert house.run("export", "days", "--format", "csv", "--out", out).status == 2
        assert house.run("backup", "--out", out / "one.backup").status == 2
        assert below(out) == []

    def test_a_refused_command_lists_nothing(self, house: Locked, out: Path) -> None:
        (out / "days").write_text("mine")
        (out / "one.backup").write_text("mine")
        for command in (
            ("export", "days", "--format", "csv", "--out", out),
            ("backup", "--out", out / "one.backup"),
            ("backup", "--out", house.ledger),
            ("restore", out / "one.backup", "--out", house.ledger),
            ("page", "EP-9", "--out", out / "nine.html"),
        ):
            assert house.run(*command).status == 2
        assert listed(house) == []


class TestWhatIsTakenBack:
    def test_a_page_of_the_episode_and_no_other(self, house: Locked, out: Path) -> None:
        one, two = page(house, out / "one.html"), page(house, out / "two.html", "EP-2")
        assert take(house, "EP-1") == [("removed", one)]
        assert below(out) == ["two.html"]
        assert [each.path for each in listed(house)] == [str(two)]
        assert stat.S_IMODE(list_of(house).stat().st_mode) == 0o600
        assert take(house, "EP-1") == []

    def test_whatever_may_hold_anybody(self, house: Locked, out: Path) -> None:
        made, place = report(house, out / "monday.html"), export(house, "days", "parquet", out)
        assert take(house, "EP-1") == [("removed", made), ("removed", place)]
        assert (below(out), listed(house)) == ([], [])

    @pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
    def test_an_export_with_the_one_before_and_its_link(self, house: Locked, out: Path, form: str) -> None:
        export(house, "days", form, out)
        more(house)
        place = export(house, "days", form, out)
        assert [name for name in below(out) if "/" not in name] == [".days.1", ".days.2", "days"]
        assert take(house, "EP-1") == [("removed", place)]
        assert below(out) == []
        assert rows_in(export(house, "days", form, out))

    def test_one_that_is_gone_is_struck(self, house: Locked, out: Path) -> None:
        one, place = page(house, out / "one.html"), export(house, "days", "csv", out)
        one.unlink()
        shutil.rmtree(out)
        assert take(house, "EP-1") == [("gone", one), ("gone", place)]
        assert listed(house) == []

    def test_one_that_was_written_over_by_another_of_ours(self, house: Locked, out: Path) -> None:
        one = page(house, out / "one.html")
        page(house, one, "EP-2")
        assert take(house, "EP-1") == [("gone", one)]
        assert b"EP-2" in one.read_bytes()
        assert take(house, "EP-2") == [("removed", one)]

    def test_a_file_that_was_changed_is_left_and_stays_listed(self, house: Locked, out: Path) -> None:
        one = page(house, out / "one.html")
        one.write_bytes(one.read_bytes() + b"a note")
        before = listed(house)
        assert take(house, "EP-1") == [("changed", one)] == take(house, "EP-1")
        assert one.read_bytes().endswith(b"a note")
        assert listed(house) == before

    def test_a_file_that_cannot_be_removed_is_told(
        self, house: Locked, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        one = page(house, out / "one.html")

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "no")

        with monkeypatch.context() as patched:
            patched.setattr(Path, "unlink", refuse)
            outcomes = taking_back.take_file(one, {digest(one)}, {digest(one)})
        assert outcomes == [("changed", one)]
        assert one.exists()

    def test_backups_are_told_and_stay(self, house: Locked, out: Path) -> None:
        one, two = out / "one.backup", out / "two.backup"
        for each in (one, two):
            assert house.run("backup", "--out", each).status == 0
        two.unlink()
        unfinished = out / ".one.backup.unfinished-a1b2c3d4"
        unfinished.mkdir()
        (unfinished / "restored").write_bytes(b"keys")
        before = listed(house)
        assert take(house, "EP-1") == [("backup", one), ("backup", unfinished), ("gone", two)] == take(house, "EP-2")
        assert (unfinished / "restored").exists()
        assert house.run("restore", "--check", one).status == 0
        assert not unfinished.exists(), "the next one sweeps it"
        assert listed(house) == before

    def test_a_restored_copy_is_left_to_a_human(self, house: Locked, out: Path) -> None:
        house.run("backup", "--out", out / "one.backup")
        house.run("restore", out / "one.backup", "--out", out / "again.db")
        assert take(house, "EP-1") == [("backup", out / "one.backup"), ("changed", out / "again.db")]
        assert (out / "again.db").exists()

    def test_nothing_that_was_not_listed(self, house: Locked, out: Path) -> None:
        one, place = page(house, out / "one.html"), export(house, "days", "csv", out)
        shutil.copy(one, out / "copy.html")
        shutil.copytree(place, out / "copy")
        (out / ".one.html.part").write_text("mine")
        (out / ".one.html.12x.part").write_text("mine")
        copied = len(list((out / "copy").rglob("*")))
        take(house, "EP-1")
        assert len(below(out)) == copied + 4
        assert below(out)[:2] == [".one.html.12x.part", ".one.html.part"]

    def test_it_waits_for_whoever_is_writing(self, house: Locked, out: Path) -> None:
        places, found = places_of(house), list[tuple[str, Path]]()
        with handed_out.giving(places), handed_out.giving(places):
            taker = threading.Thread(target=lambda: found.extend(take(house, "EP-1")))
            taker.start()
            taker.join(0.3)
            assert taker.is_alive()
            one = page(house, out / "one.html")
            assert found == []
        taker.join(10)
        assert found == [("removed", one)]


def _edit(place: Path) -> None:
    part = next(place.rglob("part-*"))
    part.write_bytes(part.read_bytes().replace(b"P-1", b"P-7"))


def _annotate(place: Path) -> None:
    (place / "notes.txt").write_text("mine")


def _lose(place: Path) -> None:
    next(place.rglob("part-*")).unlink()


def _other_manifest(place: Path) -> None:
    (place / "manifest.json").write_bytes((place / "manifest.json").read_bytes() + b"\n")


def _no_manifest(place: Path) -> None:
    (place / "manifest.json").unlink()


def _add_folder(place: Path) -> None:
    (place / "service_month=2031-01").mkdir()


def _link_inside(place: Path) -> None:
    part = next(place.rglob("part-*"))
    part.rename(place.parent / "elsewhere")
    part.symlink_to(place.parent / "elsewhere")


def _second_name(place: Path) -> None:
    os.link(next(place.rglob("part-*")), place.parent / "elsewhere")


MEDDLED: list[Callable[[Path], None]] = [
    _edit, _annotate, _lose, _other_manifest, _no_manifest, _add_folder, _link_inside, _second_name,
]  # fmt: skip


class TestExportsThatAreNotAsTheyWere:
    @pytest.mark.parametrize("meddle", MEDDLED)
    def test_it_is_left_whole_and_the_one_before_goes(
        self, house: Locked, out: Path, meddle: Callable[[Path], None]
    ) -> None:
        export(house, "days", "csv", out)
        more(house)
        place = export(house, "days", "csv", out)
        meddle(place)
        before = [name for name in below(out) if not name.startswith(".days.1")]
        outcomes = take(house, "EP-1")
        assert outcomes == [("removed", place), ("changed", place), ("changed", out / ".days.2")]
        assert below(out) == before
        assert listed(house) != []
        assert take(house, "EP-1") == outcomes[1:]

    def test_one_of_another_ledger_in_the_same_folder(self, house: Locked, out: Path, tmp_path: Path) -> None:
        export(house, "days", "csv", out)
        other = House(tmp_path)
        assert other.tell(*example("EP-7", "P-7")).status == 0
        place = export(other, "days", "csv", out)
        assert take(house, "EP-1") == [("removed", place), ("changed", place), ("changed", out / ".days.2")]
        assert {row["patient"] for row in rows_in(place)} == {"P-7"}

    def test_while_another_ledger_exports_into_it(self, house: Locked, out: Path) -> None:
        place = export(house, "days", "csv", out)
        with taking_back.Place(out, "days").publishing():
            assert take(house, "EP-1") == [("changed", place)]
        assert manifest_of(out / ".days.1")

    def test_an_unfinished_one_goes_unless_something_else_lies_in_it(self, house: Locked, out: Path) -> None:
        place = export(house, "days", "csv", out)
        for name in ("ours", "strange"):
            folder = out / f".days.building-{name}" / "service_month=2026-02"
            folder.mkdir(parents=True)
            (folder / "part-0.csv").write_text("half")
        (out / ".days.building-strange" / "letter.txt").write_text("mine")
        (out / ".days.building-link").symlink_to(house.folder)
        left = [out / ".days.building-link", out / ".days.building-strange"]
        assert take(house, "EP-1") == [("removed", place), *(("changed", each) for each in left)]
        assert (left[1] / "letter.txt").read_text() == "mine"
        assert house.ledger.exists()


class TestLinks:
    def test_a_file_that_a_link_stands_for(self, house: Locked, out: Path, tmp_path: Path) -> None:
        one = page(house, out / "one.html")
        moved = one.rename(tmp_path / "moved.html")
        one.symlink_to(moved)
        assert take(house, "EP-1") == [("changed", one)]
        assert moved.exists()

    def test_a_file_with_another_name(self, house: Locked, out: Path) -> None:
        one = page(house, out / "one.html")
        os.link(one, out / "two.html")
        assert take(house, "EP-1") == [("changed", one)]
        assert below(out) == ["one.html", "two.html"]

    def test_no_file_at_all(self, house: Locked, out: Path) -> None:
        one, two = page(house, out / "one.html"), page(house, out / "two.html")
        for each in (one, two):
            each.unlink()
        one.mkdir()
        os.mkfifo(two)
        assert take(house, "EP-1") == [("changed", one), ("changed", two)]

    def test_a_folder_that_became_a_link(self, house: Locked, out: Path, tmp_path: Path) -> None:
        one, place = page(house, out / "one.html"), export(house, "days", "csv", out)
        moved = out.rename(tmp_path / "moved")
        before = below(moved)
        out.symlink_to(moved)
        assert take(house, "EP-1") == [("changed", one), ("changed", place)]
        assert below(moved) == before

    def test_an_exports_link_that_leads_elsewhere(self, house: Locked, out: Path, tmp_path: Path) -> None:
        place = export(house, "days", "csv", out)
        shutil.copytree(place, tmp_path / "elsewhere")
        place.unlink()
        place.symlink_to(tmp_path / "elsewhere")
        assert take(house, "EP-1") == [("removed", place), ("changed", place)]
        assert manifest_of(tmp_path / "elsewhere")

    def test_an_exports_folder_that_became_a_link(self, house: Locked, out: Path, tmp_path: Path) -> None:
        place = export(house, "days", "csv", out)
        (out / ".days.1").rename(tmp_path / "elsewhere")
        (out / ".days.1").symlink_to(tmp_path / "elsewhere")
        assert take(house, "EP-1") == [("changed", place), ("changed", out / ".days.1")]
        assert manifest_of(tmp_path / "elsewhere")

    def test_a_list_or_lock_that_became_a_link_is_refused(self, house: Locked, out: Path, tmp_path: Path) -> None:
        for name in ("ledger.views.given.jsonl", "ledger.views.given.lock"):
            (house.folder / name).unlink(missing_ok=True)
            (house.folder / name).symlink_to(tmp_path / "elsewhere")
            assert_plain(house.run("page", "EP-1", "--out", out / "one.html"), 2)
            (house.folder / name).unlink()
        assert below(out) == []
        assert not (tmp_path / "elsewhere").exists()


class TestADamagedList:
    def test_a_line_cut_off_is_none_and_the_next_begins_anew(self, house: Locked, out: Path) -> None:
        one = page(house, out / "one.html")
        with list_of(house).open("ab") as file:
            file.write(b'{"at": "2026-11-2')
        assert ([each.path for each in listed(house)], handed_out.unreadable(places_of(house))) == ([str(one)], 0)
        two = page(house, out / "two.html", "EP-2")
        assert [each.path for each in listed(house)] == [str(one), str(two)]
        assert handed_out.unreadable(places_of(house)) == 1

    @pytest.mark.parametrize(
        "line",
        [
            b"\xff\xfe", b"null", b"[1]", b'{"at": "x"}', b"[" * 100_000,
            json.dumps({"at": AT, "command": "page", "path": "here", "sha256": None, "episodes": None}).encode(),
            json.dumps({"at": AT, "command": "page", "path": "/a\0b", "sha256": None, "episodes": None}).encode(),
            json.dumps({"at": AT, "command": "page", "path": "/a", "sha256": 7, "episodes": None}).encode(),
        ],
    )  # fmt: skip
    def test_a_line_that_cannot_be_read_is_told_and_stays(self, house: Locked, out: Path, line: bytes) -> None:
        one = page(house, out / "one.html")
        list_of(house).write_bytes(line + b"\n" + list_of(house).read_bytes())
        assert handed_out.unreadable(places_of(house)) == 1
        assert take(house, "EP-1") == [("removed", one), ("changed", list_of(house))]
        assert list_of(house).read_bytes() == line + b"\n"

    def test_names_that_are_no_text(self, house: Locked, out: Path) -> None:
        places = places_of(house)
        strange = [out / os.fsdecode(name) for name in (b"\xff.html", b"a\nb.html", b"\xe2\x80\xa8.html")]
        with handed_out.giving(places):
            for path in strange:
                path.write_bytes(b"x")
                handed_out.note(places, HandedOut(AT, "page", str(path), digest(path), ("EP-1",)))
        assert take(house, "EP-1") == [("removed", path) for path in strange]

    def test_there_may_be_none(self, house: Locked) -> None:
        assert (listed(house), handed_out.unreadable(places_of(house)), take(house, "EP-1")) == ([], 0, [])


TAKER = f"""{DIE_AT}
import json
from pathlib import Path
from projections.erasure.handed_out import take_back
from projections.read_model.generations import Places
for line in sys.stdin:
    child = os.fork()
    if not child:
        views, step = json.loads(line)
        die_at(step)
        take_back(Places(Path(views)), ["EP-1"])
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Takes back in one process after the other, each killed before its n-th step that touches a file."""


def _commands(out: Path) -> Iterator[tuple[str, list[object]]]:
    yield "page", ["page", "EP-1", "--out", out / "one.html"]
    yield "report", ["report", "--out", out / "one.html"]
    yield "export", ["export", "days", "--format", "csv", "--out", out]


class TestKills:
    @pytest.mark.parametrize("apart", in_proportion(90, 1))
    @pytest.mark.parametrize("command", ["page", "report", "export"])
    def test_no_file_is_missed_whenever_its_command_is_killed(
        self, house: Locked, out: Path, monkeypatch: pytest.MonkeyPatch, command: str, apart: int
    ) -> None:
        """After each kill everything that was written goes; at most an empty folder stays, for the next to clear.

        Each of the last steps is tried, where files are given out; of those before, some with every change.
        """
        args = [*house.named, *map(str, dict(_commands(out))[command])]
        for name, value in house.env.items():
            monkeypatch.setenv(name, value)
        assert house.run("days").status == 0
        child, left = starter(), 0
        end = child.steps(args, house.folder / "steps")
        take(house, "EP-1")
        for step in [*range(1, end - 14, apart), *range(max(1, end - 14), 2000)]:
            child.start(args, step)
            status = child.ended()
            left += bool(files_in(out)) and status != 0
            found = take(house, "EP-1")
            assert {became for became, _ in found} <= {"removed", "gone"}
            assert files_in(out) == [], step
            if status == 0:
                break
        assert status == 0
        assert left > 1, "some kills left something behind"

    def test_a_taking_back_that_was_killed_is_finished_by_the_next(self, house: Locked, out: Path) -> None:
        one = page(house, out / "one.html")
        export(house, "days", "csv", out)
        more(house)
        place = export(house, "days", "csv", out)
        two = page(house, out / "two.html", "EP-2")
        before = shutil.copytree(out, out.parent / "before", symlinks=True)
        lines, halves = list_of(house).read_bytes(), 0
        with subprocess.Popen([sys.executable, "-c", TAKER], stdin=-1, stdout=-1, text=True) as process:
            assert process.stdin
            assert process.stdout
            for step in range(1, 500, 3):
                shutil.rmtree(out)
                shutil.copytree(before, out, symlinks=True)
                list_of(house).write_bytes(lines)
                process.stdin.write(json.dumps([str(house.views), step]) + "\n")
                process.stdin.flush()
                status = int(process.stdout.readline())
                if os.path.lexists(place):
                    assert manifest_of(place), "a whole one, or none"
                halves += status != 0 and below(out) not in (below(before), ["two.html"])
                found = take(house, "EP-1")
                assert {became for became, _ in found} <= {"removed", "gone"}
                assert (below(out), [each.path for each in listed(house)]) == (["two.html"], [str(two)])
                if status == 0:
                    break
            process.stdin.close()
        assert status == 0
        assert halves > 5
        assert not one.exists()
