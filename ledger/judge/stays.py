"""Hospital stays of a patient: read in groups of one number, then joined (rulebook section 2, Business duplicates).

A patient is moved between hospitals, a stay is told in monthly parts, a visit number is reused: what was recorded is
put together by its instants, never by its numbers alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ledger.facts.entry import Entry
from ledger.judge.groups import Group, Mark, groups, recorded

TOGETHER: Final = timedelta(hours=4)
"""Stays that lie less than this apart are one: the patient was moved."""
_NOON: Final = time(12)


class Hospital(NamedTuple):
    """An admission or a discharge as an instant and as a local date, both where it was recorded."""

    at: datetime
    on: int
    by_date: bool
    """Whether it was told by date alone; it then stands for local noon."""
    entry: Entry


def hospital(at: str, tz: ZoneInfo, entry: Entry) -> Hospital:
    """An admission or a discharge, told by an instant or by a date, in the zone of the episode that recorded it."""
    if len(at) == len("2026-10-05"):
        day = date.fromisoformat(at)
        return Hospital(datetime.combine(day, _NOON, tz).astimezone(UTC), day.toordinal(), True, entry)
    instant = datetime.fromisoformat(at)
    return Hospital(instant, instant.astimezone(tz).toordinal(), False, entry)


class StayPart(NamedTuple):
    """A group of one stay number, from its earliest admission to its latest discharge, or open."""

    stay: str
    admissions: Sequence[Hospital]
    discharges: Sequence[Hospital]

    @property
    def admitted(self) -> Hospital:
        """Its earliest admission; of equal instants, the one recorded last."""
        return [one for one in self.admissions if one.at == self.admissions[0].at][-1]

    @property
    def discharged(self) -> Hospital | None:
        """Its latest discharge (of equal instants, the one recorded last), or None while it is open."""
        return self.discharges[-1] if self.discharges else None


class Stay(NamedTuple):
    """Parts that are one stay, from the earliest admission to the latest discharge; open if one of them is."""

    parts: Sequence[StayPart]

    @property
    def admitted(self) -> Hospital:
        """The earliest admission."""
        first = self.parts[0].admitted.at
        alike = [part.admitted for part in self.parts if part.admitted.at == first]
        return max(alike, key=lambda one: recorded(one.entry))

    @property
    def discharged(self) -> Hospital | None:
        """The latest discharge, or None while it is open."""
        ends = [part.discharged for part in self.parts]
        return (
            None if None in ends else max((end for end in ends if end), key=lambda end: (end.at, *recorded(end.entry)))
        )

    @property
    def admissions(self) -> list[Entry]:
        """Every admission of it."""
        return [admitted.entry for part in self.parts for admitted in part.admissions]

    @property
    def entries(self) -> list[Entry]:
        """Every admission and discharge of it."""
        return [one.entry for part in self.parts for one in (*part.admissions, *part.discharges)]


def parts_of(
    admissions: Iterable[tuple[str, Hospital]], discharges: Iterable[tuple[str, Hospital]]
) -> tuple[list[StayPart], list[Hospital]]:
    """The groups of each stay number, by their first instant; and the discharges that belong to nothing."""
    of_entry: dict[int, Hospital] = {}
    by_number: dict[str, list[Mark]] = {}
    for begins, told in ((True, admissions), (False, discharges)):
        for number, one in told:
            of_entry[id(one.entry)] = one
            by_number.setdefault(number, []).append(Mark(one.at, begins, one.entry))
    parts: list[StayPart] = []
    unmatched: list[Hospital] = []
    for number, marks in by_number.items():
        found, alone = groups(marks)
        parts += [_part(number, group, of_entry) for group in found]
        unmatched += [of_entry[id(mark.entry)] for mark in alone]
    return sorted(parts, key=lambda part: (part.admitted.at, part.stay)), unmatched


def _part(number: str, group: Group, of_entry: dict[int, Hospital]) -> StayPart:
    begins, ends = ([of_entry[id(mark.entry)] for mark in marks] for marks in group)
    return StayPart(number, begins, ends)


def joined(parts: Sequence[StayPart]) -> list[Stay]:
    """The stays of a patient: the parts that belong together, directly or through others, as one."""
    stays: list[list[StayPart]] = []
    for part in parts:
        apart = [stay for stay in stays if not any(_are_one(before, part) for before in stay)]
        together = [before for stay in stays if stay not in apart for before in stay]
        stays = [*apart, [*together, part]]
    in_order = [sorted(stay, key=lambda part: (part.admitted.at, part.stay)) for stay in stays]
    return [Stay(stay) for stay in sorted(in_order, key=lambda stay: stay[0].admitted.at)]


def _are_one(earlier: StayPart, later: StayPart) -> bool:
    """Whether two parts, by their first instants, overlap, touch, lie near, or adjoin by a date told alone."""
    end, begin = earlier.discharged, later.admitted
    if end is None or begin.at - end.at < TOGETHER:
        return True
    return (end.by_date or begin.by_date) and end.on <= begin.on <= end.on + 1
