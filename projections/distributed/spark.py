"""The engine for many machines: a Spark job of one task a bucket; needs pyspark (the extra ``spark``) and Java 17."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from pyspark.sql import SparkSession

from projections.distributed.task import Engine, Report, Task


def spark_engine(master: str | None) -> Engine:
    """Buckets worked on by a cluster: by its URL, or what ``spark-submit`` was told."""

    def run(work: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
        builder = SparkSession.builder.appName("episode-ledger judge")
        session = (builder.master(master) if master else builder).getOrCreate()
        try:
            yield from session.sparkContext.parallelize(tasks, len(tasks)).map(work).collect()
        finally:
            session.stop()

    return run
