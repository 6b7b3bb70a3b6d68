"""What becomes of each claim (claims.md section 6): one instrument, decided in one place.

``claims plan`` shows what is decided here, ``claims write`` sends what of it is a correction and keeps off what waits
for one. What was claimed is held against what is known now, and that against how far the claim is on its way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Final, Literal, NamedTuple

from ledger.facts.billing import AppealFiled, Settlement, WrittenOff
from ledger.facts.zones import zone
from ledger.judge.answers import rejected_claims
from ledger.judge.case import Case, Region
from ledger.judge.claims import Claim, live_claims
from ledger.judge.evidence import local_date
from ledger.judge.held_now import DaysNow, HeldNow, per_diem_lines, span_of
from ledger.judge.lines import Line, pack
from ledger.judge.settled import SettledDay, settled_days
from ledger.judge.windows import Windows
from projections.answers.claim_list import ClaimStanding, Standings, payer_control_of, payer_number_of
from projections.answers.denials import cure_of
from projections.answers.restated import VOID, Correction, replaced, voided
from projections.answers.stopped import ON_ANOTHER, PAID_ALREADY, PUT_RIGHT

Instrument = Literal["replace", "void", "void_and_new", "new", "appeal", "refund", "wait"]
_ANSWERED: Final = ("paid", "denied", "reversed")


class Decision(NamedTuple):
    """What becomes of a claim: for how much money, by when, why; and the correction that goes out for it, None where
    none does, or a human has to mend something first."""

    claim: Claim
    state: ClaimStanding
    instrument: Instrument
    cents: int
    by: date | None
    why: str
    correction: Correction | None = None


class Decisions(NamedTuple):
    """What becomes of an episode's claims, and the billable dates that wait for a claim of which they are missing."""

    found: list[Decision]
    waiting: frozenset[int]


def today_of(case: Case, now: datetime) -> date:
    """The date of an instant where the patient is."""
    return date.fromordinal(local_date(now, zone(case.episode.opening[1].zone)))


def decide_claims(case: Case, stopped: Mapping[int, str], today: date) -> Decisions:
    """What becomes of the claims of a judged episode on a day, in the order they were recorded; ``stopped`` are the
    dates that go on no claim."""
    return _Decider(case, stopped, today).decisions()


