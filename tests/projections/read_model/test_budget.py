"""What one patient may cost: whoever costs more is set aside and named, and everybody else's answers come."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from commands.terminal.options import Setup
from commands.web.reading import Reader
from ledger.facts.entry import UnreadableEntry, encode
from ledger.judge.findings import Finding
from ledger.recorders.protocol import FEW
from ledger.store import EpisodeLedger
from projections.page.episode import episode_sheet
from projections.reading import budget as watched
from projections.reading.budget import Budget, TooCostly, budget, set_budget, within_budget
from projections.reading.size import CLAIMED_DAYS_PER_MB
from projections.rows import finding
from projections.rows.finding import finding_cells
from tests import tiers
from tests.builders import entry
from tests.command_line import House, Told, assert_plain, example, told
from tests.stores import open_ledger

LITTLE: Final = {"EPISODE_PATIENT_SECONDS": "1", "EPISODE_PATIENT_MB": "1000"}
UNSEEN: Final = ("--no-effect",)
"""What recording changes is not judged here: that alone costs seconds."""


@pytest.fixture(autouse=True)
def as_it_was() -> Any:
    """The budget is the process's; a command sets it."""
    before = budget()
    yield
    set_budget(before)


@pytest.fixture
def fast_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second of the budget is a tenth of one: who costs a second of it, costs the tests a tenth."""
    true = watched._seconds_of
    monkeypatch.setattr(watched, "_seconds_of", lambda thread: 10 * true(thread))


def claims(count: int, lines: int) -> list[Told]:
    """Claims, each as large as the door lets through: so many lines, each a year long."""
    made = []
    for number in range(count):
        spans = [(f"{2000 + at}-01-01", f"{2000 + at}-12-31") for at in range(lines)]
        told_lines = [
            {"code": "S9325", "from": first, "to": last, "units": 365 + (int(first[:4]) % 4 == 0), "charge_cents": 1}
            for first, last in spans
        ]
        fact = {"type": "ClaimSubmitted", "claim": f"C-{number}", "payer": "prairie-blue", "frequency": "1"}
        made.append(told(f"c{number}", fact | {"lines": told_lines}, source="billing"))
    return made


def served_again_and_again(count: int) -> list[Told]:
    """One order, one year, told over and over: the labels of each day grow with every telling."""
    fact = {"type": "DaysServed", "order": "RX-1", "from": "2025-01-01", "to": "2025-12-31"}
    return [told(f"s{number}", fact) for number in range(count)]


class TestUnderTheWatch:
    def test_what_is_done_in_time_is_given(self) -> None:
        assert within_budget("EP-1", lambda: 7) == 7

    def test_whoever_takes_too_long_is_stopped(self) -> None:
        set_budget(Budget(1, 1000))
        with pytest.raises(TooCostly) as stopped:
            within_budget("EP-1", _for_ever)
        assert (stopped.value.episode, isinstance(stopped.value, UnreadableEntry)) == ("EP-1", True)
        assert "1 seconds and 1000 MB" in str(stopped.value)

    def test_whoever_takes_too_much_is_stopped(self) -> None:
        set_budget(Budget(100, 32))
        with pytest.raises(TooCostly):
            within_budget("EP-1", _more_and_more)

    @pytest.mark.usefixtures("fast_clock")
    def test_in_another_thread_it_is_that_one(self) -> None:
        set_budget(Budget(1, 1000))
        found: list[str] = []

        def work() -> None:
            try:
                within_budget("EP-2", _for_ever)
            except TooCostly as error:
                found.append(error.episode)

        worker = threading.Thread(target=work)
        worker.start()
        assert within_budget("EP-1", lambda: worker.join() or "done") == "done"
        assert found == ["EP-2"]

    @pytest.mark.usefixtures("fast_clock")
    def test_work_within_work_is_stopped_as_one(self) -> None:
        set_budget(Budget(1, 1000))
        with pytest.raises(TooCostly) as stopped:
            within_budget("EP-1", lambda: within_budget("EP-2", _for_ever))
        assert stopped.value.episode == "EP-1"
        assert within_budget("EP-3", lambda: 1) == 1

    @pytest.mark.usefixtures("fast_clock")
    @pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
    def test_who_was_stopped_where_nobody_hears_it_is_stopped_again(self) -> None:
        """No error comes out of a ``__del__``, and libraries have some."""
        set_budget(Budget(1, 1000))

        class Deaf:
            def __del__(self) -> None:
                _until_stopped()

        heard: list[str] = []

        def _until_stopped() -> None:
            try:
                _for_ever()
            finally:
                heard.append("stopped")

        def work() -> None:
            Deaf()
            _for_ever()

        with pytest.raises(TooCostly):
            within_budget("EP-1", work)
        assert heard == ["stopped"]

    def test_its_own_errors_go_on(self) -> None:
        with pytest.raises(ZeroDivisionError):
            within_budget("EP-1", lambda: 1 // 0)


def _for_ever() -> None:
    while True:
        pass


def _more_and_more() -> None:
    held = []
    while True:
        held.append(bytearray(1000))


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An ordinary patient, and one who was told again and again."""
    house = House(tmp_path)
    with open_ledger(house.ledger, create=True):
        pass
    assert house.tell(*example("EP-2", "P-2")).status == 0
    return house


