"""The engine that is always there: a pool of processes on this machine, or this process alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context

from projections.distributed.task import Engine, Report, Task
from projections.loading import load_pyarrow
from projections.read_model.trouble import NotNow


def local_engine(processes: int) -> Engine:
    """Buckets worked on by so many processes."""

    def run(work: Callable[[Task], Report], tasks: Sequence[Task]) -> Iterator[Report]:
        if processes == 1:
            yield from map(work, tasks)
            return
        with ProcessPoolExecutor(processes, get_context("spawn"), load_pyarrow) as pool:
            try:
                for done in as_completed([pool.submit(work, task) for task in tasks]):
                    yield done.result()
            except BrokenProcessPool:
                raise NotNow("a process was ended from outside, or for want of memory") from None
            finally:
                pool.shutdown(cancel_futures=True)

    return run
