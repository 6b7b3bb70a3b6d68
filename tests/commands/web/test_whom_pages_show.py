"""Whoever a page or a download of the site shows is named in its access record: at every address that there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from commands.web import app
from commands.web.guard import rights
from commands.web.guard.rights import MAY
from commands.web.site import Site
from tests.act_forms import Form, form_at, hidden_of, multipart, text_of
from tests.lived_in import ALICE, BOB, NEW, WALKED, begun, lived_in
from tests.watched_site import Watched, WatchedSite

pytestmark = pytest.mark.sqlite_file

SENT: Final = {asked for asked in MAY if asked[0] == "POST"}


@pytest.fixture
def site(tmp_path: Path) -> WatchedSite:
    house = lived_in(tmp_path)
    return WatchedSite(house.ledger, house.book)


def test_every_page_and_download_names_whom_it_shows(site: WatchedSite) -> None:
    visitor = site.watched()
    visitor.walk(*begun(site, visitor))
    looked = visitor.post("/looks", patient=ALICE).headers["location"]
    assert "EP-1" in visitor.get(looked).text, "the episode that was opened in her name, and is another's"
    visitor.get(f"{looked}?as=csv")
    assert visitor.unrecorded == []
    assert visitor.said == [], "nothing was put back"
    unseen = WALKED - {asked for asked, times in visitor.answered.items() if times}
    assert unseen == set(), "a page that is reached by no link is named in begun()"
    assert visitor.showing >= {("GET", path) for path in ("/", "/claims", "/found/{id}", "/looks/{id}", "/report/page")}


def test_a_new_page_that_shows_somebody_and_records_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sly(site: Site, request: Request) -> Response:
        with site.reading():
            return PlainTextResponse(f"Of {BOB} there is one day on hold.")

    monkeypatch.setitem(app.PAGES, "/sly", sly)
    monkeypatch.setitem(rights.MAY, ("GET", "/sly"), rights.EVERYBODY)
    house = lived_in(tmp_path)
    visitor = WatchedSite(house.ledger, house.book).watched()
    visitor.walk("/proof", until=lambda: visitor.unrecorded)
    assert ("GET /sly", 200, frozenset({BOB})) in visitor.unrecorded


@pytest.mark.parametrize("page", ["worklist", "findings", "search", "calendar", "report", "worklist csv"])
def test_a_page_that_forgets_to_record_is_found(site: WatchedSite, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    inner = site.site.access.record

    def record(session: str, user: str, remote: str, shown: str, patients: object, **more: str | None) -> None:
        if shown != page:
            inner(session, user, remote, shown, patients, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(site.site.access, "record", record)
    visitor = site.watched()
    for path in ("/", "/?as=csv", "/findings", "/report", *begun(site, visitor)):
        visitor.get(path)
    assert visitor.unrecorded


def test_every_form_that_is_sent_names_whom_its_pages_show(site: WatchedSite) -> None:
    visitor = site.watched("operator", "lead")
    begun(site, visitor)
    of = site.site.episode_href
    for act in ACTS:
        act(site, visitor)
    form = form_at(visitor, f"{of('EP-5')}/entry/1/correct")
    effect = form.shown(patient=BOB, why="the wrong patient")
    assert "go to another patient" in text_of(effect.answer)
    assert "Recorded as" in text_of(effect.send("record"))
    visitor.post("/zone", zone="UTC")
    visitor.post("/password", old="x", new="y", again="y")
    visitor.post("/leave")
    assert visitor.unrecorded == []
    sent = {asked for asked, times in visitor.answered.items() if times}
    assert SENT - sent - {("POST", "/password")} == set()


def record_a_fact(site: WatchedSite, visitor: Watched) -> None:
    form = form_at(visitor, f"{site.site.episode_href('EP-5')}/record/PainAssessed")
    form.send("record", date="none")
    assert "Recorded as" in text_of(form.shown(date="2026-02-05", score="4").send("record"))


def void(site: WatchedSite, visitor: Watched) -> None:
    """An episode with a note on a piece of work, whose page then has the note alone."""
    work = site.site.work_href("EP-4", "no_terms")
    assert "call again" in visitor.get(work).text
    form = form_at(visitor, f"{site.site.episode_href('EP-4')}/void")
    assert "Recorded as" in text_of(form.shown(reason="opened twice").send("record"))
    gone = visitor.get(work)
    assert "Nothing of it is left" in gone.text
    assert "call again" in gone.text


def open_one(site: WatchedSite, visitor: Watched) -> None:
    told = {"episode": "EP-9", "patient": BOB, "provider": "1234567893", "zone": "America/Chicago"}
    assert "Recorded as" in text_of(form_at(visitor, "/record").shown(**told).send("record"))


def merge_and_part(site: WatchedSite, visitor: Watched) -> None:
    merging = form_at(visitor, "/patients/merge").shown(old=BOB, into=NEW, reason="registered twice")
    assert "Recorded." in text_of(merging.send("record"))
    parting = form_at(visitor, "/patients/part").shown(old=BOB, reason="birth dates differ")
    assert "Recorded." in text_of(parting.send("record"))


SHEET: Final = """Episode,Ticket,Order,From,To,Status,Infused
EP-2,T-1,RX-1,02/05/2026,02/05/2026,CONFIRMED,yes
EP-5,T-2,RX-1,02/31/2026,02/28/2026,CONFIRMED,yes
"""


def import_a_sheet(site: WatchedSite, visitor: Watched) -> None:
    shown = multipart(form_at(visitor, "/import"), {"file": ("t.csv", SHEET)}, mapping="tickets")
    form = Form(visitor, shown)
    assert form.send("refused t").headers["content-type"].startswith("text/csv")
    assert "1 fact recorded" in text_of(form.send("record"))


def close_a_month(site: WatchedSite, visitor: Watched) -> None:
    form = form_at(visitor, "/months/2026-10")
    closing = form.shown(anyway="the claims follow") if "anyway" in form.fields else form.shown()
    assert "is closed" in text_of(closing.send("record"))


def assign_an_answer(site: WatchedSite, visitor: Watched) -> None:
    (path,) = set(re.findall(r'href="(/payments/unmatched/[a-z0-9]+)"', visitor.get("/payments/unmatched").text))
    assert "1 answer assigned" in text_of(form_at(visitor, path).shown(claim="EP-O1-1").send("record"))


def decide(site: WatchedSite, visitor: Watched) -> None:
    boxes = re.findall(r'name="(pick\.[a-z0-9]+)"', visitor.get("/").text)
    form = Form(visitor, visitor.post("/open-work", dict.fromkeys(boxes[:3], "1")))
    assert "Recorded for" in text_of(form.shown(note="call them").send("record"))
    work = site.site.work_href("EP-5", "no_terms")
    for act, sent in (("assign", {"owner": "ann"}), ("note", {"note": "x"}), ("done-until", {"until": "2099-01-01"})):
        assert visitor.post(f"{work}/{act}", hidden_of(visitor.get(work)) | sent).status == 303
        visitor.get(work)


ACTS: Final = (
    record_a_fact, open_one, merge_and_part, import_a_sheet, close_a_month, assign_an_answer, decide, void,
)  # fmt: skip
