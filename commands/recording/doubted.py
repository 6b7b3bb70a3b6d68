"""What was recorded refers to what nobody knows: said on stderr once all is recorded, by kind and not by line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from commands.references.doubts import SAYS, nearest
from commands.references.watching import SHOWN_PLACES, Decided, Doubtful, Place, Watch
from commands.terminal.options import Setup
from commands.terminal.show import printable, say
from ledger.book import Book, BookError
from ledger.facts.entry import UnreadableEntry
from ledger.facts.events import CoverageVerified
from ledger.facts.liveness import live_entries
from ledger.store import EpisodeLedger, Forgotten, StoreError
from projections.reading.around import entries_around
from projections.reading.as_known import AsKnown
from projections.reading.decisions import changes_anything
from projections.words import counted, listed

MOST_LOOKED_UP: Final = 500
"""Of how many episodes the patient's other episodes are looked at for coverage."""


def say_doubts(setup: Setup, ledger: EpisodeLedger, watch: Watch, word: str = "line") -> None:
    """Say what of a run refers to nothing known; ``word`` is what a fact was told in. What cannot be found out, because
    the book has a mistake or an entry cannot be read, others say."""
    book = book_of(setup) if watch.payers or watch.decided else None
    _look_for_coverage(ledger, watch)
    told = [_sentence(one, word) for one in watch.doubtful()]
    if book:
        told += [*_payers(book, watch, word), *_idle(ledger, book, watch, word)]
    for text in told:
        say(printable(f"Note: {text}"))


def book_of(setup: Setup) -> Book | None:
    """The book; None where it has a mistake, which whoever judges says."""
    try:
        return setup.book
    except BookError:
        return None


def _sentence(one: Doubtful, word: str) -> str:
    near = f" In {one.near:,} of them a known name is near: check the spelling." if one.near else ""
    return f"{SAYS[one.kind].many} {counted(one.facts, 'fact')}, first in {_places(one.places, word)}.{near}"


def _places(places: Sequence[Place], word: str) -> str:
    """``line 1``, ``lines 1, 2 and 3``; of several files ``a, rows 1 and 2 and b, row 1``."""
    return " and ".join(
        f"{f'{file}, ' if file else ''}{word}{'s' * (len(numbers) > 1)} {listed(numbers)}"
        for file, numbers in (
            (file, [f"{number:,}" for _, number in theirs]) for file, theirs in groupby(places, lambda place: place[0])
        )
    )


def _payers(book: Book, watch: Watch, word: str) -> Iterator[str]:
    for payer in watch.payers:
        if payer not in book.payers:
            facts, place = watch.times(payer)
            near = nearest(payer, book.payers)
            meant = f' Did you mean "{near}"?' if near else ""
            yield f"{SAYS['payer'].many} {counted(facts, 'fact')}, first in {_places([place], word)}.{meant}"


def _look_for_coverage(ledger: EpisodeLedger, watch: Watch) -> None:
    """Coverage that another episode of the patient has is known."""
    for episode, payer in watch.uncovered[:MOST_LOOKED_UP]:
        try:
            streams = entries_around(ledger, [episode])
        except (UnreadableEntry, Forgotten, StoreError):
            continue
        facts = (live.fact for entries in streams.values() for live in live_entries(entries))
        if any(isinstance(fact, CoverageVerified) and fact.payer == payer for fact in facts):
            watch.covered(episode, payer)


def _idle(ledger: EpisodeLedger, book: Book, watch: Watch, word: str) -> Iterator[str]:
    """Decisions that change nothing, of all that were recorded."""
    idle: list[Place] = []
    known = AsKnown(ledger, book)
    for episode, decisions in watch.decided.items():
        idle += [each.place for each in idle_decisions(known, episode, decisions)]
    if idle:
        first = _places(idle[:SHOWN_PLACES], word)
        yield f"{SAYS['idle'].many} {counted(len(idle), 'decision')}, first in {first}."


def idle_decisions(known: AsKnown, episode: str, decisions: Sequence[Decided]) -> list[Decided]:
    """Those of an episode's decisions that change nothing; none where its patient cannot be read."""
    try:
        patient = known.owner(episode)
        judged = known.judged(patient) if patient else None
    except (UnreadableEntry, Forgotten, StoreError):
        return []
    if judged is None:
        return []
    return [each for each in decisions if not changes_anything(judged, episode, each.date, each.bill)]
