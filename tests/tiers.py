"""In which tier a test is: by its file, unless a mark of its own says otherwise. Every test is in exactly one.

``scripts/test --quick`` runs ``quick``, ``scripts/test`` all but ``soak``.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests import ROOT, stores

LEDGER = ROOT / "tests" / "ledger"

TIERS = ("quick", "store", "process", "browser", "soak")
"""What each is about stands in pyproject.toml."""
BY_FILE = {
    "browser": ["*_browser.py"],
    "process": [
        "fire/*", "deterministic/*", "commands/web/*", "*_kill.py", "test_postgres_faults.py", "test_follow.py",
        "test_bench.py", "test_simulate.py", "test_packaging.py", "test_episode_ledger.py",
    ],
    "store": [
        "ledger/keys/*", "ledger/recorders/*", "ledger/proof/test_seals.py", "ledger/proof/test_verify.py",
        "projections/bundle/*", "projections/changes/*", "projections/erasure/*", "projections/export/*",
        "projections/operations/*", "projections/read_model/*", "projections/rebuild/*", "projections/report/*",
        "projections/rows/test_fingerprints.py", "commands/terminal/*", "commands/verbs/*", "commands/writing/*",
        "whole/test_hard_situations.py", "whole/test_journeys.py", "whole/test_no_patient_in_messages.py",
        "whole/test_merging.py", "whole/test_scenarios.py", "whole/test_known_at.py", "projections/archive/*",
        "projections/distributed/*", "projections/page/*", "projections/test_claims_*.py",
        "commands/door/test_intake_fuzz.py", "projections/audit/test_replay.py", "projections/audit/test_timeline.py",
        "whole/test_warehouse.py", "whole/test_identity_is_nowhere.py", "projections/test_plan_and_write.py",
        "projections/test_checks_found.py",
    ],
}  # fmt: skip
"""Files whose tests are not ``quick``; the first that matches counts."""


@cache
def by_file(path: Path) -> str:
    """The tier that a file's tests have by it."""
    return next((tier for tier, files in BY_FILE.items() if any(path.match(each) for each in files)), "quick")


def marked(item: pytest.Item) -> list[str]:
    """The tiers that a test is marked with."""
    return [name for name in TIERS if item.get_closest_marker(name)]


MEASURED = ["tests/ledger/*.py", "ledger/*/*.py", "commands/writing/*", "whole/test_laws.py", "whole/test_scenarios.py",
            "whole/test_journeys.py", "whole/test_edition1.py", "whole/test_hard_situations.py",
            "whole/test_merging.py", "commands/verbs/test_book.py", "commands/verbs/test_backup*.py",
            "commands/verbs/test_answers*.py", "commands/verbs/test_claim*.py",
            "projections/test_claims_loop.py", "projections/report/test_paid.py"]  # fmt: skip
"""The laws, the scenarios, and what is tried on every kind of store: what they reach of ledger/ is its branch coverage.
Measuring makes a test up to four times as slow, and what others reach of it by the way says little."""


def measured(item: pytest.Item) -> bool:
    """Whether coverage is measured while this test runs."""
    return item.get_closest_marker("process") is None and measured_by_file(item.path)


@cache
def measured_by_file(path: Path) -> bool:
    """Whether it is of a file's tests, but for those of the tier ``process``."""
    return any(path.match(each) for each in MEASURED)


def in_proportion(suite: int, release: int) -> list[Any]:
    """How often something is tried with every change, and how often before a release."""
    return [pytest.param(suite), pytest.param(release, marks=pytest.mark.soak)]


ENDS = ("sqlite", "postgres encrypted")
"""Of the kinds of store a plain file, and what differs from it in both ways."""


def of_stores(path: Path) -> list[Any]:
    """The kinds of store that a test of a file is tried on: in tests/ledger, where the contract of a store is, on all.
    Elsewhere on two with every change, and on all before a release: that encrypting is a wrapper of any recorder, and
    that whoever is above sees none of either, is what the contract holds."""
    if path.is_relative_to(LEDGER):
        return list(stores.KINDS)
    return [pytest.param(kind, marks=[] if kind in ENDS else pytest.mark.soak) for kind in stores.KINDS]


RELEASE = "EPISODE_TEST_RELEASE"
"""Set by ``scripts/test --release``: what is drawn at random is tried as often as before a release."""


def many(suite: int, release: int) -> int:
    """How many examples of a law are tried: some with every change, and before a release as many as it deserves."""
    return release if os.environ.get(RELEASE) else suite
