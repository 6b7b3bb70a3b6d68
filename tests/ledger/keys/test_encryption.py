"""An encrypted ledger answers like a plain one to whoever has its key, and says nothing to anybody else."""

from __future__ import annotations

import base64
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from functools import partial
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import pytest
from msgspec.structs import replace

from commands.writing.record import record
from ledger.keys import keyring
from ledger.keys.cipher import (
    EntryKey,
    MasterKey,
    MasterKeyError,
    Unopened,
    WrappedKey,
    create_master_key,
    load_master_key,
    parse_master_key,
)
from ledger.keys.envelope import enclose, open_envelope, read_envelope
from ledger.keys.keyring import Keyring
from ledger.recorders import StoreError, Unknown
from ledger.recorders.sqlite.recorder import LedgerRecorder
from ledger.store import UnreadableEntry, open_ledger
from projections.read_model.catch_up import catch_up
from projections.read_model.views import passing_views
from tests.command_line import LIVE, Ended, House, assert_plain, example, forked, lines_of, run, told
from tests.encrypted_house import (
    EXAMPLES,
    Locked,
    failing_append,
    files_with,
    rows_of,
    seal_anew,
    spelled,
    two_locked,
    unguarded,
)
from tests.harness import book_of
from tests.histories import history
from tests.marked import MARK
from tests.marked import history as every_fact_marked

pytestmark = pytest.mark.sqlite_file

Made = TypeVar("Made", bound=House)
BRING = "--keep-recorded-at"
NO_LINE = b'"recorded"'


def brought(house: Made) -> Made:
    """The examples of the documentation, recorded as they once were."""
    for intake in EXAMPLES:
        assert house.run("record", BRING, intake).status == 0
    return house


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Locked]:
    """The same lines in a plain ledger and in an encrypted one."""
    return brought(House(tmp_path_factory.mktemp("plain"))), brought(Locked(tmp_path_factory.mktemp("locked")))


@pytest.fixture
def two(tmp_path: Path) -> Locked:
    """Two episodes of two patients, encrypted."""
    return two_locked(tmp_path)


