"""Older copies put back in place of a ledger at any moment: whoever had read it further is told, and nobody else.

A ledger grows, is read and is copied by chance; then a copy takes its place, and perhaps others go on recording on it.
"""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

from commands.terminal.options import Setup
from commands.terminal.rollbacks import stored_rollbacks
from commands.writing.record import record
from ledger.recorders.postgres.migrate import migrate
from projections.read_model.catch_up import catch_up
from tests import stores
from tests.command_line import BOOK, lines_of, run
from tests.fire.ground import book_read_once, facts, holds, remove
from tests.stores import open_ledger

STEPS = 6
AT_ONCE = 15


def put_back(folder: Path, count: int, rng: Random, *, forgetful: bool = False) -> Counter[str]:
    """So many ledgers put back; with ``forgetful``, the control, the read model is gone with what it had seen."""
    found: Counter[str] = Counter(
        put_back=0, had_been_read_further=0, told=0, missed=0, told_in_vain=0, does_not_hold=0
    )
    with book_read_once():
        for number in range(count):
            found.update(_one(folder / f"{number}.db", rng, forgetful))
    return found


def _one(ledger: Path, rng: Random, forgetful: bool) -> Counter[str]:
    copy, told = ledger.with_suffix(".backup"), facts(rng, (2 * STEPS + 1) * AT_ONCE)
    setup = Setup(stores.named(ledger), str(BOOK), str(ledger.parent), stores.master)
    stores.make(ledger)
    _grow(ledger, told)
    at, seen = 0, 0
    for step in range(STEPS):
        does = rng.choice(("grow", "grow", "read", "read", "copy")) if step else "copy"
        if does == "read":
            seen = _read(setup)
        elif does == "copy":
            copy.unlink(missing_ok=True)
            assert run("--ledger", ledger, "backup", "--out", copy).status == 0
            at = _position(ledger)
        else:
            _grow(ledger, told)
    _put(copy, ledger)
    for _ in range(rng.choice((0, 1, 3))):
        _grow(ledger, told, skipped=(STEPS + 1) * AT_ONCE)  # others than those that are gone
    if forgetful:
        for file in setup.places.own_files():
            file.unlink(missing_ok=True)
    gone, says = seen > at, bool(stored_rollbacks(setup.ledger_name, setup.places))
    looked = Counter(
        put_back=1, had_been_read_further=int(gone), told=int(says), missed=int(gone and not says),
        told_in_vain=int(says and not gone), does_not_hold=int(not holds(ledger)),
    )  # fmt: skip
    remove(ledger)
    copy.unlink()
    for file in setup.places.own_files():
        file.unlink(missing_ok=True)
    return looked


def _grow(ledger: Path, told: list[dict[str, Any]], skipped: int = 0) -> None:
    with open_ledger(ledger, create=True) as opened:
        at = max(opened.position(), 0) + skipped
        list(record(opened, BytesIO(lines_of(told[at : at + AT_ONCE]))))


def _read(setup: Setup) -> int:
    with setup.open() as opened, closing(setup.views()) as views:
        return catch_up(opened, views, setup.book)


def _position(ledger: Path) -> int:
    with open_ledger(ledger, create=False) as opened:
        return opened.position()


def _put(copy: Path, ledger: Path) -> None:
    """The copy in the ledger's place, as an administrator would: the ledger is moved away, and the copy restored."""
    remove(ledger)
    if not stores.on_postgres():
        assert run("restore", copy, "--out", ledger, env=stores.told_of_the_key()).status == 0
        return
    stores.schema_for(ledger)
    assert run("restore", copy, "--out", stores.owned(ledger), env=stores.told_of_the_key()).status == 0
    migrate(stores.owned(ledger), stores.ROLE, stores.KEY.id if stores.master() else "")
