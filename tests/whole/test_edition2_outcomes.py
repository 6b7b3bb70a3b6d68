"""Small histories that edition 1 took as they came, and how each line of them is answered (``golden/edition2``)."""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from commands.writing.record import Outcome, record
from tests import GOLDENS
from tests.stores import open_ledger

FOLDER = GOLDENS / "edition2"
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def lines_of(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def send(folder: Path, lines: list[dict[str, Any]]) -> list[Outcome]:
    file = BytesIO("\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode())
    with open_ledger(folder / "ledger.db", create=True) as ledger:
        return list(record(ledger, file, keep_recorded_at=True, clock=lambda: NOW))


def changed(lines: list[dict[str, Any]], place: int, **fields: Any) -> list[dict[str, Any]]:
    return [line | {"fact": line["fact"] | fields} if at == place else line for at, line in enumerate(lines)]


CODES = {
    "10-served-in-the-future": [None] * 14 + ["told_ahead"],
    "11-zone-EST": ["malformed"] + ["not_opened"] * 4,
    "13-look-alike-patients": [None] * 6 + ["malformed"] + ["not_opened"] * 5,
    "22-colon-in-source": [None, None, None, "malformed", None],
    "23-dates-before-2000": [None] * 6,
    "28-year-typed-wrong": [None] * 7,
}


@pytest.mark.parametrize("name", CODES)
def test_each_line_is_answered_so(name: str, tmp_path: Path) -> None:
    lines = lines_of(name)
    assert [outcome.code for outcome in send(tmp_path, lines)] == CODES[name]
    again = ["duplicate" if code is None else "refused" for code in CODES[name]]
    assert [outcome.outcome for outcome in send(tmp_path, lines)] == again


def message(folder: Path, lines: list[dict[str, Any]]) -> str:
    """The one message there is."""
    (found,) = [outcome.message for outcome in send(folder, lines) if outcome.message]
    return found


def test_the_day_told_ahead_may_be_sent_when_it_has_come(tmp_path: Path) -> None:
    lines = lines_of("10-served-in-the-future")
    says = "with a recorded_at from then on."
    assert message(tmp_path, lines).endswith(says)
    later = lines[-1] | {"recorded_at": "2026-12-01T06:00Z"}
    with open_ledger(tmp_path / "ledger.db", create=False) as ledger:
        told = BytesIO(json.dumps(later).encode())
        (outcome,) = record(ledger, told, keep_recorded_at=True, clock=lambda: datetime(2026, 12, 2, tzinfo=UTC))
    assert outcome.outcome == "recorded"


def test_the_zone_that_is_meant_is_named(tmp_path: Path) -> None:
    assert '"America/New_York"' in str(send(tmp_path, lines_of("11-zone-EST"))[0].message)


def test_the_message_says_what_is_wrong_with_a_name_that_only_looks_the_same(tmp_path: Path) -> None:
    lines = lines_of("13-look-alike-patients")
    assert unicodedata.normalize("NFC", lines[6]["fact"]["patient"]) == lines[0]["fact"]["patient"]
    says = send(tmp_path, lines)[6].message
    assert "fact.patient: expected text in Unicode normal form NFC" in str(says)


LOOK_ALIKES = {
    " José": "no space at either end", "José ": "no space at either end", "Jos\u200bé": "invisible characters",
    "Jos\u00adé": "invisible characters", "\ufeffJosé": "invisible characters", "Jos\u00a0é": "plain spaces only",
    "Jos\u2028é": "line and paragraph separators", "Jos\te": "control characters", "Jos\ue000": "private use",
}  # fmt: skip


@pytest.mark.parametrize("patient", LOOK_ALIKES, ids=ascii)
def test_each_way_to_look_alike_is_refused_and_said(patient: str, tmp_path: Path) -> None:
    lines = changed(lines_of("13-look-alike-patients"), 6, patient=patient)
    outcome = send(tmp_path, lines)[6]
    assert outcome.code == "malformed"
    assert LOOK_ALIKES[patient] in str(outcome.message)
    assert patient.strip() not in str(outcome.message)


def test_an_end_at_the_end_of_time_is_to_be_left_out(tmp_path: Path) -> None:
    for number, to in enumerate(("9999-12-31", "2099-12-31")):
        folder = tmp_path / str(number)
        folder.mkdir()
        for place in (2, 3):
            lines = changed(lines_of("23-dates-before-2000")[:4], place, to=to)
            says = message(folder, [line | {"episode": f"EP-{place}"} for line in lines])
            assert says.startswith(f"line {place + 1}: fact.to: expected a date before 2099, or no `to` at all")
            assert "leave it out" in says


def test_a_year_typed_wrong_is_refused_where_it_lies_ahead(tmp_path: Path) -> None:
    lines = changed(lines_of("28-year-typed-wrong"), 6, date="2062-10-02")
    assert [outcome.code for outcome in send(tmp_path, lines)] == [None] * 6 + ["told_ahead"]
