"""Words for whatever a person reads: dates and instants, money, numbers of things, verdicts, and names of the book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Final, Protocol, TypeVar

from ledger.book import Book
from ledger.judge.regions import JudgedDay

STATUS: Final = {"billable": "billable", "not_billable": "not billable", "hold": "on hold", "conflict": "in conflict"}
"""A verdict's first word as a person says it."""
MARKS: Final = {"billable": "✓", "hold": "?", "not_billable": "✕", "conflict": "!"}
"""A verdict's first word as one mark of a calendar."""


REASONS: Final = {
    "after_death": "after the patient's death",
    "after_discharge": "after the discharge",
    "coverage_unverified": "coverage not verified",
    "not_covered": "not covered",
    "payer_excludes_s_codes": "payer takes no S codes",
    "no_terms": "no terms of the payer in the book",
    "place_of_service": "place of service not paid",
    "no_agreement": "no agreement with the payer in the book",
    "inpatient": "patient in hospital",
    "facility": "patient in a nursing facility",
    "hospice": "hospice elected",
    "held": "therapy on hold",
    "not_served": "not served",
    "under_24_hours": "under 24 hours of infusion",
    "no_order": "no order in force",
    "interval_too_long": "doses too far apart",
    "order_unsigned": "order not signed",
    "no_diagnosis": "no diagnosis",
    "plan_missing": "no plan of treatment",
    "plan_unsigned": "plan signed late",
    "pain_assessment_overdue": "pain assessment overdue",
    "conflict_resolved": "decided to bill nothing",
    "pain_code_exclusion": "S9325 and another per diem",
    "duplicate_per_diem": "per diem billed twice",
    "specific_pair": "two per diems",
    "auth_missing": "no authorization",
    "auth_exhausted": "authorized units used up",
    "no_rate": "no rate in the book",
    "concurrent_unpaid": "further therapy not paid",
}
"""A verdict's second word as a person says it."""


ANSWER_DAYS: Final = 30
"""After so many days a claim should have been answered, if nobody says otherwise."""
COUNTED: Final = {
    "access": "days of access",
    "course": "the course of therapy",
    "infused": "days infused",
    "infused_or_nursing": "days infused or nursed",
    "rolling_24h": "full 24 hours of infusion",
}
"""What a payer counts under each ``day_counting``."""


class OnDate(Protocol):
    """A row of one service date."""

    @property
    def date(self) -> str:
        """The date, ``YYYY-MM-DD``."""


Row = TypeVar("Row", bound=OnDate)


# Dates and instants


@lru_cache(maxsize=1 << 14)
def iso(ordinal: int) -> str:
    """A service date as reports write it."""
    return date.fromordinal(ordinal).isoformat()


def written_date(text: str) -> date | None:
    """The date that somebody wrote as YYYY-MM-DD; None for anything else."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.isoformat() == text else None  # it reads 20261102 and 2026-W45-1, too


def dates_between(first: str, last: str) -> Iterator[str]:
    """The service dates from one to another, both included."""
    return map(iso, range(date.fromisoformat(first).toordinal(), date.fromisoformat(last).toordinal() + 1))


def utc_text(at: datetime) -> str:
    """An instant as rows carry it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def minute(instant: str) -> str:
    """An instant of a row as a person reads it, to the minute."""
    return f"{instant[:10]} {instant[11:16]} UTC"


def moment(instant: str) -> str:
    """An instant of a row as a person reads it, to the second."""
    return f"{instant[:10]} {instant[11:19].rstrip('Z')} UTC"


def later(day: str, days: int) -> str:
    """The date so many days after another; at the end of the calendar, the end."""
    return date.fromordinal(min(date.fromisoformat(day).toordinal() + days, date.max.toordinal())).isoformat()


def follows(day: str, other: str) -> bool:
    """Whether the other date is the day after."""
    return date.fromisoformat(other).toordinal() - date.fromisoformat(day).toordinal() == 1


def date_runs(dates: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Dates, ascending, as unbroken runs: first and last of each."""
    first = last = ""
    for day in dates:
        if last and follows(last, day):
            last = day
            continue
        if first:
            yield first, last
        first = last = day
    if first:
        yield first, last


def runs(rows: Iterable[Row], alike: Callable[[Row], object]) -> Iterator[list[Row]]:
    """Rows of consecutive dates of which the same is said, together."""
    run: list[Row] = []
    for row in rows:
        if run and not (follows(run[-1].date, row.date) and alike(run[-1]) == alike(row)):
            yield run
            run = []
        run.append(row)
    if run:
        yield run


# Money, from whole cents


@lru_cache(maxsize=65_536)
def decimal(cents: int) -> str:
    """For programs: ``1234.50``."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02d}"


def amount(cents: int) -> str:
    """Where the words around it say dollars: ``1,234.50``."""
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"


def dollars(cents: int) -> str:
    """In a sentence: ``1,234.50 dollars``."""
    return f"{amount(cents)} dollars"


def money(cents: int) -> str:
    """On a page: ``$1,234.50``, with a real minus."""
    return f"{'−' if cents < 0 else ''}${amount(abs(cents))}"


def whole_dollars(cents: int) -> str:
    """On the scale of a chart: ``$1,234``."""
    return f"${cents // 100:,}"


def more_or_less(cents: int) -> str:
    """A difference: ``12.00 dollars more``."""
    return f"{dollars(abs(cents))} {'more' if cents > 0 else 'less'}" if cents else "the same dollars"


# Numbers of things


def capital(text: str) -> str:
    """A text with a capital at its beginning."""
    return text[:1].upper() + text[1:]


def sentence(said: object) -> str:
    """What is said, such as an error, as a sentence: with a capital and a full stop."""
    return f"{capital(str(said))}."


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number of things: ``1 day``, ``1,200 days``, ``2 entries``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``; no repeats."""
    *first, last = dict.fromkeys(words)
    return f"{', '.join(first)} and {last}" if first else last


# Verdicts


def verdict_of(status: str, reason: str | None, code: str | None) -> str:
    """A verdict in two words, as rows write it: ``billable S9325``, ``hold plan_missing``."""
    return f"{status} {reason or code}"


def verdict_text(day: JudgedDay) -> str:
    """A day's verdict in two words."""
    return verdict_of(day.verdict.status, day.verdict.reason, day.code)


def verdict_words(text: str) -> str:
    """A verdict's two words as a person says them: ``billable S9325``, ``on hold: plan signed late``."""
    status, word = text.split(" ", 1)
    return f"{STATUS[status]} {word}" if status == "billable" else f"{STATUS[status]}: {REASONS[word]}"


def verdict_in_sentence(text: str | None) -> str:
    """A verdict's two words, or that there is no such day, inside a sentence."""
    if text is None:
        return "no day of the episode"
    status, word = text.split(" ", 1)
    return f"billable as {word}" if status == "billable" else f"{STATUS[status]} ({word})"


# Names


def payer_name(book: Book, payer: str) -> str:
    """A payer by the name the book has for it."""
    return book.payers[payer].name if payer in book.payers else payer


def provider_name(book: Book, npi: str) -> str:
    """A provider by the name the book has for it."""
    return book.providers[npi].name if npi in book.providers else f"provider {npi}"
