"""Names and values that no person types."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from commands.web.guard import security
from tests.act_forms import SHEET, form_at, multipart, text_of
from tests.command_line import House
from tests.in_process_site import HOST, InProcess


@pytest.mark.parametrize("name", ["表" * 100 + ".csv", "x" * 300 + ".csv", "..", "/etc/passwd", "a\0b.csv", "‮.csv"])
def test_a_file_of_any_name_is_taken(desk: InProcess, name: str) -> None:
    visitor = desk.visitor("biller")
    answer = multipart(form_at(visitor, "/import"), {"file": (name, SHEET)}, mapping="tickets")
    assert (answer.status, "1 row: 1 would be recorded" in text_of(answer)) == (200, True)


@pytest.mark.parametrize("at", ["9999-12-31T23:59:59Z", "0001-01-01T00:00Z"])
@pytest.mark.parametrize("zone", ["Pacific/Guam", "Pacific/Honolulu"])
def test_an_instant_at_the_ends_of_the_calendar_is_answered_in_every_zone(desk: InProcess, at: str, zone: str) -> None:
    visitor = desk.visitor("viewer")
    address = visitor.address_of("EP-1")
    visitor.cookie += f"; episode-ledger-zone={zone}"
    for page in ("", "/why", "/history", "/print"):
        assert visitor.get(f"{address}{page}?known_at={quote(at)}&day=2026-02-02").status in (200, 404)
    assert desk.told == []


def test_every_cookie_over_tls_is_for_tls_alone(house: House) -> None:
    reach = security.Reach(frozenset({HOST}), 8321, tls=True)
    visitor = InProcess(house.ledger, house.book, reach).visitor("viewer")
    given = visitor.post("/zone", zone="Pacific/Guam").headers["set-cookie"]
    assert "Secure" in given
    assert "HttpOnly" in given
    assert visitor.get("/findings/").status == 404, "and no address leads to one without TLS"


def test_a_name_that_is_none_fills_no_record_of_looks(desk: InProcess) -> None:
    visitor = desk.visitor("operator")
    form_at(visitor, "/record").send(patient="x" * 100_000)
    form_at(visitor, "/patients/merge").send(old="x" * 100_000)
    assert desk.site.access.path.stat().st_size < 10_000
