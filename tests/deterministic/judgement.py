"""What the rulebook says of a line (section 2), written out plainly; nothing of the implementation is used here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

Said = dict[str, Any]
"""A line of intake, or a fact, as JSON has it."""

PER_DIEMS = ("S9325", "S9326", "S9327", "S9328")
DEFAULTS: dict[str, Said] = {
    "EpisodeOpened": {"place_of_service": "12"},
    "CoverageVerified": {"rank": 1},
    "TherapyOrdered": {"interval_hours": 24},
    "DayServed": {"infused": True},
    "DaysServed": {"infused": False},
    "ServiceBilledSeparately": {"units": 1},
}
INSTANTS = ("at", "started_at", "stopped_at")
DECIMALS = ("quantity", "units")
ONE_DATE_WITHOUT_TO = ("DrugBilledSeparately", "ServiceBilledSeparately")
LOOKS_BACK = {
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
    "TherapyOrdered": "signed_on",
    "PlanSigned": "signed_on",
    "ClaimSubmitted": "sent_on",
}
"""The facts that may not be told ahead, each with the field that says when it was."""


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def meaning(fact: Said) -> Said:
    """A fact after defaults, its instants as instants and its decimals as numbers."""
    kind = fact["type"]
    told = DEFAULTS.get(kind, {}) | fact
    if kind in ONE_DATE_WITHOUT_TO:
        told.setdefault("to", told["from"])
    for name in told.keys() & set(INSTANTS):
        told[name] = instant(told[name]) if "T" in told[name] else told[name]
    for name in told.keys() & set(DECIMALS):
        told[name] = Decimal(str(told[name]))
    if "fact" in told:
        told["fact"] = meaning(told["fact"])
    return told


class Kept(NamedTuple):
    """An entry as it stands."""

    position: int
    version: int
    source: str
    id: str
    by: str
    recorded_at: datetime
    nonce: str
    fact: Said


class Story:
    """One episode: its entries in order, and by identity."""

    def __init__(self) -> None:
        self.entries: list[Kept] = []
        self.known: dict[tuple[str, str], Kept] = {}
        self.retractions: list[Kept] = []
        self.openings: list[Kept] = []

    def add(self, entry: Kept) -> None:
        self.entries.append(entry)
        self.known[entry.source, entry.id] = entry
        if entry.fact["type"] == "FactRetracted":
            self.retractions.append(entry)
        if states(entry.fact)["type"] == "EpisodeOpened":
            self.openings.append(entry)

    def find(self, source: str, id: str, upto: int) -> Kept | None:
        """The entry of that identity among the first so many."""
        entry = self.known.get((source, id))
        return entry if entry is not None and entry.version <= upto else None

    def is_retracted(self, entry: Kept, upto: int) -> bool:
        """Whether a live retraction names it; a retraction that was itself retracted is not live."""
        return any(
            (each.fact["target_source"], each.fact["target_id"]) == (entry.source, entry.id)
            and not self.is_retracted(each, upto)
            for each in self.retractions
            if entry.version < each.version <= upto
        )

    def opening(self, upto: int) -> Said:
        """Of the opening and its corrections, the one recorded last that is not retracted."""
        live = [each for each in self.openings if each.version <= upto and not self.is_retracted(each, upto)]
        return states(live[-1].fact)

    def provider(self, on: str, upto: int) -> str:
        """Under whom the episode goes on that date: the change with the latest date counts, else the opening."""
        changes = [fact for fact in self.live("ProviderChanged", upto) if fact["from"] <= on]
        latest = max((fact["from"] for fact in changes), default="")
        counts = [fact for fact in changes if fact["from"] == latest] or [self.opening(upto)]
        provider: str = counts[-1]["provider"]
        return provider

    def live(self, kind: str, upto: int) -> list[Said]:
        """The facts of a type that count, in the order recorded: of a chain the last that is not retracted."""
        chains: dict[int, Kept] = {}
        for entry in self.entries[:upto]:
            if entry.fact["type"] != "FactRetracted" and not self.is_retracted(entry, upto):
                chains[self.root(entry, upto).version] = entry
        counts = sorted(chains.values(), key=lambda entry: entry.version)
        return [states(entry.fact) for entry in counts if states(entry.fact)["type"] == kind]

    def root(self, entry: Kept, upto: int) -> Kept:
        """What a correction, or a correction of it, was first about."""
        while entry.fact["type"] == "FactCorrected":
            target = self.find(entry.fact["target_source"], entry.fact["target_id"], upto)
            assert target is not None
            entry = target
        return entry


def states(fact: Said) -> Said:
    inner: Said = fact.get("fact", fact)
    return inner


def judge(line: Said, story: Story, upto: int, now: datetime, keep: bool) -> str:
    """``recorded``, ``duplicate`` or the code of the refusal of a well-formed line after an episode's first entries."""
    fact = line["fact"]
    before = story.find(line["source"], line["id"], upto)
    if before is not None:
        same = before.by == line["by"] and meaning(before.fact) == meaning(fact)
        return "duplicate" if same else "identity_reused"
    if upto == 0 and fact["type"] != "EpisodeOpened":
        return "not_opened"
    if upto > 0 and fact["type"] == "EpisodeOpened":
        return "already_opened"
    return (
        _time(line, story, upto, now, keep)
        or _ahead(line, story, upto, now)
        or _target(fact, story, upto)
        or _per_diem(fact, story, upto)
    )


