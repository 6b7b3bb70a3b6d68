"""The plain model itself on the worked cases V9 to V18 of section 7, counted by hand."""

from __future__ import annotations

from typing import Any

from tests.plain_history import History, billable, every, from_to, grant, november, two_episodes, verdicts
from tests.plain_model import Derived


def days_by_code(derived: Derived, episode: str = "E1") -> dict[str, str | None]:
    """Month-day to code, of the billable days."""
    rows = [row for row in derived.days if row["episode"] == episode and row["status"] == "billable"]
    return {row["date"][5:]: row["code"] for row in rows}


def inpatient(history: History, **changes: Any) -> list[str]:
    """The inpatient days, month-day."""
    derived = history.derive(documentation=[], **changes)
    return [day for day, verdict in verdicts(derived).items() if verdict == "not_billable inpatient"]


def served_once() -> History:
    """V9: every 24 hours, served January 6, stopped January 12."""
    history = History().open()
    history.order(from_="2027-01-01", interval_hours=24)
    return history.serve("2027-01-06").stop("2027-01-12")


def test_v9_course_runs_to_the_stop_and_rests_while_held() -> None:
    history = served_once()
    assert billable(history.derive(day_counting="access", documentation=[])) == from_to(1, 6, 6)
    assert billable(history.derive(day_counting="course", documentation=[])) == from_to(1, 6, 12)
    history.add("TherapyHeld", hold="H", from_="2027-01-08")
    history.add("TherapyResumed", hold="H", date="2027-01-10")
    assert billable(history.derive(day_counting="course", documentation=[])) == [*from_to(1, 6, 7), *from_to(1, 10, 12)]


def test_v10_course_asks_for_no_dose_per_interval_but_for_one_within_the_gap() -> None:
    history = every(48, "2", "4", "10").stop("2026-11-10")
    assert len(billable(history.derive(day_counting="access"))) == 5
    assert len(billable(history.derive(day_counting="course"))) == 9
    history = every(48, "2", "20").stop("2026-11-20")
    assert billable(history.derive(day_counting="course")) == [*from_to(11, 2, 16), "11-20"]


def in_october(*stays: tuple[str, str, str]) -> History:
    """Therapy from October 1 to November 6, served daily, with these admissions (`in`) and discharges (`out`)."""
    history = History().open()
    history.order(from_="2026-10-01")
    history.add("DaysServed", order="RX", from_="2026-10-01", to="2026-11-06", infused=True)
    for kind, stay, at in stays:
        fact_type = "HospitalAdmitted" if kind == "in" else "HospitalDischarged"
        history.add(fact_type, stay=stay, at=at if "T" not in at else f"{at}-05:00")
    return history


def test_v11_moved_between_hospitals_is_one_stay() -> None:
    moved = [("in", "A", "2026-10-05T15:00"), ("out", "A", "2026-10-08T10:00")]
    moved += [("in", "B", "2026-10-08T11:00"), ("out", "B", "2026-10-12T10:00")]
    assert inpatient(in_october(*moved)) == from_to(10, 6, 11)


def test_v12_one_visit_number_may_be_several_stays_or_one_told_in_parts() -> None:
    twice = [("in", "V", "2026-10-05T15:00"), ("out", "V", "2026-10-08T10:00"), ("in", "V", "2026-10-20T15:00")]
    assert inpatient(in_october(*twice)) == [*from_to(10, 6, 7), *from_to(10, 21, 31), *from_to(11, 1, 6)]
    again = [("in", "V", "2026-10-05"), ("out", "V", "2026-10-08"), ("in", "V", "2026-10-08")]
    assert inpatient(in_october(*again)) == [*from_to(10, 6, 31), *from_to(11, 1, 6)]
    parts = [
        ("in", "V", "2026-10-25"),
        ("out", "V", "2026-10-31"),
        ("in", "V", "2026-11-01"),
        ("out", "V", "2026-11-05"),
    ]
    assert inpatient(in_october(*parts)) == [*from_to(10, 26, 31), *from_to(11, 1, 4)]


def authorized(*grants: tuple[str, str, str, int]) -> History:
    """Therapy served daily in October, with these authorizations."""
    history = History().open()
    history.order(from_="2026-10-01")
    history.add("DaysServed", order="RX", from_="2026-10-01", to="2026-10-31", infused=True)
    for number, first, last, units in grants:
        grant(history, number, first, last, units)
    return history


