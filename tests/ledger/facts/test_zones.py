"""Zones come from the package of zone data alone, whatever the machine has."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from ledger.facts.zones import zone, zone_names

SUMMER = datetime(2026, 7, 1, 3, tzinfo=UTC)


@pytest.fixture
def other_machine(tmp_path: Path) -> Iterator[None]:
    """A machine whose own files say that Chicago is Tokyo."""
    (tmp_path / "America").mkdir()
    tokyo = files("tzdata").joinpath("zoneinfo", "Asia", "Tokyo").read_bytes()
    (tmp_path / "America" / "Chicago").write_bytes(tokyo)
    (tmp_path / "Mine").write_bytes(tokyo)
    zoneinfo.reset_tzpath([tmp_path])
    zoneinfo.ZoneInfo.clear_cache()
    zone.cache_clear()
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()
    zone.cache_clear()


@pytest.mark.usefixtures("other_machine")
def test_the_machines_own_files_are_not_asked() -> None:
    assert zoneinfo.ZoneInfo("America/Chicago").utcoffset(SUMMER) == timedelta(hours=9), "the control"
    assert zone("America/Chicago").utcoffset(SUMMER) == timedelta(hours=-5)
    assert "Mine" not in zone_names()


def test_every_zone_is_the_one_of_its_name() -> None:
    zoneinfo.reset_tzpath([])
    zoneinfo.ZoneInfo.clear_cache()
    try:
        for name in zone_names():
            found, expected = zone(name), zoneinfo.ZoneInfo(name)
            assert found.key == name
            for month in range(1, 13):
                at = datetime(2026, month, 1, tzinfo=UTC)
                assert at.astimezone(found).replace(tzinfo=None) == at.astimezone(expected).replace(tzinfo=None)
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


@pytest.mark.parametrize("name", ["", "Factory", "localtime", "America", "america/chicago", "../zones", "UTC\0"])
def test_what_is_no_zone_is_not_found(name: str) -> None:
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        zone(name)
