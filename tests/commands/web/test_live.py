"""How the site is, for programs that watch it: health, figures, and its log; and nobody's data in any of them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from commands.verbs.serve import _log_answered, _log_told
from commands.web.guard.requests import Requests
from commands.web.live import LOOK_SECONDS, Look
from tests.command_line import House, assert_plain, run
from tests.in_process_site import InProcess, Visitor
from tests.kept import documented
from tests.marked import EP, MARK, history

pytestmark = pytest.mark.sqlite_file  # what stands beside the ledger's file

SAMPLE = re.compile(r'[a-z_]+(?:\{[a-z]+="[^"\\]*"(?:,[a-z]+="[^"\\]*")*\})? [0-9.+e-]+\Z')


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    return documented(tmp_path_factory.mktemp("live"))


def figures(text: str) -> dict[str, float]:
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if line[0] != "#"}


def test_the_figures_are_the_commands(house: House) -> None:
    desk = InProcess(house.ledger)
    auditor = desk.visitor("auditor")
    answer = auditor.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    lines = answer.text.splitlines()
    assert lines[-1] == "# EOF"
    assert all(line.startswith("# ") or SAMPLE.match(line) for line in lines)
    found = figures(answer.text)
    (status,) = run("--ledger", house.ledger, "status", "--technical").rows
    assert found["episode_ledger_position"] == status["position"]
    assert found["episode_ledger_lag_entries"] == 0
    held = {name[5:]: number for name, number in status["verdicts"].items() if name.startswith("hold ")}
    assert held
    for reason, number in held.items():
        assert found[f'episode_ledger_hold_days{{reason="{reason}"}}'] == number
    assert found['episode_ledger_days{status="hold"}'] == sum(held.values())
    assert sum(number for name, number in found.items() if name.startswith("episode_ledger_findings{")) == sum(
        status["findings"].values()
    )


def test_requests_are_counted_by_the_sites_own_names_of_addresses(house: House) -> None:
    desk = InProcess(house.ledger)
    visitor = desk.visitor("operator")
    visitor.get(visitor.address_of("EP-2005"))
    visitor.get("/episode/P-1005")
    visitor.get("/P-1005")
    found = figures(visitor.get("/metrics").text)
    name = 'episode_ledger_request_seconds_count{method="GET",address="/episode/{id}",status='
    assert (found[f'{name}"200"}}'], found[f'{name}"404"}}']) == (1, 1)
    assert any(name.startswith('episode_ledger_request_seconds_count{method="other"') for name in found)
    assert "P-1005" not in "".join(found)
    buckets = [number for name, number in found.items() if "_bucket{" in name and 'address="/search"' in name]
    assert buckets == sorted(buckets)


def test_figures_are_for_auditors_operators_and_who_has_the_key(house: House) -> None:
    desk = InProcess(house.ledger)
    desk.site.metrics_key = "k" * 24
    program = Visitor(desk)
    assert program.get("/metrics", authorization=f"Bearer {'k' * 24}").status == 200
    for wrong in (None, "Bearer", f"Bearer {'k' * 23}", "k" * 24, f"Basic {'k' * 24}"):
        assert program.get("/metrics", authorization=wrong).status == 403
    assert program.get("/", authorization=f"Bearer {'k' * 24}").status == 403, "the key opens nothing else"
    desk.site.metrics_key = None
    assert program.get("/metrics", authorization="Bearer None").status == 403
    assert desk.visitor("viewer").get("/metrics").status == 403


def test_health_is_told_without_a_session_and_says_what_is_wrong(house: House, tmp_path: Path) -> None:
    desk = InProcess(house.ledger)
    answer = Visitor(desk).get("/health")
    assert (answer.status, json.loads(answer.text)["status"]) == (200, "ok")
    assert set(json.loads(answer.text)["checks"]) == {"ledger", "read_model", "rollback", "disk"}
    other = InProcess(tmp_path / "none.db")
    answer = Visitor(other).get("/health")
    assert (answer.status, json.loads(answer.text)["checks"]["ledger"]) == (503, "cannot be read")


@pytest.mark.parametrize(
    ("look", "wrong"),
    [
        (Look(10, 60_000, {}, {}, 0, 2**40), "read_model"),
        (Look(10, 0, {}, {}, 1, 2**40), "rollback"),
        (Look(10, 0, {}, {}, 0, 2**20), "disk"),
        (Look(10, None, {}, {}, 0, 2**40), "read_model"),
    ],
)
def test_each_thing_that_is_wrong_is_named(look: Look, wrong: str) -> None:
    assert not look.is_well
    assert [name for name, said in look.checks.items() if said not in ("ok", "none seen")] == [wrong]


def test_a_look_holds_for_a_moment(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, looks = InProcess(house.ledger), list[int]()
    desk.site.requests.clock = desk.clock
    opened = desk.site.reader.setup.open
    monkeypatch.setattr(desk.site.reader.setup, "open", lambda: looks.append(1) or opened())
    for _ in range(5):
        assert Visitor(desk).get("/health").status == 200
    assert len(looks) == 1, "who asks without a session cannot make it look all the time"
    desk.clock.now += LOOK_SECONDS + 0.1
    Visitor(desk).get("/health")
    assert len(looks) == 2


def test_nobodys_data_is_in_health_figures_or_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every field of every fact is marked, and pages are asked for, searched, filled in wrongly and failing."""
    house = House(tmp_path)
    assert house.tell(*history(), options=("--identity-in-the-open",)).status == 0
    capsys.readouterr()
    desk = InProcess(house.ledger, house.book)
    desk.site.requests = Requests(_log_answered)
    desk.site.tell = _log_told
    visitor = desk.visitor("operator", "mgarcia")
    address = visitor.address_of(EP)
    for path in (address, f"{address}/entries", f"{address}/entry/2/correct", "/", f"/{MARK}", f"/episode/{MARK}",
                 f"/?{MARK}", "/report", "/months/2026-11", f"{address}?day={MARK}"):  # fmt: skip
        visitor.get(path)
    visitor.post("/search", text=MARK)
    visitor.post(f"{address}/record/PainAssessed", date=MARK, score=MARK, id=MARK, step="record")
    visitor.post("/sign-in", name=MARK, password=MARK)
    (tmp_path / "book" / "codes.toml").write_text(f"{MARK} = [")
    assert visitor.get(address).status == 503
    said = visitor.get("/health").text + visitor.get("/metrics").text
    log = capsys.readouterr().err
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert {line["event"] for line in lines} == {"request", "told"}
    assert all(line["at"] for line in lines)
    asked = next(line for line in lines if line["event"] == "request" and line["address"] == "/episode/{id}")
    assert (asked["method"], asked["status"], asked["role"]) == ("GET", 200, "operator")
    assert MARK.lower() not in (said + log).lower()
    assert "mgarcia" not in said


@pytest.mark.parametrize(("key", "mode", "said"), [("short", 0o600, "20 to 200"), ("k" * 24, 0o644, "others may read"),
                                                   ("k" * 23 + "é", 0o600, "20 to 200")])  # fmt: skip
def test_a_key_of_figures_that_is_none_is_refused(house: House, key: str, mode: int, said: str) -> None:
    file = house.folder / "metrics.key"
    file.write_text(key)
    file.chmod(mode)
    assert_plain(house.run("serve", "--port", "0", "--metrics-key", file), 2, said)
