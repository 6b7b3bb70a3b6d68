"""A folder beside the read model for what is looked at once: gone afterwards, even if its maker was killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from ledger.files import locked
from projections.read_model.generations import Places


@contextmanager
def passing_folder(places: Places, what: str) -> Iterator[Path]:
    """A folder for its owner alone, gone afterwards; those of killed runs, which nobody holds any more, go first."""
    prefix, parent = f"{places.stem}.{what}-", places.live.parent
    with ExitStack() as stack:
        with locked(parent):
            for left in parent.glob(f"{escape(prefix)}*"):
                with suppress(OSError), locked(left, busy=BlockingIOError()):
                    shutil.rmtree(left, ignore_errors=True)
            folder = Path(stack.enter_context(TemporaryDirectory(prefix=prefix, dir=parent)))
            stack.enter_context(locked(folder))
        yield folder
