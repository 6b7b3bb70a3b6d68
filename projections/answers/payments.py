"""What each claimed day was paid, beside what is expected for it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from ledger.book import Book
from ledger.judge.case import Case
from ledger.judge.claims import live_claims
from ledger.judge.settled import PaidStatus, SettledDay, settled_days
from ledger.store import EpisodeLedger
from projections.reading.as_known import AsKnown, JudgedPatient
from projections.words import iso


class PaymentRow(Struct, frozen=True):
    """A claimed day and what was answered for it; money in cents; nothing is expected of what is no per diem."""

    episode: str
    claim: str
    payer: str
    date: str
    code: str
    expected_cents: int | None
    paid_cents: int
    patient_cents: int
    status: PaidStatus


def payment_rows(ledger: EpisodeLedger, book: Book, episodes: Iterable[str]) -> Iterator[PaymentRow]:
    """The claimed days of some episodes, by episode, claim, date and code."""
    for _, case in judged_episodes(ledger, book, episodes):
        yield from rows_of(case)


def judged_episodes(ledger: EpisodeLedger, book: Book, episodes: Iterable[str]) -> Iterator[tuple[JudgedPatient, Case]]:
    """Some episodes, each with its patient's others, judged beside each other."""
    seen, gone = AsKnown(ledger, book), ledger.forgotten()
    judged = None
    for episode in sorted(set(episodes) - gone.keys()):
        if judged is None or episode not in judged.streams:
            owner = seen.owner(episode)
            judged = seen.judged(owner) if owner is not None else None
        if judged is not None:
            yield judged, judged.case(episode)


def rows_of(case: Case) -> Iterator[PaymentRow]:
    """The claimed days of one judged episode: those on live claims, and whatever was answered."""
    return (_row(case, settled) for settled in settled_of(case))


def settled_of(case: Case) -> Iterator[SettledDay]:
    """The same days as they are settled."""
    live = {claim.fact.claim for claim in live_claims(case.episode)}
    return (each for each in settled_days(case) if each.day.claim in live or each.day.because)


def _row(case: Case, settled: SettledDay) -> PaymentRow:
    day = settled.day
    return PaymentRow(
        case.episode.name, day.claim, day.payer, iso(day.date), day.code, settled.expected_cents, day.paid_cents,
        day.patient_cents, settled.status,
    )  # fmt: skip
