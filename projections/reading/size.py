"""What of a patient there is no memory for: too many entries are not read, and too many claimed days not judged.

What an entry takes in memory grows with its text, at most by this much for each byte. So how much reading would take is
known before anything is read, where the watch of the budget would see it only when it is there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Final

from ledger.facts.events import ClaimLine
from ledger.facts.stored import JoinedEntries
from ledger.judge.episode import Episode
from ledger.store import FEW, EpisodeLedger
from projections.reading.budget import TooCostly, budget

HELD_PER_BYTE: Final = 6
"""Bytes of memory for each byte of text: 5.9 were measured for claims of 50 short lines, 1.5 for long notes."""
MANY: Final = 4 * FEW
"""Episodes with more entries than that together are asked for their size before they are read as rows: so many have
40 MB of text at most. Asking looks at every entry, which takes half as long as reading it."""
CLAIMED_DAYS_PER_MB: Final = 1_024
"""How many claimed days of one patient a megabyte of the budget is for: by default that makes 359 years of a day each.
The list of work takes 0.8 KB for each, payments and what goes out 0.7."""
_LONGEST_LINE_DAYS: Final = 366
_PART: Final = 2
"""Of the budget's memory one part in so many may be what is read; the judge needs the rest."""
_LONGEST_BYTES: Final = 65_536
"""The door takes no longer line."""
_MOST_BYTES_A_CHARACTER: Final = 4


def refuse_too_large(ledger: EpisodeLedger, episodes: Sequence[str], upto: int | None = None, few: int = FEW) -> None:
    """TooCostly if the entries of some episodes would take more memory than there is for reading a patient; where they
    have so few, that is not asked."""
    if _is_too_large(ledger.text_bytes(episodes, upto, few)):
        raise TooCostly(min(episodes))


def refuse_too_large_rows(
    ledger: EpisodeLedger,
    episodes: Sequence[str],
    rows: Sequence[JoinedEntries | None],
    upto: int | None,
    without: Collection[str],
) -> None:
    """``refuse_too_large`` of episodes that have been read as rows: they are asked only where these leave it open."""
    if ledger.encrypted or None in rows or _is_too_large(sum(_most_bytes(row, without) for row in rows if row)):
        refuse_too_large(ledger, episodes, upto)


def refuse_too_large_row(row: JoinedEntries) -> None:
    """TooCostly if what was read of an episode would take more memory, decoded, than there is for a patient."""
    if _is_too_large(len(row.texts)):
        raise TooCostly(row.episode)


def refuse_too_many_claimed(episodes: Iterable[Episode]) -> None:
    """TooCostly if the claims of a patient's episodes ask for more days, line by line, than there is memory for: the
    judge goes by sets of days, but whoever tells what each was paid, or where to send it, holds every one."""
    named = [(episode.name, line) for episode in episodes for one in episode.claims.values() for line in one.fact.lines]
    most = budget().memory_mb * CLAIMED_DAYS_PER_MB
    if len(named) * _LONGEST_LINE_DAYS > most and sum(map(_days_of, named)) > most:
        raise TooCostly(min(episode for episode, _ in named))


def _days_of(named: tuple[str, ClaimLine]) -> int:
    _, line = named
    return (line.to - line.from_).days + 1


def most_text_bytes() -> int:
    """How many bytes of text a patient may have to be read, who has more than a few entries."""
    return budget().memory_mb * 2**20 // (HELD_PER_BYTE * _PART)


def _is_too_large(text_bytes: int) -> bool:
    return text_bytes > most_text_bytes()


def _most_bytes(row: JoinedEntries, without: Collection[str]) -> int:
    """How many bytes the entries of an episode have at most, with the texts that were left out."""
    left_out = sum(map(row.tags.count, without))  # or more, where one tag is in another
    seen = len(row.texts) * (_MOST_BYTES_A_CHARACTER if isinstance(row.texts, str) else 1)
    return seen + left_out * _LONGEST_BYTES
