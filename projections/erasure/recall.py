"""Taking one file or export back: only what still stands as it was written, and nothing that a link leads to."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Final, Literal, NamedTuple

from ledger.files import sync, unfinished
from ledger.unfinished import unfinished_of
from projections.archive.commits import number_of
from projections.export.manifest import MANIFEST, PACKAGE, read_manifest
from projections.export.place import Place
from projections.read_model.trouble import NotNow

Became = Literal["removed", "changed", "gone", "backup", "download"]
Found = tuple[Became, Path]

_UNFINISHED: Final = re.compile(
    rf"(?:service_month=[^/]*/?)?(?:part-[0-9]+\.[a-z]+)?|{re.escape(MANIFEST)}|{re.escape(PACKAGE)}|link"
)
"""What an export has in its folder while it is written."""


class Recalled(NamedTuple):
    """What became of a file that was listed; which command wrote it last, and when."""

    became: Became
    path: Path
    command: str
    at: str


def take_file(path: Path, ours: Collection[str], wanted: Collection[str]) -> list[Found]:
    """Remove a file whose content is wanted; one of ``ours`` that is not wanted stays, and so does a stranger's."""
    if not _is_real(path) or not path.parent.is_dir():
        return [_left(path)]
    try:
        gone: Found = ("removed" if _clear_parts(path) else "gone"), path
        if not os.path.lexists(path):
            return [gone]
        digest = _digest(path)
        if digest in wanted:
            path.unlink()
            sync(path.parent)
            return [("removed", path)]
    except OSError:
        return [("changed", path)]
    return [gone if digest in ours else ("changed", path)]


def take_export(link: Path, wanted: Collection[str]) -> list[Found]:
    """Remove an export with its link and the one before it; whatever else stands there stays."""
    if not _is_real(link) or not link.parent.is_dir():
        return [_left(link)]
    try:
        taken, left = Place(link.parent, link.name).take_away(partial(_is_ours, wanted))
    except (OSError, NotNow):
        return [("changed", link)]
    found: list[Found] = [("removed", link)] if taken else []
    return (found + [("changed", path) for path in left]) or [("gone", link)]


def take_result(folder: Path, wanted: Collection[str]) -> list[Found]:
    """Remove what was judged from an archive, if its newest manifest is wanted and nothing else is in the folder."""
    if not _is_real(folder) or folder.is_symlink() or not folder.is_dir():
        return [_left(folder)]
    files = [path for path in folder.rglob("*") if not path.is_dir() or path.is_symlink()]
    if not files:
        return [("gone", folder)]
    manifests = [path for path in files if path.parent == folder / "manifests"]
    ours = all(_is_plain(path) and number_of(path.name) is not None for path in files)
    try:
        if not (ours and manifests and _digest(max(manifests)) in wanted):
            return [("changed", folder)]
        for path in sorted(files, key=lambda path: path in manifests):  # while one stands it says that more may
            path.unlink()
        for each in sorted({path.parent for path in files}):
            sync(each)
    except OSError:
        return [("changed", folder)]
    return [("removed", folder)]


def tell_copy(path: Path, became: Became) -> list[Found]:
    """A copy of the whole ledger, and the folders that killed ones left beside it: told, never removed."""
    copies = [path] if os.path.lexists(path) else []
    copies += unfinished_of(path)
    return [(became, each) for each in copies] or [("gone", path)]


def _is_real(path: Path) -> bool:
    """Whether the way to it is still the one that was noted: no folder on it has become a link since."""
    return os.path.realpath(path.parent) == str(path.parent)


def _left(path: Path) -> Found:
    return ("changed" if os.path.lexists(path) else "gone"), path


def _clear_parts(path: Path) -> bool:
    """Remove what killed ones left of this file before it got its name; whether there was any."""
    found = [each for each in unfinished(path) if _is_plain(each) or _is_linked_to(each, path)]
    for each in found:
        each.unlink()
    return bool(found)


def _is_plain(path: Path) -> bool:
    """Whether it is a file, no link, and has no other name that its content would stay under."""
    status = path.lstat()
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1


def _is_linked_to(part: Path, path: Path) -> bool:
    """Whether a file was being given its name when its writer was killed: it has both."""
    status = part.lstat()
    try:
        return stat.S_ISREG(status.st_mode) and status.st_nlink == 2 and os.path.samestat(status, path.lstat())
    except FileNotFoundError:
        return False


def _digest(path: Path) -> str | None:
    """The SHA-256 of a plain file; None of anything else."""
    if not _is_plain(path):
        return None
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_ours(wanted: Collection[str], folder: Path) -> bool:
    """Whether a folder is an export as it was written, or what a killed one left, with nothing else in it."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    inside = set(_inside(folder))
    if Place.is_unfinished(folder):
        return all(_UNFINISHED.fullmatch(name) for name in inside)
    return _is_as_written(wanted, folder, inside)


def _is_as_written(wanted: Collection[str], folder: Path, inside: Collection[str]) -> bool:
    """Whether its manifest was noted, and it holds the files that this lists as they were."""
    if MANIFEST not in inside or _digest(folder / MANIFEST) not in wanted:
        return False
    if (manifest := read_manifest(folder)) is None:
        return False
    parts = {part.path: part.sha256 for part in manifest.files}
    own = {MANIFEST, PACKAGE} if manifest.format == "csv" else {MANIFEST}
    folders = {Path(path).parent.as_posix() for path in parts} - {"."}
    if inside != parts.keys() | own | folders:
        return False
    return all(_digest(folder / path) == sha256 for path, sha256 in parts.items())


def _inside(folder: Path) -> Iterator[str]:
    """Everything within a folder, folders included; links are not followed."""
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            yield (Path(at) / name).relative_to(folder).as_posix()
