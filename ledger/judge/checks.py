"""Findings on payers' checks (claims.md section 5): acts of the house, so that they are no patient's and no episode's.

A check is judged by what it says of itself; its answers are judged with the claims that they are for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import UNSET

from ledger.facts.administration import HOUSE, PaymentReceived
from ledger.facts.merges import SOURCE
from ledger.judge.findings import Finding
from ledger.judge.money_rules import dollars

_KEPT: Final = "WO"
_CARRIED: Final = "FB"


class ReceivedCheck(NamedTuple):
    """A payer's check, and the position at which it was recorded."""

    position: int
    act: PaymentReceived


class SeenOnCheck(NamedTuple):
    """What a rule saw on a check, and what its message says of it."""

    check: ReceivedCheck
    about: Mapping[str, str]


def payment_unbalanced(checks: Sequence[ReceivedCheck]) -> Iterator[SeenOnCheck]:
    """A check that is worth otherwise than its answers come to, less what was kept from it."""
    for check in checks:
        act = check.act
        if act.posted_cents is not UNSET and (comes_to := _comes_to(act, act.posted_cents)) != act.cents:
            yield SeenOnCheck(check, {"worth": dollars(act.cents), "answered": dollars(comes_to)})


def _comes_to(act: PaymentReceived, posted_cents: int) -> int:
    return posted_cents - sum(each.cents for each in act.adjustments)


def recouped(checks: Sequence[ReceivedCheck]) -> Iterator[SeenOnCheck]:
    """A check from which money was kept for earlier payments (WO), which nothing in the payer's account settles."""
    for check, cents in _left(checks, _KEPT):
        if cents > 0:
            yield SeenOnCheck(check, {"kept": dollars(cents), "reference": _references(check.act, _KEPT)})


def forwarded(checks: Sequence[ReceivedCheck]) -> Iterator[SeenOnCheck]:
    """A check with a balance carried on to another one, or over from one (FB), that no check of the payer's settles."""
    for check, cents in _left(checks, _CARRIED):
        words = f"takes up {dollars(cents)} of another one" if cents > 0 else f"carries {dollars(-cents)} on"
        yield SeenOnCheck(check, {"carries": words})


def _references(act: PaymentReceived, reason: str) -> str:
    named = (each.reference for each in act.adjustments if each.reason == reason and each.reference)
    return ", ".join(dict.fromkeys(named)) or "no reference given"


def _left(checks: Sequence[ReceivedCheck], reason: str) -> Iterator[tuple[ReceivedCheck, int]]:
    """What is not settled of the adjustments for a reason, check by check: in a payer's account what was given and what
    was kept settle each other, the oldest first."""
    accounts: dict[str, deque[tuple[ReceivedCheck, int]]] = {}
    for check in checks:
        cents = sum(each.cents for each in check.act.adjustments if each.reason == reason)
        still_open = accounts.setdefault(check.act.payer, deque())
        while cents and still_open and (still_open[0][1] > 0) != (cents > 0):
            oldest, other = still_open.popleft()
            if abs(other) > abs(cents):
                still_open.appendleft((oldest, other + cents))
                cents = 0
            else:
                cents += other
        if cents:
            still_open.append((check, cents))
    for account in accounts.values():
        yield from account


class CheckRule(NamedTuple):
    """A finding rule about checks: its name, its level, and what it sees among all checks by date and number."""

    name: str
    level: str
    see: Callable[[Sequence[ReceivedCheck]], Iterator[SeenOnCheck]]


CHECK_RULES: Final[tuple[CheckRule, ...]] = (
    CheckRule("payment_unbalanced", "hard", payment_unbalanced),
    CheckRule("recouped", "soft", recouped),
    CheckRule("forwarded", "soft", forwarded),
)


def says_something(act: PaymentReceived) -> bool:
    """Whether a check can make a difference to what is found in any: most are in balance and adjust nothing."""
    is_off = act.posted_cents is not UNSET and _comes_to(act, act.posted_cents) != act.cents
    return is_off or any(each.reason in (_KEPT, _CARRIED) for each in act.adjustments)


def find_in_checks(checks: Iterable[ReceivedCheck]) -> list[Finding]:
    """Every finding on the checks of the house, rule by rule; in whatever order they were recorded."""
    told = sorted(checks, key=lambda check: (check.act.paid_on, check.act.payer, check.act.payment))
    return [_finding(rule, seen) for rule in CHECK_RULES for seen in rule.see(told)]


def _finding(rule: CheckRule, seen: SeenOnCheck) -> Finding:
    act = seen.check.act
    return Finding(
        rule.name, rule.level, HOUSE, (), (act.paid_on.toordinal(),), (), (f"{SOURCE}:{seen.check.position}",),
        (act.payer,), (("payment", act.payment), *sorted(seen.about.items())),
    )  # fmt: skip
