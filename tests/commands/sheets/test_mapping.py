"""A mapping's mistakes are told all at once, by key; the ready ones are right and their templates bring facts in."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from commands.door.shapes import EVENTS
from commands.sheets.bounds import MappingError
from commands.sheets.guess import columns_of, new_map
from commands.sheets.mapping import READY, load_mapping
from ledger.store import open_ledger
from tests.command_line import House, assert_plain
from tests.month import MAP, MONTH, SHEETS, Month

RIGHT = """
source = "s"
episode = "E-{A}"

[[sheets]]
[[sheets.facts]]
type = "PainAssessed"
id = "{B|date}"
[sheets.facts.fields]
date = "{B}"
score = "{C}"
"""


def mistakes(folder: Path, text: str) -> list[str]:
    path = folder / "m.toml"
    path.write_text(text, encoding="utf-8")
    try:
        load_mapping(str(path))
    except MappingError as error:
        return str(error).splitlines()
    return []


def test_a_right_mapping_has_no_mistake(tmp_path: Path) -> None:
    assert mistakes(tmp_path, RIGHT) == []


FACT = "m.toml: [[sheets]] 1: [[sheets.facts]] 1 (PainAssessed)"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('source = "s"', "", "m.toml: source: is missing; expected text in quotes, 1 to 1,000 characters"),
        ('source = "s"', 'sauce = "s"', "m.toml: sauce: no key of this name; did you mean source?"),
        ('"E-{A}"', '"E-{A"', "m.toml: episode: has a { or } without its other half"),
        ('"E-{A}"', '"E-{}"', "m.toml: episode: names no column between { and }"),
        ('"E-{A}"', '"E-{A|dat}"', "m.toml: episode: after | stands date, icd10, ndc or the name of one of the"),
        ("PainAssessed", "PainAssesed", "1 (PainAssesed): type: no fact of this name; did you mean PainAssessed?"),
        ("PainAssessed", "FactRetracted", "[[sheets.facts]] 1 (FactRetracted): type: no fact of this name"),
        ("score =", "scor =", f"{FACT}: fields.scor: no field of this name; did you mean score?"),
        ("score =", "scor =", f"{FACT}: fields: score: is missing; expected a whole number from 0 to 10"),
        ('"{C}"', "[1]", f"{FACT}: fields.score: expected text with {{Column}} in it, a whole number"),
        ('"{C}"', '{ table = "t" }', f"{FACT}: fields.score: text: expected text"),
        ('"{C}"', '{ text = "{C}", table = "t" }', f"{FACT}: fields.score: table: there is no [tables.t];"),
        ('"{C}"', '{ text = "{C}", tabel = "t" }', f"{FACT}: fields.score: tabel: no key of this name;"),
        ('"{C}"', '{ text = "{C}", dates = "x" }', f"{FACT}: fields.score: dates: expected one of month/day/year"),
        ('"{C}"', '{ text = "{C}", zone = "CST" }', f"{FACT}: fields.score: zone: expected a time zone by its place"),
        ('"{C}"', '{ text = "{C}", split = "" }', f"{FACT}: fields.score: split: expected the mark between"),
        ('"{C}"', '"{each}"', f"{FACT}: fields.score: {{each}} and {{number}} are for a fact with for_each"),
        ('id = "', 'for_each = "D"\nid = "', f"{FACT}: id: names neither {{number}} nor {{each}}"),
        ('id = "', 'split = ";"\nid = "', f"{FACT}: split: is for a fact with for_each"),
        ('id = "', 'when = { D = 1 }\nid = "', f"{FACT}: when.D: expected a text or a list of texts"),
        ("[sheets.facts.fields]", '[sheets.facts.line]\nx = "x"\n[sheets.facts.fields]', "PainAssessed has no lines"),
        ("[[sheets]]\n", "[[sheets]]\nheader_row = 0\n", "[[sheets]] 1: header_row: 0 is not a whole number from 1"),
        ('source = "s"', 'source = "s"\ndates = "d/m/y"', "m.toml: dates: 'd/m/y' is not one of month/day/year"),
        ('source = "s"', 'source = "s"\nzone = "Chicago"', "m.toml: zone: expected a time zone by its place"),
        ('source = "s"', "source = ", "m.toml: is not TOML"),
        ('source = "s"', 'source = "s"\nsource = "t"', "m.toml: is not TOML: a key is given twice"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_by_its_key(tmp_path: Path, before: str, after: str, says: str) -> None:
    assert before in RIGHT
    found = mistakes(tmp_path, RIGHT.replace(before, after, 1))
    assert any(says in each for each in found), found


def test_all_mistakes_are_told_in_one_run(tmp_path: Path) -> None:
    text = RIGHT.replace("score =", "scor =").replace('"E-{A}"', '"E-{"').replace('{B}"', '{B|x}"')
    assert len(mistakes(tmp_path, text)) == 4


@pytest.mark.parametrize(
    "text",
    [
        "sheets = 1", "[sheets]\na = 1", "[[sheets]]\nfacts = 3", '[[sheets]]\nfacts = ["a"]', "sheets = []", "",
        "a = [[[[", "[[sheets]]\n[[sheets.facts]]\nfields = 1", 'source = "s"\nepisode = "e"\nsheets = []',
        'source = "s"\nepisode = "e"\n[[sheets]]\nfacts = []',
    ],
)  # fmt: skip
def test_whatever_a_mapping_holds_it_is_told_what_is_wrong(tmp_path: Path, text: str) -> None:
    assert mistakes(tmp_path, text)


def test_on_the_command_line_they_are_listed_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(RIGHT.replace("score =", "scor ="))
    ended = Month(tmp_path).run("import", SHEETS[0], "--map", tmp_path / "m.toml")
    assert ended.status == 2
    assert ended.err.startswith("episode-ledger: the mapping has 2 mistakes:\n  m.toml: ")
    assert "hint: correct these files of the mapping; 'episode-ledger help mapping' has its keys" in ended.err


def test_one_mistake_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("=")
    ended = Month(tmp_path).run("import", SHEETS[0], "--map", tmp_path / "m.toml")
    assert_plain(ended, 2, "m.toml: is not TOML")


# Ready ones

PAYER = "example-health"
ROWS: dict[str, list[list[str]]] = {
    "patients": [["EP-1", "P-1", "1234567893", "America/Chicago", ""]],
    "coverage": [["EP-1", "example-health", "M-1", "1/1/2026", "", ""],
                 ["EP-1", "prairie-blue", "M-2", "1/1/2026", "12/31/2026", "2"]],
    "orders": [["EP-1", "RX-1", "Cont", "10/5/2026", "", "1245319599", "", "10/4/2026", "morphine", ""]],
    "authorizations": [["EP-1", "A-1", "example-health", "S9325; S9326", "10", "10/5/2026", "10/14/2026"]],
    "tickets": [["EP-1", "T-1", "RX-1", "10/5/2026", "10/9/2026", "confirmed", ""],
                ["EP-1", "T-2", "RX-1", "10/10/2026", "10/14/2026", "SHIPPED", ""]],
    "visits": [["EP-1", "10/5/2026", "2:30 PM", "15:30", "America/Chicago", "RN"],
               ["EP-1", "10/6/2026", "", "", "", ""]],
    "dispensing": [["EP-1", "D-1", "10/5/2026", "0409-1234-01", "2", "EA", "RX-1", "10"]],
    "diagnoses": [["EP-1", "G893;C61", "9/15/2026", ""], ["EP-1", "g89.4", "9/15/2026", ""]],
    "plans": [["EP-1", "POT-1", "10/4/2026", "10/5/2026", "12/3/2026"]],
    "assessments": [["EP-1", "10/5/2026", "7", "NRS"], ["EP-1", "10/12/2026", "4", ""]],
    "stays": [["EP-1", "S-1", "10/8/2026", "14:30", "10/9/2026", "", "America/Chicago"],
              ["EP-1", "S-2", "10/20/2026", "", "", "", ""]],
    "claims": [["EP-1", "C-1", PAYER, "", "", "11/2/2026", "S9325", "10/5/2026", "10/9/2026", "5", "$450.00", ""],
               ["EP-1", "C-1", PAYER, "", "", "11/2/2026", "99601", "10/5/2026", "10/5/2026", "1.5", "90", "GT;25"],
               ["EP-1", "C-2", PAYER, "8", "C-1", "", "S9325", "10/5/2026", "10/9/2026", "5", "450", ""]],
}  # fmt: skip
MADE = {
    "patients": 1, "coverage": 2, "orders": 1, "authorizations": 1, "tickets": 1, "visits": 2, "dispensing": 1,
    "diagnoses": 3, "plans": 1, "assessments": 2, "stays": 3, "claims": 2,
}  # fmt: skip


def template_of(house: House, name: str) -> list[str]:
    return next(csv.reader(io.StringIO(house.run("import", "--template", name).out.decode())))


def filled(house: House, name: str) -> Path:
    """A template with rows in it."""
    path = house.folder / f"{name}-october.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([template_of(house, name), *ROWS[name]])
    return path


def test_every_ready_mapping_has_a_template_and_takes_it(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert ROWS.keys() == set(READY)
    for name in READY:
        ended = house.run("import", filled(house, name), "--map", name)
        assert (name, ended.status, len(ended.rows)) == (name, 0, MADE[name]), ended.err
    kinds = {row["fact"] for name in READY for row in house.run("import", filled(house, name), "--map", name).rows}
    assert len(kinds) == 13


def test_several_ready_mappings_are_used_at_once_each_for_its_sheets(tmp_path: Path) -> None:
    house = House(tmp_path)
    files = [filled(house, name) for name in reversed(READY)]
    ended = house.run("import", *files, *(word for name in READY for word in ("--map", name)))
    assert (ended.status, len(ended.rows)) == (0, sum(MADE.values())), ended.err


def test_a_claim_has_the_lines_of_its_rows(tmp_path: Path) -> None:
    house = House(tmp_path)
    for name in ("patients", "claims"):
        assert house.run("import", filled(house, name), "--map", name).status == 0
    told = house.run("replay", "EP-1", "--format", "table").out.decode()
    assert told.count("ClaimSubmitted") == 2
    entries = [json.loads(row[4]) for row in open_ledger(house.ledger, create=False).scan()]
    assert [line.get("modifiers") for line in entries[1]["fact"]["lines"]] == [None, ["GT", "25"]]
    assert [line["charge_cents"] for line in entries[1]["fact"]["lines"]] == [45000, 9000]


def test_rows_of_a_claim_that_contradict_each_other_are_refused_and_written_all(tmp_path: Path) -> None:
    house = House(tmp_path)
    path = filled(house, "claims")
    path.write_text(path.read_text().replace("example-health,,,11/2/2026,99601", "prairie-blue,,,11/2/2026,99601"))
    ended = house.run("import", path, "--map", "claims", "--refused", tmp_path / "mend")
    first = next(row for row in ended.rows if row["row"] == 2)
    assert "row 3: expected what row 2 says of the same fact, but for its lines" in first["message"]
    mend = (tmp_path / "mend" / path.name).read_text().splitlines()
    assert [line.split(",")[6] for line in mend[1:3]] == ["S9325", "99601"]


def test_every_column_of_a_template_is_explained_and_used(tmp_path: Path) -> None:
    house = House(tmp_path)
    for name in READY:
        columns = columns_of(load_mapping(name).says)
        text = house.run("import", "--show-map", name).out.decode()
        assert template_of(house, name) == list(columns)
        assert [column for column in columns if f"{{{column}" not in text and f'"{column}"\nf' not in text
                and f'for_each = "{column}"' not in text and f"when = {{ {column} " not in text] == []  # fmt: skip


# Guessed


@pytest.mark.parametrize("path", [path for path in SHEETS if path.stem != "patients"], ids=lambda path: path.stem)
def test_a_guessed_mapping_of_the_month_can_be_used_as_it_is(tmp_path: Path, path: Path) -> None:
    month = Month(tmp_path)
    opened = MAP.read_text(encoding="utf-8").replace('"E-{MRN}"', '"EP-{MRN}"')
    (tmp_path / "opened.toml").write_text(opened, encoding="utf-8")
    assert month.run("import", month.sheet("patients"), "--map", tmp_path / "opened.toml").status == 0
    (tmp_path / "new.toml").write_bytes(month.run("import", "--new-map", path).out)
    theirs = month.run("import", path, "--map", tmp_path / "new.toml")
    ours = Month(tmp_path).bring_in(path.stem)
    assert theirs.status == 0, theirs.out
    assert [row["fact"] for row in theirs.rows] == [row["fact"] for row in ours.rows]


def test_what_cannot_be_guessed_is_left_to_be_filled_in(tmp_path: Path) -> None:
    text = new_map([MONTH / "patients.csv"])
    assert '# provider = "???"' in text
    assert mistakes(tmp_path, text)
    filled_in = text.replace('# provider = "???"', 'provider = "1234567893"').replace(
        '# zone = "???"\n', 'zone = "America/Chicago"\n'
    )
    assert mistakes(tmp_path, filled_in) == []


def test_every_guess_is_marked(tmp_path: Path) -> None:
    for path in SHEETS:
        told = [line for line in new_map([path]).splitlines() if "=" in line and not line.startswith(("#", "of ="))]
        assert [line for line in told if "# guess" not in line] == []


@pytest.mark.parametrize(
    "content",
    [b"A,B\n", b"A,B\n1,2\n", b'"A ""x"" \\",B\n1,2\n', b"MRN,ICD10\n,\n", b"Visit Date,Credential\n1/2/2026,RN\n",
     b"Stay,Admit Date,Discharge Date,MRN\nS1,1/2/2026,1/3/2026,5\n", b"{x},B\n1,2\n"],
)  # fmt: skip
def test_whatever_the_sheet_a_guess_is_toml_that_says_what_is_missing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    text = new_map([tmp_path / "a.csv"])
    assert not any("is not TOML" in each for each in mistakes(tmp_path, text))


def test_every_fact_that_is_guessed_is_one(tmp_path: Path) -> None:
    from commands.sheets.guess_words import FACTS

    for kind in FACTS:
        shape = EVENTS[kind.type]
        assert kind.fields.keys() <= shape.fields.keys()
        assert {name for name, required in kind.fields.items() if required} == {
            field.name for field in shape.fields.values() if field.required
        }
