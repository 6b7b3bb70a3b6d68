"""A bundle of an encrypted ledger proves its entries to whoever has no key; a plain one stays as it was."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ledger.book import load_book
from ledger.keys.cipher import create_master_key, load_master_key
from ledger.recorders import StoreError
from ledger.recorders.by_name.proving import prove_entries
from ledger.store import open_ledger
from projections.bundle import bundle as bundling
from projections.bundle import verify_bundle
from projections.bundle.zip import zip_of
from tests.command_line import Ended, House, assert_plain, told
from tests.projections.bundle.bundles import (
    AT,
    LAST,
    LATER,
    ODD,
    Entries,
    Members,
    Sender,
    as_folder,
    fixed,
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
from tests.tiers import many

pytestmark = pytest.mark.sqlite_file

_SEAL = re.compile(rb"\b[0-9a-f]{64}\b")
SEALED = 7
"""The version of the entry that is forged."""


class Locked(House):
    """A house whose every command is told of a master key."""

    def __init__(self, folder: Path, key: Path) -> None:
        super().__init__(folder)
        self.master_key = key

    def run(self, *args: object, **more: Any) -> Ended:
        """One command with the key."""
        return super().run(*args, env={"EPISODE_MASTER_KEY_FILE": str(self.master_key)} | more.pop("env", {}), **more)


class Keeper(Sender):
    """A sender whose ledger is encrypted."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        (self.folder / "locked").mkdir()
        self.master_key = self.folder / "keys" / "master.key"
        create_master_key(self.master_key)
        self.house: Locked = Locked(self.folder / "locked", self.master_key)


def tell_all(sender: Sender) -> None:
    """EP-1 of P-1; EP-2 of the same patient and EP-9 of another are nobody's business."""
    tell(sender.house, of_another("EP-9", "ZZ-patient"), AT)
    tell(sender.house, of_ep_1(), AT)
    tell(sender.house, of_another("EP-2", "P-1"), LATER)
    tell(sender.house, [told("later", {"type": "CoordinationNoted", "date": "2026-02-03"})], LAST)


@pytest.fixture(scope="module")
def keeper(tmp_path_factory: pytest.TempPathFactory) -> Keeper:
    keeper = Keeper(tmp_path_factory.mktemp("keeper"))
    tell_all(keeper)
    return keeper


@pytest.fixture(scope="module")
def members(keeper: Keeper) -> Members:
    return keeper.members("EP-1")


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Members:
    """The bundle of a ledger in the open in which the same stands."""
    sender = Sender(tmp_path_factory.mktemp("sender"))
    tell_all(sender)
    return sender.members("EP-1")


