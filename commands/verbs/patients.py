"""``merge-patients`` and ``part-patients``: two names that are one person, or were taken for one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from commands.outside import random_nonces, utc_now
from commands.terminal.options import Setup
from commands.terminal.show import say
from commands.terminal.who import given_reason, is_named_in, named
from ledger.facts.administration import PatientsMerged, PatientsParted
from ledger.facts.merges import MergeRefused
from ledger.store import RecordConflictError, StoreError
from projections.words import counted

ATTEMPTS: Final = 100
WHAT_CHANGED: Final = "What changed: 'replay EPISODE' for an episode, 'restatements MONTH' for a closed month."

_reason = click.option("--reason", metavar="TEXT", required=True, help="How it is known; it stays in the ledger.")
_by = click.option("--by", metavar="NAME", help="Who decided it. Default: the name you are logged in by.")
_yes = click.option("--yes", is_flag=True, help="Do it; without it, what would change is told, and you are asked.")


@click.command()
@click.argument("old")
@click.argument("into")
@_reason
@_by
@_yes
@click.pass_obj
def merge_patients(setup: Setup, /, old: str, into: str, reason: str, by: str | None, yes: bool) -> None:
    """Merge patient OLD into patient INTO: two names in the ledger, one person.

    From now on the episodes of both are judged together, as one patient's: a day that both would bill is a conflict,
    stays and authorizations count for all of them. Rows stand under INTO; asked for OLD, a command shows INTO's rows
    and says so. Nothing that was recorded changes: what was known before the merge is shown as it was with --known-at,
    and part-patients takes the merge back. Days of past months may change; for closed ones, see 'restatements'.

    Refused: a name that no episode has, OLD that is merged already, and a merge that would come back to itself. INTO
    may be merged itself: then all are one patient, under the last name.

    \b
    Examples:
      episode-ledger merge-patients P-0117 P-1 --reason "registered twice"
      episode-ledger merge-patients P-0117 P-1 --reason "registered twice" --yes
    """
    who = _who(setup, (old, into), reason, by)
    with setup.open() as ledger:

        def record() -> None:
            at, nonce = utc_now(), random_nonces(1)[0]
            ledger.record_merging(PatientsMerged(at, who, old, into, reason, nonce))

        with _refusals():
            ledger.refuse_merging(old, into)
            theirs, others = (counted(len(ledger.episodes_naming(name)), "episode") for name in (old, into))
            _confirm(f"To be merged: {theirs} of OLD and {others} of INTO will be one patient's.", yes)
            _persist(record)
    say(f"Merged. {WHAT_CHANGED}")


@click.command()
@click.argument("old")
@_reason
@_by
@_yes
@click.pass_obj
def part_patients(setup: Setup, /, old: str, reason: str, by: str | None, yes: bool) -> None:
    """Part patient OLD from the patient it was merged into: they are two people after all.

    From now on the episodes that name OLD are judged as OLD's own again, together with those of patients that were
    merged into OLD. What was known while they were one is shown as it was with --known-at.

    Refused where OLD is not merged into another.

    \b
    Examples:
      episode-ledger part-patients P-0117 --reason "birth dates differ"
      episode-ledger part-patients P-0117 --reason "birth dates differ" --yes
    """
    who = _who(setup, (old,), reason, by)
    with setup.open() as ledger:

        def record() -> None:
            ledger.record_parting(PatientsParted(utc_now(), who, old, reason, random_nonces(1)[0]))

        with _refusals():
            ledger.refuse_parting(old)
            _confirm("To be parted: the episodes of OLD will be another patient's than those of INTO.", yes)
            _persist(record)
    say(f"Parted. {WHAT_CHANGED}")


def _who(setup: Setup, patients: Sequence[str], reason: str, by: str | None) -> str:
    """Who decides it, if nothing is said that must not stay; UsageError else."""
    given_reason("--reason", reason)
    who = named(by, "decides it")
    if setup.master and any(is_named_in(f"{reason}\n{who}", patient) for patient in patients):
        raise click.UsageError("--reason and --by stay in the ledger: do not name the patients in them")
    return who


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except MergeRefused as trouble:
        raise click.UsageError(f"nothing was done: {trouble}") from None


def _confirm(told: str, yes: bool) -> None:
    say(told)
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nothing was done; give --yes where nobody can be asked")
        click.confirm("Do it?", abort=True, err=True)


def _persist(record: Callable[[], None]) -> None:
    """Try until nobody else was faster: each time it is looked again whether it is refused."""
    for _ in range(ATTEMPTS):
        try:
            return record()
        except RecordConflictError:
            continue
    raise StoreError("others kept recording, and nothing was done; try again when they are done")
