"""One history, one fingerprint: on a file and in PostgreSQL, on every version of Python, on every day.

``golden/fingerprints.json`` holds what the read model's fingerprints are for the examples. A change of the judge, of
the book or of a sentence changes them: ``GOLDEN=write pytest tests/projections/rows/test_fingerprints.py`` after a
deliberate one.
"""

from __future__ import annotations

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from random import Random

import pytest

from commands.writing.record import record
from ledger.recorders.postgres.migrate import migrate
from ledger.store import EpisodeLedger
from ledger.store import open_ledger as open_named
from projections.read_model.catch_up import catch_up
from projections.read_model.views import passing_views
from tests import GOLDENS, ROOT, stores
from tests.command_line import House, lines_of, run
from tests.harness import book_of
from tests.histories import history
from tests.place import Place

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.jsonl"))
GOLDEN = GOLDENS / "fingerprints.json"


def test_the_examples_have_the_fingerprints_they_always_had(tmp_path: Path) -> None:
    house = House(tmp_path)
    for example in EXAMPLES:
        assert house.run("record", "--keep-recorded-at", example).status == 0
    (status,) = run(*house.placed, "status", "--format", "json").rows  # by the book in the package
    found = status["fingerprints"] | {"entries": status["position"]}
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
    assert found == json.loads(GOLDEN.read_text())


@pytest.mark.sqlite_file
@pytest.mark.parametrize("seed", range(8))
def test_a_file_and_postgres_come_to_the_same(tmp_path: Path, place: Place, seed: int) -> None:
    entries, book = history(Random(seed))
    migrate(place.owner, stores.ROLE)
    found = []
    for name in (str(tmp_path / "ledger.db"), place.recorder):
        with open_named(name, create=True) as ledger, closing(passing_views()) as views:
            tell(ledger, entries)
            catch_up(ledger, views, book_of(book))
            found.append((views.fingerprints(), [row[1:4] for row in ledger.scan()]))
    assert found[0] == found[1]
    assert len(found[0][1]) == len(entries)


def tell(ledger: EpisodeLedger, entries: object) -> None:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    outcomes = record(ledger, BytesIO(lines_of(entries)), keep_recorded_at=True, clock=lambda: later, batch=7)
    assert {outcome.outcome for outcome in outcomes} == {"recorded"}
