"""The report's page in a real browser: at a desk's and a phone's width, with the keyboard, for everybody, on paper."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from tests.browsing import LEAST_CONTRAST, WIDTHS, contrast, open_page, undecided_at_every_width, wide
from tests.exports import simulated_house

UNDECIDED = {("color-contrast", "shortTextContent"), ("color-contrast", "nonBmp"), ("color-contrast", "imgNode")}
"""Axe does not judge the contrast of a single sign, nor of words in a drawing."""
EVERY_WIDTH = [*WIDTHS.values(), 320, 800]
EMPTY = ["Nothing to give back.", "Nothing is missing of what was answered.", "No authorization runs out."]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with rows in all but three sections, and a payer whose name does not break."""
    house = simulated_house(tmp_path_factory.mktemp("report"), 20)
    payer = house.book / "payers" / "gulf-shield.toml"
    name = 'name = "Gulf Shield'
    text = payer.read_text(encoding="utf-8")
    assert name in text
    payer.write_text(text.replace(name, f"{name} {'Supercalifragilistic' * 4}"), encoding="utf-8")
    out = house.folder / "report.html"
    assert house.run("report", "--on", "2025-06-01", "--shown", "5", "--out", out).status == 0
    empty = re.findall(r"(?:Nothing|No) [^<]*\.(?=</p>)", out.read_text(encoding="utf-8"))
    assert empty == EMPTY
    return out


def test_nothing_is_refused_or_asked_for_from_elsewhere(browser: Browser, written: Path) -> None:
    page = browser.new_context().new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(written.as_uri())
    for width in WIDTHS.values():
        wide(page, width)
        assert page.evaluate("document.documentElement.clientWidth") <= width
    assert asked == [written.as_uri()]
    assert said == [], "the page keeps its own content security policy, and the style is in force"
    page.context.close()


def test_it_is_never_wider_than_the_window(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    cut_off = """[...document.querySelectorAll('td, th, li, p, h1, h2, h3, h4, figcaption')]
        .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline'
                     && !e.closest('thead'))
        .map(e => e.textContent.slice(0, 60))"""
    for width in EVERY_WIDTH:
        wide(page, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        assert page.evaluate(cut_off) == [], width


def test_of_each_chart_one_drawing_is_shown_and_nothing_of_it_is_cut(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    outside = """[...document.querySelectorAll('svg')].filter(s => s.getClientRects().length).flatMap(s =>
        [...s.querySelectorAll('text, rect')].filter(e => { const b = e.getBoundingClientRect(),
            f = s.getBoundingClientRect();
            return b.left < f.left - 1 || b.right > f.right + 1 || b.bottom > f.bottom + 1; })
        .map(e => e.textContent || e.tagName))"""
    small = """[...document.querySelectorAll('svg')].filter(s => s.getClientRects().length).map(s =>
        13 * s.getBoundingClientRect().width / s.viewBox.baseVal.width)"""
    for width in EVERY_WIDTH:
        wide(page, width)
        assert page.locator("svg:visible").count() == page.locator("figure").count() == 3, width
        assert page.evaluate(outside) == [], width
        assert min(page.evaluate(small)) >= 10, (width, "its words can be read")


def test_axe_finds_nothing(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"], bypass_csp=True)
    assert undecided_at_every_width(page) <= UNDECIDED, "the next test measures the charts"


def test_parts_of_a_bar_stand_out_from_the_page_and_their_numbers_from_them(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    fills = set(page.evaluate("[...document.querySelectorAll('svg rect')].map(e => getComputedStyle(e).fill)"))
    assert len(fills) >= 6
    for fill in fills:
        assert contrast("rgb(255, 255, 255)", fill) >= LEAST_CONTRAST
    words = page.evaluate("[...document.querySelectorAll('svg text:not(.on)')].map(e => getComputedStyle(e).fill)")
    for fill in set(words):
        assert contrast("rgb(255, 255, 255)", fill) >= LEAST_CONTRAST


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_a_number_leads_to_its_rows_and_back(browser: Browser, written: Path, width: int) -> None:
    page = open_page(browser, written, width)
    row = page.locator("#holds-1")
    row.get_by_role("link").first.click()
    rows = page.locator(":target")
    assert rows.get_attribute("id") == "rows-holds-1"
    assert 0 <= rows.evaluate("e => e.getBoundingClientRect().top") < 900
    assert re.search(r"episode-ledger days (--payer \S+ )?--status hold --reason \w+", rows.inner_text())
    rows.get_by_role("link", name="Back to the number").click()
    assert page.locator(":target").get_attribute("id") == "holds-1"


def test_the_first_link_skips_to_the_report_and_focus_is_seen(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert page.locator("a[href][tabindex]").count() == 0


def test_tables_stay_tables_for_those_who_hear_them_at_a_phones_width(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["phone"])
    table = page.locator("#holds table")
    assert table.get_by_role("columnheader").count() == 7
    assert table.get_by_role("row").nth(1).get_by_role("cell").count() == 6
    assert page.get_by_role("img", name="Days on hold by reason").count() == 1


@pytest.mark.parametrize("paper", ["Letter", pytest.param("A4", marks=pytest.mark.soak)])
def test_on_paper_everything_is_there(browser: Browser, written: Path, paper: str) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    printed = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format=paper))).pages]
    whole = "".join(printed)
    assert "Skip to the report" not in whole
    assert "Back to the number" not in whole
    for number, sheet in enumerate(printed, 1):
        assert f"{number} / {len(printed)}" in sheet
    assert sum("The rows behind the numbers" in sheet for sheet in printed) == 1
    (begins,) = (sheet for sheet in printed if "The rows behind the numbers" in sheet)
    assert begins.splitlines()[1] == "The rows behind the numbers", "on a sheet of its own, below the sheet's number"
    page.emulate_media(media="print")
    assert page.locator("svg.wide-chart:visible").count() == 3
    assert page.locator("svg.narrow-chart:visible").count() == 0
