"""Section 2, *Whose facts* and *Whose episodes*: patients, and the facts that count in every episode of one."""

from __future__ import annotations

from datetime import date, datetime

from .dates import Span
from .entries import HOUSE, Entry, known_entries
from .episode import Episode
from .stays import Stay, StayGroup, groups_of, joined

EVERYWHERE = frozenset(
    {
        "PatientDied",
        "HospitalAdmitted",
        "HospitalDischarged",
        "FacilityStayed",
        "HospiceElected",
        "AuthorizationGranted",
    }
)
"""The facts that count in every episode of the patient, wherever recorded."""


class Patient:
    """The episodes of one patient, and what counts in all of them."""

    def __init__(self, name: str, episodes: list[Episode]) -> None:
        self.name = name
        self.episodes = episodes
        shared = [entry for episode in episodes for entry in episode.counting if entry.type in EVERYWHERE]
        self.shared = sorted(shared, key=lambda entry: entry.across)
        self.zones = {episode.name: episode.zone for episode in episodes}
        self.stay_groups: list[StayGroup]
        self.stay_groups, self.unmatched_discharges = groups_of(
            self.all("HospitalAdmitted"), self.all("HospitalDischarged"), self.zones
        )
        self.stays: list[Stay] = joined(self.stay_groups)

    def all(self, fact_type: str) -> list[Entry]:
        """All of a type that counts everywhere, in the order recorded across episodes."""
        return [entry for entry in self.shared if entry.type == fact_type]

    def deaths(self) -> list[date]:
        """Every recorded date of death."""
        return [entry.date() for entry in self.all("PatientDied")]

    def facility_stays(self) -> list[Span]:
        """Stays in a nursing facility."""
        return [entry.span() for entry in self.all("FacilityStayed")]

    def hospice(self) -> list[Span]:
        """Hospice elections."""
        return [entry.span() for entry in self.all("HospiceElected")]


def read_patients(lines: list[dict[str, object]], until: datetime | None) -> list[Patient]:
    """The patients as the ledger stood at `until`, merged and parted as the house did up to then."""
    known = known_entries(lines, until)
    names = names_that_stand(known.pop(HOUSE, []))
    patients: dict[str, list[Episode]] = {}
    for name, entries in known.items():
        episode = Episode(name, entries, names)
        patients.setdefault(episode.patient, []).append(episode)
    return [Patient(name, episodes) for name, episodes in patients.items()]


def names_that_stand(acts: list[Entry]) -> dict[str, str]:
    """Every name that was merged into another, with the name that stands last."""
    into: dict[str, str] = {}
    for act in acts:
        if act.type == "PatientsMerged":
            into[act.fact["patient"]] = act.fact["into"]
        elif act.type == "PatientsParted":
            into.pop(act.fact["patient"], None)
    stands = {}
    for patient, name in into.items():
        while name in into:  # merges chain, and none closes a circle
            name = into[name]
        stands[patient] = name
    return stands
