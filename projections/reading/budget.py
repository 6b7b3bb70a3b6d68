"""What one patient may cost: a budget of processor time and memory, beyond which they are set aside.

Some of what the judge asks grows with the square of what was recorded, and the door lets through more than any therapy
has. So that one patient cannot keep everybody else waiting, whoever works on a patient does so under a watch: a thread
that looks at the worker's processor time, and the process's memory, fifty times a second. Work that is done before it
is looked at costs nothing. Time on the processor, not by the clock: a busy machine sets nobody aside.
"""

from __future__ import annotations

import ctypes
import os
import resource
import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple, TypeVar

from ledger.facts.entry import UnreadableEntry

T = TypeVar("T")

LOOK_SECONDS: Final = 0.02
_LOOKS_UNTIL_REST: Final = 250
_LOOKS_UNTIL_AGAIN: Final = 25
"""Half a second: cleaning up after what was stopped takes less."""
_MB: Final = 2**20
_sleep: Final = time.sleep
"""As it was when this was loaded: whoever plays with the time of a process plays without the watch."""


class Budget(NamedTuple):
    """What working on one patient may take: seconds of processor time, and megabytes of memory."""

    seconds: int = 20
    memory_mb: int = 128


class TooCostly(UnreadableEntry):
    """A patient, named by an episode of theirs, costs more than the budget: set aside like an unreadable one."""

    def __init__(self, episode: str) -> None:
        super().__init__(episode, 0)

    def __str__(self) -> str:
        return f"the patient of episode {self.episode} costs more than the budget of {in_words(budget())} allows"

    def __reduce__(self) -> tuple[type[TooCostly], tuple[str]]:  # type: ignore[override]
        """So that one process can tell another."""
        return TooCostly, (self.episode,)


class _Stopped(BaseException):
    """Thrown into a worker by the watch; no handler of an ordinary error takes it."""


class _Work:
    """One piece of work under the watch."""

    __slots__ = ("began_at", "began_with", "is_done", "is_stopped", "looked_at_since", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.began_at: float | None = None
        self.began_with = 0
        self.is_done = self.is_stopped = False
        self.looked_at_since = 0


class _Watch:
    """The thread that looks, and the work it looks at; it ends when there has been none for a while."""

    def __init__(self) -> None:
        self.budget = Budget()
        self._lock = threading.Lock()
        self._work: dict[int, _Work] = {}
        self._looking: threading.Thread | None = None
        self._memory = 0

    def watches(self, thread: int) -> bool:
        """Whether this thread works under the watch already."""
        return thread in self._work

    def begin(self, work: _Work) -> None:
        """Look at it from now on."""
        self._work[work.thread] = work
        if self._looking is None or not self._looking.is_alive():  # as after a fork, too
            self._memory = _memory_bytes()
            self._looking = threading.Thread(target=self._look_on, daemon=True)
            self._looking.start()

    def begin_anew(self) -> None:
        """In a process that was just forked: nobody looks, and nobody will let the lock go."""
        self._lock, self._work, self._looking = threading.Lock(), {}, None

    def end(self, work: _Work) -> None:
        """It is done: nothing is thrown at it any more."""
        with self._lock:
            work.is_done = True
            self._work.pop(work.thread, None)
            if work.is_stopped:
                _let_arrive(work.thread)

    def _look_on(self) -> None:
        idle = 0
        while idle < _LOOKS_UNTIL_REST:
            _sleep(LOOK_SECONDS)
            works = list(self._work.values())
            idle = 0 if works else idle + 1
            before, self._memory = self._memory, _memory_bytes()
            for work in works:
                self._look_at(work, before)

    def _look_at(self, work: _Work, memory_before: int) -> None:
        with self._lock:
            if work.is_done:
                return
            if work.is_stopped:
                self._stop_again(work)
                return
            used = _seconds_of(work.thread)
            if work.began_at is None:
                work.began_at, work.began_with = used, memory_before
            if (
                used - work.began_at > self.budget.seconds
                or self._memory - work.began_with > self.budget.memory_mb * _MB
            ):
                work.is_stopped = True
                _throw(work.thread, _Stopped)

    @staticmethod
    def _stop_again(work: _Work) -> None:
        """What was thrown is lost where it arrives in a ``__del__``: the interpreter lets no error out of there."""
        work.looked_at_since += 1
        if work.looked_at_since % _LOOKS_UNTIL_AGAIN == 0:
            _throw(work.thread, _Stopped)


_watch: Final = _Watch()
os.register_at_fork(after_in_child=_watch.begin_anew)


def budget() -> Budget:
    """The budget of this process."""
    return _watch.budget


def set_budget(wanted: Budget) -> None:
    """What a patient may cost in this process from now on."""
    _watch.budget = wanted


def in_words(wanted: Budget) -> str:
    """A budget as a message names it."""
    return f"{wanted.seconds} seconds and {wanted.memory_mb} MB"


def within_budget(episode: str, work: Callable[[], T]) -> T:
    """What the work on a patient gives, who has this episode; TooCostly if it takes more than the budget.

    It may be stopped anywhere in between, so nothing in it may hold what others need. Work within work counts once.
    """
    mine = _Work()
    if _watch.watches(mine.thread):
        return work()
    try:
        _watch.begin(mine)
        try:
            return work()
        finally:
            _watch.end(mine)
    except _Stopped:
        _end(mine)
    raise TooCostly(episode)  # not in there: it would hold what was stopped, and all that it had made


def _end(work: _Work) -> None:
    """The end of what was stopped, even if it is stopped again meanwhile."""
    while True:
        try:
            _watch.end(work)
        except _Stopped:
            continue
        return


def _throw(thread: int, error: type[BaseException]) -> None:
    """Raise an error in a thread at its next step."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _let_arrive(thread: int) -> None:
    """What was thrown at this very thread arrives here, if it has not yet.

    To take it back would leave the interpreter's signal of it set: every step of this thread would look for it, for
    ever, and under a tracer not come past it.
    """
    try:
        _throw(thread, _Stopped)
        while True:
            pass
    except _Stopped:
        return


def _seconds_of(thread: int) -> float:
    """The processor time of a thread; where the system does not say, that of the process."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return time.clock_gettime(clock_of(thread)) if clock_of else time.process_time()


def _memory_bytes() -> int:
    """The memory of this process; where the system does not say, the most it ever had."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
