"""Signing in at a provider in a real browser, which alone decides what cookies come along from another site."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from tests.browsing import UNDECIDED, WIDTHS, leave_out_what_is_alike, undecided_by_axe
from tests.kept import documented
from tests.oidc_provider import SECRET, providing, settings_text
from tests.running_site import running

pytestmark = pytest.mark.sqlite_file  # what stands beside the ledger's file


def test_a_browser_comes_back_from_another_site_signed_in_and_leaves_again(browser: Browser, tmp_path: Path) -> None:
    house = documented(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with providing() as provider:
        provider.issuer = provider.issuer.replace("127.0.0.1", "localhost")  # another site, as browsers see it
        provider.shows_page = True
        (tmp_path / "secret").write_text(SECRET)
        (tmp_path / "secret").chmod(0o600)
        (tmp_path / "oidc.toml").write_text(settings_text(provider, redirect=f"http://127.0.0.1:{port}/sign-in/answer"))
        options = ("--port", str(port), "--oidc", str(tmp_path / "oidc.toml"))
        with running(house.ledger, None, *options) as site:
            page = browser.new_context(viewport={"width": WIDTHS["phone"], "height": 900}, bypass_csp=True).new_page()
            page.goto(site.home)
            leave_out_what_is_alike(page)
            assert undecided_by_axe(page) <= UNDECIDED
            page.get_by_role("link", name="Sign in at localhost").click()
            page.get_by_role("link", name="Go on").click()
            page.get_by_role("heading", name="Worklist").wait_for()
            assert "code=" not in page.url
            assert "Signed in as mgarcia (biller)" in page.get_by_role("contentinfo").inner_text()
            page.get_by_role("button", name="Sign out").click()
            there = page.get_by_role("link", name="sign out there, too").get_attribute("href")
            assert there is not None
            assert urlsplit(there).netloc == urlsplit(provider.issuer).netloc
            page.goto(site.home)
            assert page.get_by_role("heading", level=1).inner_text() == "Sign in"
