"""A bundle proves its entries to whoever has Python and the signer's key, holds nobody else's data, and is refused
with its reason when anything of it is not as it was made."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import random
import sqlite3
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from ledger.book import book_of_text
from ledger.facts.administration import BookAdopted, MonthClosed
from ledger.judge import steps
from ledger.judge.rule import Step
from ledger.judge.steps import STEPS
from ledger.proof.signing import create_key
from ledger.recorders.sqlite.leaves import prove_entries
from ledger.recorders.sqlite.schema import FORMAT, SCHEMAS
from projections.bundle import verify_bundle
from projections.bundle.days import OTHER
from projections.bundle.zip import BundleManifest, zip_of
from tests import ROOT
from tests.command_line import LIVE, OPENING, assert_plain, lines_of, told
from tests.projections.bundle.bundles import (
    AT,
    LAST,
    LATER,
    ODD,
    SECRET_NPIS,
    Entries,
    Members,
    Sender,
    as_folder,
    changed,
    fixed,
    members_in,
    of_another,
    of_ep_1,
    places,
    put,
    rows,
    run_alone,
    signed_anew,
    tell,
    with_entries,
)
from tests.stores import open_ledger
from tests.tiers import many

FIXED = {
    "README.txt", "book/codes.json", "book/payers.json", "book/providers.json", "checkpoint.txt", "manifest.json",
    "manifest.note", "manifest.sha256", "verify_bundle.py",
}  # fmt: skip


SECRETS = [
    "ZZ-", "zz-", *SECRET_NPIS, "C79.51", "J7799", "J8899", "99999888877", "S5498", "99602", "2026-02-27", "2027-08-18",
    "2027-09-19", "T03:33", "T04:44", "454545", "7777.777",
]  # fmt: skip


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    """EP-1 of P-1; EP-2 of the same patient and EP-9 of another are nobody's business."""
    sender = Sender(tmp_path_factory.mktemp("sender"))
    tell(sender.house, of_another("EP-9", "ZZ-patient"), AT)
    tell(sender.house, of_ep_1(), AT)
    tell(sender.house, of_another("EP-2", "P-1"), LATER)
    tell(sender.house, [told("later", {"type": "CoordinationNoted", "date": "2026-02-03"})], LAST)
    return sender


@pytest.fixture(scope="module")
def members(sender: Sender) -> Members:
    return sender.members("EP-1")


@pytest.fixture(scope="module")
def whole(members: Members) -> bytes:
    return zip_of(members)


