"""The simulated history: same arguments, same bytes; every kind of trouble; a truth that door and judge confirm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Collection
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from commands.writing.record import Outcome
from ledger.book import PACKAGED, load_book
from ledger.facts.entry import Entry
from ledger.judge.steps import STEPS
from tests import ROOT, plain_model
from tests.harness import judge_entries
from tests.plain_model.agree import rows_in_order
from tests.simulated import tell_simulated
from tests.stores import open_ledger

SIMULATE = ROOT / "scripts" / "simulate"

KINDS = """
activity_after_death authorization_exhausted authorization_extended authorization_missing backdated_discharge
bundled_item business_duplicate catheter_care claim_number_reused claim_replaced claim_reported_twice claim_sent_twice
claim_units_wrong claim_voided claimed_ahead concurrent_unranked conflict_resolved_code conflict_resolved_null
correction correction_chain coverage_ended coverage_gap coverage_reinstated coverage_unverified
decision_without_effect diagnosis_missing discharge_before_admission dst_run edition_told_late episode_voided
exact_duplicate facility_stay hold_and_resume hold_number_reused hospice_elected hospital_stay hospital_stay_open
hospital_transfer interval_too_long late_entry medicare_only member_changed mode_switch monthly_parts no_agreement
order_missing order_renewed order_signed_late order_unsigned orders_overlap overlapping_episodes
own_per_diem_by_correction pain_assessment_missing past_51_days patient_corrected payer_not_in_book
patients_merged patients_parted
per_diem_by_other_provider pharmacy_hours place_corrected place_of_a_day place_of_service plan_missing
plan_signed_late provider_changed provider_corrected rate_missing respelled_duplicate resume_before_hold
retract_then_restore retraction runs_disagree stay_number_reused stays_adjoin supply_short therapy_ranked told_ahead
unmatched year_typed_wrong
"""

FACT_TYPES = """
EpisodeOpened CoverageVerified CoverageEnded TherapyOrdered TherapyStopped EpisodeVoided ProviderChanged DayServed
DaysServed InfusionLogged NursingVisited SupplyDispensed DrugDispensed DrugBilledSeparately ServiceBilledSeparately
HospitalAdmitted HospitalDischarged FacilityStayed HospiceElected TherapyHeld TherapyResumed TherapyRanked PatientDied
Discharged DiagnosisRecorded PlanSigned PainAssessed ResponseNoted CoordinationNoted AuthorizationGranted
ClaimSubmitted FactRetracted FactCorrected ConflictResolved
"""


class Simulated(NamedTuple):
    """What one run wrote."""

    folder: Path
    entries: list[dict[str, Any]]
    acts: list[dict[str, Any]]
    truth: list[dict[str, Any]]


class Judged(NamedTuple):
    """What the door and the judge make of it."""

    days: dict[tuple[str, str], dict[str, Any]]
    findings: list[dict[str, Any]]
    outcomes: list[Outcome]
    recorded: list[Entry]


def run(out: Path, episodes: int, seed: int, hash_seed: str = "0") -> Path:
    command = [sys.executable, str(SIMULATE), "--episodes", str(episodes), "--seed", str(seed), "--out", str(out)]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, env=environment, capture_output=True, timeout=300)
    return out


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_toml(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    folder = run(tmp_path_factory.mktemp("simulated"), 300, 7)
    return Simulated(folder, *(rows(folder / f"{name}.jsonl") for name in ("intake", "acts", "truth")))


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
    known = {(entry["episode"], entry["source"], entry["id"]) for entry in simulated.entries + simulated.acts}
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


@pytest.fixture(scope="module")
def judged(simulated: Simulated, tmp_path_factory: pytest.TempPathFactory) -> Judged:
    """The simulated history through the door and the judge, read against the simulated book."""
    with open_ledger(tmp_path_factory.mktemp("judged") / "ledger.db", create=True) as ledger:
        outcomes = list(tell_simulated(ledger, simulated.folder))
        recorded = [*(entry for _, entry in ledger.follow(0)), *ledger.merge_entries()]
    derived = judge_entries(recorded, load_book(simulated.folder / "book"))
    return Judged({(row["episode"], row["date"]): row for row in derived.days}, derived.findings, outcomes, recorded)


def test_the_door_takes_every_line_that_is_not_told_ahead(simulated: Simulated, judged: Judged) -> None:
    ahead = {
        (named["episode"], named["source"], named["id"])
        for row in simulated.truth
        if row["effect"] == "refused told_ahead"
        for named in row["entries"]
    }
    told = [(entry["episode"], entry["source"], entry["id"]) for entry in simulated.entries]
    first = {identity: place for place, identity in reversed(list(enumerate(told)))}
    refused = {place: outcome.code for place, outcome in enumerate(judged.outcomes) if outcome.outcome == "refused"}
    assert refused == {first[identity]: "told_ahead" for identity in ahead}
    assert all(told.count(identity) == 2 for identity in ahead), "sent again when it has happened"
    assert ahead


def test_repeats_are_duplicates_and_no_line_is_long(simulated: Simulated, judged: Judged) -> None:
    for raw in (simulated.folder / "intake.jsonl").read_bytes().splitlines():
        assert len(raw) < 65_536
    recorded, repeated = set[tuple[str, str, str]](), 0
    for entry, outcome in zip(simulated.entries, judged.outcomes, strict=True):
        identity = (entry["episode"], entry["source"], entry["id"])
        if outcome.outcome != "refused":
            assert (outcome.outcome == "duplicate") == (identity in recorded)
            repeated += identity in recorded
            recorded.add(identity)
    assert repeated > 20


def before(reason: str) -> set[str]:
    """The reasons of the steps up to and with the one that gives this reason."""
    number = next(step.number for step in STEPS if reason in step.verdicts)
    return {each for step in STEPS if step.number <= number for each in step.verdicts}


def days_of(row: dict[str, Any], judged: Judged) -> list[dict[str, Any]]:
    """The judged days of the trouble's last episode on its dates."""
    found = (judged.days.get((row["episodes"][-1], date)) for date in row["dates"])
    return [day for day in found if day is not None]


