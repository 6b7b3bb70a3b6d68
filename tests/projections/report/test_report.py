"""The report: each number counted again by hand, and by the rows that its own pointer names."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from html import escape, unescape
from html.parser import HTMLParser
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import polars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.terminal.show import printable
from commands.verbs.diff import Narrower
from ledger.book import Book, load_book
from projections.audit.claimed_rows import ClaimedDay
from projections.reading.authorizations import Authorization
from projections.reading.rates import rates_of
from projections.rendering import seen
from projections.report.asked import Asked
from projections.report.authorizations import running_out
from projections.report.behind import SHOWN_RUNS, Collected
from projections.report.billed import Billed
from projections.report.charts import _ticks, by_month
from projections.report.claims import BANDS, ClaimSums, band_of
from projections.report.conflicts import todo_of
from projections.report.holds import Hold
from projections.report.sections import SECTIONS
from projections.rows.finding import MESSAGES
from projections.words import money
from tests import GOLDENS, ROOT
from tests.builders import recorded_before
from tests.command_line import OPENING, Ended, House, assert_plain, run, told
from tests.exports import duck, export, manifest_of, simulated_house
from tests.stores import open_ledger
from tests.stories import StoriesTold
from tests.tampering import (
    set_aside,
    tell_of_one_who_shared_an_episode,
)
from tests.tiers import many

if TYPE_CHECKING:
    import duckdb

Row = dict[str, Any]
HOSTILE = "<script>alert('x')</script> \"&amp; $(id) `rm` #'"
TURNED = f"\u202e{HOSTILE}"
"""With a sign that turns the writing: the book's names may have it, what comes through the door may not."""

EXAMPLES = ROOT / "docs" / "examples"
GOLDEN = GOLDENS / "report.jsonl"
ON = "2025-06-01"
"""A date in the midst of the simulated history, so that every band and section has rows."""

MANY = 12
"""Of a section with so many rows every third is asked about, and before a release every one."""
ASKED: dict[str, list[str]] = {
    "everything": [],
    "one payer": ["--payer", "gulf-shield"],
    "a stretch of dates": ["--from", "2025-01-16", "--to", "2025-08-20"],
    "three days": ["--from", "2025-05-22", "--to", "2025-05-24"],
    "a payer in a stretch": ["--payer", "cascade-medicaid", "--from", "2025-01-01"],
    "a payer as known then": ["--payer", "gulf-shield", "--known-at", "2025-06-10T00:00:00Z"],
}


AGREED_BY, AGREED_CODE, AGREED_CENTS = ("summit-choice", "1682039544"), "S9325", 12345
AGREED_FROM, AGREED_TO = "2026-06-10", "2026-06-20"
AGREED = f"""
[[agreements]]
payer = "{AGREED_BY[0]}"
signed_on = 2026-01-01
from = {AGREED_FROM}
to = {AGREED_TO}
rate_cents = {{ {AGREED_CODE} = {AGREED_CENTS} }}
"""
"""Some days on hold are theirs, and others of the same payer and provider lie before and after."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house told simulated histories with planted trouble, in their own book."""
    house = simulated_house(tmp_path_factory.mktemp("monday"), 32, seed=42)
    with (house.book / "providers" / "foothill.toml").open("a", encoding="utf-8") as file:
        file.write(AGREED)
    (house.book / "payers" / "hostile.toml").write_text(hostile_payer(), encoding="utf-8")
    assert house.tell(*hostile_story("2025-05")).status == 0  # and an authorization that runs out
    assert house.tell(*answers_to(house.run("claims", "list").rows)).status == 0
    assert house.run("status").status == 0  # who asks first would be told that the read model is of another book
    return house


