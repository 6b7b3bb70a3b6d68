"""A stretch of the ledger: two positions, the book in force at each, and the entries before and within it.

What stood at a position are the entries up to it, judged by the book taken up last before it; so a change of the book
has a position, too. Whose rows a position does not have, for they cost too much to read, stands in the ledger, too
(``PatientLeftOut``).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple

from ledger.book import Book, book_of_text
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry
from ledger.progress import Progress
from ledger.store import EpisodeLedger, StoreError
from projections.changes.left_out import too_large
from projections.reading.cohorts import cohorts_in, complete
from projections.reading.held import held_entries


class Touched(NamedTuple):
    """Patients whose rows may not be what they were, and their episodes' entries: up to a position, and up to a later
    one. Those left out at one of these have no rows there."""

    patients: Collection[str]
    before: dict[str, list[Entry]]
    after: dict[str, list[Entry]]


class Stretch(NamedTuple):
    """What lies between two positions: the book at the first, the books taken up since, and the last position; and who
    was left out at the first, and is at the last, since which position."""

    since: int
    upto: int
    book: Book
    books: tuple[tuple[int, Book], ...]
    left_out_before: Mapping[str, int]
    left_out: Mapping[str, int]

    @property
    def last_book(self) -> Book:
        """The book at the last position."""
        return self.books[-1][1] if self.books else self.book

    @property
    def newly_left_out(self) -> list[str]:
        """The patients whose rows are there at the first position and not at the last."""
        return sorted(self.left_out.keys() - self.left_out_before.keys())


class NothingAdopted(Exception):
    """No book was ever taken up for others: no position has rows yet."""


def stretch_of(ledger: EpisodeLedger, since: int, upto: int) -> Stretch:
    """The stretch between two positions. Before any book was taken up, the first one counts."""
    adopted = ledger.adoptions()
    if not adopted:
        raise NothingAdopted
    texts = {act.hash: act.book for _, act in adopted}
    books = {hash: book_of_text(text) for hash, text in texts.items()}
    begins = [act.hash for position, act in adopted if position <= since] or [adopted[0][1].hash]
    later = [(position, books[act.hash]) for position, act in adopted if since < position <= upto]
    return Stretch(since, upto, books[begins[-1]], tuple(later), ledger.left_out(since), ledger.left_out(upto))


def told_stretch(ledger: EpisodeLedger, since: int, upto: int) -> Stretch:
    """A stretch of which everything can be told; StoreError if a patient was forgotten in it."""
    stretch = stretch_of(ledger, since, upto)
    if since and ledger.forgettings(upto, after=since):
        raise StoreError("a patient was forgotten meanwhile: what their rows were cannot be told any more")
    return stretch


def cohorts_touched(ledger: EpisodeLedger, stretch: Stretch, told: Progress) -> Iterator[Touched]:
    """The cohorts with entries in the stretch, or all of them where it has another book, with what the judge reads; and
    those in which somebody is left out at one end of it, patient by patient."""
    cohorts = cohorts_in(ledger, stretch.upto)
    if stretch.book.hash == stretch.last_book.hash:
        touched = ledger.patients_since(stretch.since, stretch.upto)
        touched |= stretch.left_out_before.keys() ^ stretch.left_out.keys()
        cohorts = [cohort for cohort in cohorts if not touched.isdisjoint(cohort.patients)]
    left_out = stretch.left_out_before.keys() | stretch.left_out.keys()
    for cohort in (cohort for cohort in cohorts if not left_out.isdisjoint(cohort.patients)):
        yield from (_alone(ledger, name, stretch) for name in cohort.patients)
    cohorts = [cohort for cohort in cohorts if left_out.isdisjoint(cohort.patients)]
    counts = {episode: count for episode, _, _, count in ledger.extents(stretch.since)}
    merged = len(ledger.merge_entries(stretch.since))
    found = complete(ledger, cohorts, stretch.upto, whole=False)
    for done, (cohort, whole) in enumerate(zip(cohorts, found, strict=True), 1):
        before = {name: _up_to(counts.get(name, 0), entries) for name, entries in whole.items() if name != HOUSE}
        if acts := whole.get(HOUSE):
            before[HOUSE] = acts[:merged]
        yield Touched(cohort.patients, before, whole)
        told(done, len(cohorts))


def _alone(ledger: EpisodeLedger, name: str, stretch: Stretch) -> Touched:
    """A patient's own episodes. One who is left out now and was too large before had no rows there either."""
    before, after = dict[str, list[Entry]](), dict[str, list[Entry]]()
    episodes = ledger.episodes_of(name)
    had_rows = name not in stretch.left_out_before
    if had_rows and not (name in stretch.left_out and too_large(ledger, [name], stretch.since)):
        before = held_entries(ledger, episodes, stretch.since) | {HOUSE: ledger.merge_entries(stretch.since)}
    if name not in stretch.left_out:
        after = held_entries(ledger, episodes, stretch.upto) | {HOUSE: ledger.merge_entries(stretch.upto)}
    return Touched([name], before, after)


def _up_to(version: int, entries: list[Entry]) -> list[Entry]:
    return entries[: bisect_right(entries, version, key=attrgetter("version"))]
