"""Bars for the page: where each part of a bar stands, for a wide and for a narrow drawing.

A bar lies on its side, so that its words are never turned and as many months fit as there are. Parts are told apart by
colour and by the number written on them; every number drawn stands in a table, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Final, NamedTuple

from projections.report.billed import Billed
from projections.report.claims import BANDS, Unbilled
from projections.report.holds import Hold
from projections.report.sections import LEFT
from projections.words import counted, money, whole_dollars

MONTHS_DRAWN: Final = 18
PAYERS_DRAWN: Final = 5
"""So many payers have a colour of their own; what the others pay is one part."""

ROW: Final = 26
TOP: Final = 24
CHARACTER: Final = 7.6


class Bar(NamedTuple):
    """A labelled bar of parts; ``value`` is what is written at its end."""

    label: str
    parts: tuple[int, ...]
    value: str


class Slice(NamedTuple):
    """A part of a bar as it is drawn; ``number`` is written on it where there is room."""

    x: float
    width: float
    series: int
    number: int | None


class Drawn(NamedTuple):
    """A bar as it is drawn."""

    y: int
    label: str
    parts: tuple[Slice, ...]
    value: str
    value_x: float


class Tick(NamedTuple):
    """A line of the scale."""

    x: float
    text: str


class Drawing(NamedTuple):
    """One drawing of a chart; lengths are in units of the drawing."""

    name: str
    width: int
    height: int
    label_x: float
    bars: tuple[Drawn, ...]
    ticks: tuple[Tick, ...]


class Chart(NamedTuple):
    """A chart in both widths; ``series`` are the names of the parts, by number, and ``says`` tells it in words."""

    id: str
    title: str
    says: str
    series: tuple[str, ...]
    drawings: tuple[Drawing, ...]


def chart(
    id: str, title: str, says: str, bars: Sequence[Bar], scale: Callable[[int], str], series: Sequence[str] = ()
) -> Chart:
    """A chart of bars; ``scale`` writes the numbers of its scale."""
    drawings = (_drawing("wide", 960, bars, scale, bool(series)), _drawing("narrow", 350, bars, scale, bool(series)))
    return Chart(id, title, says, tuple(series), drawings)


def _drawing(name: str, width: int, bars: Sequence[Bar], scale: Callable[[int], str], numbered: bool) -> Drawing:
    left = max(len(bar.label) for bar in bars) * CHARACTER + 10
    right = max(len(bar.value) for bar in bars) * CHARACTER + 10
    most = max(sum(bar.parts) for bar in bars) or 1
    each = (width - left - right) / most
    drawn = tuple(_drawn(bar, TOP + place * ROW, left, each, numbered) for place, bar in enumerate(bars))
    ticks = tuple(Tick(round(left + value * each, 1), scale(value)) for value in _ticks(most, 5 if width > 500 else 2))
    return Drawing(name, width, TOP + len(bars) * ROW, round(left - 8, 1), drawn, ticks)


def _drawn(bar: Bar, y: int, left: float, each: float, numbered: bool) -> Drawn:
    parts, x = [], left
    for series, value in enumerate(bar.parts, 1):
        if value:
            parts.append(Slice(round(x, 1), round(value * each, 1), series, _number(series, value * each, numbered)))
            x += value * each
    return Drawn(y, bar.label, tuple(parts), bar.value, round(x + 6, 1))


def _number(series: int, width: float, numbered: bool) -> int | None:
    return series if numbered and width >= 14 else None


def _ticks(most: int, about: int) -> Iterable[int]:
    """Round numbers from 0 to the most, about so many steps."""
    step = next(
        size for power in count() for size in (10**power, 2 * 10**power, 5 * 10**power) if most // size <= about
    )
    return range(0, most + 1, step)


def by_month(rows: Sequence[Billed], payer_names: dict[str, str]) -> Chart | None:
    """Dollars by month, each bar made of what the payers pay."""
    if not rows:
        return None
    months = _months(min(row.month for row in rows), max(row.month for row in rows))
    recent = [row for row in rows if row.month >= months[0]]
    own = _largest(recent)
    cents = {(row.month, row.payer): row.cents for row in recent}
    bars = [_month_bar(month, own, cents) for month in months]
    names = [payer_names.get(payer, payer) for payer in own]
    others = len({row.payer for row in recent}) - len(own)
    series = [*names, counted(others, "other payer")] if others else names
    most = max(bars, key=lambda bar: sum(bar.parts))
    says = f"{len(bars)} months from {months[0]} to {months[-1]}; the most is {most.value} in {most.label}."
    return chart("chart-billed", "Billable dollars by month and payer", says, bars, whole_dollars, series)


def _months(first: str, last: str) -> list[str]:
    """Every month from one to another; of many the last."""
    begin, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    begin = max(begin, end - MONTHS_DRAWN + 1)
    return [f"{month // 12:04}-{month % 12 + 1:02}" for month in range(begin, end + 1)]


def _largest(rows: Iterable[Billed]) -> list[str]:
    """The payers who pay most, the largest first; one more than fit may still have a colour instead of *others*."""
    paid: dict[str, int] = {}
    for row in rows:
        paid[row.payer] = paid.get(row.payer, 0) + row.cents
    ranked = sorted(paid, key=lambda payer: (-paid[payer], payer))
    return ranked if len(ranked) <= PAYERS_DRAWN + 1 else ranked[:PAYERS_DRAWN]


def _month_bar(month: str, own: Sequence[str], cents: dict[tuple[str, str], int]) -> Bar:
    total = sum(paid for (when, _), paid in cents.items() if when == month)
    parts = [cents.get((month, payer), 0) for payer in own]
    return Bar(month, (*parts, total - sum(parts)), money(total))


def by_reason(rows: Sequence[Hold]) -> Chart | None:
    """Days on hold by reason, whatever the payer."""
    if not rows:
        return None
    days: dict[str, int] = {}
    for row in rows:
        days[row.because] = days.get(row.because, 0) + row.days
    ranked = sorted(days, key=lambda reason: (-days[reason], reason))
    bars = [Bar(reason, (days[reason],), f"{days[reason]:,} d") for reason in ranked]
    says = f"{sum(days.values()):,} days on hold for {len(days)} reasons; most for: {ranked[0]}."
    return chart("chart-holds", "Days on hold by reason", says, bars, "{:,}".format)


def by_days_left(rows: Sequence[Unbilled]) -> Chart | None:
    """Dollars that are billable and on no claim, by the days left to file them, whatever the payer."""
    if not rows:
        return None
    cents = {band.name: sum(row.cents for row in rows if row.left == band.name) for band in BANDS}
    bars = [
        Bar(LEFT[name], (cents[name], 0) if name == "lost" else (0, cents[name]), money(cents[name])) for name in cents
    ]
    says = f"{money(sum(cents.values()))} on no claim, of which {money(cents['lost'])} too late to file."
    return chart("chart-unbilled", "Unbilled dollars by the time left to file", says, bars, whole_dollars)
