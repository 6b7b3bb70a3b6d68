"""The days whose verdict changed between two instants, each with the entry or the terms that changed it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple

import msgspec

from ledger.book import Book, Terms
from ledger.facts.entry import Entry, tag_of
from ledger.facts.zones import zone
from ledger.judge.evidence import local_date
from ledger.judge.regions import JudgedDay
from ledger.store import EpisodeLedger
from projections.audit.timeline import Moment, Timeline, timeline_since
from projections.reading.around import recorded_around
from projections.words import iso, utc_text, verdict_text


class DayChanged(msgspec.Struct, frozen=True, gc=False):
    """A day that is not what it was; None where the episode had or has no such day, money is whole cents.

    ``because`` names every entry that changed the day in between, the latest first; from ``type`` on, the row is about
    what gave the day its final verdict.
    """

    patient: str
    episode: str
    date: str
    before: str | None
    after: str | None
    payer_before: str | None
    payer_after: str | None
    cents_before: int
    cents_after: int
    cause: Literal["entry", "terms"]
    because: tuple[str, ...]
    type: str | None
    by: str | None
    recorded_at: str | None
    position: int | None
    days_late: int
    note: str | None


class DayState(NamedTuple):
    """What makes a day another one when it differs."""

    words: str
    payer: str | None
    code: str | None
    rate_cents: int | None
    authorization: str | None


_NO_DAY = DayState("", None, None, None, None)


def state_of(day: JudgedDay) -> DayState:
    """A judged day as it is compared."""
    return DayState(verdict_text(day), day.payer, day.code, day.rate_cents, day.authorization)


def between(
    recorded: Iterable[tuple[int, Entry]], episode: str, book: Book, first: datetime, last: datetime
) -> list[DayChanged] | None:
    """The days of an episode that differ between two instants, by date; None if it was not opened by the later one.

    ``recorded`` are the entries, with positions, of everybody the episode ever shared a patient with.
    """
    placed = sorted(recorded, key=lambda pair: (pair[1].recorded_at, pair[0]))
    timeline = Timeline(episode, book, state_of, by_number=True)
    moments = timeline_since(timeline, [entry for _, entry in placed], first, last)
    before = timeline.days()
    changed_by: dict[int, list[Moment]] = {}
    for moment, changes in moments:
        for change in changes:
            if change.episode == episode:
                changed_by.setdefault(change.date, []).append(moment)
    if timeline.home is None:
        return None
    after = timeline.days()
    positions = {(entry.episode, entry.version): position for position, entry in placed}
    said = ((day, before.get(day, _NO_DAY), after.get(day, _NO_DAY)) for day in sorted(changed_by))
    return [
        _row((timeline.home, episode, iso(day)), was, now, _cause(day, now, was, changed_by[day], positions, timeline))
        for day, was, now in said
        if was != now
    ]


def between_of(
    ledger: EpisodeLedger, episode: str, book: Book, first: datetime, last: datetime
) -> list[DayChanged] | None:
    """The days of an episode of the ledger that differ; None for an episode it did not know by the later instant."""
    return between(recorded_around(ledger, episode), episode, book, first, last)


class _Cause(NamedTuple):
    """What gave a day its final verdict: the last columns of its row."""

    cause: Literal["entry", "terms"]
    because: tuple[str, ...]
    type: str | None
    by: str | None
    recorded_at: str | None
    position: int | None
    days_late: int
    note: str | None


def _row(place: tuple[str, str, str], was: DayState, now: DayState, cause: _Cause) -> DayChanged:
    return DayChanged(
        *place, was.words or None, now.words or None, was.payer, now.payer, was.rate_cents or 0, now.rate_cents or 0,
        **cause._asdict(),
    )  # fmt: skip


def _cause(
    day: int,
    now: DayState,
    was: DayState,
    moments: Sequence[Moment],
    positions: Mapping[tuple[str, int], int],
    timeline: Timeline[DayState],
) -> _Cause:
    entries = [moment.entry for moment in reversed(moments) if moment.entry is not None]
    because = tuple(dict.fromkeys(entry.label for entry in entries))
    at, entry = moments[-1]
    if entry is None:
        published = at.astimezone(UTC).date()
        note = _terms_told(timeline.book, published, day, (now.payer, was.payer))
        return _Cause("terms", because, None, None, None, None, published.toordinal() - day, note)
    position = positions[entry.episode, entry.version]
    late = local_date(at, zone(timeline.zone)) - day
    return _Cause("entry", because, tag_of(entry.fact), entry.by, utc_text(at), position, late, None)


def _terms_told(book: Book, on: date, day: int, payers: Sequence[str | None]) -> str:
    """The terms published on a date that a day is read by: its payer's, now or before; else all that can bear on it."""
    known, date_of_day = book.known(on), date.fromordinal(day)
    for payer in payers:
        terms = known.terms_on(payer, date_of_day) if payer else None
        if payer and terms and terms.published == on:
            return _terms_note(payer, terms)
    told = [
        _terms_note(payer.id, terms)
        for payer in book.payers.values()
        for terms in payer.terms
        if terms.published == on and terms.from_ <= date_of_day
    ]
    return "; ".join(told)


def _terms_note(payer: str, terms: Terms) -> str:
    return f"payer {payer}: terms from {terms.from_} published {terms.published}"
