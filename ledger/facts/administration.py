"""Acts of the house, not of an episode: a month was closed, another book taken up, a patient forgotten.

They are recorded, sealed and kept like entries, under no episode's name: a name is never empty.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final

import msgspec

from ledger.facts.billing import RemittancePosted
from ledger.facts.desk_acts import LooksSealed, WorkAct
from ledger.facts.feed_acts import FeedAct

HOUSE: Final = ""
"""Where the house's own acts stand instead of an episode."""


class MonthClosed(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A month was closed: the entries up to ``position`` and the terms published by ``closed_at`` made this report.

    ``month`` is ``YYYY-MM``, ``book`` the canonical text of the whole book then in use, ``code`` the version of the
    judge, ``report`` the SHA-256 of the report in hex. ``printed`` is the report itself as JSON Lines, and ``zones``
    what the zone database then said of the zones of the episodes (time zone files in base64); a month that was closed
    under edition 1 has neither. ``anyway`` is why it was closed with conflicts, hard findings, holds or unbilled days.
    """

    month: str
    closed_at: datetime
    by: str
    position: int
    book: str
    code: str
    report: str
    nonce: str
    printed: str = ""
    zones: dict[str, str] = {}
    anyway: str = ""


class BookAdopted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """From here on verdicts were given to others as this book makes them; ``book`` is its whole canonical text."""

    adopted_at: datetime
    by: str
    book: str
    hash: str
    nonce: str


class KeptLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A claim line of somebody who was forgotten: days, code and money, and nobody's.

    ``episode`` numbers the forgotten episodes of one act, so that lines of one stay together.
    """

    episode: int
    payer: str
    code: str
    from_: str = msgspec.field(name="from")
    to: str
    units: int
    rate_cents: int
    charge_cents: int
    terms_from: str
    terms_published: str


class PatientForgotten(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A patient was forgotten: the keys of these episodes, named by their ids, were destroyed with this act, and their
    entries cannot be read any more.

    The lines are what was billable then, under the book then in use, so that totals stay. No name is in here.
    """

    forgotten_at: datetime
    by: str
    reason: str
    episodes: tuple[str, ...]
    keys: tuple[str, ...]
    lines: tuple[KeptLine, ...]
    nonce: str


class PatientsMerged(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """From here on whoever is named ``patient`` is the patient ``into``, until parted (rulebook section 2).

    Where a patient was forgotten meanwhile, a name and the reason are empty: no patient has an empty name.
    """

    merged_at: datetime
    by: str
    patient: str
    into: str
    reason: str
    nonce: str


class PatientsParted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """From here on ``patient``, who was merged, is a patient again; the name is empty if they were forgotten."""

    parted_at: datetime
    by: str
    patient: str
    reason: str
    nonce: str


class RollbackAccepted(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """Somebody saw that the ledger was put back to an earlier state, and means it.

    It had been seen up to ``position`` with the seal there, in hex; what stood between is not in it any more.
    """

    accepted_at: datetime
    by: str
    reason: str
    position: int
    seal: str
    nonce: str


class IdentityInTheOpen(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """Somebody meant it: this ledger keeps who its patients are, although nothing in it is encrypted."""

    allowed_at: datetime
    by: str
    nonce: str


class BatchWritten(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A file of claims was made, from the ledger at ``position`` and the book of this hash: ``claims`` are ours.

    ``batch`` is the number on the file, ``sha256`` that of its bytes. It can be made again from these alone.
    """

    batch: str
    receiver: str
    usage: str
    written_at: datetime
    claims: tuple[str, ...]
    sha256: str
    book: str
    position: int
    by: str
    nonce: str


class PaymentAdjustment(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Money that a payer kept from a check or added to it, for no claim in it; kept money is above 0."""

    reason: str
    cents: int
    reference: str = ""


class PaymentReceived(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag=True, tag_field="type"
):
    """A payer's check or transfer arrived: its number, what it is worth, and how many claims it says it answers.

    ``originator`` is what the file calls the payer, ``file`` the file's SHA-256, ``posted_cents`` what the check pays
    for claims, known or not; a check that was recorded before that was kept has none.
    """

    payment: str
    payer: str
    paid_on: date
    cents: int
    claims: int
    received_at: datetime
    file: str
    nonce: str
    adjustments: tuple[PaymentAdjustment, ...] = ()
    originator: str = ""
    posted_cents: int | msgspec.UnsetType = msgspec.UNSET


class RemittanceUnmatched(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """A payer's answer for a claim that the ledger does not know: kept, so that its check balances.

    ``key`` is what the answer is known by, ``posting`` the answer itself.
    """

    key: str
    posting: RemittancePosted
    received_at: datetime
    file: str
    nonce: str


class RemittanceAssigned(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag=True, tag_field="type"):
    """Somebody said which claim of ours an unmatched answer is for: the answer with this ``key``, recorded with it.

    ``control`` is the number that the payer gave the claim in that payment.
    """

    payment: str
    control: str
    claim: str
    key: str
    by: str
    assigned_at: datetime
    nonce: str


HouseAct = (
    MonthClosed | BookAdopted | PatientForgotten | PatientsMerged | PatientsParted | RollbackAccepted
    | IdentityInTheOpen | BatchWritten | PaymentReceived | RemittanceUnmatched | RemittanceAssigned
    | WorkAct | LooksSealed | FeedAct
)  # fmt: skip

_TIME: Final[dict[type, str]] = {
    MonthClosed: "closed_at", BookAdopted: "adopted_at", PatientForgotten: "forgotten_at",
    PatientsMerged: "merged_at", PatientsParted: "parted_at", RollbackAccepted: "accepted_at",
    IdentityInTheOpen: "allowed_at", BatchWritten: "written_at", PaymentReceived: "received_at",
    RemittanceUnmatched: "received_at", RemittanceAssigned: "assigned_at",
}  # fmt: skip


def time_of_act(act: HouseAct) -> datetime:
    """When an act of the house was done."""
    told: datetime = getattr(act, _TIME.get(type(act), "at"))
    return told


_decoder: Final = msgspec.json.Decoder(HouseAct)


def encode_act(act: HouseAct) -> bytes:
    """The stored text of an act of the house."""
    return msgspec.json.encode(act)


def decode_act(text: bytes | str) -> HouseAct:
    """The act of a stored text; ``msgspec.MsgspecError`` if it cannot be read."""
    act: HouseAct = _decoder.decode(text)
    return act
