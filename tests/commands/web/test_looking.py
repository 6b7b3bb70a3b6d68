"""The pages that are looked at: what they show is the commands', what is decided there is recorded, CSVs are logged."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections import Counter
from pathlib import Path

import pytest

from commands.web.access import first_records, records_before
from ledger.book import load_book
from projections.audit.claimed import claimed_days
from projections.erasure.handed_out import handed_out
from tests.act_forms import Form, form_at, hidden_of, multipart
from tests.answered import answered_house, payments
from tests.command_line import House, run, told
from tests.encrypted_house import Locked
from tests.in_process_site import InProcess, Visitor
from tests.kept import documented
from tests.running_site import Answer
from tests.stores import open_ledger
from tests.stories import Course


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return documented(tmp_path_factory.mktemp("looking"))


@pytest.fixture(scope="module")
def looker(house: House) -> Visitor:
    return InProcess(house.ledger).visitor()


def text_of(answer: Answer) -> str:
    """What a reader reads."""
    said = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", answer.text)).split())
    return re.sub(r" (?=[).,:])|(?<=\() ", "", said)


def rows_of(answer: Answer) -> list[dict[str, str]]:
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


def looks(house: House) -> list[dict[str, object]]:
    return [json.loads(line) for line in (house.folder / "ledger.access.jsonl").read_text("utf-8").splitlines()]


def test_a_csv_has_exactly_what_is_shown_and_giving_it_out_is_logged(house: House, looker: Visitor) -> None:
    shown = run("--ledger", house.ledger, "worklist", "--kind", "stops", "--sort", "patient").rows
    found = rows_of(looker.get("/?kind=stops&sort=patient&as=csv"))
    assert [(row["Patient"], row["Episode"], row["Claim"]) for row in found] == [
        (row["patient"], row["episode"], row["claim"] or "") for row in shown
    ]
    assert [row["Dollars"] for row in found] == [
        "" if row["cents"] is None else f"{row['cents'] / 100:.2f}" for row in shown
    ]
    last = looks(house)[-1]
    assert last["page"] == "worklist csv"
    assert set(last["patients"]) == {row["patient"] for row in shown}  # type: ignore[call-overload]


def test_headings_put_every_table_in_order_and_turn_it(looker: Visitor) -> None:
    where = looker.post("/search", text="EP-20").headers["location"]
    for path, heading in ((where, "Days"), ("/holds?reason=auth_exhausted", "Episode")):
        page = looker.get(path)
        found = re.search(rf'<a href="([^"]*)">{heading}</a>', page.text)
        assert found
        plain = path.split("?")[0]
        once = plain + html.unescape(found[1])
        days = [row[heading] for row in rows_of(looker.get(f"{once}&as=csv"))]
        assert days == sorted(days, key=lambda cell: (len(cell), cell) if heading == "Days" else cell)
        assert 'aria-sort="ascending"' in looker.get(once).text
        turned = re.search(rf'<a href="([^"]*)">{heading}</a>', looker.get(once).text)
        assert turned
        assert rows_of(looker.get(f"{plain}{html.unescape(turned[1])}&as=csv"))[0][heading] == days[-1]


def test_no_cell_of_a_csv_is_a_formula(tmp_path: Path) -> None:
    house = documented(tmp_path)
    assert run("--ledger", house.ledger, "worklist", "assign", "EP-2005", "to_bill", "=cmd|' /C calc'!A0").status == 0
    assert [row["Owner"][:2] for row in rows_of(InProcess(house.ledger).visitor().get("/?as=csv")) if row["Owner"]] == [
        "'="
    ]


def decided(looker: Visitor, address: str, what: str, **told: str) -> Answer:
    """A decision on the page of a piece of work, by its form there, and the page that it leads to."""
    return looker.sent(f"{address}/{what}", hidden_of(looker.get(address)), **told)


def test_what_is_decided_in_the_site_is_recorded_with_the_name(tmp_path: Path) -> None:
    house = documented(tmp_path)
    looker = InProcess(house.ledger).visitor()
    page = looker.get("/?work=to_bill&sort=episode")
    (address, *_) = re.findall(r'href="(/open-work/[a-z0-9]+)"', page.text)
    assert "Assigned to Ana Ruiz" in text_of(decided(looker, address, "assign", owner="Ana Ruiz"))
    assert "noted: call the payer" in text_of(decided(looker, address, "note", note="call the payer"))
    assert "Done until 2999-01-01" in text_of(decided(looker, address, "done-until", until="2999-01-01"))
    (row,) = run("--ledger", house.ledger, "worklist", "--done", "yes").rows
    assert (row["owner"], row["note"], row["decided_by"]) == ("Ana Ruiz", "call the payer", "runs-it")
    assert "Assigned to nobody" in text_of(decided(looker, address, "assign", to="nobody"))
    for wrong in ({"until": "soon"}, {"until": "20991231"}):
        assert looker.post(f"{address}/done-until", wrong).status == 400
    assert looker.post(f"{address}/note", note="x" * 1001).status == 400
    assert looker.post("/open-work/nothing/note", note="x").status == 404


def ticked(page: Answer, count: int | None = None) -> dict[str, str]:
    """The boxes of a list's first rows, as a browser sends those that are ticked."""
    return dict.fromkeys([*dict.fromkeys(re.findall(r'name="(pick\.[a-z0-9]+)"', page.text))][:count], "1")