def _time(line: Said, story: Story, upto: int, now: datetime, keep: bool) -> str | None:
    if "recorded_at" not in line:
        return None
    if not keep:
        return "recorded_at_not_allowed"
    at = instant(line["recorded_at"])
    if at > now:
        return "clock_future"
    return "clock_backwards" if upto and at < story.entries[upto - 1].recorded_at else None


def _ahead(line: Said, story: Story, upto: int, now: datetime) -> str | None:
    fact = states(line["fact"])
    told = fact.get(LOOKS_BACK.get(fact["type"], ""))
    if told is None:
        return None
    at = recorded_at(line, story, upto, now)
    if "T" in told:
        return "told_ahead" if instant(told) > at + timedelta(hours=1) else None
    here = at.astimezone(ZoneInfo(story.opening(upto)["zone"])).date()
    return "told_ahead" if date.fromisoformat(told) > here else None


def _target(fact: Said, story: Story, upto: int) -> str | None:
    if fact["type"] not in ("FactRetracted", "FactCorrected"):
        return None
    target = story.find(fact["target_source"], fact["target_id"], upto)
    if target is None:
        return "no_target"
    if fact["type"] == "FactRetracted":
        return "target_not_correctable" if target.fact["type"] == "EpisodeOpened" else None
    if target.fact["type"] == "FactRetracted":
        return "target_not_correctable"
    of_opening = story.root(target, upto).fact["type"] == "EpisodeOpened"
    becomes_opening = fact["fact"]["type"] == "EpisodeOpened"
    return None if of_opening == becomes_opening else "target_not_correctable"


def _per_diem(fact: Said, story: Story, upto: int) -> str:
    told = states(fact)
    if told["type"] != "ServiceBilledSeparately" or told["code"] not in PER_DIEMS:
        return "recorded"
    ours = {story.provider(on, upto) for on in dates_between(told["from"], told.get("to", told["from"]))}
    return "own_per_diem" if told.get("billed_by") in {None, *ours} else "recorded"


def dates_between(first: str, last: str) -> Iterator[str]:
    """Each date from one to another."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)


def recorded_at(line: Said, story: Story, upto: int, now: datetime) -> datetime:
    """When the ledger learned of an accepted line: as told, else now, but never before the entry that precedes it."""
    if "recorded_at" in line:
        return instant(line["recorded_at"])
    return max(now, story.entries[upto - 1].recorded_at) if upto else now
