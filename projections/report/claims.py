"""What the claims say: billable days not claimed yet, by the time left to file them; and money to give back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

import msgspec

from projections.audit.claimed_rows import ClaimedDay
from projections.report.asked import Asked


class Band(NamedTuple):
    """A stretch of days left until a claim must be filed."""

    name: str
    first: int | None
    last: int | None


BANDS: Final = (
    Band("lost", None, -1),
    Band("<=14", 0, 14),
    Band("<=30", 15, 30),
    Band("<=60", 31, 60),
    Band("more", 61, None),
)
"""Days left on the report's date: past the limit, up to 14, up to 30, up to 60, and more."""


class Unbilled(msgspec.Struct, frozen=True, tag_field="section", tag="unbilled"):
    """The billable days of one payer that are on no live claim, by the days left until they must be filed."""

    payer: str
    left: str
    days: int
    episodes: int
    cents: int
    first_file_by: str
    rows: str


class _Undue(msgspec.Struct, frozen=True, tag_field="section"):
    payer: str
    kind: str
    days: int
    claims: int
    cents: int
    first_repay_by: str | None
    rows: str


class Exposed(_Undue, tag="exposure", frozen=True):
    """What was claimed from one payer, is not answered, and not billable so now: days, claims, and what they ask too
    much; nothing of it is owed before it is paid.

    ``overclaimed`` days are not billable now, ``changed`` ones with another code or for another payer.
    """


class ToGiveBack(_Undue, tag="give_back", frozen=True):
    """What one payer paid beyond what is due now: days, claims and the money to give back, by when.

    ``overpaid`` days are billable as claimed, or on a claim that was replaced or voided; the others as under exposure.
    """


class ExposedMonth(NamedTuple):
    """The days of one month of service with money that is not due: paid, or only claimed and not answered."""

    month: str
    days: int
    cents: int
    undue_cents: int


def days_left(on: str, file_by: str) -> int:
    """How many days are left to file a claim; below 0 if the limit has passed."""
    return (date.fromisoformat(file_by) - date.fromisoformat(on)).days


def band_of(on: str, file_by: str) -> Band:
    """The band that a filing limit falls into."""
    left = days_left(on, file_by)
    return next(band for band in BANDS if band.last is None or left <= band.last)


class _Sum:
    """Days, cents, and the earliest date by which something must be done, of one group of rows."""

    def __init__(self) -> None:
        self.days = self.cents = self.groups = 0
        self.of_last: tuple[str, str | None] | None = None
        self.seen: set[tuple[str, str | None]] = set()
        self.first: str | None = None

    def add(self, cents: int, group: tuple[str, str | None], due: str | None) -> None:
        self.days += 1
        self.cents += cents
        if group[0] != (self.of_last or ("",))[0]:
            self.seen.clear()  # an episode's rows come together
        if group not in self.seen:
            self.seen.add(group)
            self.groups += 1
        self.of_last = group
        if due is not None:
            self.first = min(self.first or due, due)


class ClaimSums:
    """Claimed days added up as they pass, each patient's together."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.sums: dict[tuple[str, str, str], _Sum] = {}
        self._months: dict[str, list[int]] = {}

    def key(self, row: ClaimedDay) -> tuple[str, str, str] | None:
        """The section, payer and group that a row counts in; None if the report does not look at it."""
        if row.payer is None or self.asked.payer not in (None, row.payer) or not self.asked.takes(row.date):
            return None
        if row.kind == "unbilled":
            assert row.file_by is not None
            return "unbilled", row.payer, band_of(self.asked.on, row.file_by).name
        if row.paid_cents is None:
            return "exposure", row.payer, row.kind
        return ("give_back", row.payer, row.kind) if row.exposure_cents else None

    def add(self, row: ClaimedDay) -> None:
        """Count a row."""
        key = self.key(row)
        if key is None:
            return
        found = self.sums.setdefault(key, _Sum())
        if key[0] == "unbilled":
            found.add(row.now_cents, (row.episode, None), row.file_by)
        else:
            found.add(row.exposure_cents, (row.episode, row.claim), row.repay_by)
            month = self._months.setdefault(row.date[:7], [0, 0, 0])
            month[0] += 1
            month[1 if key[0] == "give_back" else 2] += row.exposure_cents

    def unbilled(self) -> Iterator[Unbilled]:
        """Every payer and band with unbilled days, by payer, the most pressing first."""
        for payer in sorted({payer for section, payer, _ in self.sums if section == "unbilled"}):
            for band in BANDS:
                if found := self.sums.get(("unbilled", payer, band.name)):
                    assert found.first is not None
                    rows = self._unbilled_rows(payer, band)
                    yield Unbilled(payer, band.name, found.days, found.groups, found.cents, found.first, rows)

    def _unbilled_rows(self, payer: str, band: Band) -> str:
        due_from, due_to = (None if days is None else self.asked.days_from_on(days) for days in (band.first, band.last))
        return self.asked.rows("diff", "--claimed", payer=payer, kind="unbilled", due_from=due_from, due_to=due_to)

    def exposure(self) -> Iterator[Exposed]:
        """Every payer and kind with claimed days that no longer stand, by payer."""
        for (section, payer, kind), found in sorted(self.sums.items()):
            if section == "exposure":
                rows = self._claimed_rows("--unanswered", payer, kind)
                yield Exposed(payer, kind, found.days, found.groups, found.cents, found.first, rows)

    def give_back(self) -> Iterator[ToGiveBack]:
        """Every payer and kind with days that were paid too much, by payer."""
        for (section, payer, kind), found in sorted(self.sums.items()):
            if section == "give_back":
                rows = self._claimed_rows("--to-give-back", payer, kind)
                yield ToGiveBack(payer, kind, found.days, found.groups, found.cents, found.first, rows)

    def _claimed_rows(self, which: str, payer: str, kind: str) -> str:
        return self.asked.rows("diff", "--claimed", which, payer=None, claims_to=payer, kind=kind)

    def exposure_by_month(self) -> tuple[ExposedMonth, ...]:
        """The same money by month of service."""
        return tuple(ExposedMonth(month, *sums) for month, sums in sorted(self._months.items()))
