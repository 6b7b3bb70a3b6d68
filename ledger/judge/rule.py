"""What a step of the rulebook is: a test, the verdicts it gives, their causes, and what it establishes of a day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from ledger.day_set import Days
from ledger.facts.entry import Entry

Failed = Iterator[tuple[str, Days]]
"""The reasons of a step's verdicts, each with the days that fail by it; a day counts where it comes first."""
Test = Callable[[Any, Days, Sequence[Any]], Failed]
"""(case, the days still standing, others) -> the days that fail, standing or not. A case (``case.py``) has verdicts, so
that it cannot be named here."""
Causes = Callable[[Any, int, Sequence[Any]], Sequence[Entry]]
"""(case, date, others) -> the entries that the step rests on for the date, the decisive ones first."""
Carrying = Mapping[type[Any], Callable[[Any, int, Any], bool]]
"""The kinds of fact that a step asks for, each with: (case, date, what of it was taken back) -> whether it would have
spoken for the date."""
Established = Literal["payer", "terms", "code"]
"""What a day has from the step on that finds it."""


class Verdict(NamedTuple):
    """The words of a verdict, and the step that gave it; a billable day has passed them all."""

    step: Step
    status: str
    reason: str | None

    @property
    def words(self) -> str:
        """The verdict as the rulebook writes it: ``hold plan_missing``, ``billable``."""
        return f"{self.status} {self.reason}" if self.reason else self.status

    @property
    def is_billable(self) -> bool:
        """Whether its days go on a claim line."""
        return self.status == "billable"

    @property
    def is_clash(self) -> bool:
        """Whether its days have their one code, and something of the patient's stands against it."""
        return self.status == "conflict" and self.names_code

    @property
    def names_payer(self) -> bool:
        """Whether its days have come far enough to have a payer."""
        return "payer" in self.step.known

    @property
    def names_terms(self) -> bool:
        """Whether its days have come far enough to be read against terms."""
        return "terms" in self.step.known

    @property
    def names_code(self) -> bool:
        """Whether its days have come far enough to have one code."""
        return "code" in self.step.known


@dataclass(eq=False, repr=False)
class Step:
    """A row of the table in rulebook section 4: its test, and the verdicts it ``gives`` as the last column has them.

    ``carried`` are the kinds of fact that speak for a day before it, to be found among what was taken back;
    ``only_with`` finds in a case what has to be there for any day to fail: most patients have no death, stay or hold.

    Its number, and what the steps before it establish, come from its place in the table (``in_order``).
    """

    test: Test
    gives: str
    causes: Causes
    carried: Carrying = field(default_factory=dict)
    establishes: Established | None = None
    only_with: Callable[[Any], object] | None = None
    number: int = field(default=0, init=False)
    known: frozenset[Established] = field(default=frozenset(), init=False)
    verdicts: dict[str, Verdict] = field(init=False)

    def __post_init__(self) -> None:
        self.verdicts = {}
        for words in self.gives.split("; "):
            status, _, reason = words.partition(" ")
            self.verdicts[reason] = Verdict(self, status, reason or None)

    @property
    def name(self) -> str:
        """Its lasting name, the words of its verdicts; the number may change by edition."""
        return ", ".join(verdict.reason or verdict.status for verdict in self.verdicts.values())

    def __repr__(self) -> str:
        return f"<step {self.number}: {self.name}>"


def in_order(*steps: Step) -> tuple[Step, ...]:
    """A table of steps: each gets its number, and knows what those before it establish."""
    known: frozenset[Established] = frozenset()
    for number, step in enumerate(steps, 1):
        step.number, step.known = number, known
        if step.establishes:
            known |= {step.establishes}
    return steps
