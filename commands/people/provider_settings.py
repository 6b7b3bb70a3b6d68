"""The settings of a provider at which users sign in by OpenID Connect: a TOML file, and the client secret beside it.

Every mistake is told at once, before anybody waits at the door for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from commands.people.roles import Role
from ledger.book.mistakes import mistakes_of

ANSWER: Final = "/sign-in/answer"
"""The address of the site to which a provider sends browsers back."""
THIS_MACHINE: Final = ("127.0.0.1", "localhost", "::1")
LONGEST_SECRET: Final = 1_000

Text = Annotated[str, Meta(min_length=1, max_length=1000)]


class ProviderTrouble(Exception):
    """The settings cannot be used; each line of the message names the file, the key and what is allowed there."""


class ProviderSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """What the file says: who the provider is, how this site is known to it, and which of its groups has which role.

    ``roles`` are asked in the order of the file: whoever is in several groups has the role of the first.
    """

    issuer: Text
    client_id: Text
    client_secret_file: Text
    redirect: Text
    roles: dict[str, Role]
    role_claim: Text = "groups"
    name_claim: Text = "preferred_username"
    scopes: tuple[Text, ...] = ("profile",)
    other_hosts: tuple[Text, ...] = ()
    ca_file: Text | None = None

    @property
    def host(self) -> str:
        """The host of the redirect, as browsers send it."""
        return urlsplit(self.redirect).netloc

    @property
    def scheme(self) -> str:
        """How the redirect begins."""
        return urlsplit(self.redirect).scheme


def settings_in(path: Path) -> ProviderSettings:
    """The settings in a file, its other files named from its folder; ProviderTrouble with every mistake."""
    try:
        table = msgspec.toml.decode(path.read_bytes())
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        says = error.strerror if isinstance(error, OSError) else str(error)
        raise ProviderTrouble(f"{path.name}: cannot be read: {says}") from None
    if wrong := [*_mistakes(table)]:
        raise ProviderTrouble("\n".join(f"{path.name}: {each}" for each in wrong))
    settings = msgspec.convert(table, ProviderSettings)
    ca_file = str(path.parent / settings.ca_file) if settings.ca_file else None
    secret_file = str(path.parent / settings.client_secret_file)
    return msgspec.structs.replace(settings, client_secret_file=secret_file, ca_file=ca_file)


def secret_of(settings: ProviderSettings) -> str:
    """The client secret; ProviderTrouble if there is none, or others may read it."""
    path = Path(settings.client_secret_file)
    try:
        if path.stat().st_mode & 0o077:
            raise ProviderTrouble(f"{path.name}: others may read that secret; it is for its owner alone (chmod 600)")
        secret = path.read_bytes().strip()
    except OSError as error:
        raise ProviderTrouble(f"client_secret_file: cannot be read: {error.strerror}") from None
    if not (0 < len(secret) <= LONGEST_SECRET and secret.isascii() and secret.decode().isprintable()):
        raise ProviderTrouble(f"{path.name}: expected the client secret alone, in one line")
    return secret.decode()


def is_guarded(address: str) -> bool:
    """Whether an address is asked over TLS, or is this machine's own."""
    try:
        found = urlsplit(address)
        plain = found.username is None and not found.fragment and bool(found.hostname)
    except ValueError:
        return False
    return plain and (found.scheme == "https" or (found.scheme == "http" and found.hostname in THIS_MACHINE))


def _mistakes(table: Mapping[str, Any]) -> Iterator[str]:
    yield from mistakes_of(table, ProviderSettings)
    for name in ("issuer", "redirect"):
        address = table.get(name)
        if isinstance(address, str) and not is_guarded(address):
            yield f"{name}: expected an address that begins with https:// (http:// on this machine alone)"
    redirect = table.get("redirect")
    if isinstance(redirect, str) and is_guarded(redirect) and urlsplit(redirect).path != ANSWER:
        yield f"redirect: expected the address of this site and {ANSWER} after it"
    if table.get("roles") == {}:
        yield "roles: nobody could sign in: expected a group of the provider and its role"
