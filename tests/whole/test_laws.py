"""The laws that hold for every history: order of arrival, prefixes, retraction and restoration, packing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import permutations
from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.book import Book
from ledger.judge.case import Case
from ledger.judge.causes import causes, causes_by_date
from ledger.judge.clash import RULES, rule_between
from ledger.judge.lines import pack, unpack
from ledger.judge.patients import by_episode, gather
from ledger.judge.regions import judged_day, judged_days
from ledger.judge.steps import judge
from projections.rows.day_run import cells_on, day_cells
from tests.harness import book_of, instant, judge_entries, plain, typed
from tests.histories import history
from tests.plain_model.agree import differing, seeded
from tests.tiers import many

Entries = list[dict[str, Any]]

drawn = st.integers(0, 2**64 - 1).map(Random)
"""Quick and many; a failing seed is told. ``shrinkable`` is slow and few, but finds the smallest history."""
shrinkable = st.randoms(use_true_random=False)

LATEST = date.max.isoformat()
"""The last date of what is open."""


def same_rows(one: Any, other: Any) -> None:
    assert one.days == other.days
    assert one.findings == other.findings
    assert one.lines == other.lines


def without_recency(entries: Entries) -> Entries:
    """The history without what makes the order of arrival matter: corrections, what is told again, ends of coverage."""
    return [entry for entry in without_repeats(entries) if entry["fact"]["type"] != "CoverageEnded"]


def without_repeats(entries: Entries) -> Entries:
    """The history without corrections, and without what is told once more of a date that was told already: of such
    facts the one recorded last counts, and to retract it brings back another one."""
    kept: Entries = []
    seen: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for entry in entries:
        if entry["fact"]["type"] in ("FactRetracted", "FactCorrected"):
            continue
        found = [(key, span) for key, span in of_which_the_last_counts(entry)]
        if any(overlap(span, other) for key, span in found for other in seen.get(key, ())):
            continue
        for key, span in found:
            seen.setdefault(key, []).append(span)
        kept.append(entry)
    return kept


def of_which_the_last_counts(entry: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], tuple[str, str]]]:
    """What a fact says of which the last one recorded counts (rulebook, sections 2 and 4), each with its dates."""
    fact, episode = entry["fact"], entry["episode"]
    kind, span = fact["type"], (fact.get("from", ""), fact.get("to", LATEST))
    if kind == "TherapyOrdered":
        yield (episode, kind, fact["order"]), span
    elif kind == "AuthorizationGranted":
        yield (kind, fact["payer"], fact["number"]), span
    elif kind == "TherapyRanked":
        yield (episode, kind), span
    elif kind == "ProviderChanged":
        yield (episode, kind), (fact["from"], fact["from"])
    elif kind == "CoverageVerified":
        yield (episode, kind, fact["payer"], str(fact.get("rank", 1))), (fact["from"], fact["from"])
    elif kind == "ClaimSubmitted":
        yield (episode, kind, fact["claim"]), ("", LATEST)
        if fact["frequency"] in "78" and "replaces" in fact:
            yield (episode, "replacement", fact["replaces"]), ("", LATEST)
    elif kind == "ConflictResolved":
        yield (episode, kind), (fact["date"], fact["date"])
    elif kind in ("HospitalAdmitted", "HospitalDischarged"):  # of one instant, also in another episode of the patient
        at = datetime.fromisoformat(fact["at"])
        on = (at.astimezone(UTC) if at.tzinfo else at).date().isoformat()  # told by date it is noon, of the same date
        yield (kind,), (on, on)
    elif kind in ("DayServed", "DaysServed") and "place_of_service" in fact:
        yield (episode, "place", kind), span if kind == "DaysServed" else (fact["date"], fact["date"])


def overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two spans share a date."""
    return one[0] <= other[1] and other[0] <= one[1]


