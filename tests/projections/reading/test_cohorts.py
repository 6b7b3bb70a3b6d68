"""Cohorts: who is judged together, and each of them complete, whatever is read ahead."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts.entry import Entry, encode
from ledger.facts.events import ClaimSubmitted, DayServed, EpisodeOpened, FactCorrected, SupplyDispensed
from ledger.facts.liveness import live_entries
from ledger.facts.stored import JoinedEntries
from ledger.judge.episode import Episode
from ledger.judge.fold import fold, is_read
from ledger.judge.patients import gather
from ledger.recorders.by_name.proving import prove
from ledger.store import FEW, EpisodeLedger, StoreError, UnreadableEntry
from projections.reading import by_kinds
from projections.reading import cohorts as module
from projections.reading.budget import TooCostly
from projections.reading.by_kinds import episodes_by_kinds
from projections.reading.cohorts import Cohort, Extent, cohorts_in, cohorts_of, complete, complete_together, shares
from projections.reading.joined import entries_of_kinds
from projections.rows.patient import derive_each, derive_patient
from tests import builders
from tests.harness import book_of
from tests.read_models import crowd, mixed, tell
from tests.stores import open_ledger
from tests.tampering import WRONG, plant


def extent(episode: str, patient: str, first: int, versions: int = 3) -> Extent:
    return episode, patient, first, versions


def told(cohorts: list[Cohort]) -> list[tuple[set[str], set[str], int, int]]:
    return [(set(one.episodes), set(one.patients), one.first, one.entries) for one in cohorts]


# Who belongs together


def test_episodes_of_one_patient_are_one_cohort() -> None:
    found = cohorts_of([extent("E1", "P1", 1, 5), extent("E2", "P2", 2, 7), extent("E3", "P1", 3, 9)])
    assert told(found) == [({"E1", "E3"}, {"P1"}, 1, 14), ({"E2"}, {"P2"}, 2, 7)]


def test_an_episode_that_named_two_patients_makes_them_one_cohort() -> None:
    """An opening corrected to a patient who had an episode before; its entries count once."""
    found = cohorts_of(
        [extent("E1", "P1", 1), extent("E2", "P2", 4), extent("E3", "P1", 7, 2), extent("E3", "P2", 7, 2)]
    )
    assert told(found) == [({"E1", "E2", "E3"}, {"P1", "P2"}, 1, 8)]


def test_cohorts_are_in_the_order_of_their_first_entries() -> None:
    extents = [extent("A", "P1", 1), extent("B", "P2", 2), extent("C", "P3", 3), extent("D", "P3", 4),
               extent("D", "P2", 4)]  # fmt: skip
    assert [one.first for one in cohorts_of(extents)] == [1, 2]


pairs = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 9)), unique=True)


@given(pairs)
def test_cohorts_are_the_connected_ones(named: list[tuple[int, int]]) -> None:
    named.sort()
    found = cohorts_of([extent(f"E{episode}", f"P{patient}", episode + 1, episode + 1) for episode, patient in named])
    plain = [({f"E{episode}"}, {f"P{patient}"}) for episode, patient in named]
    joined = True
    while joined:
        joined = False
        for one in plain:
            for other in plain:
                if one is not other and (one[0] & other[0] or one[1] & other[1]):
                    plain.remove(other)
                    one[0].update(other[0])
                    one[1].update(other[1])
                    joined = True
                    break
            if joined:
                break
    numbers = [({int(e[1:]) for e in episodes}, episodes, patients) for episodes, patients in plain]
    expected = sorted(
        (min(n) + 1, sorted(episodes), sorted(patients), sum(n) + len(n)) for n, episodes, patients in numbers
    )
    assert [(k.first, sorted(k.episodes), sorted(k.patients), k.entries) for k in found] == expected
    assert sorted(patient for cohorts in found for patient in cohorts.patients) == sorted({f"P{p}" for _, p in named})


def test_a_long_chain_of_corrected_openings_is_quick() -> None:
    chain = [extent(f"E{number}", f"P{number}", number) for number in range(20_000)]
    chain += [extent(f"F{number}", f"P{number + more}", 20_000 + number) for number in range(19_999) for more in (0, 1)]
    started = time.process_time()
    assert [len(one.episodes) for one in cohorts_of(chain)] == [39_999]
    assert time.process_time() - started < 5


@given(st.lists(st.integers(1, 50)), st.integers(1, 6))
def test_shares_are_stretches_of_about_equal_size(sizes: list[int], count: int) -> None:
    cohorts = cohorts_of([extent(f"E{n}", f"P{n}", n + 1, size) for n, size in enumerate(sizes)])
    parts = shares(cohorts, count)
    assert len(parts) == count
    assert [one for part in parts for one in part] == cohorts
    fair = sum(sizes) / count
    assert all(sum(one.entries for one in part) <= fair + max(sizes, default=0) for part in parts)


@given(st.lists(st.integers(1, 50), min_size=1), st.integers(1, 6), st.data())
def test_the_first_share_may_be_larger(sizes: list[int], count: int, data: st.DataObject) -> None:
    cohorts = cohorts_of([extent(f"E{n}", f"P{n}", n + 1, size) for n, size in enumerate(sizes)])
    ahead = data.draw(st.integers(0, sum(sizes) // 4))
    parts = shares(cohorts, count, ahead)
    assert [one for part in parts for one in part] == cohorts
    found = [sum(one.entries for one in part) for part in parts]
    fair = (sum(sizes) + ahead * (count - 1)) / count
    assert fair - 1 <= found[0] < fair + max(sizes)
    assert all(size <= fair - ahead + max(sizes) + 1 for size in found[1:])


# Complete


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EpisodeLedger]:
    rng = Random(3)
    with open_ledger(tmp_path / "ledger.db", create=True) as opened:
        tell(opened, mixed(rng, crowd(rng, 6)[0]))
        yield opened


def in_full(ledger: EpisodeLedger, upto: int | None = None) -> dict[str, list[Entry]]:
    upto = ledger.position() if upto is None else upto
    streams: dict[str, list[Entry]] = {}
    for _, entry in ledger.follow(0, upto):
        streams.setdefault(entry.episode, []).append(entry)
    return streams


def all_of(ledger: EpisodeLedger) -> dict[str, list[Entry]]:
    """What comes of every cohort, by episode."""
    upto = ledger.position()
    found: dict[str, list[Entry]] = {}
    for streams in complete(ledger, cohorts_in(ledger, upto), upto):
        found |= streams
    return found


@pytest.mark.parametrize("ahead", [1, 10, 100, 100_000])
@pytest.mark.parametrize("count", [1, 3])
def test_every_cohort_comes_once_and_complete(
    ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch, ahead: int, count: int
) -> None:
    monkeypatch.setattr(module, "ENTRIES_AT_ONCE", ahead)
    upto = ledger.position()
    found: dict[str, list[Entry]] = {}
    patients: list[str] = []
    for part in shares(cohorts_in(ledger, upto), count):
        for streams in complete(ledger, part, upto):
            assert not found.keys() & streams.keys()
            found |= streams
            patients += [patient.name for patient in gather(streams)]
    assert found == in_full(ledger)
    assert sorted(patients) == [patient.name for patient in gather(found)]


def test_only_entries_up_to_a_position(ledger: EpisodeLedger) -> None:
    for upto in (0, 1, 50, 200):
        found: dict[str, list[Entry]] = {}
        for streams in complete(ledger, cohorts_in(ledger, upto), upto):
            found |= streams
        assert found == in_full(ledger, upto)


def test_no_more_is_read_ahead_than_is_wanted(ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    """But a cohort is read as a whole."""
    upto = ledger.position()
    cohorts = cohorts_in(ledger, upto)
    asked: list[int] = []
    joined = ledger.joined

    def counted(episodes: Sequence[str], upto: int, without: Collection[str] = ()) -> list[JoinedEntries]:
        rows = joined(episodes, upto, without)
        asked.append(sum(row.versions for row in rows))
        return rows

    monkeypatch.setattr(ledger, "joined", counted)
    monkeypatch.setattr(module, "ENTRIES_AT_ONCE", 120)
    assert len(list(complete(ledger, cohorts, upto))) == len(cohorts)
    assert sum(asked) == upto
    assert max(asked) <= max(120, *(one.entries for one in cohorts))


def left_out(one: Cohort, error: UnreadableEntry) -> None:
    raise error


@pytest.mark.parametrize("entries", [1, 100, 100_000])
@pytest.mark.parametrize("size", [1, 20_000, 2**20])
def test_several_cohorts_come_together_as_far_as_they_are_small(
    ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch, entries: int, size: int
) -> None:
    monkeypatch.setattr(module, "TOGETHER_ENTRIES", entries)
    monkeypatch.setattr(module, "TOGETHER_BYTES", size)
    upto = ledger.position()
    cohorts = cohorts_in(ledger, upto)
    found = list(complete_together(ledger, cohorts, upto, left_out))
    assert list(chain.from_iterable(found)) == list(complete(ledger, cohorts, upto, whole=False))
    for some in found:
        all_theirs = [entry for streams in some for theirs in streams.values() for entry in theirs]
        assert len(some) == 1 or (len(all_theirs) <= entries and sum(map(len, map(encode, all_theirs))) <= size)
    assert (len(found) == 1) is (entries > 100 and size > 20_000)
    assert (len(found) == len(cohorts)) is (entries == 1 or size == 1)


@pytest.mark.parametrize("what", ["it has no row", "its row is not enough"])
def test_a_cohort_that_is_read_one_by_one_comes_alone(
    ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """How large it is was not seen."""
    upto = ledger.position()
    cohorts = cohorts_in(ledger, upto)
    lost = min(cohorts[2].episodes)
    joined, seen_in = ledger.joined, module.entries_seen_in
    if what == "it has no row":
        monkeypatch.setattr(ledger, "joined", lambda *asked: [row for row in joined(*asked) if row.episode != lost])
    else:
        monkeypatch.setattr(
            module, "entries_seen_in", lambda row, *how: None if row.episode == lost else seen_in(row, *how)
        )
    found = list(complete_together(ledger, cohorts, upto, left_out))
    (theirs,) = [some for some in found if any(lost in streams for streams in some)]
    assert len(theirs) == 1
    assert max(map(len, found)) > 1


def test_what_the_house_did_fills_no_dozen(ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    upto = ledger.position()
    cohorts = cohorts_in(ledger, upto)
    monkeypatch.setattr(ledger, "merge_entries", lambda upto: [builders.entry(1)] * upto)
    monkeypatch.setattr(module, "TOGETHER_ENTRIES", upto)
    assert len(list(complete_together(ledger, cohorts, upto, left_out))) == 1


def test_patients_judged_together_are_judged_as_alone(ledger: EpisodeLedger) -> None:
    patients, book = gather(in_full(ledger)), book_of(crowd(Random(3), 6)[1])
    assert len(patients) > 2
    assert derive_each(patients, book) == [derive_patient(patient, book) for patient in patients]


def test_of_some_kinds_no_more_is_read_ahead_than_is_wanted(
    ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    upto, asked, entries_at = ledger.position(), list[int](), ledger.entries_at

    def counted(places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Entry]:
        found = entries_at(places)
        asked.append(len(found))
        return found

    monkeypatch.setattr(ledger, "entries_at", counted)
    monkeypatch.setattr(by_kinds, "FEW", 12)
    assert list(episodes_by_kinds(ledger, upto, None, (EpisodeOpened, DayServed), ()))
    assert len(asked) > 1
    assert max(asked) <= max(12, *(one.entries for one in cohorts_in(ledger, upto)))


def test_of_some_kinds_whoever_is_too_large_to_be_read_is_left_out(
    ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    upto = ledger.position()

    def is_too_large(ledger: EpisodeLedger, episodes: Sequence[str], upto: int) -> None:
        raise TooCostly(episodes[0])

    monkeypatch.setattr(by_kinds, "FEW", 0)
    monkeypatch.setattr(by_kinds, "refuse_too_large", is_too_large)
    assert list(episodes_by_kinds(ledger, upto, None, (EpisodeOpened, DayServed), ())) == []


def test_an_episode_that_is_as_it_should_be_is_not_read_one_by_one(
    ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = in_full(ledger)
    monkeypatch.setattr(ledger, "entries_of", None)
    assert all_of(ledger) == full


def test_an_entry_of_an_older_schema_is_read_with_the_others(ledger: EpisodeLedger, tmp_path: Path) -> None:
    pain = next(
        (position, entry) for position, entry in ledger.follow(0) if type(entry.fact).__name__ == "PainAssessed"
    )
    older = (("'\"score\":'", "'\"pain_score\":'"), ("'\"schema\":2'", "'\"schema\":1'"))
    for new, old in older:
        plant(
            tmp_path / "ledger.db",
            f"UPDATE entries SET state = replace(state, {new}, {old}) WHERE position = ?",
            pain[0],
        )
    assert pain[1] in all_of(ledger)[pain[1].episode]


def test_who_has_many_short_entries_is_asked_for_their_size_only_where_much_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        supplied = SupplyDispensed(builders.DAY, "tubing", 1)
        ledger.append([builders.entry(version) for version in range(1, FEW + 1)], [("P-1", "EP-1")])
        ledger.append([builders.entry(version, fact=supplied) for version in range(FEW + 1, 2 * FEW + 20)])
        asked: list[Sequence[str]] = []
        size_of = ledger.text_bytes
        monkeypatch.setattr(ledger, "text_bytes", lambda names, *upto: asked.append(names) or size_of(names, *upto))
        for upto, whole, times in ((FEW + 50, False, 0), (FEW + 50, True, 0), (2 * FEW + 19, False, 1)):
            asked.clear()
            ((read, *more),) = [s.values() for s in complete(ledger, cohorts_in(ledger, upto), upto, whole=whole)]
            assert (len(read), more) == (upto if whole else FEW, [])
            assert len(asked) == (1 if ledger.encrypted else times), (upto, whole)


def test_a_store_that_cannot_join_is_read_one_by_one(ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> list[JoinedEntries]:
        raise StoreError("too long")

    monkeypatch.setattr(ledger, "joined", fails)
    assert all_of(ledger) == in_full(ledger)


# Without what the judge never reads


def supply(episode: str, number: int, opened_at: str) -> dict[str, Any]:
    fact = {"type": "SupplyDispensed", "date": "2026-02-01", "item": "tubing", "quantity": 1}
    return {"episode": episode, "source": "store", "id": f"{episode}-{number}", "by": "b", "recorded_at": opened_at,
            "fact": fact}  # fmt: skip


@pytest.fixture
def supplied(tmp_path: Path) -> Iterator[EpisodeLedger]:
    """Every episode with supplies in between; of each second one, some are corrected into served days, and again."""
    rng = Random(5)
    with open_ledger(tmp_path / "ledger.db", create=True) as opened:
        last: dict[str, str] = {}
        lines = []
        for entry in mixed(rng, crowd(rng, 4)[0]):
            lines.append(entry)
            last[entry["episode"]] = entry["recorded_at"]
            if rng.random() < 0.4:
                lines.append(supply(entry["episode"], len(lines), entry["recorded_at"]))
        for episode, at in list(last.items())[::2]:
            lines.append(supply(episode, 0, at))
            served = {"type": "DayServed", "order": "RX-1", "date": "2026-02-02"}
            for wrong, right in ((f"{episode}-0", "mend"), ("mend", "mend-2")):
                fact = {"type": "FactCorrected", "target_source": "store", "target_id": wrong, "reason": "was a day",
                        "fact": served}  # fmt: skip
                lines.append(supply(episode, 0, at) | {"id": right, "fact": fact})
        tell(opened, lines)
        yield opened


def firsts(entries: list[Entry]) -> list[tuple[str, str]]:
    """What counts and is judged by, each with the first entry of its chain."""
    return [(live.entry.id, live.first.id) for live in live_entries(entries) if is_read(type(live.fact))]


def test_what_the_judge_never_reads_may_be_left_out_and_nothing_else_is(supplied: EpisodeLedger) -> None:
    upto = supplied.position()
    full, rows, book = in_full(supplied), [], book_of(crowd(Random(5), 4)[1])
    found: dict[str, list[Entry]] = {}
    for streams in complete(supplied, cohorts_in(supplied, upto), upto, whole=False):
        found |= streams
        rows += [derive_patient(patient, book) for patient in gather(streams, whole=False)]
    assert found.keys() == full.keys()
    assert sum(map(len, found.values())) < sum(map(len, full.values()))
    for episode, entries in full.items():
        assert [e for e in found[episode] if is_read(type(e.fact))] == [e for e in entries if is_read(type(e.fact))]
        assert firsts(found[episode]) == firsts(entries), "a chain is as old as its first entry, whoever reads that"
    whole = [derive_patient(patient, book) for patient in gather(full)]
    assert sorted(rows, key=repr) == sorted(whole, key=repr)


@pytest.mark.parametrize("kinds", [(ClaimSubmitted,), (EpisodeOpened, DayServed), (SupplyDispensed,), ()])
def test_entries_of_some_kinds_count_as_they_do_among_all(
    supplied: EpisodeLedger, kinds: tuple[type[Any], ...]
) -> None:
    full = in_full(supplied)
    found = dict(entries_of_kinds(supplied, sorted(full), supplied.position(), kinds))
    assert found.keys() == full.keys()
    assert sum(map(len, found.values())) < sum(map(len, full.values()))
    for episode, entries in full.items():
        counting = [(live, live.first.id) for live in live_entries(entries) if type(live.fact) in kinds]
        assert [(live, live.first.id) for live in live_entries(found[episode]) if type(live.fact) in kinds] == counting


def told_of(episode: Episode) -> dict[str, Any]:
    return {name: getattr(episode, name) for name in {*episode.__slots__} - {"tallies"} if hasattr(episode, name)}


@pytest.mark.parametrize("kinds", [(EpisodeOpened, ClaimSubmitted), (EpisodeOpened, DayServed), (EpisodeOpened,)])
def test_episodes_by_some_kinds_are_what_their_entries_of_these_kinds_make(
    supplied: EpisodeLedger, kinds: tuple[type[Any], ...]
) -> None:
    upto = supplied.position()
    found = {one.name: told_of(one) for one in chain(*episodes_by_kinds(supplied, upto, None, kinds, ()))}
    read = entries_of_kinds(supplied, sorted(in_episodes(supplied)), upto, kinds)
    assert found == {name: told_of(fold(name, entries)) for name, entries in read}


@pytest.mark.sqlite_file
@pytest.mark.parametrize("damage", ["state = substr(state, 1, 20)", "topic = 'Nothing'", "originator_version = 7000"])
@pytest.mark.parametrize("kind", ["EpisodeOpened", "FactCorrected", "SupplyDispensed"])
def test_an_episode_that_cannot_be_read_by_some_kinds_is_left_out_with_those_it_had_to_do_with(
    supplied: EpisodeLedger, tmp_path: Path, damage: str, kind: str
) -> None:
    upto, kinds = supplied.position(), (EpisodeOpened, SupplyDispensed)
    before = {one.name for one in chain(*episodes_by_kinds(supplied, upto, None, kinds, ()))}
    (at, entry) = next((at, entry) for at, entry in supplied.follow(0) if type(entry.fact).__name__ == kind)
    (cohort,) = [one for one in cohorts_in(supplied, upto) if entry.episode in one.episodes]
    plant(tmp_path / "ledger.db", f"UPDATE entries SET {damage} WHERE position = ?", at)
    after = {one.name for one in chain(*episodes_by_kinds(supplied, upto, None, kinds, ()))}
    assert entry.episode not in after
    assert after == before - set(cohort.episodes)


@pytest.mark.sqlite_file
@pytest.mark.parametrize(
    "damage",
    [
        "topic = 'Nothing'",
        "topic = 'SupplyDispensed,SupplyDispensed'",
        "topic = 'DayServed'",
        "originator_version = 7000",
    ],
)
def test_an_entry_that_nobody_judges_by_stops_it_by_its_tag_and_version(
    supplied: EpisodeLedger, tmp_path: Path, damage: str
) -> None:
    at = [place for place, entry in supplied.follow(0) if type(entry.fact).__name__ == "SupplyDispensed"][3]
    (entry,) = [entry for _, entry in supplied.follow(at - 1, at)]
    plant(tmp_path / "ledger.db", f"UPDATE entries SET {damage} WHERE position = ?", at)
    upto = supplied.position()
    with pytest.raises(UnreadableEntry, match=f"episode {entry.episode}, "):
        list(complete(supplied, cohorts_in(supplied, upto), upto, whole=False))
    left_out: list[Cohort] = []
    found: set[str] = set()
    for streams in complete(
        supplied, cohorts_in(supplied, upto), upto, lambda one, _: left_out.append(one), whole=False
    ):
        found |= streams.keys()
    assert [entry.episode in one.episodes for one in left_out] == [True]
    assert found == in_episodes(supplied) - set(left_out[0].episodes)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("damage", ["state = substr(state, 1, 20)", "state = CAST(x'7b22ff227d' AS TEXT)"])
def test_the_text_of_one_is_not_looked_at_and_verify_finds_the_damage(
    supplied: EpisodeLedger, tmp_path: Path, damage: str
) -> None:
    at = [place for place, entry in supplied.follow(0) if type(entry.fact).__name__ == "SupplyDispensed"][3]
    upto = supplied.position()
    before = list(complete(supplied, cohorts_in(supplied, upto), upto, whole=False))
    plant(tmp_path / "ledger.db", f"UPDATE entries SET {damage} WHERE position = ?", at)
    assert list(complete(supplied, cohorts_in(supplied, upto), upto, whole=False)) == before
    assert not prove(str(tmp_path / "ledger.db")).holds
    with pytest.raises(UnreadableEntry):
        list(complete(supplied, cohorts_in(supplied, upto), upto))


def in_episodes(ledger: EpisodeLedger) -> set[str]:
    return {episode for one in cohorts_in(ledger, ledger.position()) for episode in one.episodes}


# What cannot be read


@pytest.mark.sqlite_file
@pytest.mark.parametrize("what", WRONG)
def test_an_entry_that_cannot_be_read_stops_it(ledger: EpisodeLedger, tmp_path: Path, what: str) -> None:
    """With episode, version and, where there is still something, position."""
    statement, moved = WRONG[what]
    place = next(
        (position, entry)
        for position, entry in ledger.follow(100)
        if type(entry.fact).__name__ == "DayServed" and entry.version < len(ledger.entries_of(entry.episode))
    )
    position, entry = place
    plant(tmp_path / "ledger.db", statement, position)
    upto = ledger.position()
    with pytest.raises(UnreadableEntry) as caught:
        list(complete(ledger, cohorts_in(ledger, upto), upto))
    error = caught.value
    version = 7000 if what == "another version" else entry.version
    assert (error.episode, error.version, error.position) == (entry.episode, version, None if moved else position)
    left_out: list[Cohort] = []
    found: dict[str, Any] = {}
    for streams in complete(ledger, cohorts_in(ledger, upto), upto, lambda one, _: left_out.append(one)):
        found |= streams
    assert [entry.episode in one.episodes for one in left_out] == [True]
    assert found.keys() == {episode for one in cohorts_in(ledger, upto) for episode in one.episodes} - set(
        left_out[0].episodes
    )


@pytest.mark.sqlite_file
@pytest.mark.parametrize("version", [1, 3], ids=["opened", "corrected"])
def test_an_opening_in_a_zone_that_nobody_knows_stops_it(tmp_path: Path, version: int) -> None:
    """Else whoever asks for its dates would stop, and could not say where."""
    first, served = builders.entry(1), builders.entry(2)
    corrected = builders.entry(3, fact=FactCorrected(first.source, first.id, "of the address", first.fact))
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append([first, served, corrected], [("P-1", "EP-1")])
        ledger.append([builders.entry(1, "EP-2")], [("P-2", "EP-2")])
        moved = "UPDATE entries SET state = replace(state, 'America/', 'Atlantis/') WHERE position = ?"
        plant(tmp_path / "ledger.db", moved, version)
        left_out: list[UnreadableEntry] = []
        found = list(complete(ledger, cohorts_in(ledger, 4), 4, lambda _, error: left_out.append(error)))
        assert [list(streams) for streams in found] == [["EP-2"]]
        assert [(error.episode, error.version, error.position) for error in left_out] == [("EP-1", version, version)]


@pytest.mark.sqlite_file
def test_an_episode_that_lost_its_beginning_stops_it(ledger: EpisodeLedger, tmp_path: Path) -> None:
    upto = ledger.position()
    plant(tmp_path / "ledger.db", "DELETE FROM entries WHERE originator_id = 'E1.2' AND originator_version = 1")
    with pytest.raises(UnreadableEntry, match=r"episode E1\.2, version 1"):
        list(complete(ledger, cohorts_in(ledger, upto), upto))
    plant(tmp_path / "ledger.db", "DELETE FROM patients WHERE episode = 'E1.2'")
    with pytest.raises(UnreadableEntry, match=r"episode E1\.2, version 1"):
        cohorts_in(ledger, upto)


@pytest.mark.sqlite_file
def test_an_episode_whose_patients_are_lost_stops_it(ledger: EpisodeLedger, tmp_path: Path) -> None:
    opened_at, name = max((position, entry.episode) for position, entry in ledger.follow(0) if entry.version == 1)
    plant(tmp_path / "ledger.db", f"DELETE FROM patients WHERE episode = '{name}'")
    with pytest.raises(UnreadableEntry, match=rf"episode {re.escape(name)}, version 1"):
        cohorts_in(ledger, ledger.position())
    assert cohorts_in(ledger, opened_at - 1)
