"""``follow``: changes of days as they come, for a pipe."""

from __future__ import annotations

import select
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import click
import msgspec

from commands.adopt import adopt
from commands.clock import utc_now
from commands.export import check_since, since_option
from commands.options import House
from projections.export.as_text import as_objects
from projections.export.shapes import DATASETS
from projections.feed import changes_since


@click.command()
@since_option
@click.option(
    "--interval", type=click.FloatRange(min=0.01), default=0.5, show_default=True, help="Seconds between looks."
)
@click.option("--once", is_flag=True, help="End when the ledger's last entry is reached.")
@click.pass_obj
def follow(house: House, /, since: int | None, interval: float, once: bool) -> None:
    """Print each day that is not what it was, as JSON Lines, until stopped.

    A line is a row of 'export changes', and "last": true on the last of those that lead to one position: only then is
    that position yours, to resume from with --since. Without --since it begins now; --since 0 tells everything. It
    is made for a pipe, and ends when nobody reads any more.

    \b
    Examples:
      episode-ledger follow --since 8 --once && echo "that is all there is now"
      episode-ledger follow --once --since 0
    """
    with suppress(KeyboardInterrupt):  # that is how it is stopped
        _follow(house, since, interval, once)


def _follow(house: House, since: int | None, interval: float, once: bool) -> None:
    with house.open() as ledger:
        position = ledger.position() if since is None else since
        check_since(ledger, position)
        while True:
            head = adopt(ledger, house.book, utc_now())
            if head > position:
                _print(as_objects(DATASETS["changes"].columns, changes_since(ledger, position, head)))
                position = head
            if once or _reader_left_within(interval):
                return


def _reader_left_within(seconds: float) -> bool:
    """Wait; whether whoever reads our output has left meanwhile, which nobody tells who writes nothing."""
    waiting = select.poll()
    waiting.register(sys.stdout, 0)
    return bool(waiting.poll(seconds * 1000))


def _print(changes: Iterable[dict[str, Any]]) -> None:
    for change, last in _with_last(changes):
        sys.stdout.buffer.write(msgspec.json.encode(change | {"last": last}) + b"\n")
        sys.stdout.buffer.flush()


def _with_last(changes: Iterable[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], bool]]:
    held: dict[str, Any] | None = None
    for change in changes:
        if held is not None:
            yield held, False
        held = change
    if held is not None:
        yield held, True
