"""``diff``: what changed between two instants, or between what was claimed and what is billable now."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from datetime import datetime
from functools import cached_property
from typing import Any, NamedTuple, get_args

import click

from commands.terminal.options import INSTANT, SERVICE_DATE, Setup, filters, format_option, known_at_option, no_episode
from commands.terminal.progress import progress
from commands.terminal.show import chosen_form, print_nowhere, room, say, show_prose, show_rows, show_rows_to_the_end
from commands.verbs.read import live_views, tell_set_aside
from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.progress import silent
from ledger.store import EpisodeLedger
from projections.audit.between import DayChanged, between_of
from projections.audit.claimed import Kept, claimed_days, nothing_kept
from projections.audit.claimed_rows import ClaimedDay
from projections.audit.claimed_shares import ClaimedKind
from projections.audit.kept_claimed import kept_in
from projections.audit.text import Exposure, render_between, render_claimed
from projections.read_model.queries import Filters
from projections.read_model.trouble import SetAside
from projections.read_model.views import passing_views
from projections.reading.as_known import AsKnown
from projections.reading.budget import TooCostly


@click.command()
@click.argument("episode", required=False)
@click.option(
    "--between", nargs=2, type=INSTANT, metavar="T1 T2", help="The days whose verdict changed between two instants."
)
@click.option("--claimed", is_flag=True, help="What was claimed beside what is billable now.")
@click.option(
    "--payer",
    help="With --claimed: what was claimed from this payer, and the days that are this payer's now: unbilled, or "
    "claimed from another.",
)
@click.option("--all", "everybody", is_flag=True, help="With --claimed: every claim of the ledger.")
@click.option(
    "--claims-to", metavar="PAYER", help="With --claimed: what was claimed from this payer, and nothing else."
)
@click.option("--kind", type=click.Choice(get_args(ClaimedKind)), help="With --claimed: only rows of this kind.")
@click.option("--due-from", type=SERVICE_DATE, help="With --claimed: only days to be filed by this date or later.")
@click.option("--due-to", type=SERVICE_DATE, help="With --claimed: only days to be filed by this date or earlier.")
@click.option("--unanswered", is_flag=True, help="With --claimed: only days that no answer of the payer came for.")
@click.option("--to-give-back", is_flag=True, help="With --claimed: only days that were paid more than is due.")
@click.option("--every", is_flag=True, help="With --claimed: also the days that are billable as claimed.")
@click.option("--from", "from_", type=SERVICE_DATE, help="Only service dates from this one on.")
@click.option("--to", type=SERVICE_DATE, help="Only service dates up to this one.")
@format_option
@known_at_option
@click.pass_obj
def diff(
    setup: Setup,
    /,
    episode: str | None,
    between: tuple[datetime, datetime] | None,
    claimed: bool,
    payer: str | None,
    everybody: bool,
    every: bool,
    from_: str | None,
    to: str | None,
    form: str | None,
    known_at: datetime | None,
    **narrowed: Any,
) -> None:
    """Show what changed: since an instant, or since the claim.

    With --between each day whose verdict changed, with the entry or the newly published terms that changed it. With
    --claimed each day as claimed, as known when it was claimed and as known now, with the money to refund, the days
    left unbilled, and by when; exits with 1 if there is money to refund.

    \b
    Examples:
      episode-ledger diff EP-1 --between 2026-02-01T00:00Z 2026-03-01T00:00Z
      episode-ledger diff EP-1 --claimed
      episode-ledger diff --claimed --payer prairie-blue --format csv
      episode-ledger diff --claimed --payer prairie-blue --kind unbilled --due-to 2026-12-31
      episode-ledger diff --claimed --all && echo "nothing to refund"
    """
    wanted = filters({"episode": episode, "payer": payer, "from_": from_, "to": to})
    narrower = Narrower(**narrowed)
    if (between is not None) == claimed:
        raise click.UsageError("give either --between T1 T2 or --claimed")
    if between is not None:
        if payer is not None or everybody or every or known_at is not None or any(narrower):
            raise click.UsageError("all options but --from, --to and --format go with --claimed, not with --between")
        _between(setup, wanted, between, form)
    else:
        if (episode is not None) + (payer is not None) + (narrower.claims_to is not None) + everybody != 1:
            raise click.UsageError("--claimed takes one of EPISODE, --payer and --all, or --claims-to")
        _claimed(setup, wanted, narrower, known_at, form, every)


class Narrower(NamedTuple):
    """Which of the claimed days to show, beside their dates."""

    kind: str | None
    claims_to: str | None
    due_from: str | None
    due_to: str | None
    unanswered: bool = False
    to_give_back: bool = False

    def takes(self, row: ClaimedDay) -> bool:
        """Whether a row is one of them; what need not be filed is due at no date."""
        if self.kind not in (None, row.kind):
            return False
        if self.claims_to is not None and (row.claim is None or row.payer != self.claims_to):
            return False
        if self.unanswered and row.paid_cents is not None:
            return False
        if self.to_give_back and (row.paid_cents is None or not row.exposure_cents):
            return False
        if self.due_from is None and self.due_to is None:
            return True
        return row.file_by is not None and (self.due_from or "") <= row.file_by <= (self.due_to or "9999-12-31")


def _between(setup: Setup, wanted: Filters, between: tuple[datetime, datetime], form: str | None) -> None:
    first, last = between
    if wanted.episode is None:
        raise click.UsageError("--between takes an EPISODE")
    if last < first:
        raise click.UsageError("--between: the second instant lies before the first")
    with setup.open() as ledger:
        ledger.refuse_forgotten(wanted.episode)
        found = between_of(ledger, wanted.episode, setup.book, first, last)
        if found is None:
            raise no_episode(last if AsKnown(ledger, setup.book).owner(wanted.episode) else None)
    rows = [row for row in found if _is_wanted(row, wanted)]
    if chosen_form(form) == "table":
        show_prose("\n".join(render_between(rows, room())) or "No day changed.")
    else:
        show_rows(rows, DayChanged, form)


def _is_wanted(row: DayChanged | ClaimedDay, wanted: Filters) -> bool:
    return (wanted.from_ or "") <= row.date <= (wanted.to or "9999-12-31")


def _claimed(
    setup: Setup, wanted: Filters, narrower: Narrower, known_at: datetime | None, form: str | None, every: bool
) -> None:
    exposure, left_out = Exposure(), LeftOut(setup)
    shown_here = sys.stdout.isatty()  # then the rows themselves tell how far it is
    with setup.open() as ledger, ExitStack() as stack:
        patients = None if wanted.episode is None else [_patient_of(ledger, setup.book, wanted.episode, known_at)]
        kept, upto = _kept(setup, ledger, stack, every) if not patients and known_at is None else (nothing_kept, None)
        tell = silent if shown_here else stack.enter_context(progress("Judging", "patients"))
        found = claimed_days(
            ledger, setup.book, patients, episode=wanted.episode, payer=wanted.payer, known_at=known_at, every=every,
            unreadable=None if patients else left_out.note, progress=tell, kept=kept, upto=upto,
        )  # fmt: skip
        rows = (row for row in found if _is_wanted(row, wanted) and narrower.takes(row))
        _show(exposure.counting(rows), form)
    left_out.tell()
    say(exposure.told())
    if exposure.cents:
        sys.exit(1)


def _kept(setup: Setup, ledger: EpisodeLedger, stack: ExitStack, every: bool) -> tuple[Kept, int]:
    """What the read model keeps of claims, held still, and the position it stands for."""
    views = stack.enter_context(closing(setup.views()))
    stack.enter_context(live_views(setup, ledger, views, "every" if every else "wrong"))
    return kept_in(views, every=every), int(views.noted()["position"])


def _patient_of(ledger: EpisodeLedger, book: Book, episode: str, known_at: datetime | None) -> str:
    ledger.refuse_forgotten(episode)
    patient = AsKnown(ledger, book, known_at).owner(episode)
    if patient is None:
        raise no_episode(known_at)
    return patient


def _show(rows: Iterator[ClaimedDay], form: str | None) -> None:
    if chosen_form(form) != "table":
        show_rows_to_the_end(rows, ClaimedDay, form)
        return
    try:
        _show_lines(render_claimed(rows, room()))
    except BrokenPipeError:  # the sum and the status hold all the same
        print_nowhere()
        deque(rows, maxlen=0)


def _show_lines(lines: Iterable[str]) -> None:
    shown = False
    for line in lines:
        show_prose(line)
        shown = True
    if not shown:
        click.echo("No difference.")


class LeftOut:
    """The patients whom the live read model has set aside and whose entries still cannot be read."""

    def __init__(self, setup: Setup) -> None:
        self.setup = setup
        self.found: list[SetAside] = []

    @cached_property
    def _known(self) -> set[str]:
        """The names of the patients set aside, and of the episodes that were the reason."""
        if not self.setup.places.current():
            return set()
        with closing(self.setup.views()) as views:
            return {name for aside in views.set_aside().values() for name in (aside.patient, aside.episode)}

    def note(self, patient: str, error: UnreadableEntry) -> None:
        """Leave a patient out; raises the error again unless it is one that was set aside before."""
        if not {patient, error.episode} & self._known and not isinstance(error, TooCostly):
            raise error
        self.found.append(SetAside.after(patient, error))

    def tell(self) -> None:
        """Say who is left out, and why, as every report does."""
        if self.found:
            with closing(passing_views()) as views:
                with views.writing():
                    views.put_aside(self.found)
                tell_set_aside(views)
