"""A claim held against the days as they are known now: what of it stands, what is gone, what is missing on it."""

from __future__ import annotations

from msgspec import UNSET, Struct

from ledger.book import PER_DIEM_CODES
from ledger.facts.events import ClaimLine, ClaimSubmitted
from ledger.judge.case import Case, Region
from ledger.judge.claims import claimed_lines
from ledger.judge.regions import regions


class HeldNow(Struct):
    """How a claim's days differ from what is known now; ``changed`` counts units, authorizations and modifiers."""

    kept: int = 0
    lost: int = 0
    changed: int = 0
    added: int = 0
    added_cents: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether something of ours changed."""
        return bool(self.lost or self.changed or self.added)

    @property
    def words(self) -> str:
        """What changed, in words."""
        said = (
            (self.lost, "claimed days are not billable as claimed"),
            (self.added, "billable days inside its span are not on it"),
            (self.changed, "units, authorizations or modifiers are others"),
        )
        return "; ".join(f"{count} {word}" for count, word in said if count)


class DaysNow:
    """The billable days of one judged episode, and which of them stand on a live claim."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.billable: dict[int, Region] = {
            on: region for region in regions(case) if region.is_billable for on in case.calendar.dates(region.days)
        }
        lines = [line for line in claimed_lines(case.episode) if line.is_per_diem]
        self._claimed = {(on, line.code, line.payer) for line in lines for on in range(line.from_, line.to + 1)}
        self.last_claimed = max((line.to for line in lines), default=0)

    def unclaimed(self, on: int) -> Region | None:
        """The billable day of a date, if it is on no live claim."""
        region = self.billable.get(on)
        return None if region is None or (on, region.code, region.payer) in self._claimed else region

    def held(self, fact: ClaimSubmitted) -> HeldNow:
        """A claim's per-diem lines beside the days as they are now."""
        found, dates = HeldNow(), set[int]()
        for line in fact.lines:
            if line.code in PER_DIEM_CODES:
                dates.update(span_of(line))
                self._hold(line, fact.payer, found)
        for on in range(min(dates, default=0), max(dates, default=-1) + 1):
            region = self.unclaimed(on)
            if region is not None and on not in dates and region.payer == fact.payer:
                found.added += 1
                found.added_cents += region.rate_cents or 0
        return found

    def _hold(self, line: ClaimLine, payer: str, found: HeldNow) -> None:
        span = span_of(line)
        found.changed += line.units != len(span)
        modifiers = () if line.modifiers is UNSET else line.modifiers
        for on in span:
            region = self.billable.get(on)
            if region is None or (region.code, region.payer) != (line.code, payer):
                found.lost += 1
                continue
            drawn = self._case.drawn.get(on)
            found.kept += 1
            found.changed += line.authorization is not UNSET and line.authorization != (drawn.number if drawn else None)
            found.changed += sorted(modifiers) != sorted(region.modifiers)


def span_of(line: ClaimLine) -> range:
    """The dates of a line."""
    return range(line.from_.toordinal(), line.to.toordinal() + 1)
