"""What goes on an 837P file: who sends it, to whom, whose claims they are, and their lines."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from msgspec import Struct

MOST_LINES: Final = 50
MOST_DIAGNOSES: Final = 12
MOST_POINTERS: Final = 4
LONGEST_CONTROL: Final = 15
"""Payers cut a control number at so many characters."""


class Address(Struct, frozen=True, gc=False):
    """Where somebody lives, or the house bills from."""

    street: str
    city: str
    state: str
    zip: str
    street2: str = ""


class Biller(Struct, frozen=True, gc=False):
    """The house, as a claim names it: submitter and billing provider."""

    npi: str
    name: str
    taxonomy: str
    tax_id: str
    tax_id_kind: str
    address: Address
    contact: str
    phone: str
    submitter: str


class Receiver(Struct, frozen=True, gc=False):
    """Who takes the file: the payer, or the clearinghouse before it."""

    id: str
    name: str


class BilledPayer(Struct, frozen=True, gc=False):
    """The payer that a claim asks."""

    name: str
    payer_id: str
    claim_filing: str


class Person(Struct, frozen=True, gc=False):
    """The patient, or the subscriber whose plan covers them. Written into the file and shown nowhere else."""

    last: str
    first: str
    middle: str
    birth_date: date
    sex: str
    address: Address


class Insured(Struct, frozen=True, gc=False):
    """Under whose plan and number a claim goes; with a ``relationship`` it is not the patient's own plan."""

    member: str
    person: Person
    rank: int = 1
    group: str = ""
    relationship: str = ""
    patient: Person | None = None


class Prescriber(Struct, frozen=True, gc=False):
    """Who ordered the therapy."""

    npi: str
    last: str
    first: str


class OutgoingLine(Struct, frozen=True, gc=False):
    """One service line. ``authorization`` and ``ordered_by`` are there only where they differ from the claim's."""

    number: str
    code: str
    from_: date
    to: date
    units: Decimal | int
    charge_cents: int
    pointers: tuple[int, ...]
    modifiers: tuple[str, ...] = ()
    place: str = ""
    authorization: str = ""
    ordered_by: Prescriber | None = None
    ndc: str = ""
    quantity: Decimal | None = None
    unit: str = ""
    rx: str = ""


class OutgoingClaim(Struct, frozen=True, gc=False):
    """One claim: one payer, one episode. ``payer_number`` is the payer's own of the claim that it replaces or voids."""

    control: str
    frequency: str
    payer: BilledPayer
    insured: Insured
    place: str
    diagnoses: tuple[str, ...]
    lines: tuple[OutgoingLine, ...]
    authorization: str = ""
    payer_number: str = ""
    ordered_by: Prescriber | None = None

    @property
    def charge_cents(self) -> int:
        """What the claim asks."""
        return sum(line.charge_cents for line in self.lines)


class OutgoingFile(Struct, frozen=True, gc=False):
    """One interchange with one transaction. The number is the ledger's: of the same number come the same bytes."""

    number: int
    written_at: datetime
    usage: str
    biller: Biller
    receiver: Receiver
    claims: tuple[OutgoingClaim, ...]
