"""De-identified exports: nothing a patient was known by comes out, and the numbers still add up."""

from __future__ import annotations

import json
import re
import stat
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from projections.export.deidentify import LONGEST_SHIFT_DAYS, Pseudonyms, deidentified, kept_columns
from projections.export.shapes import DATASETS
from tests import kept
from tests.command_line import House, assert_plain, lines_of
from tests.exports import FORMS, Row, export, manifest_of, rows_in

MARK = "ZEBRA"
NPI = "1234567893"


def marked() -> list[dict[str, Any]]:
    """Two patients' histories over two months with a mark in everything that anybody could write freely."""
    facts: list[dict[str, Any]] = [
        {"type": "CoverageVerified", "payer": "prairie-blue", "member": f"{MARK}-member", "from": "2026-01-01"},
        {"type": "TherapyOrdered", "order": f"{MARK}-rx", "mode": "unspecified", "from": "2026-01-20",
         "prescriber": "1245319599", "drug": f"{MARK}-drug", "route": f"{MARK}-route",
         "signed_on": "2026-01-19"},
        {"type": "DiagnosisRecorded", "icd10": "G89.3", "from": "2026-01-15"},
        {"type": "PlanSigned", "plan": f"{MARK}-plan", "signed_on": "2026-01-01", "from": "2026-01-01",
         "to": "2026-12-31"},
        *({"type": "PainAssessed", "date": f"2026-{day}", "score": 4, "tool": f"{MARK}-tool"}
          for day in ("01-20", "01-26", "02-01", "02-07")),
        *({"type": "DayServed", "order": f"{MARK}-rx", "date": f"2026-01-{day}"} for day in range(20, 32)),
        *({"type": "DayServed", "order": f"{MARK}-rx", "date": f"2026-02-0{day}"} for day in range(1, 9)),
        {"type": "ServiceBilledSeparately", "code": "A4222", "from": "2026-01-22"},
        {"type": "CoordinationNoted", "date": "2026-01-22", "note": f"{MARK} note"},
        {"type": "ClaimSubmitted", "claim": f"{MARK}-claim", "payer": "prairie-blue", "frequency": "1",
         "lines": [{"code": "S9325", "from": "2026-01-20", "to": "2026-01-22", "units": 1, "charge_cents": 9000}]},
        {"type": "AuthorizationGranted", "number": f"{MARK}-auth", "payer": "prairie-blue", "codes": ["S9325"],
         "units": 40, "from": "2026-01-01", "to": "2026-12-31"},
        {"type": "RemittancePosted", "claim": f"{MARK}-claim", "payer": "prairie-blue", "payment": f"{MARK}-check",
         "paid_on": "2026-03-03", "status": "1", "payer_control": f"{MARK}-control", "charge_cents": 9000,
         "paid_cents": 8000,
         "lines": [{"code": "S9325", "from": "2026-01-20", "to": "2026-01-22", "units": 1, "charge_cents": 9000,
                    "paid_cents": 8000, "line": f"{MARK}-1",
                    "adjustments": [{"group": "CO", "code": "45", "cents": 1000}]}]},
        {"type": "Discharged", "date": "2026-02-06", "reason": f"{MARK} reason"},
    ]  # fmt: skip
    told = []
    for number in (1, 2):
        opening = {"type": "EpisodeOpened", "patient": f"{MARK}-patient-{number}", "provider": NPI,
                   "zone": "America/Chicago"}  # fmt: skip
        for place, fact in enumerate([opening, *facts]):
            told.append({"episode": f"{MARK}-episode-{number}", "source": f"{MARK}-source", "id": f"{MARK}-{place}",
                         "by": f"{MARK}-by", "fact": fact})  # fmt: skip
    return told


@pytest.fixture
def house(tmp_path: Path) -> House:
    return kept.house(tmp_path / "ledger", "marked in each dataset", _tell_marked)


def _tell_marked(house: House) -> None:
    assert house.run("record", "-", stdin=lines_of(marked())).status == 0


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "pseudonym.key"


OF_PATIENTS = [name for name in DATASETS if name not in ("providers", "rates", "line_changes")]