@pytest.fixture
def check(tmp_path: Path, sender: Sender, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The check of a bundle, here in this process: how it ended, and what it printed."""

    def checked(bundle: bytes | Members | Path, signer: str | None = sender.vkey) -> tuple[int, str]:
        place = bundle if isinstance(bundle, Path) else tmp_path / "received.zip"
        if not isinstance(bundle, Path):
            place.write_bytes(zip_of(bundle) if isinstance(bundle, dict) else bundle)
        status = verify_bundle.main([str(place), *(["--signer", signer] if signer else [])])
        return status, capsys.readouterr().out

    return checked


# ---- How it is made ----


@pytest.mark.sqlite_file
def test_the_same_ledger_gives_the_same_bytes_on_another_day_and_place(sender: Sender, tmp_path: Path) -> None:
    made = []
    for seed, zone, place in (("1", "UTC", tmp_path), ("77", "Asia/Tokyo", sender.house.folder)):
        plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
        env = plain | {"PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        env["PYTHONPATH"] = str(ROOT)
        ledger = os.path.relpath(sender.house.ledger, place)
        args = [
            "--ledger",
            ledger,
            "--book",
            str(sender.house.book),
            "bundle",
            "EP-2",
            "EP-1",
            "--key",
            str(sender.key),
        ]
        out = tmp_path / f"{seed}.zip"
        done = subprocess.run([*LIVE, *args, "--out", str(out)], cwd=place, env=env, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        made.append(out.read_bytes())
    assert made[0] == made[1]
    assert made[0] == zip_of(sender.members("EP-1", "EP-2", "EP-1"))


def test_its_members_are_those_and_stand_in_the_zip_as_they_are(sender: Sender, tmp_path: Path) -> None:
    out = tmp_path / "two.zip"
    assert sender.bundle("EP-1", "EP-2", "--out", out).status == 0
    each = {f"{name.format(n)}" for name in (*verify_bundle._OF_EPISODE, verify_bundle._PAPERS) for n in (1, 2)}
    with zipfile.ZipFile(out) as archive:
        assert archive.namelist() == sorted(FIXED | each)
        assert {info.compress_type for info in archive.infolist()} == {zipfile.ZIP_STORED}
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert archive.testzip() is None
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["two.zip"]


def test_its_check_is_the_one_that_is_tested(members: Members) -> None:
    assert members["verify_bundle.py"] == Path(verify_bundle.__file__).read_bytes()


def test_the_entries_are_there_to_the_letter(sender: Sender, members: Members) -> None:
    with open_ledger(sender.house.ledger, create=False) as ledger:
        stored = [row for row in ledger.scan() if row[1] == "EP-1"]
    assert [tuple(row.values())[:5] for row in rows(members["entries/1.jsonl"])] == stored


def of_step(row: dict[str, Any], step: Step) -> dict[str, Any]:
    """What a day says of a step."""
    said: dict[str, Any] = row["steps"][step.number - 1]
    return said


def test_the_verdicts_are_those_that_days_prints_each_with_its_steps(sender: Sender) -> None:
    told_days = sender.house.run("days", "--episode", "EP-1", "--known-at", AT, "--format", "json").rows
    found = rows(sender.members("EP-1", "--known-at", AT)["verdicts/1.jsonl"])
    assert [{key: value for key, value in row.items() if key != "steps"} for row in found] == told_days
    assert {tuple(step["step"] for step in row["steps"]) for row in found} == {tuple(range(1, len(STEPS) + 1))}
    served = of_step(found[0], steps.NOT_SERVED)
    position = next(r["position"] for r in rows(sender.members("EP-1")["entries/1.jsonl"]) if r["version"] == 7)
    assert (served["test"], served["evidence"]) == ("served", [{"position": position, "entry": "pump:2026-02-02"}])


def test_the_claim_comparison_has_every_claimed_day(sender: Sender) -> None:
    told_days = sender.house.run("diff", "EP-1", "--claimed", "--every", "--known-at", AT, "--format", "json").rows
    found = rows(sender.members("EP-1", "--known-at", AT)["claimed/1.jsonl"])
    assert found == told_days
    assert {row["kind"] for row in found} == {"as_claimed", "unbilled"}


def test_the_report_is_the_page(sender: Sender, members: Members) -> None:
    assert members["report/1.html"] == sender.house.run("page", "EP-1").out


def test_the_manifest_says_what_it_was_made_from(sender: Sender, members: Members) -> None:
    manifest = json.loads(members["manifest.json"])
    with open_ledger(sender.house.ledger, create=False) as ledger:
        assert (manifest["ledger"], manifest["position"]) == (ledger.id, ledger.position())
    assert manifest["known_at"] is None
    assert manifest["episodes"] == [{"number": 1, "episode": "EP-1", "first_version": 1, "last_version": 14}]


# ---- What must not be inside ----


def test_no_mark_of_another_episode_or_patient_is_in_it(sender: Sender, whole: bytes) -> None:
    everything = zip_of(sender.members("EP-1", "EP-2", "EP-9"))
    assert [secret for secret in SECRETS if secret.encode() not in everything] == [], "each mark would be seen"
    readable = whole.replace(members_in(whole)["book/codes.json"], b"")  # the code table names every code
    assert [secret for secret in SECRETS if secret.encode() in readable] == []
    at_that_time = zip_of(sender.members("EP-1", "--known-at", LATER))
    readable = at_that_time.replace(members_in(at_that_time)["book/codes.json"], b"")
    assert [secret for secret in SECRETS if secret.encode() in readable] == []


def test_what_decided_a_day_elsewhere_is_named_by_its_position_alone(sender: Sender, members: Members) -> None:
    with open_ledger(sender.house.ledger, create=False) as ledger:
        position = {entry.id: place for place, entry in ledger.follow(0) if entry.episode == "EP-2"}
    first, second, third = rows(members["verdicts/1.jsonl"])
    assert (first["status"], first["reason"]) == ("conflict", "duplicate_per_diem")
    assert f"{OTHER} (position {position['ZZ-7']})" in first["because"]
    assert "pump:2026-02-02" in first["because"]
    died = of_step(first, steps.AFTER_DEATH)
    assert died["says"] == "a death is recorded in another episode, not before the day"
    assert died["evidence"] == [{"position": position["ZZ-16"], "entry": OTHER}]
    assert (
        of_step(second, steps.INPATIENT)["says"] == "a stay is recorded in another episode, and does not take the day"
    )
    assert (third["status"], third["reason"]) == ("conflict", "pain_code_exclusion")
    assert of_step(third, steps.CLASH)["says"].startswith("S9325 and another per diem of the patient on the same day")
    assert b"S9328" not in members["verdicts/1.jsonl"] + members["claimed/1.jsonl"] + members["report/1.html"]
    changed = next(row for row in rows(members["claimed/1.jsonl"]) if row["kind"] == "overclaimed")
    assert changed["revealed_by"] == [f"{OTHER} (position {position['ZZ-7']})"]


@pytest.mark.parametrize(
    ("fact", "verdict", "step", "says"),
    [
        ({"type": "PatientDied", "date": "2026-01-17"}, "after_death", steps.AFTER_DEATH,
         "the patient had died before the day"),
        ({"type": "HospitalAdmitted", "stay": "ZZ-", "at": "2026-01-17T12:00Z"}, "inpatient", steps.INPATIENT,
         "the patient was in hospital"),
        ({"type": "FacilityStayed", "kind": "snf", "from": "2026-01-17"}, "facility", steps.FACILITY,
         "the patient was in a nursing facility"),
        ({"type": "HospiceElected", "from": "2026-01-17"}, "hospice", steps.HOSPICE, "the patient had elected hospice"),
    ],
)  # fmt: skip
def test_a_day_lost_to_another_episode_says_why_and_not_what_was_told(
    tmp_path: Path, fact: dict[str, Any], verdict: str, step: Step, says: str
) -> None:
    sender = Sender(tmp_path)
    elsewhere = told("ZZ-it", fact, episode="EP-2", source="ZZ-s", by="ZZ-b")
    tell(sender.house, [*of_ep_1(), told("1", OPENING, episode="EP-2"), elsewhere], AT)
    made = sender.members("EP-1")
    for row in rows(made["verdicts/1.jsonl"]):
        assert (row["reason"], row["because"]) == (verdict, [f"{OTHER} (position 15)"])
        failed = of_step(row, step)
        assert (failed["says"], failed["result"]) == (says, "failed")
        assert failed["evidence"] == [{"position": 15, "entry": OTHER}]
    assert [mark for mark in ("ZZ-", "2026-01-17") if mark.encode() in zip_of(made)] == []


def test_an_episode_that_is_named_too_is_no_secret(sender: Sender) -> None:
    both = sender.members("EP-1", "EP-2")
    assert "ZZ-source:ZZ-7" in rows(both["verdicts/1.jsonl"])[0]["because"]
    assert "2026-02-27" in of_step(rows(both["verdicts/1.jsonl"])[0], steps.AFTER_DEATH)["says"]
    assert OTHER.encode() not in both["verdicts/1.jsonl"]


def test_of_the_book_only_what_the_episode_has_to_do_with_is_inside(tmp_path: Path) -> None:
    sender = Sender(tmp_path)
    tell(sender.house, of_ep_1(), AT)
    provider = sender.house.book / "providers" / "northside.toml"
    more = '\n[[agreements]]\npayer = "medicare"\nsigned_on = 2024-01-01\nfrom = 2024-01-01\n'
    provider.write_text(provider.read_text(encoding="utf-8") + more, encoding="utf-8")
    members = sender.members("EP-1")
    codes, payers, providers = (members[f"book/{name}.json"].decode() for name in ("codes", "payers", "providers"))
    book = book_of_text(f"[{codes},{payers},{providers}]")
    assert (book.payers.keys(), book.providers.keys()) == ({"prairie-blue"}, {"1234567893"})
    assert {agreement.payer for agreement in book.providers["1234567893"].agreements} == {"prairie-blue"}
    assert "S9325" in book.codes


# ---- As known at an instant, and as of a checkpoint ----


def test_as_known_at_an_instant_nothing_later_is_inside(sender: Sender, check: Callable[..., Any]) -> None:
    then = sender.members("EP-1", "--known-at", AT)
    assert [row["version"] for row in rows(then["entries/1.jsonl"])] == list(range(1, 14))
    assert "2026-03-20" not in then["report/1.html"].decode()
    assert {row["status"] for row in rows(then["verdicts/1.jsonl"])} == {"billable"}
    status, said = check(then)
    assert (status, "versions 1 to 13 are whole" in said) == (0, True)
    moved = json.loads(then["manifest.json"]) | {"known_at": "2026-03-01T11:59:59.999999Z"}
    status, said = check(fixed(then, moved))
    assert (status, "recorded after the instant" in said) == (1, True)


def test_terms_published_after_the_instant_are_left_out(sender: Sender, members: Members) -> None:
    assert b"2026-08-20" in members["book/payers.json"]
    assert b"2026-08-20" not in zip_of(sender.members("EP-1", "--known-at", AT))


def test_a_checkpoint_kept_elsewhere_gives_the_same_bundle_for_ever(tmp_path: Path, check: Callable[..., Any]) -> None:
    sender = Sender(tmp_path)
    tell(sender.house, of_ep_1()[:-3], AT)
    kept = tmp_path / "kept.checkpoint"
    assert sender.house.run("checkpoint", "--key", sender.key, "--out", kept).status == 0
    before = sender.members("EP-1", "--checkpoint", kept)
    tell(sender.house, of_ep_1()[-3:], LATER)
    tell(sender.house, of_another("EP-2", "P-1"), LATER)
    ended = sender.bundle("EP-1", "--checkpoint", kept, "--out", tmp_path / "after.zip")
    assert "recorded after the checkpoint are left out" in ended.err
    assert (tmp_path / "after.zip").read_bytes() == zip_of(before)
    assert before["checkpoint.txt"] == kept.read_bytes()
    assert check(before, sender.vkey)[0] == 0


def test_a_ledger_made_anew_or_cut_off_is_not_what_the_checkpoint_stands_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.recorders.sqlite.file.secrets.token_hex", lambda _: "5f" * 16)
    senders = []
    for name, entries in (("first", of_ep_1()[:5]), ("anew", of_ep_1()[:5]), ("shorter", of_ep_1()[:4])):
        (tmp_path / name).mkdir()
        senders.append(Sender(tmp_path / name))
        tell(senders[-1].house, entries, AT)
    kept, out = tmp_path / "kept", tmp_path / "x.zip"
    first, anew, shorter = senders
    assert first.house.run("checkpoint", "--key", first.key, "--out", kept).status == 0
    brought = ("--checkpoint", kept, "--signer", first.vkey, "--out", out)
    assert_plain(anew.bundle("EP-1", *brought), 2, "is not what the checkpoint stands for")
    assert_plain(shorter.bundle("EP-1", *brought), 2, "is shorter than the checkpoint says")
    assert not out.exists()
    assert first.bundle("EP-1", *brought).status == 0


def test_its_own_checkpoint_bears_the_time_of_the_last_entry(sender: Sender) -> None:
    text = sender.members("EP-1")["checkpoint.txt"].decode()
    assert text.split("\n")[5] == "time 2026-03-20T09:10:11Z"


def test_an_act_of_the_house_may_be_the_last_entry(tmp_path: Path, check: Callable[..., Any]) -> None:
    sender = Sender(tmp_path)
    tell(sender.house, of_ep_1(), AT)
    at = datetime(2026, 3, 4, 5, 6, 7, 890_000, UTC)
    with open_ledger(sender.house.ledger, create=False) as ledger:
        ledger.record_closing(MonthClosed("2026-02", at, "ZZ-by", 13, "ZZ-book", "ZZ-code", "0" * 64, "0" * 32))
    made = sender.members("EP-1")
    assert b"time 2026-03-04T05:06:07Z" in made["checkpoint.txt"]
    assert b"ZZ-" not in zip_of(made)
    assert check(made, sender.vkey)[0] == 0
    with open_ledger(sender.house.ledger, create=False) as ledger:
        ledger.record_adoption(BookAdopted(at.replace(day=5), "ZZ-by", "ZZ-book", "0" * 64, "0" * 32))
    assert b"time 2026-03-05T05:06:07Z" in sender.members("EP-1")["checkpoint.txt"]
    assert_plain(sender.bundle("", "--out", tmp_path / "x.zip"), 2, "no such episode")


# ---- What the command refuses ----


def test_without_a_key_it_says_how_to_make_one(sender: Sender, tmp_path: Path) -> None:
    ended = sender.house.run("bundle", "EP-1", "--key", tmp_path / "none", "--out", tmp_path / "x.zip")
    assert_plain(ended, 2, "checkpoint --init-key")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_left_as_it_is_unless_forced(sender: Sender, tmp_path: Path) -> None:
    out = tmp_path / "x.zip"
    out.write_bytes(b"dear")
    assert_plain(sender.bundle("EP-1", "--out", out), 2, "is there already", "--force")
    assert out.read_bytes() == b"dear"
    assert sender.bundle("EP-1", "--out", out, "--force").status == 0
    assert out.read_bytes() != b"dear"


def test_an_episode_the_ledger_does_not_know_makes_no_bundle(sender: Sender, tmp_path: Path) -> None:
    out = tmp_path / "x.zip"
    assert_plain(sender.bundle("EP-7", "--out", out), 2, "no such episode")
    assert_plain(sender.bundle("EP-1", "", "--out", out), 2, "does not know one of these episodes")
    early = ("--known-at", "2026-01-01T00:00Z")
    assert_plain(sender.bundle("EP-1", *early, "--out", out), 2, "no such episode by then")
    assert not out.exists()


def test_a_checkpoint_of_another_ledger_or_key_is_refused(sender: Sender, tmp_path: Path) -> None:
    other = Sender(tmp_path, "other.example/l")
    tell(other.house, of_ep_1(), AT)
    theirs, unsigned = tmp_path / "theirs", tmp_path / "no.checkpoint"
    assert other.house.run("checkpoint", "--key", other.key, "--out", theirs).status == 0
    out = tmp_path / "x.zip"
    assert_plain(sender.bundle("EP-1", "--checkpoint", theirs, "--out", out), 2, "not signed by the key that counts")
    assert_plain(
        sender.bundle("EP-1", "--checkpoint", theirs, "--signer", other.vkey, "--out", out), 2, "another ledger"
    )
    assert_plain(sender.bundle("EP-1", "--signer", other.vkey, "--out", out), 2, "--signer belongs to --checkpoint")
    absent = ("--key", tmp_path / "absent")
    ended = sender.house.run("bundle", "EP-1", "--checkpoint", theirs, *absent, "--out", out)
    assert_plain(ended, 2, "another ledger")
    unsigned.write_bytes(theirs.read_bytes().split(b"\n\n")[0])
    assert_plain(sender.bundle("EP-1", "--checkpoint", unsigned, "--out", out), 2)
    assert not out.exists()


def damage(ledger: Path, statement: str) -> None:
    with sqlite3.connect(ledger) as connection:
        connection.execute("DROP TRIGGER entries_update")
        connection.execute(statement)
        connection.execute(next(text for text in SCHEMAS[FORMAT] if "entries_update" in text))
    connection.close()


@pytest.mark.sqlite_file
def test_of_a_ledger_that_was_changed_nothing_is_signed(tmp_path: Path) -> None:
    sender = Sender(tmp_path)
    tell(sender.house, [*of_another("EP-9", "P-9"), *of_ep_1()], AT)
    kept, out = tmp_path / "kept", tmp_path / "x.zip"
    assert sender.house.run("checkpoint", "--key", sender.key, "--out", kept).status == 0
    damage(sender.house.ledger, "UPDATE entries SET state = replace(state, 'ZZ-note', 'ZZ-nute') WHERE position = 19")
    assert_plain(sender.bundle("EP-1", "--out", out), 1, "does not hold", "verify")
    assert_plain(sender.bundle("EP-1", "--checkpoint", kept, "--out", out), 3, "position 19")
    assert not out.exists()


@pytest.mark.sqlite_file
def test_a_ledger_shorter_than_the_proofs_need_is_refused(sender: Sender) -> None:
    with open_ledger(sender.house.ledger, create=False) as ledger:
        name, size = ledger.id, ledger.position()
    with pytest.raises(Exception, match=f"position {size + 1}"):
        prove_entries(str(sender.house.ledger), name, size + 1, [1])


# ---- The check, with nothing of ours ----


def test_the_check_inside_needs_python_and_nothing_else(
    members: Members, whole: bytes, sender: Sender, tmp_path: Path
) -> None:
    (tmp_path / "verify_bundle.py").write_bytes(members["verify_bundle.py"])
    (tmp_path / "EP-1.zip").write_bytes(whole)
    as_folder(members, tmp_path / "unpacked")
    (tmp_path / "signer.txt").write_text(sender.vkey + "\n", encoding="utf-8")
    for bundle, signer in (("EP-1.zip", sender.vkey), ("unpacked", "signer.txt")):
        done = run_alone(sys.executable, tmp_path, "-I", "-S", "verify_bundle.py", bundle, "--signer", signer)
        assert (done.returncode, done.stderr, done.stdout.splitlines()[-1]) == (0, "", "PROVEN")
    inside = run_alone(sys.executable, tmp_path / "unpacked", "verify_bundle.py", ".", "--signer", sender.vkey)
    assert (inside.returncode, inside.stderr) == (0, "")


def test_it_is_proven_in_an_empty_virtual_environment(
    members: Members, whole: bytes, sender: Sender, tmp_path: Path
) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "empty")], check=True)
    (tmp_path / "verify_bundle.py").write_bytes(members["verify_bundle.py"])
    (tmp_path / "EP-1.zip").write_bytes(whole)
    python = str(tmp_path / "empty" / "bin" / "python")
    installed = run_alone(python, tmp_path, "-c", "import importlib.metadata as m; print(list(m.distributions()))")
    assert installed.stdout == "[]\n"
    done = run_alone(python, tmp_path, "verify_bundle.py", "EP-1.zip", "--signer", sender.vkey)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "PROVEN"
    assert "EP-1: versions 1 to 14 are whole" in done.stdout
    other = create_key(tmp_path / "other.key", "house.example/l")
    refused = run_alone(python, tmp_path, "verify_bundle.py", "EP-1.zip", "--signer", other)
    assert (refused.returncode, refused.stdout.splitlines()[-1]) == (
        1, "REFUSED: the checkpoint is not signed by this key",
    )  # fmt: skip


def test_nothing_unpacked_beside_it_runs_in_place_of_a_library(
    members: Members, sender: Sender, tmp_path: Path
) -> None:
    folder = as_folder(members | {"json.py": b"raise SystemExit(0)", "calendar.py": b"1/0"}, tmp_path)
    done = run_alone(sys.executable, folder, "verify_bundle.py", ".", "--signer", sender.vkey)
    assert (done.returncode, done.stdout) == (1, "REFUSED: calendar.py was added: the manifest does not list it\n")


def test_without_the_signers_key_nothing_is_proven(whole: bytes, check: Callable[..., Any]) -> None:
    status, said = check(whole, None)
    assert status == 2
    assert said.splitlines()[-1].startswith("NOT PROVEN: all fits together, but the signature was NOT checked")
    assert "signed by" not in said


@pytest.mark.parametrize("signer", ["", "x", "a+b+c", "house.example/l+00000000+AQ=="])
def test_a_key_that_is_none_is_said_to_be_none(whole: bytes, check: Callable[..., Any], signer: str) -> None:
    status, said = check(whole, signer or " ")
    assert (status, said.startswith("--signer: ")) == (2, True)


# ---- What it refuses ----


def _without(version: int) -> Callable[[Entries], Entries]:
    return lambda entries: [entry for entry in entries if entry["version"] != version]


def _renumbered(entries: Entries) -> Entries:
    kept = _without(5)(entries)
    for version, entry in enumerate(kept, 1):
        entry["version"] = version
    return kept


def _set(version: int, name: str, value: object) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        entries[version - 1][name] = value
        return entries

    return change


def _proof(change: Callable[[list[str]], list[str]]) -> Callable[[Entries], Entries]:
    def changed(entries: Entries) -> Entries:
        entries[3]["proof"] = change(entries[3]["proof"])
        return entries

    return changed


def _retold(entries: Entries) -> Entries:
    entries[6]["state"] = entries[6]["state"].replace("2026-02-02", "2026-02-01")
    return entries


def _swapped(entries: Entries) -> Entries:
    entries[2], entries[3] = entries[3], entries[2]
    return entries


def _exchanged(entries: Entries) -> Entries:
    """Two entries' texts, each with all the rest of the other's."""
    entries[6]["state"], entries[7]["state"] = entries[7]["state"], entries[6]["state"]
    return entries


ZERO = base64.b64encode(bytes(32)).decode()
FORGED: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "an entry removed from the middle": (
        _without(5),
        "line 5: version 5 is missing or out of place; here is version 6",
    ),
    "the first entry removed": (_without(1), "version 1 is missing"),
    "the last entry removed": (_without(14), "versions 14 to 14 are missing"),
    "an entry removed and the rest renumbered": (_renumbered, "line 5: the proof does not lead"),
    "two entries in each other's place": (_swapped, "line 3: version 3 is missing or out of place"),
    "an entry told twice": (lambda entries: [*entries[:2], entries[1], *entries[2:]], "not in the order"),
    "what an entry states": (_retold, "line 7: the proof does not lead to the checkpoint's root"),
    "two entries' texts exchanged": (_exchanged, "line 7: the proof does not lead"),
    "an entry's type": (_set(4, "topic", "PlanSigned"), "line 4: the proof does not lead"),
    "an entry's position": (_set(13, "position", 99), "line 13: its proof does not fit a ledger"),
    "a position within the ledger": (_set(13, "position", 40), "line 13: the proof does not lead"),
    "an entry's episode": (_set(4, "episode", "EP-2"), "line 4: an entry of another episode"),
    "a hash of a proof": (_proof(lambda proof: [ZERO, *proof[1:]]), "line 4: the proof does not lead"),
    "the order of a proof": (_proof(lambda proof: proof[::-1]), "line 4: the proof does not lead"),
    "a proof too short": (_proof(lambda proof: proof[:-1]), "line 4: its proof does not fit a ledger"),
    "a proof too long": (_proof(lambda proof: [*proof, ZERO]), "line 4: its proof does not fit a ledger"),
    "a proof without an end": (_proof(lambda proof: [ZERO] * 100_000), "line 4: its proof does not fit a ledger"),
    "no proof": (_proof(lambda proof: []), "line 4: its proof does not fit a ledger"),
    "a proof of something else": (_proof(lambda proof: [1, *proof]), "not a list of hashes"),  # type: ignore[list-item]
    "a proof with other base64": (_proof(lambda proof: [proof[0][:-2] + "+=", *proof[1:]]), "line 4"),
    "a position that is text": (_set(4, "position", "4"), "position is missing, or not what it must be"),
    "a position that is true": (_set(4, "position", True), "position is missing, or not what it must be"),
    "a position below zero": (_set(4, "position", -4), "position is missing, or not what it must be"),
    "a position past all": (_set(4, "position", 2**64), "position is missing, or not what it must be"),
    "a version that is a fraction": (_set(4, "version", 4.0), "version is missing, or not what it must be"),
    "no text": (_set(4, "state", None), "state is missing"),
    "a field more": (_set(4, "more", 1), "not an entry"),
    "a list for an entry": (lambda entries: [*entries[:3], [], *entries[4:]], "line 4: not an entry"),  # type: ignore[list-item]
    "no entries": (lambda entries: [], "versions 1 to 14 are missing"),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_entry_is_refused_though_the_manifest_was_made_to_fit(
    members: Members, check: Callable[..., Any], forgery: str
) -> None:
    change, reason = FORGED[forgery]
    status, said = check(with_entries(members, change))
    assert (status, reason in said.splitlines()[-1]) == (1, True), said
    assert said.splitlines()[-1].startswith("REFUSED: entries/1.jsonl")


def test_an_entry_of_another_ledger_is_refused(members: Members, check: Callable[..., Any], tmp_path: Path) -> None:
    other = Sender(tmp_path, "other.example/l")
    tell(other.house, of_another("EP-9", "ZZ-patient"), AT)
    tell(other.house, of_ep_1(), AT)
    tell(other.house, of_another("EP-2", "P-1"), AT)
    theirs = rows(other.members("EP-1")["entries/1.jsonl"])
    status, said = check(with_entries(members, lambda entries: [*entries[:4], theirs[4], *entries[5:]]))
    assert (status, "line 5" in said.splitlines()[-1]) == (1, True), said
    status, said = check(other.members("EP-1"))
    assert (status, said.splitlines()[-1]) == (1, "REFUSED: the checkpoint is not signed by this key")


def test_a_last_entry_taken_with_its_number_cannot_be_told_and_that_is_said(
    members: Members, check: Callable[..., Any]
) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["episodes"][0]["last_version"] = 13
    shorter = members | {"entries/1.jsonl": lines_of(rows(members["entries/1.jsonl"])[:-1])}
    status, said = check(fixed(shorter, manifest))
    assert status == 3
    assert "versions 1 to 13 are whole" in said
    assert "later ones, if any, are not shown by this bundle" in said
    assert b"may have been left out together with the number" in members["README.txt"]


def test_another_tree_or_time_is_not_what_was_signed(members: Members, check: Callable[..., Any]) -> None:
    lines = members["checkpoint.txt"].decode().split("\n")
    for place, value in ((1, "58"), (2, base64.b64encode(bytes(32)).decode()), (5, "time 2026-03-09T08:00:01Z")):
        forged = "\n".join([*lines[:place], value, *lines[place + 1 :]]).encode()
        status, said = check(changed(members, "checkpoint.txt", forged))
        assert (status, "signature does not hold" in said) == (1, True), (place, said)


def _said_otherwise(before: str, after: str) -> Callable[[Entries], Entries]:
    def change(entries: Entries) -> Entries:
        assert before in entries[6]["state"]
        entries[6]["state"] = entries[6]["state"].replace(before, after)
        return entries

    return change


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ('"EP-1"', '"EP-2"', "line 7: the stored text is another entry's"),
        ('"version":7', '"version":8', "line 7: the stored text is another entry's"),
        ('"type":"DayServed"', '"type":"PlanSigned"', "line 7: the stored text is another entry's"),
        ('"type":"DayServed"', '"type":"DayServed","type":"PlanSigned"', "line 7, state: a key is given twice"),
        ('"recorded_at":"2026-03-01T12:00:00Z"', '"recorded_at":"2026-03-01"', "line 7: not an instant"),
        ('"infused":true', '"infused":NaN', "line 7, state: NaN is no JSON"),
        ('"fact":{', '"fact":[{', "line 7, state: no JSON"),
    ],
)
def test_even_a_signed_text_must_be_that_of_its_entry(
    members: Members, sender: Sender, check: Callable[..., Any], before: str, after: str, reason: str
) -> None:
    assert check(signed_anew(members, lambda entries: entries, sender))[0] == 0
    status, said = check(signed_anew(members, _said_otherwise(before, after), sender))
    assert (status, reason in said.splitlines()[-1]) == (1, True), said


def test_the_checkpoint_of_another_ledger_is_refused(members: Members, check: Callable[..., Any]) -> None:
    manifest = json.loads(members["manifest.json"]) | {"ledger": "0" * 32}
    status, said = check(fixed(members, manifest))
    assert (status, "of another ledger than the manifest says" in said) == (1, True)
    status, said = check(fixed(members, json.loads(members["manifest.json"]) | {"position": 7}))
    assert (status, "another number of entries than the manifest says" in said) == (1, True)


def parts(data: bytes) -> Iterator[tuple[str, range]]:
    """Where each member's content lies in the zip, and all that lies between."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        at = 0
        for info in archive.infolist():
            start = info.header_offset + 30 + len(info.filename)
            yield "between", range(at, start)
            yield info.filename, range(start, at := start + info.file_size)
    yield "between", range(at, len(data))


def test_one_byte_flipped_anywhere_is_refused(whole: bytes, check: Callable[..., Any]) -> None:
    chance = random.Random(4)
    for name, place in parts(whole):
        all_of_it = name in ("checkpoint.txt", "manifest.sha256")
        some = 60 if name == "between" else many(15, 40)
        chosen = place if all_of_it else chance.sample(place, min(len(place), some))
        for at in chosen:
            flipped = bytearray(whole)
            flipped[at] ^= 1 << chance.randrange(8)
            status, said = check(bytes(flipped))
            in_its_sum = name not in (
                "between",
                "manifest.note",
            )  # the zip's own sum shows what the manifest cannot list
            expected = ("manifest.json" if name.startswith("manifest.") else name) if in_its_sum else ""
            assert (status, said.startswith(f"REFUSED: {expected}"), said.count("\n")) == (1, True, 1), (name, at, said)


def test_each_byte_of_the_entries_flipped_is_refused_even_with_a_manifest_that_fits(
    members: Members, check: Callable[..., Any], tmp_path: Path
) -> None:
    lines = members["entries/1.jsonl"].splitlines(keepends=True)
    chance, start = random.Random(5), sum(map(len, lines[:3]))
    for name, begin, size in (("entries/1.jsonl", start, len(lines[3])), ("checkpoint.txt", 0, 320)):
        for at in chance.sample(range(begin, begin + size), many(60, 160)):
            flipped = bytearray(members[name])
            flipped[at] ^= 1 << chance.randrange(8)
            status, said = check(changed(members, name, bytes(flipped)))
            assert (status, said.splitlines()[-1].startswith("REFUSED: ")) == (1, True), (name, at)


def test_a_folder_is_checked_like_the_zip(members: Members, check: Callable[..., Any], tmp_path: Path) -> None:
    folder = as_folder(members, tmp_path / "unpacked")
    assert check(folder)[0] == 0
    for name in members:
        content = members[name]
        (folder / name).write_bytes(bytes([content[0] ^ 1]) + content[1:])
        status, said = check(folder)
        shown = "manifest.json" if name.startswith("manifest.") else name
        refused = f"REFUSED: {shown} was changed" if name != "manifest.note" else "REFUSED: manifest.note: "
        assert (status, refused in said) == (1, True), (name, said)
        (folder / name).unlink()
        status, said = check(folder)
        missing = "REFUSED: manifest.json" in said or f"{name} is missing" in said
        assert (status, missing) == ((1, True) if name != "manifest.note" else (3, False)), name
        (folder / name).write_bytes(content)
    (folder / "book" / "more.json").write_bytes(b"[]")
    assert "book/more.json was added" in check(folder)[1]
    (folder / "book" / "more.json").unlink()
    (folder / "README.txt").unlink()
    (folder / "README.txt").symlink_to("/etc/hosts")
    assert "README.txt is no plain file" in check(folder)[1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("report/2.html", "report/2.html is missing from it, or does not belong there"),
        ("README.txt", "README.txt is missing from it"),
        ("../../outside", "does not belong there"),
        ("/etc/outside", "none that a bundle has"),
        ("a\\b", "none that a bundle has"),
        ("é", "none that a bundle has"),
        ("a/../b", "does not belong there"),
    ],
)
def test_a_member_that_does_not_belong_there_is_refused_though_it_is_listed(
    members: Members, check: Callable[..., Any], name: str, reason: str
) -> None:
    rest = {other: content for other, content in members.items() if other != name}
    status, said = check(fixed(rest if name in members else members | {name: b"x"}))
    assert (status, reason in said) == (1, True), said


