r"""Episode Ledger for other programs: the one import with a promise.

Record facts, read the rows derived from them, ask why a day has its verdict:

>>> import io, json, tempfile
>>> from datetime import date
>>> from episode_ledger import Filters, Setup, day_rows, read_model, record, why_of

>>> folder = tempfile.TemporaryDirectory()
>>> setup = Setup(f"{folder.name}/ledger.db")
>>> opened = {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/Chicago"}
>>> served = {"type": "DayServed", "order": "RX-1", "date": "2026-02-02"}
>>> lines = [
...     {"episode": "EP-1", "source": "intake", "id": "open", "by": "coordinator-5", "fact": opened},
...     {"episode": "EP-1", "source": "pump", "id": "2026-02-02", "by": "pump-feed", "fact": served},
... ]
>>> intake = io.BytesIO("\n".join(map(json.dumps, lines)).encode())
>>> with setup.open(create=True) as ledger:
...     [outcome.outcome for outcome in record(ledger, intake)]
['recorded', 'recorded']

>>> with read_model(setup) as rows:
...     [(day.date, day.status) for day in day_rows(rows, Filters(patient="P-1"))]
[('2026-02-02', 'hold')]

>>> with setup.open() as ledger:
...     why = why_of(ledger, "EP-1", date(2026, 2, 2), setup.book)
>>> why.verdict.status
'hold'
>>> folder.cleanup()

What there is:

- ``Setup(ledger, book=None, views=None)``: the ledger, book and read model that a command works on. ``setup.open()``
  gives the ledger, ``setup.book`` the book, ``setup.places`` the read models.
- ``open_ledger(path, create=...)`` gives an ``EpisodeLedger``, ``load_book(folder)`` a ``Book``.
- ``record(ledger, stream)`` takes intake lines and gives an ``Outcome`` for each.
- ``read_model(setup, known_at, wanted)`` has every row: up to date, or as known at an instant. ``day_rows``,
  ``line_rows`` and ``finding_rows(rows, wanted)`` give each ``DayRow``, ``LineRow``, ``FindingRow`` that ``Filters``
  choose.
- ``why_of(ledger, episode, date, book)`` gives a ``Why``; ``replay_of(ledger, episode, book)`` each entry with the days
  it changed; ``between_of(ledger, episode, book, first, last)`` the days that differ between two instants;
  ``claimed_days(ledger, book)`` what was claimed beside what is billable now;
  ``changes_since(ledger, since, upto)`` the changed rows between two positions.
- ``rebuild(setup.ledger_name, setup.places, setup.book, RebuildOptions(), now)`` gives a ``Certificate``.
- ``run(["verify", "--format", "json"])`` runs any command in this process and gives its exit status.

Errors: ``StoreError`` and its kinds ``NoLedger``, ``OutcomeUnknown``, ``Forgotten``; ``UnreadableEntry``,
``BookError``, ``KeyTrouble``, ``ViewsError``; and ``CannotRun``, an ImportError, where the system or the environment
is not supported.

The promise: these names, their parameters and the fields of their rows are kept within a minor version before 1.0, and
within a major version from then on; additions are possible at any time. CHANGELOG.md announces a removal one release
before it. Everything else in ``ledger``, ``projections`` and ``commands`` can be imported too, without that promise.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from episode_ledger.check import CannotRun as CannotRun
from episode_ledger.check import check_can_run

if TYPE_CHECKING:
    from episode_ledger.names import *  # noqa: F403
else:

    def __getattr__(name: str) -> object:
        """A promised name, looked up when first used: the check comes first, and the command need not load them all."""
        if name.startswith("_") and name != "__all__":
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        check_can_run()
        return getattr(import_module("episode_ledger.names"), name)
