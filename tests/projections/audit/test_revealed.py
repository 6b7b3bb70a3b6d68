"""Days that were known at an instant as they are today: said without judging, and never of others."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from ledger.book import load_book
from ledger.day_set import OPEN_END
from ledger.judge.causes import causes
from ledger.judge.patients import by_episode
from projections.audit.known_today import Judged
from projections.audit.said_of_days import said_of
from projections.reading.as_known import JudgedPatient, everyone_judged
from projections.words import verdict_text
from tests.harness import book_of, typed
from tests.histories import history
from tests.stories import Course
from tests.tiers import many


@pytest.mark.parametrize("seed", range(many(40, 600)))
def test_what_is_said_to_be_as_it_was_was_so(seed: int) -> None:
    assert _asked(seed)["other"] == 0


def test_it_is_said_of_many_days_and_not_of_all() -> None:
    asked = sum((_asked(seed) for seed in range(12)), Counter[str]())
    assert asked["same"] > 300
    assert asked["not said"] > 300


def rests_on(judged: JudgedPatient, episode: str) -> dict[int, tuple[str, ...]]:
    """The causes of each day."""
    case = judged.case(episode)
    verdicts = {on: case.verdict_on(on) for on in range(case.calendar.first, case.calendar.last + 1)}
    return {on: tuple(causes(case, judged.others(case), on, said)) for on, said in verdicts.items() if said}


def _asked(seed: int) -> Counter[str]:
    """Every day of a random history at some instants: known to be the same, in truth another, or not said."""
    rng = Random(seed)
    told, tables = history(rng, house=False)
    entries, book = typed(told), book_of(tables)
    streams = by_episode(entries)
    today = Judged(streams, book)
    now = everyone_judged(streams, book)
    for patient in {id(judged): judged for judged in now.values()}.values():
        today.take(patient.cases)
    found = Counter[str]()
    for entry in rng.sample(entries, min(6, len(entries))):
        at = entry.recorded_at + timedelta(seconds=rng.choice([0, 1]))
        then = everyone_judged(streams, book, at)
        for name, judged in now.items():
            was = said_of(then[name].case(name), verdict_text, by_number=False) if name in then else None
            rested = rests_on(then[name], name) if name in then else {}
            calendar = judged.case(name).calendar
            for on in range(calendar.first, calendar.last + 1):
                assert (on <= today.until(at)) == (today.since(on) <= at)
                if on > today.until(at):
                    found["not said"] += 1
                    continue
                said = today.said(name, on)
                same = (said and said.verdict) == (was and was.on(on)) and today.causes(name, on) == rested.get(on, ())
                found["same" if same else "other"] += 1
    return found


def test_of_dates_whose_terms_were_published_since_nothing_is_said() -> None:
    streams, book = by_episode(typed(Course("prairie-blue", "2026-09").told)), load_book()
    payer = book.payers["prairie-blue"]
    newer = replace(payer.terms[-1], from_=date(2090, 5, 1), published=date(2080, 1, 1))
    later = book.but(payers=[replace(payer, terms=(*payer.terms, newer))])
    today = Judged(streams, later)
    for judged in everyone_judged(streams, later).values():
        today.take(judged.cases)
    before, after = (datetime(2080, 1, day, tzinfo=UTC) for day in (1, 2))
    assert date.fromordinal(today.until(before - timedelta(days=1))) == date(2090, 4, 30)
    assert today.until(after) == OPEN_END
