"""An export put together: its files month by month, their sums, its manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, get_args

from msgspec.structs import asdict

from ledger.facts.entry import Entry
from ledger.files import create
from ledger.judge.settled import PaidStatus
from projections.answers.claim_list import ClaimStanding
from projections.audit.claimed_shares import ClaimedKind
from projections.export.as_text import write_csv, write_jsonl
from projections.export.cloudevents import EVENT_COLUMNS, event_cells, write_events
from projections.export.columns import Dataset
from projections.export.datapackage import package_of
from projections.export.manifest import MANIFEST, PACKAGE, ExportedFile, ExportManifest, Origin, part_of, text_of
from projections.export.rows import MonthOf
from projections.export.shapes import CHANGES_OF, SCHEMA_VERSION
from projections.rows.cells import Cells
from projections.rows.columns import Column
from projections.rows.several_days import in_days, moved_in
from projections.words import decimal

Writer = Callable[..., None]
"""Takes a file, columns and rows."""
EVENTS: Final = "events"
CLOUDEVENTS: Final = "cloudevents"
PARQUET: Final = "parquet"
Row = TypeVar("Row", bound=tuple[Any, ...])

_SUMMED: Final[dict[str | None, tuple[str, ...]]] = {
    "days": ("rate",),
    "lines": ("units", "charge", "expected"),
    "claimed": ("claimed_charge", "exposure"),
    "claims": ("charge", "paid"),
    "payments": ("expected", "paid", "patient_owes", "charge", "to_give_back", "missing"),
    "remittances": ("charge", "paid"),
    "remittance_lines": ("charge", "paid"),
    "remittance_adjustments": ("amount",),
    "authorizations": ("units", "drawn", "billable_days"),
}
_COUNTED: Final[dict[str | None, tuple[str, tuple[str, ...]]]] = {
    "days": ("status", ("billable", "not_billable", "hold", "conflict")),
    "findings": ("level", ("hard", "soft")),
    **dict.fromkeys(CHANGES_OF, ("kind", ("insert", "restate", "retract"))),
    "claimed": ("kind", get_args(ClaimedKind)),
    "claims": ("state", get_args(ClaimStanding)),
    "payments": ("status", get_args(PaidStatus)),
}
"""Of a dataset: the columns that are summed, and the column whose words are counted."""


class Made(NamedTuple):
    """What an export is made of, and the patients who could not be read; they may become more while rows are read."""

    origin: Origin
    deidentified: bool
    set_aside: Collection[str]


def writer_of(form: str) -> Writer:
    """What writes a format; ImportError if a library for it is missing."""
    if form == PARQUET:
        writer: Writer = import_module("projections.export.as_parquet").write_parquet
        return writer
    return {"csv": write_csv, "jsonl": write_jsonl}[form]


def write_export(
    folder: Path, dataset: Dataset, columns: Sequence[Column], form: str, rows: Iterable[Cells], made: Made
) -> ExportManifest:
    """Write rows, given by month, and the manifest, into an empty folder."""
    moved = moved_in(dataset.name, columns)
    write, totals = _writer_with(form, made), Totals(dataset, columns)
    if moved:
        write = partial(write, moved=moved) if form == "csv" else _writing_days(write, moved)
    parts = []
    for month, of_month in groupby(rows, MonthOf(dataset, columns)):
        path = folder / (f"service_month={month}" if month else "") / f"part-0.{form}"
        before = totals.rows
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with os.fdopen(create(path), "wb") as file:
            write(file, columns, totals.counting(of_month))
        parts.append(part_of(folder, path, totals.rows - before))
    if form == "csv":
        _write(folder / PACKAGE, text_of(package_of(dataset, columns, parts)))
    names = tuple(column.name for column in columns)
    return _finish(folder, dataset.name, form, names, totals, parts, made)


def _writer_with(form: str, made: Made) -> Writer:
    """What writes a format; into a file that can bear it, what it is made of."""
    if form != PARQUET:
        return writer_of(form)
    about = {key: str(value) for key, value in asdict(made.origin).items() if value is not None}
    return partial(writer_of(form), about=about | {"schema_version": SCHEMA_VERSION})


def _writing_days(write: Writer, moved: Sequence[int]) -> Writer:
    return lambda file, columns, rows: write(file, columns, in_days(rows, moved))


def write_event_export(
    folder: Path, ledger_id: str, entries: Iterable[tuple[int, Entry]], form: str, made: Made
) -> ExportManifest:
    """Write the entries as events, and the manifest, into an empty folder."""
    totals = Totals(None, ())
    if form == PARQUET:
        path = folder / "part-0.parquet"
        with os.fdopen(create(path), "wb") as file:
            _writer_with(form, made)(file, EVENT_COLUMNS, map(event_cells, totals.counting(entries)))
        names = tuple(column.name for column in EVENT_COLUMNS)
        return _finish(folder, EVENTS, form, names, totals, [part_of(folder, path, totals.rows)], made)
    path = folder / "part-0.jsonl"
    with os.fdopen(create(path), "wb") as file:
        write_events(file, ledger_id, totals.counting(entries))
    return _finish(folder, EVENTS, CLOUDEVENTS, (), totals, [part_of(folder, path, totals.rows)], made)


def _finish(
    folder: Path,
    name: str,
    form: str,
    columns: tuple[str, ...],
    totals: Totals,
    parts: Sequence[ExportedFile],
    made: Made,
) -> ExportManifest:
    manifest = ExportManifest(
        dataset=name, format=form, schema_version=SCHEMA_VERSION, deidentified=made.deidentified,
        **asdict(made.origin), patients_set_aside=len(made.set_aside), columns=columns, rows=totals.rows,
        totals=totals.told(), files=tuple(parts),
    )  # fmt: skip
    _write(folder / MANIFEST, text_of(manifest))
    return manifest


def _write(path: Path, text: bytes) -> None:
    with os.fdopen(create(path), "wb") as file:
        file.write(text)


class Totals:
    """The rows of an export as they pass, and the sums a reader can check."""

    def __init__(self, dataset: Dataset | None, columns: Sequence[Column]) -> None:
        places = {column.name: place for place, column in enumerate(columns)}
        name = dataset.name if dataset else None
        self.rows = 0
        self.sums = dict.fromkeys(_SUMMED.get(name, ()), 0)
        self.words = dict.fromkeys(_COUNTED.get(name, ("", ()))[1], 0)
        self._summed = [(column, places[column]) for column in self.sums]
        self._counted = places[_COUNTED[name][0]] if name in _COUNTED else None
        self._days = len(columns) if moved_in(name, columns) else None
        self._money = {column.name for column in columns if column.kind == "money"}

    def counting(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows, counted as they pass."""
        for row in rows:
            days = 1 if self._days is None else row[self._days]
            self.rows += days
            for column, place in self._summed:
                self.sums[column] += (row[place] or 0) * days
            if self._counted is not None and row[self._counted] in self.words:
                self.words[row[self._counted]] += days
            yield row

    def told(self) -> dict[str, int | str]:
        """The sums as the manifest has them."""
        sums = {name: decimal(number) if name in self._money else number for name, number in self.sums.items()}
        return {**self.words, **sums}
