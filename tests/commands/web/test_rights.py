"""Every address, method and role, with every way of not being who one says: one table, and what answers hold to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from commands.people.roles import ROLES, Role
from commands.web.guard.rights import DECIDE, FIRST_USE, MAY, PUBLIC, RECORD
from commands.web.guard.sessions import IDLE_SECONDS, LONGEST_SECONDS
from tests.in_process_site import InProcess, Visitor
from tests.kept import documented

pytestmark = pytest.mark.sqlite_file  # what stands beside the ledger's file

DOOR: Final = "These pages hold patients"
OTHER_FORM: Final = "was made for another sign-in"
NOT_ALLOWED: Final = "who may not do this"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> InProcess:
    return InProcess(documented(tmp_path_factory.mktemp("rights")).ledger)


@pytest.fixture(scope="module")
def signed_in(desk: InProcess) -> dict[Role, Visitor]:
    return {role: desk.visitor(role) for role in ROLES}


@pytest.fixture(scope="module")
def path_of(desk: InProcess, signed_in: dict[Role, Visitor]) -> Callable[[str], str]:
    """A real address for each of the table's."""
    episode = signed_in["viewer"].address_of("EP-2005").removeprefix("/episode/")
    search = signed_in["viewer"].post("/search", text="EP").headers["location"].removeprefix("/found/")
    answer = f"/payments/unmatched/{desk.site.ids.of('answer', chr(0).join(('T-1', 'RH9', 'river-health')))}"
    work, looks = desk.site.work_href("EP-2005", "to_bill"), desk.site.ids.of("looks", "P-1005")
    parts = {
        "{ticket}": "aaaa", "{type}": "PainAssessed", "{version}": "2", "{act}": "retract", "{month}": "2026-10",
        "{name}": "findings",
    }  # fmt: skip

    def made(address: str) -> str:
        path = address.replace("/found/{id}", f"/found/{search}").replace("/looks/{id}", f"/looks/{looks}")
        path = path.replace("/open-work/{id}", work).replace("/payments/unmatched/{id}", answer)
        path = path.replace("{id}", episode)
        for part, value in parts.items():
            path = path.replace(part, value)
        return path + {
            "/holds": "?reason=auth_exhausted",
            "/episode/{id}/why": "?day=2026-09-16",
        }.get(address, "")

    return made


ASKED = sorted(MAY)


def test_no_address_is_both_public_and_for_roles() -> None:
    assert not MAY.keys() & PUBLIC
    assert MAY.keys() >= FIRST_USE
    assert all("viewer" not in roles and "auditor" not in roles for roles in (RECORD, DECIDE))


@pytest.fixture(scope="module")
def ended(desk: InProcess) -> dict[str, Visitor]:
    """Those who have no session, or none any more."""
    other = InProcess(desk.site.users.path.with_name("ledger.db"))
    ended = {"none": Visitor(other), "a guess": Visitor(other), "old": other.visitor("operator")}
    ended["a guess"].cookie = f"{other.reach.cookie}={other.site.sessions.token}"
    for _ in range(int(LONGEST_SECONDS / IDLE_SECONDS) + 1):
        assert ended["old"].get("/password").status == 200
        other.clock.now += IDLE_SECONDS - 1
    ended["idle"] = other.visitor("operator")
    other.clock.now += IDLE_SECONDS + 1
    for name, change in (("changed", {"role": "operator"}), ("disabled", {"disabled_at": "now"})):
        ended[name] = other.visitor("operator", name)
        other.site.users.change(name, **change)
    return ended


@pytest.mark.parametrize(("method", "address"), ASKED)
def test_without_a_session_that_lives_there_is_only_the_door(
    ended: dict[str, Visitor], path_of: Callable[[str], str], method: str, address: str
) -> None:
    for why, visitor in ended.items():
        assert_door(visitor, method, path_of(address), why)


def assert_door(visitor: Visitor, method: str, path: str, why: str) -> None:
    answer = visitor.get(path) if method == "GET" else visitor.post(path)
    assert (answer.status, DOOR in answer.text) == (403, True), why
    assert "EP-2005" not in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(("method", "address"), [asked for asked in ASKED if asked[1] != "/leave"])  # and is out then
@pytest.mark.parametrize("role", ROLES)
def test_a_role_is_answered_what_the_table_says_and_nothing_else(
    signed_in: dict[Role, Visitor], path_of: Callable[[str], str], role: Role, method: str, address: str
) -> None:
    answer = signed_in[role].get(path_of(address)) if method == "GET" else signed_in[role].post(path_of(address))
    if role in MAY[method, address]:
        assert NOT_ALLOWED not in answer.text
        assert DOOR not in answer.text
        assert answer.status not in (405, 500, 503), answer.text
        assert "Begin at the worklist" not in answer.text, "there is such an address"
    else:
        assert (answer.status, NOT_ALLOWED in answer.text) == (403, True)


@pytest.mark.parametrize("address", sorted(path for method, path in MAY if method == "POST"))
def test_the_form_of_another_user_or_of_another_site_does_nothing(
    desk: InProcess, signed_in: dict[Role, Visitor], path_of: Callable[[str], str], address: str
) -> None:
    other = desk.visitor("operator", "other")
    for form in (other.form, "", signed_in["operator"].form[:-1]):
        answer = signed_in["operator"].ask("POST", path_of(address), f"form={form}&text=EP")
        assert (answer.status, OTHER_FORM in answer.text) == (403, True)
    for origin in (None, "null", "https://evil.example", "http://127.0.0.1:1"):
        body = f"form={signed_in['operator'].form}"
        answer = signed_in["operator"].ask("POST", path_of(address), body, origin=origin)
        assert (answer.status, "another site" in answer.text) == (403, True)
    assert signed_in["operator"].get("/findings").status == 200


@pytest.mark.parametrize(("method", "address"), ASKED)
def test_with_a_first_password_there_is_only_the_form_for_a_new_one(
    desk: InProcess, path_of: Callable[[str], str], method: str, address: str
) -> None:
    if (method, address) in FIRST_USE:
        return
    visitor = desk.visitor()
    visitor.cookie = f"{desk.reach.cookie}={desk.site.sessions.by_user(desk.user('new', 'operator', must_change=True))}"
    answer = visitor.get(path_of(address)) if method == "GET" else visitor.post(path_of(address))
    assert (answer.status, answer.headers["location"]) == (303, "/password")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH", "HEAD", "TRACE"])
def test_no_other_method_is_answered_anywhere(
    signed_in: dict[Role, Visitor], path_of: Callable[[str], str], method: str
) -> None:
    for _, address in sorted(MAY.keys() | PUBLIC):
        assert signed_in["operator"].ask(method, path_of(address)).status == 405


def test_a_page_shows_no_link_and_no_form_that_its_reader_may_not_follow(
    signed_in: dict[Role, Visitor], path_of: Callable[[str], str]
) -> None:
    for role, visitor in signed_in.items():
        for address in ("/", "/episode/{id}", "/findings", "/claims", "/payments/unmatched"):
            page = visitor.get(path_of(address))
            for href in set(re.findall(r'href="(/[a-z/-]+)"', page.text)):
                assert visitor.get(href).status in (200, 303), (role, address, href)


def test_the_users_are_kept_for_their_owner_alone_and_never_in_the_ledger(desk: InProcess, tmp_path: Path) -> None:
    desk.user("somebody", "viewer")
    kept = desk.site.users.path
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.name == "ledger.users.json"
    folder = kept.parent
    assert b"somebody" not in (folder / "ledger.db").read_bytes()
