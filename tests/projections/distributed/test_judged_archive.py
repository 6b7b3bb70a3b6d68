"""What is judged from an archive is what the built-in build makes of the ledger, to the last row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book, load_book
from ledger.facts.entry import Entry
from ledger.judge.patients import Patient, gather
from projections.distributed import bucket
from tests.archives import Archived
from tests.command_line import BOOK, Told
from tests.encrypted_house import Locked
from tests.harness import book_of
from tests.histories import history
from tests.read_models import crowd, mixed
from tests.tiers import in_proportion

drawn = st.integers(0, 2**64 - 1).map(Random)


def test_for_several_books_every_entry_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entries, tables = told_by(Random(5))
    house = Archived(tmp_path, book_of(tables))
    house.tell(entries)
    house.grow(7)
    gathered: list[int] = []

    def counting(streams: Mapping[str, Sequence[Entry]], *more: Any, **named: Any) -> list[Patient]:
        gathered.append(len(streams))
        return gather(streams, *more, **named)

    monkeypatch.setattr(bucket, "gather", counting)
    house.judged()
    by_one = list(gathered)
    gathered.clear()
    house.judged_by(house.book, load_book(BOOK))
    assert gathered == by_one != []


def told_by(rng: Random) -> tuple[list[Told], dict[str, object]]:
    """A history: of several patients who share episodes, or one with acts that merge and part them."""
    if rng.random() < 0.5:
        return history(rng, house=True)
    histories, book = crowd(rng, rng.randint(1, 3))
    return mixed(rng, histories), book


def ledger_in(folder: Path, book: Book, rng: Random) -> Archived:
    """A ledger; one of four is encrypted."""
    if rng.random() < 0.75:
        return Archived(folder, book)
    locked = Locked(folder)
    return Archived(locked.folder, book, master=locked.master, key_file=locked.key)


@pytest.mark.parametrize("examples", in_proportion(12, 150))
def test_every_cut_into_segments_and_every_number_of_buckets_gives_the_builds_fingerprints(examples: int) -> None:
    """Up to any position, as known at any instant, by two books, of ledgers in the open and encrypted ones; with
    patients corrected, merged and parted in between."""

    @settings(max_examples=examples, deadline=None)
    @given(drawn)
    def law(rng: Random) -> None:
        entries, tables = told_by(rng)
        cuts = sorted({rng.randint(0, len(entries)) for _ in range(rng.randint(0, 3))} | {len(entries)})
        with TemporaryDirectory() as name:
            house = ledger_in(Path(name), book_of(tables), rng)
            buckets = rng.choice((1, 7, 64))
            for start, end in zip([0, *cuts], cuts, strict=False):
                house.tell(entries[start:end])
                made = house.grow(buckets)
            assert house.check().differing == []
            assert house.judged() == house.built()
            upto = rng.randint(0, made.position)
            assert house.judged(upto=upto) == house.built(upto=upto)
            at = rng.choice(entries)["recorded_at"]
            assert house.judged(known_at=at)[0] == house.as_known(at)
            other = house.book.but(payers=book_of(told_by(rng)[1]).payers.values())
            assert house.judged_by(house.book, other) == [house.built()[0], house.built(other)[0]]

    law()
