"""Another book over all history: its differences are those of two full derivations, and nothing is touched."""

from __future__ import annotations

import csv
import fcntl
import io
import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from commands.writing.record import record
from ledger.book import Book, BookError, Payer, load_book
from ledger.facts.entry import UnreadableEntry
from projections.read_model.catch_up import catch_up
from projections.read_model.generations import Places
from projections.read_model.queries import Filters
from projections.read_model.views import views_path
from projections.rebuild import build as building
from projections.rebuild import what_if as module
from projections.rebuild.build import build
from projections.rebuild.differences import Comparison, DayDifference, LineDifference, Total
from projections.rebuild.what_if import both_judged, with_changes
from projections.rebuild.work import Target
from tests import kept
from tests.command_line import BOOK, INTAKE, House, assert_plain, example, lines_of
from tests.harness import book_of, judge_entries
from tests.histories import history
from tests.stores import examples, named, open_ledger
from tests.tiers import many

Rows = list[dict[str, Any]]
Told = dict[str, Any]
LATER = datetime(2027, 12, 1, tzinfo=UTC)
DEARER = ("--set", "prairie-blue.rate_cents.S9325=9500")


class World:
    """Many random histories in one ledger, two books to judge them by, and both derivations made the plain way."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.ledger = folder / "ledger.db"
        self.places = Places(views_path(self.ledger))
        self.books = book_of(history(Random(seed))[1]), book_of(history(Random(seed + 1000))[1])
        with open_ledger(self.ledger, create=True) as ledger:
            told = BytesIO(lines_of(_entries(seed)))
            outcomes = list(record(ledger, told, keep_recorded_at=True, clock=lambda: LATER))
            assert {outcome.outcome for outcome in outcomes} == {"recorded"}
            stored = [entry for _, entry in ledger.follow(0)]
        self.before, self.after = (judge_entries(stored, book) for book in self.books)

    def compared(self, wanted: Filters | None = None, processes: int = 1) -> tuple[Comparison, Rows, Rows, Rows, Rows]:
        """The comparison, and its days, lines, payers and episodes."""
        with both_judged(named(self.ledger), self.places, self.books, processes) as (before, after):
            made = [Comparison(before, after, wanted or Filters()) for _ in range(4)]
            found = (made[0].days(), made[1].lines(), made[2].totals("payer"), made[3].totals("episode"))
            days, lines, payers, episodes = (plain(rows) for rows in found)
            assert len({(one.more_days, one.fewer_days, one.delta_cents) for one in made}) == 1
            return made[0], days, lines, payers, episodes

    def live(self, book: Book) -> None:
        """A live read model made by a book."""
        with open_ledger(self.ledger, create=False) as ledger, closing(self.places.open_live()) as views:
            catch_up(ledger, views, book)


def _entries(seed: int) -> Iterator[Told]:
    for number in range(8):
        text = json.dumps(history(Random(seed * 31 + number))[0])
        for name in ("E1", "E2", "E3", "P1", "P2"):
            text = text.replace(f'"{name}"', f'"{name}-{number}"')
        yield from json.loads(text)


def plain(rows: Any) -> Rows:
    return list(msgspec.json.decode(msgspec.json.encode(list(rows))))


def files(folder: Path) -> dict[str, bytes | str]:
    """Every file by name: its bytes, or where it links to."""
    return {
        str(path.relative_to(folder)): os.readlink(path) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if not path.is_dir()
    } | {f"{path.relative_to(folder)}/": "" for path in folder.rglob("*") if path.is_dir()}


def amend(house: House, old: str, new: str) -> None:
    """Another text in the first place where the book's payers have an old one."""
    for path in sorted((house.book / "payers").iterdir()):
        text = path.read_text(encoding="utf-8")
        if old in text:
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
            return
    raise AssertionError(old)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return kept.house(tmp_path, "the example, read", _tell_example)


