"""The report as a person reads it in a terminal: a table for each section, and beside each row where its rows are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from projections.report.holds import Hold
from projections.report.report import WeeklyReport
from projections.words import amount

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
}  # fmt: skip
"""The sections in the order of the report."""


def render_text(report: WeeklyReport) -> Iterator[str]:
    """The lines of the report."""
    heading = report.heading
    as_of = f", as known at {heading.known_at}" if heading.known_at else ""
    yield f"WeeklyReport on {heading.on}{as_of}, from ledger {heading.ledger_id} up to position {heading.position:,}"
    for name, section in SECTIONS.items():
        rows = getattr(report, name)
        yield ""
        yield section.title
        yield from _table(section.columns, rows) if rows else [f"  {section.nothing}"]
    yield ""
    yield "Each row's numbers are counted from the rows that 'episode-ledger' and the words at its end print."


def _table(columns: Sequence[TextColumn], rows: Sequence[Any]) -> Iterator[str]:
    cells = [[column.cell(row) for column in columns] for row in rows]
    widths = [max(map(len, [column.name, *together])) for column, *together in zip(columns, *cells, strict=True)]
    yield _line([column.name for column in columns], columns, widths, "rows")
    for row, line in zip(rows, cells, strict=True):
        yield _line(line, columns, widths, row.rows)


def _line(cells: Sequence[str], columns: Sequence[TextColumn], widths: Sequence[int], rows: str) -> str:
    padded = (
        cell.rjust(width) if column.is_number else cell.ljust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    )
    return "  " + "  ".join([*padded, rows])
