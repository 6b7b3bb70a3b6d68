"""The site in a real browser without scripts: both widths, the keyboard alone, accessibility, hostile names, paper."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from ledger.judge.steps import STEPS
from tests import ROOT
from tests.browsing import (
    LONG_WORD,
    REBOUND,
    UNDECIDED,
    WIDTHS,
    enter,
    leave_out_what_is_alike,
    show_again,
    tab_to,
    tabbed,
    undecided_by_axe,
    wide,
)
from tests.command_line import House, run, told
from tests.kept import documented
from tests.running_site import Running, running

EXAMPLES = ROOT / "docs" / "examples"
HOSTILE = f"<script>document.title='taken'</script>{LONG_WORD}"
DAY = "2026-09-16"
OUTLINE = """() => { const e = document.activeElement, s = getComputedStyle(e), b = e.getBoundingClientRect();
    return [e.tagName, s.outlineStyle, parseFloat(s.outlineWidth), b.top < innerHeight && b.bottom > 0]; }"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Every example, and names that do not break and that would like to be a script."""
    house = documented(tmp_path_factory.mktemp("site"))
    opening = {"type": "EpisodeOpened", "patient": HOSTILE[:128], "provider": "1234567893", "zone": "America/Chicago"}
    served = {"type": "DayServed", "order": LONG_WORD, "date": "2026-02-02"}
    lines = [told("o", opening, episode=LONG_WORD), told(LONG_WORD, served, episode=LONG_WORD)]
    stdin = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    assert run("--ledger", house.ledger, "record", "-", stdin=stdin).status == 0
    return house


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[Running]:
    with running(house.ledger) as site:
        yield site


@pytest.fixture(scope="module")
def inside(browser: Browser, site: Running) -> Iterator[BrowserContext]:
    """A browser that runs no scripts and came in by the token."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.home)
    page.get_by_label("Token").fill(site.token)
    page.get_by_role("button", name="Sign in").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Worklist"
    page.close()
    yield context
    context.close()


def address_of(inside: BrowserContext, site: Running, name: str) -> str:
    """An episode's address, by way of the search."""
    page = inside.new_page()
    page.goto(site.home)
    page.get_by_label("Patient, episode or number").fill(name)
    enter(page)
    address = page.locator("td a").first.get_attribute("href")
    page.close()
    assert address
    return site.home.rstrip("/") + address


def pages(inside: BrowserContext, site: Running) -> dict[str, str]:
    """The address of each kind of page."""
    base, address, hostile = site.home, address_of(inside, site, "EP-2005"), address_of(inside, site, LONG_WORD[:50])
    search = inside.new_page()
    search.goto(base)
    search.get_by_label("Patient, episode or number").fill("EP")
    enter(search)
    found = search.url
    assert found != base
    search.close()
    return {
        "worklist": base,
        "found": found,
        "findings": f"{base}findings",
        "holds": f"{base}holds?reason=auth_exhausted",
        "claims": f"{base}claims",
        "claims plan": f"{base}claims/plan",
        "unmatched": f"{base}payments/unmatched",
        "report": f"{base}report",
        "calendar": address,
        "day": f"{address}?day={DAY}",
        "then": f"{address}?day={DAY}&known_at=2026-09-20T00:00Z",
        "why": f"{address}/why?day={DAY}",
        "hostile": f"{hostile}?day=2026-02-02",
        "hostile why": f"{hostile}/why?day=2026-02-02",
        "not found": f"{base}nowhere",
        "refused": f"{address}?day=x",
    }


@pytest.fixture(scope="module")
def addresses(inside: BrowserContext, site: Running) -> dict[str, str]:
    return pages(inside, site)


@pytest.fixture(scope="module")
def measuring(browser: Browser, inside: BrowserContext) -> Iterator[Page]:
    """A browser of the same session in which the test itself may measure."""
    context = browser.new_context(bypass_csp=True)
    context.add_cookies(inside.cookies())  # type: ignore[arg-type]  # what one gives, the other takes
    yield context.new_page()
    context.close()


CUT_OFF = """[...document.querySelectorAll('td, li, p, h1, h2, h3, dd, input, select, button')]
    .filter(e => e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display !== 'inline')
    .filter(e => !['INPUT', 'SELECT'].includes(e.tagName))
    .filter(e => !e.closest('.unseen') && !e.querySelector('.unseen'))
    .map(e => e.textContent.slice(0, 60))"""


def test_no_page_is_wider_than_the_window_and_axe_finds_nothing(
    measuring: Page, addresses: dict[str, str], site: Running
) -> None:
    met: set[str] = set()
    measuring.goto(site.home)
    for name, address in (addresses | {"door": f"{site.home}enter"}).items():
        wide(measuring, 320)
        show_again(measuring, measuring.request.get(address).text())
        for width in (320, WIDTHS["phone"], WIDTHS["desk"]):
            wide(measuring, width)
            assert measuring.evaluate("document.documentElement.scrollWidth") <= width, (name, width)
            assert measuring.evaluate(CUT_OFF) == [], (name, width)
        leave_out_what_is_alike(measuring, met)
        for width in WIDTHS.values():
            wide(measuring, width)
            assert undecided_by_axe(measuring) <= UNDECIDED, (name, width)


