"""The feed: every day that is not what it was at an earlier position, old row and new row, and what changed it.

It is a pure function of the ledger (``stretch.py`` says what stood at a position). Applying the changes to the rows of
a position gives exactly the rows of the later one. Patients are worked through one by one, or by cohort where all are
concerned, and each of them episode by episode, so that memory does not grow with their days.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from ledger.book import Book
from ledger.facts.administration import HOUSE
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.judge.patients import episodes_in, gather
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger
from projections.audit.day_walk import DayWalk, Key, PatientDays
from projections.changes.left_out import too_large
from projections.changes.stretch import Stretch, told_stretch
from projections.reading.budget import TooCostly
from projections.reading.cohorts import Cohort, cohorts_in, complete
from projections.reading.size import refuse_too_large
from projections.rows.cells import Cells, json_list
from projections.rows.day import ADDED_FROM, DAY_ORDER, DayCells
from projections.rows.day_run import DayRun, days_of
from projections.rows.kept import kept_sheets

INSERT: Final = "insert"
RESTATE: Final = "restate"
RETRACT: Final = "retract"
BY_BOOK: Final = "book"
"""How a change is named whose cause is a book taken up; an entry's name has a colon."""
LEFT_OUT: Final = "left_out"
"""How a change is named whose cause is that the patient is left out from then on."""

DAYS_AT_ONCE: Final = 10_000
"""Of how many days what changed them is looked for at once."""

_NOTHING: Final[Cells] = DayCells()
Differing = tuple[Key, Any, Any]
"""A day, and its row before and after; None where there is none."""


class Streams(NamedTuple):
    """The entries of some episodes: those up to a position, and those after it."""

    before: dict[str, list[Entry]]
    since: dict[str, list[Entry]]


def changes_since(ledger: EpisodeLedger, since: int, upto: int, told: Progress = silent) -> Iterator[Cells]:
    """The changes from a position to a later one, patient by patient, as rows of the dataset ``changes``."""
    stretch = told_stretch(ledger, since, upto)
    if since == 0:
        yield from _all_inserted(ledger, stretch, told)
        return
    yield from _retracted(ledger, stretch)
    anew = stretch.book.hash != stretch.last_book.hash
    patients = _everybody(ledger, stretch, told) if anew else _touched(ledger, stretch, told)
    for patient, streams in patients:
        yield from _changes_of(ledger, patient, streams, stretch)


def days_inserted(days: Iterable[Any], stretch: Stretch) -> Iterator[Cells]:
    """Rows of days as changes, where nothing was before; each is caused by the entries it rests on."""
    return (_change(stretch, row.patient, (row.episode, row.date), None, row, row.because, None) for row in days)


def _all_inserted(ledger: EpisodeLedger, stretch: Stretch, told: Progress) -> Iterator[Cells]:
    """Every day there is."""
    cohorts = cohorts_in(ledger, stretch.upto)
    if kept := kept_sheets(ledger.forgettings(stretch.upto)):
        yield from days_inserted(kept.days, stretch)
    one_by_one = _OneByOne(stretch)
    for done, streams in enumerate(complete(ledger, cohorts, stretch.upto, one_by_one.take, whole=False), 1):
        for patient in gather(streams, whole=False):
            if patient.name not in stretch.left_out:
                theirs = PatientDays(patient.name, patient.episodes, stretch.last_book)
                yield from days_inserted(theirs.in_order(), stretch)
        told(done, len(cohorts))
    for name in one_by_one.names:
        yield from _changes_of(ledger, name, _streams_of(ledger, name, stretch), stretch)


class _OneByOne:
    """The patients of cohorts that are too large to be read at once: each by themselves, but for those left out."""

    def __init__(self, stretch: Stretch) -> None:
        self._stretch = stretch
        self.names: list[str] = []

    def take(self, cohort: Cohort, error: UnreadableEntry) -> None:
        """Take in a cohort; what is no matter of size is raised."""
        if not isinstance(error, TooCostly):
            raise error
        self.names += [name for name in cohort.patients if name not in self._stretch.left_out]


def _retracted(ledger: EpisodeLedger, stretch: Stretch) -> Iterator[Cells]:
    """The days of whoever is left out from the stretch on. One who was too large before it, too, had none there."""
    for name in stretch.newly_left_out:
        if too_large(ledger, [name], stretch.since):
            continue
        before = {episode: ledger.entries_of(episode, upto=stretch.since) for episode in ledger.episodes_of(name)}
        before[HOUSE] = ledger.merge_entries(stretch.since)
        for row in PatientDays(name, episodes_in(before).values(), stretch.book).in_order():
            told = json_list([LEFT_OUT]), stretch.left_out[name]
            yield _change(stretch, name, (row.episode, row.date), row, None, *told)


def _touched(ledger: EpisodeLedger, stretch: Stretch, told: Progress) -> Iterator[tuple[str, Streams]]:
    """The patients with entries in the stretch, by name, and those who were left out before it."""
    concerned = ledger.patients_since(stretch.since, stretch.upto) | stretch.left_out_before.keys()
    names = sorted(concerned - stretch.left_out.keys())
    for done, name in enumerate(names, 1):
        yield name, _streams_of(ledger, name, stretch)
        told(done, len(names))


def _streams_of(ledger: EpisodeLedger, name: str, stretch: Stretch) -> Streams:
    """A patient's entries; of one who was left out all of them are new. TooCostly if they are too many."""
    streams, episodes = Streams({}, {}), ledger.episodes_of(name)
    refuse_too_large(ledger, episodes, stretch.upto)
    since = 0 if name in stretch.left_out_before else stretch.since
    for episode in episodes:
        streams.before[episode] = ledger.entries_of(episode, upto=since)
        streams.since[episode] = ledger.entries_of(episode, len(streams.before[episode]), stretch.upto)
    streams.before[HOUSE] = ledger.merge_entries(since)
    streams.since[HOUSE] = ledger.merge_entries(stretch.upto)[len(streams.before[HOUSE]) :]
    return streams


