"""The work list: open work chosen, counted by facets and put in order, by money at risk and time left.

What is due is held against the date of the one who looks; how long something has waited is counted from its first
service date.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from projections.operations.finding_stretches import AT_ONCE
from projections.read_model.kept_work import COLUMNS, WorkItem
from projections.read_model.queries import Where
from projections.read_model.views import Views
from projections.words import later
from projections.work.items import UNANSWERED, work_words

AT_ONCE_WORDS: Final = "at once"
NOBODY: Final = "nobody"
"""How an owner is asked for that is none."""
DUE: Final = {
    "at_once": "At once",
    "just_past": "Past by up to 14 days",
    "week": "Within 7 days",
    "month": "Within 30 days",
    "quarter": "Within 90 days",
    "later": "Later",
    "no_date": "No date",
    "long_past": "Past by more than 14 days",
}
"""How much time is left, in the order in which it presses: what passed its date long ago can hardly be mended."""
_SPANS: Final = (("long_past", -15), ("just_past", -1), ("week", 7), ("month", 30), ("quarter", 90))
"""The last day of each, counted from today."""

SORTS: Final[Mapping[str, str]] = {
    "urgency": "urgency",
    "due": "coalesce(due, '9999-12-31')",
    "dollars": "coalesce(cents, -1)",
    "age": "first_date",
    "days": "days",
    "patient": "patient",
    "episode": "episode",
    "payer": "coalesce(payer, '')",
    "claim": "coalesce(claim, '')",
    "owner": "owner",
    "work": "work",
}
"""What the list can be in the order of, and the SQL of it."""
LARGEST_FIRST: Final = ("dollars", "days")
"""What comes with the most on top, unless it is asked for the other way."""


class WorkFilters(NamedTuple):
    """Which work to show: each is left out as None. Work that is ``done`` for now is shown only where it is asked for:
    ``yes`` that alone, ``any`` both."""

    kind: str | None = None
    work: str | None = None
    payer: str | None = None
    owner: str | None = None
    due: str | None = None
    done: str | None = None
    patient: str | None = None
    episode: str | None = None


class WorkRow(msgspec.Struct, frozen=True, gc=False):
    """A row of the work list. ``age`` is days since the first service date; ``days_left`` those until ``due``, which is
    ``at once`` where money is to be given back and no date is set."""

    due: str | None
    days_left: int | None
    cents: int | None
    kind: str
    work: str
    what: str
    patient: str
    episode: str
    payer: str | None
    claim: str | None
    first_date: str
    last_date: str
    days: int
    age: int
    owner: str
    done_until: str | None
    note: str
    notes: int
    decided_by: str
    decided_at: str
    to_do: str


def work_rows(
    views: Views, today: str, wanted: WorkFilters, sort: str = "urgency", *, turned: bool = False, start: int = 0,
    count: int = -1,
) -> list[WorkRow]:  # fmt: skip
    """The rows that the filters choose, in order: all of them, or so many from a place on."""
    if not views.has("work"):
        return []
    where = _chosen(wanted)
    down = (sort in LARGEST_FIRST) != turned
    order = (
        f"{SORTS[sort]}{' DESC' if down else ''}, urgency, coalesce(cents, 0) DESC, patient, episode, first_date, work"
    )
    rows = views.connection.execute(
        f"SELECT * FROM ({work_query(today)}){where} ORDER BY {order} LIMIT ? OFFSET ?", (*where.values, count, start)
    )
    return [_row(cells, today) for cells in rows]


def work_of(views: Views, today: str, episode: str) -> list[WorkRow]:
    """All open work of one episode, the most pressing first, with what is done for now."""
    return work_rows(views, today, WorkFilters(episode=episode, done="any"))


def _row(cells: Sequence[Any], today: str) -> WorkRow:
    item = WorkItem(*cells[: len(COLUMNS)])
    owner, done_until, note, notes, by, at, *_ = cells[len(COLUMNS) :]
    return WorkRow(
        due=AT_ONCE_WORDS if item.due == AT_ONCE else item.due,
        days_left=_days_between(today, item.due) if item.due else None, cents=item.cents,
        kind=item.kind, work=item.work, what=work_words(item.work), patient=item.patient, episode=item.episode,
        payer=item.payer, claim=item.claim, first_date=item.first_date, last_date=item.last_date, days=item.days,
        age=max(0, _days_between(item.first_date, today)), owner=owner, done_until=done_until or None, note=note,
        notes=notes, decided_by=by, decided_at=at, to_do=item.says,
    )  # fmt: skip


def _days_between(first: str, last: str) -> int:
    return date.fromisoformat(last).toordinal() - date.fromisoformat(first).toordinal()


def work_query(today: str) -> str:
    """The query of all work with what was decided about it; ``today`` is a date."""
    late = " ".join(
        f"WHEN due <= '{later(today, days)}' THEN {list(DUE).index(name)}" for name, days in _SPANS
    )  # fmt: skip
    urgency = (
        f"CASE WHEN due IS NULL THEN {list(DUE).index('no_date')} WHEN due = '' THEN 0 {late}"
        f" ELSE {list(DUE).index('later')} END"
    )
    columns = ", ".join(f"work.{name}" for name in COLUMNS)
    state = ", ".join(f"coalesce({name}, '')" + f" AS {name}" for name in ("owner", "done_until", "note"))
    return (
        f"SELECT {columns}, {state}, coalesce(notes, 0) AS notes, coalesce(by, '') AS by, coalesce(at, '') AS at,"
        f" {urgency} AS urgency, CASE WHEN done_until > '{today}' THEN 'yes' ELSE 'no' END AS done"
        " FROM work LEFT JOIN work_state ON work_state.episode = work.episode AND work_state.work = work.work"
        f" WHERE work.work <> '{UNANSWERED}' OR work.due <= '{today}'"
    )


def named_in(wanted: WorkFilters) -> Where:
    """The condition that chooses the work of a patient or an episode."""
    where = Where()
    where.add("patient = ?", wanted.patient)
    where.add("episode = ?", wanted.episode)
    return where


def _chosen(wanted: WorkFilters) -> Where:
    where = named_in(wanted)
    where.add("kind = ?", wanted.kind)
    where.add("work = ?", wanted.work)
    where.add("coalesce(payer, '') = ?", "" if wanted.payer == NOBODY else wanted.payer)
    where.add("owner = ?", "" if wanted.owner == NOBODY else wanted.owner)
    if wanted.due is not None:
        where.conditions.append(f"urgency = {list(DUE).index(wanted.due):d}")
    if wanted.done != "any":
        where.add("done = ?", wanted.done or "no")
    return where
