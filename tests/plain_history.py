"""Histories told by hand for the plain model: a book in which every gate is open, and facts one by one."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from tests.plain_model import Derived, derive

NORTH = "1234567893"
SOUTH = "1245319599"
SUPPLIES = ["A4222", "E0779"]


def edition(**changes: Any) -> dict[str, Any]:
    """Terms under which every gate is open unless the test closes one."""
    terms: dict[str, Any] = {
        "from": date(2026, 1, 1),
        "published": date(2025, 11, 15),
        "accepts_s_codes": True,
        "pain_code": "general",
        "day_counting": "infused",
        "rate_cents": {"S9325": 9000, "S9326": 9800, "S9327": 8100, "S9328": 7600},
    }
    return terms | changes


def book(*editions: dict[str, Any], other: dict[str, Any] | None = None) -> dict[str, Any]:
    """A book with the payers `blue` (these editions) and `green`, and two providers who agree with both."""
    pain = [f"S932{n}" for n in (5, 6, 7, 8)]
    codes: list[dict[str, Any]] = [
        {"code": code, "family": "pain", "from": "2002-01-01", "includes": SUPPLIES, "excludes": set(pain) - {code}}
        for code in pain
    ]
    codes += [{"code": code, "family": "catheter_care", "from": date(2002, 1, 1)} for code in ("S5498", "S5501")]
    codes.append({"code": "S9810", "family": "pharmacy_hours", "from": date(2002, 1, 1)})
    agreements = [{"payer": payer, "signed_on": "2024-12-20", "from": "2025-01-01"} for payer in ("blue", "green")]
    return {
        "codes": codes,
        "payers": [
            {"id": "blue", "name": "Blue", "kind": "commercial", "terms": list(editions)},
            {"id": "green", "name": "Green", "kind": "commercial", "terms": [other or edition()]},
        ],
        "providers": [{"npi": npi, "name": npi, "agreements": agreements} for npi in (NORTH, SOUTH)],
    }


class History:
    """Entries of one or more episodes, each recorded an hour after the one before."""

    def __init__(self) -> None:
        self.entries: list[dict[str, Any]] = []
        self.clock = datetime(2026, 10, 1)

    def at(self, day: str) -> History:
        """What follows is recorded from this date on."""
        self.clock = datetime.fromisoformat(day)
        return self

    def add(self, fact_type: str, episode: str = "E1", **fields: Any) -> str:
        """Record a fact; `from` is written `from_`. Gives back its id."""
        fact = {"type": fact_type} | {name.rstrip("_"): value for name, value in fields.items()}
        self.clock += timedelta(hours=1)
        entry_id = str(len(self.entries) + 1)
        self.entries.append(
            {
                "episode": episode,
                "source": "test",
                "id": entry_id,
                "by": "me",
                "recorded_at": self.clock.isoformat() + "Z",
                "fact": fact,
            }
        )
        return entry_id

    def retract(self, target: str, episode: str = "E1") -> str:
        """The target never happened."""
        return self.add("FactRetracted", episode, target_source="test", target_id=target, reason="wrong")

    def correct(self, target: str, fact_type: str, episode: str = "E1", **fields: Any) -> str:
        """The target was wrong, this is right."""
        fact = {"type": fact_type} | {name.rstrip("_"): value for name, value in fields.items()}
        return self.add("FactCorrected", episode, target_source="test", target_id=target, reason="wrong", fact=fact)

    def open(self, episode: str = "E1", payer: str = "blue", provider: str = NORTH, patient: str = "P1") -> History:
        """An episode with every gate satisfied from 2026-09-01 on, but for orders and service."""
        self.add("EpisodeOpened", episode, patient=patient, provider=provider, zone="America/Chicago")
        self.add("CoverageVerified", episode, payer=payer, member="M", from_="2026-09-01")
        self.add("DiagnosisRecorded", episode, icd10="G89.3", from_="2026-09-01")
        self.add("PlanSigned", episode, plan="PL", signed_on="2026-09-01", from_="2026-09-01", to="2027-12-31")
        for first, days in (("2026-10-25", 60), ("2027-03-10", 14)):
            for n in range(0, days, 7):
                day = date.fromisoformat(first) + timedelta(days=n)
                self.add("PainAssessed", episode, date=day.isoformat(), score=5)
        return self

    def order(self, episode: str = "E1", name: str = "RX", mode: str = "unspecified", **fields: Any) -> str:
        """An order from 2026-10-25 unless said otherwise."""
        fields = {"from_": "2026-10-25", "prescriber": SOUTH, "signed_on": "2026-10-01"} | fields
        return self.add("TherapyOrdered", episode, order=name, mode=mode, **fields)

    def serve(self, *days: str, episode: str = "E1", order: str = "RX", infused: bool = True) -> History:
        """Service on these dates of November 2026 (`5`), or on full dates."""
        for day in days:
            when = f"2026-11-{day:0>2}" if len(day) < 3 else day
            self.add("DayServed", episode, order=order, date=when, infused=infused)
        return self

    def stop(self, day: str, episode: str = "E1", order: str = "RX") -> History:
        """A permanent stop."""
        self.add("TherapyStopped", episode, order=order, date=day)
        return self

    def claim(
        self,
        number: str,
        first: str,
        last: str,
        episode: str = "E1",
        code: str = "S9325",
        payer: str = "blue",
        units: int | None = None,
        frequency: str = "1",
        **fields: Any,
    ) -> History:
        """A claim of one line over dates of November 2026."""
        line = {
            "code": code,
            "from": f"2026-11-{first:0>2}",
            "to": f"2026-11-{last:0>2}",
            "units": int(last) - int(first) + 1 if units is None else units,
            "charge_cents": 100,
        }
        self.add("ClaimSubmitted", episode, claim=number, payer=payer, frequency=frequency, lines=[line], **fields)
        return self

    def derive(self, known_at: str | None = None, **changes: Any) -> Derived:
        """Derive under one edition of `blue`, changed so."""
        return derive(self.entries, book(edition(**changes)), known_at)


def verdicts(derived: Derived, episode: str = "E1") -> dict[str, str]:
    """Month-day to verdict."""
    return {
        row["date"][5:]: " ".join(filter(None, (row["status"], row["reason"])))
        for row in derived.days
        if row["episode"] == episode
    }


def billable(derived: Derived, episode: str = "E1") -> list[str]:
    """The billable days, month-day."""
    return [day for day, verdict in verdicts(derived, episode).items() if verdict == "billable"]


def found(derived: Derived, rule: str) -> list[dict[str, Any]]:
    """The findings of one rule."""
    return [row for row in derived.findings if row["rule"] == rule]


def november(*days: int) -> list[str]:
    """Dates of November, month-day."""
    return [f"11-{day:02}" for day in days]


def two_episodes(first: str = "continuous", second: str = "continuous", payer: str = "blue") -> History:
    """Two episodes of one patient that both serve November 2."""
    history = History().open().open("E2", payer=payer, provider=SOUTH)
    for episode, mode in (("E1", first), ("E2", second)):
        history.order(episode, mode=mode, from_="2026-11-02")
        history.serve("2", episode=episode)
    return history


def run_of_a_week() -> History:
    """V1: one run of seven days less six hours."""
    history = History().open()
    history.order()
    history.add("InfusionLogged", order="RX", started_at="2026-11-02T16:00-06:00", stopped_at="2026-11-09T10:00-06:00")
    return history.stop("2026-11-09")


def from_to(month: int, first: int, last: int) -> list[str]:
    """Dates of one month, month-day."""
    return [f"{month:02}-{day:02}" for day in range(first, last + 1)]


def grant(history: History, number: str, first: str, last: str, units: int, episode: str = "E1") -> None:
    """An authorization of the payer for S9325."""
    span = {"from_": first, "to": last}
    history.add("AuthorizationGranted", episode, number=number, payer="blue", codes=["S9325"], units=units, **span)


def every(hours: int, *days: str) -> History:
    """V2 to V4: doses at a spacing."""
    history = History().open()
    history.order(from_="2026-11-01", interval_hours=hours)
    return history.serve(*days)
