"""Rows that stand for several days: what is written is what writing each day's row by itself writes."""

from __future__ import annotations

import io
from calendar import monthrange
from random import Random
from typing import Any, get_args

import pytest

from projections.audit.claimed_rows import ClaimedDay
from projections.audit.claimed_shares import ClaimedKind
from projections.audit.kept_claimed import packed, unpacked_cells
from projections.export.as_text import write_csv
from projections.export.judged import claimed_cells
from projections.export.shapes import DATASETS
from projections.rows.several_days import for_itself, in_days, moved_in
from projections.words import iso

CLAIMED = DATASETS["claimed"]
MOVED = moved_in("claimed", CLAIMED.columns)
CLAIMS = ["C-1", None, '5" wide, 100 %', "=SUM(1)", "%s", "a\nb"]


def drawn(rng: Random) -> list[ClaimedDay]:
    """A patient's claimed days: stretches that say the same, now over a month's end, now two on a date."""
    rows, on = list[tuple[int, ClaimedDay]](), 739_000
    for _ in range(rng.randint(0, 8)):
        on += rng.randint(0, 20)
        said: dict[str, Any] = {
            "kind": rng.choice(get_args(ClaimedKind)), "claim": rng.choice(CLAIMS), "claimed_cents": rng.randint(0, 3),
            "revealed_by": rng.choice([(), ("a:b", 'c",d:%')]), "paid_cents": rng.choice([None, 0, 10_000]),
        }  # fmt: skip
        due, days = rng.choice([None, 90]), rng.randint(1, 50)
        rows += [(day, day_of(day, said, due)) for day in range(on, on + days)]
        on += days if rng.random() < 0.8 else 0
    return [row for _, row in sorted(rows, key=lambda each: each[0])]


def day_of(on: int, said: dict[str, Any], due: int | None) -> ClaimedDay:
    file_by = None if due is None else iso(on + due)
    return ClaimedDay(
        patient="P, 1", episode="E-1", date=iso(on), payer="prairie-blue", claimed_code="S9325", file_by=file_by,
        known_when_claimed=None, known_now="billable S9325", now_payer="prairie-blue", now_code="S9325", now_cents=5,
        exposure_cents=0, revealed_at=None, repay_by=None, **said,
    )  # fmt: skip


def written(rows: Any, *moved: Any) -> bytes:
    file = io.BytesIO()
    write_csv(file, CLAIMED.columns, rows, *moved)
    return file.getvalue()


@pytest.mark.parametrize("seed", range(60))
def test_they_are_written_as_the_days_by_themselves(seed: int) -> None:
    rows = drawn(Random(seed))
    alone, several = list(claimed_cells(rows)), unpacked_cells(packed(rows))
    assert list(in_days(several, MOVED)) == alone
    assert list(in_days(map(for_itself, alone), MOVED)) == alone
    assert written(several, MOVED) == written(alone)


def test_of_a_month_they_are_few_and_none_lies_in_two() -> None:
    said: dict[str, Any] = {
        "kind": "as_claimed", "claim": "C-1", "claimed_cents": 5, "revealed_by": (), "paid_cents": None,
    }  # fmt: skip
    several = unpacked_cells(packed([day_of(on, said, 90) for on in range(739_000, 739_100)]))
    firsts = [(row[2], row[-1]) for row in several]
    assert [days for _, days in firsts] == [7, 31, 30, 31, 1]
    for first, days in firsts:
        year, month, day = map(int, first.split("-"))
        assert day + days - 1 <= monthrange(year, month)[1]
