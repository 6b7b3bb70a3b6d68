"""Claims held against the read model's rows: what is to be said of them, without judging the patient anew.

Claims and what came back for them are read by their kinds alone; the days they are held against stand in the read
model. Only what was known of a day before, and what revealed that it does not stand, is not in it: of a patient for
whom that has to be told, everything is read, and judged as it was known then.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from functools import partial
from itertools import chain
from typing import Final

import msgspec
from msgspec import MsgspecError

from ledger.book import Book, Terms
from ledger.day_set import Calendar
from ledger.facts.billing import AppealFiled, ClaimAcknowledged, RefundSent, RemittancePosted, WrittenOff
from ledger.facts.events import ClaimSubmitted, EpisodeOpened, EpisodeVoided
from ledger.facts.stored import TAGS
from ledger.judge.episode import Episode
from ledger.judge.paid import paid_days
from ledger.judge.patients import episodes_in
from ledger.judge.settled import SettledDay, settle_days
from ledger.judge.touched import INERT
from ledger.store import EpisodeLedger
from projections.audit.by_runs import DaysAlike, TellsByRuns, day_on
from projections.audit.claimed import ClaimsKept, claims_kept_of, tell
from projections.audit.claimed_shares import Settled, Share, billed_as
from projections.audit.claiming import Claiming, DayToday
from projections.audit.known_today import Known, Said, Stretch
from projections.audit.revealed import Past, Revealed
from projections.read_model.views import Views
from projections.reading.budget import TooCostly, within_budget
from projections.reading.by_kinds import episodes_by_kinds
from projections.reading.joined import UNREAD
from projections.reading.unjudged import Streams
from projections.words import iso, verdict_of

_KINDS: Final = (
    EpisodeOpened, EpisodeVoided, ClaimSubmitted, ClaimAcknowledged, RemittancePosted, AppealFiled, RefundSent,
    WrittenOff,
)  # fmt: skip
"""What opens an episode or takes it back, and what is said of claims."""
UNASKED: Final = UNREAD | {TAGS[kind] for kind in INERT - {*_KINDS}}
"""The tags of what neither changes a day nor is said of claims."""
_RUNS: Final = (
    "SELECT episode, first_date, last_date, status, reason, code, payer, terms_from, terms_published, rate_cents"
    " FROM day_runs WHERE patient = ? ORDER BY episode, first_date"
)
_CAUSES: Final = (
    "SELECT first_date, last_date, because FROM day_runs"
    " WHERE patient = ? AND episode = ? AND first_date <= ? AND last_date >= ?"
)


_ByEpisode = dict[str, list[DaysAlike]]


class NotBorneOut(Exception):
    """What is to be said of claims is not in the rows."""


class _OnlyToday:
    """What was known before, as far as the rows say: nothing."""

    def look_back(self, shares: Iterable[Share]) -> None:
        """Refused, if anything is asked."""
        if any(True for _ in shares):
            raise NotBorneOut

    def verdict(self, episode: str, on: int, at: datetime) -> str | None:
        raise NotBorneOut

    def verdicts(self, episode: str, first: int, last: int, today: str, at: datetime) -> Iterator[Stretch]:
        raise NotBorneOut

    def revealed(self, episode: str, wrong: Sequence[Settled]) -> list[Revealed]:
        if wrong:
            raise NotBorneOut
        return []


class _KnownByRows(Known):
    """What is known of patients today, out of the rows."""

    def __init__(self, streams: Streams, book: Book, views: Views, asked_from: datetime | None) -> None:
        super().__init__(streams, book, asked_from)
        self._views = views
        self._patients: dict[str, tuple[str, _ByEpisode]] = {}
        self._rests_on: dict[str, tuple[int, list[list[str]]]] = {}

    def take(self, patient: str, episodes: Iterable[Episode], days: _ByEpisode) -> None:
        """Take a patient in, with all that the rows say of their days."""
        for episode in episodes:
            alike = days.get(episode.name, ())
            calendar = Calendar(alike[0].day.date, alike[-1].last) if alike else Calendar(0, -1)
            self._take_episode(episode, calendar)
            self._patients[episode.name] = patient, days

    def said(self, episode: str, on: int) -> Said | None:
        """What a row says of a day; None if there is none."""
        _, days = self._patients[episode]
        day = day_on(days.get(episode, ()), on)
        return Said(day.says, billed_as(day)) if day else None

    def causes(self, episode: str, on: int) -> tuple[str, ...]:
        """What the row of a day says it rests on; nothing if there is none."""
        first, labels = self._rests_on.get(episode, (0, []))
        if not first <= on < first + len(labels):
            first, labels = self._rests_on[episode] = self._run_around(episode, on)
        return tuple(labels[on - first]) if labels else ()

    def _run_around(self, episode: str, on: int) -> tuple[int, list[list[str]]]:
        """The run that a day is in: its first date, and what each of its dates rests on; nothing if there is none."""
        patient, _ = self._patients[episode]
        for from_, to, because in self._views.connection.execute(_CAUSES, (patient, episode, iso(on), iso(on))):
            try:
                first, labels = date.fromisoformat(from_).toordinal(), _labels_of(because)
                is_whole = len(labels) == date.fromisoformat(to).toordinal() - first + 1
            except (TypeError, ValueError, MsgspecError) as error:  # the row is damaged
                raise NotBorneOut from error
            if not is_whole:
                raise NotBorneOut
            return first, labels
        return 0, []


_labels_of: Final = msgspec.json.Decoder(list[list[str]]).decode


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
                told = partial(_told_by_rows_alone, patient, theirs[patient], views, book)
                yield within_budget(cohort[0].name, told)


def _told_by_rows_alone(patient: str, episodes: Iterable[Episode], views: Views, book: Book) -> ClaimsKept:
    return _claims_kept(patient, episodes, _days_of(views, patient, book), book, None, every=False)


def told_from(streams: Streams, patients: Collection[str], views: Views, book: Book, every: bool) -> list[ClaimsKept]:
    """What is to be said of the claims of some patients whose episodes had to do with each other, and whose entries
    are these; by the rows as far as these can tell, at the read model's own position."""
    try:
        theirs = _episodes_of(streams, patients)
        days = {name: _days_of(views, name, book) for name in theirs}
        claimed_at = [told.entry.recorded_at for one in chain(*theirs.values()) for told in one.told_claims]
        today = _KnownByRows(streams, book, views, min(claimed_at, default=None))
        for name, episodes in theirs.items():
            today.take(name, episodes, days[name])
        past = Past(streams, book, today, whole=False)
        return [_claims_kept(name, episodes, days[name], book, past, every=every) for name, episodes in theirs.items()]
    except NotBorneOut:
        return claims_kept_of(streams, patients, book, every)


