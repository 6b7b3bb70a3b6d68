"""``restatements``: the days of a closed month that are something else now, and what changed them."""

from __future__ import annotations

import sys
from collections import deque
from contextlib import closing
from datetime import datetime
from typing import Any

import click
import msgspec

from commands.terminal.options import Setup, filter_options, filters, format_option, known_at_option
from commands.terminal.progress import progress
from commands.terminal.show import printable, say, show_rows_to_the_end
from commands.verbs.close import MONTH, month_refusals, patients_set_aside
from commands.verbs.read import tell_set_aside
from commands.writing.closing import closed_months, read_otherwise
from ledger.facts.administration import MonthClosed
from ledger.store import EpisodeLedger
from projections.audit.month import Month, judged_otherwise, read_by_another
from projections.audit.restated import Restatements
from projections.audit.restated_row import Restated
from projections.read_model.queries import Filters
from projections.read_model.version import code_version
from projections.read_model.views import passing_views
from projections.words import counted, more_or_less


@click.command()
@click.argument("month", type=MONTH)
@click.option("--check", is_flag=True, help="Exit with 1 if any day shown differs from what was closed.")
@format_option
@filter_options
@known_at_option
@click.pass_obj
def restatements(
    setup: Setup, /, month: Month, check: bool, form: str | None, known_at: datetime | None, **options: Any
) -> None:
    """Show the days of a closed month that are something else now, and what changed them.

    Each day with its verdict, payer and cents as closed and as they are now, and the entries that arrived later and
    changed it: who recorded them, when, at which position; or the terms that became known, or the edited book.

    \b
    Examples:
      episode-ledger close 2026-10             the month is over
      episode-ledger restatements 2026-10      and this came later
      episode-ledger restatements 2026-10 --payer prairie-blue --format csv
      episode-ledger restatements 2026-10 --check && echo "October stands as closed"
    """
    wanted = filters(options)
    with setup.open() as ledger:
        record = closed_months(ledger).get(month.text)
        if record is None:
            raise click.UsageError(f"{month.words} is not closed; 'episode-ledger close {month.text}' closes it")
        if known_at is not None and known_at < record.closed_at:
            raise click.UsageError(f"--known-at: by then {month.words} was not closed")
        found = _found(setup, ledger, record, wanted, known_at, form)
        forgotten = bool(ledger.forgettings(after=record.position))
    say(_difference(month, found))
    if forgotten:
        say("A patient was forgotten since: whether days of theirs had become something else cannot be told any more.")
    if check and (found.found or found.otherwise):
        sys.exit(1)


_HIDDEN = (
    *("payer_before", "payer_after", "code_before", "code_after", "authorization_before", "authorization_after"),
    *("cents_before", "cents_after", "cause", "recorded_at", "position", "type", "paid_cents"),
)
"""What a person's terminal has no room for."""


def _found(
    setup: Setup,
    ledger: EpisodeLedger,
    record: MonthClosed,
    wanted: Filters,
    known_at: datetime | None,
    form: str | None,
) -> Restatements:
    with progress("Judging", "patients") as tell, month_refusals():
        otherwise = read_otherwise(ledger, record, tell) if record.code != code_version() else None
        found = Restatements(ledger, record, setup.book, known_at)
        found.otherwise = otherwise is not None
        rows = found.rows(wanted, tell)
        show_rows_to_the_end(
            rows,
            Restated,
            form,
            hidden=_HIDDEN,
            nothing="No day differs from what was closed.",
            payers=setup.payer_names,
        )
    _tell_left_out(setup, ledger, found)
    if since := judged_otherwise(record):
        say(printable(since))
    if otherwise:
        say(printable(read_by_another(*otherwise)))
    return found


def _tell_left_out(setup: Setup, ledger: EpisodeLedger, found: Restatements) -> None:
    """Say who is left out: who is set aside, and who shares episodes with them; anybody else stops the report."""
    aside = patients_set_aside(setup)
    with closing(passing_views()) as views:
        for cohort in found.left_out:
            mates = [aside[patient] for patient in cohort.patients if patient in aside]
            if not mates:
                deque((ledger.entries_of(episode, upto=found.upto) for episode in cohort.episodes), maxlen=0)
            with views.writing():
                views.put_aside(msgspec.structs.replace(mates[0], patient=patient) for patient in cohort.patients)
        tell_set_aside(views)


def _difference(month: Month, found: Restatements) -> str:
    basis = "what this version makes of the entries of then" if found.otherwise else "what was closed"
    if not found.found:
        return f"No day of {month.words} differs from {basis}."
    days, differ = counted(found.found, "day"), "differs" if found.found == 1 else "differ"
    return f"{days} of {month.words} {differ} from {basis}: {more_or_less(found.delta_cents)}."
