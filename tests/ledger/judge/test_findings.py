"""Finding rules: what a patient lacks, no rule is asked about."""

from __future__ import annotations

from random import Random

from ledger.judge.findings import RULES
from ledger.judge.patients import by_episode, gather
from ledger.judge.sightings import ANYTHING, PatientFile
from ledger.judge.steps import judge
from tests.harness import book_of, typed
from tests.histories import history

SEEDS = 150
OF_ANSWERS = ("acknowledgements", "postings")
"""What no random history has: its rules are tried in ``test_answers``."""


def test_a_rule_that_is_not_asked_would_have_seen_nothing() -> None:
    asked, spared = set[str](), set[str]()
    for seed in range(SEEDS):
        entries, tables = history(Random(seed))
        for patient in gather(by_episode(typed(entries))):
            file = PatientFile(judge(patient, book_of(tables)))
            for rule in RULES:
                if rule.needs in file.has:
                    asked.add(rule.name)
                else:
                    spared.add(rule.name)
                    assert not list(rule.see(file)), rule.name
    assert asked == {rule.name for rule in RULES if rule.needs not in OF_ANSWERS}
    assert spared == {rule.name for rule in RULES if rule.needs != ANYTHING}
