"""Who does what the house does: named on the command line, else by the name they are logged in by."""

from __future__ import annotations

import os
import pwd

import click

from ledger.facts.names import is_name


def named(by: str | None, does: str) -> str:
    """Who it is; UsageError if that is no name. ``does`` says in the message what they do."""
    try:
        who = pwd.getpwuid(os.getuid()).pw_name if by is None else by
    except KeyError:
        raise click.UsageError(f"this user has no name here; say who {does} with --by NAME") from None
    if not is_name(who):
        raise click.UsageError("--by: expected a name of 1 to 128 characters, no control characters")
    return who
