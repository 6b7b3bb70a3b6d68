"""What the steps of the judge do with a book that lacks something: a day is held, never guessed."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from ledger.book import Book, load_book
from tests.harness import judge_entries, typed

HISTORY: list[dict[str, Any]] = [
    {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/Chicago"},
    {"type": "CoverageVerified", "payer": "example-health", "member": "M-1", "from": "2026-01-01"},
    {"type": "DiagnosisRecorded", "icd10": "G89.3", "from": "2026-10-01"},
    {"type": "PlanSigned", "plan": "PL-1", "signed_on": "2026-10-31", "from": "2026-11-01", "to": "2026-12-30"},
    {"type": "PainAssessed", "date": "2026-11-02", "score": 7},
    {
        "type": "TherapyOrdered",
        "order": "RX-1",
        "mode": "continuous",
        "from": "2026-11-02",
        "prescriber": "1234567893",
        "signed_on": "2026-11-01",
    },
    {"type": "DayServed", "order": "RX-1", "date": "2026-11-02"},
]


def verdict(book: Book) -> tuple[str, str | None, str | None]:
    lines = [
        {
            "episode": "EP-1",
            "source": "s",
            "id": str(number),
            "by": "rn-1",
            "recorded_at": "2026-11-03T12:00Z",
            "fact": fact,
        }
        for number, fact in enumerate(HISTORY)
    ]
    (day,) = judge_entries(typed(lines), book).days
    return day["status"], day["reason"], day["code"]


def without(codes: Collection[str] = (), payers: Collection[str] = (), providers: Collection[str] = ()) -> Book:
    book = load_book()
    return Book(
        [code for name, code in book.codes.items() if name not in codes],
        [payer for name, payer in book.payers.items() if name not in payers],
        [provider for name, provider in book.providers.items() if name not in providers],
    )


def test_with_the_whole_book_the_day_is_billable() -> None:
    assert verdict(load_book()) == ("billable", None, "S9325")


def test_a_code_that_the_table_does_not_list_has_no_rate() -> None:
    assert verdict(without(codes=["S9325"])) == ("hold", "no_rate", "S9325")


def test_a_payer_that_is_not_in_the_book_has_no_terms() -> None:
    assert verdict(without(payers=["example-health"])) == ("hold", "no_terms", None)


def test_a_provider_that_is_not_in_the_book_has_no_agreement() -> None:
    assert verdict(without(providers=["1234567893"])) == ("hold", "no_agreement", None)


def test_one_verdict_over_two_coverages_names_each_day_s_own() -> None:
    """Every day of both is held for the same reason, but rests on the coverage of its month."""
    october = {"type": "CoverageVerified", "payer": "nobody", "member": "M-1", "from": "2026-10-01", "to": "2026-11-01"}
    told = [HISTORY[0], october, october | {"from": "2026-11-02", "to": "2026-12-31"}, *HISTORY[5:]]
    told[3] = told[3] | {"from": "2026-11-01"}
    lines = [
        {"episode": "EP-1", "source": "s", "id": str(n), "by": "rn-1", "recorded_at": "2026-11-03T12:00Z", "fact": fact}
        for n, fact in enumerate(told)
    ]
    days = judge_entries(typed(lines), load_book()).days
    assert [(day["date"], day["reason"], day["because"]) for day in days] == [
        ("2026-11-01", "no_terms", ["s:1"]),
        ("2026-11-02", "no_terms", ["s:2"]),
    ]
