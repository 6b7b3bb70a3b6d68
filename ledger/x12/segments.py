"""The tokenizer of every X12 file: bytes in, segments out, one at a time, however long the file is.

The delimiters are those of each interchange's ISA. A byte-order mark, blanks and line ends between segments are
tolerated, line ends within them (a file wrapped at 80 columns), and text in Latin-1 where it is no UTF-8. Envelopes are
checked while they pass: numbers and counts of SE, GE and IEA; a file that is cut off is unreadable, not short. So is a
segment whose name can be none: passed over, a claim would be lost. No message repeats what stands in a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

CHUNK_BYTES: Final = 1 << 16
LONGEST_SEGMENT_BYTES: Final = 1 << 20
_ISA_ELEMENTS: Final = 16
_BLANKS: Final = b" \t\r\n"
_LINE_ENDS: Final = b"\r\n"
_AFTER_THE_END: Final = _BLANKS + b"\x00\x1a"
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Unreadable(Exception):
    """A file that cannot be read as X12, and at which segment that showed; nothing of it is used."""

    def __init__(self, message: str, segment: int = 0) -> None:
        super().__init__(f"segment {segment}: {message}" if segment else message)
        self.segment = segment


class Segment(NamedTuple):
    """One segment: its id and elements, which are numbered from 1; ``number`` counts the file's segments."""

    number: int
    elements: list[str]
    component: str
    repetition: str

    @property
    def id(self) -> str:
        """What kind of segment it is, such as CLP."""
        return self.elements[0]

    def at(self, place: int) -> str:
        """An element without blanks at its ends; nothing where there is none."""
        return self.elements[place].strip() if place < len(self.elements) else ""

    def parts(self, place: int) -> list[str]:
        """The components of an element."""
        return [part.strip() for part in self.at(place).split(self.component)]

    def repeats(self, place: int) -> list[str]:
        """The repetitions of an element, as far as they say something."""
        whole = self.at(place)
        each = whole.split(self.repetition) if self.repetition else [whole]
        return [one.strip() for one in each if one.strip()]

    def from_(self, place: int) -> list[str]:
        """All elements from one on, without blanks at their ends."""
        return [each.strip() for each in self.elements[place:]]


class Delimiters(NamedTuple):
    """What parts elements, components, repetitions and segments in one interchange; no repetitions: nothing."""

    element: bytes
    component: bytes
    repetition: bytes
    terminator: bytes


def read_segments(stream: BinaryIO) -> Iterator[Segment]:
    """Every segment of a file, envelopes included and checked; Unreadable as soon as one cannot be right."""
    for number, elements, component, repetition in _read(stream):
        yield Segment(number, elements, component, repetition)


def read_elements(stream: BinaryIO) -> Iterator[list[str]]:
    """The same, each segment as its bare elements: for whoever reads large files, and the delimiters in the ISA."""
    for _, elements, _, _ in _read(stream):
        yield elements


def _read(stream: BinaryIO) -> Iterator[tuple[int, list[str], str, str]]:
    source, envelope, number, names = _Source(stream), _Envelope(), 0, set[str]()
    while source.has_another():
        delimiters = delimiters_of(source.head(), number + 1)
        element, component, repetition = (mark.decode("latin-1") for mark in delimiters[:3])
        for raw in source.pieces(delimiters.terminator):
            number += 1
            try:
                elements = raw.decode("utf-8").split(element)
            except UnicodeDecodeError:
                elements = raw.decode("latin-1").split(element)
            if elements[0] not in names:
                names.add(_checked(elements[0], number))
            if envelope.inside and elements[0] not in _ENVELOPES:  # most, by far
                envelope.segments += 1
            else:
                envelope.take(Segment(number, elements, component, repetition))
            yield number, elements, component, repetition
            if elements[0] == "IEA":
                break
        else:
            raise Unreadable("the file is cut off: its interchange has no end (IEA)", number)
    if not number:
        raise Unreadable("the file is empty: expected an X12 interchange, which begins with ISA")


def _checked(name: str, number: int) -> str:
    """A segment's name, such as CLP or N1."""
    if not (2 <= len(name) <= 3 and name.isascii() and name.isalnum() and name.isupper()):
        raise Unreadable("expected the name of a segment: two or three capitals and digits", number)
    return name


