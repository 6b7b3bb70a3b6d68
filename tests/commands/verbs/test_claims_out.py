"""``claims prepare``, ``write``, ``read``, ``check`` and ``again`` over the open example (claims.md, section 7)."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from commands.recording import claim_run
from ledger.files import write_new
from ledger.store import EpisodeLedger
from projections.erasure.handed_out import handed_out
from projections.read_model.generations import Places
from tests.claims_files import BOOK, EXPECTED, IN_THE_OPEN, INTAKE, WRITTEN_AT, ClaimsHouse
from tests.command_line import forked, lines_of, status_of
from tests.encrypted_house import Locked

EPISODE = [json.loads(line) for line in INTAKE.read_text(encoding="utf-8").splitlines()]
DAYS = [f"2026-09-{day}" for day in (28, 29, 30)] + [f"2026-10-0{day}" for day in (1, 2, 3, 4)]


@pytest.fixture
def house(tmp_path: Path) -> ClaimsHouse:
    made = ClaimsHouse(tmp_path)
    assert made.run("record", *IN_THE_OPEN, INTAKE).status == 0
    return made


@pytest.fixture
def at_half_past_nine() -> Iterator[None]:
    """The clock of the example, whose history is recorded now: it may stand before the ledger's newest entry."""
    with (
        patch.object(claim_run, "utc_now", lambda: WRITTEN_AT),
        patch.object(claim_run, "refuse_doubtful_clock", lambda *_: None),
    ):
        yield


def told(id: str, **fact: Any) -> dict[str, Any]:
    return {"episode": "EP-O1", "source": "example", "id": id, "by": "desk-1", "fact": fact}


def write(house: ClaimsHouse, folder: str = "out", *options: str) -> Any:
    return house.run("claims", "write", "--out", house.folder / folder, *options)


def days_read(house: ClaimsHouse, *files: Path) -> list[tuple[str, str]]:
    """Each day of a per diem in some files, with its code."""
    rows = house.run("claims", "read", *files).rows if files else []
    return sorted(
        (day, row["code"])
        for row in rows
        if row["code"].startswith("S93")
        for day in DAYS
        if row["from"] <= day <= row["to"]
    )


def files_in(house: ClaimsHouse) -> list[Path]:
    return sorted(house.folder.rglob("*.837"))


@pytest.mark.usefixtures("at_half_past_nine")
def test_the_example_comes_out_byte_for_byte(house: ClaimsHouse) -> None:
    ended = write(house)
    assert ended.rows == [
        {
            "claim": "EP-O1-1", "control": "EP-O1-1", "episode": "EP-O1", "payer": "river-health", "frequency": "1",
            "file": "B1.837", "charge_cents": 157600, "outcome": "written",
        }
    ]  # fmt: skip
    assert (ended.status, ended.err) == (0, "Wrote 1 claim, 1,576.00 dollars, in 1 file.\n")
    assert (house.folder / "out" / "B1.837").read_bytes() == EXPECTED.read_bytes()


def test_what_was_written_reads_back_as_the_billable_days_each_once(house: ClaimsHouse) -> None:
    billable = [(row["date"], row["code"]) for row in house.run("days").rows if row["status"] == "billable"]
    write(house)
    assert days_read(house, *files_in(house)) == sorted(billable)
    assert house.run("lines", "--unclaimed").rows == []


def test_written_again_nothing_goes_out_twice_into_whatever_folder(house: ClaimsHouse) -> None:
    write(house)
    for folder in ("out", "elsewhere"):
        ended = write(house, folder)
        assert (ended.status, ended.rows) == (0, [])
    assert len(files_in(house)) == 1
    house.tell(told("more", type="DayServed", order="RX-7", date="2026-10-05"), options=("--no-effect",))
    house.tell(
        {"episode": "EP-O1", "source": "example", "id": "on", "by": "d", "fact": {
            "type": "FactCorrected", "target_source": "example", "target_id": "dc", "reason": "stayed on",
            "fact": {"type": "Discharged", "date": "2026-10-05"}}},
        options=("--no-effect",),
    )  # fmt: skip
    (row,) = write(house).rows
    assert (row["claim"], row["file"], row["charge_cents"]) == ("EP-O1-2", "B2.837", 12000)


