"""What a read model takes into memory of others' libraries: not what only happens to be installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TABLES_LAID = """
import sqlite3
from projections.read_model.tables import lay_tables
lay_tables(sqlite3.connect(":memory:"))
"""
LATER = TABLES_LAID + "import numpy, pandas"
CONTROL = "import sqlite_utils"


def loaded(program: str, folder: Path) -> set[str]:
    """Which of two libraries a program loads where they are installed: ours leave a file each."""
    for name in ("numpy", "pandas"):
        (folder / f"{name}.py").write_text(f"open({str(folder / f'{name}.loaded')!r}, 'w').close()\nfloat16 = 0\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, check=False, timeout=60)
    return {path.stem for path in folder.glob("*.loaded")}


@pytest.mark.process
def test_laying_tables_loads_neither_pandas_nor_numpy(tmp_path: Path) -> None:
    """80 MB and half a second, for everybody who has the extra ``spark``; who asks for them later has them."""
    assert loaded(TABLES_LAID, tmp_path) == set()
    assert loaded(LATER, tmp_path) == {"numpy", "pandas"}


@pytest.mark.process
def test_the_library_by_itself_loads_both(tmp_path: Path) -> None:
    assert loaded(CONTROL, tmp_path) == {"numpy", "pandas"}
