"""Decisions of humans about a date, and whether they change anything on it."""

from __future__ import annotations

from datetime import date

from ledger.judge.day_rules import has_effect
from projections.reading.as_known import JudgedPatient


def changes_anything(judged: JudgedPatient, episode: str, on: date, bill: str | None) -> bool:
    """Whether a decision of one of a patient's episodes counts on its date, and does anything there."""
    case = judged.case(episode)
    decided = case.episode.resolutions.get(on.toordinal())
    return decided is None or decided[1].bill != bill or has_effect(case, on.toordinal(), bill)
