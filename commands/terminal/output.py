"""Where commands write: nothing that is there is written over unasked, and what a ledger lives by never is.

Every option that names a file or a folder to be written is an ``OutputPath`` or an ``OutputUri``, and every file of a
command is written by ``Output.write``, or after ``Output.check`` by whoever makes it bit by bit.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from typing import Any, Final

import click

from commands.terminal.options import Command, Setup
from ledger.files import PRIVATE, write_new, write_whole
from ledger.recorders.by_name.naming import in_postgres
from projections.archive.folder import place_here
from projections.archive.trouble import WrongArchive

_DATABASE: Final = b"SQLite format 3\0"
_SIGNING_KEY: Final = b"PRIVATE+KEY+"
_SECRET_DIGITS: Final = 64
"""How many hexadecimal digits a master key, or a key of pseudonyms, has."""


class OutputPath(click.ParamType[Path]):
    """A path that a command is to write to; a URL is refused without repeating it, for it may bear a password."""

    name = "FILE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path."""
        if in_postgres(str(value)):
            self.fail("what is written is a file; a URL names the ledger: --ledger, or with restore --out")
        if not str(value) or "\0" in str(value):
            self.fail("that can be no file's name")
        if "://" in str(value):
            self.fail("what is written here is a file or a folder of this machine; give its path, not a URI")
        return Path(value)


class OutputUri(click.ParamType[str]):
    """A folder, or the URI of one, that a command is to write into; one of this machine is looked at."""

    name = "URI"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The URI."""
        uri = str(value)
        if in_postgres(uri) or not uri or "\0" in uri:
            self.fail("what is written are files; name a folder, or its URI")
        try:
            place = place_here(uri)
        except WrongArchive as error:
            self.fail(str(error))
        setup = ctx.find_object(Setup) if ctx else None
        if setup is not None and place is not None:
            Output(setup, place).check_folder()
        return uri


class LedgerOutput(click.ParamType[str]):
    """A ledger that a command is to make: a file, or a URL."""

    name = "PATH-or-URL"


class Output:
    """A file or folder that a command is to write, looked at before it begins and again before it writes."""

    def __init__(
        self, setup: Setup, path: Path, *, force: bool = False, forceable: bool = False, key: bool = False
    ) -> None:
        self.path, self._setup, self._force, self._forceable, self._key = path, setup, force, forceable, key
        self._inputs = list(_inputs(click.get_current_context(silent=True), path))

    @classmethod
    def of(cls, path: Path) -> Output:
        """One of the command under way, looked at; it never writes over a file."""
        setup = click.get_current_context().find_object(Setup)
        assert setup is not None, "the group made it"
        output = cls(setup, path)
        output.check()
        return output

    def check(self) -> None:
        """UsageError if nothing may be written there."""
        if os.path.lexists(self.path) and not self._forceable:
            raise self._present()
        self.check_place()
        if not os.path.lexists(self.path):
            return
        if not stat.S_ISREG(self.path.lstat().st_mode):
            raise self._present("as a folder, a link or a device, ")
        if not self._force:
            raise self._present(instead=", or give --force")
        self._refuse_precious()

    def check_folder(self) -> None:
        """UsageError if nothing may be written into that folder."""
        self._refuse_owned(Path(os.path.realpath(self.path)))

    def refuse_around(self, would_remove: Callable[[Path], bool]) -> None:
        """UsageError if what is removed when a folder is written anew would take the ledger with it."""
        if any(map(would_remove, self._setup.own_files())):
            raise click.UsageError(f"the ledger is inside the export in {self.path}; name another folder with --out")

    def check_place(self) -> None:
        """UsageError if that name is the ledger's, or for a key; whatever is there now."""
        self._refuse_owned(_real(self.path))

    def _refuse_owned(self, real: Path) -> None:
        settings = Path(os.path.realpath(click.get_app_dir("episode-ledger")))
        if self._setup.owns(real) or (not self._key and real.is_relative_to(settings)):
            raise self._precious("belongs to the ledger, its read model or its keys")

    def write(self, content: bytes, rights: int = PRIVATE) -> None:
        """Write the file, whole or not at all."""
        self.check()
        if self._force and os.path.lexists(self.path):
            write_whole(self.path, content)
            return
        try:
            write_new(self.path, content, rights)
        except FileExistsError:  # since it was looked at
            raise self._present() from None

    def _refuse_precious(self) -> None:
        """UsageError if it is the ledger's by another name, is read by this very command, or cannot be had again."""
        if any(_same(self.path, each) for each in (*self._setup.own_files(), *self._inputs)):
            raise self._precious("belongs to the ledger, or is read by this command")
        try:
            beginning = _beginning(self.path)
        except OSError:
            raise self._precious("cannot be looked into") from None
        if beginning.startswith(_DATABASE):
            raise self._precious("is a database: a ledger, a backup or a read model")
        if beginning.startswith(_SIGNING_KEY) or _is_secret(beginning) or _is_public_half(self.path):
            raise self._precious("holds a key")

    def _present(self, what: str = "", instead: str = "") -> click.UsageError:
        return click.UsageError(f"{self.path} is there already, {what}and is left as it is; name another file{instead}")

    def _precious(self, why: str) -> click.UsageError:
        return click.UsageError(f"{self.path} {why}, and is never written over; name another file")


def out_option(
    metavar: str, help: str, *, required: bool = False, forceable: bool = False, folder: bool = False
) -> Callable[[Command], Command]:
    """``--out``: the command gets an ``Output`` that was looked at, or None; ``forceable`` adds ``--force``."""

    def add(command: Command) -> Command:
        @wraps(command)
        def checked(*args: Any, out: Path | None, force: bool = False, **options: Any) -> Any:
            output = None
            if out is not None:
                setup = click.get_current_context().find_object(Setup)
                assert setup is not None, "the group made it"
                output = Output(setup, out, force=force, forceable=forceable)
                output.check_folder() if folder else output.check()
            return command(*args, out=output, **options)

        made: Any = checked
        if forceable:
            made = click.option("--force", is_flag=True, help="Write over a file that is there.")(made)
        option = click.option("--out", type=OutputPath(), required=required, metavar=metavar, help=help)
        found: Command = option(made)
        return found

    return add


def _real(path: Path) -> Path:
    """Where it is, the links of its folders followed; a link in its own place would be replaced, not followed."""
    return Path(os.path.realpath(path.parent)) / path.name


def _inputs(context: click.Context | None, out: Path) -> Iterator[Path]:
    """Every other path that the command line names, and the public half beside a key."""
    while context is not None:
        for value in context.params.values():
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, Path) and each is not out:
                    yield each
                    yield each.with_name(each.name + ".pub") if each.name else each
        signer = context.params.get("signer")
        if isinstance(signer, str) and "\0" not in signer:
            yield Path(signer)
        context = context.parent


def _same(path: Path, other: Path) -> bool:
    try:
        return os.path.samefile(path, other)
    except OSError:
        return False


def _beginning(path: Path) -> bytes:
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        return file.read(_SECRET_DIGITS + 2)


def _is_public_half(path: Path) -> bool:
    key = path.with_name(path.name.removesuffix(".pub"))
    return key != path and key.is_file() and _beginning(key).startswith(_SIGNING_KEY)


def _is_secret(text: bytes) -> bool:
    digits = text.strip()
    return len(digits) == _SECRET_DIGITS and all(each in b"0123456789abcdefABCDEF" for each in digits)
