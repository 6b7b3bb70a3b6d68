"""The report as a person reads it in a terminal: a table for each section, and beside each row where its rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from textwrap import wrap
from typing import Any, Final, NamedTuple

from projections.report.asked import Asked
from projections.report.expected import ExpectedKind, by_kind
from projections.report.holds import Hold
from projections.report.report import Heading, WeeklyReport
from projections.tables import WIDEST, command_lines, fitting, folded, row_lines
from projections.words import REASONS, amount, minute

Cell = Callable[[Any], str]


class TextColumn(NamedTuple):
    """A column of a section's table; numbers stand on the right."""

    name: str
    cell: Cell
    is_number: bool = False


class Section(NamedTuple):
    """A section's title, its columns, what is said instead of no rows, and the columns that name a row."""

    title: str
    columns: tuple[TextColumn, ...]
    nothing: str
    names: tuple[str, ...]


def _text(name: str, field: str | None = None) -> TextColumn:
    return TextColumn(name, lambda row: str(getattr(row, field or name)))


def _maybe(name: str, field: str | None = None) -> TextColumn:
    return TextColumn(name, lambda row: getattr(row, field or name) or "–")


def _count(name: str, field: str | None = None) -> TextColumn:
    return TextColumn(name, lambda row: f"{getattr(row, field or name):,}", True)


def _dollars(row: Any) -> str:
    if row.cents is None:
        return "unknown"
    known_in_part = isinstance(row, Hold) and row.priced_days < row.days
    return f"{'≥ ' if known_in_part else ''}{amount(row.cents)}"


_MONEY: Final = TextColumn("dollars", _dollars, True)


LEFT: Final = {
    "lost": "too late",
    "<=14": "up to 14 days left",
    "<=30": "15 to 30 days left",
    "<=60": "31 to 60 days left",
    "more": "more than 60 days left",
}
"""The bands of unbilled days in words."""

SECTIONS: Final[dict[str, Section]] = {
    "billed": Section(
        "Billable days and dollars by payer and month",
        (_text("month"), _text("payer"), _count("days", "billable_days"), _count("episodes"), _MONEY),
        "No day is billable.",
        ("month", "payer"),
    ),
    "holds": Section(
        "On hold, and what to do",
        (_text("reason"), _maybe("payer"), _count("days"), _count("episodes"), _MONEY, _text("oldest", "first_date"),
         _text("cure")),
        "No day is on hold.",
        ("reason", "payer"),
    ),
    "unbilled": Section(
        "Billable, and on no claim yet",
        (_text("payer"), TextColumn("to file", lambda row: LEFT[row.left]), _count("days"), _count("episodes"), _MONEY,
         _text("first by", "first_file_by")),
        "Every billable day is on a claim.",
        ("payer", "to file"),
    ),
    "exposure": Section(
        "Claimed, and not billable as claimed: money to refund",
        (_text("payer"), _text("kind"), _count("days"), _count("claims"), _MONEY,
         _maybe("first by", "first_repay_by")),
        "Nothing to refund.",
        ("payer", "kind"),
    ),
    "authorizations": Section(
        "Authorizations running out while therapy goes on",
        (_text("number"), _text("episode"), _text("payer"), TextColumn("codes", lambda row: ", ".join(row.codes)),
         _count("units"), _count("drawn"), _count("left"), _text("ends", "to"), _text("lasts to", "lasts_to")),
        "No authorization runs out.",
        ("number", "episode"),
    ),
    "conflicts": Section(
        "Conflicts to decide",
        (_text("rule"), _count("days"), _count("episodes"), _text("oldest", "first_date")),
        "No day is in conflict.",
        ("rule",),
    ),
    "findings": Section(
        "Hard findings: each stops a claim",
        (_text("rule"), _count("findings"), _count("patients"), _text("oldest", "first_date"), _text("to do", "todo")),
        "No finding is hard.",
        ("rule",),
    ),
    "expected": Section(
        "Expected, and not there",
        (_text("due"), _text("patient"), _text("episode"), _maybe("payer"), _text("of", "what"), _maybe("since"),
         _text("to do", "says")),
        "Nothing is missing.",
        ("due", "episode"),
    ),
}  # fmt: skip
"""The sections in the order of the report."""


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


_KINDS: Final = {"overclaimed": "overpaid", "changed": "billed otherwise"}


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
    return asked.rows("report", "--all", on=asked.on)


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
