"""``diff`` on the command line: its shapes byte for byte, how it ends, what it tells people.

After a deliberate change of shape: ``GOLDEN=write pytest tests/commands/verbs/test_diff.py``, and read the difference.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shlex
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from projections.audit.between import DayChanged
from tests import GOLDENS, ROOT
from tests.command_line import LIVE, assert_plain, lines_of, run
from tests.stores import placed
from tests.stories import (
    FIELDS,
    StoriesTold,
    march,
)
from tests.tampering import (
    UNREADABLE,
    plant,
)

GOLDEN = GOLDENS
BETWEEN = (
    "patient episode date before after payer_before payer_after cents_before cents_after cause because type by"
    " recorded_at position days_late note"
)
SPAN = ("--between", "2026-04-03T00:00Z", "2026-09-01T00:00Z")
WHOLE = ("diff", "--claimed", "--all")
MENDED = "UPDATE entries SET state = ? WHERE originator_id = 'EP-2' AND originator_version = 3"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> StoriesTold:
    """To be read only."""
    return StoriesTold(tmp_path_factory.mktemp("diff"))


# The shapes


def between_two_instants(site: StoriesTold) -> bytes:
    return site.run("diff", "EP-1", *SPAN).out + site.run("diff", "EP-2", *SPAN).out


def claimed(site: StoriesTold) -> bytes:
    return site.run(*WHOLE, "--every").out


@pytest.mark.parametrize("shape", [between_two_instants, claimed], ids=["between", "claimed"])
def test_every_byte_is_as_it_was(site: StoriesTold, shape: Any, request: pytest.FixtureRequest) -> None:
    name = request.node.callspec.id
    golden, out = GOLDEN / f"diff-{name}.jsonl", shape(site)
    if os.environ.get("GOLDEN") == "write":
        golden.write_bytes(out)
    assert out == golden.read_bytes()
    keys = {"between": BETWEEN, "claimed": FIELDS}[name].split()
    rows = [json.loads(line) for line in out.splitlines()]
    assert all(list(row) == keys for row in rows)
    kinds = {row.get("cause") or row["kind"] for row in rows}
    assert kinds in ({"entry", "terms"}, {"overclaimed", "changed", "unbilled", "as_claimed"})


def test_a_spreadsheet_gets_the_same_columns(site: StoriesTold) -> None:
    for args, keys in ((("EP-1", *SPAN), BETWEEN), (("--claimed", "--all"), FIELDS)):
        sheet = site.run("diff", *args, "--format", "csv").out.decode()
        table = list(csv.reader(io.StringIO(sheet, newline="")))
        assert table[0] == keys.split()
        assert len(table) == 1 + len(site.run("diff", *args).rows) > 2
    assert [field.encode_name for field in msgspec.structs.fields(DayChanged)] == BETWEEN.split()


# Between


def test_the_changes_are_what_days_shows_at_the_two_instants(site: StoriesTold) -> None:
    for episode in ("EP-1", "EP-2", "EP-3", "EP-4"):
        then, now = (site.run("days", "--episode", episode, "--known-at", at).rows for at in SPAN[1:])
        before, after = (
            {day["date"]: (day["status"], day["reason"], day["code"]) for day in days} for days in (then, now)
        )
        differ = [day for day in sorted(before.keys() | after.keys()) if before.get(day) != after.get(day)]
        shown = site.run("diff", episode, *SPAN)
        assert (shown.status, shown.err) == (0, "")
        assert [row["date"] for row in shown.rows] == differ
        assert bool(differ) == (episode != "EP-4")


def test_dates_choose_the_changes(site: StoriesTold) -> None:
    assert [row["date"] for row in site.run("diff", "EP-1", *SPAN, "--from", "2026-03-05").rows] == ["2026-03-05"]
    assert [row["date"] for row in site.run("diff", "EP-1", *SPAN, "--to", "2026-03-04").rows] == ["2026-03-04"]
    assert site.run("diff", "EP-1", *SPAN, "--to", "2026-03-03", tty=True).out == b"No day changed.\n"


def test_a_person_reads_what_changed(site: StoriesTold) -> None:
    since = ("--between", "2026-08-04T00:00Z", "2026-09-01T00:00Z")
    assert site.run("diff", "EP-2", *since, "--from", "2026-07-02", tty=True).out.decode() == (
        "2026-07-02 to 2026-07-03  billable S9325 to prairie-blue → billable S9326 to prairie-blue (2 days,\n"
        "        16.00 dollars more)\n"
        "      payer prairie-blue: terms from 2026-07-01 published 2026-08-20, 48 to 49 days late\n"
    )


# Claimed


def test_money_to_give_back_ends_with_1(site: StoriesTold) -> None:
    ended = site.run("diff", "EP-1", "--claimed")
    assert (ended.status, [row["kind"] for row in ended.rows]) == (1, ["overclaimed"] * 2)
    assert ended.err == "2 days not billable, 144.04 dollars claimed and not answered, the first by 2026-07-10.\n"


@pytest.mark.parametrize(
    ("episode", "told"),
    [
        ("EP-2", "2 days billable with another code or payer, 0.00 dollars to refund."),
        ("EP-3", "1 day unbilled, the first must be filed by 2027-03-03."),
        ("EP-4", "Every claimed day is billable as claimed."),
    ],
)
def test_without_money_to_give_back_it_ends_with_0(site: StoriesTold, episode: str, told: str) -> None:
    ended = site.run("diff", episode, "--claimed")
    assert (ended.status, ended.err) == (0, told + "\n")


def test_all_patients_or_one_payers(site: StoriesTold) -> None:
    ended = site.run(*WHOLE)
    assert (ended.status, ended.err) == (
        1,
        "2 days not billable, 2 days billable with another code or payer, 144.04 dollars claimed and not answered,"
        " the first by 2026-07-10; 1 day unbilled, the first must be filed by 2027-03-03.\n",
    )
    assert [row["patient"] for row in ended.rows] == ["P-1", "P-1", "P-2", "P-2", "P-3"]
    of_payer = site.run("diff", "--claimed", "--payer", "prairie-blue")
    assert (of_payer.status, of_payer.rows) == (0, ended.rows[2:4])
    assert site.run("diff", "--claimed", "--payer", "nobody").rows == []


def test_dates_choose_rows_sum_and_status(site: StoriesTold) -> None:
    ended = site.run(*WHOLE, "--to", "2026-03-04")
    assert (ended.status, [row["date"] for row in ended.rows]) == (1, ["2026-03-04", "2026-03-03"])
    assert ended.err.startswith("1 day not billable, 72.02 dollars")
    assert site.run(*WHOLE, "--from", "2026-06-01").status == 0


def test_as_known_at_an_instant(site: StoriesTold) -> None:
    assert site.run(*WHOLE, "--known-at", "2026-05-11T14:59:59Z").status == 0
    ended = site.run(*WHOLE, "--known-at", "2026-05-11T15:00Z")
    assert (ended.status, {row["patient"] for row in ended.rows}) == (1, {"P-1", "P-3"})
    early = site.run(*WHOLE, "--known-at", "2026-01-01T00:00Z")
    assert (early.status, early.out, early.err) == (0, b"", "Every claimed day is billable as claimed.\n")


def test_a_person_reads_it_side_by_side(site: StoriesTold) -> None:
    out = site.run(*WHOLE, "--every", tty=True).out.decode()
    assert all(len(line) <= 100 for line in out.splitlines())
    assert (
        "EP-1 of P-1\n"
        "  dates                     claimed             known when claimed          known now\n"
        "  2026-03-02 to 2026-03-03  S9325 144.06        billable S9325              billable S9325 144.00\n"
        "      as claimed: 2 days of C-1 to cascade-medicaid\n"
        "  2026-03-04 to 2026-03-05  S9325 144.04        billable S9325              not_billable not_covered\n"
        "      not billable: 2 days of C-1 to cascade-medicaid, 144.04 dollars claimed and not answered by\n"
        "        2026-07-10; revealed by chart:cov-end on 2026-05-11\n"
    ) in out
    assert site.run("diff", "EP-4", "--claimed", tty=True).out == b"No difference.\n"


def test_the_page_shows_what_comes_out(tmp_path: Path) -> None:
    docs = ROOT / "docs"
    for path in sorted((docs / "examples").glob("*.jsonl")):
        assert run("--ledger", tmp_path / "ledger.db", "record", "--keep-recorded-at", path).status == 0
    page = (docs / "how-to" / "compare.md").read_text(encoding="utf-8")
    shown = re.findall(r"(?ms)^\$ episode-ledger (diff .*?)\n(.*?)(?=^$|^```|^\$ )", page)
    assert len(shown) == 3
    for command, said in shown:
        ended = run("--ledger", tmp_path / "ledger.db", *shlex.split(command), tty=True)
        assert ended.out.decode() + ended.err == said


# How it ends


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ([], "give either --between T1 T2 or --claimed"),
        (["EP-1"], "give either --between T1 T2 or --claimed"),
        (["EP-1", *SPAN, "--claimed"], "give either --between T1 T2 or --claimed"),
        ([*SPAN], "--between takes an EPISODE"),
        (["EP-1", "--between", "2026-04-03T00:00Z", "2026-04-02T00:00Z"], "the second instant lies before the first"),
        (["EP-1", "--between", "2026-04-03", "2026-05-03"], "a bare date has no time of day"),
        (["EP-1", *SPAN, "--payer", "prairie-blue"], "go with --claimed, not with --between"),
        (["EP-1", *SPAN, "--all"], "go with --claimed, not with --between"),
        (["EP-1", *SPAN, "--every"], "go with --claimed, not with --between"),
        (["EP-1", *SPAN, "--known-at", "2026-04-03T00:00Z"], "go with --claimed, not with --between"),
        (["--claimed"], "one of EPISODE, --payer and --all"),
        (["EP-1", "--claimed", "--all"], "one of EPISODE, --payer and --all"),
        (["EP-1", "--claimed", "--payer", "prairie-blue"], "one of EPISODE, --payer and --all"),
        (["--claimed", "--all", "--payer", "prairie-blue"], "one of EPISODE, --payer and --all"),
        (["--claimed", "--all", "--from", "2026-03-02", "--to", "2026-03-01"], "--to lies before --from"),
        (["EP-9", "--claimed"], "the ledger knows no such episode;"),
        (["EP-9", *SPAN], "the ledger knows no such episode;"),
        (["EP-1", "--claimed", "--known-at", "2026-01-01T00:00Z"], "the ledger knows no such episode by then;"),
        (["EP-1", "--between", "2025-01-01T00:00Z", "2026-01-01T00:00Z"], "the ledger knows no such episode by then;"),
    ],
)
def test_a_wrong_command_line_ends_with_2(site: StoriesTold, args: list[str], told: str) -> None:
    assert_plain(site.run("diff", *args), 2, told)


@pytest.mark.parametrize("form", ["json", "table"])
def test_the_check_holds_though_its_reader_leaves(own: StoriesTold, form: str) -> None:
    told = []
    for number in range(10, 160):  # more than fits into a pipe
        course = march().at("2026-05-11T15:00Z").tell("home", "Discharged", date="2026-03-02")
        course.told[0]["fact"]["patient"] = f"P-{number}"
        told += [entry | {"episode": f"EP-{number}"} for entry in course.told]
    assert own.run("record", "--keep-recorded-at", "-", stdin=lines_of(told)).status == 0
    script = shlex.join([*LIVE, *placed(own.ledger), *WHOLE, "--format", form])
    ended = subprocess.run(["bash", "-c", f"{script} | head -1; exit ${{PIPESTATUS[0]}}"], capture_output=True)
    assert (ended.returncode, ended.stdout.count(b"\n")) == (1, 1)
    assert ended.stderr.decode().startswith("452 days not billable, 2 days billable with another code or payer, ")


# What cannot be read


@pytest.mark.sqlite_file
def test_an_entry_that_cannot_be_read_stops_it(own: StoriesTold) -> None:
    plant(own.ledger, UNREADABLE, "EP-2", 3)
    for args in (["EP-2", "--claimed"], ["EP-2", *SPAN]):
        assert_plain(own.run("diff", *args), 3, "an entry cannot be read", "episode EP-2, version 3")
    ended = own.run(*WHOLE)
    assert (ended.status, "episode EP-2, version 3" in ended.err) == (3, True)
    assert own.run("diff", "EP-1", "--claimed").status == 1


@pytest.mark.sqlite_file
def test_who_is_set_aside_is_told_and_left_out(own: StoriesTold) -> None:
    with closing(sqlite3.connect(own.ledger)) as connection:
        query = "SELECT state FROM entries WHERE originator_id = 'EP-2' AND originator_version = 3"
        (text,) = connection.execute(query).fetchone()
    plant(own.ledger, UNREADABLE, "EP-2", 3)
    assert own.run("rebuild", "--quarantine").status == 0
    ended = own.run(*WHOLE)
    assert (ended.status, {row["patient"] for row in ended.rows}) == (1, {"P-1", "P-3"})
    first, second = ended.err.splitlines()
    assert first.startswith("Patient P-2 is set aside and not shown: version 3 of EP-2 at position ")
    assert second.startswith("2 days not billable, 144.04 dollars")
    assert own.run("diff", "--claimed", "--payer", "prairie-blue").err.startswith("Patient P-2 is set aside")
    assert_plain(own.run("diff", "EP-2", "--claimed"), 3, "episode EP-2, version 3")
    plant(own.ledger, MENDED, text)
    assert {row["patient"] for row in own.run(*WHOLE).rows} == {"P-1", "P-2", "P-3"}


@pytest.mark.sqlite_file
def test_who_shared_an_episode_with_them_is_left_out_as_well(own: StoriesTold) -> None:
    """What was known of EP-9 when it was P-2's cannot be told without EP-2."""
    told = march().at("2026-05-01T10:00Z").told
    fact = {"type": "EpisodeOpened", "patient": "P-9", "provider": "1234567893", "zone": "America/Chicago"}
    moved = {
        "type": "FactCorrected",
        "target_source": "chart",
        "target_id": "open",
        "reason": "another's",
        "fact": fact,
    }
    told[0]["fact"]["patient"] = "P-2"
    told.append({"source": "chart", "id": "moved", "by": "rn-1", "recorded_at": "2026-05-01T10:00Z", "fact": moved})
    lines = lines_of(entry | {"episode": "EP-9"} for entry in told)
    assert own.run("record", "--keep-recorded-at", "-", stdin=lines).status == 0
    plant(own.ledger, UNREADABLE, "EP-2", 3)
    assert own.run("rebuild", "--quarantine").status == 0
    ended = own.run(*WHOLE)
    assert (ended.status, {row["patient"] for row in ended.rows}) == (1, {"P-1", "P-3"})
    assert [line.split(" is ")[0] for line in ended.err.splitlines()[:2]] == ["Patient P-2", "Patient P-9"]
