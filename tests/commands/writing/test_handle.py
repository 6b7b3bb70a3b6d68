"""The write path on a real file: batches, other writers, failing commits, and bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.door.intake import Line
from commands.writing.decide import Duplicate, Refused
from commands.writing.handle import Handled, HeadCache, Recorded, Recorder
from ledger.facts.entry import Entry
from ledger.facts.heads import EpisodeHead, fold
from ledger.recorders import Unknown
from ledger.store import EpisodeLedger, RecordConflictError, StoreError
from tests.at_once import started
from tests.builders import SERVED, correct, line, opened, per_diem, retract
from tests.histories import LAKESIDE, NORTHSIDE
from tests.stores import named, open_ledger
from tests.tiers import many

pytestmark = pytest.mark.usefixtures("every_store")


NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)


def says(handled: Sequence[Handled]) -> list[Any]:
    """Positions of what was recorded, codes of what was refused, 'duplicate'."""
    return [
        each.position if isinstance(each, Recorded) else each.code if isinstance(each, Refused) else "duplicate"
        for each in handled
    ]


def served(count: int, episode: str = "EP-1", start: int = 0) -> list[Line]:
    return [line(f"{episode}-{number}", SERVED, episode) for number in range(start, start + count)]


def test_a_batch_holds_many_episodes_and_is_numbered_in_order(ledger: EpisodeLedger) -> None:
    recorder = Recorder(ledger, clock=lambda: NOON, nonces=lambda count: [f"{n:032x}" for n in range(count)])
    lines = [line("a", opened()), line("a", opened(), "EP-2"), line("x", SERVED, "EP-3"), line("b", SERVED)]
    assert says(recorder.handle(lines)) == [1, 2, "not_opened", 3]
    assert [entry.nonce for entry in ledger.entries_of("EP-1")] == ["0" * 32, f"{3:032x}"]
    assert [entry.recorded_at for entry in ledger.entries_of("EP-1")] == [NOON, NOON]
    assert ledger.episodes_of("P-1") == ["EP-1", "EP-2"]
    assert says(recorder.handle([line("c", SERVED), line("x", SERVED, "EP-3")])) == [4, "not_opened"]


def test_what_was_recorded_is_given_with_its_entry(ledger: EpisodeLedger) -> None:
    (recorded,) = Recorder(ledger).handle([line("a", opened())])
    assert isinstance(recorded, Recorded)
    assert [recorded.entry] == ledger.entries_of("EP-1")


def test_nothing_to_do_writes_nothing(ledger: EpisodeLedger) -> None:
    assert Recorder(ledger).handle([]) == []
    assert ledger.position() == 0


def test_one_identity_twice_in_a_batch(ledger: EpisodeLedger) -> None:
    other = line("b", per_diem(LAKESIDE))
    lines = [line("a", opened()), line("b", SERVED), line("b", SERVED), other, line("a", opened())]
    recorder = Recorder(ledger)
    assert says(recorder.handle(lines)) == [1, 2, "duplicate", "identity_reused", "duplicate"]
    assert says(recorder.handle(lines)) == ["duplicate"] * 3 + ["identity_reused", "duplicate"]
    assert says(Recorder(ledger).handle(lines)) == ["duplicate"] * 3 + ["identity_reused", "duplicate"]


def test_old_and_new_lines_in_one_batch(ledger: EpisodeLedger) -> None:
    Recorder(ledger).handle([line("a", opened()), line("b", SERVED)])
    lines = [line("c", SERVED), line("b", SERVED), line("c", SERVED), line("a", opened()), line("d", SERVED)]
    assert says(Recorder(ledger).handle(lines)) == [3, "duplicate", "duplicate", "duplicate", 4]


def test_a_batch_sees_what_it_did_itself(ledger: EpisodeLedger) -> None:
    lines = [
        line("a", opened()),
        line("b", per_diem(LAKESIDE)),
        line("c", correct("a", opened(LAKESIDE, "P-2"))),
        line("d", per_diem(LAKESIDE)),
        line("e", retract("c")),
        line("f", per_diem(LAKESIDE)),
        line("g", per_diem(NORTHSIDE)),
    ]
    assert says(Recorder(ledger).handle(lines)) == [1, 2, 3, "own_per_diem", 4, 5, "own_per_diem"]
    assert ledger.patients_of("EP-1") == ["P-1", "P-2"]


def test_each_entry_has_a_nonce_of_its_own(ledger: EpisodeLedger) -> None:
    Recorder(ledger).handle([line("a", opened()), *served(50)])
    nonces = {entry.nonce for entry in ledger.entries_of("EP-1")}
    assert len(nonces) == 51
    assert {len(bytes.fromhex(nonce)) for nonce in nonces} == {16}


def test_another_writer_between_two_batches_is_seen(path: Path, ledger: EpisodeLedger) -> None:
    with open_ledger(path, create=True) as other:
        ours, theirs = Recorder(ledger), Recorder(other)
        ours.handle([line("a", opened())])
        assert says(ours.handle([line("x", SERVED, "EP-2"), line("r", retract("b"))])) == ["not_opened", "no_target"]
        assert says(theirs.handle([line("a", opened(), "EP-2"), line("b", SERVED)])) == [2, 3]
        assert says(ours.handle([line("x", SERVED, "EP-2"), line("r", retract("b"))])) == [4, 5]
        assert says(theirs.handle([line("x", SERVED, "EP-2"), line("q", retract("r"))])) == ["duplicate", 6]


class Overtaken(HeadCache):
    """Another writer is faster: it appends after our heads were read and before we append."""

    def __init__(self, *args: Any, overtake: list[list[Line]], other: EpisodeLedger) -> None:
        super().__init__(*args)
        self.overtake, self.other = overtake, other

    def take(self, episodes: Any) -> dict[str, EpisodeHead]:
        taken = super().take(episodes)
        if self.overtake:
            Recorder(self.other).handle(self.overtake.pop())
        return taken


def overtaken(ledger: EpisodeLedger, other: EpisodeLedger, overtake: list[list[Line]], **options: Any) -> Recorder:
    recorder = Recorder(ledger, **options)
    recorder._cache = Overtaken(ledger, 100, overtake=overtake, other=other)
    return recorder


def test_a_conflict_is_decided_afresh(path: Path, ledger: EpisodeLedger) -> None:
    Recorder(ledger).handle([line("a", opened()), line("a", opened(), "EP-2")])
    with open_ledger(path, create=True) as other:
        recorder = overtaken(ledger, other, [[line("b", SERVED)], [line("c", SERVED)]])
        lines = [line("z", SERVED, "EP-2"), line("b", SERVED), line("c", SERVED), line("d", SERVED)]
        assert says(recorder.handle(lines)) == [5, "duplicate", "duplicate", 6]
        assert says(recorder.handle([line("e", SERVED)])) == [7]
    assert [entry.id for entry in ledger.entries_of("EP-1")] == ["a", "c", "b", "d", "e"]


def test_retries_are_bounded_and_leave_nothing(path: Path, ledger: EpisodeLedger) -> None:
    Recorder(ledger).handle([line("a", opened())])
    with open_ledger(path, create=True) as other:
        recorder = overtaken(ledger, other, [[each] for each in served(3)], attempts=3)
        with pytest.raises(Unknown, match="others kept writing"):
            recorder.handle([line("mine", SERVED)])
        assert ledger.position() == 4
        assert says(recorder.handle([line("mine", SERVED)])) == [5]


@pytest.mark.sqlite_file
def test_a_failed_append_leaves_no_head_ahead_of_the_ledger(ledger: EpisodeLedger, monkeypatch: Any) -> None:
    recorder = Recorder(ledger)
    recorder.handle([line("a", opened())])
    with ledger._entries.datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA page_count")
        pages = cursor.fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        recorder.handle(served(500))
    with ledger._entries.datastore.transaction(commit=False) as cursor:
        cursor.execute("PRAGMA max_page_count = 1000000")
    assert says(recorder.handle(served(3))) == [2, 3, 4]


def test_a_commit_that_fails_after_it_was_done_is_answered_recorded(ledger: EpisodeLedger, monkeypatch: Any) -> None:
    recorder = Recorder(ledger)
    insert = ledger._entries.insert_events

    def insert_and_fail(stored: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        insert(stored, **kwargs)
        raise StoreError("the disk answered too late")

    with monkeypatch.context() as patched:
        patched.setattr(ledger._entries, "insert_events", insert_and_fail)
        assert says(recorder.handle([line("a", opened()), line("b", SERVED)])) == [1, 2]
    assert says(recorder.handle([line("b", SERVED), line("c", SERVED)])) == ["duplicate", 3]


def test_heads_are_held_within_their_bound(ledger: EpisodeLedger) -> None:
    recorder = Recorder(ledger, identities=20)
    for number in range(10):
        episode = f"EP-{number}"
        recorder.handle([line("a", opened(), episode), *served(4, episode)])
        assert recorder._cache._held == sum(head.version for head in recorder._cache._heads.values()) <= 20
    assert list(recorder._cache._heads) == ["EP-6", "EP-7", "EP-8", "EP-9"]
    recorder.handle(served(1, "EP-6", 4))
    assert list(recorder._cache._heads) == ["EP-8", "EP-9", "EP-6"]
    recorder.handle(served(30, "EP-0", 4))
    assert (list(recorder._cache._heads), recorder._cache._held) == ([], 0)
    assert says(recorder.handle(served(35, "EP-0")))[-2:] == ["duplicate", 82]


@settings(deadline=None, max_examples=many(5, 40))
@given(seed=st.integers(0, 10**9), writers=st.integers(1, 3), bound=st.sampled_from([0, 5, 1000]))
def test_whoever_writes_and_however_it_is_cut_the_ledger_is_one_story(
    tmp_path_factory: pytest.TempPathFactory, seed: int, writers: int, bound: int
) -> None:
    rng = Random(seed)
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    facts = [opened(), SERVED, SERVED, per_diem(LAKESIDE), retract("2"), correct("1", SERVED)]
    facts.append(correct("0", opened(LAKESIDE)))
    lines = [line(str(rng.randrange(9)), rng.choice(facts), rng.choice(["E1", "E2", "E3"])) for _ in range(60)]
    ledgers = [open_ledger(path, create=True) for _ in range(writers)]
    recorders = [Recorder(ledger, identities=bound) for ledger in ledgers]
    plain = open_ledger(path.with_name("plain.db"), create=True)
    start = 0
    while start < len(lines):
        end = start + rng.randint(1, 12)
        batch = lines[start:end]
        one_by_one = [Recorder(plain).handle([each])[0] for each in batch]
        assert says(rng.choice(recorders).handle(batch)) == says(one_by_one)
        start = end
    for episode in ("E1", "E2", "E3"):
        entries = ledgers[0].entries_of(episode)
        assert fold(None, entries).version == len(entries)
        assert [each.id for each in entries] == [each.id for each in plain.entries_of(episode)]
    for ledger in (*ledgers, plain):
        ledger.close()


def test_a_duplicate_is_no_second_entry_whatever_the_clock(ledger: EpisodeLedger) -> None:
    Recorder(ledger, clock=lambda: NOON).handle([line("a", opened())])
    assert Recorder(ledger, clock=lambda: NOON - timedelta(days=1)).handle([line("a", opened())]) == [Duplicate()]
    later = Recorder(ledger, clock=lambda: NOON - timedelta(days=1)).handle([line("b", SERVED)])
    assert isinstance(later[0], Recorded)
    assert later[0].entry.recorded_at == NOON


CONTENDER = """
import sys
from commands.writing.handle import Recorder
from tests.builders import SERVED, line
from ledger.store import open_ledger
from tests.stores import master
with open_ledger(sys.argv[1], create=True, master=master()) as ledger:
    recorder = Recorder(ledger)
    for number in range(60):
        recorder.handle([line(f"{sys.argv[2]}-{number}", SERVED)])
"""


def test_many_processes_write_to_one_episode(path: Path, ledger: EpisodeLedger) -> None:
    Recorder(ledger).handle([line("a", opened())])
    writing = [started(CONTENDER, named(path), name) for name in range(4)]
    assert [process.wait(timeout=120) for process in writing] == [0] * 4
    entries: list[Entry] = ledger.entries_of("EP-1")
    assert len(entries) == 241
    assert len({entry.id for entry in entries}) == 241
    assert [entry.recorded_at for entry in entries] == sorted(entry.recorded_at for entry in entries)


def test_a_conflict_of_the_library_is_what_append_raises(ledger: EpisodeLedger) -> None:
    Recorder(ledger).handle([line("a", opened())])
    with pytest.raises(RecordConflictError):
        ledger.append(ledger.entries_of("EP-1"))
