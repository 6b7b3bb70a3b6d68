"""Claims put right by ``claims write``: replaced or voided once the payer gave them a number, and sent anew once they
were turned back."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.claims_files import CLAIMS, IN_THE_OPEN, INTAKE, ClaimsHouse
from tests.command_line import Told

ANSWERS = CLAIMS.parent / "answers"
PAID_ANEW = ANSWERS / "835_reversal_and_correction.x12"
PAID, TAKEN_IN = ANSWERS / "835_paid_units_cut.x12", ANSWERS / "277ca_accepted_and_rejected.x12"
TERMS = "payers/river-health.toml"


def told(id: str, **fact: Any) -> Told:
    return {"episode": "EP-O1", "source": "example", "id": id, "by": "desk-1", "fact": fact}


SHORTER = told(
    "dc-2", type="FactCorrected", target_source="example", target_id="dc", reason="went home earlier",
    fact={"type": "Discharged", "date": "2026-10-03"},
)  # fmt: skip
GONE = told("void", type="EpisodeVoided", reason="opened in error")


@pytest.fixture
def house(tmp_path: Path) -> ClaimsHouse:
    made = ClaimsHouse(tmp_path)
    made.run("record", *IN_THE_OPEN, INTAKE)
    assert [row["claim"] for row in write(made)] == ["EP-O1-1"]
    return made


def write(house: ClaimsHouse) -> list[Any]:
    return list(house.run("claims", "write", "--out", house.folder / "out").rows)


def say(house: ClaimsHouse, *lines: Told) -> None:
    house.tell(*lines, options=("--no-effect",))


def say_terms(house: ClaimsHouse, old: str, new: str) -> None:
    path = house.book / TERMS
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def lines_of(house: ClaimsHouse, file: str) -> list[tuple[Any, ...]]:
    rows = house.run("claims", "read", house.folder / "out" / file).rows
    return [(row["frequency"], row["replaces"], row["code"], row["from"], row["to"], row["units"]) for row in rows]


def test_a_paid_claim_that_changed_is_replaced_under_the_originals_number(house: ClaimsHouse) -> None:
    house.run("remit", PAID)
    say(house, SHORTER)
    prepared = house.run("claims", "prepare").rows
    assert [(row["frequency"], row["replaces"], row["ready"]) for row in prepared] == [("7", "EP-O1-1", True)]
    (row,) = write(house)
    assert (row["claim"], row["control"], row["frequency"], row["outcome"]) == ("EP-O1-2", "EP-O1-1", "7", "written")
    assert lines_of(house, "B2.837") == [
        ("7", "RH900001", "S9325", "2026-09-28", "2026-09-30", 3),
        ("7", "RH900001", "S9325", "2026-10-01", "2026-10-03", 3),
        ("7", "RH900001", "J1171", "2026-09-28", "2026-10-04", 1440),
        ("7", "RH900001", "99601", "2026-09-28", "2026-09-28", 1),
    ]
    assert house.run("claims", "check", house.folder / "out" / "B2.837").status == 0
    assert write(house) == []


def test_a_replacement_is_made_again_to_the_byte(house: ClaimsHouse) -> None:
    house.run("remit", PAID)
    say(house, SHORTER)
    write(house)
    again = house.folder / "again.837"
    assert house.run("claims", "again", "EP-O1-2", "--out", again).status == 0
    assert again.read_bytes() == (house.folder / "out" / "B2.837").read_bytes()


def test_a_claim_of_which_nothing_is_left_is_voided_with_its_lines_as_they_were(house: ClaimsHouse) -> None:
    house.run("ack", TAKEN_IN)
    say(house, GONE)
    (row,) = write(house)
    assert (row["claim"], row["control"], row["frequency"], row["charge_cents"]) == ("EP-O1-2", "EP-O1-1", "8", 157600)
    sent, void = ((house.folder / "out" / name).read_text(encoding="ascii") for name in ("B1.837", "B2.837"))
    told_of_the_patient = sent[sent.index("HL*2") : sent.index("CLM*")]
    assert told_of_the_patient == void[void.index("HL*2") : void.index("CLM*")]
    assert "REF*F8*RH900001~" in void
    again = house.folder / "again.837"
    assert house.run("claims", "again", "EP-O1-2", "--out", again).status == 0
    assert again.read_text(encoding="ascii") == void
    assert write(house) == []


def test_where_the_payer_takes_no_replacement_a_void_goes_first_and_then_a_new_claim(house: ClaimsHouse) -> None:
    say_terms(house, 'corrections = "replacement"', 'corrections = "void_and_new"')
    house.run("remit", PAID)
    say(house, SHORTER)
    (void,) = write(house)
    assert (void["frequency"], void["control"], void["charge_cents"]) == ("8", "EP-O1-1", 157600)
    (new,) = write(house)
    assert (new["claim"], new["control"], new["frequency"]) == ("EP-O1-3", "EP-O1-3", "1")


def test_a_claim_that_nobody_answered_waits(house: ClaimsHouse) -> None:
    say(house, SHORTER)
    assert write(house) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('corrections = "replacement"', 'corrections = "none"'),
        ("correction_days = 180", "correction_days = 1"),
        ("correction_days = 180", 'correction_days = 1\ncorrection_from = "service"'),
    ],
)
def test_a_payer_that_takes_no_correction_or_no_more_gets_none(house: ClaimsHouse, old: str, new: str) -> None:
    say_terms(house, old, new)
    house.run("remit", PAID)
    say(house, SHORTER)
    assert write(house) == []


def test_the_window_runs_from_the_first_answer_for_the_command_that_writes_as_for_the_plan(house: ClaimsHouse) -> None:
    since_first = (datetime.now(UTC).date() - date(2026, 10, 20)).days
    closed = since_first - 2  # by the payer's zone, too, where it may still be yesterday
    say_terms(house, "correction_days = 180", f"correction_days = {closed}")
    house.run("remit", PAID)
    house.run("remit", PAID_ANEW)  # two weeks later
    say(house, SHORTER)
    assert [row["instrument"] for row in house.run("claims", "plan").rows] == ["refund"]  # no correction any more
    assert write(house) == []


def test_a_replacement_that_is_not_answered_is_not_replaced(house: ClaimsHouse) -> None:
    house.run("remit", PAID)
    say(house, SHORTER)
    assert len(write(house)) == 1
    even_shorter = told(
        "dc-3", type="FactCorrected", target_source="example", target_id="dc-2", reason="earlier still",
        fact={"type": "Discharged", "date": "2026-10-02"},
    )  # fmt: skip
    say(house, even_shorter)
    assert write(house) == []


def test_a_claim_that_was_turned_back_goes_out_anew_under_a_number_of_its_own(house: ClaimsHouse) -> None:
    rejected = house.folder / "back.x12"
    text = (
        TAKEN_IN.read_text(encoding="ascii").replace("STC*A2:20:PR", "STC*A7:164:IL").replace("REF*1K*RH900001~\n", "")
    )
    rejected.write_text(text.replace("SE*35", "SE*34"), encoding="ascii")
    house.run("ack", rejected)
    (row,) = write(house)
    assert (row["claim"], row["control"], row["frequency"]) == ("EP-O1-2", "EP-O1-2", "1")
    assert lines_of(house, "B2.837")[0][:3] == ("1", None, "S9325")


def test_a_day_added_inside_the_span_of_a_paid_claim_goes_along_with_its_replacement(tmp_path: Path) -> None:
    house = ClaimsHouse(tmp_path)
    lines = INTAKE.read_bytes().splitlines(keepends=True)
    late = next(line for line in lines if b'"day-2026-10-02"' in line)
    house.run("record", *IN_THE_OPEN, "-", stdin=b"".join(line for line in lines if line != late))
    write(house)
    house.run("remit", PAID)
    house.run("record", "--no-effect", "-", stdin=late)
    (row,) = write(house)
    assert (row["frequency"], row["control"]) == ("7", "EP-O1-1")
    assert [line[2:] for line in lines_of(house, "B2.837")][1] == ("S9325", "2026-10-01", "2026-10-04", 4)
    assert write(house) == []


def test_the_claim_of_a_wrong_patient_is_voided_under_the_name_it_was_sent_with(house: ClaimsHouse) -> None:
    house.run("remit", PAID)
    other = {"type": "EpisodeOpened", "patient": "P-O2", "provider": "1245319599", "zone": "America/Chicago"}
    say(
        house,
        told("open-2", type="FactCorrected", target_source="example", target_id="open", reason="else's", fact=other),
    )
    say(house, told("cov-2", type="FactRetracted", target_source="example", target_id="cov", reason="else's"))
    (row,) = write(house)
    assert (row["frequency"], row["outcome"]) == ("8", "written")
    void = (house.folder / "out" / "B2.837").read_text(encoding="ascii")
    assert "NM1*IL*1*EXAMPLE*EDNA****MI*RH5550001~" in void


def sent(number: str, first: int, last: int, **more: Any) -> Told:
    """A claim of some days of October 2026 that another program sent."""
    days = {"from": f"2026-10-{first:02}", "to": f"2026-10-{last:02}", "units": last - first + 1}
    line = {"code": "S9325", **days, "charge_cents": 12000 * days["units"]}
    lines = [line, *more.pop("lines", ())]
    return told(number, type="ClaimSubmitted", claim=number, payer="river-health", frequency="1", lines=lines, **more)


def paid(number: str, cents: int) -> Told:
    fact = {"claim": number, "payer": "river-health", "payment": f"T-{number}", "paid_on": "2026-11-10"}
    return told(
        f"paid-{number}", type="RemittancePosted", **fact, status="1", payer_control=f"RH-{number}", paid_cents=cents,
        charge_cents=cents,
    )  # fmt: skip


@pytest.fixture
def bare(tmp_path: Path) -> ClaimsHouse:
    """The example with days alone, none of them claimed."""
    made = ClaimsHouse(tmp_path)
    lines = INTAKE.read_bytes().splitlines(keepends=True)
    apart = (b"DrugAdministered", b"NursingVisited")
    days = [line for line in lines if not any(kind in line for kind in apart)]
    made.run("record", *IN_THE_OPEN, "--no-effect", "-", stdin=b"".join(days))
    return made


def plan(house: ClaimsHouse) -> list[tuple[str, str]]:
    return [(row["claim"], row["instrument"]) for row in house.run("claims", "plan").rows]


def test_a_claim_with_another_one_in_its_gap_is_as_it_should_be(bare: ClaimsHouse) -> None:
    line = {"code": "S9325", "from": "2026-10-04", "to": "2026-10-04", "units": 1, "charge_cents": 12000}
    say(bare, sent("C-0", 3, 3), sent("C-1", 1, 2, lines=[line]), paid("C-1", 26400), paid("C-0", 8800))
    assert plan(bare) == [("C-1", "new")]  # the days of September
    assert [row["frequency"] for row in bare.run("claims", "prepare").rows] == ["1"]


def test_days_missing_on_a_claim_go_out_by_themselves_until_its_payer_has_it(bare: ClaimsHouse) -> None:
    line = {"code": "S9325", "from": "2026-10-04", "to": "2026-10-04", "units": 1, "charge_cents": 12000}
    say(bare, sent("C-1", 1, 2, lines=[line]))
    assert plan(bare) == [("C-1", "new")]
    assert [(row["from"], row["to"]) for row in bare.run("claims", "prepare").rows] == [("2026-09-28", "2026-10-03")]
    taken_in = {"claim": "C-1", "payer": "river-health", "kind": "277CA", "status": "accepted", "date": "2026-11-01"}
    say(bare, told("taken", type="ClaimAcknowledged", codes=[], payer_control="RH-1", **taken_in))
    assert plan(bare) == [("C-1", "replace"), ("C-1", "new")]
    prepared = [(row["frequency"], row["from"], row["to"]) for row in bare.run("claims", "prepare").rows]
    assert prepared == [("7", "2026-10-01", "2026-10-04"), ("1", "2026-09-28", "2026-09-30")]


def test_a_claim_of_days_alone_that_was_turned_back_goes_out_anew(bare: ClaimsHouse) -> None:
    write(bare)
    back = {"claim": "EP-O1-1", "payer": "river-health", "kind": "277CA", "status": "rejected", "date": "2026-11-01"}
    say(bare, told("back", type="ClaimAcknowledged", codes=["A7"], **back))
    assert [(row["frequency"], row["outcome"]) for row in write(bare)] == [("1", "written")]


def test_an_authorization_that_is_not_on_a_denied_claim_goes_on_its_replacement(bare: ClaimsHouse) -> None:
    say(bare, sent("C-1", 1, 4))
    no_authorization = [{"group": "CO", "code": "197", "cents": 48000}]
    denied = paid("C-1", 48000)["fact"] | {"status": "4", "paid_cents": 0, "adjustments": no_authorization}
    say(bare, told("denied", **denied))
    assert ("C-1", "replace") in plan(bare)
    row = next(row for row in write(bare) if row["frequency"] == "7")
    read = bare.run("claims", "read", bare.folder / "out" / row["file"]).rows
    assert {each["authorization"] for each in read if each["frequency"] == "7"} == {"RH-PA-1"}


def test_other_diagnoses_than_were_sent_are_a_replacement(house: ClaimsHouse) -> None:
    house.run("remit", PAID_ANEW)
    house.run("remit", PAID)
    assert plan(house) == []
    say(house, told("dx-2", type="DiagnosisRecorded", icd10="M54.5", **{"from": "2026-09-01"}))
    (row,) = house.run("claims", "plan").rows
    assert (row["instrument"], row["why"]) == ("replace", "its diagnoses are others")
    (row,) = write(house)
    assert (row["frequency"], row["outcome"]) == ("7", "written")
    assert "M545" in (house.folder / "out" / row["file"]).read_text(encoding="ascii")
    assert write(house) == []


def test_of_a_claim_that_tells_no_diagnoses_none_is_other(bare: ClaimsHouse) -> None:
    say(bare, sent("C-1", 1, 4), paid("C-1", 35200))
    say(bare, told("dx-2", type="DiagnosisRecorded", icd10="M54.5", **{"from": "2026-09-01"}))
    assert plan(bare) in ([], [("C-1", "new")])


def test_what_is_missing_on_a_claim_too_late_is_appealed(bare: ClaimsHouse) -> None:
    say_terms(bare, "correction_days = 180", 'correction_days = 1\ncorrection_from = "service"')
    line = {"code": "S9325", "from": "2026-10-04", "to": "2026-10-04", "units": 1, "charge_cents": 12000}
    say(bare, sent("C-1", 1, 2, lines=[line]), paid("C-1", 26400))
    assert ("C-1", "appeal") in plan(bare)
    assert {row["frequency"] for row in bare.run("claims", "prepare").rows} == {"1"}
