"""Place, provider and rank of a day, and what they make of its rate (rulebook section 4: so headed, and Rate)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from ledger.book import Terms
from ledger.day_set import Calendar, Days
from ledger.facts.entry import Entry
from ledger.judge.episode import Episode

T = TypeVar("T")
FIRST_RANK: Final = 1
PRIMARY_PERCENT: Final = 100


class Parted(Generic[T]):
    """The dates of a calendar parted by a value that each of them has: later settings win over earlier ones."""

    __slots__ = ("parts",)

    def __init__(self, days: Days, value: T) -> None:
        self.parts: list[tuple[T, Days]] = [(value, days)] if days else []

    def set(self, days: Days, value: T) -> None:
        """Give dates another value."""
        if not days or (len(self.parts) == 1 and self.parts[0][0] == value and days & ~self.parts[0][1] == 0):
            return
        kept = [(old, rest) for old, part in self.parts if old != value and (rest := part & ~days)]
        same = next((part for old, part in self.parts if old == value), 0)
        self.parts = [*kept, (value, same | days)]

    def on(self, days: Days) -> list[tuple[T, Days]]:
        """These dates by their value."""
        return [(value, part & days) for value, part in self.parts if part & days]


def places_of(episode: Episode, calendar: Calendar) -> Parted[str]:
    """The place of each date: of its ``DayServed`` that name one, recorded last; else of the ``DaysServed`` that cover
    it, likewise; else the episode's."""
    parted = Parted(calendar.every, episode.opening[1].place_of_service)
    for of_spans in (True, False) if episode.places else ():
        for named in episode.places:
            if named.is_span == of_spans:
                parted.set(calendar.span(named.from_, named.to), named.place)
    return parted


def providers_of(episode: Episode, calendar: Calendar) -> Parted[str]:
    """The provider of each date: of the last change on or before it (of equal ones recorded last) or the opening's."""
    parted = Parted(calendar.every, episode.opening[1].provider)
    if episode.providers:
        for from_, npi, _ in sorted(episode.providers, key=lambda change: change[0]):  # stable: as they were recorded
            parted.set(calendar.span(from_, calendar.last), npi)
    return parted


def ranks_of(episode: Episode, calendar: Calendar) -> Parted[int]:
    """Which of several infusion therapies pain is on each date: as recorded last; else the first."""
    parted = Parted(calendar.every, FIRST_RANK)
    for from_, to, rank, _ in episode.ranks:
        parted.set(calendar.span(from_, to), rank)
    return parted


class Price(NamedTuple):
    """What a day pays, what the house asks for it, and the modifiers that say so; money in cents."""

    rate_cents: int
    charge_cents: int
    modifiers: tuple[str, ...]


def percent_of(terms: Terms, rank: int) -> int:
    """What a day of that rank pays of the rate: the last percentage stands for all further ranks."""
    percents = terms.concurrent_percent
    return percents[min(rank, len(percents)) - 1] if percents else PRIMARY_PERCENT


def price_of(terms: Terms, code: str, agreed_cents: int, place: str, rank: int) -> Price:
    """The price of a day with a code whose full rate is known, at a place and rank."""
    rate_cents = (agreed_cents * percent_of(terms, rank) * 2 + 100) // 200  # half up to a cent
    charge_cents = terms.charge_cents.get(code, rate_cents)
    if not (terms.place_modifiers or terms.concurrent_percent):  # most
        return Price(rate_cents, charge_cents, ())
    named = list(terms.place_modifiers.get(place, ()))
    if terms.concurrent_percent and rank <= len(terms.concurrent_modifiers):
        named.append(terms.concurrent_modifiers[rank - 1])
    modifiers = tuple(dict.fromkeys(modifier for modifier in named if modifier))
    return Price(rate_cents, charge_cents, modifiers)


def provider_entries(episode: Episode, date: int) -> list[Entry]:
    """The entries that name the provider of a date: the last change on or before it, else the opening."""
    changes = [(from_, entry) for from_, _, entry in episode.providers if from_ <= date]
    latest = max((from_ for from_, _ in changes), default=None)
    return [entry for from_, entry in changes if from_ == latest][-1:] or [episode.opening[0]]


def rank_entries(episode: Episode, date: int) -> list[Entry]:
    """The entry that ranks the therapy on a date; none where nothing does."""
    return _last(entry for from_, to, _, entry in episode.ranks if from_ <= date <= to)


def place_entries(episode: Episode, date: int) -> list[Entry]:
    """The entry that names the place of a date: recorded last of the day's own, else of spans, else the opening."""
    named = [place for place in episode.places if place.from_ <= date <= place.to]
    own = [place.entry for place in named if not place.is_span] or [place.entry for place in named]
    return own[-1:] or [episode.opening[0]]


def _last(entries: Iterable[Entry]) -> list[Entry]:
    return list(entries)[-1:]
