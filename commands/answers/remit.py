"""Remittances recorded: each answer under its claim, its check and what no claim is known for under the house."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from commands.answers.claims_known import ClaimsKnown, OurClaim
from commands.answers.survey import Survey
from commands.door.intake import Line
from commands.outside import random_nonces, utc_now
from commands.writing.decide import Duplicate
from commands.writing.handle import Handled, Recorded, Recorder
from ledger.book import Book
from ledger.facts.administration import HouseAct, PaymentReceived, RemittanceUnmatched
from ledger.facts.billing import RemittancePosted
from ledger.facts.texts import LONGEST_TEXT
from ledger.store import EpisodeLedger
from ledger.x12.remittances import Answer, Check, read_remittances
from ledger.x12.segments import read_segments
from projections.read_model.numbers import (
    KnownAnswer,
    digest_of,
    index_numbers,
    known_answer,
    originator_key,
    payment_key,
)
from projections.read_model.views import Views

SOURCE: Final = "835"
ANSWERS_AT_ONCE: Final = 500
Outcome = Literal["recorded", "duplicate", "unmatched", "refused"]


class Posted(NamedTuple):
    """An answer on its way: the fact, what it is known by, and the claim that it is for, if there is one."""

    fact: RemittancePosted
    key: str
    claim: OurClaim | None


class Remitting:
    """One file of remittances, from what it says to what is recorded."""

    def __init__(
        self,
        ledger: EpisodeLedger,
        views: Views,
        book: Book,
        path: Path,
        payer: str | None = None,
        *,
        clock_is_right: bool = False,
    ) -> None:
        self._ledger, self._views, self._path = ledger, views, path
        self._recorder = Recorder(ledger, clock_is_right=clock_is_right, comes_late=True)
        self._known = ClaimsKnown(ledger, views)
        self.others: dict[str, None] = {}  # checks that stand in the ledger with other content
        self.survey = Survey(path)
        self.checks = [
            self._received(check, payer or self._payer_of(book, check, sample))
            for check, sample in zip(self.survey.checks, self.survey.samples, strict=True)
        ]

    def _payer_of(self, book: Book, check: Check, sample: Sequence[str]) -> str:
        """Whose check it is: as was found before; by what the book says of files; else by the claims that it answers;
        else as the payer calls itself."""
        index_numbers(self._views, self._ledger)
        before = known_answer(self._views, originator_key(check.originator, check.payment))
        if before is not None:
            return before.payer
        named = {check.originator, check.name, *check.ids} - {""}
        edi = {payer.id: payer.edi for payer in book.payers.values() if payer.edi}
        for found in (
            [id for id, each in edi.items() if each.payer_id in named],
            [id for id, each in edi.items() if each.receiver == check.sender],
            [id for id, payer in book.payers.items() if payer.name == check.name],
            self._payers_asked(sample),
        ):
            if len(found) == 1:
                return found[0]
        return check.name[:LONGEST_TEXT] or check.originator or check.sender

    def _payers_asked(self, sample: Sequence[str]) -> list[str]:
        self._known.look_up(sample)
        claims = (self._known.acknowledged(number, utc_now().date()) for number in sample)
        return sorted({claim.payer for claim in claims if claim})

    def _received(self, check: Check, payer: str) -> PaymentReceived:
        assert check.paid_on is not None
        return PaymentReceived(
            check.payment, payer, check.paid_on, check.cents, check.claims, utc_now(), self.survey.sha256, "",
            check.adjustments, check.originator, check.posted_cents,
        )  # fmt: skip

    @property
    def unbalanced(self) -> list[str]:
        """The checks that are worth otherwise than what was posted, less what was kept."""
        return [check.payment for check in self.survey.checks if not check.is_balanced]

    def batches(self) -> Iterator[tuple[PaymentReceived, list[Posted]]]:
        """The file's answers, some at a time, each matched to a claim as the ledger is now; a check's at least once."""
        with self._path.open("rb") as file:
            read = read_remittances(read_segments(file), self.survey.repeated)
            for received in self.checks:
                told = False
                while answers := list(islice(_of_check(read), ANSWERS_AT_ONCE)):
                    yield received, self._matched(answers, received)
                    told = True
                    if len(answers) < ANSWERS_AT_ONCE:
                        break
                if not told:
                    yield received, []

    def _matched(self, answers: Sequence[Answer], received: PaymentReceived) -> list[Posted]:
        self._known.look_up(answer.fact.claim for answer in answers)
        found = []
        for answer in answers:
            key = _key(answer, received.payer)
            kept = self.known(key) is not None  # for no claim, when it first came: somebody assigns it
            claim = None if kept else self._known.answered(answer.fact, answer.frequency)
            number = claim.claim if claim else answer.fact.claim
            found.append(Posted(replace(answer.fact, payer=received.payer, claim=number), key, claim))
        return found

    def record(self) -> Iterator[tuple[Posted, Outcome]]:
        """Record everything, a batch to a transaction; one outcome for each answer, in the file's order."""
        for received, batch in self.batches():
            if self._is_other(received):
                self.others[received.payment] = None
                yield from ((each, "refused") for each in batch)
                continue
            matched = [each for each in batch if each.claim is not None]
            acts = _Acts(self, received, [each for each in batch if each.claim is None])
            handled = iter(self._recorder.handle([_line(each) for each in matched], acts))
            for each in batch:
                yield each, acts.outcomes[each.key] if each.claim is None else _outcome(next(handled))

    def _is_other(self, received: PaymentReceived) -> bool:
        """Whether a check of this number says otherwise than one that stands in the ledger."""
        index_numbers(self._views, self._ledger)
        before = self.known(payment_key(received.payer, received.payment))
        return before is not None and before.digest != digest_of(received)

    def known(self, key: str) -> KnownAnswer | None:
        """What stands in the ledger under a key of the house."""
        return known_answer(self._views, key)

    def look_again(self) -> None:
        """Take in what was recorded meanwhile."""
        index_numbers(self._views, self._ledger)


