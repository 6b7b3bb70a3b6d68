"""What claims need beside the care, and what comes back for them: the facts and acts of claims.md section 2.

Whose name stands on a claim, what was given, what a clearinghouse and a payer answered, and what the house did about
it. What a payer says is recorded however inconvenient: so of an answer little is asked but that it can be read.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from ledger.facts.forms import (
    AnswerCode,
    AnyCents,
    AnyQuantity,
    City,
    EarlyDate,
    FreeText,
    GroupNumber,
    Name,
    Ndc,
    PersonLine,
    Quantity,
    ServiceDate,
    State,
    Text,
    Zip,
)
from ledger.facts.stated import Stated

DrugUnit = Annotated[Literal["F2", "GR", "ME", "ML", "UN"], Meta(description="F2, GR, ME, ML or UN")]
Sex = Annotated[Literal["F", "M", "U"], Meta(description="F, M or U")]
Relationship = Annotated[
    Literal["01", "19", "20", "21", "39", "40", "53", "G8"],
    Meta(description="what the patient is to the subscriber: 01, 19, 20, 21, 39, 40, 53 or G8"),
]


class PatientIdentified(Stated, tag="PatientIdentified", frozen=True):
    """Who the patient is, for the claim alone; the one recorded last counts in every episode of the patient."""

    last: PersonLine
    birth_date: EarlyDate
    sex: Sex
    address: PersonLine
    city: City
    state: State
    zip: Zip
    first: PersonLine | UnsetType = UNSET
    middle: PersonLine | UnsetType = UNSET
    address2: PersonLine | UnsetType = UNSET
    from_: EarlyDate | UnsetType = field(name="from", default=UNSET)


class SubscriberIdentified(Stated, tag="SubscriberIdentified", frozen=True):
    """Whose insurance with this payer it is; without one the patient is the subscriber."""

    payer: Name
    relationship: Relationship
    last: PersonLine
    birth_date: EarlyDate
    sex: Sex
    address: PersonLine
    city: City
    state: State
    zip: Zip
    first: PersonLine | UnsetType = UNSET
    middle: PersonLine | UnsetType = UNSET
    address2: PersonLine | UnsetType = UNSET
    group: GroupNumber | UnsetType = UNSET
    from_: EarlyDate | UnsetType = field(name="from", default=UNSET)


Identity = PatientIdentified | SubscriberIdentified
IDENTITY: Final = (PatientIdentified, SubscriberIdentified)
"""The facts that say who somebody is: only the making of a claim's file looks into them, and nothing shows them."""


class DrugAdministered(Stated, tag="DrugAdministered", frozen=True):
    """A drug was given from..to: billed by its code, in units that the book's ``drugs.toml`` counts."""

    from_: ServiceDate = field(name="from")
    ndc: Ndc
    quantity: Quantity
    unit: DrugUnit
    order: Name | UnsetType = UNSET
    to: ServiceDate | UnsetType = UNSET
    rx: Name | UnsetType = UNSET
    wasted: Quantity | UnsetType = UNSET


class ClaimAcknowledged(Stated, tag="ClaimAcknowledged", frozen=True):
    """A clearinghouse or payer took a claim in or turned it back, before anybody looked at what it is worth."""

    claim: Name
    payer: Name
    kind: Annotated[Literal["TA1", "999", "277CA"], Meta(description="TA1, 999 or 277CA")]
    status: Annotated[Literal["accepted", "received", "rejected"], Meta(description="accepted, received or rejected")]
    date: ServiceDate
    codes: Annotated[tuple[Text, ...], Meta(description="a list of codes as they were sent, or an empty one")]
    payer_control: Name | UnsetType = UNSET
    clearinghouse_control: Name | UnsetType = UNSET


class Adjustment(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Why a payer pays another amount than was asked: group, reason code, and how much of it."""

    group: AnswerCode
    code: AnswerCode
    cents: AnyCents
    units: AnyQuantity | UnsetType = UNSET


Adjustments = Annotated[tuple[Adjustment, ...], Meta(description="a list of adjustments")]
Remarks = Annotated[tuple[AnswerCode, ...], Meta(description="a list of remark codes")]


class PaidLine(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """One line of a claim as a payer answered it; ``line`` is our own number of it, if it came back."""

    code: Text
    charge_cents: AnyCents
    paid_cents: AnyCents
    units: AnyQuantity
    modifiers: tuple[Text, ...] | UnsetType = UNSET
    billed_units: AnyQuantity | UnsetType = UNSET
    billed_code: Text | UnsetType = UNSET
    from_: ServiceDate | UnsetType = field(name="from", default=UNSET)
    to: ServiceDate | UnsetType = UNSET
    line: Name | UnsetType = UNSET
    allowed_cents: AnyCents | UnsetType = UNSET
    adjustments: Adjustments = ()
    remarks: Remarks = ()


class RemittancePosted(Stated, tag="RemittancePosted", frozen=True, omit_defaults=True):
    """A payer answered a claim with money, or with the reason for none; ``status`` 22 takes an answer back."""

    claim: Name
    payer: Name
    payment: Name
    paid_on: ServiceDate
    status: AnswerCode
    charge_cents: AnyCents
    paid_cents: AnyCents
    payer_control: Name | UnsetType = UNSET
    patient_cents: AnyCents | UnsetType = UNSET
    adjustments: Adjustments = ()
    remarks: Remarks = ()
    lines: Annotated[tuple[PaidLine, ...], Meta(description="a list of the claim's lines as they were answered")] = ()


class _Settled(Stated, frozen=True):
    claim: Name
    cents: AnyCents
    date: ServiceDate
    reason: FreeText
    dates: Annotated[tuple[ServiceDate, ...], Meta(description="a list of service dates")] | UnsetType = UNSET


class AppealFiled(_Settled, tag="AppealFiled", frozen=True):
    """The house asked the payer to think again, for these dates or the whole claim."""


class RefundSent(_Settled, tag="RefundSent", frozen=True):
    """The house gave money back for a claim."""


class WrittenOff(_Settled, tag="WrittenOff", frozen=True):
    """The house gives up money of a claim."""


Settlement = AppealFiled | RefundSent | WrittenOff
"""What the house did about money that was not paid, or paid too much."""
