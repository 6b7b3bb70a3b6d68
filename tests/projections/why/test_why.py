"""Why a day has its verdict: sentences, steps, evidence, and a change that really turns the day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from commands.door.intake import Line, parse_line
from ledger.book import Book, load_book
from ledger.facts.entry import Entry
from ledger.facts.events import Event
from ledger.judge import steps
from ledger.judge.patients import by_episode, gather
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.rule import Step
from ledger.judge.steps import STEPS, judge
from projections.why.flip import FlipShown, with_fact
from projections.why.text import render_why
from projections.why.why import Why, why, why_of
from tests.harness import book_of, typed
from tests.histories import STRANGER, history
from tests.stores import open_ledger
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
from tests.tiers import many

VERDICTS = {verdict.words for step in (*STEPS, steps.PASSED) for verdict in step.verdicts.values()}
SEEDS = many(100, 300)


BILLABLE = """\
2026-02-03 of EP-1 is billable: S9325 to Prairie Blue (example) at 90.00 dollars, \
because infusion was recorded that day.

   1 ✓ not after the patient's death  no death is recorded
   2 ✓ not after the discharge        no discharge is recorded
   3 ✓ some coverage was verified     coverage was verified
   4 ✓ coverage covers the day        covered by Prairie Blue (example)
   5 ✓ a covering payer takes S codes the payer is Prairie Blue (example), member M-1
   6 ✓ the payer has terms            from 2025-01-01, published 2024-11-15
   7 ✓ place of service               12 is among 11, 12, 49
   8 ✓ agreement with the payer       Northside Home Infusion (example) has one in force
   9 ✓ not in hospital                no stay touches the day
  10 ✓ not in a facility              no facility stay covers the day
  11 ✓ not in hospice                 no hospice election covers the day
  12 ✓ not on hold                    no hold covers the day
  13 ✓ served                         served (payer counts days infused)
  14 ✓ an order in force              in force: RX
  15 ✓ doses close enough             a dose every 24 hours, at most 72 apart
  16 ✓ order signed                   order RX was signed on 2026-02-01
  17 ✓ diagnosis                      a diagnosis is in force
  18 ✓ plan of treatment              a plan covers the day, signed on 2026-02-01
  19 ✓ pain assessment                pain was assessed in the 7 days before the day, or on it
  20 ✓ no decision to bill nothing    no decision is recorded for the day
  21 ✓ one code                       S9325, for every mode
  22 ✓ no clash                       no other per diem on the day
  23 · authorization                  the payer's terms do not ask for it
  24 ✓ rate                           S9325 at 90.00 dollars a day

Evidence
     chart:cov (CoverageVerified) by rn-1, recorded 2026-02-01 10:00 UTC
         steps 3, 4, 5: payer prairie-blue, member M-1, from 2026-01-01, rank 1
     chart:open (EpisodeOpened) by rn-1, recorded 2026-02-01 09:00 UTC
         step 7: patient P-1, provider 1234567893, zone America/Chicago, place of service 12
     chart:day-03 (DayServed) by rn-1, recorded 2026-02-01 15:00 UTC
         step 13: order RX, date 2026-02-03, infused yes
     chart:rx (TherapyOrdered) by rn-1, recorded 2026-02-01 11:00 UTC
         steps 14, 16, 21: order RX, mode continuous, from 2026-02-01, prescriber 1245319599, interval hours 24, \
signed on 2026-02-01
     chart:dx (DiagnosisRecorded) by rn-1, recorded 2026-02-01 12:00 UTC
         step 17: icd10 G89.3, from 2026-01-01
     chart:plan (PlanSigned) by rn-1, recorded 2026-02-01 14:00 UTC
         step 18: plan A, signed on 2026-02-01, from 2026-02-01, to 2026-02-28
     chart:pain (PainAssessed) by rn-1, recorded 2026-02-01 13:00 UTC
         step 19: date 2026-02-01, score 6

Terms of Prairie Blue (example) from 2025-01-01, published 2024-11-15, checked 2026-11-28
     counts days infused, pays S9325 for every mode, asks for diagnosis, plan and pain assessment
     source: {source}

