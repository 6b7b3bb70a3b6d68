"""The facets of the work list: for each what it can be, and how much of it would be shown with the other filters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from projections.read_model.views import Views
from projections.work.chosen import DUE, NOBODY, WorkFilters, named_in, work_query
from projections.work.items import KINDS, WORKS, work_words

FACETS: Final = ("kind", "work", "payer", "owner", "due")


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
    where = named_in(wanted)
    rows = views.connection.execute(
        f"SELECT kind, work, coalesce(payer, ''), owner, urgency, done, count(*), sum(days),"
        f" coalesce(sum(cents), 0) FROM ({work_query(today)}){where} GROUP BY 1, 2, 3, 4, 5, 6",
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
