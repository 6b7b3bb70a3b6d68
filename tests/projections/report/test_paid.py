"""Money as the report says it: what was paid where there is an answer, worked out again by hand from the postings."""

from __future__ import annotations

import csv
import io
from collections import Counter
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.book import load_book
from projections.answers.payments import PaymentRow, PaymentRun, by_month, one_by_one
from projections.report.asked import Asked
from projections.report.paid import PaidSums
from tests.answered import CORRECTED, LINES, PAID, answer, claim, house_with_claims, written
from tests.command_line import BOOK, OPENING, House, told
from tests.in_process_site import InProcess

Row = dict[str, Any]
ON = "2026-11-20"


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The open example, its claim sent."""
    return house_with_claims(tmp_path)


def sections(house: House, *options: str) -> dict[str, list[Row]]:
    rows = house.run("report", "--on", ON, *options).rows
    return {name: list(rows) for name, rows in groupby(rows, lambda row: str(row["section"]))}


def given_back(house: House) -> dict[str, int]:
    return {row["kind"]: row["cents"] for row in sections(house).get("give_back", [])}


def act(kind: str, cents: int, number: str = "EP-O1-1", **more: Any) -> Row:
    fact = {"type": kind, "claim": number, "cents": cents, "date": "2026-11-12", "reason": "as agreed", **more}
    return told(f"{kind}-{cents}", fact, episode="EP-O1")


def test_what_is_predicted_stands_beside_what_was_paid_month_by_month(house: House) -> None:
    assert house.run("remit", PAID).status == 0
    found = sections(house)
    assert [
        (row["month"], row["predicted_cents"], row["open_cents"], row["paid_cents"], row["missing_cents"])
        for row in found["paid"]
    ] == [("2026-09", 3 * 8800, 0, 3 * 8800, 0), ("2026-10", 4 * 8800, 0, 4 * 6600, 4 * 2200)]
    assert sum(row["paid_cents"] + row["other_cents"] for row in found["paid"]) == 122400
    (denied,) = found["denials"]
    assert (denied["status"], denied["reasons"], denied["days"], denied["cents"]) == ("underpaid", "CO-198", 4, 8800)
    assert "replace the claim" in denied["cure"]


def test_a_claim_without_an_answer_owes_nothing_and_is_shown_as_claimed(house: House) -> None:
    found = sections(house)
    assert "give_back" not in found
    assert [(row["kind"], row["cents"]) for row in found["exposure"]] == [("overclaimed", 12000)]
    assert [(row["claim"], row["waits"]) for row in found["unanswered"]] == [("EP-O1-1", 45), ("EP-O1-2", 45)]
    assert "unanswered" not in sections(house, "--answer-days", "46")


def test_a_claim_for_drugs_alone_waits_for_its_answer_at_any_instant(house: House) -> None:
    """No day of its episode is billable, and nothing is wrong with it."""
    opening = told("opened", OPENING | {"patient": "P-9"}, episode="EP-9")
    drug = claim("EP-9-1", LINES[2:3]) | {"episode": "EP-9"}
    assert [row["outcome"] for row in house.tell(opening, drug).rows] == ["recorded"] * 2
    later = house.run("replay", "EP-9").rows[-1]["recorded_at"]
    found = sections(house)
    assert [row["claim"] for row in found["unanswered"]] == ["EP-9-1", "EP-O1-1", "EP-O1-2"]
    known = sections(house, "--known-at", later)
    for name in ("unanswered", "paid"):
        assert [row | {"rows": ""} for row in known[name]] == [row | {"rows": ""} for row in found[name]]


def test_a_denied_claim_owes_nothing_either(house: House, tmp_path: Path) -> None:
    denied = answer("EP-O1-2", "4", 120, 0, "CAS*CO*50*120")
    assert house.run("remit", written(tmp_path, [denied], 0, "T-0")).status == 0
    found = sections(house)
    assert not {"exposure", "give_back", "denials"} & found.keys()
    assert [row["claim"] for row in found["unanswered"]] == ["EP-O1-1"]
    ended = house.run("diff", "--claimed", "--all")
    assert ended.status == 0
    assert [(row["kind"], row["paid_cents"], row["exposure_cents"]) for row in ended.rows] == [("overclaimed", 0, 0)]


def test_what_was_paid_for_a_day_that_is_not_billable_is_given_back_once(house: House, tmp_path: Path) -> None:
    paid = answer("EP-O1-2", "1", 120, 88, "CAS*CO*45*32")
    assert house.run("remit", written(tmp_path, [paid], 88, "T-1")).status == 0
    assert given_back(house) == {"overclaimed": 8800}
    assert "exposure" not in sections(house)
    assert house.tell(act("RefundSent", 5000, "EP-O1-2")).status == 0
    assert given_back(house) == {"overclaimed": 3800}
    assert house.tell(act("RefundSent", 3800, "EP-O1-2", dates=["2026-10-05"])).status == 0
    assert given_back(house) == {}
    assert [row["to_give_back_cents"] for row in house.run("payments", "--claim", "EP-O1-2").rows] == [0]


def test_a_rate_cut_after_payment_is_an_overpayment(house: House) -> None:
    assert house.run("remit", PAID, CORRECTED).status == 0
    assert given_back(house) == {}
    book = house.book / "payers" / "river-health.toml"
    book.write_text(book.read_text().replace("S9325 = 8800", "S9325 = 8000"))
    assert given_back(house) == {"overpaid": 7 * 800}
    ended = house.run("diff", "--claimed", "--all")
    assert ended.status == 1
    assert Counter(row["kind"] for row in ended.rows) == {"overpaid": 7, "overclaimed": 1}
    assert sum(row["exposure_cents"] for row in ended.rows if row["kind"] == "overpaid") == 5600


def test_money_on_a_claim_that_was_voided_is_given_back_until_it_is_taken_back(house: House, tmp_path: Path) -> None:
    paid = answer("EP-O1-2", "1", 120, 88, "CAS*CO*45*32", control="RH-2")
    assert house.run("remit", written(tmp_path, [paid], 88, "T-1")).status == 0
    void = claim("EP-O1-3", [])["fact"] | {"frequency": "8", "replaces": "EP-O1-2"}
    void["lines"] = claim("x")["fact"]["lines"][:1]
    assert house.tell(told("void", void, episode="EP-O1")).status == 0
    assert given_back(house) == {"overpaid": 8800}
    back = answer("EP-O1-2", "22", -120, -88, "CAS*CO*45*-32", control="RH-2")
    assert house.run("remit", written(tmp_path, [back], -88, "T-2")).status == 0
    assert given_back(house) == {}


def test_a_day_on_two_claims_is_worth_its_rate_once(house: House, tmp_path: Path) -> None:
    again = claim("EP-O1-9", claim("x")["fact"]["lines"][:1])
    assert house.tell(again).status == 0
    both = [answer("EP-O1-1", "1", 1576, 1224), answer("EP-O1-9", "1", 360, 264, control="RH-9")]
    assert house.run("remit", written(tmp_path, both, 1488, "T-3")).status == 0
    rows = house.run("payments", "--claim", "EP-O1-9").rows
    assert [(row["paid_cents"], row["expected_cents"], row["status"]) for row in rows] == [(8800, 0, "overpaid")] * 3
    assert given_back(house)["overclaimed"] == 3 * 8800


def test_what_is_written_off_is_not_missing_any_more(house: House) -> None:
    assert house.run("remit", PAID).status == 0
    assert house.tell(act("WrittenOff", 2200, dates=["2026-10-01"])).status == 0
    assert [row["cents"] for row in sections(house)["denials"]] == [3 * 2200]
    assert house.tell(act("WrittenOff", 6600)).status == 0
    assert "denials" not in sections(house)


def test_what_was_paid_for_no_known_claim_waits_to_be_assigned(house: House, tmp_path: Path) -> None:
    assert house.run("remit", written(tmp_path, [answer("NOBODYS", "1", 50, 50)], 50, "T-4")).status == 1
    (row,) = sections(house)["unmatched"]
    assert (row["answers"], row["cents"]) == (1, 5000)
    listed = house.run(*row["rows"].split()).rows
    assert [each["paid_cents"] for each in listed] == [5000]
    page = house.run("report", "--on", ON, "--format", "html").out.decode()
    behind = page.partition('id="rows-unmatched-1"')[2].partition("</article>")[0]
    assert "1 answer<" in behind
    assert "T-4, RH900001" in behind
    assert house.run("assign-remittance", "T-4", "RH900001", "EP-O1-2", "--by", "d").status == 0
    assert "unmatched" not in sections(house)
    assert given_back(house) == {"overclaimed": 5000}


def work(house: House) -> dict[str, list[Row]]:
    rows = house.run("worklist", "--done", "any").rows
    return {name: [row for row in rows if row["work"] == name] for name in {row["work"] for row in rows}}


def test_the_work_list_has_claims_without_an_answer_as_the_report_has_them(house: House) -> None:
    said = {(row["claim"], row["cents"], row["days"]) for row in sections(house)["unanswered"]}
    listed = work(house)["unanswered"]
    assert {(row["claim"], row["cents"], row["days"]) for row in listed} == said
    assert {row["due"] for row in listed} == {"2026-11-05"}, "30 days after it left"
    assert house.run("remit", PAID).status == 0
    assert [row["claim"] for row in work(house)["unanswered"]] == ["EP-O1-2"]


def test_the_dollars_of_findings_are_what_is_to_be_given_back_or_is_missing(house: House, tmp_path: Path) -> None:
    assert work(house)["claimed_not_billable"][0]["cents"] == 12000, "as claimed, as long as it is not answered"
    paid = answer("EP-O1-2", "1", 120, 88, "CAS*CO*45*32", control="RH-2")
    assert house.run("remit", PAID, written(tmp_path, [paid], 88, "T-1")).status == 0
    found = work(house)
    for rule, cents in (("claimed_not_billable", 8800), ("overpaid", 8800), ("underpaid", 4 * 2200)):
        assert [row["cents"] for row in found[rule]] == [cents], rule
    assert house.tell(act("RefundSent", 8800, "EP-O1-2")).status == 0
    found = work(house)
    assert [found[rule][0]["cents"] for rule in ("claimed_not_billable", "overpaid")] == [0, 0]


def test_the_site_says_what_the_command_says(house: House, tmp_path: Path) -> None:
    paid = answer("EP-O1-2", "1", 120, 88, "CAS*CO*45*32", control="RH-2")
    files = [PAID, written(tmp_path, [paid], 88, "T-1"), written(tmp_path, [answer("NO", "1", 50, 50)], 50, "T-4")]
    assert house.run("remit", *files).status == 1
    visitor = InProcess(house.ledger, house.book).visitor()
    visitor.get("/report")
    found = {row["section"]: row for row in house.run("report").rows}
    for section, column, field in (
        ("give_back", "Dollars", "cents"), ("paid", "Paid", "paid_cents"), ("paid", "Missing", "missing_cents"),
        ("denials", "Dollars", "cents"), ("unmatched", "Dollars", "cents"),
    ):  # fmt: skip
        rows = csv.DictReader(io.StringIO(visitor.get(f"/report/table/{section}?as=csv").text))
        assert [row[column] for row in rows][-1] == f"{found[section][field] / 100:.2f}", (section, column)


def test_a_day_of_a_closed_month_that_changed_says_what_was_paid_for_it(house: House) -> None:
    assert house.run("close", "2026-09", "--anyway", "checked", "--by", "c").status == 0
    assert house.run("remit", PAID).status == 0
    gone = {"type": "FactRetracted", "target_source": "example", "target_id": "day-2026-09-29", "reason": "not served"}
    assert house.tell(told("gone", gone, episode="EP-O1")).status == 0
    rows = house.run("restatements", "2026-09").rows
    assert [(row["date"], row["delta_cents"], row["paid_cents"]) for row in rows] == [("2026-09-29", -8800, 8800)]
    assert given_back(house) == {"overclaimed": 8800}


STATUSES = ("paid", "underpaid", "overpaid", "denied", "patient", "reversed", "unpaid")
CENTS = st.integers(-5_000, 20_000)


@st.composite
def runs(draw: st.DrawFn) -> PaymentRun:
    """A run of claimed days, most over the end of a month or a year."""
    first = date(2025, 12, 1) + timedelta(draw(st.integers(0, 90)))
    waits = draw(st.none() | st.just("2026-01-05"))
    claim, payer = draw(st.sampled_from((("C-1", "example-health"), ("C-2", "river-health"))))
    row = PaymentRow(
        draw(st.sampled_from(("EP-1", "EP-2"))), claim, payer, first.isoformat(), "S9325", draw(st.none() | CENTS),
        *draw(st.tuples(CENTS, CENTS)), draw(st.sampled_from(STATUSES)),  # type: ignore[arg-type]
        *draw(st.tuples(CENTS, CENTS, st.integers(0, 3), st.integers(0, 3))),
        draw(st.sampled_from(((), ("CO-198",)))), draw(st.booleans()), waits,
    )  # fmt: skip
    return PaymentRun(row, draw(st.integers(1, 70)))


@given(st.lists(runs(), max_size=6), st.sampled_from((None, "2026-01-10")), st.sampled_from((None, "2026-02-03")))
def test_runs_of_days_add_up_to_what_their_days_do(told: list[PaymentRun], from_: str | None, to: str | None) -> None:
    def added(singly: bool) -> Any:
        sums = PaidSums(Asked(ON, None, from_, to), load_book(BOOK))
        for run in sums.counted(told, singly=singly):
            sums.add("P-1", run)
        return [*sums.paid(), *sums.unanswered(), *sums.denials()]

    assert added(singly=False) == added(singly=True)


@given(runs())
def test_a_run_is_the_same_days_cut_by_months_or_one_by_one(run: PaymentRun) -> None:
    days = one_by_one([run])
    assert len(days) == run.days
    assert [day for part in by_month(run) for day in one_by_one([part])] == days
    assert all(part.row.date[:7] == one_by_one([part])[-1].date[:7] for part in by_month(run))
