"""What an import proposes to correct, as it is shown before anybody agrees to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import click
import msgspec

from commands.terminal.show import chosen_form, printable, show_rows
from commands.writing.retold import Difference


class ProposalRow(msgspec.Struct, frozen=True):
    """A proposal; ``differences`` are its fields, as they stand and as they are told now.

    ``row`` is None where the fact is gone from the file; ``by_hand`` says that a person mended what it would change.
    """

    file: str
    row: int | None
    episode: str
    entry: str
    proposed: Literal["corrected", "retracted", "restored"]
    fact: str
    differences: tuple[Difference, ...]
    by_hand: bool
    reason: str


def show_proposals(rows: Sequence[ProposalRow], form: str | None) -> None:
    """Print proposals: sentences for a person, rows for a program."""
    if chosen_form(form) == "table":
        for row in rows:
            click.echo(printable(_sentence(row)))
    else:
        show_rows(rows, ProposalRow, form)


def _sentence(row: ProposalRow) -> str:
    where = f"{row.file}, row {row.row}" if row.row else f"gone from {row.file}"
    over = "; a person mended this by hand" if row.by_hand else ""
    changes = ", ".join(map(_change, row.differences)) if row.proposed != "retracted" else ""
    return f"{row.episode} {row.entry} ({row.fact}) {row.proposed}{': ' * bool(changes)}{changes} ({where}{over})"


def _change(difference: Difference) -> str:
    return f"{difference.field} {difference.stands or 'empty'} → {difference.told or 'empty'}"


def counted_proposals(rows: Sequence[ProposalRow]) -> str:
    """How many of which kind."""
    return ", ".join(f"{number:,} {kind}" for kind, number in Counter(row.proposed for row in rows).items())
