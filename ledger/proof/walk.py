"""The walk over a whole ledger that proves it: what holds, and the first position that does not.

The walk trusts nothing but the rows it is given: it makes each leaf and seal anew, grows the Merkle tree, holds each
text to its columns, and stops at every checkpoint's size to compare. It decodes no fact and needs no key; with the
master key of an encrypted ledger it looks into the envelopes, too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from ledger.keys.keyring import Locks
from ledger.proof.breaks import SEALS_BACK, Break, Fault, SealedRow
from ledger.proof.checkpoint import Checkpoint
from ledger.proof.consistency import Contents, Pair
from ledger.proof.merkle import Frontier
from ledger.proof.seals import first_seal, leaf_of, seal_of

ProofOutcome = Literal["holds", "fails", "other_ledger"]

_NO_LEAF = bytes(32)
_LARGEST = 2**63 - 1


class ProofReport(Struct, frozen=True):
    """What a walk found: how far it came, the chain's head and the tree's root there, what is wrong (the first
    position first), how each checkpoint fared, in the order they were given, and whether the ledger is encrypted and
    its envelopes stayed closed.
    """

    ledger: str
    entries: int
    head: bytes
    root: bytes
    faults: tuple[Fault, ...]
    outcomes: tuple[ProofOutcome, ...]
    closed: bool = False

    @property
    def holds(self) -> bool:
        """Whether nothing at all is wrong."""
        return not self.faults


class Walk:
    """Takes the entries of one ledger by position, then says what holds."""

    def __init__(self, ledger_id: str, checkpoints: Sequence[Checkpoint] = (), locks: Locks | None = None) -> None:
        self.last = self.entries = 0
        self._ledger, self._checkpoints = ledger_id, checkpoints
        self._closed = locks is not None and locks.open is None
        self._seals = deque([first_seal(ledger_id)], SEALS_BACK)
        self._tree, self._contents = Frontier(), Contents(locks)
        self._break: Break | None = None
        self._forged: Fault | None = None
        self._marks: dict[int, tuple[bytes, bytes]] = {}
        self._sizes = sorted({checkpoint.size for checkpoint in checkpoints}, reverse=True)
        self._mark(0)

    def take(self, row: SealedRow) -> None:
        """Take in the next entry."""
        position, episode, version, tag, text, seal, typed = row
        self.entries += 1
        if not typed or version < 1 or position <= self.last:
            return self._take_unlike(row)
        if self._break is not None:
            self._break.look(row)
        elif position != self.last + 1:
            self._break = Break(self.last + 1, self._seals, None)
            self._break.look(row)
        leaf = leaf_of(position, episode, version, tag, text)
        if self._break is None:
            if seal_of(self._seals[-1], leaf) != seal:
                self._break = Break(position, self._seals, row)
            elif self._forged is None:
                wrong = self._contents.take(position, episode, version, tag, text)
                if wrong is not None:
                    self._forged = Fault("forged", position, f"entry {position} was forged or sealed anew: {wrong}")
        self._tree.add(leaf)
        self._seals.append(seal)
        self.last = position
        if self._sizes and position >= self._sizes[-1]:
            self._mark(position)
        return None

    def _take_unlike(self, row: SealedRow) -> None:
        """A row that cannot be sealed: not of the kinds of its columns, or with a number that is never given."""
        if type(row[0]) is not int or row[0] <= self.last:
            strange = Fault("added", self.last, f"beside entry {self.last} stands a row without a position of its own")
            self._forged = self._forged or (None if self._break else strange)
            return
        unlike = (*row[:5], b"", False)
        if self._break is not None:
            self._break.look(unlike)
        else:
            self._break = Break(self.last + 1, self._seals, unlike if row[0] == self.last + 1 else None)
        self._tree.add(_NO_LEAF)
        self._seals.append(_NO_LEAF)
        self.last = row[0]

    def _mark(self, position: int) -> None:
        """Note root and head at a size that a checkpoint speaks of; where entries are missing the root is no tree's."""
        while self._sizes and self._sizes[-1] <= position:
            self._sizes.pop()
        self._marks[position] = self._tree.root(), self._seals[-1]

    def report(
        self, *, last_number: int, patients: Iterable[Pair], others: Sequence[Fault] = (), whole: bool = True
    ) -> ProofReport:
        """What holds. ``last_number`` is the last that the file itself says it gave; ``others`` is what else is wrong
        with the file; ``whole`` is whether its entries could be read to the end.
        """
        outcomes = tuple(map(self._outcome, self._checkpoints))
        faults = self._of_the_rows(outcomes)
        broken = faults[0].position if faults else None
        if whole:
            faults += [] if faults else self._contents.compare(patients)
            faults += self._of_the_end(last_number)
        faults += self._of_the_checkpoints(outcomes, broken)
        faults += others
        faults.sort(key=lambda fault: _LARGEST if fault.position is None else fault.position)
        head, root = self._seals[-1], self._tree.root()
        return ProofReport(self._ledger, self.entries, head, root, tuple(faults), outcomes, self._closed)

    def _outcome(self, checkpoint: Checkpoint) -> ProofOutcome:
        if checkpoint.ledger != self._ledger and self._ledger:
            return "other_ledger"
        return "holds" if self._marks.get(checkpoint.size) == (checkpoint.root, checkpoint.head) else "fails"

    def _of_the_rows(self, outcomes: Sequence[ProofOutcome]) -> list[Fault]:
        """The first entry that does not fit, or, before any such, the first that fits and was never recorded."""
        if self._forged is not None:
            return [self._forged]
        if self._break is None:
            return []
        trusted = any(
            outcome == "holds" and checkpoint.size >= self._break.position - 1
            for checkpoint, outcome in zip(self._checkpoints, outcomes, strict=True)
        )
        return [self._break.fault(trusted)]

    def _of_the_end(self, last_number: int) -> list[Fault]:
        beyond = max((each.size for each in self._of_this_ledger() if each.size > self.last), default=None)
        if beyond is not None:
            signed = next(_time(each) for each in self._of_this_ledger() if each.size == beyond)
            cut = (
                f"the ledger ends with entry {self.last}, but the checkpoint of {signed} stands for {beyond}:"
                " its tail was cut off, or an older copy was put back"
            )
            return [Fault("cut", self.last + 1, cut)]
        if last_number > self.last:
            gone = f"the ledger ends with entry {self.last}, but the file has given numbers up to {last_number}"
            return [Fault("cut", self.last + 1, f"{gone}: its tail was cut off")]
        if last_number < self.last:
            said = f"the file has given numbers up to {last_number} only, but there are entries up to {self.last}"
            return [Fault("altered", None, said)]
        return []

    def _of_the_checkpoints(self, outcomes: Sequence[ProofOutcome], broken: int | None) -> list[Fault]:
        """What the checkpoints alone show: one is of another ledger, or stands for other entries though all fit."""
        faults = []
        if "other_ledger" in outcomes:
            faults.append(
                Fault("other_ledger", None, "a checkpoint is of another ledger, or this one's id was changed")
            )
        pairs = list(zip(self._checkpoints, outcomes, strict=True))
        failing = [each for each, outcome in pairs if outcome == "fails" and each.size <= self.last]
        first = min(failing, key=lambda each: each.size, default=None)
        if first is None or (broken is not None and broken <= first.size):
            return faults
        if first.size == 0:
            return [*faults, Fault("other_ledger", None, "a checkpoint of the empty ledger is not of this one's")]
        held = [each.size for each, outcome in pairs if outcome == "holds" and each.size < first.size]
        start = max(held, default=0) + 1
        resealed = (
            f"the entries up to {first.size} are not those that the checkpoint of {_time(first)} signed:"
            f" among {start} to {first.size} something was changed and sealed anew"
        )
        return [*faults, Fault("resealed", start, resealed)]

    def _of_this_ledger(self) -> list[Checkpoint]:
        return [each for each in self._checkpoints if each.ledger == self._ledger]


def _time(checkpoint: Checkpoint) -> str:
    return checkpoint.at.isoformat().replace("+00:00", "Z")
