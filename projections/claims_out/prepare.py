"""Everything that would go out of a ledger at a position: patient by patient, judged once, in bounded memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime
from typing import Final, NamedTuple

from msgspec.structs import replace

from ledger.book import Book, Terms
from ledger.facts.billing import DrugAdministered
from ledger.facts.entry import statement_of
from ledger.facts.events import ClaimSubmitted, EpisodeOpened, NursingVisited
from ledger.facts.zones import zone
from ledger.judge.case import Case
from ledger.judge.evidence import local_date
from ledger.judge.findings import find
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.audit.claimed_shares import shares_of
from projections.claims_out.as_left import AsLeft, as_left
from projections.claims_out.drafts import DraftClaim, KeptOff, drafts_of
from projections.claims_out.identity import patient_told
from projections.claims_out.missing import missing_of
from projections.claims_out.on_file import provider_on
from projections.reading.as_known import AsKnown, JudgedPatient
from projections.reading.joined import entries_of_kinds
from projections.rows.kept import NOBODY
from projections.rows.line import LineRow
from projections.words import iso

_APART: Final = (DrugAdministered, NursingVisited)


class Prepared(NamedTuple):
    """A claim that would go out, with what it was made from."""

    draft: DraftClaim
    judged: JudgedPatient
    case: Case
    left: AsLeft | None = None
    """Of a void, what was known when its claim left: what its file says."""


def to_look_at(ledger: EpisodeLedger, book: Book, rows: Iterable[LineRow], upto: int) -> dict[str, None]:
    """The patients of whom something may go out, in order: by their lines, and what is recorded of their claims."""
    lines: dict[str, list[LineRow]] = {}
    for row in rows:
        if row.patient != NOBODY:
            lines.setdefault(row.episode, []).append(row)
    apart = {payer.id for payer in book.payers.values() if any(_asks_apart(each) for each in payer.terms)}
    kinds = (EpisodeOpened, ClaimSubmitted, *_APART)
    found: dict[str, None] = {}
    for name, entries in entries_of_kinds(ledger, list(lines), upto, kinds):
        may_ask = any(row.payer in apart for row in lines[name])
        if may_ask and any(isinstance(statement_of(entry), _APART) for entry in entries):
            found[lines[name][0].patient] = None
            continue
        folded = episode_of(name, entries, whole=False)
        assert folded is not None, "it has lines"
        claimed = {iso(day) for day in shares_of(folded)}
        if any(_has_more(row, claimed) for row in lines[name]):
            found[lines[name][0].patient] = None
    return found


def _asks_apart(terms: Terms) -> bool:
    return (terms.drug_lines, terms.nursing_lines) != ("none", "none")


def _has_more(row: LineRow, claimed: Collection[str]) -> bool:
    """Whether a line has a day that is on no live claim."""
    on_claims = sum(row.from_ <= day <= row.to for day in claimed)
    return on_claims < row.units


def prepared(
    ledger: EpisodeLedger, book: Book, patients: Iterable[str], upto: int, now: datetime
) -> Iterator[tuple[list[Prepared], list[KeptOff]]]:
    """What would go out of each patient, and what is kept off; as the ledger stood at a position."""
    past = AsKnown(ledger, book, upto=upto)
    for name in patients:
        judged = past.judged(name)
        if judged is not None:
            claims, kept = prepared_of(judged, book, now)
            yield [_with_its_past(ledger, book, each) for each in claims], kept


def _with_its_past(ledger: EpisodeLedger, book: Book, each: Prepared) -> Prepared:
    draft = each.draft
    left = as_left(ledger, book, each.case, draft.frequency, draft.replaces)
    if left is None:
        return each
    provider = provider_on(left.case, draft.lines)
    identified = patient_told(left.judged.streams) is not None
    missing = tuple(
        dict.fromkeys(missing_of(left.case, draft.payer, provider, draft.lines, book, identified=identified))
    )
    return each._replace(draft=replace(draft, provider=provider, missing=missing), left=left)


def prepared_of(judged: JudgedPatient, book: Book, now: datetime) -> tuple[list[Prepared], list[KeptOff]]:
    """What would go out of one patient, and what is kept off."""
    findings, identified = find(judged.cases), patient_told(judged.streams) is not None
    claims, kept = list[Prepared](), list[KeptOff]()
    for case in judged.cases:
        today = date.fromordinal(local_date(now, zone(case.episode.opening[1].zone)))
        found = drafts_of(judged, case, findings, today, book, identified=identified)
        claims += [Prepared(draft, judged, case) for draft in found.claims]
        kept += found.kept_off
    return claims, kept
