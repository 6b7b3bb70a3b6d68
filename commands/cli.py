"""The command line: what one may ask, and how it ends (contract section 2)."""

from __future__ import annotations

import errno
import io
import sqlite3
import sys
import traceback
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.metadata import version
from keyword import iskeyword
from pathlib import Path
from typing import Any, Final

import click

from commands.book.example import ForeignPayers
from commands.sheets.bounds import SheetTrouble
from commands.sheets.mapping import MappingError
from commands.terminal.options import Setup
from commands.terminal.show import has_streams, print_nowhere, printable, say
from commands.terminal.variable import VariableOption
from commands.verbs.master_key import named_master_key
from commands.verbs.verb_list import VERBS, write_verbs
from ledger.book import BookError
from ledger.facts.entry import UnreadableEntry
from ledger.keys.key_file import KeyTrouble
from ledger.proof.checkpoint import CheckpointError
from ledger.recorders import Forgotten, NoLedger, StoreError, Unknown, WrongPath, without_quotes
from projections.read_model.trouble import NotViews, ViewsError
from projections.reading.budget import Budget, TooCostly, set_budget

DONE: Final = 0
REFUSED: Final = 1
WRONG: Final = 2
STORE_FAILED: Final = 3

_SETTINGS: Final = (
    "ledger", "book", "example_book", "views", "master_key", "master_key_itself", "must_exist", "must_encrypt",
)  # fmt: skip


class Verbs(click.Group):
    """The verbs in the order of a day's work."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """One of them, or None."""
        if cmd_name not in VERBS:
            return None
        name = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        found: click.Command = getattr(import_module(f"commands.verbs.{VERBS[cmd_name].module}"), name)
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their list; each is loaded when it is asked for, and none for this."""
        write_verbs(formatter)

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """What was asked; while a shell completes it nothing is run, and the ledger is known all the same."""
        ctx = super().make_context(info_name, args, parent, **extra)
        if ctx.resilient_parsing and ctx.params.get("ledger"):
            told: dict[str, Any] = {name: ctx.params.get(name) for name in _SETTINGS}
            ctx.obj = _setup(**told)
        return ctx

    def invoke(self, ctx: click.Context) -> object:
        """Do what was asked, or what of it somebody waits for: ``days | head`` ends quietly."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            print_nowhere()
            return DONE


@click.command(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--ledger",
    cls=VariableOption,
    envvar="EPISODE_LEDGER",
    default="ledger.db",
    show_default=True,
    metavar="PATH-or-URL",
    help="The ledger. Also: EPISODE_LEDGER.",
)
@click.option(
    "--book",
    cls=VariableOption,
    envvar="EPISODE_BOOK",
    metavar="DIR",
    help="The book: payers, providers, codes. Also: EPISODE_BOOK. Default: the example book.",
)
@click.option(
    "--example-book",
    cls=VariableOption,
    envvar="EPISODE_EXAMPLE_BOOK",
    is_flag=True,
    help="Judge by the example book, though no payer of the ledger is in it. Also: EPISODE_EXAMPLE_BOOK.",
)
@click.option(
    "--views",
    cls=VariableOption,
    envvar="EPISODE_VIEWS",
    type=click.Path(exists=True, file_okay=False),
    metavar="DIR",
    help="Where the read model is. Also: EPISODE_VIEWS. Default: beside the ledger's file, else this folder.",
)
@click.option(
    "--master-key",
    cls=VariableOption,
    envvar="EPISODE_MASTER_KEY_FILE",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The master key of an encrypted ledger. Also: EPISODE_MASTER_KEY_FILE; EPISODE_MASTER_KEY is the key itself.",
)
@click.option(  # hidden: what stands in a command line can be seen by others
    "--master-key-itself", cls=VariableOption, envvar="EPISODE_MASTER_KEY", hidden=True
)
@click.option(
    "--must-exist",
    cls=VariableOption,
    envvar="EPISODE_MUST_EXIST",
    is_flag=True,
    help="Never make a ledger with 'record'. Also: EPISODE_MUST_EXIST=1.",
)
@click.option(
    "--must-encrypt", cls=VariableOption, envvar="EPISODE_MUST_ENCRYPT", is_flag=True,
    help="Neither make nor use a ledger that is not encrypted. Also: EPISODE_MUST_ENCRYPT=1.",
)  # fmt: skip
@click.option(
    "--patient-seconds",
    cls=VariableOption,
    envvar="EPISODE_PATIENT_SECONDS",
    type=click.IntRange(1),
    default=Budget().seconds,
    show_default=True,
    metavar="N",
    help="Processor time one patient may cost before they are set aside. Also: EPISODE_PATIENT_SECONDS.",
)
@click.option(
    "--patient-mb",
    cls=VariableOption,
    envvar="EPISODE_PATIENT_MB",
    type=click.IntRange(1),
    default=Budget().memory_mb,
    show_default=True,
    metavar="N",
    help="Memory one patient may cost before they are set aside. Also: EPISODE_PATIENT_MB.",
)
@click.version_option(version("episode-ledger"), prog_name="episode-ledger")
@click.pass_context
def cli(
    ctx: click.Context, ledger: str, book: str | None, example_book: bool, views: str | None, master_key: Path | None,
    master_key_itself: str | None, must_exist: bool, must_encrypt: bool, patient_seconds: int, patient_mb: int,
) -> None:  # fmt: skip
    """Which home-infusion pain days are billable, and why.

    Facts go in and are never changed; every day of every episode gets one verdict, with its causes.

    \b
    A first walk:
      episode-ledger record intake.jsonl      record what happened
      episode-ledger days                     what each day is
      episode-ledger why EP-1 2026-02-03      why it is that
      episode-ledger findings                 what needs a human
      episode-ledger lines                    what to bill
    """
    set_budget(Budget(patient_seconds, patient_mb))
    ctx.obj = _setup(
        ledger, book, example_book, views, master_key, master_key_itself, must_exist, must_encrypt
    )  # fmt: skip


def _setup(
    ledger: str,
    book: str | None,
    example_book: bool,
    views: str | None,
    master_key: Path | None,
    master_key_itself: str | None,
    must_exist: bool,
    must_encrypt: bool,
) -> Setup:
    """What the options that name the ledger mean; ``_SETTINGS`` are their names."""
    if book is not None and example_book:
        raise click.UsageError("--example-book is used where no book is named, and --book (EPISODE_BOOK) names one")
    key = partial(named_master_key, ledger, master_key, master_key_itself)
    return Setup(ledger, book, views, key, example_book=example_book, must_exist=must_exist, must_encrypt=must_encrypt)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    if not has_streams():
        sys.exit(WRONG)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # "?" would be read as the mark of a hold
    sys.exit(run(args))


def run(args: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status, and never lets a traceback out for a known trouble."""
    try:
        result = cli.main(args, prog_name="episode-ledger", standalone_mode=False)
        return result if isinstance(result, int) else DONE
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else REFUSED
    except tuple(_TROUBLES) as trouble:
        return _report_trouble(trouble)
    except Exception as trouble:
        return _unforeseen(trouble)


