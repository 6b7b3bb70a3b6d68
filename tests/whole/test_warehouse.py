"""The warehouse in dbt/: what is kept up to date by changes is what the house exports, and its marts are the report."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from projections.export.shapes import CHANGES_OF
from tests.answered import (
    CORRECTED,
    PAID,
    TAKEN_IN,
    answer,
    answered_house,
    claim,
    house_with_claims,
    line,
    payments,
    written,
)
from tests.command_line import House, example, told
from tests.exports import Row, export, rows_in, told_house
from tests.warehouse import PROJECT, Dbt, Refused, Rendered, Warehouse, documented

pytestmark = pytest.mark.sqlite_file
HERE_AND_BY_DBT = [pytest.param(Rendered), pytest.param(Dbt, marks=pytest.mark.soak)]
WHOLE = ("episodes", "providers", "rates")
LINE = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-03", "units": 2, "charge_cents": 18000}
CLAIM = {"type": "ClaimSubmitted", "claim": "C-1", "payer": "prairie-blue", "frequency": "1", "lines": [LINE]}


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Both stories of the golden examples, at a provider that is a branch."""
    house = told_house(tmp_path)
    for path in (house.book / "providers").glob("*.toml"):
        path.write_text(f'branch = "{path.stem.title()}"\n{path.read_text()}')
    return house


def export_whole(house: House, feed: Path) -> Path:
    """A feed with everything, and the report beside it."""
    for dataset in (*CHANGES_OF.values(), *WHOLE):
        export(house, dataset, "parquet", feed)
    report = house.run("report", "--format", "json")
    assert report.status == 0
    (feed / "report.jsonl").write_bytes(report.out)
    return feed


def export_changes(house: House, warehouse: Warehouse, feed: Path) -> None:
    """What came since the warehouse was loaded last."""
    for changes, of in CHANGES_OF.items():
        export(house, changes, "parquet", feed, *warehouse.resume(of))
    for dataset in WHOLE:
        export(house, dataset, "parquet", feed)


@pytest.mark.parametrize("kind", HERE_AND_BY_DBT)
def test_what_is_kept_by_changes_is_what_the_house_exports_and_reports(
    house: House, tmp_path: Path, kind: type[Warehouse]
) -> None:
    warehouse, feed = kind(tmp_path), tmp_path / "feed"
    assert warehouse.resume("days") == []
    warehouse.build(export_whole(house, feed))
    earlier, branches = house.ledger.read_bytes(), {"Northside"}

    def load() -> None:
        export_changes(house, warehouse, feed)
        warehouse.build(feed)
        warehouse.build(feed)  # the same load twice is one
        warehouse.audit(export_whole(house, tmp_path / "whole"))

    house.tell(told("claim", CLAIM), told("day", {"type": "DayServed", "order": "RX-1", "date": "2026-02-06"}))
    load()
    house.tell(told("death", {"type": "PatientDied", "date": "2026-02-02"}))  # what was claimed does not stand
    load()
    exposed = warehouse.query("SELECT DISTINCT branch, claims FROM exposure WHERE payer = 'prairie-blue'")
    assert exposed == [("Northside", 1)]
    payer = house.book / "payers" / "prairie.toml"
    payer.write_text(payer.read_text().replace("S9325 = 9000", "S9325 = 9100"))
    load()
    assert {branch for (branch,) in warehouse.query("SELECT branch FROM billable_by_month")} >= branches
    house.ledger.write_bytes(earlier)
    house.tell(*example("EP-7", "P-7"))
    put_back = house.run("export", "changes", "--format", "parquet", "--out", feed, *warehouse.resume("days"))
    assert put_back.status == 4
    assert house.run("verify", "--accept-rollback", "restored from a backup").status == 0
    warehouse.build(export_whole(house, feed), whole=True)
    warehouse.audit(export_whole(house, tmp_path / "whole"))


@pytest.mark.parametrize("kind", HERE_AND_BY_DBT)
def test_changes_that_do_not_go_on_from_what_is_kept_change_nothing(
    house: House, tmp_path: Path, kind: type[Warehouse]
) -> None:
    warehouse, feed = kind(tmp_path), tmp_path / "feed"
    warehouse.build(export_whole(house, feed))
    before = warehouse.resume("days")
    house.tell(told("death", {"type": "PatientDied", "date": "2026-02-02"}))
    export(house, "changes", "parquet", feed, "--since", int(before[1]) - 1)
    with pytest.raises(Refused, match="export them since"):
        warehouse.build(feed)
    export(house, "changes", "parquet", feed, *before)
    warehouse.query("ALTER TABLE loads ADD COLUMN more INTEGER")  # now a load cannot be noted
    kept = warehouse.query("FROM days ORDER BY ALL")
    with pytest.raises(Exception, match="has 6 columns but 5 values"):
        warehouse.build(feed)
    assert warehouse.query("FROM days ORDER BY ALL") == kept
    warehouse.query("ALTER TABLE loads DROP COLUMN more")
    assert warehouse.resume("days") == before
    with pytest.raises(Refused, match="audit_"):  # rows that differ would be seen
        warehouse.audit(_misled(house, warehouse, tmp_path / "whole"))


def _misled(house: House, warehouse: Warehouse, whole: Path) -> Path:
    """A whole export of the position that the warehouse believes to stand at, while its rows are those of before."""
    export_whole(house, whole)
    export(house, "changes", "parquet", whole)
    has = house.run("status", "--format", "json").rows[0]
    with_seal = (whole / "days" / "manifest.json").read_text().split('"seal": "')[1].split('"')[0]
    warehouse.query(f"UPDATE loads SET position = {has['position']}, seal = '{with_seal}'")
    return whole


