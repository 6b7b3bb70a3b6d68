"""What the feed has of claims and answers: the columns of a claim, a claimed day, an answer and its parts."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

from msgspec import Struct, field

from projections.rows.columns import CalendarDate, Word, note

_PATIENT: Final = note("the patient's name in the ledger", "pseudonym")
_EPISODE: Final = note("the episode", "pseudonym")
_CLAIM: Final = note("the claim, by our number", "pseudonym")
_ANSWER: Final = note("the answer: the entry it was recorded as, `source:id`", "pseudonym")
_PAID_ON: Final = note("the date of the payment it came with", "shifted")


class ExportedClaim(Struct, frozen=True):
    """One claim as it left, where it stands, and what was paid for it."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    claim: Annotated[str, _CLAIM]
    control: Annotated[str, note("the number that stands on it; of a correction that of its original", "left out")]
    payer: Annotated[Word, note("the payer it went to", "kept")]
    frequency: Annotated[Word, note("`1` original, `7` replacement, `8` void", "kept")]
    replaces: Annotated[
        str | None, note("what it names to be replaced or voided: a claim or a payer's number", "left out")
    ]
    state: Annotated[
        Word,
        note("`submitted`, `accepted`, `rejected`, `paid`, `denied`, `reversed`, `replaced` or `voided`", "kept"),
    ]
    payer_control: Annotated[str | None, note("the payer's number of it; null before there is one", "left out")]
    charge: Annotated[Decimal, note("dollars asked for: its lines, of a void too", "kept")]
    paid: Annotated[Decimal, note("dollars paid: all its answers, what was taken back below zero", "kept")]
    file: Annotated[str | None, note("the file it left in; null where another program wrote it", "left out")]
    from_: Annotated[CalendarDate, note("the first service date on its lines", "shifted")] = field(name="from")
    to: Annotated[CalendarDate, note("the last service date on its lines", "shifted")]
    sent_on: Annotated[CalendarDate, note("when it left, else when it was recorded where the patient lives", "shifted")]
    answered_on: Annotated[
        CalendarDate | None, note("the date of the newest payment that answers it and stands; else null", "shifted")
    ]


class ExportedPayment(Struct, frozen=True):
    """One claimed day, what is expected for it now, and what was paid."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    claim: Annotated[str, _CLAIM]
    date: Annotated[CalendarDate, note("the service date", "shifted")]
    code: Annotated[
        Word, note("the code claimed; `none` where money came for a claim of which no line is known", "kept")
    ]
    payer: Annotated[Word, note("the payer of the claim", "kept")]
    expected: Annotated[
        Decimal | None, note("dollars expected for the day now; null of what is no per diem: no rate is known", "kept")
    ]
    paid: Annotated[Decimal, note("the day's share of what was paid, in dollars", "kept")]
    patient_owes: Annotated[Decimal, note("its share of what the payer leaves to the patient, in dollars", "kept")]
    status: Annotated[
        Word, note("`paid`, `underpaid`, `overpaid`, `denied`, `patient`, `reversed` or `unpaid`", "kept")
    ]
    allowed: Annotated[Decimal, note("paid, owed by the patient, and paid by another payer before, in dollars", "kept")]
    charge: Annotated[Decimal, note("its share of the charge, in dollars; 0 if it is not on the claim", "kept")]
    to_give_back: Annotated[Decimal, note("dollars paid beyond what is expected now", "kept")]
    live: Annotated[bool, note("whether the claim is live: not turned back, replaced or voided", "kept")]
    answered: Annotated[bool, note("whether an answer stands for the day", "kept")]
    missing: Annotated[Decimal, note("dollars that a denied or underpaid day of a live claim lacks", "kept")]
    reasons: Annotated[tuple[str, ...], note("why it lacks them: group and reason code (CARC)", "kept")]
    waiting_since: Annotated[
        CalendarDate | None, note("when a live claim left, as long as nothing of it is answered; else null", "shifted")
    ]


class ExportedRemittance(Struct, frozen=True):
    """One answer of a payer to a claim; its money may be below zero."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    answer: Annotated[str, _ANSWER]
    claim: Annotated[str, _CLAIM]
    payer: Annotated[Word, note("the payer who answers", "kept")]
    payment: Annotated[str, note("the number of the check or transfer", "left out")]
    paid_on: Annotated[CalendarDate, _PAID_ON]
    status: Annotated[Word, note("CLP02, as it was sent: `1` paid, `4` denied, `22` takes an answer back", "kept")]
    payer_control: Annotated[str | None, note("the payer's number of the claim", "left out")]
    charge: Annotated[Decimal, note("dollars that the payer says were asked", "kept")]
    paid: Annotated[Decimal, note("dollars paid", "kept")]
    patient_owes: Annotated[Decimal | None, note("dollars left to the patient; null where it is not said", "kept")]
    remarks: Annotated[tuple[str, ...], note("remark codes of the claim", "kept")]
    stands: Annotated[
        bool, note("whether it still counts: not taken back since, and takes nothing back itself", "kept")
    ]
    balanced: Annotated[bool, note("whether charges less adjustments are what was paid", "kept")]


class ExportedRemittanceLine(Struct, frozen=True):
    """One service line of an answer."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    answer: Annotated[str, _ANSWER]
    number: Annotated[int, note("its place in the answer, from 1", "kept")]
    paid_on: Annotated[CalendarDate, _PAID_ON]
    code: Annotated[Word, note("the code that was paid", "kept")]
    billed_code: Annotated[Word | None, note("the code that was billed, where the payer names another", "kept")]
    modifiers: Annotated[tuple[str, ...], note("the modifiers", "kept")]
    from_: Annotated[CalendarDate | None, note("the first service date; null where it is not said", "shifted")] = field(
        name="from"
    )
    to: Annotated[CalendarDate | None, note("the last service date; null where it is not said", "shifted")]
    units: Annotated[Decimal, note("units paid", "kept", "number")]
    billed_units: Annotated[Decimal | None, note("units billed, where the payer names others", "kept", "number")]
    charge: Annotated[Decimal, note("dollars that the payer says were asked", "kept")]
    paid: Annotated[Decimal, note("dollars paid", "kept")]
    allowed: Annotated[Decimal | None, note("dollars allowed; null where it is not said", "kept")]
    line: Annotated[str | None, note("our number of the line; null if it did not come back", "left out")]
    remarks: Annotated[tuple[str, ...], note("remark codes of the line", "kept")]


class ExportedAdjustment(Struct, frozen=True):
    """One reason why an answer pays another amount than was asked."""

    patient: Annotated[str, _PATIENT]
    episode: Annotated[str, _EPISODE]
    answer: Annotated[str, _ANSWER]
    number: Annotated[int, note("its place in the answer, from 1", "kept")]
    paid_on: Annotated[CalendarDate, _PAID_ON]
    line_number: Annotated[int | None, note("the `number` of the line it is of; null: of the whole claim", "kept")]
    group: Annotated[Word, note("`CO` contract, `PR` the patient, `OA` other, `PI` the payer", "kept")]
    reason: Annotated[Word, note("the reason code (CARC)", "kept")]
    amount: Annotated[Decimal, note("dollars not paid for it; below zero: paid on top", "kept")]
    units: Annotated[Decimal | None, note("units not paid for it; null where it is not said", "kept", "number")]
