"""The site: who gets in, what every answer carries, what it shows, what it records, and that it changes nothing."""

from __future__ import annotations

import hashlib
import html
import http.client
import json
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests import ROOT
from tests.builders import recorded_before
from tests.command_line import House, assert_plain, run, told
from tests.kept import documented
from tests.running_site import Answer, Browser, Running, running
from tests.stores import open_ledger

EXAMPLES = ROOT / "docs" / "examples"
HOSTILE = "<script>alert(1)</script>"
BREAKS_OUT = "\"'><img src=x onerror=alert(1)>&amp;{{7*7}}\u202e"
STRICT = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-embedder-policy": "require-corp",
}
PATIENTS = ("P-1001", "P-1005", "EP-2005", "script", "onerror")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Every example of the documentation, and a patient and an episode whose names are hostile."""
    house = documented(tmp_path_factory.mktemp("site"))
    opening = {"type": "EpisodeOpened", "patient": HOSTILE, "provider": "1234567893", "zone": "America/Chicago"}
    served = {"type": "DayServed", "order": BREAKS_OUT, "date": "2026-02-02"}
    hostile = [told("o", opening, episode=BREAKS_OUT), told(HOSTILE, served, episode=BREAKS_OUT)]
    with open_ledger(house.ledger, create=False) as ledger:  # recorded before the door asked for plain text
        ledger.append(*recorded_before(hostile))
    return house


@pytest.fixture(scope="module")
def site(house: House) -> Iterator[Running]:
    with running(house.ledger) as site:
        yield site


@pytest.fixture(scope="module")
def visitor(site: Running) -> Browser:
    return site.visitor()


class Walk(NamedTuple):
    """One page of each kind, and what was stored before and after they were asked for."""

    pages: dict[str, Answer]
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
def walk(house: House, visitor: Browser) -> Walk:
    def stored() -> dict[str, str]:
        files = [house.ledger, house.folder / "ledger.db-wal"]
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files if path.exists()}

    before = stored()
    return Walk(every_page(visitor), before, stored())


def every_page(visitor: Browser) -> dict[str, Answer]:
    """One page of each kind."""
    address = visitor.address_of("EP-2005")
    paths = {
        "worklist": "/",
        "findings": "/findings?rule=claimed_not_billable&level=hard",
        "holds": "/holds?reason=auth_exhausted",
        "report": "/report",
        "charts": "/report/page",
        "pictures": "/pictures",
        "claims": "/claims",
        "claims plan": "/claims/plan",
        "unmatched": "/payments/unmatched",
        "proof": "/proof",
        "history": f"{address}/history",
        "print": f"{address}/print",
        "looks": "/looks",
        "calendar": address,
        "day": f"{address}?day=2026-09-16",
        "then": f"{address}?day=2026-09-16&known_at=2026-09-01T00:00Z",
        "why": f"{address}/why?day=2026-09-16",
        "no such page": "/nowhere",
        "no such day": f"{address}?day=16.9.2026",
    }
    return {name: visitor.get(path) for name, path in paths.items()} | {"found": visitor.found("EP-")}


def access_records(house: House) -> list[dict[str, Any]]:
    text = (house.folder / "ledger.access.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


class Tags(HTMLParser):
    """Which tags a page has, and which attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes |= {name for name, _ in attrs}