def test_ticked_rows_are_decided_on_together_once_for_each_form(tmp_path: Path) -> None:
    house = documented(tmp_path)
    looker = InProcess(house.ledger).visitor("biller", "mgarcia")
    page = looker.get("/?kind=to_bill&sort=episode")
    boxes = ticked(page, 3)
    assert "checked" not in page.text
    assert looker.get("/?kind=to_bill&sort=episode&tick=all").text.count(" checked") == page.text.count('name="pick.')
    before = run("--ledger", house.ledger, "status", "--technical").rows[0]["position"]
    form = Form(looker, looker.post("/open-work", boxes, list="?kind=to_bill&sort=episode"))
    assert "3 pieces of work" in text_of(form.answer)
    assert 'href="/?kind=to_bill&amp;sort=episode"' in form.answer.text, "and back to the same list"
    for wrong, said in (({}, "Enter an owner"), ({"until": "soon"}, "YYYY-MM-DD"), ({"note": "x" * 1001}, "1,000"),
                        ({"owner": "a\x07b"}, "control characters")):  # fmt: skip
        assert said in text_of(form.send(**wrong))
    effect = form.shown(owner="Ana Ruiz", note="call them", until="2999-01-01")
    assert text_of(effect.answer).count("nobody → Ana Ruiz; done until 2999-01-01; noted") == 3
    assert run("--ledger", house.ledger, "status", "--technical").rows[0]["position"] == before
    assert "Recorded for 3 pieces of work." in text_of(effect.send("record"))
    assert "the ledger has this already" in text_of(effect.send("record"))
    rows = run("--ledger", house.ledger, "worklist", "--done", "yes").rows
    assert {(row["owner"], row["note"], row["decided_by"]) for row in rows} == {("Ana Ruiz", "call them", "mgarcia")}
    assert {row["notes"] for row in rows} == {1}, "a second click adds no second note"
    assert run("--ledger", house.ledger, "status", "--technical").rows[0]["position"] == before + 9
    again = Form(looker, looker.post("/open-work", boxes)).send("record", owner="Ana Ruiz", until="2999-01-01")
    assert (again.status, "Nothing would change" in text_of(again)) == (409, True)
    back = Form(looker, looker.post("/open-work", dict([*boxes.items()][:1]))).shown(owner="nobody")
    assert "Ana Ruiz → nobody" in text_of(back.answer)


