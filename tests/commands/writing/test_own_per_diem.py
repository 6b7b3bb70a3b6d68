"""A per diem billed separately is another provider's: of each of its dates, as the entries stand at that moment."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.facts.events import EpisodeOpened, ProviderChanged
from ledger.facts.liveness import live_entries
from tests.desk import code, desk
from tests.intake_samples import NPI, required

LAKESIDE, STRANGER = "1999999984", "1245319599"


def per_diem(billed_by: str | None, from_: str, to: str | None = None) -> dict[str, Any]:
    fact = required("ServiceBilledSeparately", code="S9326", **{"from": from_, "to": to or from_})
    return fact | ({"billed_by": billed_by} if billed_by else {})


def changed(provider: str, from_: str) -> dict[str, Any]:
    return required("ProviderChanged", provider=provider, **{"from": from_})


def corrected(target: str, fact: dict[str, Any]) -> dict[str, Any]:
    return required("FactCorrected", target_id=target, fact=fact)


def retracted(target: str) -> dict[str, Any]:
    return required("FactRetracted", target_id=target)


@pytest.mark.parametrize(
    ("billed_by", "from_", "to", "own"),
    [
        (NPI, "2026-11-09", None, True),
        (LAKESIDE, "2026-11-09", None, False),
        (NPI, "2026-11-10", None, False),
        (LAKESIDE, "2026-11-10", None, True),
        (NPI, "2026-11-09", "2026-11-10", True),
        (LAKESIDE, "2026-11-09", "2026-11-10", True),
        (STRANGER, "2026-11-09", "2026-11-10", False),
        (NPI, "2026-11-10", "2026-11-30", False),
        (None, "2026-11-10", None, True),
    ],
)
def test_whose_per_diem_it_is_goes_by_the_provider_of_each_date(
    billed_by: str | None, from_: str, to: str | None, own: bool
) -> None:
    made = desk()
    assert code(made, changed(LAKESIDE, "2026-11-10"), "p-1") is None
    assert code(made, per_diem(billed_by, from_, to)) == ("own_per_diem" if own else None)


STANDING: list[tuple[str, list[dict[str, Any]], str]] = [
    ("none", [], NPI),
    ("one", [changed(LAKESIDE, "2026-11-10")], LAKESIDE),
    ("retracted", [changed(LAKESIDE, "2026-11-10"), retracted("p-1")], NPI),
    ("brought back", [changed(LAKESIDE, "2026-11-10"), retracted("p-1"), retracted("p-2")], LAKESIDE),
    ("later", [changed(LAKESIDE, "2026-11-21")], NPI),
    ("the latest from", [changed(LAKESIDE, "2026-11-11"), changed(STRANGER, "2026-11-10")], LAKESIDE),
    ("of equal ones the last", [changed(LAKESIDE, "2026-11-10"), changed(STRANGER, "2026-11-10")], STRANGER),
    ("corrected", [changed(LAKESIDE, "2026-11-10"), corrected("p-1", changed(STRANGER, "2026-11-10"))], STRANGER),
    ("corrected away", [changed(LAKESIDE, "2026-11-10"), corrected("p-1", required("DayServed"))], NPI),
    ("corrected into one", [required("DayServed"), corrected("p-1", changed(LAKESIDE, "2026-11-10"))], LAKESIDE),
    ("its correction retracted", [
        changed(LAKESIDE, "2026-11-10"), corrected("p-1", changed(STRANGER, "2026-11-10")), retracted("p-2"),
    ], LAKESIDE),
    ("corrected twice", [
        changed(LAKESIDE, "2026-11-10"), corrected("p-1", required("DayServed")),
        corrected("p-2", changed(STRANGER, "2026-11-10"))], STRANGER),
    ("moved past another of its date", [
        changed(LAKESIDE, "2026-11-10"), changed(STRANGER, "2026-11-10"),
        corrected("p-1", changed(LAKESIDE, "2026-11-10")),
    ], LAKESIDE),
    ("the opening corrected too", [
        changed(LAKESIDE, "2026-11-21"), corrected("o-1", required("EpisodeOpened", provider=STRANGER))], STRANGER),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "provider"), [each[1:] for each in STANDING], ids=[each[0] for each in STANDING])
def test_the_provider_of_a_date_is_as_the_entries_stand(facts: list[dict[str, Any]], provider: str) -> None:
    made = desk()
    for number, fact in enumerate(facts, 1):
        assert code(made, fact, f"p-{number}") is None
    assert made.head.provider_on(date(2026, 11, 20)) == provider
    assert code(made, per_diem(provider, "2026-11-20"), "own") == "own_per_diem"
    for other in {NPI, LAKESIDE, STRANGER} - {provider}:
        assert code(made, per_diem(other, "2026-11-20"), other) is None


def test_a_correction_of_the_opening_counts_as_its_kind() -> None:
    made = desk()
    assert code(made, changed(LAKESIDE, "2026-11-10"), "p-1") is None
    assert code(made, corrected("p-1", required("EpisodeOpened")), "c-1") == "target_not_correctable"
    assert code(made, corrected("o-1", changed(LAKESIDE, "2026-11-10")), "c-2") == "target_not_correctable"
    assert code(made, corrected("p-1", per_diem(LAKESIDE, "2026-11-10")), "c-3") == "own_per_diem"


DATES = ["2026-11-10", "2026-11-11", "2026-11-12"]
ACTS = st.tuples(
    st.sampled_from(["change", "serve", "correct", "correct away", "retract"]),
    st.integers(1, 12), st.sampled_from([NPI, LAKESIDE, STRANGER]), st.sampled_from(DATES),
)  # fmt: skip


@given(st.lists(ACTS, max_size=12))
def test_a_head_knows_the_provider_of_every_date_as_the_live_entries_say(acts: list[tuple[str, int, str, str]]) -> None:
    made = desk()
    for number, (act, target, npi, on) in enumerate(acts, 1):
        facts = {
            "change": changed(npi, on), "serve": required("DayServed"), "retract": retracted(f"p-{target}"),
            "correct": corrected(f"p-{target}", changed(npi, on)),
            "correct away": corrected(f"p-{target}", required("DayServed")),
        }  # fmt: skip
        code(made, facts[act], f"p-{number}")
    live = [each.fact for each in live_entries(made.entries)]
    opening = next(fact.provider for fact in live if isinstance(fact, EpisodeOpened))
    for on in ("2026-11-09", *DATES, "2026-11-13"):
        changes = [fact for fact in live if isinstance(fact, ProviderChanged) and fact.from_ <= date.fromisoformat(on)]
        latest = max((fact.from_ for fact in changes), default=None)
        expected = [opening, *(fact.provider for fact in changes if fact.from_ == latest)][-1]
        assert made.head.provider_on(date.fromisoformat(on)) == expected
    span = made.head.providers(date(2026, 11, 9), date(2026, 11, 13))
    assert span == {made.head.provider_on(date(2026, 11, day)) for day in range(9, 14)}
