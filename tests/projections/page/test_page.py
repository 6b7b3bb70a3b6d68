"""The page of an episode: all of its own, linked within itself, nothing of anybody else, the same every time."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections import Counter
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from ledger.book import load_book
from projections.page.html import render_page
from projections.page.page import page_of
from projections.rendering import seen
from projections.why.why import why_of
from projections.words import MARKS, STATUS, money
from tests import ROOT
from tests.builders import recorded_before
from tests.command_line import LIVE, House, assert_plain, example, lines_of, run, told
from tests.harness import book_of
from tests.histories import history
from tests.kept import documented
from tests.stores import make, named, open_ledger

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.jsonl"))


class Read(HTMLParser):
    """A page as a browser would read it: its elements, their attributes, and the text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    @property
    def ids(self) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get("id")) is not None]

    @property
    def links(self) -> list[str]:
        return [str(attributes["href"]) for _, attributes in self.elements if "href" in attributes]

    @property
    def shape(self) -> set[tuple[str, str]]:
        return {(tag, name) for tag, attributes in self.elements for name in ("", *attributes)}


def section(html: str, name: str) -> str:
    return html.split(f'<section id="{name}"')[1].split("</section>")[0]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture(scope="module")
def told_examples(tmp_path_factory: pytest.TempPathFactory) -> House:
    """The example histories of the docs, read against the packaged book."""
    return documented(tmp_path_factory.mktemp("examples"))


EPISODES = [f"EP-20{number:02}" for number in range(1, 15)]


def page_html(house: House, episode: str, *options: object) -> str:
    ended = run(*house.placed, "page", episode, *options)
    assert ended.status == 0, ended
    return ended.out.decode()


def days_of(house: House, episode: str, *options: object) -> list[dict[str, Any]]:
    return run(*house.placed, "days", "--episode", episode, *options).rows


@pytest.mark.parametrize("episode", EPISODES)
def test_each_day_is_once_in_a_calendar_and_once_in_the_list_with_its_verdict(
    told_examples: House, episode: str
) -> None:
    html = page_html(told_examples, episode)
    rows = days_of(told_examples, episode)
    cells = re.findall(r'<a class="(\w+)" href="#d-([\d-]+)"><span class="n">(\d+)</span>.*?>(.)</span>', html)
    assert [(status, date, mark) for status, date, _, mark in cells] == [
        (row["status"], row["date"], MARKS[row["status"]]) for row in rows
    ]
    assert all(int(date[8:]) == int(number) for _, date, number, _ in cells)
    listed = re.findall(r'<li id="d-([\d-]+)"><span class="date">([\d-]+) ', html)
    assert listed == [(row["date"], row["date"]) for row in rows]


@pytest.mark.parametrize("episode", EPISODES)
def test_links_lead_to_a_place_on_the_page_and_places_have_one_name(told_examples: House, episode: str) -> None:
    read = Read(page_html(told_examples, episode))
    assert [name for name, count in Counter(read.ids).items() if count > 1] == []
    assert {link[:1] for link in read.links} == {"#"}
    assert {link[1:] for link in read.links} - set(read.ids) == set()


@pytest.mark.parametrize("episode", EPISODES)
def test_nothing_is_loaded_and_nothing_runs(told_examples: House, episode: str) -> None:
    html = page_html(told_examples, episode)
    read = Read(html)
    tags = {tag for tag, _ in read.elements}
    assert (
        tags & {"script", "img", "link", "iframe", "object", "embed", "form", "base", "svg", "video", "audio"} == set()
    )
    attributes = {name for _, found in read.elements for name in found}
    assert {name for name in attributes if name.startswith("on") or name in ("src", "style", "srcset")} == set()
    assert "http:" not in html
    assert "https:" not in html
    style = html.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    policy = next(found["content"] for tag, found in read.elements if "http-equiv" in found)
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")


