"""A rebuild: a new read model beside the live one, compared with it, brought up to the last entry, switched.

Nothing touches the live read model until the switch, which is one replaced link. Killed before that, a rebuild leaves
the live one as it was; the next one clears its leavings away and starts from the beginning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from ledger.book import Book
from ledger.store import EpisodeLedger, open_ledger
from projections.build import MEMORY_MB, Work, build, held_entries
from projections.catch_up import Progress, catch_up, made_of, of_this_ledger, silent
from projections.certificate import Certificate, ChangedRow, Comparison, book_changes
from projections.digests import Sums
from projections.places import Places
from projections.tables import SHAPE
from projections.version import code_version
from projections.views import SetAside, Views, ViewsError, open_views

_NO_FINGERPRINTS: Final[dict[str, str]] = {}


class Wanted(NamedTuple):
    """How to rebuild: with how many processes and how much memory in all; only to compare; setting patients aside."""

    processes: int = 1
    memory_mb: int = MEMORY_MB
    check: bool = False
    quarantine: bool = False


def rebuild(
    ledger_name: str, places: Places, book: Book, wanted: Wanted, now: datetime, progress: Progress = silent
) -> Certificate:
    """Build, compare, and switch unless something is unexplained (or only a comparison is wanted).

    Raises UnreadableEntry if an entry cannot be read and ``quarantine`` is not wanted, ViewsError if another one runs.
    """
    with places.rebuilding() as folder, open_ledger(ledger_name, create=False) as ledger:
        with _held_still(places, ledger) as live:
            upto = int(live.noted()["position"]) if live else ledger.position()
            path = folder / "built.db"
            work = Work(
                ledger_name, book.text, None, upto, held_entries(wanted.memory_mb, wanted.processes), wanted.quarantine
            )
            sums, set_aside = build(path, work, wanted.processes, progress)
            with closing(open_views(path)) as new:
                _note(new, ledger, book, upto, sums, set_aside)
                certificate = _compare(places, ledger, live, new, book, now)
        if wanted.check or certificate.outcome == "unexplained":
            return _filed(places, certificate)
        with closing(open_views(path)) as new:
            catch_up(ledger, new, book)
            _settle(new.connection)
        places.switch(places.adopt(path))
        return _filed(places, msgspec.structs.replace(certificate, switched=True))


@contextmanager
def _held_still(places: Places, ledger: EpisodeLedger) -> Iterator[Views | None]:
    """The live read model in one snapshot, if there is one of this ledger with anything in it."""
    if places.current() is None:
        yield None
        return
    with closing(open_views(places.live)) as live, live.reading():
        noted = live.noted()
        same = "book_text" in noted and of_this_ledger(noted, ledger) is None
        yield live if same and noted.get("shape") == SHAPE else None


def _note(new: Views, ledger: EpisodeLedger, book: Book, upto: int, sums: Sums, set_aside: list[SetAside]) -> None:
    with new.writing():
        new.sums = sums
        new.put_aside(set_aside)
        new.note(**made_of(ledger, book, upto))


def _settle(connection: sqlite3.Connection) -> None:
    """Everything in the one file, and the query planner told what it holds."""
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _compare(
    places: Places, ledger: EpisodeLedger, live: Views | None, new: Views, book: Book, now: datetime
) -> Certificate:
    code, made_at = code_version(), now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    noted = live.noted() if live else {}
    changes: tuple[str, ...] = ()
    causes: dict[str, int] = {}
    changed_patients, rows_file = 0, None
    if live:
        comparison = Comparison(ledger, live, new, book, code)
        if comparison.old_book:
            changes = book_changes(comparison.old_book, book)
        rows_file = _write_rows(places, made_at, comparison.changed_rows())
        causes, changed_patients = dict(sorted(comparison.causes.items())), comparison.changed_patients
    return Certificate(
        made_at=made_at,
        outcome=_outcome(live, causes),
        switched=False,
        ledger=ledger.id,
        position=int(new.noted()["position"]),
        code_before=noted.get("code"),
        code_after=code,
        book_before=noted.get("book"),
        book_after=book.hash,
        book_changes=changes,
        fingerprints_before=live.fingerprints() if live else _NO_FINGERPRINTS,
        fingerprints_after=new.fingerprints(),
        patients=new.connection.execute("SELECT count(*) FROM digests").fetchone()[0],
        changed_patients=changed_patients,
        changed_rows=causes,
        set_aside=tuple(new.set_aside().values()),
        rows_file=rows_file,
    )


def _outcome(live: Views | None, causes: dict[str, int]) -> Literal["first", "equal", "explained", "unexplained"]:
    if live is None:
        return "first"
    if "unexplained" in causes:
        return "unexplained"
    return "explained" if causes else "equal"


def _write_rows(places: Places, made_at: str, rows: Iterator[ChangedRow]) -> str | None:
    first = next(rows, None)
    if first is None:
        return None
    path = _certificate_path(places, made_at, "rows.jsonl")
    with path.open("xb") as out:
        path.chmod(0o600)
        out.write(msgspec.json.encode(first) + b"\n")
        out.writelines(msgspec.json.encode(row) + b"\n" for row in rows)
    return path.name


def _filed(places: Places, certificate: Certificate) -> Certificate:
    path = _certificate_path(places, certificate.made_at, "json")
    with path.open("xb") as out:
        path.chmod(0o600)
        out.write(msgspec.json.format(msgspec.json.encode(certificate), indent=2) + b"\n")
    return certificate


def _certificate_path(places: Places, made_at: str, ending: str) -> Path:
    places.certificates.mkdir(mode=0o700, exist_ok=True)
    return places.certificates / f"{made_at.replace(':', '')}.{ending}"


def certificates(places: Places) -> list[Certificate]:
    """The certificates kept, oldest first."""
    if not places.certificates.is_dir():
        return []
    paths = sorted(path for path in places.certificates.iterdir() if path.suffix == ".json")
    return [msgspec.json.decode(path.read_bytes(), type=Certificate) for path in paths]


def go_back(places: Places) -> Path:
    """Make the read model before the live one the live one; ViewsError if there is none."""
    with places.rebuilding():
        previous = places.previous()
        if previous is None:
            raise ViewsError("there is no earlier read model to go back to")
        places.switch(previous)
        return previous
