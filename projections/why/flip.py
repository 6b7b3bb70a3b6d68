"""The smallest single change that would turn a day: one more entry, tried on the patient and judged by the same judge.

A day that is not billable: what the book lacks comes first, where that is what fails; then the changes of ``moves`` are
tried in their order, and the first after which the day is billable is shown.

A billable day: each entry it rests on is retracted in turn (evidence, orders, plan, assessment, diagnosis, coverage,
authorization); the first without which it is not billable is shown. What a change cannot know (a score, a prescriber,
a diagnosis) stands in it as the episode has it already, or as a placeholder; only its sentence is meant for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

import msgspec

from ledger.book import Book
from ledger.facts import events as ev
from ledger.facts.entry import Entry, tag_of
from ledger.facts.upcasts import SCHEMA
from ledger.judge import steps
from ledger.judge.case import Case
from ledger.judge.patients import Patient, episode_of
from ledger.judge.regions import judged_day
from ledger.judge.rule import Verdict
from ledger.judge.steps import judge
from projections.why.change import HYPOTHETICAL, Change, Outside, named, outside_cure, retract
from projections.why.day_view import DayView
from projections.why.moves import worth_trying
from projections.words import verdict_in_sentence, verdict_text

RESTED_ON: Final = (
    steps.PASSED,
    steps.NO_RATE,
    steps.PLAN,
    steps.PAIN_ASSESSMENT_OVERDUE,
    steps.NO_DIAGNOSIS,
    steps.NO_TERMS,
    steps.AUTHORIZATION,
)
"""The steps whose entries make a day billable, in the order they are taken away: its service, orders, plan, assessment,
diagnosis, coverage and authorization."""


class FlipShown(msgspec.Struct, frozen=True, gc=False):
    """A change and the verdict it would give (None: the episode would not have the day); without one, why not."""

    flips: bool
    sentence: str
    episode: str | None
    type: str | None
    fact: dict[str, Any] | None
    verdict: str | None


def with_fact(entries: Sequence[Entry], fact: ev.Event, recorded_at: datetime) -> list[Entry]:
    """An episode's entries with one more, as if it had been recorded at that instant."""
    last = entries[-1]
    version = last.version + 1
    return [
        *entries, Entry(last.episode, version, "", str(version), HYPOTHETICAL, recorded_at, "0" * 32, fact, SCHEMA)
    ]  # fmt: skip


def find_flip(streams: Mapping[str, Sequence[Entry]], view: DayView, verdict: Verdict, book: Book) -> FlipShown:
    """The change that turns the day from its verdict; ``streams`` are the patient's episodes as known."""
    trial = _Trial(streams, view, book)
    return _undoing(trial) if verdict.is_billable else _curing(trial, verdict)


class _Outcome(NamedTuple):
    """What a change makes of the day; without a verdict there would be no such day."""

    verdict: Verdict | None
    text: str | None

    @property
    def is_billable(self) -> bool:
        return self.verdict is not None and self.verdict.is_billable

    @property
    def reached(self) -> int:
        return self.verdict.step.number if self.verdict else 0


class _Trial:
    """The patient as recorded, judged again with one more entry."""

    def __init__(self, streams: Mapping[str, Sequence[Entry]], view: DayView, book: Book) -> None:
        self.streams, self.view, self.book = streams, view, book
        self.patient = view.case.patient
        last = max(streams[episode.name][-1].recorded_at for episode in self.patient.episodes)
        self.recorded_at = last + timedelta(microseconds=1)

    def with_book(self, book: Book) -> _Outcome:
        """The day's verdict by another book."""
        return self._judged(self.patient, book)

    def outcome(self, change: Change) -> _Outcome:
        """The day's verdict after the change."""
        entries = with_fact(self.streams[change.episode], change.fact, self.recorded_at)
        changed = episode_of(change.episode, entries)
        assert changed is not None, "it has entries"
        episodes = [changed if episode.name == change.episode else episode for episode in self.patient.episodes]
        return self._judged(Patient(self.patient.name, episodes), self.book)

    def _judged(self, patient: Patient, book: Book) -> _Outcome:
        name = self.view.case.episode.name
        return _on(next(case for case in judge(patient, book) if case.episode.name == name), self.view.date)


def _on(case: Case, on: int) -> _Outcome:
    if not case.calendar.day(on):
        return _Outcome(None, None)
    day = judged_day(case, on)
    return _Outcome(day.verdict, verdict_text(day))


def _flip(flips: bool, sentence: str, change: Change, text: str | None) -> FlipShown:
    return FlipShown(flips, sentence, change.episode, tag_of(change.fact), msgspec.to_builtins(change.fact), text)


def _curing(trial: _Trial, verdict: Verdict) -> FlipShown:
    outside = outside_cure(trial.view, verdict)
    if outside and outside.book:
        outcome = trial.with_book(outside.book)
        if outcome.is_billable:
            return FlipShown(True, outside.sentence, None, None, None, outcome.text)
    best: tuple[Change, _Outcome] | None = None
    for change in worth_trying(trial.view, verdict):
        outcome = trial.outcome(change)
        if outcome.is_billable:
            sentence = f"{outside.sentence} Or: {change.sentence}" if outside else change.sentence
            return _flip(True, sentence, change, outcome.text)
        if outcome.reached > (best[1].reached if best else verdict.step.number):
            best = change, outcome
    return _not_enough(outside, best)


def _not_enough(outside: Outside | None, best: tuple[Change, _Outcome] | None) -> FlipShown:
    """What to say where nothing that was tried makes the day billable."""
    if outside and not outside.book:
        return FlipShown(False, f"{outside.sentence} What the day is then follows from it.", None, None, None, None)
    sentence = "No single change of those tried makes this day billable."
    if outside:
        sentence += f" First of all: {outside.sentence}"
    if best is None:
        return FlipShown(False, sentence, None, None, None, None)
    change, outcome = best
    sentence += f" This brings it furthest: {change.sentence} It would then be {verdict_in_sentence(outcome.text)}."
    return _flip(False, sentence, change, outcome.text)


def _undoing(trial: _Trial) -> FlipShown:
    for entry in _rested_on(trial.view):
        change = retract(trial.view, entry)
        outcome = trial.outcome(change)
        if not outcome.is_billable:
            then = verdict_in_sentence(outcome.text)
            sentence = f"Without {named(trial.view, entry)} the day would be {then}."
            return _flip(True, sentence, change, outcome.text)
    return FlipShown(False, "No single retraction makes this day not billable.", None, None, None, None)


def _rested_on(view: DayView) -> list[Entry]:
    found = [entry for step in RESTED_ON for entry in view.causes(step)]
    return list({(entry.episode, entry.version): entry for entry in found}.values())