def test_of_two_who_decide_on_the_same_rows_the_second_is_told_who_was_first(tmp_path: Path) -> None:
    house = documented(tmp_path)
    desk = InProcess(house.ledger)
    ann, bob = desk.visitor("biller", "ann"), desk.visitor("biller", "bob")
    boxes = ticked(ann.get("/?kind=to_bill"), 2)
    bob.get("/")
    first, second = (
        Form(who, who.post("/open-work", boxes)).shown(owner=name) for who, name in ((ann, "A"), (bob, "B"))
    )
    assert "Recorded for 2 pieces" in text_of(first.send("record"))
    late = second.send("record")
    assert (late.status, "ann was first" in text_of(late)) == (409, True)
    assert {row["owner"] for row in run("--ledger", house.ledger, "worklist", "--owner", "A").rows} == {"A"}
    assert run("--ledger", house.ledger, "worklist", "--owner", "B").rows == []
    ann.get("/")
    for nothing, status in (({}, 400), ({"pick.aaaa": "1"}, 404), ({"work": "aaaa", "step": "record"}, 404)):
        assert ann.post("/open-work", nothing).status == status
    assert "pick." not in desk.visitor("viewer").get("/").text


def test_an_episode_shows_its_money_claims_units_and_what_runs_out(looker: Visitor) -> None:
    page = looker.get(f"{looker.address_of('EP-2005')}?day=2026-09-16")
    said = text_of(page)
    assert "claimed: 64 ($4,968.00)" in said
    assert "not billed: 6 ($540.00)" in said
    assert "claimed, not due: 4 ($288.00)" in said
    assert "Claimed: $72.00 on CLM-2504. Not due of it, and not answered: $72.00." in said
    assert "CLM-2502 original Example Health (example)" in said
    assert "voided by CLM-2502V" in said
    assert "40 of 40 units used" in said
    assert "2026-11-02 Plan of treatment" in said
    assert "Claimed not billable" in said, "its open work"


def test_the_money_of_an_episode_is_that_of_the_claimed_days(house: House, looker: Visitor) -> None:
    with open_ledger(house.ledger, create=False) as ledger:
        rows = list(claimed_days(ledger, load_book(), every=True))
    for episode in sorted({row.episode for row in rows}):
        mine = [row for row in rows if row.episode == episode]
        undue, unbilled = sum(row.exposure_cents for row in mine), [row for row in mine if row.kind == "unbilled"]
        said = text_of(looker.get(looker.address_of(episode)))
        assert f"not billed: {len(unbilled)} " in said
        if undue:
            assert f"(${undue / 100:,.2f})" in said.partition("claimed, not due:")[2][:30]


def test_every_table_of_an_episode_is_sorted_filtered_and_given_out_as_it_is_shown(
    house: House, looker: Visitor
) -> None:
    episode = looker.address_of("EP-2005")
    page = looker.get(episode)
    found = {path for path in page.hrefs() if "/table/" in path}
    assert {path.rpartition("/")[2] for path in found} == {
        "calendar", "work", "ends", "units", "claims", "findings", "lines",
    }  # fmt: skip
    for path in sorted(found):
        shown, rows = looker.get(path), rows_of(looker.get(f"{path}?as=csv"))
        assert f"CSV of {len(rows)} row" in text_of(shown)
        assert looks(house)[-1]["patients"] == ["P-1005"]
        for heading in re.findall(r'href="(\?sort=[a-z_]+)"', shown.text):
            assert "aria-sort" in looker.get(f"{path}{heading}").text
    days = rows_of(looker.get(f"{episode}/table/calendar?as=csv"))
    assert len(days) == len(house.run("days", "--episode", "EP-2005").rows)
    held = f"{episode}/table/calendar?sort=date&turned=1&verdict=billable+S9325"
    chosen = [row["Date"] for row in rows_of(looker.get(f"{held}&as=csv"))]
    assert chosen == [row["Date"] for row in days if row["Verdict"] == "billable S9325"][::-1] != []
    assert f"{len(chosen)} rows of {len(days)}" in text_of(looker.get(held))
    assert looker.get(f"{episode}/table/nothing").status == 404
    assert looker.get(f"{episode}/table/claims?sort=nothing").status == 400
    then = looker.get(f"{episode}/table/claims?known_at=2026-01-01T00:00Z")
    assert then.status == 404, "not opened by then"


