"""A claim held against the days as they are known now: what of it stands, what is gone, what is missing on it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from msgspec import UNSET, Struct

from ledger.book import PER_DIEM_CODES
from ledger.facts.events import ClaimLine, ClaimSubmitted
from ledger.judge.case import Case, Region
from ledger.judge.claims import claimed_lines, diagnoses_for
from ledger.judge.episode import Episode
from ledger.judge.regions import regions


class HeldNow(Struct):
    """How a claim's days differ from what is known now: the dates that are kept, lost, missing on it (``added``), and
    those whose units, authorization or modifiers are others (``changed``); and whether its diagnoses are."""

    kept: set[int]
    lost: set[int]
    changed: set[int]
    added: dict[int, Region]
    other_diagnoses: bool = False

    @property
    def is_ours(self) -> bool:
        """Whether something of ours changed."""
        return bool(self.lost or self.changed or self.added or self.other_diagnoses)

    @property
    def added_cents(self) -> int:
        """What the days pay that are missing on it."""
        return sum(region.rate_cents or 0 for region in self.added.values())

    @property
    def dates(self) -> list[int]:
        """The dates that differ; of other diagnoses all that are kept."""
        return sorted(self.lost | self.changed | {*self.added} | (self.kept if self.other_diagnoses else set()))

    @property
    def words(self) -> str:
        """What changed, in words."""
        said = (
            (self.lost, "claimed days are not billable as claimed"),
            (self.added, "billable days inside its span are not on it"),
            (self.changed, "claimed days have other units, authorizations or modifiers"),
        )
        counted = [f"{len(dates)} {word}" for dates, word in said if dates]
        return "; ".join([*counted, *(["its diagnoses are others"] if self.other_diagnoses else [])])


class DaysNow:
    """The billable days of one judged episode, and the dates that its live claims ask for."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.billable: dict[int, Region] = {
            on: region for region in regions(case) if region.is_billable for on in case.calendar.dates(region.days)
        }
        lines = [line for line in claimed_lines(case.episode) if line.is_per_diem]
        self._claimed = {on for line in lines for on in range(line.from_, line.to + 1)}
        self.last_claimed = max((line.to for line in lines), default=0)

    def unclaimed(self, on: int) -> Region | None:
        """The billable day of a date that no live claim asks for."""
        return None if on in self._claimed else self.billable.get(on)

    def held(self, fact: ClaimSubmitted, elsewhere: Collection[int] = ()) -> HeldNow:
        """A claim beside the days as they are now; dates that are missing ``elsewhere`` are not missing here."""
        found = HeldNow(set(), set(), set(), {}, has_other_diagnoses(self._case.episode, fact))
        for line in per_diem_lines(fact):
            self._hold(line, fact.payer, found)
        dates = found.kept | found.lost
        for on in range(min(dates, default=0), max(dates, default=-1) + 1):
            region = self.unclaimed(on)
            if region is not None and on not in elsewhere and region.payer == fact.payer:
                found.added[on] = region
        return found

    def _hold(self, line: ClaimLine, payer: str, found: HeldNow) -> None:
        span = span_of(line)
        if line.units != len(span):
            found.changed.update(span)
        modifiers = () if line.modifiers is UNSET else line.modifiers
        for on in span:
            region = self.billable.get(on)
            if region is None or (region.code, region.payer) != (line.code, payer):
                found.lost.add(on)
                continue
            drawn = self._case.drawn.get(on)
            is_other = line.authorization is not UNSET and line.authorization != (drawn.number if drawn else None)
            found.kept.add(on)
            if is_other or sorted(modifiers) != sorted(region.modifiers):
                found.changed.add(on)


def has_other_diagnoses(episode: Episode, fact: ClaimSubmitted) -> bool:
    """Whether a claim tells its diagnoses, and others are in force on its dates now."""
    if fact.diagnoses is UNSET:
        return False
    told = {code.replace(".", "") for code in fact.diagnoses}
    return told != {*diagnoses_for(episode, fact.lines)}


def per_diem_lines(fact: ClaimSubmitted) -> Iterator[ClaimLine]:
    """The lines of a claim that ask for days of S9325-S9328."""
    return (line for line in fact.lines if line.code in PER_DIEM_CODES)


def span_of(line: ClaimLine) -> range:
    """The dates of a line."""
    return range(line.from_.toordinal(), line.to.toordinal() + 1)
