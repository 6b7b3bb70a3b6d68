"""Fingerprints of the read model: a digest for each patient and table, and one number for each table.

A patient's digest is SHA-256 over the patient and their rows, in canonical order and form. A table's fingerprint is the
sum of its digests modulo 2^256: it does not depend on the order in which patients were written, so that one process or
several, a rebuild or many small catch-ups, come to the same number, and a catch-up costs only the patients it touches.
It shows that rows differ by accident or by a fault of the program; it is no defence against a forger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from projections.rows.cells import Cells
from projections.rows.day_run import DayRun, encoded_days
from projections.rows.patient import Sheets

MODULUS: Final = 2**256
_encode: Final = msgspec.json.Encoder().encode

Digests = tuple[bytes, bytes, bytes]
"""A patient's digests: of the days, the lines and the findings."""


def digest(patient: str, rows: Sequence[Cells]) -> bytes:
    """The digest of a patient's rows of one table, given in canonical order."""
    return hashlib.sha256(_encode((patient, rows))).digest()


def digest_of_days(patient: str, runs: Sequence[DayRun]) -> bytes:
    """The digest of a patient's days, which are given by runs, in canonical order."""
    found, between = hashlib.sha256(b"[%b,[" % _encode(patient)), b""
    for piece in encoded_days(runs):
        found.update(between)
        found.update(piece)
        between = b","
    found.update(b"]]")
    return found.digest()


def digests_of(patient: str, sheets: Sheets) -> Digests:
    """The digests of everything derived of one patient."""
    return digest_of_days(patient, sheets.runs), digest(patient, sheets.lines), digest(patient, sheets.findings)


def is_fingerprint(text: str) -> bool:
    """Whether a noted text is a fingerprint at all."""
    return len(text) == 64 and all(mark in "0123456789abcdef" for mark in text)


class Sums:
    """The running fingerprints of the tables, in the order of ``Digests``."""

    def __init__(self, numbers: Sequence[int] = (0, 0, 0)) -> None:
        self.numbers = list(numbers)

    def add(self, digests: Sequence[bytes], sign: int = 1) -> None:
        """Count a patient in (or, with -1, out)."""
        for place, found in enumerate(digests):
            self.numbers[place] = (self.numbers[place] + sign * int.from_bytes(found)) % MODULUS

    def join(self, other: Sums) -> None:
        """Count all patients of another part in."""
        self.numbers = [(mine + theirs) % MODULUS for mine, theirs in zip(self.numbers, other.numbers, strict=True)]

    def texts(self) -> list[str]:
        """The fingerprints as they are noted and shown."""
        return [f"{number:064x}" for number in self.numbers]

    @classmethod
    def read(cls, texts: Sequence[str]) -> Sums:
        """The fingerprints of noted texts; zero for a damaged one, which is told from the notes themselves."""
        return cls([int(text, 16) if is_fingerprint(text) else 0 for text in texts])