@pytest.mark.parametrize("episode", EPISODES)
def test_totals_and_lines_are_those_of_the_other_commands(told_examples: House, episode: str) -> None:
    html = page_html(told_examples, episode)
    rows = days_of(told_examples, episode)
    totals = re.findall(r'</span> ([\w ]+)</th><td class="num">(\d+)</td>', section(html, "totals"))
    counted = Counter(row["status"] for row in rows)
    assert totals == [(STATUS[status].capitalize(), str(counted[status])) for status in MARKS]
    assert money(sum(row["rate_cents"] or 0 for row in rows)) in section(html, "totals").split("<tfoot>")[1]
    lines = run(*told_examples.placed, "lines", "--episode", episode).rows
    shown = re.findall(r'<tr role="row"><td.*?</tr>', section(html, "lines"))
    assert len(shown) == len(lines)
    for row, line in zip(shown, lines, strict=True):
        for part in (
            line["from"],
            line["to"],
            line["units"],
            *map(money, (line["expected_cents"], line["charge_cents"])),
        ):
            assert f">{part}<" in row
        assert f">{' '.join([line['code'], *line['modifiers']])}" in row


@pytest.mark.parametrize("episode", EPISODES)
def test_each_day_leads_to_the_entries_that_decided_it(told_examples: House, episode: str) -> None:
    with open_ledger(told_examples.ledger, create=False) as ledger:
        found = page_of(ledger, episode, load_book())
    assert found is not None
    own = {entry.position: entry.label for entry in found.entries}
    because = {row["date"]: row["because"] for row in days_of(told_examples, episode)}
    for day in (day for each in found.runs for day in each.days):
        labels = [cause.label for cause in day.causes]
        assert [label for label in because[day.date] if label in labels or None not in labels] == [
            label for label in labels if label is not None
        ]
        assert all(own[cause.position] == cause.label for cause in day.causes if cause.label is not None)


def test_an_entry_says_which_days_it_decides(told_examples: House) -> None:
    html = section(page_html(told_examples, "EP-2005"), "entries")
    row = next(row for row in html.split("<tr ") if "chart:death" in row)
    assert "<strong>PatientDied</strong>" in row
    assert 'href="#d-2026-09-24"' in row


def test_corrections_and_retractions_name_what_they_end_and_what_is_ended_names_them(told_examples: House) -> None:
    html = section(page_html(told_examples, "EP-2001"), "entries")
    rows = {match: row for row in html.split("<tr ") for match in re.findall(r'id="e-(\d+)"', row)}
    corrected = [row for row in rows.values() if "Counts no longer: corrected by" in row]
    retracted = [row for row in rows.values() if "Counts no longer: retracted by" in row]
    assert corrected
    assert retracted
    for row in corrected + retracted:
        by = re.findall(r'<span class="standing">.*?href="#e-(\d+)"', row)[0]
        assert f'href="#e-{re.findall(r"id=.e-(.d*[0-9]+)", row)[0]}"' in rows[by]
        assert "Reason:" in rows[by]


def test_what_differs_from_the_claims_is_told_with_dates_and_reasons(told_examples: House) -> None:
    html = Read(section(page_html(told_examples, "EP-2005"), "claimed")).text
    assert "2026-09-15 to 2026-09-18 (4 days)" in html
    assert "on hold: authorized units used up" in html
    assert "$288.00 claimed and not due, not answered" in html
    assert "2026-07-21 to 2026-07-26 (6 days)" in html
    assert "Claim it; file by 2027-01-17" in html
    assert "Every claimed day is billable as claimed" in page_html(told_examples, "EP-2001")
    assert "No claim with a per diem is recorded." in page_html(told_examples, "EP-2012")


@pytest.mark.parametrize("episode", EPISODES)
def test_findings_are_those_of_the_other_command(told_examples: House, episode: str) -> None:
    rows = run(*told_examples.placed, "findings", "--episode", episode).rows
    with open_ledger(told_examples.ledger, create=False) as ledger:
        found = page_of(ledger, episode, load_book())
    assert found is not None
    assert {(finding.rule, finding.level) for finding in found.findings} == {(r["rule"], r["level"]) for r in rows}
    for finding in found.findings:
        dates = {day for row in rows if row["rule"] == finding.rule for day in row["dates"]}
        assert {day for span in finding.dates for day in span} <= dates
        assert {cause.label for cause in finding.causes} - {None} <= {label for row in rows for label in row["because"]}
    assert "No findings." in page_html(told_examples, episode) or rows


