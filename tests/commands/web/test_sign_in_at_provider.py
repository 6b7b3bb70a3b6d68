"""Signing in at a provider by OpenID Connect: who gets in, as what and under which name, and every answer refused."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey

from commands.people.provider import AT_ONCE
from commands.people.provider import Provider as AtProvider
from commands.people.provider_settings import ProviderSettings, ProviderTrouble, secret_of, settings_in
from commands.people.users import User
from commands.web.guard.pending import PENDING_SECONDS, Pending
from commands.web.guard.security import Reach
from tests.act_forms import form_at, text_of
from tests.command_line import House, assert_plain
from tests.in_process_site import HOST, PORT, InProcess, Visitor
from tests.kept import documented
from tests.oidc_provider import CLIENT, SECRET, Provider, providing, settings_text
from tests.running_site import Answer

pytestmark = pytest.mark.sqlite_file  # what stands beside the ledger's file


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return documented(tmp_path_factory.mktemp("provider"))


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as running:
        yield running


@pytest.fixture
def desk(house: House, provider: Provider, tmp_path: Path) -> InProcess:
    (house.folder / "ledger.users.json").unlink(missing_ok=True)
    desk = InProcess(house.ledger)
    desk.site.provider = AtProvider(written(tmp_path, provider), SECRET)
    desk.site.pending = Pending(desk.clock)
    return desk


def written(folder: Path, provider: Provider, **more: Any) -> ProviderSettings:
    (folder / "oidc.toml").write_text(settings_text(provider, **{"redirect": f"http://{HOST}/sign-in/answer"} | more))
    return settings_in(folder / "oidc.toml")


def sent_back(provider: Provider, location: str) -> str:
    """Where the provider sends the browser that comes to it."""
    address = urlsplit(location)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    try:
        connection.request("GET", f"{address.path}?{address.query}")
        back = urlsplit(connection.getresponse().headers["location"])
    finally:
        connection.close()
    return f"{back.path}?{back.query}"


def signed_in(desk: InProcess, provider: Provider) -> tuple[Visitor, Answer]:
    visitor = Visitor(desk)
    return visitor, visitor.get(sent_back(provider, visitor.get("/sign-in/provider").headers["location"]))


def test_who_the_provider_vouches_for_gets_in_with_the_role_of_their_group(desk: InProcess, provider: Provider) -> None:
    door = Visitor(desk).get("/enter")
    assert "Sign in at 127.0.0.1" in door.text
    visitor, answer = signed_in(desk, provider)
    assert (answer.status, "mgarcia" in answer.text, "(biller)" in answer.text) == (200, True, True)
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    page = visitor.get("/")
    assert "Signed in as <bdi>mgarcia</bdi> (biller)" in page.text
    assert "Change password" not in page.text
    answer = visitor.post("/leave")
    assert (answer.status, f"{provider.issuer}/out?client_id={CLIENT}" in answer.text) == (200, True)
    assert visitor.get("/").status == 403
    assert provider.asked.count("/.well-known/openid-configuration") == 1
    assert set(provider.asked) <= {"/.well-known/openid-configuration", "/authorize", "/token", "/keys"}


def test_what_is_recorded_bears_the_name_that_the_provider_tells(
    desk: InProcess, provider: Provider, house: House
) -> None:
    provider.who["preferred_username"] = "teller"
    visitor, _ = signed_in(desk, provider)
    visitor.get("/")
    form = form_at(visitor, f"{visitor.address_of('EP-2005')}/record/PainAssessed")
    shown = form.shown(date="2026-09-16", score="3", by="somebody else")
    assert "Recorded as desk:" in text_of(shown.send("record"))
    assert house.run("replay", "EP-2005").rows[-1]["by"] == "teller"


def forged_by_another_key(provider: Provider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": "first"}, claims, ECKey.generate_key("P-256"))


def of_an_unknown_key(provider: Provider, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": "other"}, claims, ECKey.generate_key("P-256"))


def by_a_shared_secret(provider: Provider, claims: dict[str, Any]) -> str:
    """What a thief of the client secret could sign, or anybody with the public key as if it were a secret."""
    return jwt.encode({"alg": "HS256", "kid": "first"}, claims, OctKey.import_key(SECRET * 2), algorithms=["HS256"])


def unsigned(provider: Provider, claims: dict[str, Any]) -> str:
    parts = ({"alg": "none", "kid": "first"}, claims)
    head, body = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return f"{head}.{body}."


def with_changed(**changes: Any) -> Callable[[Provider, dict[str, Any]], str]:
    return lambda provider, claims: provider.signed(claims | changes)


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (forged_by_another_key, "not signed by its key"),
        (of_an_unknown_key, "not signed by its key"),
        (by_a_shared_secret, "not signed by its key"),
        (unsigned, "not signed by its key"),
        (with_changed(iss="https://elsewhere.example"), "of another provider"),
        (with_changed(aud="another-site"), "for another site"),
        (with_changed(aud=[CLIENT, "another-site"], azp="another-site"), "for another site"),
        (with_changed(exp=1_700_000_000), "has run out"),
        (with_changed(exp=None), "does not hold"),
        (with_changed(iat=4_000_000_000), "clocks"),
        (with_changed(nonce="replayed"), "for another sign-in"),
        (with_changed(nonce=None), "does not hold"),
        (with_changed(at_hash="AAAA"), "does not hold"),
        (with_changed(groups=["nursing"]), "no role"),
        (with_changed(groups=None), "no role"),
        (with_changed(groups={"billing": True}), "no role"),
        (with_changed(preferred_username=" x"), "no name"),
        (with_changed(preferred_username=None), "no name"),
        (lambda provider, claims: "not a token", "does not hold"),
    ],
)
def test_an_id_token_that_does_not_hold_lets_nobody_in(
    desk: InProcess, provider: Provider, token: Callable[[Provider, dict[str, Any]], str], said: str
) -> None:
    provider.token = token
    visitor, answer = signed_in(desk, provider)
    assert (answer.status, said in answer.text) == (403, True), answer.text
    assert desk.reach.cookie + "=" not in visitor.cookie.replace(desk.reach.pending_cookie, "")
    assert visitor.get("/").status == 403
    assert not desk.site.users.all()
    assert "mgarcia" not in "".join(desk.told)


def test_an_answer_counts_once_for_the_browser_that_began_and_for_a_while(desk: InProcess, provider: Provider) -> None:
    visitor = Visitor(desk)
    back = sent_back(provider, visitor.get("/sign-in/provider").headers["location"])
    begun = visitor.cookie
    for other in (back.replace("state=", "state=x"), "/sign-in/answer", "/sign-in/answer?code=x"):
        assert "no sign-in that this browser has begun" in visitor.get(other).text
    stranger = Visitor(desk)
    stranger.get("/sign-in/provider")
    assert "no sign-in that this browser has begun" in stranger.get(back).text, "nobody is signed in as somebody else"
    assert visitor.get(back).status == 200, "and nobody else can use it up"
    again = Visitor(desk)
    again.cookie = begun
    assert "no sign-in that this browser has begun" in again.get(back).text, "a state is used once"
    back = sent_back(provider, visitor.get("/sign-in/provider").headers["location"])
    desk.clock.now += PENDING_SECONDS + 1
    assert visitor.get(back).status == 403


def test_a_stranger_who_begins_thousands_of_sign_ins_pushes_out_nobodys() -> None:
    pending = Pending()
    begun, cookie = pending.begin()
    others = {pending.begin() for _ in range(12_000)}
    assert len({secret for made, _ in others for secret in made}) == 36_000
    for made, theirs in others:
        assert pending.end(made.state, theirs) == made
    assert pending.end(begun.state, cookie) == begun
    assert pending.end(begun.state, cookie) is None


@pytest.mark.parametrize("cookie", ["", ".", "x", "9.9", "1e999.x", "\ud800", "0.\x00", "-1.é"])
def test_a_cookie_that_was_not_made_here_is_no_sign_in(cookie: str) -> None:
    pending = Pending()
    begun, _ = pending.begin()
    for state in ("", "\ud800", "é", begun.state):
        assert pending.end(state, cookie) is None


def test_the_time_that_a_sign_in_began_cannot_be_told_otherwise(desk: InProcess) -> None:
    begun, cookie = desk.site.pending.begin()
    _, _, secret = cookie.partition(".")
    assert desk.site.pending.end(begun.state, f"{desk.clock.now + PENDING_SECONDS:.0f}.{secret}") is None
    assert desk.site.pending.end(begun.state, cookie) == begun


def test_an_answer_of_another_provider_or_of_a_refusal_lets_nobody_in(desk: InProcess, provider: Provider) -> None:
    for more in ("&iss=https%3A%2F%2Felsewhere.example", "&error=access_denied"):
        visitor = Visitor(desk)
        back = sent_back(provider, visitor.get("/sign-in/provider").headers["location"])
        answer = visitor.get(back.partition("&iss=")[0] + more)
        assert (answer.status, "did not let you sign in" in answer.text) == (403, True)


def test_a_code_of_another_sign_in_is_refused_by_its_verifier(desk: InProcess, provider: Provider) -> None:
    mine, theirs = Visitor(desk), Visitor(desk)
    stolen = sent_back(provider, theirs.get("/sign-in/provider").headers["location"])
    own = sent_back(provider, mine.get("/sign-in/provider").headers["location"])
    code, state = stolen.partition("code=")[2].partition("&")[0], own.partition("state=")[2]
    answer = mine.get(f"/sign-in/answer?code={code}&state={state}")
    assert (answer.status, "did not accept" in answer.text) == (403, True)


def test_a_new_key_of_the_provider_is_asked_for_once(desk: InProcess, provider: Provider) -> None:
    assert signed_in(desk, provider)[1].status == 200
    provider.key = ECKey.generate_key("P-256", {"kid": "second", "use": "sig"})
    assert signed_in(desk, provider)[1].status == 200
    assert provider.asked.count("/keys") == 2
    assert signed_in(desk, provider)[1].status == 200
    assert provider.asked.count("/keys") == 2


@pytest.mark.parametrize(
    ("about", "said"),
    [
        ({"issuer": "https://elsewhere.example"}, "another name"),
        ({"token_endpoint": "https://elsewhere.example/token"}, "another host"),
        ({"jwks_uri": "https://elsewhere.example/keys"}, "another host"),
        ({"authorization_endpoint": None}, "another host"),
        ({"token_endpoint": "http://[", "jwks_uri": 1}, "another host"),
    ],
)
def test_a_provider_that_leads_elsewhere_is_not_followed(
    desk: InProcess, provider: Provider, about: dict[str, Any], said: str
) -> None:
    provider.about = about
    answer = Visitor(desk).get("/sign-in/provider")
    assert (answer.status, said in answer.text) == (503, True), answer.text


def test_a_provider_that_does_not_answer_leaves_the_door_for_passwords(desk: InProcess, tmp_path: Path) -> None:
    with providing() as gone:
        settings = written(tmp_path, gone)
    desk.site.provider = AtProvider(settings, SECRET)
    desk.user("local", "viewer")
    answer = Visitor(desk).get("/sign-in/provider")
    assert (answer.status, "does not answer" in answer.text, "Password" in answer.text) == (503, True, True)


def test_a_client_that_the_provider_does_not_know_is_said_so(
    desk: InProcess, provider: Provider, tmp_path: Path
) -> None:
    desk.site.provider = AtProvider(written(tmp_path, provider), "another secret")
    assert "did not accept" in signed_in(desk, provider)[1].text


def test_no_more_than_a_few_wait_for_the_provider_at_once(desk: InProcess) -> None:
    assert desk.site.provider is not None
    for _ in range(AT_ONCE):
        assert desk.site.provider._turns.acquire(blocking=False)
    answer = Visitor(desk).get("/sign-in/provider")
    assert (answer.status, "Many are signing in" in answer.text) == (503, True)


def test_a_name_is_of_one_person_and_what_the_house_says_of_it_holds_at_once(
    desk: InProcess, provider: Provider, house: House
) -> None:
    visitor, _ = signed_in(desk, provider)
    provider.who["sub"] = "u-2"
    assert "Somebody else signs in" in signed_in(desk, provider)[1].text
    provider.who |= {"sub": "u-1", "preferred_username": "mg"}
    assert "another name now" in signed_in(desk, provider)[1].text
    provider.who |= {"preferred_username": "mgarcia", "groups": ["billing", "billing-leads"]}
    other, _ = signed_in(desk, provider)
    assert "(operator)" in other.get("/").text, "the group that stands first"
    assert visitor.get("/").status == 403, "a changed role ends the sessions with the former one"
    assert house.run("users", "list").rows[0]["state"] == "at the provider"
    assert_plain(house.run("users", "role", "mgarcia", "viewer"), 2, "change it there")
    assert house.run("users", "disable", "mgarcia").status == 0
    assert other.get("/").status == 403
    assert "may not sign in" in signed_in(desk, provider)[1].text
    assert house.run("users", "reset", "mgarcia", "--at-provider").status == 0
    assert signed_in(desk, provider)[1].status == 200


def test_a_local_users_name_is_not_taken_by_somebody_from_the_provider(
    desk: InProcess, provider: Provider, house: House
) -> None:
    desk.user("MGarcia", "operator")
    assert "Somebody else signs in" in signed_in(desk, provider)[1].text
    assert house.run("users", "reset", "MGarcia", "--at-provider").status == 0
    provider.who["preferred_username"] = "MGarcia"
    visitor, answer = signed_in(desk, provider)
    assert answer.status == 200
    found = desk.site.users.named("MGarcia")
    assert isinstance(found, User)
    assert (found.role, found.password) == ("biller", "")
    assert Visitor(desk).post("/sign-in", name="MGarcia", password="").status == 403, "there is no password any more"
    visitor.get("/password")
    assert visitor.post("/password", old="", new="x" * 12, again="x" * 12).status == 409


def test_a_role_may_stand_within_another_claim(desk: InProcess, provider: Provider, tmp_path: Path) -> None:
    desk.site.provider = AtProvider(written(tmp_path, provider, role_claim="realm_access.roles"), SECRET)
    assert "no role" in signed_in(desk, provider)[1].text
    provider.who["realm_access"] = {"roles": ["billing"]}
    assert signed_in(desk, provider)[1].status == 200


def test_over_tls_the_cookie_of_a_sign_in_under_way_is_for_tls_and_this_site_alone(
    house: House, provider: Provider, tmp_path: Path
) -> None:
    desk = InProcess(house.ledger, reach=Reach(frozenset({HOST}), PORT, tls=True, proxied=True, token=False))
    desk.site.provider = AtProvider(written(tmp_path, provider), SECRET)
    cookie = Visitor(desk).get("/sign-in/provider").headers["set-cookie"].lower()
    assert cookie.startswith("__host-")
    assert {"httponly", "samesite=lax", "path=/", "secure", "max-age=600"} <= set(cookie.split("; "))


def test_without_a_provider_there_are_no_such_pages(house: House) -> None:
    for path in ("/sign-in/provider", "/sign-in/answer?code=x&state=y"):
        assert Visitor(InProcess(house.ledger)).get(path).status == 404


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"issuer": "http://login.example.org"}, "issuer: expected an address that begins with https://"),
        ({"issuer": "https://user@login.example.org"}, "issuer: expected"),
        ({"redirect": "https://billing.example.org/"}, "redirect: expected the address of this site"),
        ({"roles": {}}, "nobody could sign in"),
        ({"roles": {"billing": "boss"}}, "roles.billing: 'boss' is not one of viewer, biller"),
        ({"client": "x"}, "client: no key of this name; did you mean client_id?"),
        ({"issuer": 1}, "issuer: 1 is not text in quotes"),
    ],
)
def test_every_mistake_in_the_settings_is_told(
    provider: Provider, tmp_path: Path, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ProviderTrouble, match=r"oidc\.toml: ") as trouble:
        written(tmp_path, provider, **more)
    assert said in str(trouble.value)


def test_a_secret_is_for_its_owner_alone(provider: Provider, tmp_path: Path) -> None:
    settings, file = written(tmp_path, provider), tmp_path / "secret"
    with pytest.raises(ProviderTrouble, match="cannot be read"):
        secret_of(settings)
    file.write_text(f"{SECRET}\n")
    file.chmod(0o644)
    with pytest.raises(ProviderTrouble, match="chmod 600"):
        secret_of(settings)
    file.chmod(0o600)
    assert secret_of(settings) == SECRET
    file.write_text("two\nlines")
    with pytest.raises(ProviderTrouble, match="in one line"):
        secret_of(settings)


def test_the_site_does_not_start_with_settings_that_cannot_work(
    house: House, provider: Provider, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    (tmp_path / "secret").chmod(0o600)
    written(tmp_path, provider, redirect="http://127.0.0.1:1/sign-in/answer")
    asked = ("serve", "--port", "0", "--oidc", str(tmp_path / "oidc.toml"))
    assert "expected an address of this site" in house.run(*asked).err
    (tmp_path / "oidc.toml").write_text("x")
    assert_plain(house.run(*asked), 2, "cannot be read")
