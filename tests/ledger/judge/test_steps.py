"""The table of steps is the rulebook's, and whoever speaks of steps speaks of each of them."""

from __future__ import annotations

from itertools import combinations, product

import pytest

from ledger.book import PER_DIEM_CODES
from ledger.judge.clash import RULES, name_of_conflict, rule_between
from ledger.judge.rule import Step
from ledger.judge.steps import CLASH, PASSED, SEVERAL_CODES, STEPS
from projections.why.cures import CURES
from projections.why.moves import MOVES, NO_MOVE
from projections.why.sentences import SENTENCES
from projections.why.steps import ASKED
from tests.scenario_language import STEPS as RULEBOOK

by_name = pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)


def test_the_steps_are_the_rulebooks_in_its_order() -> None:
    assert [[verdict.words for verdict in step.verdicts.values()] for step in STEPS] == RULEBOOK
    assert [step.number for step in (*STEPS, PASSED)] == list(range(1, len(RULEBOOK) + 2))


def test_each_step_has_a_name_of_its_own() -> None:
    assert len({step.name for step in (*STEPS, PASSED)}) == len(STEPS) + 1


def test_a_verdict_names_what_the_steps_before_its_own_establish() -> None:
    known: list[str] = []
    for step in (*STEPS, PASSED):
        for verdict in step.verdicts.values():
            assert verdict.step is step
            assert (verdict.names_payer, verdict.names_terms, verdict.names_code, verdict.is_billable) == (
                "payer" in known, "terms" in known, "code" in known, step is PASSED,
            )  # fmt: skip
        known += [step.establishes] if step.establishes else []
    assert known == ["payer", "terms", "code"]


def test_a_conflict_is_any_that_two_per_diems_can_give() -> None:
    within = {name_of_conflict(pair) for pair in combinations(PER_DIEM_CODES, 2)}
    beside = {rule_between(*pair) for pair in product(PER_DIEM_CODES, repeat=2)}
    assert list(SEVERAL_CODES.verdicts) == [rule for rule in RULES if rule in within]
    assert list(CLASH.verdicts) == [rule for rule in RULES if rule in beside]


def test_every_verdict_has_a_sentence() -> None:
    assert SENTENCES.keys() == {verdict.words for step in (*STEPS, PASSED) for verdict in step.verdicts.values()}


def test_every_hold_has_a_cure() -> None:
    holds = {verdict for step in STEPS for verdict in step.verdicts.values() if verdict.status == "hold"}
    assert CURES.keys() == {verdict.reason for verdict in holds}
    assert all(SENTENCES[verdict.words].cure for verdict in holds)


def test_every_step_is_asked_in_a_persons_words() -> None:
    assert ASKED.keys() == set(STEPS)


@by_name
def test_a_step_has_a_move_that_cures_it_or_a_reason_why_none_does(step: Step) -> None:
    cured = any(step in move.cures for move in MOVES)
    assert cured != (step in NO_MOVE)
