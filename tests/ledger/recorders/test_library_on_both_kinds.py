"""What the event store library offers works alike on plain and on encrypted ledgers, in a file and in PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from eventsourcing.application import AggregateNotFoundError, Application
from eventsourcing.persistence import Notification, StoredEvent, Tracking
from eventsourcing.projection import ApplicationSubscription

from ledger.facts.administration import PatientForgotten
from ledger.facts.entry import Entry, UnreadableEntry, encode
from ledger.facts.events import EpisodeOpened, FactCorrected
from ledger.keys.cipher import MasterKey
from ledger.recorders import Forgotten, NotRecorded, StoreError
from ledger.recorders.by_name.as_stored import as_stored
from ledger.recorders.by_name.proving import prove
from ledger.recorders.encrypted import EncryptedRecorder
from ledger.recorders.postgres.recorder import LedgerRecorder as PostgresRecorder
from ledger.recorders.sqlite.recorder import LedgerRecorder as FileRecorder
from ledger.store import EpisodeLedger, RecordConflictError, open_ledger
from tests import stores
from tests.builders import OPENING, entry
from tests.place import Place

KEY = MasterKey(bytes(range(32)))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Kind(NamedTuple):
    """A place for one ledger, plain or encrypted: how it is named, also to its owner, and its master key."""

    name: str
    owner: str
    master: MasterKey | None

    def open(self) -> EpisodeLedger:
        return open_ledger(self.name, create=True, master=self.master)

    @property
    def recorder(self) -> type[FileRecorder | PostgresRecorder]:
        """What stands next to the database."""
        return FileRecorder if self.name == self.owner else PostgresRecorder


def kind_of(where: str, master: MasterKey | None, request: pytest.FixtureRequest) -> Kind:
    if where == "file":
        file = str(request.getfixturevalue("tmp_path") / "ledger.db")
        return Kind(file, file, master)
    place: Place = request.getfixturevalue("place")
    stores.migrated(place.owner, stores.ROLE, master.id if master else "")
    return Kind(place.recorder, place.owner, master)


@pytest.fixture(params=["file, plain", "file, encrypted", "postgres, plain", "postgres, encrypted"])
def kind(request: pytest.FixtureRequest) -> Kind:
    where, secret = request.param.split(", ")
    return kind_of(where, KEY if secret == "encrypted" else None, request)


@pytest.fixture(params=["file", "postgres"])
def encrypted(request: pytest.FixtureRequest) -> Kind:
    return kind_of(request.param, KEY, request)


@pytest.fixture
def ledger(kind: Kind) -> Iterator[EpisodeLedger]:
    with kind.open() as opened:
        yield opened


def logged(ledger: EpisodeLedger, *args: Any, **more: Any) -> list[Entry]:
    return [ledger.mapper.to_domain_event(each) for each in ledger.notification_log.select(*args, **more)]


def labels(before: list[str] | None, entries: Iterable[Entry]) -> list[str]:
    """A projector of another kind than ours."""
    return [*(before or ()), *(each.label for each in entries)]


class TestWhatIsSaved:
    def test_comes_back_by_every_way(self, ledger: EpisodeLedger) -> None:
        told = [entry(1), entry(2), entry(1, "EP-2"), entry(3)]
        assert [each.notification.id for each in ledger.save(*told)] == [1, 2, 3, 4]
        assert list(ledger.events.get("EP-1")) == ledger.entries_of("EP-1") == [entry(1), entry(2), entry(3)]
        assert [position for position, _ in ledger.follow(0)] == [1, 2, 3, 4]
        assert logged(ledger, 1, 10) == told

    def test_is_given_back_with_its_notification(self, ledger: EpisodeLedger) -> None:
        (recording,) = ledger.save(entry(1))
        assert recording.domain_event == entry(1)
        assert recording.notification == Notification("EP-1", 1, "EpisodeOpened", encode(entry(1)), 1)
        assert ledger.notification_log.select(1, 1) == [recording.notification]

    def test_is_selected_as_the_library_says(self, ledger: EpisodeLedger) -> None:
        ledger.save(*map(entry, range(1, 6)))
        assert list(ledger.events.get("EP-1", gt=2)) == [entry(3), entry(4), entry(5)]
        assert list(ledger.events.get("EP-1", gt=1, lte=4, desc=True, limit=2)) == [entry(4), entry(3)]
        assert list(ledger.events.get("EP-9")) == []
        assert logged(ledger, 2, 2) == [entry(2), entry(3)]
        assert logged(ledger, 2, 9, stop=4, inclusive_of_start=False) == [entry(3), entry(4)]
        assert logged(ledger, None, 9, topics=["EpisodeOpened"]) == [entry(1)]
        section = ledger.notification_log["1,3"]
        assert ([each.id for each in section.items], section.id, section.next_id) == ([1, 2, 3], "1,3", "4,6")
        assert ledger.recorder.max_notification_id() == 5

    def test_is_an_episode_in_the_repository(self, ledger: EpisodeLedger) -> None:
        ledger.save(entry(1), entry(2), entry(3))
        head = ledger.repository.get("EP-1")
        assert (head.version, head.provider, head.last_recorded_at) == (3, OPENING.provider, entry(3).recorded_at)
        assert ledger.repository.get("EP-1", version=2).version == 2
        assert ledger.repository.get("EP-1", projector_func=labels) == ["pump:EP-1-1", "pump:EP-1-2", "pump:EP-1-3"]
        assert ("EP-1" in ledger.repository, "EP-9" in ledger.repository) == (True, False)
        with pytest.raises(AggregateNotFoundError):
            ledger.repository.get("EP-9")

    def test_is_found_by_its_patients(self, ledger: EpisodeLedger) -> None:
        other = EpisodeOpened(patient="P-2", provider=OPENING.provider, zone=OPENING.zone)
        ledger.save(entry(1), entry(2))
        corrected = FactCorrected(target_source="pump", target_id="EP-1-1", reason="another patient", fact=other)
        ledger.events.put([entry(3, fact=corrected)])
        assert ledger.patients_of("EP-1") == ["P-1", "P-2"]
        assert ledger.extents(3) == [("EP-1", "P-1", 1, 3), ("EP-1", "P-2", 1, 3)]

    def test_goes_on_where_append_left_off_and_the_other_way_round(self, ledger: EpisodeLedger) -> None:
        assert ledger.append([entry(1)], [("P-1", "EP-1")]) == [1]
        ledger.save(entry(2))
        assert ledger.append([entry(3)]) == [3]
        assert ledger.entries_of("EP-1") == [entry(1), entry(2), entry(3)]

    def test_is_sealed_and_holds(self, kind: Kind, ledger: EpisodeLedger) -> None:
        ledger.save(entry(1), entry(2))
        ledger.events.put([entry(1, "EP-2")])
        ledger.close()
        assert prove(kind.name, master=kind.master).holds

    def test_stands_as_its_kind_of_ledger_keeps_it(self, kind: Kind, ledger: EpisodeLedger) -> None:
        ledger.save(entry(1))
        with as_stored(kind.name) as stored:
            ((_, _, _, _, text),) = stored.rows_of(["EP-1"])
        told = encode(entry(1)).decode()
        if kind.master is None:
            assert text == told
        else:
            assert json.loads(text).keys() == {"episode", "version", "type", "key", "content", "sealed"}
            assert OPENING.provider not in text

    def test_is_nothing_if_nothing_is_saved(self, ledger: EpisodeLedger) -> None:
        assert (ledger.save(), ledger.position(), ledger.notification_log.select(1, 5)) == ([], 0, [])


class TestNothingIsRecorded:
    def test_of_what_another_recorded_before(self, kind: Kind, ledger: EpisodeLedger) -> None:
        ledger.save(entry(1), entry(2))
        with kind.open() as other:
            for place in (2, 1):
                with pytest.raises(RecordConflictError):
                    other.save(entry(1, "EP-2"), entry(place))
        assert ledger.position() == 2

    @pytest.mark.parametrize("versions", [[1, 3], [1, 1], [2, 1]])
    def test_of_versions_with_a_gap(self, ledger: EpisodeLedger, versions: list[int]) -> None:
        for put in (lambda entries: ledger.save(*entries), ledger.events.put, ledger.append):
            with pytest.raises(AssertionError):
                put([entry(version) for version in versions])
        assert ledger.position() == 0

    def test_of_an_episode_without_its_beginning(self, ledger: EpisodeLedger) -> None:
        with pytest.raises(RecordConflictError):
            ledger.save(entry(2))
        assert ledger.position() == 0

    def test_beside_what_a_ledger_keeps(self, ledger: EpisodeLedger) -> None:
        """What the library would have kept with the entries is refused, not left out."""
        with pytest.raises(NotImplementedError, match="keeps no positions"):
            ledger.events.put([entry(1)], tracking=Tracking("upstream", 1))
        for more in ({"keys": []}, {"forgotten": ["EP-1"]}, {"anything": 1}):
            with pytest.raises(TypeError):
                ledger.save(entry(1), **more)
        with pytest.raises(TypeError):
            ledger.recorder.insert_events([ledger.mapper.to_stored_event(entry(1))], tracking=None)
        assert ledger.position() == 0
        assert ledger.append([entry(1)]) == [1]


def failing(inner: Callable[..., Any], error: StoreError, *, commit: bool) -> Callable[..., Any]:
    def insert(recorder: Any, stored: Any, **more: Any) -> Any:
        if commit:
            inner(recorder, stored, **more)
        raise error

    return insert


class TestAnAnswerThatWasLost:
    """As with ``append``: what was recorded all the same is given with its position, else the error is."""

    def test_is_looked_for(self, kind: Kind, ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
        insert = failing(kind.recorder.insert_events, StoreError("too late"), commit=True)
        with monkeypatch.context() as patched:
            patched.setattr(kind.recorder, "insert_events", insert)
            assert [each.notification.id for each in ledger.save(entry(1), entry(2))] == [1, 2]
        assert ledger.position() == 2

    @pytest.mark.parametrize("error", [StoreError("no"), NotRecorded("no")])
    def test_is_an_error_where_nothing_was_recorded(
        self, kind: Kind, ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch, error: StoreError
    ) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(kind.recorder, "insert_events", failing(kind.recorder.insert_events, error, commit=False))
            with pytest.raises(StoreError, match="no"):
                ledger.save(entry(1))
        assert ledger.position() == 0


OFFERED = {"close", "env", "events", "factory", "mapper", "name", "notification_log", "recorder", "repository", "save"}
NOTHING_BEHIND = {
    "closing", "is_snapshotting_enabled", "log_section_size", "notify", "notify_topics", "register_transcodings",
    "snapshot_class", "snapshots", "snapshotting_intervals", "snapshotting_projectors",
}  # fmt: skip
"""Names that the library needs for its own working: settings that nobody sets, and hooks that nobody hangs on."""


class TestWhatIsNotThere:
    def test_is_all_but_what_is_known_here(self, ledger: EpisodeLedger) -> None:
        named = {name for name in dir(Application) if not name.startswith(("_", "construct_")) and not name.isupper()}
        named |= {name for name in vars(ledger) if not name.startswith("_")}
        assert {name for name in named if hasattr(ledger, name)} == OFFERED | NOTHING_BEHIND
        assert ledger.snapshots is None
        assert ledger.repository.cache is None

    def test_says_why(self, ledger: EpisodeLedger) -> None:
        with pytest.raises(AttributeError, match=r"EpisodeLedger has no 'take_snapshot': .* can be made again"):
            ledger.take_snapshot("EP-1")
        with pytest.raises(AttributeError, match="has no 'log'"):
            ledger.log

    @pytest.mark.parametrize("name", ["aggregate_recorder", "tracking_recorder", "process_recorder"])
    def test_makes_no_table_beside_the_ledgers(self, ledger: EpisodeLedger, name: str) -> None:
        with pytest.raises(AttributeError, match=f"LedgerFactory has no '{name}'"):
            getattr(ledger.factory, name)()
        with pytest.raises(AttributeError):
            ledger.construct_snapshot_store()

    def test_is_a_subscription(self, ledger: EpisodeLedger) -> None:
        for subscribe in (ledger.recorder.subscribe, lambda: ApplicationSubscription(ledger)):
            with pytest.raises(NotImplementedError, match="ask by position"):
                subscribe()


def act_of(ledger: EpisodeLedger, *episodes: str) -> PatientForgotten:
    keys = tuple(kept.id for kept in ledger.keys_of(episodes))
    return PatientForgotten(NOW, "officer", "file 118", episodes, keys, (), "0" * 32)


def forget(kind: Kind, *episodes: str) -> int:
    """By another program, as an owner."""
    with open_ledger(kind.owner, create=False, master=kind.master) as ledger:
        return ledger.record_forgetting(act_of(ledger, *episodes), ledger.position())


@pytest.fixture
def read(encrypted: Kind) -> Iterator[EpisodeLedger]:
    """A ledger that holds the keys of two episodes: the first was told in the midst of the second."""
    with encrypted.open() as ledger:
        ledger.save(entry(1, "EP-2"), *map(entry, range(1, 6)), entry(2, "EP-2"), entry(3, "EP-2"))
        assert len(logged(ledger, 1, 10)) == 8
        yield ledger


class TestAForgottenEpisode:
    def test_is_told_of_where_it_is_asked_for_by_name(self, encrypted: Kind, read: EpisodeLedger) -> None:
        assert forget(encrypted, "EP-1") == 9
        asked: list[Callable[[], object]] = [
            lambda: list(read.events.get("EP-1")), lambda: list(read.events.get("EP-1", gt=4, limit=1)),
            lambda: read.repository.get("EP-1"), lambda: "EP-1" in read.repository,
            lambda: read.entries_of("EP-1"), lambda: read.entries_at([("EP-1", 1)]),
        ]  # fmt: skip
        for ask in asked:
            with pytest.raises(Forgotten) as caught:
                ask()
            assert (caught.value.episode, caught.value.at) == ("EP-1", NOW)
        assert read.repository.get("EP-2").version == 3

    @pytest.mark.parametrize("limit", [1, 2, 3, 10])
    def test_is_passed_over_in_the_log(self, encrypted: Kind, read: EpisodeLedger, limit: int) -> None:
        """Also where a whole section of it was forgotten: whoever is given fewer than asked for has come to the end."""
        forget(encrypted, "EP-1")
        seen = list[int]()
        while section := read.notification_log.select(seen[-1] + 1 if seen else 1, limit):
            assert len(section) == limit or (len(section) < limit and section[-1].id == 8)
            seen += [each.id for each in section]
        assert seen == [1, 7, 8] == [position for position, _ in read.follow(0)]
        assert logged(read, 2, limit)[0] == entry(2, "EP-2")
        assert logged(read, 1, limit, topics=["EpisodeOpened"]) == [entry(1, "EP-2")]
        assert logged(read, 2, limit, stop=6) == []

    @pytest.mark.parametrize(
        "reading",
        [
            lambda ledger: {row[1] for row in ledger.scan()},
            lambda ledger: {row.episode for row in ledger.joined(["EP-1", "EP-2"], 9)},
            lambda ledger: {entry.episode for _, entry in ledger.follow(0)},
            lambda ledger: {episode for episode, _ in ledger.versions_since(0)},
            lambda ledger: set(ledger.versions_without((), 9)),
            lambda ledger: {"EP-1", "EP-2"} - ledger.forgotten().keys(),
        ],
    )
    def test_is_passed_over_by_bulk_readers_that_held_its_key(
        self, encrypted: Kind, read: EpisodeLedger, reading: Callable[[EpisodeLedger], set[str]]
    ) -> None:
        assert reading(read) == {"EP-1", "EP-2"}
        forget(encrypted, "EP-1")
        assert reading(read) == {"EP-2"}

    def test_is_so_at_once_to_the_one_who_forgot_it(self, encrypted: Kind) -> None:
        with open_ledger(encrypted.owner, create=True, master=KEY) as ledger:
            ledger.save(entry(1), entry(2), entry(1, "EP-2"))
            assert len(ledger.entries_of("EP-1")) == 2
            ledger.record_forgetting(act_of(ledger, "EP-1"), 3)
            for ask in (ledger.entries_of, ledger.events.get, ledger.repository.get):
                with pytest.raises(Forgotten):
                    ask("EP-1")
            assert logged(ledger, 1, 10) == [entry(1, "EP-2")]

    def test_takes_no_more_entries(self, encrypted: Kind, read: EpisodeLedger) -> None:
        forget(encrypted, "EP-1")
        for more in ([entry(6)], [entry(4, "EP-2"), entry(6)]):
            with pytest.raises(RecordConflictError):
                read.save(*more)
        assert read.position() == 9
        read.save(entry(4, "EP-2"))
        assert read.position() == 10


class TestDamage:
    """Without an act that says so, a key that is gone and an envelope that does not open stop whoever reads."""

    def test_a_key_that_is_missing(self, encrypted: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
        with encrypted.open() as ledger:
            ledger.save(entry(1))
        monkeypatch.setattr(encrypted.recorder, "keys_of", lambda *_: [])
        with encrypted.open() as ledger:
            self.refused(ledger)

    def test_an_envelope_that_was_exchanged(self, encrypted: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
        with encrypted.open() as ledger:
            ledger.save(entry(1), entry(2))
            assert isinstance(ledger.recorder, EncryptedRecorder)
            with as_stored(encrypted.name) as stored:
                (_, second) = stored.rows_of(["EP-1"])
            moved = second[4].encode()
            for name, found in (
                ("select_events", [StoredEvent("EP-1", 1, "EpisodeOpened", moved)]),
                ("select_notifications", [Notification("EP-1", 1, "EpisodeOpened", moved, 1)]),
            ):
                monkeypatch.setattr(encrypted.recorder, name, lambda *_, found=found, **__: found)
            self.refused(ledger)

    def refused(self, ledger: EpisodeLedger) -> None:
        asked: list[tuple[Callable[[], object], int | None]] = [
            (lambda: list(ledger.events.get("EP-1")), None),
            (lambda: ledger.repository.get("EP-1"), None),
            (lambda: ledger.notification_log.select(1, 2), 1),
        ]
        for ask, position in asked:
            with pytest.raises(UnreadableEntry) as caught:
                ask()
            assert (caught.value.episode, caught.value.version, caught.value.position) == ("EP-1", 1, position)


def test_a_log_that_ends_in_forgotten_entries_ends(encrypted: Kind) -> None:
    with encrypted.open() as ledger:
        ledger.save(entry(1, "EP-2"), *map(entry, range(1, 8)))
    forget(encrypted, "EP-1")
    with encrypted.open() as ledger:
        assert [each.id for each in ledger.notification_log.select(1, 3)] == [1]
        assert ledger.notification_log.select(2, 3) == []
        assert ledger.recorder.max_notification_id() == ledger.position() == 9


def test_a_plain_ledger_has_no_wrapper(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        assert type(ledger.recorder) is FileRecorder
        assert ledger.recorder is ledger._entries
        assert not ledger.encrypted
