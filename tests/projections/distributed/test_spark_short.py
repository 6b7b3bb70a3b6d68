"""On a Spark cluster of two executors, once with every change: equal rows, though one is killed; what is
damaged, or of another version, stops it. The long form is ``test_spark.py``.

Needs pyspark (the extra ``test-spark``) and Java 17, which ``scripts/test`` has. One test, for one cluster: that takes
longest to start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from pyarrow import parquet

from projections.archive.manifest import ENTRIES
from projections.archive.trouble import ArchiveError
from projections.distributed.run import Judged, result_in
from projections.distributed.task import Engine, Report, Task
from projections.read_model.trouble import NotNow
from tests import ROOT
from tests.archives import Archived
from tests.harness import book_of
from tests.projections.distributed.workers import killing_once, of_another_version
from tests.read_models import crowd, mixed

pytestmark = pytest.mark.process
CLUSTER = "local-cluster[2,1,1024]"
BUCKETS = 4
SOON_THERE = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote"
"""Java that compiles little and believes what it loads: it runs for seconds."""


@pytest.fixture
def driver() -> Iterator[Any]:
    """Of two executors that know the tests."""
    from pyspark import SparkConf, SparkContext

    told = SparkConf().setMaster(CLUSTER).setAppName("short").set("spark.executorEnv.PYTHONPATH", str(ROOT))
    told.set("spark.ui.enabled", "false").set("spark.task.maxFailures", "8")
    for which in ("driver", "executor"):
        told.set(f"spark.{which}.extraJavaOptions", SOON_THERE)
    made = SparkContext.getOrCreate(told)
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def archived(tmp_path: Path) -> Archived:
    histories, tables = crowd(Random(3), 6)
    house = Archived(tmp_path, book_of(tables))
    house.tell(mixed(Random(3), histories))
    house.grow(BUCKETS)
    return house


def engine_of(driver: Any, work: Callable[[Task], Report] | None = None) -> Engine:
    """The engine over a cluster that stays, whose executors may do other work than they are told."""
    from projections.distributed.spark import worked_on

    def run(told: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
        return worked_on(driver, work or told, tasks)

    return run


def test_a_cluster_comes_to_the_builds_rows_though_an_executor_is_killed_and_what_is_wrong_stops_it(
    archived: Archived, driver: Any
) -> None:
    made = archived.judge(engine=engine_of(driver, killing_once))
    assert list(made.manifest.fingerprints.values()) == archived.built()[0]
    _assert_files_made_twice_count_once(archived, made)
    with pytest.raises(NotNow, match="another version"):
        archived.judge(engine=engine_of(driver, of_another_version))
    assert result_in(archived.out).manifest == made.manifest
    (file,) = archived.grow().of_kind(ENTRIES)
    path = Path(archived.archive) / file.path
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + bytes([whole[200] ^ 1]) + whole[201:])
    with pytest.raises(ArchiveError, match=path.name):
        archived.judge(engine=engine_of(driver))
    assert result_in(archived.out).manifest == made.manifest


def _assert_files_made_twice_count_once(archived: Archived, made: Judged) -> None:
    assert (Path(archived.out) / ".killed").exists()  # between its files and its report
    assert any(path.startswith("digests/") for path in made.orphans)
    rows = [row for file in made.manifest.files if file.table == "days"
            for row in parquet.read_table(Path(archived.out) / file.path).to_pylist()]  # fmt: skip
    assert len(rows) == len({(row["patient"], row["episode"], row["date"]) for row in rows}) > 0
