"""A form that is on its way while the session of its sender ends: nothing of it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from commands.web.guard import sessions
from tests.act_forms import events, form_at
from tests.command_line import House
from tests.in_process_site import HOST, KEPT, InProcess, Visitor, apart


@pytest.mark.parametrize(
    ("ended", "is_recorded"),
    [
        (lambda desk: desk.site.users.change("ann", disabled_at="now"), False),
        (lambda desk: desk.site.users.change("ann", role="viewer"), False),
        (lambda desk: desk.site.users.change("ann", password=KEPT + "x"), False),
        (lambda desk: desk.site.sessions.end(desk.cookie), False),
        (lambda desk: setattr(desk.clock, "now", desk.clock.now + sessions.IDLE_SECONDS + 1), False),
        (lambda desk: None, True),
    ],
    ids=["disabled", "another role", "another password", "signed out", "idle", "nothing"],
)
def test_who_is_out_when_the_form_is_there_records_nothing(
    house: House, desk: InProcess, ended: Callable[[Any], None], is_recorded: bool
) -> None:
    ann = desk.visitor("biller", "ann")
    desk.cookie = ann.cookie.partition("=")[2]  # type: ignore[attr-defined]
    form, before = form_at(ann, f"{ann.address_of('EP-1')}/record/PainAssessed"), len(events(house))
    fields = form.fields | {"form": ann.form, "step": "record", "date": "2026-02-05", "score": "4"}
    status, text = slowly(desk, ann, form.action, urlencode(fields).encode(), lambda: ended(desk))
    assert (status, "These pages hold patients" in text) == ((200, False) if is_recorded else (403, True))
    assert len(events(house)) == before + is_recorded


def slowly(desk: InProcess, who: Visitor, path: str, body: bytes, meanwhile: Callable[[], None]) -> tuple[int, str]:
    """A form that comes in two parts, and what happens between them."""
    headers = {
        "host": HOST, "cookie": who.cookie, "origin": f"http://{HOST}",
        "content-type": "application/x-www-form-urlencoded",
    }  # fmt: skip
    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "scheme": "http",
        "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 1), "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    def parts() -> Iterator[dict[str, Any]]:
        yield {"type": "http.request", "body": body[:10], "more_body": True}
        meanwhile()
        yield {"type": "http.request", "body": body[10:], "more_body": False}

    coming = parts()

    async def receive() -> dict[str, Any]:
        return next(coming)

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    apart(desk.app(scope, receive, send))
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:]).decode()
