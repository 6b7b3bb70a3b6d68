"""What only an export as a whole says: which rows contradict each other, and, if it is complete, what is gone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from commands.door.intake import Line
from commands.sheets.mapped import FactPlan, Made, Place
from commands.sheets.matching import Read
from commands.writing.importing import Proposed
from commands.writing.retold import Asking, Identity, Proposal, compared
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import Event
from ledger.facts.stored import read_stored
from ledger.store import EpisodeLedger
from projections.reading.held import held_entries

_MAIN_DATES: Final = ("date", "from_", "at", "started_at", "sent_on", "last_date")


class _Envelope(msgspec.Struct, gc=False):
    episode: str
    source: str
    id: str
    fact: msgspec.Raw


_decode: Final = msgspec.json.Decoder(_Envelope).decode


class Contradiction(NamedTuple):
    """Two rows that tell one fact differently."""

    first: Place
    second: Place


def without_contradictions(
    proposed: Sequence[Proposed], again: Iterable[Read]
) -> tuple[list[Proposed], list[Contradiction]]:
    """The proposals that the files bear out when they are read again, and the rows that contradict each other.

    What one row tells no more and another tells, is told.
    """
    asked = {each.proposal.identity for each in proposed}
    told: dict[Identity, dict[bytes, Place]] = {}
    for each in (each for read in again for each in read.told):
        if isinstance(each, Made) and each.raw is not None:
            envelope = _decode(each.raw)
            identity = Identity(envelope.episode, envelope.source, envelope.id)
            if identity in asked:
                told.setdefault(identity, {}).setdefault(bytes(envelope.fact), each.place)
    kept = [each for each in proposed if len(told.get(each.proposal.identity, ())) == _times_told(each.proposal)]
    wrong = [places for places in (list(contents.values()) for contents in told.values()) if len(places) > 1]
    return kept, [Contradiction(places[0], places[1]) for places in wrong]


def _times_told(proposal: Proposal) -> int:
    return 0 if proposal.what == "retracted" else 1


class Seen:
    """What a complete export tells: its identities, and the dates between which it tells each kind of fact."""

    def __init__(self, first: date | None = None, last: date | None = None) -> None:
        self._first, self._last = first, last
        self._seen: set[int] = set()
        self._spans: dict[tuple[str, str], tuple[date, date]] = {}
        self._plans: dict[FactPlan, Place] = {}

    def take(self, made: Made, line: Line) -> None:
        """Take in what a row tells."""
        self._seen.add(hash((line.episode, line.source, line.id)))
        if made.place.fact is not None:
            self._plans.setdefault(made.place.fact, made.place)
        if (day := main_date(line.fact)) is not None:
            kind = (line.source, type(line.fact).__name__)
            first, last = self._spans.get(kind, (day, day))
            self._spans[kind] = min(first, day), max(last, day)

    def gone(self, ledger: EpisodeLedger, asking: Callable[[Place], Asking]) -> Iterator[Proposed]:
        """What stands of the same source and kind within the span, and is not told any more."""
        candidates = sorted(self._candidates(ledger), key=lambda each: each[0].episode)
        for episode, group in groupby(candidates, key=lambda each: each[0].episode):
            entries = held_entries(ledger, [episode])[episode]
            for identity, place in group:
                found = compared(entries, identity, None, asking(place))
                if isinstance(found, Proposal):
                    yield Proposed(place, found)

    def _candidates(self, ledger: EpisodeLedger) -> Iterator[tuple[Identity, Place]]:
        types = {plan.type for plan in self._plans}
        for position, episode, version, tag, text in ledger.scan(0, ledger.position()):
            if tag in types:
                entry = read_stored(episode, version, tag, text, position)
                identity = Identity(entry.episode, entry.source, entry.id)
                if hash(tuple(identity)) not in self._seen and (place := self._place_of(entry)):
                    yield identity, place

    def _place_of(self, entry: Entry) -> Place | None:
        """Where the export would tell an entry, if it is one that it tells."""
        day = main_date(statement_of(entry))
        span = self._spans.get((entry.source, type(entry.fact).__name__))
        if day is None or span is None or not (self._first or span[0]) <= day <= (self._last or span[1]):
            return None
        plans = (plan for plan in self._plans if plan.type == type(entry.fact).__name__)
        plan = next((plan for plan in plans if plan.would_tell(entry.episode, entry.source, entry.id)), None)
        return replace(self._plans[plan], row=0) if plan else None


def main_date(fact: Event) -> date | None:
    """The date by which an export would choose a fact; None of what has none, such as an opening."""
    for name in _MAIN_DATES:
        value: Any = getattr(fact, name, UNSET)
        if isinstance(value, datetime):
            return date(value.year, value.month, value.day)
        if isinstance(value, date):
            return value
        if isinstance(value, str):
            return date.fromisoformat(value[:10])
    return None
