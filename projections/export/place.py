"""Where an export stands, and how another one takes its place at once.

``DIR/days`` is a symbolic link to a folder of one export (``DIR/.days.7``). Another is written beside it and made whole
on disk; then the link is replaced. A reader finds the one before or the new one, never half of one; the one before is
kept until the next. One lock lets one export of a dataset into a folder run at a time; it is free again when its holder
ends, however that happens, and what a killed one left behind is cleared away by the next.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ledger.files import Generations, locked, put_in_place, sync
from projections.read_model.trouble import NotNow


class NotOurs(Exception):
    """Something else stands where the export should be."""


class Place:
    """The place of one dataset's exports in a folder."""

    def __init__(self, out: Path, name: str) -> None:
        self.out, self.name = out, name
        self.link = out / name
        self._numbered = Generations(self.link, f".{name}")

    def current(self) -> Path | None:
        """The folder of the export that stands; None if there is none. NotOurs if it is something else."""
        if not self.link.is_symlink():
            if self.link.exists():
                raise NotOurs(f"{self.link} is there already and no export; name another folder with --out")
            return None
        folder = self.out / os.readlink(self.link)
        if folder.parent != self.out or folder not in self._numbered.all().values():
            raise NotOurs(f"{self.link} leads elsewhere; name another folder with --out")
        return folder

    @contextmanager
    def publishing(self, check: Callable[[Path], None] = lambda standing: None) -> Iterator[Path]:
        """A folder to write an export into; when the block ends well, it has become the one that stands.

        ``check`` is shown the one that stands before, if any, and may raise.
        """
        self.out.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            current = self.current()
            if current:
                check(current)
            self._clear(current)
            staged = self._numbered.folder()
            try:
                yield staged
                made = self._numbered.next()
                put_in_place(staged, made)
                self._numbered.switch(made)
                self._clear(self.current())
            finally:
                shutil.rmtree(staged, ignore_errors=True)

    def take_away(self, ours: Callable[[Path], bool]) -> tuple[bool, list[Path]]:
        """Remove the folders that ``ours`` says are, and the link to one; whether there were any, and what else stands.

        The link goes first, at once, and the folders under a name that the next export would clear away: nobody finds
        half an export, whenever this is killed.
        """
        if not self._present():
            return False, []
        with self._alone():
            taken = [folder for folder in self._present() if folder != self.link and ours(folder)]
            if self.link.is_symlink() and self.out / os.readlink(self.link) in taken:
                self.link.unlink()
                sync(self.out)
            for folder in taken:
                passing = self._numbered.folder()
                os.replace(folder, passing)
                shutil.rmtree(passing)
            sync(self.out)
            return bool(taken), self._present()

    def would_remove(self, path: Path) -> bool:
        """Whether a path lies within a folder that an export here makes, or clears away."""
        real, out = Path(os.path.realpath(path)), Path(os.path.realpath(self.out))
        return (
            real.is_relative_to(out)
            and real.relative_to(out).parts[:1] != ()
            and (real.relative_to(out).parts[0].startswith(f".{self.name}."))
        )

    def _present(self) -> list[Path]:
        """The link and the folders of exports, finished or left behind."""
        links = [self.link] if os.path.lexists(self.link) else []
        return [*links, *self._numbered.all().values(), *self._numbered.left_behind()]

    @staticmethod
    def is_unfinished(folder: Path) -> bool:
        """Whether a folder beside an export is named as one that is being written, or was when it was killed."""
        return ".building-" in folder.name

    def _alone(self) -> AbstractContextManager[None]:
        busy = NotNow(f"another export of {self.name} into this folder is running; wait for it")
        return locked(self.out / f".{self.name}.lock", busy=busy)

    def _clear(self, current: Path | None) -> None:
        """Take away everything of killed exports, and all but the export that stands and the one before it."""
        generations = self._numbered.all()
        live = next((number for number, path in generations.items() if path == current), 0)
        before = max((number for number in generations if number < live), default=0)
        for number, path in generations.items():
            if number not in (live, before):
                shutil.rmtree(path, ignore_errors=True)
        for left in self._numbered.left_behind():
            shutil.rmtree(left, ignore_errors=True)
