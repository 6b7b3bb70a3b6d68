"""Every fact and act of the ledger (rulebook section 2), one frozen struct each.

The struct is the parser, the validator, the stored shape, the JSON schema and the reference page at once. An optional
field without a default is ``UNSET`` when absent; ``null`` is never a value, except for ``ConflictResolved.bill``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, Union

from msgspec import UNSET, Meta, Struct, UnsetType, field
from msgspec.structs import force_setattr

from ledger.facts.billing import (
    AppealFiled,
    ClaimAcknowledged,
    DrugAdministered,
    DrugUnit,
    PatientIdentified,
    RefundSent,
    RemittancePosted,
    SubscriberIdentified,
    WrittenOff,
)
from ledger.facts.forms import (
    AtLeastOne,
    Cents,
    DaysSupply,
    EarlyDate,
    FreeText,
    GroupNumber,
    Hcpcs,
    Icd10,
    Instant,
    InstantOrDate,
    IntervalHours,
    Modifiers,
    Name,
    Ndc,
    Npi,
    PainScore,
    Quantity,
    Rank,
    ServiceDate,
    Target,
    Text,
    Units,
    Zone,
    as_stored_at,
)
from ledger.facts.stated import Stated

Mode = Literal["continuous", "intermittent", "implanted_pump", "unspecified"]


class EpisodeOpened(Stated, tag="EpisodeOpened", frozen=True):
    """The first entry of every episode, once: whose it is, who provides it, and where the days are counted."""

    patient: Name
    provider: Npi
    zone: Zone
    place_of_service: Text = "12"


class EpisodeVoided(Stated, tag="EpisodeVoided", frozen=True):
    """The episode was opened in error: while this is live it has no days, and nothing in it counts but its claims."""

    reason: FreeText


class ProviderChanged(Stated, tag="ProviderChanged", frozen=True):
    """From that date on the episode goes on under this NPI."""

    provider: Npi
    from_: ServiceDate = field(name="from")


class CoverageVerified(Stated, tag="CoverageVerified", frozen=True):
    """The payer covers the patient from..to; rank 1 is primary."""

    payer: Name
    member: Name
    from_: EarlyDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET
    rank: Rank = 1
    group: GroupNumber | UnsetType = UNSET


class CoverageEnded(Stated, tag="CoverageEnded", frozen=True):
    """Spells of this payer that begin on or before ``last_date`` end on it at the latest."""

    payer: Name
    last_date: ServiceDate


class TherapyOrdered(Stated, tag="TherapyOrdered", frozen=True):
    """A physician's order; ``interval_hours`` is the spacing of doses."""

    order: Name
    mode: Annotated[Mode, Meta(description="continuous, intermittent, implanted_pump or unspecified")]
    from_: ServiceDate = field(name="from")
    prescriber: Npi
    to: ServiceDate | UnsetType = UNSET
    interval_hours: IntervalHours = 24
    signed_on: ServiceDate | UnsetType = UNSET
    drug: Text | UnsetType = UNSET
    route: Text | UnsetType = UNSET


class TherapyStopped(Stated, tag="TherapyStopped", frozen=True):
    """A permanent stop; ``date`` is the order's last date."""

    order: Name
    date: ServiceDate
    reason: FreeText | UnsetType = UNSET


class DayServed(Stated, tag="DayServed", frozen=True):
    """Therapy was in place that date; ``infused`` false: available, nothing infused."""

    order: Name
    date: ServiceDate
    infused: Annotated[bool, Meta(description="true or false")] = True
    place_of_service: Text | UnsetType = UNSET


class DaysServed(Stated, tag="DaysServed", frozen=True):
    """The same as a ``DayServed`` on each date from..to: a confirmed delivery ticket, or a patient's log (infused)."""

    order: Name
    from_: ServiceDate = field(name="from")
    to: ServiceDate
    infused: Annotated[bool, Meta(description="true or false")] = False
    place_of_service: Text | UnsetType = UNSET


class InfusionLogged(Stated, tag="InfusionLogged", frozen=True):
    """A pump's log of one run."""

    order: Name
    started_at: Instant
    stopped_at: Instant


class NursingVisited(Stated, tag="NursingVisited", frozen=True):
    """A nurse's visit: billed apart, evidence of service only where the payer says so."""

    date: ServiceDate
    started_at: Instant | UnsetType = UNSET
    stopped_at: Instant | UnsetType = UNSET
    credential: Text | UnsetType = UNSET


