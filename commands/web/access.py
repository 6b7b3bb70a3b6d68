"""Who looked at what: a line for every page with a patient's data, in a file beside the read model.

A page that cannot be recorded is not shown. Each line names every patient whose data the page held; where the ledger is
encrypted by a mark that only its master key makes, so that the file tells nobody's name, and still answers who looked
at a patient that is asked for, forgotten or not.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, takewhile
from pathlib import Path
from typing import Final

import msgspec

from commands.outside import random_nonces, utc_now
from ledger.facts.desk_acts import LooksSealed
from ledger.files import add_line
from ledger.keys.cipher import MasterKey
from ledger.store import EpisodeLedger, RecordConflictError
from projections.words import utc_text


class Access(msgspec.Struct, frozen=True):
    """One look at a page. ``session`` names a browser's session without its secret; ``user`` is who is signed in: by
    the link or the token, whoever runs the site."""

    at: str
    session: str
    user: str
    remote: str
    page: str
    episode: str | None = None
    day: str | None = None
    known_at: str | None = None
    patients: tuple[str, ...] = ()


_decode: Final = msgspec.json.Decoder(Access).decode


class NotRecorded(Exception):
    """The access record could not be written, so the page must not be shown."""


class AccessLog:
    """The file of access records, one JSON line each, readable by its owner alone; only ever added to."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(
        self, session: str, user: str, remote: str, page: str, patients: Iterable[str], **seen: str | None
    ) -> None:
        """Write a line that names these patients, or raise ``NotRecorded``."""
        at, shown = utc_text(utc_now()), tuple(sorted(set(patients)))
        access = Access(at, session, user, remote, page, patients=shown, **seen)
        try:
            add_line(self.path, msgspec.json.encode(access) + b"\n")
        except OSError as error:
            raise NotRecorded(f"the access record could not be written ({error.strerror})") from error


def looks_at(path: Path, names: frozenset[str], first: str | None = None, last: str | None = None) -> Iterator[Access]:
    """The looks at any of these patients, as the file names them, from one date (UTC) to another; in order.

    NotRecorded if there is a line that cannot be read: then nobody can say who looked.
    """
    try:
        with open(path, "rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    access = _decode(line)
                except (msgspec.MsgspecError, UnicodeError):
                    raise NotRecorded(f"line {number} of the access records cannot be read") from None
                if names & set(access.patients) and (first or "") <= access.at[:10] <= (last or "~"):
                    yield access
    except FileNotFoundError:
        return


def records_before(path: Path, day: str) -> tuple[int, str]:
    """How many access records there are up to the last one from before a date (UTC), and their SHA-256.

    Lines are only ever added, so a line that a wrong clock dated ahead was written before those that follow it.
    """
    last = 0
    for number, line in enumerate(_whole_lines(path), 1):
        at = _AT.match(line)
        if not (at and at[1].decode() >= day):
            last = number
    return first_records(path, last)


def first_records(path: Path, lines: int) -> tuple[int, str]:
    """So many access records, or all if they are fewer, and their SHA-256."""
    digest, count = hashlib.sha256(), 0
    for line in islice(_whole_lines(path), lines):
        digest.update(line)
        count += 1
    return count, digest.hexdigest()


def _whole_lines(path: Path) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield from takewhile(lambda line: line.endswith(b"\n"), file)
    except FileNotFoundError:
        return


_AT: Final = re.compile(rb'\{"at":"(\d{4}-\d{2}-\d{2})')


def seal_looks(ledger: EpisodeLedger, path: Path, by: str) -> bool:
    """Seal the access records of the days before today in the ledger, if there are any that are not; whether it was
    done, by this or by another site."""
    seals = ledger.seals_of_looks()
    lines, digest = records_before(path, utc_now().date().isoformat())
    if lines == 0 or (seals and (seals[-1][1].lines, seals[-1][1].sha256) == (lines, digest)):
        return False
    try:
        ledger.record_seal_of_looks(LooksSealed(utc_now(), by, lines, digest, random_nonces(1)[0]))
    except RecordConflictError:  # there will be another page
        return False
    return True


class SealHeld(msgspec.Struct, frozen=True):
    """A seal of access records, and the file that is still as it says; None where there is none."""

    sealed_at: str
    lines: int
    file: str | None


def seals_held(ledger: EpisodeLedger, files: Sequence[Path]) -> Iterator[SealHeld]:
    """Each seal in the ledger held against the files of access records: that of now, and those moved away."""
    for _, act in ledger.seals_of_looks():
        held = (str(path) for path in files if first_records(path, act.lines) == (act.lines, act.sha256))
        yield SealHeld(utc_text(act.at), act.lines, next(held, None))


def marks_of(patients: Iterable[str], master: MasterKey | None) -> frozenset[str]:
    """Patients as access records name them: in the open, or by the mark that the master key makes."""
    return frozenset(patients if master is None else map(master.mark, patients))


def access_file(views: Path) -> Path:
    """Where a ledger's access records are: ``ledger.access.jsonl`` beside the read model ``ledger.views.db``."""
    return views.with_name(views.name.removesuffix(".db").removesuffix(".views") + ".access.jsonl")


def login_name() -> str:
    """The name of the account that runs the site; its number where it has no name."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
