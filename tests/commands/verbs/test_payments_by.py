"""``payments --by``: claimed days added up by line, claim, payer and month; each sum held against a sum by hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from tests.answered import CORRECTED, PAID, TAKEN_IN, TURNED_BACK, answer, claim, house_with_claims, line, written
from tests.command_line import assert_plain, told
from tests.payments_added import BYS, NUMBERS, assert_payments_add_up


def test_the_open_example_adds_up_by_whatever_it_is_asked(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path)
    for verb, file in (("ack", TAKEN_IN), ("remit", PAID), ("remit", CORRECTED), ("ack", TURNED_BACK)):
        assert_payments_add_up(house)
        assert house.run(verb, file).status in (0, 1)
    assert_payments_add_up(house)


def test_a_line_that_was_cut_stands_apart_from_those_that_were_paid(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path, second=False)
    assert house.run("remit", PAID).status == 0
    rows = house.run("payments", "--by", "line").rows
    assert [(row["lines"], row["code"], row["from"], row["to"], row["days"], row["paid_cents"]) for row in rows] == [
        (["1"], "S9325", "2026-09-28", "2026-09-30", 3, 3 * 8800),
        (["2"], "S9325", "2026-10-01", "2026-10-04", 4, 4 * 6600),
        (["3"], "J1171", "2026-09-28", "2026-10-04", 7, 57600),
        (["4"], "99601", "2026-09-28", "2026-09-28", 1, 12000),
    ]
    assert [(row["predicted_cents"], row["other_cents"], row["missing_cents"]) for row in rows] == [
        (3 * 8800, 0, 0), (4 * 8800, 0, 4 * 2200), (0, 57600, 0), (0, 12000, 0),
    ]  # fmt: skip
    (cut,) = house.run("payments", "--by", "line", "--missing").rows
    assert (cut["lines"], cut["underpaid_days"], cut["paid_days"]) == (["2"], 4, 0)


def test_what_was_taken_back_is_open_again_and_what_is_replaced_is_predicted_once(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path, second=False)
    assert house.run("remit", PAID).status == 0
    for trace, dollars in (("T-2", -1224), ("T-3", -76)):
        back = answer("EP-O1-1", "22", -1576, dollars)
        assert house.run("remit", written(tmp_path, [back], dollars, trace)).status == 0
    (row,) = assert_payments_add_up(house)["claim"]
    assert (row["paid_cents"], row["open_cents"], row["reversed_days"]) == (-7600, 7 * 8800, 15)
    anew = claim("EP-O1-3", frequency="7", replaces="EP-O1-1")
    assert [row["outcome"] for row in house.tell(anew).rows] == ["recorded"]
    rows = assert_payments_add_up(house)["claim"]
    assert [(row["claim"], row["predicted_cents"], row["open_cents"]) for row in rows] == [
        ("EP-O1-1", 0, 0), ("EP-O1-3", 7 * 8800, 7 * 8800),
    ]  # fmt: skip
    assert sum(row["expected_cents"] or 0 for row in house.run("payments").rows) == 2 * 7 * 8800


def test_what_two_lines_ask_for_and_what_none_does_is_told_as_such(tmp_path: Path) -> None:
    asked = [
        line("J1171", "2026-09-28", "2026-10-04", 70, 7000, "1"),
        line("J1171", "2026-10-03", "2026-10-04", 20, 2000, "B"),
    ]
    house = house_with_claims(tmp_path, second=False, lines=asked)
    paid = {"code": "99602", "charge_cents": 0, "paid_cents": 500, "units": 1, "from": "2026-10-01"}
    fact = {"type": "RemittancePosted", "claim": "EP-O1-1", "payer": "river-health", "payment": "T-1", "status": "1"}
    fact |= {"paid_on": "2026-11-01", "charge_cents": 9000, "paid_cents": 500, "lines": [paid]}
    assert house.tell(told("odd", fact, episode="EP-O1")).rows[0]["outcome"] == "recorded"
    rows = assert_payments_add_up(house)["line"]
    assert [(row["lines"], row["code"], row["days"], row["paid_cents"]) for row in rows] == [
        ([], "99602", 1, 500), (["1"], "J1171", 5, 0), (["1", "B"], "J1171", 2, 0),
    ]  # fmt: skip


def test_sums_come_in_every_form(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path)
    assert house.run("remit", PAID).status == 0
    for by in BYS:
        rows = house.run("payments", "--by", by, "--format", "json").rows
        sheet = list(csv.DictReader(io.StringIO(house.run("payments", "--by", by, "--format", "csv").out.decode())))
        assert [list(each) for each in sheet] == [list(row) for row in rows]
        assert [{name: int(each[name]) for name in NUMBERS} for each in sheet] == [
            {name: row[name] for name in NUMBERS} for row in rows
        ]
        table = house.run("payments", "--by", by, "--format", "table").out.decode().splitlines()
        assert len(table) >= 2 + len(rows)
        assert all(len(each) <= 100 for each in table)
    ended = house.run("payments", "--by", "claim", "--claim", "EP-O1-1", "--format", "table")
    assert "616.00  1,224.00" in ended.out.decode()


def test_answers_for_no_claim_are_not_added_up(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path)
    assert_plain(house.run("payments", "--unmatched", "--by", "payer"), 2, "--by")
