"""A line of an answer out of its SVC, and why less was paid out of a CAS."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from msgspec import UNSET, UnsetType

from ledger.facts.billing import Adjustment
from ledger.x12.elements import cents_at, code_at, quantity_at
from ledger.x12.segments import Segment, Unreadable

MOST_TRIPLES: Final = 6
"""How many reasons stand in one segment."""


def line_fields(segment: Segment) -> dict[str, object]:
    """What an SVC says of a line; one without a number of units means one."""
    asked, billed = segment.parts(1), segment.parts(6)
    modifiers = tuple(mark for mark in asked[2:6] if mark)
    units = quantity_at(segment, 5)
    billed_units = quantity_at(segment, 7)
    return {
        "code": _code(segment, asked), "charge_cents": cents_at(segment, 2), "paid_cents": cents_at(segment, 3),
        "units": Decimal(1) if units is None else units, "modifiers": modifiers or UNSET,
        "billed_units": UNSET if billed_units is None else billed_units,
        "billed_code": _code(segment, billed) if len(billed) > 1 else UNSET,
    }  # fmt: skip


def _code(segment: Segment, parts: list[str]) -> str:
    code = parts[1] if len(parts) > 1 and parts[1] else segment.at(4)
    if not (code and len(code) <= 48 and code.isprintable()):
        raise Unreadable(f"{segment.id}01: expected a code", segment.number)
    return code


def adjustments_in(segment: Segment) -> Iterator[Adjustment]:
    """The adjustments of a CAS."""
    group = code_at(segment, 1)
    for place in range(2, 2 + 3 * MOST_TRIPLES, 3):
        if segment.at(place):
            units = quantity_at(segment, place + 2)
            told: Decimal | UnsetType = UNSET if units is None else units
            yield Adjustment(group, code_at(segment, place), cents_at(segment, place + 1), told)
