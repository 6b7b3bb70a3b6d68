"""An answer that no claim was known for, assigned by somebody: recorded under the claim, and who said so."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec.structs import replace

from commands.answers.claims_known import ClaimsKnown, OurClaim
from commands.answers.remit import SOURCE
from commands.door.intake import Line
from commands.outside import random_nonces
from commands.writing.handle import Recorder
from ledger.facts.administration import HouseAct, RemittanceAssigned, RemittanceUnmatched
from ledger.facts.entry import same_content
from ledger.facts.heads import EpisodeHead
from ledger.store import EpisodeLedger
from projections.answers.unmatched import control_of, unmatched_of
from projections.read_model.views import Views

_NONE_WAITS = "no answer of this payment waits under this number; see 'payments --unmatched'"


class NotAssigned(Exception):
    """What keeps an answer from being assigned, in words."""


class AnswersNamed(NamedTuple):
    """What a check answered under one of the payer's numbers of a claim; of one payer, where it is said."""

    payment: str
    control: str
    payer: str | None = None

    def waiting(self, ledger: EpisodeLedger) -> list[RemittanceUnmatched]:
        """Those of the answers that wait to be assigned."""
        return [
            act
            for act in unmatched_of(ledger)
            if (act.posting.payment, control_of(act)) == (self.payment, self.control)
            and self.payer in (None, act.posting.payer)
        ]


class Assignment(NamedTuple):
    """Answers that wait, and the claim of ours that somebody says they are for."""

    answers: Sequence[RemittanceUnmatched]
    claim: OurClaim

    def lines(self) -> list[Line]:
        """The answers as facts of the claim's episode."""
        claim, episode = self.claim.claim, self.claim.episode
        return [
            Line(0, episode, SOURCE, act.key, act.posting.payer, replace(act.posting, claim=claim), None)
            for act in self.answers
        ]


def assign(
    ledger: EpisodeLedger, views: Views, payment: str, control: str, claim: str, by: str, *,
    clock_is_right: bool = False,
) -> int:  # fmt: skip
    """Assign the answers of a check to a claim of ours, all in one transaction; gives how many there were.

    NotAssigned if none waits under that name, or the ledger knows no such claim, or several.
    """
    found = assignment(ledger, views, AnswersNamed(payment, control), claim)
    record_assignment(ledger, found, by, random_nonces, clock_is_right=clock_is_right)
    return len(found.answers)


def assignment(ledger: EpisodeLedger, views: Views, named: AnswersNamed, claim: str) -> Assignment:
    """What would be assigned. NotAssigned if nothing waits under that name, or the ledger knows no such claim, or
    several."""
    waiting = named.waiting(ledger)
    if not waiting:
        raise NotAssigned(_NONE_WAITS)
    known = ClaimsKnown(ledger, views)
    known.look_up([claim])
    ours = known.named(claim)
    if ours is None:
        raise NotAssigned("the ledger knows no claim of this number, or several; 'claims list' shows them")
    return Assignment(waiting, ours)


def record_assignment(
    ledger: EpisodeLedger,
    found: Assignment,
    by: str,
    nonces: Callable[[int], Sequence[str]],
    *,
    clock_is_right: bool = False,
) -> None:
    """Record answers under their claim, and who said so, in one transaction.

    NotAssigned if somebody assigned one of them meanwhile, or the claim's episode takes them no more: money that were
    assigned and stands nowhere, or stands twice, nobody would look for.
    """
    keys = {act.key for act in found.answers}

    def acts(now: datetime) -> list[HouseAct]:
        # Asked once the acts are counted after which these are to stand: whoever assigns later makes the append fail.
        if not keys <= {act.key for act in unmatched_of(ledger)}:
            raise NotAssigned(_NONE_WAITS)
        return [
            RemittanceAssigned(act.posting.payment, control_of(act), found.claim.claim, act.key, by, now, nonce)
            for act, nonce in zip(found.answers, nonces(len(found.answers)), strict=True)
        ]

    Recorder(ledger, clock_is_right=clock_is_right, comes_late=True, still=still_taken(ledger)).handle(
        found.lines(), acts
    )


def still_taken(ledger: EpisodeLedger) -> Callable[[Sequence[Line], Mapping[str, EpisodeHead]], None]:
    """Raises NotAssigned where the episode of a claim does not take an answer: it is forgotten, or has said otherwise
    under the answer's own identity, as facts that were recorded by hand may."""

    def check(lines: Sequence[Line], heads: Mapping[str, EpisodeHead]) -> None:
        for line in lines:
            head = heads[line.episode]
            version = head.version_of(line.source, line.id)
            stored = ledger.entries_at({(line.episode, version)}) if version is not None else {}
            if head.forgotten or not all(same_content(entry, line.by, line.fact) for entry in stored.values()):
                raise NotAssigned("the episode of this claim has another answer in its place, or is forgotten")

    return check
