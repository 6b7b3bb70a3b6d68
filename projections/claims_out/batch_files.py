"""Which claims share a file, and the file itself as it is handed to the writer: once when it is written, and again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.book import Book
from ledger.facts.events import ClaimSubmitted
from ledger.judge.case import Case
from ledger.x12.outgoing import OutgoingClaim, OutgoingFile, Receiver
from projections.claims_out.identity import insured_for
from projections.claims_out.on_file import biller_of, claim_on_file, member_on
from projections.reading.as_known import JudgedPatient


class FileAddress(NamedTuple):
    """Which claims may share a file: who sends it, to whom, as a test or in earnest."""

    provider: str
    receiver: str
    receiver_name: str
    usage: str


def address_of(book: Book, payer: str, provider: str) -> FileAddress:
    """Which file a claim goes on."""
    asked = book.payers[payer]
    assert asked.edi is not None, "nothing is missing"
    return FileAddress(provider, asked.edi.receiver, asked.edi.receiver_name or asked.name, asked.edi.usage)


def outgoing_claim(
    judged: JudgedPatient, case: Case, claim: ClaimSubmitted, book: Book, payer_number: str
) -> OutgoingClaim:
    """A claim as its file says it, who the patient is with it."""
    first = min(line.from_ for line in claim.lines)
    insured = insured_for(judged.streams, case, claim.payer, member_on(case, claim.payer, claim.lines), first)
    assert insured is not None, "nothing is missing"
    return claim_on_file(case, claim, book, insured, payer_number)


def file_of(
    book: Book, where: FileAddress, claims: Sequence[OutgoingClaim], number: int, written_at: datetime
) -> OutgoingFile:
    """The file of some claims."""
    biller, receiver = biller_of(book.providers[where.provider]), Receiver(where.receiver, where.receiver_name)
    return OutgoingFile(number, written_at, where.usage, biller, receiver, tuple(claims))
