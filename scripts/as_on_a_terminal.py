"""``episode-ledger`` for a page's transcript: tables as on a terminal, unless the output goes into a pipe or a file.

The file that the transcript is written into is named by TRANSCRIPT. One process has loaded what commands need and forks
another for each that is typed (``typed.py``): to load it again takes longer than most commands. It listens on the
socket that is its standard input, until it is ended.
"""

from __future__ import annotations

import io
import os
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from commands.cli import main  # noqa: E402
from commands.verbs.verb_list import VERBS  # noqa: E402

HEAVY = ("serve", "users")
"""Verbs of what no page runs."""


class _Terminal(io.TextIOWrapper):
    def isatty(self) -> bool:
        return True


def _is_the_transcript() -> bool:
    return os.path.sameopenfile(1, os.open(os.environ.pop("TRANSCRIPT"), os.O_RDONLY))


def _asked(connection: socket.socket) -> tuple[list[str], list[str], list[int]]:
    """The folder and words of a command, its environment, and where it reads, writes and complains."""
    said, streams, _, _ = socket.recv_fds(connection, 1 << 16, 3)
    while more := connection.recv(1 << 16):
        said += more
    words, environment = (part.split("\0") for part in said.decode().split("\0\0"))
    return words, environment, streams


def _run(folder: str, words: list[str], environment: list[str], streams: list[int]) -> int:
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(each.split("=", 1) for each in environment)
    kind = _Terminal if _is_the_transcript() else io.TextIOWrapper
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), encoding="utf-8")
    sys.stdout = kind(_writer(1), encoding="utf-8", line_buffering=kind is _Terminal)
    sys.stderr = io.TextIOWrapper(_writer(2), encoding="utf-8", errors="backslashreplace", line_buffering=True)
    try:
        main(words)
    except SystemExit as ended:
        sys.stdout.flush()
        return int(ended.code or 0)
    return 70


def _writer(descriptor: int) -> io.BufferedWriter:
    return io.BufferedWriter(io.FileIO(descriptor, "w", closefd=False))


def serve(listening: socket.socket) -> None:
    """Fork a process for each command, for ever."""
    while True:
        connection, _ = listening.accept()
        if not os.fork():
            status = 70
            try:
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                (folder, *words), environment, streams = _asked(connection)
                status = _run(folder, words, environment, streams)
            finally:
                connection.send(bytes([status]))
                os._exit(status)
        connection.close()


if __name__ == "__main__":
    for verb in VERBS.keys() - set(HEAVY):
        import_module(f"commands.verbs.{VERBS[verb].module}")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    serve(socket.socket(fileno=os.dup(0)))
