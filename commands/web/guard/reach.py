"""How a site is to be reached, as it was asked for: refused where data would go over a network in the clear."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from commands.web.guard.security import Reach, host_of, loopback_hosts

LOOPBACK: Final[Mapping[str, socket.AddressFamily]] = {
    "127.0.0.1": socket.AF_INET, "localhost": socket.AF_INET, "::1": socket.AF_INET6,
}  # fmt: skip
SHORTEST_KEY: Final = 20
LONGEST_KEY: Final = 200


class Unguarded(Exception):
    """The site would not be guarded as it has to be; the message says by which option, and what to do."""


class Wanted(NamedTuple):
    """How the site is to be reached."""

    host: str
    tls_cert: Path | None
    tls_key: Path | None
    behind_proxy: bool
    origin: str | None

    @property
    def is_for_one(self) -> bool:
        """Whether it is for the person at this machine, who comes by link or token."""
        return self.host in LOOPBACK and not self.behind_proxy


def refuse_unguarded(wanted: Wanted) -> str | None:
    """Unguarded where passwords and patients' data would go over a network in the clear, or under any name; gives
    the Host of the address that browsers use."""
    if (wanted.tls_cert is None) != (wanted.tls_key is None):
        raise Unguarded("--tls-cert and --tls-key go together")
    if wanted.tls_cert and wanted.behind_proxy:
        raise Unguarded("with --behind-proxy the proxy speaks TLS: leave out --tls-cert and --tls-key")
    if wanted.host not in LOOPBACK and not (wanted.tls_cert or wanted.behind_proxy):
        raise Unguarded(
            "beyond loopback the site answers only over TLS (--tls-cert and --tls-key), or --behind-proxy, which speaks"
            " TLS with browsers: passwords and patients' data never cross a network in the clear"
        )
    if wanted.tls_key and wanted.tls_key.stat().st_mode & 0o077:
        raise Unguarded("--tls-key: others may read that key; it is for its owner alone (chmod 600)")
    if wanted.origin is None:
        if not wanted.is_for_one:
            raise Unguarded("--origin says under which address browsers reach it, e.g. https://billing.example.org")
        return None
    if not (wanted.tls_cert or wanted.behind_proxy):
        raise Unguarded("--origin goes with TLS or --behind-proxy")
    if (found := host_of(wanted.origin)) is None:
        raise Unguarded("--origin: expected an address such as https://billing.example.org, and nothing after it")
    return found


def reach_of(wanted: Wanted, port: int, named_host: str | None) -> Reach:
    """How browsers reach a site that listens on a port."""
    tls = bool(wanted.tls_cert or wanted.behind_proxy)
    own = loopback_hosts(port, tls) if wanted.is_for_one or named_host is None else frozenset[str]()
    return Reach(own | ({named_host} if named_host else set()), port, tls, wanted.behind_proxy, wanted.is_for_one)


def key_in(file: Path | None) -> str | None:
    """The key that a file holds; Unguarded if that is none, or others may read it."""
    if file is None:
        return None
    if file.stat().st_mode & 0o077:
        raise Unguarded("--metrics-key: others may read that file; it is for its owner alone (chmod 600)")
    key = file.read_bytes().strip()
    if not (SHORTEST_KEY <= len(key) <= LONGEST_KEY and key.isascii() and key.isalnum()):
        raise Unguarded(f"--metrics-key: expected {SHORTEST_KEY} to {LONGEST_KEY} letters and digits")
    return key.decode()