def answers_to(claims: Iterable[Row]) -> Iterator[Row]:
    """Of four claims one is paid as asked, one by half, one denied, and one not answered."""
    for place, row in enumerate(claims):
        paid = {1: row["charge_cents"], 2: row["charge_cents"] // 2, 3: 0}.get(place % 4)
        if paid is not None:
            fact = {"type": "RemittancePosted", "claim": row["claim"], "payer": row["payer"], "payment": "CHECK-1",
                    "paid_on": "2026-11-01", "status": "1" if paid else "4", "charge_cents": row["charge_cents"],
                    "paid_cents": paid}  # fmt: skip
            if less := row["charge_cents"] - paid:
                fact["adjustments"] = [{"group": "CO", "code": "45" if paid else "50", "cents": less}]
            yield told(f"answer-{place}", fact, episode=row["episode"])


@cache
def answered(house: House, *command: str) -> Ended:
    """What a command answers of a house that is told nothing more, asked once: many rows name the same command, and
    many tests ask for the same report. That it would say the same again, a test below holds."""
    return house.run(*command)


def sections(house: House, *options: str, on: str = ON) -> dict[str, list[Row]]:
    ended = answered(house, "report", "--on", on, *options)
    assert ended.status == 0, ended
    return {name: list(rows) for name, rows in groupby(ended.rows, lambda row: str(row["section"]))}


def pointed_at(house: House, row: Row) -> list[Row]:
    """The rows that a row's own command prints."""
    ended = answered(house, *shlex.split(row["rows"]), "--format", "json")
    assert ended.status in (0, 1) if row["rows"].startswith("diff") else ended.status == 0, (row, ended)
    return ended.rows


def numbers_of(section: str, row: Row, rows: list[Row]) -> Row:
    """What a row of a section must say of the rows behind it."""
    episodes = len({each.get("episode") for each in rows})
    match section:
        case "billed":
            return {"billable_days": len(rows), "episodes": episodes, "cents": sum(r["rate_cents"] for r in rows)}
        case "holds" | "conflicts":
            return {"days": len(rows), "episodes": episodes, "first_date": min(r["date"] for r in rows)}
        case "unbilled":
            cents = sum(r["now_cents"] for r in rows)
            first = min(r["file_by"] for r in rows)
            return {"days": len(rows), "episodes": episodes, "cents": cents, "first_file_by": first}
        case "paid" | "unanswered" | "denials":
            return paid_numbers(section, rows)
        case "exposure" | "give_back":
            claims = len({(r["episode"], r["claim"]) for r in rows})
            first_by = min((r["repay_by"] for r in rows if r["repay_by"]), default=None)
            cents = sum(r["exposure_cents"] for r in rows)
            return {"days": len(rows), "claims": claims, "cents": cents, "first_repay_by": first_by}
        case "authorizations":
            last = max((r["date"] for r in rows), default=None)
            return {"billable_days": len(rows), "left": row["units"] - len(rows), "last_drawn": last}
        case "expected":
            assert rows, "the episode's entries"
            return {}
        case _:
            first = min(min(r["dates"]) for r in rows)
            return {"findings": len(rows), "patients": len({r["patient"] for r in rows}), "first_date": first}


def paid_numbers(section: str, rows: list[Row]) -> Row:
    """The same of claimed days with their money."""
    claims, live = len({(r["episode"], r["claim"]) for r in rows}), [r for r in rows if r["live"]]
    predicted = sum(r["expected_cents"] or 0 for r in live)
    match section:
        case "denials":
            return {"days": len(rows), "claims": claims, "cents": sum(r["missing_cents"] for r in rows)}
        case "unanswered":
            cents = sum(r["charge_cents"] for r in rows)
            return {"days": len(rows), "cents": cents, "predicted_cents": predicted}
    per_diems, others = ([r for r in rows if (r["expected_cents"] is None) == other] for other in (False, True))
    open_days = [r for r in live if r["status"] in ("unpaid", "reversed")]
    return {
        "days": len(rows), "claims": claims, "predicted_cents": predicted,
        "open_cents": sum(r["expected_cents"] or 0 for r in open_days),
        "paid_cents": sum(r["paid_cents"] for r in per_diems), "patient_cents": sum(r["patient_cents"] for r in rows),
        "missing_cents": sum(r["missing_cents"] for r in rows),
        "give_back_cents": sum(r["to_give_back_cents"] for r in rows),
        "other_cents": sum(r["paid_cents"] for r in others),
    }  # fmt: skip


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
def test_the_command_of_every_row_prints_the_rows_it_counts(house: House, options: list[str]) -> None:
    found = sections(house, *options)
    found.pop("report")
    assert found
    for section, rows in found.items():
        for row in rows[:: 1 if len(rows) < MANY else many(3, 1)]:
            behind = pointed_at(house, row)
            said = numbers_of(section, row, behind)
            assert {name: row[name] for name in said} == said, row


def test_every_section_has_rows_here(house: House) -> None:
    found = sections(house)
    assert list(found) == [
        "report", "billed", "holds", "unbilled", "exposure", "give_back", "paid", "unanswered", "denials",
        "authorizations", "conflicts", "findings", "expected",
    ]  # fmt: skip
    assert {row["left"] for row in found["unbilled"]} >= {"lost", "more"}
    assert {row["kind"] for row in found["exposure"] + found["give_back"]} >= {"overclaimed", "changed"}
    assert any(row["cents"] is None for row in found["holds"])


def taken(rows: Iterable[Row], options: list[str]) -> Iterator[Row]:
    """The days and claimed days that the options choose, by hand."""
    chosen = dict(zip(options[::2], options[1::2], strict=True))
    for row in rows:
        if chosen.get("--payer") in (None, row["payer"]) and (
            chosen.get("--from", "") <= row["date"] <= chosen.get("--to", "9")
        ):
            yield row


@pytest.mark.parametrize("options", ASKED.values(), ids=ASKED)
def test_no_day_is_left_out(house: House, options: list[str]) -> None:
    """Each section's rows, counted from all rows at once, without any filter of the commands."""
    then = options[options.index("--known-at") :] if "--known-at" in options else []
    wanted = options[: len(options) - len(then)]
    found = sections(house, *options)
    days = list(taken(house.run("days", *then).rows, wanted))
    claimed = list(taken(house.run("diff", "--claimed", "--all", *then).rows, wanted))
    paid = list(taken(house.run("payments", *then).rows, wanted))
    by: list[tuple[str, Iterable[Row], Callable[[Row], Any], Callable[[Row], Any]]] = [
        ("billed", (r for r in days if r["status"] == "billable"), lambda r: (r["payer"], r["date"][:7]),
         lambda r: (r["payer"], r["month"])),
        ("holds", (r for r in days if r["status"] == "hold"), lambda r: (r["reason"], r["payer"]),
         lambda r: (r["reason"], r["payer"])),
        ("conflicts", (r for r in days if r["status"] == "conflict"), lambda r: r["reason"], lambda r: r["rule"]),
        ("unbilled", (r for r in claimed if r["kind"] == "unbilled"),
         lambda r: (r["payer"], left(r["file_by"])), lambda r: (r["payer"], r["left"])),
        ("exposure", (r for r in claimed if r["kind"] != "unbilled" and r["paid_cents"] is None),
         lambda r: (r["payer"], r["kind"]), lambda r: (r["payer"], r["kind"])),
        ("give_back", (r for r in claimed if r["paid_cents"] is not None and r["exposure_cents"]),
         lambda r: (r["payer"], r["kind"]), lambda r: (r["payer"], r["kind"])),
        ("paid", paid, lambda r: (r["payer"], r["date"][:7]), lambda r: (r["payer"], r["month"])),
        ("denials", (r for r in paid if r["missing_cents"]),
         lambda r: (r["payer"], r["status"], ", ".join(r["reasons"])),
         lambda r: (r["payer"], r["status"], r["reasons"])),
        ("unanswered", (r for r in paid if r["waiting_since"] and waits(r["waiting_since"]) >= 30),
         lambda r: (r["episode"], r["claim"]), lambda r: (r["episode"], r["claim"])),
    ]  # fmt: skip
    for section, rows, key, key_said in by:
        grouped: dict[Any, list[Row]] = {}
        for row in rows:
            grouped.setdefault(key(row), []).append(row)
        said = {key_said(row): row for row in found.get(section, [])}
        assert said.keys() == grouped.keys()
        for name, row in said.items():
            expected = numbers_of(section, row, grouped[name])
            assert {field: row[field] for field in expected} == expected


def waits(since: str) -> int:
    return (date.fromisoformat(ON) - date.fromisoformat(since)).days


def left(file_by: str) -> str:
    return band((date.fromisoformat(file_by) - date.fromisoformat(ON)).days)


def band(days: int) -> str:
    return "lost" if days < 0 else "<=14" if days <= 14 else "<=30" if days <= 30 else "<=60" if days <= 60 else "more"


def test_hard_findings_are_all_there(house: House) -> None:
    hard = [row for row in house.run("findings").rows if row["level"] == "hard"]
    said = {row["rule"]: row["findings"] for row in sections(house)["findings"]}
    assert said == {rule: sum(row["rule"] == rule for row in hard) for rule in {row["rule"] for row in hard}}


def test_holds_are_priced_by_the_agreement_or_the_terms_of_the_day(house: House) -> None:
    rates: dict[tuple[str, str, str, str | None], int] = {}
    for path in (house.book / "payers").glob("*.toml"):
        payer = tomllib.loads(path.read_text(encoding="utf-8"))
        for terms in payer["terms"]:
            edition = payer["id"], str(terms["from"]), str(terms["published"])
            rates |= {(*edition, code): cents for code, cents in terms["rate_cents"].items()}
            if terms["pain_code"] == "general" and "S9325" in terms["rate_cents"]:
                rates[(*edition, None)] = terms["rate_cents"]["S9325"]
    by_agreement = 0
    for row in sections(house)["holds"]:
        found = [
            agreed(day) or rates.get((day["payer"], day["terms_from"], day["terms_published"], day["code"]))
            for day in pointed_at(house, row)
        ]
        by_agreement += found.count(AGREED_CENTS)
        known = [cents for cents in found if cents is not None]
        assert (row["cents"], row["priced_days"]) == (sum(known) if known else None, len(known))
    assert by_agreement > 5


def agreed(day: Row) -> int | None:
    """What the one agreement with a rate pays for a day, if it is one of its dates."""
    is_its = (day["payer"], day["provider"]) == AGREED_BY and AGREED_FROM <= day["date"] <= AGREED_TO
    return AGREED_CENTS if is_its and day["code"] == AGREED_CODE else None


STATEMENTS = dict(
    re.findall(
        r"```sql\n-- (\w+)\n(.*?)```", (ROOT / "docs" / "reference" / "report-numbers.md").read_text(), re.DOTALL
    )
)
NOT_NUMBERS = {"section", "rows", "because", "cure", "todo"}


TABLES = {"days": "*/*", "findings": "*/*", "claimed": "*/*", "payments": "*/*", "authorizations": "*/*", "rates": "*"}
"""The tables that docs/reference/report-numbers.md names, and where below an export their files lie."""


class Feed(NamedTuple):
    """Exports of every table as Parquet, and the date and options of the report that they are to reproduce."""

    folder: Path
    on: str
    options: list[str]

    def files(self, name: str) -> str:
        return f"{self.folder / name}/{TABLES[name]}.parquet"


@pytest.fixture(
    scope="module", params=[(ON, None), ("2025-03-01", "2025-03-01T00:00:00Z")], ids=["now", "as known then"]
)
def feed(house: House, request: pytest.FixtureRequest) -> Feed:
    """All that programs downstream read: nothing but what the command line exported."""
    on, known_at = request.param
    options = ["--known-at", known_at] if known_at else []
    folder = house.folder / f"feed-{on}"
    for name in TABLES:
        export(house, name, "parquet", folder, *options)
    return Feed(folder, on, options)


@pytest.fixture(scope="module")
def exported(feed: Feed) -> duckdb.DuckDBPyConnection:
    """The files as DuckDB reads them."""
    database = duck().connect()
    for name in TABLES:
        database.execute(f"CREATE TABLE {name} AS FROM read_parquet('{feed.files(name)}')")
    return database


@pytest.mark.parametrize("section", STATEMENTS)
def test_duckdb_reproduces_every_number_from_the_exports(
    house: House, feed: Feed, exported: duckdb.DuckDBPyConnection, section: str
) -> None:
    rows = sections(house, *feed.options, on=feed.on).get(section, [])
    statement = STATEMENTS[section]
    found = exported.execute(statement, {"on": feed.on} if "$on" in statement else None)
    names = [str(column[0]) for column in found.description or ()]
    if rows:
        assert set(names) == rows[0].keys() - NOT_NUMBERS
    counted = [{name: plain(cell) for name, cell in zip(names, row, strict=True)} for row in found.fetchall()]
    said = [{name: row[name] for name in names} for row in rows]
    assert sorted(map(str, counted)) == sorted(map(str, said))


def by_polars(feed: Feed) -> dict[str, polars.DataFrame]:
    """Each section's numbers as polars counts them from the same files."""
    words = polars.col(polars.Categorical).cast(polars.String)
    days, findings, claimed, payments, authorizations, rates = (
        polars.read_parquet(feed.files(name), hive_partitioning=False).with_columns(words) for name in TABLES
    )
    col, count, episodes = polars.col, polars.len(), polars.col("episode").n_unique()
    on = date.fromisoformat(feed.on)
    edition = ["payer", "terms_from", "terms_published", "code"]
    of_terms, agreed = rates.filter(col("provider").is_null()), rates.filter(col("provider").is_not_null())
    waiting = days.filter(status="hold")
    by_agreement = waiting.join(agreed, on=[*edition, "provider"], nulls_equal=True, suffix="_agreed").filter(
        col("date") >= col("from"), col("date") <= col("to").fill_null(col("date"))
    )
    own = by_agreement.select("episode", "date", "rate_agreed")
    held = (
        waiting.join(of_terms, on=edition, how="left", nulls_equal=True, suffix="_of_terms")
        .join(own, on=["episode", "date"], how="left")
        .with_columns(rate_of_terms=polars.coalesce("rate_agreed", "rate_of_terms"))
    )
    priced = col("rate_of_terms").count()
    unbilled = claimed.filter(kind="unbilled")
    to_file = (col("file_by") - on).dt.total_days().map_elements(band, return_dtype=polars.String)
    dated = authorizations.with_columns(left=col("units") - col("drawn"))
    short = dated.with_columns(runs_out=(col("left") <= 7) | (col("to") <= on + timedelta(14)))
    followed = [
        (one["episode"], one["number"])
        for one in short.rows(named=True)
        for other in short.filter(~col("runs_out")).rows(named=True)
        if (one["episode"], one["payer"]) == (other["episode"], other["payer"]) and {*one["codes"]} <= {*other["codes"]}
    ]
    claims, wrong = polars.struct("episode", "claim").n_unique(), claimed.filter(col("claim").is_not_null())
    exposed = {
        "exposure": wrong.filter(col("kind").is_in(["overclaimed", "changed"]), col("paid").is_null()),
        "give_back": wrong.filter(col("paid").is_not_null(), col("exposure") > 0),
    }
    begun = polars.max_horizontal(polars.lit(on), col("from")).dt.offset_by("-1d")
    lasting = col("last_drawn").fill_null(begun) + polars.duration(days=col("left"))
    two_weeks_ago, in_two_weeks = on - timedelta(14), on + timedelta(14)
    running = short.filter(
        col("runs_out"), ~col("ended"), (col("last_day") >= two_weeks_ago) | (col("ordered_to") >= on).fill_null(False),
        col("to") >= two_weeks_ago, col("from") <= in_two_weeks,
    ).with_columns(lasts_to=polars.min_horizontal(col("to"), lasting))  # fmt: skip
    return {
        "billed": days.filter(status="billable")
        .group_by("payer", month=col("date").dt.strftime("%Y-%m"))
        .agg(billable_days=count, episodes=episodes, cents=cents("rate")),
        "holds": held.group_by("reason", "payer").agg(
            days=count, episodes=episodes, cents=polars.when(priced > 0).then(cents("rate_of_terms")),
            priced_days=priced, first_date=col("date").min(),
        ),
        "unbilled": unbilled.group_by("payer", left=to_file).agg(
            days=count, episodes=episodes, cents=cents("now_rate"), first_file_by=col("file_by").min()
        ),
        **{name: rows.group_by("payer", "kind").agg(
            days=count, claims=claims, cents=cents("exposure"), first_repay_by=col("repay_by").min()
        ) for name, rows in exposed.items()},
        "paid": paid_by_month(payments, claims),
        "unanswered": payments.filter(col("waiting_since") <= on - timedelta(30))
        .group_by("payer", "patient", "episode", "claim", sent_on="waiting_since")
        .agg(waits=(on - col("waiting_since").first()).dt.total_days(), days=count, cents=cents("charge"),
             predicted_cents=cents("expected")),
        "denials": payments.filter(col("missing") > 0)
        .group_by("payer", "status", reasons=col("reasons").list.join(", "))
        .agg(days=count, claims=claims, cents=cents("missing")),
        "authorizations": running.filter(
            ~polars.struct("episode", "number").map_elements(
                lambda one: (one["episode"], one["number"]) in followed, return_dtype=polars.Boolean
            )
        ),
        "conflicts": days.filter(status="conflict").group_by(rule="reason").agg(
            days=count, episodes=episodes, first_date=col("date").min()
        ),
        "findings": findings.filter(level="hard").group_by("rule").agg(
            findings=count, patients=col("patient").n_unique(), first_date=col("dates").list.min().min()
        ),
    }  # fmt: skip


def cents(column: str) -> polars.Expr:
    return (polars.col(column).sum() * 100).cast(polars.Int64)


def paid_by_month(payments: polars.DataFrame, claims: polars.Expr) -> polars.DataFrame:
    col = polars.col
    live, is_open = col("live"), col("status").is_in(["unpaid", "reversed"])
    split = payments.with_columns(
        predicted=polars.when(live).then("expected"), open=polars.when(live & is_open).then("expected"),
        per_diem=polars.when(col("expected").is_not_null()).then("paid"),
        other=polars.when(col("expected").is_null()).then("paid"),
    )  # fmt: skip
    return split.group_by("payer", month=col("date").dt.strftime("%Y-%m")).agg(
        days=polars.len(), claims=claims, predicted_cents=cents("predicted"), open_cents=cents("open"),
        paid_cents=cents("per_diem"), patient_cents=cents("patient_owes"), missing_cents=cents("missing"),
        give_back_cents=cents("to_give_back"), other_cents=cents("other"),
    )  # fmt: skip


def test_polars_reproduces_every_number_from_the_exports(house: House, feed: Feed) -> None:
    found = sections(house, *feed.options, on=feed.on)
    counted_by_polars = by_polars(feed)
    assert [name for name in ["report", *counted_by_polars, "expected"] if name in found] == list(found)
    for section, frame in counted_by_polars.items():
        if section not in found:
            assert frame.is_empty()
            continue
        names = [name for name in found[section][0] if name not in NOT_NUMBERS]
        counted = [{name: plain(row[name]) for name in names} for row in frame.rows(named=True)]
        said = [{name: row[name] for name in names} for row in found[section]]
        assert sorted(map(str, counted)) == sorted(map(str, said)), section


def test_the_exports_say_what_the_report_rests_on(house: House, feed: Feed) -> None:
    said = house.run("report", "--on", feed.on, *feed.options).rows[0]  # asked again: an export may take a position
    for name in TABLES:
        manifest = manifest_of(feed.folder / name)
        rests_on = [manifest[key] for key in ("ledger", "position", "book_hash", "known_at", "patients_set_aside")]
        assert rests_on == [said[key] for key in ("ledger_id", "position", "book_hash", "known_at", "set_aside")]


def plain(cell: Any) -> Any:
    return cell.isoformat() if isinstance(cell, date) else cell


def test_the_page_of_the_docs_has_a_statement_for_every_section(house: House) -> None:
    assert ["report", *STATEMENTS, "expected"] == list(sections(house))


def authorization(number: str = "A", **changes: Any) -> Authorization:
    row = {
        "patient": "P", "episode": "E", "number": number, "payer": "x", "codes": ("S9325",), "from_": "2026-01-01",
        "to": "2026-12-31", "units": 100, "drawn": 50, "billable_days": 50, "last_drawn": "2026-03-01",
        "last_day": "2026-03-01", "ended": False, "ordered_to": None,
    }  # fmt: skip
    return Authorization(**(row | changes))


AT = Asked("2026-03-10")


@pytest.mark.parametrize(
    ("changes", "lasts_to"),
    [
        ({}, None),
        ({"drawn": 93}, "2026-03-08"),
        ({"drawn": 92}, None),
        ({"drawn": 100}, "2026-03-01"),
        ({"to": "2026-03-24"}, "2026-03-24"),
        ({"to": "2026-03-25"}, None),
        ({"to": "2026-02-24"}, "2026-02-24"),
        ({"to": "2026-02-23"}, None),
        ({"drawn": 93, "ended": True}, None),
        ({"drawn": 93, "last_day": "2026-02-24"}, "2026-03-08"),
        ({"drawn": 93, "last_day": "2026-02-23"}, None),
        ({"drawn": 93, "last_day": "2025-02-23", "ordered_to": "2026-03-10"}, "2026-03-08"),
        ({"drawn": 93, "last_day": "2025-02-23", "ordered_to": "2099-12-31"}, "2026-03-08"),
        ({"drawn": 93, "last_day": "2025-02-23", "ordered_to": "2026-03-09"}, None),
        ({"drawn": 93, "last_day": "2025-02-23", "ordered_to": "2099-12-31", "ended": True}, None),
        ({"units": 5, "drawn": 0, "last_drawn": None}, "2026-03-14"),
        ({"units": 5, "drawn": 0, "last_drawn": None, "from_": "2026-03-24"}, "2026-03-28"),
        ({"units": 5, "drawn": 0, "last_drawn": None, "from_": "2026-03-25"}, None),
        ({"units": 2**53 - 1, "drawn": 0, "to": "2026-03-12"}, "2026-03-12"),
    ],
)
def test_when_an_authorization_runs_out(changes: Row, lasts_to: str | None) -> None:
    found = [row.lasts_to for row in running_out([authorization(**changes)], AT)]
    assert found == ([lasts_to] if lasts_to else [])


@pytest.mark.parametrize(
    ("other", "is_followed"),
    [
        ({}, True),
        ({"codes": ("S9325", "S9326")}, True),
        ({"codes": ("S9326",)}, False),
        ({"payer": "y"}, False),
        ({"drawn": 95}, False),
        ({"to": "2026-03-20"}, False),
    ],
)
def test_an_authorization_that_another_follows_does_not_run_out(other: Row, is_followed: bool) -> None:
    pair = [authorization("A", drawn=95), authorization("B", **other)]
    assert ("A" not in [row.number for row in running_out(pair, AT)]) == is_followed


def test_authorizations_are_of_the_payer_and_touch_the_dates_asked_for() -> None:
    one = [authorization(drawn=95)]
    assert list(running_out(one, AT._replace(payer="x", from_="2026-12-31")))
    assert not list(running_out(one, AT._replace(payer="y")))
    assert not list(running_out(one, AT._replace(from_="2027-01-01")))
    assert not list(running_out(one, AT._replace(to="2025-12-31")))


@given(st.integers(-400, 400))
def test_each_limit_falls_into_one_band_and_the_bands_meet(days: int) -> None:
    file_by = (date.fromisoformat(ON) + timedelta(days=days)).isoformat()
    assert band_of(ON, file_by).name == left(file_by)
    fitting = [b for b in BANDS if (b.first is None or b.first <= days) and (b.last is None or days <= b.last)]
    assert fitting == [band_of(ON, file_by)]


@pytest.mark.parametrize(
    ("cents", "priced_days", "told"), [(None, 0, "unknown"), (9000, 1, "≥ 90.00"), (27000, 3, "270.00")]
)
def test_a_hold_of_which_not_every_day_has_a_price_says_so(cents: int | None, priced_days: int, told: str) -> None:
    held = Hold("plan_missing", "x", 3, 1, cents, priced_days, "2026-03-01", "", "", "days")
    dollars = next(column for column in SECTIONS["holds"].columns if column.name == "dollars")
    assert dollars.cell(held) == told


def claimed_day(**changes: Any) -> ClaimedDay:
    """A day of episode E claimed from payer x that is y's now."""
    row = dict.fromkeys(ClaimedDay.__struct_fields__) | {
        "patient": "P", "episode": "E", "date": "2025-05-01", "kind": "changed", "claim": "C", "payer": "x",
        "claimed_cents": 9000, "now_payer": "y", "now_cents": 9000, "exposure_cents": 9000, "revealed_by": (),
    }  # fmt: skip
    return ClaimedDay(**(row | changes))


@pytest.mark.parametrize(("payer", "days"), [(None, 3), ("x", 3), ("y", 0)])
def test_exposure_is_counted_where_it_was_claimed(payer: str | None, days: int) -> None:
    sums = ClaimSums(Asked(ON, payer))
    for row in (claimed_day(), claimed_day(date="2025-05-02", claim="D"), claimed_day(episode="F")):
        sums.add(row)
    assert [(row.payer, row.days, row.claims, row.cents) for row in sums.exposure()] == (
        [("x", 3, 3, 27000)] if days else []
    )


@pytest.mark.parametrize(
    ("due_from", "due_to", "is_shown"),
    [
        ("2025-06-01", "2025-06-01", True), (None, "2025-06-01", True), ("2025-06-01", None, True),
        (None, "2025-05-31", False), ("2025-06-02", None, False), (None, None, True),
    ],
)  # fmt: skip
def test_a_limit_is_due_on_its_own_date(due_from: str | None, due_to: str | None, is_shown: bool) -> None:
    narrower = Narrower(None, None, due_from, due_to)
    assert narrower.takes(claimed_day(file_by="2025-06-01")) == is_shown
    assert narrower.takes(claimed_day()) == (due_from is due_to is None), "what is filed is due no more"


def test_what_was_claimed_from_a_payer_is_no_day_of_theirs_that_is_on_no_claim() -> None:
    narrower = Narrower(None, "x", None, None)
    assert narrower.takes(claimed_day())
    assert not narrower.takes(claimed_day(kind="unbilled", claim=None))
    assert not narrower.takes(claimed_day(payer="y", now_payer="x"))


def test_a_day_without_a_code_has_a_price_only_where_one_code_pays_for_every_mode() -> None:
    (payer,) = (payer for payer in load_book().payers.values() if payer.id == "gulf-mutual")
    for pain_code, codes in (("general", ["S9325", None]), ("specific", ["S9325"])):
        terms = msgspec.structs.replace(payer.terms[0], pain_code=pain_code, rate_cents={"S9325": 9000})
        rates = rates_of(Book([], [msgspec.structs.replace(payer, terms=(terms,))], []))
        assert [(rate.code, rate.rate_cents) for rate in rates] == [(code, 9000) for code in codes]


def test_what_to_do_about_a_rule_names_no_codes() -> None:
    assert not [rule for rule in MESSAGES if re.search(r"[{}]", todo_of(rule))]


class Seen(HTMLParser):
    """What a page consists of."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.cells: list[tuple[str, bool]] = []
        self._cell: list[str] | None = None
        self._linked = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        if tag == "td" and "num" in (given.get("class") or "").split():
            self._cell, self._linked = [], False
        self._linked = self._linked or tag == "a"

    def handle_endtag(self, tag: str) -> None:
        if tag == "td" and self._cell is not None:
            self.cells.append(("".join(self._cell), self._linked))
            self._cell = None

    def handle_data(self, data: str) -> None:
        if self._cell is not None:
            self._cell.append(data)

    @property
    def ids(self) -> list[str]:
        return [str(given["id"]) for _, given in self.tags if "id" in given]

    @property
    def links(self) -> list[str]:
        return [str(given["href"]) for tag, given in self.tags if tag == "a"]


@pytest.fixture(scope="module")
def page(house: House) -> str:
    ended = house.run("report", "--on", ON, "--format", "html")
    assert (ended.status, ended.err) == (0, "")
    return ended.out.decode()


def test_every_number_of_the_page_leads_to_its_rows(page: str) -> None:
    parsed = Seen(page)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)
    tables = page.partition('id="behind"')[0]
    numbers = [(text, linked) for text, linked in Seen(tables).cells if text]
    assert len(numbers) > 200
    assert [text for text, linked in numbers if not linked] == []


def test_the_page_shows_behind_each_number_as_many_rows_as_it_counts(house: House, page: str) -> None:
    found = sections(house)
    for section, rows in found.items():
        for place, row in enumerate(rows if section not in ("report", "expected") else [], 1):
            article = page.partition(f'<article class="rows" id="rows-{section}-{place}"')[2].partition("</article>")[0]
            counted = next(row[name] for name in ("billable_days", "days", "findings") if name in row)
            assert f"{counted:,} {'finding' if section == 'findings' else 'day'}" in article
            shown = [int(text) for text, _ in Seen(article).cells if text.isdecimal()]
            if section == "findings":
                assert len(shown) == min(counted, SHOWN_RUNS)
            elif "are shown" not in article:
                assert sum(shown) == counted
            assert (
                f"episode-ledger {escape(seen(row['rows']))}".replace("&#x27;", "&#39;").replace("&quot;", "&#34;")
                in article
            )


@pytest.mark.parametrize("options", [[], ["--payer", "lakeshore-access"], ["--payer", "gulf-shield"]])
def test_the_command_below_a_section_prints_all_of_it(house: House, options: list[str]) -> None:
    found = sections(house, *options)
    page = house.run("report", "--on", ON, "--format", "html", *options).out.decode()
    commands = re.findall(r'id="all-(\w+)">All of it: <code>episode-ledger (.*?)</code>', page)
    assert commands
    for section, command in commands:
        rows = house.run(*shlex.split(unescape(command)), "--format", "json").rows
        assert len(rows) == sum(row.get("days", 0) + row.get("billable_days", 0) for row in found[section])
    assert {section for section, _ in commands} <= {
        "billed", "holds", "unbilled", "exposure", "give_back", "paid", "denials", "conflicts",
    }  # fmt: skip


def test_the_latest_month_comes_first_on_the_page(page: str) -> None:
    months = re.findall(r'id="billed-\d+"><th role="rowheader" scope="row"><bdi>(\d{4}-\d\d)</bdi>', page)
    assert len(set(months)) > 12
    assert months == sorted(months, reverse=True)


def test_the_page_needs_nothing_else_and_runs_nothing(page: str) -> None:
    parsed = Seen(page)
    assert {tag for tag, _ in parsed.tags} & {"script", "link", "img", "iframe", "object", "form"} == set()
    assert not [given for _, given in parsed.tags if any(name.startswith("on") or name == "style" for name in given)]
    assert all(link.startswith("#") for link in parsed.links)
    policy = next(given["content"] for tag, given in parsed.tags if given.get("http-equiv"))
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    charts = [given for tag, given in parsed.tags if tag == "svg"]
    assert len(charts) == 6
    for chart in charts:
        assert chart["role"] == "img"
        assert set(str(chart["aria-labelledby"]).split()) <= set(parsed.ids)


def test_the_same_ledger_and_book_give_the_same_bytes(house: House, page: str) -> None:
    for form in ("html", "json", "csv", "table"):
        first, second = (house.run("report", "--on", ON, "--format", form).out for _ in range(2))
        assert first == second
    for view in house.folder.glob("ledger.views*"):
        if view.is_dir():
            continue
        view.unlink()
    again = house.run("report", "--on", ON, "--format", "html")
    assert again.out.decode() == page


def test_a_report_as_known_at_an_instant_is_of_that_date(house: House) -> None:
    then = "2025-06-09T23:30:00-04:00"
    (heading,) = sections(house, "--known-at", then, on="2025-06-10")["report"]
    ended = house.run("report", "--known-at", then)
    assert ended.rows[0] == heading
    assert heading["on"] == "2025-06-10", "by UTC"


def test_fewer_rows_are_shown_if_asked_and_the_page_says_so(house: House, page: str) -> None:
    few = house.run("report", "--on", ON, "--format", "html", "--shown", "1").out.decode()
    none = house.run("report", "--on", ON, "--format", "html", "--shown", "0").out.decode()
    assert "are shown" in few
    assert len(none) < len(few) < len(page)
    assert few.count("All of them:") == none.count("All of them:") == page.count("All of them:")


def test_runs_are_cut_at_the_maximum_and_what_is_shown_is_counted() -> None:
    collected = Collected(2)
    for day in ("01", "02", "04", "06", "07"):
        collected.add_day(("k",), "P", "E", f"2026-03-{day}", "S9325", 100)
    behind = collected.by_key[("k",)]
    assert [(run.from_, run.to, run.days, run.cents) for run in behind.runs] == [
        ("2026-03-01", "2026-03-02", 2, 200),
        ("2026-03-04", "2026-03-04", 1, 100),
    ]
    assert (behind.rows, behind.shown_rows) == (5, 3)


def test_a_table_for_people_and_one_sheet_for_spreadsheets(house: House) -> None:
    found = sections(house)
    table = house.run("report", "--on", ON, tty=True).out.decode()
    whole = re.sub(r" \\\n +", " ", table)  # a command line that is too long goes on after a backslash
    for section, rows in found.items():
        if section not in ("report", "expected"):
            assert all(printable(row["rows"]) in whole for row in rows)
    sheet = list(csv.DictReader(io.StringIO(house.run("report", "--on", ON, "--format", "csv").out.decode())))
    assert [row["section"] for row in sheet] == [name for name, rows in found.items() for _ in rows]
    assert [row["cents"] for row in sheet if row["section"] == "billed"] == [str(r["cents"]) for r in found["billed"]]


def test_the_page_goes_to_a_file_that_only_its_owner_reads(house: House, page: str, tmp_path: Path) -> None:
    out = tmp_path / "monday.html"
    ended = house.run("report", "--on", ON, "--out", out)
    assert (ended.status, ended.out) == (0, b"")
    assert out.read_text(encoding="utf-8") == page
    assert out.stat().st_mode & 0o077 == 0


def test_what_is_asked_wrongly_is_said_plainly(house: House, tmp_path: Path) -> None:
    assert_plain(house.run("report", "--out", tmp_path / "x", "--format", "csv"), 2, "--format html")
    assert_plain(house.run("report", "--from", "2026-02-02", "--to", "2026-02-01"), 2, "before --from")
    assert_plain(house.run("report", "--on", "today"), 2, "YYYY-MM-DD")
    assert_plain(house.run("days", "--reason", "plan_mising"), 2, "plan_missing")
    assert_plain(house.run("findings", "--rule", "nonsense"), 2, "claimed_twice")
    assert_plain(house.run("diff", "--claimed", "--claims-to", "x", "--all"), 2, "one of EPISODE")
    assert_plain(
        house.run("diff", "E", "--between", "2026-01-01T00:00Z", "2026-01-02T00:00Z", "--kind", "changed"),
        2, "go with --claimed",
    )  # fmt: skip


def test_an_empty_ledger_has_an_empty_report(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(stdin=b"").status == 0 if house.ledger.exists() else house.run("record", "-").status == 0
    assert [row["section"] for row in house.run("report").rows] == ["report"]
    page = house.run("report", "--format", "html").out.decode()
    assert "No day is billable." in page
    assert "No day is billable." in house.run("report", "--format", "table").out.decode()


def test_hostile_names_stay_words_and_their_commands_still_find_their_rows(tmp_path: Path) -> None:
    house = House(tmp_path)
    (house.book / "payers" / "hostile.toml").write_text(hostile_payer(), encoding="utf-8")
    with open_ledger(house.ledger, create=True) as ledger:  # recorded before the door asked for plain text
        ledger.append(*recorded_before(hostile_story("2026-03")))
    found = sections(house, on="2026-03-31")
    assert {"billed", "unbilled", "authorizations"} <= found.keys()
    for section, rows in found.items():
        for row in rows if section != "report" else []:
            said = numbers_of(section, row, pointed_at(house, row))
            assert {name: row[name] for name in said} == said
    page = house.run("report", "--on", "2026-03-31", "--format", "html").out.decode()
    parsed = Seen(page)
    assert "script" not in {tag for tag, _ in parsed.tags}
    assert "\u202e" not in page
    assert not [value for _, given in parsed.tags for value in given.values() if value and "alert" in value]


def hostile_payer() -> str:
    return f"""
id = {json.dumps(HOSTILE)}
name = {json.dumps(TURNED)}
kind = "commercial"

[[terms]]
from = 2025-01-01
published = 2024-11-15
source = "a test"
checked = 2026-01-01
accepts_s_codes = true
pain_code = "general"
day_counting = "infused"
agreement_required = false
auth_required = true
documentation = []
rate_cents = {{ S9325 = 9000 }}
"""


def hostile_story(month: str) -> list[Row]:
    facts: list[Row] = [
        OPENING | {"patient": HOSTILE},
        {"type": "CoverageVerified", "payer": HOSTILE, "member": "M", "from": "2025-01-01"},
        {"type": "TherapyOrdered", "order": "RX-1", "mode": "continuous", "from": f"{month}-21",
         "prescriber": "1234567893", "signed_on": f"{month}-20"},
        {"type": "AuthorizationGranted", "number": HOSTILE, "payer": HOSTILE, "codes": ["S9325"], "units": 4,
         "from": f"{month}-21", "to": f"{month}-28"},
        *({"type": "DayServed", "order": "RX-1", "date": f"{month}-2{day}"} for day in range(1, 7)),
    ]  # fmt: skip
    return [told(f"id-{number}", fact, episode=HOSTILE) for number, fact in enumerate(facts)]


def test_every_line_is_as_it_was(tmp_path: Path) -> None:
    """After a deliberate change of shape: ``GOLDEN=write pytest tests/projections/report``, and read the difference."""
    ledger = tmp_path / "ledger.db"
    for story in sorted(EXAMPLES.glob("*.jsonl")):
        assert run("--ledger", ledger, "record", "--keep-recorded-at", story).status == 0
    ended = run("--ledger", ledger, "report", "--on", "2026-10-12", "--known-at", "2026-11-20T00:00:00Z")
    heading, rows = ended.out.split(b"\n", 1)
    assert list(json.loads(heading)) == [
        "section", "on", "payer", "from", "to", "known_at", "position", "ledger_id", "book_hash", "set_aside",
        "data_until", "last_month",
    ]  # fmt: skip
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_bytes(rows)
    assert rows == GOLDEN.read_bytes()


@given(st.integers(1, 10**12), st.integers(2, 6))
def test_a_scale_has_a_few_round_steps(most: int, about: int) -> None:
    ticks = list(_ticks(most, about))
    assert ticks[0] == 0
    assert len(ticks) <= about + 1
    assert 10 ** len(str(most)) // (ticks[1] if len(ticks) > 1 else most) < 10**3
    assert most - ticks[-1] < (ticks[1] if len(ticks) > 1 else most + 1)


@given(
    st.dictionaries(
        st.tuples(st.sampled_from("ABCDEFGHIJ"), st.sampled_from([f"2026-{m:02}" for m in range(1, 13)])),
        st.integers(0, 10**9),
        min_size=1,
    )
)
def test_a_bar_is_as_long_as_its_months_dollars(paid: dict[tuple[str, str], int]) -> None:
    rows = [Billed(payer, month, 1, 1, cents, "") for (payer, month), cents in sorted(paid.items())]
    drawn = by_month(rows, {})
    assert drawn is not None
    assert len(drawn.series) <= 6
    months = sorted({month for _, month in paid})
    for drawing in drawn.drawings:
        assert (drawing.bars[0].label, drawing.bars[-1].label) == (months[0], months[-1])
        assert len(drawing.bars) == int(months[-1][5:]) - int(months[0][5:]) + 1
        for bar in drawing.bars:
            total = sum(cents for (_, month), cents in paid.items() if month == bar.label)
            assert bar.value == money(total)
            assert all(part.x + part.width <= drawing.width for part in bar.parts)
            if bar.parts:
                ends = bar.parts[-1].x + bar.parts[-1].width
                most = max(sum(c for (_, m), c in paid.items() if m == b.label) for b in drawing.bars)
                start = drawing.ticks[0].x
                full = max(b.parts[-1].x + b.parts[-1].width for b in drawing.bars if b.parts) - start
                assert ends - start == pytest.approx(full * total / most, abs=1)


@pytest.mark.sqlite_file
def test_who_is_set_aside_is_in_no_number_and_the_page_says_so(own: StoriesTold) -> None:
    whole = own.run("report", "--on", "2026-06-01").rows
    rows = set_aside(own)
    assert (whole[0]["set_aside"], rows[0]["set_aside"]) == (0, 1)
    for section, field, command in (
        ("billed", "billable_days", ["days", "--status", "billable"]),
        ("exposure", "days", ["diff", "--claimed", "--all", "--kind", "overclaimed"]),
    ):
        counted = sum(row[field] for row in rows if row["section"] == section)
        assert counted == len(own.run(*command).rows)
        assert counted < sum(row[field] for row in whole if row["section"] == section)
    page = own.run("report", "--on", "2026-06-01", "--format", "html").out.decode()
    assert "1 patient set aside and not counted" in page
    assert "P-2" not in page


@pytest.mark.sqlite_file
def test_who_shared_an_episode_with_them_is_left_out_of_what_was_claimed(own: StoriesTold) -> None:
    tell_of_one_who_shared_an_episode(own)
    rows = set_aside(own)
    exposed = sum(row["days"] for row in rows if row["section"] == "exposure")
    assert exposed == len(own.run("diff", "--claimed", "--all", "--kind", "overclaimed").rows)
    ended = own.run("report", "--on", "2026-06-01", "--format", "html")
    assert (
        "Claims of patient P-9 are not shown: version 3 of EP-2 at position 16 cannot be read."
        in ended.err.splitlines()
    )
    assert "1 patient more not counted" in ended.out.decode()
