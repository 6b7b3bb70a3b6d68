"""Those who record: real recorders over a store that fails, and what they were told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random

from commands.door.intake import Line, parse_line
from commands.writing.decide import Refused
from commands.writing.handle import Handled, Recorded, Recorder
from ledger.store import EpisodeLedger
from tests.deterministic.clients import as_bytes
from tests.deterministic.clock import SeededClock
from tests.deterministic.judgement import Said
from tests.deterministic.model import Answer, Attempt, Model, must

Made = type[Recorder]


class Writer:
    """One process that records; a restart forgets all it held."""

    def __init__(self, name: int, rng: Random, clock: SeededClock, model: Model, made: Made = Recorder) -> None:
        self.name, self.rng, self.clock, self.model, self.made = name, rng, clock, model, made
        self.keep = rng.random() < 0.4
        self.limit = rng.choice((100, 100, 3))
        self.identities = rng.choice((0, 60, 600, 300_000, 300_000))
        self.ledger: EpisodeLedger | None = None
        self.lines: Sequence[Said] = ()
        self.attempts: list[Attempt] = []
        self.reading = clock.at

    def start(self, ledger: EpisodeLedger) -> None:
        """Over a new handle, with nothing remembered."""
        self.ledger = ledger
        self.recorder = self.made(
            ledger, keep_recorded_at=self.keep, clock=self._now, nonces=self._nonces, identities=self.identities,
            attempts=self.limit,
        )  # fmt: skip

    def _now(self) -> datetime:
        self.reading = self.clock()
        return self.reading

    def _nonces(self, count: int) -> list[str]:
        nonces = [f"{self.rng.getrandbits(128):032x}" for _ in range(count)]
        attempt = Attempt(self.lines, self.reading, self.keep, nonces)
        self.model.begin(attempt)
        self.attempts.append(attempt)
        return nonces

    def handle(self, lines: Sequence[Said]) -> list[Handled]:
        """Send lines through the door, and record them."""
        self.lines, self.attempts = lines, []
        typed = [parse_line(number, as_bytes(line)) for number, line in enumerate(lines, 1)]
        wellformed = [line for line in typed if isinstance(line, Line)]
        must(len(wellformed) == len(lines), "a line that is well formed was refused for its form")
        return self.recorder.handle(wellformed)

    def answers(self, handled: Sequence[Handled]) -> list[Answer]:
        """What is told of each line, once an entry that is named recorded is what stands at its position."""
        told: list[Answer] = []
        for each in handled:
            if isinstance(each, Recorded):
                must(self.model.landed.get(each.entry.nonce) == each.position, f"at {each.position} is another entry")
                told.append(each.position)
            else:
                told.append(each.code if isinstance(each, Refused) else "duplicate")
        return told
