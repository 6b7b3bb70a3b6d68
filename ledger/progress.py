"""How long work says how far it is: one form of it for everything that takes long."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with how much is done and of how much, 0 if that is not known: patients, entries, pages of a file."""


def silent(done: int, of: int) -> None:
    """No progress shown."""
