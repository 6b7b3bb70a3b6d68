"""The findings of a page, and what has changed since its days were claimed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any, Final

import msgspec
from msgspec import structs

from ledger.facts.entry import Entry, fields_shown
from ledger.judge.case import Case
from ledger.judge.findings import Finding, find
from projections.audit.claimed_rows import ClaimedDay
from projections.page.sources import Cause, Sources
from projections.rows.finding import message_of
from projections.words import date_runs, iso, payer_name, verdict_words

SECRET_CODE: Final = "a code of another episode"
SECRET_CLAIM: Final = "a claim of another episode"


class FindingShown(msgspec.Struct, frozen=True, gc=False):
    """Findings of one rule that say the same: on which dates (as runs), because of which entries."""

    rule: str
    level: str
    message: str
    dates: tuple[tuple[str, str], ...]
    causes: tuple[Cause, ...]


class ClaimedRun(msgspec.Struct, frozen=True, gc=False):
    """Consecutive dates of which the same is to be said: what was claimed, what is known now, what it may cost."""

    kind: str
    from_: str
    to: str
    days: int
    claim: str | None
    payer_name: str | None
    claimed_code: str | None
    claimed_cents: int
    known_when_claimed: str | None
    known_now: str | None
    now_payer_name: str | None
    now_code: str | None
    now_cents: int
    exposure_cents: int
    revealed_by: tuple[Cause, ...]
    is_by_terms: bool
    revealed_at: str | None
    repay_by: str | None
    file_by: str | None
    paid_cents: int | None


def findings_shown(case: Case, cases: Sequence[Case], entries: Iterable[Entry], sources: Sources) -> list[FindingShown]:
    """The findings that concern the episode, those of one rule with one message together."""
    own = _own_codes(case, entries)
    numbers = case.episode.claim_numbers
    together: dict[tuple[str, str, str], list[Finding]] = {}
    for found in find(cases):
        if case.episode.name in found.episodes:
            message = message_of(structs.replace(found, codes=tuple(_codes(found, own)), about=_about(found, numbers)))
            together.setdefault((found.rule, found.level, message), []).append(found)
    shown = [_finding(*said, found, sources) for said, found in together.items()]
    return sorted(shown, key=lambda finding: (finding.level, finding.rule, finding.dates))


def _finding(rule: str, level: str, message: str, found: Sequence[Finding], sources: Sources) -> FindingShown:
    dates = sorted({iso(date) for each in found for date in each.dates})
    causes = [cause for each in found for cause in sources.of_labels(each.because, shared=len(each.episodes) > 1)]
    return FindingShown(rule, level, message, tuple(date_runs(dates)), tuple(sorted(set(causes), key=_own_first)))


def _own_first(cause: Cause) -> tuple[bool, int]:
    return cause.label is None, cause.position


def _codes(found: Finding, own: set[str]) -> list[str]:
    """The finding's codes, without those that only another episode of the patient knows."""
    known = [code for code in found.codes if code in own]
    return known if len(known) == len(found.codes) else [*known, SECRET_CODE]


def _about(found: Finding, numbers: set[str]) -> tuple[tuple[str, str], ...]:
    """What the finding is about, without the numbers of claims that only another episode of the patient knows."""
    told = (SECRET_CLAIM if name == "claim" and value not in numbers else value for name, value in found.about)
    return tuple(dict.fromkeys(zip((name for name, _ in found.about), told, strict=True)))


def _own_codes(case: Case, entries: Iterable[Entry]) -> set[str]:
    """Every code that the episode's days have or its entries name."""
    codes = {*case.codes, *case.candidates}
    for entry in entries:
        codes |= _codes_named(fields_shown(entry))
    return codes


def _codes_named(fact: dict[str, Any]) -> set[str]:
    named = {fact.get("code"), fact.get("hcpcs"), fact.get("bill"), *fact.get("codes", ())}
    return {str(code) for code in named if code} | {line["code"] for line in fact.get("lines", ())}


def claimed_shown(case: Case, claimed: Iterable[ClaimedDay], sources: Sources) -> list[ClaimedRun]:
    """What differs from the claims, consecutive dates of which the same is to be said together."""
    changed = sorted((day for day in claimed if day.kind != "as_claimed"), key=_sameness)
    shown = []
    for _, alike in groupby(changed, key=_sameness):
        by_date: dict[str, list[ClaimedDay]] = {}
        for day in alike:
            by_date.setdefault(day.date, []).append(day)
        for first, last in date_runs(sorted(by_date)):
            within = [day for date, days in by_date.items() if first <= date <= last for day in days]
            shown.append(_claimed_run(case, within, first, last, sources))
    return sorted(shown, key=lambda run: (run.from_, run.to, run.kind, run.claim or ""))


_ITS_OWN: Final = {"date", "claimed_cents", "now_cents", "exposure_cents", "file_by", "paid_cents"}
"""What a day of a run has for itself; the rest is the same for all."""


def _sameness(day: ClaimedDay) -> tuple[str, ...]:
    """What is to be said of a day, as text so that it can be ordered."""
    same = (getattr(day, name) for name in ClaimedDay.__struct_fields__ if name not in _ITS_OWN)
    return (str(day.paid_cents is None), *map(str, same))


def _claimed_run(case: Case, days: Sequence[ClaimedDay], first: str, last: str, sources: Sources) -> ClaimedRun:
    day = days[0]

    def name(payer: str | None) -> str | None:
        return None if payer is None else payer_name(case.book, payer)

    def total(field: str) -> int:
        return sum(getattr(each, field) for each in days)

    return ClaimedRun(
        day.kind, first, last, len({each.date for each in days}), day.claim, name(day.payer),
        day.claimed_code, total("claimed_cents"),
        _words(day.known_when_claimed), _words(day.known_now), name(day.now_payer), day.now_code, total("now_cents"),
        total("exposure_cents"), sources.of_labels(day.revealed_by), not day.revealed_by, day.revealed_at, day.repay_by,
        min((each.file_by for each in days if each.file_by), default=None),
        None if day.paid_cents is None else total("paid_cents"),
    )  # fmt: skip


def _words(verdict: str | None) -> str | None:
    return None if verdict is None else verdict_words(verdict)
