"""One fact or act as it stands in the ledger, and its stored form (JSON an auditor can read).

The stored text carries the whole entry, so that a row explains itself away from its table; the table's columns repeat
episode, version and tag, and reading asserts that they agree.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from ledger.facts.billing import IDENTITY
from ledger.facts.events import EpisodeOpened, Event, FactCorrected
from ledger.facts.upcasts import SCHEMA, upcast


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """What the ledger knows of one line of intake; known by (``episode``, ``source``, ``id``).

    ``told_at`` is when another system was told, where its history came after the episode had gone on here: nothing is
    known from it, only since ``recorded_at``.
    """

    episode: str
    version: int
    source: str
    id: str
    by: str
    recorded_at: datetime
    nonce: str
    fact: Event
    schema: Literal[2]
    told_at: datetime | UnsetType = UNSET

    @property
    def originator_id(self) -> str:
        """The episode, under the name the event store gives it."""
        return self.episode

    @property
    def originator_version(self) -> int:
        """The version within the episode, under the name the event store gives it."""
        return self.version

    @property
    def label(self) -> str:
        """How reports name the entry: ``source:id``."""
        return f"{self.source}:{self.id}"


class UnreadableEntry(Exception):
    """A stored entry that cannot be read: it stops whoever reads, and is never skipped."""

    def __init__(self, episode: str, version: int, position: int | None = None) -> None:
        where = f"episode {episode}, version {version}"
        super().__init__(where + (f", position {position}" if position is not None else ""))
        self.episode, self.version, self.position = episode, version, position

    def __reduce__(self) -> tuple[type[UnreadableEntry], tuple[str, int, int | None]]:
        """So that one process can tell another."""
        return UnreadableEntry, (self.episode, self.version, self.position)


class NewerEntry(UnreadableEntry):
    """An entry with what only a newer version of the program knows: it is whole, and not read."""

    def __str__(self) -> str:
        return f"{super().__str__()}: it says what only a newer version of this program knows"

    def __reduce__(self) -> tuple[type[NewerEntry], tuple[str, int, int | None]]:
        """So that one process can tell another."""
        return NewerEntry, (self.episode, self.version, self.position)


_encoder: Final = msgspec.json.Encoder()
_REQUIRED: Final = {field.encode_name for field in msgspec.structs.fields(Entry) if field.required}
_decoder: Final = msgspec.json.Decoder(Entry)
_list_decoder: Final = msgspec.json.Decoder(list[Entry])
_raw_list_decoder: Final = msgspec.json.Decoder(list[msgspec.Raw])


def tag_of(fact: Event) -> str:
    """The name of the fact's type: the stored topic. A closed set, never an import path."""
    return str(fact.__struct_config__.tag)


def encode(entry: Entry) -> bytes:
    """The stored text of an entry."""
    return _encoder.encode(entry)


def decode(text: bytes | str) -> Entry:
    """The entry of a stored text, brought up to today's schema; ``msgspec.MsgspecError`` if it cannot be read."""
    try:
        return _decoder.decode(text)
    except msgspec.ValidationError:
        return msgspec.convert(upcast(msgspec.json.decode(text)), Entry)


def is_newer(text: bytes | str) -> bool:
    """Whether a text that cannot be read is an entry all the same, of a later schema, or with more in it than there is
    today."""
    try:
        found = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeError, TypeError):  # a damaged row may hold a number there, or nothing
        return False
    if not isinstance(found, dict) or not found.keys() >= _REQUIRED:
        return False
    schema = found["schema"]
    if type(schema) is int and schema > SCHEMA:
        return True
    return schema == SCHEMA and bool(found.keys() - set(Entry.__struct_fields__))


def decode_joined(texts: bytes | str) -> list[Entry]:
    """The entries of stored texts joined by commas; ``msgspec.MsgspecError`` if one cannot be read.

    A damaged text may look like several, or like none: whoever joined them counts, and compares.
    """
    listed = b"[%b]" % texts if isinstance(texts, bytes) else f"[{texts}]"
    try:
        return _list_decoder.decode(listed)
    except msgspec.ValidationError:  # one of an older schema is among them
        return [decode(bytes(text)) for text in _raw_list_decoder.decode(listed)]


def same_content(entry: Entry, by: str, fact: Event) -> bool:
    """Whether an entry says what ``by`` and ``fact`` say (rulebook section 2, Identity); ``recorded_at`` is no part."""
    return entry.by == by and entry.fact == fact


def statement_of(entry: Entry) -> Event:
    """What the entry states: a correction states its inner fact."""
    return entry.fact.fact if isinstance(entry.fact, FactCorrected) else entry.fact


def states_identity(fact: Event) -> bool:
    """Whether a fact, or what a correction puts in its place, says who somebody is: it is shown nowhere."""
    return type(fact.fact if type(fact) is FactCorrected else fact) in IDENTITY


def fields_shown(entry: Entry) -> dict[str, Any]:
    """What an entry states, field by field in JSON's terms; of who somebody is, nothing but the type."""
    stated = statement_of(entry)
    if isinstance(stated, IDENTITY):
        return {"type": tag_of(stated)}
    fields: dict[str, Any] = msgspec.to_builtins(stated)
    return fields


def fact_shown(entry: Entry) -> Event | dict[str, Any]:
    """The fact of an entry as it may be given out; of who somebody is, nothing but the type."""
    if not states_identity(entry.fact):
        return entry.fact
    if not isinstance(entry.fact, FactCorrected):
        return fields_shown(entry)
    target = {"target_source": entry.fact.target_source, "target_id": entry.fact.target_id}
    return {"type": tag_of(entry.fact), **target, "fact": fields_shown(entry)}


def patient_named(entry: Entry) -> str | None:
    """The patient whom an entry names, if it is an opening or corrects one."""
    stated = statement_of(entry)
    return stated.patient if isinstance(stated, EpisodeOpened) else None
