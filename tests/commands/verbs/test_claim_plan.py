"""What is to be done about claims that are not as they should be: a row of claims.md section 6 each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.answered import LINES, TAKEN_IN, answer, claim, house_with_claims, line, written
from tests.command_line import House, Told


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The open example with its first claim alone."""
    return house_with_claims(tmp_path, second=False)


def plan(house: House) -> list[tuple[str, str, int]]:
    ended = house.run("claims", "plan")
    assert ended.status == 0
    return [(row["claim"], row["instrument"], row["cents"]) for row in ended.rows]


def by(house: House) -> list[str | None]:
    return [row["by"] for row in house.run("claims", "plan").rows]


def told(fact: Told, id: str) -> Told:
    return {"episode": "EP-O1", "source": "desk", "id": id, "by": "desk-1", "fact": fact}


def retracted(id: str) -> Told:
    return told({"type": "FactRetracted", "target_source": "example", "target_id": id, "reason": "wrong"}, f"not-{id}")


PAID = [
    "SVC*HC:S9325*360*264**3", "CAS*CO*45*96", "REF*6R*1", "SVC*HC:S9325*480*352**4", "CAS*CO*45*128", "REF*6R*2",
    "SVC*HC:J1171*576*576**1440", "REF*6R*3", "SVC*HC:99601*160*160**1", "REF*6R*4",
]  # fmt: skip


def pay(house: House, folder: Path, lines: list[str] = PAID, cents: float = 1352, status: str = "1") -> None:
    assert (
        house.run("remit", written(folder, [answer("EP-O1-1", status, 1576, cents, *lines)], cents, "T-1")).status == 0
    )


def test_a_claim_that_is_as_it_should_be_has_no_row(house: House, tmp_path: Path) -> None:
    assert plan(house) == []
    pay(house, tmp_path)
    assert plan(house) == []


def test_some_days_gone_from_a_paid_claim_are_replaced(house: House, tmp_path: Path) -> None:
    pay(house, tmp_path)
    house.tell(retracted("day-2026-09-30"))
    assert plan(house) == [("EP-O1-1", "replace", 8800)]
    assert by(house) == ["2027-05-09"]  # 180 days from the remittance


def test_all_days_gone_are_voided(house: House, tmp_path: Path) -> None:
    pay(house, tmp_path)
    house.tell(told({"type": "EpisodeVoided", "reason": "opened twice"}, "void"))
    assert plan(house) == [("EP-O1-1", "void", 88 * 7 * 100)]


def test_what_is_not_answered_waits(house: House) -> None:
    house.tell(retracted("day-2026-09-30"))
    assert [row[1] for row in plan(house)] == ["wait"]
    assert by(house) == ["2027-03-27"]  # the filing limit: 180 days from service


def test_what_was_taken_in_under_a_number_is_replaced(house: House) -> None:
    house.run("ack", TAKEN_IN)
    house.tell(retracted("day-2026-09-30"))
    assert [row[1] for row in plan(house)] == ["replace"]


def test_what_was_turned_back_goes_out_anew(house: House) -> None:
    back = {"type": "ClaimAcknowledged", "claim": "EP-O1-1", "payer": "river-health", "kind": "277CA"}
    house.tell(told({**back, "status": "rejected", "date": "2026-10-08", "codes": ["A7"]}, "ack"))
    assert plan(house) == [("EP-O1-1", "new", 88 * 7 * 100)]
    house.tell(claim("EP-O1-3"))
    assert plan(house) == []


def test_days_inside_a_paid_claim_are_added_by_a_replacement(tmp_path: Path) -> None:
    house = house_with_claims(
        tmp_path, second=False, lines=[LINES[0], line("S9325", "2026-10-03", "2026-10-04", 2, 24000, "2")]
    )
    paid = [
        "SVC*HC:S9325*360*264**3",
        "CAS*CO*45*96",
        "REF*6R*1",
        "SVC*HC:S9325*240*176**2",
        "CAS*CO*45*64",
        "REF*6R*2",
    ]
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 600, 440, *paid)], 440, "T-1"))
    assert plan(house) == [("EP-O1-1", "replace", 17600)]


