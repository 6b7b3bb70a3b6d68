"""Who looked at a patient: the access records, searched by patient and date."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from commands.web.access import Access, looks_at, marks_of
from commands.web.forms import Fields
from commands.web.looking.tables import AS_FOUND, Asked, Column, csv_of, paged
from commands.web.site import Refused, Site
from ledger.store import EpisodeLedger
from projections.words import written_date

LONGEST_NAME: Final = 128
_COLUMNS: Final = (
    Column("at", "When", "moment"),
    Column("user", "Who"),
    Column("page", "Page", "words"),
    Column("episode", "Episode", "episode"),
    Column("day", "Service date", "date"),
    Column("known_at", "As known at", "moment"),
    Column("remote", "From where"),
    Column("session", "Session"),
)


def looks_form(site: Site, request: Request) -> Response:
    """The form that asks whose access records to show."""
    with site.reading() as reading:
        return site.render("looks.html", request, reading=reading, table=None, patient="", first="", last="")


def ask_for_looks(site: Site, request: Request, fields: Fields) -> Response:
    """Go to the records of a patient; the address names nobody, only dates and an opaque id."""
    patient = fields.get("patient", "").strip()
    if not 1 <= len(patient) <= LONGEST_NAME:
        raise Refused(400, "Whose?", f"Enter 1 to {LONGEST_NAME} characters of a patient ID, in full.")
    dates = {name: text for name in ("from", "to") if (text := _date(fields.get(name, "")))}
    query = f"?{urlencode(dates)}" if dates else ""
    return RedirectResponse(f"/looks/{site.ids.of('looks', patient)}{query}", 303)


def _date(text: str) -> str:
    text = text.strip()
    if text and written_date(text) is None:
        raise Refused(400, "That is no date", "Enter dates as YYYY-MM-DD, such as 2026-11-01.")
    return text


def looks_page(site: Site, request: Request) -> Response:
    """Each look at a page that showed the patient, by any name merged with theirs; the last first."""
    asked = Asked(request, [AS_FOUND, *(column.name for column in _COLUMNS)], ("from", "to"))
    first, last = (_date(asked.filters.get(name, "")) for name in ("from", "to"))
    patient = site.ids.name("looks", request.path_params["id"])
    if patient is None:
        raise Refused(404, "No such page", "Enter the patient again.")
    with site.reading() as reading:
        names = reading.ledger.names_of(patient)
        master = site.reader.setup.master if reading.ledger.encrypted else None
        found = list(looks_at(site.access.path, marks_of(names, master), first or None, last or None))[::-1]
        table = paged(asked, _COLUMNS, found)
        whose = {patient, *_patients_of(reading.ledger, table.rows)}
        if asked.is_csv:
            return csv_of(site, request, "looks", table, lambda row: patient, also=whose)
        site.record(request, "looks", whose)
        return site.render("looks.html", request, reading=reading, table=table, patient=patient, first=first, last=last)


def _patients_of(ledger: EpisodeLedger, looks: Iterable[Access]) -> set[str]:
    """Whose episodes were looked at: perhaps another's by now than who is asked for."""
    episodes = {look.episode for look in looks if look.episode}
    return {patient for episode in episodes for patient in ledger.patients_of(episode)}
