"""What the site and a provider have to say to each other about somebody who signs in."""

from __future__ import annotations

from typing import NamedTuple

from commands.people.roles import Role


class NotVouched(Exception):
    """The provider does not vouch for who signs in; sentences say why, and what to do."""

    def __init__(self, *sentences: str) -> None:
        super().__init__(*sentences)
        self.sentences = sentences


class Vouched(NamedTuple):
    """Somebody for whom the provider vouches: the name that entries bear, their role here, and who they are there."""

    name: str
    role: Role
    subject: str


class Secrets(NamedTuple):
    """What one sign-in is known by: to the browser, in the ID token, and when the code is exchanged."""

    state: str
    nonce: str
    verifier: str
