"""Folders for a copy of a ledger that is not finished, beside the place where it is to stand.

Never the system's folder for passing files: patients' data, and keys, would lie there if this process were killed. Who
works in such a folder holds it, and who makes the next one beside it sweeps those that nobody holds any more.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from ledger.files import locked

_NAME: Final = re.compile(r"\..+\.unfinished-[a-z0-9_]{8}")
_INSIDE: Final = re.compile(r"(backup|restored)(-wal|-shm|-journal)?")


@contextmanager
def unfinished(out: Path) -> Iterator[Path]:
    """A folder on the same disk, open to its owner alone, gone at the end; those of killed runs beside it go first."""
    parent = out.absolute().parent
    with ExitStack() as stack:
        with ExitStack() as turn:
            with suppress(OSError):  # a disk that knows no locks, such as a memory stick's: nothing is swept there
                turn.enter_context(locked(parent))
                for left in left_behind(parent):
                    shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{out.name}.unfinished-", dir=parent))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            with suppress(OSError):
                stack.enter_context(locked(folder))
        yield folder


def left_behind(parent: Path) -> list[Path]:
    """Such folders in a folder that nobody holds: those of killed runs, with nothing else in them."""
    return [each for each in _all_in(parent) if _is_ours(each) and _is_free(each)]


def unfinished_of(out: Path) -> list[Path]:
    """The folders in which this file was, or is being, made."""
    return [each for each in _all_in(out.parent) if each.name.startswith(f".{out.name}.unfinished-")]


def _all_in(parent: Path) -> list[Path]:
    found = parent.iterdir() if parent.is_dir() else ()
    return sorted(each for each in found if _NAME.fullmatch(each.name) and each.is_dir() and not each.is_symlink())


def _is_ours(folder: Path) -> bool:
    return all(_INSIDE.fullmatch(each.name) for each in folder.iterdir())


def _is_free(folder: Path) -> bool:
    try:
        with locked(folder, busy=BlockingIOError()):
            return True
    except OSError:
        return False
