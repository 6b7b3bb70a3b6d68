"""One day as a reader asks about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.book import Terms
from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.rule import Step
from projections.words import payer_name, provider_name


class DayView(NamedTuple):
    """One date of a judged episode, beside the patient's other judged episodes."""

    case: Case
    others: Sequence[Case]
    date: int

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

    def causes(self, step: Step) -> list[Entry]:
        """The entries that a step rests on for the day (``ledger/judge/causes.py``)."""
        return list(step.causes(self.case, self.date, self.others))

    def payer_name(self, payer: str | None = None) -> str:
        """A payer, or the payer of the day, by the name the book has for it."""
        return payer_name(self.case.book, payer or self.payer or "the payer")

    @property
    def provider_name(self) -> str:
        """The provider by the name the book has for it."""
        return provider_name(self.case.book, self.case.episode.opening[1].provider)
