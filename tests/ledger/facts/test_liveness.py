"""Which entries count after retractions and corrections (rulebook section 2, Correction)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from ledger.facts.entry import Entry
from ledger.facts.events import (
    CoordinationNoted,
    EpisodeOpened,
    Event,
    PainAssessed,
    Statement,
)
from ledger.facts.liveness import known, live_entries
from ledger.facts.upcasts import SCHEMA
from ledger.judge.patients import episode_of, gather
from tests.chains import OPENING, START, corrects, retracts, served, stream


def live(**facts: Event) -> list[tuple[str, Statement]]:
    return [(entry.id, said) for entry, said, _ in live_entries(stream(open=OPENING, **facts))][1:]


def test_a_target_that_nobody_judges_by_may_be_left_out() -> None:
    """Its corrections are still one chain."""
    facts: dict[str, Event] = {"open": OPENING, "a": CoordinationNoted(date=date(2026, 11, 1)), "b": served(9),
                               "c": corrects("a", served(2)), "d": corrects("c", served(3)),
                               "e": corrects("a", served(4))}  # fmt: skip
    for more, standing in ({}, "e"), ({"r": retracts("e")}, "d"):
        entries = stream(**facts, **more)
        left = [entry for entry in entries if entry.id != "a"]
        assert [each[:2] for each in live_entries(left)] == [each[:2] for each in live_entries(entries)]
        assert [entry.id for entry, _, _ in live_entries(left)] == ["open", "b", standing]


def test_without_corrections_every_entry_counts_in_order() -> None:
    assert live(a=served(2), b=served(1)) == [("a", served(2)), ("b", served(1))]


def test_a_retracted_entry_does_not_count() -> None:
    assert live(a=served(1), b=served(2), r=retracts("a")) == [("b", served(2))]


def test_a_retracted_retraction_brings_its_target_back() -> None:
    assert live(a=served(1), r=retracts("a"), rr=retracts("r")) == [("a", served(1))]
    assert live(a=served(1), r=retracts("a"), rr=retracts("r"), rrr=retracts("rr")) == []


def test_one_of_two_retractions_is_enough() -> None:
    assert live(a=served(1), r=retracts("a"), again=retracts("a"), rr=retracts("r")) == []


def test_a_correction_stands_in_at_its_own_place() -> None:
    assert live(a=served(1), b=served(2), c=corrects("a", served(3))) == [("b", served(2)), ("c", served(3))]


def test_a_correction_may_be_of_another_type() -> None:
    assessed = PainAssessed(date=date(2026, 11, 1), score=4)
    assert live(a=served(1), c=corrects("a", assessed)) == [("c", assessed)]


def test_of_a_chain_the_one_recorded_last_stands() -> None:
    assert live(a=served(1), c=corrects("a", served(2)), d=corrects("c", served(3))) == [("d", served(3))]
    assert live(a=served(1), c=corrects("a", served(2)), d=corrects("a", served(3))) == [("d", served(3))]


def test_retracting_a_correction_brings_back_what_stood_before() -> None:
    chain: dict[str, Event] = {"a": served(1), "c": corrects("a", served(2)), "d": corrects("c", served(3))}
    assert live(**chain, r=retracts("d")) == [("c", served(2))]
    assert live(**chain, r=retracts("d"), q=retracts("c")) == [("a", served(1))]
    assert live(**chain, r=retracts("d"), q=retracts("c"), p=retracts("a")) == []


@pytest.mark.parametrize("middle", ["a", "c"])
def test_retracting_the_middle_of_a_chain_changes_nothing(middle: str) -> None:
    chain: dict[str, Event] = {"a": served(1), "c": corrects("a", served(2)), "d": corrects("c", served(3))}
    assert live(**chain, r=retracts(middle)) == [("d", served(3))]


def test_a_correction_of_a_retracted_entry_stands() -> None:
    assert live(a=served(1), r=retracts("a"), c=corrects("a", served(2))) == [("c", served(2))]


def test_ids_of_two_sources_are_two_identities() -> None:
    entries = stream(open=OPENING, a=served(1), r=retracts("a"))
    other = Entry("EP-1", 4, "t", "a", "rn-1", entries[-1].recorded_at, "0" * 32, served(1), SCHEMA)
    assert [entry.source for entry, _, _ in live_entries([*entries, other])] == ["s", "t"]


def test_a_correction_before_its_target_is_a_fault_of_the_store() -> None:
    with pytest.raises(AssertionError, match="earlier entry"):
        live(c=corrects("a", served(2)), a=served(1))


class TestKnownAt:
    def test_what_was_recorded_later_is_not_known(self) -> None:
        entries = stream(open=OPENING, a=served(1), r=retracts("a"))
        assert known(entries, entries[1].recorded_at) == entries[:2]
        assert known(entries, entries[0].recorded_at - timedelta(microseconds=1)) == []
        assert known(entries, None) == entries

    def test_an_episode_is_as_it_stood(self) -> None:
        entries = stream(open=OPENING, a=served(1), r=retracts("a"))
        before = episode_of("EP-1", entries, entries[1].recorded_at)
        after = episode_of("EP-1", entries)
        assert before is not None
        assert after is not None
        assert ([day.entry.id for day in before.served["RX-1"]], after.served) == (["a"], {})

    def test_an_episode_not_opened_by_then_is_none(self) -> None:
        entries = stream(open=OPENING)
        assert episode_of("EP-1", entries, START) is None
        assert gather({"EP-1": entries}, START) == []

    def test_a_gap_in_the_versions_is_a_fault_of_the_store(self) -> None:
        entries = stream(open=OPENING, a=served(1), b=served(2))
        with pytest.raises(AssertionError, match="no gaps"):
            episode_of("EP-1", [entries[0], entries[2]])


def test_an_episode_belongs_to_whom_its_live_opening_names() -> None:
    other = EpisodeOpened(patient="P-2", provider="1234567893", zone="America/Chicago")
    corrected = stream(open=OPENING, c=corrects("open", other))
    taken_back = stream(open=OPENING, c=corrects("open", other), r=retracts("c"))
    assert [patient.name for patient in gather({"EP-1": corrected})] == ["P-2"]
    assert [patient.name for patient in gather({"EP-1": taken_back})] == ["P-1"]


def test_patients_come_by_name_with_their_episodes_by_name() -> None:
    other = EpisodeOpened(patient="P-0", provider="1234567893", zone="America/Chicago")
    openings = {"EP-3": OPENING, "EP-1": other, "EP-2": OPENING}
    patients = gather(
        {name: [Entry(name, 1, "s", "open", "rn-1", START, "0" * 32, said, SCHEMA)] for name, said in openings.items()}
    )
    found = [(patient.name, [episode.name for episode in patient.episodes]) for patient in patients]
    assert found == [("P-0", ["EP-1"]), ("P-1", ["EP-2", "EP-3"])]
