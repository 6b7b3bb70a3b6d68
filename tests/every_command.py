"""Every command of the command line, as the command line itself has them: what a list in a test must not forget."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import click

from commands.cli import cli


def every_command() -> set[str]:
    """The commands with their subcommands, as they are typed: ``days``, ``claims plan``."""
    return {" ".join(path) for path in _leaves(cli, click.Context(cli, info_name="episode-ledger"))}


def _leaves(command: click.Command, context: click.Context, path: Sequence[str] = ()) -> Iterator[Sequence[str]]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from _leaves(below, click.Context(below, parent=context, info_name=name), (*path, name))
    if path and (not isinstance(command, click.Group) or command.invoke_without_command):
        yield path


def commands_in(typed: Iterable[Sequence[object]]) -> set[str]:
    """Which commands some command lines are of."""
    known = every_command()
    found = set()
    for line in typed:
        words = [str(word) for word in line]
        found |= {" ".join(words[:2]) if " ".join(words[:2]) in known else words[0]}
    assert found <= known, found - known
    return found
