"""How a command that met a trouble ends: one plain sentence, what to do, and the exit status (contract section 2)."""

from __future__ import annotations

import errno
import sqlite3
import sys
from collections.abc import Callable
from typing import Final

import click

from commands.book.example import ForeignPayers
from commands.sheets.bounds import MappingError, SheetTrouble
from commands.terminal.resuming import ForgottenSince, ReloadFirst
from commands.terminal.show import print_nowhere, printable, say
from ledger.book import BookError
from ledger.facts.entry import NewerEntry, UnreadableEntry
from ledger.keys.key_file import KeyTrouble
from ledger.proof.checkpoint import CheckpointError
from ledger.recorders import Forgotten, NoLedger, StoreError, Unknown, WrongPath, without_quotes
from projections.archive.trouble import ArchiveError, WrongArchive
from projections.read_model.trouble import DamagedViews, NotViews, ViewsError, damage_of
from projections.reading.budget import TooCostly
from projections.reading.unjudged import Unjudged, in_words

DONE: Final = 0
REFUSED: Final = 1
WRONG: Final = 2
STORE_FAILED: Final = 3
RELOAD: Final = 4
FORGOTTEN: Final = 5


def say_trouble(trouble: BaseException) -> int:
    """Say a known trouble, and what to do; gives the exit status."""
    return next(tell(trouble) for kind, tell in _TROUBLES.items() if isinstance(trouble, kind))


def say_unforeseen(trouble: Exception) -> int:
    """A fault of ours: where it happened, and nothing of what was being read (it may be a patient's data)."""
    return _fail(
        f"an unforeseen fault ({in_words(trouble)})",
        "nothing was half done; please report this line to whoever maintains episode-ledger",
        STORE_FAILED,
    )


def _fail(message: str, hint: str, status: int) -> int:
    say(printable(f"episode-ledger: {' '.join(message.split())}"))
    say(f"hint: {hint}")
    return status


def _help(error: BaseException) -> int:
    assert isinstance(error, click.exceptions.NoArgsIsHelpError)
    say(error.format_message())
    return WRONG


def _usage(error: BaseException) -> int:
    assert isinstance(error, click.ClickException)
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "episode-ledger"
    return _fail(error.format_message(), f"'{path} --help' shows how it is used", WRONG)


def _keyless(error: BaseException) -> int:
    assert isinstance(error, KeyTrouble)
    return _fail(str(error), error.hint, WRONG)


def _mistaken(error: BaseException, what: str, hint: str) -> int:
    """Every mistake of what somebody wrote, by file and key."""
    if isinstance(error, ForeignPayers):
        return _fail(str(error), error.hint, WRONG)
    first, *others = str(error).splitlines() or [""]
    if not others:
        return _fail(first, hint.format("that file"), WRONG)
    say(f"episode-ledger: {what} {len(others) + 1} mistakes:")
    for mistake in (first, *others):
        say(printable(f"  {mistake}"))
    say("hint: " + hint.format("these files"))
    return WRONG


def _unwritable(error: BaseException) -> int:
    assert isinstance(error, OSError)
    try:
        sys.stdout.flush()
    except OSError:
        print_nowhere()
    return _fail(
        f"a file or the output could not be read or written ({error.strerror or type(error).__name__})",
        "give a shorter name"
        if error.errno == errno.ENAMETOOLONG
        else "what was recorded stays recorded; make room or look at the rights, and run the command again",
        WRONG,
    )


_REBUILD: Final = "'episode-ledger rebuild' builds another from the ledger"


def _failing_model(error: BaseException) -> int:
    if damage := damage_of(error):
        return _fail(damage, _REBUILD, STORE_FAILED)
    hint = "nothing was half done; run the command again, or 'episode-ledger rebuild'"
    return _fail(f"the read model failed ({without_quotes(error)})", hint, STORE_FAILED)


_TROUBLES: Final[dict[type[BaseException], Callable[[BaseException], int]]] = {
    click.exceptions.NoArgsIsHelpError: lambda error: _help(error),
    click.ClickException: _usage,
    click.Abort: lambda error: _fail("stopped", "what was printed is done; the command can be run again", REFUSED),
    BookError: lambda error: _mistaken(error, "the book has", "correct {} of the book, or name another with --book"),
    MappingError: lambda error: _mistaken(
        error, "the mapping has", "correct {} of the mapping; 'episode-ledger help mapping' has its keys"
    ),
    SheetTrouble: lambda error: _mistaken(
        error, "sheets and mapping have", "correct {} or the mapping, and import again: a repeat never doubles"
    ),
    NoLedger: lambda error: _fail(
        str(error), "'episode-ledger record FILE' makes one in a file; --ledger names another", WRONG
    ),
    WrongPath: lambda error: _fail(
        str(error), "--ledger names a ledger; the default is ledger.db in this folder", WRONG
    ),
    CheckpointError: lambda error: _fail(
        str(error), "name a checkpoint, or with --signer a verifier key, as 'episode-ledger checkpoint' made it", WRONG
    ),
    KeyTrouble: lambda error: _keyless(error),
    Forgotten: lambda error: _fail(
        str(error),
        "nobody can read its entries any more; 'lines' shows what was billable, without a name",
        WRONG,
    ),
    TooCostly: lambda error: _fail(
        str(error),
        "look for a mistyped year, or for claims sent again and again; --patient-seconds and --patient-mb allow more",
        STORE_FAILED,
    ),
    NewerEntry: lambda error: _fail(
        f"an entry cannot be read: {error}",
        "update the program; 'rebuild --quarantine' goes on without that patient",
        STORE_FAILED,
    ),
    Unjudged: lambda error: _fail(
        f"an entry can be read and not judged: {error}",
        "'verify' says whether the ledger was changed; if not, please report this line to whoever maintains"
        " episode-ledger; 'rebuild --quarantine' goes on without that patient",
        STORE_FAILED,
    ),
    UnreadableEntry: lambda error: _fail(
        f"an entry cannot be read: {error}",
        "restore the ledger from a backup; 'rebuild --quarantine' goes on without that patient",
        STORE_FAILED,
    ),
    Unknown: lambda error: _fail(
        str(error), "send the same again: what stands answers 'duplicate', and a repeat never doubles", STORE_FAILED
    ),
    StoreError: lambda error: _fail(str(error), "nothing was half done; the command can be run again", STORE_FAILED),
    ReloadFirst: lambda error: _fail(
        str(error), "load everything anew: from a whole export, or with --since 0", RELOAD
    ),
    ForgottenSince: lambda error: _fail(
        str(error),
        "remove what you have, and take everything anew, from a whole export or with --since 0",
        FORGOTTEN,
    ),
    WrongArchive: lambda error: _fail(
        str(error), "'episode-ledger help outgrow-one-machine' shows how archives are made and judged", WRONG
    ),
    ArchiveError: lambda error: _fail(
        str(error), "bring that file back from a copy, or make another archive in another folder", STORE_FAILED
    ),
    NotViews: lambda error: _fail(str(error), "move that file away, or name the ledger otherwise", STORE_FAILED),
    DamagedViews: lambda error: _fail(str(error), _REBUILD, STORE_FAILED),
    ViewsError: lambda error: _fail(str(error), "the read model can be deleted; it is built anew", STORE_FAILED),
    sqlite3.Error: lambda error: _failing_model(error),
    OSError: lambda error: _unwritable(error),
}

TROUBLES: Final = tuple(_TROUBLES)
"""What is known to go wrong; anything else is a fault of ours."""
