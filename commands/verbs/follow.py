"""``follow``: changes of days as they come, for a pipe."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from socket import socket
from typing import Any, Final

import click
import msgspec

from commands.recording.leaving_out import LeftOut
from commands.terminal.options import Setup
from commands.verbs.since import Since, check_since, say_taken_up, since_option
from ledger.recorders.by_name.naming import hint_of
from ledger.store import EpisodeLedger
from projections.changes.days import changes_since
from projections.export.as_text import as_objects
from projections.export.shapes import DATASETS, SCHEMA_VERSION
from projections.read_model import version

HINTS_AT_ONCE: Final = 4096
REST_SECONDS: Final = 0.05
"""Between two looks, however many hints there are: what comes in one go is looked at in one go."""


class Followed(msgspec.Struct, frozen=True):
    """What is followed, and from where: the first line."""

    ledger: str
    position: int
    seal: str
    code_version: str
    book_hash: str
    schema_version: str


@click.command()
@since_option
@click.option(
    "--interval",
    type=click.FloatRange(min=0.01),
    default=0.5,
    show_default=True,
    help="Seconds between looks; PostgreSQL tells sooner when something came.",
)
@click.option("--once", is_flag=True, help="End when the ledger's last entry is reached.")
@click.pass_obj
def follow(
    setup: Setup, /, since: int | None, seal: str | None, code_version: str | None, interval: float, once: bool
) -> None:
    """Print each day that is not what it was, as JSON Lines, until stopped.

    The first line says what is followed: ledger, position, seal, code version, book and schema. Every other line is a
    row of 'export changes', and "last": true with the "seal" on the last of those that lead to one position: only then
    is that position yours, to resume from with --since, --seal and --code-version. Without --since it begins now;
    --since 0 tells everything. It is made for a pipe, and ends when nobody reads any more; with 4 where you have to
    load everything anew, and with 5 where somebody was forgotten since. Changes of lines, findings, claimed days and
    payments do not come here: ask for them with 'export line_changes --since' and the like, as often as you want them.

    \b
    Examples:
      episode-ledger follow --since 8 --once && echo "that is all there is now"
      episode-ledger follow --once --since 0
    """
    with suppress(KeyboardInterrupt):  # that is how it is stopped
        _follow(setup, Since(since, seal, code_version), interval, once)


def _follow(setup: Setup, since: Since, interval: float, once: bool) -> None:
    with setup.open() as ledger:
        check_since(ledger, since)
        position = ledger.position() if since.position is None else since.position
        _say_what(ledger, position, setup.book.hash)
        with nullcontext() if once else hint_of(setup.ledger_name) as hint:
            left_out = LeftOut()
            while True:
                head = left_out.settled(ledger, setup.book, position, say_taken_up)
                if head > position:
                    check_since(ledger, Since(position))
                    changes = changes_since(ledger, position, head)
                    _print(as_objects(DATASETS["changes"].columns, changes), ledger.seal_at(head))
                    position = head
                if once or _reader_left_within(interval, hint):
                    return


def _reader_left_within(seconds: float, hint: socket | None) -> bool:
    """Wait, at most until a hint; whether whoever reads our output has left, which nobody tells who writes nothing."""
    rest = min(seconds, REST_SECONDS)
    return _left_within(rest, None) or _left_within(seconds - rest, hint)


def _left_within(seconds: float, hint: socket | None) -> bool:
    waiting = select.poll()
    waiting.register(sys.stdout, 0)
    if hint:
        waiting.register(hint, select.POLLIN)
    woken = {each for each, _ in waiting.poll(seconds * 1000)}
    if hint and hint.fileno() in woken:
        hint.recv(HINTS_AT_ONCE)  # all of them: one look answers them
    return sys.stdout.fileno() in woken


def _say_what(ledger: EpisodeLedger, position: int, book_hash: str) -> None:
    about = Followed(ledger.id, position, ledger.seal_at(position), version.code_version(), book_hash, SCHEMA_VERSION)
    _write(about)


def _print(changes: Iterable[dict[str, Any]], seal: str) -> None:
    for change, last in _with_last(changes):
        _write(change | ({"last": True, "seal": seal} if last else {"last": False}))


def _write(line: object) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def _with_last(changes: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bool]]:
    held: dict[str, Any] | None = None
    for change in changes:
        if held is not None:
            yield held, False
        held = change
    if held is not None:
        yield held, True
