"""Ledgers changed behind their guards, as no program of ours would; and patients set aside for it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.command_line import OPENING, House, lines_of
from tests.stories import (
    StoriesTold,
    march,
)


def plant(path: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        guards = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in guards:
            connection.execute(f"DROP TRIGGER {name}")
        assert connection.execute(statement, values).rowcount > 0
        for _, text in guards:
            connection.execute(text)


WRONG: dict[str, tuple[str, int]] = {
    "an unknown event": ("UPDATE entries SET state = replace(state, '\"type\":\"', '\"type\":\"os.')"
                         " WHERE position = ?", 0),
    "an unknown tag": ("UPDATE entries SET topic = 'os:system' WHERE position = ?", 0),
    "another tag": ("UPDATE entries SET topic = 'Discharged' WHERE position = ?", 0),
    "broken text": ("UPDATE entries SET state = substr(state, 1, 20) WHERE position = ?", 0),
    "no object": ("UPDATE entries SET state = '[1]' WHERE position = ?", 0),
    "no fact": ("UPDATE entries SET state = '{\"schema\":2}' WHERE position = ?", 0),
    "two texts": ("UPDATE entries SET state = state || ',' || state WHERE position = ?", 0),
    "no text": ("UPDATE entries SET state = CAST(x'7b22ff227d' AS TEXT) WHERE position = ?", 0),
    "a number that is none": ("UPDATE entries SET state = replace(state, '\"schema\":2', '\"schema\":[]')"
                              " WHERE position = ?", 0),
    "another episode": ("UPDATE entries SET originator_id = 'E9' WHERE position = ?", 1),
    "another version in the text": ("UPDATE entries SET state = replace(state, '\"version\":', '\"version\":1')"
                                    " WHERE position = ?", 0),
    "another version": ("UPDATE entries SET originator_version = 7000 WHERE position = ?", 0),
    "an entry gone": ("DELETE FROM entries WHERE position = ?", 1),
}  # fmt: skip

UNREADABLE = "UPDATE entries SET state = substr(state, 1, 20) WHERE originator_id = ? AND originator_version = ?"


def alter(backup: Path, *statements: str) -> None:
    with closing(sqlite3.connect(backup, isolation_level=None)) as file:
        for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            file.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            file.execute(statement)


def set_aside(own: StoriesTold) -> list[Any]:
    """Version 3 of EP-2 cannot be read any more, and its patient is set aside; the report's lines then."""
    plant(own.ledger, UNREADABLE, "EP-2", 3)
    assert own.run("rebuild", "--quarantine").status == 0
    ended = own.run("report", "--on", "2026-06-01")
    assert ended.status == 0
    assert ended.err.startswith("Patient P-2 is set aside and not shown")
    return ended.rows


def tell_of_one_who_shared_an_episode(own: StoriesTold) -> None:
    """P-9, whose claimed episode was P-2's at first."""
    story = march().at("2026-05-01T10:00Z").told
    fact = OPENING | {"patient": "P-9"}
    moved = {"type": "FactCorrected", "target_source": "chart", "target_id": "open", "reason": "not them", "fact": fact}
    story[0]["fact"]["patient"] = "P-2"
    story.append({"source": "chart", "id": "moved", "by": "rn-1", "recorded_at": "2026-05-01T10:00Z", "fact": moved})
    lines = lines_of(entry | {"episode": "EP-9"} for entry in story)
    assert own.run("record", "--keep-recorded-at", "-", stdin=lines).status == 0


def broken(house: House) -> str:
    """Version 4 of EP-2 (position 15) cannot be read any more; gives back what it was."""
    with closing(sqlite3.connect(house.ledger)) as connection:
        text = connection.execute("SELECT state FROM entries WHERE position = 15").fetchone()[0]
    plant(house.ledger, UNREADABLE, "EP-2", 4)
    return str(text)
