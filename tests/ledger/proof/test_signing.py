"""The signing key is made once, for its owner alone, away from the ledger; and what it signs, others can check."""

from __future__ import annotations

import base64
import os
import stat
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ledger.proof.checkpoint import Checkpoint, key_id, note_of, origin_of, parse_vkey, text_of
from ledger.proof.signing import SigningError, create_key, load_key, sign
from projections.bundle.verify_bundle import Wrong, check_note, ed25519_verify

NAME = "example.com/ledger"
LEDGER = "5f" * 16
TEXT = text_of(
    Checkpoint(origin_of(LEDGER), LEDGER, 3, bytes(range(32)), bytes(32), datetime(2026, 11, 23, 16, tzinfo=UTC))
)

GO_KEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_SIGNATURE = (
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
"""The key, the note and its signature that Go's note package shows as its example."""


@pytest.fixture(autouse=True)
def _usual_rights() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def key_file(folder: Path, content: str | bytes, mode: int = 0o600) -> Path:
    path = folder / "written.key"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return path


def assert_refused(told: pytest.ExceptionInfo[SigningError], *words: str) -> None:
    """One sentence and a hint; nothing of a key."""
    for text in (str(told.value), told.value.hint):
        assert text
        assert "\n" not in text
        assert "PRIVATE" not in text
    for word in words:
        assert word in f"{told.value} {told.value.hint}"


def test_what_a_new_key_signs_is_checked_with_the_line_it_was_made_with(tmp_path: Path) -> None:
    vkey = create_key(tmp_path / "own" / "signing.key", NAME)
    key = load_key(tmp_path / "own" / "signing.key")
    note = note_of(TEXT, sign(TEXT, key))
    assert check_note(note, vkey).size == 3
    assert (key.vkey, key.name) == (vkey, NAME)
    with pytest.raises(Wrong):
        check_note(note.replace(b"\n3\n", b"\n4\n"), vkey)


def test_the_file_is_its_owners_alone_whatever_the_usual_rights_are(tmp_path: Path) -> None:
    for number, mask in enumerate((0o000, 0o022, 0o277)):
        os.umask(mask & 0o077)
        folder = tmp_path / f"own-{number}"
        folder.mkdir(0o700)
        os.umask(mask)
        create_key(folder / "signing.key", NAME)
        assert rights(folder / "signing.key") == 0o600


def test_a_new_folder_is_its_owners_alone(tmp_path: Path) -> None:
    create_key(tmp_path / "own" / "signing.key", NAME)
    assert rights(tmp_path / "own") == 0o700


def test_a_folder_that_was_there_keeps_its_rights(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(0o755)
    create_key(tmp_path / "shared" / "signing.key", NAME)
    assert rights(tmp_path / "shared") == 0o755


def test_the_file_is_one_private_key_line(tmp_path: Path) -> None:
    vkey = create_key(tmp_path / "signing.key", NAME)
    [line, rest] = (tmp_path / "signing.key").read_text(encoding="utf-8").split("\n")
    assert rest == ""
    private, key, name, mark, value = line.split("+", 4)
    assert (private, key, name) == ("PRIVATE", "KEY", NAME)
    assert mark == parse_vkey(vkey).key_id.hex()
    assert len(base64.b64decode(value)) == 33
    assert base64.b64decode(value)[0] == 1


def test_every_key_is_another(tmp_path: Path) -> None:
    assert create_key(tmp_path / "one.key", NAME) != create_key(tmp_path / "two.key", NAME)


def test_the_key_of_go_s_example_signs_go_s_example(tmp_path: Path) -> None:
    key = load_key(key_file(tmp_path, GO_KEY + "\n"))
    assert key.vkey == GO_VKEY
    assert sign(GO_TEXT, key) == GO_SIGNATURE
    raw = base64.b64decode(GO_SIGNATURE.split(" ")[2])
    assert ed25519_verify(parse_vkey(GO_VKEY).public, GO_TEXT.encode(), raw[4:])


def test_a_key_does_not_show_itself(tmp_path: Path) -> None:
    key = load_key(key_file(tmp_path, GO_KEY + "\n"))
    secret = base64.b64decode(GO_KEY.split("+", 4)[4])[1:]
    for shown in (repr(key), str(key)):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
        assert GO_KEY[-20:] not in shown


@pytest.mark.parametrize("taken", ["a key", "something else", "a folder", "a link to nowhere"])
def test_what_is_there_already_is_left_as_it_is(tmp_path: Path, taken: str) -> None:
    path = tmp_path / "signing.key"
    if taken == "a key":
        create_key(path, NAME)
    elif taken == "a folder":
        path.mkdir()
    elif taken == "a link to nowhere":
        path.symlink_to(tmp_path / "nowhere")
    else:
        path.write_text("mine", encoding="utf-8")
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(SigningError) as told:
        create_key(path, NAME)
    assert_refused(told, "already")
    assert (path.read_bytes() if path.is_file() else None) == before
    assert not (tmp_path / "nowhere").exists()


def test_a_key_that_cannot_be_written_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in (tmp_path / "file" / "signing.key", tmp_path / "file" / "deeper" / "signing.key"):
        with pytest.raises(SigningError) as told:
            create_key(path, NAME)
        assert_refused(told, "place")


def test_a_key_that_did_not_reach_the_disk_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SigningError) as told:
        create_key(tmp_path / "signing.key", NAME)
    assert_refused(told, "No space left")
    assert list(tmp_path.iterdir()) == []


def test_the_key_and_its_folder_are_on_disk_before_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[tuple[int, int]] = []
    true_fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_ino, os.fstat(descriptor).st_size))
        true_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    path = tmp_path / "signing.key"
    create_key(path, NAME)
    assert synced[0] == (path.stat().st_ino, path.stat().st_size)
    assert [inode for inode, _ in synced[1:]] == [tmp_path.stat().st_ino]


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\udcff"])
def test_a_key_without_a_proper_name_is_not_made(tmp_path: Path, name: str) -> None:
    with pytest.raises(SigningError) as told:
        create_key(tmp_path / "own" / "signing.key", name)
    assert_refused(told, "name")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(SigningError) as told:
        load_key(tmp_path / "signing.key")
    assert_refused(told, "--init-key")
    assert str(told.value) == f"there is no signing key at {tmp_path / 'signing.key'}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o644])
