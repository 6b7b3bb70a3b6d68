"""What is handed out of an episode that names another patient, too: only when that was asked for, by name."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import click

from ledger.store import EpisodeLedger
from projections.reading.also_named import AlsoNamed, also_named

also_shows_option = click.option(
    "--also-shows", multiple=True, metavar="NAME",
    help="Hand it out although it names this patient, too, whose the episode is not, or no more. May be given several"
    " times.",
)  # fmt: skip


def refuse_others(
    ledger: EpisodeLedger,
    episodes: Sequence[str],
    also_shows: Sequence[str],
    known_at: datetime | None = None,
    upto: int | None = None,
) -> None:
    """UsageError if what these episodes tell names a patient besides their own who was not named with it."""
    found = [also_named(ledger, episode, known_at, upto) for episode in episodes]
    for each in found:
        if each.besides(also_shows):
            raise click.UsageError(
                f"episode {each.episode} names another patient than the one whose it is now{_where(each)}, and would"
                f" show both: with --also-shows NAME for each it does; 'replay {each.episode}' says who"
            )
    if set(also_shows) - {name for each in found for name in each.patients}:
        raise click.UsageError("--also-shows: a name that these episodes do not show besides their patient's")


def _where(found: AlsoNamed) -> str:
    entries = ", ".join(f"{found.episode}:{version}" for version in found.versions)
    return f" ({entries})" if entries else ""
