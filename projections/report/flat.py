"""The report as one sheet: every section's rows with the same columns, blank where a section has none of that name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from projections.report.report import Heading, ReportRow, WeeklyReport

_KINDS: Final = (Heading, *ReportRow.__args__)
_NAMES: Final = tuple(dict.fromkeys(field.encode_name for kind in _KINDS for field in msgspec.structs.fields(kind)))
_COLUMNS: Final = ("section", *(name for name in _NAMES if name != "rows"), "rows")

FlatRow: Final[type[msgspec.Struct]] = msgspec.defstruct(
    "FlatRow",
    [(name.replace("from", "from_") if name == "from" else name, Any, None) for name in _COLUMNS],
    frozen=True,
    rename={"from_": "from"},
)
"""A row of any section."""


def flat_rows(report: WeeklyReport) -> Iterator[msgspec.Struct]:
    """Every row of the report, its heading first."""
    for row in report.rows():
        told = {field.name: getattr(row, field.name) for field in msgspec.structs.fields(type(row))}
        yield FlatRow(section=row.__struct_config__.tag, **told)