def test_one_label_in_two_episodes_names_the_own_entry_unless_both_are_meant(house: House) -> None:
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-02", "units": 2, "charge_cents": 9000}
    claim = {"type": "ClaimSubmitted", "claim": "C", "payer": "prairie-blue", "frequency": "1", "lines": [line]}
    house.tell(*example(), *example("EP-2", "P-1"))
    house.tell(told("c", claim), told("c", claim, episode="EP-2"))
    with open_ledger(house.ledger, create=False) as ledger:
        found = page_of(ledger, "EP-1", load_book(house.book))
    assert found is not None
    causes = {finding.rule: finding.causes for finding in found.findings}
    assert [cause.label for cause in causes["claim_units"]] == ["pump:c"]
    assert [(cause.position, cause.label) for cause in causes["claimed_twice"]] == [(23, "pump:c"), (24, None)]


def test_each_edition_of_terms_is_cited_with_its_source(told_examples: House) -> None:
    read = Read(section(page_html(told_examples, "EP-2001"), "terms"))
    assert "Terms 1: Prairie Blue (example), from 2025-01-01 58 days" in read.text
    assert "Published 2026-08-20, last compared with the source 2026-11-28. Source: Invented amendment" in read.text


def test_it_shows_what_was_known_at_an_instant(told_examples: House) -> None:
    at = "2026-08-05T00:00:00Z"
    html = page_html(told_examples, "EP-2001", "--known-at", at)
    assert "As known at" in html
    assert ">2026-08-05 00:00:00 UTC</time>" in html
    rows = days_of(told_examples, "EP-2001", "--known-at", at)
    assert re.findall(r'class="(\w+)" href="#d-([\d-]+)"><span class="n"', html) == [
        (row["status"], row["date"]) for row in rows
    ]
    recorded = re.findall(r'<tr role="row" id="e-\d+".*?datetime="([^"]+)"', html, re.DOTALL)
    assert recorded == sorted(recorded)
    assert max(recorded) <= at
    assert "S9328" not in section(html, "lines")


def test_without_an_instant_it_says_up_to_which_position(house: House) -> None:
    house.tell(*example())
    html = house.run("page", "EP-1").out.decode()
    assert "Everything recorded up to position 11." in html
    assert "As known at" not in html


def test_the_page_as_known_at_an_instant_stays_the_same_whatever_is_recorded_later(house: House) -> None:
    stamped = [entry | {"recorded_at": f"2026-02-05T10:{minute:02}:00Z"} for minute, entry in enumerate(example(), 10)]
    house.tell(*stamped, options=["--keep-recorded-at"])
    at = ("--known-at", "2026-02-05T12:00Z")
    before = house.run("page", "EP-1", *at)
    house.tell(told("late", SERVED_LATER), *example("EP-2", "P-1"))
    assert house.run("page", "EP-1", *at) == before
    assert house.run("page", "EP-1").out != before.out


def test_the_page_up_to_a_position_is_the_page_made_then(house: House) -> None:
    house.tell(*example())
    before = house.run("page", "EP-1").out.decode()
    house.tell(told("late", SERVED_LATER), *example("EP-2", "P-1"))
    with open_ledger(house.ledger, create=False) as ledger:
        again = page_of(ledger, "EP-1", load_book(house.book), upto=11)
        assert page_of(ledger, "EP-2", load_book(house.book), upto=11) is None
    assert again is not None
    assert render_page(again) == before


SERVED_LATER = {"type": "DayServed", "order": "RX-1", "date": "2026-02-04"}


@pytest.mark.process
def test_the_same_ledger_and_book_give_the_same_bytes_in_every_process(told_examples: House) -> None:
    pages = []
    for seed in ("1", "2"):
        command = [*LIVE, *told_examples.placed, "page", "EP-2005"]
        made = subprocess.run(
            command, capture_output=True, check=True, env=os.environ | {"PYTHONHASHSEED": seed, "TZ": "Asia/Tokyo"}
        )
        pages.append(made.stdout)
    assert pages[0] == pages[1] == page_html(told_examples, "EP-2005").encode()


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "\u202egnp.exe\u202c",
    "{{ 7 * 7 }}{% raw %}",
    "</style><style>*{display:none}",
    "<!-- ",
    "&lt;b&gt;&#39;",
    "\u2028\u200b\ufeff",
    "javascript:alert(1)",
]


