"""A small provider that speaks OpenID Connect on loopback, in this process: what it signs and says can be bent."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

CLIENT, SECRET = "episode-ledger", "a-secret-of-the-client"
Token = Callable[["Provider", dict[str, Any]], str]


class Provider:
    """The provider, whoever signs in at it next (``who``), and how it makes an ID token (``token``)."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = ECKey.generate_key("P-256", {"kid": "first", "use": "sig"})
        self.who: dict[str, Any] = {"sub": "u-1", "preferred_username": "mgarcia", "groups": ["billing"]}
        self.token: Token = Provider.signed
        self.about: dict[str, Any] = {}
        self.asked: list[str] = []
        self.shows_page = False
        self._codes: dict[str, dict[str, str]] = {}

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)

    def described(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "end_session_endpoint": f"{self.issuer}/out",
        } | self.about

    def authorized(self, asked: dict[str, str]) -> str:
        """Where the browser is sent after somebody signed in."""
        assert (asked["response_type"], asked["client_id"]) == ("code", CLIENT)
        assert "openid" in asked["scope"].split()
        assert (asked["code_challenge_method"], len(asked["nonce"]) > 20) == ("S256", True)
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def exchanged(self, told: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The tokens for a code, once, for the client and the sign-in that it was made for."""
        by = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        if authorization != f"Basic {by}":
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(told["code"], None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(told.get("code_verifier", "").encode()).digest())
        if (
            asked is None
            or told["redirect_uri"] != asked["redirect_uri"]
            or challenge.decode().rstrip("=") != asked["code_challenge"]
        ):
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, "nonce": asked["nonce"], **self.who}
        return 200, {"access_token": "a", "token_type": "Bearer", "id_token": self.token(self, claims)}


def _answers(provider: Callable[[], Provider]) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            at, path = provider(), urlsplit(self.path)
            at.asked.append(path.path)
            if path.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(path.query).items()}
                if at.shows_page:
                    self._send(200, "text/html", f'<a href="{escape(at.authorized(asked))}">Go on</a>'.encode())
                    return
                self.send_response(302)
                self.send_header("location", at.authorized(asked))
                self.send_header("content-length", "0")
                self.end_headers()
            elif path.path == "/keys":
                self._json(200, KeySet([at.key]).as_dict(private=False))
            elif path.path == "/.well-known/openid-configuration":
                self._json(200, at.described())
            else:
                self._json(404, {})

        def do_POST(self) -> None:
            at = provider()
            at.asked.append(self.path)
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            told = {name: values[0] for name, values in parse_qs(body).items()}
            self._json(*at.exchanged(told, self.headers.get("authorization", "")))

        def _json(self, status: int, said: dict[str, Any]) -> None:
            self._send(status, "application/json", json.dumps(said).encode())

        def _send(self, status: int, type_: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", type_)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Answers


@contextmanager
def providing() -> Iterator[Provider]:
    """A provider that answers until the end."""
    made: list[Provider] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), _answers(lambda: made[0])) as server:
        made.append(Provider(server.server_port))
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield made[0]
        finally:
            server.shutdown()
            thread.join()


def settings_text(provider: Provider, **more: Any) -> str:
    """The settings of a site that signs users in there."""
    said = {"issuer": provider.issuer, "client_id": CLIENT, "client_secret_file": "secret"} | more
    lines = [f"{name} = {json.dumps(value)}" for name, value in said.items() if name != "roles"]
    roles = said.get("roles", {"billing-leads": "operator", "billing": "biller"})
    named = (f"{json.dumps(group)} = {json.dumps(role)}" for group, role in roles.items())
    return "\n".join([*lines, "[roles]", *named])