def text_of(answer: Answer) -> str:
    """What a reader reads, without the tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", answer.text))


@pytest.mark.parametrize(
    "path", ["/", "/findings", "/report", "/report/page", "/holds?reason=no_order", "/episode/abc"]
)
def test_without_a_session_there_is_only_the_door(site: Running, path: str) -> None:
    for cookie in (None, f"episode-ledger-{site.port}=guessed", f"episode-ledger-{site.port}={site.token}"):
        answer = site.stranger().get(path, cookie=cookie)
        assert answer.status == 403
        assert "printed in the terminal" in answer.text
        assert not any(name in answer.text for name in PATIENTS)


def test_the_printed_link_lets_one_browser_in_once(house: House) -> None:
    with running(house.ledger) as site:
        path, first, second = urlsplit(site.link).path, site.stranger(), site.stranger()
        assert (first.get(path).status, first.get("/").status) == (303, 200)
        answer = second.get(path)
        assert answer.status == 403
        assert "used already" in answer.text
        assert second.get("/").status == 403
        assert first.get(path).headers["location"] == "/", "whoever is in just goes on"


def test_the_token_lets_others_in_and_a_wrong_one_does_not(site: Running) -> None:
    browser = site.stranger()
    for wrong in ("", "x", site.token[:-1], site.token + "a", "ü" * 10):
        answer = browser.post("/enter", token=wrong)
        assert answer.status == 403
        assert "set-cookie" not in answer.headers
    answer = browser.post("/enter", token=site.token)
    assert answer.headers["location"] == "/"
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/"} <= set(cookie.split("; "))
    assert site.token not in cookie
    assert browser.get("/").status == 200


def test_whoever_leaves_is_out(site: Running) -> None:
    browser = site.visitor()
    kept = browser.cookie
    assert browser.post("/leave").status == 303
    assert browser.get("/", cookie=kept).status == 403


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "127.0.0.1", "localhost.:{port}"]
)
def test_another_host_is_not_answered(site: Running, visitor: Browser, host: str) -> None:
    for path in ("/", "/enter", "/style.css"):
        answer = visitor.get(path, host=host.format(port=site.port))
        assert (answer.status, answer.headers["content-type"]) == (421, "text/plain; charset=utf-8")


@pytest.mark.parametrize("host", ["localhost:{port}", "[::1]:{port}"])
def test_every_name_of_loopback_is_answered(site: Running, visitor: Browser, host: str) -> None:
    assert visitor.get("/", host=host.format(port=site.port)).status == 200


@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "http://127.0.0.1:1", "https://127.0.0.1:{port}"]
)
def test_a_form_of_another_site_does_nothing(site: Running, visitor: Browser, origin: str | None) -> None:
    sent = origin and origin.format(port=site.port)
    for path, body in (("/enter", f"token={site.token}"), ("/search", "text=EP"), ("/leave", "")):
        answer = visitor.ask("POST", path, body, origin=sent)
        assert answer.status == 403
        assert "set-cookie" not in answer.headers
    assert visitor.get("/").status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_nothing_else_can_be_asked(visitor: Browser, method: str) -> None:
    assert visitor.ask(method, "/").status == 405


def test_a_search_is_never_in_an_address(visitor: Browser) -> None:
    assert visitor.get("/search?text=EP-2005").status == 405
    answer = visitor.post("/search", text="P-1005")
    assert re.fullmatch(r"/found/[a-z2-7]{24}", answer.headers["location"])
    assert "EP-2006" in visitor.get(answer.headers["location"]).text
    assert visitor.post("/search", text="  ").status == 400
    assert visitor.post("/search", text="x" * 5000).status == 413


def test_every_answer_forbids_what_it_can(site: Running, visitor: Browser, walk: Walk) -> None:
    answers = walk.pages | {
        "door": site.stranger().get("/"),
        "style": visitor.get("/style.css"),
        "host": visitor.get("/", host="evil.example"),
        "method": visitor.ask("PUT", "/"),
        "redirect": visitor.post("/search", text="x"),
    }
    for name, answer in answers.items():
        assert STRICT.items() <= answer.headers.items(), name
        policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
        assert policy.pop("style-src").startswith("'sha256-" if name in ("charts", "print") else "'self'"), name
        assert policy == {
            "default-src": "'none'", "form-action": "'self'", "base-uri": "'none'", "frame-ancestors": "'none'",
        }  # fmt: skip
        assert "server" not in answer.headers


def test_no_page_has_a_script_or_an_address_that_tells_something(walk: Walk) -> None:
    for name, answer in walk.pages.items():
        tags = Tags()
        tags.feed(answer.text)
        assert not {"script", "img", "iframe", "object", "embed"} & tags.names, name
        assert not [attribute for attribute in tags.attributes if attribute.startswith("on") or attribute == "style"]
        for href in answer.hrefs():
            assert not any(known in href for known in PATIENTS), (name, href)
            assert href.startswith(("/", "#", "?")), (name, href)
        title = re.search(r"<title>(.*?)</title>", answer.text)
        assert title, name
        assert not any(known in title[1] for known in PATIENTS), "a browser keeps titles in its history"


def test_ids_are_of_this_process_alone(house: House, visitor: Browser) -> None:
    address = visitor.address_of("EP-2005")
    with running(house.ledger) as other:
        stranger = other.visitor()
        assert stranger.get(address).status == 404
        assert stranger.address_of("EP-2005") != address
    for wrong in ("/episode/EP-2005", "/episode/aaaaaaaaaaaaaaaaaaaaaaaa", address[:-1], address + "/..", "/found/aa"):
        answer = visitor.get(wrong)
        assert answer.status == 404
        assert "EP-2005" not in answer.text
    searched = visitor.post("/search", text="EP-2005").headers["location"].removeprefix("/found/")
    assert visitor.get(f"/episode/{searched}").status == 404, "an id of a search is no id of an episode"


def test_hostile_names_are_shown_and_do_nothing(visitor: Browser) -> None:
    page = visitor.found("onerror=")
    address = next(href for href in page.hrefs() if href.startswith("/episode/"))
    for answer in (page, visitor.get(address), visitor.get(f"{address}/why?day=2026-02-02"), visitor.get("/")):
        assert answer.status == 200
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert "\u202e" not in answer.text
    calendar = visitor.get(address)
    assert html.escape(HOSTILE) in calendar.text
    assert "&amp;amp;{{7*7}}⟨U+202E⟩" in calendar.text
    assert "⟨U+202E⟩" in visitor.found(BREAKS_OUT).text


def test_the_calendar_says_what_the_command_says(house: House, visitor: Browser) -> None:
    address = visitor.address_of("EP-2005")
    for query, options in (("", ()), ("?known_at=2026-09-01T00:00Z", ("--known-at", "2026-09-01T00:00Z"))):
        rows = run("--ledger", house.ledger, "days", "--episode", "EP-2005", *options).rows
        page = visitor.get(address + query).text
        shown = re.findall(r'<a class="(\w+)" href="[^"]*[?&]day=([0-9-]+)[^"]*"[^>]*><span class="n">', page)
        assert [(row["status"], row["date"]) for row in rows] == shown
    assert len({status for status, _ in shown}) > 1


def test_a_day_says_what_why_says(house: House, visitor: Browser) -> None:
    address = visitor.address_of("EP-2005")
    for asked, options in (("", ()), ("&known_at=2026-09-22T00:00Z", ("--known-at", "2026-09-22T00:00Z"))):
        (answer,) = run("--ledger", house.ledger, "why", "EP-2005", "2026-09-16", *options).rows
        beside = text_of(visitor.get(f"{address}?day=2026-09-16{asked}"))
        alone = text_of(visitor.get(f"{address}/why?day=2026-09-16{asked}"))
        assert answer["sentence"] in beside
        assert answer["sentence"] in alone
        for part in (answer["flip"]["sentence"], answer["terms"]["source"]):
            assert part in alone
        for step in answer["steps"]:
            assert step["says"] in alone
            assert all(evidence["label"] in alone for evidence in step["evidence"])


def test_a_claim_leads_to_what_was_known_when_it_was_sent(visitor: Browser) -> None:
    address = visitor.address_of("EP-2003")
    page = visitor.get(f"{address}?day=2026-10-12")
    sent = [href for href in page.hrefs() if "known_at=" in href and "day=2026-10-12" in href and "#" not in href]
    assert sent
    then = visitor.get(sent[0])
    assert then.status == 200
    assert "As known at" in then.text


def test_before_its_opening_an_episode_is_not_known(visitor: Browser) -> None:
    address = visitor.address_of("EP-2005")
    for page in ("?", "/why?day=2026-09-16&"):
        answer = visitor.get(f"{address}{page}known_at=2000-01-01T00:00Z")
        assert answer.status == 404
        assert "did not know the episode" in answer.text


@pytest.mark.parametrize(
    "query", ["day=2026-9-1", "day=20260901", "day=x", "day=1999-01-01", "known_at=2026-09-01", "known_at=now"]
)
def test_what_cannot_be_read_is_answered_plainly(visitor: Browser, query: str) -> None:
    answer = visitor.get(f"{visitor.address_of('EP-2005')}?{query}")
    assert answer.status == 400
    assert "such as 2026-11-02" in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/findings?rule=x",
        "/findings?level=x",
        "/holds?reason=x",
        "/holds",
        "/findings?page=0",
        "/?kind=x",
        "/?due=x",
        "/?sort=x",
        "/findings?sort=x",
        "/findings?page=²",
    ],
)
def test_a_filter_that_does_not_exist_is_not_found(visitor: Browser, path: str) -> None:
    assert visitor.get(path.replace("²", "%C2%B2")).status in (400, 404)


def test_the_worklist_counts_as_the_commands_do(house: House, visitor: Browser) -> None:
    rows = run("--ledger", house.ledger, "worklist").rows
    said = text_of(visitor.get("/"))
    assert f"{len(rows)} rows, {sum(row['days'] for row in rows)} days" in said
    for kind, words in (("stops", "Stops a claim"), ("hold", "On hold"), ("to_bill", "To bill")):
        found = [row for row in rows if row["kind"] == kind]
        assert re.search(rf"{words}\s*{len(found)}\b", said)
        assert f"{len(found)} rows" in text_of(visitor.get(f"/?kind={kind}"))


def test_every_row_of_the_worklist_leads_to_its_episode(visitor: Browser) -> None:
    page = visitor.get("/")
    links = {href.split("#")[0] for href in page.hrefs() if href.startswith("/episode/")}
    assert len(links) > 5
    assert {visitor.get(href).status for href in links} == {200}


def test_findings_can_be_chosen_by_rule_and_level(house: House, visitor: Browser) -> None:
    for query, options in (("rule=claimed_not_billable", ("--rule", "claimed_not_billable")), ("", ())):
        count = len(run("--ledger", house.ledger, "findings", *options).rows)
        assert re.search(rf'<h2 id="rows-h">{count} findings', visitor.get(f"/findings?{query}").text)
    assert "Stops a claim" not in visitor.get("/findings?level=soft").text


def test_the_report_is_the_commands(house: House, visitor: Browser) -> None:
    sections = [row for row in run("--ledger", house.ledger, "report").rows if row["section"] == "billed"]
    said = text_of(visitor.get("/report"))
    assert sections
    for row in sections:
        assert f"${row['cents'] // 100:,}.{row['cents'] % 100:02}" in said
    assert "<svg" in visitor.get("/report/page").text


@contextmanager
def waiting(house: House, seconds: float) -> Iterator[Running]:
    """A site that waits so long for a request; how long it does otherwise, test_connections.py holds."""
    told_so = f"connections.REQUEST_SECONDS = {seconds}"
    program = f"from commands.cli import main\nfrom commands.web.guard import connections\n{told_so}\nmain()"
    with running(house.ledger, program=[sys.executable, "-c", program]) as site:
        yield site


def test_connections_that_say_nothing_keep_nobody_out(house: House) -> None:
    """More of them than the site has, or may have, files open; the first are let go though their time is not over."""
    silent: list[socket.socket] = []
    with waiting(house, 600) as site:
        visitor = site.visitor()
        try:
            while len(silent) < 800:
                silent += [socket.create_connection(("127.0.0.1", site.port)) for _ in range(50)]
                assert visitor.get("/style.css").status == 200, "and these are taken in: no more wait for it than may"
            assert visitor.get("/").status == 200
            assert site.visitor().get("/").status == 200
            silent[0].settimeout(60)
            assert gone(silent[0])
        finally:
            for each in silent:
                each.close()
        assert site.process.poll() is None


def test_who_does_not_send_a_whole_request_is_let_go(house: House) -> None:
    with waiting(house, 1) as site:
        half = b"POST /enter HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: 20\r\n\r\ntoken=" % site.port
        slow = [socket.create_connection(("127.0.0.1", site.port), timeout=60) for _ in range(3)]
        try:
            for connection, said in zip(slow, (b"", b"GET / HT", half), strict=True):
                connection.sendall(said)
            assert all(map(gone, slow))
        finally:
            for connection in slow:
                connection.close()


TWO_ENDS = (
    "POST /enter HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\n{length}Transfer-Encoding: chunked\r\n\r\n"
    "7\r\ntoken=x\r\n0\r\n\r\nGET /enter HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
)
"""A request in pieces, and another one behind it."""


@pytest.mark.parametrize(("length", "said"), [("Content-Length: 70\r\n", ["400"]), ("", ["403", "200"])])
def test_a_request_that_ends_in_two_ways_brings_no_second_one(site: Running, length: str, said: list[str]) -> None:
    """A proxy that counts, before a site that reads the pieces, would let somebody begin the request of another."""
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(TWO_ENDS.format(host=f"127.0.0.1:{site.port}", length=length).encode())
        answers = b"".join(iter(lambda: connection.recv(65536), b"")).decode()
    assert re.findall(r"HTTP/1\.1 (\d+)", answers) == said


def gone(connection: socket.socket) -> bool:
    """Whether the other side closes it, whatever it says before."""
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    return True


@pytest.mark.sqlite_file
def test_each_look_at_an_episode_is_recorded(house: House, site: Running) -> None:
    visitor = site.visitor()
    address = visitor.address_of("EP-2005")
    before = len(access_records(house))
    visitor.get(f"{address}?day=2026-09-16&known_at=2026-09-20T02:00%2B02:00")
    visitor.get(f"{address}/why?day=2026-09-16")
    visitor.get(address)
    first, second, third = access_records(house)[before:]
    assert (first["page"], first["episode"], first["day"]) == ("calendar", "EP-2005", "2026-09-16")
    assert first["known_at"] == "2026-09-20T00:00:00Z"
    assert (second["page"], third["page"], third["day"]) == ("why", "calendar", None)
    assert first["remote"] == "127.0.0.1"
    assert first["user"]
    assert first["session"] == second["session"]
    secrets = (site.token, visitor.cookie.split("=")[1])
    text = (house.folder / "ledger.access.jsonl").read_text(encoding="utf-8")
    assert not any(secret in text for secret in secrets)
    assert stat.S_IMODE((house.folder / "ledger.access.jsonl").stat().st_mode) == 0o600


@pytest.mark.sqlite_file
def test_each_page_is_recorded_with_every_patient_whose_data_it_holds(house: House, site: Running) -> None:
    """Also those over all episodes; whom a page names is whom its record names."""
    visitor, known = site.visitor(), {row["patient"] for row in house.run("days").rows}
    pages = ("/", "/findings", "/holds?reason=auth_exhausted", "/report", "/report/page", visitor.address_of("EP-2005"))
    for path in pages:
        before = len(access_records(house))
        text = html.unescape(visitor.get(path).text)
        (record,) = access_records(house)[before:]
        shown = {name for name in known - {HOSTILE} if re.search(rf"\b{re.escape(name)}\b", text)}
        assert shown <= set(record["patients"] or ()), path
        assert set(record["patients"] or ()) - {HOSTILE} == shown, path
    searched = len(access_records(house))
    visitor.found("P-1001")
    (record,) = access_records(house)[searched:]
    assert record["patients"] == ["P-1001"]


@pytest.mark.sqlite_file
def test_who_looked_at_a_patient_is_answered_from_one_date_to_another(house: House, site: Running) -> None:
    visitor = site.visitor()
    visitor.get(visitor.address_of("EP-2005"))
    (owner,) = {row["patient"] for row in house.run("days", "--episode", "EP-2005").rows}
    looks = house.run("access", owner).rows
    assert looks[-1]["page"] == "calendar"
    assert looks[-1]["episode"] == "EP-2005"
    today = looks[-1]["at"][:10]
    assert house.run("access", owner, "--from", today, "--to", today).rows == looks
    assert house.run("access", owner, "--to", "2000-01-01").rows == []
    assert house.run("access", owner, "--from", "2099-01-01").rows == []
    assert house.run("access", "NOBODY").rows == []
    records = house.folder / "ledger.access.jsonl"
    whole = records.read_bytes()
    try:
        records.write_bytes(whole + b"{\n")
        assert_plain(house.run("access", owner), 3, "of the access records cannot be read")
        older = {name: value for name, value in json.loads(whole.splitlines()[-1]).items() if name != "patients"}
        records.write_bytes(json.dumps(older).encode() + b"\n")
        assert house.run("access", owner).rows == []
    finally:
        records.write_bytes(whole)


@pytest.mark.sqlite_file
def test_a_look_that_cannot_be_recorded_is_not_taken(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert (
        run("--ledger", house.ledger, "record", "--keep-recorded-at", EXAMPLES / "cancer-palliative.jsonl").status == 0
    )
    records = tmp_path / "ledger.access.jsonl"
    with running(house.ledger) as site:
        visitor = site.visitor()
        address = visitor.address_of("EP-2005")
        records.unlink()
        records.symlink_to(tmp_path / "elsewhere")  # nobody writes through a link
        for path in (address, f"{address}/why?day=2026-09-16", "/", "/findings", "/report"):
            answer = visitor.get(path)
            assert answer.status == 503
            assert "could not be logged" in answer.text
            assert "P-1005" not in answer.text
        records.unlink()
        assert visitor.get(address).status == 200
        records.write_text('{"at":"half a li')
        assert visitor.get(address).status == 200
        assert json.loads(records.read_text().splitlines()[1])["page"] == "calendar"
        status, _, err = site.stop()
    assert status == 0
    assert "EP-2005" not in err


def test_it_changes_nothing_of_the_ledger(walk: Walk) -> None:
    assert {answer.status for answer in walk.pages.values()} == {200, 400, 404}
    assert walk.before
    assert walk.before == walk.after


def test_what_is_recorded_meanwhile_is_on_the_next_page(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert (
        run("--ledger", house.ledger, "record", "--keep-recorded-at", EXAMPLES / "cancer-palliative.jsonl").status == 0
    )
    with running(house.ledger, house.book) as site:
        visitor = site.visitor()
        address = visitor.address_of("EP-2005")
        assert "2026-09-25" not in visitor.get(address).text
        served = {"type": "DayServed", "order": "RX-500", "date": "2026-09-25"}
        assert house.tell(told("new", served, episode="EP-2005")).status == 0
        assert "day=2026-09-25" in visitor.get(address).text
        (provider,) = (house.book / "providers").glob("*.toml")
        before = re.search(r"Book, SHA-256</dt><dd><code>(\w+)", visitor.get("/proof").text)
        provider.write_text(provider.read_text() + "\n# a remark changes nothing\n")
        assert before
        assert before[1] in visitor.get("/proof").text
        provider.write_text(re.sub('name = ".*"', 'name = "Renamed Infusion"', provider.read_text()))
        changed = visitor.get("/proof").text
        assert before[1] not in changed, "a changed book is read again"
        provider.write_text("npi = ")
        assert visitor.get(address).status == 503


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_asked_and_says_nothing_of_patients(house: House, number: int) -> None:
    assert run("--ledger", house.ledger, "status").status == 0  # or it says that the read model was of another book
    with running(house.ledger) as site:
        visitor = site.visitor()
        if number == signal.SIGTERM:
            every_page(visitor)
        assert visitor.get("/").status == 200
        status, out, err = site.stop(number)
    assert status == 0
    assert out == ""
    assert len(err.splitlines()) == 1, err
    assert "Ctrl-C" in err
    with running(house.ledger):
        pass


def test_over_tls_it_answers_and_its_cookie_is_for_tls_alone(house: House, tmp_path: Path) -> None:
    cert, key = certified(tmp_path)
    with running(house.ledger, None, "--tls-cert", str(cert), "--tls-key", str(key), "--log", "json") as site:
        assert site.link.startswith("https://")
        trusting = ssl.create_default_context(cafile=cert)
        connection = http.client.HTTPSConnection("127.0.0.1", site.port, context=trusting, timeout=60)
        connection.request("GET", urlsplit(site.link).path)
        answer = connection.getresponse()
        answer.read()
        cookie = str(answer.getheader("set-cookie")).lower()
        assert answer.status == 303
        assert {"secure", "httponly", "samesite=strict"} <= set(cookie.split("; "))
        assert answer.getheader("strict-transport-security")
        connection.close()
        with pytest.raises((http.client.HTTPException, OSError)):
            site.stranger().get("/")
        status, _, err = site.stop()
    assert status == 0
    (line,) = (json.loads(line) for line in err.splitlines() if line.startswith("{"))
    assert (line["event"], line["address"], line["status"]) == ("request", "/enter/{ticket}", 303)


def certified(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's loopback, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    paths = folder / "site.pem", folder / "site.key"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].touch(0o600)
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                           serialization.NoEncryption()))  # fmt: skip
    return paths


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", "::", ""])
def test_without_tls_it_serves_on_loopback_alone(house: House, host: str) -> None:
    assert_plain(house.run("serve", "--host", host, "--port", "0"), 2, "loopback")


def test_a_taken_port_is_said_plainly(house: House) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert_plain(run("--ledger", house.ledger, "serve", "--port", port), 2, str(port), "--port 0")


def test_without_the_extra_it_says_what_to_install(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert_plain(house.run("serve"), 2, "pip install 'episode-ledger[web]'")


@pytest.mark.sqlite_file
def test_without_a_ledger_there_is_no_site(tmp_path: Path) -> None:
    assert_plain(run("--ledger", tmp_path / "none.db", "serve", "--port", "0"), 2, "none.db")


@pytest.mark.sqlite_file
def test_the_benchmark_of_the_site_runs(house: House) -> None:
    script = ROOT / "scripts" / "bench_site"
    command = [sys.executable, str(script), "--ledger", str(house.ledger), "--episodes", "3", "--rounds", "1", "--days"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode in (0, 1), ended.stderr  # how quick it is depends on the machine
    assert [line.split("  ")[0] for line in ended.stdout.splitlines()[1:3]] == [
        "calendar page",
        "with a day beside it p50",
    ]
