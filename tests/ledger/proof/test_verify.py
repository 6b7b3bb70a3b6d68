"""The proof of a ledger: an untouched one holds, and every attack on a copy of one is reported, or said not to be.

``UNSEEN`` is the honest table: what cannot be told without a checkpoint that was kept elsewhere.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.writing.record import record
from ledger.facts.administration import MonthClosed
from ledger.proof.breaks import SealedRow
from ledger.proof.checkpoint import Checkpoint, origin_of
from ledger.proof.walk import ProofReport, Walk
from ledger.recorders import NoLedger, StoreError
from ledger.recorders.sqlite.prove import _connect, prove
from ledger.recorders.sqlite.schema import FORMAT, SCHEMAS
from tests import ROOT
from tests import plain_verifier as plain
from tests.attacks import KINDS, Copy, changed, foreign, forge
from tests.command_line import lines_of, ordinary_user
from tests.histories import history
from tests.stores import open_ledger
from tests.tiers import many

SEEDS = many(12, 50)
AT = datetime(2026, 11, 23, 16, tzinfo=UTC)
AFTERWARDS = datetime(2027, 1, 1, tzinfo=UTC)
"""When everything that a history tells was long recorded."""

UNSEEN = {
    "re-seal everything": "never",
    "cut and refill": "never",
    "roll back a backup": "never",
    "cut tail": "only if the file's own numbering was left as it was",
}
"""The kinds of attack that are not reported without a checkpoint, and when they are all the same."""

pytestmark = pytest.mark.sqlite_file


def checkpoint_of(report: ProofReport, at: datetime = AT) -> Checkpoint:
    return Checkpoint(origin_of(report.ledger), report.ledger, report.entries, report.root, report.head, at)


def recorded(path: Path, rng: Random, batches: int = 3, at_least: int = 0) -> list[Checkpoint]:
    """A small ledger, told through the door in several batches, and a checkpoint after each."""
    told: list[dict[str, Any]] = []
    while len(told) < max(1, at_least):
        more, _ = history(rng)
        told += [each | {"episode": f"{each['episode']}-{len(told) // 40}"} for each in more] if at_least else more
    told = sorted(told, key=lambda each: str(each["recorded_at"]))
    size, made = -(-len(told) // batches), []
    with open_ledger(path, create=True) as ledger:
        for start in range(0, len(told), size):
            stream = BytesIO(lines_of(told[start : start + size]))
            list(record(ledger, stream, keep_recorded_at=True, clock=lambda: AFTERWARDS))
            if start == 0:
                ledger.record_closing(
                    MonthClosed("2026-10", AT, "controller-1", 2, "the book", "0.1.0", "0" * 64, "1" * 32)
                )
            made.append(checkpoint_of(prove(str(path)), AT + timedelta(days=len(made))))
    return made


class Subject(NamedTuple):
    path: Path
    copy: Copy
    checkpoints: list[Checkpoint]


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Subject:
    path = tmp_path_factory.mktemp("subject") / "ledger.db"
    checkpoints = recorded(path, Random(7), at_least=120)
    with closing(sqlite3.connect(path)) as file:  # everything into the one file that is copied
        file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    copy = Copy.of(path)
    assert len(copy.rows) >= 120
    assert len({row.episode for row in copy.rows}) >= 5
    return Subject(path, copy, checkpoints)


def test_an_untouched_ledger_holds(subject: Subject) -> None:
    report = prove(str(subject.path), subject.checkpoints)
    assert (report.faults, report.outcomes) == ((), ("holds",) * len(subject.checkpoints))
    assert report.entries == len(subject.copy.rows)
    assert report == subject.copy.walk(subject.checkpoints)


@pytest.mark.parametrize("kind", KINDS)
def test_every_attack_is_reported_with_a_checkpoint_kept_outside(subject: Subject, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "ledger.db"
    for seed in range(SEEDS):
        rng = Random(f"{kind}-{seed}")
        copy = subject.copy.again()
        first = KINDS[kind](copy, rng)
        copy.write(subject.path, path)
        kept = subject.checkpoints if seed % 2 else subject.checkpoints[-1:]
        report = prove(str(path), kept)
        assert not report.holds, seed
        assert report == copy.walk(kept), seed
        assert_named(kind, first, report, kept, len(copy.rows))


def assert_named(kind: str, first: int, report: ProofReport, kept: list[Checkpoint], rows: int) -> None:
    """The first fault names the first wrong position, or the narrowest stretch that can be known to hold it."""
    fault = report.faults[0]
    held = max((each.size for each, told in zip(kept, report.outcomes, strict=True) if told == "holds"), default=0)
    assert held < first or "the seal of entry" in fault.message  # a checkpoint is over entries and the last seal
    if fault.kind == "resealed":
        failed = min(each.size for each, told in zip(kept, report.outcomes, strict=True) if told == "fails")
        assert fault.position == held + 1 <= first <= failed
        assert f"among {held + 1} to {failed}" in fault.message
    elif kind in ("cut and refill", "roll back a backup") and fault.kind == "cut":
        assert fault.position == rows + 1
    elif kind == "forge":
        assert fault.position == first + 1
        if first + 1 == rows:  # no entry after it tells which of the two was changed
            assert f"entry {rows}, the last, does not fit its seal" in fault.message
        else:
            assert f"entry {first + 1} was changed" in fault.message
            assert (f"entry {first} was" in fault.message) == (held < first)
    else:
        assert fault.position == first, fault


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_reported_without_a_checkpoint_is_this_and_nothing_else(subject: Subject, kind: str) -> None:
    for seed in range(SEEDS):
        copy = subject.copy.again()
        first = KINDS[kind](copy, Random(f"{kind}-{seed}"))
        report = copy.walk()
        if kind not in UNSEEN or copy.last_number > len(copy.rows):
            assert not report.holds, seed
            assert report.faults[0].position == first + (kind == "forge"), report.faults
        else:
            assert report.holds, (seed, report.faults)


def test_the_document_says_what_is_not_reported() -> None:
    text = (ROOT / "docs" / "why" / "proof.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]
    table = {row[0]: row[2] for row in rows if row[0] in KINDS}
    assert table == {kind: UNSEEN.get(kind, "yes") for kind in KINDS}


WORDS = {
    "flip": ("entry {0} was changed", "the seal of entry {0} was changed", "entry {0}, the last", "{0} is missing",
             "entry {0} was moved"),
    "delete": ("entry {0} is missing", "entries {0} to"),
    "delete with seal": ("entry {0} is missing", "entries {0} to", "entry {0}, the last"),
    "swap": ("entry {0} was moved",),
    "rewrite": ("entry {0} was changed", "entry {0}, the last"),
    "reorder": ("entry {0} was moved",),
    "add": ("entry {0} was added", "entries {0} to"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WORDS)
def test_the_sentence_says_what_happened(subject: Subject, kind: str) -> None:
    for seed in range(SEEDS):
        copy = subject.copy.again()
        first = KINDS[kind](copy, Random(f"{kind}-{seed}"))
        message = copy.walk().faults[0].message
        assert message.startswith(tuple(words.format(first) for words in WORDS[kind])), message


def test_no_sentence_names_a_patient(subject: Subject) -> None:
    patients = {patient.decode() for patient, _ in subject.copy.patients} | {"P-FOREIGN"}
    for kind, attack in KINDS.items():
        copy = subject.copy.again()
        attack(copy, Random(kind))
        copy.patients = [(b"P-SECRET", episode) for _, episode in copy.patients]
        said = " ".join(fault.message for fault in copy.walk(subject.checkpoints).faults)
        assert not [name for name in (*patients, "P-SECRET") if name in said]


def test_a_real_backup_put_back_is_told_by_a_later_checkpoint(tmp_path: Path) -> None:
    path, backup = tmp_path / "ledger.db", tmp_path / "backup.db"
    (early,) = recorded(path, Random(1), batches=1)
    with closing(sqlite3.connect(path)) as file, closing(sqlite3.connect(backup)) as copy:
        file.backup(copy)
    with open_ledger(path, create=False) as ledger:
        ledger.append([], [])
        list(record(ledger, BytesIO(lines_of([told_later()])), clock=lambda: AFTERWARDS))
    late = checkpoint_of(prove(str(path)))
    path.write_bytes(backup.read_bytes())
    assert prove(str(path), [early]).holds
    report = prove(str(path), [early, late])
    assert report.outcomes == ("holds", "fails")
    assert [(fault.kind, fault.position) for fault in report.faults] == [("cut", early.size + 1)]
    assert "an older copy was put back" in report.faults[0].message


def told_later() -> dict[str, Any]:
    return {
        "episode": "E1", "source": "desk", "id": "later", "by": "rn-2", "fact": {"type": "DayServed", "order": "A",
        "date": "2026-11-02"},
    }  # fmt: skip


def bits_flipped(row: plain.Row) -> Iterator[plain.Row]:
    """A row with each of its bits flipped in turn; a number has 64."""
    for column, value in zip(plain.Row._fields, row, strict=True):
        if isinstance(value, int):
            for bit in range(64):
                number = value ^ 1 << bit
                yield row._replace(**{column: number - (1 << 64) if number >> 63 else number})
        else:
            for at in range(len(value) * 8):
                flipped = value[: at // 8] + bytes([value[at // 8] ^ 1 << at % 8]) + value[at // 8 + 1 :]
                yield row._replace(**{column: flipped})


def test_every_single_bit_of_two_rows_is_reported() -> None:
    """Ledgers of two entries: the last one has nothing after it that could tell."""
    flips, ledgers = 0, many(4, 50)
    for number in range(ledgers):
        copy = two_entries(Random(number))
        for place in (0, 1):
            whole = copy.rows[place]
            for copy.rows[place] in bits_flipped(whole):
                report = copy.walk()
                assert not report.holds
                flips += 1
            copy.rows[place] = whole
        assert copy.walk().holds
    assert flips > 4_000 * ledgers


def two_entries(rng: Random) -> Copy:
    copy = Copy(f"{rng.getrandbits(128):032x}", [], [], 0)
    copy.rows = [foreign(version, rng, f"E{rng.randrange(100)}", version) for version in (1, 2)]
    copy.rows[1] = copy.rows[1]._replace(episode=copy.rows[0].episode)
    told = json.loads(copy.rows[1].text) | {"episode": copy.rows[0].episode.decode()}
    copy.rows[1] = copy.rows[1]._replace(text=json.dumps(told).encode())
    copy.renumber()
    copy.patients_named()
    copy.reseal(1)
    return copy


def test_a_bit_in_the_middle_of_a_ledger_is_reported_at_its_entry(subject: Subject, tmp_path: Path) -> None:
    """Some of the bits through the file."""
    rng, place = Random(5), 60
    flips = [row for row in bits_flipped(subject.copy.rows[place]) if row.position >= 1 and row.version >= 1]
    for row in rng.sample(flips, 30):
        copy = subject.copy.again()
        copy.rows[place] = row
        if len({each.position for each in copy.rows}) == len(copy.rows) == len({each[1:3] for each in copy.rows}):
            copy.write(subject.path, tmp_path / "ledger.db")
            assert prove(str(tmp_path / "ledger.db")).faults[0].position == place + 1


@settings(max_examples=many(8, 15), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rng=st.randoms(use_true_random=False), batches=st.integers(1, 4))
def test_an_untouched_ledger_always_holds(tmp_path: Path, rng: Random, batches: int) -> None:
    path = tmp_path / "ledger.db"
    for old in tmp_path.iterdir():
        old.unlink()
    checkpoints = recorded(path, rng, batches)
    report = prove(str(path), checkpoints)
    assert (report.faults, set(report.outcomes)) == ((), {"holds"})


def test_the_script_that_attacks_finds_every_attack_reported() -> None:
    script = ROOT / "scripts" / "attack"
    ended = subprocess.run([sys.executable, script, "--rounds", "2"], capture_output=True, text=True, check=True)
    table = [line.rsplit(maxsplit=8) for line in ended.stdout.splitlines()[1:]]
    assert [(kind.strip(), reported, missed) for kind, _, reported, *_, missed, _ in table] == [
        (kind, "2", "0") for kind in KINDS
    ]


# ---- The second verifier ----


def simulated(rng: Random) -> Copy:
    """A ledger in memory, told by a random history, sealed by the second verifier."""
    told, _ = history(rng)
    copy = Copy(f"{rng.getrandbits(128):032x}", [], [], 0)
    versions: dict[str, int] = {}
    for each in told[: rng.randint(0, len(told))]:
        episode = each["episode"]
        versions[episode] = versions.get(episode, 0) + 1
        entry = {"episode": episode, "version": versions[episode]} | each
        entry |= {"nonce": f"{rng.getrandbits(128):032x}", "schema": 2}
        tag = str(each["fact"]["type"]).encode()
        copy.rows.append(plain.Row(0, episode.encode(), versions[episode], tag, json.dumps(entry).encode(), b""))
    copy.renumber()
    copy.reseal(1)
    copy.patients_named()
    return copy


def signed(copy: Copy, size: int) -> plain.Signed:
    part = copy.rows[:size]
    root = plain.root([plain.leaf(row.position, row) for row in part])
    return plain.Signed(copy.ledger, size, root, part[-1].seal if part else plain.beginning(copy.ledger))


def assert_agreed(copy: Copy, kept: list[plain.Signed], report: ProofReport | None = None) -> plain.Verdict:
    ours = report or copy.walk(
        [Checkpoint(origin_of(each.ledger), each.ledger, each.size, each.root, each.head, AT) for each in kept]
    )
    theirs = plain.verify(copy.plainly, kept)
    assert (ours.holds, ours.head) == (theirs.holds, theirs.head)
    assert [outcome == "holds" for outcome in ours.outcomes] == theirs.checkpoints
    if theirs.holds:
        assert (ours.root, ours.entries) == (theirs.root, len(copy.rows))
    elif ours.faults[0].kind == "added":  # ours looks back, to where the first of them was put in
        after_held = [each.size + 1 for each, held in zip(kept, theirs.checkpoints, strict=True) if held]
        assert theirs.first in (1, *after_held) or ours.faults[0].position in range((theirs.first or 0) + 1)
    else:
        assert ours.faults[0].position == theirs.first, ours.faults
    return theirs


def test_a_second_verifier_agrees_on_simulated_ledgers() -> None:
    held, seeds = 0, many(120, 950)
    for seed in range(seeds):
        rng = Random(seed)
        copy = simulated(rng)
        kept = [signed(copy, rng.randint(0, len(copy.rows))) for _ in range(rng.randint(0, 3))]
        if seed % 3 and len(copy.rows) > 12:
            kind = rng.choice(list(KINDS))
            KINDS[kind](copy, rng)
        held += assert_agreed(copy, kept).holds
    assert seeds / 3 < held < seeds * 2 / 3


def test_a_second_verifier_agrees_on_ledgers_in_files(tmp_path: Path) -> None:
    for seed in range(many(8, 50)):
        rng, path, attacked = Random(seed), tmp_path / f"{seed}.db", tmp_path / "attacked.db"
        checkpoints = recorded(path, rng, batches=2)
        kept = [plain.Signed(each.ledger, each.size, each.root, each.head) for each in checkpoints]
        copy = Copy.of(path)
        assert assert_agreed(copy, kept, prove(str(path), checkpoints)).holds
        if len(copy.rows) > 12:
            KINDS[rng.choice(list(KINDS))](copy, rng)
            copy.write(path, attacked)
            assert not assert_agreed(Copy.of(attacked), kept, prove(str(attacked), checkpoints)).holds


# ---- What else can be wrong ----


def fault_of(copy: Copy, **more: Any) -> tuple[str, int | None, str]:
    report = copy.walk(**more)
    return report.faults[0]


def resealed(subject: Subject, place: int, **changes: Any) -> Copy:
    copy = subject.copy.again()
    copy.rows[place] = copy.rows[place]._replace(**changes)
    copy.reseal(place + 1)
    return copy


def retold(row: plain.Row, **changes: Any) -> bytes:
    return json.dumps(json.loads(row.text) | changes).encode()


def test_what_could_not_have_been_recorded_is_told_though_all_seals_fit(subject: Subject) -> None:
    row = subject.copy.rows[50]
    cases: list[tuple[str, dict[str, Any]]] = [
        ("its text cannot be read", {"text": row.text[:-1]}),
        ("its text and its columns do not agree", {"tag": b"PatientDied"}),
        ("its text and its columns do not agree", {"text": retold(row, version=row.version + 1)}),
        ("its text and its columns do not agree", {"text": retold(row, episode="E9")}),
        ("random bytes are missing", {"text": retold(row, nonce="")}),
        ("recorded before", {"text": retold(row, recorded_at="2000-01-01T00:00:00Z")}),
    ]
    for words, changes in cases:
        kind, position, message = fault_of(resealed(subject, 50, **changes))
        assert (kind, position) == ("forged", 51)
        assert words in message


@pytest.mark.parametrize("text", [b"\xff", b"[" * 100_000, b'{"episode":"\\ud800"}', b"", b"null", b"{}"])
def test_a_text_that_is_no_entry_is_told(subject: Subject, text: bytes) -> None:
    kind, position, message = fault_of(resealed(subject, 50, text=text))
    assert (kind, position) == ("forged", 51)
    assert "cannot be read" in message


def test_a_version_that_does_not_follow_is_told(subject: Subject) -> None:
    row = subject.copy.rows[50]
    text = retold(row, version=row.version + 1)
    kind, position, message = fault_of(resealed(subject, 50, version=row.version + 1, text=text))
    assert (kind, position) == ("forged", 51)
    assert "its version is" in message
    copy = subject.copy.again()
    copy.rows[0] = copy.rows[0]._replace(version=2, text=retold(copy.rows[0], version=2))
    copy.reseal(1)
    assert "the first of its episode" in fault_of(copy)[2]


def test_an_act_of_the_house_is_held_to_its_number_and_text(subject: Subject) -> None:
    place = next(place for place, row in enumerate(subject.copy.rows) if not row.episode)
    row = subject.copy.rows[place]
    for changes in ({"version": 2}, {"tag": b"DayServed"}, {"text": retold(row, nonce="1")}, {"text": b"{"}):
        assert fault_of(resealed(subject, place, **changes))[:2] == ("forged", place + 1)


def test_a_patient_exchanged_in_the_table_is_told(subject: Subject) -> None:
    copy = subject.copy.again()
    patient, episode = copy.patients.pop()
    kind, position, message = fault_of(copy)
    assert (kind, position) == (
        "altered",
        next(r.position for r in copy.rows if plain.pair_of(r) == [(patient, episode)]),
    )
    assert episode.decode() in message
    copy.patients.append((b"P-OTHER", episode))
    assert len(copy.walk().faults) == 2
    copy.patients.append((patient, episode))
    assert [fault.position for fault in copy.walk().faults] == [None]


def test_the_files_own_numbering_is_held_to_the_last_entry(subject: Subject) -> None:
    copy = subject.copy.again()
    copy.last_number += 3
    assert fault_of(copy)[:2] == ("cut", len(copy.rows) + 1)
    copy.last_number = 5
    assert fault_of(copy)[:2] == ("altered", None)


def test_a_row_without_a_position_of_its_own_is_told(subject: Subject) -> None:
    for position in (0, -7):
        copy = subject.copy.again()
        copy.rows.insert(0, foreign(position, Random(1)))
        assert fault_of(copy)[:2] == ("added", 0)


def test_a_value_of_another_kind_is_told_at_its_entry(subject: Subject) -> None:
    strange: list[SealedRow] = [
        (31, b"E", 1, b"T", b"x", b"s" * 32, False),
        (31, 5, 1, None, b"x", None, False),  # type: ignore[arg-type]
        (31, b"E", b"1", b"T", b"x", b"s", False),  # type: ignore[arg-type]
        (b"31", b"E", 1, b"T", b"x", b"s" * 32, False),  # type: ignore[arg-type]
        (31, b"E", -1, b"T", b"x", b"s" * 32, True),
    ]
    for row in strange:
        walk = Walk(subject.copy.ledger)
        for sound in subject.copy.rows[:30]:
            walk.take((*sound, True))
        walk.take(row)
        for sound in subject.copy.rows[31:]:
            walk.take((*sound, True))
        report = walk.report(last_number=len(subject.copy.rows), patients=subject.copy.patients)
        assert report.faults[0].position in (30, 31)


def test_a_ledger_under_another_id_is_told(subject: Subject) -> None:
    copy = subject.copy.again()
    copy.ledger = "0" * 32
    assert fault_of(copy)[:2] == ("changed", 1)
    assert "the ledger's id was" in fault_of(copy)[2]
    copy.reseal(1)
    assert copy.walk().holds
    report = copy.walk(subject.checkpoints[:1])
    assert (report.outcomes, report.faults[0].kind) == (("other_ledger",), "other_ledger")


def test_a_checkpoint_right_before_it_clears_the_entry_before_a_forged_one(subject: Subject) -> None:
    copy = subject.copy.again()
    size = subject.checkpoints[0].size
    copy.rows[size] = changed(copy.rows[size], Random(1))
    assert f"or entry {size} was" in copy.walk().faults[0].message
    assert f"or entry {size} was" not in copy.walk(subject.checkpoints[:1]).faults[0].message


def test_an_empty_ledger_and_a_checkpoint_of_it_hold(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with open_ledger(path, create=True) as ledger:
        empty = prove(str(path))
        assert (empty.holds, empty.entries) == (True, 0)
        list(record(ledger, BytesIO(lines_of(history(Random(1))[0])), keep_recorded_at=True))
    assert prove(str(path), [checkpoint_of(empty)]).outcomes == ("holds",)


# ---- Files that were altered or damaged ----


@pytest.fixture
def path(subject: Subject, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(subject.path, tmp_path / "ledger.db"))


def on(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        for statement in statements:
            file.execute(statement)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (["DROP TRIGGER entries_update"], "not as it was created: entries_update"),
        (["CREATE TRIGGER later AFTER INSERT ON entries BEGIN SELECT 1; END"], "added to the file: later"),
        (["DROP INDEX patients_by_episode"], "not as it was created: patients_by_episode"),
        (["DROP TRIGGER ledger_update", "UPDATE ledger SET value = '9' WHERE key = 'format'"], "its format is 9"),
        (["DROP TRIGGER ledger_delete", "DELETE FROM ledger"], "its format is none"),
        (["DROP TRIGGER ledger_delete", "DELETE FROM ledger WHERE key = 'id'"], "does not say which ledger it is"),
        (["CREATE TRIGGER patients BEFORE INSERT ON ledger BEGIN SELECT 1; END"], "added to the file: patients"),
        (["CREATE VIEW more AS SELECT 1", "CREATE TABLE x (a)"], "added to the file: more, x"),
    ],
)
def test_an_altered_guard_is_told_and_the_walk_goes_on(path: Path, statements: list[str], words: str) -> None:
    on(path, *statements)
    report = prove(str(path))
    assert words in " ".join(fault.message for fault in report.faults)
    assert report.entries >= 120


def test_what_sqlite_notes_for_its_planner_is_no_fault(path: Path) -> None:
    on(path, "ANALYZE")
    assert prove(str(path)).holds


def test_another_encoding_is_told(subject: Subject, tmp_path: Path) -> None:
    """All texts read the same; what stands in the file are other bytes than were sealed."""
    path = tmp_path / "wide.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA encoding = 'UTF-16le'")
        for statement in SCHEMAS[FORMAT]:
            file.execute(statement)
        file.execute("INSERT INTO ledger VALUES ('id', ?), ('format', ?)", (subject.copy.ledger, FORMAT))
    assert [fault.message for fault in prove(str(path)).faults] == ["the file's encoding is not UTF-8"]


def test_the_connection_of_a_proof_cannot_write(path: Path) -> None:
    with closing(_connect(path)) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("CREATE TABLE more (a)")


def test_an_object_that_passes_for_sqlites_own_is_told(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("CREATE TRIGGER more AFTER INSERT ON entries BEGIN SELECT 1; END")
        file.execute("PRAGMA writable_schema = 1")
        file.execute("UPDATE sqlite_master SET name = 'sqlite_more' WHERE name = 'more'")
    assert "sqlite_more" in " ".join(fault.message for fault in prove(str(path)).faults)


def test_an_altered_table_is_told(path: Path) -> None:
    on(path, "ALTER TABLE entries RENAME COLUMN seal TO stamp")
    report = prove(str(path))
    assert not report.holds
    assert "no such column" in " ".join(fault.message for fault in report.faults)


def test_an_index_that_does_not_agree_with_its_table_is_told(path: Path) -> None:
    """Readers of an episode go through the index, the walk through the table."""
    with closing(sqlite3.connect(path, isolation_level=None)) as file:
        file.execute("PRAGMA writable_schema = 1")
        page = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'patients_by_episode'").fetchone()[0]
        file.execute("CREATE TABLE aside (a, b)")
        other = file.execute("SELECT rootpage FROM sqlite_master WHERE name = 'aside'").fetchone()[0]
        file.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'patients_by_episode'", (other,))
        file.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'aside'", (page,))
    report = prove(str(path))
    assert "damaged" in [fault.kind for fault in report.faults]


def test_a_file_that_is_no_ledger_is_told(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be read as one" * 100)
    report = prove(str(path), [Checkpoint("o", "l", 3, bytes(32), bytes(32), AT)])
    assert (len(report.faults), report.outcomes) == (1, ("fails",))
    assert "no SQLite file" in report.faults[0].message
    path.write_bytes(b"")
    assert "it is empty, or another" in prove(str(path)).faults[0].message
    path.unlink()
    on(path, "CREATE TABLE other (a)")
    assert [fault.kind for fault in prove(str(path)).faults] == ["damaged"]
    with pytest.raises(NoLedger):
        prove(str(tmp_path / "nothing.db"))
    assert not (tmp_path / "nothing.db").exists()


def test_a_file_cut_short_or_with_flipped_bits_never_breaks_the_proof(subject: Subject, path: Path) -> None:
    whole = subject.path.read_bytes()
    reported = 0
    for seed in range(150):
        rng = Random(seed)
        if seed % 5 == 0:
            path.write_bytes(whole[: rng.randrange(len(whole))])
        else:
            hurt = bytearray(whole)
            for _ in range(rng.choice((1, 1, 20))):
                hurt[rng.randrange(len(hurt))] ^= 1 << rng.randrange(8)
            path.write_bytes(hurt)
        try:
            report = prove(str(path), subject.checkpoints)
        except StoreError:
            reported += 1
            continue
        finally:
            for beside in path.parent.glob("ledger.db-*"):
                beside.unlink()
        reported += not report.holds
        assert all(fault.message for fault in report.faults)
    assert reported > 60


def test_a_proof_changes_nothing_in_the_file(subject: Subject, path: Path) -> None:
    prove(str(path))
    assert path.read_bytes() == subject.path.read_bytes()
    assert [each.name for each in path.parent.iterdir()] == ["ledger.db"]


def test_a_ledger_that_may_not_be_written_to_is_proved_too() -> None:
    """An auditor's copy: neither the file nor its folder may be written to."""
    with ordinary_user() as folder:
        path = folder / "ledger.db"
        with closing(sqlite3.connect(path)) as file:
            file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.chmod(0o400)
        folder.chmod(0o500)
        try:
            report = prove(str(path))
        finally:
            folder.chmod(0o700)
    assert report.holds
    assert report.entries > 0


def test_a_file_that_may_not_be_read_is_the_stores_failure() -> None:
    with ordinary_user() as folder:
        (folder / "ledger.db").chmod(0)
        with pytest.raises(StoreError, match="cannot be opened"):
            prove(str(folder / "ledger.db"))


def test_a_proof_sees_one_moment_while_others_record(path: Path) -> None:
    grown: list[int] = []

    def others_record(done: int, of: int) -> None:
        with open_ledger(path, create=False) as ledger:
            told = told_later() | {"id": str(len(grown)), "episode": "E9"}
            opening = {"type": "EpisodeOpened", "patient": "P9", "provider": "1234567893", "zone": "America/Chicago"}
            told |= {"fact": opening} if not grown else {}
            list(record(ledger, BytesIO(lines_of([told]))))
            grown.append(ledger.position())

    before = prove(str(path)).entries
    report = prove(str(path), (), others_record)
    assert (report.holds, report.entries) == (True, before)
    assert grown[-1] > before
    assert prove(str(path)).holds


def test_a_forged_entry_of_another_copy_is_found_by_the_seal_after_it(subject: Subject) -> None:
    copy = subject.copy.again()
    first = forge(copy, Random(3))
    assert copy.walk().faults[0].position == first + 1
