"""How many files become one state at once: a numbered manifest that names them, written last.

``manifests/00000008.json`` makes its files count; whatever no manifest names does not. Nobody gives a name that is
taken, so that of two who would make number 8 the second is refused, and has to begin anew from what the first one made.
Files carry the number they were made for: what carries a number that is taken, and is not named, is nobody's any more
and goes. A reader that is under way keeps what it reads: the files of the manifest before stay until the next.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final, Generic, NamedTuple, TypeVar

import msgspec

from projections.archive.folder import Folder
from projections.archive.trouble import ArchiveError, WrongArchive
from projections.read_model.trouble import NotNow

MANIFESTS: Final = "manifests/"
_DIGITS: Final = 8
M = TypeVar("M", bound=msgspec.Struct)


class Commit(NamedTuple, Generic[M]):
    """A manifest that stands, with its number."""

    number: int
    manifest: M


def numbered(number: int, attempt: str, place: str = "", ending: str = "") -> str:
    """The path of a file that one attempt makes for the manifest of a number."""
    return f"{place}{number:0{_DIGITS}}-{attempt}{ending}"


def number_of(path: str) -> int | None:
    """The number that a file was made for; None if it is none of ours."""
    number = path.rpartition("/")[2][:_DIGITS]
    return int(number) if len(number) == _DIGITS and number.isdecimal() else None


def latest(folder: Folder, kind: type[M]) -> Commit[M] | None:
    """The manifest that stands in a folder; None in an empty one. WrongArchive if the folder is something else."""
    numbers = [number for path in folder.paths(MANIFESTS) if (number := number_of(path))]
    if not numbers:
        if any(number_of(path) is None for path in folder.paths()):
            raise WrongArchive(f"{folder.uri} holds other files; name another folder")
        return None
    return Commit(max(numbers), read_manifest(folder, max(numbers), kind))


def read_manifest(folder: Folder, number: int, kind: type[M]) -> M:
    """One manifest; ArchiveError if it cannot be read."""
    path = manifest_path(number)
    try:
        return msgspec.json.decode(folder.read(path), type=kind)
    except msgspec.MsgspecError:
        raise ArchiveError(f"{path} cannot be read, or is of another kind or version") from None


def commit(folder: Folder, number: int, manifest: msgspec.Struct, named: Collection[str]) -> None:
    """Let a manifest stand, and the files that it names count; NotNow if somebody was faster."""
    folder.settle(named)
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    try:
        folder.write_new(manifest_path(number), text)
    except FileExistsError:
        raise NotNow(f"somebody else wrote into {folder.uri} meanwhile; run the command again") from None


def remove_orphans(folder: Folder, number: int, named: Callable[[int], Collection[str]], *, keep: int = 1) -> list[str]:
    """Take away what no manifest names that is kept, of numbers that are taken; gives what went.

    ``named`` gives the files of a manifest by its number; so many of the last are kept.
    """
    kept = {number - back for back in range(keep)}
    paths = folder.paths()
    stand = {manifest_path(each) for each in kept if manifest_path(each) in paths}
    wanted = stand | {path for each in kept if manifest_path(each) in stand for path in named(each)}
    gone = [path for path in paths if path not in wanted and (number_of(path) or number + 1) <= number]
    for path in gone:
        folder.remove(path)
    return gone


def manifest_path(number: int) -> str:
    """Where the manifest of a number stands."""
    return f"{MANIFESTS}{number:0{_DIGITS}}.json"
