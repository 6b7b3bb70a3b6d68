"""Why a day has its verdict: one sentence, each step with what it rested on, the terms, and what would turn it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final

import msgspec

from ledger.book import Book
from ledger.days import judge
from ledger.entry import Entry
from ledger.episode import Patient
from ledger.judged import JudgedDay, judged_day
from ledger.liveness import known as known_by
from ledger.patients import episode_of
from ledger.store import EpisodeLedger
from projections.day_sheet import DayRow, cells_on, day_row, iso
from projections.flip import FlipShown, find_flip
from projections.load import book_known
from projections.why_steps import DayView, EvidenceShown, StepShown, steps_shown
from projections.why_words import SENTENCES, STATUS, Said

__all__ = ["EvidenceShown", "FlipShown", "StepShown", "TermsShown", "Why", "why", "why_of"]


class TermsShown(msgspec.Struct, frozen=True, gc=False):
    """The edition of the payer's terms that the day was read against; the rate is that of the day's code."""

    payer: str
    payer_name: str
    from_: str = msgspec.field(name="from")
    published: str
    checked: str
    source: str
    day_counting: str
    pain_code: str
    max_interval_hours: int
    inpatient_rule: str
    hold_days: str
    facility_days: str
    midday_switch: str
    places_of_service: tuple[str, ...]
    agreement_required: bool
    auth_required: bool
    documentation: tuple[str, ...]
    plan_signature: str
    pain_assessment_days: int
    exclusion_scope: str
    rate_cents: int | None


_TERMS_SHOWN: Final = tuple(field.encode_name for field in msgspec.structs.fields(TermsShown))


class Why(msgspec.Struct, frozen=True, gc=False):
    """The whole answer for one date of one episode; without a verdict the episode has no such day."""

    patient: str
    episode: str
    date: str
    verdict: DayRow | None
    sentence: str
    steps: tuple[StepShown, ...]
    terms: TermsShown | None
    flip: FlipShown | None


def why(
    streams: Mapping[str, Sequence[Entry]], episode: str, on: date, book: Book, known_at: datetime | None = None
) -> Why | None:
    """Why a date of an episode has its verdict; None for an episode not opened by then.

    ``streams`` are the entries of all episodes of the patient, by episode; others do no harm.
    """
    known = {name: known_by(entries, known_at) for name, entries in streams.items()}
    folded = {name: found for name, entries in known.items() if (found := episode_of(name, entries))}
    if episode not in folded:
        return None
    book = book_known(book, known_at)
    patient = folded[episode].patient
    cases = judge(Patient(patient, [ep for ep in folded.values() if ep.patient == patient]), book)
    case = next(case for case in cases if case.episode.name == episode)
    view = DayView(case, [other for other in cases if other is not case], on.toordinal())
    if not view.day:
        return Why(patient, episode, on.isoformat(), None, _no_day(view), (), None, None)
    return _why(view, judged_day(case, view.date), known, book)


def why_of(ledger: EpisodeLedger, episode: str, on: date, book: Book, known_at: datetime | None = None) -> Why | None:
    """Why a date of an episode of the ledger has its verdict; None for an episode it does not know."""
    names = {name for patient in ledger.patients_of(episode) for name in ledger.episodes_of(patient)}
    return why({name: ledger.entries_of(name) for name in sorted(names)}, episode, on, book, known_at)


def _why(view: DayView, day: JudgedDay, streams: Mapping[str, Sequence[Entry]], book: Book) -> Why:
    step, status, reason = day.verdict
    words = SENTENCES[status, reason]
    said = words.because.format_map(Said(view, day))
    sentence = f"{iso(view.date)} of {view.case.episode.name} is {STATUS[status]}: {said}. {words.cure}".rstrip()
    return Why(
        view.case.patient.name,
        view.case.episode.name,
        iso(view.date),
        day_row(cells_on(view.case, view.others, view.date)),
        sentence,
        steps_shown(view, step, reason, said),
        _terms(view, day),
        find_flip(streams, view, step, book),
    )


def _no_day(view: DayView) -> str:
    name, calendar = view.case.episode.name, view.case.calendar
    if not calendar.every:
        return f"{name} has no days: nothing recorded says when its therapy began or last took place."
    first, last = iso(calendar.first), iso(calendar.last)
    return f"{iso(view.date)} is no day of {name}: its first is {first}, its last is {last}."


def _terms(view: DayView, day: JudgedDay) -> TermsShown | None:
    if day.terms is None or day.payer is None:
        return None
    terms = msgspec.to_builtins(day.terms)
    values = {name: terms[name] for name in _TERMS_SHOWN if name in terms}
    rate = day.terms.rate_cents.get(day.code) if day.code else None
    shown = {"payer": day.payer, "payer_name": view.payer_name(), **values, "rate_cents": rate}
    return msgspec.convert(shown, TermsShown)
