"""What is decided at the work list: about one piece of work on its own page, or about the rows that were ticked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.desk.act import Stopped
from commands.desk.work_together import NOBODY, DecideTogether, Piece
from commands.web.act_pages import desk_of, new_form, sent_form
from commands.web.forms import Fields
from commands.web.guard.sessions import Session
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from commands.web.times import reader_today
from projections.words import money
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
    owner = "" if fields.get("to") == NOBODY else fields.get("owner", "").strip()
    return _decide(site, request, fields, owner=owner or NOBODY)


def note_work(site: Site, request: Request, fields: Fields) -> Response:
    """Note something about a piece of work."""
    return _decide(site, request, fields, note=fields.get("note", ""))


def put_work_away(site: Site, request: Request, fields: Fields) -> Response:
    """Put a piece of work away until a date."""
    return _decide(site, request, fields, until=fields.get("until", ""))


def _decide(site: Site, request: Request, fields: Fields, **told: str) -> Response:
    """One decision about one piece, as about several: once for each form, and of two who decide one is first."""
    work, episode = work_asked(site, request)
    with site.reading(work=True) as reading:
        piece = _piece(reading, reader_today(request), work, episode) or Piece(episode, work, "", "", None, None, "")
        act = DecideTogether(desk_of(site, request, reading), [piece], {})
        if wrong := act.errors(told):
            raise Refused(400, "Nothing was recorded", *wrong.values())
        try:
            act.do({**told, "id": fields.get("id", ""), "seen": fields.get("seen", "")})
        except Stopped as stopped:
            raise Refused(409, "Nothing was recorded", *stopped.sentences) from None
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
        if piece := _piece(reading, today, work, episode):
            yield piece


def _piece(reading: Reading, today: str, work: str, episode: str) -> Piece | None:
    """A piece of work as it stands; None where nothing of it is left."""
    rows = work_rows(reading.views, today, WorkFilters(work=work, episode=episode, done="any"))
    if not rows:
        return None
    first, known = rows[0], [row.cents for row in rows if row.cents is not None]
    cents = sum(known) if known else None
    return Piece(episode, work, first.what, first.owner, first.done_until, cents, first.patient)


def _worth(piece: Piece) -> str:
    return "dollars not known" if piece.cents is None else money(piece.cents)


def _whose(piece: Piece) -> str:
    until = f", done until {piece.done_until}" if piece.done_until else ""
    return f"{piece.owner or 'nobody'}{until}"
