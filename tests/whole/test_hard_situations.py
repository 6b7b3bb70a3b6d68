"""The twelve hard situations through the real command line, told by ``scenarios/hard_situations.toml``.

What a biller signs there, worked out by hand, for the command ``diff``:

- In ``[scenario.diff]``: ``since`` and ``changed``, what ``diff EPISODE --between`` shows from that instant up to
  ``NOW``, complete, one line for dates that changed alike::

    EP-1 DATES VERDICT CENTS -> VERDICT CENTS because LABELS [late=DAYS] [payers=blue/state] [cause=terms]

  A verdict is ``billable S9325``, ``hold no_order``, or ``nothing`` where there was no such day; in a label ``DATE``
  stands for the row's date.
- In a ``then`` block: ``claimed``, what ``diff EPISODE --claimed`` shows of all episodes at that moment, complete::

    EP-1 DATES KIND CLAIM CENTS when VERDICT now VERDICT CENTS exposed CENTS because LABELS at INSTANT [repay=] [file=]
    EP-1 DATES unbilled now VERDICT CENTS file=+180

  ``when`` is what was known when the claim left; ``file=`` and ``repay=`` are dates, ``+180`` is that many days after
  the service date; ``because -`` names no entry.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import House, lines_of
from tests.harness import Derived
from tests.scenario_checks import check, check_because, check_outcomes
from tests.scenario_language import NotationError, Scenario, dates_of, moments, scenario_of, tables

Given = dict[str, Any]
Row = dict[str, Any]
FILE = "hard_situations"
NOW = "2026-11-22T00:00Z"
"""Later than everything told, earlier than the day this was written."""

SITUATIONS = (
    "switch at midday", "three hospital days", "coverage that ended retroactively",
    ("a day reported by pharmacy and courier", "a delivery record sent again"), "a day entered after the claim",
    "discharge", "clock change", "two providers", "bundled item", "authorization exhausted mid-span",
    "hospice elected in mid-episode", "a death",
)  # fmt: skip
"""The twelve, as the sentences name them."""


def toml_of(value: Any) -> str:
    """A value of a book's file."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + value.replace('"', '\\"') + '"'
        case list():
            return f"[{', '.join(map(toml_of, value))}]"
        case dict():
            return f"{{ {', '.join(f'{key} = {toml_of(item)}' for key, item in value.items())} }}"
        case _:
            return str(value)


def write_book(folder: Path, book: dict[str, list[Given]]) -> None:
    """A scenario's book as the files that ``--book`` reads."""
    for kind, key in (("payers", "id"), ("providers", "npi")):
        (folder / kind).mkdir(parents=True)
        for given in book[kind]:
            text = "".join(f"{name} = {toml_of(value)}\n" for name, value in given.items())
            (folder / kind / f"{given[key]}.toml").write_text(text, encoding="utf-8")
    (folder / "codes.toml").write_text(f"codes = {toml_of(book['codes'])}\n", encoding="utf-8")


class Situation:
    """One scenario, recorded in a ledger file of its own and asked by the command line."""

    def __init__(self, given: Given, folder: Path) -> None:
        self.given = given
        self.at_moments: list[Scenario] = [scenario_of(each, FILE) for each in moments(given)]
        first = self.at_moments[0]
        write_book(folder / "the book", first.book)
        self.house = House(folder)
        self.house.book = folder / "the book"
        told = [entry for entry in first.entries if isinstance(entry, dict)]
        self.recorded = self.house.run("record", "--keep-recorded-at", "-", stdin=lines_of(told))

    @property
    def episodes(self) -> list[str]:
        """The episodes it speaks of."""
        return sorted({episode for scenario in self.at_moments for episode in scenario.episodes})

    def rows(self, *command: str) -> list[Row]:
        """What a command prints, which ends with 0."""
        ended = self.house.run(*command, "--format", "json")
        assert (ended.status, ended.err) == (0, "")
        return ended.rows

    def derived(self, known_at: str | None) -> Derived:
        """The three read commands at one moment."""
        options = ("--known-at", known_at) if known_at else ()
        return Derived(*(self.rows(command, *options) for command in ("days", "findings", "lines")))


GIVEN = tables(FILE)
each_situation = pytest.mark.parametrize("given", [pytest.param(given, id=given["name"]) for given in GIVEN])


