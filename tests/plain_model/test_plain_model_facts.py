"""The plain model on sections 2, 3 and 6: which facts count, which terms are known, how lines are packed."""

from __future__ import annotations

from typing import Any

from tests.plain_history import SOUTH, History, billable, book, edition, november
from tests.plain_model import Derived, derive


def test_terms_published_later_are_not_known_before_and_lines_break_at_their_start() -> None:
    history = History().open()
    history.order(from_="2026-11-02", mode="continuous")
    history.serve("2", "3", "4", "5")
    late = edition(**{"from": "2026-11-04", "published": "2026-12-20", "pain_code": "specific"})
    reference = book(edition(), late)
    assert [(row["from"], row["units"], row["code"]) for row in derive(history.entries, reference).lines] == [
        ("2026-11-02", 2, "S9325"),
        ("2026-11-04", 2, "S9326"),
    ]
    early = derive(history.entries, reference, "2026-12-20T00:30+01:00").lines
    assert [(row["from"], row["units"], row["charge_cents"]) for row in early] == [("2026-11-02", 4, 36000)]
    assert (
        derive(history.entries, reference, "2026-12-20T00:00:00.5Z").lines == derive(history.entries, reference).lines
    )
    assert derive(history.entries, reference, "2026-09-01T00:00Z") == Derived([], [], [])


def test_lines_break_at_the_month_and_at_their_longest() -> None:
    history = History().open()
    history.order()
    history.serve("2026-10-30", "2026-10-31", "1", "2", "3")

    def spans(**changes: Any) -> list[tuple[str, str]]:
        return [(row["from"][5:], row["to"][5:]) for row in history.derive(**changes).lines]

    assert spans() == [("10-30", "10-31"), ("11-01", "11-03")]
    assert spans(split_on_month=False, line_max_days=4) == [("10-30", "11-02"), ("11-03", "11-03")]
    assert len(spans(line_style="per_day")) == 5


def test_a_chain_of_corrections_stands_by_the_last_one_not_retracted() -> None:
    history = History().open()
    history.order(from_="2026-11-01")
    first = history.add("DayServed", order="RX", date="2026-11-02")
    assert billable(history.derive()) == november(2)
    second = history.correct(first, "DayServed", order="RX", date="2026-11-03")
    third = history.correct(first, "DayServed", order="RX", date="2026-11-04")
    assert billable(history.derive()) == november(4)
    history.retract(second)
    assert billable(history.derive()) == november(4)
    undone = history.retract(third)
    assert billable(history.derive()) == november(2)
    history.retract(undone)
    assert billable(history.derive()) == november(4)
    history.retract(first)
    assert billable(history.derive()) == november(4)
    history.retract(third)
    assert billable(history.derive()) == []


def test_a_corrected_opening_moves_the_episode_until_the_correction_is_retracted() -> None:
    history = History().open()
    history.order(from_="2026-11-02")
    history.serve("2")
    moved = history.correct("1", "EpisodeOpened", patient="P9", provider=SOUTH, zone="Europe/Berlin")
    assert {row["patient"] for row in history.derive().days} == {"P9"}
    history.retract(moved)
    assert {row["patient"] for row in history.derive().days} == {"P1"}
