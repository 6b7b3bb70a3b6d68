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
REFUND: Final = {
    "overclaimed": "not billable", "changed": "billable with another code or payer",
    "overpaid": "billable for less, or on a claim that is gone",
}  # fmt: skip
"""Why money is not due, in words."""

UNDUE: Final = "Claimed and not answered, and not billable as claimed"
TO_GIVE_BACK: Final = "Paid, and not due: money to give back"

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
_PAID: Final = (
    Column("payer", "Payer", "payer"), Column("month", "Month", "words"), Column("days", "Days", "number"),
    Column("claims", "Claims", "number"), Column("predicted_cents", "Predicted", "money"),
    Column("open_cents", "Not answered", "money"), Column("paid_cents", "Paid", "money"),
    Column("patient_cents", "Patient owes", "money"), Column("missing_cents", "Missing", "money"),
    Column("give_back_cents", "To give back", "money"), Column("other_cents", "Drugs, visits", "money"),
)  # fmt: skip
_UNANSWERED: Final = (
    Column("sent_on", "Sent", "date"), Column("claim", "Claim"), Column("episode", "Episode", "episode"),
    Column("patient", "Patient"), Column("payer", "Payer", "payer"), Column("waits", "Days waiting", "number"),
    Column("days", "Days", "number"), Column("cents", "Claimed", "money"),
    Column("predicted_cents", "Predicted", "money"),
)  # fmt: skip
_DENIALS: Final = (
    Column("payer", "Payer", "payer"), Column("status", "Status", "words"), Column("reasons", "Reasons", "words"),
    Column("days", "Days", "number"), Column("claims", "Claims", "number"), Column("cents", "Dollars", "money"),
    Column("cure", "What to do"),
)  # fmt: skip
_UNMATCHED: Final = (
    Column("payer", "Payer", "payer"), Column("answers", "Answers", "number"), Column("cents", "Dollars", "money"),
    Column("first_paid_on", "Oldest", "date"),
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
        made = site.report_made()
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
    exposure = [replace(row, kind=REFUND[row.kind]) for row in report.exposure]
    yield OneTable("exposure", UNDUE, _EXPOSURE, exposure)
    give_back = [replace(row, kind=REFUND[row.kind]) for row in report.give_back]
    yield OneTable("give_back", TO_GIVE_BACK, _EXPOSURE, give_back)
    yield OneTable("paid", "Predicted against paid", _PAID, report.paid)
    yield OneTable("unanswered", "Claims without an answer", _UNANSWERED, report.unanswered)
    yield OneTable("denials", "Denied or paid too little", _DENIALS, report.denials)
    yield OneTable("unmatched", "Paid for no claim that is known", _UNMATCHED, report.unmatched)
    yield OneTable("authorizations", "Authorizations running out", _UNITS, report.authorizations)
    yield OneTable("conflicts", "Conflicts", _CONFLICTS, _spoken(report.conflicts))
    yield OneTable("findings", "Findings that stop a claim", _FINDINGS, _spoken(report.findings))
    expected = [replace(row, kind=WORDS[row.kind]) for row in report.expected]
    yield OneTable("expected", "Expected, and not there", _EXPECTED, expected)


def _spoken(rows: Sequence[Any]) -> list[Any]:
    """Rows with their rules in words."""
    return [replace(row, rule=row.rule.replace("_", " ")) for row in rows]
