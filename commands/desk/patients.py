"""Two names that are one person, or were taken for one: patients merged and parted at the site."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from commands.desk.act import (
    NOTHING,
    SENT_BEFORE,
    Desk,
    Done,
    Preview,
    Stopped,
    clock_stops,
    identity_of,
    new_identity,
    or_there,
)
from commands.desk.effects import Effect, effect_of
from commands.desk.fields import Control, Texts, plain, shown
from commands.door.explain import first_fault
from commands.door.shapes import EVENTS
from commands.outside import utc_now
from commands.recording.holding import opened_to_record
from commands.terminal.who import is_named_in
from commands.writing.handle import refuse_doubtful_clock
from ledger.facts.administration import HOUSE, PatientsMerged, PatientsParted
from ledger.facts.merges import Merged, MergeRefused, Parted, as_entry
from ledger.store import EpisodeLedger, RecordConflictError
from projections.effects.effect import changes_of
from projections.reading.around import entries_around
from projections.words import sentence

ATTEMPTS: Final = 100
_PATIENT: Final = EVENTS["EpisodeOpened"].fields["patient"].form
_REASON: Final = EVENTS["FactRetracted"].fields["reason"].form
_FIELDS: Final = {
    "old": ("Patient to be merged", "The name that is not to be used any more", _PATIENT),
    "into": ("Into patient", "The name under which both are one", _PATIENT),
    "reason": ("Reason", "How it is known; it stays in the ledger. Do not name a patient in it", _REASON),
}


def _now(ledger: EpisodeLedger) -> datetime:
    """The time of the act; Stopped where the clock cannot be right."""
    now = utc_now()
    with clock_stops():
        refuse_doubtful_clock(ledger, now)
    return now


class _OfPatients:
    """What merging and parting have in common."""

    title: str
    about: str
    _names: tuple[str, ...]

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def hidden(self) -> dict[str, str]:
        """The identity."""
        return {"id": new_identity()}

    def begin(self) -> dict[str, str]:
        """An empty form."""
        return {}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """What is wrong with each field."""
        found = dict[str, str]()
        for name in (*self._names, "reason"):
            if fault := first_fault(_FIELDS[name][2], told.get(name, "").strip(), name):
                found[name] = plain(fault.removeprefix(f"{name}: "))
        named = [told.get(name, "").strip() for name in self._names]
        if any(each and is_named_in(told.get("reason", ""), each) for each in named):
            found.setdefault("reason", "It stays in the ledger: do not name the patients in it.")
        return found

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The patients, and how it is known."""
        return [
            Control(name, *_FIELDS[name][:2], "long" if name == "reason" else "text", True, told.get(name, ""),
                    errors.get(name), 1000 if name == "reason" else 128)
            for name in (*self._names, "reason")
        ]  # fmt: skip

    def fact(self, told: Texts) -> Merged | Parted:
        """What is said of the patients."""
        raise NotImplementedError

    def refuse(self, ledger: EpisodeLedger, told: Texts) -> None:
        """MergeRefused where the ledger refuses it."""
        raise NotImplementedError

    def record(self, ledger: EpisodeLedger, told: Texts, nonce: str) -> None:
        """Record the act; RecordConflictError where somebody else was faster."""
        raise NotImplementedError

    def is_told(self, act: object, told: Texts) -> bool:
        """Whether an act of the house is what is told."""
        raise NotImplementedError

    def preview(self, told: Texts) -> Preview:
        """What would change for their episodes."""
        with self.desk.setup.open() as ledger:
            self._refuse(ledger, told)
            return Preview(shown(self.controls(told, {})), [], *self._effect(ledger, told))

    def do(self, told: Texts) -> Done:
        """Record it, once for each form."""
        nonce = identity_of(told).rpartition("-")[2]
        with opened_to_record(self.desk.setup, create=False) as ledger:
            return or_there(lambda: self._done(ledger, told, nonce), lambda: self._is_there(ledger, told, nonce))

    def _done(self, ledger: EpisodeLedger, told: Texts, nonce: str) -> Done:
        for _ in range(ATTEMPTS):
            if self._is_there(ledger, told, nonce):
                return Done(NOTHING, [])
            self._refuse(ledger, told)
            effect = self._effect(ledger, told)
            try:
                self.record(ledger, told, nonce)
            except RecordConflictError:
                continue
            return Done("Recorded.", *effect)
        raise Stopped("Others kept recording, and nothing was done.", "Try again.")

    def _is_there(self, ledger: EpisodeLedger, told: Texts, nonce: str) -> bool:
        """Whether the form recorded its act already; Stopped if that was another one."""
        there = next((act for _, act in ledger.house_acts() if act.nonce == nonce), None)
        if there is not None and not self.is_told(there, told):
            raise Stopped(*SENT_BEFORE)
        return there is not None

    def _refuse(self, ledger: EpisodeLedger, told: Texts) -> None:
        try:
            self.refuse(ledger, told)
        except MergeRefused as trouble:
            raise Stopped(sentence(trouble)) from None

    def _effect(self, ledger: EpisodeLedger, told: Texts) -> Effect:
        names = [told[name].strip() for name in self._names]
        streams = entries_around(ledger, [episode for name in names for episode in ledger.episodes_of(name)])
        acts = streams.get(HOUSE, [])
        act = as_entry(self.fact(told), len(acts) + 1, ledger.position() + 1, "", utc_now(), "")
        after = streams | {HOUSE: [*acts, act]}
        return effect_of(changes_of(streams, after, self.desk.book), self.desk.book)


