"""What each key of the book's files means, once for its page, its form and whoever looks at it."""

from __future__ import annotations

from typing import Final

import msgspec

from ledger.book.claim_tables import Billing, Drug, Edi, Prescriber, Reason
from ledger.book.tables import Agreement, Code, Payer, Provider, Terms

MEANS: Final[dict[type[msgspec.Struct], dict[str, str]]] = {
    Payer: {
        "id": "the name that facts use: `payer` of a `CoverageVerified`",
        "name": "the name people read",
        "kind": "what it is; `medicaid` gives refunds a date (60 days)",
        "terms": "its editions, one `[[terms]]` table each",
        "edi": "how files of claims reach it: a table `[edi]`; without one no claim is written for it",
    },
    Edi: {
        "payer_id": "what a file of claims calls the payer (NM1*PR)",
        "receiver": "who takes the file in: the payer, or the clearinghouse before it (ISA08, GS03, NM1*40)",
        "receiver_name": "its name; without one, the payer's",
        "claim_filing": "what kind of insurance it is (SBR09), such as CI, 12 or MC",
        "usage": "`T` until the payer says that claims may come for good, then `P` (ISA15)",
    },
    Terms: {
        "from": "the first service date this edition governs, until the next one begins",
        "published": "when the payer published it: nothing before that date knows of it",
        "source": "where it says so: document, section, date",
        "checked": "when somebody last compared it with the source; changes no verdict",
        "accepts_s_codes": "whether the payer takes S codes at all; if not, the next covering payer is asked",
        "pain_code": "`general`: S9325 for every mode of therapy; `specific`: S9326, S9327, S9328 by mode",
        "day_counting": "which dates count as served (rulebook, *Served*)",
        "course_gap_days": "under `course`: how many days after the last evidence the course still runs",
        "rate_cents": "what the payer pays for a day, by code; a code not in it has no rate (`hold no_rate`)",
        "charge_cents": "what the house asks for a day, by code; a code not in it: the rate",
        "max_interval_hours": "doses further apart than this earn no per diem",
        "inpatient_rule": (
            "which dates of a hospital stay are lost: those between, those counted at midnight, or all it touches"
        ),
        "hold_days": "whether days of a therapy hold count as access",
        "facility_days": "whether days in a nursing facility can be billed",
        "midday_switch": "which order gives the code on a day when one ends and another begins",
        "places_of_service": "the places whose days the payer covers; 12 is the home",
        "agreement_required": "whether the provider needs an agreement in force",
        "auth_required": "whether each day draws a unit from a prior authorization",
        "order_signature": "whether, and by when, the order has to be signed",
        "documentation": "what has to be on file for a day",
        "plan_signature": "whether the plan is signed before the day, or at the latest before the claim",
        "plan_max_days": "a plan covers no more dates than this, from its `from`",
        "pain_assessment_days": "how many days before a date pain may last have been assessed",
        "exclusion_scope": "whether days of one patient clash in any case, or only with the same payer",
        "bundled_exceptions": "bundled codes that this payer pays apart",
        "concurrent_percent": "what a day pays at therapy rank 1, 2, 3, …, the last for all further ranks",
        "concurrent_modifiers": "the modifier of each therapy rank",
        "place_modifiers": "modifiers by place of service",
        "line_style": "`span`: consecutive days on one claim line; `per_day`: a line a day",
        "line_max_days": "the longest line",
        "split_on_month": "whether a line ends at a month's end",
        "timely_filing_days": "days after service within which the payer accepts the claim; changes no verdict",
        "corrections": "how a claim is put right: `replacement`, `void_and_new`, or `none` is taken",
        "correction_days": "days within which a correction is taken; without it, none is known",
        "correction_from": "from when they run: the first `remittance`, or the last date of `service`",
        "appeal_days": "days after the remittance within which an appeal is heard; without it, none is known",
        "drug_lines": "whether drugs stand on the claim of the days, on one of their own, or are not billed here",
        "nursing_lines": "likewise for nurses' visits",
        "nursing_credentials": "the credentials whose visits are billed; an empty list: all",
        "nursing_round_minutes": "from how many minutes on a begun hour of a visit is billed",
        "tolerance_cents": "how much less than the rate a day may be allowed and still count as paid",
    },
    Provider: {
        "npi": "the National Provider Identifier, with a valid check digit",
        "name": "the name people read",
        "taxonomy": "its trade: 3336H0001X is a home infusion pharmacy",
        "agreements": "one `[[agreements]]` table each",
        "branch": "the branch of the house that it is, as programs downstream tell branches apart; changes no verdict",
        "billing": "what a claim says of the house: a table `[billing]`; without one no claim is written",
    },
    Billing: {
        "tax_id": "nine digits",
        "tax_id_kind": "`EI` for an employer's number, `SY` for a social security number",
        "address": "a street: a claim takes no post box",
        "city": "of that address",
        "state": "two capitals",
        "zip": "nine digits",
        "contact": "whom the receiver asks",
        "phone": "ten digits",
        "submitter": "what the receiver calls the house (ISA06, GS02, NM1*41)",
    },
    Prescriber: {
        "npi": "as in `TherapyOrdered`",
        "last": "the last name as it stands on claims",
        "first": "the first name",
    },
    Drug: {
        "ndc": "eleven digits",
        "hcpcs": "the code that it is billed under",
        "from": "the first service date of this",
        "to": "the last one; without it, open",
        "units_per": "how many units of the code are in one unit of the NDC",
        "source": "where it is published",
    },
    Reason: {
        "code": "a claim adjustment reason (CARC) or a remark (RARC)",
        "groups": "the groups in which it means this; without it, all",
        "words": "what the payer says with it, in our own words",
        "cure": "what is to be done",
        "instrument": "what `claims plan` proposes for it",
    },
    Agreement: {
        "payer": "the payer's `id`",
        "signed_on": "when both had signed: it counts from the later of this and `from`",
        "from": "the first service date it covers",
        "to": "the last one; without it, open",
        "rate_cents": "what this agreement pays for a day, by code, in place of the terms' rates",
    },
    Code: {
        "code": "five characters",
        "family": "what kind of code it is: pain, catheter_care, pharmacy_hours, bundled, therapy, nursing or drug",
        "label": "in the project's own words",
        "from": "the first service date it is in force",
        "to": "the last one; without it, open",
        "source": "where it is published",
        "excludes": (
            "codes its descriptor rules out beside it; documents the descriptor, the steps apply the rulebook's pairs"
        ),
        "includes": "bundled items that it already pays for",
    },
}  # fmt: skip
"""What each key means; a key without a meaning fails."""