def _tell_example(house: House) -> None:
    assert house.run("record", INTAKE).status == 0
    assert house.run("days").status == 0


# The plain way


def naive_days(before: Rows, after: Rows) -> Rows:
    sides = [{(row["patient"], row["episode"], row["date"]): row for row in rows} for rows in (before, after)]
    differing = []
    for key in sorted({*sides[0], *sides[1]}):
        said = [_said(side.get(key)) for side in sides]
        if said[0] != said[1]:
            cents = [one[2] or 0 for one in said]
            differing.append(
                dict(zip(("patient", "episode", "date"), key, strict=True))
                | {"before": said[0][0], "after": said[1][0], "payer_before": said[0][1], "payer_after": said[1][1]}
                | {"cents_before": cents[0], "cents_after": cents[1], "delta_cents": cents[1] - cents[0]}
            )
    return differing


def _said(row: Told | None) -> tuple[Any, Any, Any]:
    if row is None:
        return None, None, None
    word = row["code"] if row["status"] == "billable" else row["reason"]
    return f"{row['status']} {word}", row["payer"], row["rate_cents"]


def naive_totals(before: Rows, after: Rows, by: str) -> dict[str, tuple[int, int, int, int]]:
    names = {row[by] for row in (*before, *after) if row["status"] == "billable"}
    totals = {}
    for name in names:
        sums = []
        for rows in (before, after):
            rates = [row["rate_cents"] for row in rows if row["status"] == "billable" and row[by] == name]
            sums.append((len(rates), sum(rates)))
        totals[name] = (sums[0][0], sums[1][0], sums[0][1], sums[1][1])
    return totals


def billed(rows: Rows, by: str) -> dict[str, set[tuple[Any, ...]]]:
    found: dict[str, set[tuple[Any, ...]]] = {}
    for row in rows:
        if row["status"] == "billable":
            found.setdefault(row[by], set()).add((row["episode"], row["date"], row["payer"], row["rate_cents"]))
    return found


def chosen(rows: Rows, wanted: Filters) -> Rows:
    """The days within the filters, whoever pays."""
    return [
        row
        for row in rows
        if wanted.patient in (None, row["patient"]) and wanted.episode in (None, row["episode"])
        if (wanted.from_ or "") <= row["date"] <= (wanted.to or "9999")
    ]


def check(world: World, wanted: Filters, processes: int = 1) -> Comparison:
    made, days, lines, payers, episodes = world.compared(wanted, processes)
    before, after = chosen(world.before.days, wanted), chosen(world.after.days, wanted)
    theirs = (None,) if wanted.payer is None else (wanted.payer,)
    expected = naive_days(before, after)
    if wanted.payer:
        expected = [day for day in expected if wanted.payer in (day["payer_before"], day["payer_after"])]
        before, after = ([row for row in rows if row["payer"] in theirs] for rows in (before, after))
    assert days == expected
    for rows, by in ((payers, "payer"), (episodes, "episode")):
        check_totals(rows, before, after, by)
    dates = [{(r["episode"], r["date"]) for r in rows if r["status"] == "billable"} for rows in (before, after)]
    assert (made.more_days, made.fewer_days) == (len(dates[1] - dates[0]), len(dates[0] - dates[1]))
    assert made.delta_cents == sum(r["rate_cents"] or 0 for r in after) - sum(r["rate_cents"] or 0 for r in before)
    check_lines(lines, world, wanted)
    return made


def check_totals(rows: Rows, before: Rows, after: Rows, by: str) -> None:
    theirs, sides = naive_totals(before, after, by), (billed(before, by), billed(after, by))
    differing = sorted(name for name in theirs if sides[0].get(name) != sides[1].get(name))
    named = [row for row in rows if row["name"] != "all"]
    key = ["days_before", "days_after", "cents_before", "cents_after"]
    assert sorted(row["name"] for row in named) == differing
    assert {row["name"]: tuple(row[k] for k in key) for row in named} == {name: theirs[name] for name in differing}
    assert all(row["delta_cents"] == row["cents_after"] - row["cents_before"] for row in rows)
    if by == "payer" and differing:
        everybody = [sum(one[place] for one in theirs.values()) for place in range(4)]
        assert [rows[-1][k] for k in ("name", *key)] == ["all", *everybody]
    else:
        assert rows == named
        assert [(row["patient"], row["name"]) for row in rows] == sorted((r["patient"], r["name"]) for r in rows)


