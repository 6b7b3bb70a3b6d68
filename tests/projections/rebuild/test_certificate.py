"""The certificate: every row that differs between two read models, each with the cause of its difference."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book, load_book
from ledger.judge.patients import Patient
from projections.read_model import catch_up as catching_up
from projections.read_model.tables import STORED, TABLES
from projections.read_model.views import open_views
from projections.rebuild import certificate as comparing
from projections.rebuild import part as building
from projections.rebuild import rebuild as rebuilding
from projections.rebuild.certificate import ChangedRow, book_changes
from projections.rebuild.read_back import patients_unlike
from projections.rebuild.rebuild import certificates
from projections.rows import house as of_the_house
from projections.rows.digests import digest
from projections.rows.patient import Sheets, derive_patient
from tests.command_line import BOOK, House, example
from tests.harness import book_of
from tests.read_models import Site, Tables, crowd, mixed, rows, whole
from tests.stores import examples
from tests.tiers import many


def naive(before: Tables, after: Tables) -> Counter[tuple[str, str, str]]:
    """Every row of one side only, as text."""
    found: Counter[tuple[str, str, str]] = Counter()
    for table in TABLES:
        for side, ours, theirs in (("before", before, after), ("after", after, before)):
            for row, count in (Counter(ours[table]) - Counter(theirs[table])).items():
                found[table, side, str(dict(zip(TABLES[table], row, strict=True)))] += count
    return found


def listed(found: Sequence[ChangedRow]) -> Counter[tuple[str, str, str]]:
    return Counter(
        (row.table, side, str(value))
        for row in found
        for side, value in (("before", row.before), ("after", row.after))
        if value is not None
    )


def newer(monkeypatch: pytest.MonkeyPatch, name: str = "9.9.9/2/abc") -> None:
    """This program calls itself another version."""
    monkeypatch.setattr(rebuilding, "code_version", lambda: name)
    monkeypatch.setattr(catching_up, "code_version", lambda: name)


def other_judge(monkeypatch: pytest.MonkeyPatch, *patients: str) -> None:
    """This program judges some patients otherwise: every day is free."""

    def judge(patient: Patient, book: Book, *_: object) -> Sheets:
        sheets = derive_patient(patient, book)
        if patient.name not in patients:
            return sheets
        return sheets._replace(runs=[run._replace(rate_cents=0) for run in sheets.runs])

    def judge_each(patients: Sequence[Patient], book: Book) -> list[Sheets]:
        return [judge(patient, book) for patient in patients]

    for module, derive in ((building, "derive_from"), (catching_up, "derive_from"), (of_the_house, "derive_patient")):
        monkeypatch.setattr(module, derive, judge)
    monkeypatch.setattr(building, "derive_each", judge_each)


def dearer(folder: Path) -> Book:
    """The example's book with another price."""
    shutil.copytree(BOOK, folder / "dearer")
    terms = folder / "dearer" / "payers" / "prairie.toml"
    terms.write_text(terms.read_text(encoding="utf-8").replace("S9325 = 9000 }", "S9325 = 9100 }"), encoding="utf-8")
    return load_book(folder / "dearer")


# Damaged rows

