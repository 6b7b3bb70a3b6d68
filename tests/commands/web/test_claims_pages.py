"""The claims, what is to be done about them, and payments to be assigned, at the site: the rows are the commands'."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from ledger.facts.administration import RemittanceAssigned
from tests.act_forms import Form, form_at, text_of
from tests.answered import answer, answered_house, house_with_claims, paid, written
from tests.command_line import House
from tests.in_process_site import InProcess, Visitor
from tests.running_site import Answer
from tests.stores import open_ledger

CLAIMS = {
    "State": "state", "Claim": "claim", "Episode": "episode", "Payer": "payer", "Charged": "charge_cents",
    "Paid": "paid_cents", "Number on it": "control", "Frequency": "frequency", "Replaces": "replaces",
    "Payer's number": "payer_control", "File": "file",
}  # fmt: skip
PLAN = {
    "By": "by", "What to do": "instrument", "Dollars": "cents", "Claim": "claim", "State": "state", "Why": "why",
    "Episode": "episode", "Payer": "payer",
}  # fmt: skip
UNMATCHED = {
    "Paid on": "paid_on", "Payer": "payer", "Payment": "payment", "Payer's number": "control",
    "Claim as the payer has it": "claim", "Status": "status", "Charged": "charge_cents", "Paid": "paid_cents",
}  # fmt: skip
WAITING = "/payments/unmatched"


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory) -> House:
    return answered_house(tmp_path_factory.mktemp("answered"))


@pytest.fixture(scope="module")
def looker(answered: House) -> Visitor:
    return InProcess(answered.ledger, answered.book).visitor("viewer")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A check with two answers under one number of the payer's, and one under another, for no claim that is known."""
    made = house_with_claims(tmp_path)
    answers = [
        answer("NOBODYS", "1", 1000, 300, control="RH9"), answer("NOBODYS", "1", 576, 316, control="RH9"),
        answer("ELSE", "1", 120, 100, control="RH8"),
    ]  # fmt: skip
    assert made.run("remit", written(tmp_path, answers, 716, "T-1")).status == 1
    return made


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def as_cells(rows: list[dict[str, Any]], columns: dict[str, str]) -> list[dict[str, str]]:
    """The rows of a command as the cells of a spreadsheet."""

    def cell(row: dict[str, Any], name: str) -> str:
        value = row[name]
        if value is None:
            return ""
        return f"{value / 100:.2f}" if name.endswith("cents") else str(value)

    return [{title: cell(row, name) for title, name in columns.items()} for row in rows]


def without(rows: list[dict[str, str]], *titles: str) -> list[dict[str, str]]:
    return [{title: cell for title, cell in row.items() if title not in titles} for row in rows]


def looks(house: House) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (house.folder / "ledger.access.jsonl").read_text("utf-8").splitlines()]


def test_the_claims_are_those_of_the_command_and_whose_they_are_is_logged(answered: House, looker: Visitor) -> None:
    told = answered.run("claims", "list").rows
    found = rows_of(looker.get("/claims?as=csv"))
    assert without(found, "Patient") == as_cells(told, CLAIMS)
    assert {row["Patient"] for row in found} == {"P-O1"}
    assert looks(answered)[-1]["page"] == "claims list csv"
    page = looker.get("/claims")
    assert all(row["claim"] in text_of(page) for row in told)
    assert (looks(answered)[-1]["page"], looks(answered)[-1]["patients"]) == ("claims", ["P-O1"])
    assert looker.get(re.findall(r'href="(/episode/[a-z0-9]+)"', page.text)[0]).status == 200
    assert 'href="/claims" aria-current="page"' in page.text


def test_the_claims_are_chosen_by_where_they_stand_and_put_in_order(answered: House, looker: Visitor) -> None:
    told = answered.run("claims", "list").rows
    states = {row["state"] for row in told}
    assert len(states) > 1
    for state in states:
        found = rows_of(looker.get(f"/claims?state={state}&as=csv"))
        assert [row["Claim"] for row in found] == [row["claim"] for row in told if row["state"] == state]
    ordered = [row["Claim"] for row in rows_of(looker.get("/claims?sort=claim&turned=1&as=csv"))]
    assert ordered == sorted((row["claim"] for row in told), reverse=True)


