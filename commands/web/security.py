"""Who may ask the site, and what every answer forbids: the token, the sessions, opaque ids, Host, Origin, headers.

A page on another site, or a name that resolves to this machine, can make a browser send requests to a site on
loopback. So a request counts only with the right Host, a POST only with the site's own Origin, and both only with the
cookie of a session, which no other site is ever sent (``SameSite=Strict``).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import threading
from collections.abc import Mapping
from typing import Final

TOKEN_BYTES: Final = 20
ID_BYTES: Final = 15
MOST_SESSIONS: Final = 100

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


def style_by_hash(style: str) -> str:
    """The policy of a page that brings its one style along: exactly this text, and nothing else."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return CONTENT_SECURITY_POLICY.format(style=f"style-src 'sha256-{digest}'")


def _text(raw: bytes) -> str:
    """Bytes as lower-case letters and digits, safe in an address and easy to copy."""
    return base64.b32encode(raw).decode().rstrip("=").lower()


class Sessions:
    """The token that was printed, the link that works once, and the browsers that came in by them."""

    def __init__(self) -> None:
        self.token = _text(secrets.token_bytes(TOKEN_BYTES))
        self.ticket: str | None = _text(secrets.token_bytes(TOKEN_BYTES))
        self.open: dict[str, str] = {}
        self._seeing: set[tuple[str, str]] = set()
        self._taking = threading.Lock()

    def by_ticket(self, ticket: str) -> str | None:
        """A new session for whoever brings the link that works once; None if it was used or is another."""
        with self._taking:
            if self.ticket is None or not _is_same(ticket, self.ticket):
                return None
            self.ticket = None
        return self._begin()

    def by_token(self, token: str) -> str | None:
        """A new session for whoever brings the token; None for a wrong one."""
        return self._begin() if _is_same(token.strip().lower(), self.token) else None

    def _begin(self) -> str:
        while len(self.open) >= MOST_SESSIONS:
            self.open.pop(next(iter(self.open)))
        cookie = secrets.token_urlsafe(32)
        self.open[cookie] = hashlib.sha256(cookie.encode()).hexdigest()[:12]
        return cookie

    def name_of(self, cookie: str | None) -> str | None:
        """The name by which access records know a session (not its secret); None if there is no such session."""
        found = None
        for known, name in list(self.open.items()):
            if _is_same(cookie or "", known):
                found = name
        return found

    def let_see(self, name: str, what: str) -> None:
        """Note that a session asked to be shown something, by an opaque id, that is not shown unasked."""
        self._seeing.add((name, what))

    def may_see(self, name: str, what: str) -> bool:
        """Whether it asked."""
        return (name, what) in self._seeing

    def end(self, cookie: str | None) -> None:
        """Forget a session."""
        self.open.pop(cookie or "", None)


def _is_same(given: str, known: str) -> bool:
    return secrets.compare_digest(given.encode(errors="replace"), known.encode())


class OpaqueIds:
    """Names that may stand in an address: they say nothing, and only this process can turn them back."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._names: dict[str, tuple[str, str]] = {}

    def of(self, kind: str, name: str) -> str:
        """The id of a thing of a kind; always the same in this process."""
        digest = hmac.digest(self._key, f"{kind}\0{name}".encode(errors="surrogatepass"), "sha256")
        opaque = _text(digest[:ID_BYTES])
        self._names.setdefault(opaque, (kind, name))
        return opaque

    def let_go(self, kind: str) -> None:
        """Forget what the ids of a kind stand for."""
        self._names = {opaque: found for opaque, found in list(self._names.items()) if found[0] != kind}

    def name(self, kind: str, opaque: str) -> str | None:
        """What an id stands for; None for one that was never given out."""
        found = self._names.get(opaque)
        return found[1] if found is not None and found[0] == kind else None


def hosts_of(port: int) -> frozenset[str]:
    """The Host headers that mean this site: others reach it by a name that somebody made point here."""
    names = ("127.0.0.1", "localhost", "[::1]")
    return frozenset(f"{name}:{port}" for name in names) | (frozenset(names) if port == 80 else frozenset())
