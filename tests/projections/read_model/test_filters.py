"""Filters choose rows after everything is derived: asking for some gives what leaving out the others by hand gives.

Names are awkward on purpose: upper and lower case, accents, blanks, and two letters whose order in UTF-16 is
not their order as code points.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from commands.terminal.options import Setup
from commands.verbs.read import derived
from commands.writing.record import record
from ledger.book import Book
from ledger.judge.patients import by_episode, gather
from projections.read_model import queries
from projections.read_model.queries import Filters
from projections.reading.as_known import book_known
from projections.rows.cells import as_list
from projections.rows.day import day_row
from projections.rows.finding import finding_row
from projections.rows.line import line_row
from projections.rows.patient import derive_patient
from tests.harness import book_of
from tests.histories import history
from tests.stores import examples, named, open_ledger
from tests.tiers import many

LATER = datetime(2027, 12, 1, tzinfo=UTC)
NAMES = ["a", "B", "b", "Z", "É", "é", "z", "! a", "\uff21", "\U0001d4b3", 'q"\\', "%", "10", "9", "ß", "\u2020b"]
SHEETS = {"days": queries.day_rows, "findings": queries.finding_rows, "lines": queries.line_rows}
SEEDS = range(examples(many(2, 8)))
Rows = list[tuple[Any, tuple[str, ...]]]
"""Rows, each with the payers it concerns."""


@dataclass
class Ledger:
    house: Setup
    names: dict[str, list[str]]
    instants: list[datetime]


def told(rng: Random) -> tuple[list[dict[str, Any]], Book]:
    """Several histories under awkward names, and a book; the last one's, for payers are named alike in all."""
    entries = []
    names = rng.sample(NAMES, len(NAMES))
    tables: dict[str, Any] = {}
    for number in range(4):
        some, tables = history(rng)
        for entry in some:
            text = json.dumps(entry)
            for word, renamed in (("E", "e"), ("P", "p")):
                for place in (1, 2, 3):
                    text = text.replace(f'"{word}{place}"', json.dumps(names[number * 3 + place - 1] + renamed))
            entries.append(json.loads(text))
    return entries, book_of(tables)


@pytest.fixture(scope="module", params=SEEDS)
def ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    rng = Random(request.param)
    path = tmp_path_factory.mktemp("filters") / "ledger.db"
    entries, book = told(rng)
    stream = BytesIO(b"\n".join(json.dumps(entry).encode() for entry in entries))
    with open_ledger(path, create=True) as opened:
        outcomes = list(record(opened, stream, keep_recorded_at=True, clock=lambda: LATER))
        instants = sorted(entry.recorded_at for _, entry in opened.follow(0))
    assert {outcome.outcome for outcome in outcomes} == {"recorded"}
    house = Setup(named(path), None, str(path.parent))
    house.__dict__["book"] = book
    everything = shown(house, None)
    names = {
        "episode": sorted({row.episode for row, _ in everything["days"]}),
        "patient": sorted({row.patient for row, _ in everything["days"]}),
        "payer": ["alpha", "beta", "nowhere"],
    }
    return Ledger(house, names, instants)


def shown(house: Setup, known_at: datetime | None) -> dict[str, Rows]:
    """Every row of every sheet, judged straight from the entries, in no particular order."""
    with house.open() as opened:
        streams = by_episode(entry for _, entry in opened.follow(0))
    rows: dict[str, Rows] = {name: [] for name in SHEETS}
    for patient in gather(streams, known_at):
        sheets = derive_patient(patient, book_known(house.book, known_at))
        rows["days"] += [(row, (row.payer,) if row.payer else ()) for row in map(day_row, sheets.days)]
        rows["findings"] += [(finding_row(cells), as_list(cells[8])) for cells in sheets.findings]
        rows["lines"] += [(row, (row.payer,)) for row in map(line_row, sheets.lines)]
    return rows


def dates_of(row: Any) -> tuple[str, ...]:
    """The dates a row touches; of a line, its ends and all between."""
    if hasattr(row, "dates"):
        return tuple(row.dates)
    if hasattr(row, "date"):
        return (row.date,)
    first, last = datetime.fromisoformat(row.from_), datetime.fromisoformat(row.to)
    return tuple((first + timedelta(days=day)).date().isoformat() for day in range((last - first).days + 1))


