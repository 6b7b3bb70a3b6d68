"""One episode before the judge: what the numbered steps read and what they have found so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from ledger.book import Book, Terms
from ledger.day_set import Calendar, Days
from ledger.facts.entry import Entry
from ledger.judge.episode import Dated, Episode, Patient, Spell
from ledger.judge.evidence import Evidence, local_date, union
from ledger.judge.rule import Verdict


class Regime(NamedTuple):
    """The dates of one payer under one edition of its terms."""

    payer: str
    terms: Terms
    days: Days


class Region(Struct, frozen=True, gc=False):
    """Dates with one verdict, payer, terms and code. What they have not come far enough to have is None."""

    days: Days
    verdict: Verdict
    payer: str | None
    terms: Terms | None
    code: str | None

    @property
    def is_billable(self) -> bool:
        """Whether the days go on a claim line."""
        return self.verdict.is_billable

    @property
    def rate_cents(self) -> int | None:
        """The price of a day, if it is billable."""
        if not self.is_billable:
            return None
        assert self.terms is not None
        assert self.code is not None
        return self.terms.rate_cents[self.code]


class Exposed(NamedTuple):
    """Days on which orders give a code that stands on them: what the patient's other episodes may clash with."""

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
        self.regions: list[Region] = []
        self.causes: dict[int, list[str]] = {}
        self._find_payers_and_terms()

    def _find_payers_and_terms(self) -> None:
        """The payer of each day and its terms, whatever the day fails otherwise."""
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

    def verdict_on(self, ordinal: int) -> Verdict | None:
        """The verdict of a date; None outside the calendar."""
        day = self.calendar.day(ordinal)
        return next((verdict for verdict, days in self.verdicts if days & day), None)

    @property
    def covered(self) -> Days:
        """Dates with a coverage spell."""
        return self.spans((spell.from_, spell.to) for spell in self.spells)

    @property
    def governed(self) -> Days:
        """Dates with terms in force."""
        return union({str(place): regime.days for place, regime in enumerate(self.regimes)})

    def spans(self, spans: Iterable[tuple[int, int]]) -> Days:
        """All dates of the spans together."""
        return self.calendar.spans(spans)

    def after(self, ended: Iterable[Dated]) -> Days:
        """The dates after the earliest of the given facts."""
        first = min((end.date for end in ended), default=None)
        return 0 if first is None else self.calendar.span(first + 1, self.calendar.last)

    def stays(self, rule: str) -> list[tuple[Days, Entry]]:
        """Inpatient dates of each stay under an ``inpatient_rule``, with its admission."""
        found: list[tuple[Days, Entry]] = []
        for stay, admitted in self.patient.admissions.items():
            home = self.patient.homecomings.get(stay)
            if home and home.at < admitted.at:
                continue
            first = local_date(admitted.at, self.evidence.tz) + (rule == "served")
            last = self.calendar.last
            if home:
                last = local_date(home.at, self.evidence.tz) - (rule != "any_overlap")
            found.append((self.calendar.span(first, last), admitted.entry))
        return found

    def held(self) -> list[tuple[Days, Entry]]:
        """The dates of each hold: from its start up to but not including its resumption."""
        return [
            (self.calendar.span(held.date, self._held_to(hold)), held.entry)
            for hold, held in self.episode.holds.items()
        ]

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

    def regime_on(self, ordinal: int) -> Regime | None:
        """The payer and terms of a date."""
        day = self.calendar.day(ordinal)
        return next((regime for regime in self.regimes if regime.days & day), None)

    def exposed(self) -> list[Exposed]:
        """What the patient's other episodes may clash with, whatever those days fail later: days with their one code, a
        human's choice included, or with each of their codes where they have several and nobody settled it."""
        unsettled = union(self.candidates) & ~union(self.codes)
        return [
            Exposed(payer, code, shown & paid)
            for code, days in self.candidates.items()
            if (shown := self.codes[code] | (days & unsettled))
            for payer, paid in self.payers.items()
            if shown & paid
        ]


Others = Sequence[Case]
"""The judged episodes of the patient beside a case."""
