"""The same ledger in PostgreSQL: put there once, read raw by COPY, and built from."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmark.inputs import Inputs
from benchmark.process import environment

Rows = list[tuple[str, float, int]]
COPY: Final = (
    "COPY (SELECT position, originator_id, originator_version, topic, state FROM entries ORDER BY position) TO STDOUT"
)


def prepare(url: str, inputs: Inputs, say: Callable[[str], None]) -> str:
    """The URL of the ledger in that database, in a schema named for its folder; put there if it is not."""
    import psycopg

    schema = "bench_" + inputs.ledger.parent.name.replace("-", "_")
    placed = f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{schema}"
    with psycopg.connect(url, autocommit=True) as connection:
        there = connection.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{schema}.entries",)).fetchone()
        if there and there[0]:
            return placed
        say("Putting the ledger into PostgreSQL; it is kept there.")
        connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        with TemporaryDirectory(dir=inputs.ledger.parent) as folder:
            backup = Path(folder) / "ledger.backup"
            _run("--ledger", str(inputs.ledger), "backup", "--out", str(backup))
            _run("--ledger", placed, "restore", str(backup))
        connection.execute("VACUUM ANALYZE")
    return placed


def _run(*words: str) -> None:
    program = [sys.executable, "-c", "from commands.cli import main; main()", *words]
    subprocess.run(program, check=True, capture_output=True, env=environment())


def copy(ledger: str, entries: int) -> tuple[Rows, dict[str, Any]]:
    """Task: the five columns of every entry by COPY, as the server sends them, thrown away."""
    import psycopg

    with psycopg.connect(ledger) as connection:
        began = time.perf_counter()
        with connection.cursor().copy(COPY) as sent:
            for _ in sent:
                pass
        return [("e.copy", time.perf_counter() - began, entries)], {}
