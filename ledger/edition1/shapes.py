"""Facts of edition 1 in the shapes its judge reads: dates as ordinals, open ends as ``OPEN_END``."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from ledger.facts.entry import Entry


class Span(Struct, frozen=True, gc=False):
    """A fact in force from..to."""

    from_: int
    to: int
    entry: Entry


class Dated(Struct, frozen=True, gc=False):
    """A fact of one date."""

    date: int
    entry: Entry


class Spell(Struct, frozen=True, gc=False):
    """A coverage spell, its end already cut by the coverage ends recorded after it."""

    rank: int
    from_: int
    payer: str
    to: int
    entry: Entry


class Served(Struct, frozen=True, gc=False):
    """A recorded day of one order."""

    date: int
    infused: bool
    entry: Entry


class Run(Struct, frozen=True, gc=False):
    """A pump's logged run of one order, in UTC."""

    started_at: datetime
    stopped_at: datetime
    entry: Entry


class Billed(Struct, frozen=True, gc=False):
    """A code billed separately, as a service or (``is_service`` false) as a drug."""

    code: str
    from_: int
    to: int
    entry: Entry
    is_service: bool


class Moment(Struct, frozen=True, gc=False):
    """An admission or a discharge of a stay."""

    at: datetime
    entry: Entry


class Plan(Struct, frozen=True, gc=False):
    """A plan of treatment."""

    from_: int
    to: int
    signed_on: int
    entry: Entry
