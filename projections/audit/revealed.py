"""What was known of a claimed day before: when it was claimed, and when it came out that it is not billable so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from ledger.book import Book
from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.causes import causes
from projections.audit.claimed_shares import Settled, Share, billed_as
from projections.audit.said_of_days import Change, SaidOfDays, said_of
from projections.audit.timeline import Moment, Timeline, timeline_since
from projections.reading.as_known import everyone_judged
from projections.words import verdict_text

Streams = Mapping[str, Sequence[Entry]]
"""The entries of some episodes, by version."""
MomentChanges = tuple[Moment, list[Change[tuple[str, str] | None]]]


class Revealed(NamedTuple):
    """What revealed that a day is not billable as claimed (no entry: newly published terms, or nothing), and when."""

    by: tuple[str, ...]
    at: datetime


class _Then(NamedTuple):
    """An episode as it was judged at an instant."""

    case: Case
    others: Sequence[Case]
    verdicts: SaidOfDays[str]


class Past:
    """What was known of a patient's days before: at the instants of the claims, and at each moment since."""

    def __init__(self, streams: Streams, book: Book, known_at: datetime | None, *, whole: bool = True) -> None:
        self.streams, self.book, self.known_at, self.whole = streams, book, known_at, whole
        self._judged: dict[datetime, dict[str, _Then]] = {}

    def verdict(self, episode: str, on: int, at: datetime) -> str | None:
        """The verdict of a day as known at an instant, with the terms published by then; None if it was no day."""
        then = self._then(episode, at)
        return then.verdicts.on(on) if then else None

    def _then(self, episode: str, at: datetime) -> _Then | None:
        """Each instant is judged once."""
        if at not in self._judged:
            self._judged[at] = {
                name: _Then(case, judged.others(case), said_of(case, verdict_text, by_number=False))
                for name, judged in everyone_judged(self.streams, self.book, at, whole=self.whole).items()
                for case in [judged.case(name)]
            }
        return self._judged[at].get(episode)

    def revealed(self, episode: str, wrong: Sequence[Settled]) -> list[Revealed]:
        """For each share that is not billable as claimed, what revealed it: what it stands beside; the last moment
        since the claim at which the day ceased to be right; or what made it wrong already when it was claimed."""
        alone = [settled.share for settled in wrong if settled.beside is None]
        moments = iter(self._moments(episode, alone))
        return [
            Revealed((settled.beside.line.entry.label,), settled.share.claimed_at)
            if settled.beside is not None
            else self._revealed(episode, settled.share, next(moments))
            for settled in wrong
        ]

    def _revealed(self, episode: str, share: Share, moment: Moment | None) -> Revealed:
        if moment is None:
            return self._when_claimed(episode, share)
        return Revealed((moment.entry.label,) if moment.entry else (), moment.at)

    def _when_claimed(self, episode: str, share: Share) -> Revealed:
        then = self._then(episode, share.claimed_at)
        verdict = then.case.verdict_on(share.date) if then else None
        because = causes(then.case, then.others, share.date, verdict) if then and verdict else ()
        return Revealed(tuple(because), share.claimed_at)

    def _moments(self, episode: str, shares: Sequence[Share]) -> list[Moment | None]:
        """For each share the last moment after its claim at which its day ceased to be billable as claimed."""
        found: list[Moment | None] = [None] * len(shares)
        if not shares:
            return found
        on_date: dict[int, list[int]] = {}
        for place, share in enumerate(shares):
            on_date.setdefault(share.date, []).append(place)
        since = min(share.claimed_at for share in shares)
        retelling = Timeline(episode, self.book, billed_as, until=max(on_date))
        told = timeline_since(retelling, _in_order(self.streams), since, self.known_at)
        for at, at_once in groupby(told, lambda pair: pair[0].at):
            for place, moment in _ceased(at_once, episode, shares, on_date):
                if at > shares[place].claimed_at:
                    found[place] = moment
        return found


def _in_order(streams: Streams) -> list[Entry]:
    """The entries in the order they were recorded; where several were at once, as the rulebook orders them."""
    entries = [entry for stream in streams.values() for entry in stream]
    return sorted(entries, key=lambda entry: (entry.recorded_at, entry.episode, entry.version))


def _ceased(
    at_once: Iterable[MomentChanges], episode: str, shares: Sequence[Share], on_date: dict[int, list[int]]
) -> list[tuple[int, Moment]]:
    """The shares that were right before an instant and ceased to be at it, each with what made it wrong the last
    time. What stood only in the midst of an instant was never known."""
    were_right: dict[int, bool] = {}
    ceased: dict[int, Moment] = {}
    for moment, changes in at_once:
        for change in changes:
            for place in on_date.get(change.date, ()) if change.episode == episode else ():
                share = shares[place]
                were_right.setdefault(place, share.is_for(change.before))
                if share.is_for(change.before):
                    ceased[place] = moment
    return [(place, moment) for place, moment in ceased.items() if were_right[place]]
