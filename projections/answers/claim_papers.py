"""The papers of an episode's claims: the file each left in, with its hash, and what came back for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from ledger.facts.administration import BatchWritten
from ledger.judge.answers import answers_by_claim
from ledger.judge.episode import Episode
from ledger.store import EpisodeLedger
from projections.answers.claim_list import ClaimStanding, rows_of


class AcknowledgementPaper(Struct, frozen=True):
    """An acknowledgement of a claim; ``version`` is its entry's in the episode."""

    version: int
    kind: str
    status: str
    date: str


class RemittancePaper(Struct, frozen=True):
    """An answer to a claim, with its money in cents; ``version`` is its entry's in the episode."""

    version: int
    payment: str
    paid_on: str
    status: str
    charge_cents: int
    paid_cents: int


class ClaimPaper(Struct, frozen=True):
    """A claim as it left and what came back; ``file_sha256`` is that of the file, None where we did not write it."""

    claim: str
    version: int
    payer: str
    frequency: str
    state: ClaimStanding
    charge_cents: int
    paid_cents: int
    file: str | None
    file_sha256: str | None
    acknowledgements: tuple[AcknowledgementPaper, ...]
    remittances: tuple[RemittancePaper, ...]


def claim_papers(
    ledger: EpisodeLedger, episode: Episode, upto: int, known_at: datetime | None = None
) -> Iterator[ClaimPaper]:
    """The claims of an episode in the order they were recorded, as of a position and an instant."""
    if not episode.claims:
        return
    acts = (act for _, act in ledger.acts_of(BatchWritten) if act.position < upto)
    hashes = {
        claim: act.sha256
        for act in acts
        if known_at is None or act.written_at <= known_at
        for claim in act.claims
    }  # fmt: skip
    answers = answers_by_claim(episode)
    for row in rows_of(episode):
        told = [(entry, fact) for entry, fact in episode.acknowledgements if fact.claim == row.claim]
        yield ClaimPaper(
            row.claim, episode.claims[row.claim].entry.version, row.payer, row.frequency, row.state, row.charge_cents,
            row.paid_cents, row.file, hashes.get(row.claim),
            tuple(
                AcknowledgementPaper(entry.version, fact.kind, fact.status, fact.date.isoformat())
                for entry, fact in told
            ),
            tuple(
                RemittancePaper(
                    each.entry.version, each.fact.payment, each.fact.paid_on.isoformat(), each.fact.status,
                    each.fact.charge_cents, each.fact.paid_cents,
                )
                for each in answers.get(row.claim, ())
            ),
        )  # fmt: skip
