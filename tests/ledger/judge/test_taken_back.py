"""What a retraction or a correction took away is a cause of what is left without it (contract section 2, because)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

from ledger.book import Book
from ledger.facts import events as ev
from ledger.facts.entry import Entry, statement_of
from ledger.facts.liveness import taken_back
from ledger.judge.causes import causes
from ledger.judge.patients import by_episode, gather
from ledger.judge.regions import judged_days
from ledger.judge.steps import NOT_SERVED, judge
from ledger.judge.taken_back import may_have_served, takers
from projections.why.flip import with_fact
from tests.chains import OPENING, corrects, retracts, served, stream
from tests.harness import book_of, typed
from tests.histories import history
from tests.tiers import many

SEEDS = many(120, 300)
INDIRECT = (ev.CoverageVerified, ev.CoverageEnded, ev.EpisodeOpened)
"""Another payer or another zone asks for other things: no record of the day was taken away."""

Judged = dict[tuple[str, int], tuple[int, bool, list[str]]]
"""Episode and date -> the step that gave the verdict, whether the day is billable, its causes."""


def taken(**facts: ev.Event) -> list[tuple[str, list[str]]]:
    return [(each.entry.id, [by.id for by in each.by]) for each in taken_back(stream(open=OPENING, **facts))]


def test_what_is_retracted_or_corrected_names_what_took_it_back() -> None:
    assert taken(a=served(2), b=served(3)) == []
    assert taken(a=served(2), r=retracts("a")) == [("a", ["r"])]
    assert taken(a=served(2), c=corrects("a", served(3))) == [("a", ["c"])]
    assert taken(a=served(2), r=retracts("a"), q=retracts("r")) == []


def test_a_chain_names_the_correction_that_stands_and_every_retraction() -> None:
    chain = {"a": served(2), "c": corrects("a", served(3)), "d": corrects("c", served(4))}
    assert taken(**chain) == [("a", ["d"]), ("c", ["d"])]
    assert taken(**chain, r=retracts("d")) == [("a", ["c"]), ("d", ["r"])]
    assert taken(**chain, r=retracts("a")) == [("a", ["r", "d"]), ("c", ["d"])]


def judged(streams: dict[str, list[Entry]], book: Book) -> Judged:
    found: Judged = {}
    for patient in gather(streams):
        cases = judge(patient, book)
        for case in cases:
            others = [other for other in cases if other is not case]
            for day in judged_days(case):
                because = causes(case, others, day.date, day.verdict)
                found[case.episode.name, day.date] = day.verdict.step.number, day.is_billable, because
    return found


def test_what_would_bring_a_day_further_if_it_were_undone_is_among_its_causes() -> None:
    met: Counter[str] = Counter()
    for seed in range(SEEDS):
        told, tables = history(Random(seed))
        streams, book = by_episode(typed(told)), book_of(tables)
        mending = [entry for entry in typed(told) if isinstance(entry.fact, ev.FactRetracted | ev.FactCorrected)]
        before = judged(streams, book) if mending else {}
        last = max(entries[-1].recorded_at for entries in streams.values())
        for entry in mending:
            target = next(e for e in streams[entry.episode] if _is_target(entry, e))
            if not isinstance(statement_of(target), INDIRECT) and not isinstance(statement_of(entry), INDIRECT):
                undo = ev.FactRetracted(entry.source, entry.id, "undone")
                changed = with_fact(streams[entry.episode], undo, last + timedelta(seconds=1))
                after = judged(streams | {entry.episode: changed}, book)
                for place, (step, is_billable, because) in before.items():
                    if not is_billable and place in after and after[place][0] > step and place[0] == entry.episode:
                        assert entry.label in because, (seed, entry, place)
                        met[type(entry.fact).__name__] += 1
    assert all(met[kind] > SEEDS / 6 for kind in ("FactRetracted", "FactCorrected")), met


def _is_target(entry: Entry, other: Entry) -> bool:
    fact = entry.fact
    assert isinstance(fact, ev.FactRetracted | ev.FactCorrected)
    return (other.source, other.id) == (fact.target_source, fact.target_id)


def test_on_other_dates_nothing_that_was_taken_back_would_have_carried_the_day() -> None:
    asked: Counter[str] = Counter()
    verdict = NOT_SERVED.verdicts["not_served"]
    for seed in range(120):
        told, tables = history(Random(seed))
        book = book_of(tables)
        for patient in gather(by_episode(typed(told))):
            for case in judge(patient, book) if patient.taken else ():
                for regime in case.regimes:
                    may = may_have_served(case, regime.terms)
                    for date in case.calendar.dates(regime.days):
                        is_taken = bool(takers(case, date, verdict))
                        assert not is_taken or may & case.calendar.day(date)
                        asked[f"{regime.terms.day_counting} {is_taken} {bool(may & case.calendar.day(date))}"] += 1
    for counting in ("access", "course", "infused", "rolling_24h"):
        assert asked[f"{counting} True True"], asked
        assert asked[f"{counting} False False"], asked
