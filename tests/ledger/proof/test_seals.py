"""Every entry is sealed when it is recorded: what the seals are, worked out here a second time."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from ledger.proof.seals import leaf_of
from ledger.store import StoreError
from tests.builders import entry
from tests.seals import (
    assert_sealed,
    stored_seals,
)
from tests.stores import open_ledger

pytestmark = pytest.mark.usefixtures("every_store")


def test_each_entry_is_sealed_to_the_one_before(path: Path) -> None:
    with open_ledger(path, create=True) as ledger:
        ledger.append([entry(1), entry(1, "EP-Ä"), entry(2)])
        ledger.append([entry(2, "EP-Ä")])
        with open_ledger(path, create=False) as other:
            other.append([entry(3)])
        assert_sealed(ledger, path)


def test_the_same_entries_in_another_ledger_have_other_seals(tmp_path: Path) -> None:
    seals = []
    for name in ("one.db", "two.db"):
        with open_ledger(tmp_path / name, create=True) as ledger:
            ledger.append([entry(1)])
            seals += stored_seals(ledger)
    assert seals[0] != seals[1]


def test_no_two_rows_hash_the_same_bytes() -> None:
    """Without lengths these would: a letter goes from one column to the next."""
    assert leaf_of(1, b"EP-1", 1, b"Day", b"x") != leaf_of(1, b"EP-", 1, b"1Day", b"x")
    assert leaf_of(1, b"EP-1", 1, b"Day", b"x") != leaf_of(1, b"EP-1", 1, b"Da", b"yx")
    assert leaf_of(1, b"E", 2, b"D", b"x") != leaf_of(2, b"E", 1, b"D", b"x")


def cut_off(path: Path, after: int) -> None:
    """Somebody with the file in hand takes the triggers away, deletes a tail, and puts them back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        (trigger,) = other.execute("SELECT sql FROM sqlite_master WHERE name = 'entries_delete'").fetchone()
        other.execute("DROP TRIGGER entries_delete")
        other.execute("DELETE FROM entries WHERE position > ?", (after,))
        other.execute(trigger)


@pytest.mark.sqlite_file
@pytest.mark.parametrize("left", [0, 2])
def test_nothing_is_appended_to_a_ledger_whose_tail_was_cut_off(path: Path, left: int) -> None:
    with open_ledger(path, create=True) as ledger:
        ledger.append([entry(1), entry(2), entry(3)])
    cut_off(path, left)
    with open_ledger(path, create=False) as ledger:
        with pytest.raises(StoreError, match="last entries of the ledger are missing"):
            ledger.append([entry(left + 1)])
        assert ledger.position() == left


def test_a_refused_append_leaves_the_chain_as_it_was(path: Path) -> None:
    with open_ledger(path, create=True) as ledger:
        ledger.append([entry(1)])
        with pytest.raises(Exception, match=r"UNIQUE|follows|another writer|one key, from its first entry"):
            ledger.append([entry(1)])
        ledger.append([entry(2)])
        assert_sealed(ledger, path)
