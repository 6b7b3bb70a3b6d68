"""A clock that cannot be right stamps nothing, whichever verb records: not a claim, an answer, a merge or a closing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Final
from unittest.mock import patch

import pytest

from commands import outside
from tests import kept
from tests.answered import TAKEN_IN, answer, house_with_claims, written
from tests.command_line import ANYWAY, House, example
from tests.every_command import commands_in, every_command
from tests.stores import open_ledger

CLOCK: Final = "--clock-is-right"
TELLING: Final[tuple[tuple[str, ...], ...]] = (
    ("record", "more.jsonl"), ("import", "sheet.csv", "--map", "tickets", "--yes"),
    ("tell", "EP-1", "PainAssessed", "date=2026-02-05", "score=4", "--yes"),
    ("correct", "EP-1", "pump:2026-02-02", "infused=false", "--reason", "x", "--yes"),
    ("retract", "EP-1", "pump:2026-02-03", "--reason", "x", "--yes"),
    ("unretract", "EP-2", "pump:2026-02-03", "--reason", "x", "--yes"),
    ("resolve", "EP-1", "2026-02-02", "nothing", "--reason", "x", "--yes"),
    ("void-episode", "EP-2", "--reason", "x", "--yes"), ("move-patient", "EP-2", "P-9", "--reason", "x", "--yes"),
)  # fmt: skip
"""Verbs that tell something of an episode."""
LATER: Final[tuple[tuple[str, ...], ...]] = (
    ("ack", "taken.277"), ("remit", "paid.835"), ("assign-remittance", "T-1", "RH9", "EP-O1-1"),
    ("claims", "write", "--out", "outbox"), ("merge-patients", "P-1", "P-2", "--reason", "x", "--yes"),
    ("part-patients", "P-3", "--reason", "x", "--yes"), ("close", "2026-02", *ANYWAY),
)  # fmt: skip
"""Verbs of what is there: it is claimed, answered, merged and closed when its history may have ended long ago."""
RECORDING: Final = TELLING + LATER
"""Every verb that records something that is known from then on."""
NOT_STAMPED: Final = {
    **dict.fromkeys(("worklist assign", "worklist note", "worklist done-until"), "no day is judged by it"),
    "forget": "whoever is to be forgotten does not wait for a clock",
    "verify": "with --accept-rollback: it is said of a ledger whose newest entries are gone",
    **dict.fromkeys(("export", "follow"), "who is left out of a feed is known from the entry's place"),
    "serve": "its acts are in tests/commands/web/test_acts.py",
    "migrate": "no entry",
}  # fmt: skip
READING: Final = {
    "days", "findings", "lines", "worklist", "why", "replay", "diff", "page", "bundle", "status", "payments", "report",
    "restatements", "rebuild", "archive", "judge", "what-if", "checkpoint", "access", "backup", "restore", "doctor",
    "claims again", "claims check", "claims list", "claims plan", "claims prepare", "claims read",
    "book check", "book diff", "book new", "book show", "master-key", "completion", "help",
    "users add", "users disable", "users list", "users reset", "users role",
}  # fmt: skip


def test_every_verb_is_tried_or_said_to_stamp_nothing() -> None:
    assert every_command() == commands_in(RECORDING) | NOT_STAMPED.keys() | READING


@contextmanager
def clock_off_by(off: timedelta) -> Iterator[None]:
    """The clock of every command, that much away from the real one."""

    class Off(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return datetime.now(tz) + off

    with patch.object(outside, "datetime", Off):
        yield


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.chdir(tmp_path)
    return kept.house(tmp_path, "claims and three patients", _tell_claims_and_three_patients)


def _tell_claims_and_three_patients(house: House) -> None:
    folder = house.folder
    house_with_claims(folder, second=False, made=house)
    nobodys = [answer("NOBODYS", "1", 1000, 300, control="RH9")]
    assert house.run("remit", written(folder, nobodys, 300, "T-1")).status == 1
    lines = [*example("EP-1", "P-1"), *example("EP-2", "P-2"), *example("EP-3", "P-3")]
    assert house.tell(*lines, options=("--no-effect",)).status == 0
    for command in (
        ("retract", "EP-2", "pump:2026-02-03", "--reason", "x", "--yes"),
        ("merge-patients", "P-3", "P-2", "--reason", "x", "--yes"),
    ):
        assert house.run(*command).status == 0
    (folder / "more.jsonl").write_text(
        '{"episode":"EP-1","source":"pump","id":"m","by":"x","fact":'
        '{"type":"DayServed","order":"RX-1","date":"2026-02-07"}}\n'
    )
    (folder / "sheet.csv").write_text(
        "Episode,Ticket,Order,From,To,Status,Infused\nEP-1,T-1,RX-1,02/08/2026,02/08/2026,CONFIRMED,yes\n"
    )
    (folder / "taken.277").write_bytes(TAKEN_IN.read_bytes())
    written(folder, [answer("EP-O1-1", "1", 1576, 1576)], 1576, "T-7").rename(folder / "paid.835")


def stamps(house: House) -> int:
    with open_ledger(house.ledger, create=False) as ledger:
        return ledger.position()


@pytest.mark.parametrize("command", RECORDING, ids=lambda command: "-".join(command[:2]))
@pytest.mark.parametrize("off", [timedelta(days=367), timedelta(days=3654), timedelta(days=-1)])
def test_under_a_wrong_clock_nothing_is_recorded_until_somebody_says_that_it_is_right(
    house: House, command: tuple[str, ...], off: timedelta
) -> None:
    before = stamps(house)
    with clock_off_by(off):
        ended = house.run(*command)
        if command in LATER and off == timedelta(days=367):
            assert ended.status in (0, 1), ended
            assert stamps(house) > before
            return
        assert (ended.status, "clock" in ended.err, CLOCK in ended.err) == (2, True, True), ended
        assert stamps(house) == before
        if off < timedelta(0):
            assert house.run(*command, CLOCK).status in (0, 1)
            assert stamps(house) > before


def test_by_the_right_clock_each_of_them_records(house: House) -> None:
    """The control: what is refused above is refused for the clock alone."""
    for command in RECORDING:
        before = stamps(house)
        ended = house.run(*command)
        assert ended.status in (0, 1), (command, ended.err)
        assert stamps(house) > before, command
