"""Findings as a person works through them: by stretch, with claim, payer, dollars and due date, the worst first."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

import msgspec

from ledger.book import Book
from ledger.store import EpisodeLedger
from projections.audit.claimed import ClaimsTold, claims_of
from projections.audit.claimed_rows import REPAYMENT_DAYS
from projections.audit.claimed_shares import Share
from projections.operations.on_claims import is_answered, shares_on_claims
from projections.read_model.views import Views
from projections.reading.around import entries_around
from projections.reading.rates import Rates, rates_of
from projections.rows.finding import MESSAGES, FindingRow, together
from projections.words import iso, later

_LAST: Final = "9999-12-31"
TO_REFUND: Final = "claimed_not_billable"
BY_ANSWERS: Final = {
    "overpaid": "to_give_back_cents", "denied": "missing_cents", "underpaid": "missing_cents",
}  # fmt: skip
"""The findings on answered days, and which money of a day is at stake."""
REFUNDS: Final = (TO_REFUND, "overpaid")
"""The findings for which money is to be given back."""
AT_ONCE: Final = ""
"""Where money is to be given back and no date is set for it."""


class FindingStretch(msgspec.Struct, frozen=True, gc=False):
    """Findings of neighbouring dates that say the same: what is at stake and until when something can be done.

    ``cents`` are what is to be given back or is missing where it is about answers; where it is about claims what they
    ask for, or what of an answered day is to be given back; else what the days pay, None if no rate is known.
    """

    level: str
    due: str | None
    cents: int | None
    patient: str
    episodes: tuple[str, ...]
    dates: tuple[str, ...]
    claim: str | None
    payer: str | None
    rule: str
    message: str


class _Day(NamedTuple):
    payer: str | None
    cents: int | None
    file_by: str | None


def finding_stretches(
    ledger: EpisodeLedger, views: Views, book: Book, rows: Iterable[FindingRow], known_at: datetime | None = None
) -> list[FindingStretch]:
    """Findings of a read model by stretch: hard before soft, then by due date, then by dollars."""
    reader = StretchReader(ledger, views, book, known_at)
    made: list[FindingStretch] = []
    for patient, of_patient in groupby(sorted(rows, key=lambda row: (row.patient, row.rule)), lambda row: row.patient):
        found = list(of_patient)
        reader.turn_to(patient)
        made += reader.of(found)
    return sorted(made, key=_worst_first)


def _worst_first(one: FindingStretch) -> tuple[str, str, int, str, tuple[str, ...]]:
    due = one.due or (AT_ONCE if one.rule in REFUNDS and one.cents else _LAST)
    return one.level, due, -(one.cents or 0), one.patient, one.dates


def _stretches(rows: Sequence[FindingRow]) -> list[FindingRow]:
    return together(sorted(rows, key=lambda row: (row.rule, row.episodes, row.message, row.dates)))


class StretchReader:
    """One patient's days and claims at a time: what is at stake on some dates, and until when."""

    def __init__(self, ledger: EpisodeLedger, views: Views, book: Book, known_at: datetime | None = None) -> None:
        self._ledger, self._views, self._book, self._known_at = ledger, views, book, known_at
        self._rates = Rates(rates_of(book))
        self._limits = {
            (payer.id, terms.from_.isoformat(), terms.published.isoformat()): terms.timely_filing_days
            for payer in book.payers.values()
            for terms in payer.terms
        }

    def turn_to(self, patient: str) -> None:
        """From here on it is about this patient."""
        self._patient = patient
        self._shares: dict[str, Mapping[str, Sequence[Share]]] = {}
        self._claims: ClaimsTold | None = None
        self._runs: dict[str, list[tuple[Any, ...]]] = {}
        for episode, *cells in self._views.connection.execute(
            "SELECT episode, first_date, last_date, payer, rate_cents, code, terms_from, terms_published, provider"
            " FROM day_runs WHERE patient = ? ORDER BY episode, first_date",
            (patient,),
        ):
            self._runs.setdefault(episode, []).append(tuple(cells))

    def _day_at(self, episode: str, on: str) -> _Day | None:
        """A day of the patient's, out of the run that has it: of some patients there are a hundred thousands."""
        runs = self._runs.get(episode, [])
        place = bisect_right(runs, on, key=itemgetter(0)) - 1
        if place < 0 or on > runs[place][1]:
            return None
        return self._day(on, *runs[place][2:])

    def _day(
        self, on: str, payer: str | None, cents: int | None, code: str | None, from_: str | None,
        published: str | None, provider: str | None,
    ) -> _Day:  # fmt: skip
        limit = self._limits.get((payer or "", from_ or "", published or ""))
        would_pay = cents if cents is not None else self._rates.on(payer, from_, published, code, provider, on)
        return _Day(payer, would_pay, None if limit is None else later(on, limit))

    def of(self, rows: Sequence[FindingRow]) -> list[FindingStretch]:
        """The findings of the patient by stretch, in no order."""
        return [self.stretch(row) for row in _stretches(rows)]

    def worth(self, episode: str, dates: Iterable[str]) -> tuple[int | None, str | None]:
        """What some days of an episode pay, None if no rate is known, and until when the first of them is filed."""
        days = [day for on in dates if (day := self._day_at(episode, on)) is not None]
        cents = [day.cents for day in days if day.cents is not None]
        return sum(cents) if cents else None, min((day.file_by for day in days if day.file_by), default=None)

    def stretch(self, row: FindingRow) -> FindingStretch:
        """One stretch, with what is at stake."""
        about_claims = "{claim}" in MESSAGES[row.rule].wrong
        shares = [share for at in self._places(row) for share in self._on_claims(*at)] if about_claims else []
        days = [day for at in self._places(row) if (day := self._day_at(*at)) is not None]
        cents = self._answered(row, shares) or [share.cents for share in shares] or self._paid(row)
        payers = dict.fromkeys([share.line.payer for share in shares] or [day.payer for day in days if day.payer])
        return FindingStretch(
            row.level, self._due(row, days, shares), sum(cents) if cents else None, row.patient, row.episodes,
            row.dates, "; ".join(dict.fromkeys(share.line.claim for share in shares)) or None,
            next(iter(payers), None), row.rule, row.message,
        )  # fmt: skip

    def _answered(self, row: FindingRow, shares: Sequence[Share]) -> list[int]:
        """What is at stake by what was paid; nothing where the finding goes by what was claimed."""
        if row.rule not in (*BY_ANSWERS, TO_REFUND) or (row.rule == TO_REFUND and not self._is_answered(row)):
            return []
        money = {(each.episode, each.claim, each.date, each.code): each for each in self._claims_told().payments}
        if row.rule == TO_REFUND:
            keys = [(episode, one) for episode in row.episodes for one in shares]
            both = [(money.get((name, one.line.claim, iso(one.date), one.line.code)), one) for name, one in keys]
            return [one.cents if paid.status == "unpaid" else paid.to_give_back_cents for paid, one in both if paid]
        places, name = set(self._places(row)), BY_ANSWERS[row.rule]
        return [getattr(each, name) for each in money.values() if (each.episode, each.date) in places]

    def _is_answered(self, row: FindingRow) -> bool:
        return any(is_answered(self._ledger, episode) for episode in row.episodes)

    def _claims_told(self) -> ClaimsTold:
        if self._claims is None:
            streams = entries_around(self._ledger, self._ledger.episodes_of(self._patient), self._ledger.position())
            self._claims = claims_of(streams, self._patient, self._book, self._known_at)
        return self._claims

    def _paid(self, row: FindingRow) -> list[int]:
        """What the days pay; of several episodes that would bill one date, only one can be paid."""
        found = ([self._day_at(episode, on) for episode in row.episodes] for on in row.dates)
        known = ([day.cents for day in days if day and day.cents is not None] for days in found)
        return [max(cents) for cents in known if cents]

    def _places(self, row: FindingRow) -> Iterator[tuple[str, str]]:
        return ((episode, on) for episode in row.episodes for on in row.dates)

    def _on_claims(self, episode: str, on: str) -> Sequence[Share]:
        if episode not in self._shares:
            self._shares[episode] = shares_on_claims(self._ledger, episode, self._known_at)
        return self._shares[episode].get(on, ())

    def _due(self, row: FindingRow, days: Sequence[_Day], shares: Sequence[Share]) -> str | None:
        """Until when to refund what was paid too much; else until when the days can be filed."""
        if row.rule == "overpaid":
            due = [self._refunds().get(at) for at in self._places(row)]
        elif row.rule == TO_REFUND:
            kinds = {
                self._book.payers[share.line.payer].kind for share in shares if share.line.payer in self._book.payers
            }
            due = [self._refunds().get(at) for at in self._places(row)] if kinds & REPAYMENT_DAYS.keys() else []
        else:
            due = [day.file_by for day in days]
        return min(filter(None, due), default=None)

    def _refunds(self) -> Mapping[tuple[str, str], str]:
        return {(row.episode, row.date): row.repay_by for row in self._claims_told().claimed if row.repay_by}