def test_what_is_to_be_done_is_that_of_the_command_and_is_worked_out_anew_after_a_fact(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path)
    visitor = InProcess(house.ledger, house.book).visitor("viewer")
    instruments = list[set[str]]()
    for trace, answers in enumerate(([answer("EP-O1-1", "4", 1576, 0)], [answer("EP-O1-2", "1", 120, 100)])):
        cents = 100 * trace
        assert house.run("remit", written(tmp_path, answers, cents, f"T-{trace}")).status == 0
        told = house.run("claims", "plan").rows
        words = [row | {"instrument": row["instrument"].replace("_", " ")} for row in told]
        instruments.append({row["instrument"] for row in words})
        found = rows_of(visitor.get("/claims/plan?as=csv"))
        assert without(found, "Patient") == as_cells(words, PLAN)
        assert {row["Patient"] for row in found} == {"P-O1"}
        page = visitor.get("/claims/plan?" + urlencode({"instrument": words[0]["instrument"]}))
        assert words[0]["why"] in text_of(page)
        assert looks(house)[-1]["patients"] == ["P-O1"]
    assert instruments[0] != instruments[1]


def test_what_a_payer_answered_for_no_claim_is_assigned_once_its_effect_was_shown(house: House) -> None:
    site = InProcess(house.ledger, house.book)
    viewer, biller = site.visitor("viewer"), site.visitor("biller", "mgarcia")
    assert rows_of(viewer.get(f"{WAITING}?as=csv")) == as_cells(house.run("payments", "--unmatched").rows, UNMATCHED)
    assert f'href="{WAITING}/' not in viewer.get(WAITING).text, "a viewer sees them and assigns none"
    form = form_at(biller, assigned_at(biller, "RH9"))
    assert "$616.00" in text_of(form.answer)
    for wrong, said in (("", "Expected"), ("EP-O1-77", "knows no claim of this number")):
        assert said in text_of(form.send(claim=wrong))
    before = house.run("status", "--technical").rows[0]["position"]
    effect = form.shown(claim="EP-O1-1")
    assert "2 answers count for claim EP-O1-1 of EP-O1, $616.00 paid" in text_of(effect.answer)
    assert looks(house)[-1]["patients"] == ["P-O1"], "the effect names their days"
    assert house.run("status", "--technical").rows[0]["position"] == before, "nothing is recorded by looking"
    assert "2 answers assigned." in text_of(effect.send("record"))
    assert "the ledger has this already" in text_of(effect.send("record"))
    assert paid(house) == 61600
    assert [row["control"] for row in house.run("payments", "--unmatched").rows] == ["RH8"]
    with open_ledger(house.ledger, create=False) as ledger:
        acts = [act for _, act in ledger.acts_of(RemittanceAssigned)]
    assert [(act.by, act.claim) for act in acts] == [("mgarcia", "EP-O1-1")] * 2
    assert biller.get(form.action).status == 404, "nothing waits there any more"


def assigned_at(visitor: Visitor, control: str) -> str:
    """The address of the form that assigns what waits under a number."""
    for row in visitor.get(WAITING).text.split("<tr ")[1:]:
        if control in html.unescape(row) and (found := re.search(rf'href="({WAITING}/[a-z0-9]+)"', row)):
            return found[1]
    raise AssertionError(control)


def test_of_two_who_assign_the_same_answer_one_wins_and_the_other_is_told_who(house: House) -> None:
    site = InProcess(house.ledger, house.book)
    ann, bob = site.visitor("biller", "ann"), site.visitor("operator", "bob")
    effects: list[Form] = [
        form_at(who, assigned_at(who, "RH9")).shown(claim=claim) for who, claim in ((ann, "EP-O1-1"), (bob, "EP-O1-2"))
    ]
    assert "2 answers assigned." in text_of(effects[0].send("record"))
    second = effects[1].send("record")
    assert (second.status, "ann was first: this was assigned to a claim meanwhile" in text_of(second)) == (409, True)
    assert paid(house) == 61600


def test_an_answer_of_another_payer_than_the_claims_is_told_before_it_is_assigned(house: House) -> None:
    own = house.run("claims", "list").rows[0]
    lines = [{"code": "S9325", "from": "2026-10-08", "to": "2026-10-08", "units": 1, "charge_cents": 12000}]
    fact = {"type": "ClaimSubmitted", "claim": "C-9", "payer": "example-health", "frequency": "1", "lines": lines}
    told = {"episode": own["episode"], "source": "claims", "id": "C-9", "by": "desk-1", "fact": fact}
    assert house.tell(told).status == 0
    biller = InProcess(house.ledger, house.book).visitor("biller")
    form = form_at(biller, assigned_at(biller, "RH8"))
    assert "The claim went to" in text_of(form.shown(claim="C-9").answer)
    assert "The claim went to" not in text_of(form.shown(claim="EP-O1-2").answer)


def test_the_monday_report_leads_to_the_claims_and_the_payments_behind_its_sums(house: House) -> None:
    assert house.run("remit", written(house.folder, [answer("EP-O1-1", "4", 1576, 0)], 0, "T-2")).status == 0
    page = InProcess(house.ledger, house.book).visitor("viewer").get("/report")
    assert [where for where in ("/claims/plan", WAITING) if f'href="{where}"' in page.text] == ["/claims/plan", WAITING]
