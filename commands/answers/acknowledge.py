"""Acknowledgements recorded: TA1, 999 and 277CA, each under the claims that it is for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from msgspec import UNSET, Struct

from commands.answers.claims_known import ClaimsKnown, OurClaim
from commands.door.intake import Line
from commands.writing.decide import Duplicate
from commands.writing.handle import Handled, Recorded, Recorder
from ledger.facts.billing import ClaimAcknowledged
from ledger.facts.texts import LONGEST_TEXT
from ledger.store import EpisodeLedger
from ledger.x12.acknowledgements import Acknowledged, Kind, Status, read_acknowledgements
from ledger.x12.segments import read_segments
from projections.read_model.numbers import batch_number
from projections.read_model.views import Views

Outcome = Literal["recorded", "duplicate", "unmatched", "refused"]


class AckRow(Struct, frozen=True):
    """What became of one answer; of one that no claim is known for, the number that it names."""

    claim: str
    outcome: Outcome
    status: Status
    kind: Kind


def read_file(path: Path) -> list[Acknowledged]:
    """Every answer of a file; Unreadable if it holds anything else."""
    with path.open("rb") as file:
        return list(read_acknowledgements(read_segments(file)))


def acknowledge(
    ledger: EpisodeLedger, views: Views, answers: Sequence[Acknowledged], *, clock_is_right: bool = False
) -> Iterator[AckRow]:
    """Record a file's answers in one transaction; a row for each claim that one is for."""
    known = ClaimsKnown(ledger, views)
    known.look_up(each.claim or batch_number(each.batch or "") for each in answers)
    matched = [(each, claim) for each in answers for claim in _claims_of(known, each) or [None]]
    lines = [_line(each, claim) for each, claim in matched if claim is not None]
    handled = iter(Recorder(ledger, clock_is_right=clock_is_right, comes_late=True).handle(lines) if lines else ())
    for each, claim in matched:
        if claim is None:
            yield AckRow(each.claim or f"batch {each.batch}", "unmatched", each.status, each.kind)
        else:
            yield AckRow(claim.claim, _outcome(next(handled)), each.status, each.kind)


def _claims_of(known: ClaimsKnown, answer: Acknowledged) -> Sequence[OurClaim | None]:
    if answer.claim is None:
        return known.by_batch(answer.batch or "")
    claim = known.acknowledged(answer.claim, answer.date)
    return [claim] if claim else []


def _line(answer: Acknowledged, claim: OurClaim) -> Line:
    fact = ClaimAcknowledged(
        claim.claim, claim.payer, answer.kind, answer.status, answer.date, answer.codes,
        UNSET if answer.payer_control is None else answer.payer_control,
        UNSET if answer.clearinghouse_control is None else answer.clearinghouse_control,
    )  # fmt: skip
    return Line(0, claim.episode, answer.kind, _key(answer, claim), claim.payer, fact, None)


def _key(answer: Acknowledged, claim: OurClaim) -> str:
    """What an answer is known by: all that it says, so that the same in another envelope is the same."""
    parts = (claim.claim, answer.date.isoformat(), answer.status, *answer.codes, answer.payer_control or "")
    key = "/".join(part.replace("/", "//") for part in parts)
    return key if len(key) <= LONGEST_TEXT else hashlib.sha256(key.encode()).hexdigest()


def _outcome(handled: Handled) -> Outcome:
    if isinstance(handled, Recorded):
        return "recorded"
    return "duplicate" if isinstance(handled, Duplicate) else "refused"
