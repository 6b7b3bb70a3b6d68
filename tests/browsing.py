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

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

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
    assert found, "no Chromium was found; on Debian: apt-get install chromium (scripts/test does it for root)"
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


LEAVE_OUT_WHAT_IS_ALIKE = """() => {
    const form = e => [e, ...e.querySelectorAll('*')].map(e => e.tagName + '.' + e.className + '#'
        + e.getAttributeNames().join() + (e.textContent.trim() ? '' : ' empty')).join(' ');
    const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
    for (const [what, within] of [['tbody tr', 'tbody'], ['tbody', 'table'], ['li', 'tbody'], ['article', 'tbody']]) {
        const parts = [...document.querySelectorAll(within)], met = new Map();
        for (const e of document.querySelectorAll(what)) {
            const key = parts.indexOf(e.closest(within)) + form(e), times = (met.get(key) ?? 0) + 1;
            met.set(key, times);
            if (times > 2) e.remove();
        }
    }
    return ids.filter((id, place) => ids.indexOf(id) !== place); }"""
"""Takes away what has the elements, classes and attributes of two before it: rows in their part of a table, then parts
in their table, then points and articles. Gives the names that stand on the page more than once: what is left would not
tell."""


def undecided_by_axe(page: Page) -> set[tuple[str, str]]:
    """What Axe cannot decide of a page, as (rule, why); it looked, and found nothing wrong. Of what differs in its
    words alone two are left on the page: the time it takes grows with what is there."""
    wanted = {"resultTypes": ["violations", "incomplete"], "runOnly": {"type": "tag", "values": CHECKED}}
    assert page.evaluate(LEAVE_OUT_WHAT_IS_ALIKE) == []
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found = page.evaluate(f"axe.run({json.dumps(wanted)})")
    assert len(found["passes"]) > 15
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == [], page.url
    return {(rule["id"], _why(node)) for rule in found["incomplete"] for node in rule["nodes"]}


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
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"{what} was not reached")
