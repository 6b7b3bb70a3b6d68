"""The sentence of a verdict: the reason in plain words, what would cure it, and the details of the day."""

from __future__ import annotations

from typing import Final, NamedTuple

from msgspec import UNSET

from ledger.facts import events as ev
from ledger.facts.entry import statement_of
from ledger.judge import causes, passed
from ledger.judge.authorizations import covering_authorizations
from ledger.judge.clash import codes_against
from ledger.judge.evidence import local_date
from ledger.judge.regions import JudgedDay
from ledger.judge.stays import Stay
from projections.why.day_view import DayView, tellings_of
from projections.why.moves_service import nearest_orders, unknown_orders
from projections.words import dollars, iso, listed


class Words(NamedTuple):
    """What a sentence says of a verdict: the reason in plain words, and what would cure it if anything can."""

    because: str
    cure: str = ""


SENTENCES: Final[dict[str, Words]] = {
    "billable": Words("{code} to {payer} at {rate}, because {evidence}"),
    "not_billable after_death": Words("the patient died on {died}"),
    "not_billable after_discharge": Words("the patient was discharged on {discharged}"),
    "hold coverage_unverified": Words("no coverage was verified", "Verify the patient's coverage and record it."),
    "not_billable not_covered": Words("no verified coverage covers the day"),
    "not_billable payer_excludes_s_codes": Words("no payer that covers it takes S codes ({covering})"),
    "hold no_terms": Words("the book has no terms of {payer} for the day", "Put the payer's terms into the book."),
    "not_billable place_of_service": Words("{payer} does not pay at place of service {place}"),
    "hold no_agreement": Words(
        "{provider} has no agreement with {payer} for the day", "Put the signed agreement into the book."
    ),
    "not_billable inpatient": Words("the patient was in hospital, {stay}"),
    "not_billable facility": Words("the patient was in a nursing facility"),
    "not_billable hospice": Words("the patient had elected hospice"),
    "not_billable held": Words("therapy was on hold"),
    "not_billable not_served": Words("{unserved}"),
    "not_billable under_24_hours": Words("the pump ran that day, but {payer} pays full 24 hours of a run only"),
    "hold no_order": Words("{unordered}", "{order_it}"),
    "not_billable interval_too_long": Words("doses are {hours} hours apart and {payer} pays up to {max_hours}"),
    "hold order_unsigned": Words(
        "{unsigned}", "Have the order signed, and correct its record with the date it was signed on."
    ),
    "hold no_diagnosis": Words("no diagnosis is in force on the day", "Record one that is."),
    "hold plan_missing": Words("{unplanned}", "Get a signed plan of treatment that covers it and record it."),
    "hold plan_unsigned": Words(
        "the plan of treatment was signed on {signed} only", "Find a plan that was signed on or before the day."
    ),
    "hold pain_assessment_overdue": Words(
        "pain was {assessed}, and {payer} asks for {reach}", "Find the assessment of that time and record it."
    ),
    "not_billable conflict_resolved": Words("it was decided to bill nothing that day"),
    "conflict pain_code_exclusion": Words("{codes} on the same day, and S9325 excludes the others", "{choose}"),
    "conflict specific_pair": Words("{codes} on the same day", "{choose}"),
    "conflict duplicate_per_diem": Words("{twice}", "{choose}"),
    "hold auth_missing": Words(
        "no authorization by {payer} covers {code} that day", "Get an authorization that does and record it."
    ),
    "hold auth_exhausted": Words("the authorized units are used up ({numbers})", "Ask the payer for more units."),
    "hold no_rate": Words(
        "the book has no rate of {payer} for {code} on the day", "Put the rate into the terms or the agreement."
    ),
    "not_billable concurrent_unpaid": Words(
        "pain was infusion therapy number {rank} of that day, and {payer} pays nothing for it"
    ),
}
"""A sentence for every verdict of every step, in the rulebook's words."""

CHOOSE: Final = "Decide which one to bill."

_UNSERVED: Final = {
    "access": "no recorded dose reaches that day",
    "course": "no day served within {gap} days before it carries the course of therapy to that day",
    "infused": "no infusion was recorded that day",
    "infused_or_nursing": "neither an infusion nor a nurse's visit was recorded that day",
    "rolling_24h": "no infusion was recorded that day",
}