def hostile_history(text: str) -> list[dict[str, Any]]:
    """One episode in which every free string is that text."""
    npi, on = "1234567893", "2026-02-02"
    facts: list[dict[str, Any]] = [
        {"type": "EpisodeOpened", "patient": text, "provider": npi, "zone": "America/Chicago"},
        {"type": "CoverageVerified", "payer": text, "member": text, "from": "2026-01-01"},
        {"type": "CoverageVerified", "payer": "prairie", "member": text, "from": "2026-02-03", "rank": 2},
        {"type": "TherapyOrdered", "order": text, "mode": "continuous", "from": on, "prescriber": npi, "drug": text,
         "route": text, "signed_on": on},
        {"type": "DayServed", "order": text, "date": on},
        {"type": "TherapyStopped", "order": text, "date": "2026-02-09", "reason": text * 3},
        {"type": "SupplyDispensed", "date": on, "item": text, "quantity": 1},
        {"type": "DrugDispensed", "date": on, "ndc": "99999020210", "quantity": 1, "unit": "ML", "rx": text},
        {"type": "DrugBilledSeparately", "hcpcs": "J1171", "units": 1, "from": on, "claim": text},
        {"type": "NursingVisited", "date": on, "credential": text},
        {"type": "HospitalAdmitted", "stay": text, "at": "2026-02-04T12:00:00Z"},
        {"type": "HospitalDischarged", "stay": text, "at": "2026-02-06T12:00:00Z"},
        {"type": "TherapyHeld", "hold": text, "from": "2026-02-08", "reason": text},
        {"type": "TherapyResumed", "hold": text, "date": "2026-02-09"},
        {"type": "PlanSigned", "plan": text, "signed_on": on, "from": on, "to": "2026-03-02"},
        {"type": "PainAssessed", "date": on, "score": 3, "tool": text},
        {"type": "ResponseNoted", "date": on, "note": text * 30},
        {"type": "CoordinationNoted", "date": on, "note": "x" * 1000},
        {"type": "AuthorizationGranted", "number": text, "payer": text, "codes": ["S9325"], "units": 3, "from": on,
         "to": "2026-03-02"},
        {"type": "ClaimSubmitted", "claim": text, "payer": text, "frequency": "1", "lines": [
            {"code": "S9325", "from": on, "to": on, "units": 1, "charge_cents": 9000, "modifiers": [text]}]},
        {"type": "ConflictResolved", "date": "2026-02-03", "bill": None, "reason": text},
        {"type": "Discharged", "date": "2026-02-10", "reason": text},
    ]  # fmt: skip
    entries = [
        {"episode": text, "source": text, "id": f"{text}{number}", "by": text, "fact": fact}
        for number, fact in enumerate(facts)
    ]
    wrong = {"target_source": text, "target_id": f"{text}9", "reason": text}
    fixed = {"type": "FactCorrected", **wrong, "fact": facts[9]}
    taken = {"type": "FactRetracted", **wrong, "target_id": f"{text}15"}
    return [
        *entries,
        {"episode": text, "source": text, "id": "fix", "by": text, "fact": fixed},
        {"episode": text, "source": text, "id": "take", "by": text, "fact": taken},
    ]


def hostile_page(folder: Path, text: str) -> str:
    """The page of that history; payers and providers of the book bear that text, too."""
    house = House(folder)
    literal = msgspec.json.encode(text).decode()
    for kind, keys in (("payers", "id|name|source"), ("providers", "name")):
        path = next(path for path in (house.book / kind).glob("*.toml") if path.stem != "medicare")
        told_so = re.sub(
            rf"(?m)^({keys}|  *payer) *= .*$", lambda found: f"{found[1]} = {literal}", path.read_text(encoding="utf-8")
        )
        (house.book / kind / f"hostile-{path.name}").write_text(told_so, encoding="utf-8")
        if kind == "providers":
            path.unlink()
    with open_ledger(house.ledger, create=True) as ledger:  # recorded before the door asked for plain text
        ledger.append(*recorded_before(hostile_history(text)))
    made = house.run("page", text)
    assert made.status == 0, made
    return made.out.decode()


