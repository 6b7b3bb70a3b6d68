"""The report as one HTML page that needs nothing else: no script, no picture, no address outside itself.

Its style begins with the episode page's, so that both look like one house. Whatever was told is escaped, isolated from
the direction of the text around it, and freed from marks that nobody sees; none of it becomes part of an attribute.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import groupby
from typing import Final, NamedTuple

from jinja2 import Template

from projections.rendering import TEMPLATES, environment, styled
from projections.report.behind import Behind
from projections.report.billed import Billed
from projections.report.charts import Chart, by_days_left, by_month, by_reason
from projections.report.expected import by_kind
from projections.report.paid import PaidAgainst
from projections.report.report import ReportRow, WeeklyReport, key_of
from projections.report.sections import SECTIONS, Section, TextColumn
from projections.report.text import month_words, said, until, whole_report
from projections.words import counted, money


class Cell(NamedTuple):
    """A cell of a section's table."""

    name: str
    text: str
    is_number: bool
    is_date: bool = False


class RowShown(NamedTuple):
    """A row with its cells and the rows behind its numbers."""

    id: str
    cells: tuple[Cell, ...]
    title: str
    command: str
    behind: Behind


class SumShown(NamedTuple):
    """The sum of all rows of a section, and the command that lists what is behind it, if a single one does."""

    cells: tuple[Cell, ...]
    command: str | None


class GroupShown(NamedTuple):
    """Rows of a section that belong together, at times under a heading; so many ``more`` are left out."""

    rows: tuple[RowShown, ...]
    is_month: bool = False
    heading: str | None = None
    more: int = 0


class SectionShown(NamedTuple):
    """A section of the page, and the command that shows what its groups leave out."""

    name: str
    section: Section
    chart: Chart | None
    groups: tuple[GroupShown, ...]
    sum: SumShown | None
    rest: str | None = None

    @property
    def rows(self) -> list[RowShown]:
        """All rows of the section."""
        return [row for group in self.groups for row in group.rows]


class Tile(NamedTuple):
    """A figure at the head of the page, with where it leads."""

    name: str
    figure: str
    says: str
    section: str


def render_report(report: WeeklyReport, *, whole: bool = False) -> str:
    """The page; the same report always as the same text. Of what is expected it has the oldest of each kind, or all."""
    return _template().render(
        report=report, heading=report.heading, sections=_sections(report, whole), tiles=_tiles(report),
        until=until(report.heading), last_month=month_words(report.heading.last_month),
        **styled("episode.css", "report.css"),
    )  # fmt: skip


@cache
def _template() -> Template:
    return environment(TEMPLATES).get_template("report.html")


def _sections(report: WeeklyReport, whole: bool) -> list[SectionShown]:
    charts = {
        "billed": by_month(report.billed, report.payer_names),
        "holds": by_reason(report.holds),
        "unbilled": by_days_left(report.unbilled),
    }
    shown = [
        SectionShown(name, section, charts.get(name), _groups(report, name, section), _sum(report, name, section))
        for name, section in SECTIONS.items()
        if name != "expected"
    ]
    return [*shown, _expected(report, whole)]


def _expected(report: WeeklyReport, whole: bool) -> SectionShown:
    section, groups, place = SECTIONS["expected"], list[GroupShown](), 0
    for kind in by_kind(report.expected, whole=whole):
        rows = tuple(_row(report, "expected", place + number, section, row) for number, row in enumerate(kind.rows, 1))
        groups.append(GroupShown(rows, heading=kind.heading, more=kind.more))
        place += len(rows)
    rest = whole_report(report.asked) if any(group.more for group in groups) else None
    return SectionShown("expected", section, None, tuple(groups), None, rest)


def _groups(report: WeeklyReport, name: str, section: Section) -> tuple[GroupShown, ...]:
    rows: Sequence[ReportRow] = getattr(report, name)
    shown = [_row(report, name, place, section, row) for place, row in enumerate(rows, 1)]
    if name not in ("billed", "paid"):
        return (GroupShown(tuple(shown)),)
    months = [row.month for row in rows if isinstance(row, Billed | PaidAgainst)]
    by_newest = sorted(zip(months, shown, strict=True), key=lambda pair: pair[0], reverse=True)
    return tuple(
        GroupShown(tuple(row for _, row in pairs), is_month=True)
        for _, pairs in groupby(by_newest, key=lambda pair: pair[0])
    )


