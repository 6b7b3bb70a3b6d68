"""A rehearsal of recording: a ledger that is thrown away, in which everything goes as it would in the real one.

It begins empty. As soon as an episode or a patient is named, all that ever had to do with them is brought over from the
real ledger, entry by entry as it is recorded there; so whoever decides or judges finds what they would find there. The
real one is only read, up to the position it had in the beginning. Its acts are taken from it as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ledger.facts.administration import HouseAct, IdentityInTheOpen, PatientForgotten
from ledger.facts.entry import Entry, patient_named
from ledger.facts.stored import StoredRow
from ledger.keys.cipher import passing_master_key
from ledger.store import EpisodeLedger, file_settings
from projections.reading.around import episodes_around
from projections.reading.size import refuse_too_large


class Rehearsal(EpisodeLedger):
    """What a ledger would be; positions are those that its entries would have if nobody else recorded meanwhile.

    Where the real one is encrypted it is so, too, under a key that is kept nowhere.
    """

    name = "Rehearsal"

    def __init__(self, real: EpisodeLedger, folder: Path) -> None:
        self.real, self.began = real, real.position()
        self._recorded = 0
        self._allowed = False
        self._touched: set[str] = set()
        self._brought: set[str] = set()
        self._asked: set[str] = set()
        key = passing_master_key() if real.encrypted else None
        super().__init__(file_settings(str(folder / "rehearsal.db"), create=True, master=key), key)

    def touched(self) -> set[str]:
        """Every patient to whom something would be recorded."""
        return {patient for episode in self._touched for patient in self.patients_of(episode)}

    def append(
        self,
        entries: Sequence[Entry],
        patients: Iterable[tuple[str, str]] = (),
        acts: Sequence[HouseAct] = (),
        after_act: int | None = None,
    ) -> list[int]:
        """Rehearse recording entries; gives the positions that they would have. Acts are not looked at again."""
        named = list(patients)
        self._bring([entry.episode for entry in entries], [patient for patient, _ in named])
        count = len(super().append(entries, named)) + len(acts)
        self._touched |= {entry.episode for entry in entries}
        first = self.position() + 1
        self._recorded += count
        return list(range(first, first + count))

    def position(self) -> int:
        """The position that the last entry would have."""
        return self.began + self._recorded

    def entries_of(self, episode: str, after_version: int = 0, upto: int | None = None) -> list[Entry]:
        """An episode's entries in order, with what was rehearsed."""
        self._bring([episode])
        return super().entries_of(episode, after_version, upto)

    def entries_of_all(self, episodes: Iterable[str]) -> Iterator[Entry]:
        """The entries of several episodes, each episode's in order, with what was rehearsed."""
        wanted = list(episodes)
        self._bring(wanted)
        return super().entries_of_all(wanted)

    def patients_of(self, episode: str) -> list[str]:
        """Every patient that the episode would have named, or who was merged with one."""
        self._bring([episode])
        return super().patients_of(episode)

    def episodes_of(self, patient: str) -> list[str]:
        """Every episode that would have named this patient, or one who was merged with them."""
        self._bring([], [patient])
        return super().episodes_of(patient)

    def scan(self, after: int = 0, upto: int | None = None) -> Iterator[StoredRow]:
        """Stored rows of the real ledger: what is rehearsed is not among them."""
        return self.real.scan(after, self.began if upto is None else min(upto, self.began))

    def merge_entries(self, upto: int | None = None) -> list[Entry]:
        """The merges and partings of patients in the real ledger."""
        return self.real.merge_entries(self.began if upto is None else min(upto, self.began))

    def forgotten(self) -> Mapping[str, PatientForgotten]:
        """The episodes that are forgotten in the real ledger."""
        return self.real.forgotten()

    def keeps_identity(self) -> bool:
        """Whether the real ledger may be told who a patient is, or would be."""
        return self._allowed or self.real.keeps_identity()

    def allow_identity_in_the_open(self, act: IdentityInTheOpen) -> None:
        """Rehearse that it is meant."""
        self._allowed = True

    def _bring(self, episodes: Iterable[str], patients: Iterable[str] = ()) -> None:
        """Bring over all that has to do with some episodes and patients, unless it is here."""
        if not self.began:
            return
        asked = set(patients) - self._asked
        self._asked |= asked
        wanted = set(episodes) - self._brought
        wanted |= {name for patient in asked for name in self.real.episodes_of(patient)} - self._brought
        if not wanted:
            return
        gone = self.forgotten()
        around = [name for name in episodes_around(self.real, wanted) if name not in self._brought]
        self._brought.update(wanted, around)
        refuse_too_large(self.real, [name for name in around if name not in gone], self.began)
        for name in around:
            entries = self.real.entries_of(name, upto=self.began) if name not in gone else []
            named = [(patient, name) for patient in map(patient_named, entries) if patient is not None]
            if entries:
                super().append(entries, dict.fromkeys(named))
