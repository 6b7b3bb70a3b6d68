"""Tasks: what each safety of appending costs, one left out at a time."""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmark.append import (
    FULL,
    MANY,
    ONE_BY_ONE_TURN,
    SEALED_INSERT,
    batches,
    by_turns,
    few_entries,
    first_entries,
    line_of,
    raw_file,
    singles,
)
from commands.door.intake import Line, parse_line
from commands.door.shapes import IntakeLine
from commands.outside import random_nonces
from commands.writing.decide import Accepted, decide
from commands.writing.record import BATCH_LINES
from ledger.facts.entry import Entry, encode
from ledger.facts.heads import EpisodeHead
from ledger.facts.stored import TAGS
from ledger.proof.seals import first_seal, leaf_of, seal_of
from ledger.recorders.sqlite.schema import FORMAT, SCHEMAS

Rows = list[tuple[str, float, int]]
NORMAL: Final = 1
SCHEMA: Final = SCHEMAS[FORMAT]
UNGUARDED: Final = [statement for statement in SCHEMA if not statement.startswith("CREATE TRIGGER")]


def tables(ledger: str, scratch: str) -> tuple[Rows, dict[str, Any]]:
    """Task: the same rows, in batches and one a commit, with and without what guards them."""
    entries = first_entries(ledger, MANY)
    few = few_entries(ledger)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        place = Path(folder)
        many = [
            batches("s.triggers", entries, raw_file(place / "1.db", SCHEMA), BATCH_LINES, SEALED_INSERT),
            batches("s.no-triggers", entries, raw_file(place / "2.db", UNGUARDED), BATCH_LINES, SEALED_INSERT),
            batches("s.plain", entries, raw_file(place / "3.db"), BATCH_LINES),
            batches("s.normal", entries, raw_file(place / "4.db", SCHEMA, NORMAL), BATCH_LINES, SEALED_INSERT),
        ]
        rows = by_turns(many, len(entries), BATCH_LINES)
        ones = [
            singles("s.one.full", few, raw_file(place / "5.db", SCHEMA, FULL), SEALED_INSERT),
            singles("s.one.normal", few, raw_file(place / "6.db", SCHEMA, NORMAL), SEALED_INSERT),
            singles("s.one.plain", few, raw_file(place / "7.db")),
        ]
        return rows + by_turns(ones, len(few), ONE_BY_ONE_TURN), {}


def checks(ledger: str) -> tuple[Rows, dict[str, Any]]:
    """Task: what is done to a line before it is inserted, step by step."""
    entries = first_entries(ledger, MANY)
    raw = [line_of(entry).rstrip() for entry in entries]
    lines: list[Line] = []
    accepted: list[Entry] = []
    texts: list[bytes] = []
    decoder = msgspec.json.Decoder(IntakeLine)
    steps: dict[str, Callable[[], object]] = {
        "s.decode": lambda: [decoder.decode(text) for text in raw],
        "s.door": lambda: lines.extend(_lines(raw)),
        "s.decide": lambda: accepted.extend(_decided(lines)),
        "s.encode": lambda: texts.extend([encode(entry) for entry in accepted]),
        "s.seal": lambda: _sealed(accepted, texts),
    }
    rows = []
    for key, step in steps.items():
        began = time.perf_counter()
        step()
        rows.append((key, time.perf_counter() - began, len(raw)))
    assert len(accepted) == len(raw)
    return rows, {}


def _lines(raw: Sequence[bytes]) -> list[Line]:
    found = [parse_line(number, text) for number, text in enumerate(raw, 1)]
    return [line for line in found if isinstance(line, Line)]


def _sealed(entries: Sequence[Entry], texts: Sequence[bytes]) -> None:
    seal = first_seal("a ledger")
    for position, (entry, text) in enumerate(zip(entries, texts, strict=True), 1):
        tag = TAGS[type(entry.fact)].encode()
        seal = seal_of(seal, leaf_of(position, entry.episode.encode(), entry.version, tag, text))


def _decided(lines: Sequence[Line]) -> list[Entry]:
    heads: defaultdict[str, EpisodeHead] = defaultdict(EpisodeHead)
    now, entries = datetime.now(UTC), []
    for line, nonce in zip(lines, random_nonces(len(lines)), strict=True):
        head = heads[line.episode]
        assert head.version_of(line.source, line.id) is None
        decision = decide(line, head, None, now, nonce, True)
        if isinstance(decision, Accepted):
            head.apply(decision.entry)
            entries.append(decision.entry)
    return entries
