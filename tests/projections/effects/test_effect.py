"""What entries change: by days, dollars, findings and claims; and how it is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.book import Book, load_book
from ledger.facts.entry import Entry
from ledger.judge.patients import by_episode
from projections.effects.effect import changes_of
from projections.effects.rows import Change, ClaimChanged, DaysChanged, FindingChanged, dollars_of
from projections.effects.text import LINES_SHOWN, effect_lines
from tests.harness import book_of, judge_entries, typed
from tests.histories import history
from tests.marked import MARK
from tests.stories import Course, Story, march
from tests.tiers import many

COMPARED = ("status", "reason", "code", "payer", "rate_cents", "authorization")


def effect(entries: Sequence[Entry], known: int, book: Book | None = None) -> list[Change]:
    """What the entries after the first so many change."""
    return list(changes_of(by_episode(entries[:known]), by_episode(entries), book or load_book()))


def effect_of_last(story: Story, last: int = 1) -> list[Change]:
    entries = typed(story.told)
    return effect(entries, len(entries) - last)


def said(changes: Sequence[Change]) -> list[str]:
    return list(effect_lines(changes, load_book()))


def unfolded(changes: Sequence[Change]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The days of an effect one by one, with what they were and are."""
    return {
        (row.episode, (date.fromisoformat(row.from_) + timedelta(days=day)).isoformat()): (
            row.before, row.after, row.payer_before, row.payer_after, row.cents_before, row.cents_after,
            row.authorization_before, row.authorization_after,
        )
        for row in changes
        if isinstance(row, DaysChanged)
        for day in range(row.days)
    }  # fmt: skip