@pytest.mark.parametrize("text", HOSTILE)
def test_what_was_told_stays_text_wherever_it_stands(tmp_path: Path, text: str) -> None:
    html = hostile_page(tmp_path / "hostile", text)
    read, tame = Read(html), Read(hostile_page(tmp_path / "tame", "word" * 6))
    assert read.shape == tame.shape
    assert len(read.elements) == len(tame.elements)
    assert read.text.count(seen(text)) == tame.text.count("word" * 6) > 60
    assert not any(seen(text) in str(value) for _, found in read.elements for value in found.values() if value)
    assert all(mark.isprintable() or mark == "\n" for mark in html)
    assert {link[:1] for link in read.links} == {"#"}
    assert {link[1:] for link in read.links} <= set(read.ids)


def test_marks_that_nobody_sees_are_named() -> None:
    assert seen("a\u202eb\u200dc é 漢") == "a⟨U+202E⟩b⟨U+200D⟩c é 漢"


MARKER = "elsewhere-7788"


def elsewhere() -> list[dict[str, Any]]:
    """The patient's other episode: it clashes, admits, and tells of the death, with a marker in every string."""
    entries = [
        {"type": "EpisodeOpened", "patient": "P-1", "provider": "1999999984", "zone": "America/New_York",
         "place_of_service": f"{MARKER}-place"},
        {"type": "CoverageVerified", "payer": "prairie", "member": MARKER, "from": "2026-01-01"},
        {"type": "ServiceBilledSeparately", "code": "S9327", "from": "2026-02-03", "billed_by": "1245319599"},
        {"type": "ServiceBilledSeparately", "code": "S5498", "from": "2026-02-02"},
        {"type": "HospitalAdmitted", "stay": MARKER, "at": "2026-02-05T12:34:56Z"},
        {"type": "HospitalDischarged", "stay": MARKER, "at": "2026-02-09T23:45:54Z"},
        {"type": "PatientDied", "date": "2026-02-10"},
        {"type": "ClaimSubmitted", "claim": MARKER, "payer": "prairie", "frequency": "1", "lines": [
            {"code": "S9326", "from": "2026-02-02", "to": "2026-02-02", "units": 1, "charge_cents": 7654}]},
        {"type": "ResponseNoted", "date": "2026-02-02", "note": MARKER},
    ]  # fmt: skip
    return [
        {"episode": f"EP-{MARKER}", "source": MARKER, "id": f"{MARKER}-{number}", "by": MARKER, "fact": fact}
        for number, fact in enumerate(entries)
    ]


def entangled(house: House) -> str:
    """The page of an episode that another episode of the patient decides on most days."""
    entries = [entry for entry in example() if entry["fact"]["type"] != "Discharged"]
    days = (f"2026-02-{day:02}" for day in (4, 6, 7, 12, 13))
    claim = {
        "type": "ClaimSubmitted", "claim": "C-1", "payer": "prairie", "frequency": "1",
        "lines": [{"code": "S9325", "from": "2026-02-02", "to": "2026-02-13", "units": 12, "charge_cents": 90000}],
    }  # fmt: skip
    more = [told(day, {"type": "DayServed", "order": "RX-1", "date": day}) for day in days]
    pains = [told(f"pain-{day}", {"type": "PainAssessed", "date": f"2026-02-{day:02}", "score": 3}) for day in (6, 12)]
    ended = house.tell(*entries, *more, *pains, told("claim", claim), *elsewhere())
    assert {row["outcome"] for row in ended.rows} == {"recorded"}, ended.rows
    return house.run("page", "EP-1").out.decode()


