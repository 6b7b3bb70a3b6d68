"""``checkpoint`` and ``verify`` on the command line: how they end, what they say, and how the key is kept."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ledger.proof.checkpoint import parse_note, parse_vkey
from ledger.recorders.sqlite.prove import prove
from tests.attacks import Copy, reseal_everything, rewrite
from tests.command_line import Ended, House, assert_plain, example, told
from tests.witness import SEEN_AT, cosigned

NAME = "pharmacy.example/ledger"


class Place(House):
    """A ledger, and a folder of settings of its own."""

    def __init__(self, folder: Path) -> None:
        inner = folder / "house"
        inner.mkdir()
        super().__init__(inner)
        self.settings, self.away = folder / "settings", folder / "away"
        self.away.mkdir()
        self.key = self.settings / "episode-ledger" / "signing.key"

    def run(self, *args: object, **more: Any) -> Ended:
        env = {"XDG_CONFIG_HOME": str(self.settings)} | more.pop("env", {})
        return super().run(*args, env=env, **more)

    def checkpoint(self, name: str = "one.checkpoint") -> Path:
        file = self.away / name
        assert self.run("checkpoint", "--out", file).status == 0
        return file

    def attack(self, attack: Any) -> None:
        with closing(sqlite3.connect(self.ledger)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        clean = self.away / "clean.db"
        shutil.copyfile(self.ledger, clean)
        copy = Copy.of(clean)
        attack(copy, Random(1))
        copy.write(clean, self.ledger)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A ledger with entries, and a key."""
    made = Place(tmp_path)
    assert made.tell(*example()).status == 0
    assert made.run("checkpoint", "--init-key", "--name", NAME).status == 0
    return made


def test_a_key_is_made_once_for_its_owner_alone_and_its_verifier_key_printed(tmp_path: Path) -> None:
    place = Place(tmp_path)
    made = place.run("checkpoint", "--init-key", "--name", NAME)
    assert made.status == 0
    assert parse_vkey(made.out.decode().strip()).name == NAME
    assert stat.S_IMODE(place.key.stat().st_mode) == 0o600
    assert Path(f"{place.key}.pub").read_bytes() == made.out
    assert str(place.key) in made.err
    key = place.key.read_bytes()
    assert_plain(place.run("checkpoint", "--init-key"), 2, "already")
    Path(f"{place.key}.pub").unlink()
    assert_plain(place.run("checkpoint", "--init-key"), 2, "already")
    assert place.key.read_bytes() == key


def test_a_verifier_key_that_is_left_over_is_not_overwritten(tmp_path: Path) -> None:
    place = Place(tmp_path)
    left = place.away / "k.pub"
    left.write_text("kept\n")
    assert_plain(place.run("checkpoint", "--init-key", "--key", place.away / "k"), 2, "left as it is")
    assert left.read_text() == "kept\n"
    assert not (place.away / "k").exists()


def test_a_checkpoint_goes_to_standard_output_or_to_a_new_file(place: Place) -> None:
    printed = place.run("checkpoint")
    assert (printed.status, printed.err) == (0, "")
    note = parse_note(printed.out)
    assert note.checkpoint.size == len(example())
    assert [each.name for each in note.signatures] == [NAME]
    file = place.checkpoint()
    assert parse_note(file.read_bytes()).checkpoint.root == note.checkpoint.root
    kept = file.read_bytes()
    assert_plain(place.run("checkpoint", "--out", file), 2, "is there already")
    assert file.read_bytes() == kept
    (place.away / "link").symlink_to(place.away / "nowhere")
    assert_plain(place.run("checkpoint", "--out", place.away / "link"), 2, "is there already")
    assert_plain(place.run("checkpoint", "--out", place.away / "none" / "x"), 2)


