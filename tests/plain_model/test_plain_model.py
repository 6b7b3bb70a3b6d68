"""The plain model itself, checked against days counted by hand."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from tests.plain_model import Derived, derive

NORTH = "1234567893"
SOUTH = "1245319599"
SUPPLIES = ["A4222", "E0779"]


def edition(**changes: Any) -> dict[str, Any]:
    """Terms under which every gate is open unless the test closes one."""
    terms: dict[str, Any] = {
        "from": date(2026, 1, 1),
        "published": date(2025, 11, 15),
        "accepts_s_codes": True,
        "pain_code": "general",
        "day_counting": "infused",
        "rate_cents": {"S9325": 9000, "S9326": 9800, "S9327": 8100, "S9328": 7600},
    }
    return terms | changes


def book(*editions: dict[str, Any], other: dict[str, Any] | None = None) -> dict[str, Any]:
    """A book with the payers `blue` (these editions) and `green`, and two providers who agree with both."""
    pain = [f"S932{n}" for n in (5, 6, 7, 8)]
    codes: list[dict[str, Any]] = [
        {"code": code, "family": "pain", "from": "2002-01-01", "includes": SUPPLIES, "excludes": set(pain) - {code}}
        for code in pain
    ]
    codes += [{"code": code, "family": "catheter_care", "from": date(2002, 1, 1)} for code in ("S5498", "S5501")]
    codes.append({"code": "S9810", "family": "pharmacy_hours", "from": date(2002, 1, 1)})
    agreements = [{"payer": payer, "signed_on": "2024-12-20", "from": "2025-01-01"} for payer in ("blue", "green")]
    return {
        "codes": codes,
        "payers": [
            {"id": "blue", "name": "Blue", "kind": "commercial", "terms": list(editions)},
            {"id": "green", "name": "Green", "kind": "commercial", "terms": [other or edition()]},
        ],
        "providers": [{"npi": npi, "name": npi, "agreements": agreements} for npi in (NORTH, SOUTH)],
    }


class History:
    """Entries of one or more episodes, each recorded an hour after the one before."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.clock = datetime(2026, 10, 1)

    def at(self, day: str) -> History:
        """What follows is recorded from this date on."""
        self.clock = datetime.fromisoformat(day)
        return self

    def add(self, fact_type: str, episode: str = "E1", **fields: Any) -> str:
        """Record a fact; `from` is written `from_`. Gives back its id."""
        fact = {"type": fact_type} | {name.rstrip("_"): value for name, value in fields.items()}
        self.clock += timedelta(hours=1)
        entry_id = str(len(self.entries) + 1)
        self.entries.append(
            {
                "episode": episode,
                "source": "test",
                "id": entry_id,
                "by": "me",
                "recorded_at": self.clock.isoformat() + "Z",
                "fact": fact,
            }
        )
        return entry_id

    def retract(self, target: str, episode: str = "E1") -> str:
        """The target never happened."""
        return self.add("FactRetracted", episode, target_source="test", target_id=target, reason="wrong")

    def correct(self, target: str, fact_type: str, episode: str = "E1", **fields: Any) -> str:
        """The target was wrong, this is right."""
        fact = {"type": fact_type} | {name.rstrip("_"): value for name, value in fields.items()}
        return self.add("FactCorrected", episode, target_source="test", target_id=target, reason="wrong", fact=fact)

    def open(self, episode: str = "E1", payer: str = "blue", provider: str = NORTH, patient: str = "P1") -> History:
        """An episode with every gate satisfied from 2026-09-01 on, but for orders and service."""
        self.add("EpisodeOpened", episode, patient=patient, provider=provider, zone="America/Chicago")
        self.add("CoverageVerified", episode, payer=payer, member="M", from_="2026-09-01")
        self.add("DiagnosisRecorded", episode, icd10="G89.3", from_="2026-09-01")
        self.add("PlanSigned", episode, plan="PL", signed_on="2026-09-01", from_="2026-09-01", to="2027-12-31")
        for first, days in (("2026-10-25", 60), ("2027-03-10", 14)):
            for n in range(0, days, 7):
                day = date.fromisoformat(first) + timedelta(days=n)
                self.add("PainAssessed", episode, date=day.isoformat(), score=5)
        return self

    def order(self, episode: str = "E1", name: str = "RX", mode: str = "unspecified", **fields: Any) -> str:
        """An order from 2026-10-25 unless said otherwise."""
        fields = {"from_": "2026-10-25", "prescriber": SOUTH} | fields
        return self.add("TherapyOrdered", episode, order=name, mode=mode, **fields)

    def serve(self, *days: str, episode: str = "E1", order: str = "RX", infused: bool = True) -> History:
        """Service on these dates of November 2026 (`5`), or on full dates."""
        for day in days:
            when = f"2026-11-{day:0>2}" if len(day) < 3 else day
            self.add("DayServed", episode, order=order, date=when, infused=infused)
        return self

    def stop(self, day: str, episode: str = "E1", order: str = "RX") -> History:
        """A permanent stop."""
        self.add("TherapyStopped", episode, order=order, date=day)
        return self

    def claim(
        self,
        number: str,
        first: str,
        last: str,
        episode: str = "E1",
        code: str = "S9325",
        payer: str = "blue",
        units: int | None = None,
        frequency: str = "1",
        **fields: Any,
    ) -> History:
        """A claim of one line over dates of November 2026."""
        line = {
            "code": code,
            "from": f"2026-11-{first:0>2}",
            "to": f"2026-11-{last:0>2}",
            "units": int(last) - int(first) + 1 if units is None else units,
            "charge_cents": 100,
        }
        self.add("ClaimSubmitted", episode, claim=number, payer=payer, frequency=frequency, lines=[line], **fields)
        return self

    def derive(self, known_at: str | None = None, **changes: Any) -> Derived:
        """Derive under one edition of `blue`, changed so."""
        return derive(self.entries, book(edition(**changes)), known_at)


