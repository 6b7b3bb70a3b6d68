"""Recording in an episode, and mending what is recorded: the pages that lead to acts, and those of the acts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from commands.desk.act import Act, Desk
from commands.desk.facts import VOIDING, Record
from commands.desk.fields import about, title_of
from commands.desk.mends import MENDS
from commands.door.shapes import EVENTS
from commands.web.act_pages import desk_of, new_form, sent_form
from commands.web.episode_pages import asked_first, day_asked, episode_asked, record_look
from commands.web.forms import Fields
from commands.web.guard.rights import may
from commands.web.reading import Reading
from commands.web.site import Refused, Site
from commands.writing.mending import NoSuchEntry, kinds_about
from ledger.facts.entry import Entry, statement_of, tag_of
from ledger.facts.events import EpisodeOpened, FactCorrected, FactRetracted
from ledger.facts.liveness import mended
from projections.why.evidence import evidence_shown
from projections.words import sentence

OPENING: Final = "EpisodeOpened"
NOT_FIRST: Final = ("FactRetracted", "FactCorrected", OPENING, VOIDING)
"""What is not among the facts to be recorded: an episode is opened and voided by links of their own."""


class EntryShown(NamedTuple):
    """An entry as a row: what it says, who recorded it when, whether it counts, and what can be done to it."""

    version: int
    label: str
    title: str
    says: str
    by: str
    recorded_at: str
    state: str
    mends: tuple[str, ...]


def entries_page(site: Site, request: Request) -> Response:
    """Every entry of an episode, the newest first, each with what can be done to it."""
    with _of_episode(site, request, "entries") as (episode, reading, asked):
        return asked or site.render(
            "entries.html", request, reading=reading, episode=episode, back=site.episode_href(episode),
            rows=list(_entries_shown(reading.ledger.entries_of(episode)))[::-1],
        )  # fmt: skip


def kinds_page(site: Site, request: Request) -> Response:
    """What can be recorded in an episode."""
    with _of_episode(site, request, "record") as (episode, reading, asked):
        kinds = [(type_, title_of(type_), about(type_)) for type_ in EVENTS if type_ not in NOT_FIRST]
        return asked or site.render(
            "kinds.html", request, reading=reading, episode=episode, back=site.episode_href(episode), kinds=kinds
        )


def record_form(site: Site, request: Request) -> Response:
    """The form of a fact, its date filled in where a link gave one."""
    with _of_episode(site, request, "record") as (episode, reading, asked):
        act = _record(site, request, reading, episode)
        return asked or new_form(site, request, act, site.episode_href(episode), reading=reading)


def record_sent(site: Site, request: Request, told: Fields) -> Response:
    """A form of a fact was sent."""
    with _of_episode(site, request, "record") as (episode, reading, asked):
        return asked or sent_form(
            site, request, told, _record(site, request, reading, episode), site.episode_href(episode)
        )


def void_form(site: Site, request: Request) -> Response:
    """The form by which an episode is voided."""
    with _of_episode(site, request, "record") as (episode, reading, asked):
        act = Record(desk_of(site, request, reading), episode, VOIDING, {})
        return asked or new_form(site, request, act, site.episode_href(episode), reading=reading)


def void_sent(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with _of_episode(site, request, "record") as (episode, reading, asked):
        act = Record(desk_of(site, request, reading), episode, VOIDING, {})
        return asked or sent_form(site, request, told, act, site.episode_href(episode))


def opening_form(site: Site, request: Request) -> Response:
    """The form of a new episode."""
    with site.reading() as reading:
        return new_form(site, request, Record(desk_of(site, request, reading), None, OPENING, {}), "/")


def opening_sent(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with site.reading() as reading:
        act = Record(desk_of(site, request, reading), None, OPENING, {})
        if patient := told.get("patient", "").strip():
            site.record(request, "open", [patient])
        return sent_form(site, request, told, act, "/")


def mend_form(site: Site, request: Request) -> Response:
    """The form by which an entry is corrected, retracted or restored."""
    with _of_episode(site, request, "mend") as (episode, reading, asked):
        act, entry = _mend(desk_of(site, request, reading), request, episode)
        return asked or new_form(
            site, request, act, _entries(site, episode), reading=reading, entry=evidence_shown(entry)
        )


def mend_sent(site: Site, request: Request, told: Fields) -> Response:
    """It was sent."""
    with _of_episode(site, request, "mend") as (episode, reading, asked):
        act, entry = _mend(desk_of(site, request, reading), request, episode)
        return asked or sent_form(site, request, told, act, _entries(site, episode), entry=evidence_shown(entry))


@contextmanager
def _of_episode(site: Site, request: Request, page: str) -> Iterator[tuple[str, Reading, Response | None]]:
    """The episode asked for, its reading, and what is shown first where it names another patient; the look is
    logged."""
    episode = episode_asked(site, request)
    with site.reading() as reading:
        reading.ledger.refuse_forgotten(episode)
        asked = asked_first(site, request, reading, episode, None)
        if not asked:
            record_look(site, request, page, episode, reading, None)
        yield episode, reading, asked


def _record(site: Site, request: Request, reading: Reading, episode: str) -> Record:
    type_ = request.path_params["type"]
    if type_ not in EVENTS or type_ in NOT_FIRST:
        raise Refused(404, "No such fact", "Choose one from the list of facts.")
    day, fields = day_asked(request), EVENTS[type_].fields
    given = {name: day.isoformat() for name in ("date", "from") if day and name in fields}
    return Record(desk_of(site, request, reading), episode, type_, given)


def _mend(desk: Desk, request: Request, episode: str) -> tuple[Act, Entry]:
    """What is to be done to which entry; voiding is taken back, and brought back, by whoever may void."""
    word, version = request.path_params["act"], request.path_params["version"]
    made = MENDS.get(word)
    if made is None or not (version.isascii() and version.isdecimal() and len(version) < 10):
        raise Refused(404, "No such entry", "Choose one from the entries of the episode.")
    try:
        act = made(desk, episode, int(version))
    except NoSuchEntry as gone:
        raise Refused(404, "Not to be done", sentence(gone)) from None
    role = request.scope["session"].role
    if VOIDING in kinds_about(act.stood, act.entry) and not may(role, "POST", "/episode/{id}/void"):
        raise Refused(403, "Not allowed", f"You are signed in as {role}, who may not do this.")
    return act, act.entry


def _entries(site: Site, episode: str) -> str:
    return site.episode_href(episode, page="/entries")


def _entries_shown(entries: Sequence[Entry]) -> Iterator[EntryShown]:
    found = mended(entries)
    taken = {each.entry.version: each.by for each in found.taken}
    retracted = {
        entry.fact.target_source + "\0" + entry.fact.target_id
        for entry in entries
        if isinstance(entry.fact, FactRetracted)
    }
    for entry in entries:
        shown = evidence_shown(entry)
        by = taken.get(entry.version, ())
        is_retraction = isinstance(entry.fact, FactRetracted)
        retracting = [each for each in by if isinstance(each.fact, FactRetracted)]
        state = _state(entry, by, bool(retracting))
        mends: tuple[str, ...] = ()
        if is_retraction:
            mends = ("restore",) if f"{entry.source}\0{entry.id}" not in retracted else ()
        elif retracting:
            mends = ("restore",)
        elif not by:
            mends = ("correct",) if isinstance(statement_of(entry), EpisodeOpened) else ("correct", "retract")
        yield EntryShown(
            entry.version,
            entry.label,
            title_of(tag_of(entry.fact)),
            shown.says,
            entry.by,
            shown.recorded_at,
            state,
            mends,
        )


def _state(entry: Entry, by: Sequence[Entry], is_retracted: bool) -> str:
    if is_retracted:
        return f"retracted by {by[0].by}"
    if by:
        return f"corrected by {by[-1].by}"
    return "correction, counts" if isinstance(entry.fact, FactCorrected) else ""
