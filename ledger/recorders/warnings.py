"""Settings of an engine that lose nothing acknowledged, and yet should be otherwise."""

from __future__ import annotations

from collections.abc import Mapping


def warnings_of(settings: Mapping[str, str]) -> list[str]:
    """A sentence for each setting that whoever runs the server should look at."""
    if settings.get("data_checksums") == "off":
        return [
            "The server runs without data checksums: a damaged page would go unseen until 'verify' reads it;"
            " 'pg_checksums --enable' turns them on while it is stopped"
        ]
    return []
