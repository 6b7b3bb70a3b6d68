"""Section 2, *Stays*: admissions and discharges read in turn, and the stays they make joined."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .dates import ONE_DAY, a_date, instant, local_date, local_noon
from .entries import Entry
from .pairs import alternating

FOUR_HOURS = timedelta(hours=4)


class HospitalFact:
    """An admission or discharge; a date alone stands for local noon where it was recorded."""

    def __init__(self, entry: Entry, zone: ZoneInfo) -> None:
        self.entry = entry
        at: Any = entry.fact["at"]
        self.by_date_alone = "T" not in str(at)
        self.at: datetime = local_noon(a_date(at), zone) if self.by_date_alone else instant(at)
        self.date: date = local_date(self.at, zone)
        self.episode = entry.episode


class StayGroup:
    """One or more admissions of one number and the discharges that follow them, or none: open."""

    def __init__(self, admissions: list[HospitalFact], discharges: list[HospitalFact]) -> None:
        self.admissions = admissions
        self.discharges = discharges
        self.admitted: datetime = min(fact.at for fact in admissions)
        self.discharged: datetime | None = max((fact.at for fact in discharges), default=None)

    def first_admissions(self) -> list[HospitalFact]:
        """The admissions at the earliest instant, by the order recorded across episodes."""
        return in_order([fact for fact in self.admissions if fact.at == self.admitted])

    def last_discharges(self) -> list[HospitalFact]:
        """The discharges at the latest instant, by the order recorded across episodes."""
        return in_order([fact for fact in self.discharges if fact.at == self.discharged])


class Stay:
    """Groups joined into one stay, from the earliest admission to the latest discharge; open if a part of it is."""

    def __init__(self, parts: list[StayGroup]) -> None:
        self.parts = sorted(parts, key=lambda part: part.admitted)
        self.admitted = self.parts[0].admitted
        ends = [part.discharged for part in parts]
        self.discharged = None if None in ends else max(end for end in ends if end is not None)

    def is_inpatient(self, d: date, rule: str, zone: ZoneInfo) -> bool:
        """Section 4, *Inpatient dates*: is the date one, local in the judged episode's zone?"""
        a = local_date(self.admitted, zone)
        r = date.max if self.discharged is None else local_date(self.discharged, zone)
        if rule == "served":
            return a < d < r
        if rule == "midnight_census":
            return a <= d < r
        return a <= d <= r

    def first_admission(self) -> HospitalFact:
        """The admission it begins with; of equal instants, the one recorded last."""
        firsts = [fact for part in self.parts for fact in part.first_admissions() if fact.at == self.admitted]
        return in_order(firsts)[-1]

    def last_discharge(self) -> HospitalFact | None:
        """The discharge it ends with; of equal instants, the one recorded last."""
        lasts = [fact for part in self.parts for fact in part.last_discharges() if fact.at == self.discharged]
        return in_order(lasts)[-1] if lasts else None

    def episodes(self) -> set[str]:
        """The episodes of all its entries."""
        return {fact.episode for part in self.parts for fact in part.admissions + part.discharges}


def in_order(facts: list[HospitalFact]) -> list[HospitalFact]:
    """By instant, then in the order recorded across episodes."""
    return sorted(facts, key=lambda fact: (fact.at, fact.entry.across))


def groups_of(
    admitted: list[Entry], discharged: list[Entry], zones: dict[str, ZoneInfo]
) -> tuple[list[StayGroup], list[HospitalFact]]:
    """The groups of every stay number of a patient, and the discharges that belong to nothing."""
    facts = {id(entry): HospitalFact(entry, zones[entry.episode]) for entry in admitted + discharged}
    groups, unmatched = alternating(
        [(entry.fact["stay"], facts[id(entry)].at, entry) for entry in admitted],
        [(entry.fact["stay"], facts[id(entry)].at, entry) for entry in discharged],
    )
    read = [
        StayGroup([facts[id(entry)] for entry in begin], [facts[id(entry)] for entry in end]) for begin, end in groups
    ]
    return read, [facts[id(entry)] for entry in unmatched]


def joined(groups: list[StayGroup]) -> list[Stay]:
    """The stays of a patient: those that belong together, directly or through others, made one."""
    stays: list[list[StayGroup]] = []
    for group in groups:
        apart, together = [], [group]
        for parts in stays:
            if any(belong_together(group, part) for part in parts):
                together += parts
            else:
                apart.append(parts)
        stays = [*apart, together]
    return sorted((Stay(parts) for parts in stays), key=lambda stay: stay.admitted)


def belong_together(one: StayGroup, other: StayGroup) -> bool:
    """Do they overlap, touch, lie less than four hours apart, or adjoin by a date told alone?"""
    earlier, later = sorted((one, other), key=lambda group: group.admitted)
    if earlier.discharged is None or later.admitted - earlier.discharged < FOUR_HOURS:
        return True
    return any(
        (end.by_date_alone or begin.by_date_alone) and adjoin(end.date, begin.date)
        for end in earlier.last_discharges()
        for begin in later.first_admissions()
    )


def adjoin(end: date, begin: date) -> bool:
    """Does the later stay begin on the date the earlier ends, or the next?"""
    return begin in (end, end + ONE_DAY)