def is_found(rule: str, row: dict[str, Any], judged: Judged) -> bool:
    return any(
        finding["rule"] == rule
        and set(finding["dates"]) & set(row["dates"])
        and set(finding["episodes"]) & set(row["episodes"])
        for finding in judged.findings
    )


def otherwise(simulated: Simulated, kind: str) -> set[tuple[str, str]]:
    """The days that a human settled, or another payer took over: a trouble of another kind may do nothing there."""
    kinds = {"conflict_resolved_code", "coverage_ended"} - {kind}
    rows = [row for row in simulated.truth if row["kind"] in kinds]
    return {(row["episodes"][0], date) for row in rows for date in row["dates"]}


LOOSE = re.compile(r"\b(?:if|unless|until|where|as|after|on the last days|or)\b")
"""Effects that hang on something else; their words are read by people."""


def exact_effects(simulated: Simulated, pattern: str) -> list[tuple[dict[str, Any], re.Match[str]]]:
    """The parts of effects that say without conditions what is to be seen, with the row they stand in."""
    parts = [(row, part) for row in simulated.truth for part in row["effect"].split(", ")]
    matched = [(row, re.fullmatch(pattern, part)) for row, part in parts if not LOOSE.search(row["effect"])]
    return [(row, match) for row, match in matched if match]


def test_a_verdict_of_the_truth_is_the_judges_or_that_of_an_earlier_step(simulated: Simulated, judged: Judged) -> None:
    exact = Counter[str]()
    for row, match in exact_effects(simulated, r"(?:not_billable|hold|conflict) (\w+)"):
        elsewhere = otherwise(simulated, row["kind"])
        for day in days_of(row, judged):
            if (day["episode"], day["date"]) not in elsewhere:
                assert day["reason"] in before(match[1]), (row, day)
                exact[match[1]] += day["reason"] == match[1]
    planted = {"inpatient", "held", "order_unsigned", "no_agreement", "place_of_service", "concurrent_unpaid"}
    assert {reason for reason, days in exact.items() if days} >= planted


def test_a_finding_of_the_truth_is_found(simulated: Simulated, judged: Judged) -> None:
    rules = set()
    for row, match in exact_effects(simulated, r"finding (\w+)( on billable days)?"):
        if not match[2] or any(day["status"] == "billable" for day in days_of(row, judged)):
            assert is_found(match[1], row, judged), row
            rules.add(match[1])
    assert rules >= {
        "number_reused", "unmatched", "stays_adjoin", "runs_disagree", "served_beyond_supply", "evidence_gap",
        "coverage_reinstated", "concurrent_unranked", "claimed_ahead", "decision_without_effect",
    }  # fmt: skip


