"""What the command line's options mean, and the files they open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import click

from commands.book.example import FIRST_USE, ForeignPayers, is_foreign
from commands.terminal.rollbacks import RollbackWatch
from commands.terminal.show import say
from ledger.book import Book, load_book
from ledger.facts.forms import parse_instant
from ledger.keys.cipher import MasterKey, MasterKeyError
from ledger.recorders import NoLedger, StoreError
from ledger.recorders.by_name.naming import files_beside, in_postgres, is_beside, shown, views_file
from ledger.store import EpisodeLedger, open_ledger
from projections.read_model.generations import Places
from projections.read_model.queries import Filters
from projections.read_model.views import Views
from projections.words import STATUS, written_date

Command = TypeVar("Command", bound=Callable[..., Any])


class InstantType(click.ParamType[datetime]):
    """An instant with an offset; a bare date is refused, because a day is not a moment."""

    name = "INSTANT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant in UTC."""
        try:
            return value if isinstance(value, datetime) else parse_instant(value)
        except ValueError:
            self.fail("expected an instant with an offset, such as 2026-11-02T16:00Z; a bare date has no time of day")


class ServiceDateType(click.ParamType[str]):
    """A service date."""

    name = "DATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The date as reports write it."""
        if written_date(value) is None:
            self.fail("expected a date written YYYY-MM-DD, such as 2026-11-02")
        return str(value)


INSTANT = InstantType()
SERVICE_DATE = ServiceDateType()


class Setup:
    """The ledger and the book that the command line names."""

    def __init__(
        self,
        ledger: str,
        book: str | None = None,
        views: str | None = None,
        master_key: Callable[[], MasterKey | None] | None = None,
        *,
        must_exist: bool = False,
        must_encrypt: bool = False,
        example_book: bool = False,
    ) -> None:
        self.must_exist, self.must_encrypt = must_exist, must_encrypt
        self.rollbacks = RollbackWatch()
        self.ledger_name = ledger
        self._master_key = master_key
        self.views_folder = Path(views) if views is not None else None
        self.book_folder = Path(book) if book is not None else None
        self._may_be_example = example_book or book is not None

    @cached_property
    def book(self) -> Book:
        """The book, checked; BookError if it cannot be used, or is the example and knows no payer of the ledger."""
        book = load_book(self.book_folder)
        if not self._may_be_example and self._is_foreign(book):
            raise ForeignPayers
        return book

    def _is_foreign(self, example: Book) -> bool:
        try:
            with self.open() as ledger:
                return is_foreign(ledger, example)
        except (StoreError, MasterKeyError):  # whoever opens it says so
            return False

    @property
    def payer_names(self) -> dict[str, str]:
        """The payers of the book by the names people read."""
        return {payer.id: payer.name for payer in self.book.payers.values()}

    def open(self, *, create: bool = False) -> EpisodeLedger:
        """The ledger, to be used in a ``with``; StoreError if there is none or it cannot be used.

        ``--must-exist`` and ``--must-encrypt`` hold here, for every command.
        """
        if self.master is None:
            self.refuse_plain()
        is_first = create and not self._may_be_example and not self.beside.exists()
        try:
            opened = open_ledger(self.ledger_name, create=create and not self.must_exist, master=self.master)
        except NoLedger as error:
            if not create:
                raise
            raise click.UsageError(f"{error}, and with --must-exist (EPISODE_MUST_EXIST) none is made") from None
        if is_first and not in_postgres(self.ledger_name):
            say(FIRST_USE)
        if not create:
            self.rollbacks.look(opened, self.places)
        return opened

    def refuse_plain(self) -> None:
        """MasterKeyError where only encrypted ledgers may be used: this one is not, or no key says that it is."""
        if self.must_encrypt:
            raise MasterKeyError(
                "with --must-encrypt (EPISODE_MUST_ENCRYPT) no ledger is made or used that is not encrypted",
                "name a master key with --master-key FILE; 'episode-ledger master-key FILE' makes one",
            )

    @cached_property
    def master(self) -> MasterKey | None:
        """The master key that was named for an encrypted ledger; MasterKeyError if it cannot be used."""
        return self._master_key() if self._master_key else None

    def views(self) -> Views:
        """The ledger's read model; ViewsError if it cannot be used."""
        return self.places.open_live()

    @property
    def places(self) -> Places:
        """Where the ledger's read models are."""
        return Places(views_file(self.ledger_name, self.views_folder))

    @property
    def beside(self) -> Path:
        """The ledger's file; for a ledger that is in no file, the read model, which is what lies here of it."""
        return self.places.live if in_postgres(self.ledger_name) else Path(self.ledger_name)

    def owns(self, real: Path) -> bool:
        """Whether a path, its folder told without links, is or would be of the ledger, its read models or its book."""
        of_the_book = self.book_folder is not None and _is_of_book(real, Path(os.path.realpath(self.book_folder)))
        return of_the_book or is_beside(self.ledger_name, real) or self.places.owns(real)

    def own_files(self) -> Iterator[Path]:
        """Those of these files that are there, but for the book's."""
        yield from files_beside(self.ledger_name)
        yield from self.places.own_files()

    @property
    def shown_name(self) -> str:
        """The ledger's name as it may be printed: without a password."""
        return shown(self.ledger_name)


