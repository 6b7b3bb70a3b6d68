"""A ledger that does not hold: nothing is signed, and no month closed, on one."""

from __future__ import annotations

import sys

from commands.terminal.options import Setup
from commands.terminal.progress import progress
from commands.terminal.show import say
from ledger.recorders.by_name.proving import prove


def refuse_broken(setup: Setup, so: str) -> None:
    """End with 1 if the ledger does not hold: nothing is signed, and no month fixed, on one that does not."""
    with progress("Verifying", "entries") as tell:
        report = prove(setup.ledger_name, (), tell, setup.master)
    if not report.holds:
        say(f"episode-ledger: the ledger does not hold, so {so}")
        say("hint: 'episode-ledger verify' says what is wrong, and at which position")
        sys.exit(1)
