"""One episode to look at: its days in months, its lines and findings, and the moments its claims were sent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime

import msgspec

from ledger.book import Book
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import ClaimSubmitted
from ledger.facts.liveness import live_entries
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.page.claims import ClaimShown, claims_shown
from projections.page.days import WEEKDAYS, DayShown, MonthShown, months_shown
from projections.page.money import DayMoney, MoneySum, money_of, money_sums
from projections.page.running_out import RunsOut, running_out
from projections.read_model import queries
from projections.read_model.queries import Filters
from projections.read_model.views import Views
from projections.reading.as_known import AsKnown
from projections.reading.authorizations import Authorization, authorizations_of, has_authorization
from projections.reading.budget import within_budget
from projections.rows.day import DayRow, day_row
from projections.rows.finding import FindingRow, finding_row, together
from projections.rows.line import LineRow, line_row
from projections.rows.patient import sheets_of
from projections.words import MARKS, STATUS, utc_text, verdict_of, verdict_words


class Sent(msgspec.Struct, frozen=True):
    """A claim of the episode and when the ledger learned of it."""

    claim: str
    payer: str
    frequency: str
    recorded_at: str


class VerdictSum(msgspec.Struct, frozen=True):
    """How many days have a verdict, and what they pay."""

    status: str
    mark: str
    words: str
    days: int
    cents: int


class EpisodeSheet(msgspec.Struct, frozen=True):
    """An episode as known at an instant, or as known now."""

    patient: str
    episode: str
    known_at: str | None
    verdicts: tuple[VerdictSum, ...]
    months: tuple[MonthShown, ...]
    lines: tuple[LineRow, ...]
    findings: tuple[FindingRow, ...]
    sent: tuple[Sent, ...]
    entries: int
    last_recorded_at: str | None
    money: dict[str, DayMoney]
    money_sums: tuple[MoneySum, ...]
    claims: tuple[ClaimShown, ...]
    authorizations: tuple[Authorization, ...]
    running_out: tuple[RunsOut, ...]


Rows = tuple[list[DayRow], list[LineRow], list[FindingRow]]
"""The days, lines and findings of one episode."""


def episode_sheet(
    ledger: EpisodeLedger, views: Views, episode: str, book: Book, known_at: datetime | None = None
) -> EpisodeSheet | None:
    """An episode out of the caught-up read model, or judged as known at an instant; None if not opened by then.
    TooCostly if that costs more than the budget of a patient."""
    past = AsKnown(ledger, book, known_at)
    patient = past.owner(episode)
    if patient is None:
        return None
    known, chosen = past.entries([episode])[episode], Filters(patient=patient, episode=episode)
    days, lines, findings = _of_now(views, chosen) if known_at is None else _then(past, chosen)
    folded = episode_of(episode, known)
    granted = _authorizations(past, patient, episode, known)
    last = days[-1].date if days else ""
    all_ = known if known_at is None else ledger.entries_of(episode)

    def work() -> EpisodeSheet:
        money = money_of(days, folded)
        return EpisodeSheet(
            patient, episode, utc_text(known_at) if known_at is not None else None, tuple(_verdicts(days)),
            tuple(months_shown(map(_day_shown, days))), tuple(lines), tuple(_ordered(findings)),
            tuple(_sent(all_)), len(known), utc_text(known[-1].recorded_at),
            money, tuple(money_sums(money)), tuple(claims_shown(folded)), granted,
            tuple(running_out(known, granted, last)),
        )  # fmt: skip

    return within_budget(episode, work)


def _authorizations(past: AsKnown, patient: str, episode: str, known: Sequence[Entry]) -> tuple[Authorization, ...]:
    """The live authorizations of the episode; the patient is judged only if there is one."""
    if not has_authorization(map(statement_of, known)):
        return ()
    judged = past.judged(patient)
    return tuple(authorizations_of(judged, judged.case(episode))) if judged else ()


def _of_now(views: Views, chosen: Filters) -> Rows:
    return (
        list(queries.day_rows(views, chosen)),
        list(queries.line_rows(views, chosen)),
        list(queries.finding_rows(views, chosen)),
    )


def _then(past: AsKnown, chosen: Filters) -> Rows:
    """The rows as known at an instant: only this patient is judged."""
    judged = past.judged(str(chosen.patient))
    if judged is None:
        return [], [], []
    sheets = within_budget(str(chosen.episode), lambda: sheets_of(judged.cases))
    return (
        [row for row in map(day_row, sheets.days) if row.episode == chosen.episode],
        [row for row in map(line_row, sheets.lines) if row.episode == chosen.episode],
        [row for row in map(finding_row, sheets.findings) if chosen.episode in row.episodes],
    )


def _ordered(findings: Iterable[FindingRow]) -> list[FindingRow]:
    """What stops a claim first; findings that say the same together."""
    return sorted(together(findings), key=lambda row: (row.level, row.rule, row.dates))


def _day_shown(day: DayRow) -> DayShown:
    weekday = WEEKDAYS[date.fromisoformat(day.date).weekday()]
    return DayShown(
        day.date,
        weekday,
        day.status,
        MARKS[day.status],
        verdict_words(verdict_of(day.status, day.reason, day.code)),
        (),
    )


def _verdicts(days: Sequence[DayRow]) -> Iterator[VerdictSum]:
    for status in ("billable", "hold", "not_billable", "conflict"):
        found = [day for day in days if day.status == status]
        yield VerdictSum(status, MARKS[status], STATUS[status], len(found), sum(day.rate_cents or 0 for day in found))


def _sent(entries: Iterable[Entry]) -> Iterator[Sent]:
    """Every live claim, also one that a later claim replaced or voided: it left the house all the same."""
    for entry, fact, _ in live_entries(list(entries)):
        if isinstance(fact, ClaimSubmitted):
            yield Sent(fact.claim, fact.payer, fact.frequency, utc_text(entry.recorded_at))
