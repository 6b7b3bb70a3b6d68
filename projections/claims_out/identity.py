"""Who the patient is and whose plan it is: read for the bytes of a claim's file, and by nothing else in the house."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from msgspec import UNSET

from ledger.facts.administration import HOUSE
from ledger.facts.billing import PatientIdentified, SubscriberIdentified
from ledger.facts.entry import Entry
from ledger.facts.events import CoverageVerified, EpisodeOpened, FactCorrected, FactRetracted
from ledger.facts.liveness import live_entries
from ledger.facts.merges import Merges
from ledger.judge.case import Case
from ledger.x12.outgoing import Address, Insured, Person

Streams = Mapping[str, Sequence[Entry]]

_EARLIEST: Final = date.min


def patient_told(streams: Streams, on: date | None = None) -> PatientIdentified | None:
    """What a patient's episodes say of them: of what counts on a date recorded last, else of all.

    What an episode said while it was another patient's, opened for the wrong one and corrected since, is not of them.
    """
    merges = Merges(streams.get(HOUSE, ()))
    told = [
        (live.entry.recorded_at, live.entry.episode, live.entry.version, live.fact)
        for entries in streams.values()
        for live in live_entries(entries)
        if isinstance(live.fact, PatientIdentified) and _is_of_now(live.entry, entries, merges)
    ]
    told.sort(key=lambda each: each[:3])
    facts = [fact for *_, fact in told]
    begun = [fact for fact in facts if on is None or _begins(fact) <= on] or facts
    return begun[-1] if begun else None


def missing_of_patient(streams: Streams) -> str:
    """What has to be told of who the patient is before a claim can go out; empty if it is."""
    if patient_told(streams) is not None:
        return ""
    told = any(isinstance(live.fact, PatientIdentified) for each in streams.values() for live in live_entries(each))
    return f"PatientIdentified{', told of another patient' * told}"


def _is_of_now(entry: Entry, entries: Sequence[Entry], merges: Merges) -> bool:
    """Whether an episode was, when something was told in it, of the patient whose it is now."""
    if not any(isinstance(each.fact, FactCorrected | FactRetracted) for each in entries):
        return True
    return _patient_in(entries[: entry.version], merges) == _patient_in(entries, merges)


def _patient_in(entries: Sequence[Entry], merges: Merges) -> str | None:
    opened = [live.fact.patient for live in live_entries(entries) if isinstance(live.fact, EpisodeOpened)]
    return merges.survivor(opened[-1]) if opened else None


def insured_for(streams: Streams, case: Case, payer: str, member: str, on: date) -> Insured | None:
    """Under whose plan, name and number a claim goes; None if nobody told who the patient is."""
    told = patient_told(streams, on)
    if told is None:
        return None
    rank, group = _spell(case, payer, on)
    subscriber = _subscriber(streams[case.episode.name], payer, on, Merges(streams.get(HOUSE, ())))
    if subscriber is None:
        return Insured(member, _person(told), rank, group)
    named = group if subscriber.group is UNSET else subscriber.group
    return Insured(member, _person(subscriber), rank, named, subscriber.relationship, _person(told))


def _begins(fact: PatientIdentified | SubscriberIdentified) -> date:
    return _EARLIEST if fact.from_ is UNSET else fact.from_


def _subscriber(entries: Sequence[Entry], payer: str, on: date, merges: Merges) -> SubscriberIdentified | None:
    """Who has the plan, as the episode says, recorded last of what counts on a date."""
    return next(_subscribers(entries, payer, on, merges), None)


def _subscribers(entries: Sequence[Entry], payer: str, on: date, merges: Merges) -> Iterator[SubscriberIdentified]:
    for live in reversed(live_entries(entries)):
        fact = live.fact
        is_asked = isinstance(fact, SubscriberIdentified) and fact.payer == payer and _begins(fact) <= on
        if is_asked and _is_of_now(live.entry, entries, merges):
            assert isinstance(fact, SubscriberIdentified)
            yield fact


def _spell(case: Case, payer: str, on: date) -> tuple[int, str]:
    """The rank and the group number of the coverage that counts on a date."""
    day = on.toordinal()
    for spell in reversed(case.spells):
        if spell.payer == payer and spell.from_ <= day <= spell.to:
            told = next(live.fact for live in case.episode.coverage if live.entry is spell.entry)
            assert isinstance(told, CoverageVerified)
            return spell.rank, "" if told.group is UNSET else told.group
    return 1, ""


def _person(told: PatientIdentified | SubscriberIdentified) -> Person:
    first, middle, street2 = ("" if each is UNSET else each for each in (told.first, told.middle, told.address2))
    address = Address(told.address, told.city, told.state, told.zip, street2)
    return Person(told.last, first, middle, told.birth_date, told.sex, address)
