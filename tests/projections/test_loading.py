"""What the program takes into memory of others' libraries: not what only happens to be installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import ROOT

TABLES_LAID = """
import sqlite3
from projections.read_model.tables import lay_tables
lay_tables(sqlite3.connect(":memory:"))
"""
LATER = "import numpy, pandas"
LIBRARY_OF_TABLES = "import sqlite_utils"
ARRAY_MADE = "import pyarrow; pyarrow.array(())\n"
AFTER_A_COMMAND = """
import sys
from pathlib import Path
from tests.command_line import House, example
house = House(Path(sys.argv[1]))
assert house.tell(*example()).status == 0
assert house.run(*{!r}.split()).status == 0
"""
AT_WORK = """
from projections.distributed.local import local_engine
def work(number):
    import pyarrow
    return len(pyarrow.array(())) + number
if __name__ == "__main__":
    assert sorted(local_engine(2)(work, [1, 2])) == [1, 2]
"""


def loaded(program: str, folder: Path, *names: str, ends: bool = True) -> set[str]:
    """Which of these libraries a program loads where they are installed: ours leave a file each."""
    stubs, at_work = folder / "stubs", folder / "work"
    stubs.mkdir()
    at_work.mkdir()
    for name in names:
        (stubs / f"{name}.py").write_text(f"open({str(folder / f'{name}.loaded')!r}, 'w').close()\nfloat16 = 0\n")
    (folder / "program.py").write_text(program)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(stubs), str(ROOT), *filter(None, sys.path)])}
    command = [sys.executable, str(folder / "program.py"), str(at_work)]
    subprocess.run(command, env=environment, cwd=at_work, capture_output=True, check=ends, timeout=120)
    return {path.stem for path in folder.glob("*.loaded")}


@pytest.mark.process
def test_laying_tables_loads_neither_pandas_nor_numpy(tmp_path: Path) -> None:
    """80 MB and half a second, for everybody who has the extra ``spark``."""
    assert loaded(TABLES_LAID, tmp_path, "pandas", "numpy") == set()


@pytest.mark.process
@pytest.mark.parametrize(
    "program",
    [
        AFTER_A_COMMAND.format("export days --format parquet --out days") + ARRAY_MADE,
        AFTER_A_COMMAND.format("archive --out archive --in-the-open") + ARRAY_MADE,
        AT_WORK,
    ],
    ids=["export", "archive", "judge's workers"],
)
def test_nobody_who_writes_parquet_loads_pandas(tmp_path: Path, program: str) -> None:
    """55 MB and half a second, likewise. Without a type pyarrow loads it for every list; with one, where numpy is."""
    assert loaded(program, tmp_path, "pandas") == set()


@pytest.mark.process
def test_who_asks_for_them_later_has_them(tmp_path: Path) -> None:
    assert loaded(TABLES_LAID + LATER, tmp_path, "pandas", "numpy") == {"pandas", "numpy"}


@pytest.mark.process
@pytest.mark.parametrize(("program", "names"), [(LIBRARY_OF_TABLES, {"pandas", "numpy"}), (ARRAY_MADE, {"pandas"})])
def test_the_libraries_by_themselves_load_them(tmp_path: Path, program: str, names: set[str]) -> None:
    assert loaded(program, tmp_path, *names, ends=False) == names
