"""``page``: one episode on one page, for whoever has to be shown it."""

from __future__ import annotations

import sys
from datetime import datetime

import click

from commands.terminal.handing_out import also_shows_option, giving, refuse_others
from commands.terminal.options import Setup, known_at_option, no_episode
from commands.terminal.output import Output, out_option


@click.command()
@click.argument("episode")
@out_option("FILE.html", "Where to write it. Default: standard output.", forceable=True)
@also_shows_option
@known_at_option
@click.pass_obj
def page(
    setup: Setup, /, episode: str, out: Output | None, also_shows: tuple[str, ...], known_at: datetime | None
) -> None:
    """Write an episode's days, verdicts, causes and entries as one HTML page.

    The page needs nothing else, no script and no network: open it in any browser, print it, or send it. It holds the
    patient's data of this episode; entries of the patient's other episodes are named by their position only. An episode
    whose entries name another patient, too, is refused until --also-shows names them. The same ledger and book give the
    same page.

    \b
    Examples:
      episode-ledger page EP-1 --out EP-1.html
      episode-ledger page EP-1 --known-at 2026-02-10T00:00Z --out EP-1-as-known.html
    """
    from projections.page.html import render_page
    from projections.page.page import page_of

    with setup.open() as ledger, giving(setup, ledger, "page", out.path if out else None) as notes:
        ledger.refuse_forgotten(episode)
        found = page_of(ledger, episode, setup.book, known_at)
        if found is None:
            raise no_episode(known_at)
        refuse_others(ledger, [episode], also_shows, known_at)
        html = render_page(found).encode()
        if out is not None:
            notes.content(html, [episode])
            out.write(html)
            return
    sys.stdout.buffer.write(html)
    sys.stdout.buffer.flush()
