"""Deterministic simulation: several recorders over one real ledger, a store that fails in every way, one seed.

Each process has the real ``Recorder`` and the real recorder of SQLite; between the two stands ``Faulty``. It raises
before a commit or after it (the acknowledgement is lost), is blind when asked afterwards, and lets other processes act
in the middle of a command, so that appends arrive in another order than they were decided in. Senders repeat what they
sent, and send things before what they rest on. After each command the answers are held against a plain model.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

from msgspec import UNSET

from commands.door.intake import Line, parse_line
from commands.writing import handle
from commands.writing.decide import Duplicate, Refused
from commands.writing.handle import Recorded, Recorder
from ledger.facts.entry import Entry
from ledger.facts.stored import read_row
from ledger.recorders import NotRecorded, StoreError, Unknown
from ledger.store import EpisodeLedger, open_ledger
from tests.intake_samples import NPI

EPISODES: Final = ("E1", "E2", "E3", "E4")
IDS: Final = 60
PROCESSES: Final = 3
STEPS_A_LEDGER: Final = 400
OTHER_NPI: Final = "1999999984"


class Faults(NamedTuple):
    """How often the store misbehaves, as chances; ``honest`` is whether it tells lost acknowledgements as failures."""

    before: float = 0.03
    after: float = 0.04
    blind: float = 0.3
    read: float = 0.004
    others: float = 0.12
    honest: bool = True


class Faulty:
    """The real recorder behind a store that fails by chance."""

    def __init__(self, inner: Any, rng: Random, faults: Faults, others: Callable[[], None]) -> None:
        self.inner, self.rng, self.faults, self.others = inner, rng, faults, others
        self.is_blind = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def insert_events(self, stored: Sequence[Any], **more: Any) -> Sequence[int] | None:
        self._let_others()
        chance, faults = self.rng.random(), self.faults
        if chance < faults.before:
            self.is_blind = self.rng.random() < faults.blind
            raise (NotRecorded if self.rng.random() < 0.3 else StoreError)("it failed before the commit")
        positions: Sequence[int] | None = self.inner.insert_events(stored, **more)
        if chance < faults.before + faults.after:
            if not faults.honest:
                raise NotRecorded("a lie: it was recorded")
            self.is_blind = self.rng.random() < faults.blind
            raise StoreError("its acknowledgement was lost")
        return positions

    def rows_at(self, places: Iterable[Any], settled_within: float = 0) -> Any:
        if settled_within and self.is_blind:
            self.is_blind = False
            raise StoreError("nobody answers")
        return self._read(lambda: self.inner.rows_at(places, settled_within))

    def rows_of(self, *args: Any, **more: Any) -> Any:
        return self._read(lambda: self.inner.rows_of(*args, **more))

    def max_position(self) -> Any:
        return self._read(self.inner.max_position)

    def versions(self, after: int) -> Any:
        return self._read(lambda: self.inner.versions(after))

    def _read(self, read: Callable[[], Any]) -> Any:
        if self.rng.random() < self.faults.read:
            raise StoreError("it cannot be read now")
        self._let_others()
        return read()

    def _let_others(self) -> None:
        if self.rng.random() < self.faults.others:
            self.others()


@dataclass
class Process:
    """One program that records."""

    ledger: EpisodeLedger
    recorder: Recorder | None = None
    command: int = 0


class Model:
    """The ledger as plain rules have it: what stands there, and what may be answered to a line."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.of: dict[str, list[tuple[int, Entry]]] = {}

    def add(self, position: int, entry: Entry) -> None:
        """One more entry; what is never allowed to happen is asserted."""
        theirs = self.of.setdefault(entry.episode, [])
        assert position == len(self.entries) + 1, "positions without a gap"
        assert entry.version == len(theirs) + 1, "versions without a gap"
        assert all((each.source, each.id) != (entry.source, entry.id) for _, each in theirs), "an identity once"
        assert not theirs or entry.recorded_at >= theirs[-1][1].recorded_at, "the clock never runs backwards"
        theirs.append((position, entry))
        self.entries.append(entry)

    def answers(self, lines: Sequence[Line], upto: int) -> list[str]:
        """What each line would be answered if the ledger ended with that position when the batch was recorded."""
        earlier = {name: [entry for at, entry in self.of.get(name, ()) if at <= upto] for name in EPISODES}
        return [self._answer(line, earlier[line.episode]) for line in lines]

    def _answer(self, line: Line, before: list[Any]) -> str:
        answer = _answer(line, before)
        if answer == "recorded":
            before.append(line)
        return answer


