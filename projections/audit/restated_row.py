"""A day of a closed month that is something else now, as a row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from ledger.facts.entry import tag_of
from ledger.judge.case import Case
from ledger.judge.paid import paid_days
from projections.audit.between import DayState
from projections.audit.since_closing import LearnedSince, told_by_book
from projections.words import utc_text


class Restated(msgspec.Struct, frozen=True, gc=False):
    """A day of a closed month that is something else now; None where there was or is no such day, whole cents.

    ``because`` names every entry that changed the day since, the latest first; ``cause`` and what follows is about the
    last change: an entry, terms that became known, the book, edited under terms that were known already, or another
    judge or other zone data, under which the very same entries say something else. ``paid_cents`` is what was paid for
    it, None as long as there is no answer.
    """

    patient: str
    episode: str
    date: str
    before: str | None
    after: str | None
    payer_before: str | None
    payer_after: str | None
    code_before: str | None
    code_after: str | None
    authorization_before: str | None
    authorization_after: str | None
    cents_before: int
    cents_after: int
    delta_cents: int
    cause: Literal["entry", "terms", "book", "judge", "zones"]
    because: tuple[str, ...]
    type: str | None
    by: str | None
    recorded_at: str | None
    position: int | None
    note: str | None
    paid_cents: int | None


def paid_by_date(case: Case) -> dict[int, int]:
    """What was paid for the per diems of each date of an episode that was answered."""
    paid: dict[int, int] = {}
    for day in paid_days(case.episode) if case.episode.postings else ():
        if day.is_per_diem and day.because:
            paid[day.date] = paid.get(day.date, 0) + day.paid_cents
    return paid


def restated_row(
    place: tuple[str, str, str],
    day: int,
    was: DayState,
    now: DayState,
    steps: Sequence[LearnedSince],
    paid_cents: int | None,
) -> Restated:
    """The row of a day, ``steps`` being what changed it, in order."""
    last = steps[-1]
    entries = [step.entry for step in reversed(steps) if step.entry]
    entry = last.entry
    before, after = was.rate_cents or 0, now.rate_cents or 0
    return Restated(
        *place, was.words or None, now.words or None, was.payer, now.payer, was.code, now.code,
        was.authorization, now.authorization, before, after, after - before,
        "entry" if entry else _cause(last),
        tuple(dict.fromkeys(entry.label for entry in entries)),
        tag_of(entry.fact) if entry else None,
        entry.by if entry else None,
        utc_text(entry.recorded_at) if entry else None,
        last.position if entry else None,
        "; ".join(last.differs) or (None if entry else told_by_book(last, day, (now.payer, was.payer))),
        paid_cents,
    )  # fmt: skip


def _cause(step: LearnedSince) -> Literal["terms", "book", "judge", "zones"]:
    """What it was, if no entry."""
    if step.differs:
        return "zones" if step.zones_alone else "judge"
    return "terms" if step.published else "book"
