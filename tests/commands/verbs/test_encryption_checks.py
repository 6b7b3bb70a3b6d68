"""``verify``, ``checkpoint`` and ``doctor`` over an encrypted ledger: with its master key, without it, with another."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from commands.verbs.proof import CLOSED
from ledger.keys.cipher import MasterKey, create_master_key
from ledger.proof.checkpoint import parse_note
from ledger.proof.seals import leaf_of, seal_of
from ledger.proof.signing import create_key
from ledger.recorders import NoLedger
from ledger.recorders.by_name.as_stored import as_stored
from ledger.recorders.by_name.proving import prove
from projections.operations.disk_encryption import shelter_of
from projections.operations.health import clear_row
from tests.command_line import Ended, House, assert_plain, example, run
from tests.encrypted_house import Locked

pytestmark = pytest.mark.sqlite_file

CHANGED = 3
"""The position of the entry that somebody changes."""


@pytest.fixture
def house(tmp_path: Path) -> Locked:
    """An encrypted ledger in a folder for its owner alone, its keys away from it."""
    made = Locked(tmp_path)
    made.folder.chmod(0o700)
    assert made.tell(*example()).status == 0
    return made


def without_key(house: House, *args: object) -> Ended:
    """The same command where no master key is named."""
    return House.run(house, *args)


def another_key(house: Locked) -> dict[str, str]:
    """The environment of somebody who has another master key."""
    path = house.key.with_name("another.key")
    if not path.exists():
        create_master_key(path)
    return {"EPISODE_MASTER_KEY_FILE": str(path)}


# ---- verify and checkpoint ----


def test_with_the_key_the_ledger_holds_and_nothing_is_said_of_envelopes(house: Locked) -> None:
    ended = house.run("verify")
    assert (ended.status, ended.rows[0]["result"], ended.rows[0]["entries"]) == (0, "holds", len(example()))
    assert CLOSED not in ended.err


def test_without_the_key_it_holds_too_and_what_was_not_looked_at_is_said(house: Locked) -> None:
    ended = without_key(house, "verify")
    assert (ended.status, ended.rows[0]["result"]) == (0, "holds")
    assert ended.err.splitlines().count(CLOSED) == 1
    assert {**ended.rows[0]} == {**house.run("verify").rows[0]}


def test_a_ledger_in_the_open_has_no_envelopes_to_speak_of(tmp_path: Path) -> None:
    plain = House(tmp_path)
    plain.tell(*example())
    assert CLOSED not in plain.run("verify").err
    assert not prove(str(plain.ledger)).closed


def test_another_key_is_refused_before_anything_is_said(house: Locked) -> None:
    assert_plain(house.run("verify", env=another_key(house)), 2, "not the master key", "--master-key")
    assert_plain(house.run("verify", env={"EPISODE_MASTER_KEY_FILE": "/nowhere/m.key"}), 2, "no master key at")


def sealed_anew(house: House, change: Any) -> None:
    """What somebody does who knows how seals are made: one entry's text changed, and every seal made anew."""
    with closing(sqlite3.connect(house.ledger, isolation_level=None)) as file:
        guards = file.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            file.execute(f"DROP TRIGGER {name}")
        (text,) = file.execute("SELECT state FROM entries WHERE position = ?", (CHANGED,)).fetchone()
        file.execute("UPDATE entries SET state = ? WHERE position = ?", (change(text), CHANGED))
        (seal,) = file.execute("SELECT seal FROM entries WHERE position = ?", (CHANGED - 1,)).fetchone()
        rows = file.execute(
            "SELECT position, originator_id, originator_version, topic, state FROM entries WHERE position >= ?"
            " ORDER BY position", (CHANGED,),
        ).fetchall()  # fmt: skip
        for position, episode, version, tag, state in rows:
            seal = seal_of(seal, leaf_of(position, episode.encode(), version, tag.encode(), state.encode()))
            file.execute("UPDATE entries SET seal = ? WHERE position = ?", (seal, position))
        for _, sql in guards:
            file.execute(sql)


