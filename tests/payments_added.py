"""Claimed days added up by hand, to hold what ``payments --by`` says against."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from ledger.book import PER_DIEM_CODES
from projections.answers.payments import STATUSES
from tests.command_line import House

Row = dict[str, Any]
BYS = ("line", "claim", "payer", "month")
_CLAIM = ("episode", "claim", "payer")


def added(days: Iterable[Row]) -> Row:
    """What some rows of ``payments`` add up to."""
    found = Counter[str]()
    for day in days:
        predicted = day["expected_cents"] or 0 if day["live"] else 0
        found["days"] += 1
        found["predicted_cents"] += predicted
        found["open_cents"] += predicted if day["status"] in ("unpaid", "reversed") else 0
        found["other_cents"] += day["paid_cents"] if day["expected_cents"] is None else 0
        for name in ("paid_cents", "patient_cents", "missing_cents", "to_give_back_cents"):
            found[name] += day[name]
        found[f"{day['status']}_days"] += 1
    return {name: found[name] for name in NUMBERS}


NUMBERS = (
    "days", "predicted_cents", "open_cents", "paid_cents", "other_cents", "patient_cents", "missing_cents",
    "to_give_back_cents", *(f"{status}_days" for status in STATUSES),
)  # fmt: skip


def total(rows: Iterable[Row]) -> Row:
    """What rows of sums add up to."""
    rows = list(rows)
    return {name: sum(row[name] for row in rows) for name in NUMBERS}


def is_of(row: Row, day: Row) -> bool:
    """Whether a row of sums counts a day; of lines of drugs, which may meet on a date, whether one of its code does."""
    if "month" in row:
        return bool(day["date"].startswith(row["month"]))
    same = all(row[name] == day[name] for name in (*_CLAIM, "code") if name in row)
    return same and (row.get("code") not in PER_DIEM_CODES or bool(row["from"] <= day["date"] <= row["to"]))


def assert_payments_add_up(house: House) -> dict[str, list[Row]]:
    """Whatever claimed days are added up by: each row is what its days add up to (drugs by their code), all rows what
    all days do; by claim it is what ``claims list`` says was paid, by payer and by month what the report says. The
    rows, by what they are added up by."""
    days = house.run("payments").rows
    assert days == house.run("payments", "--by", "day").rows
    found = {by: house.run("payments", "--by", by).rows for by in BYS}
    for by, rows in found.items():
        assert total(rows) == added(days), by
        for row in rows:
            alike = [row]
            if by == "line" and row["code"] not in PER_DIEM_CODES:
                alike = [each for each in rows if all(each[name] == row[name] for name in (*_CLAIM, "code"))]
            assert total(alike) == added(day for day in days if is_of(row, day)), row
    for by, names in (("line", _CLAIM), ("claim", _CLAIM), ("payer", ("payer",)), ("month", ("month",))):
        keys = [tuple(row[name] for name in names) for row in found[by]]
        assert keys == sorted(keys), by
        assert by == "line" or len(keys) == len(set(keys)), by
    _assert_claims_agree(house, found["claim"])
    for by in ("payer", "month"):
        _assert_report_agrees(house, by, found[by])
    return found


def _assert_claims_agree(house: House, rows: list[Row]) -> None:
    paid = Counter[tuple[str, str]]()
    for row in rows:
        paid[row["episode"], row["claim"]] += row["paid_cents"]
    listed = {(row["episode"], row["claim"]): row["paid_cents"] for row in house.run("claims", "list").rows}
    assert paid.keys() <= listed.keys()
    assert {key: paid[key] for key in listed} == listed


def _assert_report_agrees(house: House, by: str, rows: list[Row]) -> None:
    said: dict[str, Counter[str]] = {}
    for row in house.run("report", "--on", "2026-11-20").rows:
        if row["section"] == "paid":
            told = said.setdefault(row[by], Counter())
            told["paid_cents"] += row["paid_cents"] + row["other_cents"]
            told["to_give_back_cents"] += row["give_back_cents"]
            for name in ("days", "predicted_cents", "open_cents", "other_cents", "patient_cents", "missing_cents"):
                told[name] += row[name]
    assert {row[by]: {name: row[name] for name in said[row[by]]} for row in rows} == said
