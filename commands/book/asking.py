"""Questions to a person who fills in a file of the book: each answer is looked at before the next is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import click
import msgspec
from msgspec import Struct

from ledger.book.meanings import MEANS
from ledger.book.mistakes import expected_of, mistakes_in


def ask_keys(struct: type[Struct], keys: Iterable[str], defaults: Mapping[str, str]) -> dict[str, Any]:
    """The answers for some keys of a table, in their order; a key answered with nothing is left out."""
    types = {field.encode_name: field.type for field in msgspec.structs.fields(struct)}
    answers = {}
    for key in keys:
        answer = _asked(struct, key, types[key], defaults.get(key))
        if answer is not None:
            answers[key] = answer
    return answers


def _asked(struct: type[Struct], key: str, hint: Any, default: str | None) -> Any:
    click.echo(f"\n{MEANS[struct][key].replace('`', '')}", err=True)
    click.echo(f"  {expected_of(hint)}", err=True)
    while True:
        text = click.prompt(key, default=default, err=True).strip()
        if not text:
            return None
        value = answer_of(text, key)
        wrong = next(mistakes_in(value, hint, key), None)
        if wrong is None:
            return value
        click.echo(f"  {wrong}", err=True)


def answer_of(text: str, key: str) -> Any:
    """What was typed, as the value it means where it can mean one; the check of the key says the rest."""
    if text.lower() in ("yes", "y", "true", "no", "n", "false") and key.endswith(("_codes", "_required")):
        return text.lower() in ("yes", "y", "true")
    if key.endswith("_days") and text.isascii() and text.isdigit():
        return int(text)
    try:
        return date.fromisoformat(text)
    except ValueError:
        return text


def ask_dollars(what: str) -> int | None:
    """Dollars as they are written on a contract, in cents; None if nothing was answered."""
    while True:
        text = click.prompt(what, default="", show_default=False, err=True).strip().removeprefix("$").replace(",", "")
        if not text:
            return None
        try:
            cents = Decimal(text) * 100
        except InvalidOperation:
            cents = Decimal("NaN")
        if cents.is_finite() and cents == cents.to_integral_value() and cents >= 0:
            return int(cents)
        click.echo("  expected dollars such as 133.00", err=True)
