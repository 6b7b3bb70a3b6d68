"""What is found in payers' checks stands in the read model as rows of no patient, however they got in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests import stores
from tests.answered import answer, check_files, house_with_claims, written
from tests.command_line import House, example, run
from tests.encrypted_house import Locked
from tests.in_process_site import InProcess

CHECKS = ("payment_unbalanced", "recouped", "forwarded")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return house_with_claims(tmp_path)


def found(house: House, *options: object) -> list[dict[str, Any]]:
    return [row for row in house.run("findings", *options).rows if row["rule"] in CHECKS]


def said(house: House) -> set[tuple[str, str]]:
    return {(row["rule"], row["message"]) for row in found(house)}


def test_a_check_is_found_under_no_patient_and_chosen_by_payer_and_date(house: House, tmp_path: Path) -> None:
    assert house.run("remit", *check_files(tmp_path)).status == 1
    unbalanced, recouped = found(house)
    assert (unbalanced["rule"], unbalanced["level"], recouped["rule"]) == ("payment_unbalanced", "hard", "recouped")
    assert (unbalanced["patient"], unbalanced["episodes"], unbalanced["dates"]) == ("", [], ["2026-11-10"])
    assert "Check T-1 of river-health is worth 990.00" in unbalanced["message"]
    assert "what was kept, is 1,000.00" in unbalanced["message"]
    assert "From check T-3 of river-health 50.00 was kept" in recouped["message"]
    assert "OLD-7" in recouped["message"]
    assert found(house, "--payer", "river-health", "--from", "2026-11-10", "--to", "2026-11-10") == [
        unbalanced,
        recouped,
    ]
    for none in (("--payer", "other"), ("--from", "2026-11-11"), ("--patient", "P-O1"), ("--episode", "EP-O1")):
        assert found(house, *none) == []
    assert house.run("findings", "--check").status == 1


def test_what_is_for_no_known_claim_keeps_the_check_in_balance(house: House, tmp_path: Path) -> None:
    house.run(
        "remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 900), answer("NOT-OURS", "1", 5, 4)], 904, "T-1")
    )
    assert found(house) == []
    assert house.run("assign-remittance", "T-1", "RH900001", "EP-O1-2").status == 0
    assert found(house) == []


def test_any_order_of_checks_and_every_way_to_the_rows_gives_the_same(house: House, tmp_path: Path) -> None:
    told = check_files(tmp_path)
    seen = []
    for number, order in enumerate((told, told[::-1])):
        folder = tmp_path / f"h{number}"
        folder.mkdir()
        one = house_with_claims(folder)
        for file in order:
            one.run("remit", file)
            one.run("findings")  # caught up after each
        seen.append(said(one))
        for forms in (("rebuild", "--check"), ("rebuild",)):
            assert json.loads(one.run(*forms).out)["outcome"] == "equal"
        assert said(one) == seen[-1]
        assert said(one) == {(row["rule"], row["message"]) for row in found(one, "--known-at", "2099-01-01T00:00Z")}
        assert found(one, "--known-at", "2026-01-01T00:00Z") == []
    assert len(seen[0]) == 2
    assert all(each == seen[0] for each in seen)


def test_a_check_told_before_its_answers_or_after_them_is_the_same_check(house: House, tmp_path: Path) -> None:
    file = check_files(tmp_path)[0]
    lines = [row for row in house.run("remit", "--dry-run", file).rows if row["episode"]]
    assert house.tell(*lines).rows[0]["outcome"] == "recorded"
    assert found(house) == []  # nothing is known of the check yet
    house.run("remit", file)
    assert [row["rule"] for row in found(house)] == ["payment_unbalanced"]


def test_an_archive_judged_elsewhere_finds_the_same(house: House, tmp_path: Path) -> None:
    house.run("remit", *check_files(tmp_path))
    assert found(house)
    archive, key, named = tmp_path / "archive", tmp_path / "master.key", []
    assert house.run("archive", "--out", archive, "--buckets", "2", "--in-the-open").status == 0
    if stores.master():
        key.write_text(bytes(range(32)).hex())
        key.chmod(0o600)
        named = ["--master-key", key]
    judge = ["judge", "--archive", archive, "--out", tmp_path / "judged", "--processes", "1", "--against", house.views]
    judged = run(*house.named, *named, *judge)
    assert (judged.status, judged.out.splitlines()[-1]) == (0, b"equal: 0 of 2 patients differ"), judged


def test_the_site_and_the_report_show_what_is_no_patients(house: House, tmp_path: Path) -> None:
    house.run("remit", *check_files(tmp_path))
    visitor = InProcess(house.ledger, house.book).visitor()
    page = visitor.get("/findings?rule=payment_unbalanced").text
    assert "Check T-1 of river-health is worth 990.00" in page
    assert "of no patient" in page
    csv = visitor.get("/findings?as=csv")
    assert csv.status == 200
    assert "Check T-1" in csv.text
    assert visitor.get("/report").status == 200
    (row,) = [row for row in house.run("report").rows if row.get("rule") == "payment_unbalanced"]
    assert (row["findings"], row["patients"]) == (1, 0)
    assert house.run("report", "--out", tmp_path / "report.html").status == 0


def test_what_is_found_in_a_check_stays_when_a_patient_is_forgotten(tmp_path: Path) -> None:
    house = Locked(tmp_path)
    assert house.tell(*example(), *example("EP-2", "P-2")).status == 0
    assert house.run("remit", check_files(tmp_path)[0]).status == 1
    before = found(house)
    assert [row["rule"] for row in before] == ["payment_unbalanced"]
    assert house.run("forget", "P-1", "--reason", "asked to", "--by", "officer", "--yes").status == 0
    assert found(house) == before
    assert json.loads(house.run("rebuild", "--check").out)["outcome"] == "equal"
