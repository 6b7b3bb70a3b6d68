"""Section 4: the verdict of a day, steps 1 to 21, which look at one episode and at what counts for the patient."""

from __future__ import annotations

from datetime import date, timedelta

from .coverage import coverage_spells, member_of, remaining_spells
from .day import Day, Days
from .episode import Episode
from .evidence import Evidence
from .orders import Telling
from .patients import Patient
from .reference import Reference, Terms

CODE_OF_MODE = {"continuous": "S9326", "intermittent": "S9327", "implanted_pump": "S9328", "unspecified": "S9325"}


class Judge:
    """One episode of a patient, read for its days."""

    def __init__(self, episode: Episode, patient: Patient, reference: Reference) -> None:
        self.episode = episode
        self.patient = patient
        self.reference = reference
        self.evidence = Evidence(episode)
        self.coverage = coverage_spells(episode)
        self.holds = episode.holds()
        self.deaths = patient.deaths()
        self.facility_stays = patient.facility_stays()
        self.hospice = patient.hospice()
        self.discharges = [entry.date() for entry in episode.all("Discharged")]
        self.diagnoses = [entry.span() for entry in episode.all("DiagnosisRecorded")]
        self.assessments = [entry.date() for entry in episode.all("PainAssessed")]

    def days(self) -> Days:
        """Every day of the episode, judged as far as step 21."""
        days: Days = {}
        for d in self.evidence.days_of_episode():
            days[d] = Day(self.patient.name, self.episode.name, d)
            self.judge(days[d])
        return days

    def judge(self, day: Day) -> None:
        """The steps in their order; the first that fails is the verdict."""
        for steps in (self.coverage_steps, self.terms_steps, self.exclusion_steps, self.order_steps, self.paper_steps):
            if day.status == "billable":
                steps(day)
        if day.status == "billable":
            self.code_steps(day)

    def coverage_steps(self, day: Day) -> None:
        """Steps 1 to 5."""
        d = day.date
        if any(d > death for death in self.deaths):
            return day.fail(1, "not_billable", "after_death")
        if any(d > discharge for discharge in self.discharges):
            return day.fail(2, "not_billable", "after_discharge")
        if not self.coverage:
            return day.fail(3, "hold", "coverage_unverified")
        covering = [spell for spell in self.coverage if spell.span.covers(d)]
        if not covering:
            return day.fail(4, "not_billable", "not_covered")
        remaining = remaining_spells(covering, d, self.reference)
        if not remaining:
            return day.fail(5, "not_billable", "payer_excludes_s_codes")
        first = remaining[0]
        day.payer, day.coverage_rank, day.member = first.payer, first.rank, member_of(remaining, first)
        day.same_rank = {spell.payer for spell in remaining if spell.rank == first.rank} - {first.payer}
        return None

    def terms_steps(self, day: Day) -> None:
        """Steps 6 to 8."""
        assert day.payer is not None
        terms = self.reference.terms(day.payer, day.date)
        if terms is None:
            return day.fail(6, "hold", "no_terms")
        day.terms = terms
        day.place = self.episode.place(day.date)
        day.provider = self.episode.provider(day.date)
        day.told_rank = self.episode.told_rank(day.date)
        if day.place not in terms.places_of_service:
            return day.fail(7, "not_billable", "place_of_service")
        day.agreement = self.reference.agreement(day.provider, day.payer, day.date)
        if terms.agreement_required and day.agreement is None:
            return day.fail(8, "hold", "no_agreement")
        return None

    def exclusion_steps(self, day: Day) -> None:
        """Steps 9 to 12."""
        d, terms = day.date, day.in_terms
        if self.inpatient(d, terms):
            return day.fail(9, "not_billable", "inpatient")
        if terms.facility_days != "billable" and any(span.covers(d) for span in self.facility_stays):
            return day.fail(10, "not_billable", "facility")
        if any(span.covers(d) for span in self.hospice):
            return day.fail(11, "not_billable", "hospice")
        if terms.hold_days != "access" and any(span.covers(d) for span in self.holds):
            return day.fail(12, "not_billable", "held")
        return None

    def order_steps(self, day: Day) -> None:
        """Steps 13 to 16: service, and the orders behind it that hold."""
        d, terms = day.date, day.in_terms
        behind = self.behind_service(d, terms)
        if behind is None:
            under = terms.day_counting == "rolling_24h" and self.evidence.run_touches(d)
            return day.fail(13, "not_billable", "under_24_hours" if under else "not_served")
        orders = {name: telling for name, telling in self.episode.orders.in_force(d).items() if name in behind}
        if not orders:
            return day.fail(14, "hold", "no_order")
        orders = {n: telling for n, telling in orders.items() if telling.interval_hours <= terms.max_interval_hours}
        if not orders:
            return day.fail(15, "not_billable", "interval_too_long")
        if terms.order_signature != "none":
            orders = {name: telling for name, telling in orders.items() if signed(telling, d, terms)}
            if not orders:
                return day.fail(16, "hold", "order_unsigned")
        day.orders = orders
        return None

    def behind_service(self, d: date, terms: Terms) -> set[str] | None:
        """The orders behind the evidence for the date, or none if it was not served."""
        if terms.day_counting == "infused":
            return self.evidence.infused_on(d) or None
        if terms.day_counting == "infused_or_nursing":
            return self.evidence.infused_or_nursing(d)
        if terms.day_counting == "access":
            return self.evidence.access(d)
        if terms.day_counting == "course":
            return self.evidence.course(d, terms.course_gap_days, lambda day: self.inpatient(day, terms))
        return self.evidence.rolling_24h(d)

    def inpatient(self, d: date, terms: Terms) -> bool:
        """Is the date an inpatient date of one of the patient's stays, by the rule of these terms?"""
        return any(stay.is_inpatient(d, terms.inpatient_rule, self.episode.zone) for stay in self.patient.stays)

    def paper_steps(self, day: Day) -> None:
        """Steps 17 to 19."""
        d, terms = day.date, day.in_terms
        if "diagnosis" in terms.documentation and not any(span.covers(d) for span in self.diagnoses):
            return day.fail(17, "hold", "no_diagnosis")
        if "plan" in terms.documentation:
            plans = [plan for plan in self.episode.all("PlanSigned") if terms.plan_covers(plan.span(), d)]
            if not plans:
                return day.fail(18, "hold", "plan_missing")
            if terms.plan_signature == "before_service" and not any(plan.date("signed_on") <= d for plan in plans):
                return day.fail(18, "hold", "plan_unsigned")
        if "pain_assessment" in terms.documentation:
            longest = timedelta(days=terms.pain_assessment_days)
            if not any(timedelta(0) <= d - assessed <= longest for assessed in self.assessments):
                return day.fail(19, "hold", "pain_assessment_overdue")
        return None

    def code_steps(self, day: Day) -> None:
        """Steps 20 and 21."""
        resolution = self.episode.resolution(day.date)
        bill = None if resolution is None else resolution.fact["bill"]
        if resolution is not None and bill is None:
            return day.fail(20, "not_billable", "conflict_resolved")
        day.candidates = self.candidate_codes(day)
        if len(day.candidates) == 1:
            (day.code,) = day.candidates
        elif bill in day.candidates:
            day.code = bill
        else:
            return day.fail(21, "conflict", "pain_code_exclusion" if "S9325" in day.candidates else "specific_pair")
        return None

    def candidate_codes(self, day: Day) -> set[str]:
        """Section 4, *Code*: the codes of the remaining orders, after a switch of orders within the day."""
        orders, d = self.episode.orders, day.date
        names = list(day.orders)
        ending = [name for name in names if orders.ends(name, d)]
        beginning = [name for name in names if orders.begins(name, d)]
        if any(old != new for old in ending for new in beginning):
            dropped = ending if day.in_terms.midday_switch == "new_order" else beginning
            names = [name for name in names if name not in dropped] or names
        if day.in_terms.pain_code == "general":
            return {"S9325"}
        return {CODE_OF_MODE[day.orders[name].mode] for name in names}


def signed(telling: Telling, d: date, terms: Terms) -> bool:
    """Is the order signed, and before the service where the terms say so?"""
    if telling.signed_on is None:
        return False
    return terms.order_signature != "before_service" or telling.signed_on <= d
