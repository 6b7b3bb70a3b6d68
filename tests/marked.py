"""Every fact with a mark in each field that takes text: where the mark stands, a patient's data would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from commands.door.intake import Line, parse_line
from tests.command_line import Told
from tests.intake_samples import every_fact, put

MARK = "ZQSECRETZQ"

EP = "EP-1"


def marked(fact: Told) -> Told:
    """A fact with the mark in every place that takes free text."""
    line = told(fact)
    for path in _texts(line["fact"], "fact"):
        changed = put(line, path, f"{MARK} {path}")
        if isinstance(parse_line(1, json.dumps(changed).encode()), Line):
            line = changed
    return dict(line["fact"])


def _texts(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, f"{path}.{key}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from _texts(each, f"{path}[{at}]")
    elif isinstance(value, str):
        yield path


def told(fact: Told, id: str = f"{MARK} id", **changes: Any) -> Told:
    return {"episode": EP, "source": f"{MARK} source", "id": id, "by": f"{MARK} by", "fact": fact} | changes


def history() -> list[Told]:
    """Every fact there is, marked, in one episode; the opening first."""
    made: list[Told] = json.loads(_history())  # to be changed at will
    return made


@cache
def _history() -> str:
    """The same as JSON, marked once a process: a mark that does not fit is explained at length, and nobody reads it."""
    facts = [marked(fact) for fact in every_fact()]
    facts.sort(key=lambda fact: fact["type"] != "EpisodeOpened")
    kept = [fact for fact in facts if fact["type"] not in ("FactRetracted", "FactCorrected")]
    opened = [fact for at, fact in enumerate(kept) if not at or fact["type"] != "EpisodeOpened"]
    return json.dumps([told(fact, f"{MARK} {at}") for at, fact in enumerate(opened)])
