"""Findings on checks: many at random, beside the plain model, and in whatever order they were recorded."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from random import Random
from typing import Any

import msgspec

from ledger.facts.administration import PaymentReceived
from ledger.judge.checks import CHECK_RULES, ReceivedCheck, find_in_checks, says_something
from tests.histories import checks
from tests.plain_model.findings_checks import findings_of_house

AT = "2026-12-31T00:00:00Z"


def received(told: list[dict[str, Any]]) -> Iterator[ReceivedCheck]:
    for position, check in enumerate(told, 1):
        more = {"received_at": AT, "file": "", "nonce": ""}
        yield ReceivedCheck(position, msgspec.convert(check | more, PaymentReceived))


def found(told: list[dict[str, Any]]) -> list[tuple[str, int, str]]:
    rows = find_in_checks(received(told))
    return sorted((row.rule, row.dates[0], dict(row.about)["payment"]) for row in rows)


def test_checks_are_judged_as_the_plain_model_judges_them_in_any_order() -> None:
    rules = set[str]()
    for seed in range(400):
        rng = Random(seed)
        told = checks(rng)
        lines = [{"episode": "", "source": "house", "id": "", "recorded_at": AT, "fact": check} for check in told]
        plain = findings_of_house(lines, None)
        ours = found(told)
        rules |= {rule for rule, *_ in ours}
        assert [(rule, date.fromordinal(on).isoformat()) for rule, on, _ in ours] == sorted(
            (row["rule"], row["dates"][0]) for row in plain
        )
        assert found(rng.sample(told, len(told))) == ours
        silent = [check for check in received(told) if not says_something(check.act)]
        assert find_in_checks(silent) == []
    assert rules == {rule.name for rule in CHECK_RULES}