def _row(report: WeeklyReport, name: str, place: int, section: Section, row: ReportRow) -> RowShown:
    cells = tuple(_cell(report, column, row) for column in section.columns)
    title = ", ".join(cell.text for cell in cells if not cell.is_number and cell.name in section.names)
    behind = report.behind.get(key_of(row), Behind())
    return RowShown(f"{name}-{place}", cells, title, row.rows, behind)


def _cell(report: WeeklyReport, column: TextColumn, row: ReportRow) -> Cell:
    text = column.cell(row)
    text = said(column.name, text, report.payer_names)
    if column.cents:
        text = "unknown" if text == "unknown" else f"≥ ${text[2:]}" if text.startswith("≥") else f"${text}"
    return Cell(column.name, text, column.is_number, column.name in _DATES)


_DATES: Final = ("sent", "oldest", "first by", "ends", "lasts to", "since", "due")


def _sum(report: WeeklyReport, name: str, section: Section) -> SumShown | None:
    """Days and dollars of all rows together; episodes and claims are not added up, for one may be in several rows."""
    rows: Sequence[ReportRow] = getattr(report, name)
    if name == "authorizations" or len(rows) < 2:
        return None
    told = {
        "days": f"{sum(getattr(row, 'days', 0) or getattr(row, 'billable_days', 0) for row in rows):,}",
        "findings": f"{sum(getattr(row, 'findings', 0) for row in rows):,}",
        "answers": f"{sum(getattr(row, 'answers', 0) for row in rows):,}",
    }
    told |= {
        column.name: _dollars([getattr(row, column.cents) for row in rows])
        for column in section.columns
        if column.cents
    }
    cells = tuple(Cell(column.name, told.get(column.name, ""), column.is_number) for column in section.columns)
    return SumShown(cells, _whole(report, name))


def _dollars(cents: Sequence[int | None]) -> str:
    known = [one for one in cents if one is not None]
    return f"{'≥ ' if len(known) < len(cents) else ''}{money(sum(known))}"


_STATUS: Final = {"billed": "billable", "holds": "hold", "conflicts": "conflict"}


_CLAIMED: Final = {"exposure": "--unanswered", "give_back": "--to-give-back"}


def _whole(report: WeeklyReport, name: str) -> str | None:
    """The command that lists what is behind all rows of a section, where one command does."""
    asked = report.asked
    if name in _STATUS:
        return asked.rows("days", status=_STATUS[name])
    if name == "unbilled":
        flags = ["--claimed"] if asked.payer is not None else ["--claimed", "--all"]
        return asked.rows("diff", *flags, kind="unbilled")
    if name in _CLAIMED and asked.payer is not None:
        return asked.rows("diff", "--claimed", _CLAIMED[name], payer=None, claims_to=asked.payer)
    if name == "paid":
        return asked.rows("payments")
    if name == "denials":
        return asked.rows("payments", "--missing")
    return None


def _tiles(report: WeeklyReport) -> list[Tile]:
    latest = max((row.month for row in report.billed if row.month <= report.heading.on[:7]), default=None)
    billed = sum(row.cents for row in report.billed if row.month == latest)
    lost = sum(row.cents for row in report.unbilled if row.left == "lost")
    repay_by = min((row.first_repay_by for row in report.give_back if row.first_repay_by), default=None)
    held = [row.cents for row in report.holds]
    return [
        Tile("Billable", money(billed), f"in {latest}" if latest else "no day is billable", "billed"),
        Tile(
            "On hold", counted(sum(row.days for row in report.holds), "day"),
            f"worth {_dollars(held)}" if any(cents is not None for cents in held) else "curable", "holds",
        ),
        Tile("On no claim", money(sum(row.cents for row in report.unbilled)), f"{money(lost)} too late", "unbilled"),
        Tile(
            "To give back", money(sum(row.cents for row in report.give_back)),
            f"first by {repay_by}" if repay_by else "to payers", "give_back",
        ),
        Tile(
            "Paid", money(sum(row.paid_cents for row in report.paid)),
            f"of {money(sum(row.predicted_cents for row in report.paid))} predicted", "paid",
        ),
        Tile(
            "Missing", money(sum(row.cents for row in report.denials)),
            f"{counted(len(report.unanswered), 'claim')} without an answer", "denials",
        ),
        Tile(
            "Authorizations", f"{len(report.authorizations):,}",
            f"lasts to {report.authorizations[0].lasts_to}" if report.authorizations else "none runs out",
            "authorizations",
        ),
        Tile(
            "In conflict", counted(sum(row.days for row in report.conflicts), "day"),
            counted(sum(row.findings for row in report.findings), "hard finding"), "conflicts",
        ),
    ]  # fmt: skip
