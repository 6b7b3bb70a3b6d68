"""The answer to ``why`` for a person's terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from projections.tables import WIDEST, folded
from projections.why.evidence import EvidenceShown
from projections.why.why import TermsShown, Why
from projections.words import COUNTED, listed, minute

_SAYS: Final = 38
"""The column in which it is said what a step found."""
_MARKS: Final = {"passed": "✓", "failed": "✗", "not_asked": "·", "not_reached": "–"}


def render_why(answer: Why, widest: int = WIDEST) -> str:
    """The answer for a person's terminal: sentence, steps, evidence, terms, and what would turn it."""
    return "\n".join(_rendered(answer, widest))


def _rendered(answer: Why, widest: int) -> Iterator[str]:
    yield answer.sentence
    if answer.steps:
        yield ""
        for step in answer.steps:
            line = f"{step.step:>4} {_MARKS[step.result]} {step.test:<30} {step.says}".rstrip()
            yield from folded(line, _SAYS, widest)
    yield from _evidence(answer)
    if answer.terms:
        yield from _cited(answer.terms)
    if answer.flip:
        yield f"\nWhat would change it\n     {answer.flip.sentence}"


def _evidence(answer: Why) -> Iterator[str]:
    steps: dict[EvidenceShown, list[int]] = {}
    for step in answer.steps:
        for shown in step.evidence:
            steps.setdefault(shown, []).append(step.step)
    if steps:
        yield "\nEvidence"
    for shown, rested in steps.items():
        elsewhere = f" in {shown.episode}" if shown.episode != answer.episode else ""
        recorded = f"by {shown.by}, recorded {minute(shown.recorded_at)}"
        yield f"     {shown.label} ({shown.type}){elsewhere} {recorded}"
        yield f"         step{'s' if len(rested) > 1 else ''} {', '.join(map(str, rested))}: {shown.says}"


def _cited(terms: TermsShown) -> Iterator[str]:
    dates = f"from {terms.from_}, published {terms.published}, checked {terms.checked}"
    asked = (
        listed(word.replace("_", " ") for word in terms.documentation) if terms.documentation else "no documentation"
    )
    yield f"\nTerms of {terms.payer_name} {dates}"
    codes = "S9325 for every mode" if terms.pain_code == "general" else "a code for each mode"
    yield f"     counts {COUNTED[terms.day_counting]}, pays {codes}, asks for {asked}"
    yield f"     source: {terms.source}"
