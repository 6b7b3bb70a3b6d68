"""What is still to be billed, and what of it can leave now; the rest is told with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from commands.verbs import lines as command
from tests.command_line import INTAKE, House, Told, example, told

LINE = {"code": "S9325", "from": "2026-02-02", "to": "2026-02-02", "units": 1, "charge_cents": 9000}
CLAIM = {
    "type": "ClaimSubmitted", "claim": "CLM-1", "payer": "prairie-blue", "frequency": "1", "sent_on": "2026-02-05",
    "lines": [LINE],
}  # fmt: skip


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    assert house.run("record", INTAKE).status == 0
    return house


def spans(rows: list[Told]) -> list[tuple[str, str, int, int, int]]:
    return [(row["from"], row["to"], row["units"], row["charge_cents"], row["expected_cents"]) for row in rows]


def test_a_line_on_no_claim_is_unclaimed_and_claimable(house: House) -> None:
    every = house.run("lines").rows
    assert spans(every) == [("2026-02-02", "2026-02-03", 2, 18000, 18000)]
    assert house.run("lines", "--unclaimed").rows == every
    ended = house.run("lines", "--claimable")
    assert (ended.rows, ended.err) == (every, "")


def test_a_line_is_cut_around_what_is_claimed(house: House) -> None:
    house.tell(told("claim", CLAIM, source="billing"))
    assert spans(house.run("lines", "--unclaimed").rows) == [("2026-02-03", "2026-02-03", 1, 9000, 9000)]
    ended = house.run("lines", "--claimable")
    assert spans(ended.rows) == [("2026-02-03", "2026-02-03", 1, 9000, 9000)]
    assert ended.err == "Left out: 1 day, 90.00 dollars: on a claim already.\n"


def test_the_shape_of_a_line_is_the_same(house: House) -> None:
    house.tell(told("claim", CLAIM, source="billing"))
    assert [list(row) for row in house.run("lines", "--claimable").rows] == [list(house.run("lines").rows[0])]


def test_a_voided_claim_leaves_its_days_unclaimed(house: House) -> None:
    void = CLAIM | {"claim": "CLM-1V", "frequency": "8", "replaces": "CLM-1"}
    house.tell(told("claim", CLAIM, source="billing"), told("void", void, source="billing"))
    assert house.run("lines", "--unclaimed").rows == house.run("lines").rows


def test_days_that_a_hard_finding_touches_are_left_out_with_its_reason(house: House) -> None:
    bundled = {"type": "ServiceBilledSeparately", "code": "A4222", "from": "2026-02-03"}
    house.tell(told("kit", bundled, source="billing"))
    assert len(house.run("lines", "--unclaimed").rows[0]) > 0
    ended = house.run("lines", "--claimable")
    assert spans(ended.rows) == [("2026-02-02", "2026-02-02", 1, 9000, 9000)]
    assert "1 day, 90.00 dollars: 'episode-ledger findings --rule bundled_item_billed' says why" in ended.err
    assert "EP-1" not in ended.err, "beside the output nobody is named"
    table = house.run("lines", "--claimable", "--format", "table").out.decode()
    assert "Left out: EP-1 2026-02-03 (1 day, 90.00): A4222 and S9325 on the same day" in table


def test_a_day_that_has_not_come_can_not_be_claimed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 2, 3, 5, 59, tzinfo=UTC))  # Chicago: the 2nd, 23:59
    ended = house.run("lines", "--claimable")
    assert spans(ended.rows) == [("2026-02-02", "2026-02-02", 1, 9000, 9000)]
    assert ended.err == "Left out: 1 day, 90.00 dollars: not come yet.\n"
    monkeypatch.setattr(command, "utc_now", lambda: datetime(2026, 2, 3, 6, 1, tzinfo=UTC))
    assert house.run("lines", "--claimable").err == ""


def test_as_known_before_the_claim_the_line_was_unclaimed(house: House) -> None:
    before = house.run("replay", "EP-1").rows[-1]["recorded_at"]
    house.tell(told("claim", CLAIM, source="billing"))
    assert spans(house.run("lines", "--unclaimed", "--known-at", before).rows) == [
        ("2026-02-02", "2026-02-03", 2, 18000, 18000)
    ]


def test_filters_choose_lines_as_ever(house: House) -> None:
    house.tell(*example("EP-2", "P-2"))
    assert {row["episode"] for row in house.run("lines", "--claimable").rows} == {"EP-1", "EP-2"}
    assert {row["episode"] for row in house.run("lines", "--claimable", "--patient", "P-2").rows} == {"EP-2"}
    assert house.run("lines", "--claimable", "--payer", "medicare").rows == []


def test_nothing_to_claim_is_said(house: House) -> None:
    both = LINE | {"to": "2026-02-03", "units": 2, "charge_cents": 18000}
    house.tell(told("claim", CLAIM | {"lines": [both]}, source="billing"))
    ended = house.run("lines", "--unclaimed", "--format", "table")
    assert ended.out.decode() == "Every billable day is on a claim.\n"
    ended = house.run("lines", "--claimable", "--format", "table")
    assert ended.out.decode() == "No line can be claimed now.\n"
