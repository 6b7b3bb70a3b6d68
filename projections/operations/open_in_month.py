"""What is still open in a month: conflicts, hard findings, days on hold, and billable days on no claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Literal

import msgspec

from ledger.store import EpisodeLedger
from projections.audit.month import Month
from projections.operations.on_claims import shares_on_claims
from projections.read_model.queries import Filters, day_rows, finding_rows
from projections.read_model.views import Views
from projections.rows.day import DayRow
from projections.rows.finding import MESSAGES, FindingRow, together
from projections.rows.kept import NOBODY
from projections.why.cures import CURES
from projections.words import REASONS, counted, runs, sentence

OpenKind = Literal["conflict", "finding", "hold", "unbilled"]


class OpenInMonth(msgspec.Struct, frozen=True, gc=False):
    """Consecutive days of a month that wait for the same; ``findings`` counts those of a hard finding.

    ``cents`` is what the days pay, where they are billable.
    """

    open: OpenKind
    patient: str
    episodes: tuple[str, ...]
    from_: str = msgspec.field(name="from")
    to: str
    days: int
    findings: int
    reason: str
    payer: str | None
    cents: int | None
    says: str


def open_in_month(ledger: EpisodeLedger, views: Views, month: Month) -> list[OpenInMonth]:
    """What a caught-up read model holds of a month that is not settled: conflicts, findings, holds, unbilled days."""
    wanted = Filters(from_=month.first.isoformat(), to=month.last.isoformat())
    days = {status: wanted._replace(status=status) for status in ("conflict", "hold", "billable")}
    hard = [row for row in finding_rows(views, wanted) if row.level == "hard"]
    return [
        *_stretches(day_rows(views, days["conflict"]), "conflict"),
        *_findings(hard),
        *_stretches(day_rows(views, days["hold"]), "hold"),
        *_stretches(_unbilled(ledger, day_rows(views, days["billable"])), "unbilled"),
    ]


def counted_open(found: Iterable[OpenInMonth]) -> str:
    """How much of each is open: ``2 days in conflict, 3 hard findings``."""
    number: Counter[str] = Counter()
    for each in found:
        number[each.open] += each.findings if each.open == "finding" else each.days
    words = {
        "conflict": counted(number["conflict"], "day in conflict", "days in conflict"),
        "finding": counted(number["finding"], "hard finding"),
        "hold": counted(number["hold"], "day on hold", "days on hold"),
        "unbilled": counted(number["unbilled"], "billable day on no claim", "billable days on no claim"),
    }
    return ", ".join(words[kind] for kind in words if number[kind])


def _unbilled(ledger: EpisodeLedger, rows: Iterable[DayRow]) -> Iterator[DayRow]:
    """The billable days that are on no live claim; nobody can file those of the forgotten."""
    for episode, days in groupby((row for row in rows if row.patient != NOBODY), lambda row: row.episode):
        claimed = shares_on_claims(ledger, episode)
        yield from (row for row in days if row.date not in claimed)


def _stretches(rows: Iterable[DayRow], kind: OpenKind) -> Iterator[OpenInMonth]:
    for run in runs(rows, lambda row: (row.patient, row.episode, row.reason, row.payer)):
        first, last = run[0], run[-1]
        cents = sum(row.rate_cents or 0 for row in run) if kind == "unbilled" else None
        reason = first.reason or "unbilled"
        yield OpenInMonth(
            kind, first.patient, (first.episode,), first.date, last.date, len(run), 0, reason, first.payer, cents,
            _says(reason),
        )  # fmt: skip


def _says(reason: str) -> str:
    """What is open and what to do, in two sentences."""
    if reason == "unbilled":
        return "Billable and on no claim. Claim the days."
    todo = CURES[reason].cure if reason in CURES else MESSAGES[reason].todo
    return f"{sentence(REASONS[reason])} {sentence(todo.rstrip('.'))}"


def _findings(rows: Sequence[FindingRow]) -> Iterator[OpenInMonth]:
    alike = Counter((row.rule, row.episodes, row.message) for row in rows)
    for row in together(sorted(rows, key=lambda row: (row.rule, row.episodes, row.message, row.dates))):
        yield OpenInMonth(
            "finding", row.patient, row.episodes, row.dates[0], row.dates[-1], len(row.dates),
            alike[row.rule, row.episodes, row.message], row.rule, None, None, row.message,
        )  # fmt: skip
