"""A read model built from the ledger alone: patients complete and in order, judged once, rows and digests written.

Of several books each gets a read model of its own, in one pass: patients are read and folded once, and judged by each.
With several processes each takes a stretch of the ledger and writes a file of its own; the parts are then put together.
The fingerprints do not depend on how the work was shared.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Final

from ledger.progress import Progress
from ledger.store import open_ledger
from projections.read_model.rows_file import lay
from projections.read_model.tables import STORED, index_tables
from projections.read_model.trouble import NotNow, SetAside
from projections.reading.cohorts import cohorts_in, shares
from projections.rebuild.part import build_part
from projections.rebuild.work import BuiltPart, Target, Work
from projections.rows.digests import Sums
from projections.rows.house import house_sheets

AHEAD_ENTRIES: Final = 10_000
"""What this process gets done while the others start."""


def build(targets: Sequence[Target], work: Work, processes: int, told: Progress) -> list[tuple[Sums, list[SetAside]]]:
    """Build every row of each target into its new file; the caller notes what it was made of. UnreadableEntry stops
    it."""
    of_each = [targets, *([_part(target, number) for target in targets] for number in range(1, processes))]
    with _helpers(processes - 1) as helpers:  # they load what they need while the work is shared out
        with open_ledger(work.ledger, create=False, master=work.master) as ledger:
            kept = house_sheets(ledger, work.upto)
            parts = shares(cohorts_in(ledger, work.upto), processes, min(AHEAD_ENTRIES, work.upto // 4))
        total = sum(map(len, parts))
        for target in chain(*of_each):
            lay(target.path)  # here, so that the others need not load what it takes
        try:
            for helper, theirs, part in zip(helpers, of_each[1:], parts[1:], strict=True):
                helper.send((theirs, work, part))
            mine = parts[0]
            parts.clear()  # the others' work is theirs to hold
            done = [build_part(targets, work, mine, lambda done, of: told(done * processes, total), kept)]
            done += [_answer_of(helper) for helper in helpers]
        except (EOFError, ConnectionError) as error:
            raise NotNow("a process of the rebuild was ended from outside, or for want of memory") from error
    for paths in zip(*([target.path for target in theirs] for theirs in of_each), strict=True):
        _put_together(paths[0], paths[1:])
    return [_joined(made) for made in zip(*done, strict=True)]


def _part(target: Target, number: int) -> Target:
    """What one of the other processes builds of a target."""
    return target._replace(path=target.path.with_name(f"{target.path.name}-part-{number}"))


def _joined(parts: Sequence[BuiltPart]) -> tuple[Sums, list[SetAside]]:
    sums = Sums()
    for made in parts:
        sums.join(Sums(made.sums))
    return sums, [patient for made in parts for patient in made.set_aside]


@contextmanager
def _helpers(count: int) -> Iterator[list[Connection]]:
    """Processes that build a part each, by the connections to them; none outlives this.

    No pool: a pool whose process is killed while it starts may wait for ever, and this one must say so.
    """
    context = get_context("spawn")
    started: list[tuple[SpawnProcess, Connection]] = []
    try:
        for _ in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_help, args=(theirs,), daemon=True)
            process.start()
            theirs.close()
            started.append((process, ours))
        yield [connection for _, connection in started]
    finally:
        for process, connection in started:
            connection.close()
            process.kill()
            process.join()


def _help(connection: Connection) -> None:
    """Build the part that is sent, and send back what was made or what stopped it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the one that asked ends its helpers itself
    threading.Thread(target=_end_with_parent, daemon=True).start()
    targets, work, cohorts = connection.recv()
    made: list[BuiltPart] | Exception
    try:
        made = build_part(targets, work, cohorts)
    except Exception as error:
        made = error
    connection.send(made)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)  # it was killed: nobody waits for this part any more


def _answer_of(helper: Connection) -> list[BuiltPart]:
    made: list[BuiltPart] | Exception = helper.recv()
    if isinstance(made, Exception):
        raise made
    return made


def _put_together(path: Path, parts: Sequence[Path]) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = OFF")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA cache_size = -16000")
    try:
        for part in parts:
            connection.execute("ATTACH ? AS part", (str(part),))
            for table in STORED:
                connection.execute(f'INSERT INTO main."{table}" SELECT * FROM part."{table}"')
            connection.execute("DETACH part")
            part.unlink()
        connection.execute("BEGIN")
        index_tables(connection)
        connection.execute("COMMIT")
    finally:
        connection.close()
