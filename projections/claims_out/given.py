"""What was given apart from the per diem and is asked for beside it: drugs under their codes, nurses' visits by time.

A drug or a visit is asked for where a day that it touches is billable, of the payer of that day, and once: not where a
live claim has it already, nor where it was told as billed separately.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal, NamedTuple

from msgspec import UNSET

from ledger.book import Book, Terms
from ledger.facts.billing import DrugAdministered
from ledger.facts.entry import Entry
from ledger.facts.events import ClaimLine, NursingVisited
from ledger.facts.liveness import live_entries
from ledger.judge.case import Case
from ledger.judge.claims import live_claims

VISIT: Final = "99601"
FURTHER_HOUR: Final = "99602"
_VISIT_MINUTES: Final = 120
"""How much of a visit its first code holds."""
_HOUR_MINUTES: Final = 60
_PLACES: Final = Decimal("0.001")
"""How exactly units are told."""

Kind = Literal["drug", "visit"]


class Given(NamedTuple):
    """Something that was given, as the lines that ask for it; ``mode`` is the terms' word for where they go."""

    kind: Kind
    first: date
    last: date
    mode: str
    lines: tuple[ClaimLine, ...]
    missing: tuple[str, ...]


def given_in(case: Case, entries: Sequence[Entry], book: Book) -> Iterator[Given]:
    """Every drug and visit of an episode that its terms let ask for and that nobody asked for yet."""
    asked = _asked(case)
    for live in live_entries(entries):
        if isinstance(live.fact, DrugAdministered):
            yield from _drug(case, live.fact, book, asked)
        elif isinstance(live.fact, NursingVisited):
            yield from _visit(case, live.fact, book, asked)


Asked = Counter[tuple[str, date, date]]
"""How often something stands on live claims, or was told as billed separately, by NDC or code and its dates."""


def _asked(case: Case) -> Asked:
    asked: Asked = Counter()
    for claim in live_claims(case.episode):
        for line in claim.fact.lines:
            what = line.code if line.ndc is UNSET else line.ndc
            asked[what, line.from_, line.to] += 1
    for billed in case.episode.billed:
        ndc = getattr(billed.entry.fact, "ndc", UNSET)
        what = billed.code if ndc is UNSET else ndc
        asked[what, date.fromordinal(billed.from_), date.fromordinal(billed.to)] += 1
    return asked


def _is_asked(asked: Asked, what: str, first: date, last: date) -> bool:
    """Whether one of them is asked for already, which then stands for this one."""
    if asked[what, first, last]:
        asked[what, first, last] -= 1
        return True
    return False


def _terms(case: Case, day: date, book: Book) -> tuple[str, Terms] | None:
    """The payer and terms of a date; of one that is no day of the episode, of the first coverage that has terms."""
    if regime := case.regime_on(day.toordinal()):
        return regime.payer, regime.terms
    for spell in case.spells:
        terms = book.terms_on(spell.payer, day) if spell.from_ <= day.toordinal() <= spell.to else None
        if terms is not None:
            return spell.payer, terms
    return None


def _drug(case: Case, drug: DrugAdministered, book: Book, asked: Asked) -> Iterator[Given]:
    first, last = drug.from_, drug.from_ if drug.to is UNSET else drug.to
    found = _terms(case, first, book)
    if found is None or found[1].drug_lines == "none" or _is_asked(asked, drug.ndc, first, last):
        return
    payer, terms = found
    listed = book.drug_on(drug.ndc, first)
    missing = [] if listed else [f"drugs.toml: NDC {drug.ndc} on {first}"]
    code = listed.hcpcs if listed else ""
    if listed and code not in terms.charge_cents:
        missing.append(f"charge_cents of {code} in the terms of {payer}")
    if missing or listed is None:
        yield Given("drug", first, last, terms.drug_lines, (), tuple(missing))
        return
    units = (drug.quantity * listed.units_in_one).quantize(_PLACES, ROUND_HALF_UP).normalize()
    charge = int((units * terms.charge_cents[code]).quantize(Decimal(1), ROUND_HALF_UP))
    line = ClaimLine(
        code, first, last, _plain(units), charge, ndc=drug.ndc, quantity=drug.quantity, unit=drug.unit, rx=drug.rx
    )
    yield Given("drug", first, last, terms.drug_lines, (line,), ())


def _plain(units: Decimal) -> int | Decimal:
    """Whole units as an integer, others without an exponent."""
    return int(units) if units == units.to_integral_value() else units


def _visit(case: Case, visit: NursingVisited, book: Book, asked: Asked) -> Iterator[Given]:
    on = visit.date
    found = _terms(case, on, book)
    if found is None or found[1].nursing_lines == "none" or not _may_visit(visit, found[1]):
        return
    if _is_asked(asked, VISIT, on, on):
        return
    payer, terms = found
    hours = further_hours(visit, terms.nursing_round_minutes)
    codes = [VISIT] + [FURTHER_HOUR] * bool(hours)
    unpriced = [code for code in codes if code not in terms.charge_cents]
    missing = tuple(f"charge_cents of {code} in the terms of {payer}" for code in unpriced)
    lines = tuple(
        ClaimLine(code, on, on, units, units * terms.charge_cents[code])
        for code, units in zip(codes, (1, hours), strict=False)
        if not missing
    )
    yield Given("visit", on, on, terms.nursing_lines, lines, missing)


def _may_visit(visit: NursingVisited, terms: Terms) -> bool:
    """Whether the payer pays for visits of somebody so trained; without a list, for every visit."""
    return not terms.nursing_credentials or visit.credential in terms.nursing_credentials


def further_hours(visit: NursingVisited, round_minutes: int) -> int:
    """The hours after the first two, a last part counted from so many minutes on; none without both times."""
    if not (isinstance(visit.started_at, datetime) and isinstance(visit.stopped_at, datetime)):
        return 0
    minutes = int((visit.stopped_at - visit.started_at).total_seconds() // 60) - _VISIT_MINUTES
    return max(0, (minutes + _HOUR_MINUTES - round_minutes) // _HOUR_MINUTES)
