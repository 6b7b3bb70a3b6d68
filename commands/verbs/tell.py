"""``tell``, ``resolve`` and ``void-episode``: one fact or act, said in words."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import click

from commands.door.shapes import EVENTS
from commands.door.spoken import NOTHING, NotUnderstood, fact_of, fault_in, missing_fields, value_of
from commands.recording.one_thing import Saying, say_things, saying_options
from commands.recording.suggest import FieldWords, TypeName
from commands.terminal.options import SERVICE_DATE, Setup
from commands.terminal.show import printable, say

_reason = click.option("--reason", metavar="TEXT", required=True, help="Why; it stays in the ledger.")


@click.command()
@click.argument("episode")
@click.argument("type", type=TypeName())
@click.argument("words", nargs=-1, type=FieldWords(), metavar="[FIELD=VALUE]...")
@saying_options
@click.pass_obj
def tell(setup: Setup, /, episode: str, type: str, words: tuple[str, ...], **options: Any) -> None:
    """Record one fact or act of EPISODE: its TYPE, such as DayServed, and its fields as FIELD=VALUE.

    What would change is shown first, and you are asked; --yes answers where nobody can be asked. On a terminal you are
    asked for fields that are missing. A list has commas between its parts; the lines of a claim are told one by one
    (line=code=S9325,from=2026-02-02,to=2026-02-04,units=3,charge_cents=27000), or as JSON. An empty value (to=) is no
    value. What the fact refers to and nobody knows (an order, a payer of the book) is said, and recorded all the same.

    Exits with 1 if the ledger refuses it.

    \b
    Examples:
      episode-ledger tell EP-1 DayServed order=RX-1 date=2026-02-09 --dry-run
      episode-ledger tell EP-1 PainAssessed date=2026-02-09 score=4 --yes
      episode-ledger tell EP-1 ResponseNoted date=2026-02-09 note="sleeps through" --yes
    """
    try:
        fact = fact_of(type, words)
    except NotUnderstood as error:
        raise click.UsageError(f"nothing was recorded: {error}") from None
    if sys.stdin.isatty():
        _ask_for(fact, missing_fields(fact))
    say_things(setup, Saying(**options), episode, [fact], create=type == "EpisodeOpened")


def _ask_for(fact: dict[str, Any], names: Iterable[str]) -> None:
    """Ask for fields until each is what it should be; what is wrong with an answer is said."""
    for name in names:
        form = EVENTS[fact["type"]].fields[name].form
        fault: str | None = ""
        while fault is not None:
            fact[name] = value_of(form, click.prompt(f"{name} ({form.expected})", err=True))
            if fault := fault_in(fact["type"], name, fact[name]):
                say(printable(fault.replace("send the line again", "say it again")))


@click.command()
@click.argument("episode")
@click.argument("date", type=SERVICE_DATE)
@click.argument("code", metavar="CODE|nothing")
@_reason
@saying_options
@click.pass_obj
def resolve(setup: Setup, /, episode: str, date: str, code: str, reason: str, **options: Any) -> None:
    """Decide what EPISODE bills on DATE where codes or episodes are in conflict: this CODE, or nothing.

    \b
    Examples:
      episode-ledger resolve EP-1 2026-02-02 S9325 --reason "pump log checked" --dry-run
      episode-ledger resolve EP-1 2026-02-02 nothing --reason "billed in the other episode" --yes
    """
    bill = None if code in NOTHING else code
    fact = {"type": "ConflictResolved", "date": date, "bill": bill, "reason": reason}
    say_things(setup, Saying(**options), episode, [fact])


@click.command()
@click.argument("episode")
@_reason
@saying_options
@click.pass_obj
def void_episode(setup: Setup, /, episode: str, reason: str, **options: Any) -> None:
    """Void EPISODE: it was opened in error. It has no days any more, and nothing in it counts but its claims.

    To take it back, retract what it answers (SOURCE:ID).

    \b
    Examples:
      episode-ledger void-episode EP-1 --reason "opened twice" --dry-run
      episode-ledger void-episode EP-1 --reason "opened twice" --yes
    """
    say_things(setup, Saying(**options), episode, [{"type": "EpisodeVoided", "reason": reason}])
