"""The dates of an episode that go on no claim, whatever they are worth: a hard finding touches them, or another claim
of the patient's asks for them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.judge.case import Case
from ledger.judge.claims import claimed_lines
from ledger.judge.findings import Finding
from projections.reading.as_known import JudgedPatient

ON_ANOTHER: Final = "on_another"
OF_ANSWERS: Final = frozenset({"remittance_unbalanced", "code_changed", "paid_not_claimed", "claim_rejected"})
"""Hard findings about what came back: they stop no day that is free, and a rejected claim's days go out again."""
PUT_RIGHT: Final = frozenset(
    {
        "claimed_not_billable", "claimed_before_signature", "claimed_ahead", "claimed_twice", "claim_units",
        "replaces_unknown", "number_reused",
    }
)  # fmt: skip
"""Hard findings about what was claimed: they are what a correction puts right."""


def stopped_days(judged: JudgedPatient, case: Case, findings: Iterable[Finding]) -> dict[int, str]:
    """Each date that is stopped with what stops it: the first hard finding's rule, or ``ON_ANOTHER``."""
    name, stopped = case.episode.name, dict[int, str]()
    for found in findings:
        if found.level == "hard" and found.rule not in OF_ANSWERS and name in found.episodes:
            for day in found.dates:
                stopped.setdefault(day, found.rule)
    for other in judged.others(case):
        for line in claimed_lines(other.episode):
            if line.is_per_diem:
                stopped |= dict.fromkeys(range(line.from_, line.to + 1), ON_ANOTHER)
    return stopped
