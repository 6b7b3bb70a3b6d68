"""``payments``: what each claimed day was paid, beside what is expected for it now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, NamedTuple

import click

from commands.terminal.options import Setup, filter_options, filters, format_option, known_at_option
from commands.terminal.show import say, show_rows, show_rows_to_the_end
from commands.verbs.answers import chosen_episodes, indexed
from projections.answers.payments import NO_REASON, STATUSES, EpisodePayment, PaymentRow, payment_rows
from projections.answers.payments_by import BYS, SUMS_BY, By, payments_by
from projections.answers.unmatched import UnmatchedRow, unmatched_of, unmatched_row
from projections.read_model.queries import Filters
from projections.words import amount


@click.command()
@filter_options
@click.option("--claim", help="Only this claim.")
@click.option("--status", type=click.Choice(STATUSES), help="Only days that stand so.")
@click.option("--missing", is_flag=True, help="Only days that are denied or underpaid, and not written off.")
@click.option("--reason", "reasons", multiple=True, help="Only days with exactly these reasons; 'none': with none.")
@click.option(
    "--by",
    type=click.Choice(["day", *BYS]),
    default="day",
    show_default=True,
    help="Instead of days their sums: a row a claim line, claim, payer or month of service.",
)
@click.option("--unmatched", is_flag=True, help="Instead: the answers for no claim that the ledger knows.")
@known_at_option
@format_option
@click.pass_obj
def payments(
    setup: Setup,
    /,
    unmatched: bool,
    known_at: datetime | None,
    form: str | None,
    claim: str | None,
    status: str | None,
    missing: bool,
    reasons: tuple[str, ...],
    by: By | Literal["day"],
    **options: Any,
) -> None:
    """Show what each claimed day was paid, beside what is expected for it now.

    A line's money goes over its days in equal shares; what was taken back counts below zero. Nothing is expected of a
    drug or a nurse's visit, whose rates are not in the terms. --by adds the chosen days up: what is predicted for those
    on live claims, what of it is not answered, what was paid (and of that for drugs and visits), and how many days
    stand how; a table has only what a page has room for.

    \b
    Examples:
      episode-ledger payments
      episode-ledger payments --payer prairie-blue --from 2026-11-01 --format csv
      episode-ledger payments --missing --reason CO-197
      episode-ledger payments --by claim
      episode-ledger payments --by month --payer prairie-blue --format csv
      episode-ledger payments --unmatched
    """
    wanted, narrower = filters(options), PaidNarrower(claim, status, missing, reasons)
    if unmatched:
        if by != "day":
            raise click.UsageError(
                "--by adds claimed days up, and an answer for no known claim has none: leave one out"
            )
        _show_unmatched(setup, wanted, known_at, form)
        return
    with setup.open() as ledger, indexed(setup, ledger) as views:
        found = payment_rows(ledger, setup.book, chosen_episodes(ledger, views, wanted), known_at)
        totals = Counter[str]()
        chosen = ((episode, row) for episode, row in found if _is_wanted(row, wanted) and narrower.takes(row))
        _show_by(setup, by, _adding(chosen, totals), form)
    say(f"{amount(totals['paid'])} dollars were paid.")


def _show_by(setup: Setup, by: By | Literal["day"], found: Iterator[EpisodePayment], form: str | None) -> None:
    layout: dict[str, Any] = {"nothing": "No day was claimed.", "payers": setup.payer_names}
    if by == "day":
        show_rows_to_the_end((row for _, row in found), PaymentRow, form, hidden=_NOT_FOR_PEOPLE, **layout)
    else:
        show_rows_to_the_end(payments_by(by, found), SUMS_BY[by], form, hidden=_hidden(by), **layout)


_NOT_FOR_PEOPLE = ("charge_cents", "allowed_cents", "missing_cents", "to_give_back_cents", "live", "waiting_since")
_NO_ROOM_FOR: dict[By, tuple[str, ...]] = {
    "line": ("episode", "payer", "open_cents", "other_cents"),
    "claim": ("payer", "open_cents", "other_cents"),
}


def _hidden(by: By) -> list[str]:
    """The columns of sums that are not for people: those that a page has no room for, and how many days stand how."""
    return [*_NO_ROOM_FOR.get(by, ()), *(f"{status}_days" for status in STATUSES)]


class PaidNarrower(NamedTuple):
    """Which of the claimed days to show, beside their dates."""

    claim: str | None
    status: str | None
    missing: bool
    reasons: tuple[str, ...]

    def takes(self, row: PaymentRow) -> bool:
        """Whether a row is one of them."""
        if self.reasons and set(self.reasons) != set(row.reasons or (NO_REASON,)):
            return False
        return (
            self.claim in (None, row.claim)
            and self.status in (None, row.status)
            and (row.missing_cents > 0 or not self.missing)
        )


def _show_unmatched(setup: Setup, wanted: Filters, known_at: datetime | None, form: str | None) -> None:
    with setup.open() as ledger:
        rows = [unmatched_row(act) for act in unmatched_of(ledger, known_at)]
    chosen = [row for row in rows if wanted.payer in (None, row.payer)]
    show_rows(chosen, UnmatchedRow, form, nothing="No answer waits to be assigned.", payers=setup.payer_names)


def _is_wanted(row: PaymentRow, wanted: Filters) -> bool:
    in_time = (wanted.from_ or "") <= row.date <= (wanted.to or "9999-12-31")
    return in_time and wanted.payer in (None, row.payer)


def _adding(found: Iterator[EpisodePayment], totals: Counter[str]) -> Iterator[EpisodePayment]:
    for episode, row in found:
        totals["paid"] += row.paid_cents
        yield episode, row
