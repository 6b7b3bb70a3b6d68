"""The command ``episode-ledger``: the command line, after a look at whether it can run here."""

from __future__ import annotations

import gc
import sys
from typing import Final

from episode_ledger.check import CannotRun, check_can_run

WRONG: Final = 2


def main() -> None:
    """Run the command line and exit with its status; 2, with one plain line and a hint, where it cannot run."""
    try:
        check_can_run()
    except CannotRun as trouble:
        sys.stderr.write(f"episode-ledger: {trouble}\nhint: {trouble.hint}\n")
        sys.exit(WRONG)
    from commands.cli import main as command_line

    try:
        command_line()
    finally:
        gc.freeze()  # what is left goes with the process: looking through it for cycles took a sixth of a short command


if __name__ == "__main__":
    main()
