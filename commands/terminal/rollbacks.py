"""Whether the ledger was put back to an earlier state: looked at whenever it is opened, said until it is accepted."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from commands.outside import utc_now
from commands.terminal.show import say
from ledger.facts.administration import HOUSE, HouseAct, decode_act
from ledger.facts.entry import UnreadableEntry
from ledger.recorders.by_name.as_stored import as_stored
from ledger.store import EpisodeLedger
from projections.read_model.generations import Places
from projections.read_model.rollback import LedgerNow, Rollback, Seen, accepted_by, rollbacks
from projections.words import sentence


class RollbackWatch:
    """What is known of rollbacks of the ledger that one command, or one site, works on."""

    def __init__(self) -> None:
        self.found: list[Rollback] = []

    def look(self, ledger: EpisodeLedger, places: Places) -> None:
        """Look, keep what was seen, and say it once."""

        def accepted() -> set[Seen]:
            try:
                return accepted_by([act for _, act in ledger.house_acts()])
            except UnreadableEntry:  # 'verify' says so
                return set()

        now = LedgerNow(ledger.id, ledger.position(), ledger.seal_at, accepted)
        found = rollbacks(places, now, utc_now(), keep=True)
        if found and not self.found:
            tell_rollbacks(found)
        self.found = found

    def end(self) -> None:
        """End with 1 while there is one that nobody accepted."""
        if self.found:
            sys.exit(1)


def stored_rollbacks(name: str, places: Places) -> list[Rollback]:
    """The same of a ledger by its name, whose master key is perhaps not there; nothing is written."""
    with as_stored(name) as entries:

        def accepted() -> set[Seen]:
            return accepted_by(list(_acts(row[4] for row in entries.rows_of([HOUSE]))))

        def seal_at(position: int) -> str:
            return entries.seal_at(position).hex()

        now = LedgerNow(entries.about().get("id", ""), entries.max_position(), seal_at, accepted)
        return rollbacks(places, now, utc_now(), keep=False)


def _acts(texts: Iterable[str]) -> Iterable[HouseAct]:
    for text in texts:
        if '"RollbackAccepted"' in text:
            try:
                yield decode_act(text)
            except ValueError:  # the walk says so
                continue


def told(each: Rollback) -> str:
    """One rollback in a sentence."""
    return (
        f"the ledger was put back to an earlier state: position {each.position:,} with seal {each.seal[:16]} had been"
        f" seen here; at {each.found_at} it ended at position {each.found_position:,} without that"
    )


HINT = "'episode-ledger verify --accept-rollback REASON' records that this was meant; until then it is said"


def tell_rollbacks(found: Sequence[Rollback]) -> None:
    """Say that the ledger is not what it was, and what to do."""
    for each in found:
        say(sentence(told(each)))
    say(f"hint: {HINT}")
