"""``ack``, ``remit`` and ``payments``: answers in, and what each claimed day was paid."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click
import msgspec
from msgspec import Struct

from commands.answers.acknowledge import AckRow, acknowledge, read_file
from commands.answers.assign import NotAssigned, assign
from commands.answers.remit import Remitting, intake_of, intake_of_check
from commands.recording.effect import clock_option
from commands.recording.holding import clock_told, opened_to_record
from commands.terminal.options import Setup, format_option
from commands.terminal.show import printable, say, show_rows, show_rows_to_the_end
from commands.terminal.who import named
from commands.verbs.read import tell_set_aside
from ledger.store import EpisodeLedger
from ledger.x12.segments import Unreadable
from projections.read_model.catch_up import catch_up
from projections.read_model.numbers import episodes_with_claims, index_numbers
from projections.read_model.queries import Filters
from projections.read_model.views import Views
from projections.words import counted

_FILES = click.argument(
    "files", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)


class RemitRow(Struct, frozen=True):
    """What became of a payer's answer to one claim."""

    payment: str
    claim: str
    outcome: str


@contextmanager
def _unreadable_told(path: Path) -> Iterator[None]:
    try:
        yield
    except Unreadable as error:
        raise click.UsageError(
            f"{printable(str(path))} cannot be read, and nothing of it was recorded: {error}"
        ) from None


@contextmanager
def indexed(setup: Setup, ledger: EpisodeLedger) -> Iterator[Views]:
    """The read model with its index of claims' numbers, as far as the ledger goes."""
    with closing(setup.views()) as views:
        catch_up(ledger, views, setup.book)
        index_numbers(views, ledger)
        yield views


@click.command()
@_FILES
@clock_option
@format_option
@click.pass_obj
def ack(setup: Setup, /, files: Sequence[Path], clock_is_right: bool, form: str | None) -> None:
    """Record the acknowledgements in FILES (TA1, 999, 277CA) and show what became of each.

    A claim that was turned back never reached the payer: its days are free again, and go out on a new claim. Sending a
    file again is safe: what is there already answers 'duplicate'. Exits with 1 if something was turned back, or is for
    no claim that the ledger knows; with 2, and nothing recorded, if a file cannot be read.

    \b
    Examples:
      episode-ledger ack inbox/*.999 inbox/*.277
    """
    read = []
    for path in files:
        with _unreadable_told(path):
            read.append(read_file(path))
    with clock_told(), opened_to_record(setup, create=False) as ledger, indexed(setup, ledger) as views:
        rows = [row for answers in read for row in acknowledge(ledger, views, answers, clock_is_right=clock_is_right)]
    show_rows(rows, AckRow, form, nothing="No answer is in these files.")
    if any(row.status == "rejected" or row.outcome in ("unmatched", "refused") for row in rows):
        sys.exit(1)


@click.command()
@_FILES
@click.option("--payer", help="Whose files they are, where neither they nor the book say so.")
@click.option("--dry-run", is_flag=True, help="Record nothing; print the facts as lines of intake.")
@clock_option
@format_option
@click.pass_obj
def remit(
    setup: Setup, /, files: Sequence[Path], payer: str | None, dry_run: bool, clock_is_right: bool, form: str | None
) -> None:
    """Record the remittances in FILES (835) and show what became of each answer.

    An answer goes to its claim by the claim's number, or that of what it replaces. One for no claim that the ledger
    knows is kept, so that its check balances, until somebody assigns it. The same check in another file is all
    'duplicate'; the same check with other content is refused. Exits with 1 if an answer is unmatched or refused, or a
    check does not add up; with 2, and nothing recorded, if a file cannot be read.

    \b
    Examples:
      episode-ledger remit inbox/*.835
      episode-ledger remit --dry-run inbox/one.835
    """
    if payer is not None and payer not in setup.book.payers:
        raise click.UsageError("--payer: the book has no such payer")
    if dry_run:
        _rehearse(setup, files, payer)
        return
    outcomes, unbalanced = Counter[str](), list[str]()
    with clock_told(), opened_to_record(setup, create=False) as ledger, indexed(setup, ledger) as views:
        read = []
        for path in files:
            with _unreadable_told(path):
                read.append(Remitting(ledger, views, setup.book, path, payer, clock_is_right=clock_is_right))
        rows = (
            RemitRow(posted.fact.payment, posted.fact.claim, outcome)
            for file in read
            for posted, outcome in file.record()
        )
        show_rows_to_the_end(_counted(rows, outcomes), RemitRow, form, nothing="No claim is answered in these files.")
        unbalanced = [payment for file in read for payment in file.unbalanced]
        others = [payment for file in read for payment in file.others]
    for payment in others:
        say(printable(f"Check {payment} is in the ledger with other content: nothing of this one was recorded."))
    for payment in unbalanced:
        say(printable(f"Check {payment} does not add up: its answers, less what was kept, are not what it is worth."))
    if unbalanced or others or outcomes["unmatched"] or outcomes["refused"]:
        sys.exit(1)


