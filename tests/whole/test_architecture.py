"""The house rules, held by a test and not by memory: who may import what, how long things get, what is documented."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

from tests import ROOT

PACKAGES = ("ledger", "projections", "commands", "episode_ledger")

ONLY_HERE: dict[str, tuple[str, ...]] = {
    "eventsourcing": ("ledger/store.py", "ledger/recorders/*"),
    "psycopg": ("ledger/recorders/postgres*.py",),
    "psycopg_pool": ("ledger/recorders/postgres*.py",),
    "zoneinfo": ("ledger/facts/zones.py", "ledger/judge/evidence.py", "ledger/judge/stays.py"),  # the judge: its type
    "msgspec.toml": ("ledger/book/files.py",),
    "tomllib": (),
    "sqlite_utils": ("projections/read_model/tables.py",),
    "sqlite3": (
        "ledger/recorders/*",
        "projections/read_model/views.py",
        "projections/read_model/queries.py",
        "projections/read_model/tables.py",
        "projections/rebuild/build.py",
        "projections/read_model/rows_file.py",
        "projections/rebuild/certificate.py",
        "projections/rebuild/rebuild.py",
        "projections/export/spool.py",
        "commands/cli.py",  # names its exceptions, runs no SQL
        "commands/web/app.py",  # likewise
    ),
    "click": (
        "commands/cli*.py",
        "commands/terminal/options.py",
        "commands/verbs/read.py",
        "commands/verbs/report.py",
        "commands/verbs/ask.py",
        "commands/verbs/backup.py",
        "commands/verbs/rebuild.py",
        "commands/verbs/bundle.py",
        "commands/verbs/close.py",
        "commands/terminal/engine.py",
        "commands/verbs/migrate.py",
        "commands/verbs/page.py",
        "commands/verbs/patients.py",
        "commands/verbs/proof.py",
        "commands/verbs/diff.py",
        "commands/verbs/doctor.py",
        "commands/verbs/export.py",
        "commands/verbs/follow.py",
        "commands/verbs/forget.py",
        "commands/verbs/master_key.py",
        "commands/terminal/who.py",
        "commands/terminal/pseudonym_key.py",
        "commands/verbs/what_if.py",
        "commands/verbs/serve.py",
        "commands/terminal/show.py",
        "commands/verbs/completion.py",
        "commands/verbs/help.py",
    ),
    "fcntl": (
        "ledger/recorders/sqlite/checkpoint_turns.py",
        "projections/read_model/generations.py",
        "projections/erasure/handed_out.py",
        "projections/export/place.py",
        "projections/rebuild/what_if.py",
    ),
    "multiprocessing": ("projections/rebuild/build.py",),
    "concurrent": (),
    "tabulate": ("commands/terminal/show.py",),
    "pyarrow": ("projections/export/as_parquet.py",),  # an extra: loaded when Parquet is asked for
    "starlette": ("commands/web/*", "commands/verbs/serve.py"),  # an extra: loaded by ``serve`` alone
    "uvicorn": ("commands/verbs/serve.py",),
    "jinja2": (
        "projections/rendering.py",
        "projections/page/html.py",
        "projections/report/html.py",
        "commands/web/site.py",
    ),
    "random": ("commands/writing/handle.py",),  # how long to wait for another writer
    "cryptography": (
        "ledger/proof/signing.py",  # makes keys and signatures; checking them is projections/bundle/verify_bundle.py
        "ledger/keys/cipher.py",
    ),
    "secrets": (
        "ledger/recorders/*",  # a new ledger's name
        "ledger/keys/cipher.py",  # keys, and what goes before each cipher text
        "commands/web/security.py",  # the site's token and cookies
    ),
    "os.urandom": ("commands/writing/handle.py",),  # the nonces
    "uuid": (),
    "print": (),
    "input": (),
    "os.environ": (),  # click reads the environment for its options
    "os.getenv": (),
    "datetime.now": ("commands/outside.py",),
    "datetime.utcnow": (),
    "datetime.today": (),
    "date.today": (),
    "time.time": (),
    "time.time_ns": (),
    "time.localtime": (),
    "time.gmtime": (),
    "time.monotonic": (  # how long something takes, not when it is
        "commands/terminal/progress.py",
        "projections/read_model/views.py",
        "ledger/recorders/*",
    ),
}
"""What may be used, and the only files that use it."""

NEVER_IMPORTED: dict[str, tuple[str, ...]] = {
    "ledger": ("projections", "commands", "episode_ledger"),
    "projections": ("commands", "episode_ledger"),
    "commands": ("episode_ledger",),
    "episode_ledger": (),
}
"""What each package does not know of: imports run one way."""

PURE = (
    "day_set", "forms", "events", "upcasts", "entry", "liveness", "episode", "patients", "heads",
    "book/__init__", "book/files", "book/mistakes",
    "book/reference", "book/tables", "evidence",
    "case", "authorizations", "clash", "days", "judged", "grounds", "claims", "findings", "lines",
    "seals", "merkle", "checkpoint", "breaks", "contents", "proof", "house", "stored", "envelope", "keyring",
)  # fmt: skip
"""The modules of ledger/ that know no store: the judge runs on what it is given."""

LONGER_THAN_250: dict[str, str] = {
    "ledger/judge/steps.py": "the numbered steps on one page, to lay beside the rulebook",
    "ledger/judge/episode.py": "the fold: one short taker for each fact, and the table of them",
    "ledger/facts/forms.py": "every form of a field, its check beside it",
    "ledger/facts/events.py": "every fact and act; the rulebook's section 2 on one page",
    "ledger/judge/findings.py": "every finding rule; the rulebook's section 5 on one page",
    "ledger/judge/causes.py": "the causes of each step's verdict, in the order of the steps",
    "projections/why/moves.py": "the one-fact changes a person could make, in the order they are tried",
    "projections/bundle/verify_bundle.py": "one file to hand out: whoever checks a bundle needs nothing beside it",
}
"""Modules past 250 lines, and the one reason why each is still one."""

LONGEST_FUNCTION_LINES = 70
MEDIAN_FUNCTION_LINES = 10
LONGEST_MODULE_LINES = 250

EVENT_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+[\"'`\[]?(?:entries|patients|ledger)\b")


class Module(NamedTuple):
    """A file of the three packages."""

    name: str
    tree: ast.Module
    lines: int

    @property
    def package(self) -> str:
        return self.name.split("/")[0]


@cache
def modules() -> tuple[Module, ...]:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    read = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    return tuple(Module(name, ast.parse(text), text.count("\n")) for name, text in read)


def imports(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that is imported, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def uses(tree: ast.AST) -> set[str]:
    """Every dotted name that is imported or used, under the name it was imported by."""
    found = set(imports(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and is_module_path(node.value):
            found.add(node.value)  # what import_module might be given
    return found


def is_module_path(text: str) -> bool:
    return re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", text) is not None


def is_within(used: str, name: str) -> bool:
    return used == name or used.startswith(name + ".")


def matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(PurePosixPath(name).match(pattern) for pattern in patterns)


def test_the_packages_are_all_there() -> None:
    assert {module.package for module in modules()} == set(PACKAGES)
    assert len(modules()) > 30


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    forbidden = NEVER_IMPORTED[package]
    assert [
        (module.name, used)
        for module in modules()
        if module.package == package
        for used in uses(module.tree)
        if any(is_within(used, other) for other in forbidden)
    ] == []


@pytest.mark.parametrize("thing", ONLY_HERE)
def test_it_is_used_only_where_it_belongs(thing: str) -> None:
    found = {module.name for module in modules() if any(is_within(used, thing) for used in uses(module.tree))}
    assert {name for name in found if not matches(name, ONLY_HERE[thing])} == set()


def test_nothing_is_let_in_where_it_is_not_used() -> None:
    """An exception that nobody needs any more is taken back."""
    by_name = {module.name: uses(module.tree) for module in modules()}
    idle = [
        (thing, place)
        for thing, places in ONLY_HERE.items()
        for place in places
        if not any(matches(name, (place,)) and any(is_within(u, thing) for u in used) for name, used in by_name.items())
    ]
    assert idle == []


def test_names_are_not_hidden_by_other_names() -> None:
    """``import time as t`` or ``from os import environ as e`` would get past the table above."""
    renamed = [
        (module.name, alias.name)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if not (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in PACKAGES)
        for alias in node.names
        if alias.asname and alias.asname != alias.name
    ]
    assert renamed == []


def test_the_judge_knows_no_store() -> None:
    pure = {f"ledger/{name}.py" for name in PURE}
    assert pure <= {module.name for module in modules()}
    assert [
        (module.name, used)
        for module in modules()
        if module.name in pure
        for used in uses(module.tree)
        if is_within(used, "ledger.store") or is_within(used, "ledger.recorders")
    ] == []


def test_every_module_of_the_ledger_is_pure_or_the_store() -> None:
    keys = {
        "ledger/proof/signing.py",
        "ledger/keys/cipher.py",
        "ledger/keys/key_file.py",
        "ledger/files.py",
    }  # they are files
    impure = {"ledger/__init__.py", "ledger/store.py"} | keys
    rooms = {m.name for m in modules() if m.package == "ledger" and not m.name.startswith("ledger/recorders/")}
    assert rooms - impure == {f"ledger/{name}.py" for name in PURE}


def test_the_verifier_stands_alone() -> None:
    """It goes out with every bundle: one file, any Python from 3.8 on, the standard library and nothing of ours."""
    source = (ROOT / "projections" / "verify_bundle.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    assert {name.split(".")[0] for name in imports(tree)} - sys.stdlib_module_names == set()


def test_sql_of_the_ledgers_tables_is_in_the_recorders() -> None:
    found = {
        module.name
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT_TABLE.search(node.value)
    }
    assert found
    assert {name for name in found if not matches(name, ("ledger/recorders/*",))} == set()


def test_the_date_of_an_instant_is_its_utc_date() -> None:
    """An instant knows only the date of the offset it was written in; terms are known from a UTC date on."""
    in_utc = ("astimezone(UTC)", "utc_now()")
    found = [
        (module.name, ast.unparse(node))
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "date"
        if not node.args and not ast.unparse(node.func.value).endswith(in_utc)
    ]
    assert found == []


def functions() -> list[tuple[int, str, str]]:
    return [
        ((node.end_lineno or 0) - node.lineno + 1, module.name, node.name)
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def test_functions_are_short() -> None:
    assert [function for function in functions() if function[0] > LONGEST_FUNCTION_LINES] == []
    assert statistics.median(lines for lines, _, _ in functions()) <= MEDIAN_FUNCTION_LINES


def test_a_long_module_has_a_reason() -> None:
    long = {module.name for module in modules() if module.lines > LONGEST_MODULE_LINES}
    assert long == LONGER_THAN_250.keys(), "split it, or say here why it is one; a reason no longer needed goes"


def undocumented(module: Module) -> Iterator[str]:
    """Public modules, classes and functions without a docstring; a package's empty ``__init__`` says nothing."""
    if module.tree.body and not ast.get_docstring(module.tree):
        yield module.name
    for node in module.tree.body:
        yield from _undocumented(module.name, node)


def _undocumented(where: str, node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
        if not ast.get_docstring(node):
            yield f"{where}: {node.name}"
        if isinstance(node, ast.ClassDef):
            for inner in node.body:
                yield from _undocumented(f"{where}: {node.name}", inner)


def test_every_public_name_says_what_it_is() -> None:
    assert [name for module in modules() for name in undocumented(module)] == []


def texts() -> Iterator[Path]:
    """The files of the project that somebody wrote."""
    for folder in (*PACKAGES, "tests", "scripts", "docs", ".ci"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")
    yield from (path for path in ROOT.glob("*") if path.suffix in (".md", ".toml", ".txt"))


def test_no_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    places = [re.escape(str(place)) for place in (ROOT.parent, Path.home()) if len(place.parts) > 1]
    machine = re.compile(rf"(?:^|[^\w.-])(?:{'|'.join(places) or '(?!)'})/", re.MULTILINE)
    found = [path for path in texts() if machine.search(path.read_text(encoding="utf-8"))]
    assert [path.relative_to(ROOT).as_posix() for path in found] == []