def _episodes_of(streams: Streams, patients: Collection[str]) -> dict[str, list[Episode]]:
    """The episodes of some patients, by patient and name."""
    found: dict[str, list[Episode]] = {}
    for _, episode in sorted(episodes_in(streams, whole=False).items()):
        if episode.patient in patients:
            found.setdefault(episode.patient, []).append(episode)
    return dict(sorted(found.items()))


def _claims_kept(
    patient: str,
    episodes: Iterable[Episode],
    days: _ByEpisode,
    book: Book,
    past: Past | None,
    *,
    every: bool,
) -> ClaimsKept:
    told = ClaimsKept(patient, [], [], [], [])
    for episode in episodes:
        alike = days.get(episode.name, ())
        claiming = Claiming(patient, episode, book, partial(_by_date, alike), partial(_on_dates, alike))
        runs = TellsByRuns(episode, [one for one in alike if one.day.is_billable])
        if past is None and runs.differ():
            raise NotBorneOut
        tell(told, claiming, runs, past or _OnlyToday(), partial(_money, claiming), every=every)
    return told


def _money(claiming: Claiming) -> list[SettledDay]:
    """What an episode's claimed days were paid, date by date."""
    billable = {on: day for on, day in claiming.days(()).items() if day.terms}
    tolerance = {on: day.terms.tolerance_cents for on, day in billable.items() if day.terms}
    return settle_days(claiming.episode, paid_days(claiming.episode), billable, lambda on: tolerance.get(on, 0))


def _by_date(alike: Iterable[DaysAlike], dates: Collection[int]) -> Mapping[int, DayToday]:
    """The billable days, and those of some other dates."""
    return {
        on: DayToday(on, *one.day[1:])
        for one in alike
        for on in range(one.day.date, one.last + 1)
        if one.day.is_billable or on in dates
    }


def _on_dates(alike: Sequence[DaysAlike], dates: Collection[int]) -> Mapping[int, DayToday]:
    """The days of some dates."""
    days = ((on, day_on(alike, on)) for on in dates)
    return {on: DayToday(on, *day[1:]) for on, day in days if day}


def _days_of(views: Views, patient: str, book: Book) -> _ByEpisode:
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
