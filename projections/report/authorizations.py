"""Prior authorizations: how many of their units are drawn, and which of them run out while therapy goes on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from projections.reading.authorizations import Authorization
from projections.report.asked import Asked

UNITS_LOW: Final = 7
DAYS_AHEAD: Final = 14
"""An authorization runs out with so few units left, or if it ends within so many days; and therapy goes on if an
order is in force, or its last day is not longer ago than that."""


class RunningOut(msgspec.Struct, frozen=True, tag_field="section", tag="authorizations"):
    """An authorization that runs out while therapy goes on; ``lasts_to`` is the last date it can pay for at a unit a
    day from the last drawn day on."""

    patient: str
    episode: str
    number: str
    payer: str
    codes: tuple[str, ...]
    units: int
    drawn: int
    billable_days: int
    left: int
    last_drawn: str | None
    to: str
    lasts_to: str
    rows: str


def running_out(authorizations: Sequence[Authorization], asked: Asked) -> Iterator[RunningOut]:
    """Those of one episode that run out while therapy goes on, and that no other one follows."""
    for one in authorizations:
        if _is_wanted(one, asked) and _is_short(one, asked) and not _is_followed(one, authorizations, asked):
            yield _running_out(one, asked)


def _is_wanted(one: Authorization, asked: Asked) -> bool:
    """Whether therapy goes on, and the authorization is not long past or far ahead, and within what was asked for."""
    ordered = one.ordered_to is not None and one.ordered_to >= asked.on
    going_on = not one.ended and (ordered or one.last_day >= asked.days_from_on(-DAYS_AHEAD))
    touched = one.from_ <= (asked.to or "9999-12-31") and (asked.from_ or "") <= one.to
    at_hand = one.to >= asked.days_from_on(-DAYS_AHEAD) and one.from_ <= asked.days_from_on(DAYS_AHEAD)
    return going_on and at_hand and touched and asked.payer in (None, one.payer)


def _is_short(one: Authorization, asked: Asked) -> bool:
    return one.units - one.drawn <= UNITS_LOW or one.to <= asked.days_from_on(DAYS_AHEAD)


def _is_followed(one: Authorization, others: Iterable[Authorization], asked: Asked) -> bool:
    return any(
        other.payer == one.payer and set(one.codes) <= set(other.codes) and not _is_short(other, asked)
        for other in others
    )


def _running_out(one: Authorization, asked: Asked) -> RunningOut:
    left = one.units - one.drawn
    begun = one.last_drawn or max(asked.days_from_on(-1), _day_before(one.from_))
    lasts_to = min(one.to, _later(begun, left))
    rows = asked.rows("days", payer=None, **{"from": None, "to": None}, episode=one.episode, authorization=one.number)
    return RunningOut(
        one.patient, one.episode, one.number, one.payer, one.codes, one.units, one.drawn, one.billable_days, left,
        one.last_drawn, one.to, lasts_to, rows,
    )  # fmt: skip


def _day_before(day: str) -> str:
    return Asked(day).days_from_on(-1)


def _later(day: str, days: int) -> str:
    return Asked(day).days_from_on(days)