def _counted(rows: Iterator[RemitRow], outcomes: Counter[str]) -> Iterator[RemitRow]:
    for row in rows:
        outcomes[row.outcome] += 1
        yield row


def _rehearse(setup: Setup, files: Sequence[Path], payer: str | None) -> None:
    """Print what would be recorded; the ledger is only read."""
    unbalanced = unmatched = 0
    with setup.open() as ledger, indexed(setup, ledger) as views:
        for path in files:
            with _unreadable_told(path):
                file = Remitting(ledger, views, setup.book, path, payer)
            told = set[str]()
            for received, batch in file.batches():
                lines = [] if received.payment in told else [intake_of_check(received)]
                told.add(received.payment)
                for line in [*lines, *map(intake_of, batch)]:
                    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
                unmatched += sum(each.claim is None for each in batch)
            unbalanced += len(file.unbalanced)
    if unbalanced or unmatched:
        say(f"{counted(unmatched, 'answer')} for no known claim; {counted(unbalanced, 'check')} that do not add up.")
        sys.exit(1)


@click.command()
@click.argument("payment")
@click.argument("control")
@click.argument("claim")
@click.option("--by", help="Who says so. Default: the name you are logged in by.")
@clock_option
@click.pass_obj
def assign_remittance(
    setup: Setup, /, payment: str, control: str, claim: str, by: str | None, clock_is_right: bool
) -> None:
    """Assign to CLAIM what PAYMENT answered under CONTROL, the payer's number of the claim.

    An answer for no claim that the ledger knows is kept with its check. Once somebody says which claim of ours it is
    for, it counts there, and who said so is on record. 'payments --unmatched' lists what waits.

    \b
    Examples:
      episode-ledger assign-remittance RH20261020 RH900001 EP-1-3
    """
    who = named(by, "assigns it")
    with clock_told(), opened_to_record(setup, create=False) as ledger, indexed(setup, ledger) as views:
        try:
            count = assign(ledger, views, payment, control, claim, who, clock_is_right=clock_is_right)
        except NotAssigned as error:
            raise click.UsageError(str(error)) from None
    say(f"{counted(count, 'answer')} assigned.")


def chosen_episodes(ledger: EpisodeLedger, views: Views, wanted: Filters) -> list[str]:
    """The episodes with claims that were asked for; of everybody, without the patients set aside, which is said."""
    if wanted.episode is not None:
        ledger.refuse_forgotten(wanted.episode)
    found = episodes_with_claims(views)
    if wanted.patient is not None:
        own = set(ledger.episodes_of(wanted.patient))
        found = [name for name in found if name in own]
    if wanted.patient is not None or wanted.episode is not None:
        return [name for name in found if wanted.episode in (None, name)]
    tell_set_aside(views)
    aside = {name for each in views.set_aside().values() for name in ledger.episodes_of(each.patient)}
    return [name for name in found if name not in aside]
