"""Claim lines as they can leave now: without the days that are on claims, and without those that must wait.

A line is cut around what is left out; its money is shared by the day, which is exact: one unit is one day.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final, NamedTuple

from msgspec.structs import replace

from ledger.facts.zones import zone
from ledger.judge.evidence import local_date
from ledger.store import EpisodeLedger
from projections.audit.claimed_shares import shares_of
from projections.operations.on_claims import opening_and_claims
from projections.read_model.queries import Filters, finding_rows
from projections.read_model.views import Views
from projections.rows.kept import NOBODY
from projections.rows.line import LineRow
from projections.words import amount, counted, date_runs, iso, later

ON_A_CLAIM: Final = "on a claim already"
NOT_COME: Final = "not come yet"


class Reason(NamedTuple):
    """Why days are left out: the rule of a hard finding or one of the words above; and what is said of them."""

    kind: str
    says: str


Why = Callable[[str], Reason | None]
"""Why a service date of an episode is left out; None if it is not."""


class LeftOut(NamedTuple):
    """Days of one episode that are left out for one reason."""

    episode: str
    reason: Reason
    dates: tuple[str, ...]
    cents: int

    @property
    def says(self) -> str:
        """In a sentence, with how much it is."""
        spans = ", ".join(first if first == last else f"{first} to {last}" for first, last in date_runs(self.dates))
        return f"{self.episode} {spans} ({counted(len(self.dates), 'day')}, {amount(self.cents)}): {self.reason.says}"


class LinesToBill:
    """The lines of a read model that can be billed; ``left_out`` tells of the rest once they have passed."""

    def __init__(self, ledger: EpisodeLedger, views: Views, now: datetime, known_at: datetime | None = None) -> None:
        self._ledger, self._views, self._now, self._known_at = ledger, views, now, known_at
        self.left_out: list[LeftOut] = []

    def unclaimed(self, rows: Iterable[LineRow]) -> Iterator[LineRow]:
        """The lines without the days that are on live claims; the days of the forgotten are nobody's to bill."""
        for episode, lines in _by_episode(rows):
            claimed = self._claims(episode)[0]
            for line in lines:
                yield from (line for line, reason in _cut(line, claimed.get) if reason is None)

    def claimable(self, rows: Iterable[LineRow]) -> Iterator[LineRow]:
        """The lines without the days that are on live claims, that a hard finding touches, or that have not come."""
        found = self._hard()
        for episode, lines in _by_episode(rows):
            claimed, today = self._claims(episode)
            left: dict[Reason, list[LineRow]] = {}
            for line in lines:
                for part, reason in _cut(line, self._reasons(found.get(episode, {}), claimed, today)):
                    if reason is None:
                        yield part
                    else:
                        left.setdefault(reason, []).append(part)
            self.left_out += [_left_out(episode, reason, parts) for reason, parts in left.items()]

    @staticmethod
    def _reasons(found: Mapping[str, Reason], claimed: Mapping[str, Reason], today: str) -> Why:
        def why(on: str) -> Reason | None:
            return claimed.get(on) or found.get(on) or (Reason(NOT_COME, NOT_COME) if on > today else None)

        return why

    def _claims(self, episode: str) -> tuple[Mapping[str, Reason], str]:
        """What each claimed date is left out for, and today's date where the patient lives."""
        folded = opening_and_claims(self._ledger, episode, self._known_at)
        assert folded is not None
        claimed = {iso(date): Reason(ON_A_CLAIM, ON_A_CLAIM) for date in shares_of(folded)}
        return claimed, iso(local_date(self._now, zone(folded.opening[1].zone)))

    def _hard(self) -> Mapping[str, Mapping[str, Reason]]:
        """By episode and date what a hard finding says; of several, the first."""
        found: dict[str, dict[str, Reason]] = {}
        for row in finding_rows(self._views, Filters()):
            if row.level == "hard":
                for episode in row.episodes:
                    for on in row.dates:
                        found.setdefault(episode, {}).setdefault(on, Reason(row.rule, row.message))
        return found


def _by_episode(rows: Iterable[LineRow]) -> Iterator[tuple[str, Iterator[LineRow]]]:
    return groupby((row for row in rows if row.patient != NOBODY), attrgetter("episode"))


def _cut(line: LineRow, why: Why) -> Iterator[tuple[LineRow, Reason | None]]:
    """A line in parts of consecutive days that are left out for the same reason, or for none."""
    dates = [later(line.from_, place) for place in range(line.units)]
    for reason, days in groupby(dates, why):
        yield _part(line, list(days)), reason


def _part(line: LineRow, dates: Sequence[str]) -> LineRow:
    """Some consecutive days of a line."""
    units = len(dates)
    return replace(
        line, from_=dates[0], to=dates[-1], units=units, charge_cents=line.charge_cents // line.units * units,
        expected_cents=line.rate_cents * units,
    )  # fmt: skip


def _left_out(episode: str, reason: Reason, parts: Sequence[LineRow]) -> LeftOut:
    dates = tuple(later(part.from_, place) for part in parts for place in range(part.units))
    return LeftOut(episode, reason, dates, sum(part.expected_cents for part in parts))