def _report_trouble(trouble: BaseException) -> int:
    return next(tell(trouble) for kind, tell in _TROUBLES.items() if isinstance(trouble, kind))


def _unforeseen(trouble: Exception) -> int:
    """A fault of ours: where it happened, and nothing of what was being read (it may be a patient's data)."""
    frames = traceback.extract_tb(trouble.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename] or frames
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "an unknown place"
    return _fail(
        f"an unforeseen fault ({type(trouble).__name__} at {place})",
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
    UnreadableEntry: lambda error: _fail(
        f"an entry cannot be read: {error}",
        "restore the ledger from a backup; 'rebuild --quarantine' goes on without that patient",
        STORE_FAILED,
    ),
    Unknown: lambda error: _fail(
        str(error), "send the same again: what stands answers 'duplicate', and a repeat never doubles", STORE_FAILED
    ),
    StoreError: lambda error: _fail(str(error), "nothing was half done; the command can be run again", STORE_FAILED),
    NotViews: lambda error: _fail(str(error), "move that file away, or name the ledger otherwise", STORE_FAILED),
    ViewsError: lambda error: _fail(str(error), "the read model can be deleted; it is built anew", STORE_FAILED),
    sqlite3.Error: lambda error: _fail(
        f"the read model failed ({without_quotes(error)})",
        "nothing was half done; run the command again, or delete the read model: it is built anew",
        STORE_FAILED,
    ),
    OSError: lambda error: _unwritable(error),
}
