"""What the house does besides: patients registered twice are merged, and some of them parted again.

Acts of the house are no intake lines: they stand in `acts.jsonl` in their order, each to be done when every line that
came before it, or in its second, is recorded (`telling.py` does so).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .clock import CUTOFF, DAY, ISO, arrival_stamp
from .course import Course, Entry, Trouble
from .facts import encode, fact

HOUSE = ""
"""The episode under which acts of the house stand: none."""
UNFIT = frozenset({"episode_voided", "patient_corrected"})
"""Trouble of episodes that are nobody's, or another patient's."""


def register_twice(drafts: list[Course]) -> bool:
    """Give the second of a patient's two episodes a name of its own; False if they are in for other trouble."""
    one, other = drafts
    if UNFIT & (one.wanted | other.wanted):
        return False
    other.patient += "-R"
    return True


def merge(one: Course, other: Course, parted: bool) -> list[Trouble]:
    """Merge the second's name into the first's, at times to part them again, with a day that shows how they ended.

    On that day of the first episode catheter care is billed under the second name: a finding if they are one patient.
    """
    day = one.reserve_served()
    if day is None:
        return []
    billed_at = max((day + other.between(5, 25)) * DAY + 50_000, one.opened, other.opened)
    merged_at = billed_at + other.between(2, 30) * DAY
    parted_at = merged_at + other.between(3, 20) * DAY
    if parted_at > CUTOFF:
        return []
    care = {"code": "S5501", "from": ISO[day], "to": ISO[day], "units": 1}
    billed = other.add(billed_at, "billing", "svc", other.staff["biller"], fact("ServiceBilledSeparately", care))
    why = "registered twice; birth dates compared"
    acts = [_act(other, "merge", merged_at, "PatientsMerged", {"into": one.patient, "reason": why})]
    kind, effect = "patients_merged", "finding catheter_care_with_per_diem on billable days"
    if parted:
        acts.append(_act(other, "part", parted_at, "PatientsParted", {"reason": "birth dates differ after all"}))
        kind, effect = "patients_parted", "none: parted again"
    else:
        other.patient = one.patient  # to whom its rows belong from now on
        other.troubles = [trouble._replace(patient=one.patient) for trouble in other.troubles]
    entries = [(one.name, one.entries[0]), (other.name, other.entries[0]), (other.name, billed)]
    entries += [(HOUSE, act) for act in acts]
    return [Trouble(kind, one.patient, [other.name, one.name], [ISO[day]], entries, effect)]


def _act(c: Course, verb: str, at: int, kind: str, fields: Mapping[str, str]) -> Entry:
    who = c.staff["coordinator"]
    return Entry(at, 0, "house", f"{verb}-{c.serial:07d}", who, fact(kind, {"patient": c.patient, **fields}))


def acts_of(troubles: Iterable[Trouble]) -> list[Entry]:
    """The acts of the house among what made trouble."""
    return [entry for trouble in troubles for name, entry in trouble.entries if name == HOUSE]


def act_line(act: Entry) -> str:
    """An act in the form of an intake line, of no episode."""
    head = encode({"episode": HOUSE, "source": act.source, "id": act.key, "by": act.by})
    return f'{head[:-1]},"recorded_at":"{arrival_stamp(act.at)}","fact":{act.fact}}}\n'
