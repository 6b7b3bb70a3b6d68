"""Three patients, caught up: what most tests of rebuilds start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command_line import House
from tests.read_models import Site, three_patients_house, three_patients_site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return three_patients_site(tmp_path)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return three_patients_house(tmp_path)