def test_a_key_that_is_open_to_others_is_not_used(tmp_path: Path, mode: int) -> None:
    with pytest.raises(SigningError) as told:
        load_key(key_file(tmp_path, GO_KEY + "\n", mode))
    assert_refused(told, "open to others", "chmod 600")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_a_key_of_its_owner_alone_is_used(tmp_path: Path, mode: int) -> None:
    assert load_key(key_file(tmp_path, GO_KEY + "\n", mode)).name == "PeterNeumann"


SEED = base64.b64decode(GO_KEY.split("+", 4)[4])[1:]


def key_line(seed: bytes, mark: str = "c74f20a3", name: str = "PeterNeumann") -> str:
    return f"PRIVATE+KEY+{name}+{mark}+{base64.b64encode(seed).decode()}\n"


NO_KEYS = {
    "nothing": "",
    "one byte": "P",
    "the public half": GO_VKEY + "\n",
    "no newline": GO_KEY,
    "two newlines": GO_KEY + "\n\n",
    "a line before": "\n" + GO_KEY + "\n",
    "a carriage return": GO_KEY + "\r\n",
    "a space after": GO_KEY + " \n",
    "no name": GO_KEY.replace("PeterNeumann+", "") + "\n",
    "no seed": "PRIVATE+KEY+PeterNeumann+c74f20a3+\n",
    "a seed cut short": key_line(b"\1" + SEED[:-1]),
    "a seed too long": key_line(b"\1" + SEED + b"\0"),
    "another kind of key": key_line(b"\2" + SEED),
    "no base64": GO_KEY[:-1] + "!\n",
    "letters of another script": GO_KEY[:-1] + "ä\n",
    "no UTF-8": b"PRIVATE+KEY+\xff\n",
    "another program's key": "-----BEGIN PRIVATE KEY-----\n",
    "very much": GO_KEY + "\n" * 5000,
}