@pytest.fixture
def check(tmp_path: Path, keeper: Keeper, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The check of a bundle, here in this process: how it ended, and what it printed."""

    def checked(bundle: Members) -> tuple[int, str]:
        place = tmp_path / "received.zip"
        place.write_bytes(zip_of(bundle))
        status = verify_bundle.main([str(place), "--signer", keeper.vkey])
        return status, capsys.readouterr().out

    return checked


# ---- What is in it ----


def test_it_is_proven_by_python_alone_to_whoever_has_no_key(keeper: Keeper, members: Members, tmp_path: Path) -> None:
    (tmp_path / "verify_bundle.py").write_bytes(members["verify_bundle.py"])
    (tmp_path / "EP-1.zip").write_bytes(zip_of(members))
    as_folder(members, tmp_path / "unpacked")
    for bundle in ("EP-1.zip", "unpacked"):
        done = run_alone(sys.executable, tmp_path, "-I", "-S", "verify_bundle.py", bundle, "--signer", keeper.vkey)
        assert (done.returncode, done.stderr, done.stdout.splitlines()[-1]) == (0, "", "PROVEN")
        assert "EP-1: the ledger stores it encrypted; its texts have the hashes on their envelopes" in done.stdout


def test_an_entry_is_its_envelope_and_its_text_both_to_the_letter(keeper: Keeper, members: Members) -> None:
    with closing(sqlite3.connect(keeper.house.ledger)) as file:
        stored = file.execute(
            "SELECT position, originator_id, originator_version, topic, state FROM entries"
            " WHERE originator_id = 'EP-1' ORDER BY position"
        ).fetchall()
    with open_ledger(keeper.house.ledger, create=False, master=load_master_key(keeper.master_key)) as ledger:
        opened = [row[4] for row in ledger.scan() if row[1] == "EP-1"]
    found = rows(members["entries/1.jsonl"])
    assert [list(entry) for entry in found] == [[*verify_entry_fields(), "content"]] * len(stored)
    assert [tuple(entry.values())[:5] for entry in found] == stored
    assert [entry["content"] for entry in found] == opened
    for entry in found:
        assert hashlib.sha256(entry["content"].encode()).hexdigest() == json.loads(entry["state"])["content"]


def verify_entry_fields() -> list[str]:
    """The fields of an entry of a plain bundle, in their order."""
    return ["position", "episode", "version", "topic", "state", "proof"]


def test_no_key_and_nobody_elses_data_is_in_it(keeper: Keeper, members: Members) -> None:
    secret = bytes.fromhex(keeper.master_key.read_text())
    with closing(sqlite3.connect(keeper.house.ledger)) as file:
        wrapped = [row[0] for row in file.execute("SELECT wrapped FROM keys")]
        others = [row[0] for row in file.execute("SELECT id FROM keys WHERE episode <> 'EP-1'")]
        hidden = [row[0] for row in file.execute("SELECT patient FROM patients")]
        sealed = [row[0] for row in file.execute("SELECT state FROM entries WHERE originator_id <> 'EP-1'")]
    assert (len(wrapped), len(others)) == (3, 2)
    whole = zip_of(members)
    for key in (secret, *wrapped):
        for form in (key, key.hex().encode(), key.hex().upper().encode(), base64.b64encode(key)):
            assert form not in whole
    readable = whole.replace(members["book/codes.json"], b"")
    for mark in (*others, *hidden, "ZZ-", *(json.loads(state)["sealed"] for state in sealed)):
        assert mark.encode() not in readable


def test_what_is_derived_is_the_same_as_from_a_ledger_in_the_open(members: Members, plain: Members) -> None:
    derived = [name for name in plain if name.startswith(("verdicts/", "claimed/", "book/"))]
    assert len(derived) == 5
    assert {name: members[name] for name in derived} == {name: plain[name] for name in derived}
    assert members.keys() == plain.keys()
    names = [json.loads(each["manifest.json"])["ledger"].encode() for each in (members, plain)]
    pages = [each["report/1.html"].replace(name, b"") for each, name in zip((members, plain), names, strict=True)]
    assert _SEAL.sub(b"", pages[0]) == _SEAL.sub(b"", pages[1])


def test_as_known_at_an_instant_and_as_of_a_checkpoint(
    keeper: Keeper, check: Callable[..., Any], tmp_path: Path
) -> None:
    then = keeper.members("EP-1", "--known-at", AT)
    assert check(then)[0] == 0
    moved = json.loads(then["manifest.json"]) | {"known_at": "2026-03-01T11:59:59.999999Z"}
    status, said = check(fixed(then, moved))
    assert (status, "recorded after the instant" in said) == (1, True)
    kept = tmp_path / "kept"
    assert keeper.house.run("checkpoint", "--key", keeper.key, "--out", kept).status == 0
    brought = keeper.members("EP-1", "EP-2", "--checkpoint", kept)
    assert (check(brought)[0], brought["checkpoint.txt"]) == (0, kept.read_bytes())


def test_its_readme_says_how_such_entries_are_proven(members: Members, plain: Members) -> None:
    assert b"How the entries of an encrypted ledger are proven" in members["README.txt"]
    assert b"encrypted" not in plain["README.txt"]


def test_without_the_key_no_bundle_is_made(keeper: Keeper, tmp_path: Path) -> None:
    out = tmp_path / "x.zip"
    ended = House.run(keeper.house, "bundle", "EP-1", "--key", keeper.key, "--out", out)
    assert_plain(ended, 2, "this ledger is encrypted", "--master-key")
    assert not out.exists()


def test_a_forgotten_patient_stands_between_and_hinders_nothing(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path)
    tell(keeper.house, of_ep_1(), AT)
    tell(keeper.house, of_another("EP-9", "ZZ-patient"), AT)
    kept, out = tmp_path / "kept", tmp_path / "out.zip"
    assert keeper.house.run("checkpoint", "--key", keeper.key, "--out", kept).status == 0
    size = len(of_ep_1()) + len(of_another("EP-9", "ZZ-patient"))
    forgotten = keeper.house.run("forget", "ZZ-patient", "--reason", "request 7", "--by", "officer", "--yes")
    assert forgotten.status == 0, forgotten
    for of_what in ((), ("--checkpoint", kept)):
        members = keeper.members("EP-1", *of_what)
        out.write_bytes(zip_of(members))
        assert verify_bundle.main([str(out), "--signer", keeper.vkey]) == 0
        readable = out.read_bytes().replace(members["book/codes.json"], b"")
        assert [mark for mark in (b"ZZ-", b"EP-9", b"request 7") if mark in readable] == []
    out.unlink()
    assert_plain(keeper.bundle("EP-9", "--out", out), 2, "was forgotten with its patient")
    assert not out.exists()
    with open_ledger(keeper.house.ledger, create=False, master=load_master_key(keeper.master_key)) as ledger:
        assert ledger.position() == size + 1
        with pytest.raises(StoreError, match=f"entry {size} was forgotten"):
            bundling.time_of(ledger, size)


# ---- A plain bundle stays as it was ----

BEFORE = {
    "README.txt": "99d7059e04cfdb86be6343d930c3f7beaf017d46992133d821deed8540cae99c",
    "entries/1.jsonl": "aa6b32d972a9fedd7debc873899aa860a171196f6794eb6eb08ac3d341ad3fbb",
    "entries/2.jsonl": "774a456f2b85842ec1d98b30e6ed0886e9ea2d014efb3b53d96b5ca175d9d489",
}
"""SHA-256 of what a bundle of a plain ledger holds: the keys of others change nothing in it."""


def test_a_plain_bundle_is_byte_for_byte_what_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter(range(1_000))
    monkeypatch.setattr("ledger.recorders.sqlite.file.secrets.token_hex", lambda _: "5f" * 16)
    monkeypatch.setattr(
        "commands.outside.os.urandom", lambda size: hashlib.shake_256(str(next(numbers)).encode()).digest(size)
    )
    sender = Sender(tmp_path)
    tell(sender.house, of_another("EP-9", "ZZ-patient"), AT)
    tell(sender.house, of_ep_1(), AT)
    tell(sender.house, of_another("EP-2", "P-1"), LATER)
    made = sender.members("EP-1", "EP-2")
    assert {name: hashlib.sha256(made[name]).hexdigest() for name in BEFORE} == BEFORE


# ---- What the check refuses ----


def _changed(change: Callable[[dict[str, Any]], None]) -> Callable[[Entries], Entries]:
    def changed(entries: Entries) -> Entries:
        change(entries[SEALED - 1])
        return entries

    return changed


def _content(content: object) -> Callable[[Entries], Entries]:
    return _changed(lambda entry: entry.update(content=content))


def _retold(before: str, after: str) -> Callable[[Entries], Entries]:
    """The text told otherwise, beside the envelope that was signed."""

    def change(entry: dict[str, Any]) -> None:
        assert before in entry["content"]
        entry["content"] = entry["content"].replace(before, after)

    return _changed(change)


def _in_an_envelope(before: str, after: str) -> Callable[[Entries], Entries]:
    """The text told otherwise, and the envelope made to fit it."""

    def change(entry: dict[str, Any]) -> None:
        assert before in entry["content"]
        entry["content"] = entry["content"].replace(before, after)
        content = entry["content"].encode()
        envelope = json.loads(entry["state"]) | {
            "content": hashlib.sha256(content).hexdigest(),
            "sealed": base64.b64encode(bytes(len(content) + 28)).decode(),
        }
        entry["state"] = json.dumps(envelope, separators=(",", ":"))

    return _changed(change)


def _envelope(before: str, after: str) -> Callable[[Entries], Entries]:
    def change(entry: dict[str, Any]) -> None:
        assert before in entry["state"]
        entry["state"] = entry["state"].replace(before, after, 1)

    return _changed(change)


def _in_the_open(entry: dict[str, Any]) -> None:
    entry["state"] = entry["content"]


def _exchanged(entries: Entries) -> Entries:
    entries[6]["content"], entries[7]["content"] = entries[7]["content"], entries[6]["content"]
    return entries


FORGED: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "no content": (_changed(lambda entry: entry.pop("content")), "line 7: the entry is stored in an envelope, and"),
    "content that is none": (_content(None), "line 7: content is missing, or not what it must be"),
    "content that is a table": (_content({"fact": {}}), "line 7: content is missing, or not what it must be"),
    "other content": (_retold("2026-02-02", "2026-02-01"), "line 7: content does not have the SHA-256 that stands on"),
    "content with a space more": (_retold('":', '": '), "line 7: content does not have the SHA-256"),
    "two entries' contents exchanged": (_exchanged, "line 7: content does not have the SHA-256"),
    "the envelope's hash changed": (_envelope('"content":"', '"content":"0'), "line 7: the proof does not lead"),
    "a field more": (_changed(lambda entry: entry.update(more=1)), "line 7: not an entry"),
}


@pytest.mark.parametrize("forgery", FORGED)
def test_a_forged_entry_is_refused_though_the_manifest_was_made_to_fit(
    members: Members, check: Callable[..., Any], forgery: str
) -> None:
    change, reason = FORGED[forgery]
    status, said = check(with_entries(members, change))
    assert (status, said.splitlines()[-1].startswith("REFUSED: entries/1.jsonl")) == (1, True), said
    assert reason in said.splitlines()[-1], said


SIGNED: dict[str, tuple[Callable[[Entries], Entries], str]] = {
    "an envelope of another episode": (_envelope('"EP-1"', '"EP-2"'), "line 7: the envelope is another entry's"),
    "an envelope of another version": (_envelope('"version":7', '"version":8'), "line 7: the envelope is another"),
    "an envelope of another type": (_envelope('"DayServed"', '"PlanSigned"'), "line 7: the envelope is another"),
    "an envelope with a version that is text": (
        _envelope('"version":7', '"version":"7"'), "line 7, state: version is missing, or not what it must be",
    ),
    "an envelope with a version that is a fraction": (
        _envelope('"version":7', '"version":7.0'), "line 7, state: version is missing, or not what it must be",
    ),
    "an envelope with a key given twice": (_envelope('"key":', '"key":"x","key":'), "state: a key is given twice"),
    "an envelope with two hashes": (_envelope('"content":', '"content":"x","content":'), "state: a key is given twice"),
    "an envelope with a field more": (_envelope('{"', '{"fact":{},"'), "line 7: content is given, but the stored text"),
    "an envelope with a field less": (_envelope('"key":', '"kez":'), "line 7: content is given, but the stored text"),
    "an envelope in a list": (
        _changed(lambda entry: entry.update(state=f"[{entry['state']}]")), "line 7: content is given, but the stored",
    ),
    "a text in place of an envelope": (_changed(lambda entry: entry.update(state='"sealed"')), "line 7: content is"),
    "nothing in place of an envelope": (_changed(lambda entry: entry.update(state="null")), "line 7: content is given"),
    "an envelope that never ends": (_envelope('{"', '[{"'), "line 7, state: no JSON"),
    "an envelope with what is no JSON": (_envelope('"version":7', '"version":NaN'), "line 7, state: NaN is no JSON"),
    "an envelope that is cut off": (_envelope('"sealed"', ""), "line 7, state: no JSON"),
    "an envelope without its key's id": (_envelope('"key":"', '"key":1,"x":"'), "line 7: content is given, but the"),
    "another hash on the envelope": (_envelope('"content":"', '"content":"0'), "line 7: content does not have the SHA"),
    "a hash in capitals": (
        _changed(lambda entry: entry.update(state=_with_capitals(entry["state"]))), "line 7: content does not have the",
    ),
    "something shorter sealed": (_envelope('"sealed":"', '"sealed":"","x":"'), "line 7: content is given, but the"),
    "nothing sealed": (
        _changed(lambda entry: entry.update(state=entry["state"].split('"sealed"')[0] + '"sealed":""}')),
        "line 7: what is sealed in the envelope is not as long as its content",
    ),
    "what is sealed is no base64": (_envelope('"sealed":"', '"sealed":"*'), "line 7: what is sealed in the envelope"),
    "content beside a text in the open": (_changed(_in_the_open), "line 7: content is given, but the stored text is"),
    "an envelope without content": (_changed(lambda entry: entry.pop("content")), "line 7: the entry is stored in an"),
    "a text that says another episode": (_in_an_envelope('"EP-1"', '"EP-2"'), "line 7: the text of the envelope is"),
    "a text that says another version": (
        _in_an_envelope('"version":7', '"version":8'), "line 7: the text of the envelope is another entry's",
    ),
    "a text that says another type": (
        _in_an_envelope('"DayServed"', '"PlanSigned"'), "line 7: the text of the envelope is another entry's",
    ),
    "a text with a key given twice": (
        _in_an_envelope('"version":7', '"version":7,"version":7'), "line 7, content: a key is given twice",
    ),
    "a text with no time": (_in_an_envelope('"recorded_at"', '"recorded"'), "line 7: recorded_at is missing"),
    "a text that is no JSON": (_in_an_envelope('"fact":{', '"fact":[{'), "line 7, content: no JSON"),
    "a text that is a list": (_in_an_envelope("{", "[{"), "line 7, content: no JSON"),
}  # fmt: skip


def _with_capitals(state: str) -> str:
    content = str(json.loads(state)["content"])
    assert content != content.upper()
    return state.replace(content, content.upper())


@pytest.mark.parametrize("forgery", SIGNED)
def test_even_a_signed_envelope_must_be_that_of_its_entry_and_text(
    members: Members, keeper: Keeper, check: Callable[..., Any], forgery: str
) -> None:
    change, reason = SIGNED[forgery]
    status, said = check(signed_anew(members, change, keeper))
    assert (status, said.splitlines()[-1].startswith("REFUSED: entries/1.jsonl")) == (1, True), said
    assert reason in said.splitlines()[-1], said


def test_what_is_signed_anew_and_not_forged_is_proven(
    members: Members, keeper: Keeper, check: Callable[..., Any]
) -> None:
    assert check(signed_anew(members, lambda entries: entries, keeper))[0] == 0
    told_otherwise = _in_an_envelope("2026-02-02", "2026-02-01")  # what it says is nobody's to judge here
    assert check(signed_anew(members, told_otherwise, keeper))[0] == 0


def test_whatever_stands_where_something_else_should_is_refused_and_breaks_nothing(
    members: Members, keeper: Keeper, check: Callable[..., Any]
) -> None:
    chance = random.Random(8)
    entry = rows(members["entries/1.jsonl"])[SEALED - 1]
    for field in ("state", "content"):
        inner = json.loads(entry[field])
        for way in places(inner):
            for odd in chance.sample(ODD, 5):
                text = json.dumps(put(inner, way, odd), separators=(",", ":"))
                change = _changed(lambda each, field=field, text=text: each.update({field: text}))  # type: ignore[misc]
                status, said = check(signed_anew(members, change, keeper))
                unread = (field, *way) == ("state", "key") and type(odd) is str  # the key's id binds nobody here
                assert status == int(not unread), (field, way, odd, said)
                assert said.splitlines()[-1].startswith("PROVEN" if unread else "REFUSED: entries/1.jsonl"), said


def test_each_byte_of_an_entry_flipped_is_refused_even_with_a_manifest_that_fits(
    members: Members, check: Callable[..., Any]
) -> None:
    lines = members["entries/1.jsonl"].splitlines(keepends=True)
    chance, start = random.Random(5), sum(map(len, lines[:3]))
    for at in chance.sample(range(start, start + len(lines[3])), many(60, 200)):
        flipped = bytearray(members["entries/1.jsonl"])
        flipped[at] ^= 1 << chance.randrange(8)
        status, said = check(fixed(members | {"entries/1.jsonl": bytes(flipped)}))
        assert (status, said.splitlines()[-1].startswith("REFUSED: ")) == (1, True), at


def test_a_plain_bundle_with_content_beside_its_texts_is_refused(
    plain: Members, keeper: Keeper, check: Callable[..., Any]
) -> None:
    as_said = _changed(lambda entry: entry.update(content=entry["state"]))
    status, said = check(signed_anew(plain, as_said, keeper))
    assert (status, "line 7: content is given, but the stored text is no envelope" in said) == (1, True), said


# ---- What its maker refuses ----


def test_its_maker_holds_each_text_to_its_envelope_before_it_writes(keeper: Keeper) -> None:
    master = load_master_key(keeper.master_key)
    with open_ledger(keeper.house.ledger, create=False, master=master) as ledger:
        chosen = bundling.choose(ledger, ["EP-1"], ledger.position(), None)
        proven = prove_entries(str(keeper.house.ledger), ledger.id, ledger.position(), chosen.wanted)
        place = chosen.wanted[SEALED - 1]
        for change, reason in (
            ({"content": "0" * 64}, "is not the text that its envelope stands for"),
            ({"episode": "EP-2"}, "does not open, or its envelope is another's"),
            ({"version": 8}, "does not open, or its envelope is another's"),
            ({"type": "PlanSigned"}, "does not open, or its envelope is another's"),
        ):
            row = proven.rows[place]
            altered = (*row[:4], json.dumps(json.loads(row[4]) | change, separators=(",", ":")))
            with pytest.raises(StoreError, match=reason):
                _make(ledger, chosen, proven, {**proven.rows, place: altered})
        _make(ledger, chosen, proven, proven.rows)


def _make(ledger: Any, chosen: Any, proven: Any, stored: Any) -> Members:
    proofs = bundling.Proofs(b"", None, stored, proven.proofs)  # type: ignore[arg-type]
    return bundling.bundle_of(ledger, load_book(None), chosen, proofs)


def test_the_same_ledger_gives_the_same_bytes(keeper: Keeper, tmp_path: Path) -> None:
    out = tmp_path / "EP-1.zip"
    assert keeper.bundle("EP-1", "--out", out).status == 0
    assert out.read_bytes() == zip_of(keeper.members("EP-1"))
