"""``forget``: a patient's entries made unreadable for good, and what was made of them taken away."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import click

from commands.outside import random_nonces, utc_now
from commands.terminal.options import Setup
from commands.terminal.show import printable, say
from commands.terminal.who import is_named_in, named
from ledger.facts.forms import parse_instant
from ledger.facts.names import is_name
from ledger.recorders.by_name.naming import in_postgres
from ledger.store import EpisodeLedger, RecordConflictError, StoreError
from projections.erasure.handed_out import Recalled, handed_out, take_back
from projections.erasure.plan import AlsoAnothers, ErasurePlan, UnknownPatient, plan, remove_models
from projections.read_model.trouble import ViewsError
from projections.words import counted, dollars

ATTEMPTS: Final = 100
GONE: Final = (
    "There is no way back: afterwards nobody can read these entries, with whatever key, but from a backup made before."
)


@click.command()
@click.argument("patient", required=False)
@click.option("--reason", metavar="TEXT", help="Why; it stays in the ledger, so name nobody in it. Required.")
@click.option("--by", metavar="NAME", help="Who forgets them. Default: the name you are logged in by.")
@click.option(
    "--also", multiple=True, metavar="EPISODE",
    help="Take this episode with it, which once named the patient and is another's now. May be given several times.",
)  # fmt: skip
@click.option("--yes", is_flag=True, help="Do it; without it, what would be done is told, and you are asked.")
@click.option("--finish", is_flag=True, help="Forget nobody: take away what is left of those forgotten before.")
@click.pass_obj
def forget(
    setup: Setup, /, patient: str | None, reason: str | None, by: str | None, also: Sequence[str], yes: bool,
    finish: bool,
) -> None:  # fmt: skip
    """Forget PATIENT: destroy the keys of their episodes, so that nobody can read the entries any more.

    Only an encrypted ledger can forget. The entries stay in their places, unreadable, so that the chain of seals still
    holds. The claim lines of today stay without a name: days, codes, money, so that totals do not change. The read
    model is removed, to be built anew, and so are the exports, pages, bundles and reports that this program wrote where
    they still are as it wrote them. What was copied or sent elsewhere, and backups made before, is yours to find:
    such a backup still holds the keys. Ends with 1 if something is left for you to look at.

    \b
    Examples:
      episode-ledger forget P-1001 --reason "request of 2026-11-20, file 118"
      episode-ledger forget P-1001 --reason "file 118" --by privacy-officer --yes
      episode-ledger forget --finish
    """
    with setup.open() as ledger:
        if not ledger.encrypted:
            raise click.UsageError(
                "this ledger is not encrypted, and what is recorded is never removed; only an encrypted ledger, made"
                " with a master key, can forget"
            )
        if finish:
            episodes = _forgotten_before(ledger, patient)
        else:
            episodes = _forget(setup, ledger, _wanted(patient, reason, by, also), yes)
        clean = _scrubbed(ledger)
        last = ledger.forgettings()[-1][1].forgotten_at
    if in_postgres(setup.ledger_name):
        say("The server's log, archives and backups hold the keys for a time: see 'help postgresql-and-forgetting'.")
    _say_outcomes(clean, _take_away(setup, episodes, last))


class Wanted(NamedTuple):
    """Whom to forget, on whose word."""

    patient: str
    who: str
    reason: str
    also: Sequence[str]


def _wanted(patient: str | None, reason: str | None, by: str | None, also: Sequence[str]) -> Wanted:
    if patient is None or reason is None:
        raise click.UsageError("name the patient, and give a --reason, which stays in the ledger")
    who = named(by, "forgets the patient")
    if not is_name(reason):
        raise click.UsageError("--reason: expected a text of 1 to 128 characters, no control characters")
    if is_named_in(f"{reason}\n{who}", patient):
        raise click.UsageError("--reason and --by stay in the ledger: do not name the patient in them")
    return Wanted(patient, who, reason, also)


def _forgotten_before(ledger: EpisodeLedger, patient: str | None) -> Sequence[str]:
    if patient is not None:
        raise click.UsageError("--finish is about those forgotten before; leave the patient out")
    if not (episodes := sorted(ledger.forgotten())):
        raise click.UsageError("nobody was forgotten in this ledger, so nothing is left of them")
    return episodes


def _planned(setup: Setup, ledger: EpisodeLedger, wanted: Wanted) -> ErasurePlan:
    try:
        made = plan(ledger, setup.book, wanted.patient, wanted.also)
    except UnknownPatient:
        raise click.UsageError(
            "the ledger knows no such patient, or has forgotten them; 'forget --finish' takes away what is left"
        ) from None
    except AlsoAnothers as trouble:
        raise click.UsageError(
            f"once opened for this patient, and another's now: {trouble}. Their entries are all under one key: with"
            " --also EPISODE for each they are forgotten as well, and the other patient loses them"
        ) from None
    if strange := sorted(set(wanted.also) - set(made.episodes)):
        raise click.UsageError(f"--also: never opened for this patient: {', '.join(strange)}")
    return made


def _confirm(made: ErasurePlan, yes: bool) -> None:
    say(printable(f"To be forgotten: {_summary(made)}. {GONE}"))
    if not yes:
        if not sys.stdin.isatty():
            raise click.UsageError("nothing was done; give --yes where nobody can be asked")
        click.confirm("Forget them?", abort=True, err=True)


def _summary(made: ErasurePlan) -> str:
    return (
        f"{counted(made.entries, 'entry', 'entries')} of {counted(len(made.episodes), 'episode')};"
        f" {counted(made.days, 'billable day')} in {counted(len(made.lines), 'line')} over {dollars(made.cents)}"
        " stay without a name"
    )


def _forget(setup: Setup, ledger: EpisodeLedger, wanted: Wanted, yes: bool) -> Sequence[str]:
    """Record it and destroy the keys; planned again as long as others record in between."""
    _confirm(_planned(setup, ledger, wanted), yes)
    for _ in range(ATTEMPTS):
        made = _planned(setup, ledger, wanted)
        act = made.act(ledger, utc_now(), wanted.who, wanted.reason, random_nonces(1)[0])
        try:
            ledger.record_forgetting(act, made.position)
        except RecordConflictError:
            continue
        say(f"Forgotten: {_summary(made)}.")
        return made.episodes
    raise StoreError("others kept recording, and nothing was forgotten; try again when they are done")


def _scrubbed(ledger: EpisodeLedger) -> bool:
    """Whether nothing of the keys is left in the database's own files; it is told, for the act stands by now."""
    try:
        return ledger.scrub()
    except StoreError:
        return False