@pytest.fixture
def costly(house: House, fast_clock: None) -> House:
    """With the patient who takes longer than a second of the budget."""
    assert house.tell(*example("EP-1", "P-1"), *served_again_and_again(200), options=UNSEEN).status == 0
    return house


def test_a_costly_patient_is_named_and_everybody_elses_answers_come(costly: House) -> None:
    for command in ("days", "findings", "lines", "report", "rebuild", "days"):
        ended = costly.run(command, env=LITTLE)
        assert ended.status == 0, (command, ended)
    assert {row["patient"] for row in ended.rows} == {"P-2"}
    assert "Patient P-1 is set aside and not shown: with EP-1 they cost more than the budget of 1 seconds" in ended.err


def test_what_something_changes_for_them_is_not_shown_and_it_is_said_why(costly: House) -> None:
    """It was worked out outside the watch, for as long as that took."""
    late = told("late", {"type": "DayServed", "order": "RX-1", "date": "2026-02-20"})
    ended = costly.tell(late, env=LITTLE)
    assert (ended.status, [row["outcome"] for row in ended.rows]) == (0, ["recorded"])
    assert "What changes is not shown: the patient of episode EP-1 costs more than the budget of 1 seconds" in ended.err


def test_a_month_is_not_closed_without_them(costly: House) -> None:
    assert costly.run("days", env=LITTLE).status == 0
    assert_plain(costly.run("close", "2026-02", env=LITTLE), 1, "set aside: P-1", "allow more")


def test_a_rebuild_that_allows_more_takes_them_back(costly: House) -> None:
    assert {row["patient"] for row in costly.run("days", env=LITTLE).rows} == {"P-2"}
    assert {row["patient"] for row in costly.run("days").rows} == {"P-2"}
    assert costly.run("rebuild").status == 0
    ended = costly.run("days")
    assert (ended.err, {row["patient"] for row in ended.rows}) == ("", {"P-1", "P-2"})


@pytest.mark.process
@pytest.mark.parametrize(
    "command",
    [
        ("days",),
        *(
            pytest.param(command, marks=pytest.mark.soak)
            for command in (("page", "EP-1"), ("report",), ("rebuild",), ("findings",))
        ),
    ],
)
def test_the_costliest_claims_that_the_door_lets_through_leave_others_their_answers(
    house: House, command: tuple[str, ...]
) -> None:
    """Fifty lines of a year each, over and over: by the budget of every day, and in a quarter of a gigabyte."""
    assert house.tell(*example("EP-1", "P-1"), *claims(640, 50), options=UNSEEN).status == 0
    ended, peak_mb = measured(house, *command)
    assert ended.returncode == (3 if command[0] == "page" else 0), ended.stderr
    assert peak_mb < 256
    if command[0] == "page":
        assert "the patient of episode EP-1 costs more than the budget of 20 seconds and 128 MB allows" in ended.stderr
    if command == ("days",):
        rows = [json.loads(row) for row in ended.stdout.splitlines()]
        assert "P-2" in {row["patient"] for row in rows}


