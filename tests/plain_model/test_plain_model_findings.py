"""The plain model on section 5: what is found."""

from __future__ import annotations

from tests.plain_history import History, found, two_episodes, verdicts


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
