"""The simulated history: the same bytes for the same arguments, every kind of trouble, and lines the door accepts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests import ROOT

SIMULATE = ROOT / "scripts" / "simulate"

KINDS = """
activity_after_death authorization_exhausted authorization_missing backdated_discharge bundled_item business_duplicate
catheter_care claim_replaced claim_reported_twice claim_sent_twice claim_units_wrong claim_voided conflict_resolved_code
conflict_resolved_null correction correction_chain coverage_ended coverage_gap coverage_unverified diagnosis_missing
discharge_before_admission dst_run edition_told_late exact_duplicate facility_stay hold_and_resume hospice_elected
hospital_stay hospital_stay_open interval_too_long late_entry medicare_only mode_switch no_agreement order_missing
orders_overlap overlapping_episodes own_per_diem_by_correction pain_assessment_missing past_51_days patient_corrected
payer_not_in_book per_diem_by_other_provider pharmacy_hours place_corrected place_of_service plan_missing
plan_signed_late provider_corrected rate_missing respelled_duplicate resume_before_hold retract_then_restore retraction
"""

FACT_TYPES = """
EpisodeOpened CoverageVerified CoverageEnded TherapyOrdered TherapyStopped DayServed InfusionLogged NursingVisited
SupplyDispensed DrugDispensed DrugBilledSeparately ServiceBilledSeparately HospitalAdmitted HospitalDischarged
FacilityStayed HospiceElected TherapyHeld TherapyResumed PatientDied Discharged DiagnosisRecorded PlanSigned
PainAssessed ResponseNoted CoordinationNoted AuthorizationGranted ClaimSubmitted FactRetracted FactCorrected
ConflictResolved
"""


class Simulated(NamedTuple):
    """What one run wrote."""

    folder: Path
    entries: list[dict[str, Any]]
    truth: list[dict[str, Any]]


def run(out: Path, episodes: int, seed: int, hash_seed: str = "0") -> Path:
    command = [sys.executable, str(SIMULATE), "--episodes", str(episodes), "--seed", str(seed), "--out", str(out)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=300)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    folder = run(tmp_path_factory.mktemp("simulated"), 300, 7)
    return Simulated(folder, rows(folder / "intake.jsonl"), rows(folder / "truth.jsonl"))


def by_episode(entries: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for entry in entries:
        found.setdefault(entry["episode"], []).append(entry)
    return found


def test_same_arguments_same_bytes(tmp_path: Path) -> None:
    one = contents(run(tmp_path / "one", 120, 11, "1"))
    two = contents(run(tmp_path / "two", 120, 11, "4242"))
    assert list(one) == list(two)
    assert one == two


def test_another_run_over_an_old_one_leaves_nothing_behind(tmp_path: Path) -> None:
    fresh = contents(run(tmp_path / "fresh", 20, 3))
    run(tmp_path / "used", 40, 5)
    assert contents(run(tmp_path / "used", 20, 3)) == fresh


def test_another_seed_tells_another_story(tmp_path: Path) -> None:
    one, two = run(tmp_path / "one", 10, 1), run(tmp_path / "two", 10, 2)
    assert (one / "intake.jsonl").read_bytes() != (two / "intake.jsonl").read_bytes()


def test_every_kind_of_trouble_occurs(simulated: Simulated) -> None:
    assert sorted({row["kind"] for row in simulated.truth}) == sorted(KINDS.split())


def test_truth_names_entries_that_are_there(simulated: Simulated) -> None:
    known = {(entry["episode"], entry["source"], entry["id"]) for entry in simulated.entries}
    for row in simulated.truth:
        assert list(row) == ["kind", "patient", "episodes", "dates", "entries", "effect"]
        for named in row["entries"]:
            assert (named["episode"], named["source"], named["id"]) in known, row


def test_every_fact_type_occurs(simulated: Simulated) -> None:
    assert sorted({entry["fact"]["type"] for entry in simulated.entries}) == sorted(FACT_TYPES.split())


def test_recorded_at_never_runs_backwards(simulated: Simulated) -> None:
    instants = [entry["recorded_at"] for entry in simulated.entries]  # of one fixed form: text order is time order
    assert instants == sorted(instants)
    assert instants[-1] <= "2026-11-20T00:00:00Z"
    assert {len(instant) for instant in instants} == {20}


def test_service_dates_arrive_out_of_order(simulated: Simulated) -> None:
    shuffled = 0
    for entries in by_episode(simulated.entries).values():
        dates = [entry["fact"]["date"] for entry in entries if entry["fact"]["type"] == "DayServed"]
        shuffled += dates != sorted(dates)
    assert shuffled > 100


def test_episodes_have_about_a_hundred_events(simulated: Simulated) -> None:
    episodes = by_episode(simulated.entries)
    assert len(episodes) == 300
    assert 80 <= len(simulated.entries) / len(episodes) <= 120


def test_the_mix_of_courses(simulated: Simulated) -> None:
    kinds: Counter[str] = Counter()
    for entries in by_episode(simulated.entries).values():
        codes = [entry["fact"]["icd10"] for entry in entries if entry["fact"]["type"] == "DiagnosisRecorded"]
        if any(code in ("G89.18", "G8918", "Z98.1", "M96.1") for code in codes):
            kinds["post_operative"] += 1
        elif any(code[0] == "C" or code == "G89.3" for code in codes):
            kinds["palliative"] += 1
        elif codes:
            kinds["chronic"] += 1
    total = sum(kinds.values())
    assert 0.20 < kinds["post_operative"] / total < 0.40
    assert 0.16 < kinds["chronic"] / total < 0.34
    assert 0.35 < kinds["palliative"] / total < 0.55


def test_some_patients_have_several_episodes(simulated: Simulated) -> None:
    opened = [entry for entry in simulated.entries if entry["fact"]["type"] == "EpisodeOpened"]
    patients = Counter({entry["episode"]: entry["fact"]["patient"] for entry in opened}.values())
    several = sum(count > 1 for count in patients.values())
    assert 0.03 < several / len(patients) < 0.15


def test_the_door_would_take_every_line(simulated: Simulated) -> None:
    for raw in (simulated.folder / "intake.jsonl").read_bytes().splitlines():
        assert len(raw) < 65_536
    for entries in by_episode(simulated.entries).values():
        seen: dict[tuple[str, str], str] = {}
        provider = ""
        for place, entry in enumerate(entries):
            fact, identity = entry["fact"], (entry["source"], entry["id"])
            content = json.dumps([entry["by"], {"infused": True, **fact}], sort_keys=True)
            if identity in seen:
                assert seen[identity] == content
                continue
            assert (fact["type"] == "EpisodeOpened") == (place == 0)
            if "target_id" in fact:
                assert (fact["target_source"], fact["target_id"]) in seen
            told = fact.get("fact", fact)
            if told["type"] == "EpisodeOpened":
                provider = told["provider"]
            if told["type"] == "ServiceBilledSeparately" and told["code"] in ("S9325", "S9326", "S9327", "S9328"):
                assert told["billed_by"] != provider
            seen[identity] = content


def test_npis_have_a_valid_check_digit(simulated: Simulated) -> None:
    numbers = {
        str(entry["fact"][name])
        for entry in simulated.entries
        for name in ("provider", "prescriber", "billed_by")
        if name in entry["fact"]
    }
    assert len(numbers) > 20
    for number in numbers:
        digits = [int(digit) for digit in reversed("80840" + number)]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[1::2]]
        assert (sum(digits[::2]) + sum(doubled)) % 10 == 0


def test_the_book_shows_every_way_to_count(simulated: Simulated) -> None:
    payers = [tomllib.loads(path.read_text()) for path in sorted((simulated.folder / "book" / "payers").iterdir())]
    editions = [terms for payer in payers for terms in payer["terms"]]
    assert 6 <= len(payers) <= 8
    assert {terms["day_counting"] for terms in editions} == {"access", "infused", "infused_or_nursing", "rolling_24h"}
    assert {terms["pain_code"] for terms in editions} == {"general", "specific"}
    assert any(terms["published"] > terms["from"] for terms in editions)
    assert {payer["kind"] for payer in payers} == {"commercial", "medicaid", "medicare"}
    for key, value in (
        ("inpatient_rule", "midnight_census"),
        ("inpatient_rule", "any_overlap"),
        ("hold_days", "access"),
        ("facility_days", "billable"),
        ("plan_signature", "before_claim"),
        ("line_style", "per_day"),
        ("exclusion_scope", "patient_day_payer"),
        ("auth_required", True),
    ):
        assert any(terms.get(key) == value for terms in editions), key
    assert not (simulated.folder / "book" / "codes.toml").exists()
    assert len(list((simulated.folder / "book" / "providers").iterdir())) == 5


@pytest.mark.parametrize("arguments", [["--episodes", "-1"], ["--episodes", "many"], []])
def test_a_wrong_command_line_ends_with_status_2(tmp_path: Path, arguments: list[str]) -> None:
    command = [sys.executable, str(SIMULATE), *arguments, "--seed", "1", "--out", str(tmp_path)]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())
