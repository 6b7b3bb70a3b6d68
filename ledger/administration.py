"""The acts of the house in a ledger: recorded among the entries, in the same chain, and read back.

Each says what it must not contradict: a month is closed once, a book is taken up when another is in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar, get_args

import msgspec
from eventsourcing.persistence import RecordConflictError, StoredEvent

from ledger.facts.administration import (
    HOUSE,
    BookAdopted,
    HouseAct,
    IdentityInTheOpen,
    MonthClosed,
    PatientForgotten,
    RollbackAccepted,
    decode_act,
    encode_act,
)
from ledger.facts.desk_acts import LooksSealed, WorkAct
from ledger.facts.entry import UnreadableEntry
from ledger.facts.feed_acts import FeedAct, PatientLeftOut
from ledger.facts.stored import StoredRow
from ledger.recorders import WrongPath
from ledger.recorders.encrypted import EncryptedRecorder
from ledger.recorders.protocol import Entries


def _read_act(row: StoredRow) -> HouseAct:
    position, _, version, _, text = row
    try:
        return decode_act(text)
    except (msgspec.MsgspecError, UnicodeError) as error:
        raise UnreadableEntry(HOUSE, version, position) from error


LAST_POSITION: Final = 2**63 - 1
_Act = TypeVar("_Act", bound=HouseAct)


def stored_acts(acts: Iterable[HouseAct], after: int) -> list[StoredEvent]:
    """Acts of the house as they are stored, after so many others."""
    numbered = enumerate(acts, after + 1)
    return [StoredEvent(HOUSE, number, type(act).__name__, encode_act(act)) for number, act in numbered]


class HouseActs:
    """What a ledger knows of the acts of the house."""

    _entries: Entries

    def _insert(
        self, stored: Sequence[StoredEvent], patients: Iterable[tuple[str, str]] = (), **more: Any
    ) -> list[int]:
        raise NotImplementedError

    def record_closing(self, closing: MonthClosed) -> int:
        """Record that a month was closed; gives the position. ``RecordConflictError`` if another was faster."""
        acts = self.house_acts()
        if any(isinstance(act, MonthClosed) and act.month == closing.month for _, act in acts):
            raise RecordConflictError("the month is closed already")
        return self._record_act(closing, len(acts))

    def record_adoption(self, adoption: BookAdopted) -> int:
        """Record that a book was taken up; gives the position. ``RecordConflictError`` if another was faster."""
        acts = self.house_acts()
        last = next((act.hash for _, act in reversed(acts) if isinstance(act, BookAdopted)), None)
        if last == adoption.hash:
            raise RecordConflictError("that book is in force already")
        return self._record_act(adoption, len(acts))

    def record_acceptance(self, acceptance: RollbackAccepted) -> int:
        """Record that a rollback was meant; gives the position. ``RecordConflictError`` if another act was faster."""
        return self._record_act(acceptance, self.count_of_acts())

    def keeps_identity(self) -> bool:
        """Whether it may be told who a patient is: it is encrypted, or somebody meant it all the same."""
        return isinstance(self._entries, EncryptedRecorder) or bool(self.acts_of(IdentityInTheOpen))

    def allow_identity_in_the_open(self, act: IdentityInTheOpen) -> None:
        """Record that identity is kept although nothing is encrypted; nothing where it is kept anyway."""
        if not self.keeps_identity():
            self._record_act(act, self.count_of_acts())

    def record_work(self, *acts: WorkAct, after: int | None = None) -> int:
        """Record what was decided about open work, all of it or nothing; gives the position of the last.

        ``RecordConflictError`` if another act was faster (also since ``after``, a count of acts, was asked for), and
        where nothing of an episode can be read any more.
        """
        return self._insert(stored_acts(acts, self.count_of_acts() if after is None else after))[-1]

    def work_acts(self, after: int = 0) -> list[tuple[int, WorkAct]]:
        """What was decided about open work, after so many acts of the house, each with its position, in order."""
        return self.acts_of(*get_args(WorkAct), after=after)

    def record_for_feed(self, act: FeedAct) -> int:
        """Record whose rows the feed has from here on, or has not; gives the position. ``RecordConflictError`` if
        another act was faster, or it is so already."""
        after = self.count_of_acts()
        if (act.patient in self.left_out()) == isinstance(act, PatientLeftOut):
            raise RecordConflictError("it is so already")
        return self._record_act(act, after)

    def left_out(self, upto: int = LAST_POSITION) -> dict[str, int]:
        """The patients whose rows the feed does not have at a position, each with the act's own; the forgotten left
        out."""
        found: dict[str, int] = {}
        for position, act in self.acts_of(*get_args(FeedAct)):
            if position <= upto and act.patient:
                found.pop(act.patient, None)
                if isinstance(act, PatientLeftOut):
                    found[act.patient] = position
        return found

    def record_seal_of_looks(self, act: LooksSealed) -> int:
        """Record what the access records were; gives the position. ``RecordConflictError`` if another was faster."""
        return self._record_act(act, self.count_of_acts())

    def seals_of_looks(self) -> list[tuple[int, LooksSealed]]:
        """What the access records were at times, each with its position, in order."""
        return self.acts_of(LooksSealed)

    def _record_act(self, act: HouseAct, after: int, **more: Any) -> int:
        return self._insert(stored_acts([act], after), **more)[0]

    def count_of_acts(self, upto: int = LAST_POSITION) -> int:
        """How many acts of the house there are, up to a position."""
        return self._entries.count_of(HOUSE, upto)

    def acts_of(self, *kinds: type[_Act], after: int = 0) -> list[tuple[int, _Act]]:
        """The acts of some kinds with their positions, in order, after so many acts: the others are not read."""
        tags = {kind.__name__ for kind in kinds}
        rows = self._entries.rows_of_kinds(HOUSE, tags, after)
        acts = [(row[0], _read_act(row)) for row in rows]
        return [(position, act) for position, act in acts if isinstance(act, kinds)]

    def house_acts(self) -> list[tuple[int, HouseAct]]:
        """Every act of the house with its position, in order."""
        return [(row[0], _read_act(row)) for row in self._entries.rows_of([HOUSE])]

    def closings(self) -> list[tuple[int, MonthClosed]]:
        """Every closed month with the position of its record, in the order they were closed."""
        return self.acts_of(MonthClosed)

    def adoptions(self) -> list[tuple[int, BookAdopted]]:
        """Every book taken up, with the position from which it held, in order."""
        return self.acts_of(BookAdopted)

    def forgettings(self, upto: int | None = None, after: int = 0) -> list[tuple[int, PatientForgotten]]:
        """Every act by which a patient was forgotten, after a position up to another, in order."""
        if not isinstance(self._entries, EncryptedRecorder):
            return []
        acts = self._entries.forgettings()
        return [(at, act) for at, act in acts if after < at and (upto is None or at <= upto)]

    def record_forgetting(self, act: PatientForgotten, right_after: int) -> int:
        """Record that a patient is forgotten, and destroy the keys, in one transaction; gives the position.

        ``RecordConflictError`` if anything was recorded after that position: its lines may be others by now.

        Every entry of the act's episodes is unreadable from then on, to everybody and for ever.
        """
        if not isinstance(self._entries, EncryptedRecorder):
            raise WrongPath("nothing can be forgotten in a ledger that is not encrypted")
        return self._record_act(act, self.count_of_acts(), forgotten=act.episodes, right_after=right_after)
