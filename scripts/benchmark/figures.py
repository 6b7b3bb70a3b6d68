"""What is measured, under which name, and what came out."""

from __future__ import annotations

import statistics
from typing import Any, Final, NamedTuple

GROUPS: Final = {
    "a": "a. The floor: what reading costs without any of ours",
    "b": "b. Ours",
    "c": "c. The alternative: the same judge and writer, fed by the event store library's stock path",
    "d": "d. Appending",
    "e": "e. From PostgreSQL",
    "f": "f. Commands, in processor time; pages, in time",
    "s": "s. What each safety of appending costs",
    "p": "p. Where the time of a rebuild goes (one process)",
}
LABELS: Final = {
    "a.scan": "scan of the stored entries, plain sqlite3, five columns",
    "a.decode": "the same, and each text decoded to structs",
    "b.build.1": "build: every row written and fingerprinted, 1 process",
    "b.build.2": "build, 2 processes",
    "b.rebuild.1": "rebuild: built, compared with the live one, switched, 1 process",
    "b.rebuild.2": "rebuild, 2 processes",
    "b.command": "episode-ledger rebuild, as a command, 2 processes",
    "b.what-if": "episode-ledger what-if, one value of one payer, as a command",
    "b.catch-up": "catch-up after one late entry",
    "b.remittance": "catch-up after one late remittance",
    "b.why": "why, in the process",
    "b.why.command": "episode-ledger why, as a command",
    "c.ours": "our path",
    "c.log": "notification_log.select, JSON transcoder",
    "c.repository": "repository.get(projector_func=...) by episode",
    "d.one.ours": "one entry a commit: ours, everything checked",
    "d.one.raw": "one entry a commit: raw INSERT, same durability",
    "d.one.stock": "one entry a commit: stock recorder, defaults",
    "d.one.stock.full": "one entry a commit: stock recorder, synchronous=FULL",
    "d.one.aggregate": "one entry a commit: stock Aggregate, saved entry by entry",
    "d.many.ours": "batches: ours, everything checked, default batch",
    "d.many.raw": "batches: raw executemany, 1,000 each, same durability",
    "d.many.stock": "batches: stock recorder's insert_events, 1,000 each",
    "d.many.stock.put": "batches: stock event store's put, 1,000 each, encoded",
    "e.copy": "COPY TO STDOUT of the stored entries, five columns, thrown away",
    "e.build.1": "build from PostgreSQL, 1 process",
    "e.build.2": "build from PostgreSQL, 2 processes",
    "f.rebuild": "episode-ledger rebuild --processes 1",
    "f.report": "episode-ledger report, nothing kept of claims",
    "f.report.again": "the same again",
    "f.diff": "episode-ledger diff --claimed --all, nothing kept",
    "f.diff.again": "the same once more",
    "f.claimed": "episode-ledger export claimed, nothing kept",
    "f.claimed.again": "the same export again",
    "f.changes": "episode-ledger export changes",
    "f.replay": "episode-ledger replay of one long episode",
    "f.help": "episode-ledger --help",
    "f.worklist.first": "the worklist's page, first",
    "f.worklist.later": "the worklist's page, later",
    "s.triggers": "our tables and triggers, batches of 4,000",
    "s.no-triggers": "our tables without triggers",
    "s.plain": "plain table: neither triggers, STRICT, CHECK nor AUTOINCREMENT",
    "s.normal": "our tables and triggers, synchronous=NORMAL",
    "s.one.full": "one entry a commit, our tables, synchronous=FULL",
    "s.one.normal": "one entry a commit, our tables, synchronous=NORMAL",
    "s.one.plain": "one entry a commit, plain table, synchronous=FULL",
    "s.door": "checks at the door (parse_line)",
    "s.decode": "the door's floor: one msgspec decode of the line, unchecked",
    "s.decide": "deciding against the episode, and the head kept",
    "s.encode": "the stored text (encode)",
    "s.seal": "the seals (two SHA-256)",
    "p.extents": "which patients there are (extents)",
    "p.scan": "scan",
    "p.gather": "gather",
    "p.decode": "decode",
    "p.fold": "fold",
    "p.judge": "judge",
    "p.findings": "findings",
    "p.days": "rows of days",
    "p.lines": "rows of lines",
    "p.finding-rows": "rows of findings",
    "p.digests": "digests",
    "p.insert": "insert",
    "p.index": "index",
    "p.rest": "all else",
}


class Row(NamedTuple):
    """One measured run: how long so many pieces took together; memory where it was looked at."""

    key: str
    seconds: float
    count: int
    peak_mb: float | None = None

    @property
    def each(self) -> float:
        return self.seconds / self.count


class Figures:
    """The rows of all rounds for one size of ledger."""

    def __init__(self) -> None:
        self.rows: dict[str, list[Row]] = {}

    def add(self, row: Row) -> None:
        assert row.key in LABELS, row.key
        self.rows.setdefault(row.key, []).append(row)

    def measured(self) -> list[str]:
        """What was measured, in the order it is shown."""
        return [key for key in LABELS if key in self.rows]

    def each(self, key: str) -> float | None:
        """The median cost of one piece, in seconds."""
        return statistics.median(row.each for row in self.rows[key]) if key in self.rows else None

    def times_as_fast(self, key: str, other: str) -> float | None:
        """How many times as fast one is as another: the median of the rounds' own ratios."""
        if key not in self.rows or other not in self.rows:
            return None
        pairs = zip(self.rows[key], self.rows[other], strict=True)
        return statistics.median(theirs.each / mine.each for mine, theirs in pairs)

    def peak_mb(self, key: str) -> float | None:
        found = [row.peak_mb for row in self.rows.get(key, ()) if row.peak_mb is not None]
        return max(found, default=None)

    def as_json(self) -> dict[str, Any]:
        return {
            key: {
                "label": LABELS[key],
                "count": self.rows[key][0].count,
                "seconds": [row.seconds for row in self.rows[key]],
                "microseconds_each": (self.each(key) or 0) * 1e6,
                "best_microseconds_each": min(row.each for row in self.rows[key]) * 1e6,
                "peak_mb": self.peak_mb(key),
            }
            for key in self.measured()
        }
