"""The claims: where each stands, and what is to be done about those that are not as they should be; and what payers
answered for no known claim, with the form that assigns it to one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response

from commands.answers.assign import AnswersNamed
from commands.desk.assigning import AssignAnswers
from commands.outside import utc_now
from commands.web.act_pages import desk_of, new_form, sent_form
from commands.web.forms import Fields
from commands.web.looking.one_table import OneTable, table_answer
from commands.web.looking.tables import Column
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from ledger.facts.merges import Merges
from projections.answers.claim_list import ClaimRow, episodes_claimed, rows_of
from projections.answers.payments import judged_episodes
from projections.answers.plan import plan_of
from projections.answers.unmatched import UnmatchedRow, unmatched_of, unmatched_row
from projections.read_model.numbers import episodes_with_claims

MINUTES_KEPT: Final = 15
"""The patients' date changes at their midnight: every offset of a zone is so many minutes, or several times as many."""
_CLAIMS: Final = (
    Column("state", "State", "words"), Column("claim", "Claim"), Column("episode", "Episode", "episode"),
    Column("patient", "Patient"), Column("payer", "Payer", "payer"), Column("charge_cents", "Charged", "money"),
    Column("paid_cents", "Paid", "money"), Column("control", "Number on it"), Column("frequency", "Frequency"),
    Column("replaces", "Replaces"), Column("payer_control", "Payer's number"), Column("file", "File"),
)  # fmt: skip
_PLAN: Final = (
    Column("by", "By", "date"), Column("instrument", "What to do", "words"), Column("cents", "Dollars", "money"),
    Column("claim", "Claim"), Column("state", "State", "words"), Column("why", "Why"),
    Column("episode", "Episode", "episode"), Column("patient", "Patient"), Column("payer", "Payer", "payer"),
)  # fmt: skip
WAITING: Final = "/payments/unmatched"
_WAITING: Final = (
    Column("paid_on", "Paid on", "date"), Column("payer", "Payer", "payer"), Column("payment", "Payment"),
    Column("control", "Payer's number"), Column("claim", "Claim as the payer has it"), Column("status", "Status"),
    Column("charge_cents", "Charged", "money"), Column("paid_cents", "Paid", "money"),
    Column("assigned_at_page", "Assign", "mend"),
)  # fmt: skip


class ClaimListed(ClaimRow, frozen=True):
    """A claim, where it stands, and whose it is."""

    patient: str


class ClaimPlanned(NamedTuple):
    """A claim that is not as it should be, what is to be done in words, and whose it is."""

    by: str | None
    instrument: str
    cents: int
    claim: str
    state: str
    why: str
    episode: str
    patient: str
    payer: str


class AnswerListed(UnmatchedRow, frozen=True):
    """An answer that waits, and the address of the form that assigns it."""

    assigned_at_page: str


def claims_page(site: Site, request: Request) -> Response:
    """Every claim and where it stands."""
    with site.reading(claims=True) as reading:
        rows = site.kept(reading, "claims", lambda: list(_listed(reading)))
        one = OneTable("list", "Claims", _CLAIMS, rows)
        return table_answer(
            site, request, reading, one, one.asked(request), "claims", "/", template="claims.html",
            own_path="/claims", about="Every claim and where it stands, as “claims list” has it.",
            nothing="No claim is recorded.",
        )  # fmt: skip


def plan_page(site: Site, request: Request) -> Response:
    """The claims that are not as they should be: what is to be done about each, for how much, and by when."""
    now = utc_now()
    with site.reading(claims=True) as reading:
        until = int(now.timestamp()) // (60 * MINUTES_KEPT)
        rows = site.kept(reading, "claims plan", lambda: list(_planned(reading, now)), until)
        one = OneTable("plan", "What is to be done about claims", _PLAN, rows)
        return table_answer(
            site, request, reading, one, one.asked(request), "claims", "/", template="claims.html",
            own_path="/claims/plan", nothing="Every claim is as it should be.",
            about="What was claimed, held against what is known now and how far the claim is on its way, as “claims "
            "plan” has it. Nothing is recorded.",
        )  # fmt: skip


def _listed(reading: Reading) -> Iterator[ClaimListed]:
    merges = Merges(reading.ledger.merge_entries())
    for episode in episodes_claimed(reading.ledger, episodes_with_claims(reading.views)):
        patient = merges.survivor(episode.patient)
        for row in rows_of(episode):
            yield ClaimListed(**asdict(row), patient=patient)


def _planned(reading: Reading, now: datetime) -> Iterator[ClaimPlanned]:
    for judged, case in judged_episodes(reading.ledger, reading.book, episodes_with_claims(reading.views)):
        for row in plan_of(judged, case, now):
            words = row.instrument.replace("_", " ")
            yield ClaimPlanned(
                row.by, words, row.cents, row.claim, row.state, row.why, row.episode, case.episode.patient, row.payer
            )


def unmatched_page(site: Site, request: Request) -> Response:
    """The answers that wait to be assigned."""
    with site.reading() as reading:
        rows = [_waiting(site, unmatched_row(act)) for act in unmatched_of(reading.ledger)]
        one = OneTable("unmatched", "Payments to be assigned", _WAITING, rows)
        return table_answer(
            site, request, reading, one, one.asked(request), "payments", "/", template="claims.html", own_path=WAITING,
            nothing="No answer waits to be assigned.",
            about="What payers answered for no claim that the ledger knows, as “payments --unmatched” has it. It counts"
            " for no claim until somebody says which one it is for.",
        )  # fmt: skip


def _waiting(site: Site, row: UnmatchedRow) -> AnswerListed:
    opaque = site.ids.of("answer", "\0".join((row.payment, row.control, row.payer)))
    return AnswerListed(**asdict(row), assigned_at_page=f"{WAITING}/{opaque}")


def assign_form(site: Site, request: Request) -> Response:
    """The form that assigns what a check answered under one number."""
    with site.reading() as reading:
        act = _act(site, request, reading)
        if not act.waiting:
            raise Refused(404, "Nothing waits here", "It was assigned meanwhile. Open the list again.")
        site.record(request, "payments", ())
        return new_form(site, request, act, WAITING, reading=reading, facts=act.facts)


def assign_answer(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with site.reading() as reading:
        act = _act(site, request, reading)
        return sent_form(site, request, told, act, WAITING, facts=act.facts)


def _act(site: Site, request: Request, reading: Reading) -> AssignAnswers:
    named = site.ids.name("answer", request.path_params["id"])
    if named is None:
        where = "Addresses of answers hold until the site is stopped. Open it again from the list."
        raise Refused(404, "No such answer", where)
    payment, control, payer = named.split("\0")
    return AssignAnswers(desk_of(site, request, reading), AnswersNamed(payment, control, payer))
