"""Forgetting a patient: nobody reads their entries any more, totals stay, everybody else is as they were."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any, Final

import pytest

from commands.door.intake import Line, parse_line
from commands.terminal.options import Setup
from commands.verbs import forget as forget_verb
from commands.web.reading import Reader
from commands.web.report import Monday
from commands.writing.handle import Recorder
from commands.writing.record import record
from ledger.book import load_book
from ledger.facts.administration import PatientForgotten
from ledger.recorders import Forgotten, StoreError
from ledger.recorders.envelopes import Envelopes
from ledger.recorders.sqlite import forget as sqlite_forget
from ledger.recorders.sqlite.recorder import LedgerRecorder
from ledger.store import EpisodeLedger, RecordConflictError
from projections.bundle import verify_bundle
from projections.erasure.plan import plan
from projections.read_model import catch_up as catch_up_module
from projections.read_model.catch_up import catch_up
from projections.read_model.generations import Places
from projections.read_model.views import passing_views
from projections.reading.as_known import load_patient
from projections.rebuild import rebuild as rebuild_module
from projections.rebuild.build import build
from projections.work.chosen import WorkFilters, work_rows
from projections.work.kept import keep_work
from tests.command_line import (
    ANYWAY,
    LIVE,
    Ended,
    House,
    Told,
    assert_plain,
    example,
    forked,
    lines_of,
    status_of,
    told,
)
from tests.encrypted_house import Locked, failing_append, files_with, rows_of, seal_anew, spelled, unguarded
from tests.forgetting import EP, MARK, PATIENT, REASON, everybody, forget, of_the_patient
from tests.running_site import Browser, Running
from tests.tiers import many

pytestmark = pytest.mark.sqlite_file

SERVED: Final = {"type": "DayServed", "order": "RX-1", "date": "2026-02-03"}


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Locked:
    """Three patients and all that is made of them; copied for each test."""
    house = Locked(tmp_path_factory.mktemp("untouched"))
    assert house.tell(*everybody()).status == 0
    key = house.key.with_name("signing.key")
    commands: list[tuple[object, ...]] = [
        ("rebuild",), ("close", "2026-02", *ANYWAY), ("checkpoint", "--init-key", "--key", key),
        ("checkpoint", "--key", key, "--out", house.key.with_name("before.checkpoint")),
        ("export", "days", "--format", "jsonl", "--out", house.folder / "feed"),
        ("export", "events", "--format", "cloudevents", "--out", house.folder / "feed"),
        ("page", EP, "--out", house.folder / "page.html"), ("page", "EP-2", "--out", house.folder / "other.html"),
        ("bundle", EP, "--key", key, "--out", house.folder / "bundle.zip"),
        ("days",), ("rebuild", "--quarantine"), ("days",),
    ]  # fmt: skip
    for command in commands:
        ended = house.run(*command)
        assert ended.status == 0, (command, ended.err)
    return house


def copied(untouched: Locked, folder: Path) -> Locked:
    """The house in another folder, as if everything had been written there."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(untouched.folder.parent, folder, symlinks=True, dirs_exist_ok=True)
    house = object.__new__(Locked)
    house.folder, house.key = folder / "house", folder / "keys" / "ledger.key"
    house.ledger, house.views = house.folder / "ledger.db", house.folder / "ledger.views.db"
    house.book = house.folder / "book"
    given = house.folder / "ledger.views.given.jsonl"
    given.write_text(
        given.read_text("utf-8").replace(str(untouched.folder.parent), os.path.realpath(folder)), encoding="utf-8"
    )
    return house


@pytest.fixture
def house(untouched: Locked, tmp_path: Path) -> Locked:
    return copied(untouched, tmp_path / "copied")


@pytest.fixture
def forgotten(house: Locked) -> Locked:
    """The house without the patient."""
    assert forget(house).status == 0
    return house


def keys_of(house: House) -> dict[str, bytes]:
    return dict(rows_of(house.ledger, "SELECT episode, wrapped FROM keys"))


def hidden_of(house: House) -> dict[str, str]:
    return dict(rows_of(house.ledger, "SELECT episode, patient FROM patients"))


def totals(house: House) -> list[tuple[Any, ...]]:
    """What lines come to, by payer, code and month; the billable days there are."""
    lines = house.run("lines").rows
    days = [row for row in house.run("days").rows if row["status"] == "billable"]
    kept = ("payer", "code", "from", "to", "units", "rate_cents", "charge_cents", "terms_from")
    of_days = ("date", "code", "payer", "rate_cents", "terms_from", "terms_published")
    return [
        *sorted(tuple(row[name] for name in kept) for row in lines),
        *sorted(tuple(row[name] for name in of_days) for row in days),
    ]


def unbilled(house: Locked, book: Path) -> list[str]:
    """Whose billable days the worklist shows on no claim."""
    known = load_book(book if book.exists() else None)
    with house.open() as ledger, closing(passing_views()) as views:
        catch_up(ledger, views, known)
        keep_work(ledger, views, known, datetime(2026, 11, 1, 12, tzinfo=UTC))
        return [row.patient for row in work_rows(views, "2026-11-01", WorkFilters(kind="to_bill"))]


def of_others(house: House) -> list[dict[str, Any]]:
    asked = [row for name in ("days", "findings", "lines") for row in house.run(name).rows]
    return [row for row in asked if row["patient"] in ("P-2", "P-3")]


def untaken(house: Locked, before: list[bytes]) -> set[str]:
    """The files in which anything of the patient, or of the destroyed key, still stands."""
    secrets = [spelling for each in (MARK.encode(), MARK.lower().encode(), *before) for spelling in spelled(each)]
    return files_with(house.folder, secrets)


def secrets_of(house: Locked) -> list[bytes]:
    """The wrapped key, its id's owner's hidden name."""
    return [keys_of(house)[EP], hidden_of(house)[EP].encode(), base64.b64decode(hidden_of(house)[EP])]


