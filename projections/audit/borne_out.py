"""Claims that the read model's rows bear out: what is to be said of them, without reading and judging the patient anew.

Claims and what came back for them are read by their kinds alone; the days they are held against stand in the read
model. Only what was known of a day before, and what revealed that it does not stand, is not in it: of a patient for
whom that has to be told, everything is read.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from typing import Final

from ledger.book import Book, Terms
from ledger.facts.billing import AppealFiled, ClaimAcknowledged, RefundSent, RemittancePosted, WrittenOff
from ledger.facts.events import ClaimSubmitted, EpisodeOpened, EpisodeVoided
from ledger.judge.episode import Episode
from ledger.judge.paid import paid_days
from ledger.judge.settled import SettledDay, settle_days
from ledger.store import EpisodeLedger
from projections.audit.by_runs import DaysAlike, TellsByRuns
from projections.audit.claimed import ClaimsKept, tell
from projections.audit.claimed_rows import Claiming, DayToday
from projections.audit.claimed_shares import Settled
from projections.audit.revealed import Revealed
from projections.read_model.views import Views
from projections.reading.budget import TooCostly, within_budget
from projections.reading.by_kinds import episodes_by_kinds
from projections.words import verdict_of

_KINDS: Final = (
    EpisodeOpened, EpisodeVoided, ClaimSubmitted, ClaimAcknowledged, RemittancePosted, AppealFiled, RefundSent,
    WrittenOff,
)  # fmt: skip
"""What opens an episode or takes it back, and what is said of claims."""
_RUNS: Final = (
    "SELECT episode, first_date, last_date, status, reason, code, payer, terms_from, terms_published, rate_cents"
    " FROM day_runs WHERE patient = ? ORDER BY episode, first_date"
)


class NotBorneOut(Exception):
    """What is to be said of claims is not in the rows."""


class _OnlyToday:
    """What was known before, as far as the rows say: nothing."""

    def verdict(self, episode: str, on: int, at: datetime) -> str | None:
        raise NotBorneOut

    def revealed(self, episode: str, wrong: Sequence[Settled]) -> list[Revealed]:
        if wrong:
            raise NotBorneOut
        return []


def borne_out(
    ledger: EpisodeLedger, views: Views, book: Book, upto: int, patients: Collection[str], without: Collection[str]
) -> Iterator[ClaimsKept]:
    """What is to be said of the claims of these patients, as far as the rows bear it out, at the read model's own
    position; who is not told has to be read. Days that are billable as claimed are not among them."""
    for cohort in episodes_by_kinds(ledger, upto, None, _KINDS, without):
        theirs: dict[str, list[Episode]] = {}
        for episode in cohort:
            theirs.setdefault(episode.patient, []).append(episode)
        for patient in theirs.keys() & patients:
            with suppress(NotBorneOut, TooCostly):
                yield within_budget(cohort[0].name, partial(_told, patient, theirs[patient], views, book))


def _told(patient: str, episodes: Iterable[Episode], views: Views, book: Book) -> ClaimsKept:
    told = ClaimsKept(patient, [], [], [], [])
    alike = _days_of(views, patient, book)
    for episode in episodes:
        days = alike.get(episode.name, [])
        claiming = Claiming(patient, episode, book, partial(_by_date, days))
        runs = TellsByRuns(episode, [one for one in days if one.day.is_billable])
        if runs.differ:
            raise NotBorneOut
        tell(told, claiming, runs, _OnlyToday(), partial(_money, claiming), None, every=False)
    return told


def _money(claiming: Claiming) -> list[SettledDay]:
    """What an episode's claimed days were paid, date by date."""
    billable = {on: day for on, day in claiming.days(()).items() if day.terms}
    tolerance = {on: day.terms.tolerance_cents for on, day in billable.items() if day.terms}
    return settle_days(claiming.episode, paid_days(claiming.episode), billable, lambda on: tolerance.get(on, 0))


def _by_date(alike: Iterable[DaysAlike], dates: Collection[int]) -> Mapping[int, DayToday]:
    """The billable days, and those of some other dates."""
    return {
        on: one.day._replace(date=on)
        for one in alike
        for on in range(one.day.date, one.last + 1)
        if one.day.is_billable or on in dates
    }


def _days_of(views: Views, patient: str, book: Book) -> dict[str, list[DaysAlike]]:
    """A patient's days as the read model has them, by episode and date."""
    found: dict[str, list[DaysAlike]] = {}
    for episode, *run in views.connection.execute(_RUNS, (patient,)):
        found.setdefault(episode, []).append(_alike(book, *run))
    return found


def _alike(
    book: Book, first: str, last: str, status: str, reason: str | None, code: str | None, payer: str | None,
    terms_from: str | None, terms_published: str | None, rate_cents: int | None,
) -> DaysAlike:  # fmt: skip
    is_billable = status == "billable"
    terms = _edition(book, str(payer), terms_from, terms_published) if is_billable else None
    try:
        on, until = date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal()
    except (TypeError, ValueError) as error:  # the row is damaged
        raise NotBorneOut from error
    day = DayToday(on, verdict_of(status, reason, code), is_billable, code, payer, rate_cents, terms)
    return DaysAlike(day, until)


def _edition(book: Book, payer: str, from_: str | None, published: str | None) -> Terms:
    """The edition of a payer's terms by which a day is billable."""
    for terms, _, _ in book.editions(payer):
        if (terms.from_.isoformat(), terms.published.isoformat()) == (from_, published):
            return terms
    raise NotBorneOut
