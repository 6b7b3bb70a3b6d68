"""Until when something can be done about a claim: filing, correction, appeal, refund; None where nothing says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from ledger.book import Book, Terms
from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import Posting

REFUND_DAYS: Final = {"medicaid": 60}
"""By kind of payer, the days within which an overpayment goes back, from the answer that made it one."""


class Windows:
    """The last dates of one claim, by the terms on its last service date."""

    def __init__(self, book: Book, fact: ClaimSubmitted, answers: Sequence[Posting]) -> None:
        self._book, self._fact, self._answers = book, fact, answers
        self._last = max([line.to for line in fact.lines])
        self.terms: Terms | None = book.terms_on(fact.payer, self._last)

    @property
    def filing(self) -> date | None:
        """The last date on which the payer takes a claim for its first day."""
        first = min(line.from_ for line in self._fact.lines)
        return first + timedelta(self.terms.timely_filing_days) if self.terms else None

    @property
    def correction(self) -> date | None:
        """The last date on which the payer takes a correction; None as long as none runs."""
        if self.terms is None or self.terms.correction_days is None:
            return None
        if self.terms.correction_from == "service":
            return self._last + timedelta(self.terms.correction_days)
        return self._answers[0].fact.paid_on + timedelta(self.terms.correction_days) if self._answers else None

    @property
    def appeal(self) -> date | None:
        """The last date on which the payer hears an appeal."""
        if self.terms is None or self.terms.appeal_days is None or not self._answers:
            return None
        return self._answers[-1].fact.paid_on + timedelta(self.terms.appeal_days)

    @property
    def refund(self) -> date | None:
        """When too much has to be back."""
        payer = self._book.payers.get(self._fact.payer)
        days = REFUND_DAYS.get(payer.kind) if payer else None
        return self._answers[-1].fact.paid_on + timedelta(days) if days and self._answers else None