def _everybody(ledger: EpisodeLedger, stretch: Stretch, told: Progress) -> Iterator[tuple[str, Streams]]:
    """Every patient, in one pass over the ledger."""
    counts = {episode: count for episode, _, _, count in ledger.extents(stretch.since)}
    merged = ledger.merge_entries(stretch.upto)
    begun = len(ledger.merge_entries(stretch.since))
    cohorts, one_by_one = cohorts_in(ledger, stretch.upto), _OneByOne(stretch)
    for done, entries in enumerate(complete(ledger, cohorts, stretch.upto, one_by_one.take), 1):
        sharing: dict[str, Streams] = {}
        for episode, stream in entries.items():
            if episode == HOUSE:
                continue
            for patient in ledger.patients_of(episode):
                is_new = patient in stretch.left_out_before
                count, acts = (0, 0) if is_new else (counts.get(episode, 0), begun)
                streams = sharing.setdefault(patient, Streams({HOUSE: merged[:acts]}, {HOUSE: merged[acts:]}))
                streams.before[episode], streams.since[episode] = stream[:count], stream[count:]
        yield from ((name, streams) for name, streams in sorted(sharing.items()) if name not in stretch.left_out)
        told(done, len(cohorts))
    yield from ((name, _streams_of(ledger, name, stretch)) for name in one_by_one.names)


def _changes_of(ledger: EpisodeLedger, name: str, streams: Streams, stretch: Stretch) -> Iterator[Cells]:
    folded = episodes_in(streams.before)
    before = PatientDays(name, folded.values(), stretch.book)
    after = PatientDays(name, (folded | episodes_in(_joined(streams))).values(), stretch.last_book)
    known, moments = bool(before.episodes()), None
    differing = _differing(before, after)
    while some := list(islice(differing, DAYS_AT_ONCE)):
        causes: dict[Key, list[Caused]] = {}
        if known:
            moments = moments or _moments(ledger, streams, stretch)
            causes = _causes(DayWalk(name, streams.before, stretch.book, *_asked(some)), moments)
        for key, old, new in some:
            said = _cause_and_position(causes[key]) if known else (new.because, None)
            yield _change(stretch, name, key, old, new, *said)


def _differing(before: PatientDays, after: PatientDays) -> Iterator[Differing]:
    """The days whose rows are not what they were, by episode and date; those of one episode are held at a time."""
    for episode in sorted({*before.episodes(), *after.episodes()}):
        runs = [before.runs(episode), after.runs(episode)]
        alike = set(runs[0]).intersection(runs[1])
        old, new = (_by_date(run for run in told if run not in alike) for told in runs)
        for date in sorted(old.keys() | new.keys()):
            if old.get(date) != new.get(date):
                yield (episode, date), old.get(date), new.get(date)


def _by_date(runs: Iterable[DayRun]) -> dict[str, Any]:
    rows: Iterable[Any] = days_of(runs)
    return {row.date: row for row in rows}


def _asked(differing: Iterable[Differing]) -> tuple[set[Key], dict[Key, Any]]:
    """The days, and the rows of those that were there before."""
    return {key for key, _, _ in differing}, {key: old for key, old, _ in differing if old is not None}


def _causes(walk: DayWalk, moments: Iterable[tuple[int, Entry | Book]]) -> dict[Key, list[Caused]]:
    causes: dict[Key, list[Caused]] = {}
    for at, moment in moments:
        caused = at, _name_of(moment)
        for key in walk.after(moment):
            causes.setdefault(key, []).append(caused)
    return causes


def _moments(ledger: EpisodeLedger, streams: Streams, stretch: Stretch) -> list[tuple[int, Entry | Book]]:
    entries = [entry for stream in streams.since.values() for entry in stream]
    positions = ledger.positions_of(entries) if entries else []
    assert positions is not None, "what was just read stands in the ledger"
    moments: list[tuple[int, Entry | Book]] = [*zip(positions, entries, strict=True), *stretch.books]
    return sorted(moments, key=lambda moment: moment[0])


def _name_of(moment: Entry | Book) -> str:
    return BY_BOOK if isinstance(moment, Book) else moment.label


def _change(
    stretch: Stretch, name: str, key: Key, old: Cells | None, new: Cells | None, cause: str, position: int | None
) -> Cells:
    kind = INSERT if old is None else RETRACT if new is None else RESTATE
    was, now = old or _NOTHING, new or _NOTHING
    first, added = slice(len(DAY_ORDER), ADDED_FROM), slice(ADDED_FROM, None)
    return (
        stretch.upto, stretch.last_book.hash, kind, name, *key, *was[first], *now[first], cause, position,
        *was[added], *now[added],
    )  # fmt: skip


Caused = tuple[int, str]
"""What changed something: its position and its name."""


def _cause_and_position(causes: Sequence[Caused]) -> tuple[str, int]:
    """The names of what changed a day, the last first, and the position of that one."""
    names = dict.fromkeys(name for _, name in reversed(causes))
    return json_list(list(names)), causes[-1][0]


def _joined(streams: Streams) -> dict[str, list[Entry]]:
    """The episodes with entries in the stretch, whole; all of them where patients were merged or parted in it."""
    names = [name for name, since in streams.since.items() if since or streams.since[HOUSE] or name == HOUSE]
    return {name: streams.before[name] + streams.since[name] for name in names}
