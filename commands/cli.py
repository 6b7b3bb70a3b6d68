"""The command line: what one may ask, and how it ends (contract section 2)."""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from keyword import iskeyword
from pathlib import Path
from typing import Any, Final

import click

from commands.terminal.options import Setup
from commands.terminal.show import has_streams, print_nowhere
from commands.terminal.variable import VariableOption, refuse_repeated
from commands.troubles import DONE, REFUSED, TROUBLES, WRONG, say_trouble, say_unforeseen
from commands.verbs.master_key import named_master_key
from commands.verbs.verb_list import VERBS, write_verbs
from ledger.release import RELEASE
from projections.reading.budget import Budget, set_budget

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

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was asked, its options each once."""
        name, verb, rest = super().resolve_command(ctx, args)
        if verb is not None and not ctx.resilient_parsing:
            refuse_repeated(verb, rest, ctx)
        return name, verb, rest

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
@click.version_option(RELEASE, prog_name="episode-ledger")
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
    except TROUBLES as trouble:
        return say_trouble(trouble)
    except Exception as trouble:
        return say_unforeseen(trouble)
