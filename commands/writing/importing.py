"""Rows in, an outcome for each of their facts: what is new is recorded, what is told otherwise is set aside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from commands.door.intake import Line, Refusal, parse_line
from commands.sheets.mapped import FromRow, Made, NotMade, Place
from commands.sheets.matching import Read
from commands.sheets.messages import of_the_row
from commands.writing.decide import Duplicate, Refused
from commands.writing.handle import Handled, Recorded, Recorder
from commands.writing.retold import Asking, Identity, Proposal, compared
from ledger.facts.entry import Entry
from ledger.facts.events import Event
from ledger.facts.heads import EpisodeHead
from ledger.recorders import Unknown
from ledger.store import EpisodeLedger
from projections.reading.held import held_entries

BATCH_FACTS: Final = 4_000
MOST_PROPOSALS: Final = 100_000
"""In one run; more than that is another mapping or another file."""


class RowOutcome(Struct, frozen=True, gc=False):
    """What became of one fact of a row; ``fact`` is its type, None where the row as a whole cannot be read."""

    file: str
    sheet: str | None
    row: int
    fact: str | None
    outcome: Literal["recorded", "duplicate", "refused", "changed", "left_alone"]
    position: int | None = None
    code: str | None = None
    message: str | None = None


class Proposed(NamedTuple):
    """What a row asks to be changed of what stands."""

    place: Place
    proposal: Proposal


class _Asked(Struct, frozen=True, gc=False):
    """What one row tells, on its way through a batch; ``line`` goes to the recorder."""

    read: Read
    told: Made | NotMade
    parsed: Line | Refusal | None
    line: Line | None


class Import:
    """Records rows; what they tell otherwise than before becomes ``proposals``, to be shown and asked for.

    ``refused`` gets each row of which something is refused, ``seen`` every identity that is told.
    """

    def __init__(
        self,
        ledger: EpisodeLedger,
        recorder: Recorder,
        asking: Callable[[Place], Asking],
        refused: Callable[[Read, str], None] = lambda read, message: None,
        seen: Callable[[Made, Line], None] | None = None,
    ) -> None:
        self._ledger, self._recorder, self._asking = ledger, recorder, asking
        self._refused, self._seen = refused, seen
        self.proposals: list[Proposed] = []
        self.rows = self.silent_rows = 0

    def outcomes(self, rows: Iterable[Read], batch: int = BATCH_FACTS) -> Iterator[RowOutcome]:
        """What becomes of rows, a batch to a transaction."""
        asked: list[_Asked] = []
        for read in rows:
            self.rows += 1
            self.silent_rows += bool(read.told) and all(type(told) is NotMade for told in read.told)
            asked += [_asked(read, told) for told in read.told]
            if len(asked) >= batch:
                yield from self._batch(asked)
                asked = []
        if asked:
            yield from self._batch(asked)

    def _batch(self, asked: Sequence[_Asked]) -> Iterator[RowOutcome]:
        told = [(each.told.place, line) for each in asked if (line := each.line) is not None]
        lines = [line for _, line in told]
        try:
            places = [(place.sheet.label, place.row) for place, _ in told]
            handled = iter(self._recorder.handle(lines, places=places) if lines else ())
        except Unknown as error:
            raise Unknown(f"it is unknown whether {_rows_of(asked)} were recorded: {error}") from error
        absent = [each.told.episode for each in asked if isinstance(each.told, NotMade)]
        heads = self._recorder.heads_of([*(line.episode for line in lines), *absent])
        stands = _Stands(self._ledger, heads)
        for each in asked:
            if isinstance(each.told, NotMade):
                yield from self._told_no_more(each.told, stands)
            elif each.line is None:
                yield self._refuse(each, "malformed", each.told.message or _message(each))
            else:
                yield self._outcome(each, each.told, each.line, next(handled), stands)

    def _outcome(self, asked: _Asked, told: Made, line: Line, handled: Handled, stands: _Stands) -> RowOutcome:
        if self._seen:
            self._seen(told, line)
        if isinstance(handled, Recorded):
            return _of(told.place, "recorded", handled.position)
        identity = Identity(line.episode, line.source, line.id)
        if isinstance(handled, Duplicate) and not stands.is_mended(identity):
            return _of(told.place, "duplicate")
        if isinstance(handled, Duplicate) or handled.code == "identity_reused":
            return self._compare(told.place, identity, line.fact, stands)
        return self._refuse(asked, handled.code, of_the_row(told.place, handled.message))

    def _told_no_more(self, told: NotMade, stands: _Stands) -> Iterator[RowOutcome]:
        """What a row tells no more and the ledger has; of a list, all that it told beyond its end."""
        identity, number = Identity(told.episode, told.source, told.id), told.number
        while stands.has(identity):
            outcome = self._compare(told.place, identity, None, stands)
            if outcome.outcome != "duplicate":
                yield outcome
            if told.id_of is None:
                return
            number += 1
            identity = identity._replace(id=told.id_of(number))

    def _compare(self, place: Place, identity: Identity, told: Event | None, stands: _Stands) -> RowOutcome:
        found = compared(stands.entries_of(identity.episode), identity, told, self._asking(place))
        if not isinstance(found, Proposal):
            return _of(place, "duplicate" if found == "same" else "left_alone")
        if len(self.proposals) >= MOST_PROPOSALS:
            raise TooManyProposals
        self.proposals.append(Proposed(place, found))
        return _of(place, "changed")

    def _refuse(self, asked: _Asked, code: str, message: str) -> RowOutcome:
        rows = asked.told.rows if isinstance(asked.told, Made) else ()
        for row in rows or (asked.read.row,):
            self._refused(replace(asked.read, row=row), message)
        return _of(asked.told.place, "refused", None, code, message)


class _Stands:
    """What stands in the episodes of one batch; their entries are read where somebody asks."""

    def __init__(self, ledger: EpisodeLedger, heads: Mapping[str, EpisodeHead]) -> None:
        self._ledger, self._heads = ledger, heads
        self._entries: dict[str, list[Entry]] = {}

    def has(self, identity: Identity) -> bool:
        """Whether something was recorded under an identity."""
        return self._heads[identity.episode].version_of(identity.source, identity.id) is not None

    def is_mended(self, identity: Identity) -> bool:
        """Whether it was ever corrected or retracted."""
        return self._heads[identity.episode].is_mended(identity.source, identity.id)

    def entries_of(self, episode: str) -> list[Entry]:
        """An episode's entries."""
        if episode not in self._entries:
            self._entries |= held_entries(self._ledger, [episode])
        return self._entries[episode]