class _Decider:
    """One episode's claims, with all that is decided from."""

    def __init__(self, case: Case, stopped: Mapping[int, str], today: date) -> None:
        self._case, self._stopped, self._today = case, stopped, today
        self._days = DaysNow(case)
        self._waiting: set[int] = set()
        self._settled: dict[str, list[SettledDay]] = {}
        for settled in settled_days(case):
            self._settled.setdefault(settled.day.claim, []).append(settled)
        self._standings = Standings(case.episode)

    def decisions(self) -> Decisions:
        every = sorted(self._case.episode.claims.values(), key=_recorded)
        back, told = rejected_claims(self._case.episode), set[int]()
        live = sorted(live_claims(self._case.episode), key=_recorded)
        found = [decision for claim in live for decision in self._of(claim)]
        for claim in every:
            if claim.fact.claim in back and claim.fact.frequency != VOID:
                found += self._turned_back(claim, told)
        found.sort(key=lambda decision: _recorded(decision.claim))
        return Decisions([*found, *self._outside(every, told)], frozenset(self._waiting))

    def _of(self, claim: Claim) -> Iterator[Decision]:
        """What becomes of a live claim; nothing if it is as it should be."""
        state = self._state(claim)
        wrong = self._days.held(claim.fact, self._waiting)
        if not self._is_with_payer(claim, state):  # what is missing on it goes out by itself
            wrong.added = {}
        wrong.added = {on: region for on, region in wrong.added.items() if on <= self._today.toordinal()}
        self._waiting |= wrong.added.keys()
        if wrong.is_ours and not self._can_be_corrected(claim, state):
            why = "it is not answered yet; a correction before that would be lost"
            yield Decision(claim, state, "wait", self._at_stake(claim, wrong), self._windows(claim).filing, why)
        elif wrong.is_ours:
            yield from self._corrected(claim, state, wrong)
        elif state in ("paid", "denied"):
            yield from self._as_paid(claim, state)

    def _state(self, claim: Claim) -> ClaimStanding:
        return self._standings.of(claim.fact.claim)

    def _windows(self, claim: Claim) -> Windows:
        return Windows(self._case.book, claim.fact, self._standings.answers.get(claim.fact.claim, []))

    def _is_with_payer(self, claim: Claim, state: ClaimStanding) -> bool:
        """Whether the payer has it, or what it replaces: a lone claim of a day within would be a duplicate to it."""
        return state in _ANSWERED or payer_number_of(self._case.episode, claim.fact.claim) is not None

    def _can_be_corrected(self, claim: Claim, state: ClaimStanding) -> bool:
        """Whether the payer has it, under a number of its own; a replacement only once it is answered."""
        if state in _ANSWERED:
            return True
        number = payer_control_of(self._case.episode, claim.fact.claim)
        return state == "accepted" and claim.fact.frequency == "1" and number is not None

    def _at_stake(self, claim: Claim, wrong: HeldNow) -> int:
        """What the claim would be worth less what it was paid: both ways, as an amount."""
        settled = self._settled.get(claim.fact.claim, [])
        worth = sum(each.expected_cents or 0 for each in settled if each.expected_cents is not None)
        paid = sum(each.day.paid_cents for each in settled if each.expected_cents is not None)
        if not any(each.day.because for each in settled):  # not answered: what was asked for lost days
            lost = [each for each in settled if each.expected_cents == 0]
            return wrong.added_cents + sum(each.day.charge_cents for each in lost)
        return abs(worth + wrong.added_cents - paid)

    def _corrected(self, claim: Claim, state: ClaimStanding, wrong: HeldNow) -> Iterator[Decision]:
        """A claim that is not as it is known now, and that the payer has."""
        windows, cents = self._windows(claim), self._at_stake(claim, wrong)
        if (shut := self._shut(windows)) is not None:
            yield from self._too_late(claim, state, wrong, shut)
            return
        days = wrong.kept | {*wrong.added}
        if wrong.lost and not days:
            by = windows.correction or windows.refund
            yield self._sent(claim, state, "void", cents, by, "none of its days is billable", days)
        else:
            yield self._sent(claim, state, self._way(windows), cents, windows.correction, wrong.words, days)

    def _way(self, windows: Windows) -> Literal["replace", "void_and_new"]:
        return "void_and_new" if windows.terms and windows.terms.corrections == "void_and_new" else "replace"

    def _shut(self, windows: Windows) -> str | None:
        """Why the payer takes no correction, if it takes none."""
        if windows.terms is not None and windows.terms.corrections == "none":
            return "no correction is taken"
        is_shut = windows.correction is not None and windows.correction < self._today
        return "no correction is taken any more" if is_shut else None

    def _sent(
        self, claim: Claim, state: ClaimStanding, instrument: Literal["replace", "void", "void_and_new"], cents: int,
        by: date | None, why: str, days: set[int],
    ) -> Decision:  # fmt: skip
        """A correction that goes out: nothing stops a day that it asks for, its payer's number and terms are known."""
        stops = {self._stopped[on] for on in days if self._stopped.get(on, "") not in ("", *PUT_RIGHT)}
        if stops:
            by = by or self._windows(claim).filing
            why = f"{why}; but days that it would ask for are stopped ({', '.join(map(_words, sorted(stops)))})"
            return Decision(claim, state, "wait", cents, by, why)
        number = payer_number_of(self._case.episode, claim.fact.claim)
        if number is None or self._windows(claim).terms is None:
            return Decision(claim, state, instrument, cents, by, f"{why}; by hand: its number or terms are not known")
        if instrument == "replace":
            correction = replaced(claim.fact, number, self._billable_to(claim), days)
        else:
            correction = voided(claim.fact, number)
        return Decision(claim, state, instrument, cents, by, why, correction)

    def _billable_to(self, claim: Claim) -> Iterator[Line]:
        return (line for line in pack(self._case) if line.payer == claim.fact.payer)

    def _too_late(self, claim: Claim, state: ClaimStanding, wrong: HeldNow, shut: str) -> Iterator[Decision]:
        """A wrong claim of which no correction is taken: too much goes back; what is missing is appealed."""
        settled, windows = self._settled.get(claim.fact.claim, []), self._windows(claim)
        too_much = sum(each.to_give_back_cents for each in settled)
        missing = wrong.added_cents + sum(each.missing_cents for each in settled)
        if too_much:
            why = f"more was paid than is due, and {shut}"
            yield Decision(claim, state, "refund", too_much, windows.refund, why)
        elif missing and not self._was_done(claim, WrittenOff):
            yield Decision(claim, state, *self._appeal(claim, missing, f"{wrong.words}; {shut}"))

    def _as_paid(self, claim: Claim, state: ClaimStanding) -> Iterator[Decision]:
        """What was answered, nothing of ours having changed."""
        settled = self._settled.get(claim.fact.claim, [])
        too_much = sum(each.to_give_back_cents for each in settled)
        too_little = [each for each in settled if each.missing_cents]
        if too_much:
            why = "the payer paid more than is due"
            yield Decision(claim, state, "refund", too_much, self._windows(claim).refund, why)
        if too_little:
            yield self._too_little(claim, state, too_little)

    def _too_little(self, claim: Claim, state: ClaimStanding, days: Sequence[SettledDay]) -> Decision:
        cents, windows = sum(each.missing_cents for each in days), self._windows(claim)
        cure = cure_of(self._case, claim.fact, days)
        if self._was_done(claim, AppealFiled) or cure.instrument == "appeal":
            return Decision(claim, state, *self._appeal(claim, cents, cure.why))
        if cure.instrument == "wait":
            return Decision(claim, state, "wait", cents, windows.appeal, cure.why)
        if (shut := self._shut(windows)) is not None:
            return Decision(claim, state, *self._appeal(claim, cents, f"{cure.why}; {shut}"))
        if not cure.adds:
            return Decision(claim, state, cure.instrument, cents, windows.correction, f"{cure.why}; by hand")
        on_claim = {on for line in per_diem_lines(claim.fact) for on in span_of(line)}
        return self._sent(claim, state, self._way(windows), cents, windows.correction, cure.why, on_claim)

    def _appeal(self, claim: Claim, cents: int, why: str) -> tuple[Instrument, int, date | None, str]:
        """An appeal, unless one is filed."""
        if self._was_done(claim, AppealFiled):
            return "wait", cents, None, "an appeal is filed"
        return "appeal", cents, self._windows(claim).appeal, why

    def _was_done(self, claim: Claim, kind: type[Settlement]) -> bool:
        """Whether the house did something of a kind about the claim."""
        return any(type(fact) is kind and fact.claim == claim.fact.claim for _, fact in self._case.episode.settled)

    def _turned_back(self, claim: Claim, told: set[int]) -> Iterator[Decision]:
        """A claim that never reached the payer: its days that are on no claim since."""
        days = {on for line in per_diem_lines(claim.fact) for on in span_of(line)} - told
        free = {on: region for on in days if (region := self._free(on)) and region.payer == claim.fact.payer}
        told |= free.keys()
        if free:
            why = "it was turned back and never reached the payer: a new original, without the payer's number"
            yield Decision(claim, "rejected", "new", _worth(free), self._windows(claim).filing, why)

    def _free(self, on: int) -> Region | None:
        """A billable day that goes out on a claim of its own: come, on none, stopped by nothing, waiting for none."""
        is_free = on <= self._today.toordinal() and on not in self._stopped and on not in self._waiting
        return self._days.unclaimed(on) if is_free else None

    def _outside(self, claims: Sequence[Claim], told: set[int]) -> Iterator[Decision]:
        """Free days before the last that was claimed: a new original, told by the newest claim to their payer."""
        free: dict[str, dict[int, Region]] = {}
        for on in sorted(self._days.billable):
            if on < self._days.last_claimed and on not in told and (region := self._free(on)) is not None:
                free.setdefault(str(region.payer), {})[on] = region
        for payer, days in free.items():
            newest = max((claim for claim in claims if claim.fact.payer == payer), key=_recorded, default=None)
            if newest is not None:
                first = min(days)
                terms = days[first].terms
                by = date.fromordinal(first + terms.timely_filing_days) if terms else None
                why = "billable days beside it are on no claim"
                yield Decision(newest, self._state(newest), "new", _worth(days), by, why)


def _worth(days: Mapping[int, Region]) -> int:
    return sum(region.rate_cents or 0 for region in days.values())


def _recorded(claim: Claim) -> int:
    return claim.first.version


_WORDS: Final = {
    ON_ANOTHER: "another claim of the patient's asks for them",
    PAID_ALREADY: "they were paid on a claim that was turned back",
}


def _words(stop: str) -> str:
    return _WORDS.get(stop, f"finding {stop}")
