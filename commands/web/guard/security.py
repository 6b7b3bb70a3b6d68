"""What every request must have and every answer forbids: Host, Origin, headers; and ids that say nothing.

A page on another site, or a name that resolves to this machine, can make a browser send requests to a site on
loopback. So a request counts only with the right Host, a POST only with the site's own Origin and the form key of its
session, and both only with the cookie of a session, which no other site is ever sent (``SameSite=Strict``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import urlsplit

ID_BYTES: Final = 15
TYPED: Final = ("search", "looks")
"""The kinds of id that stand for what somebody typed, of which there may be any number."""
MOST_TYPED: Final = 10_000
"""How many of such a kind are kept, the last ones."""

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; {style}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

HEADERS: Final[Mapping[str, str]] = {
    "cache-control": "no-store",
    "content-security-policy": CONTENT_SECURITY_POLICY.format(style="style-src 'self'"),
    "cross-origin-embedder-policy": "require-corp",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",  # with no-referrer a browser sends a form's Origin as null
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-robots-tag": "noindex",
}
"""What every answer carries, errors too."""
ENCRYPTED: Final = {"strict-transport-security": "max-age=31536000"}
"""What it carries besides where the site is reached over TLS."""


class Reach(NamedTuple):
    """How browsers reach the site: under which hosts, whether over TLS, whether through a proxy.

    ``token`` is whether the printed link and token let anybody in: on loopback alone.
    """

    hosts: frozenset[str]
    port: int
    tls: bool = False
    proxied: bool = False
    token: bool = True

    @property
    def scheme(self) -> str:
        """How its addresses begin."""
        return "https" if self.tls else "http"

    @property
    def headers(self) -> Mapping[str, str]:
        """What every answer carries."""
        return {**HEADERS, **ENCRYPTED} if self.tls else HEADERS

    @property
    def cookie(self) -> str:
        """The name of the session's cookie: a browser sends a cookie to every port of a machine."""
        return f"{'__Host-' if self.tls else ''}episode-ledger-{self.port}"

    @property
    def pending_cookie(self) -> str:
        """The name of the cookie of a sign-in that is under way at the provider."""
        return f"{self.cookie}-sign-in"


def host_of(origin: str) -> str | None:
    """The Host header of requests to ``https://name[:port]``; None for anything else."""
    try:
        found = urlsplit(origin)
        plain = f"https://{found.netloc}" == origin and found.port != 443 and found.username is None
    except ValueError:
        return None
    return found.netloc if plain and found.hostname and found.netloc == found.netloc.lower() else None


def style_by_hash(style: str) -> str:
    """The policy of a page that brings its one style along: exactly this text, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return CONTENT_SECURITY_POLICY.format(style=f"style-src 'sha256-{digest}'")


def text_of(raw: bytes) -> str:
    """Bytes as lower-case letters and digits, safe in an address and easy to copy."""
    return base64.b32encode(raw).decode().rstrip("=").lower()


class OpaqueIds:
    """Names that may stand in an address: they say nothing, and only this process can turn them back."""

    def __init__(self) -> None:
        self._key, self._turn = secrets.token_bytes(32), threading.Lock()
        self._names: dict[str, dict[str, str]] = {}

    def of(self, kind: str, name: str) -> str:
        """The id of a thing of a kind; always the same in this process."""
        digest = hmac.digest(self._key, f"{kind}\0{name}".encode(errors="surrogatepass"), "sha256")
        opaque = text_of(digest[:ID_BYTES])
        with self._turn:
            names = self._names.setdefault(kind, {})
            names.setdefault(opaque, name)
            while kind in TYPED and len(names) > MOST_TYPED:
                names.pop(next(iter(names)))
        return opaque

    def let_go(self, kind: str) -> None:
        """Forget what the ids of a kind stand for."""
        with self._turn:
            self._names.pop(kind, None)

    def name(self, kind: str, opaque: str) -> str | None:
        """What an id stands for; None for one that was never given out."""
        return self._names.get(kind, {}).get(opaque)


def loopback_hosts(port: int, tls: bool = False) -> frozenset[str]:
    """The Host headers that mean this machine: others reach it by a name that somebody made point here."""
    names = ("127.0.0.1", "localhost", "[::1]")
    is_usual = port == (443 if tls else 80)
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if is_usual else frozenset())
