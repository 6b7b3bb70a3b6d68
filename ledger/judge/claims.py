"""Claims as they left the house: which are live, and the dates on their lines (rulebook section 5)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, Struct

from ledger.book import PER_DIEM_CODES
from ledger.facts.entry import Entry
from ledger.facts.events import ClaimSubmitted
from ledger.judge.episode import Episode


class ClaimedLine(Struct, frozen=True, gc=False):
    """A line of a live claim with its claim's entry."""

    code: str
    from_: int
    to: int
    units: int
    charge_cents: int
    payer: str
    claim: str
    entry: Entry

    @property
    def is_per_diem(self) -> bool:
        """Whether it is a line of S9325-S9328."""
        return self.code in PER_DIEM_CODES


def live_claims(episode: Episode) -> Iterator[tuple[Entry, ClaimSubmitted]]:
    """Claims of frequency 1 or 7 that no other claim of the episode replaces or voids, whatever the order."""
    replaced = {
        claim.replaces
        for _, claim in episode.claims.values()
        if claim.frequency in ("7", "8") and claim.replaces is not UNSET and claim.replaces != claim.claim
    }
    for number, (entry, claim) in episode.claims.items():
        if claim.frequency in ("1", "7") and number not in replaced:
            yield entry, claim


def claimed_lines(episode: Episode) -> list[ClaimedLine]:
    """Every line of the episode's live claims."""
    return [
        ClaimedLine(
            line.code, line.from_.toordinal(), line.to.toordinal(), line.units, line.charge_cents,
            claim.payer, claim.claim, entry,
        )
        for entry, claim in live_claims(episode)
        for line in claim.lines
    ]  # fmt: skip
