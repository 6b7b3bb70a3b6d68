"""Intake end to end on a real file: bytes in, one outcome for each line, whatever happens to the process."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.writing.record import Outcome, record
from ledger.store import EpisodeLedger
from tests.at_once import Started, started
from tests.histories import history
from tests.stores import make, named, open_ledger

pytestmark = pytest.mark.usefixtures("every_store")


NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
OPENING = {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/Chicago"}
SERVED = {"type": "DayServed", "order": "RX-1", "date": "2025-11-02"}


def told(id: str, fact: Any = SERVED, **changes: Any) -> dict[str, Any]:
    return {"episode": "EP-1", "source": "pump", "id": id, "by": "rn-1", "fact": fact} | changes


def file(*lines: dict[str, Any] | bytes) -> BytesIO:
    return BytesIO(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))


def many(episodes: int, each: int) -> Iterator[dict[str, Any]]:
    for number in range(each):
        for episode in range(episodes):
            fact = SERVED if number else OPENING
            yield told(f"{episode}-{number}", fact, episode=f"EP-{episode}")


def test_every_line_gets_one_outcome_in_order(ledger: EpisodeLedger) -> None:
    stream = file(told("a", OPENING), b"", b"{}", told("b"), told("b"), told("b", by="x"), told("c", episode="EP-2"))
    outcomes = list(record(ledger, stream, batch=2))
    assert [(outcome.line, outcome.outcome, outcome.position, outcome.code) for outcome in outcomes] == [
        (1, "recorded", 1, None),
        (3, "refused", None, "malformed"),
        (4, "recorded", 2, None),
        (5, "duplicate", None, None),
        (6, "refused", None, "identity_reused"),
        (7, "refused", None, "not_opened"),
    ]
    assert [bool(outcome.message) for outcome in outcomes] == [outcome.outcome == "refused" for outcome in outcomes]


def test_an_outcome_is_written_as_the_contract_says(ledger: EpisodeLedger) -> None:
    outcomes = list(record(ledger, file(told("a", OPENING))))
    assert msgspec.json.encode(outcomes[0]) == (
        b'{"line":1,"outcome":"recorded","position":1,"code":null,"message":null}'
    )


def test_no_outcome_is_given_before_its_commit(path: Path, ledger: EpisodeLedger) -> None:
    with open_ledger(path, create=False) as witness:
        for outcome in record(ledger, file(*many(3, 5)), batch=4):
            assert outcome.position is not None
            assert witness.position() >= outcome.position


@pytest.mark.parametrize("batch", [1, 7, 1000])
def test_a_file_sent_again_is_all_duplicate(ledger: EpisodeLedger, batch: int) -> None:
    first = list(record(ledger, file(*many(5, 8)), batch=batch))
    again = list(record(ledger, file(*many(5, 8)), batch=batch))
    assert {outcome.outcome for outcome in first} == {"recorded"}
    assert again == [Outcome(number, "duplicate") for number in range(1, 41)]
    assert ledger.position() == 40


def test_history_keeps_its_own_times(ledger: EpisodeLedger) -> None:
    lines = [
        told("a", OPENING, recorded_at="2026-01-01T06:00:00.000001-06:00"),
        told("b", recorded_at="2026-01-01T12:00Z"),
        told("c", recorded_at="2026-01-01T12:00:00.000001Z"),
        told("d"),
        told("e", recorded_at="2026-11-02T13:00Z"),
        told("f", recorded_at="2026-02-01T12:00Z"),
    ]
    kept = list(record(ledger, file(*lines), keep_recorded_at=True, clock=lambda: NOON))
    codes = [None, "clock_backwards", None, None, "clock_future", "clock_backwards"]
    assert [outcome.code for outcome in kept] == codes
    moment = datetime(2026, 1, 1, 12, 0, 0, 1, tzinfo=UTC)
    assert [entry.recorded_at for entry in ledger.entries_of("EP-1")] == [moment, moment, NOON]
    refused = list(record(ledger, file(told("z", recorded_at="2026-01-01T12:00Z"))))
    assert refused[0].code == "recorded_at_not_allowed"


def test_the_same_bytes_give_the_same_entries_in_any_batch(tmp_path: Path) -> None:
    lines = [told(str(n), SERVED if n else OPENING, recorded_at=f"2026-01-01T12:{n:02}Z") for n in range(30)]
    read = []
    for batch in (1, 4, 100):
        with open_ledger(tmp_path / f"{batch}.db", create=True) as ledger:
            list(record(ledger, file(*lines), keep_recorded_at=True, batch=batch))
            read.append([msgspec.structs.replace(entry, nonce="") for entry in ledger.entries_of("EP-1")])
    assert read[0] == read[1] == read[2]


class Repeating(RawIOBase):
    """A stream that says the same lines over and over, and is never whole in memory."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.text = b"".join(json.dumps(line).encode() + b"\n" for line in [*many(5, 10), told("bad", {})])
        self.times, self.rest = times, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        given = self.read(len(buffer))
        buffer[: len(given)] = given
        return len(given)

    def read(self, size: int = -1) -> bytes:
        while len(self.rest) < size and self.times:
            self.rest += self.text
            self.times -= 1
        given, self.rest = self.rest[:size], self.rest[size:]
        return given


