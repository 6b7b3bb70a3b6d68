"""Files that are whole or not there, on disk under their names when a call returns; locks that end with their holder.

Each function waits for the disk, for the file and for the folder that lists it: what was reported as written survives a
power cut. Files are for their owner alone unless somebody says otherwise.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
"""For the owner alone."""
READABLE: Final = 0o644
"""Readable by all who may enter the folder."""


def sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, would survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create(path: Path, rights: int = PRIVATE) -> int:
    """A file that was not there, open for writing; FileExistsError if something has its name, be it a link."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, rights)
    if rights == PRIVATE:
        os.fchmod(descriptor, PRIVATE)  # a mask may have taken even the owner's
    return descriptor


def write_new(path: Path, content: bytes, rights: int = PRIVATE) -> None:
    """A file where none was: whole and on disk, or not there. FileExistsError if something has its name."""
    _refuse_present(path)
    with _beside(path, [content], rights) as made:
        name_new(made, path)


def write_whole(path: Path, content: bytes | Iterable[bytes]) -> None:
    """A file in place of what has its name, if anything: whole and on disk, or what was there is as it was."""
    with _beside(path, [content] if isinstance(content, bytes) else content, PRIVATE) as made:
        put_in_place(made, path)


@contextmanager
def _beside(path: Path, content: Iterable[bytes], rights: int) -> Iterator[Path]:
    """The content in a file that has not got its name yet."""
    made = path.with_name(f".{path.name}.{os.getpid()}.part")
    made.unlink(missing_ok=True)  # of a killed process that had the same number
    try:
        with open(create(made, rights), "wb") as file:
            file.writelines(content)
        yield made
    finally:
        made.unlink(missing_ok=True)


def unfinished(path: Path) -> list[Path]:
    """What killed processes left of a file before it got its name."""
    part = re.compile(rf"\.{re.escape(path.name)}\.[0-9]+\.part")
    return [each for each in path.parent.iterdir() if part.fullmatch(each.name)]


def put_in_place(made: Path, path: Path) -> None:
    """Give a finished file, or a folder of them, its name, in place of what has it; both are on disk."""
    for each in [*made.rglob("*"), made] if made.is_dir() else [made]:
        sync(each)
    os.replace(made, path)
    sync(path.parent)


def name_new(made: Path, path: Path) -> None:
    """Give a finished file its name, and never another file's; it is on disk. FileExistsError if something has it."""
    sync(made)
    try:
        os.link(made, path)
        made.unlink()
    except FileExistsError:
        raise
    except OSError:  # a disk without links, such as a memory stick's
        _refuse_present(path)
        os.rename(made, path)
    sync(path.parent)


def _refuse_present(path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))


def add_line(path: Path, line: bytes) -> None:
    """A line at the end of a file of lines, which is made if it is not there; OSError if the disk is full."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, PRIVATE)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            line = b"\n" + line  # a kill, or a disk that was full, cut the last one off
        if os.write(descriptor, line) != len(line):
            raise OSError(None, "the disk is full")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    if not size:
        sync(path.parent)


@contextmanager
def locked(path: Path, *, shared: bool = False, busy: BaseException | None = None) -> Iterator[None]:
    """A folder, or a lock file that is made if it is not there, held alone or by all who share it.

    It is free again when its holder ends, however that happens. Where another has it, ``busy`` is raised, or, without
    one, waited.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    kind = os.O_RDONLY if path.is_dir() else os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, kind, PRIVATE)
    try:
        try:
            fcntl.flock(descriptor, how | (fcntl.LOCK_NB if busy else 0))
        except BlockingIOError as error:
            raise busy or error from None
        yield
    finally:
        os.close(descriptor)


def locks_hold(folder: Path) -> bool:
    """Whether a file in this folder that one process has locked is locked to another; tried with a second process.

    Some network and shared file systems grant every lock. Both kinds are tried: SQLite's, and this program's own.
    """
    descriptor, name = tempfile.mkstemp(prefix=".locks.", dir=folder)
    try:
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child = os.fork()  # which inherits no lock of SQLite's kind, and opens the file anew for the other
        if not child:
            try:
                os._exit(sum(_gets(lock, name) for lock in (fcntl.lockf, fcntl.flock)))
            finally:
                os._exit(_TROUBLE)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        os.close(descriptor)
        os.unlink(name)


_TROUBLE: Final = 70


def _gets(lock: Callable[[int, int], None], name: str) -> bool:
    """Whether this process gets a lock."""
    descriptor = os.open(name, os.O_RDWR)
    try:
        lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


class Generations:
    """Files or folders numbered in the order they were made, and a symbolic link that leads to the one in force.

    Replacing the link switches at once: who opens it finds the one before or the new one, never a mixture.
    """

    def __init__(self, link: Path, stem: str, ending: str = "") -> None:
        self.link, self._stem, self._ending = link, stem, ending
        self._building = f"{stem}.building-"

    def all(self) -> dict[int, Path]:
        """Those that are there, by number."""
        pattern = re.compile(rf"{re.escape(self._stem)}\.([0-9]+){re.escape(self._ending)}")
        found = ((pattern.fullmatch(path.name), path) for path in self.link.parent.iterdir())
        return {int(match[1]): path for match, path in found if match}

    def next(self) -> Path:
        """The path of the next one."""
        return self.link.with_name(f"{self._stem}.{max(self.all(), default=0) + 1}{self._ending}")

    def switch(self, path: Path) -> None:
        """Let the link lead to this one, at once and for good."""
        folder = self.folder()
        try:
            link = folder / "link"
            link.symlink_to(path.name)
            os.replace(link, self.link)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        sync(self.link.parent)

    def folder(self) -> Path:
        """A new folder beside them, for what is not finished."""
        return Path(tempfile.mkdtemp(prefix=self._building, dir=self.link.parent))

    def left_behind(self) -> list[Path]:
        """Such folders: while nobody else is at work, those of killed ones."""
        return sorted(path for path in self.link.parent.iterdir() if path.name.startswith(self._building))
