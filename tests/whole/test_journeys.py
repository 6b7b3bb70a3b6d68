"""Each command once on every kind of store (``tiers.of_stores``): it says what it says of a plain ledger in a file.

What a store must do is in ``test_contract.py``; here the commands go through all of it. ``--store postgres`` runs the
other tests in PostgreSQL, too, before a release.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import pytest

from commands.verbs.verb_list import VERBS
from ledger.proof.signing import create_key
from projections.erasure.handed_out import handed_out
from projections.read_model.generations import Places
from tests import ROOT, stores
from tests.answered import PAID, TAKEN_IN, TURNED_BACK, answer, house_with_claims, paid, states, written
from tests.command_line import ANYWAY, Ended, House, assert_plain, example, run, told
from tests.exports import manifest_of, rows_in
from tests.running_site import running
from tests.tiers import of_stores

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.jsonl"))
NOWHERE = {"book", "master-key", "completion", "help"}
"""Commands that look at no ledger."""
OWN = re.compile(rb"[0-9a-f]{64}|[A-Za-z0-9+/]{43}=")
"""Seals and roots: each ledger has its own."""


class Site(NamedTuple):
    """A ledger of the examples on one kind of store."""

    kind: str
    house: House

    def run(self, *args: object, **more: object) -> Ended:
        with stores.on(self.kind):
            return self.house.run(*args, **more)

    @property
    def id(self) -> bytes:
        return str(self.run("status").rows[0]["ledger_id"]).encode()

    def says(self, *args: object) -> tuple[int, bytes, str]:
        """How a command ends and what it prints, but for the ledger's own names."""
        ended = self.run(*args)
        return ended.status, OWN.sub(b"SEAL", ended.out.replace(self.id, b"ID")), ended.err


