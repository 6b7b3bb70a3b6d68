"""Exports: the same numbers in every format, read by what reads them downstream, whole or not there."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import sys
import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path
from unittest.mock import patch

import msgspec
import polars
import pytest
from pyarrow import parquet

from ledger.facts.events import Event
from ledger.store import EpisodeLedger
from projections.export.shapes import CHANGES_OF, DATASETS
from projections.read_model.version import code_version
from projections.words import utc_text
from tests.command_line import BOOK, House, Told, assert_plain, example, run, told
from tests.exports import (
    FORMS,
    Row,
    as_exported,
    duck,
    export,
    manifest_of,
    rows_in,
    simulated_house,
    told_house,
)
from tests.stores import open_ledger

VIEWS = ("days", "lines", "findings")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return told_house(tmp_path)


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Sixty simulated episodes over several years, in the house's own book."""
    return simulated_house(tmp_path_factory.mktemp("simulated"), 60)


def month_of(row: Row, dated_by: str = "date") -> str:
    date: str | list[str] = row[dated_by]
    return (date if isinstance(date, str) else date[0])[:7]


def test_every_format_holds_what_the_commands_print(simulated: House, house: House, tmp_path: Path) -> None:
    for told_by in (simulated, house):
        for dataset in VIEWS:
            shown = sorted(json.dumps(as_exported(row), sort_keys=True) for row in told_by.run(dataset).rows)
            assert shown
            for form in FORMS:
                rows = rows_in(export(told_by, dataset, form, told_by.folder / form))
                assert all(row.pop("finding") for row in rows if dataset == "findings")  # which no command prints
                assert sorted(json.dumps(row, sort_keys=True) for row in rows) == shown


def test_every_format_holds_the_same_changes_in_the_same_order(simulated: House) -> None:
    exports = [rows_in(export(simulated, "changes", form, simulated.folder / form)) for form in FORMS]
    assert exports[0] == exports[1] == exports[2]
    days = rows_in(export(simulated, "days", "jsonl", simulated.folder / "jsonl"))
    assert [{name: row[f"new_{name}"] for name in list(days[0])[3:]} for row in exports[0]] == [
        {name: row[name] for name in list(row)[3:]} for row in days
    ]


ANSWERS = ("remittances", "remittance_lines", "remittance_adjustments")
"""Of answers, which no simulated history has: test_claims_in_the_feed.py holds them."""
DATED = [(name, each.dated_by) for name, each in DATASETS.items() if each.dated_by and name not in ANSWERS]


@pytest.mark.parametrize(("dataset", "dated_by"), DATED)
def test_rows_lie_by_month_and_in_order(simulated: House, dataset: str, dated_by: str) -> None:
    place = export(simulated, dataset, "jsonl", simulated.folder / "jsonl")
    files = manifest_of(place)["files"]
    assert len(files) > 12
    assert [part["path"] for part in files] == sorted(part["path"] for part in files)
    for part in files:
        rows = [json.loads(line) for line in (place / part["path"]).read_bytes().splitlines()]
        assert {f"service_month={month_of(row, dated_by)}/part-0.jsonl" for row in rows} == {part["path"]}
        key = DATASETS[dataset].order[:3]
        assert rows == sorted(rows, key=lambda row: tuple(row[name] for name in key))


NAMED_OTHERWISE = {
    "claimed_cents": "claimed_charge",
    "now_cents": "now_rate",
    "exposure_cents": "exposure",
    "paid_cents": "paid",
}


def test_every_format_holds_the_claimed_days_that_diff_prints(simulated: House, house: House) -> None:
    for told_by in (simulated, house):
        shown = [
            {NAMED_OTHERWISE.get(name, name): cell if cell is None or name not in NAMED_OTHERWISE
             else str(Decimal(cell).scaleb(-2)) for name, cell in row.items()}
            for row in told_by.run("diff", "--claimed", "--all", "--every").rows
        ]  # fmt: skip
        assert {row["kind"] for row in shown} >= {"overclaimed", "unbilled", "as_claimed"}
        shown.sort(key=lambda row: (row["date"][:7], row["patient"], row["episode"], row["date"]))
        for form in FORMS:
            place = export(told_by, "claimed", form, told_by.folder / form)
            rows = rows_in(place)
            assert {row["nth"] for row in rows} >= {1}
            assert [{name: cell for name, cell in row.items() if name != "nth"} for row in rows] == shown
            totals = manifest_of(place)["totals"]
            assert totals["exposure"] == str(sum(Decimal(row["exposure"]) for row in shown))
            assert totals["overclaimed"] == sum(row["kind"] == "overclaimed" for row in shown)