def test_nothing_is_blocked_and_nothing_comes_from_elsewhere(
    browser: Browser, inside: BrowserContext, addresses: dict[str, str], site: Running
) -> None:
    context = browser.new_context()
    context.add_cookies(inside.cookies())  # type: ignore[arg-type]
    page = context.new_page()
    asked: set[str] = set()
    said: list[str] = []
    page.on("request", lambda request: asked.add(request.url))
    page.on("console", lambda message: said.append(message.text))
    for name, address in (addresses | {"charts": f"{site.home}report/page"}).items():
        if name not in ("not found", "refused"):  # the browser says of these that they failed
            page.goto(address)
            for width in WIDTHS.values():
                wide(page, width)
                position = page.evaluate("getComputedStyle(document.querySelector('.skip')).position")
                assert position == "absolute", (name, width)
            assert page.title() != "taken"
    assert said == [], "the style is in force under the site's own policy"
    assert {urlsplit(url).netloc for url in asked} == {f"127.0.0.1:{site.port}"}
    assert not any("EP-" in url or "P-1" in url for url in asked)
    context.close()


@pytest.mark.parametrize("width", [WIDTHS["phone"], pytest.param(WIDTHS["desk"], marks=pytest.mark.soak)])
def test_with_the_keyboard_alone_from_the_door_to_every_step_of_a_day(
    browser: Browser, site: Running, width: int
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page = context.new_page()
    page.goto(site.home)
    tab_to(page, "#token")
    page.keyboard.type(site.token)
    enter(page)
    tab_to(page, "#search")
    page.keyboard.type("EP-2005")
    enter(page)
    tab_to(page, "td a")
    enter(page)
    tab_to(page, f".month a[href*='{DAY}']")
    enter(page)
    day = page.locator("#day")
    assert "authorized units are used up" in day.inner_text()
    box = day.bounding_box()
    assert box
    assert 0 <= box["y"] < 900, "the day is in sight"
    assert page.locator(f"a[aria-current=date][href*='{DAY}']").count() == 1
    tab_to(page, "#day a[href*='/why']")
    enter(page)
    assert page.locator("#steps li").count() == len(STEPS)
    tab_to(page, "a[rel=prev]")
    enter(page)
    assert page.get_by_role("heading", level=1).inner_text().endswith("2026-09-15")
    context.close()


def test_another_moment_is_chosen_with_the_keyboard(inside: BrowserContext, addresses: dict[str, str]) -> None:
    page = inside.new_page()
    page.goto(addresses["day"])
    tab_to(page, "summary")
    page.keyboard.press("Enter")
    tab_to(page, "#known_at")
    page.keyboard.type("2026-09-25T00:00Z")
    enter(page)
    assert "As known at 2026-09-25 00:00:00 UTC" in page.locator(".as-of").inner_text()
    assert page.locator("#day h2").inner_text().endswith(DAY), "the day stays chosen"
    page.get_by_role("link", name="As known now").click()
    assert "known_at" not in page.url
    page.close()


def test_what_has_the_focus_is_always_seen(measuring: Page, addresses: dict[str, str]) -> None:
    page = measuring
    wide(page, WIDTHS["phone"])
    for name in ("worklist", "day", "findings"):
        page.goto(addresses[name])
        for step, (tag, style, outline, in_sight) in enumerate(tabbed(page, 40, OUTLINE)):
            if tag == "BODY":
                break
            assert (style, in_sight) == ("solid", True), (name, step)
            assert outline >= 2
    assert page.locator("[tabindex]:not([tabindex='-1'])").count() == 0


def test_the_first_link_skips_to_the_content(measuring: Page, site: Running) -> None:
    page = measuring
    wide(page, WIDTHS["desk"])
    page.goto(site.home)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"


def test_going_back_after_a_search_asks_nothing(inside: BrowserContext, site: Running) -> None:
    page = inside.new_page()
    page.goto(site.home)
    page.get_by_label("Patient, episode or number").fill("P-1005")
    enter(page)
    found = page.url
    with page.expect_navigation():
        page.locator("td a").first.click()
    page.go_back()
    assert page.url == found
    assert page.locator("tbody tr").count() == 2
    page.close()


def test_a_wrong_token_and_a_used_link_stay_outside(browser: Browser, site: Running) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site.home)
    page.get_by_label("Token").fill("wrong")
    enter(page)
    assert "not the token" in page.locator("main").inner_text()
    assert page.get_by_role("navigation").count() == 0
    first = browser.new_context().new_page()
    first.goto(site.link)
    assert first.get_by_role("heading", level=1).inner_text() == "Worklist"
    page.goto(site.link)
    assert "used already" in page.locator("main").inner_text()
    assert not context.cookies()
    first.context.close()
    context.close()


def test_a_name_that_somebody_made_point_here_shows_nothing(browser: Browser, site: Running) -> None:
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"http://{REBOUND}:{site.port}/")
    assert answer
    assert answer.status == 421
    assert "own address only" in page.content()
    assert page.locator("form").count() == 0
    context.close()


def test_on_paper_the_calendar_keeps_its_marks_and_loses_the_rest(measuring: Page, addresses: dict[str, str]) -> None:
    page = measuring
    wide(page, WIDTHS["desk"])
    page.goto(addresses["day"])
    page.emulate_media(media="print")
    shown = "selector => getComputedStyle(document.querySelector(selector)).display !== 'none'"
    assert [page.evaluate(shown, part) for part in (".top", ".paging", ".month", "#day")] == [False, False, True, True]
    assert page.evaluate("getComputedStyle(document.querySelector('.month a')).printColorAdjust") == "exact"
    assert len(page.pdf(format="Letter")) > 10_000
    page.emulate_media(media="null")
