"""Claims as they would go out: what is billable and on no live claim, put together by payer, with what is missing.

A draft is made from one judged episode and the book alone. Who the patient is stands in none: only whether it is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from ledger.book import PER_DIEM_CODES, Book
from ledger.facts.events import ClaimLine
from ledger.judge.case import Case
from ledger.judge.findings import Finding
from ledger.judge.lines import Line, pack
from ledger.x12.outgoing import MOST_LINES
from projections.answers.instruments import decide_claims
from projections.answers.restated import VOID, Correction, claim_line
from projections.answers.stopped import stopped_days
from projections.audit.claimed_shares import shares_of
from projections.claims_out.corrections import original_control
from projections.claims_out.given import Given, given_in
from projections.claims_out.missing import missing_of
from projections.claims_out.on_file import provider_on
from projections.reading.as_known import JudgedPatient
from projections.words import iso

NOT_BILLABLE: Final = "not_billable"
NOT_COME: Final = "not_come"
NOT_COVERED: Final = "not_covered"
CORRECTION: Final = "correction"


class DraftClaim(Struct, frozen=True):
    """A claim that would go out. ``missing`` says what of it is not known: with nothing missing it is ready."""

    episode: str
    patient: str
    payer: str
    provider: str
    lines: tuple[ClaimLine, ...]
    missing: tuple[str, ...] = ()
    frequency: str = "1"
    replaces: str | None = None
    control: str | None = None
    payer_number: str = ""

    @property
    def charge_cents(self) -> int:
        """What it asks."""
        return sum(line.charge_cents for line in self.lines)

    @property
    def days(self) -> int:
        """How many days of the per diem."""
        return sum((line.to - line.from_).days + 1 for line in self.lines if line.code in PER_DIEM_CODES)

    @property
    def first(self) -> date:
        """Its first service date."""
        return min(line.from_ for line in self.lines)

    @property
    def last(self) -> date:
        """Its last service date."""
        return max(line.to for line in self.lines)


class KeptOff(NamedTuple):
    """Something that is on no claim and cannot go on one: why, a rule of a hard finding or one of the words above."""

    episode: str
    payer: str
    what: str
    reason: str
    dates: tuple[str, ...]
    cents: int


class Drafts(NamedTuple):
    """What would go out of one episode, and what is kept off."""

    claims: list[DraftClaim]
    kept_off: list[KeptOff]


Group = tuple[str, str, str]
"""Payer, member and provider: of one claim all lines have the same."""


class _Part(NamedTuple):
    """What stays together: the lines of one per-diem stretch, drug or visit."""

    kind: int
    lines: tuple[ClaimLine, ...]
    missing: tuple[str, ...] = ()


def drafts_of(
    judged: JudgedPatient, case: Case, findings: Iterable[Finding], today: date, book: Book, *, who: str
) -> Drafts:
    """What of one episode would go out on a day; ``who`` says what is not known of who the patient is."""
    off = stopped_days(judged, case, findings)
    claimed = shares_of(case.episode)
    lines, kept = pack(case), list[KeptOff]()
    decided = decide_claims(case, off, today)
    off |= dict.fromkeys(decided.waiting, CORRECTION)
    groups: dict[Group, list[_Part]] = {}
    for line in lines:
        for reason, from_, to in _cut(line, claimed, off, today):
            if reason is None:
                part = _Part(0, (claim_line(line, from_, to),))
                groups.setdefault((line.payer, line.member, line.provider), []).append(part)
            elif reason:
                kept.append(_kept(case, line, reason, from_, to))
    by_day = {day: line for line in lines for day in range(line.from_, line.to + 1)}
    apart: dict[Group, list[_Part]] = {}
    for given in given_in(case, judged.streams[case.episode.name], book):
        where = _where(case, given, by_day, off, today)
        if isinstance(where, KeptOff):
            kept.append(where)
        else:
            kind = groups if given.mode == "same_claim" else apart
            kind.setdefault(where, []).append(_Part(1 if given.kind == "drug" else 2, given.lines, given.missing))
    chunks = [(group, chunk) for each in (groups, apart) for group, parts in each.items() for chunk in _chunks(parts)]
    claims = [_correction(case, each.correction, book, who) for each in decided.found if each.correction]
    return Drafts(claims + [_draft(case, group, parts, book, who) for group, parts in chunks], kept)


def _cut(
    line: Line, claimed: Mapping[int, object], off: Mapping[int, str], today: date
) -> Iterator[tuple[str | None, int, int]]:
    """A line in stretches: why each is kept off, empty if it is on a claim already, None if it can go."""
    last = today.toordinal()

    def why(day: int) -> str | None:
        return "" if day in claimed else off.get(day) or (NOT_COME if day > last else None)

    for reason, days in groupby(range(line.from_, line.to + 1), why):
        stretch = list(days)
        yield reason, stretch[0], stretch[-1]


def _kept(case: Case, line: Line, reason: str, from_: int, to: int) -> KeptOff:
    dates = tuple(map(iso, range(from_, to + 1)))
    return KeptOff(case.episode.name, line.payer, line.code, reason, dates, len(dates) * line.price.charge_cents)


def _where(
    case: Case, given: Given, by_day: Mapping[int, Line], off: Mapping[int, str], today: date
) -> Group | KeptOff:
    """On whose claim something given goes: that of the first billable day it touches."""
    days = range(given.first.toordinal(), given.last.toordinal() + 1)
    line = next((by_day[day] for day in days if day in by_day), None)
    stopped = next((off[day] for day in days if day in off), None)
    covered = line is not None and all(_covers(case, line.payer, day) for day in days)
    if line is not None and covered and stopped is None and given.last <= today:
        return line.payer, line.member, line.provider
    reason = NOT_COME if given.last > today else stopped or (NOT_COVERED if line else NOT_BILLABLE)
    payer = line.payer if line else ""
    cents = sum(each.charge_cents for each in given.lines)
    return KeptOff(case.episode.name, payer, given.kind, reason, tuple(map(iso, days)), cents)


def _covers(case: Case, payer: str, day: int) -> bool:
    return any(spell.payer == payer and spell.from_ <= day <= spell.to for spell in case.spells)


def _chunks(parts: Sequence[_Part]) -> Iterator[list[_Part]]:
    """The parts by date, as many as a claim has room for at a time; in each the per diems first, then drugs, visits."""
    chunk: list[_Part] = []
    room = MOST_LINES
    for part in sorted(parts, key=lambda part: part.lines[0].from_ if part.lines else date.min):
        if len(part.lines) > room:
            yield sorted(chunk, key=lambda part: part.kind)
            chunk, room = [], MOST_LINES
        chunk.append(part)
        room -= len(part.lines)
    if chunk:
        yield sorted(chunk, key=lambda part: part.kind)


def _draft(case: Case, group: Group, parts: Sequence[_Part], book: Book, who: str) -> DraftClaim:
    payer, _, provider = group
    lines = [line for part in parts for line in part.lines]
    missing = [what for part in parts for what in part.missing]
    missing += missing_of(case, payer, provider, lines, book, who=who)
    numbered = tuple(replace(line, line=str(place)) for place, line in enumerate(lines, 1))
    return DraftClaim(
        case.episode.name, case.patient.name, payer, provider, numbered, tuple(dict.fromkeys(missing))
    )  # fmt: skip


def _correction(case: Case, correction: Correction, book: Book, who: str) -> DraftClaim:
    claim, lines = correction.claim, correction.lines
    provider = provider_on(case, lines)
    missing = dict.fromkeys(missing_of(case, claim.payer, provider, lines, book, who=who))
    if correction.frequency == VOID:  # nobody ordered what is taken back
        missing = {what: None for what in missing if not what.startswith("an order")}
    return DraftClaim(
        case.episode.name, case.patient.name, claim.payer, provider, lines, tuple(missing), correction.frequency,
        claim.claim, original_control(case, claim), correction.payer_number,
    )  # fmt: skip