What would change it
     Without chart:day-03 (DayServed) the day would be not billable (not_served)."""


def test_a_billable_day_is_told_from_its_sentence_to_what_would_turn_it() -> None:
    answer = Story().opened().planned().served("2026-02-03").served("2026-02-04").why("2026-02-03")
    source = load_book().payers["prairie-blue"].terms[0].source
    assert render_why(answer) == BILLABLE.format(source=source)


def test_a_day_without_a_plan_asks_for_one() -> None:
    answer = Story().opened().served("2026-02-03").why("2026-02-03")
    assert answer.sentence == (
        "2026-02-03 of EP-1 is on hold: no plan of treatment covers the day. "
        "Get a signed plan of treatment that covers it and record it."
    )
    before = STEPS.index(steps.PLAN)
    reached = ["passed"] * before + ["failed"]
    assert [step.result for step in answer.steps] == reached + ["not_reached"] * (len(STEPS) - before - 1)
    assert answer.flip == FlipShown(
        True,
        "Sign a plan of treatment that covers 2026-02-03, on or before that day.",
        "EP-1",
        "PlanSigned",
        {"type": "PlanSigned", "plan": "what-if", "signed_on": "2026-02-03", "from": "2026-02-03", "to": "2026-02-03"},
        "billable S9325",
    )


def test_a_plan_signed_late_is_corrected_before_another_is_asked_for() -> None:
    answer = Story().opened().planned(signed_on="2026-02-05").served("2026-02-03").why("2026-02-03")
    assert answer.sentence == (
        "2026-02-03 of EP-1 is on hold: the plan of treatment was signed on 2026-02-05 only. "
        "Find a plan that was signed on or before the day."
    )
    assert answer.flip is not None
    assert answer.flip.sentence == (
        "Correct chart:plan (PlanSigned): the plan was signed on or before 2026-02-03, if that is so."
    )
    assert [shown.label for shown in shown(answer, steps.PLAN).evidence] == ["chart:plan"]


def test_a_conflict_between_episodes_names_both_and_who_could_yield() -> None:
    story = Story()
    for episode in ("EP-1", "EP-2"):
        story.opened(episode).planned(episode).served("2026-02-03", episode)
    answer = story.why("2026-02-03")
    assert answer.sentence == (
        "2026-02-03 of EP-1 is in conflict: two episodes bill this day. "
        "Choose the one to keep, and decide to bill nothing in the other."
    )
    failed = shown(answer, steps.CLASH)
    assert (failed.result, [(shown.episode, shown.label) for shown in failed.evidence]) == (
        "failed",
        [("EP-2", "chart:rx"), ("EP-2", "chart:day-03"), ("EP-1", "chart:rx"), ("EP-1", "chart:day-03")],
    )
    assert answer.flip is not None
    assert (answer.flip.sentence, answer.flip.episode) == ("Bill nothing in EP-2 on 2026-02-03.", "EP-2")
    assert "chart:rx (TherapyOrdered) in EP-2 by rn-1" in render_why(answer)


def test_when_no_single_change_is_enough_the_nearest_is_named() -> None:
    story = Story().opened().served("2026-02-03").tell("died", "PatientDied", date="2026-02-02")
    assert story.why("2026-02-03").flip == FlipShown(
        False,
        "No single change of those tried makes this day billable. This brings it furthest: Correct chart:died "
        "(PatientDied): it was on 2026-02-03 or later, if that is so. It would then be on hold (plan_missing).",
        "EP-1",
        "FactCorrected",
        {
            "type": "FactCorrected", "target_source": "chart", "target_id": "died", "reason": "what-if",
            "fact": {"type": "PatientDied", "date": "2026-02-03"},
        },
        "hold plan_missing",
    )  # fmt: skip


def test_a_date_outside_the_episode_is_said_to_be_none_of_its_days() -> None:
    answer = Story().opened().served("2026-02-03").why("2026-02-04")
    assert (answer.verdict, answer.steps, answer.flip) == (None, (), None)
    assert render_why(answer) == "2026-02-04 is no day of EP-1: its first is 2026-02-01, its last is 2026-02-03."


def test_an_episode_without_service_has_no_days() -> None:
    assert Story().opened().why("2026-02-03").sentence == (
        "EP-1 has no days: nothing recorded says when its therapy began or last took place."
    )


def test_an_unknown_episode_has_no_answer() -> None:
    streams = by_episode(typed(Story().opened().told))
    assert why(streams, "EP-9", date(2026, 2, 3), load_book()) is None
    early = datetime.fromisoformat("2026-01-31T00:00:00+00:00")
    assert why(streams, "EP-1", date(2026, 2, 3), load_book(), early) is None


def test_what_was_not_known_yet_is_no_evidence() -> None:
    story = Story().opened().served("2026-02-03").planned()
    assert story.why("2026-02-03").verdict.status == "billable"  # type: ignore[union-attr]
    then = story.why("2026-02-03", known_at="2026-02-01T14:30:00+00:00")
    assert then.verdict is not None
    assert then.verdict.reason == "plan_missing"


def test_a_correction_counts_as_what_it_says_is_right() -> None:
    right = {"type": "DayServed", "order": "RX", "date": "2026-02-03", "infused": True}
    story = Story().opened().planned().served("2026-02-04")
    story.tell("fix", "FactCorrected", target_source="chart", target_id="day-04", reason="misread", fact=right)
    (entry,) = shown(story.why("2026-02-03"), steps.NOT_SERVED).evidence
    assert (entry.label, entry.type) == ("chart:fix", "DayServed")
    assert entry.says == "order RX, date 2026-02-03, infused yes (corrects chart:day-04)"


STAYED = "2026-02-01T15:00:00Z"
CURES: list[tuple[str, tuple[dict[str, Any], ...], str]] = [
    ("after_death", (fact("PatientDied", date="2026-02-02"),),
     "Correct chart:more-0 (PatientDied): it was on 2026-02-03 or later, if that is so."),
    ("after_discharge", (fact("Discharged", date="2026-02-02"),),
     "Correct chart:more-0 (Discharged): it was on 2026-02-03 or later, if that is so."),
    ("coverage_unverified", ({"was": "cov"},), "Verify that Coastal Blue (example) covers the patient on 2026-02-03."),
    ("not_covered", (fact("CoverageEnded", payer="prairie-blue", last_date="2026-02-02"),),
     "Verify that Prairie Blue (example) covers the patient on 2026-02-03."),
    ("payer_excludes_s_codes", (COVERED | {"payer": "medicare"},),
     "Verify that Coastal Blue (example) covers the patient on 2026-02-03."),
    ("no_terms", (COVERED | {"payer": "stranger"},),
     "Put the terms of stranger that are in force on 2026-02-03 into the book. What the day is then follows from it."),
    ("no_agreement", (COVERED | {"payer": "harbor-trust"},),
     "Put a signed agreement of Northside Home Infusion (example) with Harbor Trust Fund (example), in force on "
     "2026-02-03, into the book."),
    ("inpatient", (fact("HospitalAdmitted", stay="S", at=STAYED),),
     "Record that the patient came home from stay S on 2026-02-03, if that is so."),
    ("inpatient", (fact("HospitalAdmitted", stay="S", at=STAYED),
                   fact("HospitalDischarged", stay="S", at="2026-02-06T15:00:00Z")),
     "Correct chart:more-1 (HospitalDischarged): the patient came home from stay S on 2026-02-03, if that is so."),
    ("facility", (fact("FacilityStayed", kind="snf", from_="2026-02-01"),),
     "Correct chart:more-0 (FacilityStayed): it ended on 2026-02-02, if that is so."),
    ("facility", (fact("FacilityStayed", kind="snf", from_="2026-02-03"),),
     "Retract chart:more-0 (FacilityStayed), if it never happened."),
    ("hospice", (fact("HospiceElected", from_="2026-02-02"),),
     "Correct chart:more-0 (HospiceElected): it ended on 2026-02-02, if that is so."),
    ("held", (fact("TherapyHeld", hold="H", from_="2026-02-02"),),
     "Record that hold H was resumed on 2026-02-03, if that is so."),
    ("not_served", ({"was": "day-03"},), "Record 2026-02-03 as a day of order RX, if it was infused."),
    ("under_24_hours", (COVERED | {"payer": "coastal-blue"}, {"was": "day-03"},
                        fact("InfusionLogged", order="RX", started_at="2026-02-02T18:00:00Z",
                             stopped_at="2026-02-03T17:00:00Z")),
     "Correct chart:more-2 (InfusionLogged): the pump ran until 2026-02-04 18:00 UTC, if that is so."),
    ("no_order", (ORDER | {"was": "rx", "to": "2026-02-02"},),
     "Record order RX anew, in force on 2026-02-03, if it was."),
    ("no_order", (ORDER | {"was": "rx", "order": "RX-2"},),
     "Correct chart:day-03 (DayServed): it was of order RX-2, if that is so."),
    ("no_order", (fact("TherapyStopped", order="RX", date="2026-02-02"),),
     "Correct chart:more-0 (TherapyStopped): it was on 2026-02-03 or later, if that is so."),
    ("interval_too_long", (ORDER | {"was": "rx", "interval_hours": 168},),
     "Record order RX anew, with doses up to 72 hours apart, if they are."),
    ("order_unsigned", (UNSIGNED | {"was": "rx"},),
     "Have order RX signed, and correct chart:rx (TherapyOrdered) with the date it was signed on."),
    ("no_diagnosis", ({"was": "dx"},), "Record a diagnosis that is in force on 2026-02-03."),
    ("plan_missing", ({"was": "plan"},), "Sign a plan of treatment that covers 2026-02-03, on or before that day."),
    ("pain_assessment_overdue", ({"was": "pain"},),
     "Record a pain assessment made on 2026-02-03 or in the 7 days before it."),
    ("conflict_resolved", (fact("ConflictResolved", date="2026-02-03", bill=None, reason="theirs"),),
     "Decide to bill S9325 on 2026-02-03."),
    ("pain_code_exclusion", (fact("ServiceBilledSeparately", code="S9326", from_="2026-02-03", billed_by=STRANGER),),
     "Decide to bill S9325 on 2026-02-03, if provider 1245319599 did not provide S9326 that day."),
    ("auth_missing", (COVERED | {"payer": "cascade-medicaid"},),
     "Add an authorization by Cascade Medicaid (example) of S9325 for 2026-02-03."),
    ("auth_exhausted", (COVERED | {"payer": "cascade-medicaid"}, UNITS,
                        fact("DayServed", order="RX", date="2026-02-02")),
     "Have authorization N1 raised from 1 to 2 units."),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "facts", "cure"), CURES)
def test_each_reason_alone_has_the_cure_a_biller_would_name(
    reason: str, facts: tuple[dict[str, Any], ...], cure: str
) -> None:
    answer = story_of(*facts).why("2026-02-03")
    assert answer.verdict is not None
    assert answer.flip is not None
    assert (answer.verdict.reason, answer.flip.sentence) == (reason, cure)


def test_a_place_of_service_that_is_not_paid_is_corrected() -> None:
    answer = story_of(place_of_service="99").why("2026-02-03")
    assert answer.sentence == (
        "2026-02-03 of EP-1 is not billable: Prairie Blue (example) does not pay at place of service 99."
    )
    assert answer.flip is not None
    assert answer.flip.sentence == "Correct chart:open (EpisodeOpened): the place of service is 12, if that is so."


EVIDENCE = [
    ((ACCESS, ORDER | {"was": "rx", "interval_hours": 48}, {"was": "day-03"},
      fact("DayServed", order="RX", date="2026-02-02")), "the dose of 2026-02-02 reaches to it"),
    ((ACCESS, fact("DayServed", order="RX", date="2026-02-03", infused=False) | {"was": "day-03"}),
     "therapy was in place that day"),
    ((COVERED | {"payer": "gulf-mutual"}, {"was": "day-03"}, fact("NursingVisited", date="2026-02-03"),
      UNITS | {"payer": "gulf-mutual"}), "a nurse visited that day"),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "because"), EVIDENCE)
def test_a_billable_day_says_what_made_it_one(facts: tuple[dict[str, Any], ...], because: str) -> None:
    sentence = asked(story_of(*facts), book=book_with("example-health", day_counting="access")).sentence
    assert sentence.endswith(f" dollars, because {because}.")


Sample = tuple[dict[str, list[Entry]], Book, str, JudgedDay]


def sampled_days(seed: int) -> Iterator[Sample]:
    """One day of each verdict of each episode of a random history; in every fourth the plan is signed late."""
    told, tables = history(Random(seed))
    for each in (entry["fact"] for entry in told if seed % 4 == 0):
        each |= {"signed_on": "2026-10-30"} if each.get("plan") == "A" else {}
    streams, book = by_episode(typed(told)), book_of(tables)
    for patient in gather(streams):
        for case in judge(patient, book):
            one_of_each = {day.verdict: day for day in judged_days(case)}
            for day in one_of_each.values():
                yield streams, book, case.episode.name, day


def verdict_after(streams: dict[str, list[Entry]], book: Book, episode: str, on: date, flip: FlipShown) -> str | None:
    """The day's verdict once the change has been recorded."""
    assert flip.episode
    assert flip.fact
    line = {"episode": flip.episode, "source": "s", "id": "new", "by": "me", "fact": flip.fact}
    door = parse_line(1, msgspec.json.encode(line))
    assert isinstance(door, Line), door
    fact: Any = msgspec.convert(flip.fact, Event)
    assert door.fact == fact
    last = max(entries[-1].recorded_at for entries in streams.values())
    changed = streams | {flip.episode: with_fact(streams[flip.episode], fact, last + timedelta(days=1))}
    answer = why(changed, episode, on, book)
    assert answer is not None
    row = answer.verdict
    return None if row is None else f"{row.status} {row.reason or row.code}"


