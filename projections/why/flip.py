"""The smallest single change that would turn a day: one more entry, tried on the patient and judged by the same judge.

A day that is not billable: the moves of ``flip_moves`` are tried in their order; the first after which the day is
billable is shown.

A billable day: each entry it rests on is retracted in turn (evidence, orders, plan, assessment, diagnosis, coverage,
authorization); the first without which it is not billable is shown. What a change cannot know (a score, a prescriber,
a diagnosis) stands in it as the episode has it already, or as a placeholder; only its sentence is meant for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from ledger.book import Book
from ledger.facts import events as ev
from ledger.facts.entry import Entry, tag_of
from ledger.facts.upcasts import SCHEMA
from ledger.judge import causes as grounds
from ledger.judge.case import Case
from ledger.judge.episode import Patient
from ledger.judge.patients import episode_of
from ledger.judge.regions import judged_day
from ledger.judge.steps import judge
from projections.why.day_view import DayView
from projections.why.moves import HYPOTHETICAL, MOVES, Change, Changes, named, retract
from projections.words import verdict_in_sentence, verdict_text


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


def find_flip(streams: Mapping[str, Sequence[Entry]], view: DayView, step: int, book: Book) -> FlipShown:
    """The change that turns the day; ``streams`` are the patient's episodes as known, ``step`` is the verdict's."""
    trial = _Trial(streams, view, book)
    return _undoing(trial) if step == 24 else _curing(trial, step)


class _Outcome(NamedTuple):
    step: int
    text: str | None


class _Trial:
    """The patient as recorded, judged again with one more entry."""

    def __init__(self, streams: Mapping[str, Sequence[Entry]], view: DayView, book: Book) -> None:
        self.streams, self.view, self.book = streams, view, book
        self.patient = view.case.patient
        last = max(streams[episode.name][-1].recorded_at for episode in self.patient.episodes)
        self.recorded_at = last + timedelta(microseconds=1)

    def outcome(self, change: Change) -> _Outcome:
        """The day's verdict after the change; step 0 if there would be no such day."""
        entries = with_fact(self.streams[change.episode], change.fact, self.recorded_at)
        changed = episode_of(change.episode, entries)
        assert changed is not None, "it has entries"
        episodes = [changed if episode.name == change.episode else episode for episode in self.patient.episodes]
        name = self.view.case.episode.name
        cases = judge(Patient(self.patient.name, episodes), self.book)
        return _on(next(case for case in cases if case.episode.name == name), self.view.date)


def _on(case: Case, on: int) -> _Outcome:
    if not case.calendar.day(on):
        return _Outcome(0, None)
    day = judged_day(case, on)
    return _Outcome(day.verdict.step, verdict_text(day))


def _shown(flips: bool, sentence: str, change: Change, text: str | None) -> FlipShown:
    return FlipShown(flips, sentence, change.episode, tag_of(change.fact), msgspec.to_builtins(change.fact), text)


def _curing(trial: _Trial, step: int) -> FlipShown:
    best: tuple[Change, _Outcome] | None = None
    for change in _worth_trying(trial.view, step):
        outcome = trial.outcome(change)
        if outcome.step == 24:
            return _shown(True, change.sentence, change, outcome.text)
        if outcome.step > (best[1].step if best else step):
            best = change, outcome
    sentence = "No single change of those tried makes this day billable."
    if best is None:
        return FlipShown(False, sentence, None, None, None, None)
    change, outcome = best
    sentence += f" This brings it furthest: {change.sentence} It would then be {verdict_in_sentence(outcome.text)}."
    return _shown(False, sentence, change, outcome.text)


def _worth_trying(view: DayView, step: int) -> Changes:
    for move in MOVES:
        if step in move.cures:
            yield from move.propose(view)
    for move in MOVES:
        if step in move.may_help:
            yield from move.propose(view)


def _undoing(trial: _Trial) -> FlipShown:
    for entry in _rested_on(trial.view):
        change = retract(trial.view, entry)
        outcome = trial.outcome(change)
        if outcome.step != 24:
            then = verdict_in_sentence(outcome.text)
            sentence = f"Without {named(trial.view, entry)} the day would be {then}."
            return _shown(True, sentence, change, outcome.text)
    return FlipShown(False, "No single retraction makes this day not billable.", None, None, None, None)


def _rested_on(view: DayView) -> list[Entry]:
    found = [*grounds.served_on(view.case, view.date)]
    for step in (23, 17, 18, 16, 6, 22):
        found += view.grounds(step)
    return list({(entry.episode, entry.version): entry for entry in found}.values())
