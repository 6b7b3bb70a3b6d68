"""The whole month of the spreadsheets at the site, by the keyboard alone: brought in, looked at, mended and closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browsing import WIDTHS, enter, press, tab_to
from tests.month import MAP, SHEETS, Month
from tests.running_site import running

PASSWORD = "a quite long password"
FIRST = ("patients", "orders", "prior_auths", "plans", "pain_scores", "delivery_tickets")
"""In which order the exports are brought in: whoever is told of has to be there."""


class Walker:
    """Somebody at the site who has no mouse."""

    def __init__(self, page: Page, width: int) -> None:
        self.page, self.width = page, width

    def typed(self, field: str, text: str) -> None:
        tab_to(self.page, field)
        self.page.keyboard.type(text)

    def press(self, words: str) -> None:
        """Go on to a link or a button with the tabulator and press it; the page then is no wider than the window."""
        press(self.page, words)
        assert self.page.evaluate("document.documentElement.scrollWidth") <= self.width, words

    def says(self) -> str:
        return self.page.locator("main").inner_text()

    def sign_in(self, home: str, name: str, first: str) -> None:
        self.page.goto(home)
        self.typed("#name", name)
        self.typed("#password", first)
        enter(self.page)
        self.typed("#old", first)
        self.typed("#new", PASSWORD)
        self.typed("#again", PASSWORD)
        enter(self.page)

    def bring_in(self, sheet: Path) -> None:
        """Files are chosen in a dialog of the system; the rest is typed."""
        self.press("Import")
        self.page.set_input_files("#f-file", sheet)
        self.page.set_input_files("#f-own", MAP)
        self.typed("#f-mapping", "a mapping of your own")
        self.press("Show what would change")
        assert "Nothing is recorded yet" in self.says(), sheet
        self.press("Record it")
        assert "recorded." in self.says(), sheet
        self.press("Go on")


WAYS = [
    pytest.param(WIDTHS[of], scripts, id=f"{of}, {'with' if scripts else 'without'} scripts", marks=marks)
    for of, scripts, marks in (
        ("phone", False, ()), ("phone", True, pytest.mark.soak), ("desk", False, pytest.mark.soak),
        ("desk", True, pytest.mark.soak),
    )
]  # fmt: skip


@pytest.mark.parametrize(("width", "scripts"), WAYS)
def test_a_month_is_brought_in_mended_and_closed_by_the_keyboard_alone(
    browser: Browser, tmp_path: Path, width: int, scripts: bool
) -> None:
    (tmp_path / "typed").mkdir()
    (tmp_path / "site").mkdir()
    typed, house = Month(tmp_path / "typed"), Month(tmp_path / "site")
    assert typed.bring_in(options=["--yes"]).status in (0, 1)
    assert house.run("record", "-", stdin=b"").status == 0  # makes the ledger
    assert {path.stem for path in SHEETS} == set(FIRST)
    first = house.run("users", "add", "ana", "--role", "operator").out.decode().strip()
    with running(house.ledger, house.book) as site:
        context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
        walker = Walker(context.new_page(), width)
        walker.sign_in(site.home, "ana", first)
        for name in FIRST:
            walker.bring_in(house.sheet(name))
        for command in ("days", "findings", "lines"):
            assert house.run(command).rows == typed.run(command).rows, "as the same files make from the terminal"
        walker.press("Worklist")
        walker.typed("#search", "E-100433")
        enter(walker.page)
        tab_to(walker.page, "td a")
        enter(walker.page)
        assert "order not signed" in walker.says().lower()
        walker.press("Entries: correct, retract, restore")
        walker.press("Correct orders:RX-7011")
        walker.typed("#f-signed_on", "10192026")
        walker.typed("#f-why", "the signature came by fax")
        walker.press("Show what would change")
        assert "+1,452.00" in walker.says()
        walker.press("Record it")
        walker.press("Go on")
        assert {row["status"] for row in house.run("days", "--episode", "E-100433").rows} == {"billable"}
        walker.press("Monday report")
        walker.press("Months")
        walker.typed("#month", "2026-10")
        walker.press("Show its check list")
        walker.typed("#f-anyway", "what is open waits for the payers")
        walker.press("Show what would change")
        walker.press("Record it")
        assert "October 2026" in walker.says()
        walker.press("Sign out")
        context.close()
    (closed,) = house.run("close", "2026-10").rows[:1]
    assert closed
    assert house.run("verify").status == 0
