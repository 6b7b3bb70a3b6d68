"""The warehouse in dbt/, run in two ways: by dbt itself, or its models rendered here and given to DuckDB.

dbt needs an environment of its own, and seconds to start. Rendered here, models, macros, hooks and tests are the same
files, in the order of their folders, each table in one transaction.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import Any, Final, Protocol

import jinja2
import yaml

from tests import ROOT
from tests.exports import duck

PROJECT: Final = ROOT / "dbt"
_ENDS: Final = "{% endmacro %}"
FOLDERS: Final = ("feed", "kept", "whole", "marts")


class Refused(Exception):
    """It did not go through; what it said."""


class Warehouse(Protocol):
    """A warehouse in a file."""

    def __init__(self, folder: Path) -> None: ...

    def build(self, feed: Path, *, whole: bool = False) -> None:
        """Take in what is in a feed's folder, ``whole`` or by its changes; Refused if a model or a test fails."""

    def audit(self, feed: Path) -> None:
        """Hold what is kept against whole exports and a report; Refused if anything differs."""

    def resume(self, dataset: str) -> list[str]:
        """What an export is told to go on from what is kept."""

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows."""


class Dbt:
    """By dbt itself."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "warehouse.duckdb"
        named = {"EPISODE_WAREHOUSE": self.file, "DBT_TARGET_PATH": folder / "target", "DBT_LOG_PATH": folder / "logs"}
        self.environment = os.environ | {name: str(path) for name, path in named.items()}

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            [ROOT / "scripts" / "dbt", *command], env=self.environment, capture_output=True, text=True
        )
        if done.returncode:
            raise Refused(done.stdout + done.stderr)
        return done.stdout

    def build(self, feed: Path, *, whole: bool = False) -> None:
        self._run("build", "--vars", f"{{feed: {feed}}}", *(["--full-refresh"] if whole else []))

    def audit(self, feed: Path) -> None:
        said = self._run("test", "--select", "tag:audit", "--vars", f"{{feed: {feed}, audit: true}}")
        assert "PASS=" in said, said
        assert " 0 data tests" not in said, said

    def resume(self, dataset: str) -> list[str]:
        return self._run("--quiet", "run-operation", "resume", "--args", f"{{dataset: {dataset}}}").split()

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duck().connect(str(self.file)) as connection:
            return connection.execute(sql).fetchall()


