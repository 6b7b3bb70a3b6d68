"""A ledger with its read models: filled, caught up, rebuilt, damaged and laid beside each other."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from commands.writing.record import record
from ledger.book import Book, load_book
from ledger.store import EpisodeLedger
from projections.read_model.catch_up import catch_up
from projections.read_model.generations import Places
from projections.read_model.views import TABLES, Views, open_views, passing_views, views_path
from projections.reading import cohorts
from projections.rebuild.certificate import Certificate, ChangedRow
from projections.rebuild.rebuild import Wanted, rebuild
from tests import kept
from tests.command_line import BOOK, INTAKE, House, Told, example, lines_of
from tests.histories import history
from tests.stores import named, open_ledger
from tests.tampering import (
    plant,
)

LATER = datetime(2027, 12, 1, tzinfo=UTC)

Tables = dict[str, list[tuple[Any, ...]]]


def tell(ledger: EpisodeLedger, entries: Sequence[Told]) -> None:
    stream = BytesIO(lines_of(entries))
    outcomes = list(record(ledger, stream, keep_recorded_at=True, clock=lambda: LATER))
    assert {outcome.outcome for outcome in outcomes} <= {"recorded"}, outcomes


def tables(views: Views) -> Tables:
    """Every row of every table, in an order of its own."""
    query = views.connection.execute
    return {table: sorted(query(f'SELECT * FROM "{table}"').fetchall(), key=repr) for table in TABLES}


NOW = datetime(2026, 12, 1, 8, tzinfo=UTC)


class Site:
    """A ledger in a folder, its read models, and the book it is judged by."""

    def __init__(self, folder: Path, entries: Sequence[Told], book: Book) -> None:
        self.path, self.book = folder / "ledger.db", book
        self.places = Places(views_path(self.path))
        with open_ledger(self.path, create=True) as ledger:
            tell(ledger, entries)

    def tell(self, *entries: Told) -> None:
        """Record more."""
        with open_ledger(self.path, create=False) as ledger:
            tell(ledger, entries)

    def catch_up(self, book: Book | None = None) -> Tables:
        """The live read model brought up to date, and its rows."""
        with open_ledger(self.path, create=False) as ledger, closing(self.places.open_live()) as views:
            catch_up(ledger, views, book or self.book)
            return tables(views)

    def rebuild(self, book: Book | None = None, **wanted: Any) -> Certificate:
        """One rebuild."""
        return rebuild(named(self.path), self.places, book or self.book, Wanted(**wanted), NOW)

    def rows(self) -> Tables:
        """The live rows as they stand."""
        with closing(open_views(self.places.live)) as views:
            return tables(views)

    def damage(self, statement: str, *values: object) -> None:
        """Change the live read model behind its back."""
        with closing(sqlite3.connect(self.places.live, isolation_level=None)) as connection:
            assert connection.execute(statement, values).rowcount > 0

    def plant(self, statement: str, *values: object) -> None:
        """Change the ledger behind its back, its guards taken off and put back."""
        plant(self.path, statement, *values)

    def names(self) -> list[str]:
        """The files of the read models, without logs and certificates."""
        names = (path.name for path in self.path.parent.glob("ledger.views.*"))
        return sorted(name for name in names if not name.endswith(("-wal", "-shm", ".lock", ".certificates")))


def crowd(rng: Random, histories: int) -> tuple[list[list[Told]], dict[str, Any]]:
    """Several random histories under one book; each two share their patients, each has episodes of its own."""
    found, book = [], {}
    for number in range(histories):
        entries, book = history(rng)
        found.append([_renamed(entry, number) for entry in entries])
    return found, book


def _renamed(entry: Told, number: int) -> Told:
    def fact(fact: Told) -> Told:
        changed = {"patient": f"{fact['patient']}.{number // 2}"} if "patient" in fact else {}
        inner = {"fact": _fact(fact["fact"])} if "fact" in fact else {}
        return fact | changed | inner

    _fact = fact
    return entry | {"episode": f"{entry['episode']}.{number}", "fact": fact(entry["fact"])}


def mixed(rng: Random, histories: Sequence[Sequence[Told]]) -> list[Told]:
    """The histories as they might arrive: each in its own order, one in between the other."""
    order = [number for number, entries in enumerate(histories) for _ in entries]
    rng.shuffle(order)
    coming = [iter(entries) for entries in histories]
    return [next(coming[number]) for number in order]


def whole(path: Path, book: Book) -> tuple[dict[str, str], Tables]:
    """Fingerprints and rows of a read model made in one piece by catching up."""
    with open_ledger(path, create=False) as ledger, closing(passing_views()) as views:
        catch_up(ledger, views, book)
        return views.fingerprints(), tables(views)


@contextmanager
def reading_at_once(entries: int) -> Iterator[None]:
    """A rebuild reads so many entries ahead, about."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cohorts, "ENTRIES_AT_ONCE", entries)
        yield


def rows(site: Site, made: Certificate) -> list[ChangedRow]:
    """The rows that a certificate's file lists."""
    if made.rows_file is None:
        return []
    lines = (site.places.certificates / made.rows_file).read_bytes().splitlines()
    found = [msgspec.json.decode(line, type=ChangedRow) for line in lines]
    assert Counter(row.cause for row in found) == made.changed_rows
    assert len({row.patient for row in found if row.table != "model"}) == made.changed_patients
    return found


def three_patients_site(folder: Path) -> Site:
    """Three patients, caught up."""
    kept.copied(folder, "a site of three patients", _three_patients_site)
    return Site(folder, [], load_book(BOOK))


def _three_patients_site(folder: Path) -> None:
    told = [entry for number in (1, 2, 3) for entry in example(f"EP-{number}", f"P-{number}")]
    Site(folder, [entry | {"recorded_at": "2026-03-01T10:00Z"} for entry in told], load_book(BOOK)).catch_up()


def three_patients_house(folder: Path) -> House:
    """Three patients, caught up, with a command line."""
    return kept.house(folder, "three patients", _three_patients)


def _three_patients(house: House) -> None:
    house.run("record", INTAKE)
    house.tell(*example("EP-2", "P-2"), *example("EP-3", "P-3"))
    assert len(house.run("days").rows) == 9
