"""A rebuild: a new read model beside the live one, compared with it, brought up to the last entry, switched.

Nothing touches the live read model until the switch, which is one replaced link. Killed before that, a rebuild leaves
the live one as it was; the next one clears its leavings away and starts from the beginning.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Literal, NamedTuple

import msgspec

from ledger.book import Book
from ledger.files import create, put_in_place, write_whole
from ledger.keys.cipher import MasterKey
from ledger.progress import Progress, silent
from ledger.store import EpisodeLedger, open_ledger
from projections.read_model.catch_up import catch_up, made_of
from projections.read_model.generations import Places
from projections.read_model.trouble import SetAside, ViewsError
from projections.read_model.version import code_version, what_changed
from projections.read_model.views import Views, open_views
from projections.reading.budget import budget
from projections.rebuild.build import build
from projections.rebuild.certificate import Certificate, ChangedRow, Comparison, book_changes
from projections.rebuild.live import UNREADABLE, Live, damaged_live, held_still
from projections.rebuild.work import MEMORY_MB, Target, Work, mapped_mb
from projections.rows.digests import Sums

_ROWS: Final = "rows.jsonl"
_NO_FINGERPRINTS: Final[dict[str, str]] = {}


class Wanted(NamedTuple):
    """How to rebuild: with how many processes and how much memory in all; only to compare; setting patients aside; with
    which master key."""

    processes: int = 1
    memory_mb: int = MEMORY_MB
    check: bool = False
    quarantine: bool = False
    master: MasterKey | None = None


def rebuild(
    ledger_name: str, places: Places, book: Book, wanted: Wanted, now: datetime, progress: Progress = silent
) -> Certificate:
    """Build, compare, and switch unless something is unexplained (or only a comparison is wanted).

    A live read model whose file is damaged is not compared with, and a comparison alone ends with DamagedViews.
    Raises UnreadableEntry if an entry cannot be read and ``quarantine`` is not wanted, ViewsError if another one runs.
    """
    with places.rebuilding() as folder, open_ledger(ledger_name, create=False, master=wanted.master) as ledger:
        with held_still(places, ledger, wanted.check) as live:
            upto = int(live.views.noted()["position"]) if live.views else ledger.position()
            path = folder / "built.db"
            work = Work(
                ledger_name, None, upto, mapped_mb(wanted.memory_mb, wanted.processes),
                wanted.quarantine, wanted.master, budget(),
            )  # fmt: skip
            ((sums, set_aside),) = build([Target(path, book.text)], work, wanted.processes, progress)
            with closing(open_views(path)) as new:
                _note(new, ledger, book, upto, sums, set_aside)
                live, compared = _compared(folder, live, wanted, lambda old: Comparison(ledger, old, new, book))
                certificate = _certificate(ledger, live, compared, new, book, _made_at(places, now))
        if wanted.check or certificate.outcome == "unexplained":
            return _filed(places, folder, certificate)
        with closing(open_views(path)) as new:
            catch_up(ledger, new, book, quarantine=wanted.quarantine)
            certificate = msgspec.structs.replace(certificate, set_aside=tuple(new.set_aside().values()))
            _settle(new.connection)
        _filed(places, folder, certificate)
        places.switch(places.adopt(path), damaged=live.damaged)
        return _filed(places, folder, msgspec.structs.replace(certificate, switched=True))


def _note(new: Views, ledger: EpisodeLedger, book: Book, upto: int, sums: Sums, set_aside: list[SetAside]) -> None:
    with new.writing():
        new.sums = sums
        new.put_aside(set_aside)
        new.note(**made_of(ledger, book, upto))


def _settle(connection: sqlite3.Connection) -> None:
    """Everything in the one file, and the query planner told what it holds."""
    connection.execute("ANALYZE")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _certificate(
    ledger: EpisodeLedger, live: Live, compared: Comparison | None, new: Views, book: Book, made_at: str
) -> Certificate:
    code, noted = code_version(), live.views.noted() if live.views else {}
    causes = dict(sorted(compared.causes.items())) if compared else {}
    return Certificate(
        made_at=made_at,
        outcome=_outcome(live.views, causes),
        switched=False,
        ledger=ledger.id,
        position=int(new.noted()["position"]),
        code_before=noted.get("code"),
        code_after=code,
        book_before=noted.get("book"),
        book_after=book.hash,
        book_changes=book_changes(compared.old_book, book) if compared and compared.old_book else (),
        fingerprints_before=live.views.fingerprints() if live.views else _NO_FINGERPRINTS,
        fingerprints_after=new.fingerprints(),
        patients=new.connection.execute("SELECT count(*) FROM digests").fetchone()[0],
        changed_patients=compared.changed_patients if compared else 0,
        changed_rows=causes,
        set_aside=tuple(new.set_aside().values()),
        rows_file=f"{_file_name(made_at)}.rows.jsonl" if causes else None,
        code_changes=what_changed(noted.get("code", ""), code) if compared else (),
        columns_added=compared.columns_added if compared else (),
        not_compared=live.not_compared,
    )


def _made_at(places: Places, now: datetime) -> str:
    """The time as certificates write it; no two of them have the same."""
    while True:
        made_at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        if not (places.certificates / f"{_file_name(made_at)}.json").exists():
            return made_at
        now += timedelta(microseconds=1)


def _compared(
    folder: Path, live: Live, wanted: Wanted, begin: Callable[[Views], Comparison]
) -> tuple[Live, Comparison | None]:
    """The comparison, as far as there is anything to compare with; damage may be found only while it is made."""
    try:
        return live, _made(folder, live.views, begin) if live.views else None
    except UNREADABLE as error:
        (folder / _ROWS).unlink(missing_ok=True)
        return damaged_live(error, wanted.check), None


def _made(folder: Path, live: Views, begin: Callable[[Views], Comparison]) -> Comparison:
    """The comparison made, every changed row in a file of the folder."""
    comparison = begin(live)
    try:
        _write_rows(folder, comparison.changed_rows())
    except sqlite3.OperationalError as error:
        if "decode" not in str(error):
            raise
        live.connection.text_factory = _readable  # damaged, so that it is no text any more
        comparison = begin(live)
        _write_rows(folder, comparison.changed_rows())
    return comparison


def _readable(text: bytes) -> str:
    return text.decode(errors="backslashreplace")


def _outcome(live: Views | None, causes: dict[str, int]) -> Literal["first", "equal", "explained", "unexplained"]:
    if live is None:
        return "first"
    if "unexplained" in causes:
        return "unexplained"
    return "explained" if causes else "equal"


def _write_rows(folder: Path, rows: Iterator[ChangedRow]) -> None:
    (folder / _ROWS).unlink(missing_ok=True)
    with open(create(folder / _ROWS), "wb") as out:
        out.writelines(msgspec.json.encode(row) + b"\n" for row in rows)


def _filed(places: Places, folder: Path, certificate: Certificate) -> Certificate:
    """The certificate kept, and the rows it names; each file appears whole or not at all."""
    places.certificates.mkdir(mode=0o700, exist_ok=True)
    if certificate.rows_file and (folder / _ROWS).exists():
        put_in_place(folder / _ROWS, places.certificates / certificate.rows_file)
    text = msgspec.json.format(msgspec.json.encode(certificate), indent=2) + b"\n"
    write_whole(places.certificates / f"{_file_name(certificate.made_at)}.json", text)
    return certificate


def _file_name(made_at: str) -> str:
    return made_at.replace(":", "")


def certificates(places: Places) -> list[Certificate]:
    """The certificates kept, oldest first; a file that is none is passed over."""
    if not places.certificates.is_dir():
        return []
    found = []
    for path in sorted(path for path in places.certificates.iterdir() if path.suffix == ".json"):
        with suppress(msgspec.MsgspecError):
            found.append(msgspec.json.decode(path.read_bytes(), type=Certificate))
    return found


def go_back(places: Places) -> Path:
    """Make the read model before the live one the live one; ViewsError if there is none."""
    with places.rebuilding():
        previous = places.previous()
        if previous is None:
            raise ViewsError("there is no earlier read model to go back to")
        places.switch(previous)
        return previous
