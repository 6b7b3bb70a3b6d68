"""The read model follows its ledger: caught up in pieces or built at once, by one process or many, rows are equal."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.terminal.options import Setup
from commands.verbs import read
from commands.verbs.read import derived
from commands.writing.record import record
from ledger.book import Book, load_book
from ledger.store import EpisodeLedger
from projections.read_model import catch_up as module
from projections.read_model import queries
from projections.read_model.catch_up import catch_up, fill_as_known, stale_because
from projections.read_model.queries import Filters
from projections.read_model.trouble import ViewsError
from projections.read_model.views import TABLES, Views, open_views, passing_views, views_path
from projections.reading.as_known import book_known, patients_asked_for
from tests import stores
from tests.at_once import started
from tests.command_line import BOOK, COMMAND, INTAKE, LIVE, House, Told, example, told
from tests.harness import book_of
from tests.histories import history
from tests.read_models import LATER, Tables, tables, tell
from tests.stores import examples, open_ledger
from tests.tiers import many


def afresh(ledger: EpisodeLedger, book: Book) -> Tables:
    """The tables as a new read model has them."""
    with closing(passing_views()) as views:
        catch_up(ledger, views, book)
        return tables(views)


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    house.run("record", INTAKE)
    assert len(house.run("days").rows) == 3
    return house


# In pieces or at once


@settings(max_examples=examples(many(15, 40)), deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.floats(0, 1), max_size=4))
def test_in_pieces_equals_at_once(seed: int, cuts: list[float]) -> None:
    """Random histories in random pieces: late facts, retractions, corrections, episodes that change the patient."""
    entries, tables_of_book = history(Random(seed))
    book = book_of(tables_of_book)
    ends = sorted({int(cut * len(entries)) for cut in cuts} | {len(entries)})
    with TemporaryDirectory() as name:
        path = Path(name) / "ledger.db"
        with open_ledger(path, create=True) as ledger, closing(open_views(views_path(path))) as views:
            for start, end in zip([0, *ends], ends, strict=False):
                tell(ledger, entries[start:end])
                assert catch_up(ledger, views, book) == ledger.position() == end
                assert tables(views) == afresh(ledger, book)
                assert stale_because(views, ledger, book) is None


@pytest.mark.parametrize("seed", range(examples(12)))
def test_known_at_an_instant_equals_a_ledger_that_ends_there(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    entries, tables_of_book = history(rng)
    book = book_of(tables_of_book)
    with open_ledger(tmp_path / "whole.db", create=True) as whole:
        tell(whole, entries)
        for number, at in enumerate(sorted({entry["recorded_at"] for entry in rng.sample(entries, 4)})):
            known_at = datetime.fromisoformat(at)
            with open_ledger(tmp_path / f"{number}.db", create=True) as prefix:
                tell(prefix, [entry for entry in entries if datetime.fromisoformat(entry["recorded_at"]) <= known_at])
                expected = afresh(prefix, book_known(book, known_at))
            with closing(passing_views()) as views:
                fill_as_known(whole, views, book, known_at)
                assert tables(views) == expected
            for patient in ("P1", "P2", "P3"):
                check_only_one_patient(whole, book, known_at, patient, expected)
        with closing(passing_views()) as views:
            fill_as_known(whole, views, book, datetime(2026, 1, 1, tzinfo=UTC))
            assert not any(tables(views).values())


def check_only_one_patient(
    ledger: EpisodeLedger, book: Book, known_at: datetime, patient: str, expected: Tables
) -> None:
    with closing(passing_views()) as views:
        fill_as_known(ledger, views, book, known_at, patients_asked_for(ledger, patient, None))
        of = {"days": 0, "lines": 0, "findings": 2}
        assert tables(views) == {
            table: [row for row in rows if row[of[table]] == patient] for table, rows in expected.items()
        }


def test_an_opening_corrected_to_another_patient_takes_the_rows_along(house: House) -> None:
    right = example()[0]["fact"] | {"patient": "P-9"}
    naming = {"target_source": "intake", "target_id": "1", "reason": "the other twin"}
    house.tell(*example("EP-9", "P-9"))
    assert [(row["patient"], row["episode"]) for row in house.run("lines").rows] == [("P-1", "EP-1"), ("P-9", "EP-9")]
    house.tell(told("fix", {"type": "FactCorrected", **naming, "fact": right}))
    rows = house.run("days").rows
    assert {(row["patient"], row["episode"]) for row in rows} == {("P-9", "EP-1"), ("P-9", "EP-9")}
    assert {row["status"] for row in rows if row["date"] < "2026-02-04"} == {"conflict"}
    assert {row["rule"] for row in house.run("findings", "--patient", "P-9").rows} == {"duplicate_per_diem"}
    assert house.run("findings", "--patient", "P-1").out == house.run("lines", "--patient", "P-1").out == b""
    back = {"target_source": "pump", "target_id": "fix", "reason": "not a twin after all"}
    house.tell(told("unfix", {"type": "FactRetracted", **back}))
    assert [(row["patient"], row["episode"]) for row in house.run("lines").rows] == [("P-1", "EP-1"), ("P-9", "EP-9")]
    assert house.run("findings").out == b""


def test_a_death_told_in_one_episode_reaches_the_others(house: House) -> None:
    house.tell(*example("EP-2", "P-1"))
    house.run("days")
    house.tell(told("died", {"type": "PatientDied", "date": "2026-02-02"}, episode="EP-2"))
    rows = house.run("days", "--episode", "EP-1", "--from", "2026-02-03").rows
    assert [(row["status"], row["reason"]) for row in rows] == [("not_billable", "after_death")] * len(rows)
    assert rows


def test_only_the_patients_touched_are_judged(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.tell(*example("EP-2", "P-2"), *example("EP-3", "P-3"))
    house.run("days")
    judged: list[str] = []
    judge = module.derive_from

    def noting(patient: Any, book: Book, streams: Any) -> Any:
        judged.append(patient.name)
        return judge(patient, book, streams)

    monkeypatch.setattr(module, "derive_from", noting)
    house.run("days")
    assert judged == []
    house.tell(told("late", episode="EP-2"))
    house.run("days")
    assert judged == ["P-2"]


def test_what_was_recorded_before_is_in_the_answer(house: House) -> None:
    for number in range(3, 8):
        date = f"2026-02-{number:02}"
        house.tell(told(date, {"type": "DayServed", "order": "RX-1", "date": date}))
        assert house.run("days").rows[-1]["date"] == max(date, "2026-02-04")


# When it must be built anew


def rebuilt(house: House, reason: str) -> None:
    """The next read builds it anew and says so once; the rows are those of a new one, and the one after is quiet."""
    ended = house.run("days")
    assert ended.status == 0
    assert ended.err == f"The read model is built anew: {reason}.\n"
    again = house.run("days")
    assert (again.err, again.out) == ("", ended.out)
    kept = {command: house.run(command).out for command in ("days", "findings", "lines")}
    house.views.unlink()
    assert {command: house.run(command).out for command in kept} == kept


def test_another_book(house: House) -> None:
    terms = house.book / "payers" / "prairie.toml"
    before = house.run("lines").rows
    terms.write_text(terms.read_text(encoding="utf-8").replace("S9325 = 9000 }", "S9325 = 9100 }"), encoding="utf-8")
    rebuilt(house, "it was made with another book")
    after = house.run("lines").rows
    assert [row["rate_cents"] for row in (*before, *after)] == [9000, 9100]


def test_a_book_that_only_reads_otherwise_is_the_same_book(house: House) -> None:
    terms = house.book / "payers" / "prairie.toml"
    terms.write_text("# compared again\n" + terms.read_text(encoding="utf-8"), encoding="utf-8")
    terms.rename(terms.with_name("blue.toml"))
    assert house.run("days").err == ""


def test_another_version_of_the_program(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    now = module.code_version()
    other = "9.9.9/2.3/ffffffffffff/" + now.split("/")[-1]
    monkeypatch.setattr(module, "code_version", lambda: other)
    judge = now.split("/")[2]
    rebuilt(
        house,
        f"it was made by version {now}, this is {other}:"
        f" another version of the judge (ffffffffffff instead of {judge})",
    )


def test_tables_of_another_shape(house: House) -> None:
    with closing(sqlite3.connect(house.views)) as connection, connection:
        connection.execute("DROP VIEW days")
        connection.execute("DROP TABLE day_runs")
        connection.execute("CREATE TABLE days (patient TEXT, verdict TEXT)")
        connection.execute("DROP TABLE findings")
        connection.execute("UPDATE model SET value = '0.0.1/0' WHERE key = 'code'")
    now = module.code_version()
    changed = (
        "edition 2 of the rulebook instead of edition 1,"
        f" zone data {now.split('/')[-1]} instead of those of the machine"
    )
    rebuilt(house, f"it was made by version 0.0.1/0, this is {now}: {changed}")


def test_another_ledger(house: House, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other")
    other.tell(*example("EP-7", "P-7"))
    shutil.copy(house.views, other.views)
    rebuilt(other, "it was made from another ledger")
    assert {row["episode"] for row in other.run("days").rows} == {"EP-7"}


def test_two_ledgers_that_share_a_read_model_by_their_names(house: House) -> None:
    twin = House.__new__(House)
    twin.__dict__.update(house.__dict__, ledger=house.folder / "ledger")
    twin.tell(*example("EP-7", "P-7"))
    for _ in range(2):
        assert {row["episode"] for row in twin.run("days").rows} == {"EP-7"}
        assert {row["episode"] for row in house.run("days").rows} == {"EP-1"}


@pytest.mark.sqlite_file
@pytest.mark.parametrize("more", [0, 1, 3, 9])
def test_a_ledger_put_back_from_a_backup(house: House, more: int) -> None:
    """Also when it has since grown to where the read model was, or beyond."""
    backup = house.folder / "backup.db"
    shutil.copy(house.ledger, backup)
    house.tell(*(told(str(number), about("EP-1", f"2026-02-{number:02}")) for number in range(10, 13)))
    assert len(house.run("days").rows) == 11
    for path in house.folder.glob("ledger.db*"):
        path.unlink()
    shutil.copy(backup, house.ledger)
    house.tell(*(told(str(number), about("EP-1", f"2026-02-{number:02}")) for number in range(20, 20 + more)))
    ended = house.run("days")
    assert ended.status == 0
    assert "The read model is built anew: the ledger was put back to an earlier state since it was made." in ended.err
    assert house.run("verify", "--accept-rollback", "a test").status == 0
    house.views.unlink()
    assert house.run("days").out == ended.out
    assert house.run("days").err == ""
    assert house.run("days").rows[-1]["date"] == (f"2026-02-{19 + more:02}" if more else "2026-02-04")


def about(order: str, date: str) -> Told:
    return {"type": "DayServed", "order": order, "date": date}


@pytest.mark.sqlite_file
@pytest.mark.parametrize("leftovers", [False, True], ids=["clean", "with its log left behind"])
def test_a_deleted_read_model(house: House, leftovers: bool) -> None:
    before = house.run("days").out
    if leftovers:
        with closing(sqlite3.connect(house.views, isolation_level=None)) as connection:
            connection.execute("UPDATE day_runs SET status = 'billable'")
            logs = {path: path.read_bytes() for path in house.folder.glob("ledger.views.1.db-*")}
        assert any(logs.values())
        (house.folder / "ledger.views.1.db").unlink()
        for path, content in logs.items():
            path.write_bytes(content)
    else:
        house.views.unlink()
    ended = house.run("days")
    assert (ended.status, ended.out, ended.err) == (0, before, "")


@pytest.mark.sqlite_file
def test_a_read_model_is_for_its_owner_alone(house: House) -> None:
    with closing(open_views(house.views)) as views:
        catch_up_now(house, views)
        with views.writing():
            views.note(position="0")
        found = [path for path in house.folder.iterdir() if path.name.startswith("ledger.views.")]
        assert {path.name for path in found} >= {f"ledger.views.{name}" for name in ("db", "1.db", "1.db-wal")}
        assert {path.stat().st_mode & 0o777 for path in found} == {0o600}


def test_where_the_read_model_is() -> None:
    assert views_path(Path("a/ledger.db")) == Path("a/ledger.views.db")
    assert views_path(Path("a/pain.2026")) == Path("a/pain.2026.views.db")


def test_a_file_that_is_no_read_model(tmp_path: Path) -> None:
    path = tmp_path / "ledger.views.db"
    path.write_bytes(b"rubbish" * 1000)
    with pytest.raises(ViewsError, match=r"ledger\.views\.db"):
        open_views(path)
    path.unlink()
    path.mkdir()
    with pytest.raises(ViewsError, match=r"Is a directory"):
        open_views(path)
    with pytest.raises(ViewsError, match=r"No such file"):
        open_views(tmp_path / "nowhere" / "ledger.views.db")


# When something goes wrong, or others are at work


def catch_up_now(house: House, views: Views) -> int:
    with open_ledger(house.ledger, create=False) as ledger:
        return catch_up(ledger, views, load_book(house.book))


@pytest.mark.parametrize("place", ["write", "note", "forget"])
@pytest.mark.parametrize("anew", [False, True], ids=["following", "built anew"])
def test_a_failure_leaves_rows_and_position_as_they_were(
    house: House, monkeypatch: pytest.MonkeyPatch, place: str, anew: bool
) -> None:
    house.tell(*example("EP-2", "P-2"), *example("EP-3", "P-3"))
    if anew:
        terms = house.book / "payers" / "prairie.toml"
        terms.write_text(terms.read_text(encoding="utf-8").replace("9000", "9100"), encoding="utf-8")
    calls = iter(range(10))

    def failing(self: Views, *args: Any, **values: Any) -> None:
        if next(calls) >= (1 if place == "write" else 0):
            raise sqlite3.OperationalError("disk I/O error")
        done(self, *args, **values)

    with closing(open_views(house.views)) as views:
        before, noted = tables(views), views.noted()
        done = getattr(Views, place)
        with monkeypatch.context() as patched:
            patched.setattr(Views, place, failing)
            with pytest.raises(sqlite3.OperationalError):
                catch_up_now(house, views)
        assert not views.connection.in_transaction
        assert (tables(views), views.noted()) == (before, noted)
        assert catch_up_now(house, views) == 33
        with open_ledger(house.ledger, create=False) as ledger:
            assert tables(views) == afresh(ledger, load_book(house.book))


def test_a_process_that_dies_on_the_way_leaves_everything_as_it_was(house: House) -> None:
    before = house.run("days").out
    house.tell(*example("EP-2", "P-2"))
    dies = "import os; from projections.read_model.views import Views; Views.note = lambda *a, **k: os._exit(9)\n"
    args = [*house.named, "days"]
    ended = subprocess.run([*LIVE[:2], dies + LIVE[2], *args], capture_output=True)
    assert (ended.returncode, ended.stdout) == (9, b"")
    with closing(open_views(house.views)) as views:
        assert views.noted()["position"] == "11"
        assert len(list(queries.day_rows(views, Filters()))) == before.count(b"\n")
    assert len(house.run("days").rows) == 6


def test_one_answer_is_one_snapshot(house: House) -> None:
    """While another process catches up, a reader goes on seeing what it began with."""
    named = Setup(stores.named(house.ledger), str(house.book), str(house.folder))
    with derived(named) as views:
        rows = queries.day_rows(views, Filters())
        first = next(rows)
        house.tell(told("late", about("RX-1", "2026-02-09")), *example("EP-2", "P-0"))
        assert len(house.run("days").rows) == 11
        seen = [first, *rows]
        assert [row.date for row in seen] == ["2026-02-02", "2026-02-03", "2026-02-04"]
        assert list(queries.day_rows(views, Filters())) == seen
        assert len(list(queries.line_rows(views, Filters()))) == 1
    with derived(named) as views:
        assert len(list(queries.day_rows(views, Filters()))) == 11


def test_another_process_with_another_book_never_slips_its_rows_in(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between catching up and reading, somebody else may build the same read model from a book of theirs."""
    other = house.folder / "other"
    shutil.copytree(BOOK, other)
    terms = other / "payers" / "prairie.toml"
    terms.write_text(terms.read_text(encoding="utf-8").replace("9000", "1"), encoding="utf-8")
    slipping = iter([True, True, False])

    def slipped(ledger: EpisodeLedger, views: Views, book: Book, *more: Any) -> int:
        head = catch_up(ledger, views, book, *more)
        if next(slipping):
            with closing(open_views(house.views)) as theirs:
                catch_up(ledger, theirs, load_book(other))
        return head

    monkeypatch.setattr(read, "catch_up", slipped)
    assert [row["rate_cents"] for row in house.run("lines").rows] == [9000]