def test_every_format_holds_the_same_authorizations_and_they_draw_what_the_days_do(simulated: House) -> None:
    exports = [rows_in(export(simulated, "authorizations", form, simulated.folder / form)) for form in FORMS]
    assert exports[0] == exports[1] == exports[2]
    told = [fact for line in intake_of(simulated) if (fact := line["fact"])["type"] == "AuthorizationGranted"]
    granted = {(fact["number"], fact["payer"], fact["units"], fact["from"], fact["to"]) for fact in told}
    days = simulated.run("days").rows
    assert len(exports[0]) > 5
    for row in exports[0]:
        assert (row["number"], row["payer"], row["units"], row["from"], row["to"]) in granted
        theirs = [day for day in days if day["episode"] == row["episode"]]
        billed = [day["date"] for day in theirs if day["authorization"] == row["number"]]
        assert row["billable_days"] == len(billed) <= row["drawn"] <= row["units"]
        assert row["last_day"] == max(day["date"] for day in theirs)
        assert max(billed, default="") <= (row["last_drawn"] or "")


def intake_of(house: House) -> list[Row]:
    told = (house.folder / "told" / "intake.jsonl").read_bytes().splitlines()
    return [json.loads(line) for line in told]


@pytest.mark.parametrize("form", FORMS)
def test_rates_are_those_of_the_book_in_one_file(house: House, tmp_path: Path, form: str) -> None:
    place = export(house, "rates", form, tmp_path / "out")
    assert [part["path"] for part in manifest_of(place)["files"]] == [f"part-0.{form}"]
    expected: list[list[str | None]] = []
    for path in sorted((house.book / "payers").glob("*.toml")):
        payer = tomllib.loads(path.read_text(encoding="utf-8"))
        for terms in payer["terms"]:
            edition = [payer["id"], str(terms["from"]), str(terms["published"])]
            rates = {code: str(Decimal(cents).scaleb(-2)) for code, cents in terms.get("rate_cents", {}).items()}
            if terms["pain_code"] == "general" and "S9325" in rates:
                expected.append([*edition, None, rates["S9325"]])
            expected += [[*edition, code, rates[code]] for code in sorted(rates)]
    ours = [list(row.values()) for row in rows_in(place)]
    assert {tuple(row[5:]) for row in ours} == {(None, None, None)}, "no agreement of this book names a rate"
    assert [row[:5] for row in ours] == sorted(expected, key=lambda row: [cell or "" for cell in row])
    (published,) = sorted({row["terms_published"] for row in rows_in(place)})[:1]
    before = export(house, "rates", form, tmp_path / "out", "--known-at", "2000-01-01T00:00Z")
    assert (manifest_of(before)["rows"], manifest_of(before)["files"]) == (0, [])
    first = rows_in(export(house, "rates", form, tmp_path / "out", "--known-at", f"{published}T00:00Z"))
    assert {row["terms_published"] for row in first} == {published}


@pytest.mark.parametrize("dataset", ["claimed", "authorizations", "claims", "payments"])
def test_what_was_told_later_is_not_known_then(simulated: House, dataset: str) -> None:
    out = simulated.folder / "then"
    now = manifest_of(export(simulated, dataset, "jsonl", out))
    then = manifest_of(export(simulated, dataset, "jsonl", out, "--known-at", "2025-01-10T00:00Z"))
    assert 0 < then["rows"] < now["rows"]
    assert (then["position"], then["known_at"]) == (now["position"], "2025-01-10T00:00:00Z")
    assert manifest_of(export(simulated, dataset, "jsonl", out, "--known-at", "2000-01-01T00:00Z"))["files"] == []