class TooManyProposals(Exception):
    """More rows are told otherwise than before than one export can well have changed."""


def recorded_proposals(recorder: Recorder, proposed: Sequence[Proposed]) -> Iterator[tuple[Proposed, list[Handled]]]:
    """Record what was proposed and agreed to, a batch to a transaction; what became of each of its lines."""
    remaining = iter(proposed)
    while batch := list(islice(remaining, BATCH_FACTS)):
        told = [(each.place, line) for each in batch for line in each.proposal.lines if isinstance(line, Line)]
        places = [(place.sheet.label, place.row) for place, _ in told]
        handled = iter(recorder.handle([line for _, line in told], places=places))
        for each in batch:
            yield (
                each,
                [
                    next(handled) if isinstance(line, Line) else Refused(line.code, line.message)
                    for line in each.proposal.lines
                ],
            )


def _asked(read: Read, told: FromRow) -> _Asked:
    if isinstance(told, NotMade) or told.raw is None:
        return _Asked(read, told, None, None)
    parsed = parse_line(told.place.row, told.raw)
    return _Asked(read, told, parsed, parsed.line if isinstance(parsed, Refusal) else parsed)


def _message(asked: _Asked) -> str:
    assert isinstance(asked.parsed, Refusal)
    return of_the_row(asked.told.place, asked.parsed.message)


def _rows_of(asked: Sequence[_Asked]) -> str:
    first, last = asked[0].told.place, asked[-1].told.place
    return f"{first.sheet.label}, row {first.row} to {last.sheet.label}, row {last.row}"


def _of(place: Place, outcome: str, position: int | None = None, code: str | None = None,
        message: str | None = None) -> RowOutcome:  # fmt: skip
    sheet, fact = place.sheet, place.fact.type if place.fact else None
    return RowOutcome(sheet.file, sheet.worksheet, place.row, fact, outcome, position, code, message)  # type: ignore[arg-type]
