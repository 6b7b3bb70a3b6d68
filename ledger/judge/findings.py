"""Contradictions and mistakes worth a human's time (rulebook section 5). A finding never changes a verdict.

Each rule is one generator over the judged episodes of one patient, in the order of ``RULES``. Unless the rulebook says
otherwise there is one finding per rule, patient and date, so a rule yields what it saw and ``_by_date`` gathers it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct

from ledger.judge import claim_rules, day_rules, record_rules
from ledger.judge.case import Case
from ledger.judge.day_rules import See, billed_beside, in_conflict_by, is_bundled, of_family, served_although
from ledger.judge.sightings import ANYTHING, PatientFile, Seen

T = TypeVar("T", str, tuple[str, str])


class Finding(Struct, frozen=True, gc=False):
    """One contradiction: lists are sorted, without repeats; dates are ordinals."""

    rule: str
    level: str
    patient: str
    episodes: tuple[str, ...]
    dates: tuple[int, ...]
    codes: tuple[str, ...]
    because: tuple[str, ...]
    payers: tuple[str, ...]
    about: tuple[tuple[str, str], ...]


class Rule(NamedTuple):
    """A finding rule: its name, its level, what it sees, what a patient needs to have for it to see anything (one word
    of ``PatientFile.has``), and whether sightings of one date are one finding."""

    name: str
    level: str
    see: See
    needs: str = ANYTHING
    one_a_date: bool = True


RULES: Final[tuple[Rule, ...]] = (
    Rule("pain_code_exclusion", "hard", in_conflict_by("pain_code_exclusion"), "pain_code_exclusion"),
    Rule("duplicate_per_diem", "hard", in_conflict_by("duplicate_per_diem"), "duplicate_per_diem"),
    Rule("specific_pair", "soft", in_conflict_by("specific_pair"), "specific_pair"),
    Rule("catheter_care_with_per_diem", "hard", billed_beside(of_family("catheter_care")), "apart"),
    Rule("pharmacy_hours_with_per_diem", "hard", billed_beside(of_family("pharmacy_hours")), "apart"),
    Rule("bundled_item_billed", "hard", billed_beside(is_bundled), "apart"),
    Rule("served_after_death", "hard", served_although("after_death"), "after_death"),
    Rule("served_after_discharge", "hard", served_although("after_discharge"), "after_discharge"),
    Rule("served_while_inpatient", "hard", served_although("inpatient"), "inpatient"),
    Rule("mixed_pain_codes", "soft", day_rules.mixed_pain_codes, one_a_date=False),
    Rule("claimed_not_billable", "hard", claim_rules.claimed_not_billable, "claims"),
    Rule("billable_not_claimed", "soft", claim_rules.billable_not_claimed, "claims"),
    Rule("claimed_before_signature", "hard", claim_rules.claimed_before_signature, "claims"),
    Rule("claimed_ahead", "hard", claim_rules.claimed_ahead, "claims"),
    Rule("claimed_twice", "hard", claim_rules.claimed_twice, "claims"),
    Rule("claim_units", "hard", claim_rules.claim_units, "claims", one_a_date=False),
    Rule("replaces_unknown", "hard", claim_rules.replaces_unknown, "claims", one_a_date=False),
    Rule("number_reused", "hard", claim_rules.number_reused, "claims", one_a_date=False),
    Rule("unmatched", "soft", record_rules.unmatched, one_a_date=False),
    Rule("stays_adjoin", "soft", record_rules.stays_adjoin, "admissions", one_a_date=False),
    Rule("stay_stretched", "soft", record_rules.stay_stretched, "admissions", one_a_date=False),
    Rule("stay_open", "soft", record_rules.stay_open, "admissions", one_a_date=False),
    Rule("voided_with_facts", "soft", record_rules.voided_with_facts, "shared_though", one_a_date=False),
    Rule("evidence_gap", "soft", record_rules.evidence_gap, one_a_date=False),
    Rule("coverage_overlap", "soft", record_rules.coverage_overlap, "coverage", one_a_date=False),
    Rule("coverage_reinstated", "soft", record_rules.coverage_reinstated, "coverage_ends", one_a_date=False),
    Rule("runs_disagree", "soft", record_rules.runs_disagree, "runs", one_a_date=False),
    Rule("served_beyond_supply", "soft", record_rules.served_beyond_supply, "supplied"),
    Rule("concurrent_unranked", "soft", day_rules.concurrent_unranked, "billed"),
    Rule("decision_without_effect", "soft", day_rules.decision_without_effect, "resolutions"),
)


def find(cases: Sequence[Case]) -> list[Finding]:
    """Every finding of one patient's judged episodes, rule by rule."""
    file = PatientFile(cases)
    found: list[Finding] = []
    for rule in RULES:
        seen = list(rule.see(file)) if rule.needs in file.has else ()
        if seen:
            groups = _by_date(seen) if rule.one_a_date else [[sighting] for sighting in seen]
            found += [_finding(rule, cases[0].patient.name, group) for group in groups]
    return found


def _by_date(seen: Iterable[Seen]) -> Iterable[list[Seen]]:
    groups: dict[tuple[int, ...], list[Seen]] = {}
    for sighting in seen:
        groups.setdefault(sighting.dates, []).append(sighting)
    return groups.values()


def _each(values: Collection[T]) -> tuple[T, ...]:
    """Sorted, without repeats; most are one or none."""
    return tuple(values) if len(values) < 2 else tuple(sorted(set(values)))


def _finding(rule: Rule, patient: str, seen: Sequence[Seen]) -> Finding:
    if len(seen) == 1:  # most
        (one,) = seen
        return Finding(
            rule.name,
            rule.level,
            patient,
            one.episodes,
            one.dates,
            _each(one.codes),
            _each(one.because),
            _each([payer for payer in one.payers if payer]),
            _each(one.about),
        )
    return Finding(
        rule.name,
        rule.level,
        patient,
        tuple(sorted({name for sighting in seen for name in sighting.episodes})),
        seen[0].dates,
        tuple(sorted({code for sighting in seen for code in sighting.codes})),
        tuple(sorted({label for sighting in seen for label in sighting.because})),
        tuple(sorted({payer for sighting in seen for payer in sighting.payers if payer})),
        tuple(sorted({about for sighting in seen for about in sighting.about})),
    )
