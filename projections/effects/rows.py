"""What can change, as rows: days, findings, claims, whose an episode is; and the dollars of the days."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec


class DaysChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="days", gc=False):
    """Consecutive dates of an episode that change alike; None where there is no such day, cents are of each date."""

    patient: str
    episode: str
    from_: str = msgspec.field(name="from")
    to: str
    days: int
    before: str | None
    after: str | None
    payer_before: str | None
    payer_after: str | None
    cents_before: int
    cents_after: int
    authorization_before: str | None
    authorization_after: str | None


class FindingChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="finding", gc=False):
    """A finding that comes or goes; dates of which the same is said are together.

    ``summary`` says what is wrong without a name that stands in the ledger, ``message`` with it and what to do.
    """

    change: Literal["comes", "goes"]
    rule: str
    level: str
    patient: str
    episodes: tuple[str, ...]
    dates: tuple[str, ...]
    codes: tuple[str, ...]
    summary: str
    message: str


class PatientChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="patient", gc=False):
    """An episode that goes to another patient, with all that was recorded in it."""

    episode: str
    before: str
    after: str


class ClaimChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="claim", gc=False):
    """A claim to be replaced or voided for these dates: what of it does not stand, and what of that was paid."""

    patient: str
    episode: str
    claim: str
    payer: str
    dates: tuple[str, ...]
    exposure_cents: int
    owed_cents: int


class DollarsChanged(msgspec.Struct, frozen=True, tag_field="effect", tag="dollars", gc=False):
    """What the days that change are worth, for one payer: how many of them are billable, and the sum of their rates."""

    payer: str
    days_before: int
    days_after: int
    cents_before: int
    cents_after: int


Change = PatientChanged | DaysChanged | FindingChanged | ClaimChanged


def dollars_of(changes: Iterable[Change]) -> list[DollarsChanged]:
    """The changes of days in days and dollars by payer, those of payers for whom nothing changes left out."""
    totals: dict[str, list[int]] = {}
    for change in changes:
        if isinstance(change, DaysChanged):
            for place, words, payer, cents in (
                (0, change.before, change.payer_before, change.cents_before),
                (1, change.after, change.payer_after, change.cents_after),
            ):
                if payer is not None and words is not None and words.startswith("billable "):
                    total = totals.setdefault(payer, [0, 0, 0, 0])
                    total[place] += change.days
                    total[2 + place] += change.days * cents
    return [
        DollarsChanged(payer, *total)
        for payer, total in sorted(totals.items())
        if total[0] != total[1] or total[2] != total[3]
    ]
