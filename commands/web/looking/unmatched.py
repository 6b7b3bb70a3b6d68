"""What payers answered for no claim that is known: the list of it, and the form that assigns it to a claim."""

from __future__ import annotations

from typing import Final

from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response

from commands.answers.assign import AnswersNamed
from commands.desk.assigning import AssignAnswers
from commands.web.act_pages import desk_of, new_form, sent_form
from commands.web.forms import Fields
from commands.web.looking.one_table import OneTable, table_answer
from commands.web.looking.tables import Column
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from projections.answers.unmatched import UnmatchedRow, unmatched_of, unmatched_row

LIST: Final = "/payments/unmatched"
_COLUMNS: Final = (
    Column("paid_on", "Paid on", "date"), Column("payer", "Payer", "payer"), Column("payment", "Payment"),
    Column("control", "Payer's number"), Column("claim", "Claim as the payer has it"), Column("status", "Status"),
    Column("charge_cents", "Charged", "money"), Column("paid_cents", "Paid", "money"),
    Column("assigned_at_page", "Assign", "mend"),
)  # fmt: skip


class AnswerListed(UnmatchedRow, frozen=True):
    """An answer that waits, and the address of the form that assigns it."""

    assigned_at_page: str


def unmatched_page(site: Site, request: Request) -> Response:
    """The answers that wait to be assigned."""
    with site.reading() as reading:
        rows = [_listed(site, unmatched_row(act)) for act in unmatched_of(reading.ledger)]
        one = OneTable("unmatched", "Payments to be assigned", _COLUMNS, rows)
        return table_answer(
            site, request, reading, one, one.asked(request), "payments", "/", template="claims.html", own_path=LIST,
            nothing="No answer waits to be assigned.",
            about="What payers answered for no claim that the ledger knows, as “payments --unmatched” has it. It counts"
            " for no claim until somebody says which one it is for.",
        )  # fmt: skip


def _listed(site: Site, row: UnmatchedRow) -> AnswerListed:
    opaque = site.ids.of("answer", "\0".join((row.payment, row.control, row.payer)))
    return AnswerListed(**asdict(row), assigned_at_page=f"{LIST}/{opaque}")


def assign_form(site: Site, request: Request) -> Response:
    """The form that assigns what a check answered under one number."""
    with site.reading() as reading:
        act = _act(site, request, reading)
        if not act.waiting:
            raise Refused(404, "Nothing waits here", "It was assigned meanwhile. Open the list again.")
        site.record(request, "payments", ())
        return new_form(site, request, act, LIST, reading=reading, facts=act.facts)


def assign_answer(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with site.reading() as reading:
        act = _act(site, request, reading)
        return sent_form(site, request, told, act, LIST, facts=act.facts)


def _act(site: Site, request: Request, reading: Reading) -> AssignAnswers:
    named = site.ids.name("answer", request.path_params["id"])
    if named is None:
        where = "Addresses of answers hold until the site is stopped. Open it again from the list."
        raise Refused(404, "No such answer", where)
    payment, control, payer = named.split("\0")
    return AssignAnswers(desk_of(site, request, reading), AnswersNamed(payment, control, payer))
