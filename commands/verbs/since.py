"""``--since``: a position a consumer of the feed has, and what is said of it."""

from __future__ import annotations

import click

from commands.terminal.show import say
from ledger.store import EpisodeLedger


def since_option(command: click.decorators.FC) -> click.decorators.FC:
    """``--since``: a position the consumer has."""
    return click.option(
        "--since", type=click.IntRange(min=0), metavar="POSITION", help="Only what came after that position."
    )(command)


def check_since(ledger: EpisodeLedger, since: int) -> None:
    """UsageError if nobody can have that position yet, or what was had there cannot be carried on."""
    head = ledger.position()
    if since > head:
        raise click.UsageError(f"--since {since} lies beyond the ledger's last position, {head}")
    if since and (forgotten := ledger.forgettings(after=since)):
        raise click.UsageError(
            f"a patient was forgotten at position {forgotten[-1][0]}, after --since {since}: remove what you have, and"
            " take everything anew, from an export of days or with --since 0"
        )


def say_taken_up(position: int) -> None:
    """Another book is in force from now on, and programs that take the feed see its changes."""
    say(f"Another book is taken up from position {position} on; what it changes has the cause 'book'.")
