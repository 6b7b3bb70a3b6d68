"""What a role may ask of the site: one table of addresses and methods. What is not in it is asked of nobody.

Who comes by the printed link or the token runs the site, and is its operator.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from commands.people.roles import ROLES, Role

Roles = frozenset[Role]
Asked = tuple[str, str]
"""A method and an address, its changing parts in braces."""

EVERYBODY: Final[Roles] = frozenset(ROLES)
RECORD: Final[Roles] = frozenset(("biller", "operator"))
DECIDE: Final[Roles] = frozenset(("operator",))
FIGURES: Final[Roles] = frozenset(("auditor", "operator"))

PUBLIC: Final[frozenset[Asked]] = frozenset(
    {
        ("GET", "/style.css"),
        ("GET", "/enter"),
        ("GET", "/enter/{ticket}"),
        ("POST", "/enter"),
        ("POST", "/sign-in"),
        ("GET", "/sign-in/provider"),
        ("GET", "/sign-in/answer"),
        ("GET", "/health"),
    }
)
"""What is answered without a session: the door, how pages look, and whether the site is well."""

MAY: Final[Mapping[Asked, Roles]] = {
    ("GET", "/"): EVERYBODY,
    ("POST", "/search"): EVERYBODY,
    ("GET", "/found/{id}"): EVERYBODY,
    ("GET", "/holds"): EVERYBODY,
    ("GET", "/findings"): EVERYBODY,
    ("GET", "/report"): EVERYBODY,
    ("GET", "/report/page"): EVERYBODY,
    ("GET", "/report/table/{name}"): EVERYBODY,
    ("GET", "/episode/{id}"): EVERYBODY,
    ("GET", "/episode/{id}/why"): EVERYBODY,
    ("GET", "/open-work/{id}"): EVERYBODY,
    ("POST", "/open-work"): RECORD,
    ("POST", "/open-work/{id}/assign"): RECORD,
    ("POST", "/open-work/{id}/note"): RECORD,
    ("POST", "/open-work/{id}/done-until"): RECORD,
    ("GET", "/claims"): EVERYBODY,
    ("GET", "/claims/plan"): EVERYBODY,
    ("GET", "/payments/unmatched"): EVERYBODY,
    ("GET", "/payments/unmatched/{id}"): RECORD,
    ("POST", "/payments/unmatched/{id}"): RECORD,
    ("GET", "/pictures"): EVERYBODY,
    ("GET", "/looks"): FIGURES,
    ("POST", "/looks"): FIGURES,
    ("GET", "/looks/{id}"): FIGURES,
    ("GET", "/proof"): EVERYBODY,
    ("POST", "/zone"): EVERYBODY,
    ("GET", "/episode/{id}/history"): EVERYBODY,
    ("GET", "/episode/{id}/print"): EVERYBODY,
    ("GET", "/episode/{id}/table/{name}"): EVERYBODY,
    ("GET", "/episode/{id}/entries"): EVERYBODY,
    ("GET", "/episode/{id}/record"): RECORD,
    ("GET", "/episode/{id}/record/{type}"): RECORD,
    ("POST", "/episode/{id}/record/{type}"): RECORD,
    ("GET", "/episode/{id}/entry/{version}/{act}"): RECORD,
    ("POST", "/episode/{id}/entry/{version}/{act}"): RECORD,
    ("GET", "/episode/{id}/void"): DECIDE,
    ("POST", "/episode/{id}/void"): DECIDE,
    ("GET", "/record"): RECORD,
    ("POST", "/record"): RECORD,
    ("GET", "/import"): RECORD,
    ("POST", "/import"): RECORD,
    ("GET", "/patients/merge"): DECIDE,
    ("POST", "/patients/merge"): DECIDE,
    ("GET", "/patients/part"): DECIDE,
    ("POST", "/patients/part"): DECIDE,
    ("GET", "/months"): EVERYBODY,
    ("GET", "/months/{month}"): EVERYBODY,
    ("POST", "/months/{month}"): DECIDE,
    ("POST", "/also-shows"): EVERYBODY,
    ("GET", "/metrics"): FIGURES,
    ("GET", "/password"): EVERYBODY,
    ("POST", "/password"): EVERYBODY,
    ("POST", "/leave"): EVERYBODY,
}
"""Who may ask what, with a session."""

FIRST_USE: Final[frozenset[Asked]] = frozenset({("GET", "/password"), ("POST", "/password"), ("POST", "/leave")})
"""All that is answered to whoever has not changed their first password."""


def may(role: Role, method: str, address: str) -> bool:
    """Whether a role may ask it."""
    return role in MAY.get((method, address), frozenset())