def snapshot(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*") if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }  # fmt: skip


def wide(text: str) -> str:
    """The same letters as another writing system's keyboard gives them."""
    return "".join(chr(ord(mark) + 0xFEE0) if "!" <= mark <= "~" else mark for mark in text)


class TestRefused:
    """It ends with 2 and a plain sentence, and nothing was done."""

    def refused(self, house: House, *args: object, words: str, **more: Any) -> None:
        before, position = snapshot(house.folder), rows_of(house.ledger, "SELECT max(position) FROM entries")
        ended = house.run("forget", *args, **more)
        assert ended.status == 2, ended
        assert words in ended.err
        assert len(ended.err.splitlines()) <= 3
        assert "Traceback" not in ended.err
        assert MARK not in ended.err
        assert ended.out == b""
        assert rows_of(house.ledger, "SELECT max(position) FROM entries") == position
        assert snapshot(house.folder) == before

    def test_in_a_plain_ledger(self, tmp_path: Path) -> None:
        house = House(tmp_path)
        assert house.tell(*example()).status == 0
        self.refused(house, "P-1", *REASON, words="not encrypted")

    @pytest.mark.parametrize("patient", ["P-9", "", EP, PATIENT.lower(), PATIENT + " "])
    def test_of_somebody_unknown(self, house: Locked, patient: str) -> None:
        self.refused(house, patient, *REASON, words="knows no such patient")

    @pytest.mark.parametrize(
        "reason", [f"request of {PATIENT}", PATIENT.lower(), f"({PATIENT}): file 7", wide(PATIENT)]
    )
    def test_with_a_reason_that_names_the_patient(self, house: Locked, reason: str) -> None:
        self.refused(house, PATIENT, "--reason", reason, "--by", "officer", "--yes", words="do not name the patient")

    def test_by_the_patient(self, house: Locked) -> None:
        self.refused(house, PATIENT, "--reason", "file", "--by", PATIENT, "--yes", words="do not name the patient")

    @pytest.mark.parametrize("reason", ["", "x" * 129, "a\nb", "a\x1bb"])
    def test_without_a_proper_reason(self, house: Locked, reason: str) -> None:
        self.refused(house, PATIENT, "--reason", reason, "--by", "officer", "--yes", words="--reason")

    def test_without_yes_where_nobody_can_be_asked(self, house: Locked) -> None:
        self.refused(house, PATIENT, "--reason", "file", "--by", "officer", words="nothing was done")

    def test_with_an_episode_that_was_never_theirs(self, house: Locked) -> None:
        self.refused(house, PATIENT, *REASON, "--also", "EP-2", words="never opened for this patient")

    def test_of_an_episode_that_is_anothers_now(self, house: Locked) -> None:
        assert house.tell(*moved_to(PATIENT, "P-2", "EP-4")).status == 0
        self.refused(house, PATIENT, *REASON, words="--also")
        self.refused(house, PATIENT, *REASON, "--also", "EP-2", words="EP-4")


def moved_to(once: str, now: str, episode: str) -> list[Told]:
    """An episode opened for one patient by mistake, and corrected to be another's."""
    lines = example(episode, once)
    opening = lines[0]["fact"] | {"patient": now}
    naming = {"target_source": "intake", "target_id": "1", "reason": "the wrong patient"}
    return [*lines, told("fix", {"type": "FactCorrected", **naming, "fact": opening}, episode=episode)]


class TestAsked:
    def asked(self, house: Locked, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> Ended:
        class Typed(TextIOWrapper):
            def isatty(self) -> bool:
                return True

        monkeypatch.setattr("tests.command_line.io.TextIOWrapper", Typed)
        return house.run("forget", PATIENT, "--reason", "file", "--by", "officer", stdin=answer)

    def test_a_yes_does_it(self, house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        assert self.asked(house, monkeypatch, b"y\n").status == 0
        assert EP not in keys_of(house)

    def test_a_no_does_nothing(self, house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        for answer in (b"n\n", b"\n", b""):
            ended = self.asked(house, monkeypatch, answer)
            assert ended.status == 1, ended
            assert "To be forgotten" in ended.err
            assert EP in keys_of(house)

    def test_what_is_asked_says_how_much_and_that_there_is_no_way_back(self, house: Locked) -> None:
        ended = forget(house)
        assert "13 entries of 1 episode; 2 billable days" in ended.err
        assert "no way back" in ended.err
        assert MARK not in ended.err


def test_an_episode_that_is_anothers_now_goes_with_also_and_the_other_keeps_the_rest(house: Locked) -> None:
    assert house.tell(*moved_to(PATIENT, "P-7", "EP-4"), *example("EP-7", "P-7")[:6]).status == 0
    before = totals(house)
    secrets = [*secrets_of(house), keys_of(house)["EP-4"]]
    assert forget(house, PATIENT, "--also", "EP-4").status == 0
    assert totals(house) == before
    assert {row["episode"] for row in house.run("days").rows if row["patient"] == "P-7"} <= {"EP-7"}
    assert untaken(house, secrets) == set()
    assert house.run("verify").status == 0


class TestWhatStays:
    def test_lines_and_billable_days_come_to_the_same(self, house: Locked) -> None:
        before, status = totals(house), house.run("status").rows[0]
        assert forget(house).status == 0
        assert totals(house) == before
        after = house.run("status").rows[0]
        assert after["verdicts"]["billable"] == status["verdicts"]["billable"] == 6

    def test_the_report_bills_the_same(self, house: Locked) -> None:
        def billed() -> list[Any]:
            return [row for row in house.run("report", "--format", "json").rows if row["section"] == "billed"]

        before = billed()
        assert before
        assert forget(house).status == 0
        kept = ("payer", "month", "billable_days", "cents")
        assert [[row[name] for name in kept] for row in billed()] == [[row[name] for name in kept] for row in before]

    def test_nobody_is_asked_to_file_their_days(self, house: Locked) -> None:
        """Nor does it matter that the terms they were billed by are in the book no more."""
        before = unbilled(house, house.book)
        assert any(patient == PATIENT for patient in before)
        forget(house)
        assert unbilled(house, house.book) == [patient for patient in before if patient != PATIENT]
        assert set(unbilled(house, house.folder / "nothing")) <= set(before) - {PATIENT}

    def test_every_row_of_everybody_else_is_as_it_was(self, house: Locked) -> None:
        before = of_others(house)
        assert forget(house).status == 0
        assert of_others(house) == before

    def test_the_rows_that_stay_are_nobodys(self, forgotten: Locked) -> None:
        for asked in ("days", "lines"):
            rows = [row for row in forgotten.run(asked).rows if row["patient"] == ""]
            assert len(rows) == (2 if asked == "days" else 1)
            assert {row["authorization"] for row in rows} == {None}
            assert not [row for row in rows if row["episode"] == EP or row.get("because")]

    def test_the_entries_stay_in_their_places_unreadable(self, house: Locked) -> None:
        statement = "SELECT position, originator_id, originator_version, topic, state, hex(seal) FROM entries"
        before = rows_of(house.ledger, statement)
        assert forget(house).status == 0
        assert rows_of(house.ledger, statement)[:-1] == before

    @pytest.mark.parametrize("form", ["table", "csv", "json", "calendar"])
    def test_every_form_shows_them(self, forgotten: Locked, form: str) -> None:
        for asked in (("days",), ("lines",), ("findings",), ("report",)):
            if form != "calendar" or asked == ("days",):
                ended = forgotten.run(*asked, "--format", form)
                assert ended.status == 0, ended.err
                assert MARK.encode() not in ended.out


class TestWhatGoes:
    def test_nothing_of_the_patient_or_the_key_stands_anywhere(self, house: Locked) -> None:
        secrets = secrets_of(house)
        assert {"ledger.db", "page.html"} <= untaken(house, secrets)
        assert forget(house).status == 0
        assert untaken(house, secrets) == set()
        for command in (("days",), ("rebuild",), ("rebuild", "--quarantine"), ("report",),
                        ("export", "days", "--format", "csv", "--out", house.folder / "new"),
                        ("export", "events", "--format", "cloudevents", "--out", house.folder / "new"),
                        ("export", "changes", "--format", "jsonl", "--out", house.folder / "new"),
                        ("backup", "--out", house.folder / "new.backup"), ("doctor",), ("verify",)):  # fmt: skip
            ended = house.run(*command)
            assert ended.status == 0, (command, ended.err)
            assert MARK.encode() not in ended.out + ended.err.encode()
        assert untaken(house, secrets) == set()

    def test_nor_where_this_sqlite_overwrites_nothing_by_itself(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Pages that were split while episodes were added keep what stood there, unless every writer overwrites it."""
        careless(monkeypatch)
        house = Locked(tmp_path)
        for number in range(4):
            lines = [line for each in range(40) for line in example(f"EP-{number}-{each}", f"P-{number}-{each}")[:1]]
            assert house.tell(*lines).status == 0
        secrets = {
            episode: [wrapped, hidden_of(house)[episode].encode()] for episode, wrapped in keys_of(house).items()
        }
        left = {}
        for number, episode in enumerate(list(secrets)[:8] + list(secrets)[60:160:20]):
            assert forget(house, episode.replace("EP", "P")).status == 0, number
            left[episode] = files_with(house.folder, secrets[episode])
        assert left == {episode: set() for episode in left}

    def test_nor_in_a_read_model_that_is_kept_elsewhere_once_it_was_asked(
        self, house: Locked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        careless(monkeypatch)
        assert house.tell(*[line for each in range(30) for line in example(f"EP-9{each}", PATIENT)]).status == 0
        (tmp_path / "elsewhere").mkdir()
        env = house.env | {"EPISODE_VIEWS": str(tmp_path / "elsewhere")}
        assert PATIENT in house.run("days", env=env).out.decode()
        assert forget(house).status == 0
        assert MARK not in house.run("days", env=env).out.decode()
        assert files_with(tmp_path / "elsewhere", [MARK.encode()]) == set()

    def test_what_is_about_others_alone_stays(self, forgotten: Locked) -> None:
        assert (forgotten.folder / "other.html").exists()
        assert not (forgotten.folder / "page.html").exists()
        assert not (forgotten.folder / "feed" / "days").exists()
        assert not (forgotten.folder / "bundle.zip").exists()

    def test_a_file_that_was_changed_since_is_told_and_left(self, house: Locked) -> None:
        (house.folder / "page.html").write_text("mine", encoding="utf-8")
        ended = forget(house)
        assert ended.status == 1
        assert "page.html is not as this program wrote it" in ended.err
        assert (house.folder / "page.html").read_text("utf-8") == "mine"

    def test_a_backup_from_before_is_told_and_left(self, house: Locked) -> None:
        assert house.run("backup", "--out", house.folder / "old.backup").status == 0
        ended = forget(house)
        assert ended.status == 1
        assert "old.backup is a backup from before" in ended.err
        assert (house.folder / "old.backup").exists()

    def test_the_act_names_nobody(self, forgotten: Locked) -> None:
        ((state,),) = rows_of(forgotten.ledger, "SELECT state FROM entries WHERE topic = 'PatientForgotten'")
        assert MARK not in state
        act = json.loads(state)
        assert sorted(act) == ["episodes", "forgotten_at", "kept", "keys", "nonce", "type"]
        assert (act["episodes"], len(act["keys"])) == ([EP], 1)


def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """An SQLite that was built without overwriting what is deleted, as most are."""
    opened = sqlite3.connect

    def connect(*args: Any, **more: Any) -> sqlite3.Connection:
        connection: sqlite3.Connection = opened(*args, **more)
        connection.execute("PRAGMA secure_delete = OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)


HOSTILE: Final = ("O'B\"rien\\ ü %s {0}", "EP \"'\\ü%_*[1]")


def test_whatever_patient_and_episode_are_called(house: Locked) -> None:
    patient, episode = HOSTILE
    assert house.tell(*example(episode, patient)).status == 0
    secrets = [keys_of(house)[episode], hidden_of(house)[episode].encode()]
    before, others = totals(house), of_others(house)
    assert forget(house, patient).status == 0
    assert episode not in keys_of(house)
    assert (totals(house), of_others(house)) == (before, others)
    assert files_with(house.folder, [patient.encode(), json.dumps(patient)[1:-1].encode(), *secrets]) == set()
    assert [row["code"] for row in house.tell(*example(episode, patient)).rows] == ["forgotten"] * 11
    assert house.run("verify").status == 0
    assert forget(house).status == 0


class TestAnActWithoutAnAnswer:
    """The store fails while the act is recorded: it was done, or it was not, and that is what is said."""

    def test_it_was_done(self, house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        secrets = secrets_of(house)
        failing_append(monkeypatch, commit=True)
        assert forget(house).status == 0
        assert untaken(house, secrets) == set()

    def test_it_was_not(self, house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        before = snapshot(house.folder)
        failing_append(monkeypatch, commit=False)
        ended = forget(house)
        assert (ended.status, ended.err.splitlines()[-2:]) == (
            3, ["episode-ledger: the commit failed", "hint: nothing was half done; the command can be run again"]
        )  # fmt: skip
        assert snapshot(house.folder) == before

    def test_what_comes_after_it_fails(self, house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(*_: Any) -> Any:
            raise StoreError("the disk is gone")

        secrets = secrets_of(house)
        with monkeypatch.context() as patched:
            patched.setattr(LedgerRecorder, "scrub", fails)
            ended = forget(house)
        assert (ended.status, "may still stand" in ended.err) == (1, True)
        assert house.run("forget", "--finish").status == 0
        assert untaken(house, secrets) == set()


def readable(folder: Path, markers: Iterable[str]) -> set[tuple[str, str]]:
    """Which of these stand where, in some spelling, to somebody without any key: the kind of file, and what."""
    return {
        ("ledger" if name.startswith("ledger.db") else name, each)
        for each in markers
        for name in files_with(folder, (spelling for spelling in spelled(each.encode()) if len(spelling) >= len(each)))
    }


class TestWithoutAnyKey:
    """Whoever has the files and no key can read nothing after a forgetting that they could not read before."""

    WHAT: Final = ("prairie-blue", "S9325", "2026-02-02", "2026-02-03", "17500", "35000", "charge_cents", "request 118")

    @pytest.fixture
    def small(self, tmp_path: Path) -> Locked:
        """Nothing closed, nothing handed out, the read model elsewhere."""
        house = Locked(tmp_path)
        assert house.tell(*everybody()).status == 0
        return house

    def test_nothing_more_stands_in_the_ledger_or_a_new_backup(self, small: Locked) -> None:
        kept = small.run("lines", "--patient", PATIENT).rows[0]
        what = {*self.WHAT, kept["payer"], kept["from"], kept["to"], str(kept["charge_cents"])}
        small.views.unlink()
        assert small.run("backup", "--out", small.folder / "old.backup").status == 0
        before = readable(small.folder, what)
        (small.folder / "old.backup").unlink()
        assert forget(small).status == 0
        assert small.run("backup", "--out", small.folder / "new.backup").status == 0
        after = {(name.replace("new.backup", "old.backup"), each) for name, each in readable(small.folder, what)}
        assert after - before == set()

    def test_control_what_is_kept_is_there_with_the_key(self, small: Locked) -> None:
        before = totals(small)
        assert forget(small).status == 0
        assert totals(small) == before
        with small.open() as ledger:
            ((_, act),) = ledger.forgettings()
            assert (act.reason, act.by, len(act.lines) > 0) == ("request 118", "officer", True)
            assert ledger.house_acts()[-1][1] == act

    def test_an_act_from_before_they_were_hidden_is_read_as_it_stands(
        self, small: Locked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = totals(small)
        with monkeypatch.context() as older:
            older.setattr(Envelopes, "_hidden_act", lambda _, stored: stored)
            assert forget(small).status == 0
        assert {each for _, each in readable(small.folder, ["charge_cents"])} == {"charge_cents"}
        assert totals(small) == before
        assert small.run("verify").status == 0

    def test_what_is_kept_and_changed_or_moved_is_never_read_as_something_else(self, small: Locked) -> None:
        assert forget(small).status == 0
        assert forget(small, "P-3").status == 0
        acts = rows_of(small.ledger, "SELECT position, state FROM entries WHERE topic = 'PatientForgotten'")
        (first, one), (_, other) = [(at, json.loads(state)) for at, state in acts]
        for kept in (other["kept"], other["kept"][:-8] + "AAAAAAA=", "?", ""):
            with unguarded(small.ledger) as connection:
                connection.execute(
                    "UPDATE entries SET state = ? WHERE position = ?", (json.dumps(one | {"kept": kept}), first)
                )
                seal_anew(connection)
            ended = small.run("days")
            assert ended.status != 0
            assert "cannot be read" in ended.err
            assert "Traceback" not in ended.err


class TestProved:
    def test_with_and_without_the_key_and_against_a_checkpoint_from_before(self, forgotten: Locked) -> None:
        before = forgotten.key.with_name("before.checkpoint")
        for env in (forgotten.env, {}):
            ended = forgotten.run("verify", "--checkpoint", before, env=env)
            assert ended.status == 0, ended
            assert {row["result"] for row in ended.rows} == {"holds"}

    def test_the_new_backup_is_restored_without_the_patient(self, forgotten: Locked) -> None:
        assert forgotten.run("backup", "--out", forgotten.folder / "new.backup").status == 0
        shutil.copy(forgotten.ledger, forgotten.folder / "away.db")
        forgotten.ledger.unlink()
        assert forgotten.run("restore", forgotten.folder / "new.backup").status == 0
        assert forgotten.run("verify").status == 0
        assert_plain(forgotten.run("replay", EP), 2, "was forgotten")

    def test_a_key_put_back_is_found(self, house: Locked) -> None:
        ((*key,),) = rows_of(house.ledger, "SELECT id, episode, wrapped FROM keys WHERE episode = ?", EP)
        assert forget(house).status == 0
        with unguarded(house.ledger) as connection:
            connection.execute("INSERT INTO keys VALUES (?, ?, ?)", key)
        assert house.run("verify").status == 1
        ended = house.run("verify", env={})
        assert ended.status == 1
        assert "was forgotten with its patient, but it has a key" in ended.out.decode()
        assert not [row for row in house.run("days").rows if MARK in json.dumps(row)]

    def test_rebuilt_by_one_process_or_two_it_is_the_same(self, forgotten: Locked) -> None:
        days = forgotten.run("days").out
        for processes in ("1", "2"):
            checked = forgotten.run("rebuild", "--check", "--processes", processes)
            assert (checked.status, b'"equal"' in checked.out) == (0, True), checked
            assert forgotten.run("rebuild", "--processes", processes).status == 0
            assert forgotten.run("days").out == days

    def test_step_by_step_and_from_scratch_it_is_the_same(self, house: Locked) -> None:
        with house.open() as ledger, closing(passing_views()) as live:
            book = load_book(house.book)
            for step in (lambda: None, lambda: forget(house), lambda: house.tell(told("x", episode="EP-2")),
                         lambda: forget(house, "P-3"), lambda: house.tell(*example("EP-5", "P-5"))):  # fmt: skip
                step()
                catch_up(ledger, live, book)
                with closing(passing_views()) as anew:
                    catch_up(ledger, anew, book)
                    assert live.fingerprints() == anew.fingerprints()
                    for table in ("days", "lines", "findings"):
                        rows = [sorted(map(str, each.connection.execute(f"SELECT * FROM {table}"))) for each in
                                (live, anew)]  # fmt: skip
                        assert rows[0] == rows[1]


class TestAfterwards:
    def test_a_second_time_says_so(self, forgotten: Locked) -> None:
        ended = forget(forgotten)
        assert_plain(ended, 2, "has forgotten them", "--finish")

    def test_two_are_forgotten_and_others_go_on(self, forgotten: Locked) -> None:
        before = totals(forgotten)
        assert forget(forgotten, "P-3").status == 0
        assert totals(forgotten) == before
        assert (
            forgotten.tell(told("more", {"type": "NursingVisited", "date": "2026-02-03"}, episode="EP-2")).status == 0
        )
        assert forgotten.run("days").status == 0
        assert {row["patient"] for row in forgotten.run("days").rows} == {"", "P-2"}
        assert forgotten.run("rebuild", "--check").status == 0
        assert forgotten.run("verify").status == 0

    def test_what_was_sent_before_is_refused_line_by_line_and_leaves_nothing(self, forgotten: Locked) -> None:
        position = rows_of(forgotten.ledger, "SELECT max(position) FROM entries")
        ended = forgotten.tell(*of_the_patient())
        assert ended.status == 1
        theirs = [row["code"] for row in ended.rows[:11]]
        assert theirs == ["forgotten"] * 11
        assert {row["outcome"] for row in ended.rows} == {"refused"}
        assert MARK.encode() not in ended.out
        assert rows_of(forgotten.ledger, "SELECT max(position) FROM entries") == position
        assert EP not in keys_of(forgotten)
        assert EP not in hidden_of(forgotten)

    def test_among_lines_of_others_only_theirs_are_refused(self, forgotten: Locked) -> None:
        new = told("new", {"type": "NursingVisited", "date": "2026-02-03"}, episode="EP-2")
        ended = forgotten.tell(of_the_patient()[0], new, example("EP-2", "P-2")[0])
        assert [row["outcome"] for row in ended.rows] == ["refused", "recorded", "duplicate"]

    def test_a_new_episode_of_the_same_patient_is_another_matter(self, forgotten: Locked) -> None:
        assert forgotten.tell(*example("EP-6", PATIENT)).status == 0
        assert {row["episode"] for row in forgotten.run("days", "--patient", PATIENT).rows} == {"EP-6"}
        assert forget(forgotten).status == 0
        assert "EP-6" not in keys_of(forgotten)

    @pytest.mark.parametrize(
        "command",
        [
            ("why", EP, "2026-02-02"), ("replay", EP), ("diff", EP, "--claimed"), ("page", EP),
            ("page", EP, "--out", "x"),
            ("diff", EP, "--between", "2026-01-01T00:00Z", "2098-01-01T00:00Z"),
            ("replay", EP, "--format", "table"), ("why", EP, "2026-02-02", "--known-at", "2098-01-01T00:00Z"),
        ],
    )  # fmt: skip
    def test_their_episode_is_told_in_a_plain_sentence(
        self, forgotten: Locked, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(forgotten.folder)
        assert_plain(forgotten.run(*command), 2, f"episode {EP} was forgotten with its patient on ")
        assert not Path("x").exists()

    def test_so_it_is_by_a_bundle(self, forgotten: Locked) -> None:
        out = forgotten.folder / "new.zip"
        ended = forgotten.run("bundle", EP, "--key", forgotten.key.with_name("signing.key"), "--out", out)
        assert_plain(ended, 2, "was forgotten")
        assert not out.exists()

    def test_days_known_before_show_others_and_known_after_what_stays(self, house: Locked) -> None:
        before = datetime.now(UTC)
        others = of_others(house)[: len([row for row in house.run("days").rows if row["patient"] in ("P-2", "P-3")])]
        time.sleep(0.01)
        assert forget(house).status == 0
        then = house.run("days", "--known-at", before.isoformat()).rows
        assert then == others
        now = house.run("days", "--known-at", "2098-01-01T00:00Z").rows
        assert now == house.run("days").rows

    @pytest.mark.parametrize("wanted", [("--patient", PATIENT), ("--episode", EP), ("--patient", "")])
    def test_asked_for_by_name_there_is_nothing_or_nobodys(self, forgotten: Locked, wanted: tuple[str, ...]) -> None:
        for asked in ("days", "lines", "findings"):
            ended = forgotten.run(asked, *wanted)
            assert ended.status == 0
            assert {row["patient"] for row in ended.rows} <= {""}

    def test_a_bundle_about_others_is_proved(self, forgotten: Locked) -> None:
        out = forgotten.folder / "others.zip"
        assert (
            forgotten.run("bundle", "EP-2", "--key", forgotten.key.with_name("signing.key"), "--out", out).status == 0
        )
        program = Path(verify_bundle.__file__)
        checked = subprocess.run([sys.executable, program, out], capture_output=True, text=True, check=False)
        assert "NOT PROVEN: all fits together, but the signature" in checked.stdout
        assert "in the ledger of the checkpoint" in checked.stdout

    @pytest.mark.parametrize("more", [(), ("--deidentified",)])
    def test_exports_come_to_the_same_money(self, house: Locked, tmp_path: Path, more: tuple[str, ...]) -> None:
        key = ("--key", tmp_path / "pseudonyms.key") if more else ()

        def dollars(name: str) -> Decimal:
            for dataset in (
                "lines", "days", "findings", "changes", "claimed", "authorizations", "claims", "payments",
                "remittances", "rates",
            ):  # fmt: skip
                out = tmp_path / name
                assert house.run("export", dataset, "--format", "jsonl", "--out", out, *more, *key).status == 0
            files = (tmp_path / name / "lines").rglob("*.jsonl")
            rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
            return sum((Decimal(row["charge"]) for row in rows), Decimal())

        before = dollars("before")
        assert forget(house).status == 0
        assert dollars("after") == before > 0
        assert files_with(tmp_path / "after", [MARK.encode()]) == set()

    def test_a_what_if_shows_no_difference_of_theirs(self, forgotten: Locked) -> None:
        ended = forgotten.run("what-if", "--set", "prairie-blue.pain_assessment_days=14")
        assert ended.status == 0, ended.err
        assert MARK.encode() not in ended.out


class TestConsumers:
    def test_an_older_position_cannot_be_carried_on(self, house: Locked) -> None:
        had = house.run("status").rows[0]["position"]
        assert house.tell(told("a", episode="EP-2", fact=SERVED | {"date": "2026-02-05"})).status == 0
        assert forget(house).status == 0
        for command in (("export", "changes", "--format", "jsonl", "--out", house.folder / "out", "--since", had),
                        ("export", "events", "--format", "cloudevents", "--out", house.folder / "out", "--since", had),
                        ("follow", "--once", "--since", had)):  # fmt: skip
            assert_plain(house.run(*command), 5, "forgotten", "--since 0")
        assert not (house.folder / "out" / "changes").exists()

    def test_from_the_beginning_it_is_what_days_shows(self, forgotten: Locked) -> None:
        out = forgotten.folder / "out"
        assert forgotten.run("export", "changes", "--format", "jsonl", "--out", out, "--since", "0").status == 0
        rows = [json.loads(line) for file in sorted((out / "changes").rglob("*.jsonl")) for line in
                file.read_text("utf-8").splitlines()]  # fmt: skip
        days = forgotten.run("days").rows
        assert sorted((row["patient"], row["episode"], row["date"]) for row in rows) == sorted(
            (row["patient"], row["episode"], row["date"]) for row in days
        )

    def test_a_position_from_after_is_carried_on(self, forgotten: Locked) -> None:
        at = forgotten.run("follow", "--once", "--since", "0").rows[-1]["position"]
        assert forgotten.tell(told("a", episode="EP-2", fact=SERVED | {"date": "2026-02-05"})).status == 0
        ended = forgotten.run(
            "follow", "--once", "--since", rows_of(forgotten.ledger, "SELECT max(position) FROM entries")[0][0] - 1
        )
        assert ended.status == 0, (at, ended)
        assert {row["patient"] for row in ended.rows[1:]} <= {"P-2"}

    def test_one_that_follows_is_told(self, house: Locked) -> None:
        process = live(house, "follow", "--since", "0", "--interval", "0.05")
        assert process.stdout is not None
        process.stdout.readline()
        assert forget(house).status == 0
        _, err = process.communicate(timeout=60)
        assert (process.returncode, "was forgotten" in err) == (5, True), err


class TestMonths:
    def test_closed_before_it_prints_the_sums_that_were_kept_at_the_closing(self, house: Locked) -> None:
        closed = house.run("close", "2026-02", *ANYWAY)
        assert closed.status == 0
        assert forget(house).status == 0
        ended = house.run("close", "2026-02", *ANYWAY)
        assert (ended.status, ended.out) == (0, closed.out)
        assert MARK not in ended.out.decode()

    def test_closed_after_it_has_the_kept_days_and_comes_out_again(self, untouched: Locked, tmp_path: Path) -> None:
        house = Locked(tmp_path)
        assert house.tell(*everybody()).status == 0
        billed = [row for row in house.run("days").rows if row["status"] == "billable"]
        assert forget(house).status == 0
        first, again = house.run("close", "2026-02", *ANYWAY), house.run("close", "2026-02", *ANYWAY)
        assert (first.status, again.status) == (0, 0)
        assert first.out == again.out
        (total,) = [row for row in first.rows if row.get("row") == "status" and row["status"] == "billable"]
        assert (total["days"], total["cents"]) == (len(billed), sum(row["rate_cents"] for row in billed))
        assert forget(house, "P-3").status == 0
        assert house.run("close", "2026-02", *ANYWAY).out == first.out

    def test_restatements_of_one_closed_before_do_not_claim_that_nothing_differs(self, house: Locked) -> None:
        taken = {"type": "FactRetracted", "target_source": f"pump {MARK}", "target_id": f"{MARK} 7", "reason": "wrong"}
        assert house.tell(told("r", taken)).status == 0
        assert house.run("restatements", "2026-02", "--check").status == 1
        assert forget(house).status == 0
        ended = house.run("restatements", "2026-02")
        assert ended.status in (0, 1)
        assert "forgotten" in ended.err


class TestOtherPrograms:
    def test_one_that_held_keys_and_heads_has_its_line_refused(self, house: Locked) -> None:
        with house.open() as ledger:
            recorder = Recorder(ledger)
            first = [parsed(told("b1", SERVED | {"date": "2026-02-06"})), parsed(told("b2", episode="EP-2"))]
            assert {type(each).__name__ for each in recorder.handle(first)} == {"Recorded"}
            secrets = secrets_of(house)
            assert forget(house).status == 0
            assert untaken(house, secrets) == set()
            position = ledger.position()
            later = recorder.handle([parsed(told("b3", SERVED | {"date": "2026-02-07"}))])
            assert [each.code for each in later] == ["forgotten"]  # type: ignore[union-attr]
            assert ledger.position() == position
            again = recorder.handle([parsed(told("b4", SERVED)), parsed(told("b5", episode="EP-2", fact=SERVED))])
            assert [type(each).__name__ for each in again] == ["Refused", "Recorded"]

    def test_what_it_had_told_before_is_no_duplicate_any_more(self, house: Locked) -> None:
        line = parsed(told("b1", SERVED | {"date": "2026-02-06"}))
        with house.open() as ledger:
            recorder = Recorder(ledger)
            recorder.handle([line])
            assert forget(house).status == 0
            assert [getattr(each, "code", None) for each in recorder.handle([line])] == ["forgotten"]

    def test_one_that_reads_on_is_told(self, house: Locked) -> None:
        with house.open() as ledger:
            assert ledger.entries_of("EP-2")
            assert forget(house).status == 0
            assert EP in ledger.forgotten()
            with pytest.raises(Forgotten):
                ledger.entries_of(EP)
            assert not [entry for _, entry in ledger.follow(0) if entry.episode == EP]

    def test_a_reader_that_keeps_the_log_is_told_of_and_the_log_is_clean_when_it_has_ended(
        self, house: Locked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sqlite_forget, "EMPTY_WITHIN_SECONDS", 0.2)
        monkeypatch.setattr(sqlite_forget, "BUSY_MILLISECONDS", 50)
        secrets = secrets_of(house)
        assert house.tell(told("b", episode="EP-2")).status == 0
        with closing(sqlite3.connect(house.ledger, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM entries").fetchone()
            ended = forget(house)
            assert ended.status == 1
            assert "may still stand in the database's own log" in ended.err
            assert untaken(house, secrets) <= {"ledger.db", "ledger.db-wal"}
        assert house.run("forget", "--finish").status == 0
        assert untaken(house, secrets) == set()

    def test_nothing_is_forgotten_twice_at_once(self, house: Locked) -> None:
        with house.open() as one, house.open() as other:
            plans = [plan(each, load_book(house.book), PATIENT) for each in (one, other)]
            acts = [made.act(one, datetime.now(UTC), "o", "r", "0" * 32) for made in plans]
            one.record_forgetting(acts[0], plans[0].position)
            with pytest.raises(RecordConflictError):
                other.record_forgetting(acts[1], plans[1].position)
        assert len(rows_of(house.ledger, "SELECT 1 FROM entries WHERE topic = 'PatientForgotten'")) == 1

    def test_an_entry_told_while_it_is_planned_is_counted_in(
        self, house: Locked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Between the plan and the act somebody else records: it is planned again, with what came."""
        inner, raced = EpisodeLedger.record_forgetting, list[int]()

        def late(ledger: EpisodeLedger, act: PatientForgotten, right_after: int) -> int:
            if not raced:
                raced.append(house.tell(told("late", SERVED | {"date": "2026-02-03"}, source="late")).status)
            return inner(ledger, act, right_after)

        monkeypatch.setattr(EpisodeLedger, "record_forgetting", late)
        assert forget(house).status == 0
        assert raced == [0]
        assert MARK not in house.run("days").out.decode()
        assert house.run("verify").status == 0

    def test_one_that_catches_up_meanwhile_shows_nothing_of_them(
        self, house: Locked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The patient is forgotten between the list of whom to judge and the reading of their entries."""
        inner, raced = load_patient, list[int]()

        def late(ledger: EpisodeLedger, name: str, *more: Any) -> Any:
            if name == PATIENT and not raced:
                raced.append(forget(house).status)
            return inner(ledger, name, *more)

        house.views.unlink()
        monkeypatch.setattr(catch_up_module, "load_patient", late)
        ended = house.run("days")
        assert raced == [0]
        assert MARK not in ended.out.decode()
        again = house.run("days")
        assert again.status == 0
        assert {row["patient"] for row in again.rows} == {"", "P-2", "P-3"}

    def test_a_rebuild_that_had_read_them_makes_nothing_of_theirs_live(
        self, house: Locked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        careless(monkeypatch)
        inner, secrets = build, secrets_of(house)

        def late(*args: Any) -> Any:
            made = inner(*args)
            assert forget(house).status == 1  # a rebuild stands in the way
            return made

        monkeypatch.setattr(rebuild_module, "build", late)
        house.run("rebuild")
        monkeypatch.undo()
        assert MARK not in house.run("days").out.decode()
        assert house.run("forget", "--finish").status == 0
        assert untaken(house, secrets) == set()
        assert house.run("rebuild", "--check").status == 0


def parsed(line: Told) -> Line:
    made = parse_line(1, json.dumps(line).encode())
    assert isinstance(made, Line)
    return made


def live(house: Locked, *args: str) -> subprocess.Popen[str]:
    env = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")} | house.env
    pipe = subprocess.PIPE
    return subprocess.Popen([*LIVE, *house.named, *args], stdout=pipe, stderr=pipe, text=True, env=env)


@contextmanager
def site_of(house: Locked) -> Iterator[Browser]:
    """The site over the encrypted ledger, and a browser that was let in."""
    process = live(house, "serve", "--port", "0")
    try:
        assert process.stdout is not None
        link, _, token = (process.stdout.readline().strip() for _ in range(3))
        found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/enter/[a-z0-9]+", link)
        assert found
        yield Running(process, link, token, int(found[1])).visitor()
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def test_the_site_goes_on_without_them(house: Locked) -> None:
    with site_of(house) as visitor:
        address, other = visitor.address_of(EP), visitor.address_of("EP-2")
        assert MARK in visitor.get(address).text
        assert forget(house).status == 0
        for path in ("/", "/findings", "/report", "/report/page", "/holds", address, f"{address}/why?day=2026-02-02",
                     f"{address}?day=2026-02-02", other, "/holds?reason=plan_missing"):  # fmt: skip
            answer = visitor.get(path)
            assert answer.status in (
                (200,) if path in ("/", "/findings", "/report", "/report/page", other) else (200, 404, 410)
            ), (path, answer)
            assert MARK not in answer.text
            assert "unforeseen" not in answer.text.lower()
        assert MARK not in visitor.found(EP).text
        assert "(forgotten" not in visitor.found("EP-2").text
    assert not [line for line in (house.folder / "ledger.access.jsonl").read_text("utf-8").splitlines() if MARK in line]


def test_who_looked_at_them_can_still_be_asked_and_the_file_names_nobody(house: Locked) -> None:
    with site_of(house) as visitor:
        visitor.get("/report")
        visitor.get(visitor.address_of(EP))
        visitor.get(visitor.address_of("EP-2"))
        visitor.get("/report/page")
    text = (house.folder / "ledger.access.jsonl").read_text("utf-8")
    named = {name for line in text.splitlines() for name in json.loads(line)["patients"]}
    assert len(named) == 3
    assert not [name for name in named if not re.fullmatch("[0-9a-f]{32}", name)]
    assert MARK not in text
    before = house.run("access", PATIENT).rows
    assert {"calendar", "search", "report"} <= {row["page"] for row in before}
    assert "EP-2" not in {row["episode"] for row in before}
    assert forget(house).status == 0
    assert house.run("access", PATIENT).rows == before
    assert_plain(house.run("access", PATIENT, env={}), 2, "this ledger is encrypted")


def test_the_site_shows_nothing_that_it_kept_from_before(house: Locked) -> None:
    """Report, charts and searches are kept in its process; whoever looks again is shown none of them."""
    with site_of(house) as visitor:
        assert visitor.post("/search", text=PATIENT).status == 303
        kept = {path: visitor.get(path) for path in ("/", "/report", "/report/page")}
        search = visitor.post("/search", text=PATIENT).headers["location"]
        assert MARK in kept["/report/page"].text
        assert MARK in visitor.get(search).text
        assert forget(house).status == 0
        for path in ("/report/page", search, "/", "/report", "/report/page", search):
            answer = visitor.get(path)
            assert answer.status in (200, 404), (path, answer)
            assert MARK not in answer.text, path
        assert visitor.get("/report/page").status == 200


def test_a_report_that_was_being_made_meanwhile_is_shown_to_nobody(house: Locked) -> None:
    """It was begun before the patient was forgotten, and is ready after."""
    monday = Monday(Reader(setup_of(house)))
    with monday._reader.reading() as before:
        state = before.position, before.book.hash, "2026-03-02"
    made = monday.wanted(state)
    assert made is not None
    assert MARK in made.html
    assert forget(house).status == 0
    with monday._reader.reading() as after:
        later = after.position, after.book.hash, "2026-03-02"
    assert monday.kept(since=later[0]) is None
    monday.made = made  # by the thread that was making it
    assert monday.kept(since=later[0]) is None
    again = monday.wanted(later, since=later[0])
    assert again is not None
    assert MARK not in again.html


def setup_of(house: Locked) -> Setup:
    """What the command line makes of its options."""
    return Setup(str(house.ledger), str(house.book), master_key=lambda: house.master)


class TestKilled:
    """A ``forget`` that is killed has done nothing, or the key is gone and ``forget --finish`` takes the rest away."""

    def test_before_any_step_that_touches_a_file(self, untouched: Locked, tmp_path: Path) -> None:
        states, step = set(), 1
        while True:
            house = copied(untouched, tmp_path / str(step))
            secrets, before, others = secrets_of(house), totals(house), of_others(house)
            status = status_of(forked(partial(killed_at, step, house)))
            states.add(self.looked_at(house, secrets, before, others))
            shutil.rmtree(tmp_path / str(step))
            if status != -signal.SIGKILL:
                break
            step += 2 if step < 8 else many(11, 1)
        assert status == 0
        assert states == {"nothing", "forgotten"}
        assert step > 30

    @pytest.mark.parametrize("place", ["record", "scrub", "models", "given", "end"])
    def test_between_its_parts(self, untouched: Locked, tmp_path: Path, place: str) -> None:
        house = copied(untouched, tmp_path / place)
        secrets, before, others = secrets_of(house), totals(house), of_others(house)
        assert status_of(forked(partial(killed_in, place, house))) == -signal.SIGKILL
        found = self.looked_at(house, secrets, before, others)
        assert found == ("nothing" if place == "record" else "forgotten")

    def looked_at(self, house: Locked, secrets: list[bytes], before: Any, others: Any) -> str:
        done = EP not in keys_of(house)
        acts = rows_of(house.ledger, "SELECT count(*) FROM entries WHERE topic = 'PatientForgotten'")
        assert acts == [(int(done),)]
        assert (EP in hidden_of(house)) is not done
        if done:
            assert MARK not in house.run("days").out.decode()  # before anything is finished
            ended = house.run("forget", "--finish")
            assert ended.status == 0, ended.err
            assert untaken(house, secrets) == set()
        assert totals(house) == before
        assert of_others(house) == others
        assert house.run("verify").status == 0
        return "forgotten" if done else "nothing"


def dies_at(step: int) -> None:
    seen = [0]

    def count(event: str, args: object) -> None:
        if event in ("open", "sqlite3.connect", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "fcntl.flock"):
            seen[0] += 1
            if seen[0] == step:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)


def _die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def _die_before(owner: Any, name: str) -> Callable[[], None]:
    return lambda: setattr(owner, name, _die)


def _die_at_the_end() -> None:
    from commands.verbs import forget as command

    command._say_outcomes = _die


PLACES: Final[dict[str, Callable[[], None]]] = {
    "record": _die_before(EpisodeLedger, "record_forgetting"),
    "scrub": _die_before(EpisodeLedger, "scrub"),
    "models": _die_before(Places, "remove_all"),
    "given": lambda: setattr(forget_verb, "take_back", _die),
    "end": _die_at_the_end,
}


def killed_at(step: int, house: Locked) -> int:
    dies_at(step)
    return forget(house).status


def killed_in(place: str, house: Locked) -> int:
    PLACES[place]()
    return forget(house).status


class TestFinish:
    def test_has_nothing_to_do_where_nobody_was_forgotten(self, house: Locked) -> None:
        before = house.run("days").out
        assert_plain(house.run("forget", "--finish"), 2, "nobody was forgotten")
        assert house.run("days").out == before
        assert (house.folder / "page.html").exists()
        assert (house.folder / "feed" / "days").exists()

    def test_takes_no_name(self, forgotten: Locked) -> None:
        assert_plain(forgotten.run("forget", PATIENT, "--finish"), 2, "leave the patient out")

    def test_may_be_done_again(self, forgotten: Locked) -> None:
        for _ in range(2):
            assert forgotten.run("forget", "--finish").status == 0

    def test_does_not_call_a_backup_from_after_one_that_holds_the_keys(self, forgotten: Locked) -> None:
        assert forgotten.run("backup", "--out", forgotten.folder / "new.backup").status == 0
        ended = forgotten.run("forget", "--finish")
        assert (ended.status, "from before" in ended.err) == (0, False), ended

    def test_is_what_a_rebuild_that_stood_in_the_way_asks_for(self, house: Locked) -> None:
        secrets = secrets_of(house)
        with Places(house.views).rebuilding():
            ended = forget(house)
        assert ended.status == 1, ended
        assert "another rebuild of this read model is running" in ended.err
        assert "'episode-ledger forget --finish' takes the rest away later" in ended.err
        assert house.run("forget", "--finish").status == 0
        assert untaken(house, secrets) == set()


def test_a_record_held_up_by_forgetting_goes_on(house: Locked, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patient is forgotten between the look at who is forgotten and the reading of their entries."""
    inner, raced = EpisodeLedger.entries_of_all, list[int]()

    def late(ledger: EpisodeLedger, episodes: Any) -> Any:
        if not raced:
            raced.append(forget(house).status)
        return inner(ledger, episodes)

    monkeypatch.setattr(EpisodeLedger, "entries_of_all", late)
    with house.open() as ledger:
        lines = lines_of([told("late"), told("late", episode="EP-2")])
        outcomes = [(each.outcome, each.code) for each in record(ledger, BytesIO(lines))]
    assert raced == [0]
    assert outcomes == [("refused", "forgotten"), ("recorded", None)]