def _answer(line: Line, before: Sequence[Any]) -> str:
    """The rulebook's order: identity, opening, time, target, own per diem."""
    same = next((each for each in before if (each.source, each.id) == (line.source, line.id)), None)
    if same is not None:
        return "duplicate" if (same.by, same.fact) == (line.by, line.fact) else "identity_reused"
    kind = type(line.fact).__name__
    if not before and kind != "EpisodeOpened":
        return "not_opened"
    if before and kind == "EpisodeOpened":
        return "already_opened"
    if line.recorded_at is not None:
        return "recorded_at_not_allowed"
    fact: Any = line.fact
    if kind in ("FactRetracted", "FactCorrected"):
        target = next((each for each in before if (each.source, each.id) == (fact.target_source, fact.target_id)), None)
        if target is None:
            return "no_target"
        if not _may(fact, target, before):
            return "target_not_correctable"
    inner = fact.fact if kind == "FactCorrected" else fact
    if type(inner).__name__ == "ServiceBilledSeparately" and inner.billed_by in (UNSET, NPI):
        return "own_per_diem"
    return "recorded"


def _may(fact: Any, target: Any, before: Sequence[Any]) -> bool:
    """Whether the target may be retracted, or corrected by this."""
    kind = type(target.fact).__name__
    if type(fact).__name__ == "FactRetracted":
        return kind != "EpisodeOpened"
    opens = kind == "EpisodeOpened" or (kind == "FactCorrected" and type(target.fact.fact).__name__ == "EpisodeOpened")
    return kind != "FactRetracted" and opens == (type(fact.fact).__name__ == "EpisodeOpened")


class Simulation:
    """One world: a ledger's file, its processes, their senders, a clock; every choice out of one generator."""

    def __init__(self, path: Path, rng: Random, faults: Faults = Faults()) -> None:  # noqa: B008 - immutable
        self.rng, self.faults, self.depth, self.commands, self.drawn = rng, faults, 0, 0, 0
        self.now = datetime(2026, 11, 23, tzinfo=UTC)
        self.model, self.found, self.lines = Model(), Counter[str](), dict[tuple[str, int, bool], Line]()
        self.watcher = open_ledger(path, create=True)
        self.processes = [Process(open_ledger(path, create=True)) for _ in range(PROCESSES)]
        for process in self.processes:
            process.ledger._entries = Faulty(process.ledger._entries, rng, faults, self._others)  # type: ignore[assignment]

    def close(self) -> None:
        """Let the file go."""
        for each in (self.watcher, *(process.ledger for process in self.processes)):
            each.close()

    def _start(self, process: Process) -> Recorder | None:
        """A process begins anew, and knows of nothing; None if the store fails it at once."""
        identities = self.rng.choice((5, 50, 300_000))

        def nonces(count: int) -> list[str]:
            self.drawn += count
            return [f"{process.command:016x}{self.drawn - at:016x}" for at in range(count)]

        try:
            return Recorder(process.ledger, clock=self._clock, nonces=nonces, identities=identities)
        except StoreError:
            return None

    def _clock(self) -> datetime:
        self.now += timedelta(milliseconds=self.rng.choice((0, 1, 5, 60_000, -3_000)))
        return self.now

    def _others(self) -> None:
        """Other processes act in the middle of a command."""
        if not self.depth:
            self.depth = 1
            try:
                self.step()
            finally:
                self.depth = 0

    def step(self) -> None:
        """One command of one process, and the model checked after it."""
        process = self.processes[self.rng.randrange(PROCESSES - 1) + 1 if self.depth else 0]
        chance = self.rng.random()
        self.found["steps"] += 1
        if chance < 0.05 or process.recorder is None:
            process.recorder = self._start(process)
            self.found["restarts"] += 1
        elif chance < 0.2:
            self._look(process)
        else:
            self._record(process, process.recorder)
        self._watch()

    def _look(self, process: Process) -> None:
        episode = self.rng.choice(EPISODES)
        try:
            entries, position = process.ledger.entries_of(episode), process.ledger.position()
        except StoreError:
            self.found["failed reads"] += 1
            return
        self._watch()
        theirs = [entry for _, entry in self.model.of.get(episode, ())]
        assert entries == theirs[: len(entries)], "what is read is what stands there"
        assert position <= len(self.model.entries)

    def _record(self, process: Process, recorder: Recorder) -> None:
        lines = [self._line() for _ in range(self.rng.choice((1, 1, 1, 2, 5)))]
        start = len(self.model.entries)
        self.commands += 1
        mine = process.command = self.commands
        try:
            handled = recorder.handle(lines)
        except Unknown:
            self._watch()
            self._check_unknown(lines, mine)
        except StoreError:
            self._watch()
            assert not self._own(mine), "what failed left no trace"
            self.found["failed"] += 1
        else:
            self._watch()
            self._check(lines, handled, mine, start)

    def _own(self, command: int) -> list[int]:
        """The positions of the entries that a command recorded."""
        mark = f"{command:016x}"
        return [at for at, entry in enumerate(self.model.entries, 1) if entry.nonce.startswith(mark)]

    def _check(self, lines: list[Line], handled: Sequence[Any], command: int, start: int) -> None:
        own = self._own(command)
        recorded = [each.position for each in handled if isinstance(each, Recorded)]
        assert recorded == own, "said to be recorded: exactly what this command recorded"
        told = [_name(each) for each in handled]
        last = own[0] - 1 if own else len(self.model.entries)
        moments = [self.model.answers(lines, moment) for moment in range(start, last + 1)]
        for at, answer in enumerate(told):  # a refusal may be overtaken before the others of its batch are committed
            assert moments[-1][at] == answer or (answer != "recorded" and answer in [m[at] for m in moments]), (
                told,
                lines,
            )
        self.found["answered"] += len(told)
        self.found.update(told)

    def _check_unknown(self, lines: list[Line], command: int) -> None:
        own = self._own(command)
        if own:
            assert self.model.answers(lines, own[0] - 1).count("recorded") == len(own), "all of a batch, or nothing"
        self.found["unknown, and recorded" if own else "unknown, and not recorded"] += 1

    def _watch(self) -> None:
        """Take in what was recorded since, as it stands in the file."""
        for row in self.watcher.scan(len(self.model.entries)):
            self.model.add(row[0], read_row(row))

    def _line(self) -> Line:
        """A line by chance: often one that was sent before, sometimes the same identity with another content."""
        episode, id, other = self.rng.choice(EPISODES), self.rng.randrange(IDS), self.rng.random() < 0.04
        if not self.model.of.get(episode) and self.rng.random() < 0.6:
            id = 0
        key = (episode, id, other)
        if key not in self.lines:
            self.lines[key] = _made(episode, id, other, self.rng)
        return self.lines[key]


