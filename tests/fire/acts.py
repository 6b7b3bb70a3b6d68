"""What a process on the stage does: the real command line, or a control that breaks one promise on purpose."""

from __future__ import annotations

import gc
import io
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import count
from typing import Any

from commands import cli
from commands.recording import claim_batches, claim_run
from commands.terminal import options
from commands.terminal.options import Setup
from commands.writing.record import Outcome, record
from ledger.recorders.by_name.naming import in_postgres
from ledger.recorders.sqlite import checkpoint_turns as sqlite_turns
from ledger.recorders.sqlite import file as sqlite_file
from ledger.store import EpisodeLedger
from ledger.store import open_ledger as open_named
from projections.read_model.catch_up import catch_up, made_of
from projections.read_model.views import passing_views
from projections.reading.as_known import load_patient
from projections.rows.patient import derive_patient
from tests import stores
from tests.command_line import BOOK

CLAIMS_BOOK = BOOK.parent.parent / "claims" / "book"


def in_small_batches(batch: int, checkpoint_pages: int) -> None:
    """Many commits and checkpoints from few lines; the code is the same."""
    assert record.__kwdefaults__ is not None
    record.__kwdefaults__["batch"] = batch
    sqlite_turns.CHECKPOINT_PAGES = checkpoint_pages  # type: ignore[misc]
    sqlite_turns.ROWS_BETWEEN_TURNS = batch  # type: ignore[misc]
    sqlite_file.TUNING["wal_autocheckpoint"] = checkpoint_pages


def waiting_for_the_disk(synchronous: int) -> None:
    """The controls of the power cuts: with 0 SQLite never waits for the disk, with 1 not at every commit."""
    sqlite_file.SETTINGS["synchronous"] = synchronous


def command(args: list[str]) -> int:
    """A command as anybody types it."""
    return cli.run(args)


def eager(ledger: str, lines: str, batch: int) -> int:
    """The control of the kills: it says 'recorded' before it is."""
    with _opened(ledger) as opened, open(lines, "rb") as file:
        read, numbers = file.readlines(), count(opened.position() + 1)
        for start in range(0, len(read), batch):
            some = read[start : start + batch]
            for at in range(len(some)):
                number = next(numbers)
                print(f'{{"line":{start + at + 1},"outcome":"recorded","position":{number}}}', flush=True)
            list(record(opened, io.BytesIO(b"".join(some)), batch=batch))
    return 0


def one_by_one(ledger: str, lines: str) -> int:
    """The control of the half batches: each line is a transaction of its own."""
    with _opened(ledger) as opened, open(lines, "rb") as file:
        for outcome in record(opened, file, batch=1):
            _tell(outcome)
    return 0


def _opened(name: str) -> EpisodeLedger:
    return open_named(name, create=not in_postgres(name), master=stores.master())


def _tell(outcome: Outcome) -> None:
    print(f'{{"line":{outcome.line},"outcome":"{outcome.outcome}","position":{outcome.position}}}', flush=True)


def project(ledger: str, book: str, lines: str, batch: int, two: bool) -> int:
    """Record a little, bring the read model up, and so on; with ``two``, the control: position first, then rows."""
    house = Setup(ledger, book, master_key=stores.master)
    views = house.views()
    with house.open() as opened, open(lines, "rb") as file:
        read = file.readlines()
        for start in range(0, len(read), batch):
            list(record(opened, io.BytesIO(b"".join(read[start : start + batch]))))
            if two:
                _in_two_transactions(opened, views, house.book)
            else:
                catch_up(opened, views, house.book)
    return 0


def _in_two_transactions(ledger: Any, views: Any, book: Any) -> None:
    head, since = ledger.position(), int(views.noted().get("position", 0))
    with views.writing():
        views.note(**made_of(ledger, book, head))
    time.sleep(0.003)  # so that a kill meets the gap on a busy machine, too
    with views.writing():
        patients = sorted(ledger.patients_since(since, head))
        views.forget(patients)
        for name in patients:
            patient = load_patient(ledger, name, None, head)
            if patient:
                views.write(name, derive_patient(patient, book))


def write_unlisted(args: list[str]) -> int:
    """The control of the writers of claims: a file is listed only when it stands, and the kill comes before that."""
    inner = claim_run.Notes.content

    def content(notes: Any, content: bytes, episodes: Any = None) -> None:
        if notes._command != claim_run.BEGUN:
            inner(notes, content, episodes)

    def killed(output: Any, content: bytes) -> None:
        os.kill(os.getpid(), signal.SIGKILL)  # in the gap itself: from outside it is rarely met

    claim_run.Notes.content = content  # type: ignore[method-assign]
    claim_run.Output.write = killed  # type: ignore[assignment, method-assign]
    return cli.run(args)


def in_small_files(claims: int) -> None:
    """Many files of few claims."""
    claim_batches.MOST_CLAIMS = claims  # type: ignore[misc]


ACTS: dict[str, Callable[..., int]] = {
    "command": command,
    "eager": eager,
    "one_by_one": one_by_one,
    "project": project,
    "write_unlisted": write_unlisted,
}


def warm() -> None:
    """Load what the acts need before any of them is forked."""
    for name in ("record", "read", "ask", "proof", "backup", "rebuild", "claims"):
        import_module(f"commands.verbs.{name}")
    options.load_book = cache(options.load_book)
    for book in (None, str(BOOK), str(CLAIMS_BOOK)):
        assert Setup("", book).book
    passing_views().close()
    gc.freeze()  # so that a fork's collector does not copy what it shares with the server


def perform(act: str, told: dict[str, Any]) -> int:
    """One act; each line it prints is written at once."""
    sys.stdout, sys.stderr = _unbuffered(1), _unbuffered(2)
    try:
        return ACTS[act](**told)
    except BaseException:
        traceback.print_exc()
        return 70


def _unbuffered(descriptor: int) -> io.TextIOWrapper:
    raw: Any = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
