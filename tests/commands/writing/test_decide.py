"""What may be written: the rulebook's order of judging a line, and what a head knows of its episode."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from io import BytesIO
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.door.intake import Line, read_lines
from commands.writing.decide import Accepted, Duplicate, Refused, decide
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import (
    ClaimLine,
    ClaimSubmitted,
    DayServed,
    EpisodeOpened,
    Event,
    FactRetracted,
    PainAssessed,
    ServiceBilledSeparately,
)
from ledger.facts.heads import EntryKind, fold
from ledger.facts.liveness import live_entries
from ledger.facts.upcasts import SCHEMA
from tests.builders import (
    DAY,
    SERVED,
    correct,
    line,
    opened,
    per_diem,
    retract,
)
from tests.desk import NOW, Desk
from tests.histories import LAKESIDE, NORTHSIDE, STRANGER, history


def test_an_accepted_line_becomes_the_next_entry() -> None:
    desk = Desk(opened())
    assert desk.tell(line("d1", SERVED)) == Accepted(Entry("EP-1", 2, "chart", "d1", "rn-1", NOW, "00", SERVED, SCHEMA))


def test_openings_and_their_corrections_name_their_patient() -> None:
    desk = Desk()
    for id, fact, patient in (("a", opened(), "P-1"), ("b", correct("a", opened(patient="P-2")), "P-2")):
        decision = desk.tell(line(id, fact))
        assert isinstance(decision, Accepted)
        assert decision.patient == patient


def test_the_same_again_is_a_duplicate_whatever_recorded_at_says() -> None:
    desk = Desk(opened(), SERVED)
    for recorded_at in (None, NOW, NOW + timedelta(days=9), NOW - timedelta(days=9)):
        assert desk.tell(line("f2", SERVED, recorded_at=recorded_at)) == Duplicate()


def test_the_same_again_is_a_duplicate_even_when_it_was_retracted_or_corrected() -> None:
    desk = Desk(opened(), SERVED, SERVED, retract("f2"), correct("f3", per_diem(LAKESIDE)))
    assert [desk.tell(line(f"f{n}", SERVED)) for n in (2, 3)] == [Duplicate()] * 2
    assert desk.tell(line("f4", retract("f2"))) == Duplicate()


def test_decisions_do_not_depend_on_how_an_instant_or_a_number_is_written() -> None:
    desk = Desk(opened(), ServiceBilledSeparately(code="99601", from_=DAY))
    again = ServiceBilledSeparately(
        code="99601", from_=DAY, units=msgspec.convert("1.000", type=__import__("decimal").Decimal)
    )
    assert desk.tell(line("f2", again)) == Duplicate()


@pytest.mark.parametrize(
    "changed",
    [
        {"fact": DayServed(order="RX-1", date=DAY, infused=False)},
        {"by": "rn-2"},
        {"fact": opened()},
        {"fact": retract("f1")},
        {"recorded_at": NOW + timedelta(days=1), "by": "rn-2"},
    ],
)
def test_an_identity_is_not_used_twice(changed: dict[str, Any]) -> None:
    desk = Desk(opened(), SERVED)
    decision = desk.tell(line("f2", **{"fact": SERVED} | changed))
    assert isinstance(decision, Refused)
    assert decision.code == "identity_reused"


def test_an_identity_belongs_to_its_source() -> None:
    desk = Desk(opened(), SERVED)
    assert isinstance(desk.tell(line("f2", SERVED, source="pump")), Accepted)


@pytest.mark.parametrize("fact", [SERVED, retract("x"), correct("x", opened()), per_diem()])
def test_a_fact_before_the_opening_is_refused(fact: Event) -> None:
    assert Desk().code(fact, recorded_at=NOW + timedelta(days=1)) == "not_opened"


def test_a_second_opening_is_refused() -> None:
    assert Desk(opened()).code(opened(), recorded_at=NOW) == "already_opened"


def test_recorded_at_is_accepted_only_when_asked_for() -> None:
    assert Desk(opened()).code(SERVED, recorded_at=NOW) == "recorded_at_not_allowed"
    assert Desk().code(opened(), recorded_at=NOW) == "recorded_at_not_allowed"
    assert Desk(opened()).code(retract("none"), recorded_at=NOW) == "recorded_at_not_allowed"


def test_a_kept_recorded_at_neither_lies_ahead_nor_runs_backwards() -> None:
    desk = Desk(keep=True)
    assert isinstance(desk.tell(line("a", opened(), recorded_at=NOW - timedelta(hours=2))), Accepted)
    assert desk.code(SERVED, recorded_at=NOW + timedelta(microseconds=1)) == "clock_future"
    assert desk.code(SERVED, recorded_at=NOW - timedelta(hours=2, microseconds=1)) == "clock_backwards"
    assert desk.code(retract("none"), recorded_at=NOW - timedelta(hours=3)) == "clock_backwards"
    assert desk.code(SERVED, recorded_at=NOW - timedelta(hours=2)) is None
    assert desk.head.last_recorded_at == NOW - timedelta(hours=2)


def test_a_kept_recorded_at_is_stored_in_utc() -> None:
    desk = Desk(keep=True)
    desk.tell(line("a", opened(), recorded_at=datetime(2026, 11, 2, 10, tzinfo=timezone(timedelta(hours=-6)))))
    assert desk.entries[0].recorded_at.isoformat() == "2026-11-02T16:00:00+00:00"


def test_a_clock_that_was_set_back_does_not_run_backwards() -> None:
    desk = Desk(opened())
    desk.tell(line("a", SERVED), now=NOW - timedelta(hours=1))
    desk.tell(line("b", SERVED), now=NOW + timedelta(hours=1))
    assert [entry.recorded_at for entry in desk.entries] == [NOW, NOW, NOW + timedelta(hours=1)]


@pytest.mark.parametrize("fact", [retract("f9"), correct("f9", SERVED), retract("f2", "pump"), retract("next")])
def test_a_target_is_an_earlier_entry_of_the_episode(fact: Event) -> None:
    assert Desk(opened(), SERVED).code(fact) == "no_target"


@pytest.mark.parametrize(
    "fact",
    [
        retract("f1"),
        correct("f1", SERVED),
        correct("f2", opened()),
        correct("f3", SERVED),
        correct("f3", opened()),
        correct("f4", opened()),
        correct("f5", SERVED),
    ],
)
def test_what_cannot_be_corrected(fact: Event) -> None:
    facts = (opened(), SERVED, retract("f2"), correct("f2", per_diem(STRANGER)), correct("f1", opened(LAKESIDE)))
    assert Desk(*facts).code(fact) == "target_not_correctable"


@pytest.mark.parametrize(
    "fact",
    [
        correct("f1", opened()),
        retract("f3"),
        retract("f5"),
        correct("f4", SERVED),
        correct("f5", opened()),
        correct("f2", ClaimSubmitted(claim="C", payer="x", frequency="1", lines=(ClaimLine("S9325", DAY, DAY, 1, 1),))),
    ],
)
def test_what_can_be_corrected(fact: Event) -> None:
    facts = (opened(), SERVED, retract("f2"), correct("f2", per_diem(STRANGER)), correct("f1", opened(LAKESIDE)))
    assert Desk(*facts).code(fact) is None


@pytest.mark.parametrize("code", ["S9325", "S9326", "S9327", "S9328"])
def test_a_per_diem_billed_apart_is_another_providers(code: str) -> None:
    desk = Desk(opened(), SERVED)
    assert desk.code(per_diem(code=code)) == "own_per_diem"
    assert desk.code(per_diem(NORTHSIDE, code)) == "own_per_diem"
    assert desk.code(correct("f2", per_diem(code=code))) == "own_per_diem"
    assert desk.code(correct("f2", per_diem(NORTHSIDE, code))) == "own_per_diem"
    assert desk.code(correct("f9", per_diem(code=code))) == "no_target"
    assert desk.code(per_diem(LAKESIDE, code)) is None


def test_other_codes_may_be_our_own() -> None:
    desk = Desk(opened())
    assert desk.tell(line("a", per_diem(code="99601"))) == Accepted(desk.entries[-1])
    assert isinstance(desk.tell(line("b", per_diem(NORTHSIDE, "S9494"))), Accepted)


LAKESIDE_NOW = [
    ([correct("f1", opened(LAKESIDE))], LAKESIDE),
    ([correct("f1", opened(LAKESIDE)), retract("f2")], NORTHSIDE),
    ([correct("f1", opened(LAKESIDE)), retract("f2"), retract("f3")], LAKESIDE),
    ([correct("f1", opened(LAKESIDE)), retract("f2"), retract("f3"), retract("f4")], NORTHSIDE),
    ([correct("f1", opened(LAKESIDE)), retract("f2"), retract("f2"), retract("f3")], NORTHSIDE),
    ([correct("f1", opened(LAKESIDE)), correct("f2", opened(STRANGER)), retract("f2")], STRANGER),
    ([correct("f1", opened(LAKESIDE)), correct("f2", opened(STRANGER)), retract("f3")], LAKESIDE),
    ([correct("f1", opened(LAKESIDE)), correct("f1", opened(STRANGER)), retract("f3")], LAKESIDE),
    ([correct("f1", opened(LAKESIDE)), correct("f2", opened(STRANGER)), retract("f3"), retract("f2")], NORTHSIDE),
    ([correct("f1", opened(LAKESIDE)), retract("f2"), correct("f2", opened(STRANGER))], STRANGER),
]


@pytest.mark.parametrize(("facts", "provider"), LAKESIDE_NOW)
def test_the_opening_that_is_live_decides_whose_per_diem_it_is(facts: list[Event], provider: str) -> None:
    desk = Desk(opened(), *facts)
    assert desk.head.provider == provider
    assert desk.code(per_diem(provider)) == "own_per_diem"
    others = {NORTHSIDE, LAKESIDE, STRANGER} - {provider}
    assert [desk.tell(line(other, per_diem(other))) for other in others] == [Accepted(e) for e in desk.entries[-2:]]


def test_deciding_changes_nothing() -> None:
    desk = Desk(opened(), SERVED)
    for fact in (SERVED, retract("f2"), correct("f1", opened(LAKESIDE))):
        assert isinstance(decide(line("x", fact), desk.head, None, NOW, "00"), Accepted)
        assert (desk.head.version, desk.head.version_of("chart", "x"), desk.head.provider) == (2, None, NORTHSIDE)


REFUSED: list[tuple[list[Event], Line]] = [
    ([], line("f1", SERVED)),
    ([opened()], line("f2", opened())),
    ([opened(), SERVED], line("f2", PainAssessed(date=DAY, score=3))),
    ([opened()], line("f2", SERVED, recorded_at=NOW)),
    ([opened()], line("f2", retract("secret"))),
    ([opened()], line("f2", retract("f1"))),
    ([opened(), SERVED], line("f3", correct("f2", opened()))),
    ([opened(), SERVED], line("f3", correct("f1", SERVED))),
    ([opened(), SERVED, retract("f2")], line("f4", correct("f3", SERVED))),
    ([opened()], line("f2", per_diem())),
    ([opened(), SERVED], line("f3", correct("f2", per_diem(NORTHSIDE)))),
]


@pytest.mark.parametrize(("facts", "refused"), REFUSED)
def test_a_message_names_line_and_field_and_never_a_value(facts: list[Event], refused: Line) -> None:
    decision = Desk(*facts).tell(refused)
    assert isinstance(decision, Refused)
    assert decision.message.startswith("line 7: ")
    assert ": expected " in decision.message
    assert decision.message.endswith(".")
    shown = decision.message.replace("line 7", "")
    values = [
        "EP-1",
        "chart",
        "rn-1",
        "f1",
        "f2",
        "f3",
        "secret",
        "P-1",
        NORTHSIDE,
        "S9326",
        "RX-1",
        "2026",
        "mistaken",
    ]
    assert [value for value in values if value in shown] == []


def entries_of(seed: int) -> dict[str, list[Entry]]:
    """The episodes of a random history, each decided line by line."""
    desks: dict[str, Desk] = {}
    told = b"\n".join(msgspec.json.encode(entry) for entry in history(Random(seed))[0])
    for said in read_lines(BytesIO(told)):
        assert isinstance(said, Line)
        desk = desks.setdefault(said.episode, Desk(keep=True))
        decision = desk.tell(said, now=NOW + timedelta(days=365))
        assert isinstance(decision, Accepted) or getattr(decision, "code", None) in ("told_ahead", "no_target")
    return {episode: desk.entries for episode, desk in desks.items()}


def live_provider(entries: Iterable[Entry]) -> str | None:
    live = [each.fact for each in live_entries(list(entries)) if isinstance(each.fact, EpisodeOpened)]
    assert len(live) == 1
    return live[0].provider


@given(seed=st.integers(0, 10**9), cut=st.integers(0, 60))
def test_a_head_is_the_fold_of_its_entries(seed: int, cut: int) -> None:
    for entries in entries_of(seed).values():
        head = fold(fold(None, entries[:cut]), entries[cut:])
        assert head.version == len(entries)
        assert head.last_recorded_at == entries[-1].recorded_at
        assert [head.version_of(entry.source, entry.id) for entry in entries] == [entry.version for entry in entries]
        for entry in entries:
            kind = head.kind_of(entry.source, entry.id)
            assert (kind is EntryKind.RETRACTION) == isinstance(entry.fact, FactRetracted)
            opens = isinstance(statement_of(entry), EpisodeOpened)
            assert (kind in (EntryKind.OPENING, EntryKind.OPENING_CORRECTION)) == opens
        assert head.provider == live_provider(entries)


@given(st.lists(st.tuples(st.sampled_from("cr"), st.integers(1, 30), st.sampled_from([LAKESIDE, STRANGER]))))
def test_the_live_opening_is_that_of_the_judge(acts: list[tuple[str, int, str]]) -> None:
    desk = Desk(opened())
    for number, (act, target, provider) in enumerate(acts):
        fact = correct(f"f{target}", opened(provider)) if act == "c" else retract(f"f{target}")
        desk.tell(line(f"f{desk.head.version + 1}", fact, number=number))
    assert desk.head.provider == live_provider(desk.entries)
