"""One episode before the judge: what the numbered steps read and what they have found so far."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from ledger.book import Book, Terms
from ledger.day_set import Calendar, Days
from ledger.facts.entry import Entry
from ledger.judge.drawing import Draws
from ledger.judge.episode import Dated, Episode, Spell
from ledger.judge.evidence import Evidence, Labels, local_date, union
from ledger.judge.grants import Grant
from ledger.judge.groups import Group, Mark, groups
from ledger.judge.patients import Patient
from ledger.judge.pricing import Parted, Price, places_of, providers_of, ranks_of
from ledger.judge.rule import Verdict
from ledger.judge.stays import Stay


class Regime(Struct, frozen=True, gc=False):
    """The dates of one payer under one edition of its terms."""

    payer: str
    terms: Terms
    days: Days


class Region(Struct, frozen=True, gc=False):
    """Dates of which the same is said. What they have not come far enough to have is None."""

    days: Days
    verdict: Verdict
    payer: str | None = None
    member: str | None = None
    terms: Terms | None = None
    provider: str | None = None
    place: str | None = None
    code: str | None = None
    price: Price | None = None

    @property
    def is_billable(self) -> bool:
        """Whether the days go on a claim line."""
        return self.verdict.is_billable

    @property
    def rate_cents(self) -> int | None:
        """What a day pays, if it is billable."""
        return self.price.rate_cents if self.price else None

    @property
    def modifiers(self) -> tuple[str, ...]:
        """The modifiers of a billable day."""
        return self.price.modifiers if self.price else ()


class Exposed(NamedTuple):
    """Days on which orders give a code, with one of their codes: what the patient's other episodes may clash with."""

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
        self.ranked_payers: dict[tuple[str, int], Days] = {}
        self.regimes: list[Regime] = []
        self.members: Parted[str] = Parted(0, "")
        self.places: Parted[str] = places_of(episode, self.calendar)
        self.providers: Parted[str] = providers_of(episode, self.calendar)
        self.ranks: Parted[int] = ranks_of(episode, self.calendar)
        self.prices: dict[str, dict[Price, Days]] = {}
        self.served: dict[str, Days] = {}
        self.remaining: dict[str, Days] = {}
        self.codes: dict[str, Days] = {}
        self.candidates: dict[str, Days] = {}
        self.draws = Draws()
        self.regions: list[Region] = []
        self.causes: dict[int, Labels] = {}
        self._stays: dict[str, list[tuple[Days, Stay]]] = {}
        self._held: list[tuple[Days, list[Entry]]] | None = None
        self._exposed: list[Exposed] | None = None
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
                key = spell.payer, spell.rank
                self.ranked_payers[key] = self.ranked_payers.get(key, 0) | covered
                free &= ~covered
        if len(self.spells) == 1:  # most
            self.members = Parted(sum(self.payers.values()), self.spells[0].member)
        else:
            self._find_members()
        for payer, days in self.payers.items():
            for terms, first, last in self.book.editions(payer):
                governed = self.calendar.span(first, last) & days
                if governed:
                    self.regimes.append(Regime(payer, terms, governed))

    def _find_members(self) -> None:
        """The member of each day: of its payer's covering spells of its rank the one with the latest ``from``, of
        equal ones the one recorded last."""
        for (payer, rank), days in self.ranked_payers.items():
            own = [spell for spell in self.spells if spell.payer == payer and spell.rank == rank]
            if len(own) > 1:
                own.sort(key=lambda spell: (spell.from_, spell.entry.version))
            for spell in own:
                self.members.set(self.calendar.span(spell.from_, spell.to) & days, spell.member)

    @cached_property
    def drawn(self) -> dict[int, Grant]:
        """The authorization that each date drew a unit from."""
        return {date: grant for grant, days in self.draws.drawn.items() for date in self.calendar.dates(days)}

    @property
    def standing(self) -> Days:
        """The dates that no step has taken yet."""
        left = self.calendar.every
        for _, days in self.verdicts:
            left &= ~days
        return left

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
        governed = 0
        for regime in self.regimes:
            governed |= regime.days
        return governed

    def spans(self, spans: Iterable[tuple[int, int]]) -> Days:
        """All dates of the spans together."""
        return self.calendar.spans(spans)

    def after(self, ended: Sequence[Dated]) -> Days:
        """The dates after the earliest of the given facts."""
        return self.calendar.span(min(end.date for end in ended) + 1, self.calendar.last) if ended else 0

    def stays(self, rule: str) -> list[tuple[Days, Stay]]:
        """Inpatient dates of each of the patient's stays under an ``inpatient_rule``, local in this episode's zone."""
        if rule not in self._stays:
            self._stays[rule] = self._stays_under(rule)
        return self._stays[rule]

    def _stays_under(self, rule: str) -> list[tuple[Days, Stay]]:
        found: list[tuple[Days, Stay]] = []
        for stay in self.patient.stays:
            first = local_date(stay.admitted.at, self.evidence.tz) + (rule == "served")
            home, last = stay.discharged, self.calendar.last
            if home:
                last = local_date(home.at, self.evidence.tz) - (rule != "any_overlap")
            found.append((self.calendar.span(first, last), stay))
        return found

    def inpatient(self, rule: str) -> Days:
        """All inpatient dates under an ``inpatient_rule``."""
        inpatient = 0
        for days, _ in self.stays(rule) if self.patient.stays else ():
            inpatient |= days
        return inpatient

    def held(self) -> list[tuple[Days, list[Entry]]]:
        """The dates of each hold with its beginnings: from the earliest up to but not including its latest
        resumption."""
        if self._held is None:
            self._held = []
            for _, group in self.holds():
                last = group.last.at - 1 if group.last else self.calendar.last
                self._held.append((self.calendar.span(group.first.at, last), [mark.entry for mark in group.begins]))
        return self._held

    def holds(self) -> list[tuple[str, Group]]:
        """The holds of each number."""
        found: list[tuple[str, Group]] = []
        for hold in self.episode.holds:
            marks = [Mark(held.date, True, held.entry) for held in self.episode.holds[hold]]
            marks += [Mark(resumed.date, False, resumed.entry) for resumed in self.episode.resumed.get(hold, ())]
            found += [(hold, group) for group in groups(marks)[0]]
        return found

    def served_under(self, terms: Terms) -> tuple[dict[str, Days], Days]:
        """Dates each order served under the terms' ``day_counting``, and dates served by a nurse's visit alone."""
        counting = terms.day_counting
        if counting == "access":
            return self.evidence.access(), 0
        if counting == "course":
            return self.evidence.course(terms.course_gap_days, self.inpatient(terms.inpatient_rule)), 0
        if counting == "rolling_24h":
            return self.evidence.rolling_24h(), 0
        if counting == "infused":
            return self.evidence.infused, 0
        visits = self.evidence.visits_behind()
        orders = {*self.evidence.infused, *self.evidence.orders}
        return {
            order: self.evidence.infused.get(order, 0) | (visits & self.evidence.in_force(order)) for order in orders
        }, visits

    def regime_on(self, ordinal: int) -> Regime | None:
        """The payer and terms of a date."""
        day = self.calendar.day(ordinal)
        return next((regime for regime in self.regimes if regime.days & day), None)

    def exposed(self) -> list[Exposed]:
        """What the patient's other episodes may clash with, whatever it fails later: days with their one code, also
        where a human chose it; days on which several codes are left, with each of them. Asked once codes are found."""
        if self._exposed is None:
            several = union(self.candidates) & ~union(self.codes)
            self._exposed = [
                Exposed(payer, code, days)
                for code, candidates in self.candidates.items()
                for payer, paid in self.payers.items()
                if (days := (self.codes[code] | (candidates & several)) & paid)
            ]
        return self._exposed


Others = Sequence[Case]
"""The judged episodes of the patient beside a case."""
