"""The work list, and a piece of work with what was decided about it."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from commands.desk.act import new_identity
from commands.web.looking.deciding import who, work_asked
from commands.web.looking.tables import ROWS_A_PAGE, Asked, Column, Table, csv_of
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from commands.web.times import reader_today
from ledger.facts.desk_acts import WorkAct, WorkAssigned, WorkDone, WorkNoted
from projections.read_model.kept_work import not_worked_out
from projections.why.cures import CURES
from projections.words import payer_name, utc_text
from projections.work.chosen import DUE, SORTS, WorkFilters, work_rows
from projections.work.facets import FACETS, Group, facets, sums_of, work_groups
from projections.work.items import KINDS, WORKS, work_words

_FACET_TITLES: Final = {"kind": "Kind", "due": "Time left", "work": "What", "payer": "Payer", "owner": "Owner"}
_SHOWN: Final = ("kind", "due", "payer", "owner", "work")
_COLUMNS: Final = (
    Column("due", "Due", "date"),
    Column("days_left", "Days left", "number"),
    Column("cents", "Dollars", "money"),
    Column("what", "What", "words"),
    Column("to_do", "To do"),
    Column("patient", "Patient"),
    Column("episode", "Episode", "episode"),
    Column("payer", "Payer", "payer"),
    Column("claim", "Claim"),
    Column("first_date", "From", "date"),
    Column("last_date", "To", "date"),
    Column("days", "Days", "number"),
    Column("age", "Age in days", "number"),
    Column("owner", "Owner"),
    Column("done_until", "Done until", "date"),
    Column("note", "Last note"),
)
"""The columns of the list as a CSV; the page puts some of them into one cell."""


def worklist_page(site: Site, request: Request) -> Response:
    """What waits for somebody, the most pressing first, with facets to choose by."""
    asked = Asked(request, SORTS, (*FACETS, "done"))
    wanted, today = _filters(asked), reader_today(request)
    with site.reading(work=True) as reading:
        groups = site.kept(
            reading, "work groups", lambda: work_groups(reading.views, today, WorkFilters()), besides=today
        )
        sums = sums_of(groups, wanted)
        rows = work_rows(
            reading.views, today, wanted, asked.order.name, turned=asked.order.is_turned,
            start=0 if asked.is_csv else (asked.page - 1) * ROWS_A_PAGE, count=-1 if asked.is_csv else ROWS_A_PAGE,
        )  # fmt: skip
        table = Table(asked, _COLUMNS, rows, sums.rows)
        if asked.is_csv:
            return csv_of(site, request, "worklist", table, lambda row: row.patient)
        site.record(request, "worklist", [row.patient for row in rows])
        return site.render(
            "worklist.html", request, reading=reading, table=table, wanted=wanted, sums=sums, today=today,
            facets=_facets(reading, groups, wanted), kinds=facets(groups, WorkFilters(), {})["kind"],
            titles=_FACET_TITLES, me=who(request), set_aside=len(reading.views.set_aside()),
            not_worked_out=not_worked_out(reading.views), work_href=site.work_href, holds=CURES,
            payers={row.payer: payer_name(reading.book, row.payer) for row in rows if row.payer},
            work_id=lambda row: site.ids.of("work", f"{row.work} {row.episode}"), ticked=_is_ticked(request),
        )  # fmt: skip


def _is_ticked(request: Request) -> bool:
    """Whether every row of the page is to be ticked, for whoever does without scripts."""
    return request.query_params.get("tick") == "all"


def _facets(reading: Reading, groups: list[Group], wanted: WorkFilters) -> list[tuple[str, Any]]:
    payers = {payer.id: payer.name for payer in reading.book.payers.values()}
    found = facets(groups, wanted, payers)
    return [(name, found[name]) for name in _SHOWN]


def _filters(asked: Asked) -> WorkFilters:
    """The filters of an address; Refused where one has a value that none can have."""
    wanted = WorkFilters(**asked.filters)
    known = {"kind": KINDS, "work": WORKS, "due": DUE, "done": ("yes", "any")}
    if any((value := getattr(wanted, name)) is not None and value not in values for name, values in known.items()):
        raise Refused(404, "No such work", "There is no work of that kind.")
    return wanted


class Decided(NamedTuple):
    """A decision about a piece of work, in words."""

    at: str
    by: str
    says: str
    note: str | None = None


def work_page(site: Site, request: Request) -> Response:
    """A piece of work: its rows, what was decided about it and by whom, and the forms."""
    work, episode = work_asked(site, request)
    today = reader_today(request)
    with site.reading(work=True) as reading:
        rows = work_rows(reading.views, today, WorkFilters(work=work, episode=episode, done="any"))
        decided = [_decided(act) for _, act in reading.ledger.work_acts() if (act.episode, act.work) == (episode, work)]
        whose = {row.patient for row in rows} or reading.ledger.patients_of(
            episode
        )  # of the notes, where no row is left
        site.record(request, "work", whose, episode=episode)
        return site.render(
            "work.html", request, reading=reading, rows=rows, work=work, what=work_words(work), episode_name=episode,
            decided=decided[::-1], state=rows[0] if rows else None, path=request.url.path, today=today,
            new_identity=new_identity, seen=reading.ledger.count_of_acts(),
            payers={row.payer: payer_name(reading.book, row.payer) for row in rows if row.payer}, me=who(request),
        )  # fmt: skip


def _decided(act: WorkAct) -> Decided:
    match act:
        case WorkAssigned(owner=owner):
            return Decided(utc_text(act.at), act.by, f"assigned to {owner}" if owner else "assigned to nobody")
        case WorkNoted(note=text):
            return Decided(utc_text(act.at), act.by, "noted", text)
        case WorkDone(until=until):
            return Decided(utc_text(act.at), act.by, f"done until {until}")
