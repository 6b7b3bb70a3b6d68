"""Days as the read model keeps them, by runs: every day comes back, whoever asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from itertools import pairwise
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projections.read_model.queries import Filters, day_rows, runs_within
from projections.read_model.tables import INSERT
from projections.read_model.views import Views, passing_views
from projections.rows import day_run
from projections.rows.cells import json_lists
from projections.rows.day import DayCells
from projections.rows.day_run import DayRun, days_of, encoded_days, parts_of, runs_of
from projections.rows.digests import digest, digest_of_days
from projections.words import iso

FIRST = date(2026, 1, 30)
LABELS = st.lists(st.sampled_from(["pump:1", "],[", '"],["', "\\\\", "é\u2028", '%s{}"', "a,b", "\x01"]), max_size=3)
SAID = st.sampled_from(
    [
        {"status": "hold", "reason": "plan_missing"},
        {"status": "billable", "payer": "p", "rate_cents": 9000, "authorization": "A-1", "modifiers": '["SH"]'},
        {"status": "billable", "payer": "p", "rate_cents": 9000, "authorization": "A-2", "modifiers": "[]"},
    ]
)


@st.composite
def days(draw: st.DrawFn) -> list[Any]:
    """Days of two episodes of a patient, in order, with gaps; neighbours are often alike but for their causes."""
    found = []
    for episode in ('E"1', "E-2"):
        day = FIRST
        for said, length, gap in draw(st.lists(st.tuples(SAID, st.integers(1, 5), st.integers(0, 2)), max_size=4)):
            for because in json_lists(draw(st.lists(LABELS, min_size=length, max_size=length))):
                found.append(DayCells(patient="P 1", episode=episode, date=day.isoformat(), because=because, **said))
                day += timedelta(days=1)
            day += timedelta(days=gap)
    return found


@pytest.fixture(scope="module")
def views() -> Iterator[Views]:
    with closing(passing_views()) as opened:
        opened.connection.execute("PRAGMA trusted_schema = OFF")
        yield opened


def put_in(views: Views, runs: list[DayRun]) -> None:
    views.connection.execute("DELETE FROM day_runs")
    views.connection.executemany(INSERT["day_runs"], runs)


@settings(deadline=None)
@given(days())
def test_days_come_back_as_they_were_put_in(views: Views, given_days: list[Any]) -> None:
    runs = runs_of(given_days)
    put_in(views, runs)
    assert list(days_of(runs)) == given_days
    assert views.connection.execute("SELECT * FROM days").fetchall() == given_days
    assert sum(run.days for run in runs) == len(given_days)


@settings(deadline=None)
@given(days())
def test_no_two_runs_could_be_one(given_days: list[Any]) -> None:
    runs = runs_of(given_days)
    assert all(len(runs_of(days_of(pair))) == 2 for pair in pairwise(runs))


@given(days())
def test_their_digest_is_that_of_the_days_one_by_one(given_days: list[Any]) -> None:
    runs = runs_of(given_days)
    assert json.loads(b"[%b]" % b",".join(encoded_days(runs))) == json.loads(msgspec.json.encode(given_days))
    assert digest_of_days("P 1", runs) == digest("P 1", given_days)


@given(days(), st.integers(1, 7), st.integers(1, 200))
def test_it_is_the_same_where_long_runs_are_taken_in_parts(given_days: list[Any], most: int, text: int) -> None:
    runs = runs_of(given_days)
    with patch.multiple(day_run, MOST_DAYS=most, MOST_TEXT=text):
        assert list(days_of(runs)) == given_days
        assert digest_of_days("P 1", runs) == digest("P 1", given_days)
        parts = [part for run in runs for part in parts_of(run)]
    assert all(part.days <= most for part in parts)
    assert runs_of(days_of(parts)) == runs


def test_a_damaged_run_is_taken_as_it_stands() -> None:
    run = runs_of(several(9))[0]
    for damaged in (
        run._replace(because=run.because[:-5]), run._replace(days=8), run._replace(last_date="2026-99-01"),
        run._replace(days="x"), run._replace(because=None),
    ):  # fmt: skip
        with patch.multiple(day_run, MOST_DAYS=2):
            assert list(parts_of(damaged)) == [damaged]


def several(number: int) -> list[Any]:
    said = {"status": "hold", "reason": "x", "code": None, "payer": "p", "terms_from": None, "terms_published": None}
    more = {"rate_cents": None, "authorization": None, "member": None, "provider": None, "place_of_service": None}
    dates = [(FIRST + timedelta(days=at)).isoformat() for at in range(number)]
    return [
        DayCells(patient="P 1", episode="E", date=on, because='["a:1"]', modifiers=None, **said, **more) for on in dates
    ]


def test_a_century_of_days_is_never_held_as_one() -> None:
    """Twenty episodes of it, 7 KB of intake, are 730,500 rows: they were 190 MB in one piece."""
    (run,) = runs_of(several(2))
    because = f"[{','.join(['[]'] * 36_525)}]"
    century = run._replace(last_date=iso(FIRST.toordinal() + 36_524), days=36_525, because=because)
    pieces = [len(piece) for piece in encoded_days([century] * 2)]
    assert max(pieces) < 500_000 < sum(pieces) / 10
    assert sum(1 for _ in days_of([century])) == 36_525
    with patch.multiple(day_run, MOST_DAYS=10**9, MOST_TEXT=10**9):
        assert max(len(piece) for piece in encoded_days([century] * 2)) > 3_000_000


@settings(deadline=None)
@given(days(), st.integers(-3, 12), st.integers(-3, 12), st.sampled_from([None, "billable", "hold"]))
def test_days_are_chosen_and_counted_by_date_as_one_by_one(
    views: Views, given_days: list[Any], from_: int, to: int, status: str | None
) -> None:
    put_in(views, runs_of(given_days))
    first, last = ((FIRST + timedelta(days=number)).isoformat() for number in (from_, to))
    for dates in ({}, {"from_": first}, {"to": last}, {"from_": first, "to": last}):
        wanted = Filters(status=status, **dates)
        expected = [
            (day.episode, day.date, day.status)
            for day in given_days
            if dates.get("from_", "") <= day.date <= dates.get("to", "9") and status in (None, day.status)
        ]
        assert [(row.episode, row.date, row.status) for row in day_rows(views, wanted)] == sorted(expected)
        runs, values = runs_within(wanted)
        counted = f"SELECT coalesce(sum(days), 0), min(first_date), max(last_date) FROM {runs}"
        found = [date for _, date, _ in expected]
        ends = (min(found, default=None), max(found, default=None))
        assert views.connection.execute(counted, values).fetchone() == (len(expected), *ends)
