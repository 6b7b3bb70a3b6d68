"""Decisions about open work and seals of access records, as the ledger keeps them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ledger.facts.administration import (
    time_of_act,
)
from ledger.facts.desk_acts import LooksSealed, WorkAssigned, WorkDone, WorkNoted
from ledger.store import RecordConflictError, StoreError
from tests.builders import OPENING, entry
from tests.encrypted_house import Locked
from tests.stores import open_ledger

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
NONCE = "0" * 32
ACTS = (
    WorkAssigned(AT, "Lee", "EP-1", "to_bill", "Ana", NONCE),
    WorkNoted(AT, "Lee", "EP-1", "to_bill", "call the payer", NONCE),
    WorkDone(AT, "Lee", "EP-1", "to_bill", date(2026, 12, 7), NONCE),
)
SEAL = LooksSealed(AT, "site", 7, "f" * 64, NONCE)


def test_they_are_read_back_by_kind_and_after_some(tmp_path: Path) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append([entry(1, fact=OPENING)], [("P-1", "EP-1")])
        for act in ACTS:
            ledger.record_work(act)
        position = ledger.record_seal_of_looks(SEAL)
        assert ledger.work_acts() == list(enumerate(ACTS, 2)), "after the opening"
        assert ledger.work_acts(2) == [(4, ACTS[2])]
        assert ledger.seals_of_looks() == [(position, SEAL)]
        assert ledger.count_of_acts() == len(ledger.house_acts()) == 4
        assert [time_of_act(act) for _, act in ledger.house_acts()] == [AT] * 4
        assert ledger.merge_entries() == []


def test_of_two_at_once_the_second_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append([entry(1, fact=OPENING)], [("P-1", "EP-1")])
        ledger.record_work(ACTS[0])
        monkeypatch.setattr(type(ledger), "count_of_acts", lambda self: 0)
        with pytest.raises(RecordConflictError):
            ledger.record_work(ACTS[1])
        assert [act for _, act in ledger.work_acts()] == [ACTS[0]]


def test_in_an_encrypted_ledger_the_note_alone_is_hidden_and_goes_with_the_key(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    with house.open() as ledger:
        ledger.append([entry(1, fact=OPENING)], [("P-1", "EP-1")])
        for act in ACTS:
            ledger.record_work(act)
        assert [act for _, act in ledger.work_acts()] == list(ACTS)
        with pytest.raises((RecordConflictError, StoreError)):
            ledger.record_work(WorkNoted(AT, "Lee", "EP-NONE", "to_bill", "nobody's", NONCE))
    stored = house.ledger.read_bytes()
    assert b"call the payer" not in stored
    assert b"Ana" in stored, "who sees to it is no patient's data"