def verdicts(derived: Derived, episode: str = "E1") -> dict[str, str]:
    """Month-day to verdict."""
    return {
        row["date"][5:]: " ".join(filter(None, (row["status"], row["reason"])))
        for row in derived.days
        if row["episode"] == episode
    }


def billable(derived: Derived, episode: str = "E1") -> list[str]:
    """The billable days, month-day."""
    return [day for day, verdict in verdicts(derived, episode).items() if verdict == "billable"]


def found(derived: Derived, rule: str) -> list[dict[str, Any]]:
    """The findings of one rule."""
    return [row for row in derived.findings if row["rule"] == rule]


def november(*days: int) -> list[str]:
    """Dates of November, month-day."""
    return [f"11-{day:02}" for day in days]


def run_of_a_week() -> History:
    """V1: one run of seven days less six hours."""
    history = History().open()
    history.order()
    history.add("InfusionLogged", order="RX", started_at="2026-11-02T16:00-06:00", stopped_at="2026-11-09T10:00-06:00")
    return history.stop("2026-11-09")


def every(hours: int, *days: str) -> History:
    """V2 to V4: doses at a spacing."""
    history = History().open()
    history.order(from_="2026-11-01", interval_hours=hours)
    return history.serve(*days)


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


def test_terms_published_later_are_not_known_before_and_lines_break_at_their_start() -> None:
    history = History().open()
    history.order(from_="2026-11-02", mode="continuous")
    history.serve("2", "3", "4", "5")
    late = edition(**{"from": "2026-11-04", "published": "2026-12-20", "pain_code": "specific"})
    reference = book(edition(), late)
    assert [(row["from"], row["units"], row["code"]) for row in derive(history.entries, reference).lines] == [
        ("2026-11-02", 2, "S9325"),
        ("2026-11-04", 2, "S9326"),
    ]
    early = derive(history.entries, reference, "2026-12-20T00:30+01:00").lines
    assert [(row["from"], row["units"], row["charge_cents"]) for row in early] == [("2026-11-02", 4, 36000)]
    assert (
        derive(history.entries, reference, "2026-12-20T00:00:00.5Z").lines == derive(history.entries, reference).lines
    )
    assert derive(history.entries, reference, "2026-09-01T00:00Z") == Derived([], [], [])


def test_lines_break_at_the_month_and_at_their_longest() -> None:
    history = History().open()
    history.order()
    history.serve("2026-10-30", "2026-10-31", "1", "2", "3")

    def spans(**changes: Any) -> list[tuple[str, str]]:
        return [(row["from"][5:], row["to"][5:]) for row in history.derive(**changes).lines]

    assert spans() == [("10-30", "10-31"), ("11-01", "11-03")]
    assert spans(split_on_month=False, line_max_days=4) == [("10-30", "11-02"), ("11-03", "11-03")]
    assert len(spans(line_style="per_day")) == 5


def test_a_chain_of_corrections_stands_by_the_last_one_not_retracted() -> None:
    history = History().open()
    history.order(from_="2026-11-01")
    first = history.add("DayServed", order="RX", date="2026-11-02")
    assert billable(history.derive()) == november(2)
    second = history.correct(first, "DayServed", order="RX", date="2026-11-03")
    third = history.correct(first, "DayServed", order="RX", date="2026-11-04")
    assert billable(history.derive()) == november(4)
    history.retract(second)
    assert billable(history.derive()) == november(4)
    undone = history.retract(third)
    assert billable(history.derive()) == november(2)
    history.retract(undone)
    assert billable(history.derive()) == november(4)
    history.retract(first)
    assert billable(history.derive()) == november(4)
    history.retract(third)
    assert billable(history.derive()) == []