ONE = "patient = 'P-1' AND first_date = '2026-02-02'"  # a run of two days
DAMAGE = {
    "a cell of two days": (f"UPDATE day_runs SET status = 'hold' WHERE {ONE}", 4),
    "a number": ("UPDATE lines SET charge_cents = charge_cents + 1 WHERE patient = 'P-2'", 2),
    "an empty cell": (f"UPDATE day_runs SET reason = '' WHERE {ONE}", 4),
    "the causes of a day": (f"UPDATE day_runs SET because = replace(because, 'pump:2026-02-03', '') WHERE {ONE}", 2),
    "two days less": (f"DELETE FROM day_runs WHERE {ONE}", 2),
    "a line less": ("DELETE FROM lines WHERE patient = 'P-3'", 1),
    "a patient's days less": ("DELETE FROM day_runs WHERE patient = 'P-3'", 3),
    "a day of nobody": ("INSERT INTO day_runs (patient, episode, first_date, last_date, days, because)"
                        " VALUES ('P-0', 'EP-0', '2026-02-03', '2026-02-03', 1, '[[]]')", 1),
    "a line twice": ("INSERT INTO lines SELECT * FROM lines WHERE patient = 'P-1'", 1),
    "a line of nobody": ("INSERT INTO lines (patient, episode, units) VALUES ('P-99', 'EP-99', 7)", 1),
    "a finding of nobody": ("INSERT INTO findings (patient, rule) VALUES ('Q', 'claimed_twice')", 1),
    "a finding of somebody": ("INSERT INTO findings (patient, rule) VALUES ('P-2', 'claimed_twice')", 1),
    "days of no patient": (f"UPDATE day_runs SET patient = NULL WHERE {ONE}", 4),
    "a line of the empty patient": ("UPDATE lines SET patient = '' WHERE patient = 'P-1'", 2),
    "days of another patient": ("UPDATE day_runs SET patient = 'P-2' WHERE patient = 'P-1'", 6),
    "a digest": ("UPDATE digests SET lines = x'00' WHERE patient = 'P-1'", 1),
    "an empty digest": ("UPDATE digests SET lines = NULL WHERE patient = 'P-1'", 1),
    "a digest less": ("DELETE FROM digests WHERE patient = 'P-1'", 1),
    "a fingerprint": ("UPDATE model SET value = '00' || substr(value, 3) WHERE key = 'fingerprint days'", 1),
}  # fmt: skip
NOT_WHOLE = {
    "no text any more": f"UPDATE day_runs SET because = CAST(x'5bff5d' AS TEXT) WHERE {ONE}",
    "no causes": f"UPDATE day_runs SET because = NULL WHERE {ONE}",
    "causes that are no list of lists": f"UPDATE day_runs SET because = '[\"pump:2026-02-02\"]' WHERE {ONE}",
    "causes that break off": f"UPDATE day_runs SET because = substr(because, 1, 20) WHERE {ONE}",
    "causes of one day less": f"UPDATE day_runs SET because = '[[]]' WHERE {ONE}",
    "one day more than there are": f"UPDATE day_runs SET days = 3 WHERE {ONE}",
    "another last date": f"UPDATE day_runs SET last_date = '2026-02-09' WHERE {ONE}",
    "a first date that is none": f"UPDATE day_runs SET first_date = '2026-02-30' WHERE {ONE}",
    "no first date": f"UPDATE day_runs SET first_date = NULL WHERE {ONE}",
}
"""A run whose dates, number of days and causes disagree: it is shown as it stands, in one row."""


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_listed_exactly_and_repaired(site: Site, what: str) -> None:
    before = site.rows()
    fingerprints = whole(site.path, site.book)[0]
    statement, count = DAMAGE[what]
    site.damage(statement)
    for check in (True, False):
        made = site.rebuild(check=check)
        assert (made.outcome, made.switched) == ("explained", not check)
        assert made.changed_rows == {"damaged view": count}
        found = rows(site, made)
        assert all((row.before is None) != (row.after is None) or row.table in ("digests", "model") for row in found)
        if {row.table for row in found} <= TABLES.keys():
            with closing(open_views(site.places.previous() if made.switched else site.places.live)) as damaged:  # type: ignore[arg-type]
                query = damaged.connection.execute
                damaged_rows = {table: query(f'SELECT * FROM "{table}"').fetchall() for table in TABLES}
            assert listed(found) == naive(damaged_rows, before)
    assert site.rows() == before
    with closing(open_views(site.places.live)) as views:
        assert views.fingerprints() == fingerprints
    assert site.rebuild().outcome == "equal"


