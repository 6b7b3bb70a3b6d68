"""Findings on judged days: conflicts, what must not be billed beside a day, what was served although (section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.book import GENERAL, Book, Terms
from ledger.judge.case import Case, Region
from ledger.judge.clash import codes_against
from ledger.judge.rule import Verdict
from ledger.judge.sightings import PatientFile, Seen

See = Callable[[PatientFile], Iterator[Seen]]
"""A rule: what it sees in a patient."""


def in_conflict_by(rule: str) -> See:
    """Days with that verdict."""

    def days_with_that_verdict(file: PatientFile) -> Iterator[Seen]:
        """Days in conflict under the rule, with the codes that clash under it."""
        for case, verdict, days in file.taken.get(rule, ()):
            for date in case.calendar.dates(days):
                codes = (
                    codes_against(case, file.others[case.episode.name], date, rule)
                    if verdict.names_code
                    else _candidates(case, date)
                )
                payer = [payer for payer, paid in case.payers.items() if paid & case.calendar.day(date)]
                yield Seen((case.episode.name,), (date,), codes, file.because(case, date), payer)

    return days_with_that_verdict


def _candidates(case: Case, date: int) -> list[str]:
    day = case.calendar.day(date)
    return [code for code, days in case.candidates.items() if days & day]


Bars = Callable[[Book, Terms, str, str], bool]
"""(book, the day's terms, the day's code, another code) -> whether the other must not be billed beside the day."""


def billed_beside(bars: Bars) -> See:
    """What the day bars, billed for the patient all the same."""

    def billed_on_billable_days(file: PatientFile) -> Iterator[Seen]:
        """Billable days on which a code was billed separately that the day bars."""
        for case in file.cases if file.apart else ():
            for region in file.billable[case.episode.name]:
                yield from _barred(file, case, region, bars)

    return billed_on_billable_days


def _barred(file: PatientFile, case: Case, region: Region, bars: Bars) -> Iterator[Seen]:
    own, terms = region.code, region.terms
    assert own is not None
    assert terms is not None
    codes = {code for code in file.codes_apart if bars(case.book, terms, own, code)}
    if not codes:  # mostly
        return
    barred = [billed for billed in file.apart if billed.code in codes]
    hit = region.days & case.spans((billed.from_, billed.to) for billed in barred)
    for date in case.calendar.dates(hit):
        beside = [billed for billed in barred if billed.from_ <= date <= billed.to]
        because = [*(billed.entry.label for billed in beside), *file.because(case, date)]
        yield Seen((case.episode.name,), (date,), [own, *(billed.code for billed in beside)], because, (region.payer,))


def of_family(family: str) -> Bars:
    """Codes of a family of the code table."""
    return lambda book, terms, own, code: code in book.codes and book.codes[code].family == family


def is_bundled(book: Book, terms: Terms, own: str, code: str) -> bool:
    """A code that the per diem includes, unless the payer pays it apart."""
    return code in book.codes[own].includes and code not in terms.bundled_exceptions


def served_although(reason: str) -> See:
    """Infused evidence on days with that verdict."""

    def infused_on_excluded_days(file: PatientFile) -> Iterator[Seen]:
        """Dates with infused evidence whose verdict says that nothing can have been infused at home."""
        for case, verdict, days in file.taken.get(reason, ()):
            for date in case.calendar.dates(days & case.evidence.any_infused):
                yield _served_on(file, case, date, verdict)

    return infused_on_excluded_days


def _served_on(file: PatientFile, case: Case, date: int, verdict: Verdict) -> Seen:
    evidence = [entry.label for order in case.evidence.infused for entry in case.evidence.entries_on(order, date)]
    named = case.payers.items() if verdict.names_payer else ()
    payer = [payer for payer, days in named if days & case.calendar.day(date)]
    return Seen((case.episode.name,), (date,), (), [*evidence, *file.because(case, date)], payer)


def mixed_pain_codes(file: PatientFile) -> Iterator[Seen]:
    """One episode, payer and terms edition with billable days of S9325 and others of S9326-S9328."""
    for case in file.cases:
        for regime in case.regimes if len(file.billable[case.episode.name]) > 1 else ():
            own = [region for region in file.billable[case.episode.name] if region.payer == regime.payer]
            billed = [region for region in own if region.terms is regime.terms]
            codes = {str(region.code) for region in billed}
            if GENERAL in codes and len(codes) > 1:
                dates = sorted(date for region in billed for date in case.calendar.dates(region.days))
                because = [label for date in dates for label in file.because(case, date)]
                yield Seen((case.episode.name,), tuple(dates), codes, because, (regime.payer,))


def concurrent_unranked(file: PatientFile) -> Iterator[Seen]:
    """Another infusion therapy of the same provider on a billable day that nothing ranks."""
    services = [
        billed
        for case in file.cases
        for billed in case.episode.billed
        if billed.is_service and _is_therapy(case.book, billed.code)
    ]
    for case in file.cases if services else ():
        ranked = case.spans((from_, to) for from_, to, _, _ in case.episode.ranks)
        for region in file.billable[case.episode.name]:
            beside = [billed for billed in services if billed.by in (None, region.provider)]
            hit = region.days & ~ranked & case.spans((billed.from_, billed.to) for billed in beside)
            for date in case.calendar.dates(hit):
                on = [billed for billed in beside if billed.from_ <= date <= billed.to]
                codes = [str(region.code), *(billed.code for billed in on)]
                because = [*(billed.entry.label for billed in on), *file.because(case, date)]
                yield Seen((case.episode.name,), (date,), codes, because, (region.payer,))


def _is_therapy(book: Book, code: str) -> bool:
    return code in book.codes and book.codes[code].family == "therapy"


def decision_without_effect(file: PatientFile) -> Iterator[Seen]:
    """A decision for a date that is no day, whose code is not the day's, or that left a clash as it was."""
    for case in file.cases:
        for date, (entry, decided) in case.episode.resolutions.items():
            if not has_effect(case, date, decided.bill):
                codes = [decided.bill] if decided.bill else []
                yield Seen((case.episode.name,), (date,), codes, (entry.label, *file.because(case, date)))


def has_effect(case: Case, date: int, bill: str | None) -> bool:
    """Whether the last decision for a date, which bills that code or nothing, changes anything on it."""
    day = case.calendar.day(date)
    verdict = case.verdict_on(date)
    if verdict is None or bill is None:
        return verdict is not None
    code = next((code for code, days in case.codes.items() if days & day), None) if verdict.names_code else None
    settled = len(_candidates(case, date)) > 1
    return code == bill and (settled or not verdict.is_clash)
