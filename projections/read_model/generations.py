"""Where the read models of a ledger are, and which one is live.

Each built read model is a file of its own (``ledger.views.7.db``); ``ledger.views.db`` is a symbolic link to the live
one, and switching is replacing that link: a reader opens the old one or the new one, never a mixture. One lock file
lets one rebuild run at a time; it is free again when its holder ends, however that happens.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Final

from ledger.files import Generations, locked, put_in_place, sync
from projections.read_model.trouble import NotNow
from projections.read_model.views import Views, open_views

_LOGS: Final = ("-wal", "-shm", "-journal")


class Places:
    """The read models beside one ledger."""

    def __init__(self, live: Path) -> None:
        self.live = Path(os.path.realpath(live.parent)) / live.name
        self.stem = live.name.removesuffix(".db")
        self._numbered = Generations(self.live, self.stem, ".db")
        self.lock = self.live.with_name(f"{self.stem}.lock")
        self.certificates = self.live.with_name(f"{self.stem}.certificates")

    def owns(self, real: Path) -> bool:
        """Whether a path is, or would be, a read model, a certificate, a lock, the list of what was handed out, the
        access records or users of the site, or within a folder of these."""
        if not real.is_relative_to(self.live.parent) or real == self.live.parent:
            return False
        first = real.relative_to(self.live.parent).parts[0]
        return first.startswith(f"{self.stem}.") or first in self._of_the_site

    def own_files(self) -> Iterator[Path]:
        """Every one of these that is there, folders with all that is in them."""
        for path in self.live.parent.iterdir() if self.live.parent.is_dir() else ():
            if self.owns(path):
                yield path
                yield from path.rglob("*") if path.is_dir() and not path.is_symlink() else ()

    @property
    def _of_the_site(self) -> tuple[str, str]:
        """Its access records and its users."""
        stem = self.stem.removesuffix(".views")
        return f"{stem}.access.jsonl", f"{stem}.users.json"

    def current(self) -> Path | None:
        """The file of the live read model; None if there is none."""
        return Path(os.path.realpath(self.live)) if self.live.exists() else None

    def open_live(self) -> Views:
        """The live read model, an empty one if there is none."""
        if not self.live.exists():
            with self._alone():
                if not self.live.exists():  # another process may have been faster
                    path = self._numbered.next()
                    open_views(path).close()
                    self._numbered.switch(path)
        return open_views(self.live)

    def _alone(self) -> AbstractContextManager[None]:
        """Nobody else gives a read model its name meanwhile; held for moments only."""
        return locked(self.live.parent)

    def generations(self) -> dict[int, Path]:
        """The built read models by number."""
        return self._numbered.all()

    def previous(self) -> Path | None:
        """What ``rebuild --back`` returns to.

        Of those that are not live the one next below it, else (after going back) the one next above. Any more were left
        behind by a switch that was killed.
        """
        generations = self.generations()
        current = self.current()
        live = next(
            (number for number, path in generations.items() if path == current), max(generations, default=0) + 1
        )
        below = [number for number in generations if number < live]
        above = [number for number in generations if number > live]
        chosen = max(below) if below else min(above, default=None)
        return None if chosen is None else generations[chosen]

    @contextmanager
    def rebuilding(self) -> Iterator[Path]:
        """A folder of its own for one rebuild; what an earlier one left behind is cleared away first."""
        busy = NotNow("another rebuild of this read model is running; wait for it to end")
        with locked(self.lock, busy=busy):
            self._clear()
            folder = self._numbered.folder()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    def _clear(self) -> None:
        for left in self._numbered.left_behind():
            shutil.rmtree(left, ignore_errors=True)
        if current := self.current():
            self._keep_only(current, self.previous())

    def adopt(self, built: Path) -> Path:
        """Give a built read model its number and its place beside the others; it is not live yet."""
        sync(built)  # the long wait for the disk is over before others have to wait
        with self._alone():
            path = self._numbered.next()
            _remove_logs(path)  # of a deleted one of that number: they would be taken for this one's
            put_in_place(built, path)
        return path

    def switch(self, path: Path, *, damaged: bool = False) -> None:
        """Make a read model the live one, at once and for good; of the others the one before is kept, unless that is
        damaged: then the one before that."""
        with self._alone():
            before, older = self.current(), self.previous()
            self._numbered.switch(path)
        if before == self.live:  # it was a plain file, and is gone with the link's arrival
            _remove_logs(self.live)
        self._keep_only(path, older if damaged else before)

    def remove_all(self) -> list[Path]:
        """Remove every read model, and the certificates, which show rows of patients; gives what was removed."""
        with self._alone():
            generations = [*self.generations().values(), *([self.live] if os.path.lexists(self.live) else [])]
            shown = sorted(self.certificates.iterdir()) if self.certificates.is_dir() else []
            for path in (*generations, *shown):
                _remove(path)
            sync(self.live.parent)
        return [*generations, *shown]

    def _keep_only(self, *kept: Path | None) -> None:
        for other in self.generations().values():
            if other not in kept:
                _remove(other)


def _remove(path: Path) -> None:
    with suppress(FileNotFoundError):
        path.unlink()
    _remove_logs(path)


def _remove_logs(path: Path) -> None:
    for ending in _LOGS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).unlink()
