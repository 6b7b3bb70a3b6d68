"""Under fire in PostgreSQL: clients killed, copies put back; servers are killed by ``scripts/kill_postgres``."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests import stores
from tests.fire.kills import kills
from tests.fire.put_back import put_back
from tests.tiers import in_proportion


@pytest.fixture(params=["postgres", "postgres encrypted"], autouse=True)
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ledgers in PostgreSQL, plain and then encrypted."""
    monkeypatch.setenv(stores.STORE, request.param)


@pytest.mark.parametrize("count", in_proportion(4, 100))
def test_a_killed_client_loses_nothing_acknowledged_and_leaves_no_half_batch(tmp_path: Path, count: int) -> None:
    found = kills(tmp_path, count, Random(1))
    assert (found["kills"], found["lost"], found["half_batches"]) == (count, 0, 0)
    assert (found["does_not_hold"], found["unmended"]) == (0, 0)


@pytest.mark.soak
def test_an_older_copy_put_back_is_told_wherever_it_had_been_read_further(tmp_path: Path) -> None:
    found = put_back(tmp_path, 20, Random(1))
    assert (found["missed"], found["told_in_vain"], found["does_not_hold"]) == (0, 0, 0)
    assert found["told"] > 5
