"""What a scenario expects, held against the rows of whatever derived them."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import pytest

from tests.scenario_language import ALL_PASSED, STEP_OF, Scenario, scenarios

ALL = scenarios()

Row = dict[str, Any]


def by_name(chosen: list[Scenario]) -> list[Any]:
    """The scenarios as parameters, their sentences as ids."""
    return [pytest.param(scenario, id=scenario.id) for scenario in chosen]


def normal(value: Any) -> Any:
    """Dates as text, tuples and sets as lists: rows compare whatever an engine builds them from."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [normal(item) for item in value]
    return value


def rows(found: Any) -> list[Row]:
    """An engine's rows with comparable values."""
    return [{name: normal(value) for name, value in row.items()} for row in found]


def day_as_expected(row: Row, expected: Row) -> Row:
    """The parts of a day's row that the scenario speaks about."""
    named = {
        "auth": row["authorization"],
        "payer": row["payer"],
        "rate": str(row["rate_cents"]),
        "terms": "/".join(
            str(row[name]) for name in ("terms_from", "terms_published")[: expected.get("terms", "").count("/") + 1]
        ),
        "member": row["member"],
        "provider": row["provider"],
        "place": row["place_of_service"],
        "mod": row["modifiers"],
    }
    plain = {name: row[name] for name in ("status", "reason", "code")}
    return plain | {name: value for name, value in named.items() if name in expected}


def check_days(scenario: Scenario, found: list[Row]) -> None:
    """Every day of the named episodes has the expected verdict, and there is no other day."""
    assert scenario.days is not None
    actual = {(row["episode"], row["date"]): row for row in found if row["episode"] in scenario.episodes}
    nothing: Row = {}
    said = {day: day_as_expected(row, scenario.days.get(day, nothing)) for day, row in actual.items()}
    wanted = {
        day: {name: value if value != "-" else None for name, value in expected.items()}
        for day, expected in scenario.days.items()
    }
    assert said == wanted


def check_nulls(found: list[Row]) -> None:
    """A row says no more than its verdict knows: payer, terms and code past the steps that find them."""
    payer, terms, code = (STEP_OF[reason] for reason in ("payer_excludes_s_codes", "no_terms", "specific_pair"))
    for row in found:
        step = STEP_OF[row["reason"]] if row["reason"] else ALL_PASSED
        assert (row["reason"] is None) == (row["status"] == "billable"), row
        assert (row["payer"] is not None) == (step > payer) == (row["member"] is not None), row
        assert (row["terms_from"] is not None) == (step > terms) == (row["terms_published"] is not None), row
        assert (row["provider"] is not None) == (step > terms) == (row["place_of_service"] is not None), row
        assert (row["rate_cents"] is not None) == (row["status"] == "billable"), row
        assert (row["modifiers"] is not None) == (row["status"] == "billable"), row
        assert row["authorization"] is None or row["status"] == "billable", row
        if step != code:
            assert (row["code"] is not None) == (step > code), row


def check_unpacking(days: list[Row], lines: list[Row]) -> None:
    """Unpacking the lines gives back exactly the billable days."""
    billable = Counter((row["episode"], row["date"]) for row in days if row["status"] == "billable")
    unpacked: Counter[tuple[str, str]] = Counter()
    for line in lines:
        first, last = date.fromisoformat(line["from"]), date.fromisoformat(line["to"])
        span = (last - first).days + 1
        assert (line["units"], line["expected_cents"]) == (span, span * line["rate_cents"]), line
        unpacked.update((line["episode"], (first + timedelta(days=n)).isoformat()) for n in range(span))
    assert unpacked == billable


def finding_as_expected(row: Row) -> Row:
    """A finding without its causes and its sentence."""
    return {name: row[name] for name in ("rule", "level", "patient", "episodes", "dates", "codes")}


def line_as_expected(row: Row, expected: Row) -> Row:
    """The parts of a claim line that the scenario speaks about."""
    said = row | {
        "auth": row["authorization"],
        "terms": row["terms_from"],
        "place": row["place_of_service"],
        "charge": str(row["charge_cents"]),
        "mod": row["modifiers"],
    }
    return {name: said[name] for name in expected}


def check_lines(scenario: Scenario, found: list[Row]) -> None:
    """The claim lines are the expected ones, in order."""
    assert scenario.lines is not None
    assert len(found) == len(scenario.lines), found
    said = [line_as_expected(row, expected) for row, expected in zip(found, scenario.lines, strict=True)]
    assert said == scenario.lines


def ordered(found: list[Row]) -> list[Row]:
    """Findings by rule, patient and first date, then whatever makes the order total."""
    return sorted(found, key=lambda row: (row["rule"], row["patient"], row["dates"], row["episodes"], row["codes"]))


def check(scenario: Scenario, found: Any) -> None:
    """Everything a scenario expects of days, findings and lines."""
    days, findings, lines = rows(found.days), rows(found.findings), rows(found.lines)
    if scenario.days is not None:
        check_days(scenario, days)
    if scenario.billable is not None:
        counts = Counter(row["episode"] for row in days if row["status"] == "billable")
        assert {episode: counts[episode] for episode in scenario.billable} == scenario.billable
    if scenario.findings is not None:
        assert ordered([finding_as_expected(row) for row in findings]) == ordered(scenario.findings)
    if scenario.lines is not None:
        check_lines(scenario, lines)
    check_nulls(days)
    check_unpacking(days, lines)


def check_outcomes(scenario: Scenario, outcomes: list[Row]) -> None:
    """Each line told was answered as expected, and an answer has the parts that belong to it."""
    said = [" ".join(filter(None, (row["outcome"], row["code"]))) for row in outcomes]
    assert said == ["recorded"] * len(scenario.prelude) + scenario.expected_outcomes()
    for row in outcomes:
        assert (row["position"] is not None) == (row["outcome"] == "recorded"), row
        assert (row["message"] is not None) == (row["outcome"] == "refused"), row


def check_because(scenario: Scenario, found: list[Row]) -> None:
    """The causes of a day are those a biller would name."""
    causes = {(row["episode"], row["date"]): row["because"] for row in rows(found)}
    for episode, day, word, labels in scenario.because:
        said = causes[episode, day]
        assert len(set(said)) == len(said), said
        if word == "starts":
            assert said[: len(labels)] == labels
        elif word == "includes":
            assert set(labels) <= set(said)
        elif word == "excludes":
            assert not set(labels) & set(said)
        elif word == "only":
            assert set(labels) == set(said)
        else:
            assert (word, said) == ("empty", [])
