"""What the PostgreSQL recorder asks of its tables, the longer statements."""

from __future__ import annotations

from typing import Final

COLUMNS: Final = "position, originator_id, originator_version, topic, state"
AT_PLACES: Final = (
    f"SELECT {COLUMNS} FROM entries JOIN unnest(%s::text[], %s::bigint[]) AS place (episode, version)"
    " ON originator_id = place.episode AND originator_version = place.version"
)
JOINED: Final = (  # sorted before and not within: one index leads there in this order; who reads the texts compares
    "SELECT originator_id, count(*), max(originator_version), string_agg(topic, ','),"
    " coalesce(string_agg(state, ',') FILTER (WHERE topic <> ALL(%s::text[])), '')"
    " FROM (SELECT originator_id, originator_version, topic, state FROM entries"
    " WHERE originator_id = ANY(%s::text[]) AND position <= %s"
    " ORDER BY originator_id, originator_version) AS sorted GROUP BY originator_id"
)
EXTENTS: Final = (  # by the index, episode by episode: whoever rebuilds waits for it
    "SELECT p.episode, p.patient, first.position, ("
    " SELECT originator_version FROM entries WHERE originator_id = p.episode AND position <= %s"
    " ORDER BY originator_version DESC LIMIT 1)"
    " FROM patients AS p JOIN entries AS first ON first.originator_id = p.episode AND first.originator_version = 1"
    " WHERE first.position <= %s ORDER BY first.position, p.patient"
)
VERSIONS_WITHOUT: Final = (
    "SELECT originator_id, string_agg(originator_version::text, ',') FROM entries"
    " WHERE position <= %s AND originator_id <> '' AND topic <> ALL(%s::text[]) GROUP BY originator_id"
)
