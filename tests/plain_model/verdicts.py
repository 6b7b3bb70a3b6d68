"""Section 4: the verdict of a day, step by step."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from .history import ONE_DAY, PER_DIEM_CODES, Episode, Order, PatientFacts, Span
from .reference import Reference, Terms

CODE_OF_MODE = {"continuous": "S9326", "intermittent": "S9327", "implanted_pump": "S9328", "unspecified": "S9325"}
CLASH_RULES = ("pain_code_exclusion", "duplicate_per_diem", "specific_pair")  # of several, the first wins

Days = dict[date, "Day"]


@dataclass
class Day:
    """One day and what the steps found; `failed_step` is none while no step has failed."""

    patient: str
    episode: str
    date: date
    status: str = "billable"
    reason: str | None = None
    failed_step: int | None = None
    payer: str | None = None
    terms: Terms | None = None
    candidates: set[str] = field(default_factory=set)
    code: str | None = None
    clashing: set[str] = field(default_factory=set)
    authorization: str | None = None
    rate_cents: int | None = None

    def passed(self, step: int) -> bool:
        """Did the day pass this step (and so all before it)?"""
        return self.failed_step is None or self.failed_step > step

    def fail(self, step: int, status: str, reason: str) -> None:
        """The verdict of the first step that fails."""
        self.failed_step, self.status, self.reason = step, status, reason


def judge_patient(episodes: list[Episode], reference: Reference) -> dict[str, Days]:
    """All days of one patient, by episode and date."""
    facts = PatientFacts(episodes)
    judged: dict[str, Days] = {}
    for episode in episodes:
        judged[episode.name] = Judge(episode, facts, reference).days()
    for episode in episodes:
        for day in judged[episode.name].values():
            if day.passed(20):
                step_21(day, episode, episodes, judged)
    for episode in episodes:
        step_22(episode, list(judged[episode.name].values()))
        for day in judged[episode.name].values():
            if day.passed(22):
                step_23(day, reference)
    return judged


class Judge:
    """Steps 1 to 20, which look at one episode and at what counts for the whole patient."""

    def __init__(self, episode: Episode, facts: PatientFacts, reference: Reference) -> None:
        self.episode = episode
        self.reference = reference
        self.deaths = facts.deaths()
        self.stays = facts.stays()
        self.facility_stays = facts.facility_stays()
        self.hospice = facts.hospice()
        self.discharges = [entry.date() for entry in episode.all("Discharged")]
        self.coverage = coverage_spells(episode)
        self.holds = episode.holds()
        self.served = episode.served()
        self.infused = episode.infused_evidence()
        self.visits = {entry.date() for entry in episode.all("NursingVisited")}
        self.merged_runs = episode.merged_runs()

    def days(self) -> Days:
        """Every day of the episode, judged as far as step 20."""
        days: Days = {}
        for d in self.episode.dates():
            days[d] = Day(self.episode.patient, self.episode.name, d)
            self.steps_1_to_20(days[d])
        return days

    def steps_1_to_20(self, day: Day) -> None:
        """The steps as written; the first that fails is the verdict."""
        d, episode = day.date, self.episode

        if any(d > death for death in self.deaths):
            return day.fail(1, "not_billable", "after_death")
        if any(d > discharge for discharge in self.discharges):
            return day.fail(2, "not_billable", "after_discharge")
        if not self.coverage:
            return day.fail(3, "hold", "coverage_unverified")
        covering = [spell for spell in self.coverage if spell.span.covers(d)]
        if not covering:
            return day.fail(4, "not_billable", "not_covered")
        remaining = [spell for spell in covering if not self.refuses_s_codes(spell.payer, d)]
        if not remaining:
            return day.fail(5, "not_billable", "payer_excludes_s_codes")
        day.payer = min(remaining, key=lambda spell: (spell.rank, spell.span.first, spell.payer)).payer
        terms = self.reference.terms(day.payer, d)
        if terms is None:
            return day.fail(6, "hold", "no_terms")
        day.terms = terms
        if episode.place_of_service not in terms.places_of_service:
            return day.fail(7, "not_billable", "place_of_service")
        if terms.agreement_required and not self.reference.has_agreement(episode.provider, day.payer, d):
            return day.fail(8, "hold", "no_agreement")
        if any(inpatient(d, stay, terms.inpatient_rule, episode.zone) for stay in self.stays):
            return day.fail(9, "not_billable", "inpatient")
        if terms.facility_days != "billable" and any(span.covers(d) for span in self.facility_stays):
            return day.fail(10, "not_billable", "facility")
        if any(span.covers(d) for span in self.hospice):
            return day.fail(11, "not_billable", "hospice")
        if terms.hold_days != "access" and any(span.covers(d) for span in self.holds):
            return day.fail(12, "not_billable", "held")

        evidence = self.orders_behind_service(d, terms.day_counting)
        if evidence is None:
            touched = any(d in run.dates(episode.zone) for _, run in self.merged_runs)
            under = terms.day_counting == "rolling_24h" and touched
            return day.fail(13, "not_billable", "under_24_hours" if under else "not_served")
        orders = [order for name, order in episode.orders.items() if name in evidence and order.in_force(d)]
        if not orders:
            return day.fail(14, "hold", "no_order")
        orders = [order for order in orders if order.interval_hours <= terms.max_interval_hours]
        if not orders:
            return day.fail(15, "not_billable", "interval_too_long")

        if "diagnosis" in terms.documentation:
            diagnoses = [entry for entry in episode.all("DiagnosisRecorded") if entry.span().covers(d)]
            if not diagnoses:
                return day.fail(16, "hold", "no_diagnosis")
        if "plan" in terms.documentation:
            plans = [entry for entry in episode.all("PlanSigned") if entry.span().covers(d)]
            if not plans:
                return day.fail(17, "hold", "plan_missing")
            if terms.plan_signature == "before_service" and not any(plan.date("signed_on") <= d for plan in plans):
                return day.fail(17, "hold", "plan_unsigned")
        if "pain_assessment" in terms.documentation:
            ages = [d - entry.date() for entry in episode.all("PainAssessed")]
            if not any(timedelta(0) <= age <= timedelta(days=terms.pain_assessment_days) for age in ages):
                return day.fail(18, "hold", "pain_assessment_overdue")

        resolution = episode.resolution(d)
        if resolution is not None and resolution.fact["bill"] is None:
            return day.fail(19, "not_billable", "conflict_resolved")
        day.candidates = candidate_codes(orders, d, terms)
        if len(day.candidates) == 1:
            (day.code,) = day.candidates
        elif resolution is not None and resolution.fact["bill"] in day.candidates:
            day.code = resolution.fact["bill"]
        else:
            rule = "pain_code_exclusion" if "S9325" in day.candidates else "specific_pair"
            return day.fail(20, "conflict", rule)
        return None

    def refuses_s_codes(self, payer: str, d: date) -> bool:
        """Do the payer's terms on the date say so? A payer without terms does not."""
        terms = self.reference.terms(payer, d)
        return terms is not None and not terms.accepts_s_codes

    def orders_behind_service(self, d: date, day_counting: str) -> set[str] | None:
        """The names of the orders behind the evidence for the date, or none if it was not served."""
        infused_today = {order for order, day in self.infused if day == d}
        behind: set[str]
        if day_counting == "infused":
            behind = infused_today
        elif day_counting == "infused_or_nursing":
            if not infused_today and d in self.visits:
                return {name for name, order in self.episode.orders.items() if order.in_force(d)}
            behind = infused_today
        elif day_counting == "access":
            in_place = self.infused | {(order, day) for order, day, _ in self.served}
            behind = {order for order, e in in_place if self.has_access(order, e, d)}
        else:
            behind = self.rolling_orders(d)
        return behind or None

    def has_access(self, name: str, e: date, d: date) -> bool:
        """Does evidence for the order on date e give access on date d?"""
        order = self.episode.orders.get(name)
        interval_hours = 24 if order is None else order.interval_hours
        last = None if order is None else order.last
        return e <= d and (d - e).days * 24 < interval_hours and (e == d or last is None or d <= last)

    def rolling_orders(self, d: date) -> set[str]:
        """The orders that serve the date under `rolling_24h`."""
        zone = self.episode.zone
        behind: set[str] = set()
        for order, run in self.merged_runs:
            whole = max(1, (run.stopped - run.started) // timedelta(hours=24))  # a shorter run serves its start date
            start = run.local_start(zone)
            if d in {start + n * ONE_DAY for n in range(whole)}:
                behind.add(order)
        for order, day, infused in self.served:
            touched = any(other == order and d in run.dates(zone) for other, run in self.merged_runs)
            if day == d and infused and not touched:
                behind.add(order)
        return behind


@dataclass(frozen=True)
class Coverage:
    """A coverage spell, cut where an ending recorded after it says so."""

    payer: str
    rank: int
    span: Span


def coverage_spells(episode: Episode) -> list[Coverage]:
    """Every spell ever verified; an ending cuts the payer's spells recorded before it that begin on or before it."""
    spells: list[Coverage] = []
    for entry in episode.all("CoverageVerified"):
        span = entry.span()
        for ending in episode.all("CoverageEnded"):
            last = ending.date("last_date")
            if ending.fact["payer"] == entry.fact["payer"] and ending.version > entry.version and span.first <= last:
                span = Span(span.first, last if span.last is None else min(span.last, last))
        spells.append(Coverage(entry.fact["payer"], entry.fact.get("rank", 1), span))
    return spells


def inpatient(d: date, stay: tuple[datetime, datetime | None], rule: str, zone: ZoneInfo) -> bool:
    """Is the date an inpatient date of the stay, local to the judged episode?"""
    admitted, discharged = stay
    a = admitted.astimezone(zone).date()
    r = date.max if discharged is None else discharged.astimezone(zone).date()
    if discharged is not None and discharged < admitted:
        return False
    if rule == "served":
        return a < d < r
    if rule == "midnight_census":
        return a <= d < r
    return a <= d <= r


def candidate_codes(orders: list[Order], d: date, terms: Terms) -> set[str]:
    """The codes of the remaining orders, after a switch of orders within the day."""
    ending = [order for order in orders if order.last == d]
    beginning = [order for order in orders if order.first == d]
    switch = any(old is not new for old in ending for new in beginning)
    if switch:
        dropped = ending if terms.midday_switch == "new_order" else beginning
        orders = [order for order in orders if order not in dropped] or orders
    if terms.pain_code == "general":
        return {"S9325"}
    return {CODE_OF_MODE[order.mode] for order in orders}


def clash_rule(code: str, other: str) -> str:
    """The rule that two per-diem codes on one day make."""
    if (code == "S9325") != (other == "S9325"):
        return "pain_code_exclusion"
    return "duplicate_per_diem" if code == other else "specific_pair"


def step_21(day: Day, episode: Episode, episodes: list[Episode], judged: dict[str, Days]) -> None:
    """No clash with the patient's other episodes or services."""
    assert day.terms is not None
    assert day.code is not None
    others: set[str] = set()
    for other in episodes:
        theirs = judged[other.name].get(day.date)
        if other is episode or theirs is None or not theirs.passed(19):
            continue
        if day.terms.exclusion_scope == "patient_day_payer" and theirs.payer != day.payer:
            continue
        others |= theirs.candidates if theirs.code is None else {theirs.code}
    resolution = episode.resolution(day.date)
    if resolution is None or resolution.fact["bill"] != day.code:
        for other in episodes:
            for service in other.all("ServiceBilledSeparately"):
                if service.fact["code"] in PER_DIEM_CODES and service.billed_span().covers(day.date):
                    others.add(service.fact["code"])
    for rule in CLASH_RULES:
        day.clashing = {code for code in others if clash_rule(day.code, code) == rule}
        if day.clashing:
            return day.fail(21, "conflict", rule)
    return None


def step_22(episode: Episode, days: list[Day]) -> None:
    """In date order, each day whose terms require it draws a unit from an authorization."""
    granted = episode.last_by("AuthorizationGranted", "number")
    left = {number: entry.fact["units"] for number, entry in granted.items()}
    for day in sorted(days, key=lambda day: day.date):
        if not day.passed(21) or day.terms is None or not day.terms.auth_required:
            continue
        fitting = [
            (entry.date("to"), number)
            for number, entry in granted.items()
            if entry.fact["payer"] == day.payer and day.code in entry.fact["codes"] and entry.span().covers(day.date)
        ]
        with_units = [(to, number) for to, number in fitting if left[number] > 0]
        if with_units:
            day.authorization = min(with_units)[1]
            left[day.authorization] -= 1
        else:
            day.fail(22, "hold", "auth_exhausted" if fitting else "auth_missing")


def step_23(day: Day, reference: Reference) -> None:
    """The code is in force and the terms have a rate for it."""
    assert day.terms is not None
    assert day.code is not None
    day.rate_cents = day.terms.rate(day.code)
    if day.rate_cents is None or not reference.code_in_force(day.code, day.date):
        day.fail(23, "hold", "no_rate")
