"""``doctor``: what could go wrong with this ledger on this machine, before it does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import click

from commands.clock import utc_now
from commands.options import House, format_option
from commands.proof import key_option
from commands.show import show_rows
from ledger.book import BookError
from ledger.entry import UnreadableEntry
from ledger.recorders import NoLedger, StoreError
from ledger.recorders.sqlite_file import plain_path
from ledger.recorders.sqlite_files import (
    access_records_of,
    engine,
    files_of,
    free_bytes,
    log_bytes,
    may_write,
    rights_of,
)
from ledger.recorders.warnings import warnings_of
from ledger.signing import SigningError, load_key
from ledger.store import EpisodeLedger, in_postgres
from projections.health import (
    CheckRow,
    clock_row,
    engine_rows,
    log_row,
    model_rows,
    newest_of,
    rights_rows,
    room_row,
    setting_rows,
)
from projections.version import code_version
from projections.views import ViewsError

MENDS = "'episode-ledger verify' says what is wrong with it; restore it from a backup"


@click.command()
@key_option
@format_option
@click.pass_obj
def doctor(house: House, /, key: Path, form: str | None) -> None:
    """Look at what the ledger rests on: versions, settings in force, rights, disk room, clock, lag.

    It changes nothing, and does not walk the ledger: that is verify. Ends with 1 if something is wrong; what is marked
    warn does not count.

    \b
    Examples:
      episode-ledger doctor
      episode-ledger doctor --format csv
      episode-ledger doctor && echo "nothing is wrong"
    """
    rows = list(_rows(house, key))
    show_rows(rows, CheckRow, form)
    if any(row.state == "wrong" for row in rows):
        sys.exit(1)


def _rows(house: House, key: Path) -> Iterator[CheckRow]:
    yield CheckRow("program", "ok", f"episode-ledger {code_version()}, Python {sys.version.split()[0]}")
    yield CheckRow("event store library", "ok", f"eventsourcing {version('eventsourcing')}")
    in_a_file = not in_postgres(house.ledger_name)
    if in_a_file:
        yield from engine_rows(engine())
        yield from _of_the_files(plain_path(house.ledger_name))
    yield from _told("book", lambda: _of_the_book(house), "correct that file of the book, or name another with --book")
    yield from _told("ledger", lambda: _of_the_ledger(house), MENDS)
    if in_a_file:
        yield from _of_the_key(key, plain_path(house.ledger_name).parent)


def _told(check: str, look: Callable[[], Iterator[CheckRow]], mends: str) -> Iterator[CheckRow]:
    """The rows of a look that may fail; a failure is a row, too."""
    try:
        yield from look()
    except NoLedger:
        raise
    except (StoreError, ViewsError, BookError, UnreadableEntry) as trouble:
        yield CheckRow(check, "wrong", str(trouble), mends)


def _of_the_files(path: Path) -> Iterator[CheckRow]:
    if not path.is_file():
        raise NoLedger(f"there is no ledger at {path}")
    views = House(str(path), None).places.current()
    files = files_of(path) + (files_of(views) if views else []) + access_records_of(path)
    yield from rights_rows([rights_of(each) for each in (path.parent, *files)], os.geteuid())
    if not may_write(path) or not may_write(path.parent):
        says = "this user may not write to the ledger's file and folder, as SQLite's log needs"
        yield CheckRow("writable", "wrong", says, "run as the ledger's owner")
    log = log_bytes(path)
    yield room_row(*free_bytes(path.parent), path.stat().st_size, log)
    yield log_row(log)


def _of_the_book(house: House) -> Iterator[CheckRow]:
    named = house.book_folder or "the example book in the package, whose rates are invented"
    yield CheckRow("book", "ok", f"{named}, hash {house.book.hash[:12]}")


def _of_the_ledger(house: House) -> Iterator[CheckRow]:
    with house.open() as ledger:
        says = f"{ledger.position():,} entries, id {ledger.id}, its guards as they were created"
        yield CheckRow("ledger", "ok", says)
        yield from setting_rows(ledger.settings())
        for sentence in warnings_of(ledger.settings()):
            yield CheckRow("server", "warn", sentence, "whoever runs the server can say how")
        yield clock_row(utc_now(), newest_of(ledger))
        yield from _told("read model", lambda: _of_the_model(house, ledger), "delete it; it is built anew")


def _of_the_model(house: House, ledger: EpisodeLedger) -> Iterator[CheckRow]:
    if not in_postgres(house.ledger_name) and house.places.current() is None:
        yield CheckRow("read model", "ok", "none yet; the first read command builds it")
        return
    with closing(house.views()) as views:
        yield from model_rows(ledger, views, house.book)


def _of_the_key(key: Path, folder: Path) -> Iterator[CheckRow]:
    if not os.path.lexists(key):
        yield CheckRow("signing key", "ok", "none here: checkpoints are signed elsewhere, or not at all")
        return
    try:
        load_key(key, away_from=folder)
    except SigningError as trouble:
        yield CheckRow("signing key", "wrong", str(trouble), trouble.hint)
    else:
        yield CheckRow("signing key", "ok", "outside the ledger's folder, for its owner alone")