def check_lines(lines: Rows, world: World, wanted: Filters) -> None:
    def keys(rows: Rows) -> Counter[str]:
        return Counter(json.dumps(row) for row in rows if touches(row, wanted))

    before, after = keys(world.before.lines), keys(world.after.lines)
    told = {change: [row for row in lines if row["change"] == change] for change in ("removed", "added")}
    stripped = {c: Counter(json.dumps({k: v for k, v in r.items() if k != "change"}) for r in told[c]) for c in told}
    assert stripped == {"removed": before - after, "added": after - before}
    order = [(row["patient"], row["episode"], row["from"], row["change"] == "added") for row in lines]
    assert order == sorted(order)


def touches(row: Told, wanted: Filters) -> bool:
    return (
        wanted.patient in (None, row["patient"])
        and wanted.episode in (None, row["episode"])
        and wanted.payer in (None, row["payer"])
        and row["to"] >= (wanted.from_ or "")
        and row["from"] <= (wanted.to or "9999")
    )


# It says what two full derivations say


@pytest.mark.parametrize("seed", range(examples(many(6, 12))))
def test_it_is_the_difference_of_two_full_derivations(tmp_path: Path, seed: int) -> None:
    world = World(tmp_path, seed)
    check(world, Filters())
    world.live(world.books[0])
    check(world, Filters())


@pytest.mark.parametrize(
    "wanted",
    [
        Filters(payer="alpha"),
        Filters(payer="beta", from_="2026-10-25", to="2026-11-03"),
        Filters(patient="P1-2"),
        Filters(episode="E1-3", from_="2026-10-28"),
        Filters(payer="nowhere"),
        Filters(episode="E9"),
    ],
)
def test_filters_choose_rows_after_everything_is_derived(tmp_path: Path, wanted: Filters) -> None:
    for seed in range(3):
        folder = tmp_path / str(seed)
        folder.mkdir()
        world = World(folder, seed)
        world.live(world.books[0])
        check(world, wanted)


def test_the_histories_reach_every_kind_of_difference(tmp_path: Path) -> None:
    seen: set[str] = set()
    for seed in range(6):
        folder = tmp_path / str(seed)
        folder.mkdir()
        made, days, lines, payers, _ = World(folder, seed).compared()
        seen |= {"more"} if made.more_days else set()
        seen |= {"fewer"} if made.fewer_days else set()
        seen |= {line["change"] for line in lines}
        seen |= {row["name"] for row in payers}
        seen |= {"another payer" for day in days if day["payer_before"] != day["payer_after"]}
        seen |= {"another hold" for day in days if not day["cents_before"] and not day["cents_after"]}
        seen |= {"another code" for day in days if day["cents_before"] and day["cents_after"]}
    assert seen == {
        "more", "fewer", "added", "removed", "alpha", "beta", "all", "another payer", "another hold", "another code",
    }  # fmt: skip


def test_two_processes_say_the_same_as_one(tmp_path: Path) -> None:
    world = World(tmp_path, 5)
    assert world.compared(processes=2)[1:] == world.compared()[1:]
    world.live(world.books[0])
    assert world.compared(processes=2)[1:] == world.compared()[1:]


def test_the_same_book_makes_no_difference(tmp_path: Path) -> None:
    world = World(tmp_path, 1)
    for live in (False, True):
        if live:
            world.live(world.books[0])
        world.books = world.books[0], world.books[0]
        made, *rows = world.compared()
        assert rows == [[], [], [], []]
        assert (made.more_days, made.fewer_days, made.delta_cents) == (0, 0, 0)


