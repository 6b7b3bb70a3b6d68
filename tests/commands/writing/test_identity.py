"""Who somebody is: taken by a ledger that encrypts, or where somebody said that it is meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.facts.forms import check_city, check_person_line, folded
from tests.command_line import House, Told
from tests.intake_samples import full, required
from tests.stores import open_ledger

OPENING = {"episode": "EP-1", "source": "desk", "id": "open", "by": "a", "fact": required("EpisodeOpened")}


def told(fact: Told, id: str = "who") -> Told:
    return {"episode": "EP-1", "source": "desk", "id": id, "by": "a", "fact": fact}


CORRECTION = required("FactCorrected", target_source="desk", target_id="open", fact=full("SubscriberIdentified"))


@pytest.mark.parametrize("fact", [full("PatientIdentified"), full("SubscriberIdentified"), CORRECTION])
def test_it_is_refused_where_nothing_is_encrypted(tmp_path: Path, fact: Told) -> None:
    house = House(tmp_path)
    ended = house.tell(OPENING, told(fact))
    assert ended.status == 1
    assert [row["code"] for row in ended.rows] == [None, "identity_in_the_open"]
    assert b"Birch" not in ended.out


def test_said_once_that_it_is_meant_holds_and_is_on_record(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(OPENING).status == 0
    who = told(full("PatientIdentified"))
    dry = house.tell(who, options=("--dry-run", "--identity-in-the-open"))
    assert [row["outcome"] for row in dry.rows] == ["recorded"]
    assert house.tell(who).status == 1
    meant = house.tell(who, options=("--identity-in-the-open",))
    assert [row["outcome"] for row in meant.rows] == ["recorded"]
    assert house.tell(told(full("SubscriberIdentified"), "whose")).status == 0
    with open_ledger(house.ledger, create=False) as ledger:
        assert [type(act).__name__ for _, act in ledger.house_acts()] == ["IdentityInTheOpen"]


@pytest.mark.parametrize(
    ("text", "on_claim"),
    [("Müller-Łuk", "MULLER-LUK"), ("O’Brien", "O'BRIEN"), ("Straße 9", "STRASSE 9"), ("Ægir Þór", "AEGIR THOR")],
)
def test_accents_are_left_out_on_a_claim(text: str, on_claim: str) -> None:
    assert folded(text) == on_claim
    assert check_person_line(text) == text


@pytest.mark.parametrize("text", ["A*B", "A~B", "A:B", "A^B", "名", "x" * 56, "ß" * 28])
def test_what_a_claim_cannot_hold_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        check_person_line(text)


def test_a_city_has_two_letters_at_least() -> None:
    with pytest.raises(ValueError):
        check_city("X")
