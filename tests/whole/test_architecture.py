"""The house rules, held by a test and not by memory: who may import what, how long things get, what is documented."""

from __future__ import annotations

import ast
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatch
from functools import cache, partial
from graphlib import CycleError, TopologicalSorter
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import pytest

from tests import ROOT

PACKAGES = ("ledger", "projections", "commands", "episode_ledger")

ROOMS: dict[str, str] = {
    "ledger/day_set.py": "",
    "ledger/facts": "",
    "ledger/files.py": "",
    "ledger/progress.py": "",
    "ledger/release.py": "",
    "ledger/unfinished.py": "ledger/files.py",
    "ledger/book": "ledger/day_set.py ledger/facts",
    "ledger/x12": "ledger/facts ledger/book",
    "ledger/keys": "ledger/files.py",
    "ledger/judge": "ledger/day_set.py ledger/facts ledger/book",
    "ledger/edition1": "ledger/day_set.py ledger/facts ledger/book",
    "ledger/proof": "ledger/facts ledger/keys",
    "ledger/recorders": "ledger/facts ledger/progress.py ledger/keys ledger/proof",
    "ledger/administration.py": "ledger/facts ledger/recorders",
    "ledger/recorders/sqlite": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/unfinished.py ledger/keys ledger/proof ledger/recorders"
    ),
    "ledger/recorders/postgres": (
        "ledger/facts ledger/progress.py ledger/keys ledger/proof ledger/recorders ledger/recorders/sqlite"
    ),
    "ledger/recorders/by_name": (
        "ledger/facts ledger/progress.py ledger/keys ledger/proof ledger/recorders ledger/recorders/sqlite "
        "ledger/recorders/postgres"
    ),
    "ledger/merging.py": "ledger/facts ledger/administration.py",
    "ledger/store.py": (
        "ledger/facts ledger/keys ledger/recorders ledger/administration.py ledger/recorders/sqlite "
        "ledger/recorders/by_name ledger/merging.py"
    ),
    "projections/words.py": "ledger/book ledger/judge",
    "projections/rendering.py": "projections/words.py",
    "projections/formulas.py": "",
    "projections/loading.py": "",
    "projections/tables.py": "projections/words.py",
    "projections/reading": "ledger/facts ledger/book ledger/judge ledger/store.py projections/words.py",
    "projections/rows": (
        "ledger/day_set.py ledger/facts ledger/administration.py ledger/book ledger/judge ledger/store.py "
        "projections/words.py projections/reading"
    ),
    "projections/read_model": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/release.py ledger/book ledger/judge ledger/recorders "
        "ledger/store.py projections/loading.py projections/reading projections/rows"
    ),
    "projections/why": (
        "ledger/facts ledger/book ledger/judge ledger/store.py "
        "projections/words.py projections/tables.py projections/reading projections/rows"
    ),
    "projections/answers": (
        "ledger/facts ledger/book ledger/judge ledger/store.py "
        "projections/words.py projections/reading projections/rows"
    ),
    "projections/audit": (
        "ledger/day_set.py ledger/facts ledger/progress.py ledger/book ledger/judge ledger/edition1 ledger/store.py "
        "projections/words.py projections/tables.py projections/reading projections/rows projections/read_model "
        "projections/answers"
    ),
    "projections/effects": (
        "ledger/facts ledger/progress.py ledger/book ledger/judge ledger/store.py "
        "projections/words.py projections/reading projections/rows projections/audit"
    ),
    "projections/rebuild": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/book ledger/keys ledger/judge "
        "ledger/store.py "
        "projections/reading projections/rows projections/read_model"
    ),
    "projections/export": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/book ledger/judge ledger/store.py "
        "projections/words.py projections/formulas.py projections/reading projections/rows projections/read_model "
        "projections/audit projections/answers"
    ),
    "projections/changes": (
        "ledger/facts ledger/progress.py ledger/book ledger/judge ledger/store.py "
        "projections/reading projections/rows projections/audit projections/answers projections/export"
    ),
    "projections/archive": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/keys ledger/recorders ledger/store.py "
        "projections/read_model"
    ),
    "projections/distributed": (
        "ledger/facts ledger/progress.py ledger/book ledger/keys ledger/judge ledger/recorders ledger/merging.py "
        "projections/loading.py projections/reading projections/rows projections/read_model projections/export "
        "projections/archive"
    ),
    "projections/operations": (
        "ledger/facts ledger/unfinished.py ledger/book ledger/keys ledger/judge ledger/recorders/sqlite "
        "ledger/store.py projections/words.py projections/reading projections/rows projections/read_model "
        "projections/why projections/audit projections/rebuild"
    ),
    "projections/work": (
        "ledger/facts ledger/progress.py ledger/book ledger/store.py "
        "projections/words.py projections/reading projections/rows projections/read_model projections/why "
        "projections/operations"
    ),
    "projections/page": (
        "ledger/facts ledger/book ledger/judge ledger/store.py "
        "projections/words.py projections/rendering.py projections/tables.py projections/reading projections/rows "
        "projections/read_model projections/why projections/audit projections/answers"
    ),
    "projections/report": (
        "ledger/facts ledger/progress.py ledger/book ledger/store.py "
        "projections/words.py projections/rendering.py projections/tables.py projections/reading projections/rows "
        "projections/read_model projections/why projections/answers projections/audit"
    ),
    "projections/bundle": (
        "ledger/facts ledger/book ledger/keys ledger/judge ledger/proof ledger/store.py "
        "projections/words.py projections/reading projections/rows projections/read_model projections/why "
        "projections/answers projections/audit projections/page"
    ),
    "projections/erasure": (
        "ledger/facts ledger/files.py ledger/unfinished.py ledger/book ledger/store.py "
        "projections/reading projections/rows projections/read_model projections/export "
        "projections/archive"
    ),
    "projections/claims_out": (
        "ledger/day_set.py ledger/facts ledger/book ledger/judge ledger/store.py ledger/x12 "
        "projections/words.py projections/reading projections/rows projections/audit "
        "projections/answers"
    ),
    "commands/outside.py": "",
    "commands/book": "ledger/facts ledger/book ledger/store.py",
    "commands/door": "ledger/facts ledger/book",
    "commands/sheets": "ledger/facts ledger/book projections/formulas.py commands/door",
    "commands/references": "ledger/facts ledger/book",
    "commands/writing": (
        "ledger/facts ledger/progress.py ledger/book ledger/keys ledger/recorders ledger/store.py "
        "projections/words.py projections/reading projections/read_model projections/audit "
        "commands/outside.py commands/door commands/references commands/sheets"
    ),
    "commands/answers": (
        "ledger/facts ledger/x12 ledger/book ledger/judge ledger/store.py "
        "projections/read_model projections/answers "
        "commands/outside.py commands/door commands/writing"
    ),
    "commands/terminal": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/book ledger/keys ledger/judge ledger/proof "
        "ledger/recorders ledger/recorders/by_name ledger/store.py "
        "projections/words.py projections/formulas.py projections/tables.py projections/reading "
        "projections/read_model projections/rebuild projections/export projections/bundle projections/archive "
        "projections/erasure commands/outside.py commands/book commands/sheets commands/references commands/writing"
    ),
    "commands/recording": (
        "ledger/facts ledger/files.py ledger/book ledger/recorders ledger/recorders/by_name ledger/store.py ledger/x12 "
        "projections/words.py projections/reading projections/read_model projections/effects "
        "projections/changes projections/erasure projections/claims_out "
        "commands/outside.py commands/book commands/door commands/references commands/writing commands/terminal"
    ),
    "commands/desk": (
        "ledger/facts ledger/book ledger/recorders/by_name ledger/store.py "
        "projections/words.py projections/reading projections/read_model projections/audit projections/effects "
        "projections/operations "
        "commands/outside.py commands/door commands/sheets commands/references commands/writing commands/answers "
        "commands/terminal commands/recording"
    ),
    "commands/people": "ledger/facts ledger/files.py ledger/book commands/outside.py",
    "commands/web/guard": "commands/people",
    "commands/web": (
        "ledger/facts ledger/files.py ledger/book ledger/keys ledger/recorders ledger/store.py "
        "projections/words.py projections/rendering.py projections/reading projections/read_model "
        "projections/why projections/audit projections/operations projections/work projections/page projections/report "
        "projections/erasure commands/outside.py commands/door commands/writing commands/terminal "
        "commands/desk commands/people commands/web/guard"
    ),
    "commands/web/looking": (
        "ledger/facts ledger/store.py projections/words.py projections/reading projections/rows "
        "projections/read_model projections/why projections/answers "
        "projections/audit projections/operations projections/work projections/page projections/report "
        "commands/outside.py commands/answers commands/terminal commands/desk commands/web/guard commands/web"
    ),
    "commands/verbs": (
        "ledger/facts ledger/files.py ledger/progress.py ledger/x12 ledger/book ledger/keys ledger/proof "
        "ledger/recorders ledger/recorders/sqlite ledger/recorders/by_name ledger/store.py "
        "projections/words.py projections/loading.py projections/tables.py projections/reading projections/rows "
        "projections/read_model projections/why projections/audit projections/answers projections/effects "
        "projections/rebuild projections/export projections/changes projections/archive projections/distributed "
        "projections/operations projections/work projections/page projections/report projections/bundle "
        "projections/erasure projections/claims_out "
        "commands/outside.py commands/book commands/door commands/sheets commands/references commands/writing "
        "commands/terminal commands/answers commands/recording commands/desk commands/people commands/web/guard "
        "commands/web commands/web/looking"
    ),
    "commands/troubles.py": (
        "ledger/facts ledger/book ledger/keys ledger/proof ledger/recorders "
        "projections/reading projections/read_model projections/archive "
        "commands/book commands/sheets commands/terminal"
    ),
    "commands/cli.py": "ledger/release.py projections/reading commands/terminal commands/verbs commands/troubles.py",
    "episode_ledger/check.py": "",
    "episode_ledger/__main__.py": "commands/cli.py episode_ledger/check.py",
    "episode_ledger/names.py": (
        "ledger/facts ledger/book ledger/keys ledger/recorders ledger/store.py "
        "projections/rows projections/read_model projections/why projections/audit projections/rebuild "
        "projections/changes "
        "commands/writing commands/terminal commands/verbs commands/cli.py "
        "episode_ledger/check.py"
    ),
    "episode_ledger/__init__.py": "episode_ledger/check.py episode_ledger/names.py",
}  # fmt: skip
"""The rooms of the house, from the ground up: a folder, or a file that stands by itself; and the rooms it uses, each of
which stands before it. Nothing else may be used, and nothing is listed that is not."""

