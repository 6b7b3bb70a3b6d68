"""Everything that would go out of a ledger at a position: patient by patient, judged once, in bounded memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, NamedTuple

from msgspec import UNSET
from msgspec.structs import replace

from ledger.book import Book, Terms
from ledger.facts.billing import ClaimAcknowledged, DrugAdministered, RemittancePosted
from ledger.facts.entry import statement_of
from ledger.facts.events import ClaimLine, ClaimSubmitted, DiagnosisRecorded, EpisodeOpened, NursingVisited
from ledger.judge.case import Case
from ledger.judge.claims import diagnoses_for, live_claims
from ledger.judge.episode import Episode
from ledger.judge.findings import find
from ledger.judge.held_now import has_other_diagnoses, per_diem_lines, span_of
from ledger.judge.patients import episode_of
from ledger.store import EpisodeLedger
from projections.answers.instruments import today_of
from projections.audit.claimed_shares import shares_of
from projections.claims_out.as_left import AsLeft, as_left
from projections.claims_out.drafts import DraftClaim, KeptOff, drafts_of
from projections.claims_out.identity import missing_of_patient
from projections.claims_out.missing import missing_of
from projections.claims_out.on_file import provider_on
from projections.reading.as_known import AsKnown, JudgedPatient
from projections.reading.joined import entries_of_kinds
from projections.rows.kept import NOBODY
from projections.rows.line import LineRow
from projections.words import iso

_APART: Final = (DrugAdministered, NursingVisited)
_OF_CLAIMS: Final = (ClaimAcknowledged, RemittancePosted, DiagnosisRecorded)
"""What makes a claim another than it was: turned back, it asks for nothing."""


class Prepared(NamedTuple):
    """A claim that would go out, with what it was made from."""

    draft: DraftClaim
    judged: JudgedPatient
    case: Case
    left: AsLeft | None = None
    """Of a void, what was known when its claim left: what its file says."""

    @property
    def diagnoses(self) -> tuple[str, ...]:
        """The diagnoses that its file names."""
        return diagnoses_for((self.left or self).case.episode, self.draft.lines)


def to_look_at(ledger: EpisodeLedger, book: Book, rows: Iterable[LineRow], upto: int) -> dict[str, None]:
    """The patients of whom something may go out, in order: by their lines, and what is recorded of their claims."""
    lines: dict[str, list[LineRow]] = {}
    for row in rows:
        if row.patient != NOBODY:
            lines.setdefault(row.episode, []).append(row)
    apart = {payer.id for payer in book.payers.values() if any(_asks_apart(each) for each in payer.terms)}
    kinds = (EpisodeOpened, ClaimSubmitted, *_OF_CLAIMS, *_APART)
    found: dict[str, None] = {}
    for name, entries in entries_of_kinds(ledger, list(lines), upto, kinds):
        may_ask = any(row.payer in apart for row in lines[name])
        if may_ask and any(isinstance(statement_of(entry), _APART) for entry in entries):
            found[lines[name][0].patient] = None
            continue
        folded = episode_of(name, entries, whole=False)
        assert folded is not None, "it has lines"
        claimed = {iso(day) for day in shares_of(folded)}
        if any(_has_more(row, claimed) for row in lines[name]) or _was_asked_otherwise(folded, lines[name]):
            found[lines[name][0].patient] = None
    return found


def _asks_apart(terms: Terms) -> bool:
    return (terms.drug_lines, terms.nursing_lines) != ("none", "none")


def _was_asked_otherwise(folded: Episode, rows: Sequence[LineRow]) -> bool:
    """Whether a live claim that was answered asks for a billable day otherwise than a line does, or names other
    diagnoses; days that are not billable are a finding."""
    if not (folded.postings or folded.acknowledgements):
        return False
    now = {day: row for row in rows for day in _days_of(row)}
    return any(
        has_other_diagnoses(folded, claim.fact) or any(_differs(line, now) for line in per_diem_lines(claim.fact))
        for claim in live_claims(folded)
    )


def _days_of(row: LineRow) -> range:
    return range(date.fromisoformat(row.from_).toordinal(), date.fromisoformat(row.to).toordinal() + 1)


def _differs(line: ClaimLine, now: Mapping[int, LineRow]) -> bool:
    told = () if line.modifiers is UNSET else line.modifiers
    number = None if line.authorization is UNSET else line.authorization
    rows = [now[day] for day in span_of(line) if day in now]
    return line.units != len(span_of(line)) or any(
        (number, sorted(told)) != (row.authorization, sorted(row.modifiers)) for row in rows
    )


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
    who = missing_of_patient(left.judged.streams)
    missing = tuple(dict.fromkeys(missing_of(left.case, draft.payer, provider, draft.lines, book, who=who)))
    return each._replace(draft=replace(draft, provider=provider, missing=missing), left=left)


def prepared_of(judged: JudgedPatient, book: Book, now: datetime) -> tuple[list[Prepared], list[KeptOff]]:
    """What would go out of one patient, and what is kept off."""
    findings, who = find(judged.cases), missing_of_patient(judged.streams)
    claims, kept = list[Prepared](), list[KeptOff]()
    for case in judged.cases:
        found = drafts_of(judged, case, findings, today_of(case, now), book, who=who)
        claims += [Prepared(draft, judged, case) for draft in found.claims]
        kept += found.kept_off
    return claims, kept