def delimiters_of(head: bytes, number: int = 1) -> Delimiters:
    """The delimiters that an interchange's first bytes name."""
    if head[:3] != b"ISA":
        raise Unreadable("expected an X12 interchange, which begins with ISA", number)
    element = head[3:4]
    parts = head.split(element, _ISA_ELEMENTS) if element else []
    if len(parts) <= _ISA_ELEMENTS or len(parts[-1]) < 2:
        raise Unreadable("its ISA does not have 16 elements and an end", number)
    component, terminator = parts[-1][:1], parts[-1][1:2]
    repetition = parts[11].strip()
    named = {element, component, terminator}
    if len(named) < 3 or any(mark.isalnum() or mark in b" ." for mark in named):
        raise Unreadable("its ISA names delimiters that cannot be told apart", number)
    repeats = len(repetition) == 1 and not repetition.isalnum() and repetition not in named
    return Delimiters(element, component, repetition if repeats else b"", terminator)


class _Source:
    """A stream, a chunk at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._held = stream, b""
        self._more()
        self._held = self._held.removeprefix(_BYTE_ORDER_MARK)

    def _more(self) -> bool:
        chunk = self._stream.read(CHUNK_BYTES)
        self._held += chunk
        return bool(chunk)

    def has_another(self) -> bool:
        """Whether anything but blanks follows."""
        while True:
            self._held = self._held.lstrip(_AFTER_THE_END)
            if self._held or not self._more():
                return bool(self._held)

    def head(self) -> bytes:
        """What an interchange begins with: enough to hold its ISA."""
        while len(self._held) < 1_000 and self._more():
            pass
        return self._held[:1_000]

    def pieces(self, terminator: bytes) -> Iterator[bytes]:
        """What stands before each terminator; whoever leaves off leaves what follows for the next interchange."""
        while True:
            *whole, rest = self._held.split(terminator)
            for at, piece in enumerate(whole):
                if bare := piece.translate(None, _LINE_ENDS).lstrip(_BLANKS):
                    if bare[:3] == b"IEA":
                        self._held = terminator.join([*whole[at + 1 :], rest])
                    yield bare
            self._held = rest
            if len(rest) > LONGEST_SEGMENT_BYTES:
                raise Unreadable("a segment does not end")
            if not self._more():
                return


class _Envelope:
    """Where in its envelopes a file is: what is open, and how much was in it.

    ``inside`` a transaction whoever reads counts its ``segments``, which need no other look.
    """

    def __init__(self) -> None:
        self.inside, self.segments = False, 0
        self._open: list[str] = []
        self._numbers: list[str] = []
        self._counts: list[int] = []

    def take(self, segment: Segment) -> None:
        """Go on by one segment of the envelopes; Unreadable where it does not belong."""
        id = segment.elements[0]
        if id in _OPENS:
            self._begin(segment, id)
        elif id in _CLOSES:
            self._end(segment, id)
        elif not (id == "TA1" and self._open == ["ISA"]):
            raise Unreadable("it stands outside a transaction (ST to SE)", segment.number)

    def _begin(self, segment: Segment, id: str) -> None:
        within, number = _OPENS[id]
        if (self._open[-1] if self._open else "") != within:
            raise Unreadable(f"{id} stands where it does not belong", segment.number)
        if self._counts:
            self._counts[-1] += 1
        self._open.append(id)
        self._numbers.append(segment.at(number))
        self._counts.append(0)
        self.inside, self.segments = id == "ST", 1  # ST counts itself

    def _end(self, segment: Segment, id: str) -> None:
        if not self._open or self._open[-1] != _CLOSES[id]:
            raise Unreadable(f"{id} stands where it does not belong", segment.number)
        opened, number, count = self._open.pop(), self._numbers.pop(), self._counts.pop()
        if opened == "ST":
            count, self.inside = self.segments + 1, False  # SE counts itself, too
        if segment.at(2) != number:
            raise Unreadable(f"{id} does not bear the number of its {opened}", segment.number)
        if not segment.at(1).isascii() or not segment.at(1).isdigit() or int(segment.at(1)) != count:
            raise Unreadable(f"{id} counts otherwise than there are: something is missing or added", segment.number)


_OPENS: Final = {"ISA": ("", 13), "GS": ("ISA", 6), "ST": ("GS", 2)}
"""What opens an envelope: within which other, and which element bears its number."""
_CLOSES: Final = {"IEA": "ISA", "GE": "GS", "SE": "ST"}
_ENVELOPES: Final = frozenset(_OPENS) | frozenset(_CLOSES)
