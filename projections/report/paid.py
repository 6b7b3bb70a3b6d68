"""Money: what is predicted for claimed days against what was paid, claims without an answer, and denials."""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

import msgspec

from ledger.book import Book
from ledger.facts.administration import RemittanceUnmatched
from ledger.store import EpisodeLedger
from projections.answers.denials import reasons_named
from projections.answers.payments import NO_REASON, PaymentRow, PaymentRun, by_month, one_by_one
from projections.answers.payments_by import PaidTotal
from projections.answers.unmatched import unmatched_of
from projections.report.asked import Asked


class PaidAgainst(msgspec.Struct, frozen=True, tag_field="section", tag="paid"):
    """The claimed days of one payer in one month of service (``YYYY-MM``): predicted against paid.

    ``predicted_cents`` is what is expected now for the per diems on live claims, of which ``open_cents`` is not
    answered; ``other_cents`` was paid for drugs and visits, of which nothing is predicted.
    """

    payer: str
    month: str
    days: int
    claims: int
    predicted_cents: int
    open_cents: int
    paid_cents: int
    patient_cents: int
    missing_cents: int
    give_back_cents: int
    other_cents: int
    rows: str


class Unanswered(msgspec.Struct, frozen=True, tag_field="section", tag="unanswered"):
    """A claim to which nothing came for so many days: what it asks for, and what is predicted for it."""

    payer: str
    patient: str
    episode: str
    claim: str
    sent_on: str
    waits: int
    days: int
    cents: int
    predicted_cents: int
    rows: str


class Denial(msgspec.Struct, frozen=True, tag_field="section", tag="denials"):
    """The days that one payer denied, or allowed less for than is expected, for the same reasons: what is missing,
    and what would cure it."""

    payer: str
    status: str
    reasons: str
    days: int
    claims: int
    cents: int
    cure: str
    rows: str


class Unmatched(msgspec.Struct, frozen=True, tag_field="section", tag="unmatched"):
    """What one payer paid for no claim that the ledger knows, to be assigned to one."""

    payer: str
    answers: int
    cents: int
    first_paid_on: str
    rows: str


PaidKey = tuple[str, ...]


class _Claim(NamedTuple):
    payer: str
    patient: str
    sent_on: str