MAY_NOT_BE_ASKED = (
    steps.NO_AGREEMENT, steps.ORDER_UNSIGNED, steps.NO_DIAGNOSIS, steps.PLAN, steps.PAIN_ASSESSMENT_OVERDUE,
    steps.AUTHORIZATION,
)  # fmt: skip


def check_steps(answer: Why, step: Step) -> None:
    """Steps before the failing one passed or were not asked, it failed with the causes, the rest was not reached."""
    row = answer.verdict
    assert row is not None
    for number, (each, said) in enumerate(zip(STEPS, answer.steps, strict=True), 1):
        assert said.step == each.number == number
        if each.number < step.number:
            assert said.result == "passed" or (said.result == "not_asked" and each in MAY_NOT_BE_ASKED)
            assert said.says
        else:
            assert said.result == ("failed" if each is step else "not_reached")
    if step in STEPS:
        failed = shown(answer, step)
        assert list(dict.fromkeys(entry.label for entry in failed.evidence)) == list(row.because)
        assert failed.says in answer.sentence
    else:
        assert {entry.label for entry in shown(answer, steps.NOT_SERVED).evidence} >= set(row.because)
    assert (answer.terms is not None) == (row.terms_from is not None)


def test_random_days_are_told_and_turned() -> None:
    met: set[str] = set()
    for seed in range(SEEDS):
        for streams, book, episode, day in sampled_days(seed):
            on = date.fromordinal(day.date)
            answer = why(streams, episode, on, book)
            assert answer is not None
            assert answer.flip is not None
            assert answer.verdict is not None
            assert (answer.verdict.status, answer.verdict.reason) == day.verdict[1:]
            assert answer.sentence.startswith(f"{on} of {episode} is ")
            assert answer.sentence.endswith(".")
            assert "None" not in answer.sentence
            check_steps(answer, day.verdict.step)
            if answer.flip.fact is not None:
                after = verdict_after(streams, book, episode, on, answer.flip)
                assert after == answer.flip.verdict
                is_billable = str(after).startswith("billable")
                assert is_billable == (answer.flip.flips and not day.is_billable), answer
            assert render_why(answer).startswith(answer.sentence)
            met.add(day.verdict.words)
    assert met == VERDICTS


@pytest.mark.parametrize("known_at", [None, "2026-02-01T14:30:00+00:00"])
def test_the_ledger_gives_the_same_answer(tmp_path: Path, known_at: str | None) -> None:
    story = Story().opened().planned().served("2026-02-03").opened("EP-2").served("2026-02-03", "EP-2")
    entries = typed(story.told)
    at = datetime.fromisoformat(known_at) if known_at else None
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append(entries, [("P-1", "EP-1"), ("P-1", "EP-2")])
        answer = why_of(ledger, "EP-1", date(2026, 2, 3), load_book(), at)
        assert why_of(ledger, "EP-9", date(2026, 2, 3), load_book()) is None
    assert answer == why(by_episode(entries), "EP-1", date(2026, 2, 3), load_book(), at)
