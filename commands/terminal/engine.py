"""With what a whole ledger is judged: the options of ``rebuild`` and ``what-if``.

Apart from the other options, so that a short answer does not load the machinery of many processes.
"""

from __future__ import annotations

import os
from typing import Final

import click

from commands.terminal.options import Command
from projections.rebuild.work import MEMORY_MB

ENTRIES_A_PROCESS: Final = 50_000
"""Below so many entries another process costs more than it helps."""


def engine_options(command: Command) -> Command:
    """``--processes`` and ``--memory``: with what a whole ledger is judged."""
    command = click.option(
        "--memory",
        type=click.IntRange(128),
        default=MEMORY_MB,
        show_default=True,
        metavar="MB",
        help="For all processes together; what is beyond 512 maps the ledger's file, which is read faster then.",
    )(command)
    return click.option(
        "--processes", type=click.IntRange(1, 64), help="Default: one for each core, fewer for a small ledger."
    )(command)


def processes_for(entries: int) -> int:
    """How many processes a ledger of so many entries is worth: one for each core at most."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cores, entries // ENTRIES_A_PROCESS))
