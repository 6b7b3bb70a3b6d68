"""Signing in by name and password: the first password, wrong ones, what ends a session, and beyond this machine."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher

from commands.people.passwords import fault_of_password
from commands.web.guard.security import Reach, host_of
from commands.web.guard.sessions import LOCKED_SECONDS, TRIES
from tests.command_line import House, assert_plain
from tests.in_process_site import HOST, PORT, InProcess, Visitor
from tests.kept import documented

pytestmark = pytest.mark.sqlite_file  # what stands beside the ledger's file

NEW = "a quite long password"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return documented(tmp_path_factory.mktemp("sign-in"))


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as ever, but for a fraction of the work."""
    monkeypatch.setattr("commands.people.passwords._hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    monkeypatch.setattr("commands.people.passwords._kept", [])


@pytest.fixture
def desk(house: House) -> InProcess:
    (house.folder / "ledger.users.json").unlink(missing_ok=True)
    return InProcess(house.ledger)


def add(house: House, name: str = "mgarcia", role: str = "biller") -> str:
    """Add a user by the command line; the first password."""
    ended = house.run("users", "add", name, "--role", role, "--by", "admin")
    assert ended.status == 0, ended.err
    return ended.out.decode().strip()


def signed_in(desk: InProcess, name: str, password: str) -> tuple[Visitor, Any]:
    visitor = Visitor(desk)
    return visitor, visitor.post("/sign-in", name=name, password=password)


def test_a_first_password_is_changed_when_it_is_first_used(house: House, desk: InProcess) -> None:
    first = add(house)
    visitor, answer = signed_in(desk, "mgarcia", first)
    assert (answer.status, answer.headers["location"]) == (303, "/password")
    assert visitor.get("/").headers["location"] == "/password"
    visitor.get("/password")
    for old, new, again, wrong in (
        ("no", NEW, NEW, "not the password you signed in with"),
        (first, NEW, NEW + "x", "not the same"),
        (first, first, first, "the old one"),
        (first, "short", "short", "12 to 128"),
    ):
        answer = visitor.post("/password", old=old, new=new, again=again)
        assert (answer.status, wrong in answer.text) == (400, True)
    before = visitor.cookie
    assert visitor.post("/password", old=first, new=NEW, again=NEW).headers["location"] == "/"
    assert visitor.get("/").status == 200
    assert "Signed in as <bdi>mgarcia</bdi> (biller)" in visitor.get("/").text
    visitor.cookie = before
    assert visitor.get("/").status == 403, "the session of the first password is over"
    assert signed_in(desk, "mgarcia", first)[1].status == 403
    assert signed_in(desk, "mgarcia", NEW)[1].status == 303


def test_what_is_said_of_a_user_holds_at_once(house: House, desk: InProcess) -> None:
    add(house)
    visitor = desk.visitor("biller", "other")
    assert visitor.get("/").status == 200
    assert house.run("users", "role", "other", "viewer").status == 0
    assert visitor.get("/").status == 403, "a change ends the session"
    first = house.run("users", "reset", "other").out.decode().strip()
    assert signed_in(desk, "other", first)[1].status == 303
    assert house.run("users", "disable", "other").status == 0
    assert signed_in(desk, "other", first)[1].status == 403
    rows = {row["name"]: (row["role"], row["state"]) for row in house.run("users", "list").rows}
    assert rows == {"mgarcia": ("biller", "first password"), "other": ("viewer", "disabled")}
    assert b"argon2" not in house.run("users", "list").out


def test_who_guesses_has_to_wait_and_is_not_told_which_names_there_are(house: House, desk: InProcess) -> None:
    first = add(house)
    for name in ("mgarcia", "nobody"):
        answers = [signed_in(desk, name, f"guess {number}")[1] for number in range(TRIES + 1)]
        assert [answer.status for answer in answers] == [403] * TRIES + [429]
        assert answers[-1].headers["retry-after"] == str(int(LOCKED_SECONDS))
    assert signed_in(desk, "MGARCIA", first)[1].status == 429, "capitals make no other name of it"
    assert signed_in(desk, "mgarcia", first)[1].status == 429, "right or wrong"
    texts = {signed_in(desk, name, "x")[1].text for name in ("mgarcia", "nobody")}
    assert len(texts) == 1
    desk.clock.now += LOCKED_SECONDS + 1
    assert signed_in(desk, "mgarcia", first)[1].status == 303
    assert "mgarcia" not in "".join(desk.told)


def test_each_look_is_recorded_under_the_name_of_who_is_signed_in(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("viewer", "looker")
    visitor.get(visitor.address_of("EP-2005"))
    (owner,) = {row["patient"] for row in house.run("days", "--episode", "EP-2005").rows}
    assert house.run("access", owner).rows[-1]["user"] == "looker"


def test_users_that_cannot_be_read_let_nobody_in(house: House, desk: InProcess) -> None:
    visitor = desk.visitor("biller")
    kept = desk.site.users.path
    kept.write_text("{")
    for answer in (visitor.get("/"), signed_in(desk, "biller", "x")[1]):
        assert (answer.status, "cannot be read" in answer.text) == (503, True)
    assert_plain(house.run("users", "list"), 2, "cannot be read")
    kept.unlink()
    kept.symlink_to(house.folder / "elsewhere.json")
    assert visitor.get("/").status == 503
    kept.unlink()


def test_what_is_no_user_is_said_plainly(house: House, desk: InProcess) -> None:
    add(house)
    for args, said in (
        (("add", "MGarcia", "--role", "viewer"), "of that name already"),
        (("add", " x", "--role", "viewer"), "no space at either end"),
        (("add", "", "--role", "viewer"), "1 to 128"),
        (("disable", "nobody"), "no user of that name"),
        (("add", "x", "--role", "boss"), "boss"),
    ):
        assert_plain(house.run("users", *args), 2, said)


@pytest.mark.parametrize("password", ["short", "x" * 129, "mgarcia mgarcia", "aaaaaaaaaaaaaaaa"])
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    assert fault_of_password(password, "MGarcia")
    assert not fault_of_password(NEW, "MGarcia")


TLS = Reach(frozenset({HOST}), PORT, tls=True, proxied=True, token=False)


def test_behind_a_proxy_the_token_lets_nobody_in_and_cookies_are_for_tls_alone(house: House) -> None:
    desk = InProcess(house.ledger, reach=TLS)
    visitor = Visitor(desk)
    assert visitor.post("/enter", token=desk.site.sessions.token).status == 403
    assert visitor.get(f"/enter/{desk.site.sessions.ticket}").status == 403
    first = add(house, "remote", "viewer")
    visitor, answer = signed_in(desk, "remote", first)
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict", "path=/", "secure"} <= set(cookie.split("; "))
    assert cookie.startswith("__host-")
    assert "strict-transport-security" in answer.headers
    assert visitor.ask("POST", "/sign-in", "", origin=f"http://{HOST}").status == 403


def test_behind_a_proxy_a_look_is_recorded_with_the_address_that_the_proxy_tells(house: House) -> None:
    desk = InProcess(house.ledger, reach=TLS)
    visitor = desk.visitor("viewer", "far")
    visitor.get("/", x_forwarded_for="6.6.6.6, 192.0.2.7")
    plain = InProcess(house.ledger)
    plain.visitor("viewer", "near").get("/", x_forwarded_for="6.6.6.6")
    records = (house.folder / "ledger.access.jsonl").read_text().splitlines()[-2:]
    assert ['"remote":"192.0.2.7"' in records[0], '"remote":"127.0.0.1"' in records[1]] == [True, True]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--host", "0.0.0.0"), "only over TLS"),
        (("--host", "192.0.2.1", "--origin", "https://billing.example.org"), "only over TLS"),
        (("--behind-proxy",), "--origin says"),
        (("--behind-proxy", "--origin", "http://billing.example.org"), "expected an address"),
        (("--behind-proxy", "--origin", "https://billing.example.org/x"), "expected an address"),
        (("--origin", "https://billing.example.org"), "goes with TLS"),
        (("--behind-proxy", "--origin", "https://billing.example.org"), "nobody could sign in"),
        (("--tls-cert", "@cert"), "go together"),
        (("--tls-cert", "@cert", "--tls-key", "@key"), "others may read that key"),
    ],
)
def test_beyond_this_machine_it_wants_tls_a_name_and_users(
    house: House, desk: InProcess, options: tuple[str, ...], said: str
) -> None:
    for name in ("cert", "key"):
        (house.folder / name).write_text("")
        (house.folder / name).chmod(0o644)
    named = [str(house.folder / option[1:]) if option.startswith("@") else option for option in options]
    assert_plain(house.run("serve", "--port", "0", *named), 2, said)


@pytest.mark.parametrize("origin", ["https://a.example:8321", "https://a.example"])
def test_an_origin_is_the_host_that_browsers_send(origin: str) -> None:
    assert host_of(origin) == origin.removeprefix("https://")


@pytest.mark.parametrize("origin", ["https://", "https://A.example", "https://u@a.example", "https://a.example:443",
                                    "https://a.example:x", "a.example", "https://a.example/"])  # fmt: skip
def test_what_is_no_origin_is_none(origin: str) -> None:
    assert host_of(origin) is None