def test_rates_are_of_nobody_and_stay_as_they_are(house: House, tmp_path: Path, key: Path) -> None:
    named = rows_in(export(house, "rates", "jsonl", tmp_path / "named"))
    assert rows_in(export(house, "rates", "jsonl", tmp_path / "out", "--deidentified", "--key", key)) == named != []


def dates_of(row: Row) -> list[date]:
    """Every date of a row, wherever it stands."""
    return [date.fromisoformat(text) for text in re.findall(r"\d{4}-\d\d-\d\d", json.dumps(row))]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dataset", OF_PATIENTS)
def test_no_mark_comes_out_anywhere(house: House, tmp_path: Path, key: Path, dataset: str, form: str) -> None:
    out = tmp_path / "out"
    assert MARK.encode() in b"".join(
        path.read_bytes() for path in export(house, dataset, "csv", tmp_path / "named").rglob("part-*")
    )
    place = export(house, dataset, form, out, "--deidentified", "--key", key)
    for path in out.rglob("*"):
        assert MARK not in path.name
        if path.is_file():
            assert MARK.lower() not in path.read_bytes().decode("latin-1").lower(), path
    manifest = manifest_of(place)
    assert manifest["deidentified"]
    assert manifest["columns"] == [column.name for column in kept_columns(DATASETS[dataset])]
    assert [list(row) for row in rows_in(place)] == [manifest["columns"]] * manifest["rows"]
    assert manifest["rows"] > 1


def test_each_patients_dates_are_all_moved_back_by_the_same_days(house: House, tmp_path: Path, key: Path) -> None:
    shifts = defaultdict(set)
    for dataset in OF_PATIENTS:
        named = rows_in(export(house, dataset, "jsonl", tmp_path / "named"))
        place = export(house, dataset, "jsonl", tmp_path / "out", "--deidentified", "--key", key)
        unnamed = rows_in(place)
        pseudonyms = Pseudonyms(bytes.fromhex(key.read_text()))
        kept = [column.name for column in kept_columns(DATASETS[dataset]) if column.deidentified == "shifted"]
        for row in named:
            shift = pseudonyms.shift(row["patient"])
            assert 1 <= shift <= LONGEST_SHIFT_DAYS
            shifts[row["patient"]].add(shift)
        for patient in {row["patient"] for row in named}:
            was = sorted(d for row in named if row["patient"] == patient
                         for d in dates_of({name: row[name] for name in kept}))  # fmt: skip
            now = sorted(d for row in unnamed if row["patient"] == pseudonyms.of_patient(patient)
                         for d in dates_of(row))  # fmt: skip
            gaps = {(was[0] - now[0]).days, (was[-1] - now[-1]).days}
            assert gaps == {pseudonyms.shift(patient)}
    assert [len(found) for found in shifts.values()] == [1, 1]
    assert len({shift for found in shifts.values() for shift in found}) == 2


def test_months_are_those_of_the_shifted_dates(house: House, tmp_path: Path, key: Path) -> None:
    place = export(house, "days", "jsonl", tmp_path / "out", "--deidentified", "--key", key)
    for part in manifest_of(place)["files"]:
        months = {json.loads(line)["date"][:7] for line in (place / part["path"]).read_bytes().splitlines()}
        assert f"service_month={months.pop()}/part-0.jsonl" == part["path"]
        assert not months


def test_the_money_is_the_same_and_no_line_breaks_at_a_months_end(house: House, tmp_path: Path, key: Path) -> None:
    named = rows_in(export(house, "lines", "jsonl", tmp_path / "named"))
    unnamed = rows_in(export(house, "lines", "jsonl", tmp_path / "out", "--deidentified", "--key", key))
    assert len(named) == 4
    assert len(unnamed) == 2
    for name in ("units", "charge", "expected"):
        assert sum(Decimal(row[name]) for row in named) == sum(Decimal(row[name]) for row in unnamed)
    for row in unnamed:
        days = (date.fromisoformat(row["to"]) - date.fromisoformat(row["from"])).days + 1
        assert row["units"] == days
        assert Decimal(row["expected"]) == days * Decimal(row["rate"])