def wants(wanted: Filters, row: Any, payers: tuple[str, ...]) -> bool:
    """Whether a row is chosen, said plainly."""
    episodes = getattr(row, "episodes", None) or (row.episode,)
    return (
        (wanted.patient is None or row.patient == wanted.patient)
        and (wanted.episode is None or wanted.episode in episodes)
        and (wanted.payer is None or wanted.payer in payers)
        and any((wanted.from_ or "") <= day <= (wanted.to or "9") for day in dates_of(row))
    )


def draws(rng: Random, ledger: Ledger, times: int = 20) -> Iterator[Filters]:
    """Each filter alone, then some together, known and unknown names, dates in any order."""

    def name(kind: str) -> str:
        return rng.choice([*ledger.names[kind], *ledger.names[kind], "stranger", ""])

    def day() -> str:
        return f"2026-{rng.choice((10, 11))}-{rng.randint(1, 30):02}"

    draw = {"episode": name, "patient": name, "payer": name, "from_": lambda _: day(), "to": lambda _: day()}
    yield Filters()
    for key, value in draw.items():
        for _ in range(times // 4):
            yield Filters(**{key: value(key)})
    yield Filters(from_="2026-11-03", to="2026-11-02")
    for _ in range(times):
        yield Filters(**{key: value(key) for key, value in draw.items() if rng.random() < 0.4})


def in_order(name: str, rows: list[Any]) -> bool:
    """Whether rows come as the contract says, compared as code points."""
    key = {
        "days": lambda row: (row.patient, row.episode, row.date),
        "findings": lambda row: (row.rule, row.patient, row.dates[0]),
        "lines": lambda row: (row.patient, row.episode, row.from_),
    }[name]
    return list(map(key, rows)) == sorted(map(key, rows))


def bytes_of(rows: Any) -> list[bytes]:
    return sorted(map(msgspec.json.encode, rows))


def check(ledger: Ledger, known_at: datetime | None, rng: Random) -> None:
    everything = shown(ledger.house, known_at)
    for wanted in draws(rng, ledger, 8 if known_at else 20):
        with derived(ledger.house, known_at, wanted) as views:
            for name, query in SHEETS.items():
                rows: list[Any] = list(query(views, wanted))
                chosen = [row for row, payers in everything[name] if wants(wanted, row, payers)]
                assert bytes_of(rows) == bytes_of(chosen), (name, wanted)
                assert in_order(name, rows), (name, wanted)


def test_filters_on_the_live_read_model(ledger: Ledger) -> None:
    check(ledger, None, Random(1))


def test_filters_on_what_was_known_then(ledger: Ledger) -> None:
    rng = Random(2)
    for known_at in (rng.choice(ledger.instants), ledger.instants[0] - timedelta(microseconds=1), LATER):
        check(ledger, known_at, rng)


def test_the_draws_find_something(ledger: Ledger) -> None:
    everything = shown(ledger.house, None)
    assert all(everything.values())
    found = {
        (name, key)
        for wanted in draws(Random(1), ledger)
        for key, value in wanted._asdict().items()
        for name, rows in everything.items()
        if value is not None and any(wants(wanted, *row) for row in rows)
    }
    assert len(found) >= 12, "nearly each filter, on each sheet, chooses some rows at least once"


def test_order_is_by_code_points(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    opening = {"type": "EpisodeOpened", "provider": "1234567893", "zone": "America/Chicago"}
    served = {"type": "DayServed", "order": "A", "date": "2026-11-02"}
    lines = []
    for number, name in enumerate(NAMES):
        about = {"episode": name, "source": "s", "by": "b"}
        lines.append(about | {"id": "o", "fact": opening | {"patient": NAMES[number // 2]}})
        lines.append(about | {"id": "d", "fact": served})
    with open_ledger(path, create=True) as opened:
        list(record(opened, BytesIO(b"\n".join(json.dumps(line).encode() for line in lines))))
    house = Setup(named(path), None, str(path.parent))
    expected = sorted((NAMES[number // 2], name) for number, name in enumerate(NAMES))
    for known_at in (None, LATER):
        with derived(house, known_at) as views:
            assert [(row.patient, row.episode) for row in queries.day_rows(views, Filters())] == expected
