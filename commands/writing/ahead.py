"""What has not happened yet: a fact looks back (rulebook section 2, "Told ahead")."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Final

from ledger.facts.events import (
    ClaimSubmitted,
    CoordinationNoted,
    DayServed,
    DaysServed,
    DrugDispensed,
    Event,
    HospitalAdmitted,
    HospitalDischarged,
    InfusionLogged,
    NursingVisited,
    PainAssessed,
    PatientDied,
    PlanSigned,
    ResponseNoted,
    SupplyDispensed,
    TherapyOrdered,
    TherapyResumed,
)
from ledger.facts.heads import EpisodeHead
from ledger.facts.zones import zone

GRACE: Final = timedelta(hours=1)
"""How far a clock at a bedside or a pump may be ahead of ours."""

WESTERNMOST: Final = timedelta(hours=12)
"""How far behind UTC any place is."""

LOOKS_BACK: Final[Mapping[type, str]] = {
    **dict.fromkeys(
        (DayServed, NursingVisited, SupplyDispensed, DrugDispensed, PainAssessed, ResponseNoted, CoordinationNoted,
         PatientDied, TherapyResumed),
        "date",
    ),
    DaysServed: "to",
    **dict.fromkeys((HospitalAdmitted, HospitalDischarged), "at"),
    InfusionLogged: "stopped_at",
    **dict.fromkeys((TherapyOrdered, PlanSigned), "signed_on"),
    ClaimSubmitted: "sent_on",
}  # fmt: skip
"""Of each fact that looks back, the field that must have come."""


def is_ahead(told: object, recorded_at: datetime, head: EpisodeHead) -> bool:
    """Whether what a fact tells lies after what was recorded at that instant (UTC), by its episode's calendar."""
    if type(told) is date:
        day = told.toordinal()
        if day <= (recorded_at - WESTERNMOST).toordinal():  # by then the day had come everywhere
            return False
        return day > recorded_at.astimezone(zone(head.zone or "")).toordinal()
    if isinstance(told, str):
        return is_ahead(_date_or_instant(told), recorded_at, head)
    return isinstance(told, datetime) and told > recorded_at + GRACE


def _date_or_instant(text: str) -> date | datetime:
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)


def expected_instead(fact: Event, name: str, kept: bool) -> tuple[str, str]:
    """What was expected of that field, and what to do; ``kept`` says that a ``recorded_at`` was brought along."""
    if isinstance(getattr(fact, name), datetime) or len(str(getattr(fact, name))) > len("2026-11-02"):
        expected = "an instant that has come, at most an hour after it is recorded"
    else:
        expected = "a date that has come, not after the day on which it is recorded in the episode's time zone"
    when = "when the last of these days has come" if isinstance(fact, DaysServed) else "when it has happened"
    return expected, f"Send it again {when}{', with a recorded_at from then on' if kept else ''}."
