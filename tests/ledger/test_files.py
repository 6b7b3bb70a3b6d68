"""Files are whole or not there, on disk with their names; locks end with their holder; a link switches at once."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.files import (
    READABLE,
    Generations,
    add_line,
    locked,
    name_new,
    put_in_place,
    unfinished,
    write_new,
    write_whole,
)

WRITERS = pytest.mark.parametrize("write", [write_new, write_whole])
Write = Callable[[Path, bytes], None]


class Disk:
    """What was waited for, and under which names, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.did: list[tuple[str, int]] = []
        sync, replace, link = os.fsync, os.replace, os.link

        def fsync(descriptor: int) -> None:
            self.did.append(("synced", os.fstat(descriptor).st_ino))
            sync(descriptor)

        def replaced(old: Path, new: Path) -> None:
            self.did.append(("named", old.lstat().st_ino))
            replace(old, new)

        def linked(old: Path, new: Path) -> None:
            link(old, new)
            self.did.append(("named", old.stat().st_ino))

        monkeypatch.setattr(os, "fsync", fsync)
        monkeypatch.setattr(os, "replace", replaced)
        monkeypatch.setattr(os, "link", linked)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuses)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@WRITERS
def test_the_file_is_on_disk_before_its_name_and_then_the_folder(tmp_path: Path, disk: Disk, write: Write) -> None:
    write(tmp_path / "file", b"content")
    file, folder = (tmp_path / "file").stat().st_ino, tmp_path.stat().st_ino
    assert disk.did == [("synced", file), ("named", file), ("synced", folder)]
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_bytes() == b"content"
    assert rights(tmp_path / "file") == 0o600


@pytest.mark.usefixtures("full")
def test_what_does_not_reach_the_disk_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with pytest.raises(OSError, match="No space"):
        write_whole(tmp_path / "file", b"after")
    with pytest.raises(OSError, match="No space"):
        write_new(tmp_path / "other", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"


def test_content_that_breaks_off_leaves_what_was_there(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"half"
        raise ValueError("broken")

    (tmp_path / "file").write_text("before")
    with pytest.raises(ValueError, match="broken"):
        write_whole(tmp_path / "file", broken())
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert (tmp_path / "file").read_text() == "before"


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("taken", ["file", "folder", "link"])
def test_a_new_file_takes_nobodys_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool, taken: str
) -> None:
    if not links:

        def cannot(*_: object) -> None:
            raise OSError("no links here")

        monkeypatch.setattr(os, "link", cannot)
    path = tmp_path / "taken"
    {"file": path.touch, "folder": path.mkdir, "link": lambda: path.symlink_to(tmp_path / "nowhere")}[taken]()
    with pytest.raises(FileExistsError):
        write_new(path, b"content")
    made = tmp_path / "made"
    made.write_text("made")
    with pytest.raises(FileExistsError):  # also where it was taken while the file was written
        name_new(made, path)
    assert {found.name for found in tmp_path.iterdir()} == {"taken", "made"}
    write_new(tmp_path / "free", b"content")
    assert (tmp_path / "free").read_bytes() == b"content"


def test_what_others_may_read_keeps_to_the_usual_rights(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_new(tmp_path / "public", b"", READABLE)
        write_new(tmp_path / "private", b"")
    finally:
        os.umask(before)
    assert (rights(tmp_path / "public"), rights(tmp_path / "private")) == (0o640, 0o600)


def test_what_a_killed_process_left_is_found_and_in_nobodys_way(tmp_path: Path) -> None:
    left = tmp_path / f".file.{os.getpid()}.part"
    others = [tmp_path / name for name in (".file.x.part", ".file.part", "file.1.part", ".files.1.part")]
    for path in (left, *others):
        path.write_text("half")
    assert unfinished(tmp_path / "file") == [left]
    write_whole(tmp_path / "file", b"whole")
    assert unfinished(tmp_path / "file") == []
    assert all(path.exists() for path in others)


def test_a_folder_gets_its_name_with_all_that_is_in_it(tmp_path: Path, disk: Disk) -> None:
    made = tmp_path / "made"
    (made / "inner").mkdir(parents=True)
    (made / "inner" / "file").write_text("content")
    inside = {("synced", path.stat().st_ino) for path in (made, *made.rglob("*"))}
    put_in_place(made, tmp_path / "named")
    named = disk.did.index(("named", (tmp_path / "named").stat().st_ino))
    assert set(disk.did[:named]) == inside
    assert disk.did[named + 1 :] == [("synced", tmp_path.stat().st_ino)]


def test_a_line_is_added_whole_and_alone(tmp_path: Path, disk: Disk) -> None:
    lines = tmp_path / "lines"
    add_line(lines, b"one\n")
    assert disk.did == [("synced", lines.stat().st_ino), ("synced", tmp_path.stat().st_ino)]
    add_line(lines, b"two\n")
    with lines.open("ab") as file:
        file.write(b"cut o")
    add_line(lines, b"three\n")
    assert lines.read_bytes() == b"one\ntwo\ncut o\nthree\n"
    assert disk.did[2:] == [("synced", lines.stat().st_ino)] * 2
    assert rights(lines) == 0o600
    (tmp_path / "link").symlink_to(lines)
    with pytest.raises(OSError, match="link"):
        add_line(tmp_path / "link", b"four\n")


@pytest.mark.process
@pytest.mark.parametrize("what", ["a folder", "a lock file"])
def test_who_holds_alone_keeps_others_out_until_it_ends(tmp_path: Path, what: str) -> None:
    path = tmp_path if what == "a folder" else tmp_path / "lock"
    source = f"""
from pathlib import Path
from ledger.files import locked
with locked(Path({str(path)!r})):
    print("held", flush=True)
    input()
"""
    with subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        for shared in (True, False):
            with pytest.raises(LookupError, match="busy"), locked(path, shared=shared, busy=LookupError("busy")):
                pass
        holder.kill()
        holder.wait()
    with locked(path, busy=LookupError("busy")):
        pass


def test_who_shares_keeps_out_only_those_who_do_not(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    alone = locked(lock, busy=LookupError("busy"))
    with locked(lock, shared=True), locked(lock, shared=True, busy=LookupError("busy")), pytest.raises(LookupError):
        alone.__enter__()
    assert rights(lock) == 0o600


def test_the_link_leads_from_one_generation_to_the_next(tmp_path: Path, disk: Disk) -> None:
    numbered = Generations(tmp_path / "views[1].db", "views[1]", ".db")
    (tmp_path / "views1.7.db").touch()  # another's
    for number in (1, 2):
        path = numbered.next()
        assert path.name == f"views[1].{number}.db"
        path.write_text(str(number))
        numbered.switch(path)
        assert (tmp_path / "views[1].db").read_text() == str(number)
        assert disk.did[-1] == ("synced", tmp_path.stat().st_ino)
    assert numbered.all() == {1: tmp_path / "views[1].1.db", 2: tmp_path / "views[1].2.db"}
    assert numbered.left_behind() == []
    left = numbered.folder()
    assert numbered.left_behind() == [left]
    assert rights(left) == 0o700