def _name(handled: Any) -> str:
    if isinstance(handled, Refused):
        return handled.code
    return "duplicate" if isinstance(handled, Duplicate) else "recorded"


def _made(episode: str, id: int, other: bool, rng: Random) -> Line:
    opening = {"type": "EpisodeOpened", "patient": f"P-{rng.randrange(3)}", "provider": NPI, "zone": "America/Chicago"}
    served = {"type": "DayServed", "order": "RX-1", "date": f"2026-11-{rng.randrange(1, 29):02}"}
    billed = {"type": "ServiceBilledSeparately", "code": "S9326", "from": "2026-11-02"}
    target = {"target_source": "pump", "target_id": str(rng.randrange(IDS)), "reason": "mistaken"}
    fact: dict[str, Any] = rng.choice(
        [
            served,
            served,
            served,
            served,
            opening,
            billed,
            billed | {"billed_by": OTHER_NPI},
            billed | {"billed_by": NPI},
        ]
        + [{"type": "FactRetracted", **target}] * 2
        + [{"type": "FactCorrected", **target, "fact": rng.choice([served, served, opening, billed])}] * 3
    )
    if id == 0:
        fact = opening
    told = {"episode": episode, "source": "pump", "id": str(id), "by": "rn-2" if other else "rn-1", "fact": fact}
    if rng.random() < 0.02:
        told["recorded_at"] = "2026-11-23T00:00:00Z"
    line = parse_line(1, json.dumps(told).encode())
    assert isinstance(line, Line), line
    return line


def simulate(folder: Path, count: int, rng: Random, **faults: Any) -> Counter[str]:
    """So many steps, a new ledger every few hundred; AssertionError, with seed and step, where the model disagrees."""
    found: Counter[str] = Counter(steps=0, answered=0, disagreements=0)
    pause, handle.LONGEST_PAUSE_SECONDS = handle.LONGEST_PAUSE_SECONDS, 0  # type: ignore[misc]
    try:
        while found["steps"] < count:
            found.update(_one_world(folder, rng.getrandbits(64), count - found["steps"], Faults(**faults)))
    finally:
        handle.LONGEST_PAUSE_SECONDS = pause  # type: ignore[misc]
    return found


def _one_world(folder: Path, seed: int, steps: int, faults: Faults) -> Counter[str]:
    world = Simulation(folder / "ledger.db", Random(seed), faults)
    try:
        while world.found["steps"] < min(STEPS_A_LEDGER, steps):
            world.step()
    except AssertionError as error:
        raise AssertionError(f"seed {seed} of a world, step {world.found['steps']}: {error}") from error
    finally:
        world.close()
        for file in folder.glob("ledger.db*"):
            file.unlink()
    return world.found


def disagreements(folder: Path, count: int, rng: Random, **faults: Any) -> Counter[str]:
    """The simulation as a fire: 1 disagreement where it stopped, else 0; the world's seed is printed."""
    try:
        return simulate(folder, count, rng, **faults)
    except AssertionError as error:
        print(error)
        return Counter(disagreements=1)
