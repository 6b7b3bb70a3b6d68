"""Who a patient is stands in the file of a claim and nowhere else: each field marked, everything that is shown or
written looked through."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.export.shapes import DATASETS
from tests.act_forms import form_at
from tests.answered import PAID, TAKEN_IN
from tests.claims_files import IN_THE_OPEN, INTAKE, ClaimsHouse
from tests.command_line import ANYWAY, lines_of
from tests.every_command import commands_in, every_command
from tests.in_process_site import InProcess

WHO: dict[str, Any] = {
    "last": "ZQLAST", "first": "ZQFIRST", "middle": "ZQMIDDLE", "birth_date": "1931-07-13", "sex": "F",
    "address": "1 ZQSTREET", "address2": "ZQFLAT", "city": "ZQCITY", "state": "ZQ", "zip": "987654321",
}  # fmt: skip
SUBSCRIBER = WHO | {
    "type": "SubscriberIdentified", "payer": "river-health", "relationship": "01", "group": "ZQGROUP",
    "last": "ZQSUBSCRIBER",
}  # fmt: skip
MARKS = (
    b"ZQLAST", b"ZQFIRST", b"ZQMIDDLE", b"ZQSTREET", b"ZQFLAT", b"ZQCITY", b"ZQGROUP", b"ZQSUBSCRIBER", b"ZQSECOND",
    b"987654321", b"1931-07-13", b"19310713",
)  # fmt: skip
ANSWERED = b"ZQANSWER"
"""Who it is for, in files that come back."""
EP = "EP-O1"
EXPORTS = tuple(DATASETS)
ASKED: tuple[tuple[str, ...], ...] = (
    ("days",), ("findings",), ("lines",), ("worklist",), ("why", EP, "2026-09-28"), ("replay", EP),
    ("diff", EP, "--claimed"), ("diff", EP, "--between", "2026-01-01T00:00Z", "2098-01-01T00:00Z"), ("status",),
    ("status", "--technical"), ("report",), ("payments",), ("payments", "--by", "line"),
    ("payments", "--unmatched"), ("claims", "prepare"), ("claims", "list"), ("claims", "plan"),
    ("book", "show", "river-health"), ("access",), ("users", "list"),
)  # fmt: skip
"""What is asked, in every form."""
DONE: tuple[tuple[str, ...], ...] = (
    ("page", EP, "--out", "page.html"), ("report", "--out", "report.html"),
    *(("export", kind, "--format", "jsonl", "--out", f"export-{kind}") for kind in EXPORTS),
    ("export", "events", "--format", "cloudevents", "--out", "export-events"), ("follow", "--once", "--since", "0"),
    ("checkpoint", "--init-key", "--key", "../key"), ("bundle", EP, "--out", "bundle.zip", "--key", "../key"),
    ("what-if", "--set", "river-health.pain_assessment_days=14"), ("rebuild", "--check"), ("rebuild",), ("verify",),
    ("checkpoint", "--out", "one.checkpoint", "--key", "../key"), ("doctor",),
    ("book", "check"), ("book", "diff", "book", "book"),
    ("worklist", "assign", EP, "overpaid", "Ana"), ("worklist", "note", EP, "overpaid", "said"),
    ("worklist", "done-until", EP, "overpaid", "2099-01-01"),
    ("claims", "write", "--out", "out"), ("claims", "read", "out/B1.837"), ("claims", "check", "out/B1.837"),
    ("claims", "read", "--as-intake", "out/B1.837"), ("claims", "again", "EP-O1-1", "--out", "out/again.837"),
    ("remit", "--dry-run", "paid.835"), ("remit", "cut.835"), ("remit", "paid.835"), ("remit", "paid.835"),
    ("ack", "cut.277"), ("ack", "taken.277"), ("assign-remittance", "T-1", "NONE", "EP-O1-1"),
    ("claims", "list"), ("claims", "plan"), ("payments",), ("payments", "--unmatched"), ("findings",), ("report",),
    ("tell", EP, "PainAssessed", "date=2026-10-01", "score=4", "--yes"),
    ("correct", EP, "example:who-2", "last=ZQSECOND", "--reason", "x", "--yes"),
    ("retract", EP, "example:who-2", "--reason", "x", "--yes"),
    ("unretract", EP, "example:who-2", "--reason", "x", "--yes"),
    ("resolve", EP, "2026-09-28", "nothing", "--reason", "x", "--dry-run"),
    ("void-episode", EP, "--reason", "x", "--dry-run"), ("move-patient", EP, "P-9", "--reason", "x", "--dry-run"),
    ("merge-patients", "P-O1", "P-9", "--reason", "x", "--yes"), ("part-patients", "P-O1", "--reason", "x", "--yes"),
    ("close", "2026-09", "--check"), ("close", "2026-09", *ANYWAY), ("restatements", "2026-09"),
    ("archive", "--out", "archive", "--in-the-open"),
    ("judge", "--archive", "archive", "--out", "judged", "--processes", "1"),
    ("backup", "--out", "one.backup"), ("restore", "--check", "one.backup"),
    ("forget", "P-O1", "--reason", "x", "--yes"),
    ("import", "sheet.csv", "--map", "map.toml", "--yes"), ("record", "refused.jsonl"),
)  # fmt: skip
"""What is done, one after the other; the files in it are made by the test."""
ELSEWHERE = {
    "serve": "its pages of claims and payments below; its others are those of ``page`` and the tables of the lists",
    "migrate": "PostgreSQL: it moves entries and shows counts",
    "master-key": "it makes a key and looks at no ledger",
    "book new": "it asks about a payer and looks at no ledger",
    "completion": "it prints a script",
    "help": "it prints pages",
    **dict.fromkeys(("users add", "users disable", "users reset", "users role"), "users of the site; no ledger"),
}
"""Commands that are not tried here, and why."""
HOLDS_ENTRIES = ("ledger.db", "one.backup", "archive", "out")
"""What holds the entries themselves, or a claim."""


def told(id: str, fact: dict[str, Any]) -> dict[str, Any]:
    return {"episode": EP, "source": "example", "id": id, "by": "desk-1", "fact": fact}


def history() -> list[dict[str, Any]]:
    """The example with every field of who somebody is marked, a subscriber and a correction added."""
    lines = [json.loads(line) for line in INTAKE.read_text(encoding="utf-8").splitlines()]
    who = {"type": "PatientIdentified", **WHO}
    lines = [told("who", who) if line["id"] == "who" else line for line in lines]
    mended = {"type": "FactCorrected", "target_source": "example", "target_id": "who", "reason": "a letter was wrong"}
    return [*lines, told("subscriber", SUBSCRIBER), told("who-2", mended | {"fact": who | {"last": "ZQSECOND"}})]


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClaimsHouse:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    (tmp_path / "house").mkdir()
    made = ClaimsHouse(tmp_path / "house")
    ended = made.run("record", *IN_THE_OPEN, "-", stdin=lines_of(history()))
    assert ended.status == 0
    assert_hidden("record", ended.out + ended.err.encode())
    return made


def assert_hidden(where: str, shown: bytes) -> None:
    assert [mark for mark in MARKS if mark in shown] == [], where


def test_every_command_is_tried_or_said_to_be_needless() -> None:
    tried = commands_in([*ASKED, *DONE])
    assert every_command() - tried == ELSEWHERE.keys()


def test_no_command_shows_it(house: ClaimsHouse) -> None:
    for args in ASKED:
        for form in ((), ("--format", "table"), ("--format", "csv")):
            ended = house.run(*args, *form)
            assert_hidden(" ".join(args), ended.out + ended.err.encode())


def files_told(folder: Path) -> None:
    """What comes in: answers with a name in them, whole and cut off, a spreadsheet and lines that are refused."""
    for name, file in (("paid.835", PAID), ("taken.277", TAKEN_IN)):
        content = file.read_bytes().replace(b"EXAMPLE", ANSWERED)
        assert ANSWERED in content
        (folder / name).write_bytes(content)
        cut = folder / f"cut{name[name.index('.') :]}"
        cut.write_bytes(content[: content.index(ANSWERED) + len(ANSWERED) + 2])
    who = {"type": "PatientIdentified", **WHO, "zip": "ZQCITY"}
    (folder / "refused.jsonl").write_bytes(lines_of([told("bad", who), told("who", who | {"zip": "98765"})]))
    (folder / "sheet.csv").write_text("Episode,Ticket,Last\nEP-O1,1,ZQLAST\n", encoding="utf-8")
    (folder / "map.toml").write_text(
        'source = "s"\nepisode = "{Episode}"\n[[sheets]]\n[[sheets.facts]]\ntype = "DayServed"\nid = "{Ticket}"\n'
        '[sheets.facts.fields]\norder = "{Last}"\ndate = "{Last}"\n'
    )


def test_no_command_that_does_something_shows_it_or_writes_it_down(
    house: ClaimsHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(house.folder)
    files_told(house.folder)
    before = {path for path in house.folder.rglob("*") if path.is_file()}
    for args in DONE:
        ended = house.run(*args)
        shown = ended.out + ended.err.encode()
        assert_hidden(" ".join(args), shown)
        assert ANSWERED not in shown, args
        assert "unforeseen" not in ended.err, args
        assert "No such option" not in ended.err, args
    assert ANSWERED not in b"".join(path.read_bytes() for path in house.folder.glob("ledger*") if path.is_file())
    made = [path for path in house.folder.rglob("*") if path.is_file() and path not in before]
    assert {"page.html", "report.html", "bundle.zip"} <= {path.name for path in made}
    for name, content in written(made):
        if not any(name.startswith(each) for each in HOLDS_ENTRIES):
            assert_hidden(name, content)


def test_claims_show_it_in_their_file_alone(house: ClaimsHouse) -> None:
    ended = house.run("claims", "write", "--out", house.folder / "out")
    (file,) = (house.folder / "out").iterdir()
    shown = [ended, *(house.run("claims", verb, file) for verb in ("read", "check"))]
    for each in shown:
        assert_hidden("claims", each.out + each.err.encode())
    for mark in (b"ZQSECOND", b"ZQSUBSCRIBER", b"1 ZQSTREET", b"ZQGROUP", b"987654321", b"19310713"):
        assert mark in file.read_bytes()


def test_no_page_of_claims_and_payments_shows_it(house: ClaimsHouse) -> None:
    files_told(house.folder)
    assert house.run("remit", house.folder / "paid.835").status == 1, "no claim has left yet"
    assert house.run("claims", "write", "--out", house.folder / "out").status == 0
    biller = InProcess(house.ledger, house.book).visitor("biller")
    addresses = ("/claims", "/claims/plan", "/payments/unmatched")
    pages = [biller.get(f"{address}{csv}") for csv in ("?as=csv", "") for address in addresses]
    found = re.search(r'href="(/payments/unmatched/[a-z0-9]+)"', pages[-1].text)
    assert found
    form = form_at(biller, found[1])
    effect = form.shown(claim="EP-O1-1")
    done = effect.send("record")
    assert "1 answer assigned" in done.text
    for page in (*pages, form.answer, effect.answer, done, biller.get("/claims")):
        assert page.status == 200
        assert_hidden("a page", page.text.encode())
        assert ANSWERED.decode() not in page.text


def written(paths: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    """Some files by their names from the working folder, with their content; of a zip its members."""
    for path in paths:
        name = str(path.relative_to(Path.cwd()))
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as bundle:
                yield from ((f"{name} {each}", bundle.read(each)) for each in bundle.namelist())
        else:
            yield name, path.read_bytes()
