"""What the gate is told of a claim's patient: the other live claims, diagnoses, coverage and authorizations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from msgspec import UNSET

from ledger.book import PER_DIEM_CODES
from ledger.day_set import OPEN_END
from ledger.facts.entry import statement_of
from ledger.facts.events import ClaimSubmitted, DiagnosisRecorded
from ledger.judge.case import Case
from ledger.judge.claims import live_claims
from ledger.x12.gate import Authorized, KnownClaim
from projections.reading.as_known import JudgedPatient


def known_claim(judged: JudgedPatient, case: Case, payer: str, without: Collection[str]) -> KnownClaim:
    """What is known beside a claim to this payer; ``without`` are the numbers of the claim and those it stands for."""
    per_diems: dict[date, list[str]] = {}
    used: Counter[str] = Counter()
    for claim in _others(judged, without):
        for line in claim.lines:
            if line.code in PER_DIEM_CODES:
                for day in range((line.to - line.from_).days + 1):
                    per_diems.setdefault(line.from_ + timedelta(days=day), []).append(line.code)
                if claim.payer == payer and line.authorization is not UNSET:
                    used[line.authorization] += int(line.units)
    authorizations: dict[str, list[Authorized]] = {}
    for _, granted in case.patient.authorizations:
        if granted.payer == payer:
            told = Authorized(granted.codes, granted.units, granted.from_, granted.to)
            authorizations.setdefault(granted.number, []).append(told)
    coverage = [(_date(spell.from_), _date(spell.to)) for spell in case.spells if spell.payer == payer]
    return KnownClaim(per_diems, list(_diagnoses(case)), coverage, authorizations, used)


def _others(judged: JudgedPatient, without: Collection[str]) -> Iterator[ClaimSubmitted]:
    for case in judged.cases:
        for claim in live_claims(case.episode):
            if claim.fact.claim not in without:
                yield claim.fact


def _diagnoses(case: Case) -> Iterator[tuple[str, date, date]]:
    for span in case.episode.diagnoses:
        fact = statement_of(span.entry)
        assert isinstance(fact, DiagnosisRecorded)
        yield fact.icd10.replace(".", ""), fact.from_, _date(span.to)


def _date(ordinal: int) -> date:
    return date.max if ordinal >= OPEN_END else date.fromordinal(ordinal)
