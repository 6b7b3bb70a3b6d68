"""What is expected and absent: service of an open order, the billing of what was told, and papers that run out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final, NamedTuple

import msgspec

from projections.reading.absent import AbsentKind, absent_of, payer_on
from projections.reading.as_known import JudgedPatient
from projections.report.asked import Asked
from projections.words import capital, counted, iso

WORDS: Final[dict[AbsentKind, str]] = {
    "order_silent": "open order without service",
    "episode_silent": "open episode without a word",
    "visit_not_billed": "visits not billed",
    "drug_not_billed": "drugs not billed",
    "supply_ends": "supply runs out",
    "plan_ends": "plan runs out",
    "pain_due": "pain to be assessed",
}
"""What is expected, as a person says it."""


class Expected(msgspec.Struct, frozen=True, tag_field="section", tag="expected"):
    """Something of an episode that should be there by a date, or be renewed; ``count`` is how often it is missing."""

    kind: AbsentKind
    patient: str
    episode: str
    payer: str | None
    what: str
    since: str | None
    due: str
    count: int
    says: str
    rows: str


def expected_of(judged: JudgedPatient, asked: Asked) -> Iterator[Expected]:
    """What is expected of a patient's episodes on the report's date, and absent."""
    on = date.fromisoformat(asked.on).toordinal()
    for case in judged.cases:
        payer = payer_on(case, on)
        if asked.payer not in (None, payer):
            continue
        rows = asked.rows("replay", case.episode.name, payer=None, **{"from": None, "to": None})
        for found in absent_of(case, judged.streams[case.episode.name], on):
            since = None if found.since is None else iso(found.since)
            if asked.takes(iso(found.due)):
                yield Expected(
                    found.kind, case.patient.name, case.episode.name, payer, found.what, since, iso(found.due),
                    found.times, found.says, rows,
                )  # fmt: skip


FIRST_SHOWN: Final = 3
"""How many rows of a kind people are shown before the rest is only counted."""


class ExpectedKind(NamedTuple):
    """One kind of what is expected: its first rows as people are shown them, and how many more there are."""

    words: str
    rows: tuple[Expected, ...]
    more: int
    episodes: int

    @property
    def heading(self) -> str:
        """The kind in words, how many rows it has, and since when the oldest is due."""
        return (
            f"{capital(self.words)}: {len(self.rows) + self.more:,} in "
            f"{counted(self.episodes, 'episode')}, the first due {self.rows[0].due}"
        )


def by_kind(rows: Sequence[Expected], *, whole: bool = False) -> list[ExpectedKind]:
    """What is expected, kind by kind, the one with the oldest row first; of each the oldest rows, or all."""
    found: dict[AbsentKind, list[Expected]] = {}
    for row in sorted(rows, key=lambda row: row.due):
        found.setdefault(row.kind, []).append(row)
    return [
        ExpectedKind(WORDS[kind], tuple(of_kind[:most]), len(of_kind[most:]), len({row.episode for row in of_kind}))
        for kind, of_kind in found.items()
        for most in (len(of_kind) if whole else FIRST_SHOWN,)
    ]
