"""Who a patient is stands in the file of a claim and nowhere else: each field marked, everything that is shown or
written looked through."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from projections.export.shapes import DATASETS
from tests.claims_files import IN_THE_OPEN, INTAKE, ClaimsHouse
from tests.command_line import lines_of

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
EP = "EP-O1"
READS: tuple[tuple[str, ...], ...] = (
    ("days",), ("findings",), ("lines",), ("why", EP, "2026-09-28"), ("replay", EP), ("diff", EP, "--claimed"),
    ("diff", EP, "--between", "2026-01-01T00:00Z", "2098-01-01T00:00Z"), ("report",), ("status", "--technical"),
    ("claims", "prepare"), ("rebuild", "--check"), ("verify",), ("doctor",), ("follow", "--once", "--since", "0"),
)  # fmt: skip
EXPORTS = tuple(DATASETS)


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


def test_no_command_shows_it(house: ClaimsHouse) -> None:
    for args in READS:
        for form in ((), ("--format", "table"), ("--format", "csv")):
            ended = house.run(*args, *form)
            assert_hidden(" ".join(args), ended.out + ended.err.encode())


def test_claims_show_it_in_their_file_alone(house: ClaimsHouse) -> None:
    ended = house.run("claims", "write", "--out", house.folder / "out")
    (file,) = (house.folder / "out").iterdir()
    shown = [ended, *(house.run("claims", verb, file) for verb in ("read", "check"))]
    for each in shown:
        assert_hidden("claims", each.out + each.err.encode())
    for mark in (b"ZQSECOND", b"ZQSUBSCRIBER", b"1 ZQSTREET", b"ZQGROUP", b"987654321", b"19310713"):
        assert mark in file.read_bytes()


def written(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under a folder with its content; of a zip its members."""
    for path in folder.rglob("*"):
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as bundle:
                yield from ((f"{path.name} {name}", bundle.read(name)) for name in bundle.namelist())
        elif path.is_file():
            yield path.name, path.read_bytes()


def test_no_page_bundle_export_or_read_model_has_it(house: ClaimsHouse, tmp_path: Path) -> None:
    out = tmp_path / "written"
    out.mkdir()
    key = tmp_path / "key"
    assert house.run("checkpoint", "--init-key", "--key", key).status == 0
    commands: list[tuple[object, ...]] = [
        ("export", kind, "--format", "jsonl", "--out", out / kind) for kind in EXPORTS
    ]
    commands += [("export", "events", "--format", "cloudevents", "--out", out / "events")]
    commands += [("page", EP, "--out", out / "page.html"), ("bundle", EP, "--out", out / "b.zip", "--key", key)]
    for args in commands:
        ended = house.run(*args)
        assert ended.status == 0, ended.err
        assert_hidden(str(args[0]), ended.out + ended.err.encode())
    for name, content in [*written(out), *written(house.views.parent)]:
        if not name.startswith("ledger.db"):
            assert_hidden(name, content)
