"""The plain model on the findings that edition 2 brought: stays, coverage, clocks, supply, decisions, claims."""

from __future__ import annotations

from typing import Any

from tests.plain_history import SOUTH, History, book, edition, found, two_episodes
from tests.plain_model import Derived, derive

Short = list[tuple[list[str], list[str]]]


def therapy() -> History:
    """Therapy ordered from November 2 on and served on the 2nd to the 6th."""
    history = History().open()
    history.order(from_="2026-11-02")
    return history.serve("2", "3", "4", "5", "6")


def told(derived: Derived, rule: str) -> Short:
    """Month-days and episodes of every finding of a rule."""
    return [([day[5:] for day in row["dates"]], row["episodes"]) for row in found(derived, rule)]


def stay(history: History, kind: str, number: str, at: str, episode: str = "E1") -> None:
    """An admission or discharge in Chicago's winter, or by date."""
    fact_type = "HospitalAdmitted" if kind == "in" else "HospitalDischarged"
    history.add(fact_type, episode, stay=number, at=at if "T" not in at else f"{at}-06:00")


def test_a_discharge_or_resumption_of_nothing_is_unmatched() -> None:
    history = therapy()
    stay(history, "out", "A", "2026-11-03T22:00")
    history.add("TherapyHeld", hold="H", from_="2026-11-05")
    history.add("TherapyResumed", hold="H", date="2026-11-04")
    assert told(history.derive(), "unmatched") == [(["11-03"], ["E1"]), (["11-04"], ["E1"])]


def test_stays_five_hours_apart_are_two_that_adjoin_and_three_hours_apart_are_one() -> None:
    for hour, expected in (("15", [(["11-05"], ["E1", "E2"])]), ("13", [])):
        history = therapy().open("E2")
        stay(history, "in", "A", "2026-11-03T09:00")
        stay(history, "out", "A", "2026-11-05T10:00")
        stay(history, "in", "B", f"2026-11-05T{hour}:00", "E2")
        stay(history, "out", "B", "2026-11-07T10:00", "E2")
        assert told(history.derive(), "stays_adjoin") == expected


def test_two_discharges_of_one_stay_stretch_it_if_more_than_a_day_apart() -> None:
    history = therapy()
    stay(history, "in", "A", "2026-11-02T09:00")
    stay(history, "out", "A", "2026-11-03T10:00")
    stay(history, "out", "A", "2026-11-04T10:00")
    assert told(history.derive(), "stay_stretched") == []
    stay(history, "out", "A", "2026-11-05T10:01")
    assert told(history.derive(), "stay_stretched") == [(["11-04", "11-05"], ["E1"])]


def test_an_open_stay_joined_with_a_later_one_is_found() -> None:
    history = therapy().open("E2")
    stay(history, "in", "A", "2026-11-02T09:00")
    assert told(history.derive(), "stay_open") == []
    stay(history, "in", "B", "2026-11-05", "E2")
    stay(history, "out", "B", "2026-11-06", "E2")
    derived = history.derive()
    assert told(derived, "stay_open") == [(["11-02", "11-05"], ["E1", "E2"])]
    assert [row["reason"] for row in derived.days if row["episode"] == "E1"] == [None, *["inpatient"] * 4]


def test_of_a_voided_episode_nothing_counts_but_its_claims() -> None:
    history = two_episodes().at("2026-12-01")
    history.add("PatientDied", "E2", date="2026-11-01")
    history.claim("C1", "2", "2", episode="E2")
    void = history.add("EpisodeVoided", "E2", reason="opened twice")
    derived = history.derive()
    assert [(row["episode"], row["status"]) for row in derived.days] == [("E1", "billable")]
    assert told(derived, "voided_with_facts") == [(["11-01"], ["E2"])]
    assert told(derived, "claimed_not_billable") == [(["11-02"], ["E2"])]
    history.retract(void, "E2")
    assert {row["reason"] for row in history.derive().days} == {"after_death"}


def test_evidence_more_than_180_days_apart_is_found() -> None:
    history = therapy().serve("2026-05-06")
    assert told(history.derive(), "evidence_gap") == []
    history = therapy().serve("2026-05-05")
    assert told(history.derive(), "evidence_gap") == [(["05-05", "11-02"], ["E1"])]


def test_two_payers_of_one_rank_overlap_and_one_without_s_codes_does_not() -> None:
    history = therapy()
    history.add("CoverageVerified", payer="green", member="G", from_="2026-11-05", to="2026-11-09")
    assert told(history.derive(), "coverage_overlap") == [(["11-05", "11-06"], ["E1"])]
    closed = book(edition(), other=edition(accepts_s_codes=False))
    assert told(derive(history.entries, closed), "coverage_overlap") == []


def test_coverage_verified_over_its_end_is_reinstated_and_a_correction_of_what_ended_is_not() -> None:
    history = therapy()
    history.add("CoverageEnded", payer="blue", last_date="2026-11-03")
    history.correct("2", "CoverageVerified", payer="blue", member="M-2", from_="2026-09-01")
    derived = history.derive()
    assert [row["reason"] for row in derived.days] == [None, None, *["not_covered"] * 3]
    assert [row["member"] for row in derived.days] == ["M-2", "M-2", None, None, None]
    assert told(derived, "coverage_reinstated") == []
    history.add("CoverageVerified", payer="blue", member="M-3", from_="2026-11-03")
    derived = history.derive()
    assert [row["member"] for row in derived.days] == ["M-2", *["M-3"] * 4]
    assert told(derived, "coverage_reinstated") == [(["11-03"], ["E1"])]


