"""The rows behind a number: runs of days that are alike, up to a stated maximum; the command lists all of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ledger.facts.administration import RemittanceUnmatched
from projections.answers.payments import PaymentRow
from projections.answers.unmatched import control_of
from projections.audit.claimed_rows import ClaimedDay
from projections.read_model.queries import findings_where, runs_chosen
from projections.read_model.views import Views
from projections.report.asked import Asked
from projections.report.authorizations import RunningOut
from projections.report.claims import ClaimSums
from projections.report.paid import PaidSums, says_of, shown_cents
from projections.rows.cells import as_list
from projections.rows.day_run import DayRun
from projections.words import dates_between, follows

Key = tuple[str, ...]
"""A section and what its row is about: its payer, month, reason, rule, band, kind or number."""

SHOWN_RUNS: Final = 20


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive days of an episode that say the same; ``episodes`` are several for a finding across them."""

    patient: str
    episodes: tuple[str, ...]
    from_: str
    to: str
    days: int
    says: str
    cents: int | None


class Behind(msgspec.Struct, gc=False):
    """What is behind one number: the first runs, and how many rows there are in all."""

    runs: list[Run] = msgspec.field(default_factory=list)
    rows: int = 0
    shown_rows: int = 0


class Collected:
    """The rows behind every number, collected while they pass, each episode's together."""

    def __init__(self, at_most: int = SHOWN_RUNS) -> None:
        self.at_most = at_most
        self.by_key: dict[Key, Behind] = {}

    def add_day(self, key: Key, patient: str, episode: str, on: str, says: str, cents: int | None) -> None:
        """Take a day in, into the last run if it carries it on."""
        behind = self.by_key.setdefault(key, Behind())
        behind.rows += 1
        full = behind.shown_rows + 1 < behind.rows  # a row was left out already
        if full:
            return
        last = behind.runs[-1] if behind.runs else None
        if last and _carries_on(last, (patient, (episode,), says), on):
            total = None if cents is None or last.cents is None else last.cents + cents
            behind.runs[-1] = Run(patient, (episode,), last.from_, on, last.days + 1, says, total)
            behind.shown_rows += 1
        elif len(behind.runs) < self.at_most:
            behind.runs.append(Run(patient, (episode,), on, on, 1, says, cents))
            behind.shown_rows += 1

    def add_run(self, key: Key, run: Run) -> None:
        """Take a row in that is a run by itself."""
        behind = self.by_key.setdefault(key, Behind())
        behind.rows += 1
        if len(behind.runs) < self.at_most:
            behind.runs.append(run)
            behind.shown_rows += 1

    def add_claimed(self, key: Key | None, row: ClaimedDay) -> None:
        """Take a claimed or unbilled day in."""
        if key is None:
            return
        if row.kind == "unbilled":
            says, cents = f"{row.now_code}, not claimed", row.now_cents
        else:
            says, cents = f"{row.claim}: {row.claimed_code}, now {row.known_now or 'no day'}", row.exposure_cents
        self.add_day(key, row.patient, row.episode, row.date, says, cents)

    def add_from(self, views: Views, asked: Asked, running: list[RunningOut]) -> None:
        """Take in what the read model holds behind the numbers of days and findings."""
        for key, cells in _days(views, asked):
            self.add_day(key, *cells)
        for key, run in _findings(views, asked):
            self.add_run(key, run)
        for one in running:
            for key, cells in _drawn(views, one):
                self.add_day(key, *cells)


def _carries_on(last: Run, alike: tuple[str, tuple[str, ...], str], on: str) -> bool:
    return follows(last.to, on) and (last.patient, last.episodes, last.says) == alike


Day = tuple[str, str, str, str, int | None]


def _days(views: Views, asked: Asked) -> Iterator[tuple[Key, Day]]:
    for run in runs_chosen(views, asked.filters):
        if run.status in _SECTIONS:
            cents = run.rate_cents if run.status == "billable" else None
            for on in filter(asked.takes, dates_between(run.first_date, run.last_date)):
                yield _key(run, on), (run.patient, run.episode, on, run.code or "", cents)


_SECTIONS: Final = frozenset({"billable", "hold", "conflict"})


def _key(run: DayRun, on: str) -> Key:
    """The section that a day is behind, and its row in it."""
    if run.status == "billable":
        return "billed", str(run.payer), on[:7]
    if run.status == "hold":
        return "holds", str(run.reason), run.payer or ""
    return "conflicts", str(run.reason)


def _findings(views: Views, asked: Asked) -> Iterator[tuple[Key, Run]]:
    where = findings_where(asked.filters)
    where.add("level = ?", "hard")
    found = views.connection.execute(
        "SELECT rule, patient, episodes, dates, codes FROM findings"
        f"{where} ORDER BY rule, patient, first_date, dates, episodes, codes, because",
        where.values,
    )
    for rule, patient, episodes, dates, codes in found:
        on = as_list(dates)
        says = ", ".join(as_list(codes))
        yield ("findings", rule), Run(patient, as_list(episodes), on[0], on[-1], len(on), says, None)


def _drawn(views: Views, one: RunningOut) -> Iterator[tuple[Key, Day]]:
    found = views.connection.execute(
        "SELECT patient, episode, date, code, rate_cents FROM days WHERE patient = ? AND episode = ?"
        ' AND "authorization" = ? ORDER BY date',
        (one.patient, one.episode, one.number),
    )
    for patient, episode, on, code, cents in found:
        yield ("authorizations", one.episode, one.number), (patient, episode, on, code, cents)


def collect_paid(collected: Collected, sums: PaidSums, patient: str, row: PaymentRow) -> None:
    """Take a claimed day's money in under every group it counts in."""
    for key in sums.keys(row):
        collected.add_day(key, patient, row.episode, row.date, says_of(row), shown_cents(key, row))


def collect_unmatched(collected: Collected, acts: Iterable[RemittanceUnmatched]) -> None:
    """Take in the answers that no claim is known for: they are no patient's."""
    for act in acts:
        fact, on = act.posting, act.posting.paid_on.isoformat()
        says = f"{fact.payment}, {control_of(act)}"
        collected.add_run(("unmatched", fact.payer), Run("", (), on, on, 1, says, fact.paid_cents))


def collect_claimed(collected: Collected, sums: ClaimSums, row: ClaimedDay) -> None:
    """Take a claimed day in under the group it counts in."""
    collected.add_claimed(sums.key(row), row)
