"""What every act at the site is: fields, an effect that is shown first, and what became of it.

The identity of what is recorded is made with the form, so that a second click records nothing more.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, NamedTuple, Protocol

from commands.desk.fields import Control, Texts
from commands.outside import random_nonces, utc_now
from commands.terminal.options import Setup
from commands.writing.handle import WrongClock
from ledger.book import Book

_IDENTITY: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{32}\Z")


class Desk(NamedTuple):
    """The ledger, the book as it is now, and who acts."""

    setup: Setup
    book: Book
    by: str


class Stopped(Exception):
    """The act cannot be done as things are; sentences say why, and what to do, and may name ``patients``."""

    def __init__(self, *sentences: str, patients: Iterable[str] = ()) -> None:
        super().__init__(*sentences)
        self.sentences, self.patients = sentences, frozenset(patients)


class Part(NamedTuple):
    """A heading with lines below it."""

    heading: str
    lines: tuple[str, ...] = ()


class Download(NamedTuple):
    """A file that goes with an effect: what the button says that asks for it, and its step."""

    step: str
    says: str


class Preview(NamedTuple):
    """What would be recorded, what of it refers to nothing known, and what would change; ``patients`` are those whose
    data it shows, as far as the page does not know them."""

    shown: list[tuple[str, str]]
    notes: list[str]
    effect: list[Part]
    patients: frozenset[str] = frozenset()
    downloads: tuple[Download, ...] = ()


class Done(NamedTuple):
    """What became of an act; ``patients`` likewise."""

    sentence: str
    effect: list[Part]
    patients: frozenset[str] = frozenset()
    downloads: tuple[Download, ...] = ()


class Act(Protocol):
    """One act: how it is asked for, shown, and done."""

    title: str
    about: str

    def hidden(self) -> dict[str, str]:
        """What a new form carries along unseen: its identity, and what the act was begun upon."""

    def begin(self) -> dict[str, str]:
        """What stands in the fields of a new form."""

    def errors(self, told: Texts) -> Mapping[str, str]:
        """What is wrong with what was told, by field; under the empty name what is wrong with all of it."""

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The fields of the form."""

    def preview(self, told: Texts) -> Preview:
        """What would become of it; Stopped if it would be refused. Records nothing."""

    def do(self, told: Texts) -> Done:
        """Do it; Stopped if it is refused."""


def new_identity() -> str:
    """The identity of what a form records: when the form was made, and chance."""
    return f"{utc_now():%Y%m%dT%H%M%SZ}-{random_nonces(1)[0]}"


def identity_of(told: Texts) -> str:
    """The identity that a form carries; Stopped if it was not made here."""
    identity = told.get("id", "")
    if not _IDENTITY.match(identity):
        raise Stopped("The form is not whole.", "Open it again.")
    return identity


NOTHING: Final = "Nothing was recorded: the ledger has this already."
SENT_BEFORE: Final = (
    "This form was sent before, and told something else then.",
    "Nothing of this was recorded. Open the form again.",
)
"""What is said of a form that was recorded and comes again with something else in it, as by the browser's way back."""


def or_there(do: Callable[[], Done], is_there: Callable[[], bool]) -> Done:
    """What becomes of an act; of two clicks at one moment the second may be stopped by what the first recorded, and is
    told that it is there."""
    try:
        return do()
    except Stopped:
        if is_there():
            return Done(NOTHING, [])
        raise


def nonce_of(identity: str, number: int) -> str:
    """The nonce of a form's act of the house: from the form's identity, whose chance nobody can guess, so that each is
    recorded once."""
    return hashlib.sha256(f"{identity} {number}".encode()).hexdigest()[:32]


def parted(lines: Iterable[str]) -> list[Part]:
    """The lines of an effect under their headings."""
    found: list[Part] = []
    for line in lines:
        if line.startswith("  ") and found:
            found[-1] = Part(found[-1].heading, (*found[-1].lines, line.strip()))
        else:
            found.append(Part(line))
    return found


@contextmanager
def clock_stops() -> Iterator[None]:
    """A clock that cannot be right stops the act."""
    try:
        yield
    except WrongClock as doubt:
        raise Stopped(
            f"The clock of this machine cannot be right: {doubt}.",
            "Nothing was recorded. Set the clock; if it is right, 'record --clock-is-right' goes on once.",
        ) from None
