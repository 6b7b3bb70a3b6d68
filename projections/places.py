"""Where the read models of a ledger are, and which one is live.

Each built read model is a file of its own (``ledger.views.7.db``); ``ledger.views.db`` is a symbolic link to the live
one, and switching is replacing that link: a reader opens the old one or the new one, never a mixture. One lock file
lets one rebuild run at a time; it is free again when its holder ends, however that happens.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from projections.views import Views, ViewsError, open_views

_BESIDE: Final = ("", "-wal", "-shm", "-journal")


class Places:
    """The read models beside one ledger."""

    def __init__(self, live: Path) -> None:
        self.live = Path(os.path.realpath(live.parent)) / live.name
        self.stem = live.name.removesuffix(".db")
        self.lock = self.live.with_name(f"{self.stem}.lock")
        self.certificates = self.live.with_name(f"{self.stem}.certificates")

    def current(self) -> Path | None:
        """The file of the live read model; None if there is none."""
        return Path(os.path.realpath(self.live)) if self.live.exists() else None

    def open_live(self) -> Views:
        """The live read model, an empty one if there is none."""
        if not self.live.exists():
            path = self.live.with_name(f"{self.stem}.{max(self.generations(), default=0) + 1}.db")
            open_views(path).close()
            self._link(path)
        return open_views(self.live)

    def _link(self, path: Path) -> None:
        descriptor, name = tempfile.mkstemp(prefix=f"{self.stem}.switching-", dir=self.live.parent)
        os.close(descriptor)
        new_link = Path(name)
        new_link.unlink()
        new_link.symlink_to(path.name)
        os.replace(new_link, self.live)
        _sync(self.live.parent)

    def generations(self) -> dict[int, Path]:
        """The built read models by number."""
        pattern = re.compile(re.escape(self.stem) + r"\.([0-9]+)\.db")
        found = ((pattern.fullmatch(path.name), path) for path in self.live.parent.iterdir())
        return {int(match[1]): path for match, path in found if match}

    def previous(self) -> Path | None:
        """The newest built read model that is not live: what ``rebuild --back`` returns to."""
        current = self.current()
        others = [path for _, path in sorted(self.generations().items()) if path != current]
        return others[-1] if others else None

    @contextmanager
    def rebuilding(self) -> Iterator[Path]:
        """A folder of its own for one rebuild; what an earlier one left behind is cleared away first."""
        descriptor = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise ViewsError("another rebuild of this read model is running; wait for it to end") from error
            for left in self.live.parent.glob(f"{self.stem}.building-*"):
                shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix=f"{self.stem}.building-", dir=self.live.parent))
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(descriptor)

    def adopt(self, built: Path) -> Path:
        """Give a built read model its number and its place beside the others; it is not live yet."""
        number = max(self.generations(), default=0) + 1
        path = self.live.with_name(f"{self.stem}.{number}.db")
        _sync(built)
        os.replace(built, path)
        _sync(path.parent)
        return path

    def switch(self, path: Path) -> None:
        """Make a read model the live one, at once and for good; of the others the one before is kept."""
        before = self.current()
        self._link(path)
        if before == self.live:  # it was a plain file, and is gone with the link's arrival
            _remove(self.live, _BESIDE[1:])
        for other in self.generations().values():
            if other not in (path, before):
                _remove(other, _BESIDE)


def _remove(path: Path, endings: tuple[str, ...]) -> None:
    for ending in endings:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).unlink()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
