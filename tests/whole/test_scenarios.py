"""The scenario files of ``tests/scenarios``, each through the plain model and through the ledger itself."""

from __future__ import annotations

from collections import Counter

import pytest

from tests import harness, plain_model
from tests.scenario_checks import (
    ALL,
    by_name,
    check,
    check_because,
    check_outcomes,
)
from tests.scenario_language import STEP_OF, Scenario


@pytest.mark.parametrize("scenario", by_name([s for s in ALL if s.derives]))
def test_the_plain_model_agrees(scenario: Scenario) -> None:
    """The oracle, told what the ledger accepts, derives what the scenario says."""
    check(scenario, plain_model.derive(scenario.accepted(), scenario.book, scenario.known_at))


@pytest.mark.parametrize("scenario", by_name(ALL))
def test_the_ledger_agrees(scenario: Scenario) -> None:
    """The ledger, told everything, answers each line and derives what the scenario says."""
    found = harness.derive(
        scenario.entries, scenario.book, scenario.known_at, keep_recorded_at=scenario.keep_recorded_at
    )
    check_outcomes(scenario, found.outcomes)
    check(scenario, found)
    check_because(scenario, found.days)


def test_every_scenario_has_a_sentence_of_its_own() -> None:
    """No two scenarios of a file share a name, and each expects something."""
    names = Counter(scenario.id for scenario in ALL)
    assert [name for name, count in names.items() if count > 1] == []
    for scenario in ALL:
        expectations = (scenario.days, scenario.findings, scenario.lines, scenario.outcomes)
        assert any(expected is not None for expected in expectations), scenario.id


def test_every_reason_is_met() -> None:
    """Some scenario ends in each reason of the rulebook."""
    met = {expected["reason"] for scenario in ALL for expected in (scenario.days or {}).values()}
    assert met == {None, *STEP_OF}
