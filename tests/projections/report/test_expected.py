"""What is expected of an episode and absent is in the report: service, bills, supplies and papers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import OPENING, House, Told, example, told

ORDER = {
    "type": "TherapyOrdered", "order": "RX-9", "mode": "continuous", "from": "2026-03-01", "prescriber": "1245319599",
    "signed_on": "2026-02-28",
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The shared example before its discharge and its bills; its own order has ended, so that only RX-9 is open."""
    house = House(tmp_path)
    left_out = ("Discharged", "DrugBilledSeparately")
    stop = told("stop-1", {"type": "TherapyStopped", "order": "RX-1", "date": "2026-02-04"})
    assert house.tell(*(line for line in example() if line["fact"]["type"] not in left_out), stop).status == 0
    return house


def expected(house: House, on: str, *options: str) -> dict[str, Told]:
    rows = house.run("report", "--on", on, *options).rows
    return {row["kind"]: row for row in rows if row["section"] == "expected"}


def served(day: str) -> Told:
    return told(f"served-{day}", {"type": "DayServed", "order": "RX-9", "date": day})


def test_an_open_order_without_service_is_told_after_seven_days(house: House) -> None:
    house.tell(told("rx-9", ORDER), served("2026-03-02"))
    assert "order_silent" not in expected(house, "2026-03-10")
    row = expected(house, "2026-03-11")["order_silent"]
    assert (row["what"], row["since"], row["due"]) == ("RX-9", "2026-03-02", "2026-03-10")
    assert row["says"] == "No service is recorded for 9 days. Record it, or that therapy stopped."
    assert "order_silent" in expected(house, "2027-03-11"), "whatever the date of the last fact"


def test_an_order_that_was_never_served_is_silent_from_its_first_date(house: House) -> None:
    house.tell(told("rx-9", ORDER))
    assert expected(house, "2026-03-20")["order_silent"]["since"] == "2026-03-01"


def test_doses_far_apart_are_waited_for(house: House) -> None:
    house.tell(told("rx-9", ORDER | {"mode": "intermittent", "interval_hours": 72}), served("2026-03-02"))
    assert "order_silent" not in expected(house, "2026-03-12")
    assert "order_silent" in expected(house, "2026-03-13")


@pytest.mark.parametrize(
    "ending",
    [
        {"type": "TherapyStopped", "order": "RX-9", "date": "2026-03-09"},
        {"type": "Discharged", "date": "2026-03-09"},
        {"type": "PatientDied", "date": "2026-03-09"},
        {"type": "EpisodeVoided", "reason": "opened twice"},
    ],
    ids=lambda ending: ending["type"],
)
def test_what_ended_is_not_silent(house: House, ending: Told) -> None:
    house.tell(told("rx-9", ORDER), served("2026-03-02"), told("end", ending))
    assert "order_silent" not in expected(house, "2026-03-20")


def test_an_open_episode_without_an_order_is_silent_after_fourteen_days(house: House) -> None:
    assert "episode_silent" not in expected(house, "2026-02-18")
    row = expected(house, "2026-02-19")["episode_silent"]
    assert (row["since"], row["due"]) == ("2026-02-04", "2026-02-18")
    house.tell(told("home", {"type": "Discharged", "date": "2026-02-05"}))
    assert "episode_silent" not in expected(house, "2026-02-19")


def test_a_visit_on_no_bill_is_told_after_seven_days(house: House) -> None:
    house.tell(told("visit", {"type": "NursingVisited", "date": "2026-02-03"}))
    assert "visit_not_billed" not in expected(house, "2026-02-09")
    row = expected(house, "2026-02-10")["visit_not_billed"]
    assert (row["since"], row["count"]) == ("2026-02-03", 1)
    assert "visit_not_billed" not in expected(house, "2026-06-01"), "after 90 days it is not looked for"
    house.tell(told("billed", {"type": "ServiceBilledSeparately", "code": "99601", "from": "2026-02-03"}))
    assert "visit_not_billed" not in expected(house, "2026-02-10")


