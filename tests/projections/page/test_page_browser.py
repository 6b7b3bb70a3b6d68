"""The page in a real browser: at a desk's and a phone's width, with the keyboard alone, for everybody, and on paper."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from projections.words import MARKS
from tests import ROOT
from tests.browsing import (
    AXE,
    LEAST_CONTRAST,
    LONG_WORD,
    UNDECIDED,
    WIDTHS,
    contrast,
    leave_out_what_is_alike,
    open_page,
    show_again,
    tabbed,
    undecided_at_every_width,
    undecided_by_axe,
    wide,
)
from tests.command_line import House, run, told

EXAMPLE = ROOT / "docs" / "examples" / "cancer-palliative.jsonl"
RIGHT_TO_LEFT = "\u202eenod txen eb ot\u202c"


NOTES = 40


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A rich episode: every verdict, findings, claims that differ, and words that do not break."""
    house = House(tmp_path_factory.mktemp("page"))
    assert run("--ledger", house.ledger, "record", "--keep-recorded-at", EXAMPLE).status == 0
    words = told(LONG_WORD, {"type": "ResponseNoted", "date": "2026-07-09", "note": RIGHT_TO_LEFT}, episode="EP-2005")
    assert house.tell(words | {"source": LONG_WORD}).status == 0
    return house


@pytest.fixture(scope="module")
def written(house: House) -> Path:
    """Its page."""
    return page_file(house, "page.html")


@pytest.fixture(scope="module")
def long(house: House, written: Path) -> Path:
    """Its page with many notes of many lines more, written after the other."""
    notes = [
        told(f"note-{number}", {"type": "ResponseNoted", "date": "2026-07-08", "note": note}, episode="EP-2005")
        for number in range(NOTES)
        for note in [f"begin{number}. {'sleeps well, no redness at the site, pump counted ' * 12} end{number}."]
    ]
    assert house.tell(*notes).status == 0
    return page_file(house, "long.html")


def page_file(house: House, name: str) -> Path:
    out = house.folder / name
    assert run("--ledger", house.ledger, "page", "EP-2005", "--out", out).status == 0
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
        assert page.evaluate("getComputedStyle(document.querySelector('.skip')).position") == "absolute", width
    assert asked == [written.as_uri()]
    assert said == [], "the page keeps its own content security policy, and the style is in force"
    page.context.close()


