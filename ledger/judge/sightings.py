"""What finding rules see, and the judged patient they see it in (rulebook section 5)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import compress
from operator import attrgetter
from typing import Final

from msgspec import Struct

from ledger.book import PER_DIEM_CODES
from ledger.day_set import Days
from ledger.judge.case import Case, Region
from ledger.judge.causes import causes_by_date
from ledger.judge.claims import ClaimedLine, lines_of, live_claims
from ledger.judge.episode import Billed
from ledger.judge.evidence import Labels
from ledger.judge.regions import regions
from ledger.judge.rule import Verdict
from ledger.judge.settled import SettledDay, settled_days


class Seen(Struct, frozen=True, gc=False):
    """What a rule saw: in which episodes, on which dates, with which codes, because of which entries. What a message
    says beyond that it is ``about``: names with values (a claim's number). Of a rule that finds date by date, the same
    is seen on each of the dates."""

    episodes: tuple[str, ...]
    dates: Sequence[int]
    codes: Collection[str]
    because: Collection[str]
    payers: Collection[str | None] = ()
    about: Collection[tuple[str, str]] = ()


BilledApart = Billed | ClaimedLine
"""A code billed for the patient outside the per diem: a service, a drug, or a line of a live claim."""


ANYTHING: Final = ""
"""What a rule needs that any patient may break."""
_NEEDED: Final = (
    "acknowledgements", "admissions", "claims", "coverage_ends", "postings", "resolutions",
    "runs", "shared_though", "supplied",
)  # fmt: skip
_facts_needed: Final = attrgetter(*_NEEDED)


class PatientFile:
    """The judged episodes of one patient with their billable days and claims, looked up once for all rules."""

    def __init__(self, cases: Sequence[Case]) -> None:
        self.cases = cases
        self.others = {case.episode.name: [other for other in cases if other is not case] for case in cases}
        self.billable: dict[str, list[Region]] = {
            case.episode.name: [region for region in regions(case) if region.is_billable] for case in cases
        }
        self.live = {case.episode.name: list(live_claims(case.episode)) for case in cases}
        self.claimed = {case.episode.name: lines_of(case.episode, self.live[case.episode.name]) for case in cases}
        self.per_diem = {
            name: [line for line in lines if line.code in PER_DIEM_CODES] for name, lines in self.claimed.items()
        }
        self.apart = self._billed_separately()
        self.codes_apart = {billed.code for billed in self.apart}
        self._claimed_as: dict[str, dict[tuple[str, str], Days]] = {}
        self.taken = self._by_reason()
        self._settled: dict[str, list[SettledDay]] = {}
        self.has = self._has()

    def because(self, case: Case, date: int) -> Labels:
        """The causes of a date's verdict; none outside the calendar."""
        return self.causes(case).get(date, ())

    def causes(self, case: Case) -> dict[int, Labels]:
        """The causes of the verdict of each date."""
        return case.causes or causes_by_date(case, self.others[case.episode.name])

    def settled(self, case: Case) -> list[SettledDay]:
        """The claimed days of an episode with what was paid for them."""
        if case.episode.name not in self._settled:
            self._settled[case.episode.name] = settled_days(case)
        return self._settled[case.episode.name]

    def billable_as(self, case: Case) -> dict[tuple[str, str], Days]:
        """The episode's billable days by code and payer."""
        days: dict[tuple[str, str], Days] = {}
        for region in self.billable[case.episode.name]:
            key = str(region.code), str(region.payer)
            days[key] = days.get(key, 0) | region.days
        return days

    def claimed_as(self, case: Case) -> dict[tuple[str, str], Days]:
        """The days of the episode on per-diem lines of its live claims, by code and payer."""
        name, span = case.episode.name, case.calendar.span
        if name not in self._claimed_as:
            days = self._claimed_as[name] = {}
            for line in self.per_diem[name]:
                key = line.code, line.payer
                days[key] = days.get(key, 0) | span(line.from_, line.to)
        return self._claimed_as[name]

    def _by_reason(self) -> dict[str | None, list[tuple[Case, Verdict, Days]]]:
        """The days that are not billable, by the reason of their verdict."""
        taken: dict[str | None, list[tuple[Case, Verdict, Days]]] = {}
        for case in self.cases:
            for verdict, days in case.verdicts:
                taken.setdefault(verdict.reason, []).append((case, verdict, days))
        return taken

    def _has(self) -> set[str]:
        """What there is of the patient, as rules need it: kinds of fact as an episode names them, reasons of verdicts,
        families of codes billed beside the per diem, and what takes more than one fact to say."""
        has = {ANYTHING, *(reason for reason in self.taken if reason)}
        for case in self.cases:
            has.update(compress(_NEEDED, _facts_needed(case.episode)))
            has.update(_more_of(case))
        for code in self.codes_apart.union([billed.code for case in self.cases for billed in case.episode.billed]):
            book = self.cases[0].book
            if code in book.codes:
                has.add(book.codes[code].family)
            if code in book.included:
                has.add("included")
        return has

    def _billed_separately(self) -> list[BilledApart]:
        """What was billed for the patient beside the per diem, in any of the episodes."""
        apart: list[BilledApart] = [
            billed for case in self.cases for billed in case.episode.billed if billed.code not in PER_DIEM_CODES
        ]
        apart += [line for lines in self.claimed.values() for line in lines if line.code not in PER_DIEM_CODES]
        return apart


def _more_of(case: Case) -> Iterator[str]:
    """What there is of an episode that takes more than one fact to say, or one of several kinds."""
    episode = case.episode
    if len(case.codes) > 1:
        yield "several_codes"
    if len(case.spells) > 1:
        yield "several_spells"
    if episode.resumed or episode.homecomings:
        yield "endings"
    if len(episode.claims) < len(episode.told_claims):
        yield "repeated_number"
    if any(claim.fact.frequency != "1" for claim in episode.claims.values()):
        yield "replacement"
