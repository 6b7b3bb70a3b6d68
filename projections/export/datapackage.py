"""``datapackage.json``: the CSV files of an export as a Frictionless tabular data package."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from projections.export.columns import Dataset
from projections.export.manifest import ExportedFile
from projections.rows.columns import Column, Kind

_FIELDS: Final[dict[Kind, dict[str, Any]]] = {
    "text": {"type": "string"},
    "word": {"type": "string"},
    "date": {"type": "date", "format": "default"},
    "instant": {"type": "datetime", "format": "any"},
    "count": {"type": "integer"},
    "flag": {"type": "boolean"},
    "money": {"type": "number", "decimalChar": "."},
    "number": {"type": "number", "decimalChar": "."},
    "texts": {"type": "array"},
    "dates": {"type": "array"},
}

_OF_NOBODY: Final = "patient"
"""Empty in rows that are no patient's, and an empty cell of CSV is a missing one."""


def package_of(dataset: Dataset, columns: Sequence[Column], parts: Sequence[ExportedFile]) -> dict[str, Any]:
    """The package: one resource a file, each with the schema of its columns."""
    schema: dict[str, Any] = {
        "fields": [_field(column) for column in columns],
        "missingValues": [""],
    }
    if key := _key(dataset, columns):
        schema["primaryKey"] = key
    return {
        "profile": "tabular-data-package",
        "name": f"episode-ledger-{dataset.name}",
        "title": dataset.about,
        "resources": [_resource(dataset, part, schema) for part in parts],
    }


def _resource(dataset: Dataset, part: ExportedFile, schema: dict[str, Any]) -> dict[str, Any]:
    month = part.path.rpartition("/")[0].partition("=")[2]
    return {
        "profile": "tabular-data-resource",
        "name": f"{dataset.name}-{month}" if month else dataset.name,
        "path": part.path,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": part.bytes,
        "hash": f"sha256:{part.sha256}",
        "dialect": {"delimiter": ",", "quoteChar": '"', "doubleQuote": True, "lineTerminator": "\r\n", "header": True},
        "schema": schema,
    }


def _field(column: Column) -> dict[str, Any]:
    field = {"name": column.name, **_FIELDS[column.kind], "description": column.meaning}
    may_be_empty = column.nullable or column.name == _OF_NOBODY
    return field if may_be_empty else field | {"constraints": {"required": True}}


def _key(dataset: Dataset, columns: Sequence[Column]) -> list[str]:
    """The columns that name one row; none if one of them is left out."""
    names = {column.name for column in columns}
    return list(dataset.key) if names.issuperset(dataset.key) else []
