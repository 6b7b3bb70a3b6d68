"""How the ledger and its read model stand, as ``status`` prints it."""

from __future__ import annotations

from typing import Final

import msgspec

from ledger.book import Book
from ledger.facts.entry import UnreadableEntry
from ledger.store import EpisodeLedger
from projections.audit.as_closed import closed_otherwise
from projections.read_model.catch_up import of_this_ledger
from projections.read_model.generations import Places
from projections.read_model.queries import counts
from projections.read_model.trouble import SetAside
from projections.read_model.version import code_version
from projections.read_model.views import Views
from projections.rebuild.rebuild import certificates

SHOWN_REBUILDS: Final = 10


class StatusRow(msgspec.Struct, frozen=True):
    """Positions are counts of entries; ``lag`` is how many entries the read model was behind before this reading.

    ``closed_otherwise`` are the closed months that another judge or other zone data closed, with what differs.
    """

    ledger: str
    ledger_id: str
    position: int
    read_model_position: int
    lag: int
    days: int
    verdicts: dict[str, int]
    findings: dict[str, int]
    hard_findings: int
    code_version: str
    book: str
    book_hash: str
    settings: dict[str, str]
    fingerprints: dict[str, str]
    set_aside: tuple[SetAside, ...]
    rebuilds: tuple[Rebuilt, ...]
    closed_otherwise: dict[str, tuple[str, ...]]


class Rebuilt(msgspec.Struct, frozen=True):
    """A certificate in short; its file holds the rest."""

    made_at: str
    outcome: str
    switched: bool
    position: int
    changed_rows: int


def behind(ledger: EpisodeLedger, views: Views) -> int:
    """How many entries the read model does not know yet."""
    noted = views.noted()
    known = int(noted["position"]) if noted and of_this_ledger(noted, ledger) is None else 0
    return max(0, ledger.position() - known)


def status_row(
    ledger: EpisodeLedger, places: Places, views: Views, book: Book, names: tuple[str, str], lag: int
) -> StatusRow:
    """The status of a ledger whose read model is caught up; ``names`` are how the ledger and the book were named."""
    counted = counts(views)
    hard = sum(number for rule, number in counted["findings"].items() if rule.startswith("hard "))
    return StatusRow(
        names[0], ledger.id, ledger.position(), int(views.noted()["position"]), lag,
        sum(counted["verdicts"].values()), counted["verdicts"], counted["findings"], hard,
        code_version(), names[1], book.hash, ledger.settings(), views.fingerprints(), tuple(views.set_aside().values()),
        tuple(
            Rebuilt(made.made_at, made.outcome, made.switched, made.position, sum(made.changed_rows.values()))
            for made in certificates(places)[-SHOWN_REBUILDS:]
        ),
        _closed_otherwise(ledger),
    )  # fmt: skip


def _closed_otherwise(ledger: EpisodeLedger) -> dict[str, tuple[str, ...]]:
    try:
        return closed_otherwise(ledger)
    except UnreadableEntry:  # 'verify' and 'doctor' say so; the status of the rest is no worse for it
        return {}