def rearranged(entries: Entries, rng: Random) -> Entries:
    """The same facts arriving in another order, openings first; the clock stays where it is."""
    opened = [entry for entry in entries if entry["fact"]["type"] == "EpisodeOpened"]
    rest = [entry for entry in entries if entry["fact"]["type"] != "EpisodeOpened"]
    rng.shuffle(rest)
    clocks = [entry["recorded_at"] for entry in entries]
    claimed = {e["id"]: e["recorded_at"] for e in entries if e["fact"]["type"] == "ClaimSubmitted"}
    assert clocks == sorted(clocks)
    return [
        entry | {"recorded_at": claimed.get(entry["id"], clock)}
        for entry, clock in zip(opened + rest, clocks, strict=True)
    ]


@settings(max_examples=many(30, 150), deadline=None)
@given(drawn)
def test_every_order_of_arrival_gives_the_same_rows(rng: Random) -> None:
    entries, tables = history(rng)
    entries = without_recency(entries)
    book = book_of(tables)
    one, other = judge_entries(typed(rearranged(entries, rng)), book), judge_entries(typed(entries), book)
    assert (one.days, one.lines) == (other.days, other.lines)
    assert whenever_it_was_heard(one.findings) == whenever_it_was_heard(other.findings)


def whenever_it_was_heard(findings: Any) -> list[Any]:
    """The findings without those that say something was heard of too late: they go by the clock of the last entry."""
    return [found for found in findings if found["rule"] != "correction_window"]


@settings(max_examples=many(30, 150), deadline=None)
@given(drawn)
def test_what_was_known_at_an_instant_is_what_the_entries_up_to_it_say(rng: Random) -> None:
    entries, tables = history(rng, house=True)
    at = instant(rng.choice(entries)["recorded_at"])
    assert isinstance(at, datetime)
    book = book_of(tables)
    prefix = [entry for entry in entries if entry["recorded_at"] <= at.strftime("%Y-%m-%dT%H:%M:%SZ")]
    same_rows(judge_entries(typed(entries), book, at), judge_entries(typed(prefix), book.known(at.date())))


def naming(entry: dict[str, Any]) -> dict[str, Any]:
    return {"target_source": entry["source"], "target_id": entry["id"], "reason": "mistaken"}


@settings(max_examples=many(30, 150), deadline=None)
@example(Random(2859))  # what is retracted last moves the clock by which a payer takes corrections
@given(drawn)
def test_to_retract_and_then_retract_the_retraction_changes_nothing(rng: Random) -> None:
    entries, tables = history(rng, house=True)
    target = rng.choice([e for e in entries if e["episode"] and e["fact"]["type"] != "EpisodeOpened"])
    last = {"episode": target["episode"], "source": "law", "by": "x", "recorded_at": entries[-1]["recorded_at"]}
    retraction = last | {"id": "r1", "fact": {"type": "FactRetracted", **naming(target)}}
    restoration = last | {"id": "r2", "fact": {"type": "FactRetracted", **naming(retraction)}}
    book = book_of(tables)
    one, other = judge_entries(typed([*entries, retraction, restoration]), book), judge_entries(typed(entries), book)
    assert (one.days, one.lines) == (other.days, other.lines)
    assert whenever_it_was_heard(one.findings) == whenever_it_was_heard(other.findings)


@settings(max_examples=many(25, 150), deadline=None)
@given(drawn)
def test_a_correction_that_says_the_same_changes_only_what_was_recorded_last(rng: Random) -> None:
    entries, tables = history(rng)
    entries = without_recency(entries)
    target = rng.choice([entry for entry in entries if entry["fact"]["type"] != "ClaimSubmitted"])
    correction = {
        "episode": target["episode"], "source": target["source"], "id": target["id"] + "'", "by": "x",
        "recorded_at": entries[-1]["recorded_at"],
        "fact": {"type": "FactCorrected", **naming(target), "fact": target["fact"]},
    }  # fmt: skip
    book = book_of(tables)
    before, after = judge_entries(typed(entries), book), judge_entries(typed([*entries, correction]), book)
    assert plain(before.days) == plain(after.days)
    assert plain(whenever_it_was_heard(before.findings)) == plain(whenever_it_was_heard(after.findings))
    assert before.lines == after.lines


