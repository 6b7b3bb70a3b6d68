"""What a payer answered for no known claim, assigned to a claim of ours at the site: the engine of the command, the
effect first, once for each form."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Final

from commands.answers.assign import AnswersNamed, Assignment, NotAssigned, assignment, record_assignment, still_taken
from commands.desk.act import (
    NOTHING,
    SENT_BEFORE,
    Desk,
    Done,
    Part,
    Preview,
    Stopped,
    clock_stops,
    identity_of,
    new_identity,
    nonce_of,
    or_there,
)
from commands.desk.effects import Effect, effect_of
from commands.desk.fields import Control, Texts, plain
from commands.door.explain import first_fault
from commands.door.shapes import EVENTS
from commands.recording.effect import rehearsing
from commands.recording.holding import opened_to_record
from commands.writing.handle import Recorder
from ledger.facts.administration import RemittanceAssigned
from ledger.store import EpisodeLedger
from projections.effects.effect import State, changes_between
from projections.words import counted, minute, money, payer_name, sentence, utc_text

_CLAIM: Final = EVENTS["ClaimSubmitted"].fields["claim"].form


class AssignAnswers:
    """The answers of a check under one of the payer's numbers go to a claim."""

    title = "Assign to a claim"
    about = (
        "The answers count for the claim from now on, and who said so is on record. They are facts of its episode then;"
        " one that went to the wrong claim is corrected or retracted there."
    )

    def __init__(self, desk: Desk, named: AnswersNamed) -> None:
        self.desk, self._named = desk, named
        with desk.setup.open() as ledger:
            self.waiting = named.waiting(ledger)
            """The answers as the page was asked for."""

    @property
    def facts(self) -> list[tuple[str, str]]:
        """What is to be assigned, as it is shown above the form."""
        if not self.waiting:
            return []
        postings = [act.posting for act in self.waiting]
        first = postings[0]
        return [
            ("Payer", payer_name(self.desk.book, first.payer)), ("Payment", first.payment),
            ("Paid on", first.paid_on.isoformat()), ("Payer's number of the claim", self._named.control),
            ("Claim as the payer has it", ", ".join(dict.fromkeys(each.claim for each in postings))),
            ("Charged", money(sum(each.charge_cents for each in postings))),
            ("Paid", money(sum(each.paid_cents for each in postings))),
        ]  # fmt: skip

    def hidden(self) -> dict[str, str]:
        """The identity."""
        return {"id": new_identity()}

    def begin(self) -> dict[str, str]:
        """An empty form."""
        return {}

    def errors(self, told: Texts) -> Mapping[str, str]:
        """What is wrong with the number of the claim."""
        fault = first_fault(_CLAIM, _claim(told), "claim")
        return {"claim": plain(fault.removeprefix("claim: "))} if fault else {}

    def controls(self, told: Texts, errors: Mapping[str, str]) -> list[Control]:
        """The claim."""
        hint = "Our own number of it, as the list of claims has it"
        return [Control("claim", "Claim", hint, "text", True, told.get("claim", ""), errors.get("claim"), 128)]

    def preview(self, told: Texts) -> Preview:
        """What would count for which claim, and what that changes."""
        with rehearsing(self.desk.setup) as rehearsal:
            found = self._found(rehearsal.real, told)
            with self._stopping(rehearsal.real):
                Recorder(rehearsal, still=still_taken(rehearsal)).handle(found.lines())
            touched = rehearsal.touched()
            effect = self._effect(State(rehearsal.real, rehearsal.began), State(rehearsal), touched)
        ours = found.claim
        shown = [*self.facts, ("Our claim", ours.claim), ("Its episode", ours.episode)]
        return Preview(shown, list(self._notes(found)), [_counted(found), *effect.parts], effect.patients | touched)

    def do(self, told: Texts) -> Done:
        """Record it, once for each form."""
        identity = identity_of(told)
        with opened_to_record(self.desk.setup, create=False) as ledger:
            return or_there(
                lambda: self._assigned(ledger, told, identity), lambda: self._is_there(ledger, told, identity)
            )

    def _assigned(self, ledger: EpisodeLedger, told: Texts, identity: str) -> Done:
        began = ledger.position()
        if self._is_there(ledger, told, identity):
            return Done(NOTHING, [])
        found = self._recorded(ledger, told, identity)
        upto, patients = ledger.position(), frozenset(ledger.patients_of(found.claim.episode))
        effect = self._effect(State(ledger, began), State(ledger, upto), patients)
        return Done(
            f"{counted(len(found.answers), 'answer')} assigned.",
            [_counted(found), *effect.parts],
            effect.patients | patients,
        )

    def _is_there(self, ledger: EpisodeLedger, told: Texts, identity: str) -> bool:
        """Whether the form recorded its act already; Stopped if that was another one."""
        acts = (act for _, act in ledger.acts_of(RemittanceAssigned) if act.nonce == nonce_of(identity, 0))
        first = next(acts, None)
        named = self._named.payment, self._named.control, _claim(told)
        if first is not None and (first.payment, first.control, first.claim) != named:
            raise Stopped(*SENT_BEFORE)
        return first is not None

    def _recorded(self, ledger: EpisodeLedger, told: Texts, identity: str) -> Assignment:
        found = self._found(ledger, told)
        with self._stopping(ledger), clock_stops():
            record_assignment(ledger, found, self.desk.by, lambda count: _nonces(identity, count))
        return found

    def _found(self, ledger: EpisodeLedger, told: Texts) -> Assignment:
        with closing(self.desk.setup.views()) as views, self._stopping(ledger):
            return assignment(ledger, views, self._named, _claim(told))

    @contextmanager
    def _stopping(self, ledger: EpisodeLedger) -> Iterator[None]:
        """What keeps the answers from being assigned stops the act; whoever was first is named."""
        try:
            yield
        except NotAssigned as trouble:
            if not self._named.waiting(ledger) and (first := self._first(ledger)):
                when = minute(utc_text(first.assigned_at))
                raise Stopped(
                    f"{first.by} was first: this was assigned to a claim meanwhile ({when}).",
                    "Nothing of yours was recorded.",
                ) from None
            raise Stopped(sentence(trouble)) from None

    def _first(self, ledger: EpisodeLedger) -> RemittanceAssigned | None:
        """Who assigned what is not waiting any more."""
        named = (self._named.payment, self._named.control)
        acts = [act for _, act in ledger.acts_of(RemittanceAssigned) if (act.payment, act.control) == named]
        return acts[-1] if acts else None

    def _effect(self, before: State, after: State, patients: Collection[str]) -> Effect:
        return effect_of(changes_between(before, after, patients, self.desk.book), self.desk.book)

    def _notes(self, found: Assignment) -> Iterator[str]:
        answered = found.answers[0].posting.payer
        if found.claim.payer != answered:
            asked, paid = (payer_name(self.desk.book, payer) for payer in (found.claim.payer, answered))
            yield f"The claim went to {asked}, and {paid} answered."


def _claim(told: Texts) -> str:
    return told.get("claim", "").strip()


def _counted(found: Assignment) -> Part:
    cents = sum(act.posting.paid_cents for act in found.answers)
    count = counted(len(found.answers), "answer counts", "answers count")
    return Part(f"{count} for claim {found.claim.claim} of {found.claim.episode}, {money(cents)} paid.")


def _nonces(identity: str, count: int) -> Sequence[str]:
    return [nonce_of(identity, number) for number in range(count)]
