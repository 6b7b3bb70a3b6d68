"""The days of a bundle: verdicts with their steps, and what was claimed; of the named episodes and nobody else.

An entry of another episode may decide a day. It is named by its position alone, and a sentence that would tell what it
says is put in general words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal

import msgspec

from ledger.facts.entry import Entry
from ledger.judge.case import Case
from ledger.judge.regions import JudgedDay, judged_days
from ledger.judge.rule import Step
from ledger.judge.steps import AFTER_DEATH, CLASH, INPATIENT, STEPS
from projections.audit.claimed_rows import ClaimedDay
from projections.page.days import ELSEWHERE
from projections.rows.day import DayRow, day_row
from projections.rows.day_run import day_cells
from projections.why.day_view import DayView
from projections.why.evidence import EvidenceShown
from projections.why.sentences import SENTENCES, Said
from projections.why.steps import StepShown, steps_shown

OTHER: Final = "an entry of another episode of the patient"

_PASSED_ELSEWHERE: Final = {
    AFTER_DEATH: "a death is recorded in another episode, not before the day",
    INPATIENT: "a stay is recorded in another episode, and does not take the day",
    CLASH: "a decision set another per diem of the patient aside",
}
"""What a passed step says instead where its details are those of an entry that is not inside."""


class BundledEvidence(msgspec.Struct, frozen=True, gc=False):
    """An entry that a step rested on: its position, and its ``source:id`` where it is inside."""

    position: int
    entry: str


class BundledStep(msgspec.Struct, frozen=True, gc=False):
    """A step of the rulebook: what it asked, what came out, and on which entries it rested."""

    step: int
    test: str
    result: Literal["passed", "failed", "not_asked", "not_reached"]
    says: str
    evidence: tuple[BundledEvidence, ...]


class BundledDay(DayRow, frozen=True, gc=False):
    """The row of a day as ``days`` prints it, and its steps."""

    steps: tuple[BundledStep, ...]


class Inside:
    """Which entries a bundle may name: those of its episodes in full, all others by position alone."""

    def __init__(
        self, episodes: Iterable[str], positions: Mapping[tuple[str, int], int], entries: Iterable[Entry]
    ) -> None:
        self.episodes = frozenset(episodes)
        self._positions = positions
        self._labelled: dict[str, list[Entry]] = {}
        for entry in entries:
            self._labelled.setdefault(entry.label, []).append(entry)

    def has(self, shown: EvidenceShown | Entry) -> bool:
        """Whether the entry is inside."""
        return shown.episode in self.episodes

    def evidence(self, shown: EvidenceShown) -> BundledEvidence:
        """An entry as a step names it."""
        position = self._positions[shown.episode, shown.version]
        return BundledEvidence(position, shown.label if self.has(shown) else OTHER)

    def names(self, entries: Iterable[Entry]) -> tuple[str, ...]:
        """The entries as a row names them, in their order, each once."""
        return tuple(dict.fromkeys(map(self._name, entries)))

    def of_labels(self, labels: Iterable[str]) -> tuple[str, ...]:
        """The entries behind labels, for rows that know no more: every entry that bears one."""
        return self.names(entry for label in labels for entry in self._labelled.get(label, ()))

    def _name(self, entry: Entry) -> str:
        if self.has(entry):
            return entry.label
        return f"{OTHER} (position {self._positions[entry.episode, entry.version]})"


def bundled_days(case: Case, others: Sequence[Case], inside: Inside) -> Iterator[BundledDay]:
    """Each day of a judged episode with its steps, in order."""
    for day, cells in zip(judged_days(case), day_cells(case, others), strict=True):
        view = DayView(case, others, day.date)
        shown = steps_shown(view, day.verdict, _because(view, day))
        row = msgspec.structs.asdict(day_row(cells)) | {
            "because": inside.names(view.deciding(day.verdict)),
            "steps": tuple(_step(*each, day, inside) for each in zip(STEPS, shown, strict=True)),
        }
        yield BundledDay(**row)


def _because(view: DayView, day: JudgedDay) -> str:
    return SENTENCES[day.verdict.words].because.format_map(Said(view, day))


def _step(step: Step, shown: StepShown, day: JudgedDay, inside: Inside) -> BundledStep:
    says = shown.says if all(map(inside.has, shown.evidence)) else _in_general(step, shown, day)
    evidence = tuple(map(inside.evidence, shown.evidence))
    return msgspec.convert(
        {"step": shown.step, "test": shown.test, "result": shown.result, "says": says, "evidence": evidence},
        BundledStep,
    )


def _in_general(step: Step, shown: StepShown, day: JudgedDay) -> str:
    """The sentence of a step without the details of entries that are not inside."""
    if shown.result == "failed":
        general = ELSEWHERE.get(str(day.verdict.reason))
        return shown.says if general is None else general.format(code=day.code)
    return _PASSED_ELSEWHERE.get(step, shown.says)


def bundled_claims(days: Iterable[ClaimedDay], inside: Inside) -> Iterator[ClaimedDay]:
    """The claimed days of the named episodes."""
    for day in days:
        yield msgspec.structs.replace(day, revealed_by=inside.of_labels(day.revealed_by))
