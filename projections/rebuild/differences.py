"""What differs between the read models of two books: by day, by line, and in dollars by payer or episode."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec.structs import astuple

from projections.read_model.queries import Filters, Where, line_rows, runs_within
from projections.read_model.views import Views

ALL: Final = "all"
"""The name of the total of all payers."""


class DayDifference(msgspec.Struct, frozen=True, gc=False):
    """A service date whose verdict, payer or rate differs; None where there is no such day, money is whole cents."""

    patient: str
    episode: str
    date: str
    before: str | None
    after: str | None
    payer_before: str | None
    payer_after: str | None
    cents_before: int
    cents_after: int
    delta_cents: int


class LineDifference(msgspec.Struct, frozen=True, gc=False):
    """A claim line that only one of the books makes: *removed* has it before, *added* after."""

    change: Literal["added", "removed"]
    patient: str
    episode: str
    payer: str
    code: str
    from_: str = msgspec.field(name="from")
    to: str
    units: int
    rate_cents: int
    charge_cents: int
    authorization: str | None
    terms_from: str
    modifiers: tuple[str, ...]
    member: str | None
    provider: str | None
    place_of_service: str | None
    expected_cents: int


class Total(msgspec.Struct, frozen=True, gc=False):
    """The billable days and dollars of a payer (``all`` for all of them) or an episode under both books."""

    by: Literal["payer", "episode"]
    name: str
    patient: str | None
    days_before: int
    days_after: int
    cents_before: int
    cents_after: int
    delta_cents: int


_Said = tuple[str | None, str | None, int | None]
"""A day's verdict in words, its payer, and its rate where it is billable."""
_Billed = tuple[str, int] | None
"""Payer and rate of a billable day that counts."""
_NO_DAY: Final[_Said] = (None, None, None)


class _Pair(NamedTuple):
    """A day that differs."""

    episode: str
    date: str
    before: _Said
    after: _Said
    billed_before: _Billed
    billed_after: _Billed


class _Sum(msgspec.Struct):
    """Billable days and their cents."""

    days: int = 0
    cents: int = 0

    def add(self, billed: _Billed, sign: int = 1) -> None:
        if billed:
            self.days += sign
            self.cents += sign * billed[1]


