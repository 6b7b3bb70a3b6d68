"""Zones are places of the pinned package ``tzdata``, and the machine's own files are never read."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import tzdata

from commands.door.intake import Refusal, parse_line
from ledger.facts import zones
from ledger.facts.entry import decode
from ledger.facts.zones import REGIONS, is_place, places_meant, zone
from tests import ROOT
from tests.intake_samples import line, required

PACKAGE = Path(tzdata.__file__).parent
NAMES = (PACKAGE / "zones").read_text(encoding="utf-8").split()
SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)


def test_every_zone_of_the_package_is_read_and_every_one_in_a_region_is_a_place() -> None:
    assert len(NAMES) > 500
    for name in NAMES:
        assert zone(name).key == name
        assert is_place(name) == (name.split("/")[0] in REGIONS)
    assert zones.VERSION == tzdata.IANA_VERSION


@pytest.mark.parametrize(
    "name", ["", "America", "Nowhere/City", "../zones", "America/../UTC", "/etc/passwd", "America/"]
)
def test_what_the_package_does_not_have_is_no_zone(name: str) -> None:
    assert not is_place(name)
    with pytest.raises(LookupError):
        zone(name)


MEANT = {
    "EST": ["America/New_York", "America/Panama"], "EST5EDT": ["America/New_York"], "CST6CDT": ["America/Chicago"],
    "MST": ["America/Denver", "America/Phoenix"], "HST": ["Pacific/Honolulu"], "US/Central": ["America/Chicago"],
    "US/Eastern": ["America/New_York"], "Canada/Pacific": ["America/Vancouver"], "GB": ["Europe/London"],
    "america/chicago": ["America/Chicago"], "America/Chcago": ["America/Chicago"], "Chicago": ["America/Chicago"],
    "America/New York": ["America/New_York"], "America/Chicago ": ["America/Chicago"], "PST": ["America/Los_Angeles"],
}  # fmt: skip


@pytest.mark.parametrize("name", MEANT)
def test_the_message_names_the_place_that_is_meant(name: str) -> None:
    refused = parse_line(1, line(required("EpisodeOpened", zone=name)))
    assert isinstance(refused, Refusal)
    expected = "line 1: fact.zone: expected a time zone by its place in the IANA database, such as America/Chicago; did"
    assert refused.message.startswith(expected)
    assert refused.message.endswith("? Correct the field and send the line again.")
    for place in MEANT[name]:
        assert is_place(place)
        assert f'"{place}"' in refused.message


@pytest.mark.parametrize("name", ["UTC", "Etc/UTC", "Etc/GMT+6", "GMT", "Zulu", "Factory", "localtime", "x" * 100, "é"])
def test_of_what_means_no_place_none_is_named(name: str) -> None:
    assert places_meant(name) is None
    refused = parse_line(1, line(required("EpisodeOpened", zone=name)))
    assert isinstance(refused, Refusal)
    assert "such as America/Chicago. Correct the field" in refused.message


def test_links_between_places_are_good() -> None:
    for name in ("America/Fort_Wayne", "Asia/Calcutta", "Pacific/Samoa", "Arctic/Longyearbyen", "Antarctica/McMurdo"):
        assert not isinstance(parse_line(1, line(required("EpisodeOpened", zone=name))), Refusal)


@pytest.mark.parametrize("name", ["EST", "US/Central", "Etc/UTC", "UTC", "EST5EDT", "Factory"])
def test_an_opening_of_edition_1_in_a_zone_that_is_no_place_is_read_and_has_its_days(name: str) -> None:
    fact = required("EpisodeOpened", zone=name) | {"place_of_service": "12"}
    stored = {"episode": "E", "version": 1, "source": "s", "id": "1", "by": "b", "recorded_at": "2026-11-02T00:00:00Z",
              "nonce": "0" * 32, "fact": fact, "schema": 2}  # fmt: skip
    assert decode(json.dumps(stored)).fact.zone == name  # type: ignore[union-attr]
    assert zone(name).utcoffset(SUMMER) is not None


POISON = """
import sys, zoneinfo
from datetime import UTC, datetime
from ledger.facts.zones import is_place, zone
summer = datetime(2026, 7, 1, 12, tzinfo=UTC)
print(zoneinfo.ZoneInfo("America/Chicago").utcoffset(summer), "Asia/Invented" in zoneinfo.available_timezones())
print(zone("America/Chicago").utcoffset(summer), is_place("Asia/Invented"), is_place("America/Chicago"))
"""


@pytest.mark.process
def test_poisoned_zone_files_of_the_machine_change_nothing(tmp_path: Path) -> None:
    """The machine's files come first to ``zoneinfo``: here they say that Chicago keeps the time of Tokyo."""
    for name in ("America/Chicago", "Asia/Invented"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes((PACKAGE / "zoneinfo" / "Asia" / "Tokyo").read_bytes())
    environment = {"PYTHONTZPATH": str(tmp_path), "PATH": "", "PYTHONPATH": str(ROOT)}
    ended = subprocess.run([sys.executable, "-c", POISON], env=environment, capture_output=True, text=True, check=True)
    theirs, ours = ended.stdout.splitlines()
    assert theirs == f"{timedelta(hours=9)} True", "the poison works on whoever reads the machine's files"
    assert ours == "-1 day, 19:00:00 False True"


def test_nobody_asks_the_machine_for_a_zone() -> None:
    """``ZoneInfo(name)`` and ``available_timezones()`` read the machine's files first."""
    asking = ("ZoneInfo", "available_timezones", "no_cache", "reset_tzpath")
    found = []
    for path in (each for package in ("ledger", "projections", "commands") for each in (ROOT / package).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if any(name in text for name in asking) else ():
            called = node.func if isinstance(node, ast.Call) else None
            name = getattr(called, "id", None) or getattr(called, "attr", None)
            if name in asking:
                found.append(path.relative_to(ROOT).as_posix())
    assert found == []