def test_a_drug_on_no_bill_is_told(house: House) -> None:
    drug = {"type": "DrugDispensed", "date": "2026-02-03", "ndc": "00409000001", "quantity": "5", "unit": "ML"}
    house.tell(told("drug", drug))
    assert expected(house, "2026-02-12")["drug_not_billed"]["count"] == 1
    other = {"type": "ServiceBilledSeparately", "code": "99601", "from": "2026-02-03"}
    house.tell(told("visit", other))
    assert "drug_not_billed" in expected(house, "2026-02-12"), "a visit's code bills no drug"
    house.tell(told("billed", {"type": "DrugBilledSeparately", "hcpcs": "J2270", "units": "5", "from": "2026-02-05"}))
    assert "drug_not_billed" not in expected(house, "2026-02-12")


def test_supply_plan_and_assessment_run_out_while_an_order_is_open(house: House) -> None:
    drug = {
        "type": "DrugDispensed", "date": "2026-03-02", "ndc": "00409000001", "quantity": "5", "unit": "ML",
        "days_supply": 20,
    }  # fmt: skip
    pain = {"type": "PainAssessed", "date": "2026-03-03", "score": 4}
    house.tell(told("rx-9", ORDER), served("2026-03-04"), told("drug", drug), told("pain", pain))
    found = expected(house, "2026-03-09")
    assert found["supply_ends"]["due"] == "2026-03-21"
    assert found["pain_due"]["due"] == "2026-03-10"
    assert "plan_ends" not in found
    assert "plan_ends" not in expected(house, "2026-03-17")
    assert expected(house, "2026-03-18")["plan_ends"]["due"] == "2026-04-01"
    house.tell(told("stop", {"type": "TherapyStopped", "order": "RX-9", "date": "2026-03-05"}))
    assert not expected(house, "2026-03-18").keys() & {"supply_ends", "plan_ends", "pain_due"}


def test_each_item_of_supply_runs_out_for_itself_and_one_of_long_ago_no_more(house: House) -> None:
    def kit(id: str, item: str, day: str, **more: object) -> Told:
        return told(id, {"type": "SupplyDispensed", "date": day, "item": item, "quantity": "1"} | more)

    gone = {"type": "FactRetracted", "target_source": "pump", "target_id": "k4", "reason": "not sent"}
    house.tell(
        told("rx-9", ORDER), served("2026-03-04"), kit("k1", "catheter kit", "2026-03-02", days_supply=7),
        kit("k2", "catheter kit", "2026-03-09", days_supply=7), kit("k3", "tubing", "2026-03-05", days_supply=10),
        kit("k4", "tubing", "2026-03-14", days_supply=10), kit("k5", "sharps box", "2026-03-02"), told("gone", gone),
    )  # fmt: skip
    rows = house.run("report", "--on", "2026-03-10").rows
    assert [(row["what"], row["due"]) for row in rows if row.get("kind") == "supply_ends"] == [
        ("tubing", "2026-03-14"), ("catheter kit", "2026-03-15"),
    ]  # fmt: skip
    assert "supply_ends" in expected(house, "2026-06-13")
    assert "supply_ends" not in expected(house, "2026-06-14"), "90 days after the last of it"


def test_payer_and_dates_choose_what_is_expected(house: House) -> None:
    house.tell(told("rx-9", ORDER), served("2026-03-02"))
    assert expected(house, "2026-03-11", "--payer", "prairie-blue")["order_silent"]["payer"] == "prairie-blue"
    assert expected(house, "2026-03-11", "--payer", "medicare") == {}
    assert "order_silent" not in expected(house, "2026-03-11", "--to", "2026-03-09")


def test_what_was_not_known_yet_at_an_instant_is_not_expected(house: House) -> None:
    before = house.run("replay", "EP-1").rows[-1]["recorded_at"]
    house.tell(told("rx-9", ORDER), served("2026-03-02"))
    assert "order_silent" not in expected(house, "2026-03-11", "--known-at", before)


