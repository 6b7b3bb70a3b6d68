"""What the facts of whole files refer to and nobody knows is said once by kind; what is known stays quiet."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from commands.references.watching import Watch
from commands.writing.record import record
from tests.command_line import OPENING, Ended, House, Told, example, lines_of, told
from tests.month import Month
from tests.stores import open_ledger

ORDER: dict[str, Any] = {
    "type": "TherapyOrdered", "order": "RX-9", "mode": "continuous", "from": "2026-03-01", "prescriber": "1245319599",
}  # fmt: skip
SIGNED = ORDER | {"signed_on": "2026-02-28"}
CLAIMED = {
    "type": "ClaimSubmitted", "claim": "C-9", "payer": "prairie-blue", "frequency": "7", "replaces": "C-1",
    "lines": [{"code": "S9325", "from": "2026-02-02", "to": "2026-02-02", "units": 1, "charge_cents": 1}],
}  # fmt: skip
END = {"type": "CoverageEnded", "payer": "prairie-blue", "last_date": "2026-02-28"}
COVERED = {"type": "CoverageVerified", "payer": "prairie-blue", "member": "M-9", "from": "2026-02-01"}


@pytest.fixture
def house(tmp_path: Path) -> House:
    house = House(tmp_path)
    assert house.tell(*example()).status == 0
    return house


def served(number: int, order: str = "RX-9") -> Told:
    fact = {"type": "DaysServed", "order": order, "from": f"2026-03-{number:02}", "to": f"2026-03-{number:02}"}
    return told(f"day-{number}-{order}", fact)


def notes(ended: Ended) -> list[str]:
    """What was doubted, a line each."""
    assert ended.status == 0, ended
    return [line for line in ended.err.splitlines() if line.startswith("Note: ")]


def test_a_file_whose_names_are_known_is_recorded_without_a_word(tmp_path: Path) -> None:
    assert notes(House(tmp_path).tell(*example())) == []


def test_many_facts_of_one_kind_make_one_note_with_their_number_and_the_first_lines(house: House) -> None:
    lines = [served(day, f"RX-{chr(96 + day)}") for day in range(1, 6)] + [
        served(day, "plainly-other") for day in (7, 8)
    ]
    ended = house.tell(*lines)
    assert notes(ended) == [
        "Note: an order that the episode does not have is named by 7 facts, first in lines 1, 2 and 3. In 5 of"
        " them a known name is near: check the spelling."
    ]
    assert len(ended.rows) == 7
    assert {row["outcome"] for row in ended.rows} == {"recorded"}


def test_what_is_told_again_is_not_doubted_again(house: House) -> None:
    assert notes(house.tell(served(1)))
    assert notes(house.tell(served(1))) == []


def test_a_name_that_is_told_later_in_the_file_was_known_in_time(house: House) -> None:
    claim = CLAIMED | {"claim": "C-1", "frequency": "1"}
    del claim["replaces"]
    assert notes(house.tell(served(1), told("c-9", CLAIMED), told("rx-9", SIGNED), told("c-1", claim))) == []


def test_an_order_that_is_signed_later_in_the_file_is_signed(house: House) -> None:
    unsigned = "Note: an order that is not signed, so that its days may be on hold, is named by"
    assert notes(house.tell(told("rx-9", ORDER), served(1))) == [f"{unsigned} 2 facts, first in line 1."]
    assert notes(house.tell(served(2))) == [f"{unsigned} 1 fact, first in line 1."]
    signed = {"type": "FactCorrected", "target_source": "pump", "target_id": "rx-9", "reason": "signed", "fact": SIGNED}
    assert notes(house.tell(served(3), told("signed", signed), served(4))) == []


def test_what_was_taken_back_is_not_known(house: House) -> None:
    gone = {"type": "FactRetracted", "target_source": "pump", "target_id": "rx-9", "reason": "another patient's"}
    assert notes(house.tell(told("rx-9", SIGNED), served(1), told("gone", gone))) == []
    assert notes(house.tell(served(2)))[0].startswith("Note: an order that the episode does not have")


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        (CLAIMED, "a claim that the episode does not have is named by 1 fact"),
        ({"type": "TherapyResumed", "hold": "H", "date": "2026-02-09"}, "a hold that the episode does not have"),
        (COVERED | {"payer": "prairie-bleu"}, 'first in line 1. Did you mean "prairie-blue"?'),
        (END | {"payer": "medicare"}, "a payer by whom no coverage of the patient is recorded is named by 1 fact"),
        ({"type": "ConflictResolved", "date": "2027-01-01", "bill": "S9326", "reason": "x"},
         "nothing on its date is changed by 1 decision, first in line 1."),
    ],
)  # fmt: skip
def test_each_kind_of_doubt_is_said_of_a_file(house: House, fact: Told, says: str) -> None:
    (note,) = notes(house.tell(told("x", fact)))
    assert says in note
    (house.book / "payers" / "wrong.toml").write_text("nothing = 1")  # stops no recording
    assert house.tell(told("y", fact), options=("--no-effect",)).status == 0


def test_coverage_that_undoes_an_end_is_said_and_its_correction_is_not(house: House) -> None:
    assert notes(house.tell(told("end", END), told("again", COVERED))) == [
        "Note: an end of coverage that was recorded before is undone by 1 fact, first in line 2."
    ]
    right = {"type": "FactCorrected", "target_source": "payer", "target_id": "cov-1", "reason": "x", "fact": COVERED}
    target = next(line for line in example() if line["fact"]["type"] == "CoverageVerified")
    right |= {"target_source": target["source"], "target_id": target["id"]}
    assert notes(house.tell(told("right", right))) == []


def test_coverage_in_another_episode_of_the_patient_is_known(house: House) -> None:
    granted = {"type": "AuthorizationGranted", "number": "A", "payer": "prairie-blue", "codes": ["S9325"], "units": 1,
               "from": "2026-02-01", "to": "2026-02-28"}  # fmt: skip
    opened = told("open", OPENING, episode="EP-2")
    assert notes(house.tell(opened, told("a", granted, episode="EP-2"))) == []
    stranger = told("open", OPENING | {"patient": "P-9"}, episode="EP-3")
    (note,) = notes(house.tell(stranger, told("a", granted, episode="EP-3")))
    assert "no coverage of the patient" in note


def test_of_several_files_the_file_is_named(house: House, tmp_path: Path) -> None:
    for name, line in (("a.jsonl", served(1)), ("b.jsonl", served(2, "other"))):
        (tmp_path / name).write_bytes(lines_of([line]))
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    (note,) = notes(house.run("record", *paths))
    assert all(f"{path}, line 1" in note for path in paths)


def test_rows_of_a_spreadsheet_are_doubted_like_lines(tmp_path: Path) -> None:
    month = Month(tmp_path)
    (unsigned,) = notes(month.bring_in())
    assert unsigned.endswith("is named by 2 facts, first in orders.csv, row 13.")
    first = month.sheet("delivery_tickets").read_text().splitlines()[1]
    order = first.split(",")[2]
    month.change("delivery_tickets", first, first.replace(order, "nothing-like-it").replace("DT-", "DT-NEW-"))
    (note,) = notes(month.bring_in())
    assert "delivery_tickets.csv, row 2." in note


def test_no_more_names_are_kept_in_mind_than_a_number_and_all_are_counted(house: House) -> None:
    watch = Watch(most_open=3)
    opened = [told("open", OPENING | {"patient": f"P-{each}"}, episode=f"E-{each}") for each in range(9)]
    days = [served(day, "other") | {"episode": f"E-{each}"} for each in range(9) for day in (1, 2)]
    with open_ledger(house.ledger, create=False) as ledger:
        outcomes = list(record(ledger, BytesIO(lines_of(opened + days)), watch=watch))
    assert {each.outcome for each in outcomes} == {"recorded"}
    (doubt,) = watch.doubtful()
    assert (doubt.kind, doubt.facts, doubt.places) == ("order", 18, [(None, 10), (None, 12), (None, 14)])
