"""The work list: open work chosen, counted by facets and put in order, by money at risk and time left.

What is due is held against the date of the one who looks; how long something has waited is counted from its first
service date.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final, NamedTuple

import msgspec

from projections.operations.finding_stretches import AT_ONCE
from projections.read_model.kept_work import COLUMNS, WorkItem
from projections.read_model.queries import Where
from projections.read_model.views import Views
from projections.words import later
from projections.work.items import KINDS, WORKS, work_words

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


FACETS: Final = ("kind", "work", "payer", "owner", "due")


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


class WorkSums(NamedTuple):
    """How much is chosen."""

    rows: int
    days: int
    cents: int


class FacetValue(NamedTuple):
    """One value that a filter can take, and what would be shown of it with the other filters as they are."""

    value: str
    words: str
    sums: WorkSums


class Group(NamedTuple):
    """Rows that are alike in all facets."""

    kind: str
    work: str
    payer: str
    owner: str
    due: str
    done: str
    sums: WorkSums


def work_groups(views: Views, today: str, wanted: WorkFilters) -> list[Group]:
    """All work by its facets, of one patient or episode if they are asked for; the rest is summed from these."""
    if not views.has("work"):
        return []
    where = _named(wanted)
    rows = views.connection.execute(
        f"SELECT kind, work, coalesce(payer, ''), owner, urgency, done, count(*), sum(days),"
        f" coalesce(sum(cents), 0) FROM ({_work(today)}){where} GROUP BY 1, 2, 3, 4, 5, 6",
        where.values,
    )
    due = list(DUE)
    return [Group._make((*row[:4], due[row[4]], row[5], WorkSums(*row[6:]))) for row in rows]


def facets(groups: Sequence[Group], wanted: WorkFilters, payers: Mapping[str, str]) -> dict[str, list[FacetValue]]:
    """For each facet its values, each counted with the other filters as they are."""
    return {facet: list(_values(groups, wanted, facet, payers)) for facet in FACETS}


def _values(
    groups: Sequence[Group], wanted: WorkFilters, facet: str, payers: Mapping[str, str]
) -> Iterator[FacetValue]:
    others = wanted._replace(**{facet: None})
    found: dict[str, list[WorkSums]] = {}
    for group in groups:
        if _fits(group, others):
            found.setdefault(getattr(group, facet), []).append(group.sums)
    for value in sorted(found, key=_order_of(facet)):
        yield FacetValue(value or NOBODY, _words(facet, value, payers), _together(found[value]))


def _order_of(facet: str) -> Any:
    ordered = {"kind": list(KINDS), "work": list(WORKS), "due": list(DUE)}.get(facet)
    return ordered.index if ordered else str.casefold


def _words(facet: str, value: str, payers: Mapping[str, str]) -> str:
    match facet:
        case "kind":
            return KINDS[value]
        case "work":
            return work_words(value)
        case "due":
            return DUE[value]
        case "payer":
            return payers.get(value, value) or "no payer known"
    return value or NOBODY


def _fits(group: Group, wanted: WorkFilters) -> bool:
    """Whether a group is shown; a facet that is not asked for keeps nothing out."""
    if wanted.done != "any" and group.done != (wanted.done or "no"):
        return False
    asked = {name: getattr(wanted, name) for name in FACETS}
    return all(value is None or (getattr(group, name) or NOBODY) == value for name, value in asked.items())


def sums_of(groups: Sequence[Group], wanted: WorkFilters) -> WorkSums:
    """How much the filters choose."""
    return _together([group.sums for group in groups if _fits(group, wanted)])


def _together(found: Sequence[WorkSums]) -> WorkSums:
    return WorkSums(*map(sum, zip(*found, strict=True))) if found else WorkSums(0, 0, 0)


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
        f"SELECT * FROM ({_work(today)}){where} ORDER BY {order} LIMIT ? OFFSET ?", (*where.values, count, start)
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


def _work(today: str) -> str:
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
    )


def _named(wanted: WorkFilters) -> Where:
    where = Where()
    where.add("patient = ?", wanted.patient)
    where.add("episode = ?", wanted.episode)
    return where


def _chosen(wanted: WorkFilters) -> Where:
    where = _named(wanted)
    where.add("kind = ?", wanted.kind)
    where.add("work = ?", wanted.work)
    where.add("coalesce(payer, '') = ?", "" if wanted.payer == NOBODY else wanted.payer)
    where.add("owner = ?", "" if wanted.owner == NOBODY else wanted.owner)
    if wanted.due is not None:
        where.conditions.append(f"urgency = {list(DUE).index(wanted.due):d}")
    if wanted.done != "any":
        where.add("done = ?", wanted.done or "no")
    return where
