"""In which tier a test is: by its file, unless a mark of its own says otherwise. Every test is in exactly one.

``scripts/test --quick`` runs ``quick``, ``scripts/test`` all but ``soak``.
"""

from __future__ import annotations

import os
from fnmatch import fnmatch
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
    names = {mark.name for mark in item.iter_markers()}  # once: this is asked of every test
    return [name for name in TIERS if name in names]


MEASURED = ["tests/ledger/*.py", "ledger/*/*.py", "whole/test_laws.py", "whole/test_scenarios.py",
            "whole/test_journeys.py", "whole/test_edition1.py", "whole/test_merging.py",
            "commands/verbs/test_book.py", "commands/verbs/test_backup*.py", "commands/verbs/test_answers*.py",
            "commands/verbs/test_claim_plan.py", "commands/verbs/test_claims_corrected.py",
            "commands/writing/test_decide.py", "commands/writing/test_identity.py",
            "commands/writing/test_known_before.py", "commands/writing/test_own_per_diem.py",
            "commands/writing/test_told_ahead.py"]  # fmt: skip
"""The laws, the scenarios, and what is tried on every kind of store: what they reach of ledger/ is its branch coverage.
Measuring makes a test up to four times as slow, and what others reach of it by the way says little."""
DEAR = {
    "test_days_and_evidence.py": ["test_the_judge_agrees"],
    "test_recorder_library_cases.py": ["*"],
    "test_scenarios.py": ["test_the_plain_model_agrees"],
    "test_laws.py": ["test_the_judge_agrees_with_the_slow_plain_model*",
                     "test_to_retract_and_then_retract_the_retraction_changes_nothing",
                     "test_a_correction_that_says_the_same_changes_only_what_was_recorded_last",
                     "test_the_causes_of_an_exclusion_or_conflict_name_what_alone_would_change_its_reason",
                     "test_what_was_known_at_an_instant_is_what_the_entries_up_to_it_say",
                     "test_the_causes_of_a_clash_name_the_decisions_that_settled_what_stands_against_it",
                     "test_the_seeded_histories_settle_conflicts_beside_another_episode"],
    "test_journeys.py": ["test_it_says_what_it_says_of_a_plain_file", "test_tell_and_correct_and_*",
                         "test_ack_and_remit_and_*", "test_export", "test_claims", "test_close_and_restatements"],
    "test_encryption.py": ["test_a_foreign_tool_cannot_change_keys_patients_or_entries", "test_to_every_question",
                           "test_to_the_report_*", "test_after_a_rebuild_by_one_process_or_two",
                           "test_to_why_and_replay_of_every_episode", "test_the_reader_stops_with_a_plain_sentence",
                           "test_recording_to_it_stops_too"],
    "test_encryption_postgres.py": ["test_it_comes_to_the_same_as_a_plain_ledger_and_as_an_encrypted_file",
                                    "test_the_past_cannot_be_changed_not_even_by_its_owner",
                                    "test_nothing_of_a_patient_stands_in_any_table"],
    "test_contract.py": ["test_a_read_model_in_pieces_is_the_one_at_once"],
    "test_merkle.py": ["test_a_proof_leads_to_the_root_from_its_own_index_and_no_other",
                       "test_the_leaves_are_not_held"],
    "test_verify.py": ["test_an_untouched_ledger_always_holds",
                       "test_a_bit_in_the_middle_of_a_ledger_is_reported_at_its_entry",
                       "test_a_second_verifier_agrees_on_ledgers_in_files",
                       "test_every_single_bit_of_two_rows_is_reported",
                       "test_every_attack_is_reported_with_a_checkpoint_kept_outside",
                       "test_a_second_verifier_agrees_on_simulated_ledgers"],
    "test_forms.py": ["test_nine_digits_have_one_check_digit"],
    "test_answers.py": ["test_the_order_of_answers_does_not_matter"],
}  # fmt: skip
"""Of those files the tests that go many times where others go once: measuring them took two thirds of all measuring,
and found not one line or branch in five hundred more."""
ONE_OF = {"test_the_ledger_agrees": 8}
"""Tests of which one in so many is measured: of the scenarios most go the ways of their neighbours."""


def measured(item: pytest.Item) -> bool:
    """Whether coverage is measured while this test runs."""
    if item.get_closest_marker("process") is not None or not measured_by_file(item.path):
        return False
    name = getattr(item, "originalname", item.name)
    if any(fnmatch(name, dear) for dear in DEAR.get(item.path.name, ())):
        return False
    tried = getattr(item, "callspec", None)
    return tried is None or sum(tried.indices.values()) % ONE_OF.get(name, 1) == 0


@cache
def measured_by_file(path: Path) -> bool:
    """Whether it is of a file's tests, but for the dear ones and those of the tier ``process``."""
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
