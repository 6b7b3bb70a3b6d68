"""What a source told before, held against what it tells now: nothing to do, or a correction, proposed and never silent.

A correction that an import made is known by its id: that of the fact it mends, ``~`` and a number. So the last that the
source itself told is known, too: where a person corrected or retracted a fact since, and the source still tells what it
told, the person's word stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final, Literal, NamedTuple

import msgspec

from commands.door.intake import Line, Refusal, parse_line
from ledger.facts.entry import Entry, statement_of
from ledger.facts.events import EpisodeOpened, Event, FactCorrected
from ledger.facts.liveness import live_entries, retractions

AGAIN: Final = "~"
_encode: Final = msgspec.json.Encoder().encode


class Identity(NamedTuple):
    """What the ledger knows a line by."""

    episode: str
    source: str
    id: str


class Difference(msgspec.Struct, frozen=True):
    """A field that is told otherwise: as it stands, and as it is told now; None where it is absent."""

    field: str
    stands: str | None
    told: str | None


class Proposal(NamedTuple):
    """How the ledger would follow what is told now; ``by_hand`` if it would go over what a person mended."""

    identity: Identity
    what: Literal["corrected", "retracted", "restored"]
    fact: str
    differences: tuple[Difference, ...]
    lines: tuple[Line | Refusal, ...]
    by_hand: bool
    kinds: frozenset[str] = frozenset()
    """The kinds of fact that it has been so far, and would be."""


class Asking(NamedTuple):
    """Who proposes, and why."""

    by: str
    reason: str


def compared(
    entries: Sequence[Entry], identity: Identity, told: Event | None, asking: Asking
) -> Proposal | Literal["same", "left_alone"]:
    """What is told now of a fact (None: that it is no more) against its episode's entries, among which it stands."""
    chain = _Chain(entries, identity)
    if told is None:
        return chain.told_no_more(asking)
    if chain.live is None and not chain.taken_by_imports:
        return "left_alone"
    if chain.live is not None and told in (chain.live, chain.last_told):
        return "same"
    return chain.told_otherwise(told, asking)


def _chain_of(entries: Sequence[Entry], identity: Identity) -> list[Entry]:
    """A fact and the corrections of it, and of them, by version."""
    names, chain = {identity[1:]}, []
    for entry in entries:
        fact, name = entry.fact, (entry.source, entry.id)
        if isinstance(fact, FactCorrected) and (fact.target_source, fact.target_id) in names:
            names.add(name)
        if name in names:
            chain.append(entry)
    return chain


class _Chain:
    """A fact with its corrections: what stands of it, what its source told last, and who took it back."""

    def __init__(self, entries: Sequence[Entry], identity: Identity) -> None:
        self._identity = identity
        self._again = re.compile(re.escape(identity.id + AGAIN) + r"([0-9]{1,6})\Z")
        self._entries = _chain_of(entries, identity)
        live = next((each for each in live_entries(entries) if each.first is self._entries[0]), None)
        self.live = live.fact if live else None
        ours = [entry for entry in self._entries if entry is self._entries[0] or self._is_ours(entry)]
        self.last_told = statement_of(ours[-1])
        self._retracted = retractions(entries)
        self._taken = [act for entry in self._entries for act in self._retracted.get((entry.source, entry.id), ())]
        self.taken_by_imports = all(map(self._is_ours, self._taken))
        self._by_hand = len(ours) < len(self._entries) or not self.taken_by_imports
        numbers = [int(found[1]) for entry in entries if (found := self._again.match(entry.id))]
        self._next = max(numbers, default=0) + 1

    def _is_ours(self, entry: Entry) -> bool:
        return entry.source == self._identity.source and self._again.match(entry.id) is not None

    def told_otherwise(self, told: Event, asking: Asking) -> Proposal:
        """What was told before is restored, if an import took it back, and corrected, if it is not what is told now."""
        acts: list[dict[str, Any]] = []
        before: Event | None = self.live
        if before is None:
            acts = [_retraction(act, asking) for act in self._taken]
            before = statement_of(self._entries[-1])
        differences = tuple(differences_of(before, told))
        if differences:
            target = {"target_source": self._identity.source, "target_id": self._identity.id}
            acts.append({"type": "FactCorrected", **target, "reason": asking.reason, "fact": told})
        what: Literal["corrected", "restored"] = "restored" if self.live is None else "corrected"
        return self._proposal(what, told, differences, acts, asking)

    def told_no_more(self, asking: Asking) -> Proposal | Literal["same", "left_alone"]:
        """The whole chain is retracted; an opening never is."""
        if self.live is None:
            return "same"
        if isinstance(self.live, EpisodeOpened):
            return "left_alone"
        acts = [_retraction(each, asking) for each in self._entries if (each.source, each.id) not in self._retracted]
        return self._proposal("retracted", self.live, tuple(differences_of(self.live, None)), acts, asking)

    def _proposal(
        self, what: Literal["corrected", "retracted", "restored"], fact: Event, differences: tuple[Difference, ...],
        acts: list[dict[str, Any]], asking: Asking,
    ) -> Proposal:  # fmt: skip
        episode, source, id = self._identity
        lines = tuple(
            parse_line(number, _encode({
                "episode": episode, "source": source, "id": f"{id}{AGAIN}{number}", "by": asking.by, "fact": act,
            }))
            for number, act in enumerate(acts, self._next)
        )  # fmt: skip
        kinds = {type(each).__name__ for each in (fact, *map(statement_of, self._entries))}
        return Proposal(self._identity, what, type(fact).__name__, differences, lines, self._by_hand, frozenset(kinds))


def _retraction(entry: Entry, asking: Asking) -> dict[str, Any]:
    target = {"target_source": entry.source, "target_id": entry.id}
    return {"type": "FactRetracted", **target, "reason": asking.reason}


def differences_of(stands: Event, told: Event | None) -> Iterator[Difference]:
    """The fields in which two facts differ, by their names in JSON."""
    before, after = _fields(stands), _fields(told)
    for name in dict.fromkeys((*before, *after)):
        if before.get(name) != after.get(name):
            yield Difference(name, before.get(name), after.get(name))


def _fields(fact: Event | None) -> dict[str, str]:
    told = {} if fact is None else msgspec.to_builtins(fact)
    return {name: _text(value) for name, value in told.items() if name != "type"}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
