"""What ``export`` can be asked for, and what has to do with what among its options."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

import click

from projections.export.shapes import CHANGES_OF
from projections.export.write import CLOUDEVENTS, EVENTS, PARQUET
from projections.loading import load_pyarrow

NAMING: Final = {
    EVENTS: "they hold what was told, free text included",
    "line_changes": "a line ends with its month, which would tell how far dates are shifted; export lines instead",
}
"""What cannot be de-identified, and why."""


class Asked(NamedTuple):
    """What the command line asks for."""

    dataset: str
    form: str
    out: Path
    since: int | None
    known_at: datetime | None
    deidentified: bool
    key: Path | None


def check_asked(asked: Asked) -> None:
    """What the options must have to do with each other."""
    if asked.dataset == EVENTS and asked.form not in (CLOUDEVENTS, PARQUET):
        raise click.UsageError("events are written as cloudevents or as parquet")
    if asked.form == CLOUDEVENTS and asked.dataset != EVENTS:
        raise click.UsageError("--format cloudevents is for events")
    if asked.since is not None and asked.dataset not in (*CHANGES_OF, EVENTS):
        raise click.UsageError("--since is for changes and events; the others are whole as they stand")
    if asked.known_at is not None and asked.dataset in (*CHANGES_OF, EVENTS):
        raise click.UsageError("changes and events go by position; --known-at is for the others")
    if asked.deidentified and asked.dataset in NAMING:
        raise click.UsageError(f"{asked.dataset} cannot be de-identified: {NAMING[asked.dataset]}")
    if asked.key is not None and not asked.deidentified:
        raise click.UsageError("--key is for --deidentified")
    if asked.form == PARQUET:
        try:
            load_pyarrow()
        except ImportError:
            raise click.UsageError("--format parquet needs pyarrow: pip install 'episode-ledger[parquet]'") from None
