"""Whether a line may be written: pure, in the rulebook's order (section 2, "A line is judged in this order").

A message names the line, the field, what was expected and what to do; never a value of the line.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, Struct, UnsetType

from commands.writing.ahead import LOOKS_BACK, expected_instead, is_ahead
from ledger.book import PER_DIEM_CODES
from ledger.facts.entry import Entry, patient_named, same_content, states_identity
from ledger.facts.events import EpisodeOpened, Event, FactCorrected, FactRetracted, ServiceBilledSeparately
from ledger.facts.heads import EntryKind, EpisodeHead
from ledger.facts.upcasts import SCHEMA

if TYPE_CHECKING:
    from commands.door.intake import Line, Unformed


class Accepted(Struct, frozen=True, gc=False):
    """The line becomes this entry; ``patient`` is whom it names, if it is an opening or corrects one."""

    entry: Entry
    patient: str | None = None


class Duplicate(Struct, frozen=True):
    """The ledger has this entry already."""


class Refused(Struct, frozen=True):
    """The line is not written, and why."""

    code: str
    message: str


Decision = Accepted | Duplicate | Refused

DUPLICATE: Final = Duplicate()
_CHAIN_ACTS: Final = (FactRetracted, FactCorrected)
_LOOKED_INTO: Final = frozenset({EpisodeOpened, FactRetracted, FactCorrected, ServiceBilledSeparately})


def decide(
    line: Line,
    head: EpisodeHead,
    before: Entry | None,
    now: datetime,
    nonce: str,
    keep_recorded_at: bool = False,
    standing: Container[tuple[str, str]] = (),
    as_told_now: bool = False,
    keeps_identity: bool = False,
) -> Decision:
    """Judge a line against its episode; ``before`` is the entry that already has the line's identity.

    ``standing`` are the (field, name) pairs of an older form that stand in the ledger. With ``as_told_now`` an instant
    that the episode has gone past is kept beside the ledger's own, by which the entry is known. ``keeps_identity`` says
    whether the ledger may be told who somebody is.
    """
    if line.unformed is not None and (refused := _refuse_form(line, line.unformed, head, before, standing)):
        return refused
    if before is not None:
        return _decide_repeat(line, before)
    if head.forgotten:
        return _refuse_forgotten(line)
    if not keeps_identity and states_identity(line.fact):
        return _refuse_identity(line)
    fact, recorded_at = line.fact, line.recorded_at
    looked_into = type(fact) in _LOOKED_INTO
    if (looked_into or not head.version) and (refused := _refuse_opening(line, head)):
        return refused
    told_at: datetime | UnsetType = UNSET
    if recorded_at is not None and as_told_now and keep_recorded_at and head.has_gone_past(recorded_at):
        told_at, recorded_at = recorded_at.astimezone(UTC), None
    if recorded_at is None:
        last = head.last_recorded_at
        recorded_at = now if last is None or now > last else last
    elif refused := _refuse_time(line, head, now, keep_recorded_at):
        return refused
    elif recorded_at.tzinfo is not UTC:
        recorded_at = recorded_at.astimezone(UTC)
    stated = fact.fact if type(fact) is FactCorrected else fact
    looks_back = LOOKS_BACK.get(type(stated))
    if looks_back is not None and is_ahead(getattr(stated, looks_back), recorded_at, head):
        return _refuse_ahead(line, stated, looks_back)
    entry = Entry(
        line.episode, head.version + 1, line.source, line.id, line.by, recorded_at, nonce, fact, SCHEMA, told_at
    )
    if not looked_into:
        return Accepted(entry)
    refused = _refuse_target(line, head) or _refuse_own_per_diem(line, stated, head)
    return refused or Accepted(entry, patient_named(entry))


def _refused(line: Line, code: str, path: str, expected: str, advice: str) -> Refused:
    return Refused(code, f"line {line.number}: {path}: expected {expected}. {advice}")


def _refuse_form(
    line: Line, unformed: Unformed, head: EpisodeHead, before: Entry | None, standing: Container[tuple[str, str]]
) -> Refused | None:
    """Nothing if the line stands in the ledger itself, or if all that is wrong with it is names that stand there."""
    if before is not None and same_content(before, line.by, line.fact):
        return None
    if unformed.names is None:
        return Refused("malformed", unformed.message)
    opened = ("episode", line.episode) if head.version or head.forgotten else None
    new = (message for name, message in unformed.names.items() if name != opened and name not in standing)
    message = next(new, None)
    return None if message is None else Refused("malformed", message)


def _decide_repeat(line: Line, before: Entry) -> Decision:
    if same_content(before, line.by, line.fact):
        return DUPLICATE
    return _refused(
        line,
        "identity_reused",
        "id",
        "an id this source has not used in the episode, or the same content again",
        "Send new content under an id of its own; to change what was told, send a FactCorrected.",
    )


def _refuse_forgotten(line: Line) -> Refused:
    return _refused(
        line,
        "forgotten",
        "episode",
        "an episode that was not forgotten with its patient",
        "Nothing is recorded to it any more; a new course of treatment is a new episode, under a name of its own.",
    )


def _refuse_identity(line: Line) -> Refused:
    return _refused(
        line,
        "identity_in_the_open",
        "fact.type",
        "no fact that says who somebody is, for nothing in this ledger is encrypted",
        "Record it in a ledger with a master key; or, if it is meant, once with --identity-in-the-open.",
    )


def _refuse_opening(line: Line, head: EpisodeHead) -> Refused | None:
    opens = isinstance(line.fact, EpisodeOpened)
    if not head.version and not opens:
        return _refused(
            line,
            "not_opened",
            "episode",
            "an episode that was opened before",
            "Send its EpisodeOpened first, then this line again.",
        )
    if head.version and opens:
        return _refused(
            line,
            "already_opened",
            "fact.type",
            "another fact, for the episode is open",
            "Correct its opening with a FactCorrected, or give a new episode a name of its own.",
        )
    return None


def _refuse_time(line: Line, head: EpisodeHead, now: datetime, keep_recorded_at: bool) -> Refused | None:
    if not keep_recorded_at:
        return _refused(
            line,
            "recorded_at_not_allowed",
            "recorded_at",
            "no such field, for the ledger's own clock counts",
            "Leave it out; to bring history over, record the file with --keep-recorded-at.",
        )
    assert line.recorded_at is not None
    if line.recorded_at > now:
        return _refused(
            line,
            "clock_future",
            "recorded_at",
            "an instant that is not in the future",
            "Check its offset and the clock of the system that wrote it.",
        )
    if head.has_gone_past(line.recorded_at):
        return _refused(
            line,
            "clock_backwards",
            "recorded_at",
            "an instant not before that of the episode's last entry",
            "Send the episode's lines in the order they were recorded; or take this one --as-told-now.",
        )
    return None


def _refuse_ahead(line: Line, fact: Event, name: str) -> Refused:
    path = f"fact.fact.{name}" if isinstance(line.fact, FactCorrected) else f"fact.{name}"
    return _refused(line, "told_ahead", path, *expected_instead(fact, name, line.recorded_at is not None))


def _refuse_target(line: Line, head: EpisodeHead) -> Refused | None:
    fact = line.fact
    if not isinstance(fact, _CHAIN_ACTS):
        return None
    kind = head.kind_of(fact.target_source, fact.target_id)
    if kind is None:
        return _refused(
            line,
            "no_target",
            "fact.target_id",
            "the source and id of an earlier entry of the same episode",
            "Check both, and send the entry it names first.",
        )
    if isinstance(fact, FactRetracted):
        return _refuse_retracting(line) if kind is EntryKind.OPENING else None
    return _refuse_correcting(line, kind, isinstance(fact.fact, EpisodeOpened))


def _refuse_retracting(line: Line) -> Refused:
    return _refused(
        line,
        "target_not_correctable",
        "fact.target_id",
        "an entry other than the episode's opening",
        "An opening is never retracted: correct it with a FactCorrected.",
    )


def _refuse_correcting(line: Line, kind: EntryKind, into_opening: bool) -> Refused | None:
    of_opening = kind in (EntryKind.OPENING, EntryKind.OPENING_CORRECTION)
    if kind is EntryKind.RETRACTION:
        path, expected = "fact.target_id", "an entry that is not a retraction"
        advice = "A retraction is undone by retracting it with a FactRetracted."
    elif of_opening and not into_opening:
        path, expected = "fact.fact.type", "EpisodeOpened, for the target is the episode's opening"
        advice = "An opening is corrected only by an opening."
    elif into_opening and not of_opening:
        path, expected = "fact.fact.type", "any fact but EpisodeOpened, for the target is not the episode's opening"
        advice = "Name the opening as the target, or correct the target by another fact."
    else:
        return None
    return _refused(line, "target_not_correctable", path, expected, advice)


def _refuse_own_per_diem(line: Line, fact: Event, head: EpisodeHead) -> Refused | None:
    if not isinstance(fact, ServiceBilledSeparately) or fact.code not in PER_DIEM_CODES:
        return None
    last = fact.from_ if fact.to is UNSET else fact.to
    if fact.billed_by is not UNSET and fact.billed_by not in head.providers(fact.from_, last):
        return None
    return _refused(
        line,
        "own_per_diem",
        "fact.fact.billed_by" if isinstance(line.fact, FactCorrected) else "fact.billed_by",
        "the NPI of a provider that is not the episode's own on any of these dates: it is a per diem of pain therapy",
        "Name who billed it; a per diem we billed ourselves is a ClaimSubmitted.",
    )