@settings(max_examples=many(25, 150), deadline=None)
@given(drawn)
def test_unpacking_the_lines_gives_back_exactly_the_billable_days(rng: Random) -> None:
    entries, tables = history(rng)
    for patient in gather(by_episode(typed(entries))):
        for case in judge(patient, book_of(tables)):
            days = judged_days(case)
            lines = pack(case)
            assert list(unpack(lines)) == [(d.date, d.payer, d.code) for d in days if d.is_billable]
            assert sum(line.units for line in lines) == sum(day.is_billable for day in days)
            assert sum(line.expected_cents for line in lines) == sum(day.rate_cents or 0 for day in days)


@settings(max_examples=many(30, 150), deadline=None)
@given(drawn)
def test_what_serves_most_days_is_looked_up_at_once_and_says_what_a_closer_look_says(rng: Random) -> None:
    entries, tables = history(rng)
    for patient in gather(by_episode(typed(entries))):
        for case in judge(patient, book_of(tables)):
            at_once = case.evidence.labels_by_date(*case.remaining) if len(case.remaining) == 1 else {}
            for day in judged_days(case):
                if day.is_billable and day.date in at_once:
                    assert at_once[day.date] == causes(case, (), day.date, day.verdict)


@settings(max_examples=many(30, 150), deadline=None)
@given(drawn)
def test_the_causes_of_all_dates_are_those_of_each(rng: Random) -> None:
    entries, tables = history(rng)
    for patient in gather(by_episode(typed(entries))):
        cases = judge(patient, book_of(tables))
        for case in cases:
            others = [other for other in cases if other is not case]
            days = judged_days(case)
            each = {d.date: causes(case, others, d.date, d.verdict) for d in days}
            assert causes_by_date(case, others) == each
            assert [judged_day(case, day.date) for day in days] == days
            assert [cells_on(case, others, day.date) for day in days] == day_cells(case, others)


@settings(max_examples=many(15, 100), deadline=None)
@given(shrinkable, st.booleans())
def test_the_judge_agrees_with_the_slow_plain_model(rng: Random, as_known: bool) -> None:
    assert not list(differing(rng, as_known))


SEEDS, PARTS = 40, 10
SETTLED = many(200, SEEDS * PARTS)
"""Of these histories some settle a conflict where it matters."""


@pytest.mark.parametrize("seed", range(SEEDS))
def test_the_judge_agrees_with_the_slow_plain_model_on_seeded_histories(seed: int) -> None:
    assert [seeded(seed * PARTS + part) for part in range(PARTS)] == [[]] * PARTS


def test_the_seeded_histories_settle_conflicts_beside_another_episode() -> None:
    """Of such days some are told apart: there the codes that lost would break another rule than the one that won."""
    beside = [pair for seed in range(SETTLED) for pair in settled_beside(*history(Random(seed)))]
    told_apart = [pair for pair in beside if pair[0] != pair[1]]
    assert len(beside) >= SETTLED // 80
    assert told_apart