def test_days_outside_every_claim_are_a_new_original(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path, second=False, lines=[LINES[1]])
    assert plan(house) == [("EP-O1-1", "new", 26400)]


def test_what_was_paid_too_little_is_appealed_with_its_date(house: House, tmp_path: Path) -> None:
    lines = [PAID[0].replace("264", "164"), "CAS*CO*45*196", *PAID[2:]]
    pay(house, tmp_path, lines, 1252)
    assert plan(house) == [("EP-O1-1", "appeal", 10000)]
    assert by(house) == ["2027-02-08"]  # 90 days
    filed = {"type": "AppealFiled", "claim": "EP-O1-1", "cents": 10000, "date": "2026-11-20", "reason": "the terms"}
    house.tell(told(filed, "appeal"))
    assert [row[1] for row in plan(house)] == ["wait"]
    house.tell(told(filed | {"type": "WrittenOff"}, "off"))
    assert plan(house) == []


@pytest.mark.parametrize(
    ("reason", "instrument"),
    [
        ("50", "appeal"),
        ("16", "replace"),
        ("197", "replace"),
        ("109", "void_and_new"),
        ("22", "wait"),
        ("999", "appeal"),
    ],
)
def test_the_reason_of_a_denial_says_what_cures_it(house: House, tmp_path: Path, reason: str, instrument: str) -> None:
    pay(house, tmp_path, [f"CAS*CO*{reason}*1576"], 0, status="4")
    assert [row[1] for row in plan(house)] == [instrument]


def test_an_authorization_that_is_on_the_claim_cannot_be_added(tmp_path: Path) -> None:
    lines = [{**each, "authorization": "RH-PA-1"} for each in LINES[:2]]
    house = house_with_claims(tmp_path, second=False, lines=lines)
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "4", 840, 0, "CAS*CO*197*840")], 0, "T-1"))
    assert [row[1] for row in plan(house)] == ["appeal"]


def test_an_authorization_corrected_meanwhile_is_a_replacement(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path, second=False, lines=[{**each, "authorization": "OTHER"} for each in LINES[:2]])
    pay(house, tmp_path, ["CAS*CO*45*224"], 1352)
    assert plan(house)[0][1] == "replace"


def test_what_was_paid_too_much_goes_back(house: House, tmp_path: Path) -> None:
    pay(house, tmp_path, [PAID[0].replace("264", "300"), "CAS*CO*45*60", *PAID[2:]], 1388)
    assert plan(house) == [("EP-O1-1", "refund", 3600)]
    sent = {"type": "RefundSent", "claim": "EP-O1-1", "cents": 3600, "date": "2026-11-20", "reason": "paid too much"}
    house.tell(told(sent, "refund"))
    assert plan(house) == []


@pytest.mark.parametrize(
    ("terms", "instrument"),
    [('corrections = "void_and_new"', "void_and_new"), ('corrections = "none"', "refund"),
     ('correction_days = 1\ncorrection_from = "service"', "refund")],
)  # fmt: skip
def test_the_terms_say_how_a_claim_is_put_right(house: House, tmp_path: Path, terms: str, instrument: str) -> None:
    file = house.book / "payers" / "river-health.toml"
    text = file.read_text()
    for told_ in ('corrections = "replacement"\n', "correction_days = 180\n"):
        text = text.replace(told_, "")
    file.write_text(text.replace("appeal_days = 90", f"appeal_days = 90\n{terms}"))
    pay(house, tmp_path)
    house.tell(retracted("day-2026-09-30"))
    assert [row[1] for row in plan(house)] == [instrument]


def test_a_replacement_waits_until_the_one_before_it_is_answered(house: House, tmp_path: Path) -> None:
    pay(house, tmp_path)
    house.tell(claim("EP-O1-3", LINES[:1], frequency="7", replaces="EP-O1-1", control="EP-O1-1"))
    taken_in = {"type": "ClaimAcknowledged", "claim": "EP-O1-3", "payer": "river-health", "kind": "277CA"}
    house.tell(told({**taken_in, "status": "accepted", "date": "2026-10-08", "codes": [], "payer_control": "N"}, "ack"))
    house.tell(retracted("day-2026-09-30"))
    assert [row[:2] for row in plan(house)] == [("EP-O1-3", "wait")]
