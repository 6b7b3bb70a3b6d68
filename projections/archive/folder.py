"""A folder by its URI: on this machine, or wherever ``fsspec`` reaches.

Files are written once and never renamed or changed. Only names that were free are given, so that of two who want to
give the same name one is refused: that is all the order that commits need (``commits.py``).
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol, cast

from ledger.files import create, sync, write_new
from projections.archive.trouble import ArchiveError, WrongArchive


class Folder(Protocol):
    """Files by their paths within one folder."""

    uri: str

    def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """A file, or the bytes of it from one to before another; ArchiveError if it is not there."""

    def writing(self, path: str) -> Any:
        """A new file, open for writing in a ``with``; its content is safe on its disk afterwards."""

    def settle(self, paths: Collection[str]) -> None:
        """Wait until these files stand under their names, whatever happens."""

    def write_new(self, path: str, content: bytes) -> None:
        """A new file, whole or not there; FileExistsError if the name is taken."""

    def paths(self, under: str = "") -> list[str]:
        """Every file within it, or within one of its folders, in order."""

    def remove(self, path: str) -> None:
        """Take a file away, if it is there."""


def folder_at(uri: str) -> Folder:
    """The folder of a path or URI; WrongArchive if there is nothing that could reach it."""
    if "://" not in uri:
        return LocalFolder(Path(uri))
    return LocalFolder(Path(uri.removeprefix("file://"))) if uri.startswith("file://") else RemoteFolder(uri)


def place_here(uri: str) -> Path | None:
    """Where on this machine a URI's files would be written; None if elsewhere.

    WrongArchive of a chain, such as ``simplecache::file:///here``, that ends on this machine: what it would write, and
    where, depends on each of its links, and a folder of this machine has a name without them.
    """
    if "://" not in uri or uri.startswith("file://"):
        return LocalFolder(Path(uri.removeprefix("file://"))).root
    links = list(_links(uri))
    here = [path for path in links if path is not None]
    if here and len(links) > 1:
        raise WrongArchive("a chain that ends on this machine is written by nobody; name the folder itself")
    return here[0] if here else None


def _links(uri: str) -> Iterator[Path | None]:
    """Each link of a chain, and each URI within a URI: the path it names on this machine, or None."""
    try:
        from fsspec import available_protocols, get_filesystem_class
        from fsspec.implementations.local import LocalFileSystem
    except ImportError:  # whoever writes says so
        return
    for link in uri.split("::"):
        rest = link if "://" in link or link not in available_protocols() else f"{link}://"
        while rest:
            protocol, found, path = rest.partition("://")
            try:
                kind = get_filesystem_class(protocol if found and len(protocol) > 1 else "file")
            except (ImportError, ValueError):  # likewise
                kind = object
            yield Path(kind._strip_protocol(rest)) if issubclass(kind, LocalFileSystem) else None
            rest = path if "://" in path else ""


class LocalFolder:
    """A folder of this machine; its files are for their owner alone."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.abspath(root))
        self.uri = str(self.root)

    def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """A file, or some bytes of it."""
        try:
            with (self.root / path).open("rb") as file:
                file.seek(start)
                return file.read(-1 if end is None else end - start)
        except FileNotFoundError:
            raise _missing(path) from None

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        """A new file."""
        place = self._place(path)
        with os.fdopen(create(place), "wb") as file:
            yield file
        sync(place)

    def settle(self, paths: Collection[str]) -> None:
        """Wait for the disks to list these files."""
        for folder in sorted({(self.root / path).parent for path in paths}):
            sync(folder)

    def write_new(self, path: str, content: bytes) -> None:
        """A new file, whole or not there."""
        write_new(self._place(path), content)

    def paths(self, under: str = "") -> list[str]:
        """Every file within."""
        found = (path for path in (self.root / under).rglob("*") if path.is_file() and not path.name.startswith("."))
        return sorted(path.relative_to(self.root).as_posix() for path in found)

    def remove(self, path: str) -> None:
        """Take a file away, and its folder if that was the last in it."""
        (self.root / path).unlink(missing_ok=True)
        with suppress(OSError):
            (self.root / path).parent.rmdir()

    def _place(self, path: str) -> Path:
        place = self.root / path
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return place


class RemoteFolder:
    """A folder in an object store: a written file appears there as a whole."""

    def __init__(self, uri: str) -> None:
        try:
            from fsspec.core import url_to_fs
        except ImportError:
            raise WrongArchive(f"{uri} needs the library fsspec: pip install 'episode-ledger[archive]'") from None
        try:
            self._files, self._root = url_to_fs(uri)
        except (ImportError, ValueError) as error:
            raise WrongArchive(f"{uri} cannot be reached ({error})") from None
        self.uri = uri

    def read(self, path: str, start: int = 0, end: int | None = None) -> bytes:
        """A file, or some bytes of it."""
        try:
            return bytes(self._files.cat_file(self._name(path), start=start or None, end=end))
        except FileNotFoundError:
            raise _missing(path) from None

    @contextmanager
    def writing(self, path: str) -> Iterator[BinaryIO]:
        """A new file."""
        self._files.makedirs(self._name(path).rpartition("/")[0], exist_ok=True)
        with self._files.open(self._name(path), "wb") as file:
            yield cast(BinaryIO, file)

    def settle(self, paths: Collection[str]) -> None:
        """They do."""

    def write_new(self, path: str, content: bytes) -> None:
        """A new file, whole or not there."""
        if self._files.exists(self._name(path)):  # not every store can be asked to refuse
            raise FileExistsError(path)
        self._files.makedirs(self._name(path).rpartition("/")[0], exist_ok=True)
        try:
            self._files.pipe_file(self._name(path), content, mode="create")
        except (TypeError, NotImplementedError):
            self._files.pipe_file(self._name(path), content)

    def paths(self, under: str = "") -> list[str]:
        """Every file within."""
        place = self._name(under).rstrip("/")
        found = self._files.find(place) if self._files.exists(place) else []
        return sorted(str(name).removeprefix(self._root).lstrip("/") for name in found)

    def remove(self, path: str) -> None:
        """Take a file away."""
        with suppress(FileNotFoundError):
            self._files.rm_file(self._name(path))

    def _name(self, path: str) -> str:
        return f"{self._root.rstrip('/')}/{path}"


def _missing(path: str) -> ArchiveError:
    return ArchiveError(f"{path} is missing")