def test_a_corrected_opening_moves_the_episode_until_the_correction_is_retracted() -> None:
    history = History().open()
    history.order(from_="2026-11-02")
    history.serve("2")
    moved = history.correct("1", "EpisodeOpened", patient="P9", provider=SOUTH, zone="Europe/Berlin")
    assert {row["patient"] for row in history.derive().days} == {"P9"}
    history.retract(moved)
    assert {row["patient"] for row in history.derive().days} == {"P1"}


def two_episodes(first: str = "continuous", second: str = "continuous", payer: str = "blue") -> History:
    """Two episodes of one patient that both serve November 2."""
    history = History().open().open("E2", payer=payer, provider=SOUTH)
    for episode, mode in (("E1", first), ("E2", second)):
        history.order(episode, mode=mode, from_="2026-11-02")
        history.serve("2", episode=episode)
    return history


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


def test_codes_beside_or_inside_the_per_diem_are_found() -> None:
    history = History().open()
    history.order(from_="2026-11-02")
    history.serve("2", "3")
    history.add("ServiceBilledSeparately", code="S5501", from_="2026-11-01", to="2026-11-02")
    history.add("ServiceBilledSeparately", code="S9810", from_="2026-11-03")
    history.add("DrugBilledSeparately", hcpcs="A4222", units=1, from_="2026-11-02", to="2026-11-09")
    derived = history.derive()
    assert [(row["rule"], row["dates"][0][8:], row["codes"]) for row in derived.findings] == [
        ("bundled_item_billed", "02", ["A4222", "S9325"]),
        ("bundled_item_billed", "03", ["A4222", "S9325"]),
        ("catheter_care_with_per_diem", "02", ["S5501", "S9325"]),
        ("pharmacy_hours_with_per_diem", "03", ["S9325", "S9810"]),
    ]
    assert found(history.derive(bundled_exceptions=["A4222"]), "bundled_item_billed") == []


def test_service_after_death_is_found_in_every_episode_of_the_patient() -> None:
    history = two_episodes(payer="green")
    history.add("PatientDied", "E2", date="2026-11-01")
    derived = history.derive()
    assert verdicts(derived) == verdicts(derived, "E2") == {"11-02": "not_billable after_death"}
    assert [(row["rule"], row["episodes"], row["codes"]) for row in derived.findings] == [
        ("served_after_death", ["E1", "E2"], [])
    ]


def claimed(*days: str) -> History:
    """An episode with service on these dates, then claims from December 1 on."""
    history = History().open()
    history.order(from_="2026-11-02")
    return history.serve(*days).at("2026-12-01")


def test_claims_are_held_against_the_billable_days() -> None:
    history = claimed("2", "4", "5").claim("C1", "3", "4", units=3)
    rows = [(row["rule"], [day[8:] for day in row["dates"]], row["level"]) for row in history.derive().findings]
    assert rows == [
        ("billable_not_claimed", ["02"], "soft"),
        ("claim_units", ["03", "04"], "hard"),
        ("claimed_not_billable", ["03"], "hard"),
    ]


def test_a_replaced_or_voided_claim_is_not_live() -> None:
    history = claimed("2", "3").claim("C1", "2", "3").claim("C2", "3", "3")
    assert [row["dates"] for row in found(history.derive(), "claimed_twice")] == [["2026-11-03"]]
    history.claim("C3", "2", "2", frequency="7", replaces="C1")
    assert history.derive().findings == []
    history.claim("C4", "3", "3", frequency="8", replaces="C2")
    assert found(history.derive(), "billable_not_claimed") == []
    history.claim("C5", "2", "2", frequency="8", replaces="C3")
    assert history.derive().findings == []


def test_a_claim_to_the_wrong_payer_is_not_the_billable_day() -> None:
    derived = claimed("2").claim("C1", "2", "2", payer="green").derive()
    assert [row["rule"] for row in derived.findings] == ["billable_not_claimed", "claimed_not_billable"]


def test_a_claim_before_the_plan_was_signed_is_found() -> None:
    history = claimed("2").claim("C1", "2", "2")
    history.correct("4", "PlanSigned", plan="PL", signed_on="2026-12-02", from_="2026-09-01", to="2027-12-31")
    derived = history.derive(plan_signature="before_claim")
    assert verdicts(derived) == {"11-02": "billable"}
    assert [(row["rule"], row["codes"]) for row in derived.findings] == [("claimed_before_signature", ["S9325"])]
    assert verdicts(history.derive()) == {"11-02": "hold plan_unsigned"}
    assert found(history.derive(documentation=[]), "claimed_before_signature") == []


def test_two_episodes_that_claim_one_day_are_found_together() -> None:
    history = two_episodes().at("2026-12-01").claim("C1", "2", "2").claim("C1", "2", "2", episode="E2", code="S9326")
    row = found(history.derive(), "claimed_twice")[0]
    assert (row["episodes"], row["codes"]) == (["E1", "E2"], ["S9325", "S9326"])


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