class TestItAnswersLikeAPlainOne:
    @pytest.mark.parametrize(
        "asked",
        [
            "days", "findings", "lines", "days --known-at 2026-10-20T00:00Z", "lines --known-at 2026-11-01T00:00Z",
            "findings --known-at 2026-09-15T12:00Z", "days --patient P-1002", "diff EP-2002 --claimed",
            "diff EP-2002 --between 2026-10-05T00:00Z 2026-11-05T00:00Z", "restatements 2026-10",
            "what-if --set prairie-blue.pain_assessment_days=1", "days --format calendar",
        ],
    )  # fmt: skip
    def test_to_every_question(self, both: tuple[House, Locked], asked: str) -> None:
        plain, locked = (house.run(*asked.split()) for house in both)
        assert (plain.status, plain.out, plain.err) == (locked.status, locked.out, locked.err)
        assert plain.out or plain.status

    def test_to_the_report_but_for_its_own_name(self, both: tuple[House, Locked]) -> None:
        plain, locked = (house.run("report", "--format", "json").rows for house in both)
        assert plain[0].pop("ledger_id") != locked[0].pop("ledger_id")
        assert plain == locked

    def test_to_why_and_replay_of_every_episode(self, both: tuple[House, Locked]) -> None:
        days = both[0].run("days").rows
        asked: list[tuple[str, ...]] = [("replay", episode) for episode in {row["episode"] for row in days}]
        asked += [("why", row["episode"], row["date"]) for row in Random(5).sample(days, 12)]
        for question in asked:
            plain, locked = (house.run(*question) for house in both)
            assert plain.out == locked.out != b""

    def test_after_a_rebuild_by_one_process_or_two(self, both: tuple[House, Locked]) -> None:
        for processes in ("1", "2"):
            made = [house.run("rebuild", "--processes", processes) for house in both]
            assert [ended.status for ended in made] == [0, 0]
            assert both[0].run("days").out == both[1].run("days").out
            checked = both[1].run("rebuild", "--check", "--processes", processes)
            assert (checked.status, "equal" in checked.err + checked.out.decode()) == (0, True)
        prints = [
            rows_of(house.views.resolve(), "SELECT key, value FROM model WHERE key LIKE 'fingerprint%' ORDER BY 1")
            for house in both
        ]
        assert prints[0] == prints[1]
        assert len(prints[0]) == 3

    @pytest.mark.parametrize("seed", range(8))
    def test_of_any_history(self, tmp_path: Path, seed: int) -> None:
        entries, tables = history(Random(seed))
        made = []
        for name, master in (("plain", None), ("locked", create_master_key(tmp_path / "keys" / "key"))):
            with open_ledger(tmp_path / name, create=True, master=master) as ledger, closing(passing_views()) as views:
                outcomes = list(record(ledger, BytesIO(lines_of(entries)), keep_recorded_at=True))
                catch_up(ledger, views, book_of(tables))
                kept = [(at, entry.label, entry.fact, entry.recorded_at) for at, entry in ledger.follow(0)]
                made.append((outcomes, views.fingerprints(), kept, ledger.extents(ledger.position())))
        assert made[0] == made[1]

    def test_a_file_sent_twice_is_all_duplicate(self, both: tuple[House, Locked]) -> None:
        for intake in EXAMPLES:
            again = both[1].run("record", BRING, intake)
            assert again.status == 0
            assert {row["outcome"] for row in again.rows} == {"duplicate"}

    def test_a_refused_line_is_refused_alike_and_leaves_nothing(self, two: Locked) -> None:
        before = two.ledger.stat().st_size, rows_of(two.ledger, "SELECT count(*) FROM keys")
        ended = two.tell(told("x", episode="EP-NEW"), told("y", {"type": "DayServed"}), example()[0] | {"by": "other"})
        assert [row["code"] for row in ended.rows] == ["not_opened", "malformed", "identity_reused"]
        assert (two.ledger.stat().st_size, rows_of(two.ledger, "SELECT count(*) FROM keys")) == before

    def test_with_few_keys_held_at_a_time(
        self, both: tuple[House, Locked], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(keyring, "KEYS_HELD", 1)
        few = brought(Locked(tmp_path))
        for asked in ("days", "lines", "findings"):
            assert few.run(asked).out == both[0].run(asked).out
        assert few.run("rebuild", "--check").status == 0

    def test_backed_up_and_restored(self, two: Locked, tmp_path: Path) -> None:
        assert two.run("backup", "--out", tmp_path / "one.backup").status == 0
        other = tmp_path / "elsewhere" / "ledger.db"
        other.parent.mkdir()
        assert two.run("restore", tmp_path / "one.backup", "--out", other).status == 0
        days = run("--ledger", other, "--book", two.book, "days", env=two.env)
        assert (days.status, days.out) == (0, two.run("days").out)


def test_what_was_told_stands_nowhere_in_the_ledger_its_log_or_a_backup(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    with house.open() as ledger:  # held open, so that the log stays
        told_ = lines_of(every_fact_marked())
        assert {row.outcome for row in record(ledger, BytesIO(told_))} == {"recorded"}
        assert house.run("backup", "--out", tmp_path / "one.backup").status == 0
        marks = [spelling for mark in (MARK, MARK.lower()) for spelling in spelled(mark.encode())]
        assert MARK.encode() in told_
        assert (house.folder / "ledger.db-wal").stat().st_size > 10_000
        assert files_with(tmp_path, marks) == set()
        assert {each.label for _, each in ledger.follow(0)} > {f"{MARK} source:{MARK} 1"}


def test_one_name_reads_alike_and_another_otherwise(two: Locked) -> None:
    assert two.tell(*example("EP-3", "P-1")).status == 0
    hidden = dict(rows_of(two.ledger, "SELECT episode, patient FROM patients"))
    assert hidden["EP-1"] == hidden["EP-3"] != hidden["EP-2"]
    with two.open() as ledger:
        assert ledger.episodes_of("P-1") == ["EP-1", "EP-3"]


def test_two_ledgers_under_one_key_have_nothing_in_common(tmp_path: Path) -> None:
    key, stored = create_master_key(tmp_path / "keys" / "key"), []
    for name in ("one.db", "two.db"):
        with open_ledger(tmp_path / name, create=True, master=key) as ledger:
            list(record(ledger, BytesIO(lines_of(example()))))
        stored.append(set(rows_of(tmp_path / name, "SELECT patient FROM patients UNION ALL SELECT wrapped FROM keys")))
    assert not stored[0] & stored[1]


class TestTheMasterKey:
    """Named wrongly, it ends with 2 and one plain sentence, and nothing is made or changed."""

    def refused(self, house: House, *words: str, **env: str) -> None:
        before = {path: path.read_bytes() for path in house.folder.glob("ledger*") if path.is_file()}
        for command in (("days",), ("record", "-"), ("why", "EP-1", "2026-02-02"), ("rebuild",), ("status",)):
            assert_plain(house.run(*command, env=env, stdin=lines_of(example("EP-9", "P-9"))), 2, *words)
        assert {path: path.read_bytes() for path in house.folder.glob("ledger*") if path.is_file()} == before

    def test_is_not_named(self, two: Locked) -> None:
        self.refused(two, "encrypted", "--master-key FILE")

    def test_is_not_there(self, two: Locked, tmp_path: Path) -> None:
        self.refused(two, "there is no master key", EPISODE_MASTER_KEY_FILE=str(tmp_path / "none"))

    def test_is_another(self, two: Locked, tmp_path: Path) -> None:
        create_master_key(tmp_path / "other")
        self.refused(two, "not the master key", EPISODE_MASTER_KEY_FILE=str(tmp_path / "other"))
        self.refused(two, "not the master key", EPISODE_MASTER_KEY="ab" * 32)

    @pytest.mark.parametrize("text", ["", "ab" * 31, "ab" * 33, "zz" * 32, "ä" * 64, "ab" * 16 + "\0" * 32])
    def test_is_none(self, two: Locked, tmp_path: Path, text: str) -> None:
        key = tmp_path / "wrong"
        key.write_text(text, encoding="utf-8")
        key.chmod(0o600)
        self.refused(two, "master key", EPISODE_MASTER_KEY_FILE=str(key))
        if "\0" not in text:
            self.refused(two, "master key" if text else "EPISODE_MASTER_KEY is empty", EPISODE_MASTER_KEY=text)

    def test_is_a_folder_or_no_text(self, two: Locked, tmp_path: Path) -> None:
        (tmp_path / "bytes").write_bytes(b"\xff" * 64)
        (tmp_path / "bytes").chmod(0o600)
        for name in ("keys", "bytes"):
            self.refused(two, "key", EPISODE_MASTER_KEY_FILE=str(tmp_path / name))

    def test_is_open_to_others(self, two: Locked) -> None:
        two.key.chmod(0o640)
        self.refused(two, "open to others", **two.env)

    def test_is_beside_the_ledger(self, two: Locked) -> None:
        beside = two.folder / "ledger.key"
        beside.write_bytes(two.key.read_bytes())
        beside.chmod(0o600)
        self.refused(two, "inside the ledger's folder", EPISODE_MASTER_KEY_FILE=str(beside))
        assert_plain(two.run("master-key", two.folder / "new.key"), 2, "inside the ledger's folder")
        assert not (two.folder / "new.key").exists()

    def test_is_named_for_a_plain_ledger(self, two: Locked, tmp_path: Path) -> None:
        (tmp_path / "plain").mkdir()
        plain = House(tmp_path / "plain")
        assert plain.tell(*example()).status == 0
        assert plain.run("days").status == 0
        self.refused(plain, "not encrypted", **two.env)

    def test_is_made_at_random_for_its_owner_alone(self, two: Locked, tmp_path: Path) -> None:
        assert two.run("master-key", tmp_path / "new" / "other.key").status == 0
        made = [path.read_text(encoding="ascii").strip() for path in (two.key, tmp_path / "new" / "other.key")]
        assert {len(bytes.fromhex(text)) for text in made} == {32}
        assert len(set(made)) == 2
        assert two.key.stat().st_mode & 0o777 == 0o600
        assert two.key.parent.stat().st_mode & 0o777 == 0o700

    def test_is_written_over_nothing(self, two: Locked) -> None:
        before = two.key.read_bytes()
        assert_plain(two.run("master-key", two.key), 2, "left as it is")
        assert two.key.read_bytes() == before

    def test_may_come_by_the_environment_itself(self, two: Locked) -> None:
        itself = two.key.read_text(encoding="ascii")
        ended = two.run("days", env={"EPISODE_MASTER_KEY": itself})
        assert (ended.status, ended.out) == (0, two.run("days").out)

    def test_is_never_shown(self, two: Locked) -> None:
        secret = two.key.read_text(encoding="ascii").strip()
        master = parse_master_key(secret)
        entry_key, kept = master.new_key("ledger", "EP-1")
        said = [repr(master), str(master), repr(entry_key), repr([master]), f"{master!s}"]
        try:
            master.unwrap("other", kept)
        except Unopened as error:
            said += traceback.format_exception(error)
        said += [ended.err + ended.out.decode() for ended in self.everything_said(two, secret)]
        for spelling in (secret, secret.upper(), base64.b64encode(bytes.fromhex(secret)).decode()):
            assert not [text for text in said if spelling in text]
        assert secret[:16] not in "".join(said)

    def everything_said(self, two: Locked, secret: str) -> Iterator[Ended]:
        for env in (two.env, {"EPISODE_MASTER_KEY": secret}, {"EPISODE_MASTER_KEY": secret[:-1]},
                    {"EPISODE_MASTER_KEY": secret + "0"}):  # fmt: skip
            for command in (("status",), ("doctor",), ("verify",), ("--help",), ("days", "--nonsense"), ("nonsense",)):
                yield two.run(*command, env=env)

    def test_stands_in_no_argument_that_others_can_see(self, two: Locked) -> None:
        secret = two.key.read_text(encoding="ascii").strip()
        env = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
        command = [*LIVE, *two.named, "rebuild", "--processes", "2"]
        seen = set()
        with subprocess.Popen(
            command, env=env | {"EPISODE_MASTER_KEY": secret}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as process:
            while process.poll() is None:
                for child in (process.pid, *children_of(process.pid)):
                    seen.add(arguments_of(child))
        assert process.returncode == 0
        assert len(seen - {b""}) > 1  # the helper was seen, too
        assert not [each for each in seen if secret.encode() in each]


def children_of(process: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()]
    except OSError:
        return []


def arguments_of(process: int) -> bytes:
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


LAST = "(SELECT 1 + max(originator_version) FROM entries WHERE originator_id = 'EP-1')"
FOREIGN = {
    "plain text into entries": "INSERT INTO entries (originator_id, originator_version, topic, state, seal)"
    f" VALUES ('EP-1', {LAST}, 'DayServed', '{{}}', zeroblob(32))",
    "another episode's key named": "INSERT INTO entries (originator_id, originator_version, topic, state, seal) SELECT"
    f" 'EP-1', {LAST}, 'DayServed', '{{\"key\":\"' || (SELECT id FROM keys WHERE episode = 'EP-2') || '\"}}',"
    " zeroblob(32)",
    "an episode without a key": "INSERT INTO entries (originator_id, originator_version, topic, state, seal)"
    " VALUES ('EP-7', 1, 'EpisodeOpened', '{\"key\":\"0\"}', zeroblob(32))",
    "a changed key": "UPDATE keys SET wrapped = zeroblob(60)",
    "a key given to another": "UPDATE OR REPLACE keys SET episode = 'EP-2' WHERE episode = 'EP-1'",
    "a removed key": "DELETE FROM keys WHERE episode = 'EP-1'",
    "a key replaced by its id": "INSERT OR REPLACE INTO keys (id, episode, wrapped) SELECT id, 'EP-8', x'00' FROM keys",
    "a key replaced by its episode": "INSERT OR REPLACE INTO keys (id, episode, wrapped) VALUES ('0', 'EP-1', x'00')",
    "a key replaced by its row": "INSERT OR REPLACE INTO keys (rowid, id, episode, wrapped) VALUES (1, '0', 'E', x'0')",
    "a second key for what was recorded": "INSERT INTO keys (id, episode, wrapped) VALUES ('0', 'EP-1', x'00')",
    "a changed patient": "UPDATE patients SET patient = 'x'",
    "a patient replaced": "INSERT OR REPLACE INTO patients (patient, episode) SELECT patient, episode FROM patients",
    "a removed patient": "DELETE FROM patients WHERE episode = 'EP-1'",
}


@pytest.mark.parametrize("recursive", ["ON", "OFF"])
@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_tool_cannot_change_keys_patients_or_entries(two: Locked, name: str, recursive: str) -> None:
    with closing(sqlite3.connect(two.ledger, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA recursive_triggers = {recursive}")
        with pytest.raises(sqlite3.IntegrityError):
            connection.execute(FOREIGN[name].replace("x'0'", "x'00'"))
    assert two.run("days").status == 0


def swapped_keys(connection: sqlite3.Connection) -> None:
    wrapped = dict(connection.execute("SELECT episode, wrapped FROM keys").fetchall())
    connection.execute("UPDATE keys SET wrapped = ? WHERE episode = 'EP-1'", (wrapped["EP-2"],))
    connection.execute("UPDATE keys SET wrapped = ? WHERE episode = 'EP-2'", (wrapped["EP-1"],))


def moved_key(connection: sqlite3.Connection) -> None:
    """One episode under the other's key, whole: id, envelopes and all."""
    connection.execute("DELETE FROM keys WHERE episode = 'EP-1'")
    connection.execute("UPDATE keys SET episode = 'EP-1' WHERE episode = 'EP-2'")


def flipped_key(connection: sqlite3.Connection) -> None:
    (wrapped,) = connection.execute("SELECT wrapped FROM keys WHERE episode = 'EP-1'").fetchone()
    changed = bytes([wrapped[0] ^ 1]) + wrapped[1:]
    connection.execute("UPDATE keys SET wrapped = ? WHERE episode = 'EP-1'", (changed,))


def cut_key(connection: sqlite3.Connection) -> None:
    connection.execute("UPDATE keys SET wrapped = x'0011' WHERE episode = 'EP-1'")


def removed_key(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM keys WHERE episode = 'EP-1'")


def removed_key_and_patient(connection: sqlite3.Connection) -> None:
    """As forgetting would, but without its act."""
    connection.execute("DELETE FROM keys WHERE episode = 'EP-1'")
    connection.execute("DELETE FROM patients WHERE episode = 'EP-1'")


def changed_envelope(connection: sqlite3.Connection) -> None:
    """One envelope's cipher text changed, and every seal made anew."""
    (state,) = connection.execute("SELECT state FROM entries WHERE position = 5").fetchone()
    envelope = json.loads(state)
    sealed = bytearray(base64.b64decode(envelope["sealed"]))
    sealed[-1] ^= 1
    text = json.dumps(envelope | {"sealed": base64.b64encode(sealed).decode()}, separators=(",", ":"))
    connection.execute("UPDATE entries SET state = ? WHERE position = 5", (text,))
    seal_anew(connection)


def moved_envelope(connection: sqlite3.Connection) -> None:
    """An envelope copied over another of its episode, told to stand there, and every seal made anew."""
    (state,) = connection.execute("SELECT state FROM entries WHERE position = 5").fetchone()
    text = json.dumps(json.loads(state) | {"version": 6}, separators=(",", ":"))
    topic = json.loads(state)["type"]
    connection.execute("UPDATE entries SET state = ?, topic = ? WHERE position = 6", (text, topic))
    seal_anew(connection)


def plain_entry(connection: sqlite3.Connection) -> None:
    """An entry in the open instead of its envelope, sealed."""
    text = json.dumps({"episode": "EP-1", "version": 6, "type": "DayServed", "fact": {"type": "DayServed"}})
    connection.execute("UPDATE entries SET state = ? WHERE position = 6", (text,))
    seal_anew(connection)


DAMAGES: dict[str, Callable[[sqlite3.Connection], None]] = {
    "a changed key": flipped_key, "a key cut short": cut_key, "swapped keys": swapped_keys, "a moved key": moved_key,
    "a removed key": removed_key, "a removed key and patient": removed_key_and_patient,
    "a changed envelope": changed_envelope, "a moved envelope": moved_envelope, "an entry in the open": plain_entry,
}  # fmt: skip
WITHOUT_KEY = ("a removed key", "a removed key and patient", "an entry in the open", "a moved key")
"""What a walk without the master key can tell."""


@pytest.mark.parametrize("name", DAMAGES)
class TestWithoutItsGuards:
    """Whoever changed the file: nothing but what was told is shown, and the reader says that it was changed."""

    def test_the_reader_stops_with_a_plain_sentence(self, two: Locked, name: str) -> None:
        told_ = two.run("days").rows
        with unguarded(two.ledger) as connection:
            DAMAGES[name](connection)
        two.views.unlink()
        unlisted = name == "a removed key and patient"  # of whom nothing leads to the entries, as in a plain ledger
        assert [row for row in two.run("days").rows if row not in told_] == []
        asked = [("rebuild",), ("replay", "EP-1"), ("why", "EP-1", "2026-02-02"), ("page", "EP-1")]
        for command in [*asked, *([] if unlisted else [("days",)])]:
            ended = two.run(*command)
            assert_plain(ended, 2 if unlisted and ended.status == 2 else 3)
            assert "forgotten" not in ended.err
            assert "unforeseen" not in ended.err
        of_one = two.run("days", "--episode", "EP-2", "--known-at", "2098-01-01T00:00Z")
        shown = of_one.rows if of_one.status == 0 else []
        assert [row for row in shown if row not in told_] == []

    def test_recording_to_it_stops_too(self, two: Locked, name: str) -> None:
        with unguarded(two.ledger) as connection:
            DAMAGES[name](connection)
        ended = two.tell(told("new"))
        assert ended.status == 3
        assert NO_LINE not in ended.out
        assert "forgotten" not in ended.err

    def test_verify_finds_it(self, two: Locked, name: str) -> None:
        assert two.run("verify").status == 0
        assert two.run("verify", env={}).status == 0
        with unguarded(two.ledger) as connection:
            DAMAGES[name](connection)
        assert two.run("verify").status == 1
        if name in WITHOUT_KEY:
            assert two.run("verify", env={}).status == 1

    def test_rebuild_goes_on_without_that_patient(self, two: Locked, name: str) -> None:
        assert two.tell(*example("EP-3", "P-3")).status == 0
        days = two.run("days").rows
        with unguarded(two.ledger) as connection:
            DAMAGES[name](connection)
        two.views.unlink()
        ended = two.run("rebuild", "--quarantine")
        if name == "a removed key and patient":  # nobody is left who could be set aside
            assert ended.status == 3
            return
        assert ended.status == 0, ended.err
        shown = two.run("days").rows
        assert [row for row in shown if row not in days] == []
        assert [row for row in days if row["patient"] == "P-3"] == [row for row in shown if row["patient"] == "P-3"]
        assert "P-1" not in {row["patient"] for row in shown}


def test_swapped_names_show_nobody_under_anothers_name_and_verify_finds_them(two: Locked) -> None:
    told_ = two.run("days").rows
    hidden = dict(rows_of(two.ledger, "SELECT episode, patient FROM patients"))
    with unguarded(two.ledger) as connection:
        connection.execute("DELETE FROM patients")
        connection.execute("INSERT INTO patients VALUES (?, 'EP-2'), (?, 'EP-1')", (hidden["EP-1"], hidden["EP-2"]))
    two.views.unlink()
    assert [row for row in two.run("days").rows if row not in told_] == []
    ended = two.run("verify")
    assert ended.status == 1
    assert "table of patients" in ended.out.decode() + ended.err


@pytest.mark.parametrize("name", ["'x'", "''", "patient || 'A'", "substr(patient, 5) || 'AAAA'"])
def test_a_changed_name_is_told(two: Locked, name: str) -> None:
    with unguarded(two.ledger) as connection:
        connection.execute(f"UPDATE patients SET patient = {name} WHERE episode = 'EP-1'")
    assert_plain(two.run("days"), 3, "patients")
    assert two.run("verify").status == 1


def test_no_flipped_bit_of_an_envelope_is_ever_shown(two: Locked) -> None:
    rng, master = Random(20261123), two.master
    page = dict(rows_of(two.ledger, "SELECT key, value FROM ledger"))
    keys = rows_of(two.ledger, "SELECT id, episode, wrapped FROM keys")
    rows = rows_of(two.ledger, "SELECT originator_id, originator_version, topic, CAST(state AS BLOB) FROM entries")
    ring = Keyring(master, page["id"], lambda wanted: [WrappedKey(*key) for key in keys if key[1] in wanted])
    for _ in range(600):
        episode, version, tag, text = rng.choice(rows)
        bit = rng.randrange(len(text) * 8)
        flipped = text[: bit // 8] + bytes([text[bit // 8] ^ 1 << bit % 8]) + text[bit // 8 + 1 :]
        shown = opened(ring, episode, version, tag, flipped)
        assert shown in (None, opened(ring, episode, version, tag, text))


def opened(ring: Keyring, episode: str, version: int, tag: str, text: bytes) -> bytes | None:
    try:
        return ring.open_row(episode.encode(), version, tag.encode(), text)
    except Unopened:
        return None


WHERE = ("ledger", "EP-1", 3, "DayServed")


@pytest.mark.parametrize(
    "elsewhere", [("other", *WHERE[1:]), ("ledger", "EP-2", 3, "DayServed"), ("ledger", "EP-1", 4, "DayServed"),
                  ("ledger", "EP-1", 3, "NursingVisited")],
)  # fmt: skip
def test_an_envelope_opens_only_where_it_was_closed(elsewhere: tuple[str, str, int, str]) -> None:
    """Even where its own words were changed to fit; so it does with the same bytes as the key of another id."""
    key, same = EntryKey("a", bytes(range(32))), EntryKey("b", bytes(range(32)))
    envelope = read_envelope(enclose(key, *WHERE, b"what was told"))
    assert open_envelope(envelope, key, *WHERE) == b"what was told"
    _, episode, version, tag = elsewhere
    with pytest.raises(Unopened):
        open_envelope(replace(envelope, episode=episode, version=version, type=tag), key, *elsewhere)
    with pytest.raises(Unopened):
        open_envelope(replace(envelope, key="b"), same, *WHERE)
    with pytest.raises(Unopened):
        open_envelope(replace(envelope, content="0" * 64), key, *WHERE)


def test_a_wrapped_key_and_a_hidden_name_open_only_in_their_place() -> None:
    master, stranger = parse_master_key("ab" * 32), parse_master_key("cd" * 32)
    _, kept = master.new_key("ledger", "EP-1")
    assert master.unwrap("ledger", kept).id == kept.id
    others = [("other", kept), ("ledger", kept._replace(id="0" * 32)), ("ledger", kept._replace(episode="EP-2"))]
    for ledger, other in others:
        with pytest.raises(Unopened):
            master.unwrap(ledger, other)
    hidden = master.hide_name("ledger", "P-1")
    assert master.show_name("ledger", hidden) == "P-1"
    assert len({hidden, master.hide_name("other", "P-1"), stranger.hide_name("ledger", "P-1")}) == 3
    for wrong, ledger in ((master, "other"), (stranger, "ledger")):
        with pytest.raises(Unopened):
            wrong.show_name(ledger, hidden)


def test_every_envelope_has_random_bytes_and_a_text_hash_of_its_own(two: Locked) -> None:
    told_ = [read_envelope(row[0]) for row in rows_of(two.ledger, "SELECT CAST(state AS BLOB) FROM entries")]
    assert len({each.sealed[:16] for each in told_}) == len({each.content for each in told_}) == len(told_)
    assert len({each.key for each in told_}) == 2


def test_processes_that_begin_the_same_episode_at_once_agree_on_one_key(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    context = multiprocessing.get_context("fork")
    for number in range(6):
        start, many = context.Barrier(3), [
            lines_of([each | {"source": f"writer-{writer}"} for each in example(f"EP-{number}", f"P-{number}")[:1]]
                     + [told(f"day-{writer}", episode=f"EP-{number}", source=f"writer-{writer}")])
            for writer in range(3)
        ]  # fmt: skip
        writers = [context.Process(target=_begin, args=(house, start, lines)) for lines in many]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert rows_of(house.ledger, "SELECT count(*), count(DISTINCT episode) FROM keys") == [(6, 6)]
    with house.open() as ledger:
        found = [(entry.episode, entry.label) for _, entry in ledger.follow(0)]
    assert len(found) == len(set(found)) == 6 * 4  # one opening of three, and each one's day
    assert house.run("verify").status == 0


def _begin(house: Locked, start: Any, lines: bytes) -> None:
    with house.open() as ledger:
        start.wait(30)
        outcomes = [each.outcome for each in record(ledger, BytesIO(lines))]
    os._exit(outcomes not in (["recorded", "recorded"], ["refused", "recorded"]))


def test_a_writer_killed_at_any_moment_leaves_every_entry_it_answered_and_no_key_without_one(tmp_path: Path) -> None:
    house, rng = Locked(tmp_path), Random(9)
    answered: set[str] = set()
    for number in range(6):
        lines = [line for episode in range(40) for line in example(f"EP-{number}-{episode}", f"P-{episode}")[:3]]
        child = forked(partial(_record_and_note, house, lines, noted := tmp_path / "noted"))
        while not noted.exists() or (number % 2 and not noted.stat().st_size):  # some once they answer
            assert os.waitpid(child, os.WNOHANG) == (0, 0)
        signal.sigtimedwait([], rng.uniform(0, 0.05))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        answered |= set(noted.read_text("utf-8").splitlines())
        noted.unlink()
    with house.open() as ledger:
        found = {f"{entry.episode} {entry.label}" for _, entry in ledger.follow(0)}
    assert answered
    assert answered <= found
    alone = "SELECT count(*) FROM keys WHERE episode NOT IN (SELECT originator_id FROM entries)"
    assert rows_of(house.ledger, alone) == [(0,)]
    assert house.run("verify").status == 0


def _record_and_note(house: Locked, lines: list[Any], noted: Path) -> int:
    with house.open() as ledger, noted.open("w", encoding="utf-8", buffering=1) as notes:
        for line, outcome in zip(lines, record(ledger, BytesIO(lines_of(lines)), batch=5), strict=True):
            if outcome.outcome == "recorded":
                notes.write(f"{line['episode']} {line['source']}:{line['id']}\n")
    return 0


class TestAnAppendWithoutAnAnswer:
    """A commit that raises is read back by the texts that were told, not by their envelopes."""

    def test_was_recorded_all_the_same(self, two: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            failing_append(patched, commit=True)
            assert {row["outcome"] for row in two.tell(*example("EP-3", "P-3")).rows} == {"recorded"}
        assert {row["outcome"] for row in two.tell(*example("EP-3", "P-3")).rows} == {"duplicate"}

    def test_was_not_recorded(self, two: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        with monkeypatch.context() as patched:
            failing_append(patched, commit=False)
            assert two.tell(*example("EP-3", "P-3")).status == 3
        assert {row["outcome"] for row in two.tell(*example("EP-3", "P-3")).rows} == {"recorded"}

    def test_may_be_unknown(self, two: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        def silent(*_: Any, **__: Any) -> Any:
            raise StoreError("nobody answers")

        with two.open() as ledger, monkeypatch.context() as patched:
            failing_append(patched, commit=True)
            patched.setattr(LedgerRecorder, "rows_at", silent)
            with pytest.raises(Unknown):
                list(record(ledger, BytesIO(lines_of(example("EP-3", "P-3")))))
        assert {row["outcome"] for row in two.tell(*example("EP-3", "P-3")).rows} == {"duplicate"}


def test_the_ledger_page_names_the_key_but_not_what_it_is(two: Locked) -> None:
    page = dict(rows_of(two.ledger, "SELECT key, value FROM ledger"))
    master = load_master_key(two.key)
    assert page["master_key"] == master.id
    assert page["format"] == "3"
    assert master.id not in two.key.read_text(encoding="ascii")


def test_a_page_that_names_another_key_or_ledger_opens_nothing(two: Locked) -> None:
    for change in ("UPDATE ledger SET value = 'ab' WHERE key = 'id'", "DELETE FROM ledger WHERE key = 'master_key'"):
        with closing(sqlite3.connect(two.ledger)) as copy, closing(sqlite3.connect(two.folder / "copy.db")) as other:
            copy.backup(other)
        with unguarded(two.folder / "copy.db") as connection:
            connection.execute(change)
        with pytest.raises((StoreError, UnreadableEntry, MasterKeyError)):
            everything_in(two.folder / "copy.db", two.master)
        (two.folder / "copy.db").unlink()


def everything_in(path: Path, master: MasterKey) -> list[Any]:
    with open_ledger(path, create=False, master=master) as ledger:
        return list(ledger.follow(0))


def test_days_are_those_of_an_entry_told_before_the_key_was_held(two: Locked) -> None:
    """A process that holds a key goes on when others record to the same episode."""
    with two.open() as ledger:
        before = len(ledger.entries_of("EP-1"))
        assert two.tell(told("more", {"type": "NursingVisited", "date": date(2026, 2, 4).isoformat()})).status == 0
        assert len(ledger.entries_of("EP-1")) == before + 1


@pytest.mark.parametrize("text", [17, 1.5, None])
def test_a_number_where_an_envelope_should_be_opens_for_nobody(text: Any) -> None:
    """As a flipped bit makes of it: what kind of value a column holds stands in the row."""
    with pytest.raises(Unopened):
        read_envelope(text)


def test_a_name_or_a_key_that_is_no_text_or_bytes_opens_nothing() -> None:
    master = MasterKey(bytes(32))
    _, kept = master.new_key("ledger", "EP-1")
    for damaged in (kept, kept._replace(id=b"x"), kept._replace(wrapped="x"), kept._replace(wrapped=7)):
        found = Keyring(master, "ledger", lambda _, kept=damaged: [kept]).keys_of(["EP-1", b"EP-2"])  # type: ignore[misc]
        assert list(found) == (["EP-1"] if damaged is kept else [])
