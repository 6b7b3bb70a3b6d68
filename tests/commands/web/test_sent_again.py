"""A form that is sent again: it records once, and nobody is told that the ledger has what it has not."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from commands.desk.patients import _OfPatients
from commands.desk.work_together import DecideTogether
from tests.act_forms import Form, form_at, hidden_of, text_of
from tests.answered import answer, house_with_claims, written
from tests.in_process_site import InProcess, Visitor
from tests.kept import documented
from tests.running_site import Answer

ALREADY = "the ledger has this already"
OTHER = "told something else then"


def test_a_decision_about_a_piece_of_work_is_recorded_once_for_each_form(tmp_path: Path) -> None:
    house = documented(tmp_path)
    visitor = InProcess(house.ledger).visitor("biller", "ann")
    address = work_of(visitor)
    form = hidden_of(visitor.get(address))
    for _ in range(2):
        assert visitor.post(f"{address}/note", form, note="call them").status == 303
    assert visitor.get(address).text.count("call them") == 1
    other = visitor.post(f"{address}/note", form, note="call somebody else")
    assert (other.status, OTHER in text_of(other)) == (409, True)
    assert visitor.post(f"{address}/note", note="of no form").status == 409
    visitor.post(f"{address}/note", hidden_of(visitor.get(address)), note="call them")
    assert visitor.get(address).text.count("call them") == 2, "two forms, two notes"


def test_of_two_who_decide_about_a_piece_of_work_one_is_first(tmp_path: Path) -> None:
    desk = InProcess(documented(tmp_path).ledger)
    ann, bob = desk.visitor("biller", "ann"), desk.visitor("biller", "bob")
    address = work_of(ann)
    bob.get("/")
    first, second = hidden_of(ann.get(address)), hidden_of(bob.get(address))
    assert ann.post(f"{address}/assign", first, owner="ann").status == 303
    for what, decided in (("assign", {"owner": "bob"}), ("done-until", {"until": "2999-01-01"})):
        late = bob.post(f"{address}/{what}", second, **decided)
        assert (late.status, "ann was first" in text_of(late)) == (409, True)
    assert "Assigned to ann" in text_of(bob.get(address))
    assert bob.post(f"{address}/assign", hidden_of(bob.get(address)), owner="bob").status == 303


def test_of_one_form_that_is_sent_several_times_at_the_same_moment_one_note_is_made(tmp_path: Path) -> None:
    visitor = InProcess(documented(tmp_path).ledger).visitor("biller", "ann")
    address = work_of(visitor)
    form, together, answers = hidden_of(visitor.get(address)), threading.Barrier(4), list[int]()

    def click() -> None:
        together.wait()
        answers.append(visitor.post(f"{address}/note", form, note="call them").status)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [303] * 4
    assert visitor.get(address).text.count("call them") == 1


@pytest.mark.parametrize("which", ["merge", "work"])
def test_a_second_click_that_was_under_way_when_the_first_was_recorded_is_told_so(
    desk: InProcess, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    lead = desk.visitor("operator", "lead")
    if which == "merge":
        form, told = form_at(lead, "/patients/merge"), {"old": "P-2", "into": "P-1", "reason": "registered twice"}
        kind, looks = _OfPatients, "_refuse"
    else:
        (box, *_) = re.findall(r'name="(pick\.[a-z0-9]+)"', lead.get("/").text)
        form, told = Form(lead, lead.post("/open-work", {box: "1"})), {"note": "call them"}
        kind, looks = DecideTogether, "_refuse_overtaken"
    meanwhile, first, look = [True], list[Answer](), getattr(kind, looks)

    def looked(*args: object) -> None:
        if meanwhile:
            meanwhile.clear()
            first.append(form.send("record", **told))
        look(*args)

    monkeypatch.setattr(kind, looks, looked)
    second = form.send("record", **told)
    assert "Recorded" in text_of(first[0])
    assert (second.status, ALREADY in text_of(second)) == (200, True)


def work_of(visitor: Visitor) -> str:
    found = re.search(r'href="(/open-work/[a-z0-9]+)"', visitor.get("/?work=to_bill").text)
    assert found
    return found[1]


def test_a_merge_that_was_recorded_is_not_said_of_another(desk: InProcess) -> None:
    lead = desk.visitor("operator", "lead")
    form = form_at(lead, "/patients/merge")
    asked = {"old": "P-2", "into": "P-1", "reason": "registered twice"}
    assert "Recorded." in text_of(form.send("record", **asked))
    assert ALREADY in text_of(form.send("record", **asked))
    for change in ({"old": "P-1", "into": "P-2"}, {"reason": "another reason"}):
        assert_other(form.send("record", **asked | change))
    parting = form_at(lead, "/patients/part")
    assert_other(parting.send("record", old="P-2", reason="birth dates differ", id=form.fields["id"]))
    assert "Recorded." in text_of(parting.send("record", old="P-2", reason="birth dates differ"))
    assert_other(parting.send("record", old="P-1", reason="birth dates differ"))


def test_an_assignment_that_was_recorded_is_not_said_of_another(tmp_path: Path) -> None:
    house = house_with_claims(tmp_path)
    answers = [answer("NOBODYS", "1", 1000, 300, control="RH9"), answer("ELSE", "1", 120, 100, control="RH8")]
    assert house.run("remit", written(tmp_path, answers, 400, "T-1")).status == 1
    visitor = InProcess(house.ledger, house.book).visitor("biller")
    found = re.findall(r'href="(/payments/unmatched/[a-z0-9]+)"', visitor.get("/payments/unmatched").text)
    first, second = (form_at(visitor, address) for address in dict.fromkeys(found))
    one, another, *_ = (row["claim"] for row in house.run("claims", "list").rows)
    assert "1 answer assigned" in text_of(first.send("record", claim=one))
    assert ALREADY in text_of(first.send("record", claim=one))
    assert_other(first.send("record", claim=another))
    assert_other(second.send("record", claim=one, id=first.fields["id"]))
    assert "1 answer assigned" in text_of(second.send("record", claim=another))


def test_a_decision_about_rows_that_was_recorded_is_not_said_of_another(tmp_path: Path) -> None:
    visitor = InProcess(documented(tmp_path).ledger).visitor("biller")
    first, second, *_ = dict.fromkeys(re.findall(r'name="(pick\.[a-z0-9]+)"', visitor.get("/").text))
    form = Form(visitor, visitor.post("/open-work", {first: "1"}))
    assert "Recorded for 1 piece" in text_of(form.send("record", note="call them", owner="Ana"))
    assert ALREADY in text_of(form.send("record", note="call them", owner="Ana"))
    for change in ({"note": "do not call"}, {"owner": "Lee"}, {"until": "2999-01-01"}):
        assert_other(form.send("record", **{"note": "call them", "owner": "Ana"} | change))
    other = Form(visitor, visitor.post("/open-work", {second: "1"}))
    assert_other(other.send("record", note="call them", id=form.fields["id"]))
    assert "Recorded for 1 piece" in text_of(other.send("record", note="call them"))


def assert_other(answer: Answer) -> None:
    assert (answer.status, OTHER in text_of(answer), ALREADY in text_of(answer)) == (409, True, False)
