"""Section 4, steps 22 to 24: clashes within a patient, authorizations, and the rate."""

from __future__ import annotations

from .authorizations import Authorizations
from .day import CONFLICT_RULES, PER_DIEM_CODES, Day, Days
from .episode import Episode
from .patients import Patient
from .reference import Reference
from .verdicts import Judge


def judge_patient(patient: Patient, reference: Reference) -> dict[str, Days]:
    """All days of one patient, by episode and date."""
    judged = {episode.name: Judge(episode, patient, reference).days() for episode in patient.episodes}
    for episode in patient.episodes:
        for day in judged[episode.name].values():
            if day.passed(21):
                step_22(day, episode, patient, judged)
    every_day = [day for days in judged.values() for day in days.values()]
    authorizations = Authorizations(patient.all("AuthorizationGranted"))
    for day in sorted(every_day, key=lambda day: (day.date, day.episode)):
        if day.passed(22) and day.in_terms.auth_required:
            step_23(day, authorizations)
    for day in every_day:
        if day.passed(23):
            step_24(day, reference)
    return judged


def clash_rule(code: str, other: str) -> str:
    """The rule that two per-diem codes on one day make."""
    if (code == "S9325") != (other == "S9325"):
        return "pain_code_exclusion"
    return "duplicate_per_diem" if code == other else "specific_pair"


def step_22(day: Day, episode: Episode, patient: Patient, judged: dict[str, Days]) -> None:
    """No clash with the patient's other episodes or services."""
    others = codes_of_other_episodes(day, patient, judged)
    resolution = episode.resolution(day.date)
    if resolution is None or resolution.fact["bill"] != day.code:
        others |= services_on(day, patient)
    for rule in CONFLICT_RULES:
        day.clashing = {code for code in others if clash_rule(day.own_code, code) == rule}
        if day.clashing:
            return day.fail(22, "conflict", rule)
    return None


def codes_of_other_episodes(day: Day, patient: Patient, judged: dict[str, Days]) -> set[str]:
    """What stands against the day: of days past step 21 their one code, of those that failed there every code."""
    codes: set[str] = set()
    for other in patient.episodes:
        theirs = judged[other.name].get(day.date)
        if other.name == day.episode or theirs is None or not theirs.passed(20):
            continue
        if day.in_terms.exclusion_scope == "patient_day_payer" and theirs.payer != day.payer:
            continue
        codes |= theirs.candidates if theirs.code is None else {theirs.code}
    return codes


def services_on(day: Day, patient: Patient) -> set[str]:
    """The per-diem codes billed separately for the patient on the date, in any episode."""
    return {
        service.fact["code"]
        for episode in patient.episodes
        for service in episode.all("ServiceBilledSeparately")
        if service.fact["code"] in PER_DIEM_CODES and service.billed_span().covers(day.date)
    }


def step_23(day: Day, authorizations: Authorizations) -> None:
    """An authorization of the payer that counts on the date and lists the code has a unit left."""
    assert day.payer is not None
    fitting = authorizations.fitting(day.payer, day.own_code, day.date)
    with_units = [grant for grant in fitting if authorizations.left(grant) > 0]
    if with_units:
        chosen = min(with_units, key=lambda grant: (grant.to, grant.number))
        authorizations.draw(chosen)
        day.authorization = chosen.number
    else:
        day.fail(23, "hold", "auth_exhausted" if fitting else "auth_missing")


def step_24(day: Day, reference: Reference) -> None:
    """The code is in force and has a rate; its rank pays more than 0 percent."""
    terms, code, rank = day.in_terms, day.own_code, day.told_rank or 1
    agreed = {} if day.agreement is None else day.agreement.rate_cents
    rate = agreed.get(code, terms.rate_cents.get(code))
    if rate is None or not reference.code_in_force(code, day.date):
        return day.fail(24, "hold", "no_rate")
    if terms.percent(rank) == 0:
        return day.fail(24, "not_billable", "concurrent_unpaid")
    day.rate_cents = (rate * terms.percent(rank) + 50) // 100  # half a cent rounds up
    assert day.place is not None
    day.modifiers = terms.modifiers(day.place, rank)
    return None