def test_every_section_of_the_report_is_a_table_with_the_rows_that_the_command_prints(
    house: House, looker: Visitor
) -> None:
    page = looker.get("/report")
    rows = run("--ledger", house.ledger, "report").rows
    paths = [path for path in page.hrefs() if "/report/table/" in path]
    assert len(paths) > 5, text_of(page)
    for path in paths:
        section = [row for row in rows if row["section"] == path.rpartition("/")[2]]
        given = rows_of(looker.get(f"{path}?as=csv"))
        assert len(given) == len(section) > 0
        name = "Claimed" if path.endswith("/unanswered") else "Dollars"
        money = [row[name] for row in given if name in row]
        assert money == [
            "" if row["cents"] is None else f"{row['cents'] / 100:.2f}" for row in section if "cents" in row
        ]
    paid = [f"{row['paid_cents'] / 100:.2f}" for row in rows if row["section"] == "paid"]
    assert [row["Paid"] for row in rows_of(looker.get("/report/table/paid?as=csv"))] == paid
    payer = next(row["payer"] for row in rows if row["section"] == "billed")
    one = rows_of(looker.get(f"/report/table/billed?payer={payer}&sort=cents&as=csv"))
    assert {row["Payer"] for row in one} == {payer}
    assert InProcess(house.ledger).visitor().get("/report/table/billed").status == 404, "no report was made yet"


@pytest.mark.sqlite_file
def test_the_money_of_the_calendar_is_that_of_payments_and_of_the_claimed_days(tmp_path: Path) -> None:
    house = answered_house(tmp_path)
    gone = {"type": "FactRetracted", "target_source": "example", "target_id": "day-2026-09-29", "reason": "not served"}
    assert house.tell(told("gone", gone, episode="EP-O1")).status == 0
    looker = InProcess(house.ledger, house.book).visitor()
    days = rows_of(looker.get(f"{looker.address_of('EP-O1')}/table/calendar?as=csv"))
    paid, exposed = Counter[str](), Counter[str]()
    for row in payments(house):
        paid[row["date"]] += row["paid_cents"] if row["expected_cents"] is not None else 0
    for row in house.run("diff", "--claimed", "--all").rows:
        exposed[row["date"]] += row["exposure_cents"]
    for row in days:
        assert row["Paid"] == f"{paid[row['Date']] / 100:.2f}", row
        assert row["To refund"] == f"{exposed[row['Date']] / 100:.2f}", row
    assert any(paid.values())
    assert any(exposed.values())
    assert {row["Date"] for row in days} >= {on for on, cents in (paid + exposed).items() if cents}


def test_the_history_tells_the_days_that_the_replay_tells(house: House, looker: Visitor) -> None:
    said = text_of(looker.get(f"{looker.address_of('EP-2005')}/history"))
    entries = [row for row in run("--ledger", house.ledger, "replay", "EP-2005").rows if row["episode"] == "EP-2005"]
    assert sum(int(number) for number in re.findall(r"(\d+) records?\b", said)) >= len(entries)
    assert "2026-09-23: chart, by rn-15 patient died (1)" in said
    assert "in conflict: per diem billed twice → became billable S9325" in said


def test_times_are_in_the_readers_zone_and_service_dates_are_not(looker: Visitor) -> None:
    address = f"{looker.address_of('EP-2005')}?day=2026-09-16"
    assert "2026-10-02 18:00:00 UTC" in text_of(looker.get(address))
    looker.sent("/zone", zone="America/Chicago")
    page = looker.get(address)
    assert 'title="2026-10-02 18:00:00 UTC">2026-10-02 13:00:00 CDT' in page.text
    assert "Times in Central (Chicago)" in text_of(page)
    assert "2026-09-16" in text_of(page)
    assert looker.post("/zone", zone="Mars/Base").status == 400
    looker.sent("/zone", zone="UTC")


