"""One episode before the judge of edition 1: what its steps read and what they have found so far."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ledger.book import Book, Terms
from ledger.day_set import Calendar, Days
from ledger.edition1.episode import Episode
from ledger.edition1.evidence import Evidence, local_date, union
from ledger.edition1.patients import Patient
from ledger.edition1.shapes import Dated, Spell


class Verdict(NamedTuple):
    """A verdict's words, and the step (rulebook section 4) that gave it; step 24 is ``billable``."""

    step: int
    status: str
    reason: str | None


class Regime(NamedTuple):
    """The dates of one payer under one edition of its terms."""

    payer: str
    terms: Terms
    days: Days


class Exposed(NamedTuple):
    """Days that passed steps 1-19 with a code that stands on them: what the patient's other episodes may clash with."""

    payer: str
    code: str
    days: Days


class Case:
    """An episode under judgement. Steps add to it in order; each attribute names the step that fills it."""

    def __init__(self, episode: Episode, patient: Patient, book: Book) -> None:
        self.episode, self.patient, self.book = episode, patient, book
        self.evidence = Evidence(episode)
        self.calendar: Calendar = self.evidence.calendar
        self.spells: list[Spell] = episode.spells()
        self.verdicts: list[tuple[Verdict, Days]] = []
        self.payers: dict[str, Days] = {}
        self.regimes: list[Regime] = []
        self.served: dict[str, Days] = {}
        self.remaining: dict[str, Days] = {}
        self.codes: dict[str, Days] = {}
        self.candidates: dict[str, Days] = {}
        self.drawn: dict[int, str] = {}
        self._find_payers_and_terms()

    def _find_payers_and_terms(self) -> None:
        """The payer of each day (step 5) and its terms (step 6), whatever the day fails otherwise."""
        free = self.calendar.every
        for spell in self.spells:
            covered = self.calendar.span(spell.from_, spell.to) & free
            if covered:
                for terms, first, last in self.book.editions(spell.payer):
                    if not terms.accepts_s_codes:
                        covered &= ~self.calendar.span(first, last)
                self.payers[spell.payer] = self.payers.get(spell.payer, 0) | covered
                free &= ~covered
        for payer, days in self.payers.items():
            for terms, first, last in self.book.editions(payer):
                governed = self.calendar.span(first, last) & days
                if governed:
                    self.regimes.append(Regime(payer, terms, governed))

    @property
    def covered(self) -> Days:
        """Dates with a coverage spell (step 4)."""
        return self.spans((spell.from_, spell.to) for spell in self.spells)

    @property
    def governed(self) -> Days:
        """Dates with terms in force (step 6)."""
        return union({str(place): regime.days for place, regime in enumerate(self.regimes)})

    def spans(self, spans: Iterable[tuple[int, int]]) -> Days:
        """All dates of the spans together."""
        return self.calendar.spans(spans)

    def after(self, ended: Iterable[Dated]) -> Days:
        """The dates after the earliest of the given facts."""
        first = min((end.date for end in ended), default=None)
        return 0 if first is None else self.calendar.span(first + 1, self.calendar.last)

    def stays(self, rule: str) -> list[Days]:
        """Inpatient dates of each stay under an ``inpatient_rule``."""
        found: list[Days] = []
        for stay, admitted in self.patient.admissions.items():
            home = self.patient.homecomings.get(stay)
            if home and home.at < admitted.at:
                continue
            first = local_date(admitted.at, self.evidence.tz) + (rule == "served")
            last = self.calendar.last
            if home:
                last = local_date(home.at, self.evidence.tz) - (rule != "any_overlap")
            found.append(self.calendar.span(first, last))
        return found

    def held(self) -> list[Days]:
        """The dates of each hold: from its start up to but not including its resumption."""
        return [self.calendar.span(held.date, self._held_to(hold)) for hold, held in self.episode.holds.items()]

    def _held_to(self, hold: str) -> int:
        resumed = self.episode.resumed.get(hold)
        return resumed.date - 1 if resumed else self.calendar.last

    def served_under(self, counting: str) -> tuple[dict[str, Days], Days]:
        """Dates each order served under a ``day_counting``, and dates served by a nurse's visit alone."""
        if counting == "access":
            return self.evidence.access(), 0
        if counting == "rolling_24h":
            return self.evidence.rolling_24h(), 0
        if counting == "infused":
            return self.evidence.infused, 0
        visits = self.evidence.visits_behind()
        orders = {*self.evidence.infused, *self.episode.orders}
        return {
            order: self.evidence.infused.get(order, 0) | (visits & self.evidence.in_force(order)) for order in orders
        }, visits

    def interval_of(self, order: str) -> int:
        """The spacing of an order's doses in hours; 24 for an order never recorded."""
        return self.episode.orders[order][1].interval_hours if order in self.episode.orders else 24

    def exposed(self) -> list[Exposed]:
        """What the patient's other episodes may clash with: days past step 19 with their one code, a human's choice
        included, or with each of their codes where step 20 found several and nobody settled it."""
        unsettled = union(self.candidates) & ~union(self.codes)
        return [
            Exposed(payer, code, shown & paid)
            for code, days in self.candidates.items()
            if (shown := self.codes[code] | (days & unsettled))
            for payer, paid in self.payers.items()
            if shown & paid
        ]
