"""``merge-patients`` and ``part-patients``: two names that are one person, or were taken for one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import click

from commands.outside import random_nonces, utc_now
from commands.recording.effect import clock_option
from commands.recording.holding import clock_told
from commands.recording.one_thing import ASKING_FIRST, ask
from commands.terminal.options import Command, Setup, with_options
from commands.terminal.show import printable, say
from commands.terminal.who import given_reason, is_named_in, named
from commands.writing.handle import refuse_doubtful_clock
from ledger.facts.administration import HOUSE, PatientsMerged, PatientsParted
from ledger.facts.merges import Merged, MergeRefused, Parted, as_entry
from ledger.store import EpisodeLedger, RecordConflictError, StoreError
from projections.effects.effect import changes_of
from projections.effects.text import effect_lines
from projections.reading.around import entries_around
from projections.words import counted

ATTEMPTS: Final = 100
WHAT_CHANGED: Final = "What changed: 'replay EPISODE' for an episode, 'restatements MONTH' for a closed month."

_reason = click.option("--reason", metavar="TEXT", required=True, help="How it is known; it stays in the ledger.")
_by = click.option("--by", metavar="NAME", help="Who decided it. Default: the name you are logged in by.")


def _deciding(command: Command) -> Command:
    return with_options(command, _reason, _by, *ASKING_FIRST, clock_option)


@click.command()
@click.argument("old")
@click.argument("into")
@_deciding
@click.pass_obj
def merge_patients(
    setup: Setup,
    /,
    old: str,
    into: str,
    reason: str,
    by: str | None,
    yes: bool,
    dry_run: bool,
    no_effect: bool,
    clock_is_right: bool,
) -> None:
    """Merge patient OLD into patient INTO: two names in the ledger, one person.

    From now on the episodes of both are judged together, as one patient's: a day that both would bill is a conflict,
    stays and authorizations count for all of them. Rows stand under INTO; asked for OLD, a command shows INTO's rows
    and says so. Nothing that was recorded changes: what was known before the merge is shown as it was with --known-at,
    and part-patients takes the merge back. Days of past months may change; for closed ones, see 'restatements'.

    Refused: a name that no episode has, OLD that is merged already, and a merge that would come back to itself. INTO
    may be merged itself: then all are one patient, under the last name.

    \b
    Examples:
      episode-ledger merge-patients P-0117 P-1 --reason "registered twice" --dry-run
      episode-ledger merge-patients P-0117 P-1 --reason "registered twice" --yes
    """
    who = _who(setup, (old, into), reason, by)
    with setup.open() as ledger:

        def record() -> None:
            at, nonce = _now(ledger, clock_is_right), random_nonces(1)[0]
            ledger.record_merging(PatientsMerged(at, who, old, into, reason, nonce))

        with _refusals():
            ledger.refuse_merging(old, into)
            theirs, others = (counted(len(ledger.episodes_naming(name)), "episode") for name in (old, into))
            say(f"To be merged: {theirs} of OLD and {others} of INTO will be one patient's.")
            effect = None if no_effect else _effect(setup, ledger, (old, into), Merged(old, into, reason))
            if _is_wanted(effect, yes, dry_run):
                _persist(record)
                say(f"Merged. {WHAT_CHANGED}")
                _say_lines(effect)


@click.command()
@click.argument("old")
@_deciding
@click.pass_obj
def part_patients(
    setup: Setup,
    /,
    old: str,
    reason: str,
    by: str | None,
    yes: bool,
    dry_run: bool,
    no_effect: bool,
    clock_is_right: bool,
) -> None:
    """Part patient OLD from the patient it was merged into: they are two people after all.

    From now on the episodes that name OLD are judged as OLD's own again, together with those of patients that were
    merged into OLD. What was known while they were one is shown as it was with --known-at.

    Refused where OLD is not merged into another.

    \b
    Examples:
      episode-ledger part-patients P-0117 --reason "birth dates differ" --dry-run
      episode-ledger part-patients P-0117 --reason "birth dates differ" --yes
    """
    who = _who(setup, (old,), reason, by)
    with setup.open() as ledger:

        def record() -> None:
            ledger.record_parting(PatientsParted(_now(ledger, clock_is_right), who, old, reason, random_nonces(1)[0]))

        with _refusals():
            ledger.refuse_parting(old)
            say("To be parted: the episodes of OLD will be another patient's than those of INTO.")
            effect = None if no_effect else _effect(setup, ledger, (old,), Parted(old, reason))
            if _is_wanted(effect, yes, dry_run):
                _persist(record)
                say(f"Parted. {WHAT_CHANGED}")
                _say_lines(effect)


def _now(ledger: EpisodeLedger, clock_is_right: bool) -> datetime:
    """The time of the act; a clock that cannot be right gives none, for what is known when would go by it for ever."""
    now = utc_now()
    if not clock_is_right:
        with clock_told():
            refuse_doubtful_clock(ledger, now)
    return now


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


def _effect(setup: Setup, ledger: EpisodeLedger, names: Sequence[str], fact: Merged | Parted) -> list[str]:
    """What an act changes, as lines: the patients' episodes with it, judged beside them without it."""
    book = setup.book
    streams = entries_around(ledger, [episode for name in names for episode in ledger.episodes_of(name)])
    acts = streams.get(HOUSE, [])
    act = as_entry(fact, len(acts) + 1, ledger.position() + 1, "", utc_now(), "")
    return list(effect_lines(list(changes_of(streams, streams | {HOUSE: [*acts, act]}, book)), book))


def _is_wanted(effect: Sequence[str] | None, yes: bool, dry_run: bool) -> bool:
    """Show what would change, unless it is done unasked; whether it is to be done."""
    if dry_run or not yes:
        _say_lines(effect)
    if dry_run:
        say("Nothing was recorded: this was a dry run.")
        return False
    ask(yes)
    return True


def _say_lines(lines: Sequence[str] | None) -> None:
    for line in lines or ():
        say(printable(line))


def _persist(record: Callable[[], None]) -> None:
    """Try until nobody else was faster: each time it is looked again whether it is refused."""
    for _ in range(ATTEMPTS):
        try:
            return record()
        except RecordConflictError:
            continue
    raise StoreError("others kept recording, and nothing was done; try again when they are done")
