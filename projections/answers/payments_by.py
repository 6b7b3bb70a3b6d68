"""What claimed days add up to, by line, claim, payer or month: what is predicted against what was paid."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import UNSET

from ledger.facts.events import ClaimSubmitted
from ledger.judge.episode import Episode
from projections.answers.payments import EpisodePayment, PaymentRow, PaymentRun, last_of

By = Literal["line", "claim", "payer", "month"]
BYS: Final[tuple[By, ...]] = get_args(By)
"""What claimed days can be added up by."""


class PaidTotal:
    """What some claimed days add up to, in cents: the same wherever they are added up.

    A day on a claim that does not count any more is predicted to bring nothing, so each date is worth its rate once.
    What came is told apart: for per diems, and for what is none, of which nothing is predicted.
    """

    def __init__(self) -> None:
        self.days = self.predicted = self.open = self.per_diems = self.other = 0
        self.patient = self.missing = self.to_give_back = self.charge = 0
        self.claims: set[tuple[str, str]] = set()
        self.standing: defaultdict[str, int] = defaultdict(int)
        self.first, self.last = "9999-12-31", ""

    def add(self, row: PaymentRow, days: int = 1) -> None:
        """Count a claimed day, or a run of so many that say the same."""
        self.days += days
        self.claims.add((row.episode, row.claim))
        self.standing[row.status] += days
        if row.date < self.first:  # 0.14 µs a day less than by min and max
            self.first = row.date
        last = row.date if days == 1 else last_of(PaymentRun(row, days))
        if last > self.last:
            self.last = last
        predicted = days * (row.expected_cents or 0) if row.live else 0
        self.predicted += predicted
        self.open += predicted if row.status in ("unpaid", "reversed") else 0
        if row.expected_cents is None:
            self.other += days * row.paid_cents
        else:
            self.per_diems += days * row.paid_cents
        self.patient += days * row.patient_cents
        self.missing += days * row.missing_cents
        self.to_give_back += days * row.to_give_back_cents
        self.charge += days * row.charge_cents


class PaidNumbers(msgspec.Struct, frozen=True):
    """The numbers of claimed days that are added up: money in cents, and how many days stand how.

    ``predicted_cents`` is what is expected now for the per diems on live claims, of which ``open_cents`` is not
    answered; of ``paid_cents`` ``other_cents`` came for drugs and visits, of which nothing is predicted.
    """

    days: int
    predicted_cents: int
    open_cents: int
    paid_cents: int
    other_cents: int
    patient_cents: int
    missing_cents: int
    to_give_back_cents: int
    paid_days: int
    underpaid_days: int
    overpaid_days: int
    denied_days: int
    patient_days: int
    reversed_days: int
    unpaid_days: int


def _numbers(of: PaidTotal) -> PaidNumbers:
    days = of.standing
    return PaidNumbers(
        of.days, of.predicted, of.open, of.per_diems + of.other, of.other, of.patient, of.missing, of.to_give_back,
        days["paid"], days["underpaid"], days["overpaid"], days["denied"], days["patient"], days["reversed"],
        days["unpaid"],
    )  # fmt: skip


_NUMBERS: Final = [(field.name, field.type) for field in msgspec.structs.fields(PaidNumbers)]
_DATES: Final = [("from_", str), ("to", str)]


def _kind(by: str, *keys: tuple[str, Any]) -> type[msgspec.Struct]:
    return msgspec.defstruct(f"PaidBy{by.title()}", [*keys, *_NUMBERS], frozen=True, rename={"from_": "from"})


_CLAIM: Final = (("episode", str), ("claim", str), ("payer", str))

SUMS_BY: Final[dict[By, type[msgspec.Struct]]] = {
    "line": _kind("line", *_CLAIM, ("lines", tuple[str, ...]), ("code", str), *_DATES),
    "claim": _kind("claim", *_CLAIM, *_DATES),
    "payer": _kind("payer", ("payer", str), ("claims", int)),
    "month": _kind("month", ("month", str), ("claims", int)),
}
"""The rows of each: whose sums they are, then the sums. ``lines`` are the numbers on the claim: one as a rule; several
where the claim asks twice for one code on one date, since answers are kept by these; none for what it never asked."""

_Key = tuple[Any, ...]
_Lines = tuple[tuple[int, str], ...]


def payments_by(by: By, claimed: Iterable[EpisodePayment]) -> Iterator[msgspec.Struct]:
    """Claimed days added up, each given with its episode: by payer, by month, or by episode, claim, payer and line."""
    totals: defaultdict[_Key, PaidTotal] = defaultdict(PaidTotal)
    for episode, row in claimed:
        totals[_KEYS[by](episode, row)].add(row)
    for key in sorted(totals):
        of = totals[key]
        yield SUMS_BY[by](*_cells(by, key, of), *msgspec.structs.astuple(_numbers(of)))


def _by_line(episode: Episode, row: PaymentRow) -> _Key:
    claim = episode.claims.get(row.claim)
    return *_by_claim(episode, row), _lines_asking(claim.fact, row) if claim else (), row.code


def _by_claim(_: Episode, row: PaymentRow) -> _Key:
    return row.episode, row.claim, row.payer


_KEYS: Final[dict[By, Callable[[Episode, PaymentRow], _Key]]] = {
    "line": _by_line,
    "claim": _by_claim,
    "payer": lambda _, row: (row.payer,),
    "month": lambda _, row: (row.date[:7],),
}


def _lines_asking(claim: ClaimSubmitted, row: PaymentRow) -> _Lines:
    """The lines of a claim that ask for a day's code on its date, by their places and numbers."""
    on = date.fromisoformat(row.date)
    return tuple(
        (place, str(place) if line.line is UNSET else line.line)
        for place, line in enumerate(claim.lines, 1)
        if line.code == row.code and line.from_ <= on <= line.to
    )


def _cells(by: By, key: _Key, of: PaidTotal) -> _Key:
    """What stands in a row before its sums."""
    match by:
        case "line":
            *claim, lines, code = key
            return *claim, tuple(number for _, number in lines), code, of.first, of.last
        case "claim":
            return *key, of.first, of.last
        case _:
            return *key, len(of.claims)
