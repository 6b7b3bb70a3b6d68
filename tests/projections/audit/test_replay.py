"""The journal of an episode: every entry in order, and the days it changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from ledger.book import load_book
from ledger.facts.entry import Entry
from projections.audit.replay import ReplayRow, render_replay, replay, replay_of
from tests.harness import book_of, typed
from tests.histories import history
from tests.stores import open_ledger
from tests.stories import (
    Days,
    Story,
    judged,
    placed,
)
from tests.tiers import many


def retold(story: Story, episode: str = "EP-1") -> list[ReplayRow]:
    """The journal of a story, read against the packaged book."""
    return list(replay(placed(typed(story.told)), episode, load_book()))


def summed(rows: Iterable[ReplayRow], episode: str) -> Days:
    """The days that the changes of a journal add up to; each change starts from where the one before ended."""
    days: dict[tuple[str, str], str | None] = {}
    for row in rows:
        for change in row.changes:
            if change.episode == episode:
                key = change.episode, change.date
                assert days.get(key) == change.before != change.after
                days[key] = change.after
    return {key: verdict for key, verdict in days.items() if verdict is not None}


def only(days: Days, episode: str) -> Days:
    """The days of one episode."""
    return {key: verdict for key, verdict in days.items() if key[0] == episode}


RETOLD = """\
3  EP-1  chart:open (EpisodeOpened) by rn-1, recorded 2026-02-01 09:00 UTC
    changes no day
6  EP-1  chart:cov (CoverageVerified) by rn-1, recorded 2026-02-01 10:00 UTC
    changes no day
9  EP-1  chart:rx (TherapyOrdered) by rn-1, recorded 2026-02-01 11:00 UTC
    changes no day
12  EP-1  chart:dx (DiagnosisRecorded) by rn-1, recorded 2026-02-01 12:00 UTC
    changes no day
15  EP-1  chart:pain (PainAssessed) by rn-1, recorded 2026-02-01 13:00 UTC
    changes no day
18  EP-1  chart:day-02 (DayServed) by rn-1, recorded 2026-02-01 14:00 UTC
    2026-02-01 no day → not_billable not_served (1 day)
    2026-02-02 no day → hold plan_missing (1 day)
21  EP-1  chart:day-03 (DayServed) by rn-1, recorded 2026-02-01 15:00 UTC
    2026-02-03 no day → hold plan_missing (1 day)
24  EP-1  chart:kit (SupplyDispensed) by rn-1, recorded 2026-02-01 16:00 UTC
    changes no day
27  EP-1  chart:plan (PlanSigned) by rn-1, recorded 2026-02-01 17:00 UTC
    2026-02-02..2026-02-03 hold plan_missing → billable S9325 (2 days)
