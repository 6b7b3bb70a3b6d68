"""What the SQLite recorder asks of its tables, statement by statement."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = "position, originator_id, originator_version, topic, state"
IN_BYTES: Final = "position, originator_id, originator_version, topic, CAST(state AS BLOB) AS state"
INSERT: Final = (
    "INSERT INTO entries (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, CAST(? AS TEXT), ?)"
)
INSERT_PATIENT: Final = (
    "INSERT INTO patients (patient, episode) SELECT ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM patients WHERE patient = ? AND episode = ?)"
)
INSERT_KEY: Final = "INSERT INTO keys (id, episode, wrapped) VALUES (?, ?, ?)"
KEYS_OF: Final = (
    "SELECT keys.id, keys.episode, wrapped FROM json_each(?) AS episode CROSS JOIN keys ON keys.episode = episode.value"
)
PAGE: Final = "FROM entries WHERE position > ? AND position <= ? AND originator_id <> '' ORDER BY position LIMIT ?"


def joined(without: int) -> str:
    """An episode as one row, without the texts of so many tags (a CASE compares faster than NOT IN, and one that leads
    to NULL leaves the text where it is).

    The rows come in the order of the one index that leads to them, which is that of versions; nothing rests on it: who
    reads the texts compares. The plus keeps SQLite from walking the positions instead.
    """
    state = f"CASE topic{' WHEN ? THEN NULL' * without} ELSE state END" if without else "state"
    return (
        "SELECT originator_id, count(*), max(originator_version), group_concat(topic),"
        f" CAST(group_concat({state}) AS BLOB)"
        " FROM entries WHERE originator_id = ? AND +position <= ?"
    )


EXTENTS: Final = (
    "SELECT p.episode, p.patient, first.position, ("
    " SELECT originator_version FROM entries WHERE originator_id = p.episode AND position <= ?"
    " ORDER BY originator_version DESC LIMIT 1)"
    " FROM patients AS p CROSS JOIN entries AS first"  # in this order: else every entry is walked
    " ON first.originator_id = p.episode AND first.originator_version = 1"
    " WHERE first.position <= ? ORDER BY first.position, p.patient"
)
AT_PLACES: Final = (
    "FROM json_each(?) AS place CROSS JOIN entries"
    " ON originator_id = json_extract(place.value, '$[0]') AND originator_version = json_extract(place.value, '$[1]')"
)
OF_EPISODES: Final = (
    "FROM json_each(?) AS episode CROSS JOIN entries"
    " ON originator_id = episode.value AND originator_version > ? AND position <= ?"
    " ORDER BY originator_id, originator_version"
)