def test_an_open_order_of_a_merged_patient_is_silent_under_the_name_that_stands(house: House) -> None:
    opening = told("opened", OPENING | {"patient": "P-1 old"}, episode="EP-2")
    house.tell(told("home", {"type": "Discharged", "date": "2026-02-05"}), opening, told("rx", ORDER, episode="EP-2"))
    assert expected(house, "2027-03-11")["order_silent"]["patient"] == "P-1 old"
    assert house.run("merge-patients", "P-1 old", "P-1", "--reason", "one person", "--yes").status == 0
    assert expected(house, "2027-03-11")["order_silent"]["patient"] == "P-1"


def test_an_authorization_of_an_open_order_is_shown_whatever_the_last_fact(house: House) -> None:
    grant = {
        "type": "AuthorizationGranted", "number": "PA-9", "payer": "prairie-blue", "codes": ["S9325"], "units": 60,
        "from": "2026-03-01", "to": "2026-06-30",
    }  # fmt: skip
    house.tell(told("rx-9", ORDER), served("2026-03-02"), told("grant", grant))
    rows = house.run("report", "--on", "2026-06-20").rows
    assert [row["number"] for row in rows if row["section"] == "authorizations"] == ["PA-9"]
    house.tell(told("stop", {"type": "TherapyStopped", "order": "RX-9", "date": "2026-03-05"}))
    rows = house.run("report", "--on", "2026-06-20").rows
    assert [row for row in rows if row["section"] == "authorizations"] == []


@pytest.mark.parametrize(
    ("on", "month"), [("2026-03-31", "2026-02"), ("2026-04-01", "2026-03"), ("2026-01-15", "2025-12")]
)
def test_it_names_the_month_last_ended_and_up_to_when_it_knows(house: House, on: str, month: str) -> None:
    head = house.run("report", "--on", on).rows[0]
    assert head["last_month"] == month
    assert head["data_until"] == house.run("replay", "EP-1").rows[-1]["recorded_at"]


def test_each_section_of_the_table_says_up_to_when_its_data_reach(house: House) -> None:
    lines = house.run("report", "--on", "2026-03-31", "--format", "table").out.decode().splitlines()
    titles = [line for line in lines if line and not line.startswith(" ")]
    assert titles[0] == "Report on 2026-03-31; the month last ended is February 2026"
    assert len(titles) == 15
    assert all("(data until 20" in title for title in titles[1:-1])
    assert all(len(line) <= 100 for line in lines)


def test_people_are_shown_the_oldest_of_each_kind_and_how_many_more_there_are(house: House) -> None:
    """A table of everything is not read: five open orders are three rows and a count, and whole where that is asked."""
    orders = [
        told(f"rx-{number}", ORDER | {"order": f"RX-{number}", "from": f"2026-02-{number}"}) for number in range(10, 15)
    ]
    assert house.tell(*orders).status == 0
    asked = ("report", "--on", "2026-03-20")
    for form in ("table", "html"):
        shown, whole = (house.run(*asked, *more, "--format", form).out.decode() for more in ((), ("--all",)))
        assert "Open order without service: 5 in 1 episode, the first due" in shown
        assert ("and 2 more" in shown, "and 2 more" in whole) == (True, False)
        assert "report --all --on 2026-03-20" in shown
        named = [[f"RX-{number}" for number in range(10, 15) if f"RX-{number}" in text] for text in (shown, whole)]
        assert named == [["RX-10", "RX-11", "RX-12"], ["RX-10", "RX-11", "RX-12", "RX-13", "RX-14"]]
    told_all = [row["what"] for row in house.run(*asked).rows if row.get("kind") == "order_silent"]
    assert told_all == ["RX-10", "RX-11", "RX-12", "RX-13", "RX-14"], "a program is given all of them"
