"""The open work of one patient: findings by stretch, holds, and billable days on no claim, each with what it is worth.

Its rows are those of the command line: the stretches of ``findings`` but for billable days on no claim, the days of
``report`` on hold, the lines of ``lines --unclaimed``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from ledger.book import Book
from ledger.store import EpisodeLedger
from projections.operations.finding_stretches import AT_ONCE, REFUNDS, FindingStretch, StretchReader
from projections.operations.lines_to_bill import LinesToBill
from projections.operations.on_claims import waiting_claims
from projections.read_model.kept_work import WorkItem
from projections.read_model.queries import Filters, finding_rows, line_rows
from projections.read_model.views import Views
from projections.reading.as_known import AsKnown
from projections.rows.finding import MESSAGES
from projections.rows.line import LineRow
from projections.why.cures import CURES
from projections.words import ANSWER_DAYS, later, sentence

TO_BILL: Final = "to_bill"
UNANSWERED: Final = "unanswered"
"""A claim that should have been answered: it is on the list from the day on which it is due."""
SAID_BY_LINES: Final = "billable_not_claimed"
"""The findings whose days are all among those to bill: they would be on the list twice."""
KINDS: Final = {
    "stops": "Stops a claim",
    "hold": "On hold",
    TO_BILL: "To bill",
    "warning": "Warning",
    UNANSWERED: "Not answered",
}
"""The kinds of work, as people say them."""
WORKS: Final = (TO_BILL, UNANSWERED, *CURES, *(rule for rule in MESSAGES if rule != SAID_BY_LINES))
"""Everything that there can be to do in an episode."""
_LEVELS: Final = {"hard": "stops", "soft": "warning"}


def work_words(work: str) -> str:
    """A piece of work in a few words."""
    if work == TO_BILL:
        return "billable and on no claim"
    if work == UNANSWERED:
        return "claim without an answer"
    return CURES[work].because if work in CURES else work.replace("_", " ")


class WorkReader:
    """Works out patient by patient what is to be done."""

    def __init__(self, ledger: EpisodeLedger, views: Views, book: Book, now: datetime) -> None:
        self._ledger, self._views, self._book, self._now = ledger, views, book, now
        self._stretches = StretchReader(ledger, views, book)

    def items(self, patient: str) -> list[WorkItem]:
        """All open work of one patient."""
        chosen = Filters(patient=patient)
        found = [row for row in finding_rows(self._views, chosen) if row.rule != SAID_BY_LINES]
        lines = list(line_rows(self._views, chosen))
        held = self._views.connection.execute(_HELD, (patient,)).fetchall()
        waiting = list(self._waiting(patient))
        if not (found or lines or held):
            return waiting
        self._stretches.turn_to(patient)
        return [
            *waiting,
            *map(_of_stretch, self._stretches.of(found)),
            *self._on_hold(patient, held),
            *map(self._to_bill, LinesToBill(self._ledger, self._views, self._now).unclaimed(lines)),
        ]

    def _on_hold(self, patient: str, runs: Iterable[tuple[str, str, str | None, str, str, int]]) -> Iterator[WorkItem]:
        together: dict[tuple[str, str, str | None], list[tuple[str, str, int]]] = {}
        for episode, reason, payer, first, last, days in runs:
            together.setdefault((episode, reason, payer), []).append((first, last, days))
        for (episode, reason, payer), found in together.items():
            dates = [later(first, place) for first, _, days in found for place in range(days)]
            cents, due = self._stretches.worth(episode, dates)
            yield WorkItem(
                patient, episode, "hold", reason, payer, None, found[0][0], found[-1][1], len(dates), cents, due,
                sentence(CURES[reason].cure),
            )  # fmt: skip

    def _waiting(self, patient: str) -> Iterator[WorkItem]:
        gone = self._ledger.forgotten()
        for episode in sorted(set(self._ledger.episodes_of(patient)) - gone.keys()):
            waiting = list(waiting_claims(self._ledger, episode))
            theirs = bool(waiting) and AsKnown(self._ledger, self._book).owner(episode) == patient
            for one in waiting if theirs else ():
                yield WorkItem(
                    patient, episode, UNANSWERED, UNANSWERED, one.payer, one.claim, one.first_date, one.last_date,
                    one.days, one.cents, later(one.sent_on, ANSWER_DAYS), "Ask the payer where the claim is.",
                )  # fmt: skip

    def _to_bill(self, line: LineRow) -> WorkItem:
        dates = [later(line.from_, place) for place in range(line.units)]
        _, due = self._stretches.worth(line.episode, dates)
        return WorkItem(
            line.patient, line.episode, TO_BILL, TO_BILL, line.payer, None, line.from_, line.to, line.units,
            line.expected_cents, due, "Send the claim.",
        )  # fmt: skip


_HELD: Final = (
    "SELECT episode, reason, payer, first_date, last_date, days FROM day_runs"
    " WHERE patient = ? AND status = 'hold' ORDER BY episode, first_date"
)


def _of_stretch(one: FindingStretch) -> WorkItem:
    due = one.due or (AT_ONCE if one.rule in REFUNDS and one.cents else None)
    return WorkItem(
        one.patient, one.episodes[0], _LEVELS[one.level], one.rule, one.payer, one.claim, one.dates[0], one.dates[-1],
        len(one.dates), one.cents, due, one.message,
    )  # fmt: skip
