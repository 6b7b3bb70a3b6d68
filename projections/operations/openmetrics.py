"""The status of a ledger as OpenMetrics, for scrapers: numbers and words of small sets, nobody's name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from projections.operations.status import StatusRow

_PREFIX: Final = "episode_ledger"


def exposition(row: StatusRow) -> str:
    """The text that a scraper takes."""
    return "\n".join((*_lines(row), "# EOF", ""))


def _lines(row: StatusRow) -> Iterator[str]:
    yield f"# TYPE {_PREFIX} info"
    yield f"# HELP {_PREFIX} Which ledger it is, by what it is judged."
    yield _sample("info", {"ledger": row.ledger_id, "code_version": row.code_version, "book_hash": row.book_hash}, 1)
    yield from _gauge("position", "The position of the last entry.", {"": row.position})
    yield from _gauge("read_model_position", "The position the rows stand for.", {"": row.read_model_position})
    yield from _gauge("lag_entries", "How far the rows were behind before this was asked.", {"": row.lag})
    yield from _gauge("days", "Service dates by verdict.", row.verdicts, ("status", "reason"))
    yield from _gauge("findings", "Findings by level and rule.", row.findings, ("level", "rule"))
    yield from _gauge("patients_set_aside", "Patients who are in no report.", {"": len(row.set_aside)})
    yield from _gauge("months_closed_otherwise", "Months that another judge closed.", {"": len(row.closed_otherwise)})


def _gauge(name: str, about: str, counted: Mapping[str, int], labels: tuple[str, ...] = ()) -> Iterator[str]:
    yield f"# TYPE {_PREFIX}_{name} gauge"
    yield f"# HELP {_PREFIX}_{name} {about}"
    for words, number in counted.items():
        said = dict(zip(labels, [*words.split(" "), ""], strict=False))
        yield _sample(name, {label: word for label, word in said.items() if word}, number)


def _sample(name: str, labels: Mapping[str, str], number: int) -> str:
    told = ",".join(f'{label}="{_escaped(word)}"' for label, word in labels.items())
    return f"{_PREFIX}_{name}{{{told}}} {number}" if told else f"{_PREFIX}_{name} {number}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