def _is_of_book(real: Path, book: Path) -> bool:
    return real.suffix == ".toml" and real.parent in (book, book / "payers", book / "providers")


def _format_option(*more: str) -> Callable[[Command], Command]:
    return click.option(
        "--format",
        "form",
        type=click.Choice(["table", "json", "csv", *more]),
        help="How to print. Default: table on a terminal, json (JSON Lines) in a pipe.",
    )


def format_option(command: Command) -> Command:
    """``--format``: a table for a person's terminal, JSON Lines for a pipe."""
    return _format_option()(command)


def with_options(command: Command, *options: Callable[[Command], Command]) -> Command:
    """A command with some options more, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def calendar_format_option(command: Command) -> Command:
    """``--format`` of rows that also make calendars."""
    return _format_option("calendar")(command)


def known_at_option(command: Command) -> Command:
    """``--known-at``: the ledger and the terms as they stood at an instant."""
    return click.option(
        "--known-at",
        type=INSTANT,
        help="As the ledger and the payers' terms stood at that instant, e.g. 2026-11-02T16:00Z.",
    )(command)


def filter_options(command: Command) -> Command:
    """The filters of every read command, gathered into one ``wanted``."""
    return with_options(
        command,
        click.option("--episode", help="Only this episode."),
        click.option("--patient", help="Only this patient."),
        click.option("--payer", help="Only this payer."),
        click.option("--from", "from_", type=SERVICE_DATE, help="Only service dates from this one on."),
        click.option("--to", type=SERVICE_DATE, help="Only service dates up to this one."),
    )


def verdict_options(command: Command) -> Command:
    """The filters of days by their verdict."""
    return with_options(
        command,
        click.option("--status", type=click.Choice([*STATUS]), help="Only days with this verdict."),
        click.option(
            "--reason", metavar="REASON", callback=_known_reason, help="Only days with this reason, e.g. plan_missing."
        ),
        click.option("--authorization", metavar="NUMBER", help="Only billable days that drew on it."),
    )


def _known_reason(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A reason that some verdict has: a misspelt one would look like good news."""
    if value is not None:
        from ledger.judge.steps import STEPS

        known = sorted({reason for step in STEPS for reason in step.verdicts})
        if value not in known:
            raise click.BadParameter(f"no verdict has that reason; there are {', '.join(known)}")
    return value


def filters(options: dict[str, Any]) -> Filters:
    """The filters among a command's options."""
    wanted = Filters(*(options.get(name) for name in Filters._fields))
    if wanted.from_ and wanted.to and wanted.to < wanted.from_:
        raise click.UsageError("--to lies before --from: no date is between them")
    return wanted


def no_episode(known_at: datetime | None) -> click.ClickException:
    """What to say of an episode that the ledger does not know, or did not know at an instant."""
    by_then = " by then" if known_at else ""
    return click.UsageError(f"the ledger knows no such episode{by_then}; 'episode-ledger days' lists those it knows")
