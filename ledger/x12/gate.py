"""The gate: what of a file would be sent back, or would bring the house into trouble, found before it leaves.

A file is read back from its bytes and held against the book and, where a ledger knows the claim, against the patient's
record. The rules stand in one list (``gate_rules.RULES``); here is what they look at, and the walk through them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from msgspec import Struct, field

from ledger.book import PER_DIEM_CODES, Book, Payer, Terms
from ledger.x12.claim_reader import ReadClaim, ReadFile, ReadLine

Level = Literal["hard", "soft"]
Found = Iterator[tuple[str, str]]
"""What a rule finds: the line's number, empty for the claim as a whole, and what is said of it."""

_AMOUNT: Final = re.compile(r"(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,2})?\Z")
_UNITS: Final = re.compile(r"(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,3})?\Z")
_DAY: Final = re.compile(r"[0-9]{8}\Z")


class GateFinding(Struct, frozen=True):
    """Something a rule found in a claim; ``line`` is empty where it is the claim as a whole."""

    claim: str
    line: str
    rule: str
    level: Level
    message: str


class Authorized(NamedTuple):
    """One telling of an authorization, as far as the gate asks."""

    codes: Sequence[str]
    units: int
    from_: date
    to: date


class KnownClaim(Struct, frozen=True):
    """What the ledger knows of the patient of a claim, this claim and the one it replaces or voids left out."""

    per_diems: Mapping[date, Sequence[str]] = {}
    """The per-diem codes on the patient's other live claims, by date."""
    diagnoses: Sequence[tuple[str, date, date]] = ()
    coverage: Sequence[tuple[date, date]] = ()
    """When the claim's payer covers the patient."""
    authorizations: Mapping[str, Sequence[Authorized]] = {}
    units_used: Mapping[str, int] = {}
    """Units of each authorization on the patient's other live claims."""


class CheckedLine(NamedTuple):
    """A line with what its texts say; None for a text that says nothing."""

    read: ReadLine
    from_: date | None
    to: date | None
    cents: int | None
    units: Decimal | None

    @property
    def number(self) -> str:
        """By which the line is told."""
        return self.read.place

    @property
    def is_per_diem(self) -> bool:
        """Whether it is a line of S9325-S9328."""
        return self.read.code in PER_DIEM_CODES

    def dates(self) -> tuple[date, ...]:
        """Its service dates; none where they cannot be read."""
        return _dates(self.from_, self.to) if self.from_ and self.to else ()


_LONGEST_SPAN_DAYS: Final = 1000


@lru_cache(maxsize=65536)
def _dates(first: date, last: date) -> tuple[date, ...]:
    days = (last - first).days
    return tuple(first + timedelta(days=place) for place in range(days + 1)) if days < _LONGEST_SPAN_DAYS else ()


class Seen(Struct):
    """What stood in the same file before, where it may stand once; and terms that were looked up."""

    controls: set[str] = field(default_factory=set)
    per_diems: dict[tuple[str, ...], dict[date, str]] = field(default_factory=dict)
    terms: dict[tuple[str, date], Terms | None] = field(default_factory=dict)


class CheckedClaim(Struct):
    """A claim as the rules look at it."""

    claim: ReadClaim
    lines: Sequence[CheckedLine]
    written_on: date | None
    book: Book
    payer: Payer | None
    known: KnownClaim | None
    seen: Seen

    def terms_on(self, day: date | None) -> Terms | None:
        """The payer's terms on a date; None without a payer, a date or terms."""
        if self.payer is None or day is None:
            return None
        key = self.payer.id, day
        if key not in self.seen.terms:
            self.seen.terms[key] = self.book.terms_on(*key)
        return self.seen.terms[key]


Known = Callable[[ReadClaim], KnownClaim | None]
"""Looks a claim up in the ledger; None for one that it does not know."""


class GateRule(NamedTuple):
    """One rule: its level, and the function that looks; its docstring is what the rule says."""

    level: Level
    test: Callable[[CheckedClaim], Found]

    @property
    def name(self) -> str:
        """As findings name it."""
        return self.test.__name__

    @property
    def says(self) -> str:
        """What it holds a claim to."""
        return " ".join((self.test.__doc__ or "").split())


def gate(
    file: ReadFile, rules: Sequence[GateRule], book: Book, known: Known = lambda claim: None
) -> Iterator[GateFinding]:
    """Everything the rules find in a file, claim by claim in its order, rule by rule in theirs."""
    payers = {payer.edi.payer_id: payer for payer in book.payers.values() if payer.edi}
    written_on, seen = day_of(file.written_on), Seen()
    for claim in file.claims:
        lines = [_checked(line) for line in claim.lines]
        checked = CheckedClaim(claim, lines, written_on, book, payers.get(claim.payer.id), known(claim), seen)
        for rule in rules:
            for line, message in rule.test(checked):
                yield GateFinding(claim.control, line, rule.name, rule.level, message)


def _checked(line: ReadLine) -> CheckedLine:
    return CheckedLine(line, day_of(line.from_), day_of(line.to), cents_of(line.charge), units_of(line.units))


@lru_cache(maxsize=65536)
def day_of(text: str) -> date | None:
    """The date of eight digits; None if there is no such day."""
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])) if _DAY.match(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=65536)
def cents_of(text: str) -> int | None:
    """The cents of an amount; None if it is none, or has a part of a cent."""
    if not _AMOUNT.match(text):
        return None
    whole, _, part = text.partition(".")
    return int(whole) * 100 + int(part.ljust(2, "0") or 0)


@lru_cache(maxsize=65536)
def units_of(text: str) -> Decimal | None:
    """Units; None if it is no number of at most three decimals."""
    return Decimal(text) if _UNITS.match(text) else None