@pytest.mark.parametrize("situation", SITUATIONS)
def test_each_of_the_twelve_is_told_at_least_twice_and_at_several_moments(situation: str | tuple[str, ...]) -> None:
    words = (situation,) if isinstance(situation, str) else situation
    told = [given for given in GIVEN if any(word in given["name"] for word in words)]
    assert len(told) >= 2
    assert all(len(given["then"]) >= 2 and any("known_at" not in then for then in given["then"]) for given in told)


@each_situation
def test_the_read_commands_show_each_moment_as_it_was_known(given: Given, tmp_path: Path) -> None:
    situation = Situation(given, tmp_path)
    check_outcomes(situation.at_moments[0], situation.recorded.rows)
    for scenario in situation.at_moments:
        found = situation.derived(scenario.known_at)
        check(scenario, found)
        check_because(scenario, found.days)


def test_a_scenario_with_moments_says_what_follows_only_in_them() -> None:
    for wrong in ({"days": "EP-1 none"}, {"known_at": NOW}):
        with pytest.raises(NotationError, match="only there"):
            moments({"name": "told twice", "then": [{}], **wrong})
    with pytest.raises(NotationError, match="outcomes"):
        moments({"name": "not of a moment", "then": [{"outcomes": "recorded"}]})


CHANGED = re.compile(
    r"(?P<episode>\S+) (?P<dates>\S+) (?P<before>.+) (?P<cents_before>\d+) -> (?P<after>.+) (?P<cents_after>\d+)"
    r" because (?P<because>[^=]+?)(?P<more>(?: \w+=\S+)*)"
)


def changed(text: str) -> Iterator[Row]:
    """The rows that ``diff --between`` must show."""
    for line in filter(None, text.splitlines()):
        match = CHANGED.fullmatch(line)
        assert match, line
        more = dict(word.split("=") for word in match["more"].split())
        for day in dates_of(match["dates"]):
            row: Row = {name: None if match[name] == "nothing" else match[name] for name in ("before", "after")}
            row |= {name: int(match[name]) for name in ("cents_before", "cents_after")}
            row |= {"episode": match["episode"], "date": day, "cause": more.get("cause", "entry")}
            row["because"] = [] if match["because"] == "-" else match["because"].replace("DATE", day).split()
            if "late" in more:
                row["days_late"] = int(more["late"])
            if "payers" in more:
                before, after = (None if payer == "-" else payer for payer in more["payers"].split("/"))
                row |= {"payer_before": before, "payer_after": after}
            yield row


def same_columns(found: list[Row], expected: list[Row]) -> list[Row]:
    """The rows found, with only what is spoken of where as many are expected."""
    if len(found) != len(expected):
        return found
    return [{name: row[name] for name in wanted} for row, wanted in zip(found, expected, strict=True)]


@each_situation
def test_diff_between_shows_what_became_known_in_between(given: Given, tmp_path: Path) -> None:
    situation = Situation(given, tmp_path)
    expected = list(changed(given["diff"]["changed"]))
    for episode in situation.episodes:
        wanted = [row for row in expected if row["episode"] == episode]
        found = situation.rows("diff", episode, "--between", given["diff"]["since"], NOW)
        assert same_columns(found, wanted) == wanted
        for row in (row for row in found if row["cause"] == "entry"):
            late = (date.fromisoformat(row["recorded_at"][:10]) - date.fromisoformat(row["date"])).days
            assert row["days_late"] == late
            assert row["recorded_at"] > given["diff"]["since"][:16]
        for row in (row for row in found if row["cause"] == "terms"):
            assert row["note"] == "payer blue: terms from 2026-10-12 published 2026-11-02"


CLAIMED = re.compile(
    r"(?P<episode>\S+) (?P<dates>\S+) (?P<kind>overclaimed|changed|unbilled)"
    r"(?: (?P<claim>\S+) (?P<claimed_cents>\d+) when (?P<known_when_claimed>.+))?"
    r" now (?P<known_now>.+) (?P<now_cents>\d+)"
    r"(?: exposed (?P<exposure_cents>\d+) because (?P<revealed_by>.+) at (?P<revealed_at>\S+))?"
    r"(?: repay=(?P<repay_by>\S+))?(?: file=(?P<file_by>\S+))?"
)


