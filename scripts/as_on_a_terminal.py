"""``episode-ledger`` for a page's transcript: tables as on a terminal, unless the output goes into a pipe or a file.

The file that the transcript is written into is named by TRANSCRIPT.
"""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from commands.cli import main  # noqa: E402


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _is_the_transcript() -> bool:
    return os.path.sameopenfile(1, os.open(os.environ.pop("TRANSCRIPT"), os.O_RDONLY))


if __name__ == "__main__":
    if _is_the_transcript():
        sys.stdout = _Terminal(sys.stdout.buffer, encoding="utf-8", line_buffering=True)
    main()