def test_what_is_in_an_envelope_is_seen_with_the_key_alone_and_without_it_that_is_said(house: Locked) -> None:
    def change(text: str) -> str:
        envelope = json.loads(text)
        return text.replace(envelope["sealed"], envelope["sealed"][:40] + "AAAA" + envelope["sealed"][44:])

    sealed_anew(house, change)
    ended = house.run("verify")
    assert (ended.status, ended.rows[0]["position"]) == (1, CHANGED)
    assert "its envelope does not open with its episode's key" in ended.err
    assert CLOSED not in ended.err
    blind = without_key(house, "verify")
    assert (blind.status, blind.rows[0]["result"], CLOSED in blind.err) == (0, "holds", True)


def test_an_envelope_under_other_columns_is_wrong_without_the_key_too(house: Locked) -> None:
    sealed_anew(house, lambda text: text.replace(f'"version":{CHANGED}', '"version":9'))
    ended = without_key(house, "verify")
    assert (ended.status, ended.rows[0]["position"]) == (1, CHANGED)
    assert "its envelope and its columns do not agree" in ended.err
    assert CLOSED in ended.err


def test_a_checkpoint_is_the_same_with_the_key_and_without(house: Locked, tmp_path: Path) -> None:
    key, out = tmp_path / "keys" / "signing.key", tmp_path / "kept"
    create_key(key, "pharmacy.example/ledger")
    seen, unseen = house.run("checkpoint", "--key", key), without_key(house, "checkpoint", "--key", key)
    first, second = (parse_note(ended.out).checkpoint for ended in (seen, unseen))
    assert (first.size, first.root, first.head) == (second.size, second.root, second.head)
    assert (seen.err, unseen.err.splitlines()) == ("", [CLOSED])
    out.write_bytes(unseen.out)
    held = house.run("verify", "--checkpoint", out, "--key", key)
    assert (held.status, [row["result"] for row in held.rows]) == (0, ["holds", "holds"])


# ---- doctor ----


def found(house: House, ended: Ended, status: int = 0) -> dict[str, dict[str, Any]]:
    """What doctor said, by what was looked at."""
    assert ended.status == status, ended
    return {row["check"].replace(str(house.folder), "."): row for row in ended.rows}


def id_of(house: Locked) -> str:
    """The id of the master key."""
    return MasterKey(bytes.fromhex(house.key.read_text())).id


@pytest.fixture
def none(tmp_path: Path) -> tuple[object, ...]:
    """The arguments of a doctor who finds no signing key."""
    return "doctor", "--key", tmp_path / "none"


def test_the_encryption_is_told_with_the_master_keys_id(house: Locked, none: tuple[object, ...]) -> None:
    row = found(house, house.run(*none))["encryption"]
    says = f"AES-256-GCM, a key for each episode, under master key {id_of(house)}"
    assert (row["state"], row["says"], row["do"]) == ("ok", says, None)


def test_a_ledger_in_the_open_is_told_to_be_one(tmp_path: Path) -> None:
    plain = House(tmp_path)
    tmp_path.chmod(0o700)
    plain.tell(*example())
    rows = found(plain, plain.run("doctor", "--key", tmp_path.parent / "none"))
    assert rows["encryption"]["state"] == "ok"
    assert rows["encryption"]["says"] == "none: entries can be read by whoever may read the file"
    assert "read model's folder" not in rows


def test_without_the_key_there_is_something_to_be_told_all_the_same(house: Locked, none: tuple[object, ...]) -> None:
    rows = found(house, without_key(house, *none))
    assert rows["encryption"]["state"] == "warn"
    assert f"under master key {id_of(house)}; it was not named" in rows["encryption"]["says"]
    assert rows["encryption"]["do"] == "name its master key with --master-key FILE"
    assert f"{len(example())} entries" in rows["ledger"]["says"]
    assert rows["ledger"]["state"] == rows["clock"]["state"] == rows["setting journal_mode"]["state"] == "ok"
    assert rows.keys() >= {"disk room", "rights of ./ledger.db", "signing key", "read model's folder", "book"}


