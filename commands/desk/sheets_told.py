"""What is said of a spreadsheet that is imported at the site: its rows in numbers, and what somebody has to look at."""

from __future__ import annotations

from commands.desk.act import Part
from commands.desk.sheet_run import LINES_SHOWN, Ran
from commands.writing.importing import Proposed
from projections.words import counted


def told_of(ran: Ran, done: str) -> list[Part]:
    """A file in numbers, then what somebody has to look at."""
    words = {
        "recorded": done, "duplicate": "there already", "refused": "refused", "changed": "told otherwise than before",
        "left_alone": "left as somebody corrected it",
    }  # fmt: skip
    counts = [f"{ran.counts[kind]:,} {words[kind]}" for kind in words if ran.counts[kind]]
    found = [Part(f"{counted(ran.rows, 'row')}: {', '.join(counts) or 'nothing is told'}.")]
    if ran.refused:
        lines = some_of(ran.refused, ran.counts["refused"])
        found.append(Part("Refused rows; mend them, in the file or in the CSV below, and send it again:", lines))
    if not ran.is_sought:
        found.append(Part("What is gone is not looked for, for rows were refused: mend them and send all of it again."))
    if ran.proposed:
        heading = f"Told otherwise than before, or gone ({ran.corrected:,} corrected or retracted):"
        found.append(
            Part(heading, some_of([_proposal(each) for each in ran.proposed[:LINES_SHOWN]], len(ran.proposed)))
        )
    if ran.contradictions:
        found.append(Part("Rows that contradict each other:", some_of(ran.contradictions, len(ran.contradictions))))
    return found


def some_of(lines: list[str], count: int) -> tuple[str, ...]:
    """The first lines of many, and how many more there are."""
    more = (f"and {count - LINES_SHOWN:,} more",) if count > LINES_SHOWN else ()
    return (*lines[:LINES_SHOWN], *more)


def _proposal(each: Proposed) -> str:
    proposal = each.proposal
    if not each.place.row:
        where = f"{proposal.identity.episode} {proposal.identity.source}:{proposal.identity.id}"
        return f"{where} ({proposal.fact}): gone, to be retracted{_by_hand(each)}"
    changes = ", ".join(f"{one.field} {one.stands or 'empty'} → {one.told or 'empty'}" for one in proposal.differences)
    return f"{proposal.identity.episode} {proposal.identity.source}:{proposal.identity.id}: {changes}{_by_hand(each)}"


def _by_hand(each: Proposed) -> str:
    return "; somebody corrected this by hand" if each.proposal.by_hand else ""
