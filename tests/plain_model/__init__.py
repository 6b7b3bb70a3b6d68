"""The plain model: the rulebook written out slowly, to be compared with the fast implementation.

Nothing here is clever. Facts are plain entries, dates are `datetime.date`, spans are looked at day by day, and the
steps of section 4 stand in their order. It shares no code with the implementation it checks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .findings import findings_of_patient
from .history import Episode, instant, read_episodes
from .lines import lines_of_episode
from .reference import Reference
from .verdicts import Day, judge_patient

__all__ = ["Derived", "derive"]


@dataclass(frozen=True)
class Derived:
    """What follows from entries and book: rows as the contract shapes them, without `because` and `message`."""

    days: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    lines: list[dict[str, Any]]


def derive(entries: list[dict[str, Any]], book: dict[str, Any], known_at: str | None = None) -> Derived:
    """Derive days, findings and lines from the book and the accepted entries in the order recorded."""
    until = None if known_at is None else instant(known_at)
    reference = Reference.of(book, None if until is None else until.date())
    days: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    lines: list[dict[str, Any]] = []
    for episodes in by_patient(read_episodes(entries, until)):
        judged = judge_patient(episodes, reference)
        findings += findings_of_patient(episodes, judged, reference)
        for episode in episodes:
            days += [day_row(day) for day in judged[episode.name].values()]
            lines += lines_of_episode(judged[episode.name].values())
    days.sort(key=lambda row: (row["patient"], row["episode"], row["date"]))
    lines.sort(key=lambda row: (row["patient"], row["episode"], row["from"]))
    findings.sort(
        key=lambda row: (row["rule"], row["patient"], row["dates"][0], row["dates"], row["episodes"], row["codes"])
    )
    return Derived(days, findings, lines)


def by_patient(episodes: Iterable[Episode]) -> list[list[Episode]]:
    """Episodes with equal patient strings belong together."""
    groups: dict[str, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(episode.patient, []).append(episode)
    return list(groups.values())


def day_row(day: Day) -> dict[str, Any]:
    """A row of `days`: a field is null until the step that finds it is passed."""
    terms = day.terms if day.passed(6) else None
    billable = day.status == "billable"
    return {
        "patient": day.patient,
        "episode": day.episode,
        "date": day.date.isoformat(),
        "status": day.status,
        "reason": day.reason,
        "code": day.code if day.passed(20) else None,
        "payer": day.payer if day.passed(5) else None,
        "terms_from": None if terms is None else terms.from_date.isoformat(),
        "terms_published": None if terms is None else terms.published.isoformat(),
        "rate_cents": day.rate_cents if billable else None,
        "authorization": day.authorization if billable else None,
    }
