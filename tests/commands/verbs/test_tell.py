"""One thing said at a desk: what is recorded, what is shown before and after, and what is refused."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.shell_completion import ShellComplete

from commands.cli import cli
from commands.recording.suggest import FieldWords, TypeName
from ledger.facts.entry import Entry, encode
from tests.command_line import LIVE, OPENING, Ended, House, assert_plain, example, told
from tests.marked import MARK
from tests.stores import open_ledger

VERBS = ("tell", "correct", "retract", "unretract", "resolve", "void-episode", "move-patient")
REASON = ("--reason", "misread")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The shared example: an episode of three days, of which two are billable."""
    made = House(tmp_path)
    assert made.tell(*example()).status == 0
    return made


def entries(house: House, episode: str = "EP-1") -> list[Entry]:
    with open_ledger(house.ledger, create=False) as ledger:
        return ledger.entries_of(episode)


def stated(house: House) -> Any:
    """What the last entry, a correction, says."""
    return json.loads(encode(entries(house)[-1]))["fact"]["fact"]


def verdicts(house: House) -> dict[str, str]:
    return {row["date"]: row["status"] for row in house.run("days", "--episode", "EP-1").rows}


def done(ended: Ended) -> dict[str, Any]:
    assert ended.status == 0, ended
    (row,) = ended.rows
    assert row["outcome"] == "recorded"
    return dict(row)


NOTHING = "No day, finding or claim changes."
SAID: dict[str, tuple[tuple[str, ...], str, str]] = {
    "tell": (("tell", "EP-1", "PainAssessed", "date=2026-02-03", "score=4"), "PainAssessed", NOTHING),
    "correct": (("correct", "EP-1", "pump:2026-02-03", "date=2026-02-04", *REASON), "FactCorrected", "2 days change:"),
    "retract": (("retract", "EP-1", "pump:2026-02-03", *REASON), "FactRetracted", "1 day changes:"),
    "resolve": (("resolve", "EP-1", "2026-02-02", "nothing", *REASON), "ConflictResolved", "1 day changes:"),
    "void-episode": (("void-episode", "EP-1", *REASON), "EpisodeVoided", "3 days change:"),
    "move-patient": (("move-patient", "EP-1", "P-2", *REASON), "FactCorrected", "Episodes that go to another patient:"),
}  # fmt: skip


@pytest.mark.parametrize("verb", SAID)
def test_it_is_rehearsed_recorded_and_its_effect_said(house: House, verb: str) -> None:
    command, kind, effect = SAID[verb]
    before = house.run("days").out
    tried = house.run(*command, "--dry-run", "--id", "one")
    assert (house.run("days").out, len(entries(house))) == (before, len(example()))
    unasked = house.run(*command, "--id", "one")
    assert (unasked.status, unasked.out) == (2, b"")
    assert "give --yes where nobody can be asked" in unasked.err
    assert len(entries(house)) == len(example())
    real = house.run(*command, "--yes", "--id", "one", "--by", "desk-3")
    assert tried.out == real.out
    assert tried.err == real.err
    assert unasked.err.startswith(tried.err)
    assert effect in real.err
    last = entries(house)[-1]
    assert (type(last.fact).__name__, last.source, last.id, last.by) == (kind, "desk", "one", "desk-3")
    assert done(real) == {"episode": "EP-1", "source": "desk", "id": "one", "outcome": "recorded",
                          "position": len(example()) + 1, "code": None, "message": None}  # fmt: skip


@pytest.mark.parametrize("verb", SAID)
def test_sent_again_under_its_id_it_is_a_duplicate(house: House, verb: str) -> None:
    command = (*SAID[verb][0], "--yes", "--id", "one")
    assert house.run(*command).status == 0
    again = house.run(*command)
    assert (again.status, again.rows[0]["outcome"]) == (0, "duplicate")


def test_without_an_id_one_is_made_that_is_another_each_time(house: House) -> None:
    command = ("tell", "EP-1", "ResponseNoted", "date=2026-02-03", "--yes", "--no-effect")
    both = [done(house.run(*command)) for _ in range(2)]
    assert len({row["id"] for row in both}) == 2
    assert house.run(*command).err == ""


def test_a_correction_keeps_what_is_not_said_and_begins_from_what_stands(house: House) -> None:
    done(house.run("tell", "EP-1", "DaysServed", "order=RX-1", "from=2026-02-02", "to=2026-02-05", "infused=true",
                   "place_of_service=12", "--id", "span", "--yes"))  # fmt: skip
    done(house.run("correct", "EP-1", "desk:span", "to=2026-02-04", *REASON, "--id", "c1", "--yes"))
    done(house.run("correct", "EP-1", "desk:span", "place_of_service=", *REASON, "--id", "c2", "--yes"))
    assert stated(house) == {
        "type": "DaysServed",
        "order": "RX-1",
        "from": "2026-02-02",
        "to": "2026-02-04",
        "infused": True,
    }
    done(house.run("correct", "EP-1", "desk:c2", "type=DayServed", "order=RX-1", "date=2026-02-02", *REASON, "--yes"))
    assert stated(house) == {"type": "DayServed", "order": "RX-1", "date": "2026-02-02", "infused": True}


