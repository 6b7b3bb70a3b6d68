"""The pages are right: links lead somewhere, commands exist, what is shown is what comes out, lists are complete."""

from __future__ import annotations

import ast
import re
import shlex
from typing import Any

import click
import msgspec
import pytest

from commands.cli import cli
from ledger.book import Terms
from scripts import transcripts
from tests import ROOT

DOCS = ROOT / "docs"
PAGES = sorted({*ROOT.glob("*.md"), *DOCS.rglob("*.md")})
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]


def root_context() -> click.Context:
    """As the command line makes it: a command keeps what it was first asked for help with."""
    return click.Context(cli, info_name="episode-ledger", **cli.context_settings)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


# Links


def without_code(page: str) -> str:
    return re.sub(r"^```.*?^```$|`[^`\n]+`", "", page, flags=re.MULTILINE | re.DOTALL)


def links(page: str) -> list[str]:
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", without_code(page)) if not re.match(r"[a-z]+:", link)]


def anchors(page: str) -> set[str]:
    """The anchors of a page's headings, as they are made from their words."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def leads_nowhere(name: str, link: str) -> bool:
    place, _, anchor = link.partition("#")
    target = (ROOT / name).parent / place if place else ROOT / name
    if not target.exists():
        return True
    return bool(anchor) and anchor not in anchors(target.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    assert [link for link in links(text(name)) if leads_nowhere(name, link)] == []


def test_a_link_that_leads_nowhere_is_found() -> None:
    page = "[a](docs/none.md) [b](docs/README.md) [c](docs/README.md#none) [d](https://example.org) `[e](f)`"
    assert [link for link in links(page) if leads_nowhere("README.md", link)] == ["docs/none.md", "docs/README.md#none"]


def test_every_page_is_reached_from_the_index() -> None:
    reached, left = set(), [DOCS / "README.md"]
    while left:
        page = left.pop()
        if page not in reached and page.suffix == ".md":
            reached.add(page)
            left += [
                (page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text(encoding="utf-8"))
            ]
    assert set(DOCS.rglob("*.md")) - reached == set()


# Commands


def shown_commands(page: str) -> list[str]:
    """Every command line that a page shows in a block: indented, fenced, or after a prompt."""
    joined = page.replace("\\\n", " ")
    lines = re.findall(r"^(?: {4}|\$ |)((?:[A-Z_]+=\S+ )*(?:[\w.-]+ \| )?episode-ledger .*)$", joined, re.MULTILINE)
    return [line[line.index("episode-ledger ") :] for line in lines]


def trouble_with(line: str) -> str | None:
    """What the command line says of it, without looking at any value."""
    words = shlex.split(re.split(r"\s[|>;]|\s&&|\s2>", line)[0], comments=True)[1:]
    root = root_context()
    try:
        _, rest, _ = cli.make_parser(root).parse_args(list(words))
        if not rest:
            return None if "--help" in words or "--version" in words else "no command"
        command = cli.get_command(root, rest[0])
        if command is None:
            return f"no command {rest[0]}"
        context = click.Context(command, info_name=rest[0], parent=root)
        if isinstance(command, click.Group):
            alone = command.invoke_without_command and rest[1:2] == [each for each in rest[1:2] if each[0] == "-"]
            if not alone and (len(rest) < 2 or rest[1] not in command.commands):
                return f"no command {' '.join(rest[:2])}"
            if not alone:
                rest = rest[1:]
                command = command.commands[rest[0]]
                context = click.Context(command, info_name=rest[0], parent=context)
        given, left, _ = command.make_parser(context).parse_args(rest[1:])
    except click.UsageError as error:
        return error.format_message()
    arguments = [param for param in command.params if isinstance(param, click.Argument) and param.required]
    missing = [each.name for each in arguments if not isinstance(given.get(each.name or ""), str | tuple | list)]
    return f"too many words: {left}" if left else f"missing: {missing}" if missing else None


@pytest.mark.parametrize("name", [name for name in NAMES if name != "docs/reference/commands.md"])
def test_every_command_shown_exists_with_its_options(name: str) -> None:
    shown = shown_commands(text(name))
    assert [(line, trouble) for line in shown if (trouble := trouble_with(line))] == []


def test_the_pages_show_most_commands() -> None:
    shown = {word for name in NAMES for line in shown_commands(text(name)) for word in line.split()}
    assert set(cli.list_commands(root_context())) - shown == set()
    assert len(shown_commands(text("docs/start/first-episode.md"))) > 8


@pytest.mark.parametrize(
    "line",
    ["episode-ledger dais", "episode-ledger days --form x", "episode-ledger why EP-1", "episode-ledger why EP-1 D X"],
)
def test_a_command_that_does_not_exist_is_found(line: str) -> None:
    assert trouble_with(line)


# What is shown


@pytest.mark.process
@pytest.mark.parametrize("name", transcripts.PAGES)
def test_what_a_page_shows_is_what_its_commands_print(name: str) -> None:
    page = text(name)
    assert transcripts.commands_of(page)
    assert page == transcripts.run_anew(page), "run scripts/reference and look at what changed"


@pytest.mark.process
def test_what_is_no_longer_printed_is_found() -> None:
    page = "```console\n$ echo it was 2026-01-01 10:00\nit was 2026-01-01 09:59\n\n$ echo new\nold\n```\n"
    assert transcripts.run_anew(page) == page.replace("old", "new")


# Lists


def test_every_refusal_code_is_explained() -> None:
    explained = re.findall(r"^\| `(\w+)` \|", text("docs/reference/messages.md"), re.MULTILINE)
    agreed = re.search(r"Codes:\n(.*?)\. No refused line", text("docs/reference/contract.md"), re.DOTALL)
    assert agreed
    ours = "identity_in_the_open"  # the text on claims asks for the refusal and gives it no code
    assert sorted(explained) == sorted([*re.findall(r"`(\w+)`", agreed[1]), ours])


def options(command: click.Command) -> list[Any]:
    return [param for param in command.params if isinstance(param, click.Option)]


def test_every_environment_variable_is_explained() -> None:
    root = root_context()
    commands = [cli, *filter(None, (cli.get_command(root, name) for name in cli.list_commands(root)))]
    read = {option.envvar for command in commands for option in options(command) if option.envvar}
    assert set(re.findall(r"^\| `(\w+)` \|", text("docs/reference/environment.md"), re.MULTILINE)) == read


def test_every_command_that_ends_with_1_by_a_check_is_listed() -> None:
    root = root_context()
    checking = {name for name in cli.list_commands(root) if "--check " in text_of(cli.get_command(root, name), root)}
    listed = set(re.findall(r"`(\w+)(?: --check)?`", text("docs/reference/exit-status.md")))
    assert checking - listed == set()


def text_of(command: click.Command | None, root: click.Context) -> str:
    assert command is not None
    return command.get_help(click.Context(command, parent=root))


def test_every_term_is_described() -> None:
    described = re.findall(r"^\| `(\w+)` \| \S.* \| \S.* \| \S.* \|$", text("docs/reference/terms.md"), re.MULTILINE)
    assert {field.encode_name for field in msgspec.structs.fields(Terms)} <= set(described)


# The words of the code


def public_classes() -> set[tuple[str, str]]:
    """The public classes of the rooms whose words the glossary explains, each with its file."""
    files = (
        path
        for room in ("ledger/judge", "projections/reading", "projections/rows")
        for path in (ROOT / room).glob("*.py")
    )
    return {
        (node.name, path.relative_to(ROOT).as_posix())
        for path in files
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def explained(page: str) -> set[tuple[str, str]]:
    """The classes that a page's tables explain, each with the file named beside it."""
    return set(re.findall(r"^\| `(\w+)` \| `([\w/]+\.py)` \| \S", page, re.M))


def test_every_class_of_the_judge_and_its_readers_is_in_the_glossary_and_nothing_else() -> None:
    assert explained(text("docs/glossary.md")) == public_classes()


def test_a_class_that_the_glossary_misses_is_found() -> None:
    page = text("docs/glossary.md").replace("| `Cohort` |", "| `Kin` |")
    assert public_classes() - explained(page) == {("Cohort", "projections/reading/cohorts.py")}
