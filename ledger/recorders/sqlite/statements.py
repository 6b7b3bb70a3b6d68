"""What the SQLite recorder asks of its tables, statement by statement."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from ledger.facts.stored import TAGS

COLUMNS: Final = "position, originator_id, originator_version, topic, state"
IN_BYTES: Final = "position, originator_id, originator_version, topic, CAST(state AS BLOB) AS state"
INSERT: Final = "INSERT INTO entries (originator_id, originator_version, topic, state, seal) VALUES (?, ?, ?, ?, ?)"
INSERT_PATIENT: Final = (
    "INSERT INTO patients (patient, episode) SELECT ?, ?"
    " WHERE NOT EXISTS (SELECT 1 FROM patients WHERE patient = ? AND episode = ?)"
)
INSERT_KEY: Final = "INSERT INTO keys (id, episode, wrapped) VALUES (?, ?, ?)"
KEYS_OF: Final = (
    "SELECT keys.id, keys.episode, wrapped FROM json_each(?) AS episode CROSS JOIN keys ON keys.episode = episode.value"
)
PAGE: Final = "FROM entries WHERE position > ? AND position <= ? AND originator_id <> '' ORDER BY position LIMIT ?"


_THEIRS: Final = "FROM entries WHERE originator_id IN (SELECT value FROM json_each(?1)) AND +position <= ?2"
TEXT_BYTES: Final = (  # the index alone says how many there are
    f"SELECT CASE WHEN (SELECT count(*) {_THEIRS}) <= ?3 THEN 0"
    f" ELSE (SELECT sum(length(CAST(state AS BLOB))) {_THEIRS}) END"
)


def joined(without: Collection[str]) -> tuple[str, tuple[str, ...]]:
    """An episode as one row, without the texts of some tags; the statement, and the tags it asks about.

    A CASE compares faster than NOT IN, leaves a text where it is if it leads to NULL, and asks about the tags that are
    wanted where these are fewer: a tag that nobody knows is then left out, too, and whoever reads the texts compares.
    The rows come in the order of the one index that leads to them, which is that of versions; nothing rests on it. The
    plus keeps SQLite from walking the positions instead.
    """
    wanted = sorted(set(TAGS.values()) - set(without))
    state, asked = "state", wanted
    if len(wanted) < len(without):
        state = f"CASE topic{' WHEN ? THEN state' * len(wanted)} END"
    elif without:
        state, asked = f"CASE topic{' WHEN ? THEN NULL' * len(without)} ELSE state END", sorted(without)
    statement = (
        "SELECT originator_id, count(*), max(originator_version), group_concat(topic),"
        f" CAST(group_concat({state}) AS BLOB)"
        " FROM entries WHERE originator_id = ? AND +position <= ?"
    )
    return statement, tuple(asked if "?" in state else ())


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
OF_KINDS: Final = (
    "FROM entries WHERE originator_id = ? AND originator_version > ? AND topic IN (SELECT value FROM json_each(?))"
    " ORDER BY originator_version"
)
PATIENTS_BETWEEN: Final = (
    "SELECT DISTINCT patient FROM patients WHERE episode IN"
    " (SELECT originator_id FROM entries WHERE position > ? AND position <= ?)"
)
PATIENTS_UPTO: Final = (  # of each episode one entry is looked at, where that suffices
    "SELECT DISTINCT patient FROM patients WHERE EXISTS"
    " (SELECT 1 FROM entries WHERE originator_id = episode AND +position <= ?)"
)
VERSIONS_WITHOUT: Final = (  # in the order of positions: an index would lead to every entry one by one
    "SELECT originator_id, group_concat(originator_version) FROM entries NOT INDEXED"
    " WHERE position <= ? AND originator_id <> '' AND topic NOT IN (SELECT value FROM json_each(?))"
    " GROUP BY originator_id"
)
OF_EPISODES: Final = (
    "FROM json_each(?) AS episode CROSS JOIN entries"
    " ON originator_id = episode.value AND originator_version > ? AND position <= ?"
    " ORDER BY originator_id, originator_version"
)
