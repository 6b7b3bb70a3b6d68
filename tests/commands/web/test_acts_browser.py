"""Acts at the site in a real browser without scripts, by the keyboard alone, at both widths; and what axe says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import (
    UNDECIDED,
    WIDTHS,
    enter,
    leave_out_what_is_alike,
    press,
    show_again,
    tab_to,
    undecided_by_axe,
)
from tests.command_line import House, example, told
from tests.running_site import Running, running

PASSWORD = "a quite long password"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    house = House(tmp_path_factory.mktemp("desk"))
    other = {"type": "ServiceBilledSeparately", "code": "S9326", "from": "2026-02-02", "billed_by": "1245319599"}
    lines = [*example(), *example("EP-2", "P-2"), told("s9326", other, source="billing", episode="EP-2")]
    assert house.tell(*lines).status == 0
    return house


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[Running]:
    with running(house.ledger, house.book) as site:
        yield site


def typed(page: Page, field: str, text: str) -> None:
    tab_to(page, field)
    page.keyboard.type(text)


def wide_and_accessible(page: Page, again: Page, width: int, what: str, met: set[str]) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width, what
    show_again(again, page.content())
    leave_out_what_is_alike(again, met)
    assert undecided_by_axe(again) <= UNDECIDED, what


@pytest.mark.parametrize("width", [pytest.param(WIDTHS["desk"], marks=pytest.mark.soak), WIDTHS["phone"]])
def test_somebody_signs_in_records_an_assessment_and_corrects_it(
    browser: Browser, house: House, site: Running, width: int
) -> None:
    first = house.run("users", "add", f"user-{width}", "--role", "operator").out.decode().strip()
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(site.home)
    typed(page, "#name", f"user-{width}")
    typed(page, "#password", first)
    enter(page)
    typed(page, "#old", first)
    typed(page, "#new", PASSWORD)
    typed(page, "#again", PASSWORD)
    enter(page)
    assert page.get_by_role("heading", level=1).inner_text() == "Worklist"
    typed(page, "#search", "EP-1")
    enter(page)
    tab_to(page, "td a")
    enter(page)
    address = page.url
    press(page, "Record")
    press(page, "Pain assessed")
    typed(page, "#f-date", f"02{4 + width % 7:02}2026")
    typed(page, "#f-score", "11")
    enter(page)
    assert "Expected a whole number from 0 to 10." in page.locator("main").inner_text()
    typed(page, "#f-score", "1")
    enter(page)
    assert "Nothing is recorded yet" in page.locator("main").inner_text()
    press(page, "Record it")
    assert "Recorded as desk:" in page.locator("main").inner_text()
    press(page, "Go on")
    assert page.url == address
    press(page, "Entries: correct, retract, restore")
    press(page, f"Correct desk:{house.run('replay', 'EP-1').rows[-1]['id']}")
    tab_to(page, "#f-score")
    page.keyboard.type("4")
    typed(page, "#f-why", "misread")
    enter(page)
    press(page, "Record it")
    assert "Recorded as desk:" in page.locator("main").inner_text()
    *_, last = house.run("replay", "EP-1").rows
    assert (last["type"], last["by"]) == ("FactCorrected", f"user-{width}")
    page.goto(site.home)
    press(page, "Sign out")
    assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
    context.close()


def show(page: Page) -> None:
    """Ask what would change, and wait for the page that says it."""
    with page.expect_navigation():
        page.get_by_role("button", name="Show what would change").click()


@pytest.mark.parametrize("width", [pytest.param(WIDTHS["desk"], marks=pytest.mark.soak), WIDTHS["phone"]])
def test_axe_finds_nothing_on_the_pages_of_acts(
    browser: Browser, house: House, site: Running, width: int, tmp_path: Path
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page, again, met = context.new_page(), context.new_page(), set[str]()
    for each in (again, page):
        each.goto(site.home)
    wide_and_accessible(page, again, width, "door", met)
    page.get_by_label("Token").fill(site.token)
    enter(page)
    page.locator("#search").fill("EP-2")
    enter(page)
    with page.expect_navigation():
        page.locator("td a").first.click()
    address = page.url
    for path in ("/record", "/record/ClaimSubmitted", "/entries", "/entry/2/correct"):
        page.goto(address + path)
        wide_and_accessible(page, again, width, path, met)
    for path in ("import", "months/2026-02", "password"):
        page.goto(site.home + path)
        wide_and_accessible(page, again, width, path, met)
    page.goto(f"{address}/record/ConflictResolved?day=2026-02-02")
    show(page)
    wide_and_accessible(page, again, width, "what is wrong", met)
    page.get_by_label("Bill").fill("nothing")
    page.get_by_label("Reason").fill("billed elsewhere")
    show(page)
    wide_and_accessible(page, again, width, "the effect", met)
    sheet = tmp_path / "tickets.csv"
    sheet.write_text("Episode,Ticket,Order,From,To,Status,Infused\nEP-1,T-1,RX-1,02/05/2026,02/31/2026,CONFIRMED,yes\n")
    page.goto(f"{site.home}import")
    page.get_by_label("File", exact=True).set_input_files(sheet)
    page.get_by_label("Mapping", exact=True).select_option("tickets")
    show(page)
    assert "1 refused" in page.locator("main").inner_text()
    wide_and_accessible(page, again, width, "an import", met)
    context.close()
