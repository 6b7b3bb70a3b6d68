"""Names of an older form that stand in the ledger, and so may be used on (rulebook section 2, "Forms")."""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import TYPE_CHECKING

from commands.door.texts import odd_names
from ledger.facts.entry import encode
from ledger.facts.heads import EpisodeHead
from ledger.store import EpisodeLedger

if TYPE_CHECKING:
    from commands.door.intake import Line

Names = Set[tuple[str, str]]
"""Fields and names."""


class OlderNames:
    """Which such names stand in a ledger. Hardly a line ever asks; the first to do so may cost one whole reading."""

    def __init__(self, ledger: EpisodeLedger) -> None:
        self._ledger, self._read_upto = ledger, 0
        self._known: set[tuple[str, str]] = set()

    def for_line(self, line: Line, head: EpisodeHead) -> Names:
        """Those of a line's names that stand: looked for where they are likely, then everywhere."""
        names = (line.unformed and line.unformed.names) or {}
        asked = names.keys() - {("episode", line.episode)}  # its head says that
        for look in (self._look_for_patients, self._look_into_episode, self._look_everywhere):
            if not asked - self._known:
                break
            look(asked, head, line.episode)
        return asked & self._known

    def _look_for_patients(self, names: Names, *_: object) -> None:
        patients = (name for field, name in names if field == "patient")
        self._known.update(("patient", name) for name in patients if self._ledger.episodes_of(name))

    def _look_into_episode(self, names: Names, head: EpisodeHead, episode: str) -> None:
        if head.version:
            self._take_in(encode(entry).decode() for entry in self._ledger.entries_of(episode))

    def _look_everywhere(self, *_: object) -> None:
        upto = self._ledger.position()
        self._take_in(row[4] for row in self._ledger.scan(self._read_upto, upto))
        self._read_upto = upto

    def _take_in(self, texts: Iterable[str]) -> None:
        for text in texts:
            self._known.update(odd_names(text))
