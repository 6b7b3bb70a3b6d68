"""One episode in front of the one who decides."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from commands.door.intake import Line, parse_line
from commands.writing.decide import Accepted, Decision, Refused, decide
from ledger.facts.entry import Entry
from ledger.facts.events import Event
from ledger.facts.heads import EpisodeHead
from tests import builders
from tests.intake_samples import line, required

NOW = datetime(2026, 11, 10, 12, tzinfo=UTC)
NIGHT = datetime(2026, 11, 21, 5, 30, tzinfo=UTC)
"""In Chicago it is still the 20th, half an hour before midnight; in Kiritimati it is the evening of the 21st."""


class Desk:
    """One episode, its lines decided one after the other as the write path does it."""

    def __init__(self, *facts: Event, keep: bool = False) -> None:
        self.entries: list[Entry] = []
        self.head, self.keep = EpisodeHead(), keep
        for number, fact in enumerate(facts, 1):
            assert isinstance(self.tell(builders.line(f"f{number}", fact)), Accepted)

    def tell(self, line: Line, now: datetime = NOW) -> Decision:
        version = self.head.version_of(line.source, line.id)
        before = self.entries[version - 1] if version else None
        decision = decide(line, self.head, before, now, "00", self.keep)
        if isinstance(decision, Accepted):
            self.head.apply(decision.entry)
            self.entries.append(decision.entry)
        return decision

    def code(self, fact: Event, **changes: Any) -> str | None:
        decision = self.tell(builders.line("next", fact, **changes))
        return decision.code if isinstance(decision, Refused) else None


def told(fact: dict[str, Any], id: str = "n-1", **changes: Any) -> Line:
    answer = parse_line(7, line(fact, id=id, **changes))
    assert isinstance(answer, Line), answer
    return answer


def desk(zone: str = "America/Chicago", keep: bool = False) -> Desk:
    made = Desk(keep=keep)
    assert isinstance(made.tell(told(required("EpisodeOpened", zone=zone), "o-1"), NIGHT), Accepted)
    return made


def code(desk: Desk, fact: dict[str, Any], id: str = "n-1", now: datetime = NIGHT, **changes: Any) -> str | None:
    decision = desk.tell(told(fact, id, **changes), now)
    return decision.code if isinstance(decision, Refused) else None
