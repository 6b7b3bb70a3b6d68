"""The numbers that the live records of a patient's episodes name: what somebody on the telephone reads out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger.facts.events import AuthorizationGranted, ClaimSubmitted, CoverageVerified, TherapyOrdered
from ledger.facts.liveness import live_entries
from ledger.store import EpisodeLedger
from projections.read_model.kept_work import NumberNamed
from projections.reading.joined import entries_of_kinds

_NAMING: Final = {
    ClaimSubmitted: ("claim", "claim"),
    AuthorizationGranted: ("authorization", "number"),
    TherapyOrdered: ("order", "order"),
    CoverageVerified: ("member", "member"),
}
"""What names a number: the word for it, and the field."""


def numbers_named(ledger: EpisodeLedger, patient: str, upto: int) -> Iterator[NumberNamed]:
    """Each number that a live record of an episode which ever named the patient has, once."""
    for episode, entries in entries_of_kinds(ledger, ledger.episodes_of(patient), upto, tuple(_NAMING)):
        found: dict[tuple[str, str], None] = {}
        for _, fact, _ in live_entries(entries):
            if naming := _NAMING.get(type(fact)):
                word, field = naming
                found[word, str(getattr(fact, field))] = None
        for word, number in found:
            yield NumberNamed(patient, episode, word, number)
