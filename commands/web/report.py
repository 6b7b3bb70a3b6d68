"""The Monday report of the site: made beside the pages, once for each state of ledger and book, and kept."""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

from commands.web.reading import Reader
from projections.report.asked import Asked
from projections.report.behind import SHOWN_RUNS, Collected
from projections.report.html import render_report
from projections.report.report import WeeklyReport, report_of

PATIENCE_SECONDS: Final = 2.0
"""A report that is made faster than this is shown at once."""

State = tuple[int, str, str]
"""Position, book and date a report was made for."""


class Made(NamedTuple):
    """A report, the page it makes by itself, and the state it was made for."""

    state: State
    report: WeeklyReport
    html: str


class Monday:
    """Makes reports, one at a time."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._lock = threading.Lock()
        self._worker: threading.Thread | None = None
        self.made: Made | None = None
        self.failed: Exception | None = None
        self.done = self.of = 0

    def kept(self, since: int = 0) -> Made | None:
        """The last report made, if from this position or after it; one from before is let go."""
        made = self.made  # by another thread, at any time
        if made is not None and made.state[0] < since:
            self.made = made = None
        return made

    def wanted(self, state: State, *, anew: bool = False, since: int = 0) -> Made | None:
        """The last report made, the one for this state if it is ready soon; None if there is none yet from this
        position or after it."""
        kept = self.kept(since)
        if kept is None or (anew and kept.state != state):
            self._begin(state[2])
        if worker := self._worker:
            worker.join(PATIENCE_SECONDS)
        if self.failed is not None:
            failed, self.failed = self.failed, None
            raise failed
        return self.kept(since)

    @property
    def is_busy(self) -> bool:
        """Whether a report is being made."""
        return self._worker is not None

    def _begin(self, on: str) -> None:
        with self._lock:
            if self._worker is None:
                self.done = self.of = 0
                self._worker = threading.Thread(target=self._make, args=(on,), daemon=True)
                self._worker.start()

    def _make(self, on: str) -> None:
        try:
            with self._reader.reading() as (ledger, views, book, position):
                report = report_of(ledger, views, book, Asked(on), Collected(SHOWN_RUNS), self._note_progress)
            self.made = Made((position, book.hash, on), report, render_report(report))
        except Exception as error:
            self.failed = error
        finally:
            self._worker = None

    def _note_progress(self, done: int, of: int) -> None:
        self.done, self.of = done, of
