"""What archives promise of object stores holds in one that speaks S3, over the network."""

from __future__ import annotations

import subprocess

import pytest

from tests import ROOT


@pytest.mark.soak
def test_archives_and_results_in_a_store_that_speaks_s3() -> None:
    done = subprocess.run([ROOT / "scripts" / "s3"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout
    assert "skipped" not in done.stdout