def test_v13_an_authorization_may_be_extended_told_anew_and_shared() -> None:
    def count(history: History) -> int:
        return len(billable(history.derive(auth_required=True, documentation=[])))

    assert count(authorized(("PA-1", "2026-10-01", "2026-10-10", 10), ("PA-1", "2026-10-11", "2026-10-20", 10))) == 20
    assert count(authorized(("PA-3", "2026-10-01", "2026-10-31", 30), ("PA-3", "2026-10-10", "2026-10-31", 30))) == 30

    history = History().open().open("E2")
    for episode, first, last in (("E1", "2026-10-01", "2026-10-06"), ("E2", "2026-10-07", "2026-10-14")):
        history.order(episode, from_=first)
        history.add("DaysServed", episode, order="RX", from_=first, to=last, infused=True)
    grant(history, "PA-2", "2026-10-01", "2026-10-31", 10)
    derived = history.derive(auth_required=True, documentation=[])
    assert billable(derived) == from_to(10, 1, 6)
    assert billable(derived, "E2") == from_to(10, 7, 10)
    assert {verdicts(derived, "E2")[day] for day in from_to(10, 11, 14)} == {"hold auth_exhausted"}


def test_v14_lines_break_where_the_member_number_changes() -> None:
    history = History().open()
    history.add("CoverageVerified", payer="blue", member="M-1", from_="2026-10-01")
    history.add("CoverageVerified", payer="blue", member="M-2", from_="2026-10-11")
    history.order(from_="2026-10-01")
    history.add("DaysServed", order="RX", from_="2026-10-01", to="2026-10-15", infused=True)
    lines = [(row["from"][5:], row["to"][5:], row["member"]) for row in history.derive(documentation=[]).lines]
    assert lines == [("10-01", "10-10", "M-1"), ("10-11", "10-15", "M-2")]


def test_v15_a_concurrent_day_pays_its_rank() -> None:
    terms: dict[str, Any] = {"concurrent_percent": [100, 50, 0], "rate_cents": {"S9325": 10000}}
    history = every(24, *(str(day) for day in range(1, 11)))
    ranked = history.add("TherapyRanked", from_="2026-11-04", to="2026-11-06", rank=2)
    derived = history.derive(**terms)
    assert [(row["rate_cents"], row["modifiers"]) for row in derived.days[3:6]] == [(5000, ["SH"])] * 3
    assert sum(row["expected_cents"] for row in derived.lines) == 7 * 10000 + 3 * 5000
    assert [row["modifiers"] for row in derived.lines] == [[], ["SH"], []]
    history.correct(ranked, "TherapyRanked", from_="2026-11-04", to="2026-11-06", rank=3)
    unpaid = [
        day for day, verdict in verdicts(history.derive(**terms)).items() if verdict.endswith("concurrent_unpaid")
    ]
    assert unpaid == november(4, 5, 6)


def test_v16_a_settled_day_shows_the_other_episode_one_code() -> None:
    history = two_episodes("continuous", "intermittent")
    history.order(name="B", mode="unspecified", from_="2026-11-02")
    history.serve("2", order="B")
    history.add("ConflictResolved", date="2026-11-02", bill="S9326", reason="decided")
    derived = history.derive(pain_code="specific")
    assert verdicts(derived, "E2") == {"11-02": "conflict specific_pair"}
    assert verdicts(derived) == {"11-02": "conflict specific_pair"}
    assert [(row["rule"], row["codes"]) for row in derived.findings] == [("specific_pair", ["S9326", "S9327"])]


def test_v17_an_order_renewed_under_its_number_is_in_force_both_times() -> None:
    history = History().open()
    history.order(name="RX-1", from_="2026-10-01", to="2026-10-31")
    history.order(name="RX-1", from_="2026-11-01", to="2026-11-30")
    history.serve("2026-10-01", "2026-10-31", "1", "30", order="RX-1")
    assert billable(history.derive(documentation=[])) == ["10-01", "10-31", "11-01", "11-30"]

    history = History().open()
    history.order(name="RX-1", from_="2027-01-01")
    history.stop("2027-01-31", order="RX-1")
    history.order(name="RX-1", from_="2027-02-01")
    history.serve("2027-01-31", "2027-02-01", order="RX-1")
    assert billable(history.derive(documentation=[])) == ["01-31", "02-01"]


def test_v18_course_has_one_code_each_day_when_the_mode_changes_and_nothing_is_stopped() -> None:
    history = History().open()
    history.order(name="C", mode="continuous", from_="2027-01-05")
    history.order(name="I", mode="intermittent", from_="2027-01-11")
    history.add("DaysServed", order="C", from_="2027-01-05", to="2027-01-10", infused=True)
    history.serve("2027-01-11", "2027-01-14", order="I")
    derived = history.derive(day_counting="course", pain_code="specific", documentation=[])
    assert days_by_code(derived) == dict.fromkeys(from_to(1, 5, 10), "S9326") | dict.fromkeys(
        from_to(1, 11, 14), "S9327"
    )
