"""The report as a person reads it in a terminal: a table for each section, and beside each row where its rows are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from textwrap import wrap
from typing import Any, Final

from projections.report.asked import Asked
from projections.report.expected import ExpectedKind, by_kind
from projections.report.report import Heading, WeeklyReport
from projections.report.sections import SECTIONS, TextColumn
from projections.tables import WIDEST, command_lines, fitting, folded, row_lines
from projections.words import ANSWER_DAYS, REASONS, minute


def render_text(report: WeeklyReport, *, whole: bool = False, widest: int = WIDEST) -> Iterator[str]:
    """The lines of the report; of what is expected the oldest of each kind, unless it is wanted whole."""
    heading = report.heading
    as_of = f", as known at {heading.known_at}" if heading.known_at else ""
    title = f"Report on {heading.on}{as_of}; the month last ended is {month_words(heading.last_month)}"
    yield from folded(title, widest=widest)
    for name, section in SECTIONS.items():
        rows = getattr(report, name)
        yield ""
        yield from folded(f"{section.title} ({until(heading)})", widest=widest)
        if not rows:
            yield f"  {section.nothing}"
        elif name == "expected":
            yield from _expected(section.columns, by_kind(rows, whole=whole), report, widest)
        else:
            yield from _table(section.columns, rows, report.payer_names, widest)
    yield ""
    yield "Each row's numbers are counted from the rows that the command below it prints."


def until(heading: Heading) -> str:
    """Up to when a section's data reach."""
    return f"data until {minute(heading.data_until)}" if heading.data_until else "nothing is recorded"


def month_words(month: str) -> str:
    """A month as a person reads it: ``October 2026``."""
    return date.fromisoformat(f"{month}-01").strftime("%B %Y")


def said(name: str, text: str, payers: Mapping[str, str]) -> str:
    """A cell in plain words: payers, reasons and rules by the names people have for them."""
    match name:
        case "payer":
            return payers.get(text, text)
        case "reason":
            return REASONS[text]
        case "rule":
            return text.replace("_", " ")
        case "kind":
            return _KINDS[text]
    return text


_KINDS: Final = {"overclaimed": "not billable", "changed": "billed otherwise", "overpaid": "paid too much"}


_BELOW: Final = ("cure", "to do")
"""Columns of whole sentences, which stand below their row."""


def _expected(
    columns: Sequence[TextColumn], kinds: Sequence[ExpectedKind], report: WeeklyReport, widest: int
) -> Iterator[str]:
    """A table for each kind; how an episode came to it is seen by one and the same command, which is said once."""
    for kind in kinds:
        yield f"  {kind.heading}"
        for line in _table(columns, kind.rows, report.payer_names, widest - 2, commands=False):
            yield f"  {line}"
        if kind.more:
            yield f"    and {kind.more:,} more"
    yield ""
    if any(kind.more for kind in kinds):
        yield from command_lines(whole_report(report.asked), "  All of them: ", widest)
    yield from command_lines("replay EPISODE", "  What is told of one: ", widest)


def whole_report(asked: Asked) -> str:
    """The command that shows a report with everything that is expected."""
    days = None if asked.answer_days == ANSWER_DAYS else str(asked.answer_days)
    return asked.rows("report", "--all", on=asked.on, answer_days=days)


def _table(
    columns: Sequence[TextColumn],
    rows: Sequence[Any],
    payers: Mapping[str, str],
    widest: int,
    *,
    commands: bool = True,
) -> Iterator[str]:
    across = [column for column in columns if column.name not in _BELOW]
    below = [column for column in columns if column.name in _BELOW]
    lines = [[column.name for column in across]]
    lines += [[said(column.name, column.cell(row), payers) for column in across] for row in rows]
    widths, numbers = fitting(lines, widest - 2), [column.is_number for column in across]
    for place, line in enumerate(lines):
        yield from (f"  {part}" for part in row_lines(line, widths, numbers))
        if place:
            row = rows[place - 1]
            yield from (f"      {part}" for column in below for part in wrap(column.cell(row), widest - 6))
            yield from command_lines(row.rows, "      ", widest) if commands else ()
