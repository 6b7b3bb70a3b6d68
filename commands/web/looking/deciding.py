"""What is decided at the work list: about one piece of work on its own page, or about the rows that were ticked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.desk import open_work
from commands.desk.open_work import WorkRefused
from commands.desk.work_together import DecideTogether, Piece
from commands.web.act_pages import desk_of, new_form, sent_form
from commands.web.forms import Fields
from commands.web.guard.sessions import Session
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from commands.web.times import reader_today
from ledger.store import EpisodeLedger
from projections.words import money, sentence, written_date
from projections.work.chosen import WorkFilters, work_rows

PICK: Final = "pick."
"""How the boxes of the list are named, before the id of the work."""


def who(request: Request) -> str:
    """Who decides what is decided in the site: who is signed in."""
    session: Session = request.scope["session"]
    return session.user


def work_asked(site: Site, request: Request) -> tuple[str, str]:
    """Which work of which episode an address means; Refused where it means none."""
    found = site.ids.name("work", request.path_params["id"])
    if found is None:
        where = "Addresses of work hold until the site is stopped. Open it again from the list."
        raise Refused(404, "No such page", where)
    work, _, episode = found.partition(" ")
    return work, episode


def assign_work(site: Site, request: Request, fields: Fields) -> Response:
    """Give a piece of work to somebody, to oneself, or to nobody."""
    owner = "" if fields.get("to") == "nobody" else fields.get("owner", "").strip()
    return _decide(
        site, request, lambda ledger, episode, work: open_work.assign(ledger, who(request), episode, work, owner)
    )


def note_work(site: Site, request: Request, fields: Fields) -> Response:
    """Note something about a piece of work."""
    text = fields.get("note", "").strip()
    by = who(request)
    return _decide(site, request, lambda ledger, episode, work: open_work.note(ledger, by, episode, work, text))


def put_work_away(site: Site, request: Request, fields: Fields) -> Response:
    """Put a piece of work away until a date."""
    until = _date(fields.get("until", ""))
    return _decide(
        site, request, lambda ledger, episode, work: open_work.done_until(ledger, who(request), episode, work, until)
    )


def _date(text: str) -> date:
    on = written_date(text.strip())
    if on is None:
        raise Refused(400, "Until when?", "Enter a date as YYYY-MM-DD, such as 2026-12-07.")
    return on


def _decide(site: Site, request: Request, act: Callable[[EpisodeLedger, str, str], None]) -> Response:
    work, episode = work_asked(site, request)
    try:
        with site.reader.setup.open() as ledger:
            act(ledger, episode, work)
    except WorkRefused as trouble:
        raise Refused(400, "Nothing was recorded", sentence(trouble)) from None
    return RedirectResponse(f"/open-work/{request.path_params['id']}", 303)


def decide_together(site: Site, request: Request, told: Fields) -> Response:
    """The rows that were ticked: the form for all of them, its effect, and then it is recorded."""
    picked = told.get("work") or " ".join(name.removeprefix(PICK) for name in told if name.startswith(PICK))
    listed = told.get("list", "")
    back = f"/{listed}" if listed.startswith("?") else "/"
    with site.reading(work=True) as reading:
        pieces = list(_pieces(site, reading, reader_today(request), picked.split()))
        if not pieces:
            raise Refused(400, "No row is ticked", "Go back to the list, and tick the rows that you mean.")
        site.record(request, "work", {piece.patient for piece in pieces})
        act = DecideTogether(desk_of(site, request, reading), pieces, {"work": picked, "list": listed})
        chosen = [f"{each.episode}: {each.what}, {_worth(each)}, {_whose(each)}" for each in pieces]
        if "work" not in told:
            return new_form(site, request, act, back, chosen=chosen)
        return sent_form(site, request, told, act, back, chosen=chosen)


def _pieces(site: Site, reading: Reading, today: str, picked: Sequence[str]) -> Iterator[Piece]:
    """The pieces of work that are meant, as they stand; what is done with meanwhile is none any more."""
    for opaque in dict.fromkeys(picked):
        found = site.ids.name("work", opaque)
        if found is None:
            where = "Addresses of work hold until the site is stopped. Tick the rows again in the list."
            raise Refused(404, "No such work", where)
        work, _, episode = found.partition(" ")
        rows = work_rows(reading.views, today, WorkFilters(work=work, episode=episode, done="any"))
        known = [row.cents for row in rows if row.cents is not None]
        if rows:
            first = rows[0]
            cents = sum(known) if known else None
            yield Piece(episode, work, first.what, first.owner, first.done_until, cents, first.patient)


def _worth(piece: Piece) -> str:
    return "dollars not known" if piece.cents is None else money(piece.cents)


def _whose(piece: Piece) -> str:
    until = f", done until {piece.done_until}" if piece.done_until else ""
    return f"{piece.owner or 'nobody'}{until}"