def claimed(text: str) -> Iterator[Row]:
    """The rows that ``diff --claimed`` must show."""
    for line in filter(None, text.splitlines()):
        match = CLAIMED.fullmatch(line)
        assert match, line
        said = match.groupdict()
        row: Row = {name: said[name] for name in ("episode", "kind", "claim", "repay_by")}
        row |= {name: None if said[name] == "nothing" else said[name] for name in ("known_when_claimed", "known_now")}
        row |= {name: int(said[name] or 0) for name in ("claimed_cents", "now_cents", "exposure_cents")}
        row["revealed_by"] = [] if said["revealed_by"] in (None, "-") else said["revealed_by"].split()
        row["revealed_at"] = said["revealed_at"] and said["revealed_at"].replace("Z", ":00Z")
        for day in dates_of(said["dates"]):
            yield row | {"date": day, "file_by": _file_by(day, said["file_by"])}


def _file_by(day: str, said: str | None) -> str | None:
    if said is None or not said.startswith("+"):
        return said
    return (date.fromisoformat(day) + timedelta(days=int(said))).isoformat()


AT_MOMENTS = [
    pytest.param(given, then, id=f"{given['name']}, {then.get('known_at', 'now')}")
    for given in GIVEN
    for then in given["then"]
    if "claimed" in then
]


@pytest.mark.parametrize(("given", "then"), AT_MOMENTS)
def test_diff_claimed_shows_what_was_claimed_what_was_known_then_and_what_is_known(
    given: Given, then: Given, tmp_path: Path
) -> None:
    situation = Situation(given, tmp_path)
    expected = list(claimed(then["claimed"]))
    moment = ("--known-at", then["known_at"]) if "known_at" in then else ()
    for episode in situation.episodes:
        wanted = [row for row in expected if row["episode"] == episode]
        exposed = sum(row["exposure_cents"] for row in wanted)
        ended = situation.house.run("diff", episode, "--claimed", *moment, "--format", "json")
        assert same_columns(ended.rows, wanted) == wanted
        assert ended.status == (1 if exposed else 0)
        assert (f"{exposed / 100:,.2f} dollars claimed and not answered" in ended.err) == bool(exposed)


def test_every_situation_says_what_its_claims_are_worth_now() -> None:
    assert [given["name"] for given in GIVEN if "claimed" not in given["then"][-1]] == []
    assert [given["name"] for given in GIVEN if "known_at" in given["then"][-1]] == []


WRONG_WHEN_IT_LEFT = {
    "a claim past a recorded discharge was wrong when it left and is right since the discharge was corrected": (
        "2026-10-13..2026-10-16", "not_billable after_discharge",
    ),
    "an authorization exhausted mid-span made four claimed days wrong when they left, and its extension cures them": (
        "2026-10-13..2026-10-16", "hold auth_exhausted",
    ),
    "a clock change moves midnight: a run that stopped at 06:00 UTC did not touch the second of November": (
        "2026-11-02", None,
    ),
}  # fmt: skip
"""Claims that are right today, and what was known of some of their dates when they left."""


@pytest.mark.parametrize("name", WRONG_WHEN_IT_LEFT)
def test_a_claim_that_is_right_today_still_shows_what_was_known_when_it_left(name: str, tmp_path: Path) -> None:
    dates, known = WRONG_WHEN_IT_LEFT[name]
    (given,) = (given for given in GIVEN if given["name"] == name)
    rows = Situation(given, tmp_path).house.run("diff", "EP-1", "--claimed", "--every", "--format", "json").rows
    assert {row["kind"] for row in rows} == {"as_claimed"}
    said = {row["date"]: (row["known_when_claimed"], row["known_now"]) for row in rows}
    wrong = {day: (then, now) for day, (then, now) in said.items() if then != now}
    assert wrong == dict.fromkeys(dates_of(dates), (known, "billable S9325"))


@pytest.mark.parametrize(("given", "then"), AT_MOMENTS)
def test_a_person_is_told_of_new_terms_only_where_terms_were_published_after_the_claim(
    given: Given, then: Given, tmp_path: Path
) -> None:
    situation = Situation(given, tmp_path)
    moment = ("--known-at", then["known_at"]) if "known_at" in then else ()
    told = [
        situation.house.run("diff", episode, "--claimed", *moment, "--format", "table").out.decode()
        for episode in situation.episodes
    ]
    by_terms = [row for row in claimed(then["claimed"]) if row["revealed_at"] == "2026-11-02T00:00:00Z"]
    assert any("terms" in text for text in told) == bool(by_terms)
