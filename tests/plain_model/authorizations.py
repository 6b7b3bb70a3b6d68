"""Section 2, *Authorizations*, and step 23: which telling of a number counts on a date, and what is left of it."""

from __future__ import annotations

from datetime import date

from .dates import Span
from .entries import Entry


class Grant:
    """One telling of an authorization, with units of its own."""

    def __init__(self, entry: Entry) -> None:
        self.payer = str(entry.fact["payer"])
        self.number = str(entry.fact["number"])
        self.codes = set(entry.fact["codes"])
        self.units = int(entry.fact["units"])
        self.span: Span = entry.span()
        self.to: date = entry.date("to")
        self.across = entry.across
        self.drawn = 0


class Authorizations:
    """What was granted to one patient, and what its days have drawn."""

    def __init__(self, granted: list[Entry]) -> None:
        self.grants = [Grant(entry) for entry in granted]

    def fitting(self, payer: str, code: str, day: date) -> list[Grant]:
        """The grants of the payer that count on the date and list the code."""
        found = []
        for number in {grant.number for grant in self.grants}:
            covering = [
                grant
                for grant in self.grants
                if (grant.payer, grant.number) == (payer, number) and grant.span.covers(day)
            ]
            if covering:
                counts = max(covering, key=lambda grant: grant.across)
                found += [counts] if code in counts.codes else []
        return found

    def left(self, grant: Grant) -> int:
        """Its units without those drawn from it, and from tellings of the same number that share a date with it."""
        same = [other for other in self.grants if (other.payer, other.number) == (grant.payer, grant.number)]
        return grant.units - sum(other.drawn for other in same if other.span.shares_a_date(grant.span))

    def draw(self, grant: Grant) -> None:
        """Take one unit."""
        grant.drawn += 1
