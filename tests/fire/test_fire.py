"""Under fire: nothing acknowledged is lost. Short forms; ``scripts/fire`` runs the long ones (docs/why/promises.md).

Each figure has a control that breaks the promise on purpose and must be seen to; else the fire would prove nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests import stores
from tests.fire.backups import backups
from tests.fire.claim_writers import claim_writers_killed
from tests.fire.failing import failures, full_disks
from tests.fire.flips import flips
from tests.fire.kills import kills
from tests.fire.malformed import malformed
from tests.fire.malformed_answers import malformed_answers
from tests.fire.malformed_rows import malformed_rows
from tests.fire.moved import moved
from tests.fire.power import power_cuts
from tests.fire.projector import projectors_killed
from tests.fire.put_back import put_back
from tests.fire.stage import scratch

SEED = 20261123


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: SIGKILL spares what was written there, as it spares the page cache."""
    made = Path(tempfile.mkdtemp(prefix="fire-", dir=scratch()))
    yield made
    shutil.rmtree(made)


@pytest.fixture
def rng() -> Random:
    return Random(SEED)


@pytest.fixture(params=["plain", "encrypted"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Ledgers in files, plain and then encrypted."""
    monkeypatch.setenv(stores.STORE, "sqlite encrypted" if request.param == "encrypted" else "sqlite")
    return str(request.param)


pytestmark = pytest.mark.sqlite_file


@pytest.mark.usefixtures("either")
def test_a_killed_writer_loses_nothing_acknowledged_and_leaves_no_half_batch(folder: Path, rng: Random) -> None:
    found = kills(folder, 12, rng)
    assert found["kills"] == 12
    assert found["acknowledged"] > 120
    assert (found["lost"], found["half_batches"], found["does_not_hold"], found["unmended"]) == (0, 0, 0, 0)


def test_a_writer_that_acknowledges_too_early_is_seen_to_lose(folder: Path, rng: Random) -> None:
    assert kills(folder, 6, rng, act="eager")["lost"] > 0


def test_a_writer_of_single_lines_is_seen_to_leave_half_batches(folder: Path, rng: Random) -> None:
    assert kills(folder, 6, rng, act="one_by_one")["half_batches"] > 0


@pytest.mark.usefixtures("either")
def test_a_power_cut_loses_nothing_acknowledged(folder: Path, rng: Random) -> None:
    found = power_cuts(folder, 24, rng)
    assert (found["images"], found["lost"], found["half_batches"]) == (24, 0, 0)
    assert (found["does_not_hold"], found["unmended"]) == (0, 0)
    assert found["acknowledged"] > 450


@pytest.mark.parametrize("synchronous", [0, 1])
def test_a_writer_that_does_not_wait_for_the_disk_is_seen_to_lose(folder: Path, rng: Random, synchronous: int) -> None:
    assert power_cuts(folder, 10, rng, synchronous=synchronous)["lost"] > 0


@pytest.mark.usefixtures("either")
def test_no_answer_is_wrong_when_a_write_a_sync_a_cut_or_a_removal_fails(folder: Path, rng: Random) -> None:
    found = failures(folder, 12, rng)
    assert found["runs"] == 12
    assert (found["wrong_answers"], found["unplain"], found["does_not_hold"], found["unmended"]) == (0, 0, 0, 0)
    assert found["gave_up"] > 4
    assert found["went_on"] > 0


def test_a_writer_that_acknowledges_too_early_is_seen_to_answer_wrongly(folder: Path, rng: Random) -> None:
    assert failures(folder, 6, rng, act="eager")["wrong_answers"] > 0


@pytest.mark.usefixtures("either")
def test_a_full_disk_refuses_and_damages_nothing(folder: Path, rng: Random) -> None:
    found = full_disks(folder, 5, rng)
    assert (found["sizes"], found["refused"]) == (5, 4)  # the fifth is just large enough
    assert (found["wrong_answers"], found["unplain"], found["does_not_hold"]) == (0, 0, 0)
    assert found["not_writable_afterwards"] == 0


@pytest.mark.usefixtures("either")
def test_a_killed_projector_leaves_what_a_rebuild_makes(folder: Path, rng: Random) -> None:
    found = projectors_killed(folder, 8, rng)
    assert (found["kills"], found["differs"]) == (8, 0)
    assert found["behind"] > 0


def test_a_projector_of_two_transactions_is_seen_to_differ(folder: Path, rng: Random) -> None:
    assert projectors_killed(folder, 12, rng, two=True)["differs"] > 0


def test_a_flipped_bit_is_never_shown_as_good(folder: Path, rng: Random, either: str) -> None:
    found = flips(folder, 100, rng)
    assert (found["flips"], found["shown_as_good"], found["tracebacks"]) == (100, 0, 0)
    assert found["patients_named"] == 0
    assert found["changed"] > 2 or either == "encrypted"  # where a changed entry opens for nobody
    assert found["refused"] > 25


def test_without_verify_a_flipped_bit_is_seen_to_be_shown(folder: Path, rng: Random) -> None:
    assert flips(folder, 100, rng, proving=False)["shown_as_good"] > 0


def test_cipher_text_that_was_moved_opens_nowhere(folder: Path, rng: Random) -> None:
    found = moved(folder, 300, rng)
    assert (found["moves"], found["accepted"]) == (300, 0)
    assert found["stayed_and_opened"] > 200, "in its own place every one opens"


def test_cipher_text_that_is_bound_to_nothing_is_seen_to_open_elsewhere(folder: Path, rng: Random) -> None:
    assert moved(folder, 60, rng, bound=False)["accepted"] > 0


def test_no_malformed_line_is_let_in(folder: Path, rng: Random) -> None:
    found = malformed(folder, 10_000, rng)
    assert (found["lines"], found["accepted"], found["tracebacks"]) == (10_000, 0, 0)
    assert found["through_commands"] == 2_000


def test_no_malformed_row_of_a_spreadsheet_is_let_in(folder: Path, rng: Random) -> None:
    found = malformed_rows(folder, 3_000, rng)
    assert found == {"rows": 3_000, "accepted": 0, "tracebacks": 0, "data_in_messages": 0}


@pytest.mark.soak
def test_no_malformed_row_of_a_hundred_thousand_is_let_in(folder: Path, rng: Random) -> None:
    found = malformed_rows(folder, 100_000, rng)
    assert found == {"rows": 100_008, "accepted": 0, "tracebacks": 0, "data_in_messages": 0}


def test_no_malformed_answer_is_half_recorded(folder: Path, rng: Random) -> None:
    found = malformed_answers(folder, 400, rng)
    assert (found["tracebacks"], found["half_recorded"]) == (0, 0)
    assert min(found["read"], found["unreadable"]) > 20


def test_a_run_that_ends_after_the_first_answer_is_seen_to_be_half_recorded(folder: Path, rng: Random) -> None:
    assert malformed_answers(folder, 200, rng, cut_short=True)["half_recorded"] > 0


@pytest.mark.soak
def test_no_malformed_answer_of_a_hundred_thousand_is_half_recorded(folder: Path, rng: Random) -> None:
    found = malformed_answers(folder, 100_000, rng)
    assert (found["tracebacks"], found["half_recorded"]) == (0, 0)


@pytest.mark.usefixtures("either")
def test_a_backup_during_writes_is_whole(folder: Path, rng: Random) -> None:
    found = backups(folder, 5, rng)
    assert (found["taken"], found["good"]) == (5, 5)


@pytest.mark.usefixtures("either")
def test_an_older_copy_put_back_is_told_wherever_it_had_been_read_further(folder: Path, rng: Random) -> None:
    found = put_back(folder, 12, rng)
    assert (found["missed"], found["told_in_vain"], found["does_not_hold"]) == (0, 0, 0)
    assert 2 < found["told"] < 12


def test_without_what_was_seen_an_older_copy_is_seen_to_be_missed(folder: Path, rng: Random) -> None:
    assert put_back(folder, 10, rng, forgetful=True)["missed"] > 0


def test_a_plain_copy_during_writes_is_refused_and_is_seen_to_lack_entries(folder: Path, rng: Random) -> None:
    found = backups(folder, 6, rng, plain_copy=True)
    assert (found["taken"], found["refused"]) == (6, 6)
    assert found["lacking"] > 0


CLAIMS_HOLD = {"twice": 0, "left_out": 0, "unknown": 0, "unfinished": 0}


@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_a_killed_writer_of_claims_sends_no_day_twice_and_leaves_none_out(
    folder: Path, rng: Random, encrypted: bool
) -> None:
    found = claim_writers_killed(folder, 3, rng, encrypted=encrypted)
    assert CLAIMS_HOLD.items() <= found.items()
    assert found["kills"] == 3


@pytest.mark.soak
@pytest.mark.parametrize("encrypted", [False, True], ids=["plain", "encrypted"])
def test_five_hundred_killed_writers_of_claims_send_no_day_twice(folder: Path, rng: Random, encrypted: bool) -> None:
    found = claim_writers_killed(folder, 500, rng, encrypted=encrypted)
    assert CLAIMS_HOLD.items() <= found.items()
    assert found["cut_between"] > 0


def test_a_writer_of_claims_that_lists_no_file_beforehand_is_seen_to_leave_days_out(folder: Path, rng: Random) -> None:
    assert claim_writers_killed(folder, 2, rng, unlisted=True)["left_out"] > 0