CROWDED: dict[str, str] = {
    "ledger/facts": "what an entry may say: a file for each kind of fact and act, and small ones for their forms",
    "ledger/judge": "one conversation: the fold, the case, the steps, their causes, the findings, the lines",
    "commands/verbs": "a file for each verb of the command line, which is how they are looked for",
    "projections/reading": "every way in which entries are read, and what one reader may take of time and memory",
    "projections/audit": "one walk from a claim to what is known and paid now, and the timeline that tells it",
    "projections/report": "a file for each section of the report, and for each form it is given in",
}
"""Rooms of more than fifteen files, and the one reason why each is still one."""

ONLY_HERE: dict[str, tuple[str, ...]] = {
    "eventsourcing": ("ledger/store.py", "ledger/administration.py", "ledger/recorders/"),
    "psycopg": ("ledger/recorders/postgres/",),
    "psycopg_pool": ("ledger/recorders/postgres/",),
    "zoneinfo": (
        "ledger/facts/zones.py",
        "ledger/judge/evidence.py",  # these three: the type alone
        "ledger/judge/stays.py",
        "ledger/edition1/evidence.py",
    ),
    "msgspec.toml": ("ledger/book/files.py", "commands/sheets/mapping.py", "commands/people/provider_settings.py"),
    "tomllib": (),
    "sqlite_utils": ("projections/read_model/tables.py",),
    "sqlite3": (
        "ledger/recorders/sqlite/",
        "ledger/recorders/postgres/backup.py",  # a backup is an SQLite file
        "projections/read_model/",
        "projections/rebuild/",
        "projections/export/spool.py",
        "commands/troubles.py",  # names its exceptions, runs no SQL
        "commands/web/answering.py",  # likewise
        "commands/web/live.py",  # likewise
    ),
    "click": (
        "commands/cli.py",
        "commands/troubles.py",
        "commands/book/asking.py",
        "commands/terminal/",
        "commands/recording/",
        "commands/verbs/",
    ),
    "fcntl": ("ledger/files.py", "ledger/recorders/sqlite/checkpoint_turns.py"),
    "os.fsync": ("ledger/files.py",),
    "ledger.files.write_whole": (  # what somebody names is written by the one guard
        "commands/terminal/output.py",
        "commands/people/users.py",  # a name of its own beside the read model, which the guard keeps others from
        "projections/erasure/handed_out.py",
        "projections/rebuild/rebuild.py",
    ),
    "ledger.files.write_new": (
        "commands/terminal/output.py",
        "commands/verbs/book.py",
        "ledger/keys/key_file.py",
        "projections/archive/folder.py",
    ),
    "os.replace": ("ledger/files.py", "projections/export/place.py"),  # place: out of the way, to be removed
    "os.rename": ("ledger/files.py",),
    "os.link": ("ledger/files.py",),
    "os.O_EXCL": ("ledger/files.py",),
    "argon2": ("commands/people/passwords.py", "commands/verbs/serve.py"),  # an extra: loaded by the site and ``users``
    "authlib": ("commands/people/provider.py",),  # an extra: loaded by ``serve --oidc`` alone
    "joserfc": ("commands/people/provider.py",),
    "requests.RequestException": ("commands/people/provider.py",),
    "python_multipart": ("commands/web/forms.py",),
    "multiprocessing": ("projections/rebuild/build.py", "projections/distributed/local.py"),
    "concurrent": ("projections/distributed/local.py",),
    "tabulate": ("projections/tables.py",),
    "openpyxl": ("commands/sheets/workbook.py",),  # an extra: loaded when a workbook is read
    "pyarrow": (  # an extra: loaded when Parquet is asked for
        "projections/export/as_parquet.py",
        "projections/archive/segment.py",
        "projections/distributed/tables.py",
        "projections/distributed/against.py",
        "projections/loading.py",  # to say that it is missing
    ),
    "fsspec": ("projections/archive/folder.py",),  # an extra: loaded when a URI is named
    "pyspark": ("projections/distributed/spark.py",),  # an extra: loaded for that engine alone
    "starlette": ("commands/web/", "commands/verbs/serve.py"),  # an extra: loaded by ``serve`` alone
    "uvicorn": ("commands/verbs/serve.py", "commands/web/guard/connections.py"),
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
        "ledger/recorders/",  # a new ledger's name
        "ledger/keys/cipher.py",  # keys, and what goes before each cipher text
        "projections/archive/",  # names of attempts: no two of them write the same file
        "projections/distributed/tables.py",  # likewise
        "commands/people/passwords.py",  # first passwords
        "commands/web/app.py",  # compares the key of the figures in constant time
        "commands/web/answering.py",  # compares form keys likewise
        "commands/web/guard/",  # the site's token, cookies and form keys
    ),
    "os.urandom": ("commands/outside.py",),  # the nonces
    "uuid": (),
    "print": (),
    "input": (),
    "os.environ": ("commands/terminal/variable.py",),  # to tell an empty variable from none; else click reads it
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
        "commands/door/source.py",
        "commands/terminal/progress.py",
        "commands/web/guard/",  # how long a session lasts, and a request takes
        "projections/read_model/views.py",
        "ledger/recorders/",
    ),
}
"""What may be used, and the only rooms (with all that is in them) or files that use it."""

