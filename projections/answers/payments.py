"""What each claimed day was paid, beside what is expected for it now."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from operator import attrgetter
from typing import Final, NamedTuple, get_args

from msgspec import Struct
from msgspec.structs import replace

from ledger.book import Book
from ledger.judge.answers import postings_of
from ledger.judge.case import Case
from ledger.judge.claims import date_of
from ledger.judge.episode import Episode
from ledger.judge.settled import PaidStatus, SettledDay, settled_days
from ledger.store import EpisodeLedger
from projections.reading.as_known import AsKnown, JudgedPatient
from projections.words import iso, later

STATUSES: Final[tuple[str, ...]] = get_args(PaidStatus)
"""Where a claimed day can stand."""
NO_REASON: Final = "none"
"""How a day is asked for that was denied, or paid too little, without a reason."""


class PaymentRow(Struct, frozen=True):
    """A claimed day and what was answered for it; money in cents; nothing is expected of what is no per diem.

    ``missing_cents`` is what a denied or underpaid day lacks, ``reasons`` why; ``live`` says whether the claim is;
    ``waiting_since`` is when it left, as long as nothing of it is answered.
    """

    episode: str
    claim: str
    payer: str
    date: str
    code: str
    expected_cents: int | None
    paid_cents: int
    patient_cents: int
    status: PaidStatus
    charge_cents: int
    allowed_cents: int
    missing_cents: int
    to_give_back_cents: int
    reasons: tuple[str, ...]
    live: bool
    waiting_since: str | None


EpisodePayment = tuple[Episode, PaymentRow]
"""A claimed day with its episode, which has the claims."""


class PaymentRun(NamedTuple):
    """Neighbouring dates of a claim that say the same: the row of the first, and how many dates."""

    row: PaymentRow
    days: int


def one_by_one(runs: Iterable[PaymentRun]) -> list[PaymentRow]:
    """The rows of runs, a date each, by episode, claim, date and code."""
    return sorted((_moved(run.row, place) for run in runs for place in range(run.days)), key=_IN_ORDER)


def last_of(run: PaymentRun) -> str:
    """The last date of a run."""
    return later(run.row.date, run.days - 1)


def by_month(run: PaymentRun) -> Iterator[PaymentRun]:
    """A run cut where months end."""
    place, first = 0, date.fromisoformat(run.row.date)
    if first.day + run.days - 1 <= _SHORTEST_MONTH:
        yield run
        return
    while place < run.days:
        on = first + timedelta(place)
        days = min(monthrange(on.year, on.month)[1] - on.day + 1, run.days - place)
        yield PaymentRun(_moved(run.row, place), days)
        place += days


def _moved(row: PaymentRow, days: int) -> PaymentRow:
    return replace(row, date=later(row.date, days)) if days else row


_SHORTEST_MONTH: Final = 28
_IN_ORDER: Final = attrgetter("episode", "claim", "date", "code")


def payment_rows(
    ledger: EpisodeLedger, book: Book, episodes: Iterable[str], known_at: datetime | None = None
) -> Iterator[EpisodePayment]:
    """The claimed days of some episodes, by episode, claim, date and code."""
    for _, case in judged_episodes(ledger, book, episodes, known_at):
        for row in rows_of(case.episode, settled_days(case)):
            yield case.episode, row


def judged_episodes(
    ledger: EpisodeLedger, book: Book, episodes: Iterable[str], known_at: datetime | None = None
) -> Iterator[tuple[JudgedPatient, Case]]:
    """Some episodes, each with its patient's others, judged beside each other."""
    seen, gone = AsKnown(ledger, book, known_at), ledger.forgotten()
    judged = None
    for episode in sorted(set(episodes) - gone.keys()):
        if judged is None or episode not in judged.streams:
            owner = seen.owner(episode)
            judged = seen.judged(owner) if owner is not None else None
        if judged is not None:
            yield judged, judged.case(episode)


def rows_of(episode: Episode, settled: Iterable[SettledDay]) -> Iterator[PaymentRow]:
    """The claimed days of one episode: those on live claims, and whatever was answered."""
    answered = {posting.claim for posting in postings_of(episode)}
    left: dict[str, str] = {}
    for each in filter(is_shown, settled):
        claim = each.day.claim
        if each.is_live and claim not in answered and claim not in left:
            left[claim] = iso(date_of(episode.claims[claim], episode))
        yield _row(episode.name, each, left.get(claim))


def is_shown(settled: SettledDay) -> bool:
    """Whether a claimed day is among them."""
    return settled.is_live or bool(settled.day.because)


def _row(episode: str, settled: SettledDay, waiting_since: str | None) -> PaymentRow:
    day = settled.day
    return PaymentRow(
        episode, day.claim, day.payer, iso(day.date), day.code, settled.expected_cents, day.paid_cents,
        day.patient_cents, settled.status, day.charge_cents, day.allowed_cents, settled.missing_cents,
        settled.to_give_back_cents, tuple(sorted(day.reasons)), settled.is_live, waiting_since,
    )  # fmt: skip