def _take_away(setup: Setup, episodes: Sequence[str], last: datetime) -> list[Recalled] | None:
    """The read model, and what was written for others; None if something stood in the way of that.

    A backup that was begun after the ``last`` act of forgetting has no keys that are gone.
    """
    try:
        for path in remove_models(setup.places):
            say(printable(f"Removed {path}."))
        older = {each.path for each in handed_out(setup.places) if not _is_after(each.at, last)}
        outcomes = take_back(setup.places, episodes)
    except (ViewsError, OSError) as trouble:
        why = (trouble.strerror if isinstance(trouble, OSError) else None) or trouble
        say(printable(f"What was made of the entries could not be taken away: {why}."))
        return None
    return [each for each in outcomes if each.became != "backup" or _is_from(each, older)]


def _is_after(at: str, last: datetime) -> bool:
    try:
        return parse_instant(at) > last
    except ValueError:  # the list was meddled with
        return False


def _is_from(backup: Recalled, older: Collection[str]) -> bool:
    """Whether a backup, or the folder of an unfinished one, is one of the older ones, or may be."""
    return str(backup.path) in older or not backup.path.is_file()


_LEFT: Final = {
    "download": "was given out to a browser; the access records say to whom: ask them to remove it",
    "changed": "is not as this program wrote it any more: look yourself whether the patient is in it",
    "backup": "is a backup from before: it holds the keys, so remove it when a newer one is good",
}


def _say_outcomes(clean: bool, outcomes: Sequence[Recalled] | None) -> None:
    for outcome in outcomes or ():
        if outcome.became in _LEFT:
            say(printable(f"{outcome.path} {_LEFT[outcome.became]}."))
        elif outcome.became == "removed":
            say(printable(f"Removed {outcome.path}."))
    if not clean:
        say(
            "The destroyed keys may still stand in the database's own log, wrapped with the master key: they go when"
            " every program that has the ledger open has ended. PostgreSQL: see 'help postgresql-and-forgetting'."
        )
    if outcomes is None:
        say("The entries are forgotten all the same; 'episode-ledger forget --finish' takes the rest away later.")
    if not clean or outcomes is None or any(outcome.became in _LEFT for outcome in outcomes):
        sys.exit(1)
