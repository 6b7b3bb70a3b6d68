"""One episode on one page, for whoever has to be shown it: its days, why they are so, and every entry behind them.

A page holds the data of its own episode only. An entry of another episode of the patient that decided a day is named by
its position, without its content, source or id. Nothing on the page depends on when it is made: the same ledger and
book give the same page.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from ledger.book import Book, Terms
from ledger.facts.entry import Entry
from ledger.facts.liveness import known
from ledger.judge.case import Case
from ledger.judge.episode import Patient
from ledger.judge.patients import episode_of
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.steps import judge
from ledger.store import EpisodeLedger
from projections.audit.claimed import ClaimedDay, claimed_of
from projections.page.days import MonthShown, RunShown, months_shown, runs_shown
from projections.page.entries import EntryShown, entries_shown
from projections.page.findings import ClaimedRun, FindingShown, claimed_shown, findings_shown
from projections.page.sources import Sources
from projections.reading.around import episodes_around
from projections.reading.as_known import book_known
from projections.rows.line import LineRow, line_cells, line_row
from projections.words import MARKS, STATUS, utc_text


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
    findings: tuple[FindingShown, ...]
    terms: tuple[TermsCited, ...]
    entries: tuple[EntryShown, ...]


class _Judged(NamedTuple):
    """The episode under judgement beside the patient's others, and the entries of all of them."""

    case: Case
    cases: Sequence[Case]
    streams: Mapping[str, Sequence[Entry]]

    @property
    def others(self) -> list[Case]:
        return [other for other in self.cases if other is not self.case]

    @property
    def entries(self) -> Sequence[Entry]:
        return self.streams[self.case.episode.name]


def page_of(
    ledger: EpisodeLedger, episode: str, book: Book, known_at: datetime | None = None, *, upto: int | None = None
) -> Page | None:
    """The page of an episode as known at an instant, or of all up to a position; None for one not opened by then."""
    position = ledger.position() if upto is None else upto
    around = {name: ledger.entries_of(name, upto=position) for name in sorted(episodes_around(ledger, [episode]))}
    streams = {name: known(entries, known_at) for name, entries in around.items()}
    judged = _judged(streams, episode, book_known(book, known_at))
    if judged is None:
        return None
    claimed = claimed_of(around, judged.case.patient.name, book, known_at, every=True)
    as_of = (utc_text(known_at), None) if known_at is not None else (None, position)
    own = [day for day in claimed if day.episode == episode]
    return _page(judged, Sources(ledger, episode, judged.streams), own, as_of, (ledger.id, book.hash))


def _judged(streams: Mapping[str, Sequence[Entry]], episode: str, book: Book) -> _Judged | None:
    folded = {name: found for name, entries in streams.items() if (found := episode_of(name, entries))}
    if episode not in folded:
        return None
    patient = folded[episode].patient
    theirs = {name: found for name, found in folded.items() if found.patient == patient}
    cases = judge(Patient(patient, list(theirs.values())), book)
    case = next(case for case in cases if case.episode.name == episode)
    return _Judged(case, cases, {name: streams[name] for name in theirs})


AsOf = tuple[str | None, int | None]
"""The instant as known at, or the position up to which everything counts."""


def _page(
    judged: _Judged, sources: Sources, claimed: Sequence[ClaimedDay], as_of: AsOf, made_from: tuple[str, str]
) -> Page:
    case, others, days = judged.case, judged.others, judged_days(judged.case)
    terms = _terms(case, days)
    runs = runs_shown(case, others, sources, [(cited.payer, cited.terms) for cited in terms])
    shown = [day for run in runs for day in run.days]
    last = judged.entries[-1]
    return Page(
        *_heading(case), *as_of, sources.position(last), utc_text(last.recorded_at), *made_from,
        verdicts=_verdicts(days),
        payers=_payers(case, days),
        payer_names={payer: _payer_name(case.book, payer) for payer in case.payers},
        lines=tuple(line_row(cells) for cells in line_cells(case)),
        months=tuple(months_shown(shown)),
        runs=runs,
        claimed=tuple(claimed_shown(case, claimed, sources)),
        days_as_claimed=sum(day.kind == "as_claimed" for day in claimed),
        findings=tuple(findings_shown(case, judged.cases, judged.entries, sources)),
        terms=terms,
        entries=entries_shown(judged.entries, shown, sources),
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
        PayerTotal(payer, _payer_name(case.book, payer), code, len(rates), sum(rates))
        for (payer, code), rates in sorted(priced.items())
    )


def _payer_name(book: Book, payer: str) -> str:
    return book.payers[payer].name if payer in book.payers else payer


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
        TermsCited(number, payer, _payer_name(case.book, payer), editions[payer, known_as], count)
        for number, ((payer, known_as), count) in enumerate(counted.items(), 1)
    )
