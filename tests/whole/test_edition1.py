"""A ledger recorded, closed and handed out under edition 1 (``golden/edition1``), read by edition 2."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from commands.writing.closing import closed_months
from ledger.book import load_book
from ledger.edition1.days import judged_days
from ledger.edition1.judge import judge
from ledger.edition1.patients import gather
from ledger.facts.administration import MonthClosed
from ledger.judge.patients import by_episode
from ledger.store import EpisodeLedger, open_ledger
from projections.audit.month import MonthHead, MonthReport, MonthRow
from projections.bundle import verify_bundle
from projections.read_model.version import code_version
from projections.words import iso
from tests import GOLDENS
from tests.command_line import ANYWAY, Ended, run

pytestmark = [pytest.mark.store, pytest.mark.sqlite_file]
FOLDER = GOLDENS / "edition1"
MONTHS = ("2026-07", "2026-10")
EDITION = "edition 2 of the rulebook instead of edition 1"
Rows = list[dict[str, Any]]


class Kept:
    """A copy of the folder, and the command line over it."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        (folder / "ledger.views.db").rename(folder / "ledger.views.1.db")
        (folder / "ledger.views.db").symlink_to("ledger.views.1.db")
        self.folder = folder

    def run(self, *args: object) -> Ended:
        """One command over the ledger of then, with the book of then."""
        return run("--ledger", str(self.folder / "ledger.db"), "--book", str(self.folder / "book"), *args)

    def rows(self, *args: object) -> Rows:
        """What a command prints, row by row."""
        ended = self.run(*args, "--format", "json")
        assert ended.status == 0, ended.err
        return ended.rows

    def open(self) -> EpisodeLedger:
        """The ledger itself."""
        return open_ledger(str(self.folder / "ledger.db"), create=False)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def printed(name: str) -> Rows:
    """What a command printed then."""
    return [json.loads(line) for line in (FOLDER / "printed" / f"{name}.jsonl").read_text("utf-8").splitlines()]


def by_day(rows: Rows) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows by episode and date."""
    return {(row["episode"], row["date"]): row for row in rows}


def said(row: dict[str, Any] | None) -> str | None:
    """A day's verdict in two words."""
    return f"{row['status']} {row['reason'] or row['code']}" if row else None


def test_it_opens_and_its_chain_and_its_checkpoint_hold(kept: Kept) -> None:
    rows = kept.rows("verify", "--checkpoint", FOLDER / "ledger.checkpoint", "--signer", FOLDER / "verifier.key")
    assert [(row["subject"].rpartition("/")[2], row["result"], row["signature"], row["entries"]) for row in rows] == [
        ("ledger", "holds", None, 765),
        ("ledger.checkpoint", "holds", "good", 765),
    ]


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize(("form", "ending"), [("json", "jsonl"), ("csv", "csv"), ("table", "txt")])
def test_a_closed_month_prints_the_same_bytes(kept: Kept, month: str, form: str, ending: str) -> None:
    ended = kept.run("close", month, "--format", form)
    assert (ended.status, ended.out) == (0, (FOLDER / "printed" / f"{month}.{ending}").read_bytes())
    assert EDITION in ended.err
    assert "altered" not in ended.err


def test_it_does_so_whatever_is_recorded_afterwards(kept: Kept, tmp_path: Path) -> None:
    late = {"type": "EpisodeVoided", "reason": "opened twice"}
    line = {"episode": "EP-3001", "source": "desk", "id": "late", "by": "biller-1", "fact": late}
    (tmp_path / "late.jsonl").write_text(json.dumps(line))
    assert kept.run("record", tmp_path / "late.jsonl").status == 0
    assert kept.run("close", "2026-10").out == (FOLDER / "printed" / "2026-10.jsonl").read_bytes()
    assert kept.rows("close", "--list") == printed("closings")


def test_the_judge_of_edition_1_is_kept_as_it_was(kept: Kept) -> None:
    with kept.open() as ledger:
        entries = [entry for _, entry in ledger.follow(0) if entry.episode]
    found = {
        (case.episode.name, iso(day.date)): (
            f"{day.status} {day.reason or day.code}", day.payer, day.code, day.rate_cents, day.authorization,
            day.terms.from_.isoformat() if day.terms else None,
        )
        for patient in gather(by_episode(entries))
        for case in judge(patient, load_book(FOLDER / "book"))
        for day in judged_days(case)
    }  # fmt: skip
    assert found == {
        day: (
            said(row), row["payer"], row["code"], row["rate_cents"], row["authorization"], row["terms_from"],
        )
        for day, row in by_day(printed("days")).items()
    }  # fmt: skip


