"""``help``: the pages of the documentation, installed with the program."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Final

import click

PAGES: Final = Path(__file__).parent.parent / "manual"
"""The pages: in a checkout a link to ``docs``, in an installed program the files themselves."""
_SECTIONS: Final = {
    "start": "Start", "how-to": "How to", "reference": "Reference", "why": "Why", ".": "More", "examples": "Examples",
    "design": "Design records",
}  # fmt: skip


@click.command()
@click.argument("topic", required=False)
@click.pass_context
def help(ctx: click.Context, topic: str | None) -> None:
    """Show a page of the documentation; without TOPIC, the list of pages.

    TOPIC may also be a command: then its options are shown.

    \b
    Examples:
      episode-ledger help
      episode-ledger help first-episode
      episode-ledger help rulebook
    """
    pages = topics()
    if topic is None:
        click.echo(_listed(pages))
    elif topic in pages:
        click.echo_via_pager(pages[topic].read_text(encoding="utf-8"))
    else:
        click.echo(_options_of(ctx.find_root(), topic, list(pages)))


def topics() -> dict[str, Path]:
    """Each page by its topic, in the order of the list."""
    pages = [path for folder in _SECTIONS for path in sorted((PAGES / folder).glob("*.md"))]
    if not pages:
        raise click.ClickException("the pages of the documentation were not installed with this program")
    return {_topic(path): path for path in pages if path != PAGES / "README.md"}


def _topic(path: Path) -> str:
    return path.parent.name if path.stem == "README" else path.stem


def _listed(pages: dict[str, Path]) -> str:
    lines = ["Pages: episode-ledger help TOPIC"]
    width = max(map(len, pages))
    section = None
    for topic, path in pages.items():
        if path.parent != section:
            section = path.parent
            lines += ["", _SECTIONS[path.parent.relative_to(PAGES).as_posix()]]
        lines.append(f"  {topic:{width}}  {_title(path)}")
    return "\n".join(lines)


def _title(path: Path) -> str:
    with path.open(encoding="utf-8") as page:
        return page.readline().lstrip("#").strip()


def _options_of(root: click.Context, topic: str, pages: list[str]) -> str:
    """What ``--help`` shows of a command; else the error that names the nearest topic."""
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, topic)
    if command is not None:
        return command.get_help(click.Context(command, parent=root, info_name=topic))
    known = [*pages, *root.command.list_commands(root)]
    nearest = get_close_matches(topic.lower(), known, n=1, cutoff=0.0)[0]
    raise click.UsageError(f"there is no such page; the nearest is {nearest!r}. 'episode-ledger help' lists all")
