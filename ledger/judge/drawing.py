"""Drawing units: grants that overlap are drawn from together, and what an episode drew is kept for the next time.

Clusters of grants share no date and no unit, so that what happens in one changes nothing in another.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from ledger.day_set import Days
from ledger.judge.grants import Grant, Granted

_begin_of: Final = attrgetter("from_")
_end_of: Final = attrgetter("last")
_rank_of: Final = attrgetter("to", "number")


class Draws:
    """What days came to: drawn, without an authorization, or with one that is used up."""

    __slots__ = ("are_made", "drawn", "exhausted", "missing")

    def __init__(self) -> None:
        self.are_made = False
        self.drawn: dict[Grant, Days] = {}
        self.missing: Days = 0
        self.exhausted: Days = 0

    def take(self, grant: Grant, days: Days) -> None:
        """Each of these days draws a unit from a grant."""
        self.drawn[grant] = self.drawn.get(grant, 0) | days
        for each in (grant, *grant.sharing):
            each.left -= days.bit_count()

    def go_without(self, days: Days, *, is_used_up: bool) -> None:
        """These days get no unit."""
        if is_used_up:
            self.exhausted |= days
        else:
            self.missing |= days

    def by_number(self, days: Days) -> list[tuple[str | None, Days]]:
        """Days by the number of the authorization they drew from; None for those that drew from none."""
        found: dict[str | None, Days] = {}
        for grant, drawn in self.drawn.items():
            if part := drawn & days:
                found[grant.number] = found.get(grant.number, 0) | part
                days &= ~part
        if days:
            found[None] = days
        return list(found.items())


class Cluster:
    """Grants that overlap, directly or through others; most stand alone. And what days of theirs came to."""

    __slots__ = ("days", "draws", "first", "grants", "last", "stretches")

    def __init__(self, grants: Sequence[Grant]) -> None:
        self.grants = grants
        self.first, self.last = grants[0].from_, max(grant.to for grant in grants)
        self.stretches = list(_stretches(grants))
        """The dates they cover, in stretches on which the same ones count; these in the order units are drawn."""
        self.days: Days = 0
        self.draws = Draws()

    def begin(self, days: Days) -> None:
        """Begin anew, for these days."""
        self.days, self.draws = days, Draws()
        for grant in self.grants:
            grant.left = grant.units


def clusters_of(grants: Sequence[Grant]) -> list[Cluster]:
    """All grants of a payer, by date."""
    found: list[list[Grant]] = []
    last = 0
    for grant in sorted(grants, key=_begin_of):
        if found and grant.from_ <= last:
            found[-1].append(grant)
        else:
            found.append([grant])
        last = max(last, grant.to)
    return [Cluster(together) for together in found]


def _stretches(grants: Sequence[Grant]) -> Iterator[tuple[int, int, list[Grant]]]:
    if len(grants) == 1:
        yield grants[0].from_, grants[0].to, [grants[0]]
        return
    edges = sorted({edge for grant in grants for edge in (grant.from_, grant.to + 1)})
    ranked = sorted(grants, key=_rank_of)
    for first, after in pairwise(edges):
        yield first, after - 1, [grant for grant in ranked if grant.counts_on(first)]


class _Sum(NamedTuple):
    """What the days of some clusters came to, and which days these are."""

    days: Days = 0
    missing: Days = 0
    exhausted: Days = 0


class Drawing:
    """What the days of one episode drew for one code from a payer's grants, when it was judged last.

    It is summed up cluster by cluster, so that of a long course only the last clusters are looked at again.
    """

    __slots__ = ("_sums", "clusters", "code", "days", "drawn", "first", "granted")

    def __init__(self, code: str, first: int, granted: Sequence[Granted], clusters: Sequence[Cluster]) -> None:
        self.code, self.first, self.granted, self.clusters = code, first, granted, clusters
        self.days: Days = 0
        self.drawn: dict[Grant, Days] = {}
        self._sums = [_Sum()] * (len(clusters) + 1)
        """What the clusters before each came to, and at last what all did."""

    def draw(self, days: Days, draw: Callable[[Cluster], None]) -> None:
        """Let those clusters draw again that lie on or after the first date that needs a unit now and did not, or the
        other way round."""
        changed, self.days = self.days ^ days, days
        if not changed:
            return
        date = self.first + (changed & -changed).bit_length() - 1
        for place in range(bisect_left(self.clusters, date, key=_end_of), len(self.clusters)):
            cluster, before = self.clusters[place], self._sums[place]
            for grant in cluster.draws.drawn:
                del self.drawn[grant]
            draw(cluster)
            made = cluster.draws
            self.drawn.update(made.drawn)
            self._sums[place + 1] = _Sum(
                before.days | cluster.days, before.missing | made.missing, before.exhausted | made.exhausted
            )

    def put_into(self, draws: Draws) -> None:
        """What all days came to; those on which no grant counts go without."""
        drawn, missing, exhausted = self._sums[-1]
        draws.drawn.update(self.drawn)
        draws.missing |= missing | (self.days & ~drawn)
        draws.exhausted |= exhausted
