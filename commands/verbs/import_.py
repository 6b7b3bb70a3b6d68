"""``import``: a month of spreadsheets in, by a mapping."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from commands.sheets.mapped import Place
from commands.sheets.mapping import READY, load_mapping, ready_text
from commands.sheets.matching import Matched, Read, matched
from commands.sheets.refused_rows import AlreadyThere, RefusedRows
from commands.terminal.effect import effect_of, effect_options, recording
from commands.terminal.options import SERVICE_DATE, Setup, format_option
from commands.terminal.progress import progress
from commands.terminal.proposals import ProposalRow, counted_proposals, show_proposals
from commands.terminal.show import chosen_form, printable, say, show_rows_to_the_end, show_text
from commands.terminal.who import named
from commands.writing.handle import Recorded, Recorder
from commands.writing.importing import Import, Proposed, RowOutcome, TooManyProposals, recorded_proposals
from commands.writing.retold import Asking
from commands.writing.whole_export import Contradiction, Seen, without_contradictions
from ledger.facts.texts import LONGEST_FREE_TEXT, fault_of
from ledger.store import EpisodeLedger

_WITH_YES: Final = "With --yes it would be recorded; --dry-run --yes shows the effect with it."


class Wanted(NamedTuple):
    """What was asked of an import."""

    by: str
    reason: str | None
    complete: bool
    first: date | None
    last: date | None
    yes: bool
    dry_run: bool
    form: str | None


@click.command("import")
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--map", "maps", multiple=True, metavar="MAP.toml", help="The mapping; a ready one by its name.")
@click.option("--by", metavar="NAME", help="Who records, where the mapping does not say. Default: your login name.")
@click.option("--yes", is_flag=True, help="Record the corrections that are proposed, without asking.")
@click.option("--reason", metavar="TEXT", help="Why, for each correction. Default: the file and the row.")
@click.option("--complete", is_flag=True, help="The export is complete: propose to retract what is gone from it.")
@click.option("--from", "first", type=SERVICE_DATE, help="The dates it is complete for. Default: those of its rows.")
@click.option("--to", "last", type=SERVICE_DATE, help="Likewise.")
@click.option("--refused", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Write refused rows there as CSV, with why, to be mended and imported again.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace files of refused rows that are there.")
@click.option("--new-map", is_flag=True, help="Print a first mapping for FILES, its guesses marked.")
@click.option("--template", type=click.Choice(READY), help="Print the columns of a ready mapping as CSV.")
@click.option("--show-map", type=click.Choice(READY), help="Print a ready mapping, to be changed.")
@effect_options
@format_option
@click.pass_obj
def import_(
    setup: Setup, /, files: tuple[Path, ...], maps: tuple[str, ...], refused: Path | None, force: bool, new_map: bool,
    template: str | None, show_map: str | None, dry_run: bool, no_effect: bool, effect_to: Path | None, **options: Any,
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
    sheets = matched(files, [load_mapping(each) for each in maps])
    for sheet in sheets.left_out:
        say(printable(f"{sheet.label}: left out, for no [[sheets]] of the mapping is of this name"))
    try:
        rows = RefusedRows(refused, sheets, replace=force)
    except AlreadyThere as there:
        raise click.UsageError(f"--refused: there is a file {there} already; --force replaces it") from None
    with recording(setup, effect, create=True) as ledger, rows:
        status = _Run(ledger, sheets, wanted, rows).go()
    for path in rows.paths:
        say(printable(f"Refused rows are in {path}; mend them and import that file."))
    if status:
        sys.exit(status)


def _wanted(
    dry_run: bool, by: str | None, yes: bool, reason: str | None, complete: bool, first: str | None,
    last: str | None, form: str | None,
) -> Wanted:  # fmt: skip
    if (first or last) and not complete:
        raise click.UsageError("--from and --to say what an export is complete for: give --complete, too")
    if first and last and last < first:
        raise click.UsageError("--to lies before --from: no date is between them")
    if reason is not None and (not 0 < len(reason) <= LONGEST_FREE_TEXT or fault_of(reason, "free")):
        raise click.UsageError(f"--reason: expected 1 to {LONGEST_FREE_TEXT:,} characters on one line")
    span = [date.fromisoformat(each) if each else None for each in (first, last)]
    return Wanted(named(by, "records"), reason, complete, span[0], span[1], yes, dry_run, form)


class _Run:
    """One import: rows, then what they propose."""

    def __init__(self, ledger: EpisodeLedger, sheets: Matched, wanted: Wanted, refused: RefusedRows) -> None:
        self._ledger, self._sheets, self._wanted = ledger, sheets, wanted
        self._recorder = Recorder(ledger)
        self._seen = Seen(wanted.first, wanted.last) if wanted.complete else None
        seen = self._seen.take if self._seen else None
        self._import = Import(ledger, self._recorder, self._asking, refused.add, seen)
        self._counts: Counter[str] = Counter()

    def go(self) -> int:
        """Do it; gives the exit status."""
        with progress("Importing", "rows") as tell:
            outcomes = self._counted(self._import.outcomes(self._rows()), tell)
            if chosen_form(self._wanted.form) == "table":
                outcomes = (each for each in outcomes if each.outcome == "refused")
            hidden = ("position", "outcome", "sheet")
            try:
                show_rows_to_the_end(
                    outcomes, RowOutcome, self._wanted.form, hidden=hidden, nothing="No row was refused."
                )
            except TooManyProposals:
                raise click.UsageError(
                    "more than 100,000 rows tell otherwise than before: is it the right file, and the right mapping?"
                ) from None
        proposed, wrong = self._proposed()
        self._summary(wrong)
        unrecorded = self._settle(proposed) if proposed else 0
        return 1 if self._counts["refused"] or wrong or unrecorded else 0

    def _rows(self) -> Iterator[Read]:
        for chosen in self._sheets.chosen:
            yield from chosen.rows(self._wanted.by)

    def _counted(self, outcomes: Iterable[RowOutcome], tell: object) -> Iterator[RowOutcome]:
        assert callable(tell)
        for outcome in outcomes:
            self._counts[outcome.outcome] += 1
            tell(self._import.rows, 0)
            yield outcome

    def _asking(self, place: Place) -> Asking:
        where = f"{place.sheet.label}, row {place.row}" if place.row else place.sheet.label
        said = "told otherwise in" if place.row else "gone from the complete export"
        default = "".join(mark for mark in f"{said} {where}" if mark.isprintable())[:LONGEST_FREE_TEXT]
        return Asking(self._wanted.by, self._wanted.reason or default)

    def _proposed(self) -> tuple[list[Proposed], list[Contradiction]]:
        found, wrong = self._import.proposals, list[Contradiction]()
        if found:
            found, wrong = without_contradictions(found, self._rows())
        if self._seen and self._counts["refused"]:
            say("What is gone is not looked for: rows were refused. Mend them and import the complete export again.")
        elif self._seen and self._sheets.chosen:
            found = [*found, *self._seen.gone(self._ledger, self._asking)]
        return found, wrong

    def _summary(self, wrong: list[Contradiction]) -> None:
        for first, second in wrong:
            other = "" if first.sheet == second.sheet else f"{first.sheet.label}, "
            say(
                printable(
                    second.says(f"tells otherwise what {other}row {first.row} tells under the same id; keep one.")
                )
            )
        counts = [f"{self._counts[kind]:,} {kind}" for kind in ("recorded", "duplicate", "refused")]
        for kind, words in (("changed", "told otherwise"), ("left_alone", "left as somebody mended it")):
            if self._counts[kind]:
                counts.append(f"{self._counts[kind]:,} {words}")
        would = "Nothing was recorded; it would be: " if self._wanted.dry_run else ""
        say(f"{would}{self._import.rows:,} rows: {', '.join(counts)}")
        if self._import.silent_rows:
            say(f"{self._import.silent_rows:,} rows tell nothing: no condition of the mapping holds for them.")
        if self._counts["duplicate"] and not self._wanted.complete:
            say("Rows that are gone from an export are left alone; --complete proposes to retract what they told.")

    def _settle(self, proposed: list[Proposed]) -> int:
        """Show what is proposed, ask, and record it; gives how many were not recorded."""
        rows = [self._row(each) for each in proposed]
        show_proposals(rows, self._wanted.form)
        say(f"Proposed: {counted_proposals(rows)}.")
        if not self._agreed():
            say("None of it was recorded; --yes records it." if not self._wanted.dry_run else _WITH_YES)
            return len(proposed)
        handled = [handled for _, handled in recorded_proposals(self._recorder, proposed)]
        done = sum(all(isinstance(each, Recorded) for each in one) for one in handled)
        say(f"{done:,} of {len(proposed):,} {'would be ' * self._wanted.dry_run}recorded")
        return len(proposed) - done

    def _agreed(self) -> bool:
        if self._wanted.yes or self._wanted.dry_run:
            return self._wanted.yes
        return sys.stdin.isatty() and click.confirm("Record these corrections?", err=True)

    def _row(self, each: Proposed) -> ProposalRow:
        place, proposal = each
        reason = self._asking(place).reason
        entry = f"{proposal.identity.source}:{proposal.identity.id}"
        return ProposalRow(
            place.sheet.label, place.row or None, proposal.identity.episode, entry, proposal.what, proposal.fact,
            proposal.differences, proposal.by_hand, reason,
        )  # fmt: skip


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
