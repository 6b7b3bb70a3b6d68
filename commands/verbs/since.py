"""``--since``: a position a consumer of the feed has, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from typing import NamedTuple

import click

from commands.recording.leaving_out import settle_set_aside
from commands.terminal.options import Command, Setup, with_options
from commands.terminal.resuming import ForgottenSince, ReloadFirst
from commands.terminal.show import say
from commands.verbs.read import Claims, derived
from ledger.store import EpisodeLedger
from projections.audit.kept_claimed import kept_in
from projections.changes.sheets import NOTHING_KEPT, KeptRows
from projections.changes.stretch import Stretch
from projections.export.judged import CLAIMED, claimed_cells
from projections.read_model.version import code_version, makes_the_same_rows
from projections.read_model.views import Views
from projections.rows.cells import Cells


class Since(NamedTuple):
    """From where a consumer goes on: a position, and what the ledger's seal and the judging code were there."""

    position: int | None
    seal: str | None = None
    code_version: str | None = None


def since_option(command: Command) -> Command:
    """``--since``: a position the consumer has; ``--seal`` and ``--code-version``: what was said of it."""
    return with_options(
        command,
        click.option(
            "--since", type=click.IntRange(min=0), metavar="POSITION", help="Only what came after that position."
        ),
        click.option(
            "--seal", metavar="HEX",
            help="The seal that came with that position: 4 if the ledger has another one there.",
        ),
        click.option(
            "--code-version", metavar="VERSION",
            help="The version that came with it: 4 if another one would judge now.",
        ),
    )  # fmt: skip


def check_since(ledger: EpisodeLedger, since: Since) -> None:
    """NoResuming if nobody can have that position yet, or what was had there cannot be carried on."""
    position, head = since.position or 0, ledger.position()
    if since.position is None and (since.seal or since.code_version):
        raise click.UsageError("--seal and --code-version belong to a position: give --since, too")
    if position > head:
        raise ReloadFirst(f"--since {position} lies beyond the ledger's last position, {head}: it was put back, or"
                          " it is another one")  # fmt: skip
    if since.seal is not None and ledger.seal_at(position) != since.seal:
        raise ReloadFirst(f"the ledger has another seal at position {position}: it was put back, or it is another one")
    if since.code_version is not None and not makes_the_same_rows(since.code_version, code_version()):
        raise ReloadFirst(f"what you have was judged by {since.code_version}, and this is {code_version()}")
    if position and (forgotten := ledger.forgettings(after=position)):
        raise ForgottenSince(f"a patient was forgotten at position {forgotten[-1][0]}, after --since {position}")


@contextmanager
def begun_from(setup: Setup, ledger: EpisodeLedger, claims: Claims = "none") -> Iterator[Views]:
    """The read model for an export that changes may be asked for from: whom it leaves out because they cost too much
    stands in the ledger before."""
    while True:
        with derived(setup, claims=claims) as views:
            if not settle_set_aside(ledger, views):
                yield views
                return


def say_taken_up(position: int) -> None:
    """Another book is in force from now on, and programs that take the feed see its changes."""
    say(f"Another book is taken up from position {position} on; what it changes has the cause 'book'.")


@contextmanager
def claimed_kept_at(setup: Setup, of: str, stretch: Stretch) -> Iterator[KeptRows]:
    """The claimed days that a read model keeps of one end of the stretch, as it stands: it is not brought up to it."""
    if of != CLAIMED or not setup.places.current():
        yield NOTHING_KEPT
        return
    with closing(setup.views()) as views, views.reading():
        noted, found = views.noted(), kept_in(views, every=True)

        def rows(patient: str) -> Iterable[Cells] | None:
            kept = found(patient)
            return None if kept is None else claimed_cells(kept)

        is_ours = makes_the_same_rows(noted.get("code", ""), code_version())
        at = (noted.get("position"), noted.get("book")) if is_ours else None
        if at == (str(stretch.since), stretch.book.hash):
            yield KeptRows(before=rows)
        elif at == (str(stretch.upto), stretch.last_book.hash):
            yield KeptRows(after=rows)
        else:
            yield NOTHING_KEPT
