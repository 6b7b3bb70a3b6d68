"""The forms of single values that several tables of the book share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from msgspec import Meta

from ledger.facts.forms import Bound, check_npi, has_npi_check_digit


def form_of(says: str, check: Callable[[Any], Any] | None = None, **constraints: Any) -> Meta:
    """What a value must be, in words, and the check that goes with it."""
    return Meta(description=says, extra={"bound": Bound(check)}, **constraints)


def _check_npi(value: Any) -> Any:
    try:
        return check_npi(value)
    except ValueError:
        if len(value) != 10 or not (value.isascii() and value.isdigit()):
            raise
        right = next(digit for digit in "0123456789" if has_npi_check_digit(value[:9] + digit))
        raise ValueError(f"{value[:9]} ends in {right}") from None


Name = Annotated[str, Meta(min_length=1, max_length=1000)]
BookNpi = Annotated[str, form_of("an NPI: ten digits with a valid check digit", _check_npi)]
