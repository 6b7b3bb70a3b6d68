"""Section 5: what the hospital's admissions and discharges of a patient leave open."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from .patients import Patient
from .stays import HospitalFact, Stay, StayGroup, adjoin, in_order

if TYPE_CHECKING:
    from .findings import Found

STRETCH = timedelta(hours=24)


def stay_findings(found: Found, patient: Patient) -> None:
    """All findings of a patient's stays."""
    for discharge in patient.unmatched_discharges:
        found.add_alone("unmatched", [discharge.date], [discharge.episode])
    for earlier, later in combinations(patient.stays, 2):
        stays_adjoin(found, earlier, later)
    for group in patient.stay_groups:
        stay_stretched(found, group)
        if group.discharged is None:
            stay_open(found, group, patient.stay_groups)


def stays_adjoin(found: Found, earlier: Stay, later: Stay) -> None:
    """Two stays, not joined, of which the later begins on the date the earlier ends or the next."""
    end, begin = earlier.last_discharge(), later.first_admission()
    if end is not None and adjoin(end.date, begin.date):
        found.add_alone("stays_adjoin", [end.date, begin.date], earlier.episodes() | later.episodes())


def stay_stretched(found: Found, group: StayGroup) -> None:
    """Two neighbouring discharges of one group more than 24 hours apart; one finding per group."""
    far: list[HospitalFact] = []
    for before, after in pairwise(in_order(group.discharges)):
        if after.at - before.at > STRETCH:
            far += [before, after]
    if far:
        found.add_alone("stay_stretched", dates_of(far), episodes_of(far))


def stay_open(found: Found, group: StayGroup, groups: list[StayGroup]) -> None:
    """A stay without a discharge, though a later one began: every later one was joined with it."""
    later = [fact for other in groups if other.admitted > group.admitted for fact in other.first_admissions()]
    if later:
        named = [group.first_admissions()[-1], next_of(later)]
        found.add_alone("stay_open", dates_of(named), episodes_of(named))


def next_of(later: list[HospitalFact]) -> HospitalFact:
    """The admission that comes next; of equal instants, the one recorded last."""
    first = min(fact.at for fact in later)
    return in_order([fact for fact in later if fact.at == first])[-1]


def dates_of(facts: list[HospitalFact]) -> list[date]:
    """The date of each in the zone of the episode that recorded it."""
    return [fact.date for fact in facts]


def episodes_of(facts: list[HospitalFact]) -> list[str]:
    """The episodes that recorded them."""
    return [fact.episode for fact in facts]
