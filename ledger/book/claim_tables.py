"""The tables of the book that claims alone need, one struct each: what a file says of the house and reaches a payer
by, who orders therapy, how drugs are billed, and what the reasons of payers mean."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from msgspec import Struct, field

from ledger.book.values import BookNpi, Name, form_of
from ledger.facts.forms import Hcpcs, Ndc, State, check_city, check_person_line


def _matches(pattern: str) -> Callable[[Any], Any]:
    whole = re.compile(pattern)

    def check(value: Any) -> Any:
        if not whole.fullmatch(value):
            raise ValueError
        return value

    return check


def _digits(count: int) -> Callable[[Any], Any]:
    return _matches(rf"[0-9]{{{count}}}")


_check_edi_id = _matches(r"[A-Z0-9](?:[A-Z0-9 .&/-]{0,13}[A-Z0-9])")
_check_reason_code = _matches(r"[A-Z0-9]{1,5}")
_filing = _matches(r"[A-Z0-9]{1,2}")


def _check_units_per(value: Any) -> Any:
    number = _matches(r"(?:0|[1-9][0-9]{0,6})(?:\.[0-9]{1,6})?")(value)
    if not Decimal(number):
        raise ValueError
    return value


EdiId = Annotated[str, form_of("an id of 2 to 15 characters as it stands in a file of claims", _check_edi_id)]
FilingCode = Annotated[str, form_of("the claim filing indicator: one or two capitals or digits, such as CI", _filing)]
TaxId = Annotated[str, form_of("a tax id of nine digits, without a dash", _digits(9))]
Zip9 = Annotated[str, form_of("a ZIP code of nine digits, without a dash", _digits(9))]
Phone = Annotated[str, form_of("a telephone number of ten digits", _digits(10))]
OnClaim = Annotated[str, form_of("text of 1 to 55 characters that a file of claims can hold", check_person_line)]
OnClaimCity = Annotated[str, form_of("a city of 2 to 30 characters that a file of claims can hold", check_city)]
UnitsPer = Annotated[str, form_of('a number above 0 in quotes, such as "100" or "0.5"', _check_units_per)]
ReasonCode = Annotated[str, form_of("a code of 1 to 5 capitals and digits, such as 45 or N435", _check_reason_code)]


class Edi(Struct, frozen=True, forbid_unknown_fields=True):
    """How files reach a payer, and what they call it."""

    payer_id: EdiId
    receiver: EdiId
    claim_filing: FilingCode
    usage: Literal["T", "P"]
    receiver_name: OnClaim | None = None


class Billing(Struct, frozen=True, forbid_unknown_fields=True):
    """What a claim says of the house."""

    tax_id: TaxId
    address: OnClaim
    city: OnClaimCity
    state: State
    zip: Zip9
    contact: OnClaim
    phone: Phone
    submitter: EdiId
    tax_id_kind: Literal["EI", "SY"] = "EI"


class Prescriber(Struct, frozen=True, forbid_unknown_fields=True):
    """Who may order therapy, as a claim names them."""

    npi: BookNpi
    last: OnClaim
    first: OnClaim | None = None


class PrescriberTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``prescribers.toml``."""

    prescribers: tuple[Prescriber, ...] = ()


class Drug(Struct, frozen=True, forbid_unknown_fields=True):
    """Under which code a drug is billed from a date on, and how many of its units are in one unit of the NDC."""

    ndc: Ndc
    hcpcs: Hcpcs
    from_: date = field(name="from")
    units_per: UnitsPer
    source: Name
    to: date | None = None

    @property
    def units_in_one(self) -> Decimal:
        """The units of the code in one unit of the NDC."""
        return Decimal(self.units_per)


class DrugTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``drugs.toml``."""

    drugs: tuple[Drug, ...] = ()


Instrument = Literal["none", "wait", "replace", "appeal", "new", "coordinate"]


class Reason(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a payer pays less, in our own words, and what cures it.

    ``groups`` narrows it to some groups of a claim adjustment reason (CARC); a remark (RARC) has none.
    """

    code: ReasonCode
    words: Name
    cure: Name
    instrument: Instrument
    groups: tuple[Literal["CO", "PR", "OA", "PI", "CR"], ...] = ()


class ReasonTable(Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``reasons.toml``."""

    reasons: tuple[Reason, ...] = ()
