"""What ``doctor`` looks at: each check gives one row, with what to do where something is not right."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

from msgspec import Struct

from ledger.book import Book
from ledger.keys.cipher import MasterKeyError
from ledger.recorders.sqlite.rights import EXPECTED, Engine, Rights
from ledger.store import EpisodeLedger
from ledger.unfinished import left_behind
from projections.audit.as_closed import closed_otherwise
from projections.operations.disk_encryption import Shelter
from projections.operations.status import behind
from projections.read_model.catch_up import stale_because
from projections.read_model.views import Views
from projections.reading.clock import to_the_second, why_doubtful

State = Literal["ok", "warn", "wrong"]

ROOM_FOR_A_BATCH_BYTES: Final = 32 * 2**20
LOG_IS_LONG_BYTES: Final = 256 * 2**20
FIRST_YEAR: Final = 2026
LAST_YEAR: Final = 2099
SKEW: Final = timedelta(seconds=2)
CIPHER: Final = "AES-256-GCM, a key for each episode, under master key"


class CheckRow(Struct, frozen=True):
    """One thing that was looked at, how it is, and what to do about it."""

    check: str
    state: State
    says: str
    do: str | None = None


def engine_rows(engine: Engine) -> Iterator[CheckRow]:
    """The SQLite that is loaded."""
    if engine.reset_bug:
        yield CheckRow(
            "sqlite", "warn",
            f"{engine.version} has the WAL-reset bug: a commit during another connection's checkpoint may lose entries",
            "this program lets one connection at a time checkpoint, which avoids it; let no other program write to the"
            " ledger, and use SQLite 3.51.3 or later (or 3.50.7, 3.44.6)",
        )  # fmt: skip
    else:
        yield CheckRow("sqlite", "ok", f"{engine.version}, without the WAL-reset bug")


def setting_rows(settings: Mapping[str, str], expected: Mapping[str, str] = EXPECTED) -> Iterator[CheckRow]:
    """The engine's settings in force, as they were read back."""
    for name, value in settings.items():
        right = expected.get(name, value) == value
        todo = None if right else "another program changed it; open the ledger with this program alone"
        says = value if right else f"{value}, and should be {expected[name]}"
        yield CheckRow(f"setting {name}", "ok" if right else "wrong", says, todo)


def encryption_row(under: str | None, *, in_a_file: bool) -> CheckRow:
    """How the entries of a ledger are encrypted that could be opened; ``under`` is its master key's id."""
    if under is None:
        says = f"none: entries can be read by whoever may read the {'file' if in_a_file else 'database'}"
        return CheckRow("encryption", "ok", says)
    return CheckRow("encryption", "ok", f"{CIPHER} {under}")


def closed_row(under: str | None, trouble: MasterKeyError, *, named: bool) -> CheckRow:
    """Why a ledger stayed closed: no key was named, which may well be meant, or one that is not to be used with it."""
    how = f"{CIPHER} {under}" if under is not None else "none"
    if not named:
        return CheckRow("encryption", "warn", f"{how}; it was not named, so the entries stayed closed", trouble.hint)
    todo = trouble.hint if under is None else f"{trouble.hint}; only the key it was made with opens this ledger"
    return CheckRow("encryption", "wrong", f"{how}; {trouble}", todo)


def clear_row(folder: Path, shelter: Shelter | None, *, there: bool) -> CheckRow:
    """Where an encrypted ledger's read model is, or will be: it holds in the clear what the ledger keeps encrypted."""
    is_ = "is in the clear" if there else "will be in the clear"
    if shelter is None:
        todo = (
            "name a folder on an encrypted disk or in memory with --views DIR (EPISODE_VIEWS), and delete the read"
            " model in this one: it is built anew; if this folder is encrypted all the same, leave it"
        )
        says = f"it {is_} in {folder}, and nothing shows that this folder is encrypted or in memory"
        return CheckRow("read model's folder", "warn", says, todo)
    told = (
        "in memory; see that what is swapped out is encrypted, too" if shelter == "memory" else "on an encrypted disk"
    )
    return CheckRow("read model's folder", "ok", f"it {is_} in {folder}, {told}")


def rights_rows(found: Sequence[Rights], user: int) -> Iterator[CheckRow]:
    """Who may read and change the ledger's files, and its folder."""
    for each in found:
        state, says = _rights(each, user)
        mode = f"{each.mode:04o}"
        command = f"chmod {'0700' if each.folder else '0600'} on it, as its owner"
        yield CheckRow(f"rights of {each.path}", state, f"{mode}, {says}", None if state == "ok" else command)


