"""An import as a person follows it: the rows, then what they propose to correct, asked for and recorded."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, Literal, NamedTuple

import click
import msgspec

from commands.references.watching import Watch
from commands.sheets.mapped import Place
from commands.sheets.matching import Matched, Read
from commands.terminal.progress import progress
from commands.terminal.refused_rows import RefusedRows
from commands.terminal.show import (
    chosen_form,
    printable,
    say,
    show_prose,
    show_rows,
    show_rows_to_the_end,
)
from commands.writing.handle import Recorded, Recorder
from commands.writing.importing import Import, Proposed, RowOutcome, TooManyProposals, recorded_proposals
from commands.writing.retold import Asking, Difference
from commands.writing.whole_export import Contradiction, Seen, without_contradictions
from ledger.facts.texts import LONGEST_FREE_TEXT
from ledger.store import EpisodeLedger
from projections.words import counted

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
    clock_is_right: bool


class ImportRun:
    """One import: rows, then what they propose."""

    def __init__(
        self, ledger: EpisodeLedger, sheets: Matched, wanted: Wanted, refused: RefusedRows, watch: Watch
    ) -> None:
        self._ledger, self._sheets, self._wanted = ledger, sheets, wanted
        self._recorder = Recorder(ledger, clock_is_right=wanted.clock_is_right, watch=watch)
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
        say(f"{would}{counted(self._import.rows, 'row')}: {', '.join(counts)}")
        if silent := self._import.silent_rows:
            say(f"No condition of the mapping holds for {counted(silent, 'row')}: nothing is told there.")
        if self._counts["duplicate"] and not self._wanted.complete:
            say("Rows that are gone from an export are left alone; --complete proposes to retract what they told.")

    def _settle(self, proposed: list[Proposed]) -> int:
        """Show what is proposed, ask, and record it; gives how many were not recorded."""
        rows = [self._row(each) for each in proposed]
        _show_proposals(rows, self._wanted.form)
        say(f"Proposed: {_counted_proposals(rows)}.")
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


def _show_proposals(rows: Sequence[ProposalRow], form: str | None) -> None:
    """Print proposals: sentences for a person, rows for a program."""
    if chosen_form(form) == "table":
        for row in rows:
            show_prose(_sentence(row))
    else:
        show_rows(rows, ProposalRow, form)


def _sentence(row: ProposalRow) -> str:
    where = f"{row.file}, row {row.row}" if row.row else f"gone from {row.file}"
    over = "; a person mended this by hand" if row.by_hand else ""
    changes = ", ".join(map(_change, row.differences)) if row.proposed != "retracted" else ""
    return f"{row.episode} {row.entry} ({row.fact}) {row.proposed}{': ' * bool(changes)}{changes} ({where}{over})"


def _change(difference: Difference) -> str:
    return f"{difference.field} {difference.stands or 'empty'} → {difference.told or 'empty'}"


def _counted_proposals(rows: Sequence[ProposalRow]) -> str:
    """How many of which kind."""
    return ", ".join(f"{number:,} {kind}" for kind, number in Counter(row.proposed for row in rows).items())