class Said(dict[str, str]):
    """The words of a sentence about one day, looked up as the sentence asks for them."""

    def __init__(self, view: DayView, day: JudgedDay) -> None:
        super().__init__(payer=view.payer_name(), code=str(day.code), provider=view.provider_name())
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
        if self.view.terms.day_counting == "course":
            return f"the course of therapy goes on from {self._nearest()}"
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
        """The place of service of the day."""
        return self.view.place

    def stay(self) -> str:
        """The hospital stay that takes the day: from when until when, under which numbers."""
        stay, tz = self.view.stays[0], self.view.case.evidence.tz
        numbers = list(dict.fromkeys(part.stay for part in stay.parts))
        home = stay.discharged
        until = f"to {iso(local_date(home.at, tz))}" if home else "with no discharge recorded"
        name = "stay" if len(numbers) == 1 else "stays"
        return f"from {iso(local_date(stay.admitted.at, tz))} {until} ({name} {listed(numbers)}){self._unmatched(stay)}"

    def _unmatched(self, stay: Stay) -> str:
        homes = [] if stay.discharged else self.view.homecomings_without_stay(stay)
        tz = self.view.case.evidence.tz
        told = (f"{home.entry.label} records a discharge on {iso(local_date(home.at, tz))}" for home in homes)
        return f"; {listed(told)}, but under a stay that has no admission" if homes else ""

    def unserved(self) -> str:
        """What is missing, as the payer counts days."""
        terms = self.view.terms
        return _UNSERVED[terms.day_counting].format(gap=terms.course_gap_days)

    def unordered(self) -> str:
        """Which order the service names, and why it is not in force."""
        unknown = list(dict.fromkeys(order for _, order in unknown_orders(self.view)))
        if unknown:
            known = nearest_orders(self.view, unknown[0])
            nearest = f" (the nearest recorded number is {known[0]})" if known else ""
            return f"the service names order {listed(unknown)}, which is not recorded{nearest}"
        orders = causes.orders_serving(self.view.case, self.view.date)
        return f"order {listed(orders)} is not in force that day" if orders else "no order is in force that day"

    def order_it(self) -> str:
        """What would put an order behind the service."""
        unknown = unknown_orders(self.view)
        if unknown and nearest_orders(self.view, unknown[0][1]):
            return "Correct the number, or record the order if the number is right."
        return "Record an order that is."

    def hours(self) -> str:
        """The spacing of doses under the orders in force."""
        orders = tellings_of(passed.orders_in_force(self.view.case, self.view.date))
        return listed(map(str, sorted({fact.interval_hours for _, fact in orders})))

    def max_hours(self) -> str:
        """The widest spacing that the payer pays."""
        return str(self.view.terms.max_interval_hours)

    def unsigned(self) -> str:
        """Which order is not signed, or not by the day."""
        orders = [fact for _, fact in tellings_of(passed.orders_in_force(self.view.case, self.view.date))]
        signed = [fact for fact in orders if fact.signed_on is not UNSET]
        if signed:
            first = min(signed, key=lambda fact: str(fact.signed_on))
            return f"order {first.order} was signed on {first.signed_on} only"
        return f"order {listed(fact.order for fact in orders)} is not signed"

    def unplanned(self) -> str:
        """That no plan covers the day, or for how many days the payer lets one do so."""
        plans = [plan for plan in self.view.case.episode.plans if plan.from_ <= self.view.date <= plan.to]
        if not plans:
            return "no plan of treatment covers the day"
        latest, days = max(plan.from_ for plan in plans), self.view.terms.plan_max_days
        return f"the plan of treatment began on {iso(latest)} and {self['payer']} lets one run for {days} days"

    def signed(self) -> str:
        """When the earliest plan that covers the day was signed."""
        longest, plans = self.view.terms.plan_max_days, self.view.case.episode.plans
        covering = [plan for plan in plans if plan.from_ <= self.view.date <= plan.last_date(longest)]
        return iso(min(plan.signed_on for plan in covering))

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
            return listed(passed.codes_on(view.case, view.date))
        return listed(codes_against(view.case, view.others, view.date, str(verdict.reason)))

    def twice(self) -> str:
        """Who bills the same code of the same day."""
        if self._others_services():
            return f"another provider billed {self['code']} for the patient on this day, too"
        return "two episodes bill this day"

    def choose(self) -> str:
        """What a person has to decide."""
        if not self.day.verdict.names_code:
            return CHOOSE
        if self._others_services():
            return f"Bill it only if {self.view.others_did_not}; otherwise decide to bill nothing here."
        return "Choose the one to keep, and decide to bill nothing in the other."

    def _others_services(self) -> bool:
        deciding = self.view.deciding(self.day.verdict)
        return any(each.entry in deciding for each in self.view.services)

    def numbers(self) -> str:
        """The authorizations that are used up."""
        return listed(grant.number for grant in covering_authorizations(self.view.case, self.view.date))

    def rank(self) -> str:
        """Which of several infusion therapies pain was."""
        return str(self.view.rank)
