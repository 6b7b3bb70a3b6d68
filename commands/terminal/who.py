"""Who does what the house does: named on the command line, else by the name they are logged in by."""

from __future__ import annotations

import os
import pwd
import re
import unicodedata

import click

from ledger.facts.names import is_name
from ledger.facts.texts import LONGEST_FREE_TEXT, fault_of


def named(by: str | None, does: str) -> str:
    """Who it is; UsageError if that is no name. ``does`` says in the message what they do."""
    try:
        who = pwd.getpwuid(os.getuid()).pw_name if by is None else by
    except KeyError:
        raise click.UsageError(f"this user has no name here; say who {does} with --by NAME") from None
    if not is_name(who):
        raise click.UsageError("--by: expected a name of 1 to 128 characters, no control characters")
    return who


def given_reason(option: str, reason: str) -> str:
    """Why somebody does it, as it stays in the ledger; UsageError if it is no text of that form."""
    fault = fault_of(reason, "free") if 0 < len(reason) <= LONGEST_FREE_TEXT else "text of 1 to 1,000 characters"
    if fault:
        raise click.UsageError(f"{option}: expected {fault}")
    return reason


def is_named_in(text: str, patient: str) -> bool:
    """Whether a text names a patient, whatever its case, and however its letters are put together."""
    name, whole = (unicodedata.normalize("NFKC", each).casefold() for each in (patient, text))
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", whole) is not None
