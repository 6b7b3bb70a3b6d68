"""``doctor``: what could go wrong with this ledger on this machine, before it does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import click

from commands.outside import utc_now
from commands.terminal.options import Setup, format_option
from commands.terminal.rollbacks import HINT, stored_rollbacks, told
from commands.terminal.show import show_rows
from commands.verbs.proof import key_option
from ledger.book import BookError
from ledger.facts.entry import UnreadableEntry
from ledger.facts.zones import zone_data_version
from ledger.files import locks_hold
from ledger.keys.cipher import MasterKeyError
from ledger.proof.signing import SigningError, load_key
from ledger.recorders import NoLedger, StoreError
from ledger.recorders.by_name.as_stored import as_stored
from ledger.recorders.by_name.naming import views_file
from ledger.recorders.by_name.tail import broken_in_tail
from ledger.recorders.sqlite.file import plain_path
from ledger.recorders.sqlite.rights import (
    engine,
    files_of,
    free_bytes,
    log_bytes,
    may_write,
    rights_of,
    site_files_of,
)
from ledger.recorders.warnings import warnings_of
from ledger.store import EpisodeLedger, in_postgres
from projections.erasure.handed_out import COPIES, handed_out
from projections.operations.disk_encryption import shelter_of
from projections.operations.health import (
    CheckRow,
    clear_row,
    clock_row,
    closed_row,
    encryption_row,
    engine_rows,
    left_rows,
    log_row,
    model_rows,
    months_row,
    rights_rows,
    room_row,
    setting_rows,
)
from projections.read_model.generations import Places
from projections.read_model.trouble import ViewsError, views_errors
from projections.read_model.version import code_version
from projections.reading.clock import newest_stamp

REBUILD = "'episode-ledger rebuild' builds another from the ledger"
MENDS = "'episode-ledger verify' says what is wrong with it; restore it from a backup"


@click.command()
@key_option
@click.option(
    "--backups",
    type=click.Path(path_type=Path, exists=True, file_okay=False), multiple=True, metavar="DIR",
    help="Where backups are made: what killed ones left there is found, too.",
)  # fmt: skip
@format_option
@click.pass_obj
def doctor(setup: Setup, /, key: Path, backups: tuple[Path, ...], form: str | None) -> None:
    """Look at what the ledger rests on: versions, settings in force, rights, disk room, clock, lag.

    It changes nothing, and does not walk the ledger: that is verify. Ends with 1 if something is wrong; what is marked
    warn does not count.

    \b
    Examples:
      episode-ledger doctor
      episode-ledger doctor --format csv
      episode-ledger doctor --backups /elsewhere
      episode-ledger doctor && echo "nothing is wrong"
    """
    rows = list(_rows(setup, key, backups))
    show_rows(rows, CheckRow, form)
    if any(row.state == "wrong" for row in rows):
        sys.exit(1)


def _rows(setup: Setup, key: Path, backups: Sequence[Path]) -> Iterator[CheckRow]:
    yield CheckRow("program", "ok", f"episode-ledger {code_version()}, Python {sys.version.split()[0]}")
    yield CheckRow("zone data", "ok", f"{zone_data_version()}, of the package tzdata; the machine's own are not read")
    yield CheckRow("event store library", "ok", f"eventsourcing {version('eventsourcing')}")
    in_a_file = not in_postgres(setup.ledger_name)
    if in_a_file:
        yield from engine_rows(engine())
        yield from _of_the_files(plain_path(setup.ledger_name), setup.places)
    yield from _check_rows(
        "book", lambda: _of_the_book(setup), "correct that file of the book, or name another with --book"
    )
    yield from _check_rows("ledger", lambda: _of_the_ledger(setup), MENDS)
    yield from _check_rows("last entries", lambda: iter([_of_the_tail(setup)]), MENDS)
    yield from _check_rows("rollback", lambda: _of_rollbacks(setup), MENDS)
    yield from left_rows(_where_copies_are_made(setup, backups))
    if in_a_file:
        yield from _of_the_key(key, plain_path(setup.ledger_name).parent)


def _check_rows(check: str, look: Callable[[], Iterator[CheckRow]], mends: str) -> Iterator[CheckRow]:
    """The rows of a look that may fail; a failure is a row, too."""
    try:
        yield from look()
    except NoLedger:
        raise
    except BookError as trouble:
        yield from (CheckRow(check, "wrong", mistake, mends) for mistake in str(trouble).splitlines())
    except (StoreError, ViewsError, UnreadableEntry) as trouble:
        yield CheckRow(check, "wrong", str(trouble), mends)


def _of_the_files(path: Path, places: Places) -> Iterator[CheckRow]:
    if not path.is_file():
        raise NoLedger(f"there is no ledger at {path}")
    views = places.current()
    files = files_of(path) + (files_of(views) if views else []) + site_files_of(path)
    yield from rights_rows([rights_of(each) for each in (path.parent, *files)], os.geteuid())
    if not may_write(path) or not may_write(path.parent):
        says = "this user may not write to the ledger's file and folder, as SQLite's log needs"
        yield CheckRow("writable", "wrong", says, "run as the ledger's owner")
    elif not locks_hold(path.parent):
        says = "a lock that one program holds is given to another, too: writers lose each other's entries"
        yield CheckRow("locks", "wrong", says, "move the ledger, with backup and restore, to a disk of this machine")
    else:
        yield CheckRow("locks", "ok", "what one program locks in this folder, another one does not get")
    log = log_bytes(path)
    yield room_row(*free_bytes(path.parent), path.stat().st_size, log)
    yield log_row(log)


def _of_the_book(setup: Setup) -> Iterator[CheckRow]:
    named = setup.book_folder or "the example book in the package, whose rates are invented"
    yield CheckRow("book", "ok", f"{named}, hash {setup.book.hash[:12]}")


def _of_the_ledger(setup: Setup) -> Iterator[CheckRow]:
    try:
        opened = setup.open()
    except MasterKeyError as trouble:
        yield from _of_a_closed_ledger(setup, trouble)
        return
    with opened as ledger:
        yield _of_the_store(ledger.position(), ledger.id)
        yield encryption_row(setup.master.id if setup.master else None, in_a_file=not in_postgres(setup.ledger_name))
        yield from _of_the_settings(ledger.settings())
        yield clock_row(utc_now(), newest_stamp(ledger))
        yield from _check_rows("closed months", lambda: iter([months_row(ledger)]), MENDS)
        yield from _check_rows("read model", lambda: _of_the_model(setup, ledger), REBUILD)
    if setup.master is not None:
        yield from _of_what_is_clear(setup)


def _of_the_tail(setup: Setup) -> CheckRow:
    """What the next entry will be sealed to."""
    if position := broken_in_tail(setup.ledger_name):
        return CheckRow("last entries", "wrong", f"the ledger does not hold at position {position}", MENDS)
    return CheckRow("last entries", "ok", "they hold: what is recorded next is sealed to them")


def _of_rollbacks(setup: Setup) -> Iterator[CheckRow]:
    found = stored_rollbacks(setup.ledger_name, setup.places)
    yield from (CheckRow("rollback", "wrong", told(each), HINT) for each in found)
    if not found:
        yield CheckRow("rollback", "ok", "nothing that a read model here had seen is missing")


def _of_the_store(entries: int, id: str) -> CheckRow:
    return CheckRow("ledger", "ok", f"{entries:,} entries, id {id}, its guards as they were created")


def _of_the_settings(settings: Mapping[str, str]) -> Iterator[CheckRow]:
    yield from setting_rows(settings)
    for sentence in warnings_of(settings):
        yield CheckRow("server", "warn", sentence, "whoever runs the server can say how")


def _where_copies_are_made(setup: Setup, backups: Sequence[Path]) -> Sequence[Path]:
    """The folders that are named, the ledger's own, and those of the copies that an encrypted ledger lists."""
    return (*backups, setup.beside.parent, *(Path(each.path).parent for each in handed_out(setup.places, COPIES)))