class SupplyDispensed(Stated, tag="SupplyDispensed", frozen=True):
    """A supply inside the per diem: never makes a day, never a claim line."""

    date: ServiceDate
    item: Text
    quantity: Quantity
    hcpcs: Hcpcs | UnsetType = UNSET
    days_supply: DaysSupply | UnsetType = UNSET


class DrugDispensed(Stated, tag="DrugDispensed", frozen=True):
    """A drug left the pharmacy; dispensed is not administered."""

    date: ServiceDate
    ndc: Ndc
    quantity: Quantity
    unit: DrugUnit
    rx: Name | UnsetType = UNSET
    days_supply: DaysSupply | UnsetType = UNSET


class DrugBilledSeparately(Stated, tag="DrugBilledSeparately", frozen=True):
    """A drug billed under its own code on from..to (absent ``to``: the one date)."""

    hcpcs: Hcpcs
    units: Quantity
    from_: ServiceDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET
    ndc: Ndc | UnsetType = UNSET
    claim: Name | UnsetType = UNSET


class ServiceBilledSeparately(Stated, tag="ServiceBilledSeparately", frozen=True):
    """Another code billed for the patient on from..to (absent ``to``: the one date); a per diem must be another's."""

    code: Hcpcs
    from_: ServiceDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET
    units: Quantity = Decimal(1)
    billed_by: Npi | UnsetType = UNSET


class _Hospital(Stated, frozen=True):
    stay: Name
    at: InstantOrDate

    def __post_init__(self) -> None:
        """However an instant was written or stored, it has one text; ValueError for what is none."""
        if (at := as_stored_at(self.at)) != self.at:
            force_setattr(self, "at", at)


class HospitalAdmitted(_Hospital, tag="HospitalAdmitted", frozen=True):
    """The patient went into hospital; without a discharge the stay is open."""


class HospitalDischarged(_Hospital, tag="HospitalDischarged", frozen=True):
    """The patient came home from that stay."""


class FacilityStayed(Stated, tag="FacilityStayed", frozen=True):
    """The patient was in a skilled nursing facility or nursing home."""

    kind: Annotated[Literal["snf", "nursing_home"], Meta(description="snf or nursing_home")]
    from_: ServiceDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET


class HospiceElected(Stated, tag="HospiceElected", frozen=True):
    """The patient elected hospice."""

    from_: ServiceDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET


class TherapyHeld(Stated, tag="TherapyHeld", frozen=True):
    """Therapy is held from ``from`` until it is resumed."""

    hold: Name
    from_: ServiceDate = field(name="from")
    reason: FreeText | UnsetType = UNSET


class TherapyResumed(Stated, tag="TherapyResumed", frozen=True):
    """Therapy is resumed on ``date``, which is no held date."""

    hold: Name
    date: ServiceDate


class TherapyRanked(Stated, tag="TherapyRanked", frozen=True):
    """Several infusion therapies run at once, and pain is the first, second, … of them on these dates."""

    rank: Rank
    from_: ServiceDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET


class PatientDied(Stated, tag="PatientDied", frozen=True):
    """The patient died on ``date``."""

    date: ServiceDate


class Discharged(Stated, tag="Discharged", frozen=True):
    """The end of the episode; ``date`` is its last date."""

    date: ServiceDate
    reason: FreeText | UnsetType = UNSET


class DiagnosisRecorded(Stated, tag="DiagnosisRecorded", frozen=True):
    """A diagnosis in force from..to."""

    icd10: Icd10
    from_: EarlyDate = field(name="from")
    to: ServiceDate | UnsetType = UNSET


class PlanSigned(Stated, tag="PlanSigned", frozen=True):
    """A plan of treatment for from..to; a recertification is another one."""

    plan: Name
    signed_on: ServiceDate
    from_: ServiceDate = field(name="from")
    to: ServiceDate


class PainAssessed(Stated, tag="PainAssessed", frozen=True):
    """A pain assessment with a score from 0 to 10."""

    date: ServiceDate
    score: PainScore
    tool: Text | UnsetType = UNSET


class ResponseNoted(Stated, tag="ResponseNoted", frozen=True):
    """How the patient responded."""

    date: ServiceDate
    note: FreeText | UnsetType = UNSET