def repacked(members: Members, **how: Any) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", **how) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=how.get("compression"))
    return written.getvalue()


def test_a_zip_in_which_something_could_hide_is_refused(
    members: Members, whole: bytes, check: Callable[..., Any]
) -> None:
    twice = repacked(members)
    with zipfile.ZipFile(io.BytesIO(twice), "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("README.txt", b"another")
    again = bytes(archive.fp.getvalue()) if archive.fp else twice  # type: ignore[union-attr]
    for data, reason in (
        (whole + b"\0", "something in it belongs to no member"),
        (b"\0" + whole, "not a zip that begins with a member"),
        (repacked(members, compression=zipfile.ZIP_DEFLATED), "unpack it and check the folder"),
        (repacked(dict(reversed(members.items()))), "unpack it and check the folder"),
        (whole[: len(whole) // 2], "cut off"),
        (whole[:20], "ends within a member"),
        (b"", "no bundle"),
        (b"PK\x05\x06" + bytes(18), "no bundle"),
        (again, "belongs to no member"),
    ):
        status, said = check(data)
        assert (status, reason in said) == (1, True), (reason, said)


def test_two_members_of_one_name_are_refused(members: Members, whole: bytes, check: Callable[..., Any]) -> None:
    first = zip_of({"README.txt": members["README.txt"]})
    status, said = check(first[: first.index(b"PK\x01\x02")] + whole)
    assert (status, "two members named README.txt" in said) == (1, True)


def test_a_bundle_larger_than_any_is_not_even_read(check: Callable[..., Any], tmp_path: Path) -> None:
    large = tmp_path / "large.zip"
    with large.open("wb") as file:
        file.truncate((512 << 20) + 1)
    assert check(large) == (1, "REFUSED: the file is too large for a bundle\n")


HOSTILE = {
    "nested": b"[" * 200_000,
    "not UTF-8": b'{"a":"\xff"}',
    "half a character": b'{"position":"\\ud800"}',
    "twice": b'{"position":1,"position":1}',
    "no number": b'{"position":NaN}',
    "too long a number": b'{"position":' + b"9" * 100_000 + b"}",
    "no JSON": b"\0",
    "nothing": b"",
    "null": b"null",
}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_what_would_break_a_reader_is_refused_in_one_plain_line(
    members: Members, check: Callable[..., Any], hostile: str
) -> None:
    value = HOSTILE[hostile]
    lines = members["entries/1.jsonl"].split(b"\n")
    status, said = check(changed(members, "entries/1.jsonl", b"\n".join([lines[0], value, *lines[2:]])))
    assert (status, "entries/1.jsonl" in said.splitlines()[-1]) == (1, True), said
    digest = f"{hashlib.sha256(value).hexdigest()}  manifest.json\n".encode()
    status, said = check(members | {"manifest.json": value, "manifest.sha256": digest})
    assert (status, len(said.splitlines()), said[:23]) == (1, 1, "REFUSED: manifest.json:"), said


def by_hand(members: Members, manifest: Any) -> Members:
    text = json.dumps(manifest).encode()
    digest = f"{hashlib.sha256(text).hexdigest()}  manifest.json\n".encode()
    return members | {"manifest.json": text, "manifest.sha256": digest}


def test_whatever_stands_where_something_else_should_is_refused_and_breaks_nothing(
    members: Members, check: Callable[..., Any]
) -> None:
    chance = random.Random(6)
    manifest, entries = json.loads(members["manifest.json"]), rows(members["entries/1.jsonl"])
    for way in places(manifest):
        for odd in chance.sample(ODD, 4):
            status, said = check(by_hand(members, put(manifest, way, odd)))
            stated = way[0] in ("book", "code", "known_at")
            assert status == 1 or stated, (way, odd, said)
            assert said.splitlines()[-1].startswith(("REFUSED", "PROVEN"))
    state = json.loads(entries[3]["state"])
    for way in places(entries[3]):
        for odd in chance.sample(ODD, many(4, len(ODD))):
            status, said = check(with_entries(members, lambda _, w=way, o=odd: put(entries, (3, *w), o)))  # type: ignore[misc]
            assert (status, "entries/1.jsonl, line 4" in said.splitlines()[-1]) == (1, True), (way, odd, said)
    for way in places(state):
        told_oddly = _set(4, "state", json.dumps(put(state, way, chance.choice(ODD))))
        status, said = check(with_entries(members, told_oddly))
        assert status == 1, (way, said)


def test_a_name_on_the_screen_commands_no_terminal(members: Members, check: Callable[..., Any]) -> None:
    manifest = json.loads(members["manifest.json"])
    manifest["episodes"][0]["episode"] = "\x1b[2JEP\u202e"
    _, said = check(fixed(members, manifest))
    assert said.replace("\n", "").isprintable()
    assert verify_bundle.seen("\x1b[2J\u202e" + "a" * 500) == "<U+001B>[2J<U+202E>" + "a" * 195


@pytest.mark.parametrize(
    "change",
    [
        {"schema": "episode-ledger-bundle/2"},
        {"episodes": ()},
        {"known_at": "yesterday"},
    ],
)
def test_a_manifest_that_says_what_it_cannot_is_refused(
    members: Members, check: Callable[..., Any], change: dict[str, Any]
) -> None:
    manifest = replace(msgspec.json.decode(members["manifest.json"], type=BundleManifest), **change)
    status, said = check(fixed(members, msgspec.to_builtins(manifest)))
    assert (status, "manifest.json" in said.splitlines()[-1]) == (1, True), said


def test_an_episode_is_listed_once_from_its_first_version_on(members: Members, check: Callable[..., Any]) -> None:
    for change in ({"number": 2}, {"first_version": 2}, {"last_version": 0}):
        manifest = json.loads(members["manifest.json"])
        manifest["episodes"][0] |= change
        status, said = check(fixed(members, manifest))
        assert (status, "manifest.json: episode 1 is not numbered" in said) == (1, True), said


def test_a_file_that_is_not_there_is_said_not_to_be(check: Callable[..., Any], tmp_path: Path) -> None:
    status, said = check(tmp_path / "none.zip")
    assert (status, said) == (2, "the bundle cannot be read: No such file or directory\n")