def test_hashes_and_positions_are_on_the_page_of_proof_alone(house: House, looker: Visitor) -> None:
    said = text_of(looker.get("/proof"))
    (status,) = run("--ledger", house.ledger, "status", "--technical").rows
    assert f"{status['position']:,}" in said
    book = re.search(r"Book, SHA-256 (\w{64})", said)
    assert book
    for path in ("/", "/findings", looker.address_of("EP-2005"), "/pictures"):
        assert book[1] not in looker.get(path).text


def test_each_picture_has_its_numbers_beneath(house: House, looker: Visitor) -> None:
    page = looker.get("/pictures")
    for svg in re.findall(r"<svg.*?</svg>", page.text, re.DOTALL):
        title, desc = re.search(r"<title id", svg), re.search(r"<desc id", svg)
        assert title
        assert desc
        assert 'role="img"' in svg
    filing = rows_of(looker.get("/pictures?as=csv&table=filing"))
    to_bill = rows_of(looker.get("/?kind=to_bill&done=any&as=csv"))
    assert sum(float(row["Dollars"]) for row in filing) == sum(float(row["Dollars"]) for row in to_bill) > 0
    assert looker.get("/pictures?as=csv&table=none").status == 404
    looker.get("/report")
    refund = {
        row["Month of service"]: float(row["To refund"]) + float(row["Claimed, not answered"])
        for row in rows_of(looker.get("/pictures?as=csv&table=refund"))
    }
    exposed = Counter[str]()
    for row in run("--ledger", house.ledger, "diff", "--claimed", "--all").rows:
        if row["kind"] != "unbilled":
            exposed[row["date"][:7]] += row["exposure_cents"]
    assert {month: round(dollars * 100) for month, dollars in refund.items()} == exposed
    assert sum(exposed.values()) > 0


def test_who_looked_at_a_patient_is_found_by_whoever_may_ask(house: House, looker: Visitor) -> None:
    looker.get(looker.address_of("EP-2005"))
    page = looker.sent("/looks", patient="P-1005")
    found = run("--ledger", house.ledger, "access", "P-1005").rows
    assert f"{len(found) - 1} looks at P-1005" in text_of(page), "this look itself is recorded after them"
    assert found[-1]["page"] == "looks"
    assert "Nobody looked" in text_of(looker.sent("/looks", {"patient": "P-1005", "to": "2001-01-01"}))
    assert looker.post("/looks", {"patient": "P-1005", "from": "1.1.2026"}).status == 400
    assert looker.post("/looks", patient="").status == 400
    assert "P-1005" not in looker.post("/looks", patient="P-1005").headers["location"]


def test_the_records_of_a_day_are_sealed_on_the_next_and_a_change_is_seen(tmp_path: Path) -> None:
    house = documented(tmp_path)
    records = house.folder / "ledger.access.jsonl"
    line = '{"at":"%s","session":"s","user":"u","remote":"","page":"why"}\n'
    records.write_text("".join(line % f"2026-01-0{day}T10:00:00Z" for day in (1, 2)))
    first = InProcess(house.ledger).visitor()
    for path in ("/", "/findings", "/proof"):
        assert first.get(path).status == 200
    assert run("--ledger", house.ledger, "verify").status == 0
    checked = run("--ledger", house.ledger, "access", "--check")
    assert (checked.status, [(row["lines"], row["file"]) for row in checked.rows]) == (0, [(2, str(records))])
    InProcess(house.ledger).visitor().get("/")
    assert len(run("--ledger", house.ledger, "access", "--check").rows) == 1, "what is sealed is sealed once"
    text = records.read_text()
    records.write_text(text.replace("2026-01-02T10", "2026-01-02T11"))
    assert run("--ledger", house.ledger, "access", "--check").status == 1
    (house.folder / "moved.jsonl").write_text(text)
    assert run("--ledger", house.ledger, "access", "--check", "--file", house.folder / "moved.jsonl").status == 0


