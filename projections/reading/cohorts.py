"""Every patient complete, in one pass over the ledger, in bounded memory.

Entries come in the order they were recorded, those of one patient scattered among all others. Episodes that ever named
a patient in common are one *cohort*: they are judged together. The texts of a cohort are held back as they pass and
handed out as entries as soon as the last has come, so that only what is under way is held. What the judge never reads
(supplies, notes) is decoded as it passes, so that a damaged one does not go unnoticed, and is not held. Where too much
would be held (a ledger whose patients all go on for ever), those that miss most are let go and read by themselves at
the end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.facts.events import FactCorrected
from ledger.store import EpisodeLedger, StoreError
from projections.reading.streams import UNREAD, Cohort, PassingRow, Stream, held_entries_of, hold, look_at

HELD_ENTRIES: Final = 200_000
"""How many stored texts one pass holds back at most, by default (about 350 bytes each)."""
PAGE_POSITIONS: Final = 500

Extent = tuple[str, str, int, int]
"""An episode and a patient it ever named, the episode's first position and its last version."""


def cohorts_in(ledger: EpisodeLedger, upto: int) -> list[Cohort]:
    """All cohorts of a ledger up to a position."""
    extents = ledger.extents(upto)
    counted = sum({episode: versions for episode, _, _, versions in extents}.values())
    if counted + ledger.count_of_unjudged(upto) != upto:  # positions have no gaps: something is gone
        extents += _without_beginning(ledger, upto, {extent[0] for extent in extents})
    return cohorts_of(extents)


def _without_beginning(ledger: EpisodeLedger, upto: int, known: set[str]) -> Iterator[Extent]:
    """Episodes whose first entry is gone: listed all the same, so that whoever reads them stops there."""
    for episode, last in ledger.versions_since(0):
        if episode in known:
            continue
        try:
            began = bool(ledger.entries_of(episode, upto=upto))
        except UnreadableEntry:
            began = True
        if began:
            patients = ledger.patients_of(episode)
            if not patients:
                raise UnreadableEntry(episode, 1)
            yield from ((episode, patient, 1, last) for patient in patients)


def cohorts_of(extents: Iterable[Extent]) -> list[Cohort]:
    """Cohorts in the order of their first entries."""
    by_patient: dict[str, Cohort] = {}
    by_episode: dict[str, Cohort] = {}
    for episode, patient, first, versions in extents:
        one, other = by_patient.get(patient), by_episode.get(episode)
        cohort = one or other or Cohort({}, [], first, 0, {})
        if one and other and one is not other:
            cohort = _joined(one, other, by_patient, by_episode)
        if episode not in cohort.episodes:
            cohort.episodes[episode] = versions
            cohort.missing += versions
        if patient not in by_patient:
            cohort.patients.append(patient)
        by_patient[patient] = by_episode[episode] = cohort
    unique = {id(cohort): cohort for cohort in by_episode.values()}
    return sorted(unique.values(), key=lambda cohort: cohort.first)


def _joined(one: Cohort, other: Cohort, by_patient: dict[str, Cohort], by_episode: dict[str, Cohort]) -> Cohort:
    """Both as one; the smaller goes into the larger, so that long chains stay cheap."""
    gone, kept = sorted((one, other), key=lambda cohort: len(cohort.episodes) + len(cohort.patients))
    kept.episodes.update(gone.episodes)
    kept.patients += gone.patients
    kept.missing += gone.missing
    kept.first = min(kept.first, gone.first)
    by_patient.update(dict.fromkeys(gone.patients, kept))
    by_episode.update(dict.fromkeys(gone.episodes, kept))
    return kept


def shares(cohorts: Sequence[Cohort], count: int, ahead: int = 0) -> list[list[Cohort]]:
    """The cohorts in so many parts, each a stretch of the ledger as narrow as can be.

    They are of about equally many entries, but that the first has so many more than each of the others.
    """
    total = sum(one.missing for one in cohorts)
    first = (total + ahead * (count - 1)) // count
    parts: list[list[Cohort]] = [[] for _ in range(count)]
    seen = 0
    for one in cohorts:
        after = 1 + (seen - first) * (count - 1) // max(1, total - first)
        parts[0 if seen < first else min(count - 1, after)].append(one)
        seen += one.missing
    return parts


