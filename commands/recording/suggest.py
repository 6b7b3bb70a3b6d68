"""What the shell completes of one thing that is said: names of facts, their fields, and values the ledger knows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Final

import click
from click.shell_completion import CompletionItem

from commands.door.shapes import EVENTS, Shape
from commands.door.spoken import choices_of
from commands.terminal.options import Setup
from ledger.book import Book
from ledger.facts.entry import Entry
from ledger.facts.events import AuthorizationGranted, ClaimSubmitted, TherapyHeld, TherapyOrdered
from ledger.facts.liveness import live_entries

_KNOWN_BY: Final = {"order": TherapyOrdered, "hold": TherapyHeld, "claim": ClaimSubmitted, "replaces": ClaimSubmitted,
                    "number": AuthorizationGranted}  # fmt: skip
"""Fields that name what another fact of the episode has named."""
_NAMED_IN: Final = {"replaces": "claim"}
_CODES: Final = ("code", "codes", "hcpcs", "bill")


class TypeName(click.ParamType[str]):
    """The name of a fact or act."""

    name = "TYPE"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The facts and acts that begin so."""
        return _beginning(EVENTS, incomplete)


class FieldWords(click.ParamType[str]):
    """``field=value`` of the fact whose type was given before."""

    name = "FIELD=VALUE"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Fields not given yet that begin so; or values of the field that stands before the equals sign.

        Bash parts a word at ``=``: there the field and the sign are words of their own.
        """
        given = [str(word) for word in ctx.params.get(param.name or "") or ()]
        shape = EVENTS.get(str(ctx.params.get("type")))
        if shape is None:
            return []
        parted = [word for word in given if word != "="][-1:]
        if given[-1:] == ["="] or (parted and not incomplete and parted[0] in shape.fields):
            return _beginning(_values(ctx, shape, "".join(parted)), incomplete)
        name, equals, start = incomplete.partition("=")
        if equals:
            return [CompletionItem(f"{name}={value.value}") for value in _beginning(_values(ctx, shape, name), start)]
        named = {word.partition("=")[0] for word in given}
        return _beginning((f"{field}=" for field in shape.fields if field not in named), incomplete)


def _beginning(words: Iterable[str], start: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.lower().startswith(start.lower())]


def _values(ctx: click.Context, shape: Shape, name: str) -> Iterator[str]:
    field = shape.fields.get(name)
    if field is None:
        return
    yield from choices_of(field.form.hint)
    setup = ctx.find_object(Setup)
    if setup is None:
        return
    with suppress(Exception):  # no ledger, no key, a mistake in the book: then nothing is known, and nothing is said
        if name == "payer":
            yield from sorted(setup.book.payers)
        elif name in _CODES:
            yield from _codes(setup.book)
        elif name in _KNOWN_BY:
            with setup.open() as ledger:
                yield from names_told(ledger.entries_of(str(ctx.params.get("episode"))), name)


def _codes(book: Book) -> list[str]:
    return sorted(book.codes)


def known_values(book: Book, entries: Sequence[Entry], name: str) -> list[str]:
    """What the book and an episode's entries know that a field of this name may be; empty if it is not such a field."""
    if name == "payer":
        return sorted(book.payers)
    return _codes(book) if name in _CODES else names_told(entries, name)


def names_told(entries: Sequence[Entry], name: str) -> list[str]:
    """What facts of an episode have named that a field of this name names."""
    kind = _KNOWN_BY.get(name)
    facts = [live.fact for live in live_entries(entries)] if kind else []
    return sorted({getattr(fact, _NAMED_IN.get(name, name)) for fact in facts if kind and isinstance(fact, kind)})
