"""``access``: who looked at a patient's data on the site, and when."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from commands.terminal.options import SERVICE_DATE, Setup, format_option
from commands.terminal.show import say, show_rows
from commands.web.access import Access, NotRecorded, SealHeld, access_file, looks_at, marks_of, seals_held
from ledger.store import StoreError


@click.command()
@click.argument("patient", required=False)
@click.option("--from", "first", type=SERVICE_DATE, help="The first date of looks (UTC).")
@click.option("--to", "last", type=SERVICE_DATE, help="The last date of looks (UTC).")
@click.option("--check", is_flag=True, help="Hold the records against the seals of them in the ledger, day by day.")
@click.option(
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="With --check: records that were moved away, too. May be given several times.",
)
@format_option
@click.pass_obj
def access(
    setup: Setup, /, patient: str | None, first: str | None, last: str | None, check: bool, files: tuple[Path, ...],
    form: str | None,
) -> None:  # fmt: skip
    """Show each look at a page of the site that showed PATIENT, by any name merged with theirs.

    The site ('serve') leaves a line for each page with a patient's data in the file of access records beside the read
    model. What was read in other ways, by commands or from files that were handed out, is not in there; nor is who
    looked before a line named its patients. Of an encrypted ledger the lines can be asked with its master key, also
    for a patient who was forgotten.

    On the first page of a day (UTC) the site seals the records of the days before: an entry of the ledger says how many
    they are and what their hash is. With --check each seal is held against the file; exits with 1 if one does not hold,
    because a record was changed or taken out, or the file was moved away.

    \b
    Examples:
      episode-ledger access P-1001
      episode-ledger access P-1001 --from 2026-11-01 --to 2026-11-30 --format csv
      episode-ledger access --check
    """
    if check:
        _check(setup, files, form)
        return
    if patient is None:
        raise click.UsageError("name the PATIENT, or hold the records against their seals with --check")
    with setup.open() as ledger:
        marks = marks_of(ledger.names_of(patient), setup.master if ledger.encrypted else None)
    try:
        found = list(looks_at(access_file(setup.places.live), marks, first, last))
    except NotRecorded as trouble:
        raise StoreError(f"{trouble}; move the file away, or mend the line") from None
    show_rows(found, Access, form, hidden=("patients",))


def _check(setup: Setup, files: Sequence[Path], form: str | None) -> None:
    with setup.open() as ledger:
        found = list(seals_held(ledger, [access_file(setup.places.live), *files]))
    show_rows(found, SealHeld, form, nothing="The access records were not sealed yet.")
    if any(one.file is None for one in found):
        say("A seal holds for no file of records: a record was changed or taken out, or a file was moved away.")
        sys.exit(1)
