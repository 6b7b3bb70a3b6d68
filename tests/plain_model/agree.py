"""The judge beside the plain model: random histories, each judged by both, and every row that only one of them gives.

    python -m tests.plain_model.agree [--seeds N] [--from SEED]

Three histories in ten are read as known at an instant between their entries; in some the house merges and parts
patients. Exit status 1 if a row differs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from tests.harness import book_of, judge_entries, plain, typed
from tests.histories import history

from . import derive

Row = dict[str, Any]
KINDS = ("days", "findings", "lines")


def differing(rng: Random, as_known: bool) -> Iterator[tuple[str, str, Row]]:
    """Every row of one history that one of the two does not give: which kind, whose, and the row.

    The order of findings of one rule, patient and first date is no part of the contract: they are compared as sorted.
    """
    entries, tables = history(rng, house=True)
    known_at = rng.choice(entries)["recorded_at"] if as_known else None
    judged = judge_entries(typed(entries), book_of(tables), datetime.fromisoformat(known_at) if known_at else None)
    model = derive(entries, tables, known_at)
    for kind in KINDS:
        ours, theirs = (rows_in_order(kind, getattr(derived, kind)) for derived in (judged, model))
        if ours != theirs:
            found = [("judge", row) for row in ours if row not in theirs]
            found += [("model", row) for row in theirs if row not in ours]
            for whose, row in found or [("order", {})]:
                yield kind, whose, row


def rows_in_order(kind: str, rows: Any) -> list[Row]:
    """Rows of a kind as they are compared."""
    found: list[Row] = plain(msgspec.json.decode(msgspec.json.encode([dict(row) for row in rows])))
    if kind == "findings":
        found.sort(key=lambda row: [row[name] for name in ("rule", "patient", "dates", "episodes", "codes")])
    return found


def seeded(seed: int) -> list[tuple[str, str, Row]]:
    """What differs in the history of a seed."""
    rng = Random(seed)
    return list(differing(rng, rng.random() < 0.3))


def main() -> int:
    """Print each difference, and how many histories have one."""
    parser = argparse.ArgumentParser(description="Judge and plain model over random histories.")
    parser.add_argument("--seeds", type=int, default=300)
    parser.add_argument("--from", type=int, default=0, dest="first")
    chosen = parser.parse_args()
    differ = 0
    for seed in range(chosen.first, chosen.first + chosen.seeds):
        found = seeded(seed)
        differ += bool(found)
        for kind, whose, row in found:
            print(f"seed {seed}, {kind}, {whose}: {row}")
    print(f"{chosen.seeds} histories, {differ} with a difference")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
