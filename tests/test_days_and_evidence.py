"""The judge without a ledger file: every scenario again, with the causes and the step of each verdict."""

from __future__ import annotations

import pytest

from ledger.days import judge
from ledger.forms import parse_instant
from ledger.patients import by_episode, gather
from projections.load import book_known
from tests.harness import book_of, judge_entries, typed
from tests.scenario_language import STEP_OF, Scenario
from tests.test_scenarios import ALL, by_name, check, check_because


@pytest.mark.parametrize("scenario", by_name([s for s in ALL if s.derives]))
def test_the_judge_agrees(scenario: Scenario) -> None:
    known_at = parse_instant(scenario.known_at) if scenario.known_at else None
    entries, book = typed(scenario.accepted()), book_of(scenario.book)
    found = judge_entries(entries, book, known_at)
    check(scenario, found)
    check_because(scenario, found.days)
    for patient in gather(by_episode(entries), known_at):
        for case in judge(patient, book_known(book, known_at)):
            for verdict, _ in case.verdicts:
                if verdict.status != "conflict":
                    assert verdict.step == (STEP_OF[verdict.reason] if verdict.reason else 24), verdict
