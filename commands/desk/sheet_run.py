"""The rows of a spreadsheet at the site, run against the ledger or a rehearsal of it, and what became of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Final, NamedTuple

from commands.sheets.mapped import Place
from commands.sheets.matching import Matched, Read
from commands.writing.handle import Recorded, Recorder
from commands.writing.importing import Import, Proposed, recorded_proposals
from commands.writing.retold import Asking
from commands.writing.whole_export import Seen, without_contradictions
from ledger.facts.texts import LONGEST_FREE_TEXT
from ledger.store import EpisodeLedger

LINES_SHOWN: Final = 50
NOT_THEIRS: Final = "would change what voids an episode, which you may not"
Refuse = Callable[[Read, str], None]


class SheetsWanted(NamedTuple):
    """What was asked of a file: who records, whether corrections too, and, if it is all there is, of which dates;
    ``barred`` are kinds of fact of which whoever records may change nothing."""

    by: str
    is_corrected: bool
    whole: tuple[date | None, date | None] | None
    barred: frozenset[str] = frozenset()


class Ran(NamedTuple):
    """What became of the rows of a file: in numbers, what was refused, and what is told otherwise than before or gone.

    ``refused_rows`` are how many rows were refused of each sheet, by its name; ``is_sought`` is whether what is gone
    was looked for, if the file is all there is.
    """

    counts: Counter[str]
    rows: int
    refused: list[str]
    proposed: list[Proposed]
    contradictions: list[str]
    corrected: int
    refused_rows: Mapping[str, int]
    is_sought: bool


def said_only(read: Read, message: str) -> None:
    """A refused row of which nobody wants more than what is said of it."""


def run_sheets(ledger: EpisodeLedger, sheets: Matched, wanted: SheetsWanted, refuse: Refuse) -> Ran:
    """Record the rows of sheets, and the corrections if they are wanted; ``refuse`` gets each row that is refused."""

    def asking(place: Place) -> Asking:
        said = f"{'told otherwise in' if place.row else 'gone from the complete export'} {_where(place)}"
        return Asking(wanted.by, "".join(mark for mark in said if mark.isprintable())[:LONGEST_FREE_TEXT])

    def also(read: Read, message: str) -> None:
        refused_rows.setdefault(read.sheet.name, set()).add(read.row.number)
        refuse(read, message)

    recorder, counts, refused = Recorder(ledger, clock_is_right=False), Counter[str](), list[str]()
    refused_rows = dict[str, set[int]]()
    seen = Seen(*wanted.whole) if wanted.whole else None
    run = Import(ledger, recorder, asking, also, seen.take if seen else None)
    for outcome in run.outcomes(_rows(sheets, wanted.by)):
        counts[outcome.outcome] += 1
        if outcome.outcome == "refused" and len(refused) < LINES_SHOWN:
            refused.append(outcome.message or "")
    again = _rows(sheets, wanted.by)
    proposed, wrong = without_contradictions(run.proposals, again) if run.proposals else ([], [])
    if seen and not counts["refused"]:
        proposed = [*proposed, *seen.gone(ledger, asking)]
    not_theirs = [each for each in proposed if each.proposal.kinds & wanted.barred]
    proposed = [each for each in proposed if not each.proposal.kinds & wanted.barred]
    counts["changed"] -= sum(each.place.row > 0 for each in not_theirs)
    counts["refused"] += len(not_theirs)
    refused += [f"{_where(each.place)}: {NOT_THEIRS}" for each in not_theirs[: max(0, LINES_SHOWN - len(refused))]]
    handled = recorded_proposals(recorder, proposed) if wanted.is_corrected else ()
    corrected = sum(all(isinstance(each, Recorded) for each in one) for _, one in handled)
    against = [first.says(f"tells otherwise than row {second.row} under the same id") for first, second in wrong]
    numbers = {name: len(rows) for name, rows in refused_rows.items()}
    return Ran(counts, run.rows, refused, proposed, against, corrected, numbers, not (seen and counts["refused"]))


def _where(place: Place) -> str:
    return f"{place.sheet.label}, row {place.row}" if place.row else place.sheet.label


def _rows(sheets: Matched, by: str) -> Iterator[Read]:
    return (read for chosen in sheets.chosen for read in chosen.rows(by))


def episodes_of(read: Read) -> set[str]:
    """The episodes that a row names, as far as it can be read."""
    cells = (*read.row.cells, "", "1")  # of a list in a cell the value and its number, which no episode is named by
    plans = (told.place.fact for told in read.told if told.place.fact is not None)
    return {name for plan in plans if (name := plan.envelope_of(cells, []).get("episode"))}
