"""The sentence of a verdict: the reason in plain words, what would cure it, and the details of the day."""

from __future__ import annotations

from typing import Final, NamedTuple

from ledger.facts import events as ev
from ledger.facts.entry import statement_of
from ledger.judge import causes, passed
from ledger.judge.authorizations import covering_authorizations
from ledger.judge.evidence import local_date
from ledger.judge.regions import JudgedDay
from ledger.judge.steps import INPATIENT
from projections.why.day_view import DayView
from projections.words import dollars, iso


class Words(NamedTuple):
    """What a sentence says of a verdict: the reason in plain words, and what would cure it if somebody can."""

    because: str
    cure: str = ""


_DECIDE = "A human has to decide which of them is billed."

SENTENCES: Final[dict[str, Words]] = {
    "billable": Words("{code} to {payer} at {rate}, because {evidence}"),
    "not_billable after_death": Words("the patient died on {died}"),
    "not_billable after_discharge": Words("the patient was discharged on {discharged}"),
    "hold coverage_unverified": Words("nobody verified any coverage", "Verified coverage would cure it."),
    "not_billable not_covered": Words("no verified coverage covers the day"),
    "not_billable payer_excludes_s_codes": Words("no payer that covers it takes S codes ({covering})"),
    "hold no_terms": Words("the book has no terms of {payer} for the day", "The payer's terms would cure it."),
    "not_billable place_of_service": Words("{payer} does not pay at place of service {place}"),
    "hold no_agreement": Words(
        "{provider} has no agreement with {payer} for the day", "A signed agreement in the book would cure it."
    ),
    "not_billable inpatient": Words("the patient was in hospital, admitted on {admitted}"),
    "not_billable facility": Words("the patient was in a nursing facility"),
    "not_billable hospice": Words("the patient had elected hospice"),
    "not_billable held": Words("therapy was on hold"),
    "not_billable not_served": Words("{unserved}"),
    "not_billable under_24_hours": Words("the pump ran that day, but {payer} pays full 24 hours of a run only"),
    "hold no_order": Words("no order is in force for the service of that day", "Such an order would cure it."),
    "not_billable interval_too_long": Words("doses are {hours} hours apart and {payer} pays up to {max_hours}"),
    "hold no_diagnosis": Words("no diagnosis is in force on the day", "One that is would cure it."),
    "hold plan_missing": Words("no plan of treatment covers the day", "A signed plan that covers it would cure it."),
    "hold plan_unsigned": Words(
        "the plan of treatment was signed on {signed} only", "A plan signed on or before the day would cure it."
    ),
    "hold pain_assessment_overdue": Words(
        "pain was {assessed}, and {payer} asks for {reach}", "An assessment in that time would cure it."
    ),
    "not_billable conflict_resolved": Words("a human decided to bill nothing that day"),
    "conflict pain_code_exclusion": Words("{codes} stand on one day, and S9325 excludes the others", _DECIDE),
    "conflict specific_pair": Words("{codes} stand on one day", _DECIDE),
    "conflict duplicate_per_diem": Words(
        "{codes} stands on the day more than once", "A human has to decide which one yields."
    ),
    "hold auth_missing": Words(
        "no authorization by {payer} covers {code} that day", "An authorization that does would cure it."
    ),
    "hold auth_exhausted": Words(
        "the authorized units are used up ({numbers})", "One more unit for the day would cure it."
    ),
    "hold no_rate": Words("the book has no rate of {payer} for {code} on the day", "A rate would cure it."),
}
"""A sentence for every verdict of every step, in the rulebook's words."""

_UNSERVED: Final = {
    "access": "no recorded dose reaches that day",
    "infused": "no infusion was recorded that day",
    "infused_or_nursing": "neither an infusion nor a nurse's visit was recorded that day",
    "rolling_24h": "no infusion was recorded that day",
}


