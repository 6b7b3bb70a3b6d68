"""``scripts/postgres`` gives its folder to the server's user: so it takes none that holds anything of others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/postgres"


@pytest.mark.process
def test_a_folder_that_holds_others_files_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("ours")
    before = tmp_path.stat()
    started = subprocess.run([sys.executable, SCRIPT, "start", tmp_path], capture_output=True, text=True, check=False)
    assert (started.returncode, tmp_path.stat().st_uid, tmp_path.stat().st_mode) == (1, before.st_uid, before.st_mode)
    assert "name a folder that is new or empty" in started.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["notes.txt"]
