"""Contradictions and mistakes worth a human's time (rulebook section 5). A finding never changes a verdict.

Each rule is one generator over the judged episodes of one patient, in the order of ``RULES``. Unless the rulebook says
otherwise there is one finding per rule, patient and date, so a rule yields what it saw and ``_by_date`` gathers it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from ledger.judge import claim_rules, day_rules, money_rules, record_rules
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
    dates: Sequence[int]
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
    Rule("catheter_care_with_per_diem", "hard", billed_beside(of_family("catheter_care")), "catheter_care"),
    Rule("pharmacy_hours_with_per_diem", "hard", billed_beside(of_family("pharmacy_hours")), "pharmacy_hours"),
    Rule("bundled_item_billed", "hard", billed_beside(is_bundled), "included"),
    Rule("served_after_death", "hard", served_although("after_death"), "after_death"),
    Rule("served_after_discharge", "hard", served_although("after_discharge"), "after_discharge"),
    Rule("served_while_inpatient", "hard", served_although("inpatient"), "inpatient"),
    Rule("mixed_pain_codes", "soft", day_rules.mixed_pain_codes, "several_codes", one_a_date=False),
    Rule("claimed_not_billable", "hard", claim_rules.claimed_not_billable, "claims"),
    Rule("billable_not_claimed", "soft", claim_rules.billable_not_claimed, "claims"),
    Rule("claimed_before_signature", "hard", claim_rules.claimed_before_signature, "claims"),
    Rule("claimed_ahead", "hard", claim_rules.claimed_ahead, "claims"),
    Rule("claimed_twice", "hard", claim_rules.claimed_twice, "claims"),
    Rule("claim_units", "hard", claim_rules.claim_units, "claims", one_a_date=False),
    Rule("replaces_unknown", "hard", claim_rules.replaces_unknown, "replacement", one_a_date=False),
    Rule("number_reused", "hard", claim_rules.number_reused, "repeated_number", one_a_date=False),
    Rule("unmatched", "soft", record_rules.unmatched, "endings", one_a_date=False),
    Rule("stays_adjoin", "soft", record_rules.stays_adjoin, "admissions", one_a_date=False),
    Rule("stay_stretched", "soft", record_rules.stay_stretched, "admissions", one_a_date=False),
    Rule("stay_open", "soft", record_rules.stay_open, "admissions", one_a_date=False),
    Rule("voided_with_facts", "soft", record_rules.voided_with_facts, "shared_though", one_a_date=False),
    Rule("evidence_gap", "soft", record_rules.evidence_gap, one_a_date=False),
    Rule("coverage_overlap", "soft", record_rules.coverage_overlap, "several_spells", one_a_date=False),
    Rule("coverage_reinstated", "soft", record_rules.coverage_reinstated, "coverage_ends", one_a_date=False),
    Rule("runs_disagree", "soft", record_rules.runs_disagree, "runs", one_a_date=False),
    Rule("served_beyond_supply", "soft", record_rules.served_beyond_supply, "supplied"),
    Rule("concurrent_unranked", "soft", day_rules.concurrent_unranked, "therapy"),
    Rule("decision_without_effect", "soft", day_rules.decision_without_effect, "resolutions"),
    Rule("remittance_unbalanced", "hard", money_rules.remittance_unbalanced, "postings", one_a_date=False),
    Rule("code_changed", "hard", money_rules.code_changed, "postings"),
    Rule("paid_not_claimed", "hard", money_rules.paid_not_claimed, "postings"),
    Rule("claim_rejected", "hard", money_rules.claim_rejected, "acknowledgements", one_a_date=False),
    Rule("underpaid", "soft", money_rules.underpaid, "postings"),
    Rule("overpaid", "soft", money_rules.overpaid, "postings"),
    Rule("denied", "soft", money_rules.denied, "postings"),
    Rule("units_cut", "soft", money_rules.units_cut, "postings"),
    Rule("reversed", "soft", money_rules.taken_back, "postings"),
    Rule("correction_window", "soft", money_rules.correction_window, "claims", one_a_date=False),
)


def find(cases: Sequence[Case]) -> list[Finding]:
    """Every finding of one patient's judged episodes, rule by rule."""
    return find_each([cases])[0]


def find_each(judged: Iterable[Sequence[Case]]) -> list[list[Finding]]:
    """The findings of several patients; a rule is asked of all of them before the next, as ``judge_each`` has it."""
    files = [(PatientFile(cases), list[Finding]()) for cases in judged]
    for rule in RULES:
        for file, found in files:
            seen = list(rule.see(file)) if rule.needs in file.has else ()
            if seen and rule.one_a_date:
                found += _date_by_date(rule, file.cases[0].patient.name, seen)
            elif seen:
                found += [_finding(rule, file.cases[0].patient.name, [sighting]) for sighting in seen]
    return [found for _, found in files]


def _date_by_date(rule: Rule, patient: str, seen: Sequence[Seen]) -> Iterator[Finding]:
    """One finding a date; where several dates were seen alike, what they say is put together once."""
    for dates, together in _alike(seen):
        said = _finding(rule, patient, together)
        if len(said.dates) == len(dates) == 1:  # mostly
            yield said
        else:  # a stretch, or a date of longer stretches
            yield from (replace(said, dates=(date,)) for date in dates)


def _alike(seen: Sequence[Seen]) -> Iterable[tuple[Sequence[int], Sequence[Seen]]]:
    """The dates on which the same was seen, with all that was seen on them."""
    groups: dict[int, list[Seen]] = {}
    longer = [sighting for sighting in seen if len(sighting.dates) > 1]
    for sighting in seen:
        if len(sighting.dates) == 1:
            groups.setdefault(sighting.dates[0], []).append(sighting)
    if not longer:  # mostly
        return [((date,), together) for date, together in groups.items()]
    bounds = {bound for one in longer for bound in (one.dates[0], one.dates[-1] + 1)}
    bounds |= {bound for date in groups for bound in (date, date + 1)}
    return _between(sorted(bounds), longer, groups)


def _between(
    bounds: Sequence[int], longer: Sequence[Seen], groups: Mapping[int, Sequence[Seen]]
) -> Iterator[tuple[Sequence[int], Sequence[Seen]]]:
    """The stretches between bounds on which something was seen; the dates of a longer sighting have no gaps."""
    beginning = sorted(range(len(longer)), key=lambda at: longer[at].dates[0], reverse=True)
    running: dict[int, Seen] = {}
    for first, end in pairwise(bounds):
        while beginning and longer[beginning[-1]].dates[0] <= first:
            at = beginning.pop()
            running[at] = longer[at]
        for at in [at for at, one in running.items() if one.dates[-1] < first]:
            del running[at]
        if together := [*running.values(), *groups.get(first, ())]:
            yield range(first, end), together


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
            tuple(one.dates) if len(one.dates) == 1 else one.dates,
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
