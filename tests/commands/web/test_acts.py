"""Acts at the site: by the engine of the command line, the effect first, once for each form, and one of two wins."""

from __future__ import annotations

import csv
import html
import json
import re
import threading
from typing import Any

import pytest

from commands.desk.fields import fact_told, texts_of, title_of
from commands.desk.sheets import ALL, OWN, SOME
from commands.door.intake import Line, parse_line
from commands.door.shapes import EVENTS
from commands.web.access import marks_of
from commands.web.entry_pages import NOT_FIRST
from tests import stores
from tests.act_forms import SHEET, Form, events, form_at, house_in, multipart, text_of
from tests.command_line import House, told
from tests.in_process_site import InProcess, Visitor
from tests.intake_samples import every_fact
from tests.running_site import Answer

OPENING = "EpisodeOpened"


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory) -> Visitor:
    """A biller at a site that nothing is recorded at."""
    house = house_in(tmp_path_factory.mktemp("looking"))
    return InProcess(house.ledger, house.book).visitor("biller")


def test_a_fact_is_recorded_as_it_was_shown_and_once_for_each_form(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller", "mgarcia")
    address = visitor.address_of("EP-1")
    before = len(events(house))
    form = form_at(visitor, f"{address}/record/DayServed?day=2026-02-04")
    assert form.fields["date"] == "2026-02-04"
    assert form.fields["infused"] == "true", "as it is when nothing is told"
    effect = form.shown(order="RX-1")
    said = house.run("tell", "EP-1", "DayServed", "order=RX-1", "date=2026-02-04", "--dry-run").err
    for line in said.splitlines():
        assert line.strip() in text_of(effect.answer)
    assert len(events(house)) == before, "nothing is recorded by looking"
    first, second = effect.send("record"), effect.send("record")
    assert '<option value="RX-1">' in form.answer.text, "the orders that the episode knows"
    assert "Recorded as desk:" in text_of(first)
    assert "2026-02-04" in text_of(first)
    assert "the ledger has this already" in text_of(second)
    *_, last = events(house)
    assert len(events(house)) == before + 1
    assert (last["type"], last["by"], last["source"], last["id"]) == ("DayServed", "mgarcia", "desk", form.fields["id"])
    assert form_at(visitor, f"{address}/record/DayServed").fields["id"] != form.fields["id"]


@pytest.mark.parametrize("type_", sorted(set(EVENTS) - set(NOT_FIRST)))
def test_every_fact_has_a_form_with_each_of_its_fields_and_the_doors_own_words(looking: Visitor, type_: str) -> None:
    visitor = looking
    address = visitor.address_of("EP-1")
    form = form_at(visitor, f"{address}/record/{type_}")
    assert title_of(type_) in form.answer.text
    for field in EVENTS[type_].fields.values():
        is_list = field.form.item is not None and field.form.item.shape is not None
        assert (
            any(name.startswith(f"{field.name}.0.") for name in form.fields) if is_list else field.name in form.fields
        )
        hint = field.form.expected.partition(" or null")[0].removeprefix("a date written YYYY-MM-DD, ")
        assert is_list or field.form.text or hint[1:] in text_of(form.answer)
    empty = form.send(**dict.fromkeys(form.fields, "") | {"form": form.fields["form"]})
    assert empty.status == 400
    errors = len(re.findall(r'<p class="error"', empty.text))
    assert errors == sum(field.required for field in EVENTS[type_].fields.values())
    assert "send the line" not in empty.text


@pytest.mark.parametrize("fact", every_fact(), ids=lambda fact: fact["type"])
def test_what_a_form_holds_of_a_fact_tells_that_fact(fact: dict[str, Any]) -> None:
    if fact["type"] in ("FactCorrected", "FactRetracted"):
        return
    again = fact_told(fact["type"], texts_of(EVENTS[fact["type"]], fact))
    lines = [parse_line(1, json.dumps(told("1", each)).encode()) for each in (again, fact)]
    assert isinstance(lines[1], Line)
    assert lines[0] == lines[1]


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, f"{visitor.address_of('EP-1')}/record/PainAssessed")
    wrong = form.send("record", date="2026-02-31", score="11")
    assert wrong.status == 400
    assert "Expected a whole number from 0 to 10." in text_of(wrong)
    assert "Expected a date written YYYY-MM-DD" in text_of(wrong)
    again = Form(visitor, wrong)
    assert (again.fields["date"], again.fields["score"], again.fields["id"]) == ("2026-02-31", "11", form.fields["id"])
    assert "Recorded as" in text_of(again.shown(date="2026-02-05", score="4").send("record"))