def test_a_page_holds_its_own_episodes_data_only(house: House) -> None:
    html = entangled(house)
    rows = {row["date"]: (row["status"], row["reason"]) for row in house.run("days", "--episode", "EP-1").rows}
    assert rows["2026-02-03"] == ("conflict", "pain_code_exclusion")
    assert rows["2026-02-06"] == ("not_billable", "inpatient")
    assert rows["2026-02-12"] == ("not_billable", "after_death")
    for secret in (MARKER, "S9327", "S9326", "S5498", "76.54", "12:34", "1999999984", "New_York", "1245319599:"):
        assert secret not in html, secret
    assert "died on" not in html
    assert "admitted on" not in html
    foreign = re.findall(r"an entry of another episode of the patient \(position (\d+)\)", html)
    service, care, admitted, died, claim = ("21", "22", "23", "25", "26")
    assert set(foreign) == {service, care, admitted, died, claim}


def test_what_another_episode_decides_is_told_without_its_content(house: House) -> None:
    text = " ".join(Read(entangled(house)).text.split())
    assert "Not billable: the patient had died before the day." in text
    assert "Not billable: the patient was in hospital." in text
    assert (
        "In conflict: S9325 and another per diem of the patient on the same day, and S9325 excludes the others." in text
    )
    assert "S9325 and a code of another episode on the same day: catheter care is not billed with a per diem." in text


def test_the_sentences_are_those_of_why_for_every_kind_of_day(tmp_path: Path) -> None:
    """Random histories; where no other episode has a hand in the day, the page says what ``why`` says."""
    met: set[str] = set()
    for seed in range(30):
        entries, tables = history(Random(seed))
        path = tmp_path / f"{seed}.db"
        make(path)
        recording = ("--ledger", named(path), "record", "--keep-recorded-at", "-")
        assert run(*recording, stdin=lines_of(entries)).status in (0, 1)
        book = book_of(tables)
        with open_ledger(path, create=False) as ledger:
            found = page_of(ledger, "E1", book)
            assert found is not None
            render_page(found)
            for run_ in found.runs:
                day = run_.days[0]
                met.add(day.words.split(": ")[-1])
                if all(cause.label for cause in day.causes):
                    asked = why_of(ledger, "E1", date.fromisoformat(day.date), book)
                    assert asked is not None
                    assert asked.sentence.split(" is ", 1)[1].capitalize() == run_.sentence.capitalize()
    assert len(met) > 15


def test_an_episode_without_days_has_a_page(house: House) -> None:
    house.tell(example()[0])
    text = Read(house.run("page", "EP-1").out.decode()).text
    assert "The episode has no days: nothing recorded says when its therapy began or last took place." in text


def test_the_file_is_for_its_owner_and_replaces_one_that_is_there_by_force_alone(house: House, tmp_path: Path) -> None:
    house.tell(*example())
    out = tmp_path / "page.html"
    out.write_text("old", encoding="utf-8")
    out.chmod(0o644)
    assert_plain(house.run("page", "EP-1", "--out", out), 2, "is there already", "--force")
    assert out.read_text(encoding="utf-8") == "old"
    ended = house.run("page", "EP-1", "--out", out, "--force")
    assert (ended.status, ended.out) == (0, b"")
    assert out.read_bytes() == house.run("page", "EP-1").out
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.glob(".*")) == []


def test_an_unknown_episode_and_a_missing_folder_are_told_in_one_line(house: House, tmp_path: Path) -> None:
    house.tell(*example())
    assert_plain(house.run("page", "EP-9"), 2, "no such episode")
    assert_plain(house.run("page", "EP-1", "--known-at", "2000-01-01T00:00Z"), 2, "no such episode by then")
    ended = house.run("page", "EP-1", "--out", tmp_path / "missing" / "page.html")
    assert ended.status in (2, 3)
    assert len(ended.err.splitlines()) == 2
    assert house.run("page", "EP-9", "--out", tmp_path / "none.html").status == 2
    assert not (tmp_path / "none.html").exists()


def test_money_and_months_are_written_out() -> None:
    assert [money(cents) for cents in (0, 5, 123456, -9000)] == ["$0.00", "$0.05", "$1,234.56", "−$90.00"]
