"""Those who send lines: in their own order or not, the same again, the same otherwise, and much that is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.deterministic.clock import SeededClock
from tests.deterministic.judgement import INSTANTS, Said, instant, states
from tests.histories import CODES, LAKESIDE, NORTHSIDE, STRANGER, history

COURSES = 4
REMEMBERED = 150
MALFORMED: tuple[dict[str, Any], ...] = ({"surprise": 1}, {"date": "2026-02-30"}, {"type": "Nothing"}, {"type": None})


class Clients:
    """Everybody who sends, of one world."""

    def __init__(self, rng: Random, clock: SeededClock) -> None:
        self.rng, self.clock = rng, clock
        self.courses: list[list[Said]] = []
        self.begun = self.made = 0
        self.sent: list[Said] = []
        self.unanswered: list[Said] = []
        self.kinds: list[tuple[Callable[[], Said], int]] = [
            (self._next, 62), (self._again, 10), (self._respelt, 5), (self._otherwise, 4), (self._retracting, 6),
            (self._correcting, 4), (self._reopening, 2), (self._per_diem, 4), (self._unopened, 2), (self._dated, 5),
        ]  # fmt: skip

    def batch(self, episodes: tuple[str, ...] = ()) -> list[Said]:
        """The lines of one command; if episodes are named, most are about those."""
        lines = []
        for _ in range(self.rng.choice((1, 1, 1, 1, 2, 5))):
            if self.unanswered and self.rng.random() < 0.3:
                lines.append(self.unanswered[self.rng.randrange(len(self.unanswered))])
                continue
            line = self._line()
            if episodes and line["fact"]["type"] != "EpisodeOpened" and self.rng.random() < 0.7:
                line = line | {"episode": self.rng.choice(episodes), "id": self._id()}
            lines.append(line)
        if self.rng.random() < 0.08:
            lines.append(self.rng.choice(lines))
        self.sent += lines
        del self.sent[:-REMEMBERED]
        return lines

    def _line(self) -> Said:
        if not self.sent:
            return self._next()
        makers, weights = zip(*self.kinds, strict=True)
        line: Said = self.rng.choices(makers, weights)[0]()
        return line

    def _next(self) -> Said:
        while len(self.courses) < COURSES:
            self.courses.append(self._course())
        course = self.rng.choice(self.courses)
        line = course.pop(self.rng.randrange(min(4, len(course))) if self.rng.random() < 0.12 else 0)
        if not course:
            self.courses.remove(course)
        return line

    def _course(self) -> list[Said]:
        """A random history under names of its own, without its times."""
        self.begun += 1
        prefix = f"{self.begun}-"
        lines = history(self.rng)[0]
        for line in lines:
            del line["recorded_at"]
            line["episode"] = prefix + line["episode"]
            for fact in (line["fact"], line["fact"].get("fact", {})):
                if "patient" in fact:
                    fact["patient"] = prefix + fact["patient"]
        return lines

    def _id(self) -> str:
        self.made += 1
        return f"n{self.made}"

    def _again(self) -> Said:
        return self.rng.choice(self.sent)

    def _respelt(self) -> Said:
        line = self._again()
        return line | {"fact": respelt(line["fact"])}

    def _otherwise(self) -> Said:
        line = self._again()
        if self.rng.random() < 0.3:
            return line | {"by": "rn-2"}
        return line | {"fact": self._again()["fact"]}

    def _about(self, fact: Said) -> Said:
        return {"episode": self._again()["episode"], "source": "desk", "id": self._id(), "by": "b-1", "fact": fact}

    def _naming(self) -> tuple[str, Said]:
        target = self._again()
        episode = target["episode"] if self.rng.random() < 0.85 else self._again()["episode"]
        return episode, {"target_source": target["source"], "target_id": target["id"], "reason": "mistaken"}

    def _retracting(self) -> Said:
        episode, naming = self._naming()
        return self._about({"type": "FactRetracted", **naming}) | {"episode": episode}

    def _correcting(self) -> Said:
        episode, naming = self._naming()
        right: Said = self._opening() if self.rng.random() < 0.3 else self._again()["fact"]
        right = states(right)
        if right["type"] == "FactRetracted":
            right = {"type": "NursingVisited", "date": "2026-10-25"}
        return self._about({"type": "FactCorrected", **naming, "fact": right}) | {"episode": episode}

    def _opening(self) -> Said:
        patient = f"{self.rng.randint(1, self.begun)}-P{self.rng.randint(1, 2)}"
        provider = self.rng.choice((NORTHSIDE, LAKESIDE))
        return {"type": "EpisodeOpened", "patient": patient, "provider": provider, "zone": "America/Chicago"}

    def _reopening(self) -> Said:
        return self._about(self._opening())

    def _per_diem(self) -> Said:
        billed_by = self.rng.choice(({}, {"billed_by": NORTHSIDE}, {"billed_by": LAKESIDE}, {"billed_by": STRANGER}))
        quantity = self.rng.choice(({}, {"units": 1}, {"units": "2.50"}))
        code = self.rng.choice(CODES)
        span = self.rng.choice(({"from": "2026-10-28"}, {"from": "2026-10-28", "to": "2026-11-05"}))
        return self._about({"type": "ServiceBilledSeparately", "code": code, **span, **billed_by, **quantity})

    def _unopened(self) -> Said:
        return self._about({"type": "DayServed", "order": "A", "date": "2026-10-28"}) | {
            "episode": f"{self.begun + self.rng.randint(0, 1)}-E{self.rng.randint(1, 3)}"
        }

    def _dated(self) -> Said:
        away = self.rng.choice((timedelta(0), -timedelta(minutes=1), -timedelta(hours=20), timedelta(hours=1)))
        return self._next() | {"recorded_at": (self.clock.at + away).isoformat()}


def respelt(fact: Said) -> Said:
    """The same fact in other words: defaults said, instants in another zone, decimals with a nought more."""
    told = dict(fact)
    kind = told["type"]
    if kind in ("DayServed", "DaysServed"):
        told.setdefault("infused", kind == "DayServed")
    if kind in ("ServiceBilledSeparately", "DrugBilledSeparately"):
        told.setdefault("to", told["from"])
        told["units"] = f"{Decimal(str(told.get('units', 1))):.2f}"
    if kind == "EpisodeOpened":
        told.setdefault("place_of_service", "12")
    for name in [name for name in INSTANTS if "T" in told.get(name, "")]:
        away = timedelta(hours=-6)
        told[name] = (instant(told[name]) + away).replace(tzinfo=None).isoformat() + "-06:00"
    if "fact" in told:
        told["fact"] = respelt(told["fact"])
    return told


def as_bytes(line: Said) -> bytes:
    return json.dumps(line).encode()


def malformed(rng: Random, line: Said) -> bytes:
    """The line with something in it that no door lets through."""
    change = rng.choice(MALFORMED)
    fact = line["fact"]
    if "date" in change:
        return as_bytes(line | {"fact": {"type": "DayServed", "order": "A"} | change})
    return as_bytes(line | {"fact": fact | change})