@pytest.mark.sqlite_file
def test_a_file_that_came_while_it_walked_is_not_overwritten(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    file = place.away / "mine"

    def walk_while_another_writes(*args: Any) -> Any:
        file.write_text("another's")
        return prove(*args)

    monkeypatch.setattr("commands.verbs.checkpoint.prove", walk_while_another_writes)
    assert_plain(place.run("checkpoint", "--out", file), 2, "is there already")
    assert file.read_text() == "another's"


def test_a_ledger_that_holds_is_verified_with_its_checkpoints(place: Place) -> None:
    one = place.checkpoint("one.checkpoint")
    place.tell(told("later"))
    two = place.checkpoint("two.checkpoint")
    ended = place.run("verify", "--checkpoint", one, "--checkpoint", two)
    assert (ended.status, ended.err) == (0, "")
    assert [(row["subject"], row["result"], row["signature"]) for row in ended.rows] == [
        ("ledger", "holds", None), (str(one), "holds", "good"), (str(two), "holds", "good"),
    ]  # fmt: skip
    ledger, first, second = ended.rows
    assert ledger["entries"] == second["entries"] == first["entries"] + 1
    assert (ledger["head"], ledger["root"]) == (second["head"], second["root"]) != (first["head"], first["root"])
    assert f"\n{second['root']}\n" in two.read_text()
    assert list(ledger) == [
        "subject", "result", "signature", "ledger", "entries", "head", "root", "time", "position", "message",
        "witnesses",
    ]  # fmt: skip


def test_without_a_checkpoint_it_says_what_cannot_be_told(place: Place) -> None:
    ended = place.run("verify")
    assert ended.status == 0
    assert ended.err == (
        "Without a checkpoint kept elsewhere, a ledger rewritten and sealed anew as a whole, or an older copy put back,"
        " cannot be told.\n"
    )
    table = place.run("verify", tty=True)
    assert table.out.decode().split()[:3] == ["subject", "result", "entries"]  # no empty columns
    assert b"holds" in place.run("verify", "--format", "csv").out


@pytest.mark.sqlite_file
def test_a_rewritten_entry_is_named_and_nothing_is_signed(place: Place) -> None:
    place.attack(rewrite)
    ended = place.run("verify")
    assert ended.status == 1
    sentence, unseen, hint = ended.err.splitlines()
    (row,) = ended.rows
    assert row["result"] == "wrong"
    assert sentence.lower() == f"{row['message'].lower()}."
    assert f"ntry {row['position']} was changed" in sentence
    assert unseen.startswith("Without a checkpoint")
    assert hint.startswith("hint: ")
    signing = place.run("checkpoint", "--out", place.away / "never")
    assert (signing.status, signing.out) == (1, b"")
    assert signing.err.startswith("Nothing was signed: entry ")
    assert not (place.away / "never").exists()


@pytest.mark.sqlite_file
def test_a_ledger_sealed_anew_is_found_by_its_checkpoint(place: Place) -> None:
    file = place.checkpoint()
    place.attack(reseal_everything)
    assert place.run("verify").status == 0
    ended = place.run("verify", "--checkpoint", file)
    assert ended.status == 1
    assert [row["result"] for row in ended.rows] == ["wrong", "fails"]
    assert ended.rows[0]["position"] == 1
    assert "something was changed and sealed anew" in ended.err
    assert "Without a checkpoint" not in ended.err


def test_a_checkpoint_of_another_ledger_is_told(place: Place, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Place(tmp_path / "other")
    other.settings = place.settings
    other.tell(*example())
    ended = place.run("verify", "--checkpoint", other.checkpoint())
    assert ended.status == 1
    assert ended.rows[1]["result"] == "other_ledger"
    assert "of another ledger" in ended.err


def test_only_the_signers_signature_counts(place: Place) -> None:
    file = place.checkpoint()
    other = place.run("checkpoint", "--init-key", "--name", NAME, "--key", place.away / "k").out.decode().strip()
    own = Path(f"{place.key}.pub").read_text().strip()
    for signer, status, signature in ((own, 0, "good"), (other, 1, "unknown_key"), (f"{place.key}.pub", 0, "good")):
        ended = place.run("verify", "--checkpoint", file, "--signer", signer)
        assert (ended.status, ended.rows[1]["signature"]) == (status, signature)
    assert place.run("verify", "--checkpoint", file, env={"EPISODE_LEDGER_KEY": str(place.away / "k")}).status == 1
    Path(f"{place.key}.pub").unlink()
    assert place.run("verify", "--checkpoint", file).rows[1]["signature"] == "good"
    place.key.unlink()
    unchecked = place.run("verify", "--checkpoint", file)
    assert (unchecked.status, unchecked.rows[1]["signature"]) == (0, "not_checked")
    assert "signatures were not checked: name the signer with --signer" in unchecked.err


def test_a_checkpoint_that_was_changed_is_told_and_the_ledger_not_held_to_it(place: Place) -> None:
    file = place.checkpoint()
    file.write_text(file.read_text().replace("\ntime 20", "\ntime 19"))
    ended = place.run("verify", "--checkpoint", file)
    assert ended.status == 1
    assert [(row["result"], row["signature"]) for row in ended.rows] == [("holds", None), ("not_compared", "bad")]
    assert "its signature does not hold" in ended.err
    assert "Without a checkpoint" in ended.err
    other = place.run("verify", "--checkpoint", file, "--signer", other_key(place))
    assert other.rows[1]["result"] == "not_compared"
    assert "not signed by the key that counts" in other.err


def other_key(place: Place) -> str:
    return place.run("checkpoint", "--init-key", "--key", place.away / "other").out.decode().strip()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\xff\n\n", "— x y\n".encode()])
def test_a_file_that_is_no_checkpoint_is_wrong(place: Place, content: bytes) -> None:
    file = place.away / "garbage"
    file.write_bytes(content)
    assert_plain(place.run("verify", "--checkpoint", file), 2, str(file))
    assert_plain(place.run("verify", "--checkpoint", place.away / "missing"), 2, "does not exist")
    assert_plain(place.run("verify", "--checkpoint", place.away), 2)


@pytest.mark.parametrize("signer", ["nobody", "", "a+b+c", "x\0y"])
def test_a_signer_that_is_none_is_wrong(place: Place, signer: str) -> None:
    assert_plain(place.run("verify", "--signer", signer), 2, "neither a verifier key nor a file")


def test_a_signer_file_that_holds_none_is_wrong(place: Place) -> None:
    for content in (b"nothing", b"\xff"):
        (place.away / "vkey").write_bytes(content)
        assert_plain(place.run("verify", "--signer", place.away / "vkey"), 2, "not a verifier key")


def test_a_key_open_to_others_is_refused(place: Place) -> None:
    place.key.chmod(0o644)
    assert_plain(place.run("checkpoint"), 2, "open to others")


def test_a_missing_key_says_how_to_make_one(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.tell(*example())
    assert_plain(place.run("checkpoint"), 2, "no signing key", "checkpoint --init-key")


@pytest.mark.sqlite_file
def test_a_key_inside_the_ledgers_folder_is_refused_also_through_a_link(place: Place) -> None:
    inside = place.folder / "signing.key"
    shutil.copy(place.key, inside)
    assert_plain(place.run("checkpoint", "--key", inside), 2, "inside the ledger's folder")
    link = place.away / "link.key"
    link.symlink_to(inside)
    assert_plain(place.run("checkpoint", "--key", link), 2, "inside the ledger's folder")
    assert_plain(place.run("checkpoint", "--init-key", "--key", place.folder / "new"), 2, "inside the ledger's folder")
    door = place.away / "door"
    door.symlink_to(place.folder)
    assert_plain(place.run("checkpoint", "--init-key", "--key", door / "new"), 2, "inside the ledger's folder")
    assert not (place.folder / "new").exists()


def test_options_that_do_not_go_together_are_refused(place: Place) -> None:
    assert_plain(place.run("checkpoint", "--init-key", "--out", place.away / "x"), 2, "only makes the key")
    assert_plain(place.run("checkpoint", "--name", "x"), 2, "--init-key")
    assert_plain(place.run("checkpoint", "--init-key", "--name", "two words", "--key", place.away / "k"), 2, "spaces")


@pytest.mark.sqlite_file
def test_no_ledger_is_no_proof(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert_plain(place.run("verify"), 2, "there is no ledger")
    place.ledger.write_bytes(b"no database, and long enough to be taken for one" * 50)
    ended = place.run("verify")
    assert ended.status == 1
    assert ended.err.startswith("The file is damaged at its beginning")


def test_an_empty_ledger_has_a_checkpoint_that_holds_later(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.run("record", os.devnull).status == 0
    place.run("checkpoint", "--init-key")
    file = place.checkpoint()
    assert parse_note(file.read_bytes()).checkpoint.size == 0
    assert place.run("verify", "--checkpoint", file).status == 0
    place.tell(*example())
    assert place.run("verify", "--checkpoint", file).rows[1]["result"] == "holds"


class TestWitnesses:
    """``verify --witness``: whose cosignature a checkpoint must bear, besides the signer's."""

    def witnessed(self, place: Place, at: int = SEEN_AT) -> tuple[Path, str]:
        file = place.checkpoint()
        note, witness = cosigned(file.read_bytes(), at=at)
        file.write_bytes(note)
        return file, witness

    def test_one_that_is_there_is_told_with_its_time(self, place: Place) -> None:
        file, witness = self.witnessed(place)
        (place.away / "witness.vkey").write_text(f"{witness}\n")
        for given in (witness, place.away / "witness.vkey"):
            ended = place.run("verify", "--checkpoint", file, "--witness", given)
            assert ended.status == 0, ended.err
            assert ended.rows[1]["witnesses"] == ["witness.example/w 2026-11-18T11:06:40Z"]
            assert "one.checkpoint: cosigned by witness.example/w 2026-11-18T11:06:40Z, by" in ended.err
        assert place.run("verify", "--checkpoint", file).rows[1]["witnesses"] == []

    def test_a_time_that_there_is_not_is_told_as_it_stands(self, place: Place) -> None:
        file, witness = self.witnessed(place, 2**63)
        (_, row) = place.run("verify", "--checkpoint", file, "--witness", witness).rows
        assert row["witnesses"] == [f"witness.example/w {2**63} seconds since 1970"]

    def test_one_that_is_not_there_or_does_not_hold_ends_with_1(self, place: Place) -> None:
        file, witness = self.witnessed(place)
        _, stranger = cosigned(file.read_bytes(), "other.example/w")
        ended = place.run("verify", "--checkpoint", file, "--witness", witness, "--witness", stranger)
        assert (ended.status, ended.rows[1]["result"]) == (1, "holds")
        assert "one.checkpoint: the checkpoint does not bear the cosignature of other.example/w" in ended.err
        assert place.tell(told("more")).status == 0
        later = place.checkpoint("two.checkpoint").read_bytes()
        file.write_bytes(later + file.read_bytes().splitlines(keepends=True)[-1])  # of another checkpoint
        ended = place.run("verify", "--checkpoint", file, "--witness", witness)
        assert ended.status == 1
        assert "the cosignature of witness.example/w does not hold" in ended.err

    def test_what_is_no_witness_is_refused_and_none_without_a_checkpoint(self, place: Place) -> None:
        file, witness = self.witnessed(place)
        assert_plain(place.run("verify", "--witness", witness), 2, "--witness belongs to --checkpoint")
        own = place.key.with_name("signing.key.pub").read_text().strip()
        for none in (own, "nobody"):
            assert_plain(place.run("verify", "--checkpoint", file, "--witness", none), 2, "not a verifier key")