def test_what_was_retracted_counts_again_once_that_is_taken_back(house: House) -> None:
    before = verdicts(house)
    for named in ("pump:2026-02-03", "desk:gone"):
        done(house.run("retract", "EP-1", "pump:2026-02-03", *REASON, "--id", "gone", "--yes"))
        assert verdicts(house) != before
        done(house.run("unretract", "EP-1", named, *REASON, "--yes"))
        assert verdicts(house) == before
        assert_plain(house.run("unretract", "EP-1", named, *REASON, "--yes"), 2, "there is nothing to take back")
        house = House(house.folder / "again") if named.startswith("pump") else house
        if not house.ledger.exists():
            house.tell(*example())


def test_every_retraction_of_an_entry_is_taken_back(house: House) -> None:
    before = verdicts(house)
    for _ in range(2):
        done(house.run("retract", "EP-1", "pump:2026-02-03", *REASON, "--yes"))
    ended = house.run("unretract", "EP-1", "pump:2026-02-03", *REASON, "--yes")
    assert [row["outcome"] for row in ended.rows] == ["recorded", "recorded"]
    assert verdicts(house) == before


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("correct", "EP-1", "pump:nothing", "date=2026-02-04"), "the episode has no such entry"),
        (("retract", "EP-1", "pump"), "the episode has no such entry"),
        (("retract", "EP-9", "pump:2026-02-03"), "the episode has no such entry"),
        (("move-patient", "EP-9", "P-2"), "the ledger knows no such episode"),
        (("correct", "EP-1", "pump:2026-02-03", "date=02/04/2026"), "date: expected a date written YYYY-MM-DD"),
        (("correct", "EP-1", "pump:2026-02-03", "datum=2026-02-04"), 'did you mean "date"?'),
        (("resolve", "EP-1", "2026-02-02", "none"), "bill: expected a HCPCS or CPT code"),
    ],
)
def test_what_cannot_be_meant_is_not_recorded(house: House, command: Sequence[str], says: str) -> None:
    assert_plain(house.run(*command, *REASON, "--yes"), 2, "nothing was recorded: ", says)
    assert len(entries(house)) == len(example())


@pytest.mark.parametrize("options", [("--yes",), ("--dry-run",), ()])
def test_what_the_ledger_refuses_ends_with_1_and_is_not_asked_for(house: House, options: Sequence[str]) -> None:
    ended = house.run("tell", "EP-9", "PainAssessed", "date=2026-02-03", "score=4", *options)
    assert (ended.status, ended.rows[0]["code"]) == (1, "not_opened")
    assert ended.rows[0]["message"].startswith("episode: expected an episode that was opened before.")
    shown = house.run("retract", "EP-1", "intake:1", *REASON, *options, "--format", "table")
    assert shown.status == 1
    assert shown.out.decode().startswith(
        "Nothing was recorded (target_not_correctable): target_id: expected an entry other"
    )


def test_the_first_episode_can_be_said_where_there_is_no_ledger_yet(tmp_path: Path) -> None:
    house = House(tmp_path)
    opening = [f"{name}={value}" for name, value in OPENING.items() if name != "type"]
    tried = house.run("tell", "EP-1", "EpisodeOpened", *opening, "--dry-run")
    assert tried.status == 0
    assert_plain(
        house.run("tell", "EP-1", "PainAssessed", "date=2026-02-03", "score=4", "--yes"), 2, "there is no ledger"
    )


@pytest.mark.sqlite_file
def test_the_first_episode_makes_a_ledger_in_a_file(tmp_path: Path) -> None:
    house = House(tmp_path)
    opening = [f"{name}={value}" for name, value in OPENING.items() if name != "type"]
    assert done(house.run("tell", "EP-1", "EpisodeOpened", *opening, "--yes"))["position"] == 1