def test_after_an_older_copy_was_put_back_nothing_goes_out_until_that_is_accepted(house: ClaimsHouse) -> None:
    """What went out since is known to nobody: it would go out twice."""
    assert house.run("backup", "--out", house.folder / "old.backup").status == 0
    assert write(house).status == 0
    assert house.run("days").status == 0
    for path in house.folder.glob("ledger.db*"):
        path.unlink()
    assert house.run("restore", house.folder / "old.backup", "--out", house.ledger).status == 0
    ended = write(house, "again")
    assert (ended.status, ended.rows) == (1, [])
    assert "no claims were written" in ended.err
    assert len(files_in(house)) == 1
    assert house.run("verify", "--accept-rollback", "the disk failed", "--by", "ops").status == 0
    assert write(house, "again").status == 0


def test_who_was_told_of_before_the_episode_was_another_patients_is_on_no_claim(house: ClaimsHouse) -> None:
    """Told of ALICE, whose the episode was by mistake: her name and birth date are none of BOB's payer's."""
    lines = [json.loads(each) for each in INTAKE.read_text().splitlines()]
    opening = next(each for each in lines if each["fact"]["type"] == "EpisodeOpened")
    naming = {"target_source": opening["source"], "target_id": opening["id"], "reason": "the wrong patient"}
    moved = {"type": "FactCorrected", **naming, "fact": opening["fact"] | {"patient": "BOB"}}
    assert house.tell(told("fix", **moved), options=("--no-effect",)).status == 0
    ended = write(house)
    assert ended.status == 1
    assert [row["outcome"] for row in ended.rows] == ["held"]
    assert "PatientIdentified, told of another patient" in ended.err
    assert files_in(house) == []
    who = next(each["fact"] for each in lines if each["fact"]["type"] == "PatientIdentified")
    assert house.tell(told("who-2", **(who | {"last": "BOBSON"})), options=("--no-effect",)).status == 0
    assert write(house).status == 0
    (file,) = files_in(house)
    assert b"BOBSON" in file.read_bytes()


def test_a_dry_run_records_nothing_and_makes_no_file(house: ClaimsHouse) -> None:
    before = house.run("status").rows[0]["position"]
    (row,) = write(house, "out", "--dry-run").rows
    assert row["outcome"] == "written"
    assert house.run("status").rows[0]["position"] == before
    assert not (house.folder / "out").exists()


def test_again_makes_the_same_bytes_of_the_ledger_alone(house: ClaimsHouse) -> None:
    write(house)
    (file,) = files_in(house)
    house.tell(
        told("dx3", type="DiagnosisRecorded", icd10="M54.50", **{"from": "2026-09-01"}), options=("--no-effect",)
    )
    moved = EPISODE[1]["fact"] | {"address": "1 ELM STREET"}
    house.tell(told("who2", **moved), options=("--no-effect",))
    (house.book / "prescribers.toml").write_text("", encoding="utf-8")
    for named in ("EP-O1-1", "B1"):
        out = house.folder / f"{named}.again"
        assert house.run("claims", "again", named, "--out", out).status == 0
        assert out.read_bytes() == file.read_bytes()
    ended = house.run("claims", "again", "EP-O1-9", "--out", house.folder / "none")
    assert (ended.status, (house.folder / "none").exists()) == (2, False)


def test_what_write_makes_passes_the_gate_and_pyx12(house: ClaimsHouse) -> None:
    pytest.importorskip("pyx12")
    write(house)
    ended = house.run("claims", "check", "--structure", *files_in(house))
    assert (ended.status, ended.rows) == (0, [])


def test_every_file_is_in_the_register_before_and_after_it_stands(house: ClaimsHouse) -> None:
    write(house)
    (file,) = files_in(house)
    listed = handed_out(Places(house.views))
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    assert [(each.command, each.path, each.sha256, each.episodes) for each in listed] == [
        (command, str(file), sha256, ("EP-O1",)) for command in (claim_run.BEGUN, claim_run.STANDS)
    ]


def test_a_run_cut_off_before_the_file_has_its_name_is_finished_by_the_next(house: ClaimsHouse) -> None:
    with patch("commands.terminal.output.write_new", side_effect=KeyboardInterrupt):
        write(house)
    assert (files_in(house), house.run("lines", "--unclaimed").rows) == ([], [])
    (row,) = write(house, "elsewhere").rows
    assert (row["claim"], row["file"], row["outcome"]) == ("EP-O1-1", "B1.837", "written")
    (file,) = files_in(house)
    assert days_read(house, file) == [(day, "S9325") for day in DAYS]
    out = house.folder / "again"
    assert house.run("claims", "again", "B1", "--out", out).status == 0
    assert out.read_bytes() == file.read_bytes()
    assert write(house, "third").rows == []


