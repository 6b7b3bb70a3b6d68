"""The rows of a bucket as Parquet: days, lines and findings as they are exported, and the digests of every patient.

What is the same in all days of a run is put down once and spread by the library, so that days cost little more than
their runs.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import date
from types import TracebackType
from typing import Any, Final, Self, get_args

import msgspec
import pyarrow
from pyarrow import parquet

from projections.archive.commits import numbered
from projections.archive.folder import Folder
from projections.archive.manifest import Measured
from projections.distributed.task import MadeFile, Table
from projections.export.as_parquet import TYPES, arrays_of, schema_of
from projections.export.rows import named_findings
from projections.export.shapes import DATASETS
from projections.rows.day import DAY_COLUMNS
from projections.rows.day_run import DayRun
from projections.rows.digests import Digests
from projections.rows.patient import Sheets

TABLES: Final[tuple[Table, ...]] = get_args(Table)
_DIGESTS: Final = pyarrow.schema(
    [("patient", pyarrow.string()), *((name, pyarrow.binary(32)) for name in ("days", "lines", "findings"))]
)
GROUP_ROWS: Final = 8_192
"""Rows of a row group, about: what is held in memory of each table."""
_EPOCH: Final = date(1970, 1, 1).toordinal()
_SAME: Final = frozenset(DayRun._fields) - {"because"}
_lists: Final = msgspec.json.Decoder(list[list[list[str]]])


class BucketTables:
    """The files of one attempt at a bucket; nobody else's, however often the bucket is tried."""

    def __init__(self, folder: Folder, number: int, bucket: int, about: dict[str, str]) -> None:
        attempt = f"{secrets.token_hex(8)}-{bucket}"
        self.paths = {table: numbered(number, attempt, f"{table}/", ".parquet") for table in TABLES}
        self._held: dict[Table, list[Any]] = {table: [] for table in TABLES}
        self._days, self._rows = 0, dict.fromkeys(TABLES, 0)
        self._folder, self._about, self._stack = folder, about, ExitStack()
        self._measured: dict[Table, Measured] = {}
        self._writers: dict[Table, parquet.ParquetWriter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            for table in TABLES:
                self._put(table)
        self._stack.close()

    def write(self, patient: str, sheets: Sheets, digests: Digests) -> None:
        """One patient's rows."""
        self._held["days"] += sheets.runs
        self._held["lines"] += sheets.lines
        self._held["findings"] += sheets.findings
        self._held["digests"].append((patient, *digests))
        self._days += sum(run.days for run in sheets.runs)
        for table in TABLES:
            if (self._days if table == "days" else len(self._held[table])) >= GROUP_ROWS:
                self._put(table)

    def _put(self, table: Table) -> None:
        rows, self._held[table] = self._held[table], []
        if table == "days":
            self._days = 0
        for some in _cut(table, rows):
            made = batch_of(table, some)
            self._rows[table] += made.num_rows
            (self._writers.get(table) or self._begun(table)).write_batch(made)

    def _begun(self, table: Table) -> parquet.ParquetWriter:
        file = self._measured[table] = Measured(self._stack.enter_context(self._folder.writing(self.paths[table])))
        schema = schema_of_table(table).with_metadata(self._about)
        writer = parquet.ParquetWriter(pyarrow.PythonFile(file, mode="w"), schema, compression="zstd")
        self._writers[table] = self._stack.enter_context(writer)
        return writer

    def files(self) -> tuple[MadeFile, ...]:
        """What was written, once it is closed; a table without rows has no file."""
        return tuple(
            MadeFile(table, self.paths[table], self._rows[table], file.bytes, file.sha256)
            for table, file in self._measured.items()
        )


def _cut(table: Table, rows: Sequence[Any]) -> Iterator[list[Any]]:
    """Rows as many at a time as a group has, or runs of as many days; one patient may have far more."""
    some: list[Any] = []
    size = 0
    for row in rows:
        some.append(row)
        size += row.days if table == "days" else 1
        if size >= GROUP_ROWS:
            yield some
            some, size = [], 0
    if some:
        yield some


def schema_of_table(table: Table) -> pyarrow.Schema:
    """The columns of a table as Parquet has them."""
    return _DIGESTS if table == "digests" else schema_of(DATASETS[table].columns)


def batch_of(table: Table, rows: Sequence[Any]) -> pyarrow.RecordBatch:
    """Rows as the read model keeps them, runs of days among them, as rows of a table."""
    schema = schema_of_table(table)
    if table == "days":
        return _days(rows)
    if table == "digests":
        arrays = [pyarrow.array(cells, f.type) for cells, f in zip(zip(*rows, strict=True), schema, strict=True)]
    else:
        told = named_findings(rows, DATASETS[table]) if table == "findings" else rows
        arrays = arrays_of(DATASETS[table].columns, list(told))
    return pyarrow.record_batch(arrays, schema=schema)


def _days(runs: Sequence[DayRun]) -> pyarrow.RecordBatch:
    columns = DATASETS["days"].columns
    spread = pyarrow.array([place for place, run in enumerate(runs) for _ in range(run.days)], pyarrow.int32())
    same = [(column, kept.name) for column, kept in zip(columns, DAY_COLUMNS, strict=True) if kept.name in _SAME]
    cells = [tuple(getattr(run, name) for _, name in same) for run in runs]
    arrays = arrays_of([column for column, _ in same], cells)
    found = {column.name: array.take(spread) for (column, _), array in zip(same, arrays, strict=True)}
    begins = [date.fromisoformat(run.first_date).toordinal() - _EPOCH for run in runs]
    dates = [first + day for first, run in zip(begins, runs, strict=True) for day in range(run.days)]
    found["date"] = pyarrow.array(dates, pyarrow.int32()).cast(TYPES["date"])
    causes = _lists.decode(f"[{','.join(run.because for run in runs)}]")
    found["because"] = pyarrow.array([each for of_run in causes for each in of_run], TYPES["texts"])
    return pyarrow.record_batch([found[column.name] for column in columns], schema=schema_of(columns))
