"""The sections of the Monday report, each as a table by itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from commands.web.looking.one_table import OneTable, table_answer, table_named
from commands.web.looking.tables import Column
from commands.web.site import Refused, Site
from projections.report.expected import WORDS
from projections.report.report import WeeklyReport

LEFT: Final = {
    "lost": "past the limit", "<=14": "up to 14", "<=30": "15 to 30", "<=60": "31 to 60", "more": "more than 60",
}  # fmt: skip
"""The bands of days left to file, in words."""
REFUND: Final = {"overclaimed": "claimed, no longer billable", "changed": "billable with another code or payer"}
"""Why money is to be refunded, in words."""

_DAYS: Final = (Column("days", "Days", "number"), Column("episodes", "Episodes", "number"))
_BILLED: Final = (
    Column("payer", "Payer", "payer"), Column("month", "Month", "words"), Column("billable_days", "Days", "number"),
    Column("episodes", "Episodes", "number"), Column("cents", "Dollars", "money"),
)  # fmt: skip
_HOLDS: Final = (
    Column("because", "Reason", "words"), Column("payer", "Payer", "payer"), *_DAYS,
    Column("cents", "Dollars", "money"), Column("first_date", "Oldest", "date"), Column("cure", "What to do"),
)  # fmt: skip
_UNBILLED: Final = (
    Column("payer", "Payer", "payer"), Column("left", "Days left to file", "words"), *_DAYS,
    Column("cents", "Dollars", "money"), Column("first_file_by", "First limit", "date"),
)  # fmt: skip
_EXPOSURE: Final = (
    Column("payer", "Payer", "payer"), Column("kind", "What", "words"), Column("days", "Days", "number"),
    Column("claims", "Claims", "number"), Column("cents", "Dollars", "money"),
    Column("first_repay_by", "First due", "date"),
)  # fmt: skip
_UNITS: Final = (
    Column("lasts_to", "Lasts to", "date"), Column("episode", "Episode", "episode"), Column("patient", "Patient"),
    Column("number", "Number"), Column("payer", "Payer", "payer"), Column("units", "Units", "number"),
    Column("drawn", "Used", "number"), Column("left", "Left", "number"), Column("to", "Ends", "date"),
)  # fmt: skip
_CONFLICTS: Final = (Column("rule", "Rule", "words"), *_DAYS, Column("first_date", "Oldest", "date"))
_FINDINGS: Final = (
    Column("rule", "Rule", "words"), Column("todo", "What to do"), Column("findings", "Findings", "number"),
    Column("patients", "Patients", "number"), Column("first_date", "Oldest", "date"),
)  # fmt: skip
_EXPECTED: Final = (
    Column("due", "Due", "date"), Column("kind", "What", "words"), Column("episode", "Episode", "episode"),
    Column("patient", "Patient"), Column("payer", "Payer", "payer"), Column("what", "Which"),
    Column("since", "Since", "date"), Column("count", "Times", "number"), Column("says", "In words"),
)  # fmt: skip


def report_table(site: Site, request: Request) -> Response:
    """A section of the last report by itself, or as CSV."""
    with site.reading() as reading:
        made = site.monday.kept()
        if made is None:
            raise Refused(404, "No report yet", "Open the Monday report first; it is made then.")
        one = table_named(list(tables_of(made.report)), request.path_params["name"])
        return table_answer(site, request, reading, one, one.asked(request), "report", f"/report#{one.name}")


def tables_of(report: WeeklyReport) -> Iterator[OneTable]:
    """The sections of a report."""
    yield OneTable("billed", "Billable days and dollars", _BILLED, report.billed)
    yield OneTable("holds", "Holds and what to do", _HOLDS, report.holds)
    unbilled = [replace(row, left=LEFT[row.left]) for row in report.unbilled]
    yield OneTable("unbilled", "Billable days on no claim", _UNBILLED, unbilled)
    exposure = [replace(row, kind=REFUND.get(row.kind, row.kind)) for row in report.exposure]
    yield OneTable("exposure", "Money to refund", _EXPOSURE, exposure)
    yield OneTable("authorizations", "Authorizations running out", _UNITS, report.authorizations)
    yield OneTable("conflicts", "Conflicts", _CONFLICTS, _spoken(report.conflicts))
    yield OneTable("findings", "Findings that stop a claim", _FINDINGS, _spoken(report.findings))
    expected = [replace(row, kind=WORDS[row.kind]) for row in report.expected]
    yield OneTable("expected", "Expected, and not there", _EXPECTED, expected)


def _spoken(rows: Sequence[Any]) -> list[Any]:
    """Rows with their rules in words."""
    return [replace(row, rule=row.rule.replace("_", " ")) for row in rows]
