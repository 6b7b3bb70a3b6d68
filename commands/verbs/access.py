"""``access``: who looked at a patient's data on the site, and when."""

from __future__ import annotations

import click

from commands.terminal.options import SERVICE_DATE, Setup, format_option
from commands.terminal.show import show_rows
from commands.web.access import Access, NotRecorded, access_file, looks_at, marks_of
from ledger.store import StoreError


@click.command()
@click.argument("patient")
@click.option("--from", "first", type=SERVICE_DATE, help="The first date of looks (UTC).")
@click.option("--to", "last", type=SERVICE_DATE, help="The last date of looks (UTC).")
@format_option
@click.pass_obj
def access(setup: Setup, /, patient: str, first: str | None, last: str | None, form: str | None) -> None:
    """Show each look at a page of the site that showed PATIENT, by any name merged with theirs.

    The site ('serve') leaves a line for each page with a patient's data in the file of access records beside the read
    model. What was read in other ways, by commands or from files that were handed out, is not in there; nor is who
    looked before a line named its patients. Of an encrypted ledger the lines can be asked with its master key, also
    for a patient who was forgotten.

    \b
    Examples:
      episode-ledger access P-1001
      episode-ledger access P-1001 --from 2026-11-01 --to 2026-11-30 --format csv
    """
    with setup.open() as ledger:
        marks = marks_of(ledger.names_of(patient), setup.master if ledger.encrypted else None)
    try:
        found = list(looks_at(access_file(setup.places.live), marks, first, last))
    except NotRecorded as trouble:
        raise StoreError(f"{trouble}; move the file away, or mend the line") from None
    show_rows(found, Access, form, hidden=("patients",))