def test_it_is_never_wider_than_the_window(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    cut_off = """[...document.querySelectorAll('td, li, p, h1, h2, h3, dd')]
        .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
        .map(e => e.textContent.slice(0, 60))"""
    covered = """[...document.querySelectorAll('td')].filter(e => !e.querySelector('.unseen'))
        .filter(e => { const r = document.createRange(); r.selectNodeContents(e);
            return [...r.getClientRects()].some(b => b.right > innerWidth + 1); }).length"""
    for width in (*WIDTHS.values(), 320):
        wide(page, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, width
        assert page.evaluate(cut_off) == [], width
        assert page.evaluate(covered) == 0, width


def test_axe_finds_nothing(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"], bypass_csp=True)
    assert undecided_at_every_width(page) <= UNDECIDED, "the next test measures the marks"


def test_of_what_is_alike_two_are_left_and_whatever_differs_is(browser: Browser) -> None:
    page = browser.new_context().new_page()

    def left(html: str, met: set[str] | None = None) -> str:
        page.set_content(html)
        leave_out_what_is_alike(page, met)
        return str(page.evaluate("[...document.querySelectorAll('td, li')].map(e => e.textContent).join(' ')"))

    def rows(texts: str, more: str = "") -> str:
        return "".join(f"<tr><td>{text}<td{more}>{text}" for text in texts)

    assert left(f"<table>{rows('abcd')}</table><ul><li>a<li>b<li>c</ul>") == "a a b b a b"
    odd = f"{rows('abc')}<tr><td>d<td class=odd>d{rows('e', ' class=odd')}{rows('fg', ' class=odd')}"
    assert left(f"<table>{odd}</table>") == "a a b b d d e e", "each kind twice, whatever else is in their row"
    assert left(f"<table>{rows('ab')}{rows('cd', '><a')}{rows('e')}</table>") == "a a b b c c d d", "by what is in it"
    assert left(f"<table>{rows('abc')}</table><table class=x>{rows('def')}</table>") == "a a b b d d e e", "and around"
    assert left("<ul><li>a<li><b>b</b><b>c</b><li><b>d</b><b>e</b><li><b>f</b><b>g</b></ul>") == "a bc de"
    assert left("<ul><li>a<li>b</ul><ul><li>c<li>d</ul>") == "a b c", "the first of a list stays"
    cells = "".join(f"<tr><td><a>{text}</a><td><b>{text}</b>" for text in "abc")
    odd = "<tr><td><a>d</a><td><b>d</b><i>d</i><tr><td><a>e</a><td>e<tr><td><a>f</a><td><b class=x>f</b>"
    assert left(f"<table>{cells}{odd}</table>") == "a a b b  dd  f", "of a row that stays, what is alone in its cell"
    tables = "".join(f"<table><caption>{text}</caption>{rows(text)}</table>" for text in "abc")
    assert left(f"{tables}<table><tr><td class=x>d</table>") == "a a b b d"
    met: set[str] = set()
    assert left(f"<table>{rows('abc')}</table>", met) == "a a b b"
    assert left(f"<table>{rows('abc')}{rows('d', ' class=odd')}</table>", met) == "a a d d", "on a page after that"
    page.set_content("<p id=twice>a</p><p id=twice>b</p>")
    with pytest.raises(AssertionError):
        leave_out_what_is_alike(page)
    page.context.close()


def test_axe_finds_what_is_wrong_with_a_page_that_is_shown_again(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"], bypass_csp=True)
    page.evaluate(AXE)
    wrong = page.content().replace("<main", '<p style="color: #999">faint</p><img src="#x"><main', 1)
    show_again(page, wrong)
    leave_out_what_is_alike(page)
    with pytest.raises(AssertionError, match="'image-alt'") as found:
        undecided_by_axe(page)
    assert "'color-contrast'" in str(found.value)


def test_verdicts_and_all_other_text_stand_out_from_their_ground(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    colours = """selector => [...document.querySelectorAll(selector)].map(e =>
        [getComputedStyle(e).color, getComputedStyle(e).backgroundColor])"""
    for status in MARKS:
        found = {tuple(pair) for pair in page.evaluate(colours, f".mark.{status}, .month a.{status}")}
        assert found, status
        assert min(contrast(ink, ground) for ink, ground in found) >= LEAST_CONTRAST
    grounds = {tuple(page.evaluate(colours, f".month a.{status}")[0])[1] for status in MARKS}
    assert len(grounds) == len(MARKS)


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS)
def test_the_keyboard_reaches_every_link_in_order_and_shows_where_it_is(
    browser: Browser, written: Path, width: int
) -> None:
    page = open_page(browser, written, width)
    links = page.locator("a[href]").count()
    assert links > 200
    where = """() => { const e = document.activeElement;
        const s = getComputedStyle(e), b = e.getBoundingClientRect();
        return [[...document.querySelectorAll('a[href]')].indexOf(e), s.outlineStyle, parseFloat(s.outlineWidth),
                b.top < innerHeight && b.bottom > 0]; }"""
    reached = []
    for place, style, outline, in_sight in tabbed(page, 120, where):
        reached.append(place)
        assert (style, in_sight) == ("solid", True)
        assert outline >= 2
    assert reached == list(range(120)), "every link, in the order of the page"
    assert page.locator("a[href][tabindex]").count() == 0


def test_the_first_link_skips_to_the_report(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "report"


def test_a_day_of_the_calendar_leads_to_its_causes_and_they_to_their_entries(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["phone"])
    page.locator(".month a[href='#d-2026-09-24']").click()
    day = page.locator("#d-2026-09-24")
    assert 0 <= day.evaluate("e => e.getBoundingClientRect().top") < 900
    day.get_by_role("link", name="chart:death").click()
    entry = page.locator(":target")
    assert "PatientDied" in entry.inner_text()
    assert 0 <= entry.evaluate("e => e.getBoundingClientRect().top") < 900


def test_tables_stay_tables_for_those_who_hear_them_at_a_phones_width(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["phone"])
    assert page.get_by_role("columnheader", name="Source and id").count() == 1
    assert page.get_by_role("row").filter(has_text="chart:death").first.get_by_role("cell").count() == 5
    assert page.get_by_role("link", name="24 not billable: after the patient's death").count() == 1


@pytest.mark.parametrize("paper", ["A4", pytest.param("Letter", marks=pytest.mark.soak)])
def test_on_paper_everything_is_there_and_no_row_is_cut(browser: Browser, long: Path, paper: str) -> None:
    page = open_page(browser, long, WIDTHS["desk"])
    printed = [sheet.extract_text() for sheet in PdfReader(io.BytesIO(page.pdf(format=paper))).pages]
    assert 5 < len(printed) < 25
    for number, sheet in enumerate(printed, 1):
        assert f"{number} / {len(printed)}" in sheet
    assert "Skip to the report" not in "".join(printed)
    for day in range(6, 32):
        assert sum(f"2026-07-{day:02} " in sheet for sheet in printed) >= 1
    for number in range(NOTES):
        begin = [place for place, sheet in enumerate(printed) if f"begin{number}." in sheet]
        end = [place for place, sheet in enumerate(printed) if f"end{number}." in sheet]
        assert begin == end
        assert len(begin) == 1
    with_entries = [sheet for sheet in printed if "begin" in sheet]
    assert len(with_entries) > 2
    for sheet in with_entries:
        assert "Position Recorded Source and id States Decides" in sheet, "the heading is repeated"


def test_on_paper_no_month_is_cut(browser: Browser, written: Path) -> None:
    page = open_page(browser, written, WIDTHS["desk"])
    page.emulate_media(media="print")
    inside = (
        "selector => [...new Set([...document.querySelectorAll(selector)].map(e => getComputedStyle(e).breakInside))]"
    )
    for kept_whole in (".month", "tr", ".day-list li", ".findings li"):
        assert page.evaluate(inside, kept_whole) == ["avoid"]
    assert page.evaluate("getComputedStyle(document.querySelector('.month a')).printColorAdjust") == "exact"
    assert page.evaluate("getComputedStyle(document.querySelector('.day-list a')).textDecorationLine") == "none"