def test_the_files_below_are_no_keys_for_one_reason_only(tmp_path: Path) -> None:
    assert load_key(key_file(tmp_path, key_line(b"\1" + SEED))).vkey == GO_VKEY


@pytest.mark.parametrize("case", NO_KEYS)
def test_a_file_that_holds_no_key_is_told_plainly(tmp_path: Path, case: str) -> None:
    with pytest.raises(SigningError) as told:
        load_key(key_file(tmp_path, NO_KEYS[case]))
    assert_refused(told, "does not hold a signing key")


@pytest.mark.parametrize(
    "line",
    [
        key_line(b"\1" + SEED, mark="c74f20a4"),
        key_line(b"\1" + SEED, mark="C74F20A3"),
        key_line(b"\1" + SEED, mark=""),
        key_line(b"\1" + SEED, name="PeterNewmann"),
        key_line(b"\1" + SEED[::-1]),
        GO_KEY + "x",
    ],
    ids=["another mark", "in capitals", "no mark", "another name", "another seed", "another end"],
)
def test_a_damaged_key_is_found_out_by_its_mark(tmp_path: Path, line: str) -> None:
    with pytest.raises(SigningError) as told:
        load_key(key_file(tmp_path, line))
    assert_refused(told, "damaged")


def test_a_key_under_an_impossible_name_is_no_key(tmp_path: Path) -> None:
    line = key_line(b"\1" + SEED, key_id("a b", parse_vkey(GO_VKEY).public).hex(), "a b")
    with pytest.raises(SigningError) as told:
        load_key(key_file(tmp_path, line))
    assert_refused(told, "does not hold a signing key")


def test_a_folder_and_a_pipe_are_no_keys(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir(0o700)
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("folder", "pipe"):
        with pytest.raises(SigningError) as told:
            load_key(tmp_path / name)
        assert_refused(told, "does not hold a signing key")


def test_a_key_that_cannot_be_opened_is_told_plainly(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SigningError) as told:
        load_key(tmp_path / "file" / "signing.key")
    assert_refused(told, "cannot be read")


def test_a_key_beside_the_ledger_is_neither_made_nor_used(tmp_path: Path) -> None:
    ledger, away = tmp_path / "ledger", tmp_path / "ledger-keys"
    ledger.mkdir()
    create_key(away / "signing.key", NAME, away_from=ledger)
    load_key(away / "signing.key", away_from=ledger)
    (ledger / "link.key").symlink_to(away / "signing.key")
    create_key(ledger / "beside.key", NAME)
    (away / "link.key").symlink_to(ledger / "beside.key")
    (tmp_path / "alias").symlink_to(ledger)
    for path in (
        ledger / "beside.key",
        ledger / "deeper" / "signing.key",
        ledger / "link.key",
        away / "link.key",
        away / ".." / "ledger" / "beside.key",
        tmp_path / "alias" / "beside.key",
    ):
        with pytest.raises(SigningError) as told:
            load_key(path, away_from=ledger)
        assert_refused(told, "inside the ledger's folder", "another folder")
        with pytest.raises(SigningError) as told:
            create_key(path, NAME, away_from=ledger)
        assert_refused(told, "inside the ledger's folder")
    assert not (ledger / "deeper").exists()
    with pytest.raises(SigningError):
        load_key(ledger / "beside.key", away_from=tmp_path / "alias")


def test_no_file_is_left_open(tmp_path: Path) -> None:
    create_key(tmp_path / "first.key", NAME)
    before = len(os.listdir("/dev/fd"))
    create_key(tmp_path / "signing.key", NAME)
    load_key(tmp_path / "signing.key")
    with pytest.raises(SigningError):
        load_key(key_file(tmp_path, GO_KEY + "\n", 0o644))
    assert len(os.listdir("/dev/fd")) == before


def test_without_the_library_the_hint_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    with pytest.raises(SigningError) as told:
        create_key(tmp_path / "own" / "signing.key", NAME)
    assert_refused(told, "cryptography", "pip install 'episode-ledger[crypto]'")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SigningError) as told:
        load_key(key_file(tmp_path, GO_KEY + "\n"))
    assert_refused(told, "cryptography", "pip install 'episode-ledger[crypto]'")
