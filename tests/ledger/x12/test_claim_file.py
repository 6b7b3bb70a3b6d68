"""The writer of 837P and its reader: what goes on a file comes back from its bytes, and pyx12 takes its structure."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from unittest.mock import patch

import pytest
from msgspec.structs import replace

from ledger.x12.basic_text import dollars, folded, is_basic
from ledger.x12.claim_file import rendered
from ledger.x12.claim_reader import read_claims
from ledger.x12.outgoing import (
    Address,
    BilledPayer,
    Biller,
    Insured,
    OutgoingClaim,
    OutgoingFile,
    OutgoingLine,
    Person,
    Prescriber,
    Receiver,
)
from ledger.x12.segments import Unreadable
from ledger.x12.structure import NoJudge, structure_faults
from tests.claims_files import EXPECTED

FIRST, LAST = date(2026, 9, 28), date(2026, 10, 4)
BILLER = Biller(
    "1245319599", "Lakeside Infusion", "3336H0001X", "000000002", "EI",
    Address("5 Harbor Road", "Duluth", "MN", "558010001"), "Billing Desk", "5555550142", "LAKESIDE01",
)  # fmt: skip
HOME = Address("9 Birch Street", "Duluth", "MN", "55802", "Apt 4")
EDNA = Person("Example", "Edna", "Zoë", date(1948, 5, 6), "F", HOME)
HERON, STORK = Prescriber("1234567893", "Heron", "Ada"), Prescriber("1245319599", "Størk", "")
PER_DIEM = OutgoingLine("1", "S9325", FIRST, LAST, 7, 84050, (1,))
CLAIM = OutgoingClaim(
    "EP-1", "1", BilledPayer("River Health", "RH001", "CI"), Insured("RH5550001", EDNA), "12", ("G89.3", "C25.9"),
    (PER_DIEM,), ordered_by=HERON,
)  # fmt: skip


def file_of(*claims: OutgoingClaim) -> OutgoingFile:
    at = datetime(2026, 10, 6, 9, 30, tzinfo=UTC)
    return OutgoingFile(7, at, "T", BILLER, Receiver("RIVERHEALTH", "River Health"), claims)


def judged(content: bytes) -> list[str]:
    pytest.importorskip("pyx12")
    return [fault.says for fault in structure_faults(content)]


def test_a_plan_of_somebody_else_has_a_loop_for_the_patient() -> None:
    spouse = replace(EDNA, last="Esposo", first="Björn", middle="")
    insured = Insured("RH5550001", spouse, 2, "GROUP 7", "01", EDNA)
    content = rendered(file_of(replace(CLAIM, insured=insured)))
    (claim,) = read_claims(content)[0].claims
    assert judged(content) == []
    assert (claim.insured.last, claim.whose.last, claim.rank, claim.group) == ("ESPOSO", "EXAMPLE", "S", "GROUP 7")
    assert (claim.whose.street, claim.whose.street2, claim.whose.birth_date) == ("9 BIRCH STREET", "APT 4", "19480506")


def test_what_differs_on_a_line_stands_on_the_line() -> None:
    more = OutgoingLine(
        "2", "S9326", FIRST, FIRST, Decimal("1.5"), 5, (1, 2), ("SH",), "13", "A-2", STORK, "99999000101",
        Decimal("14.4"), "ML", "RX700",
    )  # fmt: skip
    content = rendered(
        file_of(replace(CLAIM, lines=(PER_DIEM, more), authorization="A-1", frequency="7", payer_number="RH9"))
    )
    (claim,) = read_claims(content)[0].claims
    line = claim.lines[1]
    assert judged(content) == []
    assert (claim.charge, claim.authorization, claim.payer_number, claim.frequency) == ("840.55", "A-1", "RH9", "7")
    assert (line.modifiers, line.place_of_service, line.authorization, line.units) == (("SH",), "13", "A-2", "1.5")
    assert line.ordering is not None
    assert (line.ordering.last, line.ordering.id, line.from_, line.to) == ("STORK", STORK.npi, "20260928", "20260928")
    assert (line.ndc, line.quantity, line.unit, line.rx) == ("99999000101", "14.4", "ML", "RX700")


def test_claims_of_one_patient_share_a_loop_of_at_most_a_hundred() -> None:
    content = rendered(file_of(*(replace(CLAIM, control=f"EP-{number}") for number in range(101))))
    assert content.count(b"NM1*IL") == 2
    assert [claim.control for claim in read_claims(content)[0].claims] == [f"EP-{number}" for number in range(101)]
    assert judged(content) == []


def test_the_same_file_is_the_same_bytes_and_plain_ascii() -> None:
    content = rendered(file_of(CLAIM))
    assert content == rendered(file_of(CLAIM))
    assert content.isascii()


def test_a_file_of_something_else_is_none_of_claims() -> None:
    with pytest.raises(Unreadable, match="something else than an 837"):
        read_claims(EXPECTED.read_bytes().replace(b"ST*837*", b"ST*835*"))


def test_segments_that_belong_to_no_claim_are_passed_over() -> None:
    other = EXPECTED.read_bytes().replace(
        b"HL*1**20*1~\n", b"HL*1**20*1~\nHI*ABK:C259~\nLX*9~\nREF*6R*9~\nCTP****1*ML~\n"
    )
    content = other.replace(b"SE*42", b"SE*46")
    assert [len(claim.lines) for claim in read_claims(content)[0].claims] == [4]


def test_another_payers_plan_inside_a_claim_is_not_the_claims_own() -> None:
    other = EXPECTED.read_bytes().replace(b"LX*1~\n", b"SBR*S*18*******MB~\nDMG*D8*19000101*M~\nLX*1~\n", 1)
    (claim,) = read_claims(other.replace(b"SE*42", b"SE*44"))[0].claims
    assert (claim.rank, claim.claim_filing, claim.whose.birth_date) == ("P", "CI", "19480506")


def test_without_the_extra_nobody_judges_the_structure() -> None:
    with patch("ledger.x12.structure.import_module", side_effect=ImportError), pytest.raises(NoJudge):
        structure_faults(b"")


def test_a_fault_of_structure_names_the_place_and_never_the_value() -> None:
    pytest.importorskip("pyx12")
    content = EXPECTED.read_bytes().replace(b"19480506", b"19481506").replace(b"HI*ABK:G893", b"HI*XXX:G893")
    assert judged(content) == [
        "segment 17 of the transaction, DMG, element 2: does not fit the map (code 8)",
        "segment 21 of the transaction, HI: does not fit the map (code 1)",
        "segment 22 of the transaction, HI: does not fit the map (code 3)",
    ]
    assert judged(b"no such thing" * 20) == ["segment 1 of the transaction, ISA: does not fit the map (code 1)"]


@pytest.mark.parametrize(
    ("text", "on_file"), [("Ahlström-Løv ß", "AHLSTROM-LOV SS"), ("  O’Neill ", "O'NEILL"), ("Đorđe Łuk", "DORDE LUK")]
)
def test_a_name_is_folded_into_the_basic_set(text: str, on_file: str) -> None:
    assert folded(text) == on_file
    assert is_basic(on_file)


@pytest.mark.parametrize(("cents", "text"), [(157600, "1576"), (8850, "88.5"), (5, "0.05"), (0, "0"), (-120, "-1.2")])
def test_an_amount_has_no_more_decimals_than_it_needs(cents: int, text: str) -> None:
    assert dollars(cents) == text