@pytest.mark.sqlite_file
def test_one_who_waited_carries_on_from_where_the_other_ended(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it waits for the write lock more is recorded, and another process is ahead: nothing is built anew."""
    house.tell(*example("EP-2", "P-2"))
    writing = Views.writing
    cleared: list[Views] = []
    monkeypatch.setattr(Views, "clear", cleared.append)

    def late(self: Views) -> Any:
        monkeypatch.setattr(Views, "writing", writing)
        house.tell(*example("EP-3", "P-3"))
        assert len(house.run("days").rows) == 9
        return writing(self)

    monkeypatch.setattr(Views, "writing", late)
    assert len(house.run("days").rows) == 9
    assert cleared == []
    with closing(open_views(house.views)) as views:
        assert views.noted()["position"] == "33"


def test_whoever_writes_has_the_write_lock_from_the_start(house: House) -> None:
    with closing(open_views(house.views)) as views, closing(sqlite3.connect(house.views, timeout=0)) as other:
        with views.writing(), pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
        with suppress(ZeroDivisionError), views.writing():
            views.note(position="999")
            1 / 0
        assert views.noted()["position"] == "11"


def run_at_once(house: House, *commands: Sequence[str]) -> Iterator[tuple[int | None, str, str]]:
    for process in [started(COMMAND, *house.named, *command) for command in commands]:
        out, err = process.communicate(60)
        yield process.returncode, out, err


@pytest.mark.parametrize("fresh", [True, False], ids=["no read model yet", "one that follows"])
def test_processes_that_catch_up_at_once(house: House, fresh: bool) -> None:
    if fresh:
        house.views.unlink()
    house.tell(*(line for number in range(2, 30) for line in example(f"EP-{number}", f"P-{number // 2}")))
    answers = list(run_at_once(house, *[["days"]] * 4, ["lines"], ["findings"]))
    assert [(status, err) for status, _, err in answers] == [(0, "")] * 6
    assert len({out for _, out, _ in answers[:4]}) == 1
    assert answers[0][1].count("\n") == 29 * 3
    with closing(open_views(house.views)) as views, open_ledger(house.ledger, create=False) as ledger:
        assert tables(views) == afresh(ledger, load_book(house.book))
        assert views.noted()["position"] == str(ledger.position())


def test_threads_that_lay_the_tables_at_once(tmp_path: Path) -> None:
    for number in range(20):
        path = tmp_path / f"{number}.views.db"
        gate = threading.Barrier(4)
        trouble: list[BaseException] = []

        def opens(path: Path = path, gate: threading.Barrier = gate, trouble: list[BaseException] = trouble) -> None:
            gate.wait()
            try:
                open_views(path).close()
            except BaseException as error:
                trouble.append(error)

        threads = [threading.Thread(target=opens) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert trouble == []
        with closing(open_views(path)) as views:
            assert tables(views) == {table: [] for table in TABLES}


def test_readers_while_another_records(house: House) -> None:
    """Every answer is some whole state of the ledger, and never an older one than was there when it was asked."""
    episodes = [f"EP-{number}" for number in range(10, 40)]
    stop = threading.Event()

    def records() -> None:
        with open_ledger(house.ledger, create=False) as ledger:
            for number, episode in enumerate(episodes):
                told_then = [entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in example(episode, f"P-{number}")]
                tell(ledger, told_then)
        stop.set()

    named = Setup(stores.named(house.ledger), str(house.book), str(house.folder))
    writer = threading.Thread(target=records)
    writer.start()
    last = False
    while not last:
        last = stop.is_set()
        with open_ledger(house.ledger, create=False) as ledger:
            before = ledger.position()
        with derived(named) as views:
            position = int(views.noted()["position"])
            rows = list(queries.day_rows(views, Filters()))
        assert position >= before
        assert len(rows) == position // 11 * 3
    writer.join()
    assert position == 11 * 31


def test_nothing_recorded_is_nothing_derived(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger, closing(passing_views()) as views:
        assert catch_up(ledger, views, load_book(BOOK)) == 0
        assert not any(tables(views).values())
        assert stale_because(views, ledger, load_book(BOOK)) is None
        assert json.loads(json.dumps(views.noted()))["position"] == "0"
        fill_as_known(ledger, views, load_book(BOOK), LATER - timedelta(days=1))


@pytest.mark.parametrize("text", ["", "garbled", "0" * 63, "g" * 64])
def test_a_garbled_fingerprint_is_damage_and_the_rows_are_built_anew(tmp_path: Path, text: str) -> None:
    lines = b"\n".join(json.dumps(entry).encode() for entry in history(Random(5))[0])
    book = book_of(history(Random(5))[1])
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger, closing(passing_views()) as views:
        list(record(ledger, BytesIO(lines), keep_recorded_at=True))
        catch_up(ledger, views, book)
        whole = views.fingerprints()
        views.connection.execute("UPDATE model SET value = ? WHERE key = 'fingerprint days'", (text,))
        assert stale_because(views, ledger, book) == "its notes are damaged"
        catch_up(ledger, views, book)
        assert views.fingerprints() == whole