class Rendered:
    """By DuckDB, from the models as they are rendered here."""

    def __init__(self, folder: Path) -> None:
        self.connection = duck().connect(str(folder / "rendered.duckdb"), config={"threads": 1})
        self.settings = read_yaml(PROJECT / "dbt_project.yml")
        self.variables: dict[str, Any] = {}
        self.printed: list[str] = []
        self.templates: dict[str, jinja2.Template] = {}
        self.environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
        self.environment.globals.update(
            execute=True, target=SimpleNamespace(schema="main"), ref=lambda name: f'"{name}"', **{"return": _return},
            run_query=lambda sql: SimpleNamespace(rows=self.query(sql)), print=self._print,
            var=self._variable, exceptions=SimpleNamespace(raise_compiler_error=_refuse), config=self._config,
        )  # fmt: skip
        for path in sorted((PROJECT / "macros").glob("*.sql")):
            text = path.read_text().replace("{% test ", "{% macro test_").replace("{% endtest %}", _ENDS)
            for one in text.split(_ENDS)[:-1]:
                macro = self._template(one + _ENDS)
                (name,) = (name for name in vars(macro.module) if not name.startswith("_"))
                self.environment.globals[name] = _called(macro, name)

    def _variable(self, name: str, default: Any = None) -> Any:
        return self.variables.get(name, self.settings["vars"].get(name, default))

    def _config(self, **said: Any) -> str:
        return ""

    def _print(self, text: str) -> str:
        self.printed.append(text)
        return ""

    def render(self, text: str, **names: Any) -> str:
        self.environment.globals.update(names)
        if text not in self.templates:
            self.templates[text] = self._template(text)
        return self.templates[text].render()

    def _template(self, text: str) -> jinja2.Template:
        return jinja2.Template.from_code(self.environment, _compiled(text), self.environment.make_globals(None))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql).fetchall() if sql.strip() else []

    def build(self, feed: Path, *, whole: bool = False) -> None:
        self.variables = {"feed": str(feed)}
        for hook in self.settings["on-run-start"]:
            self.query(self.render(hook))
        for folder in FOLDERS:
            for path in sorted((PROJECT / "models" / folder).glob("*.sql")):
                self._make(path.stem, path.read_text(), self.settings["models"]["episode_ledger"][folder], whole)
        self._test()

    def _make(self, name: str, text: str, settings: dict[str, Any], whole: bool) -> None:
        stands = bool(self.query(f"SELECT 1 FROM duckdb_tables() WHERE table_name = '{name}'"))
        goes_on = settings["+materialized"] == "incremental" and stands and not whole
        names = {"this": f'"{name}"', "model": SimpleNamespace(name=name), "is_incremental": lambda: goes_on}
        sql = self.render(text, **names)
        self.query("BEGIN")
        try:
            for hook in settings.get("+pre-hook", []):
                self.query(self.render(hook, **names))
            kind = "VIEW" if settings["+materialized"] == "view" else "TABLE"
            self.query(f'INSERT INTO "{name}" {sql}' if goes_on else f'CREATE OR REPLACE {kind} "{name}" AS {sql}')
            for hook in settings.get("+post-hook", []):
                self.query(self.render(hook, **names))
        except BaseException:
            self.query("ROLLBACK")
            raise
        self.query("COMMIT")

    def _test(self) -> None:
        for model in read_yaml(PROJECT / "models" / "kept" / "kept.yml")["models"]:
            (test,) = model["data_tests"]
            call = f"{{{{ test_names_one_row('{model['name']}', {test['names_one_row']['arguments']['columns']}) }}}}"
            self._expect_nothing(f"{model['name']} names one row", call)
        for path in sorted((PROJECT / "tests").glob("*.sql")):
            self._expect_nothing(path.stem, path.read_text())

    def _expect_nothing(self, name: str, text: str) -> None:
        if self._is_asked_for(text) and (found := self.query(self.render(text))):
            raise Refused(f"{name}: {found[:5]}")

    def _is_asked_for(self, text: str) -> bool:
        return ("tags=['audit']" in text) == bool(self.variables.get("audit"))

    def audit(self, feed: Path) -> None:
        self.variables = {"feed": str(feed), "audit": True}
        assert any(self._is_asked_for(path.read_text()) for path in (PROJECT / "tests").glob("*.sql"))
        for path in sorted((PROJECT / "tests").glob("*.sql")):
            self._expect_nothing(path.stem, path.read_text())

    def resume(self, dataset: str) -> list[str]:
        self.printed.clear()
        self.render(f"{{{{ resume('{dataset}') }}}}")
        return " ".join(self.printed).split()


@cache
def _compiled(text: str) -> CodeType:
    """Of all warehouses once: it takes a third of the time of making one."""
    return jinja2.Environment().compile(text)


@cache
def read_yaml(path: Path) -> Any:
    """A file of the project; never to be changed. In Python it took half the time of building a warehouse."""
    return yaml.load(path.read_bytes(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


class _Returned(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


def _return(value: Any) -> None:
    raise _Returned(value)


def _called(macro: jinja2.Template, name: str) -> Callable[..., Any]:
    """A macro as dbt calls it: it finds what there is when it is called, and gives what it returns, if anything."""

    def call(*given: Any, **named: Any) -> Any:
        try:
            return getattr(macro.make_module(), name)(*given, **named)
        except _Returned as returned:
            return returned.value

    return call


def _refuse(message: str) -> None:
    raise Refused(message)


def documented() -> Iterator[tuple[str, dict[str, str | None]]]:
    """Each model of dbt/ that is described, and its columns there, with their types where they are said."""
    for path in sorted((PROJECT / "models").rglob("*.yml")):
        for model in yaml.safe_load(path.read_text())["models"]:
            yield model["name"], {column["name"]: column.get("data_type") for column in model["columns"]}
