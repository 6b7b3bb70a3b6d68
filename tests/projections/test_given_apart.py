"""Drugs and visits beside the per diem: under which code, for how many units, on whose claim, and once."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.facts.events import NursingVisited
from projections.claims_out.given import further_hours
from tests.claims_files import IN_THE_OPEN, INTAKE, ClaimsHouse
from tests.command_line import lines_of

EPISODE = [json.loads(line) for line in INTAKE.read_text(encoding="utf-8").splitlines()]
START = datetime.fromisoformat("2026-09-28T10:00:00-05:00")


def told(id: str, **fact: Any) -> dict[str, Any]:
    return {"episode": "EP-O1", "source": "example", "id": id, "by": "desk-1", "fact": fact}


def house_with(
    folder: Path, *more: dict[str, Any], terms: dict[str, str] | None = None, drugs: str = ""
) -> ClaimsHouse:
    """The example with lines told beside it, some texts of its terms put for others, and drugs added."""
    house = ClaimsHouse(folder)
    path = house.book / "payers" / "river-health.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in (terms or {}).items():
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    with (house.book / "drugs.toml").open("a", encoding="utf-8") as file:
        file.write(drugs)
    by_id = {line["id"]: line for line in (*EPISODE, *more)}
    assert house.run("record", *IN_THE_OPEN, "-", stdin=lines_of(by_id.values())).status == 0
    return house


def lines_written(house: ClaimsHouse) -> list[tuple[str, str, Any, int]]:
    """Claim, code, units and cents of each line that goes out."""
    assert house.run("claims", "write", "--out", house.folder / "out").status == 0
    rows = house.run("claims", "read", *sorted((house.folder / "out").iterdir())).rows
    return [(row["claim"], row["code"], row["units"], row["charge_cents"]) for row in rows]


PER_DIEMS = [("EP-O1-1", "S9325", 3, 36000), ("EP-O1-1", "S9325", 4, 48000)]
DRUG = ("EP-O1-1", "J1171", 1440, 57600)
VISIT = ("EP-O1-1", "99601", 1, 16000)


@pytest.mark.parametrize(
    ("minutes", "hours"), [(30, 0), (120, 0), (150, 0), (151, 1), (180, 1), (210, 1), (211, 2), (300, 3)]
)
def test_further_hours_count_from_so_many_minutes_on(minutes: int, hours: int) -> None:
    visit = NursingVisited(START.date(), START, START + timedelta(minutes=minutes))
    assert further_hours(visit, 31) == hours


def test_a_visit_without_both_times_has_no_further_hours() -> None:
    assert further_hours(NursingVisited(START.date(), START), 31) == 0


def test_a_long_visit_asks_for_its_further_hours_in_a_line_after_it(tmp_path: Path) -> None:
    longer = told("rn", **EPISODE[16]["fact"] | {"stopped_at": "2026-09-28T14:00:00-05:00"})
    assert lines_written(house_with(tmp_path, longer))[3:] == [VISIT, ("EP-O1-1", "99602", 2, 16000)]


def test_a_visit_of_somebody_the_payer_does_not_pay_for_is_not_asked(tmp_path: Path) -> None:
    house = house_with(
        tmp_path, terms={'nursing_lines = "same_claim"': 'nursing_lines = "same_claim"\nnursing_credentials = ["NP"]'}
    )
    assert lines_written(house) == [*PER_DIEMS, DRUG]


def test_terms_that_say_none_ask_for_neither(tmp_path: Path) -> None:
    terms = {
        'drug_lines = "same_claim"': 'drug_lines = "none"',
        'nursing_lines = "same_claim"': 'nursing_lines = "none"',
    }
    assert lines_written(house_with(tmp_path, terms=terms)) == PER_DIEMS


def test_terms_may_ask_for_drugs_on_a_claim_of_their_own(tmp_path: Path) -> None:
    house = house_with(tmp_path, terms={'drug_lines = "same_claim"': 'drug_lines = "separate_claim"'})
    assert lines_written(house) == [*PER_DIEMS, VISIT, ("EP-O1-2", *DRUG[1:])]


def test_units_are_those_of_the_drug_on_its_date(tmp_path: Path) -> None:
    later = '\n[[drugs]]\nndc = "99999000101"\nhcpcs = "J1171"\nfrom = 2026-09-01\nunits_per = "0.5"\nsource = "x"\n'
    assert lines_written(house_with(tmp_path, drugs=later))[2] == ("EP-O1-1", "J1171", "7.2", 288)


@pytest.mark.parametrize(
    ("billed", "left"),
    [
        ({"type": "DrugBilledSeparately", "hcpcs": "J1171", "units": "1440", "from": "2026-09-28", "to": "2026-10-04",
          "ndc": "99999000101"}, [VISIT]),
        ({"type": "ServiceBilledSeparately", "code": "99601", "from": "2026-09-28"}, [DRUG]),
    ],
)  # fmt: skip
def test_what_was_told_as_billed_separately_is_not_asked_for_again(
    tmp_path: Path, billed: dict[str, Any], left: list[Any]
) -> None:
    assert lines_written(house_with(tmp_path, told("billed", **billed))) == [*PER_DIEMS, *left]


def test_what_is_told_after_its_days_were_claimed_goes_out_by_itself(tmp_path: Path) -> None:
    house = house_with(tmp_path)
    lines_written(house)
    visit = told("rn-2", type="NursingVisited", date="2026-10-02", credential="RN")
    house.run("record", "--no-effect", "-", stdin=lines_of([visit]))
    ended = house.run("claims", "write", "--out", house.folder / "out")
    assert [(row["claim"], row["charge_cents"]) for row in ended.rows] == [("EP-O1-2", 16000)]


def test_a_drug_given_on_no_billable_day_stays_off(tmp_path: Path) -> None:
    before = told("drug-2", **EPISODE[15]["fact"] | {"from": "2026-09-20", "to": "2026-09-21"})
    house = house_with(tmp_path, before)
    assert house.run("claims", "prepare").err == (
        "Left out: 1 drug, 576.00 dollars: no day that it touches is billable.\n"
    )


def test_a_second_therapy_bears_its_modifier_and_the_gate_warns_of_it_alone(tmp_path: Path) -> None:
    ranked = told("rank", type="TherapyRanked", rank=2, **{"from": "2026-10-01"})
    terms = {"auth_required = true": "auth_required = true\nconcurrent_percent = [100, 50]"}
    house = house_with(tmp_path, ranked, terms=terms)
    ended = house.run("claims", "write", "--out", house.folder / "out")
    (file,) = (house.folder / "out").iterdir()
    modifiers = [row["modifiers"] for row in house.run("claims", "read", file).rows]
    assert modifiers == [[], ["SH"], [], []]
    assert "Warned: 1 finding of rank_alone" in ended.err