30  EP-1  chart:oops (FactRetracted of chart:day-03) by rn-1, recorded 2026-02-01 18:00 UTC
    2026-02-03 billable S9325 → no day (1 day)"""


def test_an_episode_is_retold_entry_by_entry() -> None:
    story = Story().opened().served("2026-02-02").served("2026-02-03")
    story.tell("kit", "SupplyDispensed", date="2026-02-02", item="kit", quantity=1).planned()
    story.tell("oops", "FactRetracted", target_source="chart", target_id="day-03", reason="never")
    assert render_replay(retold(story)) == RETOLD


def test_a_row_says_who_told_what_when_and_from_where() -> None:
    story = Story().opened().served("2026-02-03")
    fact = {"type": "PainAssessed", "date": "2026-01-31", "score": 2}
    story.tell("fix", "FactCorrected", target_source="chart", target_id="pain", reason="misread", fact=fact)
    assert msgspec.json.decode(msgspec.json.encode(retold(story)[-1])) == {
        "position": 21, "recorded_at": "2026-02-01T15:00:00Z", "episode": "EP-1", "version": 7, "source": "chart",
        "id": "fix", "by": "rn-1", "type": "FactCorrected", "target": "chart:pain", "changes": [],
        "told_at": None,
    }  # fmt: skip


def test_another_episode_is_told_only_where_it_changed_a_day_of_this_one() -> None:
    story = Story().opened().planned().served("2026-02-03")
    story.opened("EP-2").planned("EP-2").served("2026-02-02", "EP-2").served("2026-02-03", "EP-2")
    rows = [row for row in retold(story) if row.episode == "EP-2"]
    assert [(row.id, [msgspec.structs.astuple(change) for change in row.changes]) for row in rows] == [
        (
            "day-03",
            [
                ("EP-1", "2026-02-03", "billable S9325", "conflict duplicate_per_diem"),
                ("EP-2", "2026-02-03", None, "conflict duplicate_per_diem"),
            ],
        )
    ]
    assert "2026-02-03 of EP-1 billable S9325 → conflict duplicate_per_diem (1 day)" in render_replay(rows)


def test_moving_an_episode_to_another_patient_shows_what_that_changed_on_both_sides() -> None:
    story = Story().opened().planned().served("2026-02-03")
    for episode, patient in (("EP-2", "P-1"), ("EP-3", "P-2")):
        story.opened(episode, patient=patient).planned(episode)
    story.served("2026-02-03", "EP-2").tell("died", "PatientDied", "EP-3", date="2026-02-02")
    story.tell(
        "moved", "FactCorrected", target_source="chart", target_id="open", reason="another's",
        fact={"type": "EpisodeOpened", "patient": "P-2", "provider": "1234567893", "zone": "America/Chicago"},
    )  # fmt: skip
    moved = retold(story)[-1]
    assert (moved.id, [msgspec.structs.astuple(change) for change in moved.changes]) == (
        "moved",
        [
            ("EP-1", "2026-02-03", "conflict duplicate_per_diem", "not_billable after_death"),
            ("EP-2", "2026-02-03", "conflict duplicate_per_diem", "billable S9325"),
        ],
    )


def test_an_unknown_episode_has_no_journal() -> None:
    assert retold(Story().opened(), "EP-9") == []


@pytest.mark.parametrize("seed", range(many(25, 200)))
def test_the_changes_add_up_to_the_days(seed: int) -> None:
    told, tables = history(Random(seed))
    entries, book = typed(told), book_of(tables)
    halfway = entries[len(entries) // 2].recorded_at
    for known_at in (None, halfway):
        days = judged(entries, book, known_at)
        for episode in {entry.episode for entry in entries}:
            rows = list(replay(placed(entries), episode, book, known_at))
            assert summed(rows, episode) == only(days, episode)
            check_rows(rows, entries, episode, known_at)
            assert render_replay(rows).count("recorded") == len(rows)


def check_rows(rows: list[ReplayRow], entries: list[Entry], episode: str, known_at: datetime | None) -> None:
    """Every entry of the episode is told once and in order, and of others those that changed it."""
    known = [entry for entry in entries if known_at is None or entry.recorded_at <= known_at]
    own = [entry.version for entry in known if entry.episode == episode]
    assert [row.version for row in rows if row.episode == episode] == own
    assert [row.position for row in rows] == sorted({row.position for row in rows})
    for row in rows:
        assert row.episode == episode or any(change.episode == episode for change in row.changes)


@pytest.mark.parametrize("seed", range(0, many(32, 200), 8))
def test_each_row_changes_what_judging_before_and_after_it_differs_in(seed: int) -> None:
    told, tables = history(Random(seed))
    entries, book = typed(told), book_of(tables)
    episode = entries[0].episode
    rows = {row.position: row for row in replay(placed(entries), episode, book)}
    before: Days = {}
    for count, (position, _) in enumerate(placed(entries), 1):
        after = judged(entries[:count], book)
        mine = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        changed = {(c.episode, c.date) for c in rows[position].changes} if position in rows else set()
        assert {key for key in mine if key[0] == episode} <= changed <= mine
        before = after


def test_the_ledger_gives_the_same_journal(tmp_path: Path) -> None:
    story = Story().opened().planned().served("2026-02-03")
    story.opened("EP-2").planned("EP-2").served("2026-02-03", "EP-2").opened("EP-7", patient="P-7")
    entries = typed(story.told)
    with open_ledger(tmp_path / "ledger.db", create=True) as ledger:
        ledger.append(entries, [("P-1", "EP-1"), ("P-1", "EP-2"), ("P-7", "EP-7")])
        rows = list(replay_of(ledger, "EP-1", load_book()))
        assert list(replay_of(ledger, "EP-9", load_book())) == []
    assert rows == list(replay(enumerate(entries, 1), "EP-1", load_book()))


def test_every_kind_of_entry_is_told_somewhere() -> None:
    types: Counter[Any] = Counter()
    for seed in range(40):
        told, tables = history(Random(seed))
        entries = typed(told)
        types.update(row.type for row in replay(placed(entries), "E1", book_of(tables)))
    assert {"FactCorrected", "FactRetracted", "EpisodeOpened", "ClaimSubmitted", "DayServed"} <= types.keys()
