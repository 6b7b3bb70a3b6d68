"""What stands in a ledger's file: its tables, and the guards that keep the past as it is.

The tables guard themselves, so that a foreign tool cannot change the past either: entries, patients and the ledger's
own page are only ever added to. A BEFORE INSERT trigger is what stops ``INSERT OR REPLACE``, which deletes rows without
firing delete triggers. In an encrypted ledger an episode's key, and whose it is, may go: with the act that forgets it.
"""

from __future__ import annotations

import re
from typing import Final

FORMAT: Final = "2"
"""Of a ledger whose entries anybody may read who may read the file."""
ENCRYPTED: Final = "3"
"""Of a ledger whose entries are encrypted; all else is as in the other."""


def _refuse_when(event: str, table: str, says: str, when: str = "") -> str:
    name = f"{table}_{event.split()[-1].lower()}"
    return f"CREATE TRIGGER {name} {event} ON {table} {when} BEGIN SELECT RAISE(ABORT, '{says}'); END"


# NEW.position is -1 where the insert leaves the numbering to SQLite.
_NOT_THE_NEXT = """WHEN NEW.originator_version IS NOT
    1 + coalesce((SELECT max(originator_version) FROM entries WHERE originator_id = NEW.originator_id), 0)
    OR (NEW.position <> -1 AND NEW.position <> 1 + coalesce((SELECT max(position) FROM entries), 0))"""

# Frozen with their formats: these texts are compared with those in the file.
_PLAIN: Final = (
    """CREATE TABLE entries (
        position INTEGER PRIMARY KEY AUTOINCREMENT CHECK (position >= 1),
        originator_id TEXT NOT NULL,
        originator_version INTEGER NOT NULL CHECK (originator_version >= 1),
        topic TEXT NOT NULL,
        state TEXT NOT NULL,
        seal BLOB NOT NULL CHECK (length(seal) = 32),
        UNIQUE (originator_id, originator_version)) STRICT""",
    """CREATE TABLE patients (
        patient TEXT NOT NULL, episode TEXT NOT NULL, PRIMARY KEY (patient, episode)) STRICT, WITHOUT ROWID""",
    "CREATE INDEX patients_by_episode ON patients (episode, patient)",
    "CREATE TABLE ledger (key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) STRICT",
    _refuse_when("BEFORE INSERT", "entries", "an entry only follows the last one of its episode", _NOT_THE_NEXT),
    _refuse_when("BEFORE UPDATE", "entries", "an entry is never changed"),
    _refuse_when("BEFORE DELETE", "entries", "an entry is never deleted"),
    _refuse_when(
        "BEFORE INSERT",
        "patients",
        "a patient of an episode is never replaced",
        "WHEN EXISTS (SELECT 1 FROM patients WHERE patient = NEW.patient AND episode = NEW.episode)",
    ),
    _refuse_when("BEFORE UPDATE", "patients", "a patient of an episode is never changed"),
    _refuse_when("BEFORE DELETE", "patients", "a patient of an episode is never deleted"),
    _refuse_when(
        "BEFORE INSERT",
        "ledger",
        "the ledger page is never replaced",
        "WHEN EXISTS (SELECT 1 FROM ledger WHERE key = NEW.key OR rowid = NEW.rowid)",
    ),
    _refuse_when("BEFORE UPDATE", "ledger", "the ledger page is never changed"),
    _refuse_when("BEFORE DELETE", "ledger", "the ledger page is never deleted"),
)

# Text is searched, for SQLite's JSON functions may not be used by triggers: a key's id is hexadecimal, and an unescaped
# quotation mark cannot stand within a string of JSON.
_UNLOCKED: Final = (
    "NOT EXISTS (SELECT 1 FROM keys WHERE episode = NEW.originator_id"
    """ AND instr(NEW.state, '"key":"' || id || '"') > 0)"""
)
_UNFORGOTTEN: Final = (
    "NOT EXISTS (SELECT 1 FROM entries WHERE originator_id = '' AND topic = 'PatientForgotten'"
    """ AND instr(state, '"' || OLD.id || '"') > 0)"""
)
_STILL_OPEN: Final = (
    "EXISTS (SELECT 1 FROM keys WHERE episode = OLD.episode)"
    " OR NOT EXISTS (SELECT 1 FROM entries WHERE originator_id = OLD.episode)"
)
_OF_ENCRYPTED: Final = (
    """CREATE TABLE keys (
        id TEXT PRIMARY KEY NOT NULL, episode TEXT NOT NULL UNIQUE, wrapped BLOB NOT NULL) STRICT""",
    "CREATE TRIGGER entries_encrypted BEFORE INSERT ON entries"
    f" WHEN NEW.originator_id <> '' AND {_UNLOCKED}"
    " BEGIN SELECT RAISE(ABORT, 'an entry is encrypted with the key of its episode'); END",
    _refuse_when(
        "BEFORE INSERT",
        "keys",
        "an episode has one key, from its first entry on",
        "WHEN EXISTS (SELECT 1 FROM keys WHERE id = NEW.id OR episode = NEW.episode OR rowid = NEW.rowid)"
        " OR EXISTS (SELECT 1 FROM entries WHERE originator_id = NEW.episode)",
    ),
    _refuse_when("BEFORE UPDATE", "keys", "a key is never changed"),
    _refuse_when(
        "BEFORE DELETE", "keys", "a key goes only with the act that forgets its patient", f"WHEN {_UNFORGOTTEN}"
    ),
    _refuse_when(
        "BEFORE DELETE",
        "patients",
        "a patient goes only after the key of their episode",
        f"WHEN {_STILL_OPEN}",
    ),
)


def _name_of(statement: str) -> str:
    return statement.split()[2]


_REPLACED: Final = set(map(_name_of, _OF_ENCRYPTED))
SCHEMAS: Final = {
    FORMAT: _PLAIN,
    ENCRYPTED: (*(each for each in _PLAIN if _name_of(each) not in _REPLACED), *_OF_ENCRYPTED),
}
"""What creates a ledger of each format."""


def squeezed(text: str) -> str:
    """A statement with single spaces, to be compared."""
    return re.sub(r"\s+", " ", text).strip()


def _described(statement: str) -> tuple[str, str, str]:
    """Kind, name and text of what a statement creates, as SQLite's own table has them."""
    _, kind, name, *_ = statement.split()
    return kind.lower(), name, squeezed(statement)


EXPECTED: Final = {format_: tuple(map(_described, statements)) for format_, statements in SCHEMAS.items()}
"""What must stand in a ledger of each format."""
