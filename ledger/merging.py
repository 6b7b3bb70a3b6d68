"""A ledger's patients under all their names: acts that merged or parted them, and whose episodes are whose by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from msgspec.structs import replace

from ledger.administration import LAST_POSITION, HouseActs
from ledger.facts.administration import (
    HOUSE,
    HouseAct,
    PatientsMerged,
    PatientsParted,
    decode_act,
    time_of_act,
)
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.merges import Merged, MergeRefused, Merges, Parted, as_entry, names_together
from ledger.facts.stored import StoredRow

_MERGING: Final = frozenset({PatientsMerged.__name__, PatientsParted.__name__})


class MergedPatients(HouseActs):
    """What a ledger knows of patients who are one."""

    _merges: tuple[int, list[tuple[int, Entry]]] | None = None

    def refuse_merging(self, patient: str, into: str) -> None:
        """MergeRefused where the rulebook refuses to merge them, and where no episode ever named one of them."""
        if not (self._entries.episodes_of(patient) and self._entries.episodes_of(into)):
            raise MergeRefused("the ledger knows no patient of one of these names, or has forgotten them")
        Merges(self.merge_entries()).refuse_merge(patient, into)

    def refuse_parting(self, patient: str) -> None:
        """MergeRefused for a patient who is not merged into another."""
        Merges(self.merge_entries()).refuse_part(patient)

    def record_merging(self, merging: PatientsMerged) -> int:
        """Record that a patient is another; gives the position. ``RecordConflictError`` if another act was faster."""
        acts = self.house_acts()
        self.refuse_merging(merging.patient, merging.into)
        return self._record_act(replace(merging, merged_at=_not_before(merging.merged_at, acts)), len(acts))

    def record_parting(self, parting: PatientsParted) -> int:
        """Record that a merged patient is one again; likewise."""
        acts = self.house_acts()
        self.refuse_parting(parting.patient)
        return self._record_act(replace(parting, parted_at=_not_before(parting.parted_at, acts)), len(acts))

    def merge_entries(self, upto: int | None = None) -> list[Entry]:
        """The merges and partings of patients up to a position, as entries under no episode's name, in order."""
        count = self._entries.count_of(HOUSE, LAST_POSITION)
        if self._merges is None or self._merges[0] != count:
            rows = self._entries.rows_of_kinds(HOUSE, _MERGING) if count else []
            found = [(row[0], self._merge(row)) for row in rows]
            self._merges = count, [(position, entry) for position, entry in found if _is_remembered(entry)]
        return [entry for position, entry in self._merges[1] if upto is None or position <= upto]

    def names_of(self, patient: str) -> frozenset[str]:
        """The patient's name with every name that was ever merged with it, directly or through others."""
        return self.names_together().get(patient, frozenset({patient}))

    def names_together(self) -> Mapping[str, frozenset[str]]:
        """Every name that was ever merged, or merged into, with those that are one patient with it."""
        return names_together(self.merge_entries())

    def survivor_of(self, patient: str) -> str:
        """The name under which the patient's rows are now."""
        return Merges(self.merge_entries()).survivor(patient)

    def episodes_naming(self, patient: str) -> list[str]:
        """Every episode that ever named the patient, by any of the names that are theirs now."""
        merges = Merges(self.merge_entries())
        own = merges.survivor(patient)
        names = [name for name in self.names_of(patient) if merges.survivor(name) == own]
        return sorted({episode for name in names for episode in self._entries.episodes_of(name)})

    def _merge(self, row: StoredRow) -> Entry:
        position, _, version, _, text = row
        try:
            act = decode_act(text)
        except (msgspec.MsgspecError, UnicodeError) as error:
            raise UnreadableEntry(HOUSE, version, position) from error
        assert isinstance(act, PatientsMerged | PatientsParted)
        fact = (
            Merged(act.patient, act.into, act.reason)
            if isinstance(act, PatientsMerged)
            else Parted(act.patient, act.reason)
        )
        return as_entry(fact, version, position, act.by, time_of_act(act), act.nonce)


def _not_before(at: datetime, acts: Sequence[tuple[int, HouseAct]]) -> datetime:
    """The time of an act by our clock: one that was set back does not run backwards among the acts of the house."""
    return max([at, *(time_of_act(act) for _, act in acts[-1:])])


def _is_remembered(entry: Entry) -> bool:
    """Whether an act names patients who can still be read: not those who were forgotten."""
    fact: object = entry.fact
    return isinstance(fact, Merged | Parted) and bool(fact.patient) and bool(getattr(fact, "into", fact.patient))
