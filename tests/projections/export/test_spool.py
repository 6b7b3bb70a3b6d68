"""Rows by month and key, whether they come in order or not: the same as sorting them."""

from __future__ import annotations

from operator import itemgetter
from random import Random
from typing import Any

import pytest

from projections.export import spool
from projections.export.spool import in_order, in_order_by_month

Row = tuple[Any, ...]


def put_in_order(rows: list[Row]) -> list[Row]:
    return list(in_order_by_month(rows, itemgetter(0), itemgetter(1, 2), 4, 2))


def drawn(rng: Random, count: int) -> list[Row]:
    """Rows of three months; some keys come twice, and some have nothing in them."""
    return [
        (f"2026-0{rng.randint(1, 3)}", rng.choice(["é", "z", "a", None]), rng.randint(1, 40), number)
        for number in range(count)
    ]


@pytest.mark.parametrize("at_once", [3, 2_000])
@pytest.mark.parametrize("seed", range(20))
def test_rows_come_by_month_and_key_however_they_came(seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "ROWS_AT_ONCE", at_once)
    rng = Random(seed)
    rows = drawn(rng, rng.choice([0, 1, 30]))
    expected = list(in_order((((row[0], row[1], row[2]), row) for row in rows), 4, 3))
    assert put_in_order(rows) == expected
    assert put_in_order(expected) == expected


def test_those_in_order_are_not_sorted_and_others_are(monkeypatch: pytest.MonkeyPatch) -> None:
    sorts: list[int] = []

    def counted(*told: Any) -> Any:
        sorts.append(1)
        return in_order(*told)

    monkeypatch.setattr(spool, "in_order", counted)
    rows: list[Row] = [("2026-01", "a", 1, 0), ("2026-02", "a", 2, 1), ("2026-01", "b", 1, 2), ("2026-01", "b", 1, 3)]
    assert put_in_order(rows) == [rows[0], rows[2], rows[3], rows[1]]
    assert not sorts
    assert put_in_order([*rows, ("2026-01", "a", 9, 4)])[1] == ("2026-01", "a", 9, 4)
    assert sorts
