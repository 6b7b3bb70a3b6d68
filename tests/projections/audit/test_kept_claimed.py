"""What the read model keeps of claims says what working them out anew says, and goes when the patient changes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import load_book
from ledger.judge.patients import by_episode, gather
from ledger.store import EpisodeLedger
from projections.audit.claimed import claimed_days, claimed_of, claims_of_several
from projections.audit.kept_claimed import keep_claimed, kept_in, packed, unpacked
from projections.read_model.catch_up import catch_up
from projections.read_model.kept_claims import kept_patients
from projections.read_model.views import Views, passing_views
from tests.harness import book_of, typed
from tests.histories import history
from tests.stores import open_ledger
from tests.stories import Course, march, summer
from tests.tiers import many

drawn = st.integers(0, 2**64 - 1).map(Random)


@given(drawn)
@settings(max_examples=many(20, 120), deadline=None)
def test_rows_come_out_of_their_text_as_they_went_in(rng: Random) -> None:
    entries, tables = history(rng, house=True)
    book, streams = book_of(tables), by_episode(typed(entries))
    for patient in gather(streams):
        rows = claimed_of(streams, patient.name, book, every=True)
        assert unpacked(packed(rows)) == rows


@given(drawn)
@settings(max_examples=many(15, 80), deadline=None)
def test_several_patients_at_once_have_the_rows_that_each_has(rng: Random) -> None:
    entries, tables = history(rng, house=True)
    book, streams = book_of(tables), by_episode(typed(entries))
    names = {patient.name for patient in gather(streams)}
    for every in (True, False):
        expected = {name: claimed_of(streams, name, book, every=every) for name in names}
        assert {name: told.claimed for name, told in claims_of_several(streams, names, book, every).items()} == expected
    assert claims_of_several(streams, set(), book, True) == {}


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[EpisodeLedger]:
    """Three patients with something to say of each, and one without."""
    with open_ledger(tmp_path / "ledger.db", create=True) as opened:
        lost = march().at("2026-05-11T10:00Z").tell("home", "Discharged", date="2026-03-04")
        for number, story in enumerate((lost.told, march().told, summer().told, Course().days("2026-03-02").told), 1):
            entries = [entry | {"episode": f"EP-{number}"} for entry in story]
            entries[0]["fact"] = entries[0]["fact"] | {"patient": f"P-{number}"}
            opened.append(typed(entries), [(f"P-{number}", f"EP-{number}")])
        yield opened


@pytest.fixture
def views(ledger: EpisodeLedger) -> Iterator[Views]:
    with closing(passing_views()) as opened:
        catch_up(ledger, opened, load_book())
        yield opened


def shown(ledger: EpisodeLedger, views: Views, *, every: bool) -> list[Any]:
    return list(claimed_days(ledger, load_book(), every=every, kept=kept_in(views, every=every)))


def kept_now(views: Views, *, every: bool = False) -> set[str]:
    """Of whom anything is kept, by any version."""
    if not views.has_claims():
        return set()
    return {name for (name,) in views.connection.execute("SELECT patient FROM claims WHERE every >= ?", (every,))}


@pytest.mark.parametrize("every", [False, True])
def test_what_is_kept_is_shown_as_if_it_were_worked_out(ledger: EpisodeLedger, views: Views, every: bool) -> None:
    anew = list(claimed_days(ledger, load_book(), every=every))
    assert shown(ledger, views, every=every) == anew
    keep_claimed(ledger, views, load_book(), every=every)
    assert kept_now(views) == {"P-1", "P-2", "P-3", "P-4"}
    assert shown(ledger, views, every=every) == anew
    views.connection.execute("UPDATE claims SET text = '[]'")
    assert shown(ledger, views, every=every) == [], "it is what is kept that is shown"


def test_days_that_differ_do_for_those_alone_and_every_day_for_both(ledger: EpisodeLedger, views: Views) -> None:
    differing, every = (list(claimed_days(ledger, load_book(), every=all_)) for all_ in (False, True))
    keep_claimed(ledger, views, load_book(), every=False)
    assert kept_in(views, every=True)("P-1") is None
    assert shown(ledger, views, every=True) == every
    keep_claimed(ledger, views, load_book(), every=True)
    assert kept_now(views, every=True) == {"P-1", "P-2", "P-3", "P-4"}
    assert shown(ledger, views, every=False) == differing
    assert shown(ledger, views, every=True) == every


def test_it_goes_when_the_patient_changes_and_only_then(ledger: EpisodeLedger, views: Views) -> None:
    keep_claimed(ledger, views, load_book(), every=False)
    course = march().at("2026-06-01T10:00Z").tell("late", "Discharged", date="2026-03-03")
    version = len(march().told)
    entry = typed([each | {"episode": "EP-2"} for each in course.told])[version]
    ledger.append([entry], [])
    catch_up(ledger, views, load_book())
    assert kept_now(views) == {"P-1", "P-3", "P-4"}
    anew = list(claimed_days(ledger, load_book()))
    assert shown(ledger, views, every=False) == anew
    assert {row.patient for row in anew} > {"P-2"}
    keep_claimed(ledger, views, load_book(), every=False)
    assert kept_now(views) == {"P-1", "P-2", "P-3", "P-4"}
    assert shown(ledger, views, every=False) == anew


def test_nothing_is_kept_of_a_read_model_that_went_on_meanwhile(ledger: EpisodeLedger, views: Views) -> None:
    def others_catch_up(done: int, of: int) -> None:
        views.connection.execute("UPDATE model SET value = '1000' WHERE key = 'position'")

    keep_claimed(ledger, views, load_book(), every=False, progress=others_catch_up)
    assert kept_now(views) == set()


def test_nothing_is_kept_where_the_rows_are_built_anew(ledger: EpisodeLedger, views: Views) -> None:
    keep_claimed(ledger, views, load_book(), every=False)
    with views.writing():
        views.clear()
    assert not views.has_claims()


def test_what_another_version_worked_out_is_not_shown_and_goes(ledger: EpisodeLedger, views: Views) -> None:
    keep_claimed(ledger, views, load_book(), every=True)
    views.connection.execute("UPDATE claims SET text = '[]'")
    views.note(claims="another version")
    assert kept_in(views, every=False)("P-1") is None
    keep_claimed(ledger, views, load_book(), every=False)
    assert shown(ledger, views, every=False) == list(claimed_days(ledger, load_book()))


def test_few_are_read_one_by_one(ledger: EpisodeLedger, views: Views, monkeypatch: pytest.MonkeyPatch) -> None:
    keep_claimed(ledger, views, load_book(), every=False)
    views.connection.execute("DELETE FROM claims WHERE patient = 'P-1'")
    monkeypatch.setattr("projections.audit.kept_claimed._FEW", 2)
    monkeypatch.setattr("projections.audit.kept_claimed.complete", None)
    keep_claimed(ledger, views, load_book(), every=False)
    assert kept_now(views) == {"P-1", "P-2", "P-3", "P-4"}
    assert shown(ledger, views, every=False) == list(claimed_days(ledger, load_book()))


def test_the_table_is_a_strict_one(ledger: EpisodeLedger, views: Views) -> None:
    keep_claimed(ledger, views, load_book(), every=False)
    with pytest.raises(sqlite3.IntegrityError):
        views.connection.execute("INSERT INTO claims VALUES ('P-9', 'yes', '[]', '[]')")
    assert kept_patients(views, "another version", every=False) == set()
