"""The time zones of episodes, out of the ``tzdata`` package, so that every machine finds the same days."""

from __future__ import annotations

from functools import cache, lru_cache
from importlib.metadata import version
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The time zone of a patient's address."""
    if name not in zone_names():
        raise ZoneInfoNotFoundError(f"no time zone found with key {name}")
    with files("tzdata").joinpath("zoneinfo", *name.split("/")).open("rb") as data:
        return ZoneInfo.from_file(data, key=name)


@cache
def zone_names() -> frozenset[str]:
    """Every time zone of the IANA database that is a place's."""
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="ascii").split()) - {"Factory"}


def zone_data_version() -> str:
    """The version of the zones: another one may find other days."""
    return version("tzdata")