@pytest.mark.parametrize(
    ("key", "says"),
    [("another", "that is not the master key this ledger was made with"), ("missing", "there is no master key at"),
     ("inside", "the key is inside the ledger's folder"), ("open", "open to others than its owner")],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_wrong_and_the_rest_is_told(
    house: Locked, none: tuple[object, ...], key: str, says: str
) -> None:
    path = Path(another_key(house)["EPISODE_MASTER_KEY_FILE"])
    if key == "missing":
        path.unlink()
    elif key == "open":
        path.chmod(0o644)
    elif key == "inside":
        path = path.rename(house.folder / "m.key")
    rows = found(house, house.run(*none, env={"EPISODE_MASTER_KEY_FILE": str(path)}), status=1)
    assert (rows["encryption"]["state"], says in rows["encryption"]["says"]) == ("wrong", True)
    assert rows["encryption"]["do"].endswith("only the key it was made with opens this ledger")
    assert rows["ledger"]["state"] == rows["disk room"]["state"] == rows["book"]["state"] == "ok"


def test_a_key_named_for_a_ledger_in_the_open_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir(mode=0o700)
    create_master_key(tmp_path / "master.key")
    plain = House(tmp_path / "house")
    plain.tell(*example())
    ended = plain.run(
        "doctor", "--key", tmp_path / "none", env={"EPISODE_MASTER_KEY_FILE": str(tmp_path / "master.key")}
    )
    rows = found(plain, ended, status=1)
    assert (rows["encryption"]["state"], "is not encrypted" in rows["encryption"]["says"]) == ("wrong", True)
    assert "leave the key out" in rows["encryption"]["do"]
    assert rows["ledger"]["state"] == "ok"


def test_a_closed_ledger_that_lost_a_guard_is_wrong(house: Locked, none: tuple[object, ...]) -> None:
    with closing(sqlite3.connect(house.ledger)) as file:
        file.execute("DROP TRIGGER entries_update")
    rows = found(house, without_key(house, *none), status=1)
    assert (rows["ledger"]["state"], "entries_update" in rows["ledger"]["says"]) == ("wrong", True)


def test_the_read_model_in_the_clear_deserves_a_look_with_the_key_and_without(
    house: Locked, none: tuple[object, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("commands.verbs.doctor.shelter_of", lambda folder: None)
    for run_, tense in ((house.run, "will be"), (house.run, "is"), (lambda *a: without_key(house, *a), "is")):
        row = found(house, run_(*none))["read model's folder"]
        says = f"it {tense} in the clear in {house.folder}, and nothing shows"
        assert (row["state"], row["says"].startswith(says)) == ("warn", True), row
        assert "--views DIR" in row["do"]
        house.run("days")


def test_a_read_model_left_beside_the_ledger_is_told_though_another_folder_is_named(
    house: Locked, none: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = tmp_path / "away"
    away.mkdir(mode=0o700)
    monkeypatch.setattr("commands.verbs.doctor.shelter_of", lambda folder: "memory" if folder == away else None)

    def of_the_folders() -> list[tuple[str, str]]:
        ended = house.run("--views", away, *none)
        assert ended.status == 0, ended
        return [(row["state"], row["says"]) for row in ended.rows if row["check"] == "read model's folder"]

    assert [state for state, _ in of_the_folders()] == ["ok"]
    house.run("days")
    (first, says), (second, left) = of_the_folders()
    assert (first, second) == ("ok", "warn")
    assert f"it will be in the clear in {away}, in memory" in says
    assert f"it is in the clear in {house.folder}," in left


def test_the_rights_of_a_read_model_elsewhere_are_looked_at(
    house: Locked, none: tuple[object, ...], tmp_path: Path
) -> None:
    away = tmp_path / "away"
    away.mkdir()
    house.run("--views", away, "days")
    (away / "ledger.views.db").resolve().chmod(0o644)
    rows = found(house, house.run("--views", away, *none), status=1)
    assert rows[f"rights of {away / 'ledger.views.1.db'}"]["state"] == "wrong"


def test_it_says_nothing_of_a_patient_and_changes_nothing(house: Locked, none: tuple[object, ...]) -> None:
    before = {path.name: path.read_bytes() for path in house.folder.glob("ledger*")}
    for ended in (house.run(*none), without_key(house, *none)):
        assert b"P-1" not in ended.out
    assert {path.name: path.read_bytes() for path in house.folder.glob("ledger*")} == before


def test_a_ledger_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NoLedger), as_stored(str(tmp_path / "none.db")):
        raise AssertionError("there is nothing to look at")
    assert_plain(run("--ledger", tmp_path / "none.db", "doctor"), 2, "there is no ledger")
    assert os.listdir(tmp_path) == []


# ---- What shelters a folder ----


@pytest.fixture
def machine(tmp_path: Path) -> Any:
    """What a machine says of its mounts and disks: asks for the shelter of a place on it."""
    disks = tmp_path / "disks"

    def disk(name: str, uuid: str = "", *beneath: str) -> None:
        (disks / name / "slaves").mkdir(parents=True)
        if uuid:
            (disks / name / "dm").mkdir()
            (disks / name / "dm" / "uuid").write_text(uuid + "\n")
        for each in beneath:
            (disks / name / "slaves" / each).symlink_to(disks / each)

    disk("8:1")
    disk("8:2")
    disk("254:0", "CRYPT-LUKS2-0123-home")
    disk("254:1", "LVM-abc", "254:0")
    disk("254:2", "LVM-def", "8:1")
    disk("9:0", "", "254:0", "8:2")
    disk("9:1", "", "254:0", "254:1")
    lines = [
        "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
        "22 21 0:5 / /mnt/memory rw shared:2 - tmpfs tmpfs rw",
        "23 21 254:0 / /mnt/luks rw - ext4 /dev/mapper/home rw",
        "24 21 254:1 / /mnt/lvm\\040on\\040luks rw - xfs /dev/mapper/vg-a rw",
        "25 21 254:2 / /mnt/lvm rw - xfs /dev/mapper/vg-b rw",
        "26 21 9:0 / /mnt/half rw - ext4 /dev/md0 rw",
        "27 21 9:1 / /mnt/both rw - ext4 /dev/md1 rw",
        "28 21 0:44 / /mnt/fuse rw - fuse.gocryptfs gocryptfs rw",
        "29 22 8:2 / /mnt/memory/disk rw - ext4 /dev/sda2 rw",
        "30 23 8:2 / /mnt/luks rw - ext4 /dev/sda2 rw",
        "31 21 254:0 / /mnt/again rw - ext4 /dev/mapper/home rw",
        "what nobody understands",
    ]
    mounts = tmp_path / "mountinfo"
    mounts.write_text("\n".join(lines) + "\n")
    return lambda place: shelter_of(Path(place), mounts, disks)


@pytest.mark.parametrize(
    ("place", "shelter"),
    [
        ("/srv/views", None), ("/mnt/memory/views", "memory"), ("/mnt/memory", "memory"), ("/mnt/memories", None),
        ("/mnt/memory/disk/views", None), ("/mnt/again/views", "encrypted disk"), ("/mnt/lvm", None),
        ("/mnt/lvm on luks/views", "encrypted disk"), ("/mnt/half", None), ("/mnt/both", "encrypted disk"),
        ("/mnt/fuse/views", "encrypted disk"), ("/mnt/luks/views", None),
    ],
)  # fmt: skip
def test_what_shelters_a_folder(machine: Any, place: str, shelter: str | None) -> None:
    assert machine(place) == shelter


def test_where_the_machine_says_nothing_nothing_shelters(tmp_path: Path) -> None:
    assert shelter_of(tmp_path, mounts=tmp_path / "none") is None
    (tmp_path / "empty").write_text("")
    assert shelter_of(tmp_path, mounts=tmp_path / "empty") is None


@pytest.mark.skipif(not os.path.ismount("/dev/shm"), reason="this machine keeps no folder in memory there")
def test_this_machines_memory_is_known_as_such() -> None:
    assert shelter_of(Path("/dev/shm")) == "memory"


def test_a_sheltered_folder_is_all_right() -> None:
    for shelter in ("memory", "encrypted disk"):
        row = clear_row(Path("/mnt/views"), shelter, there=True)  # type: ignore[arg-type]
        assert (row.state, row.do, shelter in row.says) == ("ok", None, True)
