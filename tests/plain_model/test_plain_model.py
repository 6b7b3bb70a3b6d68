"""The plain model itself on the worked cases V1 to V8 of section 7, counted by hand."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.plain_history import History, billable, every, found, november, run_of_a_week, verdicts


def hospital_stay() -> History:
    """V5: served daily but for two dates in hospital."""
    history = History().open()
    history.order()
    history.serve(*(str(day) for day in range(1, 21) if day not in (11, 12)))
    history.add("HospitalAdmitted", stay="S", at="2026-11-10T15:00-06:00")
    history.add("HospitalDischarged", stay="S", at="2026-11-13T11:00-06:00")
    return history


def clocks_go_back() -> History:
    """V6: 48.5 hours."""
    history = History().open()
    history.order()
    history.add("InfusionLogged", order="RX", started_at="2026-10-31T14:00-05:00", stopped_at="2026-11-02T13:30-06:00")
    return history


def clocks_go_forward() -> History:
    """V7: 47 hours."""
    history = History().open()
    history.order(from_="2027-03-01")
    history.add("InfusionLogged", order="RX", started_at="2027-03-13T14:00-06:00", stopped_at="2027-03-15T14:00-05:00")
    return history


def told_twice() -> History:
    """V8: one day reported by two systems."""
    history = History().open()
    history.order()
    return history.serve("5", "5")


WORKED = {
    "V1": (run_of_a_week(), 8, 8, 6),
    "V2": (every(48, "2", "4", "6", "8", "10").stop("2026-11-10"), 9, 5, 5),
    "V3": (every(72, "1", "4", "7", "10").stop("2026-11-10"), 10, 4, 4),
    "V4": (every(168, "1", "8", "15"), 0, 0, 0),
    "V5": (hospital_stay(), 18, 18, 18),
    "V6": (clocks_go_back(), 3, 3, 2),
    "V7": (clocks_go_forward(), 3, 3, 1),
    "V8": (told_twice(), 1, 1, 1),
}


@pytest.mark.parametrize("case", WORKED)
def test_a_worked_case_counts_as_many_days_as_the_rulebook_says(case: str) -> None:
    history, *expected = WORKED[case]
    counted = [
        len(billable(history.derive(day_counting=counting))) for counting in ("access", "infused", "rolling_24h")
    ]
    assert counted == expected


@pytest.mark.parametrize(("counting", "too_long", "not_served"), [("access", 15, 0), ("infused", 3, 12)])
def test_every_168_hours_is_too_long_an_interval(counting: str, too_long: int, not_served: int) -> None:
    tally = Counter(verdicts(every(168, "1", "8", "15").derive(day_counting=counting)).values())
    assert tally["not_billable interval_too_long"] == too_long
    assert tally["not_billable not_served"] == not_served


@pytest.mark.parametrize(
    ("rule", "lost", "expected"),
    [("served", (11, 12), 18), ("midnight_census", (10, 11, 12), 17), ("any_overlap", (10, 11, 12, 13), 16)],
)
def test_a_hospital_stay_takes_the_dates_of_its_rule(rule: str, lost: tuple[int, ...], expected: int) -> None:
    derived = hospital_stay().derive(inpatient_rule=rule)
    assert len(billable(derived)) == expected
    assert [d for d, verdict in verdicts(derived).items() if verdict == "not_billable inpatient"] == november(*lost)
    assert [row["dates"] for row in found(derived, "served_while_inpatient")] == [
        [f"2026-11-{day}"] for day in lost if day in (10, 13)
    ]
