"""A house whose acts are done at its site, for the tests that have no house of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.act_forms import house_in
from tests.command_line import House
from tests.in_process_site import InProcess


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The shared example: patient P-1 with episode EP-1, and P-2 with EP-2, which has one day in conflict."""
    return house_in(tmp_path)


@pytest.fixture
def desk(house: House) -> InProcess:
    """The site of that house, in this process."""
    return InProcess(house.ledger, house.book)
