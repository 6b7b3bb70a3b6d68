"""Tasks: what somebody waits for: a late entry taken in, and why a day is what it is."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ledger.facts.entry import Entry
    from ledger.store import EpisodeLedger

Rows = list[tuple[str, float, int]]
LATE_ENTRIES: Final = 20
WHYS: Final = 50
WHY_COMMANDS: Final = 3


def _drawn(ledger: EpisodeLedger, kind: str, chance: random.Random, count: int) -> list[Entry]:
    """Recorded facts of a kind, drawn from the whole ledger."""
    from ledger.facts.stored import read_row

    last, found = ledger.position(), []
    while len(found) < count:
        position = chance.randint(1, last)
        rows = ledger.scan(position - 1, min(last, position + 200))
        found += [read_row(row) for row in rows if row[3] == kind][:1]
    return found


def catch_up(ledger: str, book: str, views: str, turn: int) -> tuple[Rows, dict[str, Any]]:
    """Task: one late fact recorded, the read model brought up to it, and likewise one late remittance; the medians of
    several."""
    from commands.writing.handle import Recorder
    from ledger.book import load_book
    from ledger.store import open_ledger
    from projections.read_model.catch_up import catch_up as bring_up
    from projections.read_model.views import open_views

    book_read, chance = load_book(Path(book)), random.Random(turn)
    rows, more = list[Any](), dict[str, Any]()
    with open_ledger(ledger, create=False) as opened, closing(open_views(Path(views))) as model:
        recorder = Recorder(opened)
        stamp = time.time_ns()  # identities of their own, also in a ledger that went through this before
        bring_up(opened, model, book_read)
        for key, kind, told_of in (("catch-up", "DayServed", _again), ("remittance", "ClaimSubmitted", _paid)):
            seconds = []
            for number, entry in enumerate(_drawn(opened, kind, chance, LATE_ENTRIES + 1)):
                name = f"{key}-{stamp}-{number}"
                _record(recorder, entry.episode, name, told_of(entry.fact, name))
                began = time.perf_counter()
                bring_up(opened, model, book_read)
                seconds.append(time.perf_counter() - began)
            rows.append((f"b.{key}", statistics.median(seconds[1:]), 1))
            more |= {f"{key} slowest": max(seconds[1:]), f"{key} first": seconds[0]}
    return rows, more


def _again(fact: Any, name: str) -> dict[str, Any]:
    """The same day told by another source: a late fact."""
    import msgspec

    found: dict[str, Any] = json.loads(msgspec.json.encode(fact))
    return found


def _paid(claim: Any, name: str) -> dict[str, Any]:
    """A claim paid by a check of its own, with its charge."""
    cents = sum(line.charge_cents for line in claim.lines)
    return {
        "type": "RemittancePosted", "claim": claim.claim, "payer": claim.payer, "payment": name,
        "paid_on": "2026-11-20", "status": "1", "charge_cents": cents, "paid_cents": cents,
    }  # fmt: skip


def _record(recorder: Any, episode: str, name: str, fact: dict[str, Any]) -> None:
    from commands.door.intake import Line, parse_line
    from commands.writing.handle import Recorded

    text = json.dumps({"episode": episode, "source": "late", "id": name, "by": "bench", "fact": fact}).encode()
    line = parse_line(1, text)
    assert isinstance(line, Line), line
    (handled,) = recorder.handle([line])
    assert isinstance(handled, Recorded), handled


def why(ledger: str, book: str, turn: int) -> tuple[Rows, dict[str, Any]]:
    """Task: why, for random days; the median."""
    from ledger.book import load_book
    from ledger.store import open_ledger
    from projections.why.why import why_of

    book_read, chance = load_book(Path(book)), random.Random(turn)
    seconds = []
    with open_ledger(ledger, create=False) as opened:
        for entry in _drawn(opened, "DayServed", chance, WHYS + 1):
            began = time.perf_counter()
            assert why_of(opened, entry.episode, entry.fact.date, book_read)
            seconds.append(time.perf_counter() - began)
    return [("b.why", statistics.median(seconds[1:]), 1)], {"slowest": max(seconds[1:]), "first": seconds[0]}


def why_command(program: list[str], ledger: str, book: str, turn: int) -> tuple[Rows, dict[str, Any]]:
    """Task: the same as a user types it, from the start of Python to the end."""
    from ledger.store import open_ledger

    chance = random.Random(-turn - 1)
    with open_ledger(ledger, create=False) as opened:
        asked = [(e.episode, e.fact.date.isoformat()) for e in _drawn(opened, "DayServed", chance, WHY_COMMANDS)]
    seconds = [run_command(program, ledger, book, "why", *each) for each in asked]
    return [("b.why.command", statistics.median(seconds), 1)], {"slowest": max(seconds)}


def run_command(program: list[str], ledger: str, book: str, *words: str) -> float:
    """How long one command takes."""
    began = time.perf_counter()
    subprocess.run([*program, "--ledger", ledger, "--book", book, *words], check=True, capture_output=True)
    return time.perf_counter() - began


def command(program: list[str], ledger: str, book: str, words: list[str], key: str) -> tuple[Rows, dict[str, Any]]:
    """Task: one command over the whole ledger."""
    from ledger.store import open_ledger

    with open_ledger(ledger, create=False) as opened:
        entries = opened.position()
    return [(key, run_command(program, ledger, book, *words), entries)], {}


def some_change(book: str) -> tuple[Rows, dict[str, Any]]:
    """Task: a value to ask what-if about: the first rate of the book, a dollar more."""
    from ledger.book import load_book

    read = load_book(Path(book))
    rates = (
        (payer, code, cents)
        for payer in sorted(read.payers)
        for terms, _, _ in read.editions(payer)
        for code, cents in terms.rate_cents.items()
    )
    payer, code, cents = next(rates)
    return [], {"change": f"{payer}.rate_cents.{code}={cents + 100}"}