def test_a_stream_takes_constant_memory(ledger: EpisodeLedger) -> None:
    def peak(times: int) -> int:
        stream = BufferedReader(Repeating(times))
        tracemalloc.start()
        count = sum(1 for _ in record(ledger, stream, batch=100))
        used = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == times * 51
        return used

    peak(4)
    assert peak(120) < peak(12) + 500_000  # the file is two megabytes longer; Python 3.14 collects cycles later


RECORD = """
import sys
from commands.writing.record import record
from ledger.store import open_ledger
from tests.stores import master
with open_ledger(sys.argv[1], create=True, master=master()) as ledger, open(sys.argv[2], "rb") as stream:
    for outcome in record(ledger, stream, batch=int(sys.argv[3])):
        print(outcome.outcome, outcome.position, flush=True)
"""


def recording(path: Path, source: Path, batch: int) -> Started:
    make(path)
    return started(RECORD, named(path), source, batch)


def written(path: Path, lines: Iterator[dict[str, Any]]) -> Path:
    source = path.with_name("intake.jsonl")
    source.write_bytes(file(*lines).getvalue())
    return source


@pytest.mark.parametrize("batch", [5, 100])
def test_two_processes_recording_one_file_record_every_line_once(path: Path, batch: int) -> None:
    source = written(path, many(20, 40))
    both = [recording(path, source, batch) for _ in range(2)]
    said = [process.communicate(timeout=120) for process in both]
    assert [error for _, error in said] == ["", ""]
    counts = Counter(line.split()[0] for output, _ in said for line in output.splitlines())
    assert counts == {"recorded": 800, "duplicate": 800}
    positions = [int(line.split()[1]) for output, _ in said for line in output.splitlines() if "recorded" in line]
    assert sorted(positions) == list(range(1, 801))
    assert_every_line_once(path, 20, 40)


def test_an_import_that_was_killed_is_finished_by_sending_the_file_again(path: Path) -> None:
    source = written(path, many(30, 100))
    killed = recording(path, source, 20)
    for _ in range(500):
        killed.stdout.readline()
    killed.kill()
    promised = 500 + sum(1 for line in killed.stdout if line.startswith("recorded"))
    killed.wait(timeout=60)
    with open_ledger(path, create=False) as ledger:
        stands = ledger.position()
    assert 500 <= promised <= stands < 3_000
    again, error = recording(path, source, 1000).communicate(timeout=120)
    assert error == ""
    assert Counter(line.split()[0] for line in again.splitlines()) == {"duplicate": stands, "recorded": 3_000 - stands}
    assert_every_line_once(path, 30, 100)


def assert_every_line_once(path: Path, episodes: int, each: int) -> None:
    with open_ledger(path, create=False) as ledger:
        assert ledger.position() == episodes * each
        for episode in range(episodes):
            ids = {entry.id for entry in ledger.entries_of(f"EP-{episode}")}
            assert ids == {f"{episode}-{number}" for number in range(each)}


def test_a_kept_clock_never_runs_ahead(ledger: EpisodeLedger) -> None:
    before = datetime.now(UTC)
    list(record(ledger, file(told("a", OPENING))))
    (entry,) = ledger.entries_of("EP-1")
    assert before <= entry.recorded_at <= datetime.now(UTC) + timedelta(0)
    assert entry.recorded_at.utcoffset() == timedelta(0)
    assert time.time() >= entry.recorded_at.timestamp()


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 2**64 - 1), batch=st.sampled_from([1, 3, 4_000]))
def test_any_history_sent_again_whole_or_in_part_is_quiet(seed: int, batch: int) -> None:
    """Everything answers ``duplicate``, nothing is added, and nothing already there changes."""

    def later() -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC)

    rng = Random(seed)
    entries, _ = history(rng)
    lines = [json.dumps(entry).encode() for entry in entries]
    again = rng.sample(lines, rng.randint(1, len(lines)))
    with TemporaryDirectory() as folder, open_ledger(Path(folder) / "ledger.db", create=True) as ledger:
        first = list(record(ledger, BytesIO(b"\n".join(lines)), keep_recorded_at=True, batch=batch, clock=later))
        assert {outcome.outcome for outcome in first} == {"recorded"}
        before = list(ledger.scan())
        for repeated in (lines, again, [line.replace(b'": ', b'"  :') for line in lines]):
            outcomes = list(
                record(ledger, BytesIO(b"\n".join(repeated)), keep_recorded_at=True, batch=batch, clock=later)
            )
            assert {outcome.outcome for outcome in outcomes} == {"duplicate"}
        assert list(ledger.scan()) == before
