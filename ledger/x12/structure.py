"""The structure of a file judged by a stranger: pyx12, an extra, holds it against the X12 maps that it carries.

It is asked for its 999, of which the places and codes are told, and no element's value: that may be a patient's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO, StringIO

from msgspec import Struct

from ledger.x12.segments import Segment, Unreadable, read_segments


class NoJudge(Exception):
    """pyx12 is not installed."""


class StructureFault(Struct, frozen=True):
    """A place in a file that does not fit X12's map: which segment, which element of it, and the code of a 999."""

    segment: str
    place: int
    element: str
    code: str

    @property
    def says(self) -> str:
        """In words."""
        element = f", element {self.element}" if self.element else ""
        return (
            f"segment {self.place} of the transaction, {self.segment}{element}: does not fit the map (code {self.code})"
        )


def structure_faults(content: bytes) -> list[StructureFault]:
    """What pyx12 finds in a file; NoJudge if it is not installed."""
    try:
        document, params = import_module("pyx12.x12n_document"), import_module("pyx12.params")
    except ImportError:
        raise NoJudge from None
    log = logging.getLogger("pyx12")
    log.addHandler(logging.NullHandler())
    log.propagate = False  # it would print what stands in the file
    answer = StringIO()
    fits = document.x12n_document(params.params(), StringIO(content.decode("latin-1")), answer, None, None)
    found = list(_faults(answer.getvalue().encode("latin-1", "replace"))) if not fits else []
    return found or ([] if fits else [StructureFault("ISA", 1, "", "1")])


def _faults(answer: bytes) -> Iterator[StructureFault]:

    within: Segment | None = None
    try:
        for segment in read_segments(BytesIO(answer)):
            if segment.id == "IK3":
                within = segment
                if segment.at(4) != "8":  # of whose elements the next ones tell
                    yield StructureFault(segment.at(1), int(segment.at(2)), "", segment.at(4))
            elif segment.id == "IK4" and within is not None:
                element = segment.parts(1)[0]
                yield StructureFault(within.at(1), int(within.at(2)), element, segment.at(3))
    except Unreadable:
        return
