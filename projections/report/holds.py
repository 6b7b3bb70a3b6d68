"""Days on hold by reason and payer, with what would cure them and what they would pay."""

from __future__ import annotations

import msgspec

from ledger.book import Book
from projections.read_model.queries import runs_within
from projections.read_model.views import Views
from projections.reading.rates import Rates, rates_of
from projections.report.asked import Asked
from projections.why.cures import CURES


class Hold(msgspec.Struct, frozen=True, tag_field="section", tag="holds"):
    """The days of one payer (none before a coverage is known) on hold for one reason.

    ``cents`` is what those of them would pay whose code and rate are known (``priced_days``), at the full rate of the
    agreement or the terms; null if none is.
    """

    reason: str
    payer: str | None
    days: int
    episodes: int
    cents: int | None
    priced_days: int
    first_date: str
    because: str
    cure: str
    rows: str


def holds(views: Views, book: Book, asked: Asked) -> list[Hold]:
    """Every reason and payer with days on hold, those with most days first."""
    runs, values = runs_within(asked.filters._replace(status="hold"))
    found = views.connection.execute(
        f"SELECT reason, payer, sum(days), count(DISTINCT episode), min(first_date) FROM {runs} GROUP BY 1, 2"
        " ORDER BY 3 DESC, 1, 2",
        values,
    ).fetchall()
    priced = _priced(views, book, asked)
    made = []
    for reason, payer, days, episodes, first in found:
        cents, priced_days = priced.get((reason, payer), (None, 0))
        because, cure = CURES[reason]
        rows = asked.rows("days", status="hold", reason=reason, payer=payer)
        made.append(Hold(reason, payer, days, episodes, cents, priced_days, first, because, cure, rows))
    return made


def _priced(views: Views, book: Book, asked: Asked) -> dict[tuple[str, str | None], tuple[int, int]]:
    """For each reason and payer what the days would pay whose rate is known, and how many they are."""
    runs, values = runs_within(asked.filters._replace(status="hold"))
    found = views.connection.execute(
        f"SELECT reason, payer, terms_from, terms_published, code, provider, first_date, last_date FROM {runs}", values
    )
    rates = Rates(rates_of(book))
    priced: dict[tuple[str, str | None], tuple[int, int]] = {}
    for reason, payer, *said in found:
        for rate, days in rates.within(payer, *said):
            cents, before = priced.get((reason, payer), (0, 0))
            priced[reason, payer] = cents + days * rate, before + days
    return priced