def test_a_record_that_a_wrong_clock_dated_ahead_stops_no_sealing(tmp_path: Path) -> None:
    """It is sealed with what follows it; what is from today waits for tomorrow, and so does a line dated ahead that
    is the last."""
    records = tmp_path / "ledger.access.jsonl"
    line = '{"at":"%sT10:00:00Z","session":"s","user":"u","remote":"","page":"why"}\n'
    days = ("2026-01-01", "2098-01-01", "2026-01-02", "2026-01-03", "2098-01-01")
    records.write_text("".join(line % day for day in days))
    assert [records_before(records, day)[0] for day in ("2026-01-01", "2026-01-02", "2026-01-03", "2026-01-04")] == [
        0, 1, 3, 4,
    ]  # fmt: skip
    assert records_before(records, "2026-01-03") == first_records(records, 3)
    records.write_text(line % days[0] + "torn\n" + line % "2098-01-01" + line[:20])
    assert [records_before(records, day)[0] for day in ("2026-01-04", "2099-01-01")] == [2, 3]
    assert records_before(tmp_path / "none", "2026-01-04") == first_records(tmp_path / "none", 0)


def test_a_csv_of_an_encrypted_ledger_is_told_when_the_patient_is_forgotten(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    told = Course("prairie-blue").days("2026-03-05").told
    assert house.tell(*told, options=("--keep-recorded-at",)).status == 0
    visitor = InProcess(house.ledger, house.book, master=house.master).visitor()
    sheet = "Episode,Ticket,Order,From,To,Status,Infused\nEP-1,T-2,RX-1,02/31/2026,02/28/2026,CONFIRMED,yes\n"
    looked = Form(visitor, multipart(form_at(visitor, "/import"), {"file": ("t.csv", sheet)}, mapping="tickets"))
    assert rows_of(looked.send("refused t"))[0]["Ticket"] == "T-2"
    (listed,) = handed_out(visitor.at.site.reader.setup.places)
    assert (listed.command, listed.episodes) == ("download", None), "refused rows may be of any episode"
    assert rows_of(visitor.get(f"{visitor.address_of('EP-1')}/table/calendar?as=csv"))
    assert [each.episodes for each in handed_out(visitor.at.site.reader.setup.places)][1:] == [("EP-1",)]
    assert [row["Patient"] for row in rows_of(visitor.get("/?kind=to_bill&as=csv"))] == ["P-1"]
    forgotten = house.run("forget", "P-1", "--reason", "asked", "--by", "Lee", "--yes")
    assert forgotten.status == 1
    assert "was given out to a browser" in forgotten.err
    assert house.run("forget", "--finish").status == 0, "it is told once"
    assert rows_of(visitor.get("/?as=csv")) == []


def test_what_is_expected_and_not_there_is_on_the_site_and_the_look_at_it_recorded(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.report.expected.FIRST_SHOWN", 1)
    looker = InProcess(house.ledger).visitor()
    expected = [row for row in house.run("report").rows if row["section"] == "expected"]
    first = list({row["kind"]: row for row in reversed(expected)}.values())
    assert len(first) < len(expected)
    for page, rows in (("/report", first), ("/report?all=1", expected), ("/report/page", first)):
        shown = text_of(looker.get(page)).rpartition("Expected, and not there")[2].partition("The rows behind")[0]
        assert [row for row in expected if f" {row['episode']} " in shown] == [row for row in expected if row in rows]
        assert ("more" in shown) == (rows is first)
        assert set(looks(house)[-1]["patients"]) >= {row["patient"] for row in rows}  # type: ignore[call-overload]
