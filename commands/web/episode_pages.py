"""The pages of one episode: its calendar, a day beside it, and every step of a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.web.forms import Fields
from commands.web.reading import Reading
from commands.web.site import Refused, Site, known_at_asked
from commands.web.times import reader_today
from projections.page.episode import episode_sheet
from projections.page.money import MONEY
from projections.reading.also_named import also_named
from projections.reading.as_known import AsKnown
from projections.why.why import Why, why_of
from projections.words import utc_text, written_date
from projections.work.chosen import work_of


def calendar_page(site: Site, request: Request) -> Response:
    """An episode's calendar as known now or at an instant, and beside it the day asked for."""
    episode, known_at, day = episode_asked(site, request), known_at_asked(request), day_asked(request)
    with site.reading(work=True) as reading:
        sheet = episode_sheet(reading.ledger, reading.views, episode, reading.book, known_at)
        answer = why_of(reading.ledger, episode, day, reading.book, known_at) if sheet and day else None
        if asked := asked_first(site, request, reading, episode, known_at):
            return asked
        record_look(site, request, "calendar", episode, reading, known_at)
        if sheet is None:
            raise not_opened()
        payers = {payer.id: payer.name for payer in reading.book.payers.values()}
        work = work_of(reading.views, reader_today(request), episode)
        return site.render(
            "episode.html", request, reading=reading, sheet=sheet, answer=answer, payers=payers, MONEY=MONEY,
            work=work if known_at is None else [], work_href=site.work_href, **_around(answer),
        )  # fmt: skip


def why_page(site: Site, request: Request) -> Response:
    """Why a day is what it is: every step with its evidence, the terms, and what would change it."""
    episode, known_at, day = episode_asked(site, request), known_at_asked(request), day_asked(request)
    if day is None:
        raise Refused(400, "Which day?", "Choose a day of the calendar first.")
    with site.reading() as reading:
        answer = why_of(reading.ledger, episode, day, reading.book, known_at)
        if asked := asked_first(site, request, reading, episode, known_at):
            return asked
        record_look(site, request, "why", episode, reading, known_at)
        if answer is None:
            raise not_opened()
        shown = utc_text(known_at) if known_at else None
        return site.render(
            "why.html", request, reading=reading, answer=answer, known_at=shown, evidence=_evidence(answer),
            **_around(answer),
        )  # fmt: skip


def asked_first(
    site: Site, request: Request, reading: Reading, episode: str, known_at: datetime | None
) -> Response | None:
    """What is shown first of an episode that names another patient, too: whether to show it all the same."""
    named = also_named(reading.ledger, episode, known_at)
    also = site.ids.of("also", "\0".join((episode, *sorted(named.patients))))
    if not named.patients or also in request.scope["session"].sees:
        return None
    entries = [f"{episode}:{version}" for version in named.versions]
    site.record(request, "also", filter(None, [_owner(reading, episode)]), episode=episode)
    return site.render("also.html", request, 409, reading=reading, episode=episode, entries=entries, also=also)


def show_also(site: Site, request: Request, told: Fields) -> Response:
    """Somebody wants to see the episode although it names another patient: from now on this session is shown it."""
    also = told.get("also", "")
    found = site.ids.name("also", also)
    if found is None:
        raise Refused(404, "No such page", "Open the episode again, and ask there.")
    request.scope["session"].sees.add(also)
    return RedirectResponse(site.episode_href(found.split("\0")[0]), 303)


def episode_asked(site: Site, request: Request) -> str:
    """The episode whose opaque id stands in the address."""
    episode = site.ids.name("episode", request.path_params["id"])
    if episode is None:
        raise Refused(
            404,
            "No such page",
            "Addresses of episodes hold until the site is stopped. Search for the episode, or begin at the worklist.",
        )
    return episode


def day_asked(request: Request) -> date | None:
    """``?day=``, if it is given."""
    text = request.query_params.get("day", "").strip()
    day = written_date(text)
    if text and (day is None or not 2000 <= day.year <= 2099):
        raise Refused(400, "That is no service date", "A service date is written YYYY-MM-DD, such as 2026-11-02.")
    return day


def record_look(
    site: Site, request: Request, page: str, episode: str, reading: Reading, known_at: datetime | None
) -> None:
    """Log the look at a page of an episode, with everybody whom it names."""
    day, named = day_asked(request), also_named(reading.ledger, episode, known_at)
    patients = filter(None, [*named.patients, _owner(reading, episode)])
    site.record(
        request, page, patients, episode=episode, day=day.isoformat() if day else None,
        known_at=utc_text(known_at) if known_at else None,
    )  # fmt: skip


def _owner(reading: Reading, episode: str) -> str | None:
    return AsKnown(reading.ledger, reading.book).owner(episode)


def not_opened() -> Refused:
    """What is said of an episode that was not opened by then."""
    return Refused(404, "Not opened by then", "At that moment the ledger did not know the episode yet.")


def _around(answer: Why | None) -> dict[str, Any]:
    """The dates before and after the day asked for."""
    if answer is None:
        return {"before": None, "after": None}
    on = date.fromisoformat(answer.date)
    return {"before": (on - timedelta(days=1)).isoformat(), "after": (on + timedelta(days=1)).isoformat()}


class EvidenceCited(NamedTuple):
    """An entry that steps rested on, once, with the numbers of the steps."""

    label: str
    type: str
    episode: str
    version: int
    by: str
    recorded_at: str
    says: str
    steps: list[int]


def _evidence(answer: Why) -> list[EvidenceCited]:
    found: dict[tuple[str, int], EvidenceCited] = {}
    for step in answer.steps:
        for one in step.evidence:
            new = EvidenceCited(one.label, one.type, one.episode, one.version, one.by, one.recorded_at, one.says, [])
            found.setdefault((one.episode, one.version), new).steps.append(step.step)
    return list(found.values())