class Said(dict[str, str]):
    """The words of a sentence about one day, looked up as the sentence asks for them."""

    def __init__(self, view: DayView, day: JudgedDay) -> None:
        super().__init__(payer=view.payer_name(), code=str(day.code), provider=view.provider_name)
        self.view, self.day = view, day

    def __missing__(self, word: str) -> str:
        return str(getattr(self, word)())

    def rate(self) -> str:
        """The day's price."""
        return dollars(self.day.rate_cents or 0)

    def evidence(self) -> str:
        """What shows that the day was served."""
        case, on = self.view.case, self.view.date
        facts = [statement_of(entry) for entry in causes.served_on(case, on)]
        if isinstance(facts[0], ev.NursingVisited):
            return "a nurse visited that day"
        if case.evidence.any_infused & self.view.day:
            return "infusion was recorded that day"
        if any(days & self.view.day for days in case.evidence.recorded.values()):
            return "therapy was in place that day"
        return f"the dose of {self._nearest()} reaches to it"

    def _nearest(self) -> str:
        case, on = self.view.case, self.view.date
        orders = causes.remaining_orders(case, on)
        before = case.calendar.span(case.calendar.first, on)
        recorded = max(case.evidence.recorded.get(order, 0) & before for order in orders)
        return iso(case.calendar.first + recorded.bit_length() - 1)

    def died(self) -> str:
        """The earliest date of death."""
        return iso(min(death.date for death in self.view.case.patient.deaths))

    def discharged(self) -> str:
        """The earliest discharge."""
        return iso(min(ended.date for ended in self.view.case.episode.discharges))

    def covering(self) -> str:
        """The payers that cover the day."""
        spells = (spell for spell in self.view.case.spells if spell.from_ <= self.view.date <= spell.to)
        return ", ".join(dict.fromkeys(self.view.payer_name(spell.payer) for spell in spells))

    def place(self) -> str:
        """The place of service."""
        return self.view.case.episode.opening[1].place_of_service

    def admitted(self) -> str:
        """The local date of the admission."""
        fact = statement_of(self.view.causes(INPATIENT)[0])
        assert isinstance(fact, ev.HospitalAdmitted)
        return iso(local_date(fact.at, self.view.case.evidence.tz))

    def unserved(self) -> str:
        """What is missing, as the payer counts days."""
        return _UNSERVED[self.view.terms.day_counting]

    def hours(self) -> str:
        """The spacing of doses under the orders in force."""
        facts = map(statement_of, passed.orders_in_force(self.view.case, self.view.date))
        return " and ".join(map(str, sorted({f.interval_hours for f in facts if isinstance(f, ev.TherapyOrdered)})))

    def max_hours(self) -> str:
        """The widest spacing that the payer pays."""
        return str(self.view.terms.max_interval_hours)

    def signed(self) -> str:
        """When the earliest plan that covers the day was signed."""
        plans = self.view.case.episode.plans
        return iso(min(plan.signed_on for plan in plans if plan.from_ <= self.view.date <= plan.to))

    def assessed(self) -> str:
        """When pain was last assessed."""
        dates = [assessed.date for assessed in self.view.case.episode.assessments if assessed.date <= self.view.date]
        return f"last assessed on {iso(max(dates))}" if dates else "never assessed up to the day"

    def reach(self) -> str:
        """How fresh an assessment has to be."""
        days = self.view.terms.pain_assessment_days
        return f"an assessment on the day or up to {days} days before" if days else "an assessment on the day"

    def codes(self) -> str:
        """The codes in conflict."""
        view, verdict = self.view, self.day.verdict
        if not verdict.names_code:
            return " and ".join(passed.codes_on(view.case, view.date))
        found = passed.codes_against(view.case, view.others, view.date, str(verdict.reason))
        return " and ".join(dict.fromkeys(found))

    def numbers(self) -> str:
        """The authorizations that are used up."""
        return ", ".join(granted.number for granted in covering_authorizations(self.view.case, self.view.date))