def test_what_became_of_a_closed_month_is_told_by_day_and_edition_2_is_the_cause(kept: Kept) -> None:
    ended = kept.run("restatements", "2026-10", "--format", "json")
    assert (ended.status, "altered" in ended.err) == (0, False)
    (late,) = printed("restatements-2026-10")
    then, now = by_day(printed("days")), by_day(kept.rows("days"))
    causes = Counter(row["cause"] for row in ended.rows)
    assert (causes["entry"], sorted(causes)) == (1, ["entry", "judge"])
    for day, row in by_day(ended.rows).items():
        if row["cause"] == "entry":
            assert (row["before"], row["after"], row["because"]) == (late["before"], late["after"], late["because"])
        else:
            assert (row["before"], row["after"]) == (said(then.get(day)), said(now.get(day)))
            assert (row["because"], row["note"].split(";")[0]) == ([], EDITION)
    october = {day for day in then.keys() | now.keys() if day[1].startswith("2026-10")}
    assert {day for day in october if said(then.get(day)) != said(now.get(day))} <= by_day(ended.rows).keys()


RIGHT = {
    ("EP-3001", "2026-10-01"): ("billable S9325", "hold order_unsigned"),
    ("EP-3002", "2026-10-08"): ("billable S9325", "not_billable inpatient"),
    ("EP-3003", "2026-10-01"): ("hold no_order", "billable S9325"),
    ("EP-3004", "2026-10-01"): ("hold auth_missing", "billable S9325"),
    ("EP-3005", "2026-10-11"): ("hold auth_missing", "billable S9325"),
    ("EP-3005", "2026-10-12"): ("hold auth_missing", "hold auth_exhausted"),
    ("EP-3006", "2026-10-03"): ("billable S9325", "not_billable held"),
    ("EP-3006", "2026-10-10"): ("billable S9325", "not_billable not_covered"),
}
"""Days that edition 2 reads otherwise: no signature, a transfer, a renewal, an extension, a hold's number used again,
coverage that a corrected member number does not bring back."""


def test_edition_2_reads_what_edition_1_recorded(kept: Kept) -> None:
    then, now = by_day(printed("days")), by_day(kept.rows("days"))
    assert {day: (said(then[day]), said(now[day])) for day in RIGHT} == RIGHT
    assert {row["patient"] for row in now.values()} == {row["patient"] for row in then.values()}
    assert {row["rule"] for row in kept.rows("findings", "--episode", "EP-3006")} >= {"unmatched"}


def test_a_rebuild_says_edition_2_of_each_row_that_differs(kept: Kept) -> None:
    ended = kept.run("rebuild", "--format", "json")
    (made,) = ended.rows
    assert (ended.status, made["outcome"], made["switched"]) == (0, "explained", True)
    assert (made["code_before"], made["code_after"]) == ("0.1.0/2/e614f8c891fd", code_version())
    assert made["code_changes"][0] == EDITION
    assert made["book_changes"] == []
    assert "days.member" in made["columns_added"]
    assert made["changed_rows"].keys() == {"new code version"}
    (path,) = kept.folder.glob("ledger.views.certificates/*.rows.jsonl")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    assert len(rows) == made["changed_rows"]["new code version"]
    assert {row["cause"] for row in rows} == {"new code version"}
    then, now = by_day(printed("days")), by_day(kept.rows("days"))
    told = {(row[side]["episode"], row[side]["date"]) for row in rows if row["table"] == "days"
            for side in ("before", "after") if row[side]}  # fmt: skip
    assert told == {
        day for day in then.keys() | now.keys()
        if day not in then or day not in now
        or any(then[day][name] != now[day][name] for name in then[day])
    }  # fmt: skip


def test_a_damaged_row_of_then_is_told_from_one_that_is_judged_otherwise(kept: Kept) -> None:
    connection = sqlite3.connect(kept.folder / "ledger.views.1.db")
    with connection:
        connection.execute("UPDATE days SET status = 'hold' WHERE episode = 'EP-2001' AND date = '2026-05-05'")
    connection.close()
    (made,) = kept.run("rebuild", "--check", "--format", "json").rows
    assert made["changed_rows"].keys() == {"new code version", "damaged view"}
    assert made["changed_rows"]["damaged view"] >= 2


