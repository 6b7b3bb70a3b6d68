"""What ``why`` says of signatures, numbers by date, joined stays, providers, ranks, and of what was taken back."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.judge import steps
from projections.why.text import render_why
from projections.why.why import Why
from tests.histories import NORTHSIDE, STRANGER
from tests.stories import (
    ACCESS,
    COVERED,
    ORDER,
    UNITS,
    UNSIGNED,
    Story,
    asked,
    book_with,
    fact,
    shown,
    story_of,
)

DAY = "2026-02-03"


def turned(answer: Why) -> str:
    """What would turn the day; it really does."""
    assert answer.flip is not None
    assert answer.flip.flips, answer.flip
    assert str(answer.flip.verdict).startswith("billable")
    return answer.flip.sentence


def because(answer: Why) -> list[str]:
    assert answer.verdict is not None
    return list(answer.verdict.because)


def reason(answer: Why) -> str | None:
    assert answer.verdict is not None
    return answer.verdict.reason


def retracted(story: Story, target: str, why_: str = "pump was off", id_: str = "undo") -> Story:
    return story.tell(id_, "FactRetracted", target_source="chart", target_id=target, reason=why_)


def corrected(story: Story, target: str, right: dict[str, Any], id_: str = "fix", episode: str = "EP-1") -> Story:
    return story.tell(
        id_, "FactCorrected", episode, target_source="chart", target_id=target, reason="misread", fact=right
    )


RETRACTED = [
    ("cov", "CoverageVerified", "coverage_unverified", "2026-02-01 10:00"),
    ("day-03", "DayServed", "not_served", "2026-02-01 15:00"),
    ("rx", "TherapyOrdered", "no_order", "2026-02-01 11:00"),
    ("dx", "DiagnosisRecorded", "no_diagnosis", "2026-02-01 12:00"),
    ("plan", "PlanSigned", "plan_missing", "2026-02-01 14:00"),
    ("pain", "PainAssessed", "pain_assessment_overdue", "2026-02-01 13:00"),
]


@pytest.mark.parametrize(("target", "type_", "verdict", "recorded_at"), RETRACTED)
def test_a_day_lost_by_a_retraction_says_who_took_its_record_back_when_and_why(
    target: str, type_: str, verdict: str, recorded_at: str
) -> None:
    answer = asked(retracted(story_of(), target))
    assert reason(answer) == verdict
    assert f"rn-1 retracted chart:{target} ({type_}) on 2026-02-01 17:00 UTC (chart:undo): pump was off." in (
        answer.sentence
    )
    assert because(answer)[-1] == "chart:undo"
    failed = next(step for step in answer.steps if step.result == "failed")
    assert failed.evidence[-1].says == f"retracts chart:{target}: pump was off"
    assert turned(answer) == (
        f"Retract chart:undo, by which rn-1 retracted chart:{target} ({type_}) on 2026-02-01 17:00 UTC, "
        "if that was wrong."
    )
    assert recorded_at


def test_a_retraction_that_was_retracted_took_nothing_away() -> None:
    answer = asked(retracted(retracted(story_of(), "day-03"), "undo", "it was on", "redo"))
    assert (reason(answer), because(answer)) == (None, ["chart:day-03"])


def test_a_day_corrected_away_names_the_correction() -> None:
    answer = asked(corrected(story_of(), "day-03", fact("DayServed", order="RX", date="2026-02-02")))
    assert (reason(answer), because(answer)) == ("not_served", ["chart:fix"])
    assert "rn-1 corrected chart:day-03 (DayServed) on 2026-02-01 17:00 UTC (chart:fix): misread." in answer.sentence
    assert turned(answer).startswith("Retract chart:fix, by which rn-1 corrected chart:day-03 (DayServed)")


def test_a_day_that_is_served_by_another_record_lost_nothing() -> None:
    story = story_of(fact("DayServed", order="RX", date=DAY))
    assert because(asked(retracted(story, "day-03"))) == ["chart:more-0"]


def test_what_a_colleague_denied_twice_is_not_proposed_anew() -> None:
    story = corrected(story_of(), "day-03", fact("DayServed", order="RX", date="2026-02-02"))
    answer = asked(retracted(story, "day-03"))
    assert because(answer) == ["chart:fix", "chart:undo"]
    assert answer.flip is not None
    assert (answer.flip.flips, answer.flip.type) == (False, None)


def test_a_resumption_withdrawn_is_a_cause_of_the_held_day() -> None:
    held = fact("TherapyHeld", hold="H", from_="2026-02-01")
    story = story_of(held, fact("TherapyResumed", hold="H", date="2026-02-02"))
    answer = asked(retracted(story, "more-1", "not yet home"))
    assert (reason(answer), because(answer)) == ("held", ["chart:more-0", "chart:undo"])
    assert "rn-1 retracted chart:more-1 (TherapyResumed) on 2026-02-01 19:00 UTC (chart:undo): not yet home." in (
        answer.sentence
    )
    assert turned(answer).startswith("Retract chart:undo")


def test_a_homecoming_taken_back_is_a_cause_of_the_inpatient_day() -> None:
    story = story_of(
        fact("HospitalAdmitted", stay="S", at="2026-01-20T15:00:00Z"),
        fact("HospitalDischarged", stay="S", at="2026-01-31T15:00:00Z"),
    )
    answer = asked(corrected(story, "more-1", fact("HospitalDischarged", stay="S", at="2026-02-06T15:00:00Z")))
    assert (reason(answer), because(answer)) == ("inpatient", ["chart:more-0", "chart:fix"])
    assert turned(answer).startswith("Retract chart:fix")


def test_a_decision_taken_back_is_a_cause_of_the_conflict_it_settled() -> None:
    other = ORDER | {"order": "RY", "mode": "intermittent"}
    story = story_of(
        other,
        fact("DayServed", order="RY", date=DAY),
        fact("ConflictResolved", date=DAY, bill="S9327", reason="by the pump"),
    )
    book = book_with(pain_code="specific", rate_cents={"S9326": 9000, "S9327": 8000})
    assert asked(story, book=book).verdict.code == "S9327"  # type: ignore[union-attr]
    answer = asked(retracted(story, "more-2"), book=book)
    assert (reason(answer), because(answer)[-1]) == ("specific_pair", "chart:undo")
    assert turned(answer).startswith("Retract chart:undo, by which rn-1 retracted chart:more-2 (ConflictResolved)")


def test_an_order_that_was_signed_before_a_correction_is_told_so() -> None:
    answer = asked(corrected(story_of(), "rx", UNSIGNED))
    assert (reason(answer), because(answer)) == ("order_unsigned", ["chart:fix", "chart:day-03"])
    assert turned(answer).startswith("Retract chart:fix, by which rn-1 corrected chart:rx (TherapyOrdered)")


def test_a_date_whose_only_record_was_taken_back_is_no_day_and_says_why() -> None:
    story = retracted(story_of(), "day-04")
    answer = asked(story, "2026-02-04")
    assert answer.verdict is None
    assert answer.sentence == (
        "2026-02-04 is no day of EP-1: its first is 2026-02-01, its last is 2026-02-03. rn-1 retracted chart:day-04 "
        "(DayServed) on 2026-02-01 17:00 UTC (chart:undo): pump was off."
    )


def test_a_voided_episode_says_who_voided_it() -> None:
    answer = asked(story_of().tell("void", "EpisodeVoided", reason="wrong patient"))
    assert answer.sentence == (
        "EP-1 was opened in error and has no days: rn-1 voided it on 2026-02-01 17:00 UTC (chart:void)."
    )


def test_an_order_signed_after_the_day_is_held_where_signatures_come_first() -> None:
    late = ORDER | {"was": "rx", "signed_on": "2026-02-05"}
    answer = asked(story_of(late), book=book_with(order_signature="before_service"))
    assert answer.sentence == (
        "2026-02-03 of EP-1 is on hold: order RX was signed on 2026-02-05 only. Have the order signed, and correct its "
        "record with the date it was signed on."
    )
    assert turned(answer) == (
        "Correct chart:rx (TherapyOrdered): order RX was signed on or before 2026-02-03, if that is so."
    )
    assert asked(story_of(late)).verdict.status == "billable"  # type: ignore[union-attr]


def test_an_unsigned_order_is_not_asked_about_where_no_signature_is_wanted() -> None:
    answer = asked(story_of(UNSIGNED | {"was": "rx"}), book=book_with(order_signature="none"))
    assert shown(answer, steps.ORDER_UNSIGNED).result == "not_asked"


def test_service_of_an_unknown_order_names_the_nearest_known_one() -> None:
    story = story_of(fact("DayServed", order="RX-1", date=DAY) | {"was": "day-03"})
    answer = asked(story)
    assert answer.sentence == (
        "2026-02-03 of EP-1 is on hold: the service names order RX-1, which is not recorded (the nearest recorded "
        "number is RX). Correct the number, or record the order if the number is right."
    )
    assert turned(answer) == "Correct chart:day-03 (DayServed): it was of order RX, if that is so."


def test_a_renewed_order_counts_as_told_for_the_day() -> None:
    renewed = ORDER | {"from": "2026-02-04", "interval_hours": 48}
    answer = asked(story_of(ORDER | {"was": "rx", "to": "2026-02-03"}, renewed), "2026-02-04")
    assert shown(answer, steps.INTERVAL_TOO_LONG).says == "a dose every 48 hours, at most 72 apart"
    assert [entry.label for entry in shown(answer, steps.NO_ORDER).evidence] == ["chart:more-1"]


def test_the_course_of_therapy_says_from_when_it_goes_on() -> None:
    book = book_with(day_counting="course", course_gap_days=14)
    answer = asked(story_of({"was": "day-04"}, fact("TherapyStopped", order="RX", date="2026-02-28")), "2026-02-08",
                   book=book)  # fmt: skip
    assert answer.sentence.endswith("because the course of therapy goes on from 2026-02-03.")
    assert shown(answer, steps.NOT_SERVED).says == "served (payer counts the course of therapy)"
    late = asked(story_of(fact("TherapyStopped", order="RX", date="2026-02-28")), "2026-02-27", book=book)
    assert "no day served within 14 days before it carries the course of therapy to that day" in late.sentence


def test_a_plan_that_runs_longer_than_the_payer_lets_it_says_so() -> None:
    answer = asked(story_of(), book=book_with(plan_max_days=2))
    assert answer.sentence == (
        "2026-02-03 of EP-1 is on hold: the plan of treatment began on 2026-02-01 and Prairie Blue (example) lets one "
        "run for 2 days. Get a signed plan of treatment that covers it and record it."
    )
    assert turned(answer) == "Sign a plan of treatment that covers 2026-02-03, on or before that day."


def test_a_third_therapy_that_the_payer_does_not_pay_for_is_ranked_higher() -> None:
    story = story_of(fact("TherapyRanked", from_="2026-02-01", to="2026-02-10", rank=3))
    book = book_with(concurrent_percent=(100, 50, 0))
    answer = asked(story, book=book)
    assert answer.sentence == (
        "2026-02-03 of EP-1 is not billable: pain was infusion therapy number 3 of that day, and Prairie Blue "
        "(example) pays nothing for it."
    )
    assert because(answer)[0] == "chart:more-0"
    assert turned(answer) == (
        "Correct chart:more-0 (TherapyRanked): pain was therapy number 2 of the day, if that is so."
    )
    second = asked(story_of(fact("TherapyRanked", from_="2026-02-01", rank=2)), book=book)
    assert shown(second, steps.NO_RATE).says == (
        "S9325 at 45.00 dollars a day (90.00 dollars, less as infusion therapy number 2)"
    )
    assert second.terms is not None
    assert second.terms.rate_cents == 9000


def test_the_place_named_for_the_day_is_corrected_where_it_was_named() -> None:
    answer = asked(story_of(fact("DayServed", order="RX", date=DAY, place_of_service="99") | {"was": "day-03"}))
    assert answer.sentence == (
        "2026-02-03 of EP-1 is not billable: Prairie Blue (example) does not pay at place of service 99."
    )
    assert because(answer) == ["chart:day-03"]
    assert turned(answer) == "Correct chart:day-03 (DayServed): the place of service is 12, if that is so."


def test_a_change_to_a_provider_without_an_agreement_is_told_by_its_name() -> None:
    told = fact("ProviderChanged", provider=STRANGER, from_="2026-02-02")
    answer = asked(story_of(COVERED | {"payer": "example-health"}, told))
    assert "is on hold: provider 1245319599 has no agreement with Example Health" in answer.sentence
    assert because(answer)[0] == "chart:more-1"
    assert turned(answer).startswith("Put a signed agreement of provider 1245319599 with Example Health")
    assert answer.flip is not None
    assert answer.flip.fact is None
    before = asked(story_of(told, COVERED | {"payer": "example-health"}), "2026-02-01")
    assert before.verdict is not None
    assert before.verdict.provider == NORTHSIDE


def test_an_agreement_that_does_not_suffice_is_named_first_of_all() -> None:
    answer = asked(story_of(COVERED | {"payer": "harbor-trust"}, {"was": "plan"}))
    assert answer.flip is not None
    assert answer.flip.sentence.startswith(
        "No single change of those tried makes this day billable. First of all: Put a signed agreement of Northside"
    )


def moved(*more: dict[str, Any]) -> Story:
    """In hospital A from 3 to 6 February, in B from the 6th to the 10th."""
    return story_of(
        fact("HospitalAdmitted", stay="A", at="2026-02-03T21:00:00Z"),
        fact("HospitalDischarged", stay="A", at="2026-02-06T16:00:00Z"),
        fact("HospitalAdmitted", stay="B", at="2026-02-06T17:00:00Z"),
        fact("HospitalDischarged", stay="B", at="2026-02-10T16:00:00Z"),
        fact("DayServed", order="RX", date="2026-02-06"),
        fact("DayServed", order="RX", date="2026-02-11"),
        *more,
    )


def test_a_day_of_a_transfer_names_both_hospitals() -> None:
    answer = asked(moved(), "2026-02-06")
    assert answer.sentence == (
        "2026-02-06 of EP-1 is not billable: the patient was in hospital, from 2026-02-03 to 2026-02-10 "
        "(stays A and B)."
    )
    assert because(answer) == ["chart:more-0", "chart:more-2"]


def test_a_day_in_the_first_of_two_hospitals_is_turned_by_its_own_discharge() -> None:
    story = moved({"was": "day-04"}, fact("DayServed", order="RX", date="2026-02-05"))
    assert turned(asked(story, "2026-02-05")) == (
        "Correct chart:more-1 (HospitalDischarged): the patient came home from stay A on 2026-02-05, if that is so."
    )


def test_a_stay_by_date_is_told_by_its_dates() -> None:
    story = story_of(fact("HospitalAdmitted", stay="A", at="2026-02-02"), fact("HospitalDischarged", stay="A",
                                                                               at="2026-02-08"))  # fmt: skip
    answer = asked(story)
    assert "in hospital, from 2026-02-02 to 2026-02-08 (stay A)" in answer.sentence
    assert turned(answer).endswith("the patient came home from stay A on 2026-02-03, if that is so.")


@pytest.mark.parametrize("day", ["2026-02-04", "2026-02-05", "2026-02-07"])
def test_no_homecoming_on_another_date_is_proposed_beside_an_unmatched_one(day: str) -> None:
    story = story_of(
        fact("HospitalAdmitted", stay="PV1-aaa", at="2026-02-02T21:00:00Z"),
        fact("HospitalDischarged", stay="PV1-bbb", at="2026-02-05T16:00:00Z"),
        fact("DayServed", order="RX", date="2026-02-05"), fact("DayServed", order="RX", date="2026-02-07"),
    )  # fmt: skip
    answer = asked(story, day)
    assert "chart:more-1 records a discharge on 2026-02-05, but under a stay that has no admission" in answer.sentence
    if day == "2026-02-04":
        assert turned(answer) == "Retract chart:more-0 (HospitalAdmitted), if it never happened."
    else:
        assert turned(answer) == (
            "Correct chart:more-1 (HospitalDischarged): it was the discharge from stay PV1-aaa, if that is so."
        )


def test_a_hold_that_was_resumed_later_has_its_resumption_corrected() -> None:
    story = story_of(
        fact("TherapyHeld", hold="H", from_="2026-02-01"), fact("TherapyResumed", hold="H", date="2026-02-04")
    )
    assert turned(asked(story)) == (
        "Correct chart:more-1 (TherapyResumed): hold H was resumed on 2026-02-03, if that is so."
    )


def test_an_authorization_recorded_in_another_episode_is_evidence_and_is_raised() -> None:
    story = story_of(COVERED | {"payer": "cascade-medicaid"}).opened("EP-2").tell("auth", **_units("EP-2"))
    answer = asked(story)
    (drawn,) = shown(answer, steps.AUTHORIZATION).evidence
    assert (drawn.episode, drawn.label) == ("EP-2", "chart:auth")
    assert shown(answer, steps.AUTHORIZATION).says == "one unit of N1"
    used_up = asked(story, "2026-02-04")
    assert (reason(used_up), because(used_up)) == ("auth_exhausted", ["chart:auth"])
    assert turned(used_up) == "Have authorization N1 raised from 1 to 2 units."


def _units(episode: str) -> dict[str, Any]:
    told = {name: value for name, value in UNITS.items() if name not in ("type", "from")}
    return {"type_": "AuthorizationGranted", "episode": episode, "from_": UNITS["from"], **told}


def test_as_many_units_are_asked_for_as_days_are_short() -> None:
    days = [fact("DayServed", order="RX", date=f"2026-02-{day:02d}") for day in (1, 2)]
    answer = asked(story_of(COVERED | {"payer": "cascade-medicaid"}, UNITS, *days), "2026-02-04")
    assert turned(answer) == "Have authorization N1 raised from 1 to 4 units."


def test_a_decision_that_changes_nothing_is_told_as_one() -> None:
    decided = fact("ConflictResolved", date=DAY, bill="S9326", reason="by the pump")
    answer = asked(story_of(decided))
    assert answer.sentence.endswith(
        "The decision to bill S9326 (chart:more-0, by rn-1) changes nothing on this date; check its date and code."
    )
    step = shown(answer, steps.CONFLICT_RESOLVED)
    assert step.says == "rn-1 decided to bill S9326, which changes nothing"
    assert [entry.label for entry in step.evidence] == ["chart:more-0"]
    elsewhere = asked(story_of(decided | {"date": "2026-03-01"}), "2026-03-01")
    assert elsewhere.sentence.startswith("2026-03-01 is no day of EP-1")
    assert "The decision to bill S9326 (chart:more-0, by rn-1) changes nothing on this date" in elsewhere.sentence


def test_another_providers_service_says_what_has_to_be_true() -> None:
    billed = fact("ServiceBilledSeparately", code="S9325", from_=DAY, billed_by=STRANGER)
    answer = asked(story_of(billed))
    assert answer.sentence == (
        "2026-02-03 of EP-1 is in conflict: another provider billed S9325 for the patient on this day, too. Bill it "
        "only if provider 1245319599 did not provide S9325 that day; otherwise decide to bill nothing here."
    )
    decided = asked(story_of(billed, fact("ConflictResolved", date=DAY, bill="S9325", reason="they had withdrawn")))
    step = shown(decided, steps.CLASH)
    assert step.says == "rn-1 decided to bill S9325 beside S9325"
    assert [entry.label for entry in step.evidence] == ["chart:more-1", "chart:more-0"]


def test_the_terms_shown_say_what_the_payer_counts() -> None:
    assert "     counts days infused, pays S9325 for every mode, asks for diagnosis, plan and pain assessment" in (
        render_why(asked(story_of()))
    )
    assert "counts days of access" in render_why(
        asked(story_of(ACCESS), book=book_with("example-health", day_counting="access"))
    )
