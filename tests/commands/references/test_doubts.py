"""What a fact refers to and nobody knows is said, with the nearest known name; what is known stays quiet."""

from __future__ import annotations

import msgspec
import pytest

from commands.references.doubts import KnownNames, doubts_of, nearest, payer_doubt
from ledger.book import load_book
from ledger.facts.events import Event
from ledger.facts.liveness import live_entries
from tests.harness import typed
from tests.stories import Course, Story, fact, march


def said(story: Story, type_: str, **fields: object) -> list[str]:
    stated: Event = msgspec.convert(fact(type_, **fields), Event)  # type: ignore[arg-type]
    known = KnownNames(live.fact for live in live_entries(typed(story.told)))
    return [str(doubt) for doubt in doubts_of(stated, known)]


SERVED = {"date": "2026-02-03"}
GRANTED = {"number": "A", "codes": ["S9325"], "units": 1, "from_": "2026-02-01", "to": "2026-02-28"}
CLAIMED = {
    "claim": "C-2", "payer": "cascade-medicaid", "frequency": "7",
    "lines": [{"code": "S9325", "from": "2026-03-02", "to": "2026-03-02", "units": 1, "charge_cents": 1}],
}  # fmt: skip


def test_an_order_that_the_episode_does_not_have() -> None:
    story = Story().opened()
    assert said(story, "DayServed", order="RX", **SERVED) == []
    assert said(story, "DayServed", order="rx-", **SERVED) == [
        'order: the episode has no order of this name; did you mean "RX"?'
    ]
    for type_, fields in (
        ("DayServed", SERVED), ("DaysServed", {"from_": "2026-02-03", "to": "2026-02-04"}), ("TherapyStopped", SERVED),
        ("InfusionLogged", {"started_at": "2026-02-03T10:00:00Z", "stopped_at": "2026-02-03T11:00:00Z"}),
    ):  # fmt: skip
        assert said(story, type_, order="other", **fields) == ["order: the episode has no order of this name."]


def test_an_order_that_was_taken_back_is_not_known() -> None:
    story = Story().opened()
    story.tell("gone", "FactRetracted", target_source="chart", target_id="rx", reason="another patient's")
    assert said(story, "DayServed", order="RX", **SERVED) == ["order: the episode has no order of this name."]


def test_an_order_that_is_not_signed() -> None:
    unsigned = fact("TherapyOrdered", order="RX-2", mode="continuous", from_="2026-02-01", prescriber="1234567893")
    del unsigned["type"]
    story = Story().opened()
    (told,) = said(story, "TherapyOrdered", **unsigned)
    assert told.startswith("signed_on: the order is not signed;")
    assert said(story, "TherapyOrdered", **unsigned, signed_on="2026-02-01") == []
    story.tell("rx-2", "TherapyOrdered", **unsigned)
    assert said(story, "DayServed", order="RX-2", **SERVED)[0].startswith("order: the order is not signed;")
    story.tell("rx-2 signed", "TherapyOrdered", **unsigned, signed_on="2026-02-02")
    assert said(story, "DayServed", order="RX-2", **SERVED) == []


def test_a_payer_that_the_book_does_not_have() -> None:
    payers = load_book().payers
    assert payer_doubt("prairie-blue", payers) is None
    assert str(payer_doubt("Prairie Blue", payers)) == (
        'payer: the book has no payer of this id, and its days are on hold until it has; did you mean "prairie-blue"?'
    )
    assert str(payer_doubt("zzz", payers)).endswith("until it has.")


@pytest.mark.parametrize(
    ("type_", "fields"), [("AuthorizationGranted", GRANTED), ("CoverageEnded", {"last_date": "2026-02-04"})]
)
def test_an_authorization_or_an_end_without_coverage_by_that_payer(type_: str, fields: dict[str, object]) -> None:
    story = Story().opened()
    assert said(story, type_, payer="prairie-blue", **fields) == []
    (told,) = said(story, type_, payer="cascade-medicaid", **fields)
    assert told.startswith("payer: no coverage of the patient by this payer is recorded;")


def test_coverage_that_undoes_an_end_told_before() -> None:
    story = Story().opened().tell("end", "CoverageEnded", payer="prairie-blue", last_date="2026-02-04")
    anew = {"payer": "prairie-blue", "member": "M-2"}
    assert said(story, "CoverageVerified", **anew, from_="2026-02-05") == []
    assert said(story, "CoverageVerified", payer="cascade-medicaid", member="M", from_="2026-01-01") == []
    (told,) = said(story, "CoverageVerified", **anew, from_="2026-02-04")
    assert told == "from: coverage by this payer was ended on or after that date, and this undoes the end."


def test_a_claim_that_is_not_there_to_be_replaced() -> None:
    assert said(march(), "ClaimSubmitted", replaces="C-1", **CLAIMED) == []
    assert said(march(), "ClaimSubmitted", replaces="c-l", **CLAIMED) == [
        'replaces: the episode has no claim of this number; did you mean "C-1"?'
    ]
    drug = {"hcpcs": "J2270", "units": "1", "from_": "2026-03-02"}
    assert said(march(), "DrugBilledSeparately", claim="C-1", **drug) == []
    assert said(march(), "DrugBilledSeparately", claim="X", **drug) == [
        "claim: the episode has no claim of this number."
    ]


def test_a_resumption_of_what_was_never_held() -> None:
    story = Course().tell("held", "TherapyHeld", hold="H-1", from_="2026-03-02")
    assert said(story, "TherapyResumed", hold="H-1", date="2026-03-04") == []
    (told,) = said(story, "TherapyResumed", hold="H1", date="2026-03-04")
    assert told == 'hold: the episode has no hold of this name; did you mean "H-1"?'


def test_only_a_near_name_is_meant() -> None:
    assert nearest("RX-l", ["RX-1", "other"]) == "RX-1"
    assert nearest("prairie_blue", ["prairie-blue"]) == "prairie-blue"
    assert nearest("RX-1", ["hydromorphone"]) is None
    assert nearest("RX-1", []) is None
