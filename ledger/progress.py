"""How long work says how far it is."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Told after each patient: how many are done, of how many."""


def silent(done: int, of: int) -> None:
    """No progress shown."""
