"""The full rate of a code: the provider's agreement with the payer, or the payer's terms (rulebook section 4: Rate)."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.day_set import OPEN_END, Days
from ledger.judge.case import Case, Regime
from ledger.judge.pricing import Parted


def full_rates(case: Case, regime: Regime, code: str) -> Iterator[tuple[int, Days]]:
    """The full rate of a code on the regime's dates, the agreement's or the terms'; dates without one are left out."""
    published = regime.terms.rate_cents.get(code)
    for npi, days in case.providers.on(regime.days):
        agreements = case.book.agreements_in_order(npi, regime.payer)
        if not any(one.rate_cents for one in agreements):  # most
            if published is not None:
                yield published, days
            continue
        rates = Parted(days, published)
        for agreement in agreements:
            first = max(agreement.from_, agreement.signed_on).toordinal()
            last = agreement.to.toordinal() if agreement.to else OPEN_END
            cents = agreement.rate_cents.get(code, published)
            rates.set(case.calendar.span(first, last) & days, cents)
        for cents, dates in rates.on(days):
            if cents is not None:
                yield cents, dates
