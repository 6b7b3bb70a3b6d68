"""Claims told from the read model's rows: what reading and judging the patient says, or nothing is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

from msgspec.structs import replace

from ledger.book import Book, load_book
from ledger.facts.stored import TAGS
from ledger.judge.patients import by_episode, gather
from ledger.store import EpisodeLedger
from projections.answers.payments import one_by_one
from projections.audit.borne_out import UNASKED, borne_out, told_from
from projections.audit.claimed import ClaimsKept, claims_kept_of, claims_of
from projections.audit.kept_claimed import packed, packed_payments, unpacked, unpacked_payments
from projections.read_model.catch_up import catch_up
from projections.read_model.views import Views, passing_views
from projections.reading.unjudged import Streams
from tests.harness import book_of
from tests.histories import history
from tests.read_models import tell
from tests.stores import open_ledger
from tests.stories import Course
from tests.tiers import many


@contextmanager
def recorded(folder: Path, entries: list[dict[str, Any]], book: Book) -> Iterator[tuple[EpisodeLedger, Views]]:
    folder.mkdir(exist_ok=True)
    with open_ledger(folder / "ledger.db", create=True) as ledger, closing(passing_views()) as views:
        tell(ledger, entries)
        catch_up(ledger, views, book)
        yield ledger, views


def told(ledger: EpisodeLedger, views: Views, book: Book, *patients: str) -> dict[str, ClaimsKept]:
    names = patients or tuple(ledger.patients_since(0))
    return {one.patient: one for one in borne_out(ledger, views, book, ledger.position(), names, ())}


def rows(one: ClaimsKept) -> tuple[Any, Any]:
    """As they come out of what is kept."""
    payments = unpacked_payments(packed_payments(one.payments, one.payment_runs))
    return unpacked(packed(one.claimed, one.claimed_runs)), one_by_one(payments)


def without_claims(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The entries without claims, and without what mends them."""
    left_out: set[str] = set()
    for entry in entries:
        fact = entry["fact"]
        said = fact.get("fact", fact)
        if said["type"] in ("ClaimSubmitted", "RemittancePosted") or fact.get("target_id") in left_out:
            left_out.add(entry["id"])
    return [entry for entry in entries if entry["id"] not in left_out]


