"""Mistakes in how options are given: a variable that is set and empty, an option of one value that stands twice."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping, Sequence
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


def refuse_repeated(command: click.Command, args: Sequence[str], parent: click.Context) -> None:
    """Refuse an option that takes one value and is given twice: of two payers, one would be passed over and nobody
    told. Other mistakes are told where the verb is parsed."""
    ctx = click.Context(command, parent=parent, info_name=command.name)
    try:
        _, rest, order = command.make_parser(ctx).parse_args(list(args))
    except click.UsageError:
        return
    for option, times in Counter(order).items():
        if isinstance(option, click.Option) and times > 1 and not (option.multiple or option.is_flag or option.count):
            raise click.UsageError(f"{option.opts[0]} is given twice; give it once", ctx)
    if isinstance(command, click.Group) and rest and (verb := command.get_command(ctx, rest[0])) is not None:
        refuse_repeated(verb, rest[1:], ctx)