class Comparison:
    """What differs between two read models, streamed by patient; days gained and lost are counted meanwhile.

    The filters choose days and lines as in every reading, a day by its payer before or after. Totals and counts are
    those of the days chosen; where a payer is asked for, of its own days.
    """

    def __init__(self, before: Views, after: Views, wanted: Filters) -> None:
        self.before, self.after, self.wanted = before, after, wanted
        self.more_days = self.fewer_days = self.delta_cents = 0

    def days(self) -> Iterator[DayDifference]:
        """The days that differ, by patient, episode, date."""
        for patient, _, _, pairs in self._changed():
            for pair in pairs:
                (before, payer, cents), (after, other_payer, other_cents) = pair.before, pair.after
                if self.wanted.payer in (None, payer, other_payer):
                    was, now = cents or 0, other_cents or 0
                    yield DayDifference(
                        patient, pair.episode, pair.date, before, after, payer, other_payer, was, now, now - was
                    )

    def lines(self) -> Iterator[LineDifference]:
        """The claim lines that differ, by patient, episode, first date; those removed before those added."""
        for patient, changed in groupby(self._changed(), key=itemgetter(0)):
            deque(changed, maxlen=0)  # its days are counted
            wanted = self.wanted._replace(patient=patient)
            old, new = (set(line_rows(views, wanted)) for views in (self.before, self.after))
            found = [LineDifference("removed", *astuple(line)) for line in old - new]
            found += [LineDifference("added", *astuple(line)) for line in new - old]
            yield from sorted(found, key=lambda line: (line.episode, line.from_, line.change == "added"))

    def totals(self, by: Literal["payer", "episode"]) -> Iterator[Total]:
        """The payers (and then all together) or the episodes whose billable days or their rates differ."""
        return self._payers() if by == "payer" else self._episodes()

    def _payers(self) -> Iterator[Total]:
        moved: defaultdict[str, _Sum] = defaultdict(_Sum)
        for _, _, _, pairs in self._changed():
            for pair in pairs:
                for billed, sign in ((pair.billed_before, -1), (pair.billed_after, 1)):
                    if billed and pair.billed_before != pair.billed_after:
                        moved[billed[0]].add(billed, sign)
        if not moved:
            return
        before: defaultdict[str, _Sum] = defaultdict(_Sum)
        runs, values = runs_within(self.wanted._replace(status="billable"))
        known = "patient NOT IN (SELECT patient FROM set_aside)"
        summed = f"SELECT payer, sum(days), sum(days * rate_cents) FROM {runs} WHERE {known} GROUP BY 1"
        for payer, days, cents in self.before.connection.execute(summed, values):
            before[payer] = _Sum(days, cents)
        for payer in sorted(moved):
            yield _total("payer", payer, None, before[payer], moved[payer])
        yield _total("payer", ALL, None, _all(before), _all(moved))

    def _episodes(self) -> Iterator[Total]:
        for patient, episode, olds, pairs in self._changed():
            before, moved = _Sum(), _Sum()
            for _, _, *said in olds:
                before.add(self._billed(said))
            is_moved = False
            for pair in pairs:
                if pair.billed_before != pair.billed_after:
                    is_moved = True
                    moved.add(pair.billed_before, -1)
                    moved.add(pair.billed_after)
            if is_moved:
                yield _total("episode", episode, patient, before, moved)

    def _changed(self) -> Iterator[tuple[str, str, list[Any], list[_Pair]]]:
        """The episodes of patients that differ in days or lines, each with all days before, and the days that differ.
        One is held at a time: some patients have a century of days, many times over."""
        for patient in self._patients():
            for episode in self._episodes_of(patient):
                olds, news = (self._days(views, patient, episode) for views in (self.before, self.after))
                old = {(row[0], row[1]): row[2:] for row in set(olds).difference(news)}
                new = {(row[0], row[1]): row[2:] for row in set(news).difference(olds)}
                pairs = [self._pair(*day, old.get(day, _NO_DAY), new.get(day, _NO_DAY)) for day in sorted(old | new)]
                yield patient, episode, olds, pairs

    def _episodes_of(self, patient: str) -> list[str]:
        if self.wanted.episode is not None:
            return [self.wanted.episode]
        asked = "SELECT DISTINCT episode FROM day_runs WHERE patient = ?"
        found = (views.connection.execute(asked, (patient,)) for views in (self.before, self.after))
        return sorted({episode for rows in found for (episode,) in rows}) or [""]

    def _patients(self) -> Iterator[str]:
        aside = self.after.set_aside()
        where = Where()
        where.add("patient = ?", self.wanted.patient)
        query = f"SELECT patient, days, lines FROM digests{where} ORDER BY patient"
        both = merge(*(views.connection.execute(query, where.values) for views in (self.before, self.after)))
        for patient, found in groupby(both, key=lambda row: row[0]):
            digests = list(found)
            if (len(digests) == 1 or digests[0] != digests[1]) and patient not in aside:
                yield patient

    def _days(self, views: Views, patient: str, episode: str) -> list[Any]:
        where = _where(self.wanted._replace(patient=patient, episode=episode))
        said = "status || ' ' || coalesce(reason, code), payer, rate_cents"
        return views.connection.execute(f"SELECT episode, date, {said} FROM days{where}", where.values).fetchall()

    def _pair(self, episode: str, date: str, before: _Said, after: _Said) -> _Pair:
        was, now = self._billed(before), self._billed(after)
        self.more_days += was is None and now is not None
        self.fewer_days += was is not None and now is None
        self.delta_cents += (now[1] if now else 0) - (was[1] if was else 0)
        return _Pair(episode, date, before, after, was, now)

    def _billed(self, said: Sequence[Any]) -> _Billed:
        _, payer, cents = said
        return None if cents is None or self.wanted.payer not in (None, payer) else (payer, cents)


def _where(wanted: Filters) -> Where:
    """The condition for days, without the payer, who may be another one under the other book."""
    where = Where()
    where.add("patient = ?", wanted.patient)
    where.add("episode = ?", wanted.episode)
    where.add("date >= ?", wanted.from_)
    where.add("date <= ?", wanted.to)
    return where


def _all(sums: Mapping[str, _Sum]) -> _Sum:
    return _Sum(sum(one.days for one in sums.values()), sum(one.cents for one in sums.values()))


def _total(by: Literal["payer", "episode"], name: str, patient: str | None, before: _Sum, moved: _Sum) -> Total:
    days, cents = before.days + moved.days, before.cents + moved.cents
    return Total(by, name, patient, before.days, days, before.cents, cents, moved.cents)
