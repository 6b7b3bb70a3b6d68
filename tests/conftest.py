"""The store that the tests' ledgers are on, and the one PostgreSQL server of a run.

``--store sqlite`` (the default) runs every test on files. ``--store postgres`` runs those that open ledgers on
PostgreSQL instead; tests marked ``sqlite_file`` are about the file itself. Tests of ``test_postgres*.py`` and of
``test_*_postgres.py`` need the server either way, and run with the default. The first process that needs it starts
it, and it ends with the run. If there is none, they fail.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import settings

from commands.recording import holding
from commands.verbs import doctor
from ledger.store import EpisodeLedger
from tests import books_read, command_line, harness, helper_processes, kept, stores, templates_compiled, tiers
from tests.place import made, place  # noqa: F401  # fixtures for every test
from tests.stories import StoriesTold

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# untimed: how long an example takes says how busy the machine is
settings.register_profile("untimed", deadline=None, max_examples=tiers.many(40, 100))
settings.load_profile("untimed")

OPENS_LEDGERS = (stores.open_ledger, stores.named, command_line.House, command_line.run, harness, harness.derive)
"""Whatever opens a ledger of the tests' store: a module of tests that has one of them is run on PostgreSQL, too."""
_OURS: dict[str, Path] = {}


@pytest.fixture
def own(tmp_path: Path) -> StoriesTold:
    """The ledger of the stories, to be changed."""
    return StoriesTold(tmp_path)


@pytest.fixture
def every_store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The kind of store that this test's ledgers are on, each in turn."""
    monkeypatch.setenv(stores.STORE, request.param)
    return str(request.param)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "every_store" in metafunc.fixturenames:
        in_a_file = metafunc.definition.get_closest_marker("sqlite_file")
        kinds = stores.KINDS[:1] if in_a_file else tiers.of_stores(metafunc.definition.path)
        metafunc.parametrize("every_store", kinds, indirect=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """What a test names its ledger by."""
    return tmp_path / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[EpisodeLedger]:
    """A ledger with nothing in it."""
    with stores.open_ledger(path, create=True) as opened:
        yield opened


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One browser for every page that a process of the tests looks at."""
    from tests.browsing import chromium  # here, since loading it takes longer than most tests

    with chromium() as opened:
        yield opened


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--store", choices=["sqlite", "postgres"], default=os.environ.get(stores.STORE, "sqlite"),
        help="On which store the tests' ledgers are.",
    )  # fmt: skip


SELDOM: Final = 20_000, 20, 50
"""When the collector looks for cycles in a test process: seldom, since twelve thousand tests and all that is loaded
stay to the end, and little else is in one. It took a sixth of the time of finding the tests, and an eighth of a law's.
What stays is not frozen while tests run: the site and a test of forgetting look for every cache there is."""


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(*SELDOM)
    for module in (holding, doctor):
        setattr(module, "locks_hold", _locks_hold)  # noqa: B010  # mypy would have it that nobody does this
    books_read.once_a_process()
    helper_processes.forked_from_one()
    os.environ[stores.STORE] = config.getoption("--store")
    for variable in (stores.FOLDER, kept.FOLDER):
        if variable not in os.environ:  # else it is another process's to end: the run's first, or scripts/test
            holder = Path(tempfile.mkdtemp(prefix="episode-ledger-tests-"))
            holder.chmod(0o755)  # the server's user must get through
            os.environ[variable] = str(holder / "it")
            _OURS[variable] = holder
    templates_compiled.once_a_run()


@pytest.hookimpl(wrapper=True)
def pytest_unconfigure(config: pytest.Config) -> Iterator[None]:
    for variable, holder in _OURS.items():
        if variable == stores.FOLDER and (holder / "it").exists():
            stores.stop(holder / "it")
        shutil.rmtree(holder, ignore_errors=True)
        del os.environ[variable]
    _OURS.clear()
    yield
    if "duckdb" not in sys.modules:  # it would complain of whatever of its own is left
        gc.freeze()  # what is looked for cycles once more goes with the process: it took a second and a half of each


def pytest_itemcollected(item: pytest.Item) -> None:
    if not tiers.marked(item):
        item.add_marker(tiers.by_file(item.path))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The quick tests alone: to load the other files takes as long as a quarter of them."""
    asked_alone = config.getoption("markexpr") == "quick" and collection_path.name.startswith("test_")
    return True if asked_alone and tiers.by_file(collection_path) != "quick" else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """In a worker coverage was begun already, as if it were alone: that one would go on whenever the worker's own is
    held still, and every test would be measured."""
    if hasattr(session.config, "workerinput") and session.config.pluginmanager.hasplugin("_cov"):
        import coverage  # here: nobody else needs it

        while (early := coverage.Coverage.current()) is not None:
            early.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Coverage is measured of the tests that it is taken from alone, and of their fixtures; it stays as it is until the
    next test that needs it otherwise. And a quick test starts no process, and asks no server."""
    controller = getattr(item.config.pluginmanager.get_plugin("_cov"), "cov_controller", None)
    if controller is not None and controller.started != tiers.measured(item):
        (controller.pause if controller.started else controller.resume)()
    if not item.get_closest_marker("quick"):
        return (yield)
    with _no_processes():
        return (yield)


def _locks_hold(folder: Path) -> bool:
    """The answer to what each new ledger asks: trying it costs a copy of this process, which is large. That it is asked
    and heeded, tests/ledger/recorders/test_second_names.py holds, with processes of its own."""
    return True


STARTS: Final = (subprocess.Popen, "__init__"), (BaseProcess, "start"), (os, "fork")
"""How a process is started. By hand, since a fixture that each of twelve thousand tests asks for takes seconds."""


@contextmanager
def _no_processes() -> Iterator[None]:
    kept = [getattr(where, name) for where, name in STARTS]
    for where, name in STARTS:
        setattr(where, name, _refuse)
    try:
        yield
    finally:
        for (where, name), start in zip(STARTS, kept, strict=True):
            setattr(where, name, start)


def _refuse(*_: object, **__: object) -> None:
    raise AssertionError("a quick test starts no process: mark it, or see tests/tiers.py")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--store") == "postgres":
        config.hook.pytest_deselected(items=[item for item in items if not _is_of_a_store(item)])
        items[:] = [item for item in items if _is_of_a_store(item)]


def _is_of_a_store(item: pytest.Item) -> bool:
    name = item.path.stem
    if item.get_closest_marker("sqlite_file") or name.startswith("test_postgres") or name.endswith("_postgres"):
        return False  # the latter are the same whatever --store says
    module = item.getparent(pytest.Module)
    return module is not None and any(each is opens for each in vars(module.obj).values() for opens in OPENS_LEDGERS)
