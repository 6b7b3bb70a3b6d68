"""Conflicts that wait for a human, and findings that stop a claim."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from projections.read_model.queries import findings_where, runs_within
from projections.read_model.views import Views
from projections.report.asked import Asked
from projections.rows.finding import MESSAGES


class Conflict(msgspec.Struct, frozen=True, tag_field="section", tag="conflicts"):
    """The days in conflict under one rule."""

    rule: str
    days: int
    episodes: int
    first_date: str
    rows: str


class HardFinding(msgspec.Struct, frozen=True, tag_field="section", tag="findings"):
    """The hard findings of one rule; ``first_date`` is the earliest of all their dates, ``todo`` says what to do."""

    rule: str
    findings: int
    patients: int
    first_date: str
    todo: str
    rows: str


def conflicts(views: Views, asked: Asked) -> Iterator[Conflict]:
    """Every rule under which days are in conflict."""
    runs, values = runs_within(asked.filters._replace(status="conflict"))
    found = views.connection.execute(
        f"SELECT reason, sum(days), count(DISTINCT episode), min(first_date) FROM {runs} GROUP BY 1 ORDER BY 1", values
    )
    for rule, days, episodes, first in found:
        yield Conflict(rule, days, episodes, first, asked.rows("days", status="conflict", reason=rule))


def hard_findings(views: Views, asked: Asked) -> Iterator[HardFinding]:
    """Every rule with a hard finding."""
    where = findings_where(asked.filters)
    where.add("level = ?", "hard")
    found = views.connection.execute(
        "SELECT rule, count(*), count(DISTINCT nullif(patient, '')), min(first_date) FROM findings"
        f"{where} GROUP BY 1 ORDER BY 1",
        where.values,
    )
    for rule, number, patients, first in found:
        yield HardFinding(rule, number, patients, first, todo_of(rule), asked.rows("findings", rule=rule))


def todo_of(rule: str) -> str:
    """What to do about a rule's findings."""
    return MESSAGES[rule].todo