def test_what_is_expected_stands_beside_what_was_paid_to_the_cent(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    house, warehouse = answered_house(tmp_path / "house"), Rendered(tmp_path)
    house.tell(claim("EP-O1-3", [line("S9325", "2026-09-28", "2026-09-28", 1, 12000, "1")]))  # nobody answered yet
    warehouse.build(export_whole(house, tmp_path / "feed"))
    rows = rows_in(export(house, "payments", "jsonl", tmp_path / "read"))
    live = [row for row in rows if row["live"] and row["expected"]]
    awaited = [row for row in live if not row["answered"]]
    assert 0 < len(awaited) < len(live) < len(rows)
    sums = "sum(expected), sum(awaited), sum(paid), sum(patient_owes), sum(beyond_expected), sum(claimed_days)"
    assert warehouse.query(f"SELECT {sums} FROM predicted_and_paid") == [(
        total(live, "expected"), total(awaited, "expected"), total(rows, "paid"), total(rows, "patient_owes"),
        sum(Decimal(row["allowed"]) - Decimal(row["expected"]) for row in live if row["answered"]),
        sum(row["live"] for row in rows),
    )]  # fmt: skip
    assert total(rows, "paid") * 100 == sum(row["paid_cents"] for row in payments(house)) > 0


def test_what_was_paid_is_held_against_the_report_and_every_number_that_differs_is_seen(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    house, warehouse = house_with_claims(tmp_path / "house"), Rendered(tmp_path)
    warehouse.build(export_whole(house, feed := tmp_path / "feed"))
    for verb, file in (("ack", TAKEN_IN), ("remit", PAID), ("remit", CORRECTED)):  # what is paid comes as changes
        assert house.run(verb, file).status in (0, 1)
        export_changes(house, warehouse, feed)
        warehouse.build(feed)
        warehouse.audit(whole := export_whole(house, tmp_path / "whole"))
    rows = [json.loads(row) for row in (whole / "report.jsonl").open()]
    one = next(row for row in rows if row["section"] == "paid")
    for name in (name for name in one if name.endswith("_cents") or name == "days"):
        told = [row | {name: row[name] + 1} if row is one else row for row in rows]
        (whole / "report.jsonl").write_text("".join(json.dumps(row) + "\n" for row in told))
        with pytest.raises(Refused, match="audit_paid"):
            warehouse.audit(whole)
    assert one["paid_cents"] > 0
    export_whole(house, whole)
    warehouse.query("UPDATE payments SET status = 'denied' WHERE status = 'paid'")
    with pytest.raises(Refused, match="audit_payments"):
        warehouse.audit(whole)


def test_wrong_late_and_half_reversed_payments_are_in_the_marts_as_in_the_report(tmp_path: Path) -> None:
    (tmp_path / "house").mkdir()
    house, warehouse = house_with_claims(tmp_path / "house"), Rendered(tmp_path)
    warehouse.build(export_whole(house, feed := tmp_path / "feed"))
    exposed = "SELECT kind, days, dollars FROM exposure"
    assert warehouse.query(exposed) == [("overclaimed", 1, Decimal(120))]

    def load(check: str, *answers: list[str]) -> None:
        file = written(tmp_path, answers, sum(float(one[0].split("*")[4]) for one in answers), check)
        assert house.run("remit", file).status in (0, 1)
        export_changes(house, warehouse, feed)
        warehouse.build(feed)
        warehouse.audit(export_whole(house, tmp_path / "whole"))

    late = answer("EP-O1-3", "1", 120, 90, control="C")
    load("T-1", answer("EP-O1-2", "1", 120, 100, control="A"), answer("EP-O1-1", "1", 1576, 3152, control="B"), late)
    assert warehouse.query(exposed) == []  # it was paid all the same
    back = "SELECT kind, sum(days), sum(dollars) FROM give_back GROUP BY kind ORDER BY kind"
    assert [row[:2] for row in warehouse.query(back)] == [("overclaimed", 1), ("overpaid", 7)]
    house.tell(claim("EP-O1-3", [line("S9325", "2026-10-05", "2026-10-05", 1, 12000, "1")]))  # answered before it came
    load("T-2", answer("EP-O1-1", "22", -1576, -10, control="B"))  # far less is taken back than was paid
    assert warehouse.query("SELECT sum(awaited) FROM predicted_and_paid") == [(0,)]
    kept = "SELECT count(*) FROM payments WHERE live AND NOT answered AND status = 'overpaid'"
    assert warehouse.query(kept) == [(7,)]


def total(rows: list[Row], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))


def test_every_model_is_described_with_its_columns(house: House, tmp_path: Path) -> None:
    warehouse = Rendered(tmp_path)
    warehouse.build(export_whole(house, tmp_path / "feed"))
    described = dict(documented())
    assert described.keys() | set(WHOLE) == {path.stem for path in (PROJECT / "models").rglob("*.sql")}
    for name, columns in described.items():
        stands = {row[0]: row[1] for row in warehouse.query(f'DESCRIBE "{name}"')}
        assert stands.keys() == columns.keys()
        assert {column: kind for column, kind in columns.items() if kind} == (
            {column: kind for column, kind in stands.items() if columns[column]}
        )
