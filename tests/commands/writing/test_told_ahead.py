"""A fact looks back: what has not happened yet is refused (rulebook section 2, Told ahead)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from commands.writing.ahead import LOOKS_BACK
from commands.writing.decide import Accepted, Refused
from ledger.facts.events import Event
from tests.desk import NIGHT as NOW
from tests.desk import Desk, code, desk, told
from tests.intake_samples import CLAIM_LINE, FACTS, required

TODAY, TOMORROW = "2026-11-20", "2026-11-21"
AN_HOUR_ON, MORE = "2026-11-21T06:30:00Z", "2026-11-21T06:30:00.000001Z"


def dated(name: str, on: str) -> dict[str, Any]:
    fields = {"to": {"from": "2026-11-01", "to": on}, "at": {"at": on}, "date": {"date": on},
              "signed_on": {"signed_on": on}, "sent_on": {"sent_on": on}}  # fmt: skip
    kind = next(kind for kind in LOOKS_BACK if kind.__name__ == name)
    return required(name, **fields[LOOKS_BACK[kind]])


DATED = sorted(kind.__name__ for kind in LOOKS_BACK if kind.__name__ != "InfusionLogged")
BY_INSTANT = {
    "InfusionLogged": {"started_at": "2026-11-20T00:00Z", "stopped_at": ...},
    "HospitalAdmitted": {"at": ...},
    "HospitalDischarged": {"at": ...},
}


def at_instant(name: str, instant: str) -> dict[str, Any]:
    return required(name, **{key: instant if value is ... else value for key, value in BY_INSTANT[name].items()})


def test_these_facts_look_back_and_no_others() -> None:
    assert set(DATED) == {
        "DayServed", "DaysServed", "NursingVisited", "SupplyDispensed", "DrugDispensed", "PainAssessed",
        "ResponseNoted", "CoordinationNoted", "PatientDied", "HospitalAdmitted", "HospitalDischarged", "TherapyResumed",
        "TherapyOrdered", "PlanSigned", "ClaimSubmitted",
    }  # fmt: skip


@pytest.mark.parametrize("name", DATED)
def test_a_date_has_come_by_the_episodes_own_calendar(name: str) -> None:
    assert code(desk(), dated(name, TODAY)) is None
    assert code(desk(), dated(name, TOMORROW)) == "told_ahead"
    assert code(desk("Pacific/Kiritimati"), dated(name, TOMORROW)) is None
    assert code(desk("Pacific/Kiritimati"), dated(name, "2026-11-22")) == "told_ahead"


@pytest.mark.parametrize("name", BY_INSTANT)
def test_an_instant_may_be_an_hour_ahead_and_no_more(name: str) -> None:
    assert code(desk(), at_instant(name, AN_HOUR_ON)) is None
    assert code(desk(), at_instant(name, "2026-11-21T00:30:00-06:00")) is None
    assert code(desk(), at_instant(name, MORE)) == "told_ahead"


@pytest.mark.parametrize("name", DATED)
def test_a_correction_that_carries_one_is_refused_as_well(name: str) -> None:
    made = desk()
    assert code(made, required("ResponseNoted"), "r-1") is None
    naming = {"target_source": "pharmacy", "target_id": "r-1"}
    ahead = made.tell(told(required("FactCorrected", **naming, fact=dated(name, TOMORROW)), "c-1"), NOW)
    assert isinstance(ahead, Refused)
    assert ahead.message.startswith(f"line 7: fact.fact.{LOOKS_BACK[type_of(name)]}: expected a date that has come")
    assert code(made, required("FactCorrected", **naming, fact=dated(name, TODAY)), "c-2") is None


def type_of(name: str) -> type[Event]:
    return next(kind for kind in LOOKS_BACK if kind.__name__ == name)  # type: ignore[return-value]


PLANNED = [
    required("TherapyOrdered", **{"from": "2027-01-01", "to": "2027-12-31"}),
    required("TherapyStopped", date="2027-01-01"),
    required("TherapyHeld", **{"from": "2027-01-01"}),
    required("Discharged", date="2027-01-01"),
    required("PlanSigned", signed_on=TODAY, **{"from": "2027-01-01", "to": "2027-03-01"}),
    required("CoverageVerified", **{"from": "2027-01-01", "to": "2027-12-31"}),
    required("CoverageEnded", last_date="2027-12-31"),
    required("AuthorizationGranted", **{"from": "2027-01-01", "to": "2027-12-31"}),
    required("TherapyRanked", **{"from": "2027-01-01"}),
    required("ProviderChanged", **{"from": "2027-01-01"}),
    required("DiagnosisRecorded", **{"from": "2027-01-01"}),
    required("HospiceElected", **{"from": "2027-01-01"}),
    required("FacilityStayed", **{"from": "2027-01-01"}),
    required("ClaimSubmitted", lines=[{**CLAIM_LINE, "from": "2027-01-01", "to": "2027-01-02", "units": 2}]),
    required("ConflictResolved", date="2027-01-01"),
    required("DrugBilledSeparately", **{"from": "2027-01-01"}),
    required("ServiceBilledSeparately", **{"from": "2027-01-01"}),
    required("DrugAdministered", **{"from": "2027-01-01"}),
    required("ClaimAcknowledged", date="2027-01-01"),
    required("RemittancePosted", paid_on="2027-01-01"),
    required("AppealFiled", date="2027-01-01"),
    required("RefundSent", date="2027-01-01"),
    required("WrittenOff", date="2027-01-01"),
]
SAYS_WHO = {"PatientIdentified", "SubscriberIdentified"}
"""What says who somebody is looks neither back nor ahead; their dates are no service dates."""


@pytest.mark.parametrize("fact", PLANNED, ids=lambda fact: fact["type"])
def test_what_is_planned_or_decided_may_lie_ahead(fact: dict[str, Any]) -> None:
    assert code(desk(), fact) is None


def test_every_fact_is_judged_one_way_or_the_other() -> None:
    without_a_date = {"EpisodeOpened", "EpisodeVoided", "FactRetracted", "FactCorrected", *SAYS_WHO}
    assert {fact["type"] for fact in PLANNED} | {*DATED, *BY_INSTANT} | without_a_date == FACTS.keys()


def test_the_same_line_is_taken_once_it_has_happened() -> None:
    made = desk()
    served = required("DayServed", date=TOMORROW)
    assert code(made, served) == "told_ahead"
    assert code(made, served, now=NOW + timedelta(minutes=29)) == "told_ahead"
    assert code(made, served, now=NOW + timedelta(minutes=30)) is None


def test_a_span_of_days_is_taken_when_its_last_has_come() -> None:
    span = required("DaysServed", **{"from": "2026-11-10", "to": "2026-11-30"})
    decision = desk().tell(told(span), NOW)
    assert isinstance(decision, Refused)
    assert decision.message == (
        "line 7: fact.to: expected a date that has come, not after the day on which it is recorded in the episode's"
        " time zone. Send it again when the last of these days has come."
    )


def test_history_that_is_brought_over_is_held_to_its_own_recorded_at() -> None:
    made = desk(keep=True)
    served = required("DayServed", date=TOMORROW)
    decision = made.tell(told(served, recorded_at="2026-11-21T05:45:00Z"), NOW + timedelta(days=30))
    assert isinstance(decision, Refused)
    assert decision.code == "told_ahead"
    assert decision.message.endswith("Send it again when it has happened, with a recorded_at from then on.")
    assert code(made, served, now=NOW + timedelta(days=30), recorded_at="2026-11-21T06:00:00Z") is None


def test_an_entry_takes_the_later_of_our_clock_and_the_episodes_last_time() -> None:
    """A clock that was set back does not refuse what happened before the episode's last entry."""
    made = desk()
    assert code(made, required("DayServed", date=TODAY), now=NOW - timedelta(days=2)) is None


