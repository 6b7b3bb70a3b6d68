"""``completion``: the script that teaches a shell the verbs and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      eval "$(episode-ledger completion bash)"      in ~/.bashrc
      eval "$(episode-ledger completion zsh)"       in ~/.zshrc
      episode-ledger completion fish > ~/.config/fish/completions/episode-ledger.fish
    """
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(ctx.find_root().command, {}, "episode-ledger", "_EPISODE_LEDGER_COMPLETE").source())