def complete(
    ledger: EpisodeLedger,
    cohorts: Sequence[Cohort],
    upto: int,
    held_entries: int = HELD_ENTRIES,
    unreadable: Callable[[Cohort], None] | None = None,
    *,
    whole: bool = True,
) -> Iterator[dict[str, list[Entry]]]:
    """The entries of each cohort by episode, up to a position; where not ``whole``, without those nobody judges by.

    An entry that cannot be read raises UnreadableEntry; or, where ``unreadable`` is given, that is told and the
    cohort is left out.
    """
    merges = ledger.merge_entries(upto)
    acts = {HOUSE: merges} if merges else {}
    for one in _passing(ledger, cohorts, upto, held_entries, frozenset() if whole else UNREAD):
        try:
            streams = {episode: _entries(ledger, one, episode, upto) for episode in one.episodes} | acts
        except UnreadableEntry:
            if unreadable is None:
                raise
            unreadable(one)
            continue
        finally:
            one.streams = {}
        yield streams


def _passing(
    ledger: EpisodeLedger, cohorts: Sequence[Cohort], upto: int, held_entries: int, left_out: frozenset[str]
) -> Iterator[Cohort]:
    """Each cohort when the last of its entries has passed; those let go come last, with nothing held."""
    waiting: dict[str, Stream] = {}
    for one in cohorts:
        one.streams = {episode: Stream(one, [], [], 2 * versions) for episode, versions in one.episodes.items()}
        waiting.update(one.streams)
    let_go: list[Cohort] = []
    held = 0
    for page in _pages(ledger, cohorts[0].first - 1 if cohorts else upto, upto):
        unread, ended, count = hold(page, waiting, left_out)
        held += count
        for stream in ended + look_at(unread, waiting):
            one = stream.cohort
            one.missing -= stream.complete_at // 2 + len(stream.unread)
            if not one.missing:
                held -= _release(one, waiting)
                yield one
        if held > held_entries:
            held -= _let_go(waiting, let_go, held - held_entries // 2)
        if not waiting:
            break
    for one in {id(stream.cohort): stream.cohort for stream in waiting.values()}.values():
        one.streams = {}  # an entry in between is gone or cannot be read: reading one by one says which
        let_go.append(one)
    yield from let_go


def _pages(ledger: EpisodeLedger, after: int, upto: int) -> Iterator[list[PassingRow]]:
    for start in range(after, upto, PAGE_POSITIONS):
        end = min(start + PAGE_POSITIONS, upto)
        try:
            pages = list(ledger.pages(start, end))
        except StoreError:  # a text that is no UTF-8, or a failure that the slower reading meets, too
            pages = [[(episode, tag, text) for _, episode, _, tag, text in ledger.scan(start, end)]]
        yield from pages


def _release(cohort: Cohort, waiting: dict[str, Stream]) -> int:
    for episode in cohort.episodes:
        del waiting[episode]
    return cohort.held


def _let_go(waiting: dict[str, Stream], let_go: list[Cohort], wanted: int) -> int:
    """Let those go that miss most, until so many entries are free; returns how many are."""
    begun = {id(stream.cohort): stream.cohort for stream in waiting.values() if stream.held}
    freed = 0
    for cohort in sorted(begun.values(), key=lambda cohort: cohort.held - sum(cohort.episodes.values())):
        if freed >= wanted:
            break
        freed += _release(cohort, waiting)
        cohort.streams = {}
        let_go.append(cohort)
    return freed


def _entries(ledger: EpisodeLedger, cohort: Cohort, episode: str, upto: int) -> list[Entry]:
    stream = cohort.streams.get(episode)
    entries = held_entries_of(episode, stream) if stream else None
    if entries is None or _corrects_what_was_left_out(entries):  # what is wrong with a text: one by one says where
        entries = ledger.entries_of(episode, upto=upto)
    return entries


def _corrects_what_was_left_out(entries: Iterable[Entry]) -> bool:
    """Whether a chain begins with an entry that nobody judges by; how old the chain is, only that one tells."""
    targets = {(e.fact.target_source, e.fact.target_id) for e in entries if isinstance(e.fact, FactCorrected)}
    return bool(targets) and not targets <= {(entry.source, entry.id) for entry in entries}
