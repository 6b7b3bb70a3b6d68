"""One answer everywhere: the same ledger read with another zone database, and what says so.

The second machine has a package ``tzdata`` of its own: in it the clocks of Chicago go as those of New York.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ledger.facts.zones import zone_data_version
from tests.command_line import ANYWAY, LIVE, SERVED, House, told
from tests.stores import told_of_the_key

pytestmark = [pytest.mark.process, pytest.mark.sqlite_file]
OTHER = "2099z"
FACTS = [
    told("open", {"type": "EpisodeOpened", "patient": "P-1", "provider": "1234567893", "zone": "America/Chicago"}),
    told("cov", {"type": "CoverageVerified", "payer": "prairie-blue", "member": "M-1", "from": "2026-01-01"}),
    told("rx", {"type": "TherapyOrdered", "order": "RX-1", "mode": "continuous", "from": "2026-02-02",
                "prescriber": "1245319599", "signed_on": "2026-02-01"}),
    told("dx", {"type": "DiagnosisRecorded", "icd10": "G89.3", "from": "2026-01-01"}),
    told("plan", {"type": "PlanSigned", "plan": "A", "signed_on": "2026-02-01", "from": "2026-02-01",
                  "to": "2026-03-31"}),
    told("pain", {"type": "PainAssessed", "date": "2026-02-02", "score": 4}),
    told("day", SERVED),
    told("run", {"type": "InfusionLogged", "order": "RX-1", "started_at": "2026-02-03T14:00:00Z",
                 "stopped_at": "2026-02-04T05:30:00Z"}),
]  # fmt: skip
"""A pump that stopped on February 3 at 23:30 in Chicago, which in New York is half past midnight on the 4th."""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with another package of zones."""
    folder = tmp_path_factory.mktemp("packages")
    here = Path(str(import_module("tzdata").__file__)).parent
    shutil.copytree(here, folder / "tzdata", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "tzdata" / "__init__.py").write_text(f'IANA_VERSION = "{OTHER}"\n__version__ = "2099.26"\n')
    zones = folder / "tzdata" / "zoneinfo" / "America"
    shutil.copy(zones / "New_York", zones / "Chicago")
    return folder


@pytest.fixture
def house(tmp_path: Path) -> House:
    """A house that closed February with the zones of here."""
    house = House(tmp_path)
    assert house.tell(*FACTS).status == 0
    assert house.run("close", "2026-02", *ANYWAY, "--by", "controller-1").status == 0
    return house


@pytest.fixture
def elsewhere(house: House, package: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """One command on the machine with the other zones; nothing it says may be that something was altered."""

    def run(*args: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
        env = plain | told_of_the_key() | {"PYTHONPATH": os.pathsep.join((str(package), str(Path.cwd())))}
        done = subprocess.run(
            [*LIVE, *house.named, *args], env=env, cwd=Path.cwd(), capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done
        assert "altered" not in done.stdout + done.stderr
        return done

    return run


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


DIFFERS = f"zone data {OTHER} instead of {zone_data_version()}"
Elsewhere = Callable[..., subprocess.CompletedProcess[str]]


def test_another_database_gives_other_days(house: House, elsewhere: Elsewhere) -> None:
    here = [(row["date"], row["status"]) for row in house.run("days").rows]
    assert here == [("2026-02-02", "billable"), ("2026-02-03", "billable")]
    there = elsewhere("days", "--format", "json")
    assert [(row["date"], row["status"]) for row in rows(there)] == [*here, ("2026-02-04", "billable")]
    assert DIFFERS in there.stderr


@pytest.mark.parametrize("form", ["json", "csv", "table"])
def test_a_closed_month_prints_the_same_bytes(house: House, elsewhere: Elsewhere, form: str) -> None:
    here = house.run("close", "2026-02", *ANYWAY, "--format", form)
    there = elsewhere("close", "2026-02", *ANYWAY, "--format", form)
    assert there.stdout.replace("\n", "\r\n" if form == "csv" else "\n").encode() == here.out
    assert DIFFERS in there.stderr
    assert "instead of" not in here.err


def test_restatements_name_the_zone_data_as_the_cause(house: House, elsewhere: Elsewhere) -> None:
    assert house.run("restatements", "2026-02").rows == []
    (row,) = rows(elsewhere("restatements", "2026-02", "--format", "json"))
    assert (row["date"], row["before"], row["after"], row["delta_cents"]) == (
        "2026-02-04",
        None,
        "billable S9325",
        9000,
    )
    assert (row["cause"], row["because"], row["note"]) == ("zones", [], DIFFERS)
    assert "1 day of February 2026 differs" in elsewhere("restatements", "2026-02", "--check", status=1).stderr


def test_what_arrives_later_is_still_told_from_what_the_zones_changed(house: House, elsewhere: Elsewhere) -> None:
    assert house.tell(told("late", SERVED | {"date": "2026-02-05"})).status == 0
    found = {row["date"]: row["cause"] for row in rows(elsewhere("restatements", "2026-02", "--format", "json"))}
    assert found == {"2026-02-04": "zones", "2026-02-05": "entry"}
    here = {row["date"]: row["cause"] for row in house.run("restatements", "2026-02").rows}
    assert here == {"2026-02-04": "entry", "2026-02-05": "entry"}


def test_a_rebuild_names_the_zone_data_as_the_cause_of_each_row(house: House, elsewhere: Elsewhere) -> None:
    assert house.run("days").status == 0
    (made,) = rows(elsewhere("rebuild", "--format", "json"))
    assert (made["outcome"], made["switched"]) == ("explained", True)
    assert made["code_changes"] == [DIFFERS]
    assert made["columns_added"] == []
    assert made["changed_rows"].keys() == {"new zone data"}


def test_status_and_doctor_name_it(house: House, elsewhere: Elsewhere) -> None:
    checks = {row["check"]: row for row in rows(elsewhere("doctor", "--format", "json", status=0))}
    assert checks["zone data"]["says"].startswith(OTHER)
    assert (checks["closed months"]["state"], DIFFERS in checks["closed months"]["says"]) == ("warn", True)
    (status,) = rows(elsewhere("status", "--format", "json"))
    assert status["closed_otherwise"] == {"2026-02": [DIFFERS]}
    assert status["code_version"].endswith(f"/{OTHER}")
    (status,) = house.run("status").rows
    assert status["closed_otherwise"] == {}


def test_nothing_else_is_said_of_the_ledger(house: House, elsewhere: Elsewhere) -> None:
    (row,) = rows(elsewhere("verify", "--format", "json"))
    assert row["result"] == "holds"


def test_a_month_closed_there_comes_out_here_as_it_was(house: House, elsewhere: Elsewhere) -> None:
    there = elsewhere("close", "2026-01", *ANYWAY, "--format", "json")
    assert rows(there)[0]["version"].endswith(OTHER)
    here = house.run("close", "2026-01", *ANYWAY)
    assert (here.status, here.out.decode()) == (0, there.stdout)
    assert f"zone data {zone_data_version()} instead of {OTHER}" in here.err