def test_two_clocks_of_one_run_disagree() -> None:
    history = therapy()
    run = {"order": "RX", "started_at": "2026-11-03T10:00-06:00", "stopped_at": "2026-11-04T12:00-06:00"}
    history.add("InfusionLogged", **run)
    history.add("InfusionLogged", **run)
    history.entries[-1]["source"] = "gateway"
    assert told(history.derive(), "runs_disagree") == []
    history.entries[-1]["fact"]["stopped_at"] = "2026-11-04T11:00-06:00"
    assert told(history.derive(), "runs_disagree") == [(["11-03", "11-04"], ["E1"])]


def test_infusions_beyond_the_supply_are_found_while_the_supply_is_known() -> None:
    history = therapy().serve("7", "8")
    drug = {"ndc": "00409117530", "quantity": 1, "unit": "ML"}
    history.add("DrugDispensed", date="2026-11-03", days_supply=1, **drug)
    history.add("DrugDispensed", date="2026-11-03", days_supply=2, **drug)
    assert told(history.derive(), "served_beyond_supply") == [([f"11-0{day}"], ["E1"]) for day in (5, 6, 7, 8)]
    history.add("DrugDispensed", date="2026-11-05", **drug)
    assert told(history.derive(), "served_beyond_supply") == []
    history.add("DrugDispensed", date="2026-11-07", days_supply=1, **drug)
    assert told(history.derive(), "served_beyond_supply") == [(["11-08"], ["E1"])]


def test_another_therapy_of_ours_without_a_rank_is_found() -> None:
    reference = book(edition())
    reference["codes"].append({"code": "S9500", "family": "therapy", "from": "2002-01-01"})
    history = therapy()
    history.add("ServiceBilledSeparately", code="S9500", from_="2026-11-02", to="2026-11-03")
    history.add("ServiceBilledSeparately", code="S9500", from_="2026-11-05", billed_by=SOUTH)
    history.add("TherapyRanked", from_="2026-11-03", rank=1)
    rows = found(derive(history.entries, reference), "concurrent_unranked")
    assert [(row["dates"], row["codes"]) for row in rows] == [(["2026-11-02"], ["S9325", "S9500"])]


def test_a_decision_without_effect_is_found() -> None:
    history = therapy()
    for day, bill in (("02", "S9326"), ("03", "S9325"), ("04", None)):
        history.add("ConflictResolved", date=f"2026-11-{day}", bill=bill, reason="decided")
    history.add("ConflictResolved", date="2027-01-01", bill=None, reason="decided")
    rows = found(history.derive(), "decision_without_effect")
    assert [(row["dates"], row["codes"]) for row in rows] == [(["2026-11-02"], ["S9326"]), (["2027-01-01"], [])]
    clashing = two_episodes()
    clashing.add("ConflictResolved", date="2026-11-02", bill="S9325", reason="ours")
    assert told(clashing.derive(), "decision_without_effect") == [(["11-02"], ["E1"])]


def test_a_claim_ahead_of_its_date_is_found_by_what_was_sent_or_first_recorded() -> None:
    def ahead(**sent: Any) -> Short:
        history = therapy().at("2026-11-05T03:00")  # 04:00 UTC: still November 4 in Chicago
        history.claim("C1", "2", "6", **sent)
        claim = str(len(history.entries))
        history.at("2026-12-01").correct(claim, "ClaimSubmitted", **_without_type(history.entries[-1]["fact"]))
        return told(history.derive(), "claimed_ahead")

    assert ahead() == [(["11-05"], ["E1"]), (["11-06"], ["E1"])]
    assert ahead(sent_on="2026-11-05") == [(["11-06"], ["E1"])]


def _without_type(fact: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fact.items() if name != "type"}


def test_a_replacement_of_nothing_known_and_a_number_used_twice_are_found() -> None:
    history = therapy().at("2026-12-01").claim("C1", "2", "3").claim("C2", "4", "4", frequency="7", replaces="C7")
    history.claim("C3", "5", "5", frequency="8").claim("C4", "6", "6", frequency="7", replaces="C1")
    derived = history.derive()
    assert told(derived, "replaces_unknown") == [(["11-04"], ["E1"]), (["11-05"], ["E1"])]
    assert told(derived, "number_reused") == []
    derived = history.claim("C1", "5", "6").derive()
    assert told(derived, "number_reused") == [(["11-02", "11-03", "11-05", "11-06"], ["E1"])]


def test_a_claim_replaced_twice_is_live_once() -> None:
    history = therapy().at("2026-12-01").claim("C1", "2", "6").claim("C2", "2", "5", frequency="7", replaces="C1")
    derived = history.claim("C3", "2", "6", frequency="7", replaces="C1").derive()
    assert derived.findings == []


def test_a_claim_before_the_order_was_signed_is_found() -> None:
    history = History().open()
    history.order(from_="2026-11-02", signed_on="2026-12-02")
    history.serve("2").at("2026-12-01").claim("C1", "2", "2")
    assert told(history.derive(), "claimed_before_signature") == [(["11-02"], ["E1"])]
    assert told(history.derive(order_signature="none"), "claimed_before_signature") == []


def test_patients_merged_share_what_counts_everywhere_until_parted() -> None:
    history = History().open().open("E2", patient="P2")
    for episode in ("E1", "E2"):
        history.order(episode, from_="2026-11-02")
        history.serve("2", episode=episode)
    history.add("PatientsMerged", "", patient="P1", into="P2", reason="one person")
    merged = history.clock.isoformat() + "Z"
    history.add("PatientsMerged", "", patient="P2", into="P3", reason="one person")
    history.add("PatientsParted", "", patient="P1", reason="two people")
    assert {(row["patient"], row["reason"]) for row in history.derive(merged).days} == {("P2", "duplicate_per_diem")}
    assert [(row["patient"], row["reason"]) for row in history.derive().days] == [("P1", None), ("P3", None)]