LONGER_THAN_250: dict[str, str] = {
    "ledger/judge/steps.py": "the numbered steps on one page, to lay beside the rulebook",
    "ledger/facts/events.py": "every fact and act; the rulebook's section 2 on one page",
    "ledger/judge/causes.py": "the causes of each step's verdict, in the order of the steps",
    "ledger/judge/taken_back.py": "the kinds of fact each step asks for, one short test each, and the table of them",
    "ledger/facts/forms.py": "every field's form and its error, in the order of rulebook section 1",
    "commands/writing/decide.py": "every reason to refuse a line, in the rulebook's order",
    "ledger/x12/gate_rules.py": "every rule of the gate on one page, in the order in which its findings are told",
    "ledger/judge/fold.py": "every kind of fact and how it is taken in, a short function each, and the table of them",
    "projections/answers/instruments.py": "what becomes of a claim, case by case: the table of claims.md section 6",
    "projections/rows/finding.py": "what every finding says, in one table, beside the row that says it",
    "ledger/store.py": "the store's whole surface, which is what a reader looks for in one place",
    "projections/bundle/verify_bundle.py": "one file to hand out: whoever checks a bundle needs nothing beside it",
}
"""Modules past 250 lines, and the one reason why each is still one."""

LONGEST_FUNCTION_LINES = 70
MEDIAN_FUNCTION_LINES = 10
LONGEST_MODULE_LINES = 250
MOST_FILES = 15

