"""The pages of docs/reference, each made from the code it describes."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, get_args

import click
import msgspec

from commands.cli import cli
from commands.door.shapes import EVENTS, Field, Form, IntakeLine, Shape
from ledger.facts.events import Act, Correction, Event, Fact
from ledger.judge.checks import CHECK_RULES
from ledger.judge.findings import RULES
from ledger.judge.rule import Step
from ledger.judge.steps import STEPS
from ledger.x12.gate_rules import RULES as GATE_RULES
from projections.rows.finding import MESSAGES
from scripts import feed_pages, warehouse_pages
from scripts.terms_page import terms_page

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = ROOT / "docs" / "reference"
HELP_WIDTH: Final = 100


def _made_from(source: str) -> str:
    return f"Made from `{source}` by `scripts/reference`; do not edit.\n"


def _prose(documented: Any) -> str:
    """A docstring as Markdown."""
    text = (inspect.getdoc(documented) or "").replace("``", "`")
    return text[0].upper() + text[1:]


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


# events.md


def events_page() -> str:
    """Every fact and act with its fields."""
    parts = ["# Facts and acts\n", _made_from("ledger/facts/events.py")]
    parts.append(
        "An optional field is left out where there is nothing to say; `null` is only ever a value of `bill`. "
        "Unknown fields and repeated keys are refused.\n"
    )
    for title, union in (("Facts", Fact), ("Acts", Act), ("Retractions and corrections", Correction)):
        parts.append(f"## {title}\n")
        for struct in get_args(union):
            parts += _shape_parts(EVENTS[struct.__struct_config__.tag], struct)
    return "\n".join(parts)


def _shape_parts(shape: Shape, struct: type[Any]) -> Iterator[str]:
    yield f"### {shape.name}\n"
    yield _prose(struct) + "\n"
    yield _table(("Field", "Required", "Default", "Form"), _field_rows(shape))
    if shape.order:
        first, second, strictly = shape.order
        yield f"`{second}` is {'after' if strictly else 'not before'} `{first}`.\n"
    yield from (f"{inspect.getdoc(rule)}\n" for rule in shape.rules)
    for field in shape.fields.values():
        if field.form.item and field.form.item.shape:
            inner = field.form.item.shape
            yield f"Each of `{field.name}`:\n"
            yield _table(("Field", "Required", "Default", "Form"), _field_rows(inner))
            yield from (f"{inspect.getdoc(rule)}\n" for rule in inner.rules)


def _field_rows(shape: Shape) -> Iterator[Sequence[str]]:
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(shape.struct)}
    for field in shape.fields.values():
        yield f"`{field.name}`", "yes" if field.required else "no", _default(shape, field, defaults), _form(field.form)


def _default(shape: Shape, field: Field, defaults: dict[str, Any]) -> str:
    if shape.fills_to and field.name == "to":
        return "its `from`"
    default = defaults[field.name]
    return "" if default in (msgspec.UNSET, msgspec.NODEFAULT) else f"`{json.dumps(default, default=int)}`"


def _form(form: Form) -> str:
    return form.expected + (f", each {form.item.expected}" if form.item and not form.item.shape else "")


# intake.schema.json


def intake_schema() -> dict[str, Any]:
    """The JSON Schema of a line of intake: the envelope, and in it one of the facts."""
    (_, facts), components = msgspec.json.schema_components([IntakeLine, Event])
    line = components.pop("IntakeLine")
    line["properties"]["fact"] = facts
    line["title"] = "A line of intake"
    line["$comment"] = (
        "What a line must look like. The door also checks what a schema cannot say: check digits, time zones, the "
        "characters of text, repeated keys, and that spans do not end before they begin; and the largest numbers and "
        "longest spans and lists that the descriptions name, which are new."
    )
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **line, "$defs": components}
    _allow_numbers(schema)
    _dedent_descriptions(schema)
    plain: dict[str, Any] = json.loads(json.dumps(schema))  # an empty tuple is an empty list there
    return plain


def _allow_numbers(schema: Any) -> None:
    """Decimals are stored as text, but may be sent as JSON numbers too."""
    if isinstance(schema, dict):
        if schema.get("format") == "decimal":
            schema["type"] = ["number", "string"]
        schema = list(schema.values())
    if isinstance(schema, list):
        for part in schema:
            _allow_numbers(part)


def _dedent_descriptions(schema: dict[str, Any]) -> None:
    """A description is a docstring, which Python leaves as indented as it stands up to 3.12, and dedents from 3.13."""
    for table in (schema, *schema["$defs"].values()):
        if "description" in table:
            table["description"] = inspect.cleandoc(table["description"])


def schema_page() -> str:
    """The schema as a file."""
    return json.dumps(intake_schema(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


# steps.md


def steps_page() -> str:
    """The steps and the verdicts they give."""
    rows = ((str(step.number), f"`{step.test.__name__}`", _prose(step.test), _verdicts(step)) for step in STEPS)
    return "\n".join(
        [
            "# The steps of the judge\n",
            _made_from("ledger/judge/steps.py"),
            "In this order; the first that a date fails is its verdict. A date that fails none is `billable`.\n",
            _table(("#", "Step", "Passes if", "Verdict if it fails"), iter(rows)),
        ]
    )


def _verdicts(step: Step) -> str:
    return "; ".join(f"`{verdict.words}`" for verdict in step.verdicts.values())


# findings.md


def findings_page() -> str:
    """The finding rules."""
    rules = (*RULES, *CHECK_RULES)
    rows = ((f"`{rule.name}`", rule.level, _prose(rule.see), _message(rule.name)) for rule in rules)
    return "\n".join(
        [
            "# The findings\n",
            _made_from("ledger/judge/findings.py and checks.py"),
            "A finding never changes a verdict. A `hard` one stops a claim, a `soft` one warns. The last three are "
            "found in payers' checks: they are of no patient and no episode, and stop no day.\n",
            _table(("Rule", "Level", "What it sees", "Message"), iter(rows)),
        ]
    )


def _message(rule: str) -> str:
    return re.sub(r"{\w+}", "…", " ".join(MESSAGES[rule]))


# gate.md


def gate_page() -> str:
    """The rules of the gate that claims pass before they leave."""
    rows = ((f"`{rule.name}`", rule.level, rule.says) for rule in GATE_RULES)
    return "\n".join(
        [
            "# The gate\n",
            _made_from("ledger/x12/gate_rules.py"),
            "What `claims check` holds a file of claims (837P) against, and `claims write` its own before they leave. "
            "Something `hard` keeps a claim back, something `soft` is told. What only the ledger can say (diagnoses, "
            "coverage, authorizations, other claims of the patient) is asked where it knows the claim by its number.\n",
            _table(("Rule", "Level", "What it holds a claim to"), iter(rows)),
        ]
    )


# commands.md


def commands_page() -> str:
    """Every command's own help."""
    settings: dict[str, Any] = {"terminal_width": HELP_WIDTH, "max_content_width": HELP_WIDTH, **cli.context_settings}
    root = click.Context(cli, info_name="episode-ledger", **settings)
    parts = ["# The command line\n", _made_from("commands/"), *_help(cli, root)]
    for name in cli.list_commands(root):
        command = cli.get_command(root, name)
        assert command is not None
        parts += _help(command, click.Context(command, parent=root, info_name=name))
    return "\n".join(parts)


def _help(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f"## {context.command_path}\n"
    yield f"```text\n{command.get_help(context).rstrip()}\n```\n"
    if isinstance(command, click.Group) and context.parent:
        for name, part in command.commands.items():
            yield from _help(part, click.Context(part, parent=context, info_name=name))


PAGES: Final[dict[str, Callable[[], str]]] = {
    "events.md": events_page,
    "intake.schema.json": schema_page,
    "steps.md": steps_page,
    "findings.md": findings_page,
    "gate.md": gate_page,
    "commands.md": commands_page,
    "terms.md": terms_page,
    **feed_pages.PAGES,
    **warehouse_pages.PAGES,
}
"""What makes each page, by its place from docs/reference."""


def out_of_date(folder: Path = FOLDER) -> list[str]:
    """The names of the pages that are missing or not what the code says."""
    written = {name: folder / name for name in PAGES}
    return [
        name
        for name, path in written.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != PAGES[name]()
    ]


def write(folder: Path = FOLDER) -> list[str]:
    """Write the pages that are out of date; gives their names."""
    stale = out_of_date(folder)
    for name in stale:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(PAGES[name](), encoding="utf-8")
    return stale
