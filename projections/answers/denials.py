"""What cures a denial, or that too little was paid: what the book says of its reasons (claims.md section 5)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from msgspec import UNSET

from ledger.book import Book, Reason
from ledger.facts.events import ClaimSubmitted
from ledger.judge.case import Case
from ledger.judge.settled import SettledDay

_NEEDS_AUTHORIZATION: Final = frozenset({"15", "197", "198"})


class Cure(NamedTuple):
    """What is to be done about what was not paid, and why; ``adds`` says that the authorization it wants is in the
    ledger and not on the claim, so that a replacement can be made without anybody's help."""

    instrument: Literal["replace", "void_and_new", "wait", "appeal"]
    why: str
    adds: bool = False


def cure_of(case: Case, fact: ClaimSubmitted, days: Sequence[SettledDay]) -> Cure:
    """The cure of what was not paid for some days of a claim; an appeal where nothing better is known."""
    reasons = reasons_named(case.book, {reason for each in days for reason in each.day.reasons})
    why = "; ".join(dict.fromkeys(reason.cure for reason in reasons)) or "compare with the contract"
    kinds = {reason.instrument for reason in reasons} - {"none"}
    if kinds == {"coordinate"} or kinds == {"wait"}:
        return Cure("wait", why)
    if kinds == {"new"}:
        return Cure("void_and_new", why)
    if kinds == {"replace"}:
        about_authorization = [reason.code in _NEEDS_AUTHORIZATION for reason in reasons]
        if not any(about_authorization):
            return Cure("replace", why)
        if _can_be_added(case, fact, days):
            return Cure("replace", why, adds=all(about_authorization))
    return Cure("appeal", why)


def _can_be_added(case: Case, fact: ClaimSubmitted, days: Sequence[SettledDay]) -> bool:
    """Whether an authorization of these days is in the ledger and not on the claim."""
    on_claim = {line.authorization for line in fact.lines} - {UNSET}
    drawn = [case.drawn.get(each.day.date) for each in days]
    return all(grant is not None and grant.number not in on_claim for grant in drawn)


def reasons_named(book: Book, named: Iterable[str]) -> list[Reason]:
    """What the book says of some reasons, each ``GROUP-CODE``: the one for its group before the one for all."""
    found = []
    for each in sorted(named):
        group, _, code = each.partition("-")
        alike = [reason for reason in book.reasons if reason.code == code]
        own = [reason for reason in alike if group in reason.groups] or [one for one in alike if not one.groups]
        found += own[:1]
    return found
