"""Sums to draw: days by week of service, dollars by the week in which they must be filed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final, NamedTuple

from projections.read_model.queries import Filters, runs_within
from projections.read_model.views import Views
from projections.words import iso, later
from projections.work.items import TO_BILL

WEEKS_BACK: Final = 26
WEEKS_AHEAD: Final = 13


class WeekSum(NamedTuple):
    """The days of a week, from a Sunday on, that are billable and on hold."""

    week: str
    billable: int
    held: int


class DueSum(NamedTuple):
    """Billable days on no claim whose payer must have the claim within a week from a Sunday on, or before or after."""

    due: str
    rows: int
    days: int
    cents: int


def by_week(views: Views, today: str) -> list[WeekSum]:
    """The weeks up to this one, each with its days."""
    last = _sunday(today)
    first = later(last, -7 * (WEEKS_BACK - 1))
    found: Counter[tuple[str, str]] = Counter()
    runs, values = runs_within(Filters(from_=first, to=later(last, 6)))
    rows = views.connection.execute(
        f"SELECT status, first_date, last_date, count(*) FROM {runs} WHERE status IN ('billable', 'hold')"
        " GROUP BY 1, 2, 3",
        values,
    )
    for status, begins, ends, number in rows:
        for week, days in _weeks(begins, ends):
            found[status, week] += days * number
    weeks = [later(first, 7 * place) for place in range(WEEKS_BACK)]
    return [WeekSum(week, found["billable", week], found["hold", week]) for week in weeks]


def _weeks(first: str, last: str) -> Iterator[tuple[str, int]]:
    """How many dates of a run lie in each of its weeks."""
    on, end = date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()
    while on <= end:
        begins = on - on % 7  # an ordinal that 7 divides is a Sunday
        until = min(end, begins + 6)
        yield iso(begins), until - on + 1
        on = until + 1


def _sunday(day: str) -> str:
    on = date.fromisoformat(day)
    return (on - timedelta(days=on.toordinal() % 7)).isoformat()


def by_due(views: Views, today: str) -> list[DueSum]:
    """What is to be billed by the week in which it must be filed: past, the weeks ahead, later."""
    if not views.has("work"):
        return []
    found = {name: [0, 0, 0] for name in ("past", *(later(_sunday(today), 7 * n) for n in range(WEEKS_AHEAD)), "later")}
    rows = views.connection.execute(
        "SELECT due, count(*), sum(days), coalesce(sum(cents), 0) FROM work WHERE kind = ? AND due IS NOT NULL"
        " GROUP BY 1",
        (TO_BILL,),
    )
    for due, *sums in rows:
        week = "past" if due < today else _sunday(due)
        place = found[week] if week in found else found["later"]
        for each in range(3):
            place[each] += sums[each]
    return [DueSum(week, *sums) for week, sums in found.items()]