def claims(
    rng: Random, views: Views, batch: str = "N", recorded_at: str = "2027-06-01T10:00Z"
) -> Iterator[dict[str, Any]]:
    """Claims for most of what is billable, in one line or two, some with one too many, some replaced; and answers."""

    def line(episode: str, name: str, fact: dict[str, Any]) -> dict[str, Any]:
        return {"episode": episode, "source": "claims", "id": f"{batch}-{name}", "by": "rn-1",
                "recorded_at": recorded_at, "fact": fact}  # fmt: skip

    found = views.connection.execute('SELECT episode, payer, code, "from", "to", rate_cents FROM lines')
    for number, (episode, payer, code, first, last, rate) in enumerate(found.fetchall()):
        if rng.random() < 0.2:
            continue
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        parts = [(0, days)] if days == 1 or rng.random() < 0.6 else [(0, days // 2), (days // 2, days)]
        told = [
            {"code": code, "from": after(first, begin), "to": after(first, end - 1), "units": end - begin,
             "charge_cents": (end - begin) * rate + rng.choice([0, 0, 1, 2, 700])}
            for begin, end in parts
        ]  # fmt: skip
        if rng.random() < 0.1:
            told.append(told[0] | {"code": rng.choice(["J2270", code])})
        claim = {"claim": f"{batch}-{number}", "payer": payer, "frequency": "1", "lines": told}
        sent = {"type": "ClaimSubmitted"} | claim
        yield line(episode, f"sent-{number}", sent)
        if rng.random() < 0.1:
            again = {"claim": f"R{batch}-{number}", "frequency": "7", "replaces": f"{batch}-{number}"}
            yield line(episode, f"again-{number}", sent | again)
        asked = sum(each["charge_cents"] for each in told)
        for payment in range(rng.choice([0, 0, 0, 1, 1, 2])):
            money = {"charge_cents": asked, "paid_cents": rng.choice([days * rate, days * rate - 1, 0, asked + 900])}
            answer = {"type": "RemittancePosted", "claim": f"{batch}-{number}", "payer": payer, "status": "1",
                      "payment": f"T{batch}-{payment}", "paid_on": "2026-12-01"} | money  # fmt: skip
            yield line(episode, f"paid-{number}-{payment}", answer)


def after(first: str, days: int) -> str:
    return (date.fromisoformat(first) + timedelta(days)).isoformat()


def without_unasked(streams: Streams) -> Streams:
    """The entries as they are read to tell of claims."""
    return {
        name: [entry for entry in entries if TAGS[type(entry.fact)] not in UNASKED] for name, entries in streams.items()
    }


def compared(seed: int, folder: Path) -> Counter[str]:
    """The patients of a random history: told from the rows as reading them tells it, otherwise, or not told; and of
    those told, who has claims, who was answered."""
    rng = Random(seed)
    entries, tables = history(rng)
    entries = entries if rng.random() < 0.2 else without_claims(entries)
    book, found = book_of(tables), Counter[str]()
    early = rng.choice([0, 0, rng.randrange(len(entries))])
    with recorded(folder, entries[:early], book) as (ledger, views):
        if early:  # claims of what is billable by then; and what came out since
            tell(ledger, list(claims(rng, views, "E", entries[early - 1]["recorded_at"])))
        tell(ledger, entries[early:])
        catch_up(ledger, views, book)
        tell(ledger, list(claims(rng, views)))
        catch_up(ledger, views, book)
        borne = told(ledger, views, book)
        for patient in gather(by_episode([entry for _, entry in ledger.follow(0)])):
            streams = {name: ledger.entries_of(name) for name in ledger.episodes_of(patient.name)}
            read, every = (claims_of(streams, patient.name, book, every=each) for each in (False, True))
            payments = sorted(read.payments, key=lambda row: (row.episode, row.claim, row.date, row.code))
            for each, wanted in ((False, read), (True, every)):
                (kept,) = claims_kept_of(streams, [patient.name], book, each)
                assert rows(kept) == (wanted.claimed, payments), "by runs or day by day, it is the same"
                (kept,) = told_from(streams, [patient.name], views, book, each)
                assert rows(kept) == (wanted.claimed, payments), "by rows or judged, it is the same"
                (fewer,) = told_from(without_unasked(streams), [patient.name], views, book, each)
                assert rows(fewer) == rows(kept), "what is not read would have changed nothing"
                found["less read"] += any(len(without_unasked(streams)[name]) < len(streams[name]) for name in streams)
                found["revealed"] += any(row.kind == "overclaimed" for row in kept.claimed)
                found["as claimed by runs"] += any(run.row.kind == "as_claimed" for run in kept.claimed_runs)
            if patient.name not in borne:
                found["not told"] += 1
                assert any(row.kind != "unbilled" for row in read.claimed), "what can be told is told"
                continue
            found["same" if rows(borne[patient.name]) == (read.claimed, payments) else "other"] += 1
            found["with claims"] += any(episode.claims for episode in patient.episodes)
            found["answered"] += any(episode.postings for episode in patient.episodes)
            found["unbilled"] += any(row.kind == "unbilled" for row in read.claimed)
    return found


KINDS = ("same", "not told", "less read", "with claims", "answered", "unbilled", "as claimed by runs", "revealed")


def test_what_the_rows_bear_out_is_what_reading_tells_of_many_and_not_of_all(tmp_path: Path) -> None:
    found = Counter[str]()
    for seed in range(many(60, 400)):
        (folder := tmp_path / str(seed)).mkdir()
        found += compared(seed, folder)
    assert found["other"] == 0
    assert all(found[kind] > 2 for kind in KINDS), found


def late(rng: Random) -> list[dict[str, Any]]:
    """A month of which days, units and claims were recorded after it, one by one in any order."""
    course = Course(rng.choice(["cascade-medicaid", "prairie-blue"]), units=rng.choice([0, 9, 31])).at(
        "2026-04-02T08:00Z"
    )
    bounds = sorted({1, 32, *rng.sample(range(2, 32), rng.randint(0, 4))})
    tellings = [partial(course.served, f"2026-03-{day:02}") for day in range(1, 32) if rng.random() < 0.9]
    tellings += [
        partial(course.claim, f"2026-03-{first:02}", f"2026-03-{end - 1:02}", rng.randint(0, 9_999), f"C-{first}")
        for first, end in pairwise(bounds)
        if rng.random() < 0.9
    ]
    tellings += [partial(course.authorized, rng.choice([5, 31]), "late")]
    rng.shuffle(tellings)
    for telling in tellings:
        telling()
    return course.told


def test_days_that_stand_by_now_are_told_by_runs_also_where_they_were_known_otherwise(tmp_path: Path) -> None:
    book, stretches = load_book(), Counter[int]()
    for seed in range(many(40, 300)):
        with recorded(tmp_path / str(seed), late(Random(seed)), book) as (ledger, views):
            streams = {name: ledger.entries_of(name) for name in ledger.episodes_of("P-1")}
            read = claims_of(streams, "P-1", book, every=True).claimed
            for (kept,) in (
                claims_kept_of(streams, ["P-1"], book, True),
                told_from(streams, ["P-1"], views, book, True),
            ):
                assert rows(kept)[0] == read, "by rows or judged, day by day or by runs, it is the same"
                otherwise = [run for run in kept.claimed_runs if run.row.known_when_claimed != run.row.known_now]
                stretches.update(run.days for run in otherwise if run.row.kind == "as_claimed")
    assert stretches[1] > 20, "of single dates"
    assert sum(stretches.values()) - stretches[1] > 20, "and of several"


def test_what_the_rows_do_not_say_is_not_told_from_them(tmp_path: Path) -> None:
    """A day that is damaged, or of terms that the book does not have."""
    book = load_book()
    with recorded(tmp_path, Course().days("2026-03-02", "2026-03-03").told, book) as (ledger, views):
        assert told(ledger, views, book)
        for damage in ("last_date = 'then'", "terms_from = '2001-01-01'"):
            views.connection.execute("SAVEPOINT whole")
            views.connection.execute(f"UPDATE day_runs SET {damage}")
            assert told(ledger, views, book) == {}
            views.connection.execute("ROLLBACK TO whole")
        assert told(ledger, views, book)


def test_a_filing_limit_beyond_the_calendar_is_its_end(tmp_path: Path) -> None:
    book = load_book()
    endless = [
        replace(payer, terms=tuple(replace(each, timely_filing_days=3_000_000) for each in payer.terms))
        for payer in book.payers.values()
    ]
    book = book.but(payers=endless)
    with recorded(tmp_path, Course().days("2026-03-02", "2026-03-03").told, book) as (ledger, views):
        (one,) = told(ledger, views, book).values()
        read = claims_of({name: ledger.entries_of(name) for name in ledger.episodes_of(one.patient)}, one.patient, book)
        assert rows(one)[0] == read.claimed
        assert {row.file_by for row in read.claimed} == {"9999-12-31"}
