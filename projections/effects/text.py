"""What entries change, as a person reads it beside the output: no patient, and no name but that of the episode."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from ledger.book import Book
from projections.effects.rows import (
    Change,
    ClaimChanged,
    DaysChanged,
    DollarsChanged,
    FindingChanged,
    PatientChanged,
    dollars_of,
)
from projections.words import amount, counted, date_runs, dollars, verdict_words

LINES_SHOWN: Final = 20
"""How many lines of days, of findings and of claims are shown at most."""


def effect_lines(changes: Sequence[Change], book: Book) -> Iterator[str]:
    """What changes, a line for each run of dates, finding and claim; each kind shown up to a number of lines."""
    if not changes:
        yield "No day, finding or claim changes."
        return
    moved = [change.episode for change in changes if isinstance(change, PatientChanged)]
    if moved:
        yield "Episodes that go to another patient:"
        yield from _some(moved, "episode", "episodes")
    days = [change for change in changes if isinstance(change, DaysChanged)]
    if days:
        yield f"{counted(sum(change.days for change in days), 'day changes', 'days change')}:"
        yield from _some([_days_line(change, book) for change in days], "run of days", "runs of days")
    for each in dollars_of(days):
        yield _dollars_line(each, book)
    for heading, change in (("Findings that come:", "comes"), ("Findings that go:", "goes")):
        found = [each for each in changes if isinstance(each, FindingChanged) and each.change == change]
        if found:
            yield heading
            yield from _some([_finding_line(each) for each in found], "finding", "findings")
    claims = [change for change in changes if isinstance(change, ClaimChanged)]
    if claims:
        yield "Claims to be replaced or voided; 'diff EPISODE --claimed' names them:"
        by_episode = groupby(claims, lambda claim: claim.episode)
        yield from _some([_claims_line(episode, list(theirs)) for episode, theirs in by_episode], "episode", "episodes")


def _some(lines: Sequence[str], one: str, many: str) -> Iterator[str]:
    for line in lines[:LINES_SHOWN]:
        yield f"  {line}"
    if len(lines) > LINES_SHOWN:
        yield f"  and {counted(len(lines) - LINES_SHOWN, f'more {one}', f'more {many}')}"


def _days_line(change: DaysChanged, book: Book) -> str:
    cents = change.days * (change.cents_after - change.cents_before)
    before, after = (
        f"{words}{shown}" for words, shown in zip(_words(change), _what_differs(change, book) or ("", ""), strict=True)
    )
    return f"{change.episode} {_span(change.from_, change.to)}: {before} → {after}{_more(cents)}"


def _words(change: DaysChanged) -> tuple[str, str]:
    before, after = (verdict_words(words) if words else "no day" for words in (change.before, change.after))
    return before, after


def _what_differs(change: DaysChanged, book: Book) -> tuple[str, str] | None:
    """What else tells a day from what it was, where the words are the same or its payer is another one."""
    payers = _payer(change.payer_before, book), _payer(change.payer_after, book)
    if change.payer_before != change.payer_after and change.payer_before and change.payer_after:
        return f" ({payers[0]})", f" ({payers[1]})"
    if change.before != change.after:
        return None
    if change.cents_before != change.cents_after:
        return f" at {amount(change.cents_before)}", f" at {amount(change.cents_after)}"
    if change.authorization_before != change.authorization_after:
        return "", _authorization(change)
    return "", f" ({payers[1]})"


def _authorization(change: DaysChanged) -> str:
    if change.authorization_before and change.authorization_after:
        return " by another authorization"
    return " by an authorization" if change.authorization_after else " without an authorization"


def _payer(payer: str | None, book: Book) -> str:
    """A payer, if the book knows it: what it does not know may be anything."""
    if payer is None:
        return "no payer"
    return payer if payer in book.payers else "a payer that is not in the book"


def _dollars_line(each: DollarsChanged, book: Book) -> str:
    more = each.days_after - each.days_before
    days = counted(abs(more), "billable day")
    return (
        f"{_payer(each.payer, book)}: {'+' if more >= 0 else '-'}{days}"
        f"{_more(each.cents_after - each.cents_before) or ', the same dollars'}"
    )


def _more(cents: int) -> str:
    return f", {'+' if cents > 0 else ''}{amount(cents)}" if cents else ""


def _finding_line(found: FindingChanged) -> str:
    where = f"{', '.join(found.episodes)} {', '.join(_span(*run) for run in date_runs(found.dates))}"
    return f"{where}: {found.level} {found.rule}: {found.summary}"


def _claims_line(episode: str, claims: Sequence[ClaimChanged]) -> str:
    spans = ", ".join(_span(*run) for run in date_runs(sorted({on for claim in claims for on in claim.dates})))
    owed = sum(claim.owed_cents for claim in claims)
    asked = sum(claim.exposure_cents for claim in claims) - owed
    money = [f", {dollars(owed)} to refund"] if owed else []
    money += [f", {dollars(asked)} claimed and not answered"] if asked else []
    return f"{episode} {spans}: {counted(len(claims), 'claim')}{''.join(money)}"


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