def of_episodes(judged: Judged, episodes: Collection[str]) -> list[Entry]:
    """What is recorded of some episodes, with what the house did."""
    return [entry for entry in judged.recorded if not entry.episode or entry.episode in episodes]


def test_what_a_merge_brings_to_light_is_found_until_the_patients_are_parted(
    simulated: Simulated, judged: Judged
) -> None:
    book, shown = load_book(simulated.folder / "book"), Counter[str]()
    expected = {"patients_merged": [False, True], "patients_parted": [False, True, False]}
    for row in simulated.truth:
        if row["kind"] not in expected or days_of(row, judged)[0]["status"] != "billable":
            continue
        acts = [act for act in simulated.acts if act["fact"]["patient"] == f"{row['patient']}-R"]
        done = [datetime.fromisoformat(act["recorded_at"]) for act in acts]
        entries = of_episodes(judged, row["episodes"])
        then = [judge_entries(entries, book, at) for at in (done[0] - timedelta(seconds=1), *done)]
        care = [is_found("catheter_care_with_per_diem", row, judged._replace(findings=one.findings)) for one in then]
        assert care == expected[row["kind"]], row
        shown[row["kind"]] += 1
    assert shown.keys() == expected.keys()


def test_the_plain_model_agrees_on_patients_whom_the_house_merged_and_parted(
    simulated: Simulated, judged: Judged
) -> None:
    folder = simulated.folder / "book"
    twice = {name for row in simulated.truth if row["kind"].startswith("patients_") for name in row["episodes"]}
    ours = judge_entries(of_episodes(judged, twice), load_book(folder))
    lines = zip(simulated.entries, judged.outcomes, strict=True)
    told = [entry for entry, outcome in lines if outcome.outcome == "recorded" and entry["episode"] in twice]
    told = sorted(told + simulated.acts, key=lambda entry: str(entry["recorded_at"]))  # an act after its second's lines
    tables = {name: list(map(read_toml, sorted((folder / name).iterdir()))) for name in ("payers", "providers")}
    theirs = plain_model.derive(told, tables | read_toml(PACKAGED / "codes.toml"))
    assert len(ours.days) > 100
    for kind in ("days", "findings", "lines"):
        assert rows_in_order(kind, getattr(ours, kind)) == rows_in_order(kind, getattr(theirs, kind))


@pytest.mark.parametrize("key", ["member", "provider"])
def test_a_change_of_the_truth_is_on_its_days(simulated: Simulated, judged: Judged, key: str) -> None:
    rows = exact_effects(simulated, rf"{key} (\S+)")
    values = [(day[key], match[1]) for row, match in rows for day in days_of(row, judged) if day[key] is not None]
    assert values
    assert [pair for pair in values if pair[0] != pair[1]] == []


def test_a_second_therapy_pays_half(simulated: Simulated, judged: Judged) -> None:
    rows = exact_effects(simulated, r"percent (\d+)")
    paid = [day for row, _ in rows for day in days_of(row, judged) if day["status"] == "billable"]
    assert paid
    assert {(day["rate_cents"], *day["modifiers"]) for day in paid} == {(4400, "SH")}


def test_a_voided_episode_has_no_days(simulated: Simulated, judged: Judged) -> None:
    voided = [row for row in simulated.truth if row["effect"] == "no days"]
    assert voided
    assert [day for row in voided for day in days_of(row, judged)] == []


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
    payers = [read_toml(path) for path in sorted((simulated.folder / "book" / "payers").iterdir())]
    editions = [terms for payer in payers for terms in payer["terms"]]
    assert 6 <= len(payers) <= 8
    assert {terms["day_counting"] for terms in editions} == {
        "access",
        "course",
        "infused",
        "infused_or_nursing",
        "rolling_24h",
    }
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
        ("order_signature", "none"),
        ("order_signature", "before_service"),
        ("concurrent_percent", [100, 50, 0]),
        ("place_modifiers", {"13": ["SS"]}),
        ("plan_max_days", 60),
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
