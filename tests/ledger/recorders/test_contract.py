"""What a store of entries must do, of whatever kind it is: plain or encrypted, in a file or in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from io import BytesIO
from pathlib import Path
from random import Random

import pytest
from eventsourcing.persistence import StoredEvent

from commands.door.intake import Line, parse_line
from commands.recording.identity import allow_identity
from commands.writing.record import record
from ledger.facts.entry import Entry, decode_joined, encode
from ledger.facts.heads import fold
from ledger.facts.stored import JoinedEntries
from ledger.recorders.by_name.proving import prove
from ledger.store import EpisodeLedger, RecordConflictError, StoreError, UnreadableEntry
from projections.read_model.catch_up import catch_up
from projections.read_model.views import passing_views
from tests.builders import (
    OPENING,
    entry,
)
from tests.command_line import lines_of
from tests.harness import book_of
from tests.marked import history
from tests.read_models import crowd, mixed, tables, tell, whole
from tests.stores import kind, master, named, open_ledger

pytestmark = pytest.mark.usefixtures("every_store")


def stored(**changes: object) -> StoredEvent:
    return replace(StoredEvent("EP-1", 1, "EpisodeOpened", encode(entry(1))), **changes)


def test_entries_come_back_as_they_were_appended(ledger: EpisodeLedger) -> None:
    entries = [entry(1), entry(2), entry(1, "EP-2"), entry(3)]
    assert ledger.append(entries, [("P-1", "EP-1"), ("P-1", "EP-2")]) == [1, 2, 3, 4]
    assert ledger.append([entry(2, "EP-2")]) == [5]
    assert ledger.entries_of("EP-1") == [entry(1), entry(2), entry(3)]
    assert ledger.entries_of("EP-1", after_version=2) == [entry(3)]
    assert ledger.entries_of("EP-1", upto=3) == [entry(1), entry(2)]
    assert list(ledger.entries_of_all(["EP-2", "EP-9", "EP-1"]))[-2:] == [entry(1, "EP-2"), entry(2, "EP-2")]
    assert list(ledger.follow(2)) == [(3, entry(1, "EP-2")), (4, entry(3)), (5, entry(2, "EP-2"))]
    assert list(ledger.follow(2, 3)) == [(3, entry(1, "EP-2"))]
    assert ledger.entries_at([("EP-1", 2), ("EP-1", 7)]) == {("EP-1", 2): entry(2)}
    assert ledger.positions_of([entry(3), entry(1)]) == [4, 1]
    assert ledger.positions_of([entry(3), entry(4)]) is None
    assert ledger.versions_since(3) == [("EP-1", 3), ("EP-2", 2)]
    tag = type(entry(2).fact).__name__
    assert ledger.versions_without({tag}, 5) == {"EP-1": [1], "EP-2": [1]}
    assert ledger.versions_without({"EpisodeOpened"}, 4) == {"EP-1": [2, 3]}
    assert ledger.versions_without({"PatientDied"}, 4) == {"EP-1": [1, 2, 3], "EP-2": [1]}
    assert ledger.versions_without({"EpisodeOpened", tag}, 5) == {}
    assert ledger.position() == 5


def told(*entries: Entry) -> str:
    return ",".join(encode(each).decode() for each in entries)


def as_told(rows: Sequence[JoinedEntries]) -> dict[str, tuple[int, int, str, str]]:
    """The rows by episode, their texts as text."""
    return {row.episode: (*row[1:4], row.texts.decode() if isinstance(row.texts, bytes) else row.texts) for row in rows}


def test_an_episode_comes_as_one_row_in_the_order_of_versions(ledger: EpisodeLedger) -> None:
    ledger.append([entry(1), entry(1, "EP-2"), entry(2), entry(2, "EP-2"), entry(3)])
    ledger.append([entry(version) for version in range(4, 30)])
    tags = [type(entry(version).fact).__name__ for version in (1, 2, 3)]
    other = "EP-2", (2, 2, ",".join(tags[:2]), told(entry(1, "EP-2"), entry(2, "EP-2")))
    mine = 3, 3, ",".join(tags), told(entry(1), entry(2), entry(3))
    assert as_told(ledger.joined(["EP-2", "EP-9", "EP-1"], 5)) == dict([other, ("EP-1", mine)])
    (whole,) = ledger.joined(["EP-1"], 99)
    assert decode_joined(whole.texts) == [entry(version) for version in range(1, 30)]
    assert ledger.joined([], 5) == ledger.joined(["EP-1"], 0) == []


def test_texts_of_some_tags_are_left_out_of_the_row_and_their_tags_are_not(ledger: EpisodeLedger) -> None:
    ledger.append([entry(1), entry(2), entry(3)])
    opened, *others = [type(entry(version).fact).__name__ for version in (1, 2, 3)]
    tags = ",".join([opened, *others])
    assert as_told(ledger.joined(["EP-1"], 3, [opened])) == {"EP-1": (3, 3, tags, told(entry(2), entry(3)))}
    assert as_told(ledger.joined(["EP-1"], 3, {opened, *others, "Nothing"})) == {"EP-1": (3, 3, tags, "")}


def test_an_empty_ledger_has_nothing(ledger: EpisodeLedger) -> None:
    assert ledger.position() == 0
    assert ledger.append([]) == []
    assert (list(ledger.follow(0)), ledger.entries_of("EP-1"), ledger.patients_since(0)) == ([], [], set())


def test_patients_are_noted_once_in_the_same_transaction(ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)], [("P-1", "EP-1")])
    ledger.append([entry(2)], [("P-1", "EP-1"), ("P-0", "EP-1"), ("P-0", "EP-1")])
    with pytest.raises(RecordConflictError):
        ledger.append([entry(2)], [("P-9", "EP-1")])
    assert ledger.patients_of("EP-1") == ["P-0", "P-1"]
    assert (ledger.episodes_of("P-0"), ledger.episodes_of("P-9")) == (["EP-1"], [])
    ledger.append([entry(1, "EP-2")], [("P-2", "EP-2")])
    assert ledger.patients_since(0) == {"P-0", "P-1", "P-2"}
    assert (ledger.patients_since(0, 2), ledger.patients_since(2)) == ({"P-0", "P-1"}, {"P-2"})


def test_a_scan_reads_by_pages_and_stops_where_it_began(ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    for store in ("sqlite", "postgres"):
        monkeypatch.setattr(f"ledger.recorders.{store}.recorder.PAGE_ROWS", 3)
    ledger.append([entry(version) for version in range(1, 8)])
    rows = ledger.scan()
    assert next(rows) == (1, "EP-1", 1, "EpisodeOpened", encode(entry(1)).decode())
    ledger.append([entry(8)])  # no read transaction is held between pages, and the end is not moved
    assert [row[0] for row in rows] == [2, 3, 4, 5, 6, 7]
    assert [row[0] for row in ledger.scan(6)] == [7, 8]


def test_it_works_through_the_seams_of_the_library(ledger: EpisodeLedger) -> None:
    recordings = ledger.save(entry(1), entry(2))
    assert [recording.notification.id for recording in recordings] == [1, 2]
    assert ledger.repository.get("EP-1", projector_func=fold).version == 2  # type: ignore[type-var]
    assert list(ledger.events.get("EP-1", gt=1)) == [entry(2)]
    notifications = ledger.notification_log.select(start=1, limit=5_000)
    assert [ledger.mapper.to_domain_event(each) for each in notifications] == [entry(1), entry(2)]
    assert [each.topic for each in ledger.notification_log.select(1, 10, topics=["DayServed"])] == ["DayServed"]
    with pytest.raises(RecordConflictError):
        ledger.save(entry(2))


def test_two_writers_of_one_version_conflict(path: Path, ledger: EpisodeLedger) -> None:
    ledger.append([entry(1)])
    with open_ledger(path, create=True) as other:
        other.append([entry(2)])
    with pytest.raises(RecordConflictError):
        ledger.append([entry(1, "EP-2"), entry(2)])
    assert ledger.position() == 2
    assert ledger.append([entry(3)]) == [3]


@pytest.mark.parametrize("versions", [[1, 3], [1, 1], [2, 1]])
def test_a_gap_is_not_even_tried(ledger: EpisodeLedger, versions: list[int]) -> None:
    with pytest.raises(AssertionError):
        ledger.append([entry(version) for version in versions])
    assert ledger.position() == 0


def test_a_gap_to_what_is_stored_conflicts(ledger: EpisodeLedger) -> None:
    with pytest.raises(RecordConflictError):
        ledger.append([entry(2)])


def test_the_ledger_page_says_what_it_is(path: Path, ledger: EpisodeLedger) -> None:
    page = ledger._entries.about()
    assert len(bytes.fromhex(page["id"])) == 16
    assert page["format"] == ("3" if master() else "2")
    assert datetime.fromisoformat(page["created_at"]).tzinfo is not None
    with open_ledger(path, create=False) as again:
        assert again.id == ledger.id


@pytest.mark.parametrize(
    "event",
    [
        stored(state=b"{}"),
        stored(state=b"not json"),
        stored(state=b'{"fact":{"type":"FactCorrected"},"schema":1}'),
        stored(state=b'{"a":"\xff"}'),
        stored(state=encode(entry(1)).replace(b"EpisodeOpened", b"os.system")),
        stored(topic="DayServed"),
        stored(topic="os:system"),
        stored(originator_id="EP-2"),
        stored(state=encode(entry(2, fact=OPENING))),
    ],
)
def test_what_cannot_be_read_stops_the_reader(ledger: EpisodeLedger, event: StoredEvent) -> None:
    if kind() in ("sqlite", "postgres") and b"\xff" in event.state:
        with pytest.raises(StoreError, match="no UTF-8"):
            ledger._entries.insert_events([event])
        return
    ledger._entries.insert_events([event])
    episode = str(event.originator_id)
    for read in (ledger.entries_of, lambda _: list(ledger.follow(0)), lambda _: list(ledger.events.get(episode))):
        with pytest.raises(UnreadableEntry) as caught:
            read(episode)
        assert (caught.value.episode, caught.value.version) == (episode, 1)
    with pytest.raises(UnreadableEntry, match="position 1"):
        list(ledger.follow(0))


def test_every_fact_comes_back_as_it_was_told_and_the_chain_holds(path: Path, ledger: EpisodeLedger) -> None:
    raw = lines_of(history())
    allow_identity(ledger, "rn-1")
    outcomes = list(record(ledger, BytesIO(raw)))
    assert {outcome.outcome for outcome in outcomes} == {"recorded"}
    lines = [parse_line(number, line) for number, line in enumerate(raw.splitlines(), 1)]
    told = [(each.source, each.id, each.by, each.fact) for each in lines if isinstance(each, Line)]
    assert [(each.source, each.id, each.by, each.fact) for _, each in ledger.follow(0)] == told
    report = prove(named(path), master=master())
    assert (report.holds, report.entries) == (True, len(told) + ledger.count_of_acts())


@pytest.mark.parametrize("seed", [3, 5])
def test_a_read_model_in_pieces_is_the_one_at_once(path: Path, ledger: EpisodeLedger, seed: int) -> None:
    """Whoever reads by pages, by episodes and by patients finds the same, however the entries came."""
    rng = Random(seed)
    histories, book = crowd(rng, 3)
    entries, views = mixed(rng, histories), passing_views()
    for start in range(0, len(entries), 40):
        tell(ledger, entries[start : start + 40])
        catch_up(ledger, views, book_of(book))
    assert (views.fingerprints(), tables(views)) == whole(path, book_of(book))
    assert any(tables(views).values())
