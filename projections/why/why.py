"""Why a day has its verdict: one sentence, each step with what it rested on, the terms, and what would turn it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import msgspec

from ledger.book import Book, Terms
from ledger.facts.entry import Entry
from ledger.judge.regions import JudgedDay, judged_day
from ledger.store import EpisodeLedger
from projections.reading.around import read_streams
from projections.reading.as_known import judged_among, owner_among
from projections.reading.budget import within_budget
from projections.rows.day import DayRow, day_row
from projections.rows.day_run import cells_on
from projections.why.day_view import DayView
from projections.why.evidence import EvidenceShown
from projections.why.flip import FlipShown, find_flip
from projections.why.sentences import SENTENCES, Said
from projections.why.steps import StepShown, steps_shown
from projections.why.telling import no_day, telling
from projections.words import STATUS, iso

__all__ = ["EvidenceShown", "FlipShown", "StepShown", "TermsShown", "Why", "why", "why_of"]


class TermsShown(Terms, frozen=True, kw_only=True):
    """The edition of the payer's terms that the day was read against, with every key the book knows of (rulebook
    section 3); the rate is that of the day's code in cents, the agreement's if it names one; None without a code."""

    payer: str
    payer_name: str
    rate_cents: int | None  # type: ignore[assignment]


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
    patient = owner_among(streams, episode, known_at)
    judged = judged_among(streams, patient, book, known_at) if patient is not None else None
    if patient is None or judged is None:
        return None
    case = judged.case(episode)
    view = DayView(case, judged.others(case), on.toordinal())
    if not view.day:
        return Why(patient, episode, on.isoformat(), None, no_day(view), (), None, None)
    return within_budget(episode, lambda: _why(view, judged_day(case, view.date), judged.streams))


def why_of(ledger: EpisodeLedger, episode: str, on: date, book: Book, known_at: datetime | None = None) -> Why | None:
    """Why a date of an episode of the ledger has its verdict; None for an episode it does not know."""
    names = {name for patient in ledger.patients_of(episode) for name in ledger.episodes_of(patient)}
    return why(read_streams(ledger, sorted(names)), episode, on, book, known_at)


def _why(view: DayView, day: JudgedDay, streams: Mapping[str, Sequence[Entry]]) -> Why:
    said = SENTENCES[day.verdict.words].because.format_map(Said(view, day))
    heading = f"{iso(view.date)} of {view.case.episode.name} is {STATUS[day.verdict.status]}"
    return Why(
        view.case.patient.name,
        view.case.episode.name,
        iso(view.date),
        day_row(cells_on(view.case, view.others, view.date)),
        f"{heading}: {telling(view, day)}",
        steps_shown(view, day.verdict, said),
        _terms(view, day),
        find_flip(streams, view, day.verdict, view.case.book),
    )


def _terms(view: DayView, day: JudgedDay) -> TermsShown | None:
    if day.terms is None or day.payer is None:
        return None
    rate = view.full_rate_cents if day.code else None
    edition = msgspec.structs.asdict(day.terms) | {"rate_cents": rate}
    return TermsShown(payer=day.payer, payer_name=view.payer_name(), **edition)