def site_of(kind: str, folder: Path) -> Site:
    with stores.on(kind):
        site = Site(kind, House(folder))
        for intake in EXAMPLES:
            assert site.run("record", "--keep-recorded-at", intake).status == 0
    return site


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return site_of("sqlite", tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module", params=of_stores(Path(__file__))[1:])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return site_of(request.param, tmp_path_factory.mktemp("site"))


@pytest.fixture
def house(every_store: str, tmp_path: Path) -> House:
    """Two patients, to be changed."""
    (tmp_path / "house").mkdir(mode=0o700)
    house = House(tmp_path / "house")
    assert house.tell(*example(), *example("EP-2", "P-2")).status == 0
    return house


ASKED = [
    "days", "days --known-at 2026-10-20T00:00Z", "days --patient P-1002 --format csv", "days --format calendar",
    "findings", "findings --known-at 2026-09-15T12:00Z", "lines", "lines --known-at 2026-11-01T00:00Z",
    "why EP-2005 2026-07-06", "why EP-2005 2026-07-06 --known-at 2026-08-01T00:00Z", "why EP-9 2026-07-06",
    "replay EP-2005", "page EP-2005", "diff EP-2002 --claimed --every", "diff --claimed --all",
    "diff EP-2002 --between 2026-10-05T00:00Z 2026-11-05T00:00Z", "report --on 2026-10-12 --format csv",
    "report --on 2026-10-12 --format html", "what-if --set prairie-blue.pain_assessment_days=1",
    "restatements 2026-10",
]  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_it_says_what_it_says_of_a_plain_file(plain: Site, site: Site, asked: str) -> None:
    ours, theirs = (each.says(*asked.split()) for each in (site, plain))
    assert ours == theirs
    assert any(ours)


def test_every_command_is_here() -> None:
    here = {asked.split()[0] for asked in ASKED}
    for name in globals():
        here |= {part.replace("_", "-") for part in name.removeprefix("test_").split("_and_")}
    assert VERBS.keys() - NOWHERE - here == set()


def test_status(plain: Site, site: Site) -> None:
    ours, theirs = ({**each.run("status").rows[0]} for each in (site, plain))
    for own in ("ledger", "ledger_id", "book", "lag", "settings"):
        ours.pop(own), theirs.pop(own)
    assert ours == theirs


def test_access(house: House) -> None:
    assert house.run("access", "P-1").rows == []
    assert house.run("access", "P-1").status == 0


def test_record(house: House) -> None:
    again = house.tell(*example())
    assert {row["outcome"] for row in again.rows} == {"duplicate"}
    refused = house.tell(told("x", episode="EP-9"), told("y", {"type": "DayServed"}), example()[0] | {"by": "another"})
    assert [row["code"] for row in refused.rows] == ["not_opened", "malformed", "identity_reused"]
    assert refused.status == 1
    late = house.tell(told("late", {"type": "DayServed", "order": "RX-1", "date": "2026-02-09"}))
    assert [row["position"] for row in late.rows] == [23]
    assert len(house.run("days").rows) == 11


def test_import(house: House) -> None:
    sheet = house.folder / "assessments.csv"
    for score, said in (("4", "1 recorded"), ("4", "1 duplicate"), ("5", "1 told otherwise"), ("5", "1 duplicate")):
        sheet.write_text(f"Episode,Date,Score,Tool\nEP-1,11/9/2026,{score},\n")
        rehearsed = house.run("import", sheet, "--map", "assessments", "--yes", "--dry-run")
        ended = house.run("import", sheet, "--map", "assessments", "--yes")
        assert (ended.status, rehearsed.out) == (0, ended.out)
        assert said in ended.err
    sheet.write_text("Episode,Date,Score,Tool\nEP-1,11/8/2026,5,\n")
    gone = ("--complete", "--from", "2026-11-01", "--to", "2026-11-30", "--yes")
    assert "1 retracted" in house.run("import", sheet, "--map", "assessments", *gone).err


def test_follow(house: House) -> None:
    _, *first = house.run("follow", "--since", "0", "--once").rows
    assert [row["kind"] for row in first] == ["insert"] * 6
    house.tell(told("d", {"type": "PatientDied", "date": "2026-02-02"}))
    _, *later = house.run("follow", "--since", first[-1]["position"], "--once").rows
    assert [(row["kind"], row["date"], row["cause"]) for row in later] == [
        ("restate", day, ["pump:d"]) for day in ("2026-02-03", "2026-02-04")
    ]


def test_migrate(house: House) -> None:
    if not stores.on_postgres():
        assert_plain(house.run("migrate"), 2, "in PostgreSQL")
        return
    again = run("--ledger", stores.owned(house.ledger), "migrate", env=stores.told_of_the_key())
    assert (again.status, again.out.split(b":")[0]) == (0, b"The ledger is there already")


def test_rebuild(house: House) -> None:
    before = house.run("days").out
    for more in ([], ["--processes", "2"], ["--check"]):
        ended = house.run("rebuild", *more)
        assert (ended.status, ended.rows[0]["changed_rows"], ended.rows[0]["position"]) == (0, {}, 22)
    assert house.run("days").out == before


def test_close_and_restatements(house: House) -> None:
    assert house.run("close", "2026-02", *ANYWAY, "--by", "controller-1").rows[0]["position"] == 22
    assert "February 2026 was closed" in house.run("close", "2026-02", *ANYWAY, "--by", "controller-1").err
    assert house.run("restatements", "2026-02").rows == []
    house.tell(
        told("late", {"type": "NursingVisited", "date": "2026-02-09"}),
        told("d", {"type": "PatientDied", "date": "2026-02-02"}),
    )
    assert {row["date"] for row in house.run("restatements", "2026-02").rows} == {
        f"2026-02-0{day}" for day in range(3, 10)
    }


def test_export(house: House, tmp_path: Path) -> None:
    for dataset in ("days", "changes", "claimed"):
        assert house.run("export", dataset, "--format", "jsonl", "--out", tmp_path / "out").status == 0
        assert manifest_of(tmp_path / "out" / dataset)["ledger"] == house.run("status").rows[0]["ledger_id"]
    assert len(rows_in(tmp_path / "out" / "days")) == len(house.run("days").rows) == 6


def test_bundle(house: House, tmp_path: Path) -> None:
    vkey = create_key(tmp_path / "keys" / "key", "house.example/l")
    made = house.run("bundle", "EP-1", "--key", tmp_path / "keys" / "key", "--out", tmp_path / "one.zip")
    assert made.status == 0, made.err
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        check = {"__name__": "verify_bundle"}
        exec(archive.read("verify_bundle.py"), check)
    assert check["main"]([str(tmp_path / "one.zip"), "--signer", vkey]) == 0


def test_checkpoint_and_verify(house: House, tmp_path: Path) -> None:
    vkey = create_key(tmp_path / "keys" / "key", "house.example/l")
    note = house.run("checkpoint", "--key", tmp_path / "keys" / "key", "--out", tmp_path / "note.txt")
    assert note.status == 0, note.err
    house.tell(told("later"))
    held = house.run("verify", "--checkpoint", tmp_path / "note.txt", "--signer", vkey)
    assert held.status == 0, held.err
    assert [row["result"] for row in held.rows] == ["holds", "holds"]
    assert held.rows[0]["entries"] == 23


def test_backup_and_restore(house: House, every_store: str, tmp_path: Path) -> None:
    assert house.run("backup", "--out", tmp_path / "one.backup").status == 0
    assert house.run("restore", tmp_path / "one.backup", "--check").status == 0
    restored = tmp_path / "elsewhere" / "ledger.db"
    restored.parent.mkdir()
    assert house.run("restore", tmp_path / "one.backup", "--out", restored).status == 0
    days = run("--ledger", str(restored), "--book", house.book, "days", env=stores.told_of_the_key())
    assert (days.status, days.out) == (0, house.run("days").out)


def test_doctor(house: House) -> None:
    house.run("days")
    ended = house.run("doctor")
    assert ended.status == 0, ended.out
    assert "wrong" not in {row["state"] for row in ended.rows}
    house.views.resolve().write_bytes(b"rubbish")
    assert house.run("doctor").status == 1


def test_forget(house: House, every_store: str) -> None:
    reasons = ["--by", "officer", "--reason", "file 118"]
    if not stores.master():
        assert_plain(house.run("forget", "P-2", *reasons), 2, "not encrypted")
        return
    forget = ["forget", "P-2", *reasons, "--yes"]
    ended = run("--ledger", stores.owned(house.ledger), "--views", house.folder, "--book", house.book, *forget,
                env=stores.told_of_the_key()) if stores.on_postgres() else house.run(*forget)  # fmt: skip
    assert ended.status == 0, ended
    assert {row["episode"] for row in house.run("replay", "EP-1").rows} == {"EP-1"}
    assert "P-2" not in house.run("days").out.decode()
    assert house.run("verify").status == 0


def test_book(house: House) -> None:
    assert house.run("book", "check").status == 0
    shown = house.run("book", "show", "prairie-blue", "--on", "2026-02-02")
    assert shown.status == 0, shown
    assert house.run("book", "diff", house.book, house.book).status == 0
    (house.book / "payers" / "wrong.toml").write_text("nothing = 1")
    assert house.run("book", "check").status != 0


def test_merge_patients_and_part_patients(house: House) -> None:
    before = house.run("days").out
    merged = house.run("merge-patients", "P-2", "P-1", "--reason", "registered twice", "--yes")
    assert merged.status == 0, merged
    assert {row["patient"] for row in house.run("days").rows} == {"P-1"}
    assert house.run("days", "--patient", "P-2").rows == house.run("days", "--patient", "P-1").rows
    assert house.run("part-patients", "P-2", "--reason", "two after all", "--yes").status == 0
    assert house.run("days").out == before
    assert house.run("verify").status == 0


def test_tell_and_correct_and_retract_and_unretract_and_resolve_and_void_episode_and_move_patient(house: House) -> None:
    def days() -> list[tuple[str, ...]]:
        return [(row["patient"], row["date"], row["status"]) for row in house.run("days").rows]

    before, said = days(), ("--reason", "read again", "--yes")
    for do, undo in (
        (("retract", "EP-1", "pump:2026-02-03", *said), ("unretract", "EP-1", "pump:2026-02-03", *said)),
        (
            ("correct", "EP-1", "pump:2026-02-03", "date=2026-02-04", *said, "--id", "c"),
            ("retract", "EP-1", "desk:c", *said),
        ),
        (("resolve", "EP-1", "2026-02-03", "nothing", *said, "--id", "r"), ("retract", "EP-1", "desk:r", *said)),
        (("void-episode", "EP-1", *said, "--id", "v"), ("retract", "EP-1", "desk:v", *said)),
        (("move-patient", "EP-1", "P-9", *said, "--id", "m"), ("retract", "EP-1", "desk:m", *said)),
        (
            ("tell", "EP-1", "PatientDied", "date=2026-02-01", "--id", "t", "--yes"),
            ("retract", "EP-1", "desk:t", *said),
        ),
    ):
        for command in (do, undo):
            assert house.run(*command).status == 0, command
            assert (days() == before) is (command is undo), command
    assert house.run("verify").status == 0


@pytest.mark.process
def test_users(house: House) -> None:
    assert house.run("users", "add", "mgarcia", "--role", "biller").status == 0
    assert [(row["name"], row["role"]) for row in house.run("users", "list").rows] == [("mgarcia", "biller")]


def test_serve(house: House) -> None:
    with running(house.ledger, house.book) as site:
        visitor = site.visitor()
        assert "2026-02-02" in visitor.get(visitor.address_of("EP-1") + "?day=2026-02-02").text


def test_claims(house: House) -> None:
    house_with_claims(house.folder, made=house)
    assert house.run("ack", TURNED_BACK).status == 1  # what was turned back is free again
    assert states(house) == {"EP-O1-1": "rejected", "EP-O1-2": "rejected"}
    sent = house.run("claims", "write", "--out", house.folder / "outbox")
    (file,) = (house.folder / "outbox").glob("*.837")
    assert [row["outcome"] for row in sent.rows] == ["written"], sent
    assert house.run("claims", "check", file).status == 0
    before = handed_out(Places(house.views))
    assert house.run("claims", "again", file.stem, "--out", house.folder / "again").status == 0
    assert (house.folder / "again").read_bytes() == file.read_bytes()
    listed = handed_out(Places(house.views))[len(before) :]
    assert [each.command for each in listed] == ([] if stores.master() is None else ["claims again"]), (
        "only who can forget"
    )
    assert house.run("claims", "write", "--out", house.folder / "outbox").rows == []


def test_ack_and_remit_and_payments_and_assign_remittance(house: House) -> None:
    house_with_claims(house.folder, made=house)
    assert house.run("ack", TAKEN_IN).status == 1  # one of the two was turned back
    assert states(house) == {"EP-O1-1": "accepted", "EP-O1-2": "rejected"}
    assert house.run("remit", PAID).status == 0
    assert [row["outcome"] for row in house.run("remit", PAID).rows] == ["duplicate"]
    assert paid(house) == 122400
    file = written(house.folder, [answer("NOBODYS", "1", 1576, 616, control="RH9")], 616, "T-1")
    assert [row["outcome"] for row in house.run("remit", file).rows] == ["unmatched"]
    assert [row["claim"] for row in house.run("payments", "--unmatched").rows] == ["NOBODYS"]
    assert house.run("assign-remittance", "T-1", "RH9", "EP-O1-1", "--by", "desk-1").status == 0
    assert paid(house) == 122400 + 61600
    assert house.run("payments", "--unmatched").rows == []
    assert house.run("verify").status == 0


def test_archive_and_judge(house: House, tmp_path: Path) -> None:
    archive, views = tmp_path / "archive", house.views
    assert house.run("days").status == 0  # the read model to be compared with
    made = house.run("archive", "--out", archive, "--buckets", "2", "--in-the-open")
    assert made.status == 0, made
    assert house.run("archive", "--out", archive, "--check").status == 0
    key = tmp_path / "master.key"
    if stores.master():
        key.write_text(bytes(range(32)).hex())
        key.chmod(0o600)
    named = ["--master-key", key] if stores.master() else []
    judge = ["judge", "--archive", archive, "--out", tmp_path / "judged", "--processes", "1", "--against", views]
    judged = run(*house.named, *named, *judge)
    assert (judged.status, judged.out.splitlines()[-1]) == (0, b"equal: 0 of 2 patients differ"), judged


def test_worklist(house: House) -> None:
    row = house.run("worklist").rows[0]
    assert house.run("worklist", "assign", row["episode"], row["work"], "Ana Ruiz", "--by", "lead-1").status == 0
    owned = house.run("worklist", "--owner", "Ana Ruiz").rows
    assert {(each["episode"], each["work"]) for each in owned} == {(row["episode"], row["work"])}
    assert house.run("worklist", "done-until", row["episode"], row["work"], "2099-01-01").status == 0
    assert house.run("worklist", "--owner", "Ana Ruiz").rows == []
    assert house.run("verify").status == 0
