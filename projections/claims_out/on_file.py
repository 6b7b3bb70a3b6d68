"""A recorded claim as it stands on its file: its lines, and beside them what the ledger and the book say of them.

All that a line asks is in the recorded claim; here are added the diagnoses, who ordered, and under which number and
name it goes. So the same file comes out again, of the ledger at the same position, whatever was recorded since.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import UNSET

from ledger.book import PER_DIEM_CODES, Book, Provider
from ledger.facts.entry import statement_of
from ledger.facts.events import ClaimLine, ClaimSubmitted, TherapyOrdered
from ledger.judge.case import Case
from ledger.judge.claims import diagnoses_for
from ledger.judge.passed import orders_in_force
from ledger.x12.outgoing import (
    MOST_POINTERS,
    Address,
    BilledPayer,
    Biller,
    Insured,
    OutgoingClaim,
    OutgoingLine,
    Prescriber,
)


def claim_on_file(
    case: Case, claim: ClaimSubmitted, book: Book, insured: Insured, payer_number: str = ""
) -> OutgoingClaim:
    """The claim as its file says it."""
    payer = book.payers[claim.payer]
    assert payer.edi is not None, "nothing was missing"
    diagnoses = diagnoses_for(case.episode, claim.lines)
    place = place_on(case, claim.lines[0].from_)
    by = prescriber_on(case, claim.lines[0]) or ""
    numbers = {_text(line.authorization) for line in claim.lines if line.code in PER_DIEM_CODES}
    authorization = numbers.pop() if len(numbers) == 1 else ""
    return OutgoingClaim(
        claim.number_on_claim, claim.frequency, BilledPayer(payer.name, payer.edi.payer_id, payer.edi.claim_filing),
        insured, place, diagnoses,
        tuple(_line(case, line, book, diagnoses, place, by, authorization) for line in claim.lines),
        authorization, payer_number, _named(book, by),
    )  # fmt: skip


def _line(
    case: Case, line: ClaimLine, book: Book, diagnoses: Sequence[str], place: str, by: str, authorization: str
) -> OutgoingLine:
    here, ordered_by, number = place_on(case, line.from_), prescriber_on(case, line) or by, _text(line.authorization)
    on_line = diagnoses_for(case.episode, [line])
    pointers = [place for place, code in enumerate(diagnoses, 1) if code in on_line][:MOST_POINTERS]
    return OutgoingLine(
        _text(line.line), line.code, line.from_, line.to, line.units, line.charge_cents, tuple(pointers),
        () if line.modifiers is UNSET else line.modifiers, "" if here == place else here,
        "" if number == authorization else number, None if ordered_by == by else _named(book, ordered_by),
        _text(line.ndc), None if line.quantity is UNSET else line.quantity, _text(line.unit), _text(line.rx),
    )  # fmt: skip


def _text(value: object) -> str:
    """A text, empty where there is none."""
    return "" if value is UNSET else str(value)


def biller_of(provider: Provider) -> Biller:
    """The house as its files name it."""
    billing = provider.billing
    assert billing is not None, "nothing was missing"
    address = Address(billing.address, billing.city, billing.state, billing.zip)
    return Biller(
        provider.npi, provider.name, provider.taxonomy, billing.tax_id, billing.tax_id_kind, address, billing.contact,
        billing.phone, billing.submitter,
    )  # fmt: skip


def _named(book: Book, npi: str) -> Prescriber | None:
    found = book.prescribers.get(npi)
    return Prescriber(npi, found.last, found.first or "") if found else None


def place_on(case: Case, day: date) -> str:
    """The place of service of a date."""
    one = case.calendar.day(day.toordinal())
    return next((place for place, days in case.places.parts if days & one), case.episode.opening[1].place_of_service)


def provider_on(case: Case, lines: Sequence[ClaimLine]) -> str:
    """Under which NPI the lines go: that of their first date."""
    one = case.calendar.day(lines[0].from_.toordinal())
    return next((npi for npi, days in case.providers.parts if days & one), case.episode.opening[1].provider)


def member_on(case: Case, payer: str, lines: Sequence[ClaimLine]) -> str:
    """Under which number of the payer's the lines go: that of the first of their dates that has one; where coverage
    ended since (a void), the number told last."""
    for line in lines:
        for day in range(line.from_.toordinal(), line.to.toordinal() + 1):
            one = case.calendar.day(day)
            for member, days in case.members.parts:
                if days & one:
                    return member
    return next((told.fact.member for told in reversed(case.episode.coverage) if told.fact.payer == payer), "")


def prescriber_on(case: Case, line: ClaimLine) -> str | None:
    """Who ordered what a line asks for: by the order in force on its first date that has one, recorded last."""
    for day in range(line.from_.toordinal(), line.to.toordinal() + 1):
        for entry in reversed(orders_in_force(case, day) if case.calendar.day(day) else ()):
            fact = statement_of(entry)
            assert isinstance(fact, TherapyOrdered)
            return fact.prescriber
    return None
