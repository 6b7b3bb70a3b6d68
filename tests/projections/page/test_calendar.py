"""The calendar of a terminal: one line a month, one mark a day, then the verdicts in runs."""

from __future__ import annotations

import unicodedata
from datetime import date, timedelta
from pathlib import Path

import pytest

from commands.terminal.show import printable
from projections.page.calendar import LEGEND, calendars, verdict_runs, words
from projections.rows.day import DayRow
from projections.words import MARKS
from tests.builders import recorded_before
from tests.command_line import OPENING, House, example, told
from tests.stores import open_ledger


def day(text: str, said: str = "billable S9325", episode: str = "EP-1", cents: int | None = 9000) -> DayRow:
    status, _, rest = said.partition(" ")
    billable = status == "billable"
    reason, code = (None, rest) if billable else (rest, None)
    paid = cents if billable else None
    return DayRow(
        "P-1", episode, text, status, reason, code, "blue", None, None, paid, None, (), None, None, None, None
    )


def days(first: str, *saids: str) -> list[DayRow]:
    start = date.fromisoformat(first)
    return [day((start + timedelta(days=number)).isoformat(), said) for number, said in enumerate(saids)]


def marks(block: str, month: str) -> list[str]:
    (line,) = (line for line in block.splitlines() if line.startswith(f"{month} "))
    return line.removeprefix(month).split()


CALENDAR = """\
EP-1 of P-1: 5 days, 2 billable, 180.00 dollars
         1  2  3  4  5  6  7  8  9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
2026-01  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ✓  ✓
2026-02  ?  ✕  !  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·  ·
  2026-01-30 to 2026-01-31  billable S9325
  2026-02-01                hold plan_missing
  2026-02-02                not_billable held
  2026-02-03                conflict specific_pair"""


def test_a_calendar_to_look_at() -> None:
    saids = ("billable S9325", "billable S9325", "hold plan_missing", "not_billable held", "conflict specific_pair")
    assert list(calendars(days("2026-01-30", *saids))) == [CALENDAR]


def test_every_status_has_a_mark_of_its_own_in_the_legend() -> None:
    assert set(MARKS) == {"billable", "hold", "not_billable", "conflict"}
    assert len({*MARKS.values(), "·"}) == 5
    for status, mark in MARKS.items():
        assert f"{mark} {status.replace('_', ' ')}" in LEGEND
    assert all(unicodedata.east_asian_width(mark) in "NAH" or mark in "?!" for mark in (*MARKS.values(), "·"))


def test_each_mark_stands_under_its_day() -> None:
    (block,) = calendars([day("2026-03-01"), day("2026-03-17"), day("2026-03-31")])
    header, line = block.splitlines()[1:3]
    for number in (1, 17, 31):
        place = header.rindex(f"{number:>3}") + 2
        assert line[place] == "✓"
    assert line.count("✓") == 3
    assert len(line) == len(header)


def test_a_calendar_fits_a_page_and_a_narrow_terminal_has_a_number_for_every_second_day() -> None:
    wide, narrow = ("\n".join(calendars([day("2026-03-01"), day("2026-03-31")], widest)) for widest in (100, 80))
    assert max(map(len, wide.splitlines())) == 100
    header, line = narrow.splitlines()[1:3]
    assert header.split() == [str(number) for number in range(1, 32, 2)]
    assert line.index("✓") == header.index("1")
    assert line.rindex("✓") == header.index("31") + 1 == len(line) - 1 < 80


def test_a_month_without_days_between_has_no_line() -> None:
    (block,) = calendars([day("2025-12-31"), day("2026-02-01")])
    assert [line[:7] for line in block.splitlines() if line[:2] == "20"] == ["2025-12", "2026-02"]


def test_each_episode_has_a_block_of_its_own() -> None:
    rows = [day("2026-03-01", episode="EP-1"), day("2026-03-01", episode="EP-2", cents=123456)]
    first, second = calendars(rows)
    assert first.startswith("EP-1 of P-1: 1 day, 1 billable, 90.00 dollars")
    assert second.startswith("EP-2 of P-1: 1 day, 1 billable, 1,234.56 dollars")
    assert list(calendars([])) == []


def test_runs_end_where_the_words_change_or_a_day_is_left_out() -> None:
    rows = days("2026-02-27", "billable S9325", "billable S9325", "billable S9325", "billable S9326", "hold no_order")
    rows += [day("2026-03-10", "hold no_order")]
    assert list(verdict_runs(rows)) == [
        ("2026-02-27", "2026-03-01", "billable S9325"),
        ("2026-03-02", "2026-03-02", "billable S9326"),
        ("2026-03-03", "2026-03-03", "hold no_order"),
        ("2026-03-10", "2026-03-10", "hold no_order"),
    ]
    assert list(verdict_runs([])) == []


def test_runs_cover_every_day_once() -> None:
    rows = days("2027-12-20", *(["billable S9325", "hold plan_missing"][number % 5 // 3] for number in range(60)))
    covered = []
    for first, last, said in verdict_runs(rows):
        at = date.fromisoformat(first)
        while at <= date.fromisoformat(last):
            covered.append((at.isoformat(), said))
            at += timedelta(days=1)
    assert covered == [(row.date, words(row)) for row in rows]


def test_the_command_shows_calendars_and_the_legend(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(*example("EP-1", "P-1"), *example("EP-2", "P-2")).status == 0
    shown = house.run("days", "--format", "calendar").out.decode()
    assert shown.endswith(f"\n\n{LEGEND}\n")
    assert shown.count("3 days, 2 billable, 180.00 dollars") == 2
    assert marks(shown.split("\n\n")[1], "2026-02")[:5] == ["·", "✓", "✓", "✕", "·"]
    one = house.run("days", "--format", "calendar", "--episode", "EP-2", "--from", "2026-02-03").out.decode()
    assert one.startswith("EP-2 of P-2: 2 days, 1 billable, 90.00 dollars\n")


HOSTILE = ["\u202eP-1", "P\u200f-1", "P\u2066-1", "P\u200b-1", "P\ufeff-1", "P\u2028-1", "P\u00ad-1", "P\U000e0041-1"]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_name_steers_a_terminal(tmp_path: Path, name: str) -> None:
    house = House(tmp_path)
    opening = OPENING | {"patient": name}
    lines = told("1", opening, episode=name), told(name, source=name, episode=name)
    assert house.tell(*lines).status == 1  # today's door refuses such a name; one from before is read as ever
    with open_ledger(house.ledger, create=True) as ledger:
        ledger.append(*recorded_before(lines))
    for form in ("table", "calendar"):
        shown = house.run("days", "--format", form).out.decode()
        assert name not in shown
        assert "\ufffd" in shown
        assert all(mark.isprintable() or mark == "\n" for mark in shown)
    assert house.run("days").rows[0]["patient"] == name
    assert name in house.run("days", "--format", "csv").out.decode()


def test_what_is_printable_stays() -> None:
    for text in ("P-1", "Zoë", "Ωμέγα", "患者", "\U0001f600", "a b", ""):
        assert printable(text) == text
    assert printable("a\x1b[31m\n\tb\x9b") == "a\ufffd[31m\ufffd\ufffdb\ufffd"
