"""A ledger that was put back to an earlier state is told of on every page of the site, until somebody accepts it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from commands.web.site import Site
from tests.command_line import SERVED, House, told
from tests.lived_in import WALKED, begun, lived_in
from tests.running_site import Answer
from tests.watched_site import Watched, WatchedSite

pytestmark = pytest.mark.sqlite_file

SAYS = "The ledger was put back to an earlier state: position"
TO_DO = "episode-ledger verify --accept-rollback REASON"


class Walked(Watched):
    """A browser that keeps which pages said it, and which did not."""

    def __init__(self, at: WatchedSite) -> None:
        super().__init__(at)
        self.said: list[str] = []
        self.silent: list[str] = []

    def ask(self, method: str, path: str, body: str | bytes = "", **headers: str | None) -> Answer:
        answer = super().ask(method, path, body, **headers)
        if answer.headers.get("content-type", "").startswith("text/html"):
            (self.said if SAYS in answer.text and TO_DO in answer.text else self.silent).append(path)
        return answer


def walked(house: House) -> Walked:
    """Every page there is, asked for once."""
    site = WatchedSite(house.ledger, house.book)
    visitor, found = Walked(site), site.watched()
    visitor.cookie, visitor.form = found.cookie, found.form
    visitor.walk(*begun(site, visitor), "/nowhere")
    assert {asked for asked, times in visitor.answered.items() if times} >= WALKED
    return visitor


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
    visitor = walked(back)
    assert visitor.silent == []
    assert len(visitor.said) > 30
    assert "/report/page" in visitor.said


def test_no_page_says_it_where_nothing_was_put_back(house: House) -> None:
    assert walked(house).said == []


def test_it_is_said_until_it_is_accepted_by_a_site_that_goes_on(back: House) -> None:
    visitor = WatchedSite(back.ledger, back.book).visitor()
    assert [SAYS in visitor.get(path).text for path in ("/", "/months", "/password")] == [True] * 3
    assert back.run("verify", "--accept-rollback", "disk failed").status == 0
    assert [SAYS in visitor.get(path).text for path in ("/", "/months", "/password")] == [False] * 3


def test_a_page_that_is_made_without_it_is_found(back: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Site, "put_back", lambda site: [])
    visitor = Walked(site := WatchedSite(back.ledger, back.book))
    found = site.visitor()
    visitor.cookie, visitor.form = found.cookie, found.form
    visitor.get("/")
    assert visitor.silent == ["/"]


def test_who_is_not_signed_in_is_told_nothing(back: House) -> None:
    site = WatchedSite(back.ledger, back.book)
    site.visitor().get("/")
    assert SAYS not in Watched(site).get("/").text