def test_lines_are_put_together_only_where_they_are_one_stretch_of_one_rate() -> None:
    def line(
        episode: str, first: str, last: str, rate: int = 9000, payer: str = "p", place: str = "12"
    ) -> tuple[Any, ...]:
        days = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
        money, told = (rate, days * 12000, None, "2026-01-01", "[]"), ("M-1", "1234567893", place, days * rate)
        return ("P", episode, payer, "S9325", first, last, days, *money, *told)

    rows = [
        line("A", "2026-01-01", "2026-01-31"), line("A", "2026-02-01", "2026-02-10"),
        line("A", "2026-02-12", "2026-02-13"), line("A", "2026-02-14", "2026-02-15", rate=9100),
        line("A", "2026-02-16", "2026-02-16", payer="q"), line("B", "2026-02-17", "2026-02-17"),
        line("B", "2026-02-18", "2026-02-19", place="13"),
    ]  # fmt: skip
    made = list(deidentified(rows, DATASETS["lines"], Pseudonyms(b"k" * 32)))
    assert [row[6] for row in made] == [41, 2, 2, 1, 1, 2]
    assert sum(row[8] for row in made) == sum(row[8] for row in rows)
    assert [row[-1] for row in made] == [row[6] * row[7] for row in made]


def test_rows_lie_in_the_order_of_their_pseudonyms(house: House, tmp_path: Path, key: Path) -> None:
    place = export(house, "days", "jsonl", tmp_path / "out", "--deidentified", "--key", key)
    for part in manifest_of(place)["files"]:
        rows = [json.loads(line) for line in (place / part["path"]).read_bytes().splitlines()]
        assert rows == sorted(rows, key=lambda row: (row["patient"], row["episode"], row["date"]))


def test_the_same_key_gives_the_same_and_another_key_others(house: House, tmp_path: Path, key: Path) -> None:
    def patients(chosen: Path, out: str) -> set[str]:
        place = export(house, "days", "csv", tmp_path / out, "--deidentified", "--key", chosen)
        return {row["patient"] for row in rows_in(place)}

    first = patients(key, "one")
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in first)
    assert patients(key, "two") == first
    assert not patients(tmp_path / "other.key", "three") & first


def test_a_pseudonym_is_keyed_and_of_its_kind() -> None:
    one, other = Pseudonyms(b"1" * 32), Pseudonyms(b"2" * 32)
    assert one.of_patient("P") != other.of_patient("P")
    assert one.of_patient("P") != one.of_episode("P")
    assert len({one.shift(f"P-{number}") for number in range(3000)}) == LONGEST_SHIFT_DAYS


def test_a_key_is_drawn_once_for_its_owner_alone(house: House, tmp_path: Path, key: Path) -> None:
    args = ["export", "days", "--format", "csv", "--deidentified", "--key", key, "--out"]
    ended = house.run(*args, tmp_path / "one")
    assert ended.status == 0
    assert f"A new key for pseudonyms was drawn: {key}." in ended.err
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert re.fullmatch("[0-9a-f]{64}\n", key.read_text())
    assert house.run(*args, tmp_path / "two").err == ""


def test_without_a_name_the_key_lies_in_ones_own_configuration(house: House, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "home" / "config")}
    args = ["export", "days", "--format", "csv", "--deidentified", "--out", tmp_path / "out"]
    assert house.run(*args, env=home).status == 0
    assert [path.name for path in (tmp_path / "home").rglob("*.key")] == ["pseudonym.key"]


@pytest.mark.parametrize("place", ["ledger/a.key", "ledger/deep/a.key", "out/a.key"])
def test_a_key_beside_the_ledger_or_the_export_is_refused(house: House, tmp_path: Path, place: str) -> None:
    args = ["export", "days", "--format", "csv", "--deidentified", "--out", tmp_path / "out", "--key", tmp_path / place]
    assert_plain(house.run(*args), 2, "the key must not lie in the folder")
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / place).exists()


@pytest.mark.parametrize(
    ("text", "mode", "words"),
    [("a" * 63, 0o600, "holds no key"), ("zebra", 0o600, "holds no key"), ("a" * 64, 0o644, "read by others")],
)
def test_a_bad_key_is_refused(house: House, tmp_path: Path, text: str, mode: int, words: str) -> None:
    key = tmp_path / "bad.key"
    key.write_text(text)
    key.chmod(mode)
    ended = house.run("export", "days", "--format", "csv", "--deidentified", "--out", tmp_path / "out", "--key", key)
    assert_plain(ended, 2, words)