class CoordinationNoted(Stated, tag="CoordinationNoted", frozen=True):
    """Care was coordinated."""

    date: ServiceDate
    note: FreeText | UnsetType = UNSET


class AuthorizationGranted(Stated, tag="AuthorizationGranted", frozen=True):
    """A prior authorization; one unit is one day."""

    number: Name
    payer: Name
    codes: Annotated[tuple[Hcpcs, ...], Meta(min_length=1, description="a list of one or more codes")]
    units: AtLeastOne
    from_: ServiceDate = field(name="from")
    to: ServiceDate


class ClaimLine(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """One line of a submitted claim."""

    code: Hcpcs
    from_: ServiceDate = field(name="from")
    to: ServiceDate
    units: Units
    charge_cents: Cents
    modifiers: Modifiers | UnsetType = UNSET
    authorization: Name | UnsetType = UNSET
    line: Name | UnsetType = UNSET
    ndc: Ndc | UnsetType = UNSET
    quantity: Quantity | UnsetType = UNSET
    unit: DrugUnit | UnsetType = UNSET
    rx: Name | UnsetType = UNSET


class ClaimSubmitted(Stated, tag="ClaimSubmitted", frozen=True):
    """What left the house, whoever sent it: frequency 1 original, 7 replacement, 8 void.

    ``control`` is the number that stands on it, if that is not its own: a replacement carries that of its original.
    ``diagnoses`` are those it names; of a claim that does not tell them it cannot be said whether they are others now.
    """

    claim: Name
    payer: Name
    frequency: Annotated[Literal["1", "7", "8"], Meta(description='"1", "7" or "8"')]
    lines: Annotated[tuple[ClaimLine, ...], Meta(min_length=1, description="a list of 1 to 50 claim lines")]
    replaces: Name | UnsetType = UNSET
    sent_on: ServiceDate | UnsetType = UNSET
    control: Name | UnsetType = UNSET
    batch: Name | UnsetType = UNSET
    diagnoses: Annotated[tuple[Icd10, ...], Meta(description="a list of ICD-10-CM codes")] | UnsetType = UNSET

    def __post_init__(self) -> None:
        """A number that is the claim's own goes without saying, so that both ways of telling it are one content."""
        if self.control == self.claim:
            force_setattr(self, "control", UNSET)

    @property
    def number_on_claim(self) -> str:
        """The number that stands on the claim, and comes back with every answer to it."""
        return self.claim if self.control is UNSET else self.control


class ConflictResolved(Stated, tag="ConflictResolved", frozen=True):
    """A human decided: bill this code on this date in this episode, or (null) nothing."""

    date: ServiceDate
    bill: Hcpcs | None
    reason: FreeText


class FactRetracted(Stated, tag="FactRetracted", frozen=True):
    """The target never happened."""

    target_source: Target
    target_id: Target
    reason: FreeText


Act = Union[ClaimSubmitted, ConflictResolved, AppealFiled, RefundSent, WrittenOff]
Fact = Union[
    EpisodeOpened,
    CoverageVerified,
    CoverageEnded,
    TherapyOrdered,
    TherapyStopped,
    EpisodeVoided,
    ProviderChanged,
    DayServed,
    DaysServed,
    InfusionLogged,
    NursingVisited,
    SupplyDispensed,
    DrugDispensed,
    DrugBilledSeparately,
    ServiceBilledSeparately,
    HospitalAdmitted,
    HospitalDischarged,
    FacilityStayed,
    HospiceElected,
    TherapyHeld,
    TherapyResumed,
    TherapyRanked,
    PatientDied,
    Discharged,
    DiagnosisRecorded,
    PlanSigned,
    PainAssessed,
    ResponseNoted,
    CoordinationNoted,
    AuthorizationGranted,
    PatientIdentified,
    SubscriberIdentified,
    DrugAdministered,
    ClaimAcknowledged,
    RemittancePosted,
]
Statement = Union[Fact, Act]
"""What can stand in for a corrected entry: anything but a retraction or a correction."""


class FactCorrected(Stated, tag="FactCorrected", frozen=True):
    """The target was wrong, ``fact`` is right."""

    target_source: Target
    target_id: Target
    reason: FreeText
    fact: Statement


Correction = Union[FactRetracted, FactCorrected]
Event = Union[Statement, Correction]