def test_an_instant_brings_history_over(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(told("o", OPENING, recorded_at="2026-02-01T09:00Z"), options=("--keep-recorded-at",)).status == 0
    said = ("tell", "EP-1", "PainAssessed", "date=2026-02-03", "score=4", "--yes")
    done(house.run(*said, "--at", "2026-02-03T15:00-06:00"))
    assert entries(house)[-1].recorded_at.isoformat() == "2026-02-03T21:00:00+00:00"
    early = house.run(*said, "--at", "2026-02-01T08:00Z")
    assert (early.status, early.rows[0]["code"]) == (1, "clock_backwards")


def test_what_a_fact_refers_to_and_nobody_knows_is_said_once_and_recorded(house: House) -> None:
    command = ("tell", "EP-1", "DayServed", "order=RX-l", "date=2026-02-04")
    note = 'Note: order: the episode has no order of this name; did you mean "RX-1"?'
    for options in (("--dry-run",), ("--yes",)):
        ended = house.run(*command, *options)
        done(ended)
        assert ended.err.splitlines().count(note) == 1


def test_a_book_with_a_mistake_does_not_stop_what_is_said(house: House) -> None:
    (house.book / "payers" / "wrong.toml").write_text("nothing = 1")
    assert done(house.run("tell", "EP-1", "ResponseNoted", "date=2026-02-03", "--yes"))


@pytest.mark.sqlite_file
@pytest.mark.process
def test_on_a_terminal_what_is_missing_is_asked_for_and_then_whether_to_do_it(house: House) -> None:
    ours, theirs = pty.openpty()
    command = [*LIVE, *house.named, "tell", "EP-1", "PainAssessed", "date=2026-02-03"]
    with subprocess.Popen(command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        os.write(ours, b"eleven\n4\ny\n")
        out, err = running.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert running.returncode == 0
    assert json.loads(out)["outcome"] == "recorded"
    assert err.count(b"score (a whole number from 0 to 10)") == 2
    assert b"score: expected a whole number from 0 to 10" in err
    assert b"Do it? [y/N]" in err
    assert err.count(b"No day, finding or claim changes.") == 2


def test_in_a_pipe_nothing_is_asked(house: House) -> None:
    ended = house.run("tell", "EP-1", "PainAssessed", "date=2026-02-03", "--yes", stdin=b"4\n")
    assert_plain(ended, 2, "score: the field is missing")


@pytest.mark.parametrize("verb", VERBS)
def test_no_message_of_a_verb_repeats_what_was_said(house: House, verb: str) -> None:
    arguments = {
        "tell": (MARK, "DayServed", f"order={MARK}", f"date={MARK}"), "correct": ("EP-1", MARK, f"{MARK}={MARK}"),
        "retract": (MARK, f"{MARK}:{MARK}"), "unretract": ("EP-1", f"{MARK}:{MARK}"),
        "resolve": ("EP-1", "2026-02-02", MARK), "void-episode": (MARK,), "move-patient": (MARK, MARK),
    }[verb]  # fmt: skip
    reason = () if verb == "tell" else ("--reason", f"{MARK}\n{MARK}")
    for options in (("--yes",), ("--dry-run",)):
        ended = house.run(verb, *arguments, *reason, "--source", f"{MARK}", "--by", MARK, *options)
        assert ended.status in (1, 2)
        assert MARK not in ended.err
        assert "Traceback" not in ended.err
        assert "unforeseen" not in ended.err
    wrong = house.run(verb, *arguments, *reason, "--source", f"{MARK}:", "--id", f"{MARK}\n", "--yes")
    assert wrong.status in (1, 2)
    assert MARK not in wrong.err


def completed(house: House, *words: str) -> list[str]:
    """What the shell offers for the last of these words."""
    *before, last = words
    return [
        item.value
        for item in ShellComplete(cli, {}, "episode-ledger", "_X").get_completions([*house.named, *before], last)
    ]


def test_the_shell_completes_types_fields_and_values(house: House) -> None:
    assert completed(house, "tell", "EP-1", "Day") == ["DayServed", "DaysServed"]
    assert completed(house, "tell", "EP-1", "DayServed", "") == ["order=", "date=", "infused=", "place_of_service="]
    assert completed(house, "tell", "EP-1", "DayServed", "order=RX-1", "d") == ["date="]
    assert completed(house, "tell", "EP-1", "DayServed", "order=") == ["order=RX-1"]
    assert completed(house, "tell", "EP-1", "DayServed", "infused=t") == ["infused=true"]
    assert "payer=prairie-blue" in completed(house, "tell", "EP-1", "CoverageVerified", "payer=")
    assert "bill=S9325" in completed(house, "tell", "EP-1", "ConflictResolved", "bill=S93")
    assert completed(house, "tell", "EP-1", "TherapyOrdered", "mode=c") == ["mode=continuous"]
    assert completed(house, "tell", "EP-1", MARK, "") == []


def test_bash_parts_a_word_at_the_equals_sign(house: House) -> None:
    assert completed(house, "tell", "EP-1", "DayServed", "order", "=") == ["RX-1"]
    assert completed(house, "tell", "EP-1", "DayServed", "order", "=", "R") == ["RX-1"]


def test_without_a_ledger_or_a_book_the_shell_completes_what_it_knows(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert completed(house, "tell", "EP-1", "DayServed", "order=") == []
    (house.book / "payers" / "wrong.toml").write_text("nothing = 1")
    assert completed(house, "tell", "EP-1", "CoverageVerified", "payer=") == []
    assert TypeName.name != FieldWords.name