def test_a_run_cut_off_after_the_file_has_its_name_leaves_nothing_to_do(house: ClaimsHouse) -> None:
    def named_and_stopped(path: Path, content: bytes, rights: int) -> None:
        write_new(path, content, rights)
        raise KeyboardInterrupt

    with patch("commands.terminal.output.write_new", named_and_stopped):
        write(house)
    (row,) = write(house, "elsewhere").rows
    assert (row["claim"], [file.parent.name for file in files_in(house)]) == ("EP-O1-1", ["out"])
    assert write(house, "elsewhere").rows == []


def test_a_run_cut_off_before_anything_is_recorded_is_as_if_it_had_not_been(house: ClaimsHouse) -> None:
    with patch("ledger.store.EpisodeLedger.append", side_effect=KeyboardInterrupt):
        write(house)
    assert files_in(house) == []
    assert [row["claim"] for row in write(house).rows] == ["EP-O1-1"]


def test_of_two_writers_that_meet_one_sends_and_the_other_finds_nothing_left(house: ClaimsHouse) -> None:
    """As two machines may, which do not see each other's lock: the other is faster in the middle of the first."""
    append, met = EpisodeLedger.append, list[Any]()

    def overtaken(ledger: EpisodeLedger, *args: Any, **more: Any) -> Any:
        if not met:
            met.append(None)
            met[0] = write(house, "elsewhere")
        return append(ledger, *args, **more)

    with patch.object(claim_run, "locked", nullcontext), patch.object(EpisodeLedger, "append", overtaken):
        ended = write(house)
    assert [row["claim"] for row in met[0].rows] == ["EP-O1-1"]
    assert (ended.status, ended.rows, len(files_in(house))) == (0, [], 1)


def _status(house: ClaimsHouse, folder: str) -> int:
    return int(write(house, folder).status)


def test_of_two_processes_each_day_is_sent_by_one(house: ClaimsHouse) -> None:
    house.run("status")
    children = [forked(partial(_status, house, folder)) for folder in ("one", "other")]
    assert [status_of(child) for child in children] == [0, 0]
    assert days_read(house, *files_in(house)) == [(day, "S9325") for day in DAYS]


@pytest.mark.parametrize(
    ("left_out", "missing"),
    [("who", "PatientIdentified"), ("dx1 dx2", "a diagnosis in force on 2026-09-28")],
)
def test_what_is_missing_is_named_and_the_claim_is_held(tmp_path: Path, left_out: str, missing: str) -> None:
    house = ClaimsHouse(tmp_path)
    terms = house.book / "payers" / "river-health.toml"
    terms.write_text(terms.read_text(encoding="utf-8").replace('["diagnosis", "plan"]', '["plan"]'), encoding="utf-8")
    kept = [line for line in EPISODE if line["id"] not in left_out.split()]
    house.run("record", *IN_THE_OPEN, "-", stdin=lines_of(kept))
    (row,) = house.run("claims", "prepare").rows
    assert (row["ready"], row["missing"][0]) == (False, missing)
    ended = write(house)
    assert (ended.status, [row["outcome"] for row in ended.rows], files_in(house)) == (1, ["held"], [])
    assert f"Held: EP-O1 river-health 2026-09-28 to 2026-10-04: {missing}" in ended.err


@pytest.mark.parametrize(
    ("file", "old", "new", "missing"),
    [
        ("prescribers.toml", "1234567893", "1245319599", "prescribers.toml: 1234567893"),
        ("drugs.toml", "99999000101", "99999000102", "drugs.toml: NDC 99999000101 on 2026-09-28"),
        ("payers/river-health.toml", "J1171 = 40, ", "", "charge_cents of J1171 in the terms of river-health"),
        ("payers/river-health.toml", '"99601" = 16000, ', "", "charge_cents of 99601 in the terms of river-health"),
        ("payers/river-health.toml", "[edi]", "#", "[edi] of payer river-health"),
        ("providers/lakeside.toml", "[billing]", "#", "[billing] of provider 1245319599"),
    ],
)
def test_what_the_book_does_not_say_is_named(tmp_path: Path, file: str, old: str, new: str, missing: str) -> None:
    house = ClaimsHouse(tmp_path)
    path = house.book / file
    text = path.read_text(encoding="utf-8").replace(old, new)
    if new == "#":  # the whole table away
        head, rest = text.split("#", 1)
        text = head + "[[" + rest.split("[[", 1)[1]
    path.write_text(text, encoding="utf-8")
    house.run("record", *IN_THE_OPEN, INTAKE)
    (row,) = house.run("claims", "prepare").rows
    assert missing in row["missing"]


