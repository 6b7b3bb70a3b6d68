"""What is added up of an episode is what counting it all anew would give."""

from __future__ import annotations

import random

from ledger.judge.tally import Spans


def test_spans_hold_the_dates_that_were_added_and_join_where_they_touch() -> None:
    chance = random.Random(5)
    for _ in range(300):
        spans, dates = Spans(), set[int]()
        for _ in range(chance.randint(1, 12)):
            first = chance.randint(1, 40)
            last = first + chance.randint(-2, 9)
            spans.add(first, last)
            dates |= set(range(first, last + 1))
        assert [date for first, last in spans.spans for date in range(first, last + 1)] == sorted(dates)
        assert all(last + 1 < first for (_, last), (first, _) in zip(spans.spans, spans.spans[1:], strict=False))


def test_plans_that_follow_each_other_are_one_span_however_many() -> None:
    spans = Spans()
    for first in range(0, 6_000, 60):
        spans.add(first, first + 59)
    assert spans.spans == [(0, 5_999)]
