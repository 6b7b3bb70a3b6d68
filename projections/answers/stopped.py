"""The dates of an episode that go on no claim, whatever they are worth: a hard finding touches them, another claim of
the patient's asks for them, or they were paid on a claim that was turned back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.judge.answers import rejected_claims
from ledger.judge.case import Case
from ledger.judge.claims import claimed_lines
from ledger.judge.episode import Episode
from ledger.judge.findings import Finding
from ledger.judge.paid import paid_days
from projections.reading.as_known import JudgedPatient

ON_ANOTHER: Final = "on_another"
PAID_ALREADY: Final = "paid_already"
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
    """Each date that is stopped with what stops it: the first hard finding's rule, ``ON_ANOTHER`` or
    ``PAID_ALREADY``."""
    name, stopped = case.episode.name, dict[int, str]()
    for found in findings:
        if found.level == "hard" and found.rule not in OF_ANSWERS and name in found.episodes:
            for day in found.dates:
                stopped.setdefault(day, found.rule)
    for other in judged.others(case):
        for line in claimed_lines(other.episode):
            if line.is_per_diem:
                stopped |= dict.fromkeys(range(line.from_, line.to + 1), ON_ANOTHER)
    return stopped | dict.fromkeys(_paid_all_the_same(case.episode), PAID_ALREADY)


def _paid_all_the_same(episode: Episode) -> list[int]:
    """The dates for which there is money on a claim that was turned back: asked for anew, they would be paid twice."""
    if not (back := rejected_claims(episode)):  # most
        return []
    return [day.date for day in paid_days(episode) if day.claim in back and day.is_per_diem and day.paid_cents > 0]
