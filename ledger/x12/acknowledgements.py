"""TA1, 999 and 277CA: what was taken in and what was turned back, before anybody looked at what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final, Literal, NamedTuple

from ledger.x12.elements import date_at, name_at
from ledger.x12.segments import Segment, Unreadable

Kind = Literal["TA1", "999", "277CA"]
Status = Literal["accepted", "received", "rejected"]

_ACCEPTED: Final = frozenset("A")
_IN_PART: Final = frozenset("EMPWX")
_TURNED_BACK: Final = frozenset({"A3", "A6", "A7", "A8"})
"""The categories of a 277CA after which a claim never reached the payer (claims.md section 1)."""


class Acknowledged(NamedTuple):
    """One answer: of a claim by the number on it, or of a whole file by the number of its batch."""

    kind: Kind
    status: Status
    date: date
    codes: tuple[str, ...]
    claim: str | None = None
    batch: str | None = None
    payer_control: str | None = None
    clearinghouse_control: str | None = None


def read_acknowledgements(segments: Iterable[Segment]) -> Iterator[Acknowledged]:
    """Every answer of a file, in its order; Unreadable if it holds anything else."""
    sent, reader = None, None
    for segment in segments:
        id = segment.id
        if id == "ISA":
            sent = _short_date(segment, 9)
        elif id == "GS":
            sent = date_at(segment, 4)
        elif id == "TA1":
            yield _interchange(segment)
        elif id == "ST":
            assert sent is not None
            reader = _reader(segment, sent)
        elif id == "SE":
            assert reader is not None
            yield from reader.finished()
            reader = None
        elif reader is not None:
            yield from reader.take(segment)


def _reader(segment: Segment, sent: date) -> _Transaction:
    kind = segment.at(1)
    if kind == "999":
        return _Functional(sent)
    if kind == "277" and (not segment.at(3) or "214" in segment.at(3)):
        return _Claims(sent)
    raise Unreadable("expected an acknowledgement: TA1, 999 or 277CA", segment.number)


def _short_date(segment: Segment, place: int) -> date:
    text = segment.at(place)
    return date_at(segment._replace(elements=["", f"20{text}"]), 1)


def _interchange(segment: Segment) -> Acknowledged:
    note = segment.at(4)
    if note not in "ARE" or not note:
        raise Unreadable("TA104: expected A, E or R", segment.number)
    codes = tuple(code for code in (note, segment.at(5)) if code)
    status: Status = "rejected" if note == "R" else "accepted"
    return Acknowledged("TA1", status, _short_date(segment, 2), codes, batch=_number(segment, 1))


def _number(segment: Segment, place: int) -> str:
    """A control number without what only fills it up."""
    return name_at(segment, place).lstrip("0") or "0"


class _Transaction:
    """One transaction that is being read."""

    def __init__(self, sent: date) -> None:
        self._sent = sent

    def take(self, segment: Segment) -> Iterator[Acknowledged]:
        """Go on by one segment; gives what is complete now."""
        raise NotImplementedError

    def finished(self) -> Iterator[Acknowledged]:
        """What is complete with its end."""
        raise NotImplementedError


class _Functional(_Transaction):
    """A 999: the whole file that was sent, by its group; one transaction stands in each of ours."""

    def __init__(self, sent: date) -> None:
        super().__init__(sent)
        self._batch = ""
        self._codes: list[str] = []
        self._status: Status | None = None

    def take(self, segment: Segment) -> Iterator[Acknowledged]:
        """Go on by one segment."""
        id = segment.id
        if id == "AK1":
            self._batch = _number(segment, 2)
        elif id in ("IK3", "IK4"):
            place = 4 if id == "IK3" else 3
            self._codes += [f"{id}:{segment.parts(1)[0]}:{segment.at(place)}"]
        elif id in ("IK5", "AK9"):
            self._judge(segment)
        yield from ()

    def _judge(self, segment: Segment) -> None:
        word = segment.at(1)
        if word not in _ACCEPTED | _IN_PART | {"R"} or not word:
            raise Unreadable(f"{segment.id}01: expected a code of acceptance", segment.number)
        self._codes.append(f"{segment.id}:{word}")
        turned_back = word == "R" or word in "MWX"
        self._status = "rejected" if turned_back or self._status == "rejected" else "accepted"

    def finished(self) -> Iterator[Acknowledged]:
        """The answer to the file."""
        if not self._batch or self._status is None:
            raise Unreadable("a 999 says of no group whether it was accepted (AK1, AK9)")
        yield Acknowledged("999", self._status, self._sent, tuple(self._codes), batch=self._batch)


class _Claims(_Transaction):
    """A 277CA: claim by claim; or of a batch that was turned back as a whole."""

    def __init__(self, sent: date) -> None:
        super().__init__(sent)
        self._begin("")
        self._whole: Acknowledged | None = None
        self._has_claims = False

    def _begin(self, level: str) -> None:
        self._level = level
        self._number = ""
        self._codes: list[str] = []
        self._date: date | None = None
        self._controls: dict[str, str] = {}
        self._in_line = False

    def take(self, segment: Segment) -> Iterator[Acknowledged]:
        """Go on by one segment; a level ends where the next begins."""
        id = segment.id
        if id == "HL":
            yield from self._level_ended()
            self._begin(segment.at(3))
        elif id == "SVC":
            self._in_line = True
        elif self._in_line:
            return
        elif id == "TRN" and segment.at(2):
            self._number = name_at(segment, 2)
        elif id == "STC":
            self._codes += [":".join(segment.parts(place)) for place in (1, 10, 11) if segment.at(place)]
            if segment.at(2):
                self._date = date_at(segment, 2)
        elif id == "REF" and segment.at(1) in ("1K", "D9"):
            self._controls[segment.at(1)] = name_at(segment, 2)

    def _level_ended(self) -> Iterator[Acknowledged]:
        if not self._codes:
            return
        categories = {code.split(":")[0] for code in self._codes}
        back = bool(categories & _TURNED_BACK)
        status: Status = "rejected" if back else "accepted" if "A2" in categories else "received"
        said = Acknowledged("277CA", status, self._date or self._sent, tuple(self._codes))
        if self._level == "PT":
            self._has_claims = True
            if not self._number:
                raise Unreadable("an answer to a claim does not say to which (TRN02)")
            yield said._replace(
                claim=self._number,
                payer_control=self._controls.get("1K"),
                clearinghouse_control=self._controls.get("D9"),
            )
        elif back and self._number and self._level in ("21", "19"):
            self._whole = said._replace(batch=self._number.lstrip("0") or "0")

    def finished(self) -> Iterator[Acknowledged]:
        """The last claim; or, where there is none, what was said of the batch."""
        yield from self._level_ended()
        if self._whole is not None and not self._has_claims:
            yield self._whole
