"""The commands that a page shows, run again in an empty folder, and what they print.

A fence ``console`` holds commands after ``$ `` and below each what it prints, as on a terminal. A fence ``json FILE``
is a file that the reader saves first. The fences of a page are one session in one folder, in which ``docs`` leads to
these pages if the page speaks of ``docs/examples``. Instants, ids and hashes differ from run to run and are let be.
"""

from __future__ import annotations

import atexit
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Final

SCRIPTS: Final = Path(__file__).resolve().parent
ROOT: Final = SCRIPTS.parent
PAGES: Final = (
    "README.md", "docs/start/first-episode.md", "docs/start/month-from-spreadsheets.md",
    "docs/how-to/close-a-month.md", "docs/how-to/compare.md", "docs/how-to/correct-a-mistake.md",
    "docs/how-to/outgrow-one-machine.md", "docs/how-to/what-if.md",
)  # fmt: skip

_FENCE: Final = re.compile(r"^```(console|json \S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_END: Final = "<end of the output>"
_VARIES: Final = re.compile(r"[0-9a-f]{64}|\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?|\b[0-9a-f]{32}\b")
_SHELL: Final = """\
episode-ledger() {{ {python} -S -I {typed} {place} "$@"; }}
exec 2>&1
"""


def commands_of(text: str) -> list[str]:
    """The commands that a page shows with what they print."""
    return [line[2:] for kind, body in _FENCE.findall(text) if kind == "console" for line in _commands(body)]


def _commands(body: str) -> list[str]:
    return [line for line in body.splitlines() if line.startswith("$ ")]


def run_anew(text: str) -> str:
    """The page with what its commands print today; what only varies is left as the page has it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        printed = iter(_run(text, folder))
    return _FENCE.sub(lambda fence: _filled(fence, printed), text)


def _filled(fence: re.Match[str], printed: object) -> str:
    assert hasattr(printed, "__next__")
    if fence[1] != "console":
        return fence[0]
    lines = fence[2].splitlines()
    starts = [place for place, line in enumerate(lines) if line.startswith("$ ")] + [len(lines)]
    parts = []
    for start, end in pairwise(starts):
        shown, today = "\n".join(lines[start + 1 : end]).strip("\n"), next(printed)
        gap = "\n\n" if end < len(lines) else "\n"
        output = shown if _VARIES.sub("…", shown) == _VARIES.sub("…", today) else today
        parts.append("\n".join(filter(None, (lines[start], output))) + gap)
    return f"```console\n{''.join(parts)}```"


def _run(text: str, folder: Path) -> list[str]:
    """What each command of a page prints, in the order of the page."""
    script = _SHELL.format(python=shlex.quote(sys.executable), typed=SCRIPTS / "typed.py", place=_terminal())
    if "docs/examples" in text:
        (folder / "docs").symlink_to(ROOT / "docs")
    for kind, body in _FENCE.findall(text):
        if kind != "console":
            script += f"cat >{shlex.quote(kind.split()[1])} <<'{_END}'\n{body}{_END}\n"
        for line in _commands(body):
            script += f"{line[2:]}\necho {shlex.quote(_END)}\n"
    transcript = folder / ".transcript"
    plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
    with transcript.open("w") as out:
        subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", script],
            cwd=folder, stdout=out, stdin=subprocess.DEVNULL, check=False,
            env=plain | {"TRANSCRIPT": str(transcript), "COLUMNS": "120", "USER": "you", "LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    told = transcript.read_text(encoding="utf-8").replace(os.path.realpath(folder), "/home/you")
    return [_clean(part) for part in told.split(f"{_END}\n")]


@cache
def _terminal() -> Path:
    """The socket of the process that runs what is typed; it ends with this process."""
    holder = Path(tempfile.mkdtemp(prefix="terminal-"))
    atexit.register(shutil.rmtree, holder, ignore_errors=True)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(holder / "socket"))
        listening.listen()
        program = [sys.executable, str(SCRIPTS / "as_on_a_terminal.py")]
        process = subprocess.Popen(program, stdin=listening.fileno(), stdout=subprocess.DEVNULL)
    atexit.register(_end, process)
    return holder / "socket"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _clean(output: str) -> str:
    return "\n".join(line.rstrip() for line in output.splitlines()).strip("\n")


def out_of_date() -> list[str]:
    """The pages whose commands print something else today."""
    return [name for name in PAGES if (page := (ROOT / name).read_text(encoding="utf-8")) != run_anew(page)]


def write() -> list[str]:
    """Write into these pages what their commands print today; gives the pages that changed."""
    stale = out_of_date()
    for name in stale:
        path = ROOT / name
        path.write_text(run_anew(path.read_text(encoding="utf-8")), encoding="utf-8")
    return stale
