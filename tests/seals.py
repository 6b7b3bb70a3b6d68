"""What the seals of a ledger must be, worked out a second time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from ledger.recorders.by_name.as_stored import as_stored
from ledger.store import EpisodeLedger
from tests.stores import named


def field(kind: bytes, data: bytes) -> bytes:
    return kind + len(data).to_bytes(8, "big") + data


def expected_seals(ledger_id: str, rows: list[tuple[int, str, int, str, str]]) -> Iterator[str]:
    seal = hashlib.sha256(b"\0" + field(b"t", ledger_id.encode())).digest()
    for position, episode, version, tag, text in rows:
        parts = [field(b"i", position.to_bytes(8, "big")), field(b"t", episode.encode())]
        parts += [field(b"i", version.to_bytes(8, "big")), field(b"t", tag.encode()), field(b"t", text.encode())]
        leaf = hashlib.sha256(b"\0" + b"".join(parts)).digest()
        seal = hashlib.sha256(b"\1" + seal + leaf).digest()
        yield seal.hex()


def stored_seals(ledger: EpisodeLedger) -> list[str]:
    return [ledger.seal_at(position) for position in range(1, ledger.position() + 1)]


def assert_sealed(ledger: EpisodeLedger, path: Path) -> None:
    """Each entry is sealed to the one before, as it is stored: where the ledger is encrypted, in its envelope."""
    with as_stored(named(path)) as stored:
        assert stored_seals(ledger) == list(expected_seals(ledger.id, list(stored.scan())))
