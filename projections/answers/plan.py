"""What is to be done about claims that are not as they should be (claims.md section 6): one instrument for each.

What was claimed is held against what is known now, and that against how far the claim is on its way. Nothing is decided
here: a human, or the command that writes claims, does.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final, Literal

from msgspec import UNSET, Struct

from ledger.book import PER_DIEM_CODES, Reason
from ledger.facts.billing import AppealFiled, WrittenOff
from ledger.facts.events import ClaimSubmitted
from ledger.judge.answers import Posting, in_order, own_number, postings_of, rejected_claims
from ledger.judge.case import Case, Region
from ledger.judge.episode import Live
from ledger.judge.settled import SettledDay, settled_days
from projections.answers.claim_list import ClaimStanding, payer_control_of, state_of
from projections.answers.held_now import DaysNow, HeldNow, span_of
from projections.answers.reasons import reasons_named
from projections.answers.windows import Windows
from projections.words import iso

Instrument = Literal["replace", "void", "void_and_new", "new", "appeal", "refund", "wait"]
_NEEDS_AUTHORIZATION: Final = frozenset({"15", "197", "198"})


class PlanRow(Struct, frozen=True):
    """A claim that is not as it should be, and what is to be done: for how much money, in cents, and by when."""

    claim: str
    instrument: Instrument
    cents: int
    by: str | None
    episode: str
    payer: str
    state: ClaimStanding
    why: str


def plan_of(case: Case, today: date) -> list[PlanRow]:
    """What is to be done about the claims of one judged episode, in the order they were recorded."""
    episode = case.episode
    done = _replaced(case)
    planner = _Planner(case, today)
    claims = sorted(episode.claims.values(), key=lambda claim: claim.first.version)
    found: list[PlanRow] = []
    for claim in claims:
        if claim.fact.frequency != "8" and claim.fact.claim not in done:
            found += planner.rows(claim)
    return found + list(planner.outside())


def _replaced(case: Case) -> set[str]:
    back = rejected_claims(case.episode)
    return {
        own_number(case.episode, claim.fact.replaces)
        for name, claim in case.episode.claims.items()
        if name not in back and claim.fact.frequency != "1" and claim.fact.replaces is not UNSET
    }


class _Planner:
    """One episode's claims, with all that their plan rests on."""

    def __init__(self, case: Case, today: date) -> None:
        self._case, self._today = case, today
        self._days = DaysNow(case)
        self._settled: dict[str, list[SettledDay]] = {}
        for settled in settled_days(case):
            self._settled.setdefault(settled.day.claim, []).append(settled)
        self._postings: dict[str, list[Posting]] = {}
        for posting in in_order(postings_of(case.episode)):
            self._postings.setdefault(posting.claim, []).append(posting)

    def _windows(self, claim: Live[ClaimSubmitted]) -> Windows:
        return Windows(self._case.book, claim.fact, self._postings.get(claim.fact.claim, []))

    def rows(self, claim: Live[ClaimSubmitted]) -> Iterator[PlanRow]:
        """What is to be done about one claim; nothing if it is as it should be."""
        state = state_of(self._case.episode, claim.fact.claim, self._postings.get(claim.fact.claim, []))
        wrong = self._days.held(claim.fact)
        if state == "rejected":
            yield from self._turned_back(claim)
        elif not self._can_be_corrected(claim, state):
            if wrong.is_ours:
                why = "it is not answered yet; a correction before that would be lost"
                yield self._row(claim, state, "wait", self._at_stake(claim, wrong), self._windows(claim).filing, why)
        elif wrong.is_ours:
            yield self._corrected(claim, state, wrong)
        elif state in ("paid", "denied"):
            yield from self._as_paid(claim, state)

    def _can_be_corrected(self, claim: Live[ClaimSubmitted], state: ClaimStanding) -> bool:
        """Whether the payer has it, under a number of its own; a replacement only once it is answered."""
        if state in ("paid", "denied", "reversed"):
            return True
        number = payer_control_of(self._case.episode, claim.fact.claim)
        return state == "accepted" and claim.fact.frequency == "1" and number is not None

    def _at_stake(self, claim: Live[ClaimSubmitted], wrong: HeldNow) -> int:
        """What the claim would be worth less what it was paid: both ways, as an amount."""
        settled = self._settled.get(claim.fact.claim, [])
        worth = sum(each.expected_cents or 0 for each in settled if each.expected_cents is not None)
        paid = sum(each.day.paid_cents for each in settled if each.expected_cents is not None)
        if not any(each.day.because for each in settled):  # not answered: what was asked for lost days
            lost = [each for each in settled if each.expected_cents == 0]
            return wrong.added_cents + sum(each.day.charge_cents for each in lost)
        return abs(worth + wrong.added_cents - paid)

    def _turned_back(self, claim: Live[ClaimSubmitted]) -> Iterator[PlanRow]:
        worth = sum(
            region.rate_cents or 0
            for line in claim.fact.lines
            if line.code in PER_DIEM_CODES
            for on in span_of(line)
            if (region := self._days.unclaimed(on)) is not None and region.payer == claim.fact.payer
        )
        if worth:
            why = "it was turned back and never reached the payer: a new original, without the payer's number"
            yield self._row(claim, "rejected", "new", worth, self._windows(claim).filing, why)

    def _corrected(self, claim: Live[ClaimSubmitted], state: ClaimStanding, wrong: HeldNow) -> PlanRow:
        cents, by = self._at_stake(claim, wrong), self._windows(claim).correction
        terms = self._windows(claim).terms
        too_much = sum(each.to_give_back_cents for each in self._settled.get(claim.fact.claim, []))
        is_shut = by is not None and by < self._today
        if too_much and (is_shut or (terms is not None and terms.corrections == "none")):
            why = "more was paid than is due, and no correction is taken" + (" any more" if is_shut else "")
            return self._row(claim, state, "refund", too_much, self._windows(claim).refund, why)
        if not wrong.kept and not wrong.added:
            return self._row(
                claim, state, "void", cents, by or self._windows(claim).refund, "none of its days is billable"
            )
        why = wrong.words
        instrument: Instrument = "void_and_new" if terms and terms.corrections == "void_and_new" else "replace"
        return self._row(claim, state, instrument, cents, by, why)

    def _as_paid(self, claim: Live[ClaimSubmitted], state: ClaimStanding) -> Iterator[PlanRow]:
        """What was answered, nothing of ours having changed."""
        settled = self._settled.get(claim.fact.claim, [])
        too_much = sum(each.to_give_back_cents for each in settled)
        too_little = [each for each in settled if each.status in ("underpaid", "denied")]
        if too_much:
            why = "the payer paid more than is due"
            yield self._row(claim, state, "refund", too_much, self._windows(claim).refund, why)
        if too_little and not self._is_settled(claim, WrittenOff, 1):
            yield self._denied(claim, state, too_little)

    def _denied(self, claim: Live[ClaimSubmitted], state: ClaimStanding, days: list[SettledDay]) -> PlanRow:
        cents = sum(each.missing_cents for each in days)
        reasons = reasons_named(self._case.book, {reason for each in days for reason in each.day.reasons})
        why = "; ".join(dict.fromkeys(reason.cure for reason in reasons)) or "compare with the contract"
        if self._is_settled(claim, AppealFiled, 1):
            return self._row(claim, state, "wait", cents, None, "an appeal is filed")
        kinds = {reason.instrument for reason in reasons} - {"none"}
        if kinds == {"coordinate"} or kinds == {"wait"}:
            return self._row(claim, state, "wait", cents, self._windows(claim).appeal, why)
        if kinds == {"new"}:
            return self._row(claim, state, "void_and_new", cents, self._windows(claim).correction, why)
        if kinds == {"replace"} and all(self._can_be_mended(claim.fact, reason, days) for reason in reasons):
            return self._row(claim, state, "replace", cents, self._windows(claim).correction, why)
        return self._row(claim, state, "appeal", cents, self._windows(claim).appeal, why)

    def _can_be_mended(self, fact: ClaimSubmitted, reason: Reason, days: list[SettledDay]) -> bool:
        """Whether what is missing is in the ledger: an authorization that is not on the claim."""
        if reason.code not in _NEEDS_AUTHORIZATION:
            return True
        on_claim = {line.authorization for line in fact.lines} - {UNSET}
        drawn = [self._case.drawn.get(each.day.date) for each in days]
        return all(grant is not None and grant.number not in on_claim for grant in drawn)

    def _is_settled(self, claim: Live[ClaimSubmitted], kind: type[object], cents: int) -> bool:
        """Whether the house did something of a kind about the claim, for as much."""
        acts = [fact for _, fact in self._case.episode.settled if type(fact) is kind]
        return sum(max(1, fact.cents) for fact in acts if fact.claim == claim.fact.claim) >= cents

    def outside(self) -> Iterator[PlanRow]:
        """Billable days outside the span of every claim and before the last: a new original, told by the newest."""
        cents: dict[str, int] = {}
        first: dict[str, int] = {}
        for on in sorted(self._days.billable):
            region = self._days.unclaimed(on)
            if region is not None and on < self._days.last_claimed and not self._is_inside(on, region):
                payer = str(region.payer)
                cents[payer] = cents.get(payer, 0) + (region.rate_cents or 0)
                first.setdefault(payer, on)
        for payer, amount in cents.items():
            live = [claim for claim in self._case.episode.claims.values() if claim.fact.payer == payer]
            if live:
                newest = max(live, key=lambda claim: claim.first.version)
                state = state_of(self._case.episode, newest.fact.claim, self._postings.get(newest.fact.claim, []))
                terms = self._days.billable[first[payer]].terms
                by = date.fromordinal(first[payer] + terms.timely_filing_days) if terms else None
                yield self._row(newest, state, "new", amount, by, "billable days beside it are on no claim")

    def _is_inside(self, on: int, region: Region) -> bool:
        spans = (
            (min(line.from_ for line in claim.fact.lines), max(line.to for line in claim.fact.lines))
            for claim in self._case.episode.claims.values()
            if claim.fact.payer == region.payer
        )
        return any(first.toordinal() <= on <= last.toordinal() for first, last in spans)

    def _row(
        self, claim: Live[ClaimSubmitted], state: ClaimStanding, instrument: Instrument, cents: int, by: date | None,
        why: str,
    ) -> PlanRow:  # fmt: skip
        told = None if by is None else iso(by.toordinal())
        name = self._case.episode.name
        return PlanRow(claim.fact.claim, instrument, cents, told, name, claim.fact.payer, state, why)
