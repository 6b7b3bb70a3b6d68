"""In which tier a test is: by its file, unless a mark of its own says otherwise. Every test is in exactly one.

``scripts/test --quick`` runs ``quick``, ``scripts/test`` all but ``soak``.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

import pytest

TIERS = ("quick", "store", "process", "browser", "soak")
"""What each is about stands in pyproject.toml."""
BY_FILE = {
    "browser": ["*_browser.py"],
    "process": [
        "fire/*", "deterministic/*", "commands/web/*", "*_kill.py", "test_postgres_faults.py", "test_follow.py",
        "test_bench.py", "test_simulate.py", "test_packaging.py", "test_episode_ledger.py",
    ],
    "store": [
        "ledger/keys/*", "ledger/recorders/*", "ledger/proof/test_verify.py", "projections/bundle/*",
        "projections/erasure/*", "projections/export/*", "projections/operations/*", "projections/read_model/*",
        "projections/rebuild/*", "projections/report/*", "projections/rows/test_fingerprints.py", "commands/terminal/*",
        "commands/verbs/*", "commands/writing/*", "whole/test_journeys.py", "whole/test_no_patient_in_messages.py",
    ],
}  # fmt: skip
"""Files whose tests are not ``quick``; the first that matches counts."""


def by_file(item: pytest.Item) -> str:
    """The tier that a test has by its file."""
    path = PurePosixPath(item.path.as_posix())
    return next((tier for tier, files in BY_FILE.items() if any(path.match(each) for each in files)), "quick")


def marked(item: pytest.Item) -> list[str]:
    """The tiers that a test is marked with."""
    return [name for name in TIERS if item.get_closest_marker(name)]


def in_proportion(suite: int, release: int) -> list[Any]:
    """How often something is tried with every change, and how often before a release."""
    return [pytest.param(suite), pytest.param(release, marks=pytest.mark.soak)]