def test_status_and_doctor_name_what_judges_otherwise_since(kept: Kept) -> None:
    (status,) = kept.rows("status")
    assert status["closed_otherwise"].keys() == set(MONTHS)
    assert all(differs[0] == EDITION for differs in status["closed_otherwise"].values())
    checks = {row["check"]: row for row in kept.run("doctor", "--format", "json").rows}
    assert checks["closed months"]["state"] == "warn"
    assert EDITION in checks["closed months"]["says"]


def test_a_bundle_of_then_holds_by_its_own_verifier_and_by_todays(tmp_path: Path) -> None:
    signer = (FOLDER / "verifier.key").read_text().strip()
    with ZipFile(FOLDER / "bundle.zip") as bundle:
        bundle.extract("verify_bundle.py", tmp_path)
    todays = Path(verify_bundle.__file__)  # which says that nobody signed what is only stated
    for program, status in ((tmp_path / "verify_bundle.py", 0), (todays, 3)):
        done = subprocess.run(
            [sys.executable, "-I", "-S", program, FOLDER / "bundle.zip", "--signer", signer],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (status, ""), done
        another = [*done.args[:-1], signer.replace("house.example", "other.example")]
        assert subprocess.run(another, capture_output=True, check=False).returncode != 0


def test_a_closing_of_today_keeps_its_report_and_its_zones_beside_those_of_then(kept: Kept) -> None:
    assert kept.run("close", "2026-09", *ANYWAY).status == 0
    with kept.open() as ledger:
        months = closed_months(ledger)
    assert [bool(record.printed) for record in months.values()] == [False, False, True]
    assert "America/Chicago" in months["2026-09"].zones
    assert "US/Central" in months["2026-09"].zones
    ended = kept.run("close", "2026-09")
    assert months["2026-09"].printed.encode() == ended.out
    assert "instead of" not in ended.err


def closed_by_another(kept: Kept, code: str, report: str, text: str = "") -> None:
    """August closed by a version that is not here; it reported something else than this one would."""
    with kept.open() as ledger:
        record = closed_months(ledger)["2026-10"]
        at = datetime(2026, 11, 28, 12, tzinfo=UTC)
        ledger.record_closing(
            MonthClosed(
                "2026-08", at, "controller-1", record.position, record.book, code, report, "0" * 32, printed=text
            )
        )


def test_a_month_of_edition_1_that_does_not_come_out_the_same_is_never_called_altered(kept: Kept) -> None:
    closed_by_another(kept, "0.0.9/1/0123456789ab", "0" * 64)
    for command in ("close", "restatements"):
        ended = kept.run(command, "2026-08")
        assert (ended.status, ended.out) == (1, b"")
        assert "closed under edition 1 of the rulebook by version 0.0.9/1/0123456789ab" in ended.err
        assert "altered" not in ended.err


def test_a_month_closed_by_another_judge_of_this_edition_prints_what_it_kept(kept: Kept) -> None:
    release, shape, _, zones = code_version().split("/")
    another = "/".join((release, shape, "0123456789ab", zones))
    head = MonthHead("2026-08", "2026-11-28T12:00:00Z", "controller-1", "x", 761, "", "", another, 3, "0" * 64)
    report = MonthReport(head, (MonthRow("all", None, None, None, None, 3, 12_300),))
    closed_by_another(kept, another, report.hash, report.text)
    ended = kept.run("close", "2026-08")
    assert (ended.status, ended.out.decode()) == (0, report.text)
    assert f"another version of the judge ({code_version().split('/')[2]} instead of 0123456789ab)" in ended.err
    ended = kept.run("restatements", "2026-08")
    assert (ended.status, ended.out) == (0, b"")
    assert "as closed 3 days and 123.00 dollars" in ended.err
    assert "altered" not in ended.err
    assert kept.run("restatements", "2026-08", "--check").status == 1


def test_a_closing_whose_report_is_not_the_one_it_pins_was_altered(kept: Kept) -> None:
    closed_by_another(kept, code_version(), "0" * 64, "{}\n")
    ended = kept.run("close", "2026-08")
    assert (ended.status, ended.out) == (1, b"")
    assert "the record of the closing of August 2026 was altered" in ended.err