def test_a_claim_is_recorded_with_its_lines_row_by_row(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, f"{visitor.address_of('EP-1')}/record/ClaimSubmitted")
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-02", "units": "1", "charge_cents": "9000"}
    rows = {f"lines.{at}.{name}": value for at in (0, 1) for name, value in line.items()} | {
        "lines.1.from": "2026-02-03", "lines.1.to": "2026-02-03"}  # fmt: skip
    more = form.send("more", claim="C-9", payer="prairie-blue", frequency="1", **rows)
    assert "lines.3.code" in more.text, "two more rows than are filled"
    effect = Form(visitor, more).shown()
    assert "Lines 2" in text_of(effect.answer)
    assert "Recorded as" in text_of(effect.send("record"))
    wrong = form.send("record", claim="C-9", payer="prairie-blue", frequency="1", **rows | {"lines.1.units": "x"})
    assert 'id="f-lines-1-units-error"' in wrong.text


def test_what_nobody_knows_is_said_before_it_is_recorded(desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, f"{visitor.address_of('EP-1')}/record/DayServed")
    assert "did you mean" in text_of(form.shown(order="RX-l", date="2026-02-04").answer)


def test_a_refusal_of_the_ledger_is_said_and_nothing_is_recorded(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, f"{visitor.address_of('EP-1')}/record/DayServed")
    before = len(events(house))
    answer = form.send("record", order="RX-1", date="2098-02-04")
    assert answer.status == 409
    assert "date" in text_of(answer)
    assert len(events(house)) == before


def version_of(house: House, label: str, episode: str = "EP-1") -> int:
    (version,) = (row["version"] for row in events(house, episode) if f"{row['source']}:{row['id']}" == label)
    return int(version)


def mend(visitor: Visitor, house: House, word: str, label: str, episode: str = "EP-1") -> Form:
    version = version_of(house, label, episode)
    return form_at(visitor, f"{visitor.address_of(episode)}/entry/{version}/{word}")


