"""The time zones of episodes, out of the package ``tzdata`` and nothing else.

The machine's own files would make two machines, or one machine before and after an upgrade, find different days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from difflib import get_close_matches
from functools import lru_cache
from importlib import import_module
from importlib.resources import files
from io import BytesIO
from typing import Final
from zoneinfo import ZoneInfo

VERSION: Final[str] = import_module("tzdata").IANA_VERSION
"""The edition of the zone database, which is part of the judge's version."""

REGIONS: Final = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
"""The first part of the names that are places; what is left is offsets, abbreviations and names of old."""

_MEANT: Final = {
    "EST": '"America/New_York" (or "America/Panama", where clocks do not change)',
    "MST": '"America/Denver" (or "America/Phoenix", where clocks do not change)',
    **dict.fromkeys(("EDT", "ET", "EST5EDT"), '"America/New_York"'),
    **dict.fromkeys(("CST", "CDT", "CT", "CST6CDT"), '"America/Chicago"'),
    **dict.fromkeys(("MDT", "MT", "MST7MDT"), '"America/Denver"'),
    **dict.fromkeys(("PST", "PDT", "PT", "PST8PDT"), '"America/Los_Angeles"'),
}
"""What people at home mean by an abbreviation, which in the database is another zone or none."""


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


@lru_cache(maxsize=1)
def _links() -> dict[str, str]:
    """What each other name of a zone stands for."""
    text = files("tzdata").joinpath("zoneinfo", "tzdata.zi").read_text(encoding="utf-8")
    links = (line.split() for line in text.splitlines() if line.startswith("L "))
    return {name: zone for _, zone, name in links}


_KEPT: Final[ContextVar[Mapping[str, ZoneInfo]]] = ContextVar("zones read from elsewhere", default={})  # noqa: B039


def zone(name: str) -> ZoneInfo:
    """The time zone of a patient's address, by any name of the database; LookupError for one it does not have."""
    kept = _KEPT.get()
    return kept[name] if name in kept else _of_the_package(name)


@lru_cache(maxsize=1024)
def _of_the_package(name: str) -> ZoneInfo:
    return ZoneInfo.from_file(BytesIO(zone_data(name)), key=name)


def zone_data(name: str) -> bytes:
    """What the database says of a zone, in the form of a time zone file (RFC 8536)."""
    if name not in _names():
        raise LookupError("the zone database has no zone of this name")
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


@contextmanager
def reading_zones(data: Mapping[str, bytes]) -> Iterator[None]:
    """Read these zones as they were, whatever the database says now; all others are read as ever."""
    before = _KEPT.set({name: ZoneInfo.from_file(BytesIO(text), key=name) for name, text in data.items()})
    try:
        yield
    finally:
        _KEPT.reset(before)


def is_place(name: str) -> bool:
    """Whether an episode may be opened in a zone of this name."""
    return name in _names() and name.partition("/")[0] in REGIONS


def places_meant(name: str) -> str | None:
    """The place that another way to write a zone means, in quotes, as far as that can be said."""
    if name in _MEANT:
        return _MEANT[name]
    written = name.strip().replace(" ", "_").lower()
    linked = _links().get(name, "")
    found = linked if is_place(linked) else _place_like(written) if len(written) <= 40 else None
    return f'"{found}"' if found else None


def _place_like(written: str) -> str | None:
    """The place of that name or city in other capitals, or spelt nearly so."""
    places = {each.lower(): each for each in sorted(_names()) if is_place(each)}
    cities = {each.rpartition("/")[2]: places[each] for each in places}
    if found := places.get(written) or cities.get(written):
        return found
    close = get_close_matches(written, places, n=1, cutoff=0.8) if "/" in written else []
    return places[close[0]] if close else None


def zone_data_version() -> str:
    """The edition of the zone database: another one may find other days."""
    return VERSION