def test_parquet_has_types_that_mean_something(house: House, tmp_path: Path) -> None:
    place = export(house, "days", "parquet", tmp_path / "out")
    schema = polars.read_parquet_schema(next(place.rglob("*.parquet")))
    assert {name: str(kind) for name, kind in schema.items()} == {
        "patient": "String", "episode": "String", "date": "Date", "status": "Categorical", "reason": "Categorical",
        "code": "Categorical", "payer": "Categorical", "terms_from": "Date", "terms_published": "Date",
        "rate": "Decimal(precision=18, scale=2)", "authorization": "String", "because": "List(String)",
        "member": "String", "provider": "Categorical", "place_of_service": "Categorical", "modifiers": "List(String)",
    }  # fmt: skip
    described = duck().sql(f"DESCRIBE SELECT * FROM read_parquet('{place}/*/*.parquet')").fetchall()
    assert {name: kind for name, kind, *_ in described if name in ("date", "rate", "because")} == {
        "date": "DATE", "rate": "DECIMAL(18,2)", "because": "VARCHAR[]",
    }  # fmt: skip


def test_parquet_has_types_for_instants_and_for_yes_and_no(house: House, tmp_path: Path) -> None:
    claimed, authorizations, rates = (
        polars.read_parquet_schema(next(export(house, name, "parquet", tmp_path / "out").rglob("*.parquet")))
        for name in ("claimed", "authorizations", "rates")
    )
    assert str(claimed["revealed_at"]) == "Datetime(time_unit='us', time_zone='UTC')"
    assert {str(claimed[name]) for name in ("date", "repay_by", "file_by")} == {"Date"}
    assert (
        {str(claimed[name]) for name in ("claimed_charge", "now_rate", "exposure")}
        == {str(rates["rate"])}
        == {"Decimal(precision=18, scale=2)"}
    )
    assert (str(authorizations["ended"]), str(authorizations["units"])) == ("Boolean", "Int64")
    place = tmp_path / "out" / "claimed"
    found = duck().sql(f"DESCRIBE SELECT revealed_at FROM read_parquet('{place}/*/*.parquet')").fetchall()
    assert found[0][1] == "TIMESTAMP WITH TIME ZONE"