class _Acts:
    """Which acts of the house go with a batch: its check and what no claim is known for, unless they stand there."""

    def __init__(self, file: Remitting, received: PaymentReceived, unmatched: Sequence[Posted]) -> None:
        self._file, self._received, self._unmatched = file, received, unmatched
        self.outcomes: dict[str, Outcome] = {}

    def __call__(self, now: datetime) -> list[HouseAct]:
        self._file.look_again()
        nonces = iter(random_nonces(1 + len(self._unmatched)))
        acts: list[HouseAct] = []
        if self._file.known(payment_key(self._received.payer, self._received.payment)) is None:
            acts.append(replace(self._received, received_at=now, nonce=next(nonces)))
        for each in self._unmatched:
            before = self._file.known(each.key)
            if before is None:
                acts.append(RemittanceUnmatched(each.key, each.fact, now, self._received.file, next(nonces)))
            same = before is None or before.digest == digest_of(each.fact)
            self.outcomes[each.key] = "unmatched" if before is None else "duplicate" if same else "refused"
        return acts


def _of_check(read: Iterator[Answer | Check]) -> Iterator[Answer]:
    """The answers up to the end of a check."""
    for each in read:
        if isinstance(each, Check):
            return
        yield each


def _key(answer: Answer, payer: str) -> str:
    """What an answer is known by, whatever envelope it came in: payer, check, claim, status and occurrence."""
    fact = answer.fact
    parts = (payer, fact.payment, fact.claim, fact.status, str(answer.occurrence))
    key = "/".join(part.replace("/", "//") for part in parts)
    return key if len(key) <= LONGEST_TEXT else hashlib.sha256(key.encode()).hexdigest()


def _line(posted: Posted, number: int = 0) -> Line:
    assert posted.claim is not None
    return Line(number, posted.claim.episode, SOURCE, posted.key, posted.fact.payer, posted.fact, None)


def _outcome(handled: Handled) -> Outcome:
    if isinstance(handled, Recorded):
        return "recorded"
    return "duplicate" if isinstance(handled, Duplicate) else "refused"


def intake_of(posted: Posted) -> dict[str, object]:
    """An answer as a line of intake; one for no known claim has no episode."""
    episode = posted.claim.episode if posted.claim else None
    return {"episode": episode, "source": SOURCE, "id": posted.key, "by": posted.fact.payer, "fact": posted.fact}


def intake_of_check(received: PaymentReceived) -> dict[str, object]:
    """A check in the form of a line of intake; it is the house's, so it has no episode."""
    fact = {
        "type": "PaymentReceived", "payment": received.payment, "payer": received.payer, "paid_on": received.paid_on,
        "cents": received.cents, "claims": received.claims,
    } | ({"adjustments": received.adjustments} if received.adjustments else {})  # fmt: skip
    return {"episode": None, "source": SOURCE, "id": received.payment, "by": received.payer, "fact": fact}
