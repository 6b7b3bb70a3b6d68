"""``worklist``: open work with what it is worth and until when; whose it is, notes, done until a date."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import click

from commands.desk import open_work
from commands.desk.open_work import WorkRefused
from commands.outside import utc_now
from commands.terminal.options import SERVICE_DATE, Setup, format_option
from commands.terminal.show import chosen_form, printable, say, show_rows
from commands.terminal.who import named
from commands.verbs.read import derived
from ledger.store import EpisodeLedger
from projections.words import amount, counted
from projections.work.chosen import DUE, SORTS, WorkFilters, WorkRow, work_rows
from projections.work.facets import sums_of, work_groups
from projections.work.items import KINDS, WORKS

_WORK = click.Choice(WORKS)
_by = click.option("--by", metavar="NAME", help="Who decides it. Default: the name you are logged in by.")


@click.group(invoke_without_command=True)
@click.option("--kind", type=click.Choice(list(KINDS)), help="Only this kind of work.")
@click.option("--work", type=_WORK, metavar="WORK", help="Only this: a rule of findings, a hold's reason, or to_bill.")
@click.option("--payer", help="Only this payer.")
@click.option("--owner", help="Only what is assigned to this person, or to 'nobody'.")
@click.option("--due", type=click.Choice(list(DUE)), help="Only what has so much time left.")
@click.option("--done", type=click.Choice(["yes", "any"]), help="What is done for now, too (any), or alone (yes).")
@click.option("--patient", help="Only this patient.")
@click.option("--episode", help="Only this episode.")
@click.option("--sort", type=click.Choice(list(SORTS)), default="urgency", show_default=True, help="In what order.")
@click.option("--limit", type=click.IntRange(min=1), help="So many rows at most.")
@format_option
@click.pass_context
def worklist(ctx: click.Context, /, form: str | None, sort: str, limit: int | None, **options: Any) -> None:
    """Show open work: what stops claims, days on hold, days to bill and warnings, with dollars and the date by which to
    act, the most pressing first.

    Its rows are the stretches of 'findings' (but for billable_not_claimed, which the lines have), the days on hold of
    'report', and the lines of 'lines --unclaimed'; so a day can be in several rows. To assign a piece of work, note
    something about it or put it away until a date, name its episode and its WORK column. These decisions are entries
    of the ledger, with who and when; no day is judged by them.

    \b
    Examples:
      episode-ledger worklist
      episode-ledger worklist --kind to_bill --payer prairie-blue --sort dollars --limit 20
      episode-ledger worklist --owner nobody --due week --format csv
      episode-ledger worklist assign EP-1 to_bill "Ana Ruiz"
      episode-ledger worklist done-until EP-1 plan_missing 2026-12-07
    """
    if ctx.invoked_subcommand is not None:
        return
    setup: Setup = ctx.obj
    wanted, today = WorkFilters(**options), utc_now().date().isoformat()
    with derived(setup, work=True) as views:
        rows = work_rows(views, today, wanted, sort, count=limit or -1)
        show_rows(rows, WorkRow, form, hidden=_NOT_FOR_PEOPLE, nothing="No open work.", payers=setup.payer_names,
                  below="to_do")  # fmt: skip
        if chosen_form(form) == "table":
            sums = sums_of(work_groups(views, today, wanted), wanted)
            say(f"{counted(sums.rows, 'row')}, {counted(sums.days, 'day')}, {amount(sums.cents)} dollars.")


_NOT_FOR_PEOPLE = ("days_left", "what", "last_date", "note", "notes", "decided_by", "decided_at", "age", "kind")


@worklist.command()
@click.argument("episode")
@click.argument("work", type=_WORK)
@click.argument("owner", required=False, default="")
@_by
@click.pass_obj
def assign(setup: Setup, /, episode: str, work: str, owner: str, by: str | None) -> None:
    """Give a piece of open WORK of EPISODE to OWNER; without OWNER to nobody.

    \b
    Examples:
      episode-ledger worklist assign EP-1 to_bill "Ana Ruiz"
      episode-ledger worklist assign EP-1 to_bill
    """
    with _deciding(setup) as ledger:
        open_work.assign(ledger, named(by, "assigns it"), episode, work, owner)
    say(printable(f"Assigned to {owner}." if owner else "Assigned to nobody."))


@worklist.command()
@click.argument("episode")
@click.argument("work", type=_WORK)
@click.argument("text")
@_by
@click.pass_obj
def note(setup: Setup, /, episode: str, work: str, text: str, by: str | None) -> None:
    """Note TEXT about a piece of open WORK of EPISODE, for colleagues; in an encrypted ledger it goes with the patient.

    \b
    Example:
      episode-ledger worklist note EP-1 plan_missing "faxed Dr. Lee's office, call again Friday"
    """
    with _deciding(setup) as ledger:
        open_work.note(ledger, named(by, "notes it"), episode, work, text)
    say("Noted.")


@worklist.command("done-until")
@click.argument("episode")
@click.argument("work", type=_WORK)
@click.argument("until", metavar="DATE", type=SERVICE_DATE)
@_by
@click.pass_obj
def done_until(setup: Setup, /, episode: str, work: str, until: str, by: str | None) -> None:
    """Put a piece of open WORK of EPISODE away until DATE; then it is open again, if it is still there.

    \b
    Example:
      episode-ledger worklist done-until EP-1 plan_missing 2026-12-07
    """
    with _deciding(setup) as ledger:
        open_work.done_until(ledger, named(by, "decides it"), episode, work, date.fromisoformat(until))
    say(f"Done until {until}.")


@contextmanager
def _deciding(setup: Setup) -> Iterator[EpisodeLedger]:
    with setup.open() as ledger:
        try:
            yield ledger
        except WorkRefused as trouble:
            raise click.UsageError(f"nothing was recorded: {trouble}") from None
