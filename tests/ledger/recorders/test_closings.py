"""A closed month stands in the ledger between the entries, sealed like them, and is in nobody's way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from ledger.book import load_book
from ledger.facts.administration import BookAdopted
from ledger.store import EpisodeLedger, RecordConflictError, UnreadableEntry
from projections.read_model.catch_up import catch_up, stale_because
from projections.read_model.views import passing_views
from projections.reading.cohorts import cohorts_in, complete
from tests.builders import (
    OCTOBER,
    entry,
)
from tests.seals import assert_sealed
from tests.stores import open_ledger

pytestmark = pytest.mark.usefixtures("every_store")


@pytest.fixture
def ledger(path: Path) -> EpisodeLedger:
    """Two entries, a closing, another entry."""
    opened = open_ledger(path, create=True)
    opened.append([entry(1), entry(2)], [("P-1", "EP-1")])
    assert opened.record_closing(OCTOBER) == 3
    assert opened.append([entry(3)]) == [4]
    return opened


def test_it_comes_back_as_it_was_recorded(ledger: EpisodeLedger) -> None:
    assert ledger.closings() == [(3, OCTOBER)]
    assert [ledger.count_of_unjudged(upto) for upto in (2, 3, 4)] == [0, 1, 1]


def test_it_is_sealed_like_an_entry(ledger: EpisodeLedger, path: Path) -> None:
    with pytest.raises(AssertionError):
        assert_sealed(ledger, path)  # that reads entries alone: the chain goes over the closing, too
    assert len(ledger.seal_at(3)) == 64


def test_readers_of_entries_do_not_meet_it(ledger: EpisodeLedger) -> None:
    assert [position for position, _ in ledger.follow(0)] == [1, 2, 4]
    assert [item.id for item in ledger.notification_log.select(1, 10)] == [1, 2, 4]
    assert ledger.versions_since(0) == [("EP-1", 3)]
    assert ledger.versions_since(2) == [("EP-1", 3)]
    assert [list(streams) for streams in complete(ledger, cohorts_in(ledger, 4), 4)] == [["EP-1"]]


def test_a_read_model_stands_on_it_and_is_carried_on(ledger: EpisodeLedger) -> None:
    views, book = passing_views(), load_book(None)
    assert catch_up(ledger, views, book) == 4
    ledger.record_closing(msgspec.structs.replace(OCTOBER, month="2026-11"))
    assert stale_because(views, ledger, book) is None
    assert catch_up(ledger, views, book) == 5
    assert stale_because(views, ledger, book) is None


def test_of_two_that_close_at_once_one_is_told(
    ledger: EpisodeLedger, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_ledger(path, create=False) as other:
        monkeypatch.setattr(other, "house_acts", list)  # it read before the first was recorded
        with pytest.raises(RecordConflictError):
            other.record_closing(OCTOBER)
    with pytest.raises(RecordConflictError):
        ledger.record_closing(OCTOBER)


@pytest.mark.sqlite_file
def test_one_that_cannot_be_read_is_told_by_its_position(ledger: EpisodeLedger) -> None:
    with ledger._entries.datastore.transaction(commit=True) as cursor:
        cursor.execute("SELECT sql FROM sqlite_master WHERE name = 'entries_update'")
        (text,) = cursor.fetchone()
        cursor.execute("DROP TRIGGER entries_update")
        cursor.execute("UPDATE entries SET state = '{' WHERE position = 3")
        cursor.execute(text)
    with pytest.raises(UnreadableEntry, match="position 3"):
        ledger.closings()


def test_a_book_taken_up_stands_beside_closed_months(ledger: EpisodeLedger) -> None:
    adopted = BookAdopted(datetime(2026, 11, 4, 9, tzinfo=UTC), "feed", "the book", "2" * 64, "3" * 32)
    assert ledger.record_adoption(adopted) == 5
    assert ledger.adoptions() == [(5, adopted)]
    assert ledger.closings() == [(3, OCTOBER)]
    assert ledger.count_of_unjudged(5) == 2
