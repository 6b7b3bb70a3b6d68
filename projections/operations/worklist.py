"""Open work: hard findings, conflicts, holds by reason, and days that must soon be filed.

Everything is chosen from the read model; only what is on claims is read from the ledger, episode by episode. Filing
dates are held against today's date where the patient lives.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Final

import msgspec

from ledger.book import Book
from ledger.facts.events import ClaimSubmitted, EpisodeOpened
from ledger.facts.zones import zone
from ledger.judge.claims import claimed_lines
from ledger.judge.evidence import local_date
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.read_model.queries import Where
from projections.read_model.views import Views
from projections.reading.joined import entries_of_kinds
from projections.rows.finding import FindingRow, finding_row, together
from projections.why.cures import CURES
from projections.words import dates_between, iso, later

DAYS_AHEAD: Final = 30
DAYS_PAST: Final = 14
"""A filing limit is near from so many days before it until so many after it."""
SHOWN: Final = 25
READ_FOR_SHOWN: Final = 500


class ConflictShown(msgspec.Struct, frozen=True):
    """The days of one episode in conflict under one rule."""

    patient: str
    episode: str
    rule: str
    days: int
    first_date: str
    last_date: str


class HoldReason(msgspec.Struct, frozen=True):
    """All days on hold for one reason, with what would cure them."""

    reason: str
    days: int
    episodes: int
    first_date: str
    because: str
    cure: str


class HeldEpisode(msgspec.Struct, frozen=True):
    """The days of one episode on hold for one reason."""

    patient: str
    episode: str
    days: int
    first_date: str
    last_date: str


class Unbilled(msgspec.Struct, frozen=True):
    """The billable days of one episode that are on no live claim and must be filed soon, or just missed their limit."""

    patient: str
    episode: str
    payer_name: str
    days: int
    cents: int
    first_date: str
    last_date: str
    file_by: str
    is_late: bool


class Worklist(msgspec.Struct, frozen=True):
    """The open work on a date (UTC): the first rows of each kind, and how many there are of it."""

    on: str
    hard: list[FindingRow]
    hard_rules: list[tuple[str, int]]
    conflicts: list[ConflictShown]
    conflict_count: int
    holds: list[HoldReason]
    unbilled: list[Unbilled]
    unbilled_count: int
    set_aside: int


def worklist(ledger: EpisodeLedger, views: Views, book: Book, now: datetime) -> Worklist:
    """The worklist of a caught-up read model at an instant."""
    _, hard = findings_page(views, None, "hard", 0, READ_FOR_SHOWN)
    rules = [(rule, count) for rule, level, count in findings_by_rule(views) if level == "hard"]
    conflicts = list(_conflicts(views))
    unbilled = sorted(_unbilled(ledger, views, book, now), key=lambda row: (row.file_by, row.patient, row.episode))
    on = now.astimezone(UTC).date().isoformat()
    return Worklist(
        on, together(hard)[:SHOWN], rules, conflicts[:SHOWN], len(conflicts), list(_holds(views)),
        unbilled[:SHOWN], len(unbilled), len(views.set_aside()),
    )  # fmt: skip


def findings_page(
    views: Views, rule: str | None, level: str | None, start: int, count: int
) -> tuple[int, list[FindingRow]]:
    """How many findings of a rule and a level there are, and some of them, by rule, patient, first date."""
    where = Where()
    where.add("rule = ?", rule)
    where.add("level = ?", level)
    query = views.connection.execute
    (total,) = query(f"SELECT count(*) FROM findings{where}", where.values).fetchone()
    chosen = query(
        f"SELECT * FROM findings{where} ORDER BY rule, patient, first_date, dates, episodes, codes, because"
        f" LIMIT {count:d} OFFSET {start:d}",
        where.values,
    )
    return total, [finding_row(row) for row in chosen]


def findings_by_rule(views: Views) -> list[tuple[str, str, int]]:
    """Rule, level and how many findings, the hard ones first."""
    return views.connection.execute(
        "SELECT rule, level, count(*) FROM findings GROUP BY 1, 2 ORDER BY level, rule"
    ).fetchall()


def _conflicts(views: Views) -> Iterator[ConflictShown]:
    rows = views.connection.execute(
        "SELECT patient, episode, reason, sum(days), min(first_date), max(last_date) FROM day_runs"
        " WHERE status = 'conflict' GROUP BY 1, 2, 3 ORDER BY 5, 1, 2, 3"
    )
    return (ConflictShown(*row) for row in rows)


def _holds(views: Views) -> Iterator[HoldReason]:
    rows = views.connection.execute(
        "SELECT reason, sum(days), count(DISTINCT episode), min(first_date) FROM day_runs WHERE status = 'hold'"
        " GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    for reason, days, episodes, first in rows:
        yield HoldReason(reason, days, episodes, first, CURES[reason].because, CURES[reason].cure)


def held_page(views: Views, reason: str, start: int, count: int) -> tuple[int, list[HeldEpisode]]:
    """How many episodes have days on hold for a reason, and some of them, the longest waiting first."""
    rows = views.connection.execute(
        "SELECT patient, episode, sum(days), min(first_date), max(last_date) FROM day_runs"
        " WHERE status = 'hold' AND reason = ?"
        " GROUP BY 1, 2 ORDER BY 4, 1, 2",
        (reason,),
    ).fetchall()
    return len(rows), [HeldEpisode(*row) for row in rows[start : start + count]]


_Near = dict[tuple[str, str, str], list[tuple[str, str, int]]]
"""Service date, filing limit and cents of billable days, by patient, episode and payer."""


def _unbilled(ledger: EpisodeLedger, views: Views, book: Book, now: datetime) -> Iterator[Unbilled]:
    near = _near(views, book, now)
    episodes = sorted({episode for _, episode, _ in near})
    position = int(views.noted()["position"])
    told = dict(entries_of_kinds(ledger, episodes, position, (EpisodeOpened, ClaimSubmitted)))
    for (patient, episode, payer), days in near.items():
        folded = episode_of(episode, told[episode], whole=False)
        if folded is None:
            continue
        today = date.fromordinal(local_date(now, zone(folded.opening[1].zone))).isoformat()
        soonest, latest = later(today, -DAYS_PAST), later(today, DAYS_AHEAD)
        claimed = [(iso(line.from_), iso(line.to)) for line in claimed_lines(folded) if line.is_per_diem]
        left = [
            row
            for row in days
            if soonest <= row[1] <= latest and not any(first <= row[0] <= last for first, last in claimed)
        ]
        if left:
            yield _summed(patient, episode, book.payers[payer].name, left, today)


def _near(views: Views, book: Book, now: datetime) -> _Near:
    """The billable days whose filing limit is near somewhere."""
    limits = {
        (payer.id, terms.from_.isoformat(), terms.published.isoformat()): terms.timely_filing_days
        for payer in book.payers.values()
        for terms in payer.terms
    }
    on = now.astimezone(UTC).date().isoformat()
    since, until = (
        later(on, -1 - DAYS_PAST),
        later(on, 1 + DAYS_AHEAD),
    )  # for where it is the day before, or after
    spans = {limit: (later(since, -limit), later(until, -limit)) for limit in limits.values()}
    runs = views.connection.execute(
        "SELECT patient, episode, first_date, last_date, payer, terms_from, terms_published, rate_cents FROM day_runs"
        " WHERE status = 'billable' AND last_date >= ? AND patient <> ''"  # the days of the forgotten are not filed
        " ORDER BY patient, episode, first_date",
        (min((first for first, _ in spans.values()), default=on),),
    )
    near: _Near = {}
    for patient, episode, first_date, last_date, payer, from_, published, cents in runs:
        limit = limits[payer, from_, published]
        first, last = max(first_date, spans[limit][0]), min(last_date, spans[limit][1])
        if first <= last:
            days = [(day, later(day, limit), cents) for day in dates_between(first, last)]
            near.setdefault((patient, episode, payer), []).extend(days)
    return near


def _summed(patient: str, episode: str, payer: str, rows: list[tuple[str, str, int]], today: str) -> Unbilled:
    file_by = min(row[1] for row in rows)
    return Unbilled(
        patient, episode, payer, len(rows), sum(row[2] for row in rows), rows[0][0], rows[-1][0], file_by,
        file_by < today,
    )  # fmt: skip
