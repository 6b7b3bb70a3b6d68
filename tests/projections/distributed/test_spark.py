"""The same on a Spark cluster of two executors: equal rows, also when executors are killed; only named files count.

Needs the extra ``spark`` and Java 17: before a release, ``scripts/test -m soak`` has both.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from pyarrow import parquet

from projections.archive.manifest import ENTRIES
from projections.archive.trouble import ArchiveError
from projections.distributed.run import result_in
from projections.distributed.task import Engine, Report, Task
from tests import ROOT
from tests.archives import Archived
from tests.harness import book_of
from tests.projections.distributed.workers import lingering
from tests.read_models import crowd, mixed

pytestmark = pytest.mark.soak
CLUSTER = "local-cluster[2,1,1024]"
KILLS = 20


def cluster(work: Callable[[Task], Report] | None = None) -> Engine:
    """The engine on a cluster whose executors know the tests, and may do other work than they are told."""
    from pyspark import SparkConf, SparkContext

    from projections.distributed.spark import spark_engine

    def run(told: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
        conf = SparkConf().setMaster(CLUSTER).setAppName("long").set("spark.executorEnv.PYTHONPATH", str(ROOT))
        SparkContext.getOrCreate(conf.set("spark.ui.enabled", "false").set("spark.task.maxFailures", "20"))
        yield from spark_engine(None)(work or told, tasks)

    return run


@pytest.fixture
def archived(tmp_path: Path) -> Archived:
    histories, tables = crowd(Random(3), 24)
    house = Archived(tmp_path, book_of(tables))
    house.tell(mixed(Random(3), histories))
    house.grow(32)
    return house


def executors() -> list[int]:
    """The executors that run now, as process numbers."""
    found = []
    for place in Path("/proc").iterdir():
        if place.name.isdecimal():
            try:
                command = (place / "cmdline").read_bytes()
            except OSError:
                continue
            if b"CoarseGrainedExecutorBackend" in command and os.getpgid(int(place.name)) == os.getpgid(0):
                found.append(int(place.name))
    return found


@contextmanager
def killing(rng: Random, kills: int, out: str) -> Iterator[list[int]]:
    """Executors are killed at drawn moments once there is something new; gives whom."""
    killed: list[int] = []
    done = threading.Event()

    before = set(Path(out).rglob("*.parquet"))

    def kill() -> None:
        while set(Path(out).rglob("*.parquet")) <= before and not done.wait(0.05):
            pass
        while len(killed) < kills and not done.wait(rng.uniform(0.2, 4)):
            if running := executors():
                chosen = rng.choice(running)
                os.kill(chosen, signal.SIGKILL)
                killed.append(chosen)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield killed
    finally:
        done.set()
        thread.join()


def test_a_cluster_comes_to_the_builds_fingerprints(archived: Archived) -> None:
    assert archived.judged(engine=cluster()) == archived.built()


def test_executors_that_are_killed_change_nothing_and_what_they_wrote_twice_counts_once(archived: Archived) -> None:
    built, rng = archived.built(), Random(11)
    killed, doubled = 0, 0
    while killed < KILLS:
        with killing(rng, 4, archived.out) as found:
            made = archived.judge(engine=cluster(lingering))
        killed += len(found)
        assert list(made.manifest.fingerprints.values()) == built[0]
        doubled += sum(path.startswith("digests/") and f"{made.number:08d}-" in path for path in made.orphans)
        rows = [row for file in made.manifest.files if file.table == "days"
                for row in parquet.read_table(Path(archived.out) / file.path).to_pylist()]  # fmt: skip
        assert len(rows) == len({(row["patient"], row["episode"], row["date"]) for row in rows})
    assert doubled, "no executor was killed between its file and its report: nothing was shown"


def test_on_this_machine_workers_run_the_python_that_runs_the_program(archived: Archived) -> None:
    book = archived.folder / "book"
    book.write_text(archived.book.text)
    command = [sys.executable, "-c", DRIVER, archived.archive, archived.out, "local[2]", str(book)]
    plain = {name: value for name, value in os.environ.items() if name != "PYSPARK_PYTHON"}
    subprocess.run(command, cwd=ROOT, env=plain | {"PATH": "/usr/bin:/bin"}, check=True)  # as pipx leaves it
    assert list(result_in(archived.out).manifest.fingerprints.values()) == archived.built()[0]


def test_what_is_damaged_stops_the_cluster_and_is_named(archived: Archived) -> None:
    (file,) = archived.grow().of_kind(ENTRIES)
    path = Path(archived.archive) / file.path
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    with pytest.raises(ArchiveError, match=path.name):
        archived.judge(engine=cluster())
    path.write_bytes(whole[:-1])
    with pytest.raises(ArchiveError, match=path.name):
        archived.judge(engine=cluster())


def test_a_driver_that_is_killed_leaves_the_result_that_stood(archived: Archived) -> None:
    before = archived.judge().manifest
    book = archived.folder / "book"
    command = [sys.executable, "-c", DRIVER, archived.archive, archived.out, "local[2]", str(book)]
    book.write_text(archived.book.text)
    driver = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    deadline = time.monotonic() + 400
    while not list(Path(archived.out).glob("days/00000002-*")) and time.monotonic() < deadline and not driver.poll():
        time.sleep(0.05)
    os.killpg(driver.pid, signal.SIGKILL)
    driver.wait()
    assert list(Path(archived.out).glob("days/00000002-*")), "it was not killed while it wrote"
    assert result_in(archived.out).manifest == before
    assert archived.judge().manifest.fingerprints == before.fingerprints


DRIVER = """
import sys
from pathlib import Path
from ledger.book import book_of_text
from projections.distributed.run import Wanted, judge_archive
from projections.distributed.spark import spark_engine
archive, out, cluster, book = sys.argv[1:]
judge_archive(archive, out, Wanted(book_of_text(Path(book).read_text())), spark_engine(cluster))
"""
