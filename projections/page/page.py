"""One episode on one page, for whoever has to be shown it: its days, why they are so, and every entry behind them.

A page holds the data of its own episode only. An entry of another episode of the patient that decided a day is named by
its position, without its content, source or id. Nothing on the page depends on when it is made: the same ledger and
book give the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

import msgspec

from ledger.book import Book, Terms
from ledger.judge.case import Case
from ledger.judge.regions import JudgedDay, judged_days
from ledger.store import EpisodeLedger
from projections.answers.claim_papers import ClaimPaper, claim_papers
from projections.audit.claimed import claimed_of
from projections.audit.claimed_rows import ClaimedDay
from projections.page.days import MonthShown, RunShown, months_shown, runs_shown
from projections.page.entries import EntryShown, entries_shown
from projections.page.findings import ClaimedRun, FindingShown, claimed_shown, findings_shown
from projections.page.sources import Sources
from projections.reading.around import entries_around
from projections.reading.as_known import JudgedPatient, judged_among, owner_among
from projections.reading.budget import within_budget
from projections.rows.line import LineRow, line_cells, line_row
from projections.words import MARKS, STATUS, payer_name, utc_text


class VerdictTotal(msgspec.Struct, frozen=True, gc=False):
    """How many days have a verdict, and what they pay."""

    status: str
    mark: str
    words: str
    days: int
    cents: int


class PayerTotal(msgspec.Struct, frozen=True, gc=False):
    """The billable days of one payer and code, and what they pay."""

    payer: str
    payer_name: str
    code: str
    days: int
    cents: int


class TermsCited(msgspec.Struct, frozen=True, gc=False):
    """An edition of a payer's terms that days were read against, and how many of them."""

    number: int
    payer: str
    payer_name: str
    terms: Terms
    days: int


class Page(msgspec.Struct, frozen=True, gc=False):
    """All that the page of an episode says. Without ``known_at`` it rests on the ledger up to ``position``."""

    episode: str
    patient: str
    provider: str
    provider_name: str | None
    zone: str
    place_of_service: str
    known_at: str | None
    position: int | None
    last_position: int
    last_recorded_at: str
    ledger_id: str
    book_hash: str
    verdicts: tuple[VerdictTotal, ...]
    payers: tuple[PayerTotal, ...]
    payer_names: dict[str, str]
    lines: tuple[LineRow, ...]
    months: tuple[MonthShown, ...]
    runs: tuple[RunShown, ...]
    claimed: tuple[ClaimedRun, ...]
    days_as_claimed: int
    papers: tuple[ClaimPaper, ...]
    findings: tuple[FindingShown, ...]
    terms: tuple[TermsCited, ...]
    entries: tuple[EntryShown, ...]


def page_of(
    ledger: EpisodeLedger, episode: str, book: Book, known_at: datetime | None = None, *, upto: int | None = None
) -> Page | None:
    """The page of an episode as known at an instant, or of all up to a position; None for one not opened by then."""
    position = ledger.position() if upto is None else upto
    around = entries_around(ledger, [episode], position)
    patient = owner_among(around, episode, known_at)
    judged = judged_among(around, patient, book, known_at) if patient is not None else None
    if patient is None or judged is None:
        return None
    claimed = claimed_of(around, patient, book, known_at, every=True)
    as_of = (utc_text(known_at), None) if known_at is not None else (None, position)
    own = [day for day in claimed if day.episode == episode]
    sources, case = Sources(ledger, episode, judged.streams), judged.case(episode)
    papers = tuple(claim_papers(ledger, case.episode, position, known_at))
    return within_budget(episode, lambda: _page(judged, case, sources, own, papers, as_of, (ledger.id, book.hash)))


AsOf = tuple[str | None, int | None]
"""The instant as known at, or the position up to which everything counts."""


def _page(
    judged: JudgedPatient,
    case: Case,
    sources: Sources,
    claimed: Sequence[ClaimedDay],
    papers: tuple[ClaimPaper, ...],
    as_of: AsOf,
    made_from: tuple[str, str],
) -> Page:
    others, days, entries = judged.others(case), judged_days(case), judged.streams[case.episode.name]
    terms = _terms(case, days)
    runs = runs_shown(case, others, sources, [(cited.payer, cited.terms) for cited in terms])
    shown = [day for run in runs for day in run.days]
    last = entries[-1]
    return Page(
        *_heading(case), *as_of, sources.position(last), utc_text(last.recorded_at), *made_from,
        verdicts=_verdicts(days),
        payers=_payers(case, days),
        payer_names={payer: payer_name(case.book, payer) for payer in case.payers},
        lines=tuple(line_row(cells) for cells in line_cells(case)),
        months=tuple(months_shown(shown)),
        runs=runs,
        claimed=tuple(claimed_shown(case, claimed, sources)),
        days_as_claimed=sum(day.kind == "as_claimed" for day in claimed),
        papers=papers,
        findings=tuple(findings_shown(case, judged.cases, entries, sources)),
        terms=terms,
        entries=entries_shown(entries, shown, sources),
    )  # fmt: skip


def _heading(case: Case) -> tuple[str, str, str, str | None, str, str]:
    opened = case.episode.opening[1]
    provider = case.book.providers.get(opened.provider)
    return (
        case.episode.name, case.patient.name, opened.provider, provider.name if provider else None, opened.zone,
        opened.place_of_service,
    )  # fmt: skip


_ORDER: Final = ("billable", "hold", "not_billable", "conflict")


def _verdicts(days: Sequence[JudgedDay]) -> tuple[VerdictTotal, ...]:
    return tuple(
        VerdictTotal(
            status,
            MARKS[status],
            STATUS[status],
            sum(day.verdict.status == status for day in days),
            sum(day.rate_cents or 0 for day in days if day.verdict.status == status),
        )
        for status in _ORDER
    )


def _payers(case: Case, days: Iterable[JudgedDay]) -> tuple[PayerTotal, ...]:
    priced: dict[tuple[str, str], list[int]] = {}
    for day in days:
        if day.is_billable:
            priced.setdefault((str(day.payer), str(day.code)), []).append(day.rate_cents or 0)
    return tuple(
        PayerTotal(payer, payer_name(case.book, payer), code, len(rates), sum(rates))
        for (payer, code), rates in sorted(priced.items())
    )


def _terms(case: Case, days: Iterable[JudgedDay]) -> tuple[TermsCited, ...]:
    """The editions in the order in which days first met them."""
    counted: dict[tuple[str, int], int] = {}
    editions: dict[tuple[str, int], Terms] = {}
    for day in days:
        if day.payer is not None and day.terms is not None:
            key = day.payer, id(day.terms)
            editions[key] = day.terms
            counted[key] = counted.get(key, 0) + 1
    return tuple(
        TermsCited(number, payer, payer_name(case.book, payer), editions[payer, known_as], count)
        for number, ((payer, known_as), count) in enumerate(counted.items(), 1)
    )