@pytest.mark.parametrize("retracted", [False, True])
def test_the_zone_is_that_of_the_opening_that_stands(retracted: bool) -> None:
    made = desk()
    moved = required("EpisodeOpened", zone="Pacific/Kiritimati")
    corrected = required("FactCorrected", target_id="o-1", fact=moved)
    assert code(made, corrected, "c-1") is None
    if retracted:
        assert code(made, required("FactRetracted", target_id="c-1"), "x-1") is None
    assert code(made, required("DayServed", date=TOMORROW)) == ("told_ahead" if retracted else None)


def test_it_is_judged_after_the_time_and_before_the_target() -> None:
    made = desk(keep=True)
    served = required("DayServed", date="2027-01-01")
    assert code(made, served, now=NOW - timedelta(hours=1), recorded_at="2026-11-21T05:30:00Z") == "clock_future"
    assert code(made, served, recorded_at="2026-11-20T05:30:00Z") == "clock_backwards"
    assert code(made, required("FactCorrected", target_id="none", fact=served)) == "told_ahead"
    assert code(made, required("FactCorrected", target_id="none", fact=required("DayServed"))) == "no_target"
    assert code(desk(), served, recorded_at="2026-11-21T05:30:00Z") == "recorded_at_not_allowed"


def test_what_stands_in_the_ledger_is_a_duplicate_however_far_ahead_it_was() -> None:
    made = desk()
    served = told(required("DayServed", date="2098-01-01"))
    assert isinstance(made.tell(served, NOW + timedelta(days=365 * 80)), Accepted)
    made.head.last_recorded_at = NOW
    assert not isinstance(made.tell(served, NOW), Refused)


def test_the_hour_before_the_clocks_go_back_counts_once() -> None:
    """2026-11-01 in Chicago is 25 hours long: the day ends at 06:00 UTC of the 2nd."""
    fact = required("DayServed", date="2026-11-02")
    made = Desk()
    made.tell(told(required("EpisodeOpened"), "o-1"), datetime(2026, 11, 1, tzinfo=UTC))
    assert code(made, fact, now=datetime(2026, 11, 2, 5, 59, 59, tzinfo=UTC)) == "told_ahead"
    assert code(made, fact, now=datetime(2026, 11, 2, 6, tzinfo=UTC)) is None
