"""Files of an encrypted ledger's data are listed before they are written, so that ``forget`` can take them back."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click

from commands.outside import utc_now
from commands.terminal.options import Setup
from ledger.keys.cipher import MasterKeyError
from ledger.recorders import StoreError
from ledger.store import EpisodeLedger, open_ledger
from projections.erasure import handed_out
from projections.erasure.handed_out import HandedOut
from projections.read_model.generations import Places
from projections.reading.also_named import AlsoNamed, also_named
from projections.words import utc_text


class Notes:
    """Lists a file that a command writes; of a ledger that can forget nobody, and without a path, nothing is listed."""

    def __init__(self, places: Places | None, command: str, path: Path | None) -> None:
        self._places, self._command, self._path = places, command, path

    def content(self, content: bytes, episodes: Sequence[str] | None = None) -> None:
        """It is about to be written with this content: of these episodes, else of any."""
        self._note(hashlib.sha256(content).hexdigest(), episodes)

    def begun(self) -> None:
        """It is about to be written; its content is not known yet."""
        self._note(None)

    def whole(self, file: Path) -> None:
        """What was begun is whole; ``file`` tells it from others: itself, or an export's manifest."""
        if self._places:
            with file.open("rb") as stream:
                self._note(hashlib.file_digest(stream, "sha256").hexdigest())

    def _note(self, sha256: str | None, episodes: Sequence[str] | None = None) -> None:
        if self._places and self._path:
            about = None if episodes is None else tuple(episodes)
            path = str(handed_out.real(self._path))
            handed_out.note(self._places, HandedOut(utc_text(utc_now()), self._command, path, sha256, about))


@contextmanager
def giving(setup: Setup, ledger: EpisodeLedger, command: str, path: Path | None) -> Iterator[Notes]:
    """To be entered before the ledger is read for a file, and left when the file stands; None is standard output."""
    with _giving(setup, command, path if ledger.encrypted else None) as notes:
        yield notes


@contextmanager
def giving_unopened(setup: Setup, command: str, path: Path) -> Iterator[Notes]:
    """The same where the ledger is not opened, and its master key perhaps not named."""
    with _giving(setup, command, path if _is_encrypted(setup) else None) as notes:
        yield notes


@contextmanager
def _giving(setup: Setup, command: str, path: Path | None) -> Iterator[Notes]:
    if path is None:
        yield Notes(None, command, None)
        return
    with handed_out.giving(setup.places):
        yield Notes(setup.places, command, path)


def _is_encrypted(setup: Setup) -> bool:
    """Whether the ledger opens with its master key only; whatever else keeps it shut, the command itself will tell."""
    try:
        with open_ledger(setup.ledger_name, create=False):
            return False
    except MasterKeyError:
        return True
    except StoreError:
        return False


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