class Merge(_OfPatients):
    """Two names in the ledger, one person."""

    title = "Merge patients"
    about = (
        "From now on the episodes of both are judged together, as one patient's, and rows stand under the second name."
        " Nothing that was recorded changes, and parting takes it back."
    )
    _names = ("old", "into")

    def fact(self, told: Texts) -> Merged:
        """The merge."""
        return Merged(told["old"].strip(), told["into"].strip(), told["reason"].strip())

    def refuse(self, ledger: EpisodeLedger, told: Texts) -> None:
        """As the rulebook has it."""
        ledger.refuse_merging(told["old"].strip(), told["into"].strip())

    def record(self, ledger: EpisodeLedger, told: Texts, nonce: str) -> None:
        """One act of the house."""
        said = self.fact(told)
        ledger.record_merging(PatientsMerged(_now(ledger), self.desk.by, said.patient, said.into, said.reason, nonce))

    def is_told(self, act: object, told: Texts) -> bool:
        """Whether these two were merged, for this reason."""
        if not isinstance(act, PatientsMerged):
            return False
        return Merged(act.patient, act.into, act.reason) == self.fact(told)


class Separate(_OfPatients):
    """Two people after all."""

    title = "Part patients"
    about = "The episodes that name this patient are judged as theirs again. What was known meanwhile stays as it was."
    _names = ("old",)

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The patient, and how it is known."""
        first, *others = super().controls(told, errors)
        return [
            Control(
                first.name, "Patient to be parted", "The name that was merged", "text", True, first.value, first.error
            ),
            *others,
        ]

    def fact(self, told: Texts) -> Parted:
        """The parting."""
        return Parted(told["old"].strip(), told["reason"].strip())

    def refuse(self, ledger: EpisodeLedger, told: Texts) -> None:
        """As the rulebook has it."""
        ledger.refuse_parting(told["old"].strip())

    def record(self, ledger: EpisodeLedger, told: Texts, nonce: str) -> None:
        """One act of the house."""
        said = self.fact(told)
        ledger.record_parting(PatientsParted(_now(ledger), self.desk.by, said.patient, said.reason, nonce))

    def is_told(self, act: object, told: Texts) -> bool:
        """Whether this one was parted, for this reason."""
        return isinstance(act, PatientsParted) and Parted(act.patient, act.reason) == self.fact(told)