class PaidSums:
    """Claimed days with their money, added up as they pass."""

    def __init__(self, asked: Asked, book: Book) -> None:
        self._asked, self._book = asked, book
        self._late_from = asked.days_from_on(-asked.answer_days)
        """What left by then should have been answered."""
        self._sums: defaultdict[PaidKey, PaidTotal] = defaultdict(PaidTotal)
        self._claims: dict[PaidKey, _Claim] = {}

    def keys(self, row: PaymentRow) -> Iterator[PaidKey]:
        """The sections and rows that a claimed day counts in."""
        if self._asked.payer not in (None, row.payer) or not self._asked.takes(row.date):
            return
        yield "paid", row.payer, row.date[:7]
        if row.missing_cents:
            yield "denials", row.payer, row.status, ", ".join(row.reasons)
        if row.waiting_since is not None and row.waiting_since <= self._late_from:
            yield "unanswered", row.episode, row.claim

    def _waits(self, since: str) -> int:
        return (date.fromisoformat(self._asked.on) - date.fromisoformat(since)).days

    def counted(self, runs: Iterable[PaymentRun], *, singly: bool) -> Iterator[PaymentRun]:
        """Runs cut so that all dates of one count for the same: by months; by dates where only some are asked for."""
        if singly or self._asked.from_ or self._asked.to:
            return (PaymentRun(row, 1) for row in one_by_one(runs))
        return (part for run in runs for part in by_month(run))

    def add(self, patient: str, run: PaymentRun) -> None:
        """Count a run of claimed days of a patient, as ``counted`` cuts them."""
        row = run.row
        for key in self.keys(row):
            self._sums[key].add(row, run.days)
            if key[0] == "unanswered" and key not in self._claims:
                self._claims[key] = _Claim(row.payer, patient, str(row.waiting_since))

    def _of(self, section: str) -> Iterator[tuple[PaidKey, PaidTotal]]:
        return ((key, self._sums[key]) for key in sorted(self._sums) if key[0] == section)

    def paid(self) -> Iterator[PaidAgainst]:
        """Every payer and month with a claimed day, by payer and month."""
        for (_, payer, month), of in self._of("paid"):
            yield PaidAgainst(
                payer, month, of.days, len(of.claims), of.predicted, of.open, of.per_diems, of.patient,
                of.missing, of.to_give_back, of.other, self._rows_of_month(payer, month),
            )  # fmt: skip

    def _rows_of_month(self, payer: str, month: str) -> str:
        last = monthrange(int(month[:4]), int(month[5:]))[1]
        from_, to = self._asked.from_ or "", self._asked.to or "9999-12-31"
        span = {"from": max(f"{month}-01", from_), "to": min(f"{month}-{last}", to)}
        return self._asked.rows("payments", **{"payer": payer} | span)

    def unanswered(self) -> list[Unanswered]:
        """The claims without an answer, the longest waiting first."""
        found = []
        for key, of in self._of("unanswered"):
            (_, episode, claim), told = key, self._claims[key]
            rows = self._asked.rows("payments", payer=None, episode=episode, claim=claim)
            found.append(
                Unanswered(
                    told.payer, told.patient, episode, claim, told.sent_on, self._waits(told.sent_on), of.days,
                    of.charge, of.predicted, rows,
                )
            )  # fmt: skip
        return sorted(found, key=lambda row: (row.sent_on, row.payer, row.episode, row.claim))

    def denials(self) -> Iterator[Denial]:
        """Every payer and set of reasons for which money is missing, with the cure that the book knows."""
        for (_, payer, status, reasons), of in self._of("denials"):
            named = reasons.split(", ") if reasons else []
            cure = "; ".join(dict.fromkeys(reason.cure for reason in reasons_named(self._book, named)))
            rows = self._asked.rows(
                "payments", "--missing", *(f"--reason={each}" for each in named or [NO_REASON]), payer=payer,
                status=status,
            )  # fmt: skip
            yield Denial(
                payer, status, reasons, of.days, len(of.claims), of.missing, cure or "compare with the contract", rows
            )


def waiting(ledger: EpisodeLedger, asked: Asked) -> list[RemittanceUnmatched]:
    """What waits to be assigned, whatever the dates asked for."""
    return [act for act in unmatched_of(ledger, asked.known_at) if asked.payer in (None, act.posting.payer)]


def unmatched(acts: Iterable[RemittanceUnmatched], asked: Asked) -> Iterator[Unmatched]:
    """The same by payer."""
    found: dict[str, list[tuple[str, int]]] = {}
    for act in acts:
        paid_on, cents = act.posting.paid_on.isoformat(), act.posting.paid_cents
        found.setdefault(act.posting.payer, []).append((paid_on, cents))
    for payer in sorted(found):
        answers = found[payer]
        rows = asked.rows("payments", "--unmatched", payer=payer, **{"from": None, "to": None})
        yield Unmatched(payer, len(answers), sum(cents for _, cents in answers), min(answers)[0], rows)


def says_of(row: PaymentRow) -> str:
    """A claimed day in a few words."""
    why = f" ({', '.join(row.reasons)})" if row.reasons else ""
    return f"{row.claim}: {row.code or 'no line'}, {row.status}{why}"


_SHOWN: Final = {"paid": "paid_cents", "denials": "missing_cents", "unanswered": "charge_cents"}


def shown_cents(key: PaidKey, row: PaymentRow) -> int:
    """The cents of a claimed day that are shown behind a number: paid, missing or asked for."""
    return int(getattr(row, _SHOWN[key[0]]))
