"""A key in a file of its own: for its owner alone, away from what it guards, written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

from ledger.files import write_new

_LARGEST_BYTES: Final = 4096
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeyTrouble(Exception):
    """A key cannot be used or made; the message says why in one sentence, the hint what to do."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class PrivateFile(NamedTuple):
    """A kind of key file, in the words that its troubles are told with.

    ``what`` names the key, ``make`` says how to get one, ``near`` what is wrong with keeping it beside the ledger.
    """

    what: str
    make: str
    near: str
    trouble: type[KeyTrouble]

    def not_one(self) -> KeyTrouble:
        """The file holds something else."""
        return self.trouble(f"the key file does not hold a {self.what}", f"name another file, or {self.make}")

    def refuse_inside(self, path: Path, folder: Path | None) -> None:
        """Where the file is, and where a link to it is: neither may be beside what it guards."""
        if folder is None:
            return
        places = os.path.realpath(path), os.path.join(os.path.realpath(path.parent), path.name)
        if any(Path(place).is_relative_to(os.path.realpath(folder)) for place in places):
            raise self.trouble(f"the key is inside the ledger's folder: {self.near}", "keep the key in another folder")

    def write_new(self, path: Path, content: bytes) -> None:
        """The file and its folder, whole and on disk, or no file."""
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_new(path, content)
        except FileExistsError:
            raise self.trouble(
                "something is already where the key should go; it is left as it is",
                "name another place for the new key",
            ) from None
        except OSError as error:
            raise self.trouble(
                f"the key could not be written ({error.strerror})", "name a place you may write to, or make room"
            ) from None

    def read(self, path: Path) -> str:
        """What stands in the file, which must be open to its owner alone."""
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe must not keep us waiting
        except FileNotFoundError:
            raise self.trouble(f"there is no {self.what} at {path}", self.make) from None
        except OSError as error:
            raise self.trouble(f"the {self.what} cannot be read ({error.strerror})", "look at its rights") from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise self.not_one()
            if status.st_mode & _OTHERS:
                raise self.trouble(
                    "the key file is open to others than its owner", "chmod 600 it; better, make a new key"
                )
            content = os.read(descriptor, _LARGEST_BYTES)
        finally:
            os.close(descriptor)
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise self.not_one() from None
