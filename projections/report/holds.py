"""Days on hold by reason and payer, with what would cure them and what they would pay."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from ledger.book import GENERAL, Book
from projections.read_model.queries import days_where
from projections.read_model.views import Views
from projections.report.asked import Asked


class Cure(NamedTuple):
    """A reason for a hold in plain words, and what would cure it."""

    because: str
    cure: str


CURES: Final[dict[str, Cure]] = {
    "coverage_unverified": Cure("coverage unverified", "verify the patient's coverage and record it"),
    "no_terms": Cure("no payer's terms", "put the payer's terms for these dates into the book"),
    "no_agreement": Cure("no agreement", "put a signed agreement with the payer into the book"),
    "no_order": Cure("no order in force", "record the physician's order for these dates"),
    "no_diagnosis": Cure("no diagnosis", "record a diagnosis in force on these dates"),
    "plan_missing": Cure("plan of treatment missing", "get a plan of treatment for these dates, and have it signed"),
    "plan_unsigned": Cure("plan signed late", "find a plan that was signed on or before the day"),
    "pain_assessment_overdue": Cure("pain assessment overdue", "find the pain assessment of that time and record it"),
    "auth_missing": Cure("authorization missing", "get an authorization for the code and these dates"),
    "auth_exhausted": Cure("authorized units used up", "ask the payer for more units, one for each day"),
    "no_rate": Cure("no rate", "put the payer's rate for the code into the book"),
}
"""What cures each hold of rulebook section 4."""


class Hold(msgspec.Struct, frozen=True, tag_field="section", tag="holds"):
    """The days of one payer (none before a coverage is known) on hold for one reason.

    ``cents`` is what those of them would pay whose code and rate are known (``priced_days``); null if none is.
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
    where = days_where(asked.filters._replace(status="hold"))
    found = views.connection.execute(
        f"SELECT reason, payer, count(*), count(DISTINCT episode), min(date) FROM days{where} GROUP BY 1, 2"
        " ORDER BY 3 DESC, 1, 2",
        where.values,
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
    where = days_where(asked.filters._replace(status="hold"))
    found = views.connection.execute(
        f"SELECT reason, payer, terms_from, terms_published, code, count(*) FROM days{where} GROUP BY 1, 2, 3, 4, 5",
        where.values,
    )
    rates = {(rate.payer, rate.terms_from, rate.terms_published, rate.code): rate.rate_cents for rate in rates_of(book)}
    priced: dict[tuple[str, str | None], tuple[int, int]] = {}
    for reason, payer, terms_from, published, code, days in found:
        rate = rates.get((payer, terms_from, published, code))
        if rate is not None:
            cents, before = priced.get((reason, payer), (0, 0))
            priced[reason, payer] = cents + days * rate, before + days
    return priced


class Rate(msgspec.Struct, frozen=True):
    """What an edition of a payer's terms pays for a day; without a code, for a day whose code is not known yet."""

    payer: str
    terms_from: str
    terms_published: str
    code: str | None
    rate_cents: int


def rates_of(book: Book) -> list[Rate]:
    """Every rate of the book. A payer who takes S9325 for every mode of therapy needs no code to price a day."""
    return [
        Rate(payer.id, terms.from_.isoformat(), terms.published.isoformat(), code, cents)
        for payer in book.payers.values()
        for terms in payer.terms
        for known, cents in sorted(terms.rate_cents.items())
        for code in ([known, None] if known == GENERAL and terms.pain_code == "general" else [known])
    ]
