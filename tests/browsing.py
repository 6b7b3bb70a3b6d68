"""A real browser for pages: which, how wide, and what is asked of every page."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = {"desk": 1280, "phone": 390}

CHROMIUM = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""The first that is there is taken: the shell is the same engine, and a window of it costs a quarter."""

REBOUND = "evil.example"
"""A name that leads to this machine, as one of a foreign site may."""

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1",
]

AXE = Axe().axe_script

LONG_WORD = "Supercalifragilistic" * 6

CHECKED = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

UNDECIDED = {("color-contrast", "shortTextContent"), ("color-contrast", "nonBmp")}
"""Axe does not judge the contrast of a single sign."""

LEAST_CONTRAST = 4.5


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, without a window."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    assert found, (
        "no Chromium was found; on Debian: apt-get install chromium-headless-shell (scripts/test does it for root)"
    )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


@cache
def _window(browser: Browser, **options: Any) -> Page:
    return browser.new_context(**options).new_page()


def open_page(browser: Browser, path: Path, width: int, **more: Any) -> Page:
    """A file, loaded anew into the one window that is opened with these options: to open another takes longer."""
    page = _window(browser, **more)
    page.emulate_media(media="null")
    wide(page, width)
    page.goto(path.as_uri())
    return page


def wide(page: Page, width: int) -> None:
    """Give a window this width."""
    page.set_viewport_size({"width": width, "height": 900})


LEAVE_OUT_WHAT_IS_ALIKE = """met => {
    const parts = 'table, tbody, tbody tr, li, article, dl > div, td > :only-child';
    const times = new Map(met.map(kind => [kind, 2]));
    const form = e => e === null ? '' : `${e.tagName}.${e.className}#${e.getAttributeNames()}:${e.type ?? ''}`
        + (e.textContent.trim() ? '' : ' empty');
    const paths = new Map([[document.body, '']]), kinds = new Map();
    for (const e of document.body.querySelectorAll('*')) {
        paths.set(e, `${paths.get(e.parentElement)} > ${form(e)}`);
        kinds.set(e, paths.get(e) + (e.matches(parts) ? '' : ` after ${form(e.previousElementSibling)}`));
    }
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
    for (const part of document.querySelectorAll(parts)) {
        if (!part.isConnected) continue;
        const within = [part, ...part.querySelectorAll('*')];
        const spare = part.matches('td > *') || !part.matches(':first-of-type');
        if (spare && within.every(e => times.get(kinds.get(e)) > 1)) part.remove();
        else
            for (const kind of new Set(within.filter(e => e.closest(parts) === part).map(e => kinds.get(e))))
                times.set(kind, (times.get(kind) ?? 0) + 1);
    }
    return [ids.filter((id, place) => ids.indexOf(id) !== place), [...times.keys()]]; }"""
"""Takes away the parts (tables, rows, groups of rows, points, articles, and what is alone in its cell) of which each
element is of a kind that two parts before it have, or a page before. Of one kind is what is alike in element, classes,
attributes and whether it is empty, it and all around it, and within a part what stands before it; the first part of its
parent stays, but for a cell, which may be empty. Gives the names that stand on the page more than once, since what is
left would not tell, and the kinds met so far."""


def leave_out_what_is_alike(page: Page, met: set[str] | None = None) -> None:
    """Of what differs in its words alone leave two on the page, and none of what pages before it had: the time that Axe
    takes grows with what is there. No name stands on it twice."""
    twice, kinds = page.evaluate(LEAVE_OUT_WHAT_IS_ALIKE, sorted(met or ()))
    assert twice == []
    if met is not None:
        met.update(kinds)


def show_again(page: Page, html: str) -> None:
    """A page in the document that is open already: Axe, which is slow to load and until it is warm, stays in it."""
    page.set_content(html)
    assert page.evaluate("getComputedStyle(document.querySelector('.skip')).position") == "absolute", "it has its style"


def undecided_by_axe(page: Page) -> set[tuple[str, str]]:
    """What Axe cannot decide of a page, as (rule, why); it looked, and found nothing wrong."""
    wanted = {"resultTypes": ["violations", "incomplete"], "runOnly": {"type": "tag", "values": CHECKED}}
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(f"axe.run({json.dumps(wanted)})")
    assert len(found["passes"]) > 15
    wrong = [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]]
    assert wrong == [], (page.url, wrong)
    return {(rule["id"], _why(node)) for rule in found["incomplete"] for node in rule["nodes"]}


def undecided_at_every_width(page: Page) -> set[tuple[str, str]]:
    """The same of a page at a desk's and a phone's width, once what is alike is left out."""
    leave_out_what_is_alike(page)
    found = set[tuple[str, str]]()
    for width in WIDTHS.values():
        wide(page, width)
        found |= undecided_by_axe(page)
    return found


def _why(node: dict[str, Any]) -> str:
    """Why something is undecided: the key of Axe's message, or its words."""
    (check, *_) = node["any"] or node["all"] or node["none"]
    key = check["data"].get("messageKey") if isinstance(check["data"], dict) else None
    return str(key or f"{check['message']}: {node['html'][:200]}")


def contrast(ink: str, ground: str) -> float:
    """The ratio of WCAG 2: from 1 to 21."""
    lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def enter(page: Page) -> None:
    """Press the enter key and wait for the page it leads to."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def tab_to(page: Page, what: str) -> None:
    """Go on with the tabulator until the thing has the focus."""
    _tab(page, "(e, what) => e.matches(what)", what)


def press(page: Page, words: str) -> None:
    """Go on with the tabulator to what has these words, press it, and wait for the page it leads to."""
    _tab(page, "(e, words) => e.textContent.trim() === words", words)
    enter(page)


def tabbed(page: Page, times: int, look: str) -> list[Any]:
    """What a look at the page says after each of so many presses of the tabulator: the next press looks first."""
    page.evaluate(f"() => {{ window.looks = []; addEventListener('keydown', () => looks.push(({look})())); }}")
    for _ in range(times + 1):
        page.keyboard.press("Tab")
    found: list[Any] = page.evaluate("looks")
    return found[1:]


STOPS_BEFORE = """what => {
    const stops = [...document.querySelectorAll('a[href], button, input, select, textarea, summary, [tabindex]')]
        .filter(e => e.tabIndex >= 0 && !e.disabled && e.type !== 'hidden' && e.checkVisibility());
    const here = stops.indexOf(document.activeElement);
    return stops.findIndex((e, place) => place > here && (MEANT)(e, what)) - here; }"""


def _tab(page: Page, meant: str, what: str) -> None:
    """As many times as there are stops up to it, looked at once; where that is another place, step by step."""
    for _ in range(max(page.evaluate(STOPS_BEFORE.replace("MEANT", meant), what) - 1, 0)):
        page.keyboard.press("Tab")
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate(f"what => ({meant})(document.activeElement, what)", what):
            return
    raise AssertionError(f"{what} was not reached on {page.url}")