def _of_a_closed_ledger(setup: Setup, trouble: MasterKeyError) -> Iterator[CheckRow]:
    """What can be said of a ledger whose entries could not be opened."""
    with as_stored(setup.ledger_name) as entries:
        about = entries.about()
        yield _of_the_store(entries.max_position(), about.get("id", "none"))
        under = about.get("master_key")
        refused = _names_a_key(setup) or (setup.must_encrypt and under is None)
        yield closed_row(under, trouble, named=refused)
        yield from _of_the_settings(entries.settings())
    yield clock_row(utc_now(), None)
    if "master_key" in about:
        yield from _of_what_is_clear(setup)


def _names_a_key(setup: Setup) -> bool:
    try:
        return setup.master is not None
    except MasterKeyError:
        return True


def _of_what_is_clear(setup: Setup) -> Iterator[CheckRow]:
    """Where read models are in the clear: the folder that is named, and the ledger's own if one was left there."""
    folder = setup.places.live.parent
    yield clear_row(folder, shelter_of(folder), there=_has_models(setup.places))
    beside = Places(views_file(setup.ledger_name, None))
    if beside.live != setup.places.live and not in_postgres(setup.ledger_name) and _has_models(beside):
        yield clear_row(beside.live.parent, shelter_of(beside.live.parent), there=True)


def _has_models(places: Places) -> bool:
    return bool(places.generations() or places.current())


def _of_the_model(setup: Setup, ledger: EpisodeLedger) -> Iterator[CheckRow]:
    if not in_postgres(setup.ledger_name) and setup.places.current() is None:
        yield CheckRow("read model", "ok", "none yet; the first read command builds it")
        return
    with views_errors(), closing(setup.views()) as views:
        yield from model_rows(ledger, views, setup.book)


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
