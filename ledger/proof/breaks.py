"""Where the chain of seals does not hold, and what the entries around that place tell about why.

One seal that does not fit says where, but not what happened. The entries after it say more: they still carry the seals
they were given, so that one which fits at another place shows how the ledger was. What they cannot tell is said so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from ledger.proof.seals import leaf_of, seal_of

SealedRow = tuple[int, bytes, int, bytes, bytes, bytes, bool]
"""A stored entry as found: position, episode, version, tag, text, seal, and whether each is of its column's kind."""

SEALS_BACK: Final = 65
"""How many seals before a break are kept: one more than the added entries that can be told for certain."""
STEPS_ON: Final = 1_000
"""How many missing entries can be told where those after them were moved up."""

FaultKind = Literal[
    "changed", "missing", "added", "moved", "resealed", "cut", "forged", "altered", "damaged", "other_ledger"
]


class Fault(NamedTuple):
    """One thing that is wrong with a ledger: of what kind, at which position (None: at no single one), in words."""

    kind: FaultKind
    position: int | None
    message: str


class Break:
    """The first position that does not hold; it is shown the entries after it, and then says what became of it.

    ``seals`` are those before it, the nearest last; ``row`` is what stands there, None where nothing does.
    """

    def __init__(self, position: int, seals: Sequence[bytes], row: SealedRow | None) -> None:
        self.position = position
        self._seals = tuple(seals)
        self._row = row
        self._next: SealedRow | None = None
        self._home: SealedRow | None = None
        self._latest: SealedRow | None = None
        self._moved_down = True

    def look(self, row: SealedRow) -> None:
        """See an entry at or after the break (at it: after a gap); they come in order."""
        if self._next is None:
            self._next = row
        if self._latest is not None and self._home is not None:
            distance = self._home[0] - self.position
            self._moved_down = self._moved_down and _fits(row, row[0] - distance, self._latest[5])
            self._latest = row
        elif self._belongs_here(row):
            self._home = self._latest = row

    def fault(self, trusted: bool) -> Fault:
        """What became of the entry; ``trusted``: a checkpoint vouches for everything before it."""
        if self._home is not None:
            return self._told_by(self._home)
        if self._row is None:
            return self._gap()
        told = self._told_by_next(self._row) or self._missing(self._row) or self._added(self._row)
        return told or self._changed(trusted)

    def _belongs_here(self, row: SealedRow) -> bool:
        """Whether it was recorded at the break's position, and was moved with its seal, or without."""
        if not row[6]:
            return False
        seal = seal_of(self._seals[-1], leaf_of(self.position, *row[1:5]))
        return seal == row[5] or (self._row is not None and seal == self._row[5])

    def _told_by(self, home: SealedRow) -> Fault:
        """What it shows that the entry stands further on, and whether all after it moved down along with it."""
        here, there = self.position, home[0]
        alone = self._latest is home
        if self._moved_down and not alone:
            return Fault("added", here, f"{_named(here, there - 1)} added; what follows was moved down")
        doubt = f", or {_named(here, there - 1)} added before it" if alone and self._row is not None else ""
        return Fault("moved", here, f"entry {here} was moved: what was sealed there stands now at {there}{doubt}")

    def _gap(self) -> Fault:
        last = self._next[0] - 1 if self._next else self.position
        return Fault("missing", self.position, f"{_named(self.position, last, 'is', 'are')} missing")

    def _told_by_next(self, row: SealedRow) -> Fault | None:
        """What the seal of the next entry shows, if that one still fits what was here."""
        if self._next is None or not row[6]:
            return None
        if _fits(self._next, self.position + 1, seal_of(self._seals[-1], leaf_of(self.position, *row[1:5]))):
            return Fault("changed", self.position, f"the seal of entry {self.position} was changed, not the entry")
        return None

    def _missing(self, row: SealedRow) -> Fault | None:
        """Entries taken out, and those after them moved up with their seals."""
        if self._next is None or self._next[0] != self.position + 1 or _fits(self._next, self._next[0], row[5]):
            return None
        for steps in range(1, STEPS_ON + 1):
            if _fits(self._next, self._next[0] + steps, row[5]):
                gone = _named(self.position, self.position + steps - 1, "is", "are")
                return Fault("missing", self.position, f"{gone} missing; what follows was moved up")
        return None

    def _added(self, row: SealedRow) -> Fault | None:
        """Entries put in before this one with seals of their own that fit."""
        for steps in range(1, len(self._seals)):
            first = self.position - steps
            if _fits(row, first, self._seals[-1 - steps]):
                return Fault("added", first, f"{_named(first, self.position - 1)} added; what follows was moved down")
        return None

    def _changed(self, trusted: bool) -> Fault:
        here, next_ = self.position, self._next
        if self._row is not None and not self._row[6]:
            return Fault("changed", here, f"entry {here} was changed: a column of it is not of its kind")
        if next_ is not None and self._row is not None and _fits(next_, here + 1, self._row[5]):
            before = f"entry {here - 1} was and was sealed anew" if here > 1 else "the ledger's id was"
            doubt = "" if trusted else f", or {before}"
            return Fault("changed", here, f"entry {here} was changed{doubt}: it does not fit its seal")
        if next_ is None:
            return Fault("changed", here, f"entry {here}, the last, does not fit its seal: it was changed or added")
        return Fault(
            "changed", here, f"entry {here} does not fit its seal: it, its seal, or what stood around it was changed"
        )


def _fits(row: SealedRow, position: int, before: bytes) -> bool:
    """Whether an entry's own seal is right, were it at that position after that seal."""
    return row[6] and position > 0 and seal_of(before, leaf_of(position, *row[1:5])) == row[5]


def _named(first: int, last: int, one: str = "was", several: str = "were") -> str:
    return f"entry {first} {one}" if first >= last else f"entries {first} to {last} {several}"
