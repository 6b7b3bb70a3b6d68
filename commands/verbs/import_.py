"""``import``: a month of spreadsheets in, by a mapping."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path
from typing import Any

import click

from commands.recording.doubted import say_doubts
from commands.recording.effect import clock_option, effect_of, effect_options, recording
from commands.recording.identity import allow_identity, identity_option
from commands.references.watching import Watch
from commands.sheets.mapping import READY, load_mapping, ready_text
from commands.sheets.matching import matched
from commands.terminal.import_run import ImportRun, Wanted
from commands.terminal.options import SERVICE_DATE, Setup, format_option
from commands.terminal.output import Output, OutputPath
from commands.terminal.refused_rows import AlreadyThere, RefusedRows
from commands.terminal.show import printable, say, show_text
from commands.terminal.who import named
from ledger.facts.texts import LONGEST_FREE_TEXT, fault_of


@click.command("import")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="MAP.toml", help="The mapping; a ready one by its name.")
@click.option("--by", metavar="NAME", help="Who records, where the mapping does not say. Default: your login name.")
@click.option("--yes", is_flag=True, help="Record the corrections that are proposed, without asking.")
@click.option("--reason", metavar="TEXT", help="Why, for each correction. Default: the file and the row.")
@click.option("--complete", is_flag=True, help="The export is complete: propose to retract what is gone from it.")
@click.option("--from", "first", type=SERVICE_DATE, help="The dates it is complete for. Default: those of its rows.")
@click.option("--to", "last", type=SERVICE_DATE, help="Likewise.")
@click.option("--refused", type=OutputPath(), metavar="DIR",
              help="Write refused rows there as CSV, with why, to be mended and imported again.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files of refused rows that are there.")
@click.option("--new-map", is_flag=True, help="Print a first mapping for FILES, its guesses marked.")
@click.option("--template", type=click.Choice(READY), metavar="NAME", help="Print a ready mapping's columns as CSV.")
@click.option("--show-map", type=click.Choice(READY), metavar="NAME", help="Print a ready mapping, to be changed.")
@clock_option
@identity_option
@effect_options
@format_option
@click.pass_obj
def import_(
    setup: Setup, /, files: tuple[Path, ...], maps: tuple[str, ...], refused: Path | None, force: bool, new_map: bool,
    template: str | None, show_map: str | None, identity_in_the_open: bool,
    dry_run: bool, no_effect: bool, effect_to: Path | None, **options: Any,
) -> None:  # fmt: skip
    """Record what spreadsheets tell: CSV, TSV or XLSX FILES, by a mapping of their columns.

    What is new is recorded; importing again is quiet. A row that tells otherwise than before becomes a correction, and
    a fact that a row tells no more a retraction: both are shown, and recorded when you say so (or with --yes). Refused
    rows do not hold up the others. Exits with 1 if a row was refused or a proposal was not recorded.

    \b
    Examples:
      episode-ledger import --new-map tickets.csv > tickets.toml
      episode-ledger import tickets.csv --map tickets.toml --refused to-mend
      episode-ledger import --dry-run *.csv --map pharmacy.toml
      episode-ledger import --template tickets > tickets.csv
      episode-ledger import tickets.csv --map tickets --complete --from 2026-10-01 --to 2026-10-31
    """
    if template or show_map:
        _print_ready(template, show_map)
        return
    if not files:
        raise click.UsageError("name the FILES to import")
    if new_map:
        show_text(_guessed(files))
        return
    if not maps:
        raise click.UsageError(f"name a mapping with --map; ready ones are {', '.join(READY)}")
    wanted = _wanted(dry_run, **options)
    effect = effect_of(dry_run, no_effect, effect_to)
    if refused is not None:
        Output(setup, refused).check_folder()
    sheets = matched(files, [load_mapping(each) for each in maps])
    for sheet in sheets.left_out:
        say(printable(f"{sheet.label}: left out, for no [[sheets]] of the mapping is of this name"))
    try:
        rows = RefusedRows(refused, sheets, replace=force)
    except AlreadyThere as there:
        raise click.UsageError(f"--refused: there is a file {there} already; --force replaces it") from None
    for path in rows.possible if force else ():
        Output(setup, path, force=True, forceable=True).check()
    with recording(setup, effect, create=True) as ledger, rows:
        if identity_in_the_open:
            allow_identity(ledger, options["by"])
        watch = Watch()
        status = ImportRun(ledger, sheets, wanted, rows, watch).go()
        say_doubts(setup, ledger, watch, "row")
    for path in rows.paths:
        say(printable(f"Refused rows are in {path}; mend them and import that file."))
    if status:
        sys.exit(status)


def _wanted(
    dry_run: bool, by: str | None, yes: bool, reason: str | None, complete: bool, first: str | None,
    last: str | None, form: str | None, clock_is_right: bool,
) -> Wanted:  # fmt: skip
    if (first or last) and not complete:
        raise click.UsageError("--from and --to say what an export is complete for: give --complete, too")
    if first and last and last < first:
        raise click.UsageError("--to lies before --from: no date is between them")
    if reason is not None and (not 0 < len(reason) <= LONGEST_FREE_TEXT or fault_of(reason, "free")):
        raise click.UsageError(f"--reason: expected 1 to {LONGEST_FREE_TEXT:,} characters on one line")
    span = [date.fromisoformat(each) if each else None for each in (first, last)]
    return Wanted(named(by, "records"), reason, complete, span[0], span[1], yes, dry_run, form, clock_is_right)


def _guessed(files: tuple[Path, ...]) -> str:
    from commands.sheets.guess import new_map

    return new_map(files)


def _print_ready(template: str | None, show_map: str | None) -> None:
    from commands.sheets.guess import columns_of

    if show_map:
        show_text(ready_text(show_map))
        return
    assert template is not None
    columns = columns_of(load_mapping(template).says)
    click.echo(",".join(f'"{name}"' if "," in name else name for name in columns))
    for name, about in columns.items():
        say(f"{name}: {about}")
