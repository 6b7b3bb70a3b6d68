"""Runs of days: how the read model keeps what is said of days, one row for all that follow each other and are alike.

Of most days the same is said as of the day before but for the entries that serve them, so a run keeps the causes of
each of its days, and everything else once. A reader gets days: ``days_of`` here, the view ``days`` in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import MsgspecError

from ledger.day_set import Days
from ledger.judge.case import Case, Region
from ledger.judge.causes import causes, causes_by_date
from ledger.judge.regions import by_authorization, region_on, regions
from projections.rows.cells import Cells, json_list
from projections.rows.day import DAY_COLUMNS, DayCells
from projections.words import iso


class DayRun(NamedTuple):
    """Consecutive days of an episode of which everything but their causes is the same; ``because`` has the causes of
    each as JSON, a list of lists."""

    patient: str
    episode: str
    first_date: str
    last_date: str
    days: int
    status: str
    reason: str | None
    code: str | None
    payer: str | None
    terms_from: str | None
    terms_published: str | None
    rate_cents: int | None
    authorization: str | None
    because: str
    member: str | None
    provider: str | None
    place_of_service: str | None
    modifiers: str | None


RUN_TYPES: Final = {
    name: int if name == "days" else next((each.sql_type for each in DAY_COLUMNS if each.name == name), str)
    for name in DayRun._fields
}
"""The columns of a run, each with what the read model keeps it as."""
RUN_ORDER: Final = ("patient", "episode", "first_date")
MOST_DAYS: Final = 4_000
"""How many days are held at once, where they are told one by one."""
MOST_TEXT: Final = 1_000_000
"""And how much text of their causes, in characters."""
_SAID: Final = slice(DayRun._fields.index("status"), DayRun._fields.index("because"))
_ADDED: Final = slice(DayRun._fields.index("member"), None)
_DAY_SAID: Final = slice(DayCells._fields.index("status"), DayCells._fields.index("because"))
_DAY_ADDED: Final = slice(DayCells._fields.index("member"), None)
_cells_of: Final = tuple.__new__
_encode: Final = msgspec.json.Encoder().encode
_encode_lines: Final = msgspec.json.Encoder().encode_lines
_parts_of: Final = msgspec.json.Decoder(list[msgspec.Raw]).decode


def day_runs(case: Case, others: Sequence[Case]) -> list[DayRun]:
    """What is said of the days of one judged episode, by their dates."""
    because = causes_by_date(case, others).__getitem__
    patient, episode = case.patient.name, case.episode.name
    found: list[tuple[int, DayRun]] = []
    for region in regions(case):
        said, added = _verdict_cells(region), _added(region)
        for number, days in by_authorization(case, region):
            for first, last in case.calendar.runs(days):
                told = _encode([*map(because, range(first, last + 1))]).decode()
                named = patient, episode, iso(first), iso(last), last - first + 1
                found.append((first, _cells_of(DayRun, (*named, *said, number, told, *added))))
    found.sort()
    return [run for _, run in found]


def _verdict_cells(region: Region) -> tuple[Any, ...]:
    terms, (_, status, reason) = region.terms, region.verdict
    edition = (terms.from_.isoformat(), terms.published.isoformat()) if terms else (None, None)
    return status, reason, region.code, region.payer, *edition, region.rate_cents


def _added(region: Region) -> tuple[Any, ...]:
    modifiers = json_list(region.modifiers) if region.is_billable else None
    return region.member, region.provider, region.place, modifiers


def day_cells(case: Case, others: Sequence[Case]) -> list[Cells]:
    """The rows of one judged episode, in date order."""
    return list(days_of(day_runs(case, others)))


def cells_within(case: Case, others: Sequence[Case], days: Days) -> Iterator[Cells]:
    """The rows of some dates of a judged episode, in no order."""
    for region in regions(case):
        said, added = _verdict_cells(region), _added(region)
        for day in case.calendar.dates(region.days & days):
            grant = case.drawn.get(day) if region.is_billable else None
            because = json_list(causes(case, others, day, region.verdict))
            named = case.patient.name, case.episode.name, iso(day)
            yield _cells_of(DayCells, (*named, *said, grant.number if grant else None, because, *added))


def cells_on(case: Case, others: Sequence[Case], date: int) -> Cells:
    """The row of one date of a judged episode."""
    region = region_on(case, date)
    grant = case.drawn.get(date) if region.is_billable else None
    because = json_list(causes(case, others, date, region.verdict))
    named = case.patient.name, case.episode.name, iso(date)
    return _cells_of(
        DayCells, (*named, *_verdict_cells(region), grant.number if grant else None, because, *_added(region))
    )


def runs_of(days: Iterable[Any]) -> list[DayRun]:
    """Days in order, episode by episode, as runs."""
    found: list[DayRun] = []
    for cells in days:
        last = found[-1] if found else None
        if last and _carries_on(last, cells):
            causes = f"{last.because[:-1]},{cells.because}]"
            found[-1] = last._replace(last_date=cells.date, days=last.days + 1, because=causes)
        else:
            named = cells.patient, cells.episode, cells.date, cells.date, 1
            found.append(DayRun._make((*named, *cells[_DAY_SAID], f"[{cells.because}]", *cells[_DAY_ADDED])))
    return found


def _carries_on(run: DayRun, cells: Any) -> bool:
    alike = run[:2] == cells[:2] and run[_SAID] == cells[_DAY_SAID] and run[_ADDED] == cells[_DAY_ADDED]
    return alike and date.fromisoformat(run.last_date).toordinal() + 1 == date.fromisoformat(cells.date).toordinal()


def days_of(runs: Iterable[DayRun]) -> Iterator[Cells]:
    """The rows of the days, in order; of a damaged run one row that shows it as it stands."""
    for run in chain.from_iterable(map(parts_of, runs)):
        cells: Cells = run
        said, added = cells[_SAID], cells[_ADDED]
        whole = _dates_and_causes(run, run.because)
        if whole is None:
            dates = f"{run.first_date}..{run.last_date}"
            yield _cells_of(DayCells, (run.patient, run.episode, dates, *said, run.because, *added))
            continue
        for day, because in zip(*whole, strict=True):
            yield _cells_of(DayCells, (run.patient, run.episode, day, *said, f"[{because}]", *added))


def parts_of(run: DayRun) -> Iterator[DayRun]:
    """A run in parts that are short enough to be held with all their days; a damaged one as it stands."""
    if not (isinstance(run.days, int) and isinstance(run.because, str)) or _is_short(run.days, len(run.because)):
        yield run
        return
    try:
        first, causes = date.fromisoformat(run.first_date).toordinal(), _parts_of(run.because)
        is_whole = len(causes) == run.days and iso(first + run.days - 1) == run.last_date
    except (TypeError, ValueError, OverflowError, MsgspecError):
        is_whole = False
    if not is_whole:
        yield run
        return
    step = max(1, min(MOST_DAYS, run.days * MOST_TEXT // len(run.because)))
    for start in range(0, run.days, step):
        own = causes[start : start + step]
        because = f"[{','.join(str(each, 'utf-8') for each in own)}]"
        dates = iso(first + start), iso(first + start + len(own) - 1), len(own)
        yield run._replace(first_date=dates[0], last_date=dates[1], days=dates[2], because=because)


def _is_short(days: int, text: int) -> bool:
    return days <= MOST_DAYS and text <= MOST_TEXT


def encoded_days(runs: Iterable[DayRun]) -> Iterator[bytes]:
    """The rows of the days as JSON, one after the other with commas: what ``days_of`` encodes to. In pieces, between
    which a comma belongs: a patient may have a century of days, twenty times over."""
    some, days, text = list[DayRun](), 0, 0
    for run in chain.from_iterable(map(parts_of, runs)):
        more = (run.days, len(run.because)) if isinstance(run.days, int) and isinstance(run.because, str) else (0, 0)
        if some and not _is_short(days + more[0], text + more[1]):
            yield _encoded(some)
            some, days, text = [], 0, 0
        some.append(run)
        days, text = days + more[0], text + more[1]
    if some:
        yield _encoded(some)


def _encoded(runs: Sequence[DayRun]) -> bytes:
    """Written by runs: what is the same in all days of one is encoded once. The causes are JSON within JSON; what is
    between two of them looks the same in both."""
    days: list[str] = []
    parts = [part for run in runs for part in (run[:2], run[_SAID], run.because, run[_ADDED])]
    encoded = iter(_encode_lines(parts).decode().split("\n"))
    for run, named, said, because, added in zip(runs, encoded, encoded, encoded, encoded, strict=False):
        whole = _dates_and_causes(run, because[1:-1])
        if whole is None:
            days += [_encode(cells).decode() for cells in days_of([run])]
            continue
        begins, between, ends = f'{named[:-1]},"', f'",{said[1:-1]},"[', f']",{added[1:]}'
        own = [f"{day}{between}{because}" for day, because in zip(*whole, strict=True)]
        days.append(f"{begins}{f'{ends},{begins}'.join(own)}{ends}")
    return ",".join(days).encode()


def _dates_and_causes(run: DayRun, because: str) -> tuple[Iterable[str], list[str]] | None:
    """Each day of a run, and its causes out of the text of all, as that is kept or encoded once more; None of a damaged
    run. Where what is between two lists is in a label, too, the text is read, and its lists are encoded as it was."""
    try:
        first = date.fromisoformat(run.first_date).toordinal()
        last = iso(first + run.days - 1)
        causes = because[2:-2].split("],[")
        if len(causes) != run.days:
            lists = [str(part, "utf-8") for part in _parts_of(run.because)]
            causes = lists if because is run.because else [_encode(each).decode()[1:-1] for each in lists]
            causes = [each[1:-1] for each in causes]
    except (TypeError, ValueError, OverflowError, MsgspecError):
        return None
    if because[:2] != "[[" or because[-2:] != "]]" or last != run.last_date or len(causes) != run.days:
        return None
    return map(iso, range(first, first + run.days)), causes
