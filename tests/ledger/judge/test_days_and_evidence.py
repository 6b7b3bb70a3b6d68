"""The judge without a ledger file: every scenario again, with the causes and the step of each verdict."""

from __future__ import annotations

import tracemalloc

import pytest

from ledger.facts.forms import parse_instant
from ledger.judge.patients import by_episode, gather
from ledger.judge.steps import judge
from projections.reading.as_known import book_known
from tests.harness import book_of, judge_entries, typed
from tests.scenario_checks import ALL, by_name, check, check_because
from tests.scenario_language import ALL_PASSED, STEP_OF, Scenario, scenario_of


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
                    assert verdict.step.number == (STEP_OF[verdict.reason] if verdict.reason else ALL_PASSED), verdict


def test_a_dosing_interval_of_a_year_takes_no_more_room_than_the_calendar() -> None:
    facts = """
    EP-1 TherapyOrdered order=RX-1 mode=intermittent from=2026-11-02 interval_hours=8784
    EP-1 DayServed order=RX-1 date=2026-11-02,2026-11-05
    """
    given = {"name": "an interval of a year", "terms": {"day_counting": "access"}, "facts": facts}
    scenario = scenario_of(given, "here")
    patients, book = gather(by_episode(typed(scenario.accepted()))), book_of(scenario.book)
    tracemalloc.start()
    try:
        (case,) = [case for patient in patients for case in judge(patient, book)]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [verdict.reason for verdict, days in case.verdicts if days] == ["interval_too_long"]
    assert peak < 1_000_000