@pytest.mark.usefixtures("fast_clock")
@pytest.mark.parametrize("known_at", [None, datetime(2030, 1, 1, tzinfo=UTC)], ids=["now", "then"])
def test_what_a_page_of_the_site_works_out_of_a_patient_is_under_the_watch(
    house: House, known_at: datetime | None
) -> None:
    """It held every day of every claim at once, for as long as that took."""
    assert house.tell(*example("EP-1", "P-1"), *claims(60, 50), options=UNSEEN).status == 0
    set_budget(Budget(1, 128))
    with Reader(Setup(str(house.ledger), str(house.book))).reading() as reading, pytest.raises(TooCostly):
        episode_sheet(reading.ledger, reading.views, "EP-1", reading.book, known_at)


def test_whose_claims_ask_for_more_days_than_there_is_memory_to_tell_is_set_aside(house: House) -> None:
    """The judge goes by sets of days and is done in time; who tells what each day was paid holds them one by one."""
    lines, days = 50, 18_263
    most = 128 * CLAIMED_DAYS_PER_MB // days
    assert house.tell(*example("EP-1", "P-1"), *claims(most, lines), options=UNSEEN).status == 0
    assert house.run("days").err == ""
    assert (
        sum(row["days"] for row in house.run("payments", "--by", "claim").rows if row["episode"] == "EP-1")
        == most * days
    )
    assert house.tell(*claims(most + 1, lines)[most:], options=UNSEEN).status == 0
    assert "Patient P-1 is set aside" in house.run("days").err
    for command in (("payments", "--episode", "EP-1"), ("why", "EP-1", "2000-01-01")):
        assert_plain(house.run(*command), 3, "the patient of episode EP-1 costs more than the budget")
    assert not any(row["episode"] == "EP-1" for row in house.run("payments").rows)


