"""Prior authorizations as they were granted: which telling of a number counts on a date (rulebook section 4).

A number belongs to its payer and is told again when it is extended. So on each date the telling recorded last counts,
with units of its own; a unit drawn from one counts against another of the number that shares a date with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from ledger.facts.entry import Entry
from ledger.facts.events import AuthorizationGranted

Granted = tuple[Entry, AuthorizationGranted]


class Grant(Struct, gc=False, eq=False):
    """One live ``AuthorizationGranted`` of a patient, with the spans on which a later one of its number counts."""

    number: str
    payer: str
    codes: tuple[str, ...]
    units: int
    from_: int
    to: int
    entry: Entry
    later: list[tuple[int, int]]
    left: int
    sharing: list[Grant]

    def counts_on(self, date: int) -> bool:
        """Whether it covers the date and no later telling of its number does."""
        if not self.from_ <= date <= self.to:
            return False
        return not self.later or not any(from_ <= date <= to for from_, to in self.later)


def grants_of(granted: Sequence[Granted]) -> list[Grant]:
    """A patient's authorizations, or a payer's of them, in the order units are drawn from them: by last date, then by
    number as text."""
    grants = [_grant(entry, fact) for entry, fact in granted]
    by_number: dict[tuple[str, str], list[Grant]] = {}
    for grant in grants:
        for before in by_number.setdefault((grant.payer, grant.number), []):
            if before.from_ <= grant.to and grant.from_ <= before.to:
                before.later.append((grant.from_, grant.to))
                before.sharing.append(grant)
                grant.sharing.append(before)
        by_number[grant.payer, grant.number].append(grant)
    return sorted(grants, key=lambda grant: (grant.to, grant.number))


def _grant(entry: Entry, fact: AuthorizationGranted) -> Grant:
    from_, to = fact.from_.toordinal(), fact.to.toordinal()
    return Grant(fact.number, fact.payer, fact.codes, fact.units, from_, to, entry, [], fact.units, [])
