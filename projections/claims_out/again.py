"""A file of claims made again from the ledger alone: the claims it recorded, and what was known of them then."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ledger.book import Book, book_of_text
from ledger.facts.administration import BatchWritten
from ledger.facts.entry import Entry
from ledger.facts.events import ClaimSubmitted
from ledger.judge.case import Case
from ledger.store import EpisodeLedger
from ledger.x12.claim_file import rendered
from projections.claims_out.as_left import as_rendered
from projections.claims_out.batch_files import address_of, file_of, outgoing_claim
from projections.claims_out.corrections import number_to_name
from projections.claims_out.on_file import provider_on
from projections.reading.as_known import AsKnown, JudgedPatient


class NotAgain(Exception):
    """A file cannot be made again as it was: why, and what to do, in a sentence."""


class RecordedBatch(NamedTuple):
    """A batch as it stands in the ledger: its act, and where."""

    position: int
    act: BatchWritten

    @property
    def number(self) -> int:
        """The number that it has on its file."""
        return int(self.act.batch[1:])


def claims_in(ledger: EpisodeLedger, batch: RecordedBatch) -> list[Entry]:
    """The claims of a batch as they were recorded with it, in the order of its file; those forgotten are left out."""
    claims = batch.act.claims
    found = {
        entry.fact.claim: entry
        for _, entry in ledger.follow(batch.position - len(claims) - 1, batch.position - 1)
        if isinstance(entry.fact, ClaimSubmitted) and entry.fact.batch == batch.act.batch
    }
    return [found[claim] for claim in claims if claim in found]


def made_again(ledger: EpisodeLedger, batch: RecordedBatch) -> bytes:
    """The bytes of a batch's file; NotAgain if they do not come out as they were."""
    act, entries = batch.act, claims_in(ledger, batch)
    if len(entries) < len(act.claims):
        raise NotAgain(f"a patient with a claim in {act.batch} was forgotten since, so its file cannot be made again")
    book = _book_of(ledger, act)
    told = list(_claims_then(AsKnown(ledger, book, upto=act.position), entries))
    first = as_rendered(ledger, book, *told[0])
    where = address_of(book, told[0][2].payer, provider_on(first.case, told[0][2].lines))
    claims = []
    for judged, case, claim in told:
        shown = as_rendered(ledger, book, judged, case, claim)
        claims.append(outgoing_claim(shown.judged, shown.case, claim, book, number_to_name(case, claim)))
    content = rendered(file_of(book, where, claims, batch.number, act.written_at))
    if hashlib.sha256(content).hexdigest() != act.sha256:
        raise NotAgain(
            f"the file of {act.batch} does not come out as it was written: another version of this program wrote it, or"
            " the ledger was altered; 'episode-ledger verify' shows whether it holds"
        )
    return content


def _book_of(ledger: EpisodeLedger, act: BatchWritten) -> Book:
    """The book that a batch was written from: it was taken up before."""
    for _, adoption in ledger.adoptions():
        if adoption.hash == act.book:
            return book_of_text(adoption.book)
    raise NotAgain(f"the book that {act.batch} was written from is not in the ledger; restore it from a backup")


def _claims_then(past: AsKnown, entries: Sequence[Entry]) -> Iterator[tuple[JudgedPatient, Case, ClaimSubmitted]]:
    """Each claim with its episode as it was judged then."""
    patients: dict[str, JudgedPatient | None] = {}
    for entry in entries:
        owner = past.owner(entry.episode)
        assert owner is not None, "the episode had a claim"
        if owner not in patients:
            patients[owner] = past.judged(owner)
        judged = patients[owner]
        assert judged is not None, "the patient had an episode"
        assert isinstance(entry.fact, ClaimSubmitted)
        yield judged, judged.case(entry.episode), entry.fact
