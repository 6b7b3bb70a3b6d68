"""What must hold before anything is recorded, signed or closed: locks, the clock, the last entry, the whole chain."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from commands.terminal.options import Setup
from commands.terminal.progress import progress
from commands.terminal.show import printable, say
from commands.writing.handle import WrongClock
from ledger.files import locks_hold
from ledger.recorders.by_name.naming import folder_of
from ledger.recorders.by_name.proving import prove
from ledger.recorders.by_name.tail import refuse_broken_tail
from ledger.store import EpisodeLedger


@contextmanager
def opened_to_record(setup: Setup, *, create: bool) -> Iterator[EpisodeLedger]:
    """The ledger, if it can be recorded into; that it was made is said on stderr."""
    if create:
        _refuse_folder_without_locks(setup)
    with setup.open(create=create) as ledger:
        if ledger.made:
            say(printable(_made(setup)))
        else:
            refuse_broken_tail(setup.ledger_name)
        yield ledger


@contextmanager
def clock_told() -> Iterator[None]:
    """A clock that cannot be right ends it with what to do."""
    try:
        yield
    except WrongClock as doubt:
        raise click.UsageError(f"{doubt}; set it, or if it is right give --clock-is-right") from None


def _refuse_folder_without_locks(setup: Setup) -> None:
    """UsageError where a ledger is about to be made in which writers would lose each other's entries."""
    folder = folder_of(setup.ledger_name)
    if folder is None or os.path.lexists(setup.ledger_name) or not os.access(folder, os.W_OK, effective_ids=True):
        return
    if not locks_hold(folder):
        raise click.UsageError(
            f"in {folder} a lock that one program holds is given to another, too, so that writers would lose each"
            " other's entries: name a ledger on a disk of this machine"
        )


def _made(setup: Setup) -> str:
    how = f"encrypted under master key {setup.master.id}" if setup.master else "not encrypted"
    return f"Made a new ledger: {os.path.realpath(setup.ledger_name)}, {how}."


def refuse_broken(setup: Setup, so: str) -> None:
    """End with 1 if the ledger does not hold: nothing is signed, and no month fixed, on one that does not."""
    with progress("Verifying", "entries") as tell:
        report = prove(setup.ledger_name, (), tell, setup.master)
    if not report.holds:
        say(f"episode-ledger: the ledger does not hold, so {so}")
        say("hint: 'episode-ledger verify' says what is wrong, and at which position")
        sys.exit(1)
