"""Forms bind the door, never the past: what edition 1 recorded is read, known again, and its names are used on.

``golden/stored/schema-2-edition-1`` are lines that edition 1 took and edition 2 would not, and how they were stored.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from commands.door.intake import Line, Refusal, parse_line
from commands.writing.record import Outcome, record
from ledger.facts.entry import decode, encode, same_content
from ledger.facts.events import HospitalAdmitted
from ledger.keys.cipher import MasterKey
from ledger.store import EpisodeLedger
from ledger.store import open_ledger as open_named
from tests import GOLDENS
from tests.intake_samples import NPI
from tests.stores import open_ledger

GOLDEN = GOLDENS / "stored"
NOON = datetime(2099, 11, 2, 12, tzinfo=UTC)
EPISODE, ORDER, PATIENT = "EP\u00a01001 ", "RX\u00a01", "Jose\u0301"


def texts(name: str) -> list[str]:
    return (GOLDEN / name).read_text(encoding="utf-8").removesuffix("\n").split("\n")


STORED, SENT = texts("schema-2-edition-1.jsonl"), texts("schema-2-edition-1-sent.jsonl")
TYPES = [json.loads(text)["fact"]["type"] for text in STORED]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EpisodeLedger]:
    """A ledger as edition 1 left it."""
    with open_ledger(tmp_path / "ledger.db", create=True) as made:
        made.append([decode(text) for text in STORED], [(PATIENT, EPISODE)])
        yield made


def send(ledger: EpisodeLedger, *lines: str | dict[str, Any], keep: bool = False) -> list[Outcome]:
    told = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return list(record(ledger, BytesIO("\n".join(told).encode()), keep_recorded_at=keep, clock=lambda: NOON))


def code(ledger: EpisodeLedger, fact: dict[str, Any], **changes: Any) -> str | None:
    (outcome,) = send(ledger, told(fact, **changes))
    return outcome.code


def told(fact: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"episode": EPISODE, "source": "new", "id": "n-1", "by": "rn-1", "fact": fact} | changes


def served(order: str = ORDER) -> dict[str, Any]:
    return {"type": "DayServed", "order": order, "date": "2026-11-02"}


@pytest.mark.parametrize(("sent", "stored"), [*zip(SENT, STORED, strict=True)], ids=TYPES)
def test_what_edition_1_recorded_is_read_and_written_as_ever(sent: str, stored: str) -> None:
    entry = decode(stored)
    assert encode(entry).decode() == stored
    refused = parse_line(1, sent.encode())
    assert isinstance(refused, Refusal), "edition 2 has no such form"
    assert refused.line is not None
    assert same_content(entry, refused.line.by, refused.line.fact)


@pytest.mark.parametrize("keep", [False, True])
def test_what_edition_1_recorded_is_a_duplicate_when_it_is_sent_again(ledger: EpisodeLedger, keep: bool) -> None:
    lines = (
        SENT
        if keep
        else [json.dumps({k: v for k, v in json.loads(line).items() if k != "recorded_at"}) for line in SENT]
    )
    assert [outcome.outcome for outcome in send(ledger, *lines, keep=keep)] == ["duplicate"] * len(SENT)
    assert ledger.position() == len(STORED)


def test_the_same_line_with_other_content_is_malformed_before_its_identity_is_looked_at(ledger: EpisodeLedger) -> None:
    again = [json.loads(line) | {"by": "somebody else"} for line in SENT]
    outcomes = send(ledger, *again, keep=True)
    only_names = ("CoverageEnded", "InfusionLogged", "HospitalDischarged")
    codes = {kind: outcome.code for kind, outcome in zip(TYPES, outcomes, strict=True) if kind in only_names}
    assert codes == {
        "CoverageEnded": "identity_reused",
        "InfusionLogged": "malformed",
        "HospitalDischarged": "identity_reused",
    }
    assert {outcome.code for outcome in outcomes} == {"malformed", "identity_reused"}


INSTANTS = ["2026-11-02T10:00:59.1-06:00", "2026-11-02T16:00:59.100000Z", "2026-11-02T16:00:59.100+00:00"]


@pytest.mark.parametrize("at", INSTANTS)
def test_an_instant_that_was_stored_with_any_offset_is_the_same_instant(at: str) -> None:
    stored = STORED[TYPES.index("HospitalAdmitted")]
    entry = decode(json.dumps(json.loads(stored) | {"fact": json.loads(stored)["fact"] | {"at": at}}))
    assert entry == decode(stored)
    assert encode(entry).decode() == stored
    assert HospitalAdmitted(stay="H\u20281", at=at) == entry.fact


@pytest.mark.parametrize("at", ["2026-11-02T10:00", "2026-11-31", "noon", "", "2026-11-02T16:00:59+99:00"])
def test_what_is_no_instant_and_no_date_is_not_read(at: str) -> None:
    stored = json.loads(STORED[TYPES.index("HospitalAdmitted")])
    with pytest.raises(ValueError):
        decode(json.dumps(stored | {"fact": stored["fact"] | {"at": at}}))


NAMES_IN_USE: dict[str, dict[str, Any]] = {
    "an episode and an order": served(),
    "an order stopped": {"type": "TherapyStopped", "order": ORDER, "date": "2026-11-02"},
    "a stay": {"type": "HospitalDischarged", "stay": "H\u20281", "at": "2026-11-05"},
    "a hold": {"type": "TherapyResumed", "hold": "A\u030a", "date": "2026-11-05"},
    "a payer": {"type": "CoverageEnded", "payer": "blue ", "last_date": "2026-11-05"},
    "a member": {"type": "CoverageVerified", "payer": "blue ", "member": " M-1", "from": "2026-11-05"},
    "a plan": {"type": "PlanSigned", "plan": "\ue000PL", "signed_on": "2026-11-05", "from": "2026-11-05",
               "to": "2026-11-06"},
    "an authorization": {"type": "AuthorizationGranted", "number": "A\u30001", "payer": "blue ", "codes": ["S9325"],
                         "units": 1, "from": "2026-11-05", "to": "2026-11-06"},
    "a claim and the one it replaces": {
        "type": "ClaimSubmitted", "claim": "C-2 ", "payer": "blue ", "frequency": "7", "replaces": "C\u200b1",
        "lines": [{"code": "S9325", "from": "2026-11-05", "to": "2026-11-05", "units": 1, "charge_cents": 1}]},
    "the targets of a retraction": {"type": "FactRetracted", "target_source": "desk:1", "target_id": " 23 ",
                                    "reason": "x"},
    "a patient": {"type": "FactCorrected", "target_source": "pump:7", "target_id": " o-1", "reason": "x", "fact": {
        "type": "EpisodeOpened", "patient": PATIENT, "provider": NPI, "zone": "America/New_York"}},
}  # fmt: skip


@pytest.mark.parametrize("fact", NAMES_IN_USE.values(), ids=NAMES_IN_USE)
def test_a_name_that_stands_in_the_ledger_is_used_on_as_it_stands(ledger: EpisodeLedger, fact: dict[str, Any]) -> None:
    assert code(ledger, fact) is None


def test_names_that_stand_may_be_used_in_other_episodes(ledger: EpisodeLedger) -> None:
    opening = {"type": "EpisodeOpened", "patient": PATIENT, "provider": NPI, "zone": "America/Chicago"}
    lines = [told(opening, episode="EP-2"), told(served(), episode="EP-2", id="n-2")]
    stranger = [told(opening | {"patient": "P-9"}, episode="EP-3"), told(served(), episode="EP-3", id=" 23 ")]
    assert [outcome.code for outcome in send(ledger, *lines, *stranger)] == [None] * 4


NEW_NAMES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "an order": (served("RX\u00a02"), {}, "fact.order"),
    "an order in another normal form": (served("RX\u20031"), {}, "fact.order"),
    "a name that stands as something else": (served("blue "), {}, "fact.order"),
    "a patient": (NAMES_IN_USE["a patient"] | {"fact": {
        "type": "EpisodeOpened", "patient": "Andre\u0301", "provider": NPI, "zone": "America/New_York"}}, {},
        "fact.fact.patient"),
    "an episode": ({"type": "EpisodeOpened", "patient": "P-1", "provider": NPI, "zone": "America/Chicago"},
                   {"episode": "EP-2 "}, "episode"),
    "an id": (served(), {"id": "n-1 "}, "id"),
    "a source": (served(), {"source": "pump:7"}, "source"),
    "who tells it": (served(), {"by": "Zoe\u0301"}, "by"),
    "a drug": ({"type": "TherapyOrdered", "order": ORDER, "mode": "continuous", "from": "2026-11-02", "prescriber": NPI,
                "drug": "mor\u200bphine"}, {}, "fact.drug"),
}  # fmt: skip


@pytest.mark.parametrize(("fact", "changes", "path"), NEW_NAMES.values(), ids=NEW_NAMES)
def test_what_is_new_has_todays_form_and_the_message_says_where(
    ledger: EpisodeLedger, fact: dict[str, Any], changes: dict[str, Any], path: str
) -> None:
    (outcome,) = send(ledger, told(fact, **changes))
    assert outcome.code == "malformed"
    assert str(outcome.message).startswith(f"line 1: {path}: expected text ")
    assert ledger.position() == len(STORED)


@pytest.mark.parametrize("target", [" ", "no\u00a0such", "x" * 500, "", "a\nb", "\u200b"])
def test_a_target_that_does_not_exist_is_none_whatever_its_form(ledger: EpisodeLedger, target: str) -> None:
    for source, id in ((target, "5"), ("pump", target), (target, target)):
        retracted = {"type": "FactRetracted", "target_source": source, "target_id": id, "reason": "x"}
        assert code(ledger, retracted) == "no_target"


def test_a_line_of_the_old_form_is_no_target_and_leaves_no_trace(ledger: EpisodeLedger) -> None:
    outcomes = send(ledger, told(served("RX\u00a02"), id="a"), told(served("RX\u00a02"), id="b"))
    assert [outcome.code for outcome in outcomes] == ["malformed"] * 2
    assert ledger.position() == len(STORED)


def test_an_episode_that_never_was_is_no_name_that_stands(ledger: EpisodeLedger) -> None:
    assert code(ledger, served("RX-1"), episode="EP\u00a09") == "malformed"
    assert code(ledger, served("RX-1"), episode="EP-9") == "not_opened"


def test_on_an_encrypted_ledger_likewise(tmp_path: Path) -> None:
    with open_named(tmp_path / "sealed.db", create=True, master=MasterKey(b"k" * 32)) as ledger:
        ledger.append([decode(text) for text in STORED], [(PATIENT, EPISODE)])
        assert {outcome.outcome for outcome in send(ledger, *SENT, keep=True)} == {"duplicate"}
        assert code(ledger, served()) is None
        assert code(ledger, served("RX\u00a02"), id="n-2") == "malformed"


def test_a_line_in_todays_forms_never_asks_what_stands(ledger: EpisodeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr(EpisodeLedger, "scan", never)
    opening = {"type": "EpisodeOpened", "patient": "P-1", "provider": NPI, "zone": "America/Chicago"}
    assert code(ledger, opening, episode="EP-1") is None
    assert isinstance(parse_line(1, json.dumps(told(served("RX-1"), episode="EP-1")).encode()), Line)
