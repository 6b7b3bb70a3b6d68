"""The only write path: typed lines in batches, decided against their episodes, appended in one transaction each.

Heads of episodes are kept between batches, and another process may have written meanwhile. Where all of a batch is
accepted, the append itself finds out: it conflicts, nothing of the batch is recorded, and it is decided afresh. Where
something is refused or answered ``duplicate``, the heads are first held against the ledger. No outcome is given before
its entry is committed.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from commands.outside import random_nonces, utc_now
from commands.references.watching import Place, Watch
from commands.writing.decide import Accepted, Decision, Duplicate, Refused, decide
from commands.writing.head_cache import HeadCache
from commands.writing.older_names import OlderNames
from ledger.facts.administration import HouseAct
from ledger.facts.entry import Entry, states_identity
from ledger.facts.heads import EpisodeHead
from ledger.recorders import Unknown
from ledger.store import EpisodeLedger, Forgotten, RecordConflictError, StoreError
from projections.reading.clock import MAY_BE_AHEAD, MAY_COME_AFTER, newest_stamp, why_doubtful

if TYPE_CHECKING:
    from commands.door.intake import Line

IDENTITIES_HELD: Final = 300_000
ATTEMPTS: Final = 100
LONGEST_PAUSE_SECONDS: Final = 0.02


class Recorded(Struct, frozen=True, gc=False):
    """The line stands in the ledger as this entry, at this position."""

    entry: Entry
    position: int


Handled = Recorded | Duplicate | Refused
MakeActs = Callable[[datetime], Sequence[HouseAct]]
"""Which acts of the house go with a batch, given the instant at which it is recorded."""


class WrongClock(Exception):
    """This clock cannot be right, or the one before it was not: nothing was recorded under it."""


def refuse_doubtful_clock(ledger: EpisodeLedger, now: datetime) -> None:
    """WrongClock if this clock cannot be right for an act on what is there, by what stamped the newest entry."""
    if doubt := why_doubtful(now, newest_stamp(ledger), MAY_COME_AFTER):
        raise WrongClock(doubt)


Still = Callable[[Sequence["Line"], Mapping[str, EpisodeHead]], None]
"""Raises if lines are not to be recorded after what stands in their episodes by now, which their heads tell; asked at
each try, so that nothing comes between the answer and the append."""


class Recorder:
    """Decides lines and appends what was accepted."""

    def __init__(
        self,
        ledger: EpisodeLedger,
        *,
        keep_recorded_at: bool = False,
        as_told_now: bool = False,
        clock: Callable[[], datetime] = utc_now,
        nonces: Callable[[int], Sequence[str]] = random_nonces,
        identities: int = IDENTITIES_HELD,
        attempts: int = ATTEMPTS,
        clock_is_right: bool = True,
        comes_late: bool = False,
        watch: Watch | None = None,
        still: Still = lambda lines, heads: None,
    ) -> None:
        self._still = still
        self._ledger, self._keep_recorded_at, self._as_told_now = ledger, keep_recorded_at, as_told_now
        self._clock, self._nonces, self._attempts = clock, nonces, attempts
        self._last: dict[str, EpisodeHead] = {}
        self._cache, self._older_names = HeadCache(ledger, identities, watch), OlderNames(ledger)
        self._watch = watch
        self._clock_is_right, self._may_be_ahead = clock_is_right, MAY_COME_AFTER if comes_late else MAY_BE_AHEAD
        self._last_stamp: datetime | None = None

    def handle(
        self, lines: Sequence[Line], acts: MakeActs | None = None, places: Sequence[Place] = ()
    ) -> list[Handled]:
        """Record what may be recorded of a batch, in one transaction; one outcome for each line, in order.

        ``acts`` says which acts of the house go with it, as the ledger is then: it is asked again after a conflict.
        ``places`` are where the lines were told, for whoever watches: by default their numbers.
        StoreError if nothing of it was recorded; Unknown if that ends in a failure, or in too many tries, after a
        conflict: a conflict may be the second answer to what was recorded.
        """
        conflicted = False
        for _ in range(self._attempts):
            try:
                handled = self._try(lines, acts, places)
            except Forgotten:  # in the middle of it: the next look knows
                continue
            except RecordConflictError:
                conflicted = True
                time.sleep(random.uniform(0, LONGEST_PAUSE_SECONDS))
            except StoreError as error:
                if conflicted and not isinstance(error, Unknown):
                    raise Unknown(str(error)) from error
                raise
            else:
                if handled is not None:
                    return handled
        if conflicted:
            raise Unknown("others kept writing to the same episodes")
        raise StoreError("others kept writing to the same episodes, and nothing of the batch was recorded; try again")

    def heads_of(self, episodes: Collection[str]) -> dict[str, EpisodeHead]:
        """What is known of these episodes; those of the lines handled last are at hand."""
        heads = {episode: self._last[episode] for episode in episodes if episode in self._last}
        if missing := dict.fromkeys(episode for episode in episodes if episode not in heads):
            taken = self._cache.take(missing)
            self._cache.keep(taken, ())
            heads |= taken
        return heads

    def _try(self, lines: Sequence[Line], acts: MakeActs | None, places: Sequence[Place]) -> list[Handled] | None:
        """Decide a batch against the ledger as it is now, and append it; None if others wrote past what was known."""
        heads = self._cache.take({line.episode: None for line in lines})
        self._still(lines, heads)
        versions = {episode: head.version for episode, head in heads.items()}
        now, after_act = self._clock(), self._ledger.count_of_acts() if acts else None
        decisions = self._decide_all(lines, heads, now)
        if not all(type(each) is Accepted for each in decisions) and self._cache.overtaken(versions):
            return None
        made = acts(now) if acts else ()
        if not self._clock_is_right and (made or any(map(_is_stamped, lines, decisions))):
            self._refuse_doubtful(now)
        positions = self._append(decisions, made, after_act)
        if self._watch:
            self._watch.recorded(_entries_placed(decisions, places or [(None, line.number) for line in lines]))
        self._cache.keep(heads, positions)
        self._last = heads
        return list(_with_positions(decisions, positions))

    def _refuse_doubtful(self, now: datetime) -> None:
        """WrongClock if this clock cannot be right, by what stamped the ledger's newest entry, or the batch before."""
        before = newest_stamp(self._ledger) if self._last_stamp is None else self._last_stamp
        if doubt := why_doubtful(now, before, self._may_be_ahead):
            raise WrongClock(doubt)
        self._last_stamp = now

    def _decide_all(self, lines: Sequence[Line], heads: dict[str, EpisodeHead], now: datetime) -> list[Decision]:
        keep = self._keep_recorded_at
        keeps_identity = any(states_identity(line.fact) for line in lines) and self._ledger.keeps_identity()
        stored: dict[tuple[str, int], Entry] | None = None
        decisions: list[Decision] = []
        for line, nonce in zip(lines, self._nonces(len(lines)), strict=True):
            head = heads[line.episode]
            version = head.version_of(line.source, line.id)
            before = None
            if version is not None:
                stored = self._stored(lines, heads) if stored is None else stored
                before = stored.get((line.episode, version)) or _accepted(decisions, line.episode, version)
            standing = self._older_names.for_line(line, head) if line.unformed else ()
            decision = decide(line, head, before, now, nonce, keep, standing, self._as_told_now, keeps_identity)
            if type(decision) is Accepted:
                head.apply(decision.entry)
            decisions.append(decision)
        return decisions

    def _stored(self, lines: Sequence[Line], heads: dict[str, EpisodeHead]) -> dict[tuple[str, int], Entry]:
        """The stored entries that have the identities of these lines, in one read."""
        versions = ((line.episode, heads[line.episode].version_of(line.source, line.id)) for line in lines)
        return self._ledger.entries_at({(episode, version) for episode, version in versions if version is not None})

    def _append(self, decisions: Sequence[Decision], acts: Sequence[HouseAct], after_act: int | None) -> list[int]:
        accepted = [decision for decision in decisions if type(decision) is Accepted]
        entries = [each.entry for each in accepted]
        patients = [(each.patient, each.entry.episode) for each in accepted if each.patient is not None]
        return self._ledger.append(entries, patients, acts, after_act) if entries or acts else []


def _is_stamped(line: Line, decision: Decision) -> bool:
    """Whether the clock gives the line its time."""
    return type(decision) is Accepted and line.recorded_at is None


def _entries_placed(decisions: Iterable[Decision], places: Iterable[Place]) -> Iterator[tuple[Place, Entry]]:
    """What is recorded of a batch, each with where it was told."""
    for decision, place in zip(decisions, places, strict=True):
        if type(decision) is Accepted:
            yield place, decision.entry


def _accepted(decisions: Sequence[Decision], episode: str, version: int) -> Entry:
    """The entry that was accepted earlier in the same batch."""
    entries = (decision.entry for decision in decisions if isinstance(decision, Accepted))
    return next(entry for entry in entries if entry.version == version and entry.episode == episode)


def _with_positions(decisions: Iterable[Decision], positions: Iterable[int]) -> Iterator[Handled]:
    remaining = iter(positions)
    for decision in decisions:
        yield Recorded(decision.entry, next(remaining)) if isinstance(decision, Accepted) else decision
