"""The claims: where each stands, and what is to be done about those that are not as they should be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from msgspec.structs import asdict
from starlette.requests import Request
from starlette.responses import Response

from commands.outside import utc_now
from commands.web.looking.one_table import OneTable, table_answer
from commands.web.looking.tables import Column
from commands.web.reading import Reading
from commands.web.site import Site
from ledger.facts.merges import Merges
from projections.answers.claim_list import ClaimRow, episodes_claimed, rows_of
from projections.answers.payments import judged_episodes
from projections.answers.plan import plan_of
from projections.read_model.numbers import episodes_with_claims

Row = TypeVar("Row")
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


def claims_page(site: Site, request: Request) -> Response:
    """Every claim and where it stands."""
    with site.reading(claims=True) as reading:
        rows = _kept(site, reading, "claims", (), lambda: _listed(reading))
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
        state = now.date(), now.hour, now.minute // MINUTES_KEPT
        rows = _kept(site, reading, "claims plan", state, lambda: _planned(reading, now))
        one = OneTable("plan", "What is to be done about claims", _PLAN, rows)
        return table_answer(
            site, request, reading, one, one.asked(request), "claims", "/", template="claims.html",
            own_path="/claims/plan", nothing="Every claim is as it should be.",
            about="What was claimed, held against what is known now and how far the claim is on its way, as “claims "
            "plan” has it. Nothing is recorded.",
        )  # fmt: skip


def _kept(
    site: Site, reading: Reading, name: str, more: tuple[object, ...], made: Callable[[], Iterable[Row]]
) -> list[Row]:
    """Rows made once for each state of ledger and book: to read or judge all that was ever claimed takes its time."""
    state = (reading.position, reading.book.hash, more)
    kept = site.kept.get(name)
    if kept is None or kept[0] != state:
        kept = site.kept[name] = state, list(made())
    rows: list[Row] = kept[1]
    return rows


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
