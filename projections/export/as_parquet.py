"""Rows as Parquet, with types that mean something; needs pyarrow (the extra ``parquet``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow
from pyarrow import parquet

from projections.rows.cells import Cells
from projections.rows.columns import Column, Kind

GROUP_ROWS: Final = 32_768
"""Rows of a row group: what is held in memory at once."""

TYPES: Final[dict[Kind, pyarrow.DataType]] = {
    "text": pyarrow.string(),
    "word": pyarrow.dictionary(pyarrow.int32(), pyarrow.string()),
    "date": pyarrow.date32(),
    "instant": pyarrow.timestamp("us", "UTC"),
    "count": pyarrow.int64(),
    "flag": pyarrow.bool_(),
    "money": pyarrow.decimal128(18, 2),
    "number": pyarrow.decimal128(38, 8),
    "texts": pyarrow.list_(pyarrow.string()),
    "dates": pyarrow.list_(pyarrow.date32()),
}


def schema_of(columns: Sequence[Column]) -> pyarrow.Schema:
    """The columns as Arrow knows them."""
    return pyarrow.schema(
        pyarrow.field(column.name, TYPES[column.kind], nullable=column.nullable) for column in columns
    )


def write_parquet(
    file: BinaryIO, columns: Sequence[Column], rows: Iterable[Cells], about: Mapping[str, str] | None = None
) -> None:
    """The rows in groups of one size, and in the file's metadata what they are made of; equal rows give equal bytes."""
    schema = schema_of(columns).with_metadata(about)
    remaining = iter(rows)
    with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(remaining, GROUP_ROWS)):
            writer.write_batch(pyarrow.record_batch(arrays_of(columns, group), schema=schema))


def arrays_of(columns: Sequence[Column], rows: Sequence[Cells]) -> list[pyarrow.Array]:
    """Rows as Arrow has them, column by column; what a row has beyond these columns is for choosing and ordering."""
    return [_array(column.kind, cells) for column, cells in zip(columns, zip(*rows, strict=True), strict=False)]


def _array(kind: Kind, cells: Sequence[Any]) -> pyarrow.Array:
    match kind:
        case "word":
            return pyarrow.array(cells, pyarrow.string()).dictionary_encode()
        case "date" | "instant" | "number":
            return pyarrow.array(cells, pyarrow.string()).cast(TYPES[kind])
        case "flag":
            return pyarrow.array(cells, pyarrow.int8()).cast(TYPES[kind])
        case "money":
            whole = pyarrow.array(cells, pyarrow.int64()).cast(pyarrow.decimal128(19, 0))
            return whole.view(pyarrow.decimal128(19, 2)).cast(TYPES[kind])  # the same digits, two of them cents
        case "texts" | "dates":
            text = f"[{','.join('null' if cell is None else cell for cell in cells)}]"
            lists = msgspec.json.decode(text, type=list[list[str] | None])
            return pyarrow.array(lists, pyarrow.list_(pyarrow.string())).cast(TYPES[kind])
        case _:
            return pyarrow.array(cells, TYPES[kind])