def test_findings_that_name_many_entries_are_encoded_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a list is encoded nobody can be stopped: the watch has to come between."""
    because = tuple(f"billing:c{number}" for number in range(4_000))
    said = Finding("duplicate_per_diem", "hard", "P-1", ("EP-1",), (730_000,), (), because, (), ())
    found = [replace(said, dates=(730_000 + day,)) for day in range(9)]
    at_once, encode = list[int](), finding.json_lists

    def watched(lists: Sequence[Sequence[str]]) -> list[str]:
        at_once.append(sum(map(len, lists)))
        return encode(lists)

    monkeypatch.setattr(finding, "json_lists", watched)
    cells = finding_cells(found)
    assert len(at_once) > 3
    assert max(at_once) < 12_000
    assert cells == [finding_cells([one])[0] for one in found]


@pytest.mark.process
@pytest.mark.parametrize(
    "command",
    [
        ("worklist",),
        *(
            pytest.param(command, marks=pytest.mark.soak)
            for command in (
                ("days",), ("follow", "--since", "0", "--once"),
                ("what-if", "--set", "prairie-blue.rate_cents.S9325=9500"),
                ("tell", "EP-C1", "DayServed", "order=RX-1", "date=2026-03-04", "--dry-run"),
            )
        ),
    ],
)  # fmt: skip
def test_episodes_of_a_century_cost_no_more_memory_than_others(house: House, command: tuple[str, ...]) -> None:
    """Of twenty 7 KB of intake make 730,500 rows: ``days`` took 308 MB of them once, ``worklist`` 277."""
    episodes = tiers.many(12, 20)
    assert house.tell(*centuries(episodes), options=UNSEEN).status == 0
    ended, peak_mb = measured(house, *command)
    assert ended.returncode == 0, ended.stderr
    assert peak_mb < 50 + 5 * episodes
    counted = house.run("status").rows[0]["verdicts"]
    assert sum(counted.values()) > 36_525 * episodes
    with closing(sqlite3.connect(house.views)) as views:
        assert views.execute("SELECT count(*) FROM day_runs").fetchone()[0] < 60


@pytest.mark.process
@pytest.mark.parametrize(
    "command",
    [
        ("follow", "--once"),
        pytest.param(("export", "changes", "--format", "jsonl", "--out", "feed"), marks=pytest.mark.soak),
    ],
)
def test_changes_of_twenty_episodes_of_a_century_come_episode_by_episode(
    house: House, command: tuple[str, ...]
) -> None:
    """Every day before and after was held, whatever had changed: ``follow`` took 687 MB."""
    assert house.tell(*centuries(20), options=UNSEEN).status == 0
    assert house.run("rebuild").status == 0  # takes up the book
    since = house.run("follow", "--once").rows[0]["position"]
    opening, _, ended = centuries(1)
    corrections = [
        told("again", {"type": "FactCorrected", **named(line), "fact": line["fact"] | said}, episode=episode)
        for line, said, episode in ((opening, {"patient": "P-3"}, "EP-C0"), (ended, {"date": "2099-12-30"}, "EP-C1"))
    ]
    assert house.tell(*corrections, options=UNSEEN).status == 0
    done, peak_mb = measured(house, *command, "--since", str(since))
    assert done.returncode == 0, done.stderr
    assert peak_mb < 150
    written = done.stdout if command[0] == "follow" else "".join(map(Path.read_text, house.folder.rglob("*.jsonl")))
    kinds = Counter(re.findall(r'"kind":"(\w+)","patient":"P-[13]","episode":"(EP-C.)"', written))
    assert kinds == {("retract", "EP-C0"): 36_525, ("insert", "EP-C0"): 36_525, ("retract", "EP-C1"): 1}


def named(line: Told) -> dict[str, str]:
    """Which line is corrected."""
    return {"target_source": line["source"], "target_id": line["id"], "reason": "mistaken"}


def centuries(episodes: int) -> list[Told]:
    """Episodes of one patient from the first to the last date that the door takes, in three lines each."""
    opening = example("EP-1", "P-1")[0]["fact"]
    served = {"type": "DayServed", "order": "RX-1", "date": "2000-01-01"}
    ended = {"type": "Discharged", "date": "2099-12-31"}
    return [
        told(str(number), fact, episode=f"EP-C{episode}")
        for episode in range(episodes)
        for number, fact in enumerate((opening, served, ended))
    ]


def test_who_has_more_centuries_than_the_budget_allows_is_set_aside(house: House) -> None:
    assert house.tell(*centuries(60), options=UNSEEN).status == 0
    ended = house.run("days", env=LITTLE | {"EPISODE_PATIENT_MB": "32"})
    assert {row["patient"] for row in ended.rows} == {"P-2"}
    assert "Patient P-1 is set aside and not shown" in ended.err


def measured(house: House, *args: str) -> tuple[subprocess.CompletedProcess[str], int]:
    """A command in a process of its own, and the most memory it had."""
    told_how = [sys.executable, "-c", _MEASURED, *house.named, *args]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("EPISODE_")}
    ended = subprocess.run(told_how, capture_output=True, text=True, env=plain, cwd=house.folder, check=False)
    said, _, peak = ended.stderr.rpartition("PEAK ")
    ended.stderr = said
    return ended, int(peak)


_MEASURED: Final = """
import sys
from commands.cli import run
status = run(sys.argv[1:])
sys.stdout.flush()
with open("/proc/self/status") as file:  # its own: what getrusage says begins with the process it was forked from
    (peak,) = [line.split()[1] for line in file if line.startswith("VmHWM")]