def money_by_payer_and_month(rows: list[Row]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    billed = [row for row in rows if row["status"] == "billable"]
    days = Counter((row["payer"], month_of(row)) for row in billed)
    dollars = {key: Decimal(0) for key in days}
    for row in billed:
        dollars[row["payer"], month_of(row)] += Decimal(row["rate_cents"]).scaleb(-2)
    return {key: (days[key], dollars[key]) for key in days}


def test_duckdb_and_polars_reproduce_days_and_dollars_by_payer_and_month(simulated: House) -> None:
    expected = money_by_payer_and_month(simulated.run("days").rows)
    assert len(expected) > 24
    place = export(simulated, "days", "parquet", simulated.folder / "parquet")
    found = (
        duck()
        .sql(
            "SELECT payer, service_month, count(*), sum(rate) FROM"
            f" read_parquet('{place}/*/*.parquet', hive_partitioning = true) WHERE status = 'billable' GROUP BY ALL"
        )
        .fetchall()
    )
    assert {(payer, str(month)[:7]): (days, dollars) for payer, month, days, dollars in found} == expected
    frame = polars.read_parquet(place / "*" / "*.parquet", hive_partitioning=True, try_parse_hive_dates=False)
    by_both = frame.filter(polars.col("status") == "billable").group_by("payer", "service_month")
    grouped = by_both.agg(polars.len(), polars.col("rate").sum()).rows()
    assert {(payer, month): (days, dollars) for payer, month, days, dollars in grouped} == expected


def test_lines_come_to_the_same_money_as_days_in_every_format(simulated: House) -> None:
    for form in FORMS:
        days, lines = (export(simulated, dataset, form, simulated.folder / form) for dataset in ("days", "lines"))
        dollars = sum(Decimal(row["rate"]) for row in rows_in(days) if row["status"] == "billable")
        assert dollars == sum(Decimal(row["expected"]) for row in rows_in(lines)) > 0
        assert all(Decimal(row["expected"]) == row["units"] * Decimal(row["rate"]) for row in rows_in(lines))
        totals = manifest_of(days)["totals"], manifest_of(lines)["totals"]
        assert totals[0]["rate"] == totals[1]["expected"] == str(dollars)
        assert totals[0]["billable"] == totals[1]["units"]


def test_a_package_names_a_key_only_where_it_names_one_row(simulated: House, tmp_path: Path) -> None:
    keys = {}
    for dataset in DATASETS.keys() - set(ANSWERS):
        hidden = [] if dataset == "line_changes" else [["--deidentified", "--key", tmp_path / "key"]]
        for options in ([], *hidden):
            place = export(simulated, dataset, "csv", tmp_path / str(len(options)), *options)
            schema = json.loads((place / "datapackage.json").read_bytes())["resources"][0]["schema"]
            key = keys[dataset, bool(options)] = tuple(schema.get("primaryKey", ()))
            found = [json.dumps([row[name] for name in key]) for row in rows_in(place)]
            assert not key or len(found) == len(set(found)), (dataset, options)
    assert {dataset for (dataset, unnamed), key in keys.items() if not key and not unnamed} == {"rates"}
    assert keys["authorizations", True] == ()


def test_csv_is_read_by_duckdb_as_its_package_says(simulated: House) -> None:
    place = export(simulated, "lines", "csv", simulated.folder / "csv")
    package = json.loads((place / "datapackage.json").read_bytes())
    assert package["profile"] == "tabular-data-package"
    manifest = manifest_of(place)
    assert [(each["path"], each["bytes"], each["hash"]) for each in package["resources"]] == [
        (part["path"], part["bytes"], f"sha256:{part['sha256']}") for part in manifest["files"]
    ]
    kinds = {"string": "VARCHAR", "date": "DATE", "integer": "BIGINT", "number": "DECIMAL(18,2)", "array": "VARCHAR[]"}
    for each in package["resources"]:
        fields = {field["name"]: kinds[field["type"]] for field in each["schema"]["fields"]}
        read = duck().read_csv(str(place / each["path"]), columns=fields)
        assert read.aggregate("sum(charge), count(*)").fetchall()
        assert len(read) == next(part["rows"] for part in manifest["files"] if part["path"] == each["path"])


def test_no_cell_of_the_csv_begins_a_formula_and_each_can_be_read_back(house: House, tmp_path: Path) -> None:
    house.tell(told("1", {"type": "EpisodeOpened", "patient": "'tis", "provider": "1234567893", "zone": "Asia/Tokyo"},
                    episode="EP-9"), told("2", episode="EP-9"))  # fmt: skip
    csv, lines = (export(house, "days", form, tmp_path / form) for form in ("csv", "jsonl"))
    text = b"".join(path.read_bytes() for path in csv.rglob("*.csv"))
    assert b"''tis" in text
    assert b"'=EP-2" in text
    assert b",=" not in text
    assert rows_in(csv) == rows_in(lines)


@pytest.mark.parametrize("form", FORMS)
def test_equal_ledgers_give_equal_bytes(house: House, tmp_path: Path, form: str) -> None:
    first, second = (export(house, "days", form, tmp_path / name) for name in ("one", "two"))
    assert (first / "manifest.json").read_bytes() == (second / "manifest.json").read_bytes()


def test_the_manifest_says_what_it_was_made_of(house: House, tmp_path: Path) -> None:
    manifest = manifest_of(export(house, "days", "jsonl", tmp_path / "out"))
    with house_ledger(house) as ledger:
        adopted = ledger.adoptions()[-1]
        origin = {
            "ledger": ledger.id, "position": ledger.position(), "seal": ledger.seal_at(ledger.position()),
            "since": None, "known_at": None, "book_hash": adopted[1].hash, "code_version": code_version(),
            "deidentified": False, "patients_set_aside": 0,
        }  # fmt: skip
        last = list(ledger.follow(0))[-1][1]
        assert origin.items() <= manifest.items()
        assert manifest["recorded_until"] == utc_text(last.recorded_at)
        assert adopted[0] == ledger.position()
    assert manifest["schema_version"] == "1"
    assert manifest["columns"] == [column.name for column in DATASETS["days"].columns]


def house_ledger(house: House) -> EpisodeLedger:
    return open_ledger(house.ledger, create=False)


def test_as_known_at_an_instant(house: House, tmp_path: Path) -> None:
    early = export(house, "days", "jsonl", tmp_path / "out", "--known-at", "2020-01-01T00:00Z")
    assert manifest_of(early)["rows"] == 0
    assert manifest_of(early)["known_at"] == "2020-01-01T00:00:00Z"
    with house_ledger(house) as ledger:
        assert ledger.adoptions() == []  # no book was taken up: this is no part of the feed


def test_events_are_the_entries_and_can_be_recorded_again(house: House, tmp_path: Path) -> None:
    place = export(house, "events", "cloudevents", tmp_path / "out")
    events = [json.loads(line) for line in (place / "part-0.jsonl").read_bytes().splitlines()]
    required = {"specversion": "1.0", "datacontenttype": "application/json"}
    assert all(required.items() <= event.items() for event in events)
    assert len({(event["source"], event["id"]) for event in events}) == len(events) == manifest_of(place)["rows"]
    assert [event["sequence"] for event in events] == sorted(event["sequence"] for event in events)
    assert all(event["time"] == event["data"]["recorded_at"] for event in events)
    lines = [{key: value for key, value in event["data"].items() if key != "version"} for event in events]
    (tmp_path / "again").mkdir()
    again = House(tmp_path / "again")
    assert again.tell(*lines, options=["--keep-recorded-at"]).status == 0
    assert again.run("days").out == house.run("days").out
    last = int(events[-2]["sequence"])
    later = export(house, "events", "cloudevents", tmp_path / "out", "--since", last)
    assert manifest_of(later)["rows"] == 1


class Copy:
    """What a consumer keeps of a dataset: loaded once, then kept up to date by its changes alone."""

    def __init__(self, house: House, changes: str, out: Path) -> None:
        self.house, self.changes, self.of, self.out = house, changes, CHANGES_OF[changes], out
        self.load()

    def load(self) -> None:
        rows = rows_in(export(self.house, self.of, "jsonl", self.out))
        self.rows = {self.key_of(row): row for row in rows}
        self.has = manifest_of(self.out / self.of)
        assert len(self.rows) == len(rows)

    def resuming(self) -> list[object]:
        seal, code_version = self.has["seal"], self.has["code_version"]
        return ["--since", self.has["position"], "--seal", seal, "--code-version", code_version]

    def go_on(self) -> int:
        """Take the changes in; how many there were."""
        place = export(self.house, self.changes, "jsonl", self.out, *self.resuming())
        for change in rows_in(place):
            old = self.rows.pop(self.key_of(change), None)
            assert (old is None) == (change["kind"] == "insert")
            if change["kind"] != "retract":
                names = [column.name for column in DATASETS[self.of].columns]
                self.rows[self.key_of(change)] = {name: change.get(f"new_{name}", change.get(name)) for name in names}
        assert self.has["position"] < manifest_of(place)["position"]
        self.has = manifest_of(place)
        return int(self.has["rows"])

    def key_of(self, row: Row) -> tuple[str, ...]:
        return tuple(row[name] for name in DATASETS[self.of].key)

    def is_up_to_date(self) -> bool:
        now = rows_in(export(self.house, self.of, "jsonl", self.out.with_name("now")))
        return len(now) == len(self.rows) and all(self.rows[self.key_of(row)] == row for row in now)


@pytest.mark.sqlite_file
def test_changes_bring_earlier_exports_up_to_date_load_by_load(house: House, tmp_path: Path) -> None:
    copies = [Copy(house, changes, tmp_path / "out") for changes in CHANGES_OF]
    earlier = house.ledger.read_bytes()
    line = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-03", "units": 2, "charge_cents": 18000}
    claim = {"type": "ClaimSubmitted", "claim": "C-1", "payer": "prairie-blue", "frequency": "1", "lines": [line]}
    loads: list[tuple[list[Told], list[bool]]] = [
        ([told("claim", claim), told("day", {"type": "DayServed", "order": "RX-1", "date": "2026-02-06"})],
         [True, False, True, True, True]),  # the new day is on hold: no line has it
        ([told("death", {"type": "PatientDied", "date": "2026-02-02"})], [True] * 5),  # the claim does not stand
    ]  # fmt: skip
    for load, differs in loads:
        house.tell(*load)
        assert [copy.go_on() > 0 for copy in copies] == differs
        assert all(copy.is_up_to_date() for copy in copies)
    payer = house.book / "payers" / "prairie.toml"
    payer.write_text(payer.read_text().replace("S9325 = 9000", "S9325 = 9100"))
    assert [copy.go_on() > 0 for copy in copies] == [True, True, False, True, True]  # no finding rests on the rate
    assert all(copy.is_up_to_date() for copy in copies)
    house.ledger.write_bytes(earlier)  # put back: everything is loaded anew
    house.tell(*example("EP-7", "P-7"))
    for copy in copies:
        ended = house.run("export", copy.changes, "--format", "jsonl", "--out", copy.out, *copy.resuming())
        assert (ended.status, ended.out) == (4, b"")
        copy.load()
        assert copy.is_up_to_date()


def test_nobody_else_can_read_it(house: House, tmp_path: Path) -> None:
    export(house, "days", "csv", tmp_path / "a" / "b")
    for path in (tmp_path / "a" / "b").rglob("*"):
        allowed = 0o777 if path.is_symlink() else 0o700
        assert not stat.S_IMODE(path.lstat().st_mode) & ~allowed, path
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700


def test_the_one_before_is_kept_and_no_more(house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(4):
        export(house, "days", "csv", out)
    assert sorted(path.name for path in out.iterdir()) == [".days.3", ".days.4", ".days.lock", "days"]
    assert (out / "days").resolve().name == ".days.4"
    export(house, "lines", "csv", out)
    assert (out / "days").resolve().name == ".days.4"


def test_what_was_left_behind_is_cleared_away(house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(house, "days", "csv", out)
    (out / ".days.building-x").mkdir()
    (out / ".days.9").mkdir()
    export(house, "days", "csv", out)
    assert sorted(path.name for path in out.iterdir()) == [".days.1", ".days.2", ".days.lock", "days"]


def test_it_waits_for_nobody_and_harms_nobody(house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(house, "days", "csv", out)
    with (out / ".days.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert_plain(house.run("export", "days", "--format", "csv", "--out", out), 3, "another export of days")
        export(house, "lines", "csv", out)


WRONG = {
    "a negative position": (["changes", "--format", "csv", "--since", "-1"], "--since"),
    "since for claimed days": (["claimed", "--format", "csv", "--since", "1"], "--since is for changes"),
    "since for rates": (["rates", "--format", "csv", "--since", "1"], "--since is for changes"),
    "since for days": (["days", "--format", "csv", "--since", "1"], "--since is for changes"),
    "days as cloudevents": (["days", "--format", "cloudevents"], "cloudevents"),
    "events as csv": (["events", "--format", "csv"], "cloudevents"),
    "events without names": (["events", "--format", "cloudevents", "--deidentified"], "free text"),
    "months of lines without names": (["line_changes", "--format", "csv", "--deidentified"], "export lines instead"),
    "changes as known": (["changes", "--format", "csv", "--known-at", "2026-01-01T00:00Z"], "--known-at"),
    "a key for nothing": (["days", "--format", "csv", "--key", "key"], "--key is for"),
    "an unknown dataset": (["nights", "--format", "csv"], "nights"),
}


@pytest.mark.parametrize(("args", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_question_leaves_nothing_behind(house: House, tmp_path: Path, args: list[str], words: str) -> None:
    assert_plain(house.run("export", *args, "--out", tmp_path / "out"), 2, words)
    assert not (tmp_path / "out").exists()


def test_a_position_beyond_the_head_leaves_nothing_behind_and_asks_for_everything_anew(
    house: House, tmp_path: Path
) -> None:
    command = ["export", "changes", "--format", "csv", "--since", "999", "--out", tmp_path / "out"]
    assert_plain(house.run(*command), 4, "beyond the ledger's last position", "load everything anew")
    assert not (tmp_path / "out").exists()


def test_without_a_ledger_nothing_is_made(tmp_path: Path) -> None:
    ended = run("--ledger", tmp_path / "none.db", "--book", BOOK, "export", "days", "--format", "csv", "--out",
                tmp_path / "out")  # fmt: skip
    assert_plain(ended, 2, "no ledger")
    assert not (tmp_path / "out").exists()


def test_without_pyarrow_it_says_what_to_install(house: House, tmp_path: Path) -> None:
    with patch.dict(sys.modules, {"pyarrow": None}):
        sys.modules.pop("projections.export.as_parquet", None)
        assert_plain(house.run("export", "days", "--format", "parquet", "--out", tmp_path / "out"), 2, "[parquet]")


def test_it_replaces_only_its_own_kind(house: House, tmp_path: Path) -> None:
    out, key = tmp_path / "out", tmp_path / "keys" / "key"
    command = ["export", "days", "--out", out, "--format"]
    export(house, "days", "csv", out)
    assert_plain(house.run(*command, "jsonl"), 2, "holds an export as csv")
    research = tmp_path / "research" / "house"
    research.mkdir(parents=True)
    other = told_house(research)
    export(other, "days", "csv", tmp_path / "de", "--deidentified", "--key", key)
    assert_plain(other.run(*command, "csv", "--deidentified", "--key", key), 2, "holds an export as csv")
    assert_plain(other.run("export", "days", "--out", tmp_path / "de", "--format", "csv"), 2, "de-identified")


def test_it_takes_no_foreign_thing_for_an_export(house: House, tmp_path: Path) -> None:
    for name, make in {"folder": Path.mkdir, "file": Path.touch}.items():
        out = tmp_path / name
        out.mkdir()
        make(out / "days")
        assert_plain(house.run("export", "days", "--format", "csv", "--out", out), 2, "no export")
    out = tmp_path / "link"
    out.mkdir()
    (out / "days").symlink_to(tmp_path / "folder")
    assert_plain(house.run("export", "days", "--format", "csv", "--out", out), 2, "leads elsewhere")
    assert (tmp_path / "folder").is_dir()


def test_everything_is_on_disk_before_it_stands(house: House, tmp_path: Path) -> None:
    synced: set[int] = set()
    out = tmp_path / "out"

    def note(descriptor: int) -> None:
        synced.add(os.fstat(descriptor).st_ino)

    def replace(old: Path, new: Path) -> None:
        if new == out / "days":
            made = (out / os.readlink(old)).resolve()
            missing = [path for path in [made, *made.rglob("*")] if path.stat().st_ino not in synced]
            assert missing == []
        os.rename(old, new)

    with patch("ledger.files.os.fsync", note), patch("ledger.files.os.replace", replace):
        export(house, "days", "csv", out)


def test_a_failing_write_leaves_the_one_before(house: House, tmp_path: Path) -> None:
    out = tmp_path / "out"
    before = rows_in(export(house, "days", "jsonl", out))
    house.tell(told("death", {"type": "PatientDied", "date": "2026-02-02"}))
    with patch("projections.export.write.write_jsonl", side_effect=OSError(28, "No space left on device")):
        ended = house.run("export", "days", "--format", "jsonl", "--out", out)
    assert_plain(ended, 2, "No space left")
    assert rows_in(out / "days") == before
    assert sorted(path.name for path in out.iterdir()) == [".days.1", ".days.lock", "days"]


def test_events_as_parquet_are_the_entries_in_their_order(house: House, tmp_path: Path) -> None:
    place = export(house, "events", "parquet", tmp_path / "out")
    rows = parquet.read_table(place / "part-0.parquet").to_pylist()
    with open_ledger(house.ledger, create=False) as ledger:
        entries = list(ledger.follow(0))
    assert [(row["position"], row["episode"], row["version"], row["id"]) for row in rows] == [
        (position, entry.episode, entry.version, entry.id) for position, entry in entries
    ]
    assert [msgspec.json.decode(row["fact"], type=Event) for row in rows] == [entry.fact for _, entry in entries]
    assert [row["recorded_at"] for row in rows] == [entry.recorded_at for _, entry in entries]
    assert manifest_of(place)["rows"] == len(rows) > 0


def test_a_parquet_file_says_what_it_is_made_of(house: House, tmp_path: Path) -> None:
    for dataset in ("days", "events"):
        place = export(house, dataset, "parquet", tmp_path / "out")
        said, manifest = parquet.read_schema(next(place.rglob("*.parquet"))).metadata, manifest_of(place)
        for key in ("ledger", "position", "seal", "code_version", "schema_version"):
            assert said[key.encode()].decode() == str(manifest[key])
        assert (b"book_hash" in said) == (dataset == "days")
