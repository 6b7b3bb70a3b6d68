"""Which files commands wrote from an encrypted ledger's data for use outside of it, so that they can be taken back.

A list beside the read model, one JSON line for each, only ever added to. A line is on disk before its file gets its
name, so that a kill at any moment leaves no file that is not listed: a page, report or bundle is listed with its
SHA-256 just before it is written; an export when its folder is begun, without one, and again with that of its manifest
before it is published; a backup before it is taken, and again when it is whole. What stands where a file was listed and
has none of the SHA-256 that were listed for it is left alone and told.

Whoever writes such a file holds the list from before the ledger is read until the file stands; taking back waits for
them. So nothing that was read before a patient was forgotten can appear afterwards.
"""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from ledger.files import add_line, locked, unfinished, write_whole
from projections.erasure.recall import Became, Recalled, take_export, take_file, take_result, tell_copy
from projections.read_model.generations import Places

__all__ = [
    "COPIES",
    "Became",
    "HandedOut",
    "Recalled",
    "giving",
    "handed_out",
    "note",
    "real",
    "take_back",
    "unreadable",
]

_EXPORT: Final = "export"
_JUDGED: Final = "judge"
DOWNLOAD: Final = "download"
"""The kind of what a browser was given: where it is now, only who was given it knows, and it is told once."""
COPIES: Final[dict[str, Became]] = {"backup": "backup", "restore": "changed"}
"""The verbs that copy the ledger with its keys, and how their files are told: nothing of theirs is ever removed."""


class HandedOut(msgspec.Struct, frozen=True):
    """A file that a command wrote, or is about to.

    ``sha256`` is that of the file, or of an export's manifest; None as long as it is not known. ``episodes`` are those
    it is about; None if it may be about any. No patient is named here, unless in a path that somebody chose.
    """

    at: str
    command: str
    path: str
    sha256: str | None
    episodes: tuple[str, ...] | None

    def may_hold(self, episodes: Collection[str]) -> bool:
        """Whether it may be about any of these episodes."""
        return self.episodes is None or not set(self.episodes).isdisjoint(episodes)

    def kind(self) -> str:
        """The verb that wrote it."""
        return self.command.split(" ")[0]


class _Line(NamedTuple):
    text: bytes
    given: HandedOut | None


def handed_out(places: Places, kinds: Collection[str] | None = None) -> list[HandedOut]:
    """What is listed, in order, or what some verbs wrote of it; lines that cannot be read are passed over."""
    listed = (line.given for line in _lines(places) if line.given)
    return [each for each in listed if kinds is None or each.kind() in kinds]


def unreadable(places: Places) -> int:
    """How many lines of the list cannot be read: each may have named a file."""
    return sum(line.given is None for line in _lines(places))


def real(path: Path) -> Path:
    """Where a file that a command is told to write really is to stand; a link in its place would be replaced."""
    return Path(os.path.realpath(path.parent)) / path.name


@contextmanager
def giving(places: Places) -> Iterator[None]:
    """Nothing is taken back meanwhile; several may write at once."""
    with locked(_lock(places), shared=True):
        yield


def note(places: Places, about: HandedOut) -> None:
    """Add a line, on disk when this returns; to be called while ``giving``."""
    line = json.dumps(msgspec.to_builtins(about)).encode() + b"\n"  # plain JSON carries names that are no UTF-8
    add_line(_list(places), line)


def take_back(places: Places, episodes: Collection[str]) -> list[Recalled]:
    """Remove what is listed and may hold any of these episodes, where it still stands as it was written.

    What became of each: ``removed``; ``gone``, where nothing or something newer about others stands; ``changed``, left
    for somebody to look at, because it is not as it was written or could not be removed, or because lines of the list
    itself cannot be read; ``backup``, which is never removed; ``download``, which
    is with whoever was given it. Those that are removed, gone or downloaded are struck from the list.
    """
    with locked(_lock(places)):
        lines = _lines(places)
        outcomes, struck = list[Recalled](), set[HandedOut]()
        for path, notes in _by_path(lines).items():
            about = [each for each in notes if each.may_hold(episodes)]
            if not about:
                continue
            found = _take(Path(path), notes, about)
            outcomes += found
            if _is_settled(notes, found):
                struck |= set(about)
        if struck:
            _rewrite(places, [line for line in lines if line.given not in struck])
        if any(line.given is None for line in lines):
            outcomes.append(Recalled("changed", _list(places), "", ""))
    return outcomes


def _by_path(lines: Sequence[_Line]) -> dict[str, list[HandedOut]]:
    found: dict[str, list[HandedOut]] = {}
    for line in lines:
        if line.given:
            found.setdefault(line.given.path, []).append(line.given)
    return found


def _take(path: Path, notes: Sequence[HandedOut], about: Sequence[HandedOut]) -> list[Recalled]:
    """What becomes of a path: anything ever listed there counts as ours, only what is about the episodes goes."""
    last, kinds = about[-1], {each.kind() for each in notes}
    ours = {each.sha256 for each in notes if each.sha256}
    wanted = {each.sha256 for each in about if each.sha256}
    if copies := kinds & COPIES.keys():
        found = tell_copy(path, COPIES[min(copies)])
    elif DOWNLOAD in kinds:
        found = [("download", path)]
    elif _JUDGED in kinds:
        found = take_result(path, wanted)
    elif _EXPORT in kinds:
        found = take_export(path, wanted)
    else:
        found = take_file(path, ours, wanted)
    return [Recalled(became, where, last.command, last.at) for became, where in found]


def _is_settled(notes: Sequence[HandedOut], found: Sequence[Recalled]) -> bool:
    """Whether nothing is left to look at; a backup that is not where it was may be kept elsewhere."""
    backup = any(each.kind() == "backup" for each in notes)
    return not backup and all(each.became in ("removed", "gone", "download") for each in found)


def _list(places: Places) -> Path:
    return places.live.with_name(f"{places.stem}.given.jsonl")


def _lock(places: Places) -> Path:
    """Held by those who write files, or alone; a file of its own, for the list is replaced."""
    return places.live.with_name(f"{places.stem}.given.lock")


def _lines(places: Places) -> list[_Line]:
    """The lines; one that a kill cut off is none: its file was not begun, or has a line before."""
    try:
        descriptor = os.open(_list(places), os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return []
    with open(descriptor, "rb") as file:
        whole, newline, _ = file.read().rpartition(b"\n")
    return [_Line(text, _read(text)) for text in whole.split(b"\n") if text] if newline else []


def _read(text: bytes) -> HandedOut | None:
    try:
        found = msgspec.convert(json.loads(text), HandedOut)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        return None
    return found if os.path.isabs(found.path) and "\0" not in found.path else None


def _rewrite(places: Places, lines: Sequence[_Line]) -> None:
    """The list with these lines only, at once; nobody else is here."""
    path = _list(places)
    for left in unfinished(path):
        left.unlink()
    write_whole(path, (line.text + b"\n" for line in lines))
