"""One day as a reader asks about it."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.book import PER_DIEM_CODES, Terms
from ledger.facts import events as ev
from ledger.facts.entry import Entry, statement_of
from ledger.judge import causes
from ledger.judge.case import Case
from ledger.judge.day_rules import has_effect
from ledger.judge.episode import Billed
from ledger.judge.orders import Telling
from ledger.judge.pricing import Price
from ledger.judge.rates import full_rates
from ledger.judge.rule import Step, Verdict
from ledger.judge.stays import Hospital, Stay
from projections.words import listed, payer_name, provider_name


class DayView(NamedTuple):
    """One date of a judged episode, beside the patient's other judged episodes."""

    case: Case
    others: Sequence[Case]
    date: int

    @property
    def on(self) -> datetime.date:
        """The date as facts carry it."""
        return datetime.date.fromordinal(self.date)

    @property
    def day(self) -> int:
        """The date as a set of the episode's calendar."""
        return self.case.calendar.day(self.date)

    @property
    def payer(self) -> str | None:
        """The payer of the day, if it has one."""
        return next((payer for payer, days in self.case.payers.items() if days & self.day), None)

    @property
    def terms(self) -> Terms:
        """The terms in force, of a day that has terms."""
        regime = self.case.regime_on(self.date)
        assert regime is not None, "the day has terms"
        return regime.terms

    @property
    def code(self) -> str:
        """The code of the day, of a day that has one."""
        return next(code for code, days in self.case.codes.items() if days & self.day)

    @property
    def place(self) -> str:
        """The place of service of the day."""
        return next(place for place, _ in self.case.places.on(self.day))

    @property
    def provider(self) -> str:
        """The NPI under which the day goes."""
        return next(npi for npi, _ in self.case.providers.on(self.day))

    @property
    def rank(self) -> int:
        """Which of several infusion therapies pain is on the day."""
        return next(rank for rank, _ in self.case.ranks.on(self.day))

    @property
    def price(self) -> Price:
        """What a billable day pays."""
        return next(price for price, days in self.case.prices[self.code].items() if days & self.day)

    @property
    def full_rate_cents(self) -> int | None:
        """What the agreement or the terms pay for the day's code before the rank's percentage; None without a rate."""
        regime = self.case.regime_on(self.date)
        rates = full_rates(self.case, regime, self.code) if regime else ()
        return next((cents for cents, days in rates if days & self.day), None)

    @property
    def stays(self) -> list[Stay]:
        """The patient's hospital stays that take the day."""
        return [stay for days, stay in self.case.stays(self.terms.inpatient_rule) if days & self.day]

    def homecomings_without_stay(self, stay: Stay) -> list[Hospital]:
        """The discharges that belong to no stay and may be those of an open one."""
        return [home for home in self.case.patient.unmatched if home.at >= stay.admitted.at]

    @property
    def services(self) -> list[Billed]:
        """The per diems that other providers billed for the patient that day."""
        billed = (billed for episode in self.case.patient.episodes for billed in episode.billed if billed.is_service)
        return [each for each in billed if each.code in PER_DIEM_CODES and each.from_ <= self.date <= each.to]

    @property
    def others_did_not(self) -> str:
        """What has to be true for the day to be billed beside another provider's per diem."""
        names = (self.provider_name(each.by) if each.by else "the other provider" for each in self.services)
        return f"{listed(names)} did not provide {listed(each.code for each in self.services)} that day"

    @property
    def decision(self) -> tuple[Entry, ev.ConflictResolved, bool] | None:
        """The decision for the date that counts, and whether it changes anything."""
        decided = self.case.episode.resolutions.get(self.date)
        return (*decided, has_effect(self.case, self.date, decided[1].bill)) if decided else None

    def telling(self, order: str) -> Telling | None:
        """What counts of an order on the day; None where it is not in force."""
        known = self.case.evidence.orders.get(order)
        return known.telling_on(self.day) if known else None

    def causes(self, step: Step) -> list[Entry]:
        """The entries that a step rests on for the day (``ledger/judge/causes.py``)."""
        return list(step.causes(self.case, self.date, self.others))

    def deciding(self, verdict: Verdict) -> list[Entry]:
        """The entries that decided the day's verdict, what took its record away among them."""
        return list(causes.deciding(self.case, self.others, self.date, verdict))

    def payer_name(self, payer: str | None = None) -> str:
        """A payer, or the payer of the day, by the name the book has for it."""
        return payer_name(self.case.book, payer or self.payer or "the payer")

    def provider_name(self, npi: str | None = None) -> str:
        """A provider, or the provider of the day, by the name the book has for it."""
        return provider_name(self.case.book, npi or str(self.provider))


def tellings_of(entries: Sequence[Entry]) -> Iterator[tuple[Entry, ev.TherapyOrdered]]:
    """The orders among some entries, each as its entry states it."""
    for entry in entries:
        fact = statement_of(entry)
        if isinstance(fact, ev.TherapyOrdered):
            yield entry, fact
