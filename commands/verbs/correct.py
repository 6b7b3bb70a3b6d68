"""``correct``, ``retract``, ``unretract`` and ``move-patient``: earlier entries righted or taken back, never edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from commands.door.spoken import NotUnderstood, fact_of
from commands.recording.one_thing import Saying, say_things, saying_options
from commands.recording.suggest import FieldWords
from commands.terminal.options import Setup
from commands.writing.mending import (
    NoSuchEntry,
    correction,
    entry_named,
    opening_of,
    restorations,
    retraction,
    stated_now,
)
from ledger.facts.entry import Entry
from projections.reading.held import held_entries

Facts = Callable[[Sequence[Entry]], Sequence[dict[str, Any]]]

_reason = click.option("--reason", metavar="TEXT", required=True, help="Why; it stays in the ledger.")
_entry = click.argument("entry", metavar="SOURCE:ID")


def _mend(setup: Setup, options: dict[str, Any], episode: str, facts: Facts) -> None:
    """Say what mends an episode as its entries are now."""
    with setup.open() as ledger:
        ledger.refuse_forgotten(episode)
        entries = held_entries(ledger, [episode])[episode]
    try:
        told = facts(entries)
    except (NoSuchEntry, NotUnderstood) as error:
        raise click.UsageError(f"nothing was recorded: {error}") from None
    say_things(setup, Saying(**options), episode, told)


@click.command()
@click.argument("episode")
@_entry
@click.argument("words", nargs=-1, type=FieldWords(), metavar="FIELD=VALUE...", required=True)
@_reason
@saying_options
@click.pass_obj
def correct(setup: Setup, /, episode: str, entry: str, words: tuple[str, ...], reason: str, **options: Any) -> None:
    """Correct an entry of EPISODE: what it says stays, but for the fields given as FIELD=VALUE.

    SOURCE:ID names the entry as 'why' and 'replay' print it. An empty value (to=) takes a field away; type=TYPE makes
    another fact of it, and then every field is to be given. The entry stays on record beside its correction.

    \b
    Examples:
      episode-ledger correct EP-1 pump:2026-02-03 date=2026-02-04 --reason "misread" --dry-run
      episode-ledger correct EP-1 pump:2026-02-03 infused=false --reason "misread" --yes
    """

    def facts(entries: Sequence[Entry]) -> Sequence[dict[str, Any]]:
        target = entry_named(entries, entry)
        stated = stated_now(entries, target)
        types = [word.removeprefix("type=") for word in words if word.startswith("type=")]
        others = [word for word in words if not word.startswith("type=")]
        fact = fact_of(types[-1], others) if types else fact_of(stated["type"], others, stated)
        return [correction(target, fact, reason)]

    _mend(setup, options, episode, facts)


@click.command()
@click.argument("episode")
@_entry
@_reason
@saying_options
@click.pass_obj
def retract(setup: Setup, /, episode: str, entry: str, reason: str, **options: Any) -> None:
    """Retract an entry of EPISODE: it never happened. It stays on record, and 'unretract' takes the retraction back.

    SOURCE:ID names the entry as 'why' and 'replay' print it. An opening is never retracted: 'void-episode' voids all.

    \b
    Examples:
      episode-ledger retract EP-1 pump:2026-02-03 --reason "another patient's log" --dry-run
      episode-ledger retract EP-1 pump:2026-02-03 --reason "another patient's log" --yes
    """
    _mend(setup, options, episode, lambda entries: [retraction(entry_named(entries, entry), reason)])


@click.command()
@click.argument("episode")
@_entry
@_reason
@saying_options
@click.pass_obj
def unretract(setup: Setup, /, episode: str, entry: str, reason: str, **options: Any) -> None:
    """Take back what retracted an entry of EPISODE: it counts again.

    SOURCE:ID names the entry that was retracted, or the retraction, as 'why' and 'replay' print it.

    \b
    Examples:
      episode-ledger retract EP-1 pump:2026-02-03 --reason "misread" --yes
      episode-ledger unretract EP-1 pump:2026-02-03 --reason "read again" --yes
    """
    _mend(setup, options, episode, lambda entries: restorations(entries, entry_named(entries, entry), reason))


@click.command()
@click.argument("episode")
@click.argument("patient")
@_reason
@saying_options
@click.pass_obj
def move_patient(setup: Setup, /, episode: str, patient: str, reason: str, **options: Any) -> None:
    """Give EPISODE to PATIENT: it was opened for somebody else.

    Its opening is corrected; everything recorded in it goes with it, and is judged beside that patient's other
    episodes. Where two names are one person, see 'merge-patients'.

    \b
    Examples:
      episode-ledger move-patient EP-1 P-2 --reason "charted under the wrong name" --dry-run
      episode-ledger move-patient EP-1 P-2 --reason "charted under the wrong name" --yes
    """

    def facts(entries: Sequence[Entry]) -> Sequence[dict[str, Any]]:
        opening = opening_of(entries)
        return [correction(opening, stated_now(entries, opening) | {"patient": patient}, reason)]

    _mend(setup, options, episode, facts)
