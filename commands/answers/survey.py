"""A file of remittances looked through before anything of it is recorded, in memory that does not grow with it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from ledger.x12.remittances import Answer, Check, Repeatable, read_remittances, repeatable
from ledger.x12.segments import read_segments

_BITS: Final = 1 << 24
_SAMPLE: Final = 20


class _Sieve:
    """What was seen before, or perhaps only looks like it: a Bloom filter of two megabytes.

    Of a million different ones about one in a hundred thousand looks like another; those are counted, too, and come
    out as the only ones of their kind.
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def has_seen(self, key: Repeatable) -> bool:
        """Whether it was seen before; from now on it was."""
        digest = hashlib.blake2b("\0".join(key).encode(), digest_size=24).digest()
        seen = True
        for start in range(0, 24, 3):
            bit = int.from_bytes(digest[start : start + 3])
            seen &= bool(self._bits[bit >> 3] & 1 << (bit & 7))
            self._bits[bit >> 3] |= 1 << (bit & 7)
        return seen


class Survey:
    """What a file holds: its checks with what they are worth, and some of the claims that each answers."""

    def __init__(self, path: Path) -> None:
        self.checks: list[Check] = []
        self.samples: list[list[str]] = []
        self.repeated: set[Repeatable] = set()
        sieve, sample = _Sieve(), list[str]()
        with path.open("rb") as file:
            self.sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            for each in read_remittances(read_segments(file), self.repeated):
                if isinstance(each, Answer):
                    if sieve.has_seen(repeatable(each)):
                        self.repeated.add(repeatable(each))
                    if len(sample) < _SAMPLE:
                        sample.append(each.fact.claim)
                else:
                    self.checks.append(each)
                    self.samples.append(sample)
                    sample = []