NOT_TEXT = (".pyc", ".db", ".zip", ".png")

EVENT_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE|JOIN|TABLE)\s+[\"'`\[]?(?:entries|patients|ledger)\b")


class Module(NamedTuple):
    """A file of the three packages."""

    name: str
    tree: ast.Module
    lines: int

    @property
    def package(self) -> str:
        return self.name.split("/")[0]

    @property
    def room(self) -> str:
        """The folder it is in; in a package's own folder each file stands by itself."""
        folder = PurePosixPath(self.name).parent.as_posix()
        return self.name if folder == self.package else folder

    @property
    def dotted(self) -> str:
        """The name it is imported by."""
        return self.name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@cache
def modules() -> tuple[Module, ...]:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    read = [(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")) for path in paths]
    return tuple(Module(name, ast.parse(text), text.count("\n")) for name, text in read)


@cache
def nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Everything in a tree, gone through once."""
    return tuple(ast.walk(tree))


def imports(tree: ast.AST) -> Iterator[str]:
    """Every dotted name that is imported, also inside functions."""
    for node in nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def uses(tree: ast.AST) -> set[str]:
    """Every dotted name that is imported or used, under the name it was imported by."""
    found = set(imports(tree))
    for node in nodes(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and is_module_path(node.value):
            found.add(node.value)  # what import_module might be given
    return found


def is_module_path(text: str) -> bool:
    return re.fullmatch(rf"(?:{'|'.join(PACKAGES)})(?:\.\w+)+", text) is not None


Arrows = dict[Module, set[Module]]


def arrows(found: Sequence[Module]) -> Arrows:
    """Which files each file uses: it imports them, for their types alone or when it runs, or names them as text."""
    by_name = {module.dotted: module for module in found}
    return {module: set(_used(module, by_name)) - {module} for module in found}


def _used(module: Module, by_name: Mapping[str, Module]) -> Iterator[Module]:
    for name in imports(module.tree):
        parts = name.split(".")
        places = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
        if found := next((by_name[place] for place in places if place in by_name), None):
            yield found
    for node in nodes(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in (named := node.value.rstrip(".")):
            yield from (
                [by_name[named]] if named in by_name else []
            )  # what import_module might be given, or its beginning


def between_rooms(found: Arrows) -> set[tuple[str, str]]:
    return {(one.room, other.room) for one, others in found.items() for other in others if one.room != other.room}


def circle(found: Arrows) -> list[str]:
    """Files that use each other in a circle; none if there is no such circle."""
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return [module.name for module in error.args[1]]
    return []


def is_within(used: str, name: str) -> bool:
    return used == name or used.startswith(name + ".")


def matches(name: str, places: tuple[str, ...]) -> bool:
    """Whether a file is one of these, or in one of these folders."""
    return any(name == place or (place.endswith("/") and name.startswith(place)) for place in places)


def test_the_packages_are_all_there() -> None:
    assert {module.package for module in modules()} == set(PACKAGES)
    assert len(modules()) > 30


ALLOWED = {(room, other) for room, others in ROOMS.items() for other in others.split()}


def test_every_file_is_in_a_room_of_the_table() -> None:
    assert {module.room for module in modules() if module.tree.body[1:]} == ROOMS.keys()


def test_rooms_use_only_what_the_table_says() -> None:
    found = between_rooms(arrows(modules()))
    assert found - ALLOWED == set(), "an arrow that is not drawn"
    assert ALLOWED - found == set(), "an arrow that nobody needs any more"


def test_no_room_uses_one_that_stands_above_it() -> None:
    """So there is no circle of rooms, and ``ledger``, ``projections`` and ``commands`` stand on each other in turn."""
    assert upward(ROOMS) == []
    packages = [room.split("/")[0] for room in ROOMS]
    assert packages == sorted(packages, key=PACKAGES.index)


def upward(rooms: Mapping[str, str]) -> list[tuple[str, str]]:
    place = {room: number for number, room in enumerate(rooms)}
    return [(room, other) for room, others in rooms.items() for other in others.split() if place[other] >= place[room]]


def test_no_files_use_each_other_in_a_circle() -> None:
    assert circle(arrows(modules())) == []


def made(name: str, source: str) -> Module:
    return Module(name, ast.parse(source), 1)


def test_an_arrow_up_or_a_circle_would_be_found() -> None:
    ground = made("ledger/facts/one.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import ledger.store")
    store = made("ledger/store.py", "def opened():\n    from ledger.facts import one")
    by_text = made("commands/cli.py", "import_module('ledger.store')")
    found = arrows([ground, store, by_text])
    up, down = ("ledger/facts", "ledger/store.py"), ("ledger/store.py", "ledger/facts")
    assert between_rooms(found) == {up, down, ("commands/cli.py", "ledger/store.py")}
    assert set(circle(found)) == {ground.name, store.name}
    assert up not in ALLOWED
    assert upward({room: uses + " ledger/store.py" * (room == "ledger/facts") for room, uses in ROOMS.items()}) == [up]


def test_a_room_has_a_dozen_files_or_a_reason() -> None:
    files = Counter(module.room for module in modules())
    crowded = {room for room, number in files.items() if number > MOST_FILES}
    assert crowded == CROWDED.keys(), "make two of it, or say here why it is one; a reason no longer needed goes"


@pytest.mark.parametrize("thing", ONLY_HERE)
def test_it_is_used_only_where_it_belongs(thing: str) -> None:
    found = {module.name for module in modules() if any(is_within(used, thing) for used in uses(module.tree))}
    assert {name for name in found if not matches(name, ONLY_HERE[thing])} == set()


def test_parquet_is_read_in_the_thread_that_asks() -> None:
    """A thread of pyarrow's that lets go of what Python gave it, while Python ends, aborts the process: one in ten."""
    texts = {module.name: (ROOT / module.name).read_text(encoding="utf-8") for module in modules()}
    reading = {name: text for name, text in texts.items() if "ParquetFile(" in text or "read_table" in text}
    assert reading
    for name, text in reading.items():
        assert "read_table" not in text, name
        assert text.count("ParquetFile(") == text.count("pre_buffer=False") == text.count("use_threads=False"), name


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
        for node in nodes(module.tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        if not (isinstance(node, ast.ImportFrom) and str(node.module).split(".")[0] in PACKAGES)
        for alias in node.names
        if alias.asname and alias.asname != alias.name
    ]
    assert renamed == []


def test_the_verifier_stands_alone() -> None:
    """It goes out with every bundle: one file, any Python from 3.8 on, the standard library and nothing of ours."""
    source = (ROOT / "projections" / "bundle" / "verify_bundle.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    assert {name.split(".")[0] for name in imports(tree)} - sys.stdlib_module_names == set()


def test_sql_of_the_ledgers_tables_is_in_the_recorders() -> None:
    found = {
        module.name
        for module in modules()
        for node in nodes(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and EVENT_TABLE.search(node.value)
    }
    assert found
    assert {name for name in found if not matches(name, ("ledger/recorders/",))} == set()


def test_the_date_of_an_instant_is_read_in_a_named_zone() -> None:
    """An instant knows only the date of the offset it was written in; terms are known from a UTC date on, and what a
    fact tells is held against the date where the patient lives."""
    in_zone = ("astimezone(UTC)", "astimezone(zone(head.zone or ''))", "utc_now()", "astimezone(where)",
               "astimezone(reader_zone(request))")  # fmt: skip
    found = [
        (module.name, ast.unparse(node))
        for module in modules()
        for node in nodes(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "date"
        if not node.args and not ast.unparse(node.func.value).endswith(in_zone)
    ]
    assert found == []


def functions() -> list[tuple[int, str, str]]:
    return [
        ((node.end_lineno or 0) - node.lineno + 1, module.name, node.name)
        for module in modules()
        for node in nodes(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


SAY_NOTHING = {"_told", "_said", "_shown", "_tell", "_standing"}


def test_a_function_is_called_what_it_gives() -> None:
    """Once twelve of them were called ``_told``, and nobody could look for one."""
    assert [(module, name) for _, module, name in functions() if name in SAY_NOTHING] == []


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
    for folder in (*PACKAGES, "tests", "scripts", "docs", "dbt", ".ci"):
        yield from (path for path in (ROOT / folder).rglob("*") if path.is_file() and path.suffix not in NOT_TEXT)
    yield from (path for path in ROOT.glob("*") if path.suffix in (".md", ".toml", ".txt"))


def test_no_file_names_a_place_on_the_machine_it_was_written_on() -> None:
    places = [re.escape(str(place)) for place in (ROOT.parent, Path.home()) if len(place.parts) > 1]
    machine = re.compile(rf"(?:^|[^\w.-])(?:{'|'.join(places) or '(?!)'})/", re.MULTILINE)
    found = [path for path in texts() if machine.search(path.read_text(encoding="utf-8"))]
    assert [path.relative_to(ROOT).as_posix() for path in found] == []


TOP_FILES = {".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "README.md"}
TOP = {*PACKAGES, *TOP_FILES, ".ci", "constraints.txt", "dbt", "docs", "pyproject.toml", "scripts", "tests"}


def at_the_top() -> set[str]:
    """What of the project stands at the top; where there is no git to ask, what is there and not left out by name."""
    asked = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True, text=True
    )
    if asked.returncode == 0 and asked.stdout:
        return {name.partition("/")[0] for name in asked.stdout.split("\0") if name}
    ignored = [line.rstrip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    return {each.name for each in ROOT.iterdir() if not any(map(partial(fnmatch, each.name), [".git", *ignored]))}


@pytest.mark.process
def test_what_a_command_wrote_is_not_taken_into_the_project() -> None:
    assert at_the_top() == TOP
