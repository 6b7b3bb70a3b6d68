"""Others' libraries without what they load where it happens to be installed, at the cost of every process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder


class _NotThere(MetaPathFinder):
    """Finds what is named: it cannot be had."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name in self._names:
            raise ModuleNotFoundError(name=name)


@contextmanager
def not_loaded(*names: str) -> Iterator[None]:
    """What is imported within finds none of these, unless somebody has loaded them; who comes later does find them."""
    finder = _NotThere(names)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def load_pyarrow() -> None:
    """Pyarrow, for a process that is ours alone: it takes pandas for not installed from then on, and gives it nothing.

    To make an array of a list it loads pandas, 55 MB and half a second, and asks whether the list is one of pandas'.
    ImportError where pyarrow is not installed.
    """
    with not_loaded("pandas"):
        import pyarrow

        pyarrow.array(())
