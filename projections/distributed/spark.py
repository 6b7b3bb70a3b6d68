"""The engine for many machines: a Spark job of one task a bucket; needs pyspark (the extra ``spark``) and Java 17."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from pyspark import SparkConf, SparkContext

from ledger.facts.entry import UnreadableEntry
from projections.archive.trouble import ArchiveError
from projections.distributed.task import Engine, Report, Task

Answer = Report | ArchiveError | UnreadableEntry


def spark_engine(master: str | None) -> Engine:
    """Buckets worked on by a cluster: by its URL, or what ``spark-submit`` was told."""

    def run(work: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
        told = SparkConf().setAppName("episode-ledger judge")
        context = SparkContext.getOrCreate(told.setMaster(master) if master else told)  # no session: nobody asks in SQL
        if str(context.master).startswith("local"):  # elsewhere PYSPARK_PYTHON says
            context.pythonExec = sys.executable
        try:
            yield from worked_on(context, work, tasks)
        finally:
            context.stop()

    return run


def worked_on(context: SparkContext, work: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
    """The reports of a cluster's driver that is there already, and stays."""
    buckets = context.parallelize(tasks, len(tasks))
    for answer in buckets.map(partial(_answer, work)).collect():
        if isinstance(answer, Exception):
            raise answer
        yield answer


def _answer(work: Callable[[Task], Report], task: Task) -> Answer:
    """What came of a task, or what stops everybody: that is not tried again, as a lost machine is."""
    try:
        return work(task)
    except (ArchiveError, UnreadableEntry) as error:
        return error
