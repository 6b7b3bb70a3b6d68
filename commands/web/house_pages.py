"""Acts of the house at the site: patients merged and parted, months closed, spreadsheets imported."""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.desk.act import Desk, Stopped
from commands.desk.facts import VOIDING
from commands.desk.months import Close, report_lines, said_closed
from commands.desk.patients import Merge, Separate
from commands.desk.sheets import REFUSED, ImportSheet
from commands.web.act_pages import desk_of, new_form, sent_form
from commands.web.forms import Fields
from commands.web.guard.rights import may
from commands.web.reading import Reading
from commands.web.site import Refused, Site, csv_answer
from commands.writing.closing import Closed, NotAsClosed, closed_months, report_again
from projections.audit.month import Month
from projections.operations.open_in_month import OpenInMonth, counted_open, open_in_month
from projections.words import sentence


def merge_form(site: Site, request: Request) -> Response:
    """The form by which patients are merged."""
    with site.reading() as reading:
        elsewhere = "/patients/part", "Part a patient who was merged"
        return new_form(site, request, Merge(desk_of(site, request, reading)), "/", elsewhere=elsewhere)


def merge_sent(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with site.reading() as reading:
        _record_named(site, request, "merge", told)
        return sent_form(site, request, told, Merge(desk_of(site, request, reading)), "/")


def part_form(site: Site, request: Request) -> Response:
    """The form by which a patient is parted from another."""
    with site.reading() as reading:
        return new_form(site, request, Separate(desk_of(site, request, reading)), "/")


def part_sent(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with site.reading() as reading:
        _record_named(site, request, "part", told)
        return sent_form(site, request, told, Separate(desk_of(site, request, reading)), "/")


def _record_named(site: Site, request: Request, page: str, told: Fields) -> None:
    site.record(request, page, [told.get(name, "").strip() for name in ("old", "into")])


def import_form(site: Site, request: Request) -> Response:
    """The form by which a spreadsheet is imported."""
    with site.reading() as reading:
        return new_form(site, request, _import(site, request, desk_of(site, request, reading)), "/")


def import_sent(site: Site, request: Request, told: Fields) -> Response:
    """It was sent; or the refused rows of a sheet are asked for."""
    if told.get("step", "").startswith(REFUSED):
        return _refused_rows(site, request, told)
    with site.reading() as reading:
        return sent_form(site, request, told, _import(site, request, desk_of(site, request, reading)), "/")


def _refused_rows(site: Site, request: Request, told: Fields) -> Response:
    with site.handing_out(request) as notes, site.reading() as reading:
        act = _import(site, request, desk_of(site, request, reading))
        try:
            found = act.refused_rows(told)
        except Stopped as stopped:
            raise Refused(409, "No refused rows", *stopped.sentences) from None
        site.record(request, "import refused csv", found.patients)
        notes.content(found.content)
    return csv_answer(found.name, found.content)


def _import(site: Site, request: Request, desk: Desk) -> ImportSheet:
    session = request.scope["session"]
    barred = () if may(session.role, "POST", "/episode/{id}/void") else (VOIDING,)
    return ImportSheet(desk, site.uploads, session.name, barred)


class MonthShown(NamedTuple):
    """A closed month in a list."""

    text: str
    words: str
    said: str


def months_page(site: Site, request: Request) -> Response:
    """The months that are closed, and one to be looked at."""
    wanted = request.query_params.get("month", "").strip()
    if wanted:
        return RedirectResponse(f"/months/{_month(wanted).text}", 303)
    with site.reading() as reading:
        closed = [
            MonthShown(record.month, Month.read(record.month).words, said_closed(record, new=False))
            for record in closed_months(reading.ledger).values()
        ]
        return site.render("months.html", request, reading=reading, closed=closed[::-1])


def month_page(site: Site, request: Request) -> Response:
    """What is open in a month, with the form that closes it; or the report it was closed with."""
    month = _month(request.path_params["month"])
    with site.reading() as reading:
        if closed := _closed(reading, month):
            site.record(request, "month", [])
            return site.render(
                "closed.html", request, reading=reading, month=month, said=said_closed(closed.record, new=False),
                effect=report_lines(closed),
            )  # fmt: skip
        found = _open(site, request, reading, month)
        act = Close(desk_of(site, request, reading), month, found)
        return new_form(
            site, request, act, "/months", reading=reading, open_rows=found, open_said=counted_open(found),
            allowed=may(request.scope["session"].role, "POST", "/months/{month}"),
        )  # fmt: skip


def month_sent(site: Site, request: Request, told: Fields) -> Response:
    """A month is to be closed."""
    month = _month(request.path_params["month"])
    with site.reading() as reading:
        found = [] if month.text in closed_months(reading.ledger) else _open(site, request, reading, month)
        act = Close(desk_of(site, request, reading), month, found)
        return sent_form(
            site, request, told, act, "/months", reading=reading, open_rows=found, open_said=counted_open(found)
        )


def _open(site: Site, request: Request, reading: Reading, month: Month) -> list[OpenInMonth]:
    found = open_in_month(reading.ledger, reading.views, month)
    site.record(request, "month", [row.patient for row in found])
    return found


def _closed(reading: Reading, month: Month) -> Closed | None:
    record = closed_months(reading.ledger).get(month.text)
    if record is None:
        return None
    try:
        return Closed(record, report_again(reading.ledger, record), new=False)
    except NotAsClosed as refused:
        message, hint = refused.args
        raise Refused(409, "Not as it was closed", sentence(message), f"{hint}.") from None


def _month(text: str) -> Month:
    try:
        return Month.read(text)
    except ValueError:
        raise Refused(404, "No such month", "A month is written YYYY-MM, such as 2026-10.") from None
