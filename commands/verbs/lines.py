"""``lines``: the claim lines that the billable days make; those still to be billed, and those that can leave now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from commands.outside import utc_now
from commands.terminal.options import Setup, filter_options, filters, format_option, known_at_option
from commands.terminal.show import chosen_form, say, show_prose, show_rows, show_rows_to_the_end
from commands.verbs.read import NOT_FOR_PEOPLE, derived, surviving
from projections.operations.lines_to_bill import NOT_COME, ON_A_CLAIM, LeftOut, LinesToBill
from projections.read_model import queries
from projections.read_model.queries import Filters
from projections.read_model.views import Views
from projections.rows.line import LineRow
from projections.words import amount, counted


@click.command()
@click.option("--unclaimed", is_flag=True, help="Only what is on no live claim; a line is cut around claimed days.")
@click.option(
    "--claimable",
    is_flag=True,
    help="Of the unclaimed, what can leave now: no hard finding touches it, and the day has come. The rest is told"
    " with the reason.",
)
@format_option
@filter_options
@known_at_option
@click.pass_obj
def lines(
    setup: Setup,
    /,
    unclaimed: bool,
    claimable: bool,
    form: str | None,
    known_at: datetime | None,
    **options: Any,
) -> None:
    """Show the claim lines that the billable days make.

    \b
    Examples:
      episode-ledger lines --payer prairie-blue --from 2026-11-01 --to 2026-11-30
      episode-ledger lines --unclaimed
      episode-ledger lines --claimable --payer prairie-blue --format csv
      episode-ledger lines --episode EP-1 --format json
    """
    wanted = surviving(setup, filters(options), known_at)
    layout = {"hidden": (*NOT_FOR_PEOPLE, "expected_cents"), "payers": setup.payer_names}
    with derived(setup, known_at, wanted) as views:
        if unclaimed or claimable:
            _show_to_bill(setup, views, wanted, known_at, form, claimable, layout)
        else:
            nothing = "No claim lines: no day is billable."
            show_rows(queries.line_rows(views, wanted), LineRow, form, nothing=nothing, **layout)


def _show_to_bill(
    setup: Setup,
    views: Views,
    wanted: Filters,
    known_at: datetime | None,
    form: str | None,
    claimable: bool,
    layout: dict[str, Any],
) -> None:
    with setup.open() as ledger:
        to_bill = LinesToBill(ledger, views, known_at or utc_now(), known_at)
        rows = queries.line_rows(views, wanted)
        chosen = to_bill.claimable(rows) if claimable else to_bill.unclaimed(rows)
        nothing = "No line can be claimed now." if claimable else "Every billable day is on a claim."
        show_rows_to_the_end(chosen, LineRow, form, nothing=nothing, **layout)
    _tell_left_out(to_bill.left_out, in_full=chosen_form(form) == "table")


def _tell_left_out(left_out: Sequence[LeftOut], *, in_full: bool) -> None:
    """What cannot leave now and why: to a person by episode, below the table; beside the output without a name."""
    days, cents = Counter[str](), Counter[str]()
    for left in left_out:
        days[left.reason.kind] += len(left.dates)
        cents[left.reason.kind] += left.cents
        if in_full and left.reason.kind != ON_A_CLAIM:
            show_prose(f"Left out: {left.says}")
    for kind in days:
        why = kind if kind in (ON_A_CLAIM, NOT_COME) else f"'episode-ledger findings --rule {kind}' says why"
        say(f"Left out: {counted(days[kind], 'day')}, {amount(cents[kind])} dollars: {why}.")