print("PEAK", int(peak) // 1024, file=sys.stderr)
sys.exit(status)
"""


def test_findings_of_many_claims_over_the_same_days_hold_each_day_once(house: House) -> None:
    """What is seen on a stretch of days is put together once, however many claims name them."""
    assert house.tell(*example("EP-1", "P-1"), *claims(30, 1)).status == 0
    rows = house.run("findings", "--patient", "P-1", "--rule", "claimed_twice").rows
    assert len(rows) == 366
    assert {len(row["because"]) for row in rows} == {30}
    assert [row["dates"] for row in rows][:2] == [["2000-01-01"], ["2000-01-02"]]
    assert json.dumps(rows).count("billing:c29") == 366


SMALL: Final = {"EPISODE_PATIENT_SECONDS": "20", "EPISODE_PATIENT_MB": "1"}


@pytest.mark.parametrize(
    "command", [("days",), ("rebuild",), ("replay", "EP-1"), ("page", "EP-1"), ("export", "changes", "--since", "0")]
)
def test_entries_for_which_there_is_no_memory_are_not_even_read(
    house: House, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert house.tell(*example("EP-1", "P-1"), *claims(160, 4), options=UNSEEN).status == 0
    read = EpisodeLedger.entries_of

    def entries_of(self: EpisodeLedger, episode: str, *more: Any, **named: Any) -> Any:
        assert episode != "EP-1"
        return read(self, episode, *more, **named)

    monkeypatch.setattr(EpisodeLedger, "entries_of", entries_of)
    more = ("--format", "jsonl", "--out", house.folder / "out") if command[0] == "export" else ()
    ended = house.run(*command, *more, env=SMALL)
    assert ended.status == (0 if command[0] in ("days", "rebuild", "export") else 3), ended.err
    assert "P-1" in ended.err + ended.out.decode() or "EP-1" in ended.err
    if command[0] == "days":
        assert {row["patient"] for row in ended.rows} == {"P-2"}
    if command[0] == "rebuild":
        assert [(each["patient"], each["version"]) for each in ended.rows[0]["set_aside"]] == [("P-1", 0)]


@pytest.mark.parametrize("command", [("payments",), ("claims", "list"), ("claims", "plan")])
def test_everybody_elses_claims_and_payments_are_shown_without_the_patient_who_is_set_aside(
    house: House, command: tuple[str, ...]
) -> None:
    theirs = told("c-1", claims(1, 1)[0]["fact"] | {"claim": "C-2"}, episode="EP-2")
    assert house.tell(*example("EP-1", "P-1"), *claims(160, 4), theirs, options=UNSEEN).status == 0
    ended = house.run(*command, env=SMALL)
    assert ended.status == 0, ended.err
    assert {row["episode"] for row in ended.rows} == {"EP-2"}
    assert "Patient P-1 is set aside and not shown: with EP-1 they cost more than the budget" in ended.err
    alone = house.run(*command, "--episode", "EP-1", env=SMALL)
    assert_plain(alone, 3, "the patient of episode EP-1 costs more than the budget", "allow more")


def test_what_is_large_is_known_on_every_store(path: Path, every_store: str) -> None:
    entries = [entry(version) for version in range(1, FEW + 2)]
    with open_ledger(path, create=True) as ledger:
        ledger.append(entries[:FEW], [("P-1", "EP-1")])
        assert ledger.text_bytes(["EP-1"]) == 0, "so few are not asked"
        ledger.append(entries[FEW:])
        found = ledger.text_bytes(["EP-1", "EP-2"])
        text = sum(len(encode(each)) for each in entries)
        assert found == text if "encrypted" not in every_store else text < found < 3 * text
        assert ledger.text_bytes(["EP-1"], FEW) == ledger.text_bytes(["EP-1"], None, FEW + 1) == 0


def billed_by_the_day(count: int) -> Iterator[Told]:
    """A claim for each day of a month, over and over, none of them answered."""
    for number in range(count):
        date = f"2025-02-{1 + number % 28:02}"
        line = {"code": "S9325", "from": date, "to": date, "units": 1, "charge_cents": 1}
        fact = {"type": "ClaimSubmitted", "claim": f"C-{number}", "payer": "prairie-blue", "frequency": "1"}
        yield told(f"c{number}", fact | {"lines": [line]}, source="billing")


def answered_again_and_again(count: int) -> Iterator[Told]:
    """One claim of a year, with so many answers."""
    yield claims(1, 1)[0]
    for number in range(count):
        fact = {"type": "RemittancePosted", "claim": "C-0", "payer": "prairie-blue", "payment": f"K-{number}"}
        about = {"paid_on": "2026-04-01", "status": "1", "charge_cents": 1, "paid_cents": 1, "lines": []}
        yield told(f"r{number}", fact | about, source="remit")


@pytest.mark.parametrize(
    ("many", "command"),
    [(billed_by_the_day(6_500), ("diff", "--claimed", "--all")), (answered_again_and_again(1_200), ("payments",))],
    ids=["claims", "answers to one claim"],
)
def test_of_what_a_patient_may_have_thousands_the_cost_grows_with_their_number_alone(
    house: House, many: Iterable[Told], command: tuple[str, ...]
) -> None:
    """It grew with their square, and of ten thousand the patient was set aside."""
    assert house.tell(*example("EP-1", "P-1"), *many, options=UNSEEN).status == 0
    ended = house.run(*command, env=LITTLE | {"EPISODE_PATIENT_SECONDS": "2"})
    assert "set aside" not in ended.err
    assert any(row["episode"] == "EP-1" for row in ended.rows)
