"""What the plan says and what leaves are one decision, whatever became of days and claims meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.claims_simulated import claims_house
from tests.command_line import House, Told, lines_of

SENT = {"replace": "7", "void": "8", "void_and_new": "8"}
"""Which frequency goes out for a row of the plan."""
ROUNDS = 3


def disagreements(house: House) -> list[Any]:
    """What only one of the two says: claims that are put right, and new ones that the plan says are to be made."""
    planned, drafts = house.run("claims", "plan").rows, house.run("claims", "prepare").rows
    sent = {
        (row["episode"], row["claim"], SENT[row["instrument"]])
        for row in planned
        if row["instrument"] in SENT and "by hand" not in row["why"]
    }
    put_right = {(row["episode"], row["replaces"], row["frequency"]) for row in drafts if row["frequency"] != "1"}
    originals = {(row["episode"], row["payer"]) for row in drafts if row["frequency"] == "1"}
    new = {(row["episode"], row["payer"]) for row in planned if row["instrument"] == "new"}
    return sorted([*(sent ^ put_right), *(new - originals)])


def changes(rng: Random, told: list[Told], count: int) -> list[Told]:
    """Facts told later: days that were not served, discharges that were earlier, diagnoses that come and go."""
    made = []
    for number in range(count):
        entry = rng.choice(
            [each for each in told if each["fact"]["type"] in ("DayServed", "Discharged", "EpisodeOpened")]
        )
        fact, target = (
            entry["fact"],
            {"target_source": entry["source"], "target_id": entry["id"], "reason": "looked into"},
        )
        if fact["type"] == "DayServed":
            more: dict[str, Any] = {"type": "FactRetracted", **target}
        elif fact["type"] == "Discharged":
            earlier = date.fromisoformat(fact["date"]) - timedelta(days=rng.randint(1, 9))
            more = {"type": "FactCorrected", **target, "fact": fact | {"date": earlier.isoformat()}}
        elif rng.random() < 0.8:
            more = {"type": "DiagnosisRecorded", "icd10": rng.choice(["M54.5", "G89.4"]), "from": "2020-01-01"}
        else:
            more = {"type": "EpisodeVoided", "reason": "opened in error"}
        made.append(
            {"episode": entry["episode"], "source": "later", "id": f"{rng.random()}-{number}", "by": "d", "fact": more}
        )
    return made


def answers(rng: Random, house: House, day: date) -> list[Told]:
    """What clearinghouses and payers say of claims that nobody answered: taken in, turned back, paid, denied."""
    made = []
    for row in house.run("claims", "list").rows:
        if row["state"] not in ("submitted", "accepted") or rng.random() < 0.4:
            continue
        about = {"claim": row["claim"], "payer": row["payer"]}
        number = {"payer_control": f"N{rng.random()}"} if rng.random() < 0.9 else {}
        if rng.random() < 0.3:
            status = rng.choice(["accepted", "accepted", "rejected"])
            fact = {
                "type": "ClaimAcknowledged",
                "kind": "277CA",
                "status": status,
                "date": day.isoformat(),
                "codes": [],
            }
        else:
            paid = rng.choice([0, row["charge_cents"], row["charge_cents"] // 2])
            fact = {
                "type": "RemittancePosted", "payment": f"T{rng.random()}", "paid_on": day.isoformat(),
                "status": "1" if paid else "4", "charge_cents": row["charge_cents"], "paid_cents": paid,
            }  # fmt: skip
        id = f"{row['claim']}-{rng.random()}"
        made.append(
            {"episode": row["episode"], "source": "answers", "id": id, "by": "p", "fact": fact | about | number}
        )
    return made


def agreeing(folder: Path, episodes: int, seed: int) -> Counter[str]:
    """A house, what is answered and what is found out later, some rounds; which instruments the plan had."""
    house, rng, seen = claims_house(folder, episodes, seed), Random(seed), Counter[str]()
    intake = [json.loads(line) for line in (house.folder / "told" / "intake.jsonl").read_text().splitlines()]
    for number in range(ROUNDS):
        house.run("claims", "write", "--out", house.folder / "out")
        day = date(2026, 11, 1) + timedelta(7 * number)
        told = [*answers(rng, house, day), *changes(rng, intake, 2 * episodes)]
        assert {row["outcome"] for row in house.run("record", "--no-effect", "-", stdin=lines_of(told)).rows} == {
            "recorded"
        }
        assert disagreements(house) == []
        seen.update(row["instrument"] for row in house.run("claims", "plan").rows)
    return seen


def test_what_the_plan_says_is_sent_is_what_is_sent(tmp_path: Path) -> None:
    seen = agreeing(tmp_path / "house", 20, 4)
    assert {"replace", "void", "wait", "new"} <= seen.keys(), seen


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(40))
def test_what_the_plan_says_is_sent_is_what_is_sent_for_many_seeds(tmp_path: Path, seed: int) -> None:
    agreeing(tmp_path / "house", 40, seed)