def test_an_entry_is_corrected_retracted_and_restored(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = mend(visitor, house, "correct", "pump:2026-02-03")
    assert (form.fields["order"], form.fields["date"]) == ("RX-1", "2026-02-03")
    assert "Nothing is changed yet" in form.send("record", why="x").text
    assert form.send("record", date="2026-02-04").status == 400, "without a reason"
    effect = form.shown(date="2026-02-04", why="misread")
    assert "2026-02-04" in text_of(effect.answer)
    assert "Recorded as" in text_of(effect.send("record"))
    assert "has this already" in text_of(effect.send("record"))
    *_, last = events(house)
    assert (last["type"], last["target"]) == ("FactCorrected", "pump:2026-02-03")
    label = f"{last['source']}:{last['id']}"
    retracting = mend(visitor, house, "retract", label).shown(reason="another patient's")
    assert "Recorded as" in text_of(retracting.send("record"))
    restoring = mend(visitor, house, "restore", label).shown(reason="it was theirs")
    assert "Recorded as" in text_of(restoring.send("record"))
    assert "has this already" in text_of(restoring.send("record"))
    entries = text_of(visitor.get(f"{visitor.address_of('EP-1')}/entries"))
    assert "corrected by biller" in entries
    assert house.run("days", "--episode", "EP-1", "--from", "2026-02-04", "--to", "2026-02-04").rows


def test_of_two_who_correct_one_entry_the_second_is_told_who_was_first(house: House, desk: InProcess) -> None:
    ann, bob = desk.visitor("biller", "ann"), desk.visitor("biller", "bob")
    first = mend(ann, house, "correct", "pump:2026-02-03").shown(date="2026-02-04", why="misread")
    second = mend(bob, house, "correct", "pump:2026-02-03")
    shown = second.shown(date="2026-02-05", why="misread, too")
    elsewhere = mend(bob, house, "correct", "pump:2026-02-02").shown(infused="false", why="misread")
    before = len(events(house))
    assert "Recorded as" in text_of(first.send("record"))
    for answer in (shown.send("record"), second.send("show", date="2026-02-05", why="misread, too")):
        assert answer.status == 409
        assert "ann was first" in text_of(answer)
        assert "Nothing of yours was recorded" in text_of(answer)
    assert len(events(house)) == before + 1
    assert "Recorded as" in text_of(elsewhere.send("record")), "what is about another entry does not stop it"
    again = mend(bob, house, "correct", "pump:2026-02-03")
    assert again.fields["date"] == "2026-02-04", "as ann left it"
    assert "Recorded as" in text_of(again.shown(date="2026-02-05", why="looked at both").send("record"))


def test_who_somebody_is_is_not_shown_to_whoever_corrects_it(house: House, desk: InProcess) -> None:
    who = {"type": "PatientIdentified", "last": "Zwetschke", "birth_date": "1950-02-03", "sex": "F",
           "address": "1 Main St", "city": "Springfield", "state": "IL", "zip": "62701"}  # fmt: skip
    assert house.tell(told("who", who, source="desk"), options=("--identity-in-the-open",)).status == 0
    visitor = desk.visitor("biller")
    form = mend(visitor, house, "correct", "desk:who")
    seen = form.answer.text + visitor.get(f"{visitor.address_of('EP-1')}/entries").text
    assert not any(each in seen for each in ("Zwetschke", "1950-02-03", "1 Main St", "62701"))
    told_anew = {name: value for name, value in who.items() if name != "type"} | {"last": "Zwetschge"}
    assert "Recorded as" in text_of(form.shown(**told_anew, why="misspelt").send("record"))


def test_of_many_who_do_it_at_the_same_moment_one_wins(house: House, desk: InProcess) -> None:
    forms = [
        mend(desk.visitor("biller", f"u{at}"), house, "correct", "pump:2026-02-03").shown(infused="false", why=f"{at}")
        for at in range(4)
    ]
    before, answers, together = len(events(house)), list[Answer](), threading.Barrier(len(forms))

    def click(form: Form) -> None:
        together.wait()
        answers.append(form.send("record"))

    threads = [threading.Thread(target=click, args=(form,)) for form in forms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status for answer in answers) == [200, 409, 409, 409]
    assert len(events(house)) == before + 1


def test_a_conflict_is_resolved_and_of_two_who_resolve_it_one_wins(house: House, desk: InProcess) -> None:
    ann, bob = desk.visitor("biller", "ann"), desk.visitor("biller", "bob")
    path = f"{ann.address_of('EP-2')}/record/ConflictResolved?day=2026-02-02"
    first, second = (form_at(each, path) for each in (ann, bob))
    assert first.fields["date"] == "2026-02-02"
    assert "Recorded as" in text_of(first.shown(bill="nothing", reason="billed elsewhere").send("record"))
    answer = second.send("record", bill="S9325", reason="log checked")
    assert (answer.status, "ann was first" in text_of(answer)) == (409, True)
    (day,) = house.run("days", "--episode", "EP-2", "--from", "2026-02-02", "--to", "2026-02-02").rows
    assert day["reason"] == "conflict_resolved"


def test_an_episode_is_voided_by_an_operator_alone_and_so_is_that_taken_back(house: House, desk: InProcess) -> None:
    operator, biller = desk.visitor("operator"), desk.visitor("biller")
    address = operator.address_of("EP-1")
    assert biller.get(f"{address}/record/EpisodeVoided").status == 404
    assert biller.get(f"{address}/void").status == 403
    voiding = form_at(operator, f"{address}/void").shown(reason="opened twice")
    assert "Recorded as" in text_of(voiding.send("record"))
    assert house.run("days", "--episode", "EP-1").rows == []
    version = events(house)[-1]["version"]
    assert biller.get(f"{address}/entry/{version}/retract").status == 403
    back = form_at(operator, f"{address}/entry/{version}/retract").shown(reason="it was not")
    assert "Recorded as" in text_of(back.send("record"))
    assert house.run("days", "--episode", "EP-1").rows


def test_an_episode_is_opened(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, "/record")
    facts = {"patient": "P-9", "provider": "1234567893", "zone": "America/Chicago"}
    assert "text of 1 to 128 characters" in text_of(form.send("record", **facts))
    effect = form.shown(episode="EP-9", **facts)
    assert "Recorded as" in text_of(effect.send("record"))
    assert "has this already" in text_of(effect.send("record"))
    assert visitor.get(visitor.address_of("EP-9")).status == 200
    assert form_at(visitor, "/record").send("record", episode="EP-9", **facts).status == 409


def test_patients_are_merged_and_parted_once_for_each_form(house: House, desk: InProcess) -> None:
    operator = desk.visitor("operator", "lead")
    form = form_at(operator, "/patients/merge")
    assert 'href="/patients/part"' in form.answer.text
    assert form.send("record", old="P-2", into="P-1", reason="P-1 was registered twice").status == 400
    assert "knows no patient" in text_of(form.send("record", old="P-2", into="P-77", reason="x"))
    said = house.run("merge-patients", "P-2", "P-1", "--reason", "x", "--dry-run").err
    effect = form.shown(old="P-2", into="P-1", reason="registered twice")
    assert all(line.strip() in text_of(effect.answer) for line in said.splitlines()[1:-1])
    assert "Recorded." in text_of(effect.send("record"))
    assert "has this already" in text_of(effect.send("record"))
    parting = form_at(operator, "/patients/part").shown(old="P-2", reason="birth dates differ")
    assert "Recorded." in text_of(parting.send("record"))
    assert "has this already" in text_of(parting.send("record"))
    assert "is not merged" in text_of(form_at(operator, "/patients/part").send("record", old="P-2", reason="x"))


def test_a_month_is_closed_with_its_check_list_and_a_reason(house: House, desk: InProcess) -> None:
    operator, viewer = desk.visitor("operator", "lead"), desk.visitor("viewer")
    early = form_at(operator, "/months/2026-02")
    shown_early = early.shown(anyway="claims follow")
    other = {"type": "ServiceBilledSeparately", "code": "S9326", "from": "2026-02-03", "billed_by": "1245319599"}
    assert house.tell(told("s9326-again", other, source="billing", episode="EP-2")).status == 0
    for form in (early, shown_early):
        assert "has changed since the form was opened" in text_of(form.send("record", anyway="claims follow"))
    assert house.run("close", "--list").rows == []
    looked = viewer.get("/months/2026-02")
    assert 'class="act"' not in looked.text, "who may not close it has the list alone"
    rows = house.run("close", "2026-02", "--check").rows
    assert rows
    assert all(row["says"] in text_of(looked) for row in rows)
    form = form_at(operator, "/months/2026-02")
    assert form.send("record").status == 400
    assert "do not name a patient" in text_of(form.send("record", anyway="P-1 is late"))
    effect = form.shown(anyway="claims follow")
    assert "February 2026 is closed" in text_of(effect.send("record"))
    assert "was closed" in text_of(effect.send("record"))
    (closed,) = house.run("close", "--list").rows
    assert (closed["by"], closed["anyway"]) == ("lead", "claims follow")
    assert closed["report"] in text_of(viewer.get("/months/2026-02"))
    assert viewer.get("/months?month=2026-02").headers["location"] == "/months/2026-02"
    running = form_at(operator, "/months/2098-01")
    assert "is not over" in text_of(running.send("record"))
    assert operator.get("/months/2026-13").status == 404


WRONG = SHEET + "EP-1,T-2,RX-1,02/31/2026,02/28/2026,CONFIRMED,yes\n"


def test_a_spreadsheet_is_imported_after_it_was_looked_at(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller", "mgarcia")
    form = form_at(visitor, "/import")
    assert "Choose the file" in text_of(multipart(form, {"file": ("t.csv", "")}, mapping="tickets"))
    looked = multipart(form, {"file": ("t.csv", WRONG)}, mapping="tickets")
    assert "2 rows: 1 would be recorded, 1 refused" in text_of(looked)
    assert "row 3" in text_of(looked)
    assert '"page":"import"' in looks(desk)[-1]
    assert of_patient("P-1") in looks(desk)[-1]
    before = len(events(house))
    effect = Form(visitor, looked)
    assert "1 fact recorded." in text_of(effect.send("record"))
    assert "has this already" in text_of(effect.send("record"))
    assert len(events(house)) == before + 1
    assert events(house)[-1]["by"] == "mgarcia"
    changed = multipart(form_at(visitor, "/import"), {"file": ("t.csv", SHEET.replace("02/06", "02/07"))},
                        mapping="tickets", otherwise="record them")  # fmt: skip
    assert "to 2026-02-06 → 2026-02-07" in text_of(changed)
    assert "1 fact recorded." in text_of(Form(visitor, changed).send("record"))
    assert list((house.folder).glob("*import*")) == [], "no file is left"


def test_a_file_is_for_the_session_that_sent_it_and_a_mapping_records_nothing_that_its_sender_may_not(
    house: House, desk: InProcess
) -> None:
    ann, bob = desk.visitor("biller", "ann"), desk.visitor("biller", "bob")
    looked = Form(ann, multipart(form_at(ann, "/import"), {"file": ("t.csv", SHEET)}, mapping="tickets"))
    taken = form_at(bob, "/import").send("record", file=looked.fields["file"], mapping="tickets")
    assert (taken.status, "Choose the file" in text_of(taken)) == (400, True)
    own = 'source = "x"\nepisode = "{Episode}"\n[[sheets]]\n[[sheets.facts]]\ntype = "EpisodeVoided"\nid = "{Ticket}"\n'
    own += 'fields.reason = "{Order}"\n'
    files = {"file": ("t.csv", SHEET), "own": ("m.toml", own)}
    answer = multipart(form_at(ann, "/import"), files, mapping=OWN)
    assert (answer.status, "may not record" in text_of(answer)) == (409, True)
    operator = desk.visitor("operator", "lead")
    answer = multipart(form_at(operator, "/import"), files, mapping=OWN)
    assert "1 would be recorded" in text_of(answer)
    signed = own.replace('id = "{Ticket}"', 'id = "{Ticket}"\nby = "somebody else"').replace(
        "EpisodeVoided", "ResponseNoted"
    )
    signed = signed.replace("fields.reason", 'fields.date = "2026-02-05"\nfields.note')
    answer = multipart(form_at(ann, "/import"), files | {"own": ("m.toml", 'by = "x"\n' + signed)}, mapping=OWN)
    assert "1 fact recorded" in text_of(Form(ann, answer).send("record"))
    assert events(house)[-1]["by"] == "ann", "whatever the mapping says"
    broken = multipart(form_at(ann, "/import"), files | {"own": ("../m.toml", "source = 1")}, mapping=OWN)
    assert broken.status == 409


def test_what_is_gone_from_a_complete_file_is_retracted_where_that_is_wanted(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller", "mgarcia")
    two = SHEET + "EP-1,T-2,RX-1,02/09/2026,02/09/2026,CONFIRMED,yes\n"
    asked = {"mapping": "tickets", "otherwise": "record them"}
    multipart(form_at(visitor, "/import"), {"file": ("t.csv", two)}, step="record", **asked)
    left = multipart(form_at(visitor, "/import"), {"file": ("t.csv", SHEET)}, **asked)
    assert "gone" not in text_of(left), "some of what there is says nothing of the rest"
    dated = {"holds": ALL, "first": "2026-02-01", "last": "2026-02-28"}
    refused = multipart(form_at(visitor, "/import"), {"file": ("t.csv", WRONG)}, **asked, **dated)
    assert "What is gone is not looked for" in text_of(refused)
    before = len(events(house))
    looked = multipart(form_at(visitor, "/import"), {"file": ("t.csv", SHEET)}, **asked, **dated)
    assert "T-2 (DaysServed): gone, to be retracted" in text_of(looked)
    assert len(events(house)) == before, "nothing is recorded by looking"
    assert "1 fact recorded." in text_of(Form(visitor, looked).send("record"))
    last = events(house)[-1]
    assert (last["type"], last["by"]) == ("FactRetracted", "mgarcia")
    assert "has this already" in text_of(Form(visitor, looked).send("record"))
    for wrong, said in (
        ({"holds": SOME, "first": "2026-02-01"}, "Dates go with"),
        ({"holds": ALL, "first": "02/01/2026"}, "YYYY-MM-DD"),
        ({"holds": ALL, "first": "2026-02-03", "last": "2026-02-02"}, "lies before"),
        ({"holds": "x"}, "Choose what the file holds"),
    ):
        answer = multipart(form_at(visitor, "/import"), {"file": ("t.csv", SHEET)}, **asked, **wrong)
        assert (answer.status, said in text_of(answer)) == (400, True)


def test_refused_rows_are_a_csv_that_is_mended_and_sent_again(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    looked = multipart(form_at(visitor, "/import"), {"file": ("t.csv", WRONG)}, mapping="tickets")
    assert "Download 1 refused row as CSV" in text_of(looked)
    given = Form(visitor, looked).send("refused t")
    assert given.headers["content-disposition"] == 'attachment; filename="refused-t.csv"'
    header, row = csv.reader(given.text.splitlines())
    assert (header[-2:], row[:2]) == (["Row", "Why refused"], ["EP-1", "T-2"])
    assert row[-2] == "3"
    assert row[-1]
    assert '"page":"import refused csv"' in looks(desk)[-1]
    assert of_patient("P-1") in looks(desk)[-1]
    done = Form(visitor, looked).send("record")
    assert Form(visitor, done).send("refused t").text == given.text, "and after the others were recorded"
    assert Form(visitor, looked).send("refused other").status == 409
    assert Form(visitor, looked).send("refused t", file="gone").status == 409
    mended = given.text.replace("02/31/2026", "02/28/2026")
    again = multipart(form_at(visitor, "/import"), {"file": ("refused-t.csv", mended)}, mapping="tickets")
    assert "1 row: 1 would be recorded" in text_of(again)


def test_a_form_that_is_not_whole_does_nothing(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, f"{visitor.address_of('EP-1')}/record/PainAssessed")
    before = len(events(house))
    for identity in ("", "x", form.fields["id"] + "-2", "../" + form.fields["id"]):
        assert form.send("record", date="2026-02-05", score="4", id=identity).status == 409
    assert visitor.ask("POST", form.action, "a=%ff&form=" + visitor.form).status == 400
    assert visitor.ask("POST", form.action, "x" * 600_000).status == 413
    assert visitor.ask("POST", form.action, "&".join(f"a{n}=1" for n in range(5000))).status == 400
    assert visitor.ask("POST", "/import", b"no parts", content_type="multipart/form-data; boundary=x").status == 400
    for path in ("record/Nothing", "record/FactCorrected", "entry/99/correct", "entry/x/correct", "entry/2/burn"):
        assert visitor.get(f"{visitor.address_of('EP-1')}/{path}").status == 404
    assert len(events(house)) == before


def test_under_a_clock_that_cannot_be_right_nothing_is_recorded(
    house: House, desk: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = desk.visitor("biller")
    form = form_at(visitor, f"{visitor.address_of('EP-1')}/record/PainAssessed")
    monkeypatch.setattr("commands.writing.handle.why_doubtful", lambda *_: "the newest entry is of tomorrow")
    lead = desk.visitor("operator")
    merging = form_at(lead, "/patients/merge").send("record", old="P-2", into="P-1", reason="registered twice")
    month = form_at(lead, "/months/2026-02").send("record", anyway="the claims follow")
    for answer in (form.send("record", date="2026-02-05", score="4"), merging, month):
        assert (answer.status, "clock of this machine" in text_of(answer)) == (409, True)
    assert house.run("close", "--list").rows == []


def test_whoever_may_not_void_brings_no_voiding_back(house: House, desk: InProcess) -> None:
    """By taking back what took it back, be that restored or retracted."""
    operator, biller = desk.visitor("operator"), desk.visitor("biller")
    address = operator.address_of("EP-1")
    assert "Recorded as" in text_of(form_at(operator, f"{address}/void").shown(reason="opened twice").send("record"))
    version = events(house)[-1]["version"]
    back = form_at(operator, f"{address}/entry/{version}/retract").shown(reason="it was not")
    assert "Recorded as" in text_of(back.send("record"))
    for act, at in (("restore", version), ("restore", version + 1), ("retract", version + 1)):
        path = f"{address}/entry/{at}/{act}"
        for answer in (biller.get(path), biller.post(path, step="record")):
            assert (answer.status, "who may not do this" in answer.text) == (403, True), (act, at)
    assert house.run("days", "--episode", "EP-1").rows
    again = form_at(operator, f"{address}/entry/{version + 1}/restore").shown(reason="it was, after all")
    assert "Recorded as" in text_of(again.send("record"))
    assert house.run("days", "--episode", "EP-1").rows == []


def looks(desk: InProcess) -> list[str]:
    """The access records of a site."""
    records = desk.site.access.path
    return records.read_text(encoding="utf-8").splitlines() if records.exists() else []


def of_patient(patient: str) -> str:
    """How an access record names a patient alone."""
    (mark,) = marks_of([patient], stores.master())
    return f'"patients":["{mark}"]'


def test_what_hostile_texts_say_is_shown_and_does_nothing(house: House, desk: InProcess) -> None:
    hostile = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;{{7*7}}"
    noted = {"type": "ResponseNoted", "date": "2026-02-02", "note": hostile}
    assert house.tell(told(hostile, noted, source=hostile, by=hostile)).status == 0
    visitor = desk.visitor("operator")
    address, version = visitor.address_of("EP-1"), events(house)[-1]["version"]
    form = form_at(visitor, f"{address}/entry/{version}/correct")
    assert form.fields["note"] == hostile
    effect = form.shown(note=hostile + "!", why=hostile)
    pages = [form.answer, effect.answer, effect.send("record"), visitor.get(f"{address}/entries")]
    pages += [form.send("change", date=hostile), form.send("show", date=hostile)]
    for page in pages:
        assert "<script" not in page.text
        assert "<img" not in page.text
        assert "{{7*7}}" in html.unescape(page.text) or page is pages[2], "what became of it repeats nothing"


def test_each_page_of_an_act_is_logged(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller", "mgarcia")
    address = visitor.address_of("EP-1")
    before = len(looks(desk))
    for page in ("/entries", "/record/DayServed", "/entry/2/correct"):
        visitor.get(address + page)
    found = looks(desk)[before:]
    assert len(found) == 3
    assert all('"user":"mgarcia"' in look and of_patient("P-1") in look for look in found)