def settled_beside(entries: Entries, tables: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """For each settled conflict on a day with one code of another episode: the rule that this code and the winning one
    break, and the first that it would break with each of the codes that were settled."""
    for patient in gather(by_episode(typed(entries))):
        cases = judge(patient, book_of(tables))
        for case, other in permutations(cases, 2):
            for day in case.episode.resolutions:
                won, among = codes_of(case, case.codes, day), codes_of(case, case.candidates, day)
                theirs = codes_of(other, other.codes, day)
                if won and theirs and len(among) > 1:
                    (winner,), (code,) = won, theirs
                    ranked = sorted((rule_between(code, each) for each in among), key=RULES.index)
                    yield rule_between(code, winner), ranked[0]


def codes_of(case: Case, codes: dict[str, int], day: int) -> list[str]:
    return [code for code, days in codes.items() if days & case.calendar.day(day)]


EXCLUSIONS = ("not_billable", "conflict")


@settings(max_examples=many(30, 150), deadline=None)
@example(Random(1446894108))  # the last day of another episode, far behind the clash, under `course`
@example(Random(749))  # a dose that a telling reached to the clash, and was not in force there
@given(drawn)
def test_the_causes_of_an_exclusion_or_conflict_name_what_alone_would_change_its_reason(rng: Random) -> None:
    """Retract one fact that excludes or clashes: if the day's verdict moves on, the fact was among its causes."""
    entries, tables = history(rng)
    entries = without_repeats(entries)
    target = rng.choice([entry for entry in entries if entry["fact"]["type"] in EXCLUDING])
    assert_named_where_it_matters(entries, book_of(tables), target)


def test_the_causes_of_a_clash_name_the_decisions_that_settled_what_stands_against_it() -> None:
    """The law above for each decision that bills a code: a random fact is rarely one."""
    mattered = 0
    for seed in range(SETTLED):
        entries, tables = history(Random(seed))
        entries, book = without_repeats(entries), book_of(tables)
        mattered += assert_named_where_it_matters(entries, book, *(e for e in entries if e["fact"].get("bill")))
    assert mattered >= SETTLED // 80


def assert_named_where_it_matters(entries: Entries, book: Book, *targets: dict[str, Any]) -> int:
    """Retract facts, each by itself; it was among the causes of each day whose verdict moves on. How many those are."""
    before = rows_by_day(entries, book) if targets else {}
    return sum(_named_where_it_matters(before, entries, book, target) for target in targets)


def rows_by_day(entries: Entries, book: Book) -> dict[tuple[str, str], Any]:
    return {(row["episode"], row["date"]): row for row in judge_entries(typed(entries), book).days}


def _named_where_it_matters(
    before: dict[tuple[str, str], Any], entries: Entries, book: Book, target: dict[str, Any]
) -> int:
    reasons = reasons_of(target["fact"])
    excluded = {k: r for k, r in before.items() if r["status"] in EXCLUSIONS and r["reason"] in reasons}
    if not excluded:
        return 0
    retraction = {
        "episode": target["episode"], "source": "law", "id": "r", "by": "x", "recorded_at": entries[-1]["recorded_at"],
        "fact": {"type": "FactRetracted", **naming(target)},
    }  # fmt: skip
    after = rows_by_day([*entries, retraction], book)
    gone = {date for _, date in before.keys() - after.keys()}  # the last that was told of an episode: it ended earlier
    moved = [
        row
        for key, row in excluded.items()
        if key[1] not in gone
        if key in after and (after[key]["status"], after[key]["reason"]) != (row["status"], row["reason"])
        if not _says_how_far_a_dose_reached(target, row, entries)
    ]
    for row in moved:
        assert f"{target['source']}:{target['id']}" in row["because"]
    return len(moved)


def _says_how_far_a_dose_reached(target: dict[str, Any], row: dict[str, Any], entries: Entries) -> bool:
    """Whether an order's telling was not in force on a day, but may have said how far an earlier dose of that order
    reached that the day rests on: that is no cause (docs/rulings.md, causes)."""
    fact, date = target["fact"], row["date"]
    if fact["type"] != "TherapyOrdered" or fact["from"] <= date <= fact.get("to", date):
        return False
    doses = (each for each in entries if f"{each['source']}:{each['id']}" in row["because"])
    return any(
        (each["episode"], each["fact"].get("order")) == (target["episode"], fact["order"])
        and min(each["fact"].get(when, date)[:10] for when in ("date", "to", "started_at")) < date
        for each in doses
    )


def reasons_of(fact: dict[str, Any]) -> set[str]:
    """The reasons a fact can give. A decision to bill nothing takes its day out of the others' way: no cause of what
    is left."""
    return {"conflict_resolved"} if fact.get("bill", "") is None else EXCLUDING[fact["type"]]


CLASHES = {"pain_code_exclusion", "duplicate_per_diem", "specific_pair"}
EXCLUDING = {
    "PatientDied": {"after_death"},
    "Discharged": {"after_discharge"},
    "CoverageEnded": {"not_covered"},
    "HospitalAdmitted": {"inpatient"},
    "FacilityStayed": {"facility"},
    "HospiceElected": {"hospice"},
    "TherapyHeld": {"held"},
    "ConflictResolved": {"conflict_resolved", *CLASHES},
    "ServiceBilledSeparately": CLASHES,
    "DayServed": CLASHES,
    "InfusionLogged": CLASHES,
    "TherapyOrdered": {"interval_too_long", *CLASHES},
}
