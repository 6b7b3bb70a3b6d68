"""Where each promised name is at present: the one file to change when something moves or is renamed inside."""

from __future__ import annotations

from commands.cli import run
from commands.terminal.options import Setup
from commands.verbs.read import derived as read_model
from commands.writing.record import Outcome, record
from episode_ledger.check import CannotRun
from ledger.book import Book, BookError, load_book
from ledger.facts.entry import UnreadableEntry
from ledger.keys.key_file import KeyTrouble
from ledger.recorders import Forgotten, NoLedger, StoreError
from ledger.recorders import Unknown as OutcomeUnknown
from ledger.store import EpisodeLedger, open_ledger
from projections.audit.between import between_of
from projections.audit.claimed import claimed_days
from projections.audit.replay import replay_of
from projections.changes.days import changes_since
from projections.read_model.queries import Filters, day_rows, finding_rows, line_rows
from projections.read_model.trouble import ViewsError
from projections.rebuild.certificate import Certificate
from projections.rebuild.rebuild import Wanted as RebuildOptions
from projections.rebuild.rebuild import rebuild
from projections.rows.day import DayRow
from projections.rows.finding import FindingRow
from projections.rows.line import LineRow
from projections.why.why import Why, why_of

__all__ = [
    "Book", "BookError", "CannotRun", "Certificate", "DayRow", "EpisodeLedger", "Filters", "FindingRow", "Forgotten",
    "KeyTrouble", "LineRow", "NoLedger", "Outcome", "OutcomeUnknown", "RebuildOptions", "Setup", "StoreError",
    "UnreadableEntry", "ViewsError", "Why", "between_of", "changes_since", "claimed_days", "day_rows", "finding_rows",
    "line_rows", "load_book", "open_ledger", "read_model", "rebuild", "record", "replay_of", "run", "why_of",
]  # fmt: skip
