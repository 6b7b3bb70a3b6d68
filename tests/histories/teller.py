"""Who tells the facts, and when: each after it happened, so that none is refused as told ahead."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from .facts import GROUPS, Fact, opening

BEGINNINGS = (
    (datetime(2026, 10, 25, 3, tzinfo=UTC), (0, 1, 400, 1000)),
    (datetime(2026, 11, 4, 1, tzinfo=UTC), (0, 1, 200, 600)),
    (datetime(2026, 11, 15, 3, tzinfo=UTC), (0, 1, 30, 300)),
)
"""When a house begins to tell, with the minutes between two facts: as it happens, or all of it afterwards."""
WEST = timedelta(hours=10)
"""Ten hours after UTC midnight the date has begun in every zone of the histories."""
LOOKING_BACK = {
    "DayServed": "date",
    "DaysServed": "to",
    "NursingVisited": "date",
    "SupplyDispensed": "date",
    "DrugDispensed": "date",
    "PainAssessed": "date",
    "ResponseNoted": "date",
    "CoordinationNoted": "date",
    "PatientDied": "date",
    "TherapyResumed": "date",
    "HospitalAdmitted": "at",
    "HospitalDischarged": "at",
    "InfusionLogged": "stopped_at",
}
"""The facts that may not lie ahead (rulebook, *Told ahead*), with the field that says when."""
WHERE_THE_PLACE_MATTERS = ("CoverageVerified", "CoverageEnded", "ClaimSubmitted")
"""The facts of which it matters where their chain began."""


class Teller:
    """Tells facts of some episodes in an order the door takes."""

    def __init__(self, rng: Random, episodes: list[str]) -> None:
        self.rng = rng
        self.episodes = episodes
        self.entries: list[dict[str, Any]] = []
        self.clock, self.pace = rng.choice(BEGINNINGS)
        self.waiting: list[tuple[datetime, str, Fact]] = []
        self.into: dict[str, str] = {}

    def tell(self, episode: str, fact: Fact) -> None:
        """Tell the fact now, or when it has happened."""
        self.clock += timedelta(minutes=self.rng.choice(self.pace))
        self.waiting.append((happened(fact), episode, fact))
        self.tell_what_happened()

    def tell_what_happened(self) -> None:
        """Record everything that waits and has happened by now."""
        due = [told for told in self.waiting if told[0] <= self.clock]
        self.waiting = [told for told in self.waiting if told[0] > self.clock]
        for _, episode, fact in due:
            self.record(episode, fact)

    def record(self, episode: str, fact: Fact) -> None:
        """One entry, at the clock's time."""
        self.entries.append(
            {
                "episode": episode,
                "source": self.rng.choice(("pump", "chart")),
                "id": str(len(self.entries)),
                "by": "rn-1",
                "recorded_at": self.clock.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "fact": fact,
            }
        )

    def finish(self) -> list[dict[str, Any]]:
        """Every entry, once all has happened."""
        for moment, episode, fact in sorted(self.waiting, key=lambda told: told[0]):
            self.clock = max(self.clock, moment)
            self.record(episode, fact)
        return self.entries

    def mend(self, episode: str) -> None:
        """Retract or correct something told before."""
        earlier = [entry for entry in self.entries if entry["episode"] == episode]
        by_place = [entry for entry in earlier if told_type(entry) in WHERE_THE_PLACE_MATTERS]
        target = self.rng.choice(by_place if by_place and self.rng.random() < 0.4 else earlier)
        naming = {"target_source": target["source"], "target_id": target["id"], "reason": "mistaken"}
        opened = _root(earlier, target)["fact"]["type"] == "EpisodeOpened"
        retracts = target["fact"]["type"] == "FactRetracted" or self.rng.random() < 0.5
        if retracts and target["fact"]["type"] != "EpisodeOpened":
            self.tell(episode, {"type": "FactRetracted", **naming})
        elif opened:
            right = opening(self.rng, self.rng.choice(("P1", "P1", "P2")))
            self.tell(episode, {"type": "FactCorrected", **naming, "fact": right})
        elif target["fact"]["type"] != "FactRetracted":
            self.tell(episode, {"type": "FactCorrected", **naming, "fact": self.right_fact(target["fact"])})

    def correct_one(self, episode: str, fact: Fact) -> None:
        """Correct one of the facts of this type that were told before, if there is one."""
        same = [entry for entry in self.entries if entry["episode"] == episode and told_type(entry) == fact["type"]]
        if same:
            wrong = self.rng.choice(same)
            naming = {"target_source": wrong["source"], "target_id": wrong["id"], "reason": "mistaken"}
            self.tell(episode, {"type": "FactCorrected", **naming, "fact": fact})

    def right_fact(self, wrong: Fact) -> Fact:
        """What a correction says instead: more often than not of the same type."""
        wrong = wrong.get("fact", wrong)
        group = self.rng.choice([group for group, _ in GROUPS])
        drawn = [group(self.rng) for _ in range(3)]
        return next((fact for fact in drawn if fact["type"] == wrong["type"]), drawn[0])

    def merge_or_part(self) -> None:
        """An act of the house: one name becomes another, or is parted from it again."""
        merged = sorted(self.into)
        if merged and self.rng.random() < 0.4:
            name = self.rng.choice(merged)
            del self.into[name]
            self.act({"type": "PatientsParted", "patient": name, "reason": "two people after all"})
            return
        name, into = self.rng.sample(("P1", "P2", "P3"), 2)
        if name not in self.into and self.stands(into) != name:
            self.into[name] = into
            self.act({"type": "PatientsMerged", "patient": name, "into": into, "reason": "one person"})

    def stands(self, name: str) -> str:
        """The name that stands last."""
        while name in self.into:
            name = self.into[name]
        return name

    def act(self, fact: Fact) -> None:
        """Record an act of the house, under no episode."""
        self.record("", fact)


def happened(fact: Fact) -> datetime:
    """The first moment at which the door no longer calls it told ahead."""
    fact = fact.get("fact", fact)
    said = [fact[name] for name in ("signed_on", "sent_on", LOOKING_BACK.get(fact["type"], "")) if name in fact]
    return max((moment_of(text) for text in said), default=datetime.min.replace(tzinfo=UTC))


def told_type(entry: dict[str, Any]) -> str:
    """The type of the fact, of a correction that of the right one."""
    fact = entry["fact"]
    return str(fact.get("fact", fact)["type"])


def moment_of(text: str) -> datetime:
    """The instant itself, or when the date has begun everywhere."""
    if "T" in text:
        return datetime.fromisoformat(text)
    return datetime.combine(date.fromisoformat(text), time(tzinfo=UTC)) + WEST


def _root(entries: list[dict[str, Any]], entry: dict[str, Any]) -> dict[str, Any]:
    while entry["fact"]["type"] == "FactCorrected":
        named = (entry["fact"]["target_source"], entry["fact"]["target_id"])
        entry = next(e for e in entries if (e["source"], e["id"]) == named)
    return entry
