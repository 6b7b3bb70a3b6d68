"""Findings on answers: what came back for claims, held against what is expected (claims.md section 5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date

from ledger.book import Book
from ledger.facts.entry import Entry
from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import Posting, answers_by_claim, postings_of, rejected_claims
from ledger.judge.case import Case
from ledger.judge.claims import Claim
from ledger.judge.evidence import local_date
from ledger.judge.held_now import DaysNow, per_diem_lines, span_of
from ledger.judge.paid import asked_code, changed_lines, is_unbalanced
from ledger.judge.settled import SettledDay
from ledger.judge.sightings import PatientFile, Seen
from ledger.judge.windows import Windows


def remittance_unbalanced(file: PatientFile) -> Iterator[Seen]:
    """An answer whose money does not add up; one finding per answer."""
    for case, posting in _postings(file):
        if is_unbalanced(posting.fact):
            yield _whole(case, posting)


def code_changed(file: PatientFile) -> Iterator[Seen]:
    """A date that was paid under another code than was asked."""
    for case, posting in _postings(file):
        for line, dates in changed_lines(case.episode, posting):
            codes = {line.code, asked_code(line)}
            yield Seen(
                (case.episode.name,), tuple(dates), codes, (posting.entry.label,), (posting.fact.payer,), _of(posting)
            )


def claim_rejected(file: PatientFile) -> Iterator[Seen]:
    """The dates of a claim that was turned back, on no claim since; one finding per claim."""
    for case in file.cases:
        for number, entry in rejected_claims(case.episode).items():
            claim = case.episode.claims.get(number)
            if claim is not None and claim.fact.frequency != "8":
                yield from _still_rejected(file, case, claim.fact, entry)


def _still_rejected(file: PatientFile, case: Case, claim: ClaimSubmitted, entry: Entry) -> Iterator[Seen]:
    again = {(date, line.code) for line in file.claimed[case.episode.name] for date in range(line.from_, line.to + 1)}
    lost = {
        (date, line.code)
        for line in claim.lines
        for date in range(line.from_.toordinal(), line.to.toordinal() + 1)
        if (date, line.code) not in again
    }
    if lost:
        dates = tuple(sorted({date for date, _ in lost}))
        codes = {code for _, code in lost}
        about = (("claim", claim.claim),)
        yield Seen((case.episode.name,), dates, codes, (entry.label,), (claim.payer,), about)


def correction_window(file: PatientFile) -> Iterator[Seen]:
    """A live claim that is not as it is known now, heard of when its payer took no correction any more."""
    for case in file.cases:
        done = {fact.claim for _, fact in case.episode.settled}
        days: DaysNow | None = None
        for claim, shut in _shut(case, file.live[case.episode.name]):
            days = days or DaysNow(case)
            wrong = days.held(claim.fact) if claim.fact.claim not in done else None
            if wrong is not None and wrong.is_ours:
                codes = {line.code for line in per_diem_lines(claim.fact)} or {line.code for line in claim.fact.lines}
                dates = tuple(wrong.dates) or tuple(sorted(on for line in claim.fact.lines for on in span_of(line)))
                about = (("claim", claim.fact.claim), ("until", shut.isoformat()))
                because = (claim.entry.label,)
                yield Seen((case.episode.name,), dates, codes, because, (claim.fact.payer,), about)


def _shut(case: Case, live: Sequence[Claim]) -> Iterator[tuple[Claim, date]]:
    """The live claims whose window of correction was over when the last of the episode was recorded, with its end."""
    bound = [claim for claim in live if _ends_corrections(case.book, claim.fact.payer)]
    if not bound:
        return
    heard_on = local_date(case.episode.heard_at, case.evidence.tz)
    answers = answers_by_claim(case.episode)
    for claim in bound:
        until = Windows(case.book, claim.fact, answers.get(claim.fact.claim, [])).correction
        if until is not None and until.toordinal() < heard_on:
            yield claim, until


def _ends_corrections(book: Book, payer: str) -> bool:
    """Whether some terms of a payer say until when a correction is taken."""
    return any(terms.correction_days is not None for terms, _, _ in book.editions(payer))


def _postings(file: PatientFile) -> Iterator[tuple[Case, Posting]]:
    for case in file.cases:
        for posting in postings_of(case.episode):
            yield case, posting


def _whole(case: Case, posting: Posting) -> Seen:
    """All dates of an answer: those of its lines, else those of the claim, else the day it was paid."""
    fact, claim = posting.fact, case.episode.claims.get(posting.claim)
    dated = [(line.from_, line.to) for line in claim.fact.lines] if claim else [(fact.paid_on, fact.paid_on)]
    dates = {date for first, last in dated for date in range(first.toordinal(), last.toordinal() + 1)}
    codes = {line.code for line in fact.lines}
    return Seen((case.episode.name,), tuple(sorted(dates)), codes, (posting.entry.label,), (fact.payer,), _of(posting))


def _of(posting: Posting) -> tuple[tuple[str, str], ...]:
    return (("claim", posting.claim),)


def _days(sees: str, chosen: Callable[[SettledDay], bool]) -> Callable[[PatientFile], Iterator[Seen]]:
    """A rule that finds answered days of a kind, date by date."""

    def see(file: PatientFile) -> Iterator[Seen]:
        for case in file.cases:
            for settled in file.settled(case):
                day = settled.day
                if day.because and chosen(settled):
                    about = _figures(settled)
                    yield Seen((case.episode.name,), (day.date,), _codes(day.code), day.because, (day.payer,), about)

    see.__doc__ = sees
    return see


def _codes(code: str) -> Sequence[str]:
    return (code,) if code else ()


def _figures(settled: SettledDay) -> tuple[tuple[str, str], ...]:
    day = settled.day
    expected = 0 if settled.expected_cents is None else settled.expected_cents
    reasons = ", ".join(sorted(day.reasons)) or "no reason given"
    return (
        ("claim", day.claim), ("paid", dollars(day.paid_cents)), ("allowed", dollars(day.allowed_cents)),
        ("expected", dollars(expected)), ("reasons", reasons),
    )  # fmt: skip


def dollars(cents: int) -> str:
    """Money as a finding names it."""
    return f"{'-' * (cents < 0)}{abs(cents) // 100:,}.{abs(cents) % 100:02}"


paid_not_claimed = _days(
    "Money for a date and code that are not on the claim it was paid for.",
    lambda each: not each.day.is_claimed and each.day.paid_cents != 0,
)
underpaid = _days(
    "A claimed day that was allowed less than is expected, beyond what the terms tolerate.",
    lambda each: each.status == "underpaid",
)
overpaid = _days(
    "A claimed day that was paid more than is expected for it now.", lambda each: each.status == "overpaid"
)
denied = _days(
    "A day on a live claim for which nothing is allowed.", lambda each: each.is_live and each.status == "denied"
)
units_cut = _days(
    "The last days of a live claim's line that was paid for fewer units than it has days.",
    lambda each: each.is_live and each.day.is_cut,
)
taken_back = _days(
    "A day on a live claim whose answer was taken back, with no other since.",
    lambda each: each.is_live and each.day.is_taken_back and not each.day.is_answered,
)