def differing(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The days that differ between two printed lists of days, as an effect has them."""
    nothing = dict.fromkeys(COMPARED)
    was, now = ({(row["episode"], row["date"]): row for row in rows} for rows in (before, after))
    found = {}
    for place in was.keys() | now.keys():
        one, other = was.get(place, nothing), now.get(place, nothing)
        if [one[name] for name in COMPARED] != [other[name] for name in COMPARED]:
            words = [
                f"{row['status']} {row['reason'] or row['code']}" if row["status"] else None for row in (one, other)
            ]
            found[place] = (
                *words, one["payer"], other["payer"], one["rate_cents"] or 0, other["rate_cents"] or 0,
                one["authorization"], other["authorization"],
            )  # fmt: skip
    return found


@settings(max_examples=many(12, 150), deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_effect_is_what_differs_between_days_and_findings_before_and_after(rng: Random) -> None:
    told, tables = history(rng, house=True)
    entries, book = typed(told), book_of(tables)
    known = rng.randint(0, len(entries))
    before, after = judge_entries(entries[:known], book), judge_entries(entries, book)
    changes = effect(entries, known, book)
    assert unfolded(changes) == differing(before.days, after.days)
    for payer in dollars_of(changes):
        was, now = (
            [row for row in rows if row["status"] == "billable" and row["payer"] == payer.payer]
            for rows in (before.days, after.days)
        )
        assert payer.days_after - payer.days_before == len(now) - len(was)
        assert payer.cents_after - payer.cents_before == sum(r["rate_cents"] for r in now) - sum(
            r["rate_cents"] for r in was
        )
    comes, goes = (
        {(row.rule, row.episodes, row.message, on) for row in changes if isinstance(row, FindingChanged)
         if row.change == change for on in row.dates}
        for change in ("comes", "goes")
    )  # fmt: skip
    was_found, is_found = (
        {(row["rule"], tuple(row["episodes"]), row["message"], on) for row in rows for on in row["dates"]}
        for rows in (before.findings, after.findings)
    )
    assert comes >= is_found - was_found
    assert goes >= was_found - is_found
    assert comes <= is_found
    assert goes <= was_found


def test_days_that_change_alike_are_one_run() -> None:
    story = Story().opened().planned().served("2026-02-03").served("2026-02-04").served("2026-02-06")
    (row,) = [row for row in effect_of_last(story) if isinstance(row, DaysChanged) and row.after == "billable S9325"]
    assert (row.from_, row.to, row.days) == ("2026-02-06", "2026-02-06", 1)
    told = effect_of_last(story, 3)
    assert [(row.from_, row.to) for row in told if isinstance(row, DaysChanged) if row.cents_after] == [
        ("2026-02-03", "2026-02-04"), ("2026-02-06", "2026-02-06"),
    ]  # fmt: skip


def test_it_says_the_days_the_dollars_and_the_findings() -> None:
    story = Story().opened().planned()
    story.served("2026-02-03").served("2026-02-04")
    story.tell("end", "CoverageEnded", payer="prairie-blue", last_date="2026-02-03")
    assert said(effect_of_last(story)) == [
        "1 day changes:",
        "  EP-1 2026-02-04: billable S9325 → not billable: not covered, -90.00",
        "prairie-blue: -1 billable day, -90.00",
    ]
    story.tell("out", "Discharged", date="2026-02-03")
    assert said(effect_of_last(story))[-2:] == [
        "Findings that come:",
        "  EP-1 2026-02-04: hard served_after_discharge: An infusion is recorded after the discharge.",
    ]
    story.tell("in", "FactRetracted", target_source="chart", target_id="out", reason="not yet")
    assert said(effect_of_last(story))[-2] == "Findings that go:"


def test_a_claim_that_has_to_be_replaced_is_counted_with_what_is_to_be_refunded() -> None:
    lost = march().at("2026-05-11T15:00Z")
    lost.tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-03")
    changes = effect_of_last(lost)
    (claim,) = [row for row in changes if isinstance(row, ClaimChanged)]
    assert (claim.claim, claim.dates, claim.exposure_cents) == ("C-1", ("2026-03-04", "2026-03-05"), 14404)
    assert said(changes)[-1] == "  EP-1 2026-03-04 to 2026-03-05: 1 claim, 144.04 dollars claimed and not answered"
    assert effect_of_last(lost, 0) == []


def test_a_claim_that_was_wrong_already_is_not_told_again() -> None:
    lost = march().at("2026-05-11T15:00Z")
    lost.tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-03")
    lost.tell("note", "ResponseNoted", date="2026-03-02")
    assert effect_of_last(lost) == []
    assert said([]) == ["No day, finding or claim changes."]


def test_what_differs_is_said_where_the_verdict_is_the_same() -> None:
    two = Course(units=1).days("2026-03-02").at("2026-03-05T15:00Z")
    two.tell("fix", "FactCorrected", target_source="chart", target_id="auth", reason="misread",
             fact={"type": "AuthorizationGranted", "number": "N-2", "payer": "cascade-medicaid", "units": 1,
                   "codes": ["S9325"], "from": "2026-01-01", "to": "2026-12-31"})  # fmt: skip
    assert said(effect_of_last(two)) == [
        "1 day changes:", "  EP-1 2026-03-02: billable S9325 → billable S9325 by another authorization",
    ]  # fmt: skip


def test_what_is_said_names_no_patient_no_claim_and_no_payer_that_the_book_does_not_know() -> None:
    lost = march()
    for entry in lost.told:
        text = (
            msgspec.json.encode(entry).replace(b'"P-1"', f'"{MARK}"'.encode()).replace(b'"C-1"', f'"{MARK}"'.encode())
        )
        entry |= msgspec.json.decode(text)
    lost.at("2026-05-11T15:00Z")
    lost.tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-03")
    lost.tell("cov-2", "CoverageVerified", payer=f"{MARK} plan", member=MARK, from_="2026-03-04")
    lost.tell("cov-3", "CoverageVerified", payer=f"{MARK} other plan", member=MARK, from_="2026-03-04")
    text = "\n".join(said(effect_of_last(lost, len(lost.told))))
    assert "a payer that is not in the book" not in text
    assert "coverage_overlap: … cover" in text
    assert "claimed_not_billable: Claim … billed" in text
    assert MARK not in text
    assert MARK in str(effect_of_last(lost, 4))


def test_a_long_effect_is_cut_and_says_so() -> None:
    row = DaysChanged(
        "P", "EP", "2026-02-03", "2026-02-03", 1, None, "billable S9325", None, "prairie-blue", 0, 1, None, None
    )
    lines = said([row] * (LINES_SHOWN + 3))
    assert lines[LINES_SHOWN + 1] == "  and 3 more runs of days"
    assert lines[0] == f"{LINES_SHOWN + 3} days change:"


@pytest.mark.parametrize("kind", ["days", "finding", "claim"])
def test_a_row_for_programs_says_what_it_is(kind: str) -> None:
    lost = march().at("2026-05-11T15:00Z")
    lost.tell("cov-end", "CoverageEnded", payer="cascade-medicaid", last_date="2026-03-03")
    rows = [msgspec.to_builtins(row) for row in effect_of_last(lost)]
    assert kind in {row["effect"] for row in rows}
