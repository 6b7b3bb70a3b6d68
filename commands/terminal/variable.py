"""Options that a variable of the environment may give as well, where one that is set and empty is a mistake."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click
from click.core import ParameterSource


class VariableOption(click.Option):
    """An option with a variable, where an empty value of either is refused.

    Click takes an empty variable for one that is not set: a script that fails to fill it would get a plain ledger, or
    one in another place.
    """

    def consume_value(self, ctx: click.Context, opts: Mapping[str, Any]) -> tuple[Any, ParameterSource]:
        """The value, and where it comes from."""
        value, source = super().consume_value(ctx, opts)
        if value == "" or (source not in _GIVEN and self.is_empty()):
            name = self.opts[0] if value == "" else self.envvar
            raise click.UsageError(f"{name} is empty; give it a value, or leave it out", ctx)
        return value, source

    def is_empty(self) -> bool:
        """Whether the variable is set and empty."""
        return isinstance(self.envvar, str) and os.environ.get(self.envvar) == ""


_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.PROMPT)
