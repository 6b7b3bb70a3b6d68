"""A ledger that was put back to an earlier state is told of on every page of the site, until somebody accepts it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands.web.site import Site
from tests.command_line import SERVED, House, told
from tests.lived_in import WALKED, begun, lived_in
from tests.watched_site import SAYS, Watched, WatchedSite

pytestmark = pytest.mark.sqlite_file


@pytest.fixture
def house(tmp_path: Path) -> House:
    return lived_in(tmp_path)


@pytest.fixture
def back(house: House) -> House:
    """The same, read past a copy that was put back then."""
    copy = shutil.copy(house.ledger, house.folder / "old.copy")
    assert house.tell(told("later", SERVED | {"date": "2026-02-20"})).status == 0
    assert house.run("days").status == 0
    for ending in ("-wal", "-shm"):
        house.ledger.with_name(f"ledger.db{ending}").unlink(missing_ok=True)
    shutil.copy(copy, house.ledger)
    return house


def test_every_page_says_it_and_what_to_do(back: House) -> None:
    """That none says it where nothing was put back, the walk of test_whom_pages_show.py holds."""
    site = WatchedSite(back.ledger, back.book)
    visitor = site.watched()
    visitor.walk(*begun(site, visitor), "/nowhere")
    assert {asked for asked, times in visitor.answered.items() if times} >= WALKED
    assert visitor.silent == []
    assert len(visitor.said) > 30
    assert "/report/page" in visitor.said


def test_it_is_said_until_it_is_accepted_by_a_site_that_goes_on(back: House) -> None:
    visitor = WatchedSite(back.ledger, back.book).visitor()
    assert [SAYS in visitor.get(path).text for path in ("/", "/months", "/password")] == [True] * 3
    assert back.run("verify", "--accept-rollback", "disk failed").status == 0
    assert [SAYS in visitor.get(path).text for path in ("/", "/months", "/password")] == [False] * 3


def test_a_page_that_is_made_without_it_is_found(back: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "put_back", lambda site: [])
    visitor = WatchedSite(back.ledger, back.book).watched()
    visitor.get("/")
    assert visitor.silent == ["/"]


def test_who_is_not_signed_in_is_told_nothing(back: House) -> None:
    site = WatchedSite(back.ledger, back.book)
    site.visitor().get("/")
    assert SAYS not in Watched(site).get("/").text
