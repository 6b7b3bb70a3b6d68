"""Merging patients of an encrypted ledger in PostgreSQL: no name in its tables, and none after forgetting."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from ledger.facts.administration import PatientsMerged
from ledger.store import open_ledger
from tests.ledger.keys.test_encryption_postgres import KEY, all_of, encrypted, forget, told
from tests.place import Place

__all__ = ["encrypted", "told"]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def test_names_in_a_merge_are_hidden_and_go_with_the_patient(told: Place) -> None:
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        ledger.record_merging(PatientsMerged(NOW, "registrar", "Ada", "Ben", "registered twice", "0" * 32))
        assert ledger.survivor_of("Ada") == "Ben"
    stored = json.loads(told.sql("SELECT state FROM entries WHERE originator_id = ''")[0][0])
    assert [each["episode"] for each in stored["patient"]] == ["EP-1"]
    assert not [name for name in ("Ada", "Ben", "registered twice") if name in str(all_of(told))]
    forget(told, "EP-2")
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        merged = ledger.house_acts()[0][1]
        assert isinstance(merged, PatientsMerged)
        assert (merged.patient, merged.into) == ("Ada", "")
        assert ledger.survivor_of("Ada") == "Ada"