def _rights(each: Rights, user: int) -> tuple[State, str]:
    if each.others_write:
        return "wrong", "others than the owner may change it"
    if each.folder:
        return "ok", "only the owner may put files there"
    if each.all_read:
        return "wrong", "everybody on this machine may read it"
    if each.group_reads:
        return "warn", "the owner's group may read it"
    if each.owner != user and user != 0:
        return "warn", "it belongs to another user"
    return "ok", "for its owner alone"


def room_row(free: int, total: int, ledger: int, log: int) -> CheckRow:
    """The room on the ledger's disk, against what a batch, the log and a rebuild may need."""
    says = f"{_size(free)} free of {_size(total)}; the ledger has {_size(ledger)}, its log {_size(log)}"
    todo = "make room: when the disk is full nothing is damaged, but nothing can be recorded either"
    if free < ROOM_FOR_A_BATCH_BYTES:
        return CheckRow("disk room", "wrong", says, todo)
    short = free < 2 * log or free < ledger or free < 0.1 * total
    return CheckRow("disk room", "warn" if short else "ok", says, todo if short else None)


def log_row(log: int) -> CheckRow:
    """The length of the write-ahead log: a reader that never ends keeps it from being copied back."""
    if log > LOG_IS_LONG_BYTES:
        todo = "look for a program that has had the ledger open for long, and end it; the next recording shortens it"
        return CheckRow("write-ahead log", "warn", f"{_size(log)}: something keeps it from being copied back", todo)
    return CheckRow("write-ahead log", "ok", _size(log))


def _size(count: int) -> str:
    size, units = float(count), iter(("bytes", "KiB", "MiB", "GiB"))
    unit = next(units)
    while size >= 1024 and (larger := next(units, None)):
        size, unit = size / 1024, larger
    return f"{size:,.0f} {unit}"


def left_rows(folders: Iterable[Path]) -> Iterator[CheckRow]:
    """What killed backups and restores left: copies of the ledger that nobody asked for."""
    where = {Path(os.path.realpath(folder)) for folder in folders}
    found = [left for folder in sorted(where) for left in left_behind(folder)]
    todo = "remove it; the next backup or restore in that folder does so, too"
    yield from (
        CheckRow("left behind", "warn", f"{left}: of a backup or restore that was killed", todo) for left in found
    )
    if not found:
        yield CheckRow("left behind", "ok", "nothing of killed backups or restores, where they are known to be made")


def clock_row(now: datetime, newest: datetime | None) -> CheckRow:
    """This machine's clock, against the year and the newest entry."""
    says = to_the_second(now)
    todo = "set this machine's clock before anything is recorded: recorded_at cannot be corrected"
    go_on = (
        f"{todo}; if it is right, a wrong one stamped that entry, which with its episode keeps that time:"
        " 'record --clock-is-right' goes on"
    )
    if not FIRST_YEAR <= now.year <= LAST_YEAR:
        return CheckRow("clock", "wrong", f"{says}: that is not the time", todo)
    if newest is not None and newest > now + SKEW:
        told = f"{says}, before the newest entry ({to_the_second(newest)}): it is slow, or was fast"
        return CheckRow("clock", "wrong", told, go_on)
    if doubt := why_doubtful(now, newest):
        return CheckRow("clock", "warn", doubt, go_on)
    return CheckRow("clock", "ok", says)


def months_row(ledger: EpisodeLedger) -> CheckRow:
    """The closed months: whether this version judges their days as they were judged when they were closed."""
    if found := closed_otherwise(ledger):
        says = "; ".join(f"{month} was closed otherwise: {', '.join(differs)}" for month, differs in found.items())
        todo = (
            "nothing is lost: 'close MONTH' prints what was closed, 'restatements MONTH' the days judged otherwise now"
        )
        return CheckRow("closed months", "warn", says, todo)
    return CheckRow("closed months", "ok", "judged as this version judges" if ledger.closings() else "none")


def model_rows(ledger: EpisodeLedger, views: Views, book: Book) -> Iterator[CheckRow]:
    """The read model: how far it is behind, whether it can be carried on, who is left out of it."""
    reason = stale_because(views, ledger, book)
    if reason:
        yield CheckRow("read model", "warn", f"{reason}", "the next read command builds it anew")
    else:
        lag = behind(ledger, views)
        says = f"{lag:,} entries behind; every read command catches up first" if lag else "up to the last entry"
        yield CheckRow("read model", "ok", says)
    if aside := views.set_aside():
        says = f"{len(aside)} patients are set aside: an entry of theirs cannot be read"
        yield CheckRow("set aside", "wrong", says, "restore the ledger from a backup; 'status' names the entries")
