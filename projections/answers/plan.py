"""Claims that are not as they should be, and what is to be done about each, as it is shown."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ledger.judge.case import Case
from ledger.judge.findings import find
from projections.answers.claim_list import ClaimStanding
from projections.answers.instruments import Decision, Instrument, decide_claims, today_of
from projections.answers.stopped import stopped_days
from projections.reading.as_known import JudgedPatient
from projections.words import iso


class PlanRow(Struct, frozen=True):
    """A claim that is not as it should be, and what is to be done: for how much money, in cents, and by when."""

    claim: str
    instrument: Instrument
    cents: int
    by: str | None
    episode: str
    payer: str
    state: ClaimStanding
    why: str


def plan_of(judged: JudgedPatient, case: Case, now: datetime) -> list[PlanRow]:
    """What is to be done about the claims of one judged episode at an instant, today being the patient's date."""
    stopped = stopped_days(judged, case, find(judged.cases))
    return [_row(case, decision) for decision in decide_claims(case, stopped, today_of(case, now)).found]


def _row(case: Case, decision: Decision) -> PlanRow:
    fact, by = decision.claim.fact, decision.by
    told = None if by is None else iso(by.toordinal())
    return PlanRow(
        fact.claim, decision.instrument, decision.cents, told, case.episode.name, fact.payer, decision.state,
        decision.why,
    )  # fmt: skip
