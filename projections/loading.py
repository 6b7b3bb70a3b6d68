"""Others' libraries without what they load where it happens to be installed, at the cost of every process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def not_loaded(*names: str) -> Iterator[None]:
    """What is imported within finds none of these, unless somebody has loaded them; who comes later does find them."""
    hidden = [name for name in names if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None: what Python takes for "not to be had"
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def load_pyarrow() -> None:
    """Pyarrow, for a process that is ours alone: it takes pandas for not installed from then on, and gives it nothing.

    To make an array of a list it loads pandas, 55 MB and half a second, and asks whether the list is one of pandas'.
    ImportError where pyarrow is not installed.
    """
    with not_loaded("pandas"):
        import pyarrow

        pyarrow.array(())
