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
    say_terms(house, "correction_days = 180", f"correction_days = {since_first - 1}")
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