# Nothing is touched


@pytest.mark.parametrize("by", ["payer", "episode", "day", "line"])
def test_the_live_read_model_is_left_as_it_is(house: House, by: str) -> None:
    was = files(house.folder)
    ended = house.run("what-if", *DEARER, "--by", by)
    assert ended.status == 0
    assert ended.rows
    assert files(house.folder) == was


def test_without_a_live_read_model_none_is_made(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.run("record", INTAKE)
    was = files(house.folder)
    assert house.run("what-if", *DEARER).rows
    assert files(house.folder) == was


def test_a_live_read_model_of_another_book_is_left_to_it(house: House) -> None:
    shown = house.run("what-if", *DEARER).out
    amend(house, "{ S9325 = 9000 }", "{ S9325 = 1 }")
    house.run("days")
    amend(house, "{ S9325 = 1 }", "{ S9325 = 9000 }")
    was = files(house.folder)
    assert house.run("what-if", *DEARER).out == shown
    assert files(house.folder) == was


def test_what_was_recorded_before_it_started_is_in_the_answer(house: House) -> None:
    house.tell(*example("EP-2", "P-2"))
    assert [row["name"] for row in house.run("what-if", *DEARER, "--by", "episode").rows] == ["EP-1", "EP-2"]


def test_an_empty_ledger_has_no_difference(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.tell()
    ended = house.run("what-if", *DEARER)
    assert (ended.status, ended.out) == (0, b"")
    assert ended.err == "Under the other book the same days are billable; the same dollars.\n"


def test_the_other_read_model_is_its_owners_alone_and_beside_the_ledger(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[Path, int, int]] = []

    def watched(targets: Sequence[Target], *rest: Any) -> Any:
        made, ((path, _),) = build(targets, *rest), targets
        with pytest.raises(BlockingIOError), closing_descriptor(path.parent) as descriptor:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # or another run would take it for left behind
        seen.append((path, path.parent.stat().st_mode & 0o777, path.stat().st_mode & 0o777))
        return made

    monkeypatch.setattr(module, "build", watched)
    assert house.run("what-if", *DEARER).status == 0
    ((path, *modes),) = seen
    assert path.parent.parent == house.folder.resolve()
    assert modes == [0o700, 0o600]


def test_where_neither_read_model_stands_the_ledger_is_read_once_for_both(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = house.run("what-if", *DEARER).out
    passes: list[list[Path]] = []
    inner = building.build_part

    def counted(targets: Sequence[Target], *rest: Any) -> Any:
        passes.append([target.path for target in targets])
        return inner(targets, *rest)

    monkeypatch.setattr(building, "build_part", counted)
    assert house.run("what-if", *DEARER).out == expected  # one stands: the other is built
    for path in house.folder.glob("*views*"):
        path.unlink()
    assert house.run("what-if", *DEARER).out == expected != b""
    assert [[path.name for path in paths] for paths in passes] == [["after.db"], ["before.db", "after.db"]]


@contextmanager
def closing_descriptor(folder: Path) -> Iterator[int]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@pytest.mark.parametrize(
    ("trouble", "status"), [(UnreadableEntry("EP-1", 1), 3), (OSError(28, "No space left"), 2), (KeyError("x"), 3)]
)
def test_nothing_is_left_behind_on_an_error(
    house: House, monkeypatch: pytest.MonkeyPatch, trouble: Exception, status: int
) -> None:
    was = files(house.folder)

    def failing(*args: Any) -> Any:
        build(*args)
        raise trouble

    monkeypatch.setattr(module, "build", failing)
    ended = house.run("what-if", *DEARER)
    assert (ended.status, ended.out) == (status, b"")
    assert files(house.folder) == was


@pytest.mark.sqlite_file
def test_an_entry_that_cannot_be_read_stops_it(house: House) -> None:
    damage(house)
    was = files(house.folder)
    assert_plain(house.run("what-if", *DEARER), 3, "an entry cannot be read")
    assert files(house.folder) == was


@pytest.mark.sqlite_file
def test_a_patient_set_aside_is_in_neither(house: House) -> None:
    house.tell(*example("EP-2", "P-2"))
    good = damage(house)
    assert house.run("rebuild", "--quarantine").status in (0, 1)
    house.run("days")
    for other_book in (False, True):
        if other_book:
            amend(house, "HCPCS", "hcpcs")
        ended = house.run("what-if", *DEARER, "--by", "episode")
        assert [row["name"] for row in ended.rows] == ["EP-2"], ended
        assert "Patient P-1 is set aside" in ended.err
    damage(house, good)  # and not in one of them only, once the entry can be read again
    assert [row["name"] for row in house.run("what-if", *DEARER, "--by", "episode").rows] == ["EP-2"]
    assert [row["days_before"] for row in house.run("what-if", *DEARER).rows] == [2, 2]


def damage(house: House, text: str = "{") -> str:
    """Another text in place of one of EP-1; gives the one that was there."""
    with closing(sqlite3.connect(house.ledger)) as connection:
        (guard,) = connection.execute("SELECT sql FROM sqlite_schema WHERE name = 'entries_update'").fetchone()
        (was,) = connection.execute("SELECT state FROM entries WHERE position = 4").fetchone()
        connection.execute("DROP TRIGGER entries_update")
        connection.execute("UPDATE entries SET state = ? WHERE position = 4", (text,))
        connection.execute(guard)
        connection.commit()
    return str(was)


@pytest.mark.sqlite_file
def test_what_killed_runs_left_is_cleared_away_and_what_is_held_is_not(house: House) -> None:
    left, held = house.folder / "ledger.views.what-if-killed", house.folder / "ledger.views.what-if-running"
    for folder in (left, held):
        folder.mkdir()
        (folder / "after.db").write_bytes(b"rows")
    with closing_descriptor(held) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert house.run("what-if", *DEARER).status == 0
        assert not left.exists()
        assert (held / "after.db").read_bytes() == b"rows"


# A book with terms changed


def dotted() -> Book:
    book = load_book(BOOK)
    blue = book.payers["prairie-blue"]
    more = [msgspec.structs.replace(blue, id=name) for name in ("blue", "blue.north", "blue.north@home")]
    return Book(book.codes.values(), [*book.payers.values(), *more], book.providers.values())


def changed_terms(book: Book, other: Book) -> dict[tuple[str, str], dict[str, Any]]:
    """By payer and from: the keys that have another value, with it."""
    found = {}
    for name, payer in book.payers.items():
        for old, new in zip(payer.terms, other.payers[name].terms, strict=True):
            was, now = plain([old, new])
            if was != now:
                found[name, was["from"]] = {key: now[key] for key in now if was.get(key) != now[key]}
    return found


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (["prairie-blue.hold_days=access"], {"hold_days": "access"}),
        (["prairie-blue.documentation=[]"], {"documentation": []}),
        (["prairie-blue.split_on_month=false", "prairie-blue.line_max_days=7"],
         {"split_on_month": False, "line_max_days": 7}),
        (['prairie-blue.places_of_service=["12","31"]'], {"places_of_service": ["12", "31"]}),
        (["prairie-blue.rate_cents={}"], {"rate_cents": {}}),
        (["prairie-blue.source=a = b.c"], {"source": "a = b.c"}),
        (['prairie-blue.source="7"'], {"source": "7"}),
        (["prairie-blue.hold_days=access", "prairie-blue.hold_days=not_billable"], None),
    ],
)  # fmt: skip
def test_every_edition_of_the_payer_is_changed(told: list[str], expected: Told | None) -> None:
    book = load_book(BOOK)
    both = [("prairie-blue", "2025-01-01"), ("prairie-blue", "2026-07-01")]
    assert changed_terms(book, with_changes(book, told)) == (dict.fromkeys(both, expected) if expected else {})


def test_one_rate_is_changed_or_added() -> None:
    book = load_book(BOOK)
    changed = with_changes(book, ["prairie-blue.rate_cents.S9326=1", "prairie-blue.rate_cents.S9325=2"])
    rates = [terms.rate_cents for terms in changed.payers["prairie-blue"].terms]
    assert rates == [{"S9325": 2, "S9326": 1}, {"S9325": 2, "S9326": 1, "S9327": 8100, "S9328": 7600}]
    assert changed.hash != book.hash == load_book(BOOK).hash


def test_only_the_edition_from_a_date_is_changed() -> None:
    book = load_book(BOOK)
    changed = with_changes(book, ["prairie-blue@2026-07-01.auth_required=false"])
    assert changed_terms(book, changed) == {("prairie-blue", "2026-07-01"): {"auth_required": False}}


@pytest.mark.parametrize(
    ("told", "payer", "editions"),
    [
        ("blue.source=x", "blue", 2),
        ("blue.north.source=x", "blue.north", 2),
        ("blue@2025-01-01.source=x", "blue", 1),
        ("blue.north@home.source=x", "blue.north@home", 2),
        ("blue.north@home@2026-07-01.source=x", "blue.north@home", 1),
    ],
)
def test_the_longest_payer_that_fits_is_meant(told: str, payer: str, editions: int) -> None:
    found = changed_terms(dotted(), with_changes(dotted(), [told]))
    assert list(found.values()) == [{"source": "x"}] * editions
    assert {name for name, _ in found} == {payer}


WRONG = [
    ("nobody.source=x", "payer of the book"),
    ("prairie-blue", "payer of the book"),
    ("prairie-blue.source", "expected payer.key=value"),
    ("prairie-blue@2026-7-1.source=x", "expected payer.key=value"),
    ("prairie-blue@2026-07-02.source=x", "2025-01-01, 2026-07-01"),
    ("prairie-blue.sauce=x", "no such key"),
    ("prairie-blue.=x", "no such key"),
    ("prairie-blue.hold_days.x=access", "no such key"),
    ("prairie-blue.from_=2026-01-01", "no such key"),
    ("prairie-blue.hold_days=maybe", "maybe"),
    ("prairie-blue.accepts_s_codes=yes", "'yes' is not true or false"),
    ("prairie-blue.line_max_days=0", "0 is not a whole number from 1"),
    ("prairie-blue.line_max_days=", "'' is not a whole number"),
    ("prairie-blue.source=7", "7 is not text"),
    ("prairie-blue.rate_cents=9500", "9500 is not a table"),
    ("prairie-blue.rate_cents.S9325=95.00", "rate in whole cents: 95.00 is 9500"),
    ("prairie-blue.rate_cents.S9325=-1", "-1 is not an amount in whole cents"),
    ("prairie-blue.rate_cents.9325=1", "'9325' is not a HCPCS"),
    ('prairie-blue.bundled_exceptions=["a4222"]', "'a4222' is not a HCPCS"),
    ("prairie-blue.from=2026-13-01", "date"),
    ("prairie-blue.source=\udcff", "surrogates"),
]


@pytest.mark.parametrize(("told", "why"), WRONG)
def test_a_wrong_change_is_named(house: House, told: str, why: str) -> None:
    with pytest.raises(BookError) as caught:
        with_changes(house_book(house), ["medicare.hold_days=access", told])
    assert str(caught.value).startswith(f"{told}: ")
    assert why in str(caught.value)
    assert_plain(house.run("what-if", "--set", told), 2, why, told.partition(".")[0])


def test_editions_keep_their_own_two_dates() -> None:
    book = load_book(BOOK)
    assert with_changes(book, ["prairie-blue.from=2026-01-01"]).payers["prairie-blue"].terms[0].from_.year == 2026
    with pytest.raises(BookError, match="equal from and published"):
        with_changes(book, ["prairie-blue.from=2026-01-01", "prairie-blue.published=2026-01-01"])


def test_a_payer_without_terms_has_nothing_to_change() -> None:
    book = load_book(BOOK)
    bare = Book(book.codes.values(), [Payer("bare", "Bare", "commercial", ())], book.providers.values())
    with pytest.raises(BookError, match="no such edition"):
        with_changes(bare, ["bare.source=x"])


def house_book(house: House) -> Book:
    return load_book(house.book)


# What it prints


def test_exactly_one_other_book_is_needed(house: House) -> None:
    for options in ((), (*DEARER, "--book-b", house.book)):
        assert_plain(house.run("what-if", *options), 2, "--book-b", "--set")
    assert_plain(house.run("what-if", "--book-b", house.folder / "no"), 2, "no such folder")
    assert_plain(house.run("what-if", *DEARER, "--from", "2026-02-02", "--to", "2026-02-01"), 2, "--to")


def test_a_book_changed_and_a_book_given_say_the_same(house: House) -> None:
    other = house.folder / "other" / "payers"
    other.mkdir(parents=True)
    for path in (house.book / "payers").iterdir():
        text = path.read_text(encoding="utf-8").replace("S9325 = 9000", "S9325 = 9500")
        (other / path.name).write_text(text, encoding="utf-8")
    (other.parent / "providers").symlink_to(house.book / "providers")
    given = house.run("what-if", "--book-b", other.parent)
    assert given == house.run("what-if", *DEARER)


SHAPES: dict[str, tuple[type[msgspec.Struct], bytes]] = {
    "payer": (
        Total,
        b'{"by":"payer","name":"prairie-blue","patient":null,"days_before":2,"days_after":2,"cents_before":18000,'
        b'"cents_after":19000,"delta_cents":1000}\n'
        b'{"by":"payer","name":"all","patient":null,"days_before":2,"days_after":2,"cents_before":18000,'
        b'"cents_after":19000,"delta_cents":1000}\n',
    ),
    "episode": (
        Total,
        b'{"by":"episode","name":"EP-1","patient":"P-1","days_before":2,"days_after":2,"cents_before":18000,'
        b'"cents_after":19000,"delta_cents":1000}\n',
    ),
    "day": (
        DayDifference,
        b"".join(
            b'{"patient":"P-1","episode":"EP-1","date":"2026-02-0%d","before":"billable S9325",'
            b'"after":"billable S9325","payer_before":"prairie-blue","payer_after":"prairie-blue",'
            b'"cents_before":9000,"cents_after":9500,"delta_cents":500}\n' % day
            for day in (2, 3)
        ),
    ),
    "line": (
        LineDifference,
        b"".join(
            b'{"change":"%s","patient":"P-1","episode":"EP-1","payer":"prairie-blue","code":"S9325",'
            b'"from":"2026-02-02","to":"2026-02-03","units":2,"rate_cents":%d,"charge_cents":%d,'
            b'"authorization":null,"terms_from":"2025-01-01","modifiers":[],"member":"M-77","provider":"1234567893",'
            b'"place_of_service":"12","expected_cents":%d}\n' % change
            for change in ((b"removed", 9000, 18000, 18000), (b"added", 9500, 19000, 19000))
        ),
    ),
}


@pytest.mark.parametrize("by", SHAPES)
def test_every_byte_of_the_rows(house: House, by: str) -> None:
    kind, expected = SHAPES[by]
    ended = house.run("what-if", *DEARER, "--by", by)
    assert ended.out == expected
    assert ended.err == "Under the other book the same days are billable; 10.00 dollars more.\n"
    sheet = house.run("what-if", *DEARER, "--by", by, "--format", "csv")
    table = list(csv.reader(io.StringIO(sheet.out.decode(), newline="")))
    assert table[0] == [field.encode_name for field in msgspec.structs.fields(kind)] == list(ended.rows[0])
    assert len(table) == len(ended.rows) + 1
    assert sheet.err == ended.err


def test_a_persons_terminal_gets_a_table(house: House) -> None:
    ended = house.run("what-if", *DEARER, tty=True)
    lines = [re.split(r"  +", line.strip()) for line in ended.out.decode().splitlines()]
    assert lines[0] == ["name", "days before", "days after", "dollars before", "dollars after", "delta"]
    assert lines[2:] == [
        ["Prairie Blue (example)", "2", "2", "180.00", "190.00", "10.00"],
        ["all", "2", "2", "180.00", "190.00", "10.00"],
    ]
    head = house.run("what-if", *DEARER, "--by", "episode", tty=True).out.decode().splitlines()[0]
    assert head.split()[:2] == ["name", "patient"]


@pytest.mark.parametrize(
    ("change", "by", "nothing"),
    [
        ("prairie-blue.source=other", "payer", "No payer's dollars differ."),
        ("prairie-blue.source=other", "episode", "No episode's dollars differ."),
        ("prairie-blue.source=other", "day", "No day differs."),
        ("prairie-blue.source=other", "line", "No claim line differs."),
        ("prairie-blue.line_style=per_day", "day", "No day differs."),
    ],
)
def test_where_nothing_differs_it_says_so(house: House, change: str, by: str, nothing: str) -> None:
    ended = house.run("what-if", "--set", change, "--by", by, tty=True)
    assert ended.out.decode() == f"{nothing}\n"
    assert ended.err == "Under the other book the same days are billable; the same dollars.\n"
    assert house.run("what-if", "--set", change, "--by", by).out == b""


def test_lines_may_differ_where_no_day_does(house: House) -> None:
    rows = house.run("what-if", "--set", "prairie-blue.line_style=per_day", "--by", "line").rows
    assert [(row["change"], row["from"], row["to"]) for row in rows] == [
        ("removed", "2026-02-02", "2026-02-03"),
        ("added", "2026-02-02", "2026-02-02"),
        ("added", "2026-02-03", "2026-02-03"),
    ]


def test_another_code_at_the_same_rate_is_another_day_and_the_same_dollars(house: House) -> None:
    change = ("--set", "prairie-blue.pain_code=specific", "--set", "prairie-blue.rate_cents.S9326=9000")
    ended = house.run("what-if", *change, "--by", "day")
    assert [(row["before"], row["after"]) for row in ended.rows] == [("billable S9325", "billable S9326")] * 2
    assert ended.err == "Under the other book the same days are billable; the same dollars.\n"
    for by in ("payer", "episode"):
        assert house.run("what-if", *change, "--by", by).out == b""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("pain_assessment_days=0", "0 more days are billable, 1 fewer; 90.00 dollars less."),
        ("day_counting=access", "the same days are billable; the same dollars."),
        ("rate_cents.S9325=8999", "the same days are billable; 0.02 dollars less."),
        ("accepts_s_codes=false", "0 more days are billable, 2 fewer; 180.00 dollars less."),
        ("rate_cents.S9325=10009000", "the same days are billable; 200,000.00 dollars more."),
    ],
)
def test_the_closing_sentence(house: House, change: str, said: str) -> None:
    assert house.run("what-if", "--set", f"prairie-blue.{change}").err == f"Under the other book {said}\n"


def test_one_day_is_not_days(house: House) -> None:
    amend(house, 'day_counting = "infused"', 'day_counting = "infused"\npain_assessment_days = 0')
    ended = house.run("what-if", "--set", "prairie-blue.pain_assessment_days=7", "--by", "day")
    assert [(row["before"], row["after"]) for row in ended.rows] == [("hold pain_assessment_overdue", "billable S9325")]
    assert ended.err == "Under the other book 1 more day is billable, 0 fewer; 90.00 dollars more.\n"
