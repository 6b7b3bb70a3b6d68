"""What one visitor may take of the room and the time of a site: not that of the others."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from commands.desk import uploads
from commands.desk.uploads import Upload, Uploads
from commands.web import forms
from commands.web.guard import security, sessions
from commands.web.guard.security import OpaqueIds
from commands.web.guard.sessions import Attempts, Sessions
from tests.in_process_site import HOST, InProcess, Visitor, apart


def test_a_form_of_many_parts_is_not_read_to_its_end(desk: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, made, begin = desk.visitor("biller"), list[int](), forms._Parts.begin
    monkeypatch.setattr(forms._Parts, "begin", lambda parts: (made.append(1), begin(parts)))
    for count, status in ((10_000, 400), (3, 403)):
        made.clear()
        body = b"--x\r\ncontent-disposition: form-data; name=a\r\n\r\n\r\n" * count + b"--x--\r\n"
        answer = visitor.ask("POST", "/import", body, content_type="multipart/form-data; boundary=x")
        assert answer.status == status
        assert len(made) <= 17


def test_a_form_without_files_is_short_also_where_files_are_sent(desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    assert visitor.post("/import", x="%41" * 70_000).status == 413
    assert visitor.post("/import", x="%41" * 1000).status == 400


def test_a_form_is_read_beside_the_other_requests(desk: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in the thread that takes in every connection."""
    seen = list[bool]()

    def looked(*_: object) -> dict[str, str]:
        try:
            asyncio.get_running_loop()
            seen.append(True)
        except RuntimeError:
            seen.append(False)
        return {}

    monkeypatch.setattr("commands.web.answering.fields_of", looked)
    desk.visitor("biller").post("/import")
    Visitor(desk).post("/sign-in")
    assert seen == [False, False]


def test_who_sends_too_much_at_once_is_told_so_and_others_are_not(
    desk: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES_COMING", 1000)
    ann, bob = desk.visitor("biller", "ann"), desk.visitor("biller", "bob")
    with desk.site.coming.of("ann") as more:
        more(900)
        assert ann.post("/search", text="E" * 120).status == 429
        assert bob.post("/search", text="E" * 120).status == 303
    assert ann.post("/search", text="E" * 120).status == 303, "once the other is there"


def test_a_file_makes_room_among_those_of_whoever_has_sent_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES_KEPT", 100)
    kept = Uploads()
    mine = kept.keep(Upload("a", "x", b"x" * 30, "ann"))
    others = [kept.keep(Upload(f"b{at}", "x", b"x" * 20, "bob")) for at in range(10)]
    assert kept.of("a", mine)
    assert [kept.of(f"b{at}", name) is not None for at, name in enumerate(others)] == [False] * 7 + [True] * 3


def test_who_signs_in_again_and_again_ends_sessions_of_their_own(
    desk: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "MOST_SESSIONS", 5)
    opened = Sessions("runs-it")
    ann, bob = (desk.user(name, "viewer") for name in ("ann", "bob"))
    mine, first = opened.by_user(ann), opened.by_user(bob)
    last = [opened.by_user(bob) for _ in range(20)][-1]
    assert [opened.of(cookie) is not None for cookie in (mine, first, last)] == [True, False, True]
    assert opened.count() == 5


def test_what_is_searched_for_is_kept_for_the_last_searches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "MOST_TYPED", 3)
    ids = OpaqueIds()
    made = [ids.of("search", str(number)) for number in range(5)]
    episodes = [ids.of("episode", str(number)) for number in range(5)]
    assert [ids.name("search", each) for each in made] == [None, None, "2", "3", "4"]
    assert [ids.name("episode", each) for each in episodes] == list("01234"), "those are as many as there are"


def test_a_name_that_has_to_wait_waits_whatever_other_names_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "MOST_NAMES", 4)
    tried = Attempts(lambda: 0.0)
    assert [tried.begin("ann") for _ in range(6)] == [True] * 5 + [False]
    assert all(tried.begin(f"other {number}") for number in range(20))
    assert not tried.begin("ann")
    assert tried.begin("other 0"), "and of the others the last are known"


def test_who_is_at_the_door_keeps_no_page_waiting(desk: InProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """There are 40 threads for pages; a password takes a while."""
    going, asked = threading.Event(), threading.Semaphore(0)

    def slow(kept: str | None, password: str) -> bool:
        asked.release()
        return going.wait(30) and False

    monkeypatch.setattr("commands.web.sign_in.is_right", slow)
    visitor = desk.visitor("viewer")

    async def together() -> int:
        strangers = [asyncio.create_task(posted(desk, f"name={number}")) for number in range(60)]
        await asyncio.to_thread(asked.acquire)
        try:
            return await asyncio.wait_for(got(desk, visitor), 10)
        finally:
            going.set()
            assert set(await asyncio.gather(*strangers)) == {403}

    assert apart(together()) == 200


async def posted(desk: InProcess, body: str) -> int:
    return await status_of(desk, "POST", "/sign-in", {"origin": f"http://{HOST}"}, body.encode())


async def got(desk: InProcess, who: Visitor) -> int:
    return await status_of(desk, "GET", "/proof", {"cookie": who.cookie}, b"")


async def status_of(desk: InProcess, method: str, path: str, headers: dict[str, str], body: bytes) -> int:
    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in ({"host": HOST} | headers).items()],
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 1), "http_version": "1.1", "root_path": "",
        "scheme": "http",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await desk.app(scope, receive, send)
    status: int = sent[0]["status"]
    return status