def test_only_whose_rows_differ_are_read_row_by_row_wherever_they_stand(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    by_digest = comparing.digests_of_those
    monkeypatch.setattr(comparing, "digests_of_those", lambda live, names: by_digest(live, read.extend(names) or names))
    site.rebuild()
    site.tell(*example("EP-4", "P-2"))
    site.catch_up()  # P-2 has more rows now, after those of P-3
    assert (site.rebuild().outcome, read) == ("equal", [])
    shutil.copy(site.places.live, tmp_path / "as_built.db")
    site.damage("UPDATE lines SET units = units + 1 WHERE patient = 'P-3'")
    with closing(open_views(site.places.live)) as live, closing(open_views(tmp_path / "as_built.db")) as built:
        assert patients_unlike(live.connection, built.connection) == {"P-3"}
        assert patients_unlike(built.connection, live.connection) == {"P-3"}
        live.connection.execute("ALTER TABLE findings ADD another TEXT")
        assert patients_unlike(live.connection, built.connection) is None, "of other columns it cannot be said"


@pytest.mark.parametrize("what", NOT_WHOLE)
def test_a_run_that_is_not_whole_is_listed_and_repaired(site: Site, what: str) -> None:
    before = site.rows()
    site.damage(NOT_WHOLE[what])
    for check in (True, False):
        made = site.rebuild(check=check)
        assert (made.outcome, made.switched, made.changed_rows) == ("explained", not check, {"damaged view": 3})
        gone, *come = rows(site, made)
        assert ".." in (gone.before or {})["date"]
        assert [row.after and row.after["date"] for row in come] == ["2026-02-02", "2026-02-03"]
    assert site.rows() == before
    assert site.rebuild().outcome == "equal"


def keep_days_in_a_table(site: Site) -> None:
    """The live read model in its shape of before: a table of days, one row for each."""
    with closing(sqlite3.connect(site.places.live, isolation_level=None)) as connection:
        for statement in (
            "CREATE TABLE kept AS SELECT * FROM days ORDER BY patient, episode, date",
            "DROP VIEW days", "DROP TABLE day_runs", "ALTER TABLE kept RENAME TO days",
            "CREATE UNIQUE INDEX days_by_patient ON days (patient, episode, date)",
            "UPDATE model SET value = '3' WHERE key = 'shape'",
            "UPDATE model SET value = '0.1.0/2.3/abc/2026a' WHERE key = 'code'",
        ):  # fmt: skip
            connection.execute(statement)


def test_a_read_model_that_kept_days_one_by_one_has_the_same_rows(site: Site) -> None:
    before = site.rows()
    keep_days_in_a_table(site)
    assert site.rows() == before
    made = site.rebuild()
    assert (made.outcome, made.switched, made.columns_added) == ("equal", True, ())
    assert made.code_changes
    assert made.fingerprints_before == made.fingerprints_after
    assert site.rows() == before


def test_every_row_of_one_that_differs_has_its_cause(site: Site, tmp_path: Path) -> None:
    site.damage(f"UPDATE day_runs SET status = 'hold' WHERE {ONE}")
    keep_days_in_a_table(site)
    made = site.rebuild(dearer(tmp_path))
    causes = Counter((row.patient, row.cause) for row in rows(site, made) if row.table == "days")
    assert causes == {
        ("P-1", "damaged view"): 2, ("P-1", "new book"): 2, ("P-2", "new book"): 4, ("P-3", "new book"): 4,
    }  # fmt: skip
    assert (made.outcome, made.switched) == ("explained", True)


def test_one_that_kept_days_one_by_one_is_laid_anew_by_catching_up(site: Site) -> None:
    before = site.rows()
    keep_days_in_a_table(site)
    assert site.catch_up() == before
    assert site.rebuild().outcome == "equal"


def test_everything_of_a_patient_gone_is_damage(site: Site, tmp_path: Path) -> None:
    """Also with the digest, and also when the book is another one."""
    for table in STORED:
        with closing(sqlite3.connect(site.places.live, isolation_level=None)) as connection:
            connection.execute(f"DELETE FROM {table} WHERE patient = 'P-2'")
    made = site.rebuild(check=True)
    assert (made.changed_rows, made.outcome) == ({"damaged view": 4}, "explained")
    made = site.rebuild(dearer(tmp_path))
    found = rows(site, made)
    assert {row.cause for row in found if row.patient == "P-1"} == {"new book"}
    assert {row.cause for row in found if row.patient == "P-2"} == {"new book", "damaged view"}
    assert made.outcome == "explained"


def test_rows_and_digests_that_agree_are_held_to_the_fingerprint(site: Site) -> None:
    """Somebody who changes a row and its digest has not changed the sum."""
    with closing(open_views(site.places.live)) as views:
        fingerprints = views.fingerprints()
        with views.writing():
            views.connection.execute("UPDATE day_runs SET status = 'hold' WHERE patient = 'P-2'")
            days = views.connection.execute("SELECT * FROM days WHERE patient = 'P-2' ORDER BY date").fetchall()
            found = digest("P-2", days)
            views.connection.execute("UPDATE digests SET days = ? WHERE patient = 'P-2'", (found,))
        assert views.fingerprints() == fingerprints
    made = site.rebuild()
    assert (made.outcome, made.changed_rows) == ("explained", {"damaged view": 6})


def test_check_ends_with_1_where_rows_differ(house: House) -> None:
    with closing(sqlite3.connect(house.views, isolation_level=None)) as connection:
        connection.execute(f"DELETE FROM day_runs WHERE {ONE}")
    live = house.views.readlink()
    ended = house.run("rebuild", "--check")
    assert (ended.status, ended.rows[0]["changed_rows"]) == (1, {"damaged view": 2})
    assert (house.views.readlink(), len(house.run("days").rows)) == (live, 7)
    told = house.run("rebuild", tty=True).out.decode()
    for words in ("2 rows: damaged view", "every difference has its cause", "switched to", ".rows.jsonl"):
        assert words in told
    assert len(house.run("days").rows) == 9
    shown = house.run("status").rows[0]["rebuilds"]
    assert [(made["outcome"], made["switched"], made["changed_rows"]) for made in shown] == [
        ("explained", False, 2),
        ("explained", True, 2),
    ]


# Other books, other code


@settings(max_examples=examples(many(8, 100)), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_another_book_causes_exactly_the_naive_difference(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    rng = Random(seed)
    histories, tables_of_book = crowd(rng, 3)
    other = book_of(crowd(rng, 1)[1])
    site = Site(tmp_path_factory.mktemp("site"), mixed(rng, histories), book_of(tables_of_book))
    before = site.catch_up()
    made = site.rebuild(other)
    assert made.changed_rows.keys() <= {"new book"}
    assert made.switched
    found = rows(site, made)
    after = whole(site.path, other)[1]
    assert listed(found) == naive(before, after)
    assert site.rows() == after
    assert bool(found) == (made.outcome == "explained")


def test_what_differs_between_the_books_is_named(site: Site, tmp_path: Path) -> None:
    made = site.rebuild(dearer(tmp_path))
    assert made.book_changes == ("payer prairie-blue, terms from 2025-01-01, published 2024-11-15: changed",)
    assert (made.book_before, made.book_after != made.book_before) == (site.book.hash, True)
    assert made.changed_rows == {"new book": 2 * len([row for row in rows(site, made) if row.before])}
    back = site.rebuild()
    assert (back.outcome, back.changed_rows) == ("explained", made.changed_rows)


def test_books_are_compared_by_name() -> None:
    bare = Book((), (), ())
    full = load_book(BOOK)
    added, removed = book_changes(bare, full), book_changes(full, bare)
    assert len(added) == len(removed) > 3
    assert {change.split(": ")[1] for change in added} == {"added"}
    assert {change.split(": ")[1] for change in removed} == {"removed"}
    assert book_changes(full, full) == ()


def test_another_version_that_judges_alike_changes_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    newer(monkeypatch)
    made = site.rebuild()
    assert (made.outcome, made.code_after, made.code_before != made.code_after) == ("equal", "9.9.9/2/abc", True)


def test_another_version_that_judges_otherwise(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    newer(monkeypatch)
    other_judge(monkeypatch, "P-1", "P-3")
    made = site.rebuild()
    assert (made.outcome, made.changed_rows, made.changed_patients) == ("explained", {"new code version": 12}, 2)
    assert {(row.table, row.patient) for row in rows(site, made)} == {("days", "P-1"), ("days", "P-3")}


def test_book_code_and_damage_at_once(site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Each row has its own cause, also where one patient has several."""
    site.damage("UPDATE lines SET units = 99 WHERE patient = 'P-2'")
    newer(monkeypatch)
    other_judge(monkeypatch, "P-3")
    made = site.rebuild(dearer(tmp_path))
    causes = Counter((row.patient, row.table, row.cause) for row in rows(site, made))
    billable = 2 * 2  # two billable days, as they were and as they are
    assert causes == {
        ("P-1", "days", "new book"): billable,
        ("P-1", "lines", "new book"): 2,
        ("P-2", "days", "new book"): billable,
        ("P-2", "lines", "damaged view"): 1,
        ("P-2", "lines", "new book"): 1,
        ("P-3", "days", "new code version"): 6,
        ("P-3", "lines", "new book"): 2,
    }
    assert (made.outcome, made.switched) == ("explained", True)


# Without a cause


@pytest.mark.parametrize("book", ["same book", "new book"])
def test_an_unexplained_difference_is_not_switched_to(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, book: str
) -> None:
    before, names = site.rows(), site.names()
    other_judge(monkeypatch, "P-2")
    made = site.rebuild(dearer(tmp_path) if book == "new book" else None)
    assert (made.outcome, made.switched) == ("unexplained", False)
    causes = {row.patient: row.cause for row in rows(site, made) if row.table == "days"}
    others = {"P-1": "new book", "P-3": "new book"} if book == "new book" else {}
    assert causes == {"P-2": "unexplained"} | others
    assert (site.rows(), site.names()) == (before, names)
    assert [kept.outcome for kept in certificates(site.places)] == ["unexplained"]
    assert not list(site.path.parent.glob("*building*"))


def test_damage_does_not_hide_what_is_unexplained(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.damage("UPDATE lines SET units = 99 WHERE patient = 'P-2'")
    other_judge(monkeypatch, "P-2")
    made = site.rebuild()
    assert (made.outcome, made.switched) == ("unexplained", False)


@pytest.mark.sqlite_file
def test_an_unexplained_difference_ends_with_1(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    before = house.run("days").out
    with monkeypatch.context() as patched:
        other_judge(patched, "P-2")
        ended = house.run("rebuild", "--processes", "1")
        assert (ended.status, ended.rows[0]["outcome"], ended.rows[0]["switched"]) == (1, "unexplained", False)
        told = house.run("rebuild", "--processes", "1", tty=True)
        assert told.status == 1
        assert "Nothing was switched; report this" in told.out.decode()
    assert house.run("days").out == before
    assert house.views.readlink() == Path("ledger.views.1.db")
    assert json.loads((min((house.folder / "ledger.views.certificates").glob("*Z.json"))).read_text())["outcome"]
