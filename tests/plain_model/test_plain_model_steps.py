"""The plain model on section 4: the steps, one by one."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.plain_history import NORTH, SOUTH, History, billable, found, november, run_of_a_week, two_episodes, verdicts


def test_the_last_touched_dates_of_a_short_run_are_under_24_hours() -> None:
    counted = verdicts(run_of_a_week().derive(day_counting="rolling_24h"))
    assert counted["11-07"] == "billable"
    assert counted["11-08"] == counted["11-09"] == "not_billable under_24_hours"


def test_runs_that_meet_are_one_run_and_a_stop_at_midnight_ends_the_day_before() -> None:
    history = History().open()
    history.order()
    for start, stop in (("03T12:00", "04T06:00"), ("04T06:00", "05T00:00")):
        history.add(
            "InfusionLogged", order="RX", started_at=f"2026-11-{start}-06:00", stopped_at=f"2026-11-{stop}-06:00"
        )
    assert verdicts(history.derive(day_counting="rolling_24h")) == {
        "10-25": "not_billable not_served",
        **{f"10-{day}": "not_billable not_served" for day in range(26, 32)},
        **{f"11-0{day}": "not_billable not_served" for day in (1, 2)},
        "11-03": "billable",
        "11-04": "not_billable under_24_hours",
    }


def test_nursing_counts_only_where_nothing_was_infused() -> None:
    history = History().open()
    history.order(name="A", from_="2026-11-01", to="2026-11-02")
    history.order(name="B", from_="2026-11-03")
    history.serve("3", order="A")
    for day in ("2026-11-03", "2026-11-04"):
        history.add("NursingVisited", date=day)
    counted = verdicts(history.derive(day_counting="infused_or_nursing"))
    assert counted["11-03"] == "hold no_order"
    assert counted["11-04"] == "billable"


def test_the_rows_carry_what_their_step_found() -> None:
    history = History()
    history.add("EpisodeOpened", patient="P1", provider=NORTH, zone="America/Chicago")
    history.serve("2")
    assert history.derive().days == [
        {
            "patient": "P1",
            "episode": "E1",
            "date": "2026-11-02",
            "status": "hold",
            "reason": "coverage_unverified",
            "code": None,
            "payer": None,
            "terms_from": None,
            "terms_published": None,
            "rate_cents": None,
            "authorization": None,
            "member": None,
            "provider": None,
            "place_of_service": None,
            "modifiers": None,
        }
    ]
    history = History().open()
    history.order(from_="2026-11-02")
    row = history.serve("2").derive(rate_cents={}).days[0]
    assert (row["reason"], row["code"], row["payer"], row["rate_cents"]) == ("no_rate", "S9325", "blue", None)
    assert (row["terms_from"], row["terms_published"]) == ("2026-01-01", "2025-11-15")


def test_ended_coverage_cuts_earlier_spells_and_the_next_payer_takes_over() -> None:
    history = History().open()
    history.add("CoverageVerified", payer="green", member="M", from_="2026-09-01", to="2026-11-04", rank=2)
    history.add("CoverageEnded", payer="blue", last_date="2026-11-02")
    history.add("CoverageVerified", payer="blue", member="M", from_="2026-11-05", to="2026-11-05")
    history.order(from_="2026-11-02")
    derived = history.serve("2", "3", "5", "6").derive()
    assert [(row["date"][8:], row["payer"], row["reason"]) for row in derived.days] == [
        ("02", "blue", None),
        ("03", "green", None),
        ("04", "green", "not_served"),
        ("05", "blue", None),
        ("06", None, "not_covered"),
    ]


@pytest.mark.parametrize(
    ("first", "second", "rule", "codes", "level"),
    [
        ("continuous", "continuous", "duplicate_per_diem", ["S9326"], "hard"),
        ("continuous", "unspecified", "pain_code_exclusion", ["S9325", "S9326"], "hard"),
        ("continuous", "intermittent", "specific_pair", ["S9326", "S9327"], "soft"),
    ],
)
def test_two_episodes_on_one_day_clash(first: str, second: str, rule: str, codes: list[str], level: str) -> None:
    derived = two_episodes(first, second).derive(pain_code="specific")
    assert [(row["status"], row["reason"]) for row in derived.days] == [("conflict", rule)] * 2
    assert derived.findings == [
        {
            "rule": rule,
            "level": level,
            "patient": "P1",
            "episodes": ["E1", "E2"],
            "dates": ["2026-11-02"],
            "codes": codes,
        }
    ]


def test_billing_null_in_one_episode_settles_the_clash() -> None:
    history = two_episodes()
    history.add("ConflictResolved", date="2026-11-02", bill="S9325", reason="ours")
    assert verdicts(history.derive()) == {"11-02": "conflict duplicate_per_diem"}
    history.add("ConflictResolved", "E2", date="2026-11-02", bill=None, reason="yields")
    derived = history.derive()
    assert verdicts(derived, "E2") == {"11-02": "not_billable conflict_resolved"}
    assert verdicts(derived) == {"11-02": "billable"}
    assert derived.findings == []


def test_only_days_of_the_same_payer_clash_where_the_terms_say_so() -> None:
    derived = two_episodes(payer="green").derive(exclusion_scope="patient_day_payer")
    assert verdicts(derived) == {"11-02": "billable"}
    assert verdicts(derived, "E2") == {"11-02": "conflict duplicate_per_diem"}


def test_a_service_of_another_provider_clashes_until_a_human_bills_our_code() -> None:
    history = History().open()
    history.order(from_="2026-11-02")
    history.serve("2", "3")
    history.add("ServiceBilledSeparately", code="S9327", from_="2026-11-02", billed_by=SOUTH)
    assert verdicts(history.derive()) == {"11-02": "conflict pain_code_exclusion", "11-03": "billable"}
    history.add("ConflictResolved", date="2026-11-02", bill="S9325", reason="theirs was an error")
    assert billable(history.derive()) == november(2, 3)


def test_two_orders_of_one_day_conflict_unless_one_gives_way_to_the_other() -> None:
    history = History().open()
    history.order(name="A", mode="continuous", from_="2026-11-02", to="2026-11-03")
    history.order(name="B", mode="unspecified", from_="2026-11-03", to="2026-11-04")
    history.order(name="C", mode="intermittent", from_="2026-11-04", to="2026-11-04")
    for name, days in (("A", ("2", "3")), ("B", ("3", "4")), ("C", ("4",))):
        history.serve(*days, order=name)

    def codes(switch: str) -> list[str | None]:
        return [row["code"] for row in history.derive(pain_code="specific", midday_switch=switch).days]

    assert codes("new_order") == ["S9326", "S9325", None]
    assert codes("old_order") == ["S9326", "S9326", "S9325"]
    derived = history.derive(pain_code="specific")
    assert verdicts(derived)["11-04"] == "conflict pain_code_exclusion"
    assert found(derived, "pain_code_exclusion")[0]["codes"] == ["S9325", "S9327"]
    assert found(derived, "mixed_pain_codes")[0]["dates"] == ["2026-11-02", "2026-11-03"]
    history.add("ConflictResolved", date="2026-11-04", bill="S9327", reason="decided")
    assert codes("new_order") == ["S9326", "S9325", "S9327"]


def test_authorizations_are_drawn_by_earliest_end_then_number() -> None:
    history = History().open()
    history.order(from_="2026-11-02")
    history.serve("2", "3", "4", "5", "6", "7")
    for number, units, last in (("N9", 1, "2026-11-05"), ("N10", 1, "2026-11-05"), ("N1", 1, "2026-11-06")):
        history.add(
            "AuthorizationGranted",
            number=number,
            payer="blue",
            codes=["S9325"],
            units=units,
            from_="2026-11-02",
            to=last,
        )
    derived = history.derive(auth_required=True)
    assert [(row["authorization"], row["reason"]) for row in derived.days] == [
        ("N10", None),
        ("N9", None),
        ("N1", None),
        (None, "auth_exhausted"),
        (None, "auth_exhausted"),
        (None, "auth_missing"),
    ]
    assert [row["authorization"] for row in derived.lines] == ["N10", "N9", "N1"]
    no_rate = history.derive(auth_required=True, rate_cents={})
    assert Counter(row["reason"] for row in no_rate.days) == {"no_rate": 3, "auth_exhausted": 2, "auth_missing": 1}


def test_every_span_of_a_held_or_facility_day_is_seen_by_its_terms() -> None:
    history = History().open()
    history.order(from_="2026-11-02")
    history.serve("2", "3", "4", "5", "6")
    history.add("TherapyHeld", hold="H", from_="2026-11-03")
    history.add("TherapyResumed", hold="H", date="2026-11-04")
    history.add("FacilityStayed", kind="snf", from_="2026-11-04", to="2026-11-04")
    history.add("HospiceElected", from_="2026-11-05", to="2026-11-05")
    assert list(verdicts(history.derive()).values()) == [
        "billable",
        "not_billable held",
        "not_billable facility",
        "not_billable hospice",
        "billable",
    ]
    assert billable(history.derive(hold_days="access", facility_days="billable")) == november(2, 3, 4, 6)