def test_a_hard_finding_keeps_a_day_off_and_the_command_says_so(house: ClaimsHouse) -> None:
    billed = {"type": "ServiceBilledSeparately", "code": "A4223", "from": "2026-10-02"}
    house.tell(told("set", **billed), options=("--no-effect",))
    ended = write(house)
    assert (ended.status, [row["outcome"] for row in ended.rows]) == (1, ["written"])
    assert days_read(house, *files_in(house)) == [(day, "S9325") for day in DAYS if day != "2026-10-02"]
    why = "'episode-ledger findings --rule bundled_item_billed' says why."
    assert f"Left out: 1 day, 120.00 dollars: {why}" in ended.err
    assert f"Left out: EP-O1 S9325 2026-10-02: {why}" in house.run("claims", "prepare", tty=True).out.decode()


def test_what_the_gate_stops_is_held_with_its_reason(house: ClaimsHouse) -> None:
    path = house.book / "providers" / "lakeside.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("5 HARBOR ROAD", "PO BOX 5"), encoding="utf-8")
    ended = write(house)
    assert (ended.status, [row["outcome"] for row in ended.rows], files_in(house)) == (1, ["held"], [])
    assert "the billing provider's address is a post box (post_box)" in ended.err


def test_a_file_that_cannot_be_read_is_said_to_be_none_and_nothing_is_shown(house: ClaimsHouse) -> None:
    cut = house.folder / "cut.837"
    cut.write_bytes(EXPECTED.read_bytes()[:700])
    for verb in ("check", "read"):
        ended = house.run("claims", verb, EXPECTED, cut)
        assert (ended.status, ended.out) == (2, b"")
        assert "cut.837 cannot be read as a file of claims" in ended.err


def test_a_checked_file_of_others_is_held_against_the_book_alone(tmp_path: Path) -> None:
    house = ClaimsHouse(tmp_path)
    bad = tmp_path / "bad.837"
    bad.write_bytes(EXPECTED.read_bytes().replace(b"12:B:1", b"12:B:7"))
    ended = house.run("claims", "check", bad)
    assert (ended.status, ended.rows) == (1, [{
        "file": "bad.837", "claim": "EP-O1-1", "line": "", "rule": "frequency_number", "level": "hard",
        "message": "a replacement or void names the payer's number of the earlier claim",
    }])  # fmt: skip


def test_claims_of_before_are_brought_over_by_payer_member_and_dates(house: ClaimsHouse) -> None:
    ended = house.run("claims", "read", "--as-intake", EXPECTED)
    assert ended.status == 0
    assert house.run("record", "--no-effect", "-", stdin=ended.out).rows[0]["outcome"] == "recorded"
    assert (house.run("lines", "--unclaimed").rows, write(house).rows) == ([], [])
    stranger = house.folder / "stranger.837"
    stranger.write_bytes(EXPECTED.read_bytes().replace(b"MI*RH5550001", b"MI*RH5550002"))
    ended = house.run("claims", "read", "--as-intake", stranger)
    assert (ended.status, ended.out) == (1, b"")


def test_no_identity_is_in_what_the_commands_say(house: ClaimsHouse) -> None:
    said = "".join(
        ended.out.decode() + ended.err
        for ended in (
            house.run("claims", "prepare"), write(house), house.run("claims", "read", *files_in(house)),
            house.run("claims", "check", *files_in(house)), house.run("claims", "read", "--as-intake", EXPECTED),
        )
    )  # fmt: skip
    for word in ("EDNA", "BIRCH", "DULUTH", "55802", "1948", "EXAMPLE"):
        assert word not in said


def test_forgetting_takes_the_file_back_and_it_cannot_be_made_again(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    shutil.rmtree(house.book)
    shutil.copytree(BOOK, house.book)
    assert house.run("record", "--no-effect", INTAKE).status == 0
    assert house.run("claims", "write", "--out", house.folder / "out").status == 0
    (file,) = (house.folder / "out").iterdir()
    told = house.run("forget", "P-O1", "--reason", "asked to", "--yes")
    assert (told.status, file.exists()) == (0, False), told.err
    assert file.name in told.out.decode() + told.err
    ended = house.run("claims", "again", "B1", "--out", house.folder / "again")
    assert (ended.status, (house.folder / "again").exists()) == (2, False)
    assert "was forgotten since" in ended.err
