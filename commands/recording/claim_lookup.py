"""Claims of files beside the ledger: looked up by their number for the gate, or told as lines of intake."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from commands.terminal.options import Setup
from ledger.book import PER_DIEM_CODES, Book
from ledger.facts.entry import statement_of
from ledger.facts.events import ClaimSubmitted
from ledger.store import EpisodeLedger, NoLedger
from ledger.x12.claim_reader import ReadClaim, ReadLine
from ledger.x12.gate import KnownClaim, cents_of, day_of, units_of
from projections.claims_out.known import known_claim
from projections.claims_out.members import episodes_in
from projections.reading.as_known import AsKnown
from projections.reading.joined import entries_of_kinds

SOURCE: Final = "837"
"""Under which source a claim of before is brought over."""
_BY: Final = "claims read"


class KnownClaims:
    """The claims of a ledger by the number that stands on them; without a ledger, none."""

    def __init__(self, ledger: EpisodeLedger | None, book: Book) -> None:
        self._ledger, self._book = ledger, book
        self._claims: dict[str, list[tuple[str, ClaimSubmitted]]] = {}
        if ledger is not None:
            for name, entries in entries_of_kinds(ledger, episodes_in(ledger), ledger.position(), (ClaimSubmitted,)):
                for entry in entries:
                    if isinstance(fact := statement_of(entry), ClaimSubmitted):
                        self._claims.setdefault(fact.number_on_claim, []).append((name, fact))

    def beside(self, read: ReadClaim) -> KnownClaim | None:
        """What is known of the patient beside a claim; None for one that the ledger does not know."""
        told = self._claims.get(read.control)
        if told is None or self._ledger is None:
            return None
        past = AsKnown(self._ledger, self._book)
        episode, claim = next((each for each in reversed(told) if each[1].frequency == read.frequency), told[-1])
        owner = past.owner(episode)
        judged = past.judged(owner) if owner is not None else None
        if judged is None:
            return None
        without = {fact.claim for _, fact in told}
        return known_claim(judged, judged.case(episode), claim.payer, without)


@contextmanager
def ledger_if_any(setup: Setup) -> Iterator[EpisodeLedger | None]:
    """The ledger; None where there is none."""
    try:
        opened = setup.open()
    except NoLedger:
        yield None
        return
    with opened as ledger:
        yield ledger


def intake_line(claim: ReadClaim, episode: str, payer: str) -> dict[str, Any] | None:
    """A claim of a file as a line of intake; None if it cannot be told."""
    lines = [line for line in map(_line, claim.lines, [claim] * len(claim.lines)) if line is not None]
    if len(lines) < len(claim.lines) or not lines or claim.frequency not in ("1", "7", "8"):
        return None
    number = claim.file.number.lstrip("0") or "0"
    name = claim.control if claim.frequency == "1" else f"{claim.control}-R{number}"
    fact: dict[str, Any] = {
        "type": "ClaimSubmitted", "claim": name, "payer": payer, "frequency": claim.frequency, "lines": lines,
    }  # fmt: skip
    fact |= {"control": claim.control} if name != claim.control else {}
    fact |= {"replaces": claim.payer_number} if claim.payer_number else {}
    sent_on = day_of(claim.file.written_on)
    fact |= {"sent_on": sent_on.isoformat()} if sent_on else {}
    return {"episode": episode, "source": SOURCE, "id": f"{number}-{name}", "by": _BY, "fact": fact}


def _line(line: ReadLine, claim: ReadClaim) -> dict[str, Any] | None:
    first, last = day_of(line.from_), day_of(line.to)
    units, cents = units_of(line.units), cents_of(line.charge)
    if first is None or last is None or units is None or cents is None:
        return None
    told: dict[str, Any] = {
        "code": line.code, "from": first.isoformat(), "to": last.isoformat(),
        "units": int(units) if units == int(units) else str(units), "charge_cents": cents,
    }  # fmt: skip
    authorization = (line.authorization or claim.authorization) if line.code in PER_DIEM_CODES else ""
    more = {
        "modifiers": list(line.modifiers), "authorization": authorization, "line": line.number, "ndc": line.ndc,
        "quantity": line.quantity, "unit": line.unit, "rx": line.rx,
    }  # fmt: skip
    return told | {name: value for name, value in more.items() if value}
