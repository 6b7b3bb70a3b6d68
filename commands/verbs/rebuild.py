"""``rebuild``: the read model built anew beside the live one, proven, switched."""

from __future__ import annotations

import sys

import click

from commands.outside import utc_now
from commands.terminal.engine import engine_options, processes_for
from commands.terminal.options import Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, say, show_rows
from projections.rebuild.certificate import Certificate
from projections.rebuild.rebuild import Wanted, go_back
from projections.rebuild.rebuild import rebuild as rebuild_views


@click.command()
@click.option("--check", is_flag=True, help="Only compare; exit with 1 if anything differs. Nothing is switched.")
@click.option("--back", is_flag=True, help="Go back to the read model before the last switch.")
@click.option("--quarantine", is_flag=True, help="Set a patient aside whose entries cannot be read, and go on.")
@engine_options
@format_option
@click.pass_obj
def rebuild(
    setup: Setup, /, check: bool, back: bool, quarantine: bool, processes: int | None, memory: int, form: str | None
) -> None:
    """Build the read model anew beside the live one, prove it, and switch.

    Recording and reading go on meanwhile. Under the same code and book every row must come out the same; a row that
    differs is listed in the certificate with its cause: a new book, a new code version, new zone data, or a damaged
    row. Something unexplained is not switched to, and ends with 1.

    \b
    Examples:
      episode-ledger rebuild
      episode-ledger rebuild --check
      episode-ledger --book new-book rebuild
      episode-ledger rebuild --back
    """
    if back:
        if not setup.places.previous():
            raise click.UsageError("there is no read model from before the live one; a rebuild keeps it")
        go_back(setup.places)
        say("The read model before the last switch is live again; the next reading brings it up to date.")
        return
    with setup.open() as ledger:
        entries = ledger.position()
    wanted = Wanted(processes or processes_for(entries), memory, check, quarantine, setup.master)
    with progress("Rebuilding", "patients") as tell:
        made = rebuild_views(setup.ledger_name, setup.places, setup.book, wanted, utc_now(), tell)
    if chosen_form(form) == "table":
        click.echo("\n".join(_summary(made, check)))
    else:
        show_rows([made], Certificate, form)
    if made.outcome == "unexplained" or (check and made.changed_rows):
        sys.exit(1)


def _summary(made: Certificate, check: bool) -> list[str]:
    nothing = f"It was compared with nothing: {made.not_compared}." if made.not_compared else None
    said = {
        "first": nothing or "There was no read model to compare with.",
        "equal": "Every row is the same as before.",
        "explained": "Some rows differ, and every difference has its cause.",
        "unexplained": "Some rows differ without a cause. Nothing was switched; report this with the certificate.",
    }[made.outcome]
    done = "compared" if check else "switched to" if made.switched else "not switched to"
    lines = [f"Built {made.patients:,} patients at position {made.position:,}, {done}. {said}"]
    lines += [f"  {count:,} rows: {cause}" for cause, count in made.changed_rows.items()]
    lines += [f"  version: {change}" for change in made.code_changes]
    lines += [f"  book: {change}" for change in made.book_changes]
    lines += [f"  set aside: patient {aside.patient}, {aside.because}" for aside in made.set_aside]
    lines += [f"  {table}: {found}" for table, found in made.fingerprints_after.items()]
    if made.rows_file:
        lines.append(f"  the rows are in {made.rows_file}, beside the certificate")
    return lines
