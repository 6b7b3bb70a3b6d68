"""The gate: the example passes every rule, and for each rule a file with one thing changed is found by it."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.x12.gate import Authorized, KnownClaim
from ledger.x12.gate_rules import RULES
from tests.claims_files import changed, found_in

KNOWN = KnownClaim(
    diagnoses=[("G893", date(2026, 9, 1), date.max), ("C259", date(2026, 9, 1), date.max)],
    coverage=[(date(2026, 1, 1), date.max)],
    authorizations={"RH-PA-1": [Authorized(("S9325",), 30, date(2026, 9, 1), date(2026, 12, 31))]},
    units_used={"RH-PA-1": 23},
)
LINE = "SV1*HC:S9325*360*UN*3***1:2~\n"
SECOND_CLAIM = (
    "CLM*{0}*120***12:B:1*Y*A*Y*Y~\nHI*ABK:G893*ABF:C259~\nLX*1~\nSV1*HC:S9325*120*UN*1***1:2~\n"
    "DTP*472*D8*{1}~\nREF*6R*1~\nSE*"
)


def more_lines(count: int) -> str:
    return "".join(
        f"LX*{place}~\nSV1*HC:99601*0*UN*1***1:2~\nDTP*472*D8*20260928~\nREF*6R*{place}~\n" for place in range(5, count)
    )


FAILING: dict[str, tuple[tuple[str, str], ...]] = {
    "incomplete": (("DMG*D8*19480506*F~\n", ""),),
    "npi_check_digit": (("1245319599", "1245319590"),),
    "total_is_sum": (("CLM*EP-O1-1*1576", "CLM*EP-O1-1*1575"),),
    "amount_form": (("S9325*360*UN", "S9325*360.001*UN"),),
    "zero_charge": (("99601*160", "99601*0"), ("*1576**", "*1416**")),
    "units_form": (("UN*1440", "UN*0"),),
    "per_diem_units": ((LINE, LINE.replace("UN*3", "UN*4")),),
    "dates_form": (("20260928-20260930", "20260931-20260930"),),
    "date_ahead": (("20261001-20261004", "20261004-20261007"),),
    "ndc_form": (("N4*99999000101", "N4*9999900010"),),
    "ndc_belongs": (("LIN**N4*99999000101~\nCTP****14.4*ML~\nREF*XZ*RX700~\n", ""),),
    "diagnosis_form": (("ABF:C259", "ABF:C25.9"),),
    "diagnosis_in_force": (("ABF:C259", "ABF:C250"),),
    "neoplasm_pain_beside_chronic": (("ABF:C259", "ABF:C259*ABF:G8929"),),
    "pointers": ((LINE, LINE.replace("1:2", "1:3")),),
    "code_form": (("HC:99601", "HC:9960"),),
    "code_in_force": ((LINE, LINE.replace("S9325", "S9326")), ("20260928-20260930", "20010928-20010930")),
    "frequency_number": (("12:B:1", "12:B:7"),),
    "per_diem_twice": (("SE*", SECOND_CLAIM.format("EP-O1-2", "20260930")),),
    "bundled_item": (("HC:99601", "HC:A4223"),),
    "further_hours_alone": (("HC:99601", "HC:99602"),),
    "rank_alone": ((LINE, LINE.replace("S9325", "S9325:SH")),),
    "place_of_service": (("12:B:1", "11:B:1"),),
    "zip_form": (("MN*558010001", "MN*55801"),),
    "post_box": (("5 HARBOR ROAD", "P.O. BOX 5"),),
    "tax_id_form": (("REF*EI*000000002", "REF*EI*00000002"),),
    "member_blanks": (("MI*RH5550001", "MI*RH 5550001"),),
    "born_after_service": (("D8*19480506", "D8*20260929"),),
    "s_code_to_medicare": (("*CI~", "*MB~"),),
    "control_unique": (("CLM*EP-O1-1", "CLM*EP-O1-1-AND-MORE"),),
    "line_unique": (("REF*6R*2", "REF*6R*1"),),
    "ordering_is_billing": (("XX*1234567893", "XX*1245319599"),),
    "character_set": (("9 BIRCH STREET", "9 birch street"),),
    "too_many_lines": (("SE*", more_lines(52) + "SE*"),),
    "filing_limit": (("CH~", "CH~"), ("20261006*0930*CH", "20270501*0930*CH")),
    "payer_in_force": (("PI*RH001", "PI*RH002"),),
    "plan_in_force": (("20260928-20260930", "20251228-20251230"),),
    "authorization_covers": (("SV1*HC:S9325*480*UN*4", "SV1*HC:S9325*480*UN*5"),),
}
"""For each rule, what to change in the example so that the rule, if no other, finds it."""


def rules_in(content: bytes) -> set[str]:
    return {each.rule for each in found_in(content, known=lambda claim: KNOWN)}


def test_the_example_passes_every_rule() -> None:
    assert found_in(changed(), known=lambda claim: KNOWN) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_finds_what_it_is_there_for(rule: object) -> None:
    name = rule.name  # type: ignore[attr-defined]
    assert name in rules_in(changed(*FAILING[name]))


def test_every_rule_has_a_failing_file_and_says_what_it_holds_a_claim_to() -> None:
    assert [rule.name for rule in RULES] == list(FAILING)
    assert all(rule.says.endswith(".") for rule in RULES)


@pytest.mark.parametrize(
    ("swap", "rule"),
    [
        ((("SV1*HC:S9325*480*UN*4", "SV1*HC:S9325*480*UN*4.5"),), "units_form"),
        ((("20260928-20260930", "20260930-20260928"),), "dates_form"),
        ((("CTP****14.4*ML", "CTP****0*ML"),), "ndc_form"),
        (((LINE, LINE), ("REF*6R*1~\n", "REF*6R*1~\nLIN**N4*99999000101~\nCTP****1*ML~\n")), "ndc_belongs"),
        ((("ABF:C259", "ABF:G893"),), "diagnosis_form"),
        (((LINE, LINE.replace("1:2", "1:1")),), "pointers"),
        (((LINE, LINE.replace("***1:2", "")),), "pointers"),
        (((LINE, LINE.replace("S9325", "S9325:s1")),), "code_form"),
        ((("12:B:1", "12:B:9"),), "frequency_number"),
        ((("REF*G1*RH-PA-1~", "REF*G1*RH-PA-1~\nREF*F8*RH1~"),), "frequency_number"),
        ((("12:B:1", "1:B:1"),), "place_of_service"),
        ((("DMG*D8*19480506", "DMG*D8*19481506"),), "born_after_service"),
        ((("SE*", SECOND_CLAIM.format("EP-O1-1", "20261005")),), "control_unique"),
        ((("REF*6R*1~", "REF*6R*1234567890123456~"),), "line_unique"),
        ((("XX*1234567893", "XX*1234567890"),), "npi_check_digit"),
        ((("REF*6R*1~\n", "REF*6R*1~\nNM1*DK*1*HERON*****XX*1245319599~\n"),), "ordering_is_billing"),
        ((("20260928-20260930", "19990928-19990930"),), "payer_in_force"),
        ((("REF*G1*RH-PA-1", "REF*G1*RH-PA-2"),), "authorization_covers"),
        ((("N4*DULUTH*MN*55802~", "N4*DULUTH*MN*558~"),), "zip_form"),
    ],
)  # fmt: skip
def test_a_rule_finds_each_of_the_things_it_names(swap: tuple[tuple[str, str], ...], rule: str) -> None:
    assert rule in rules_in(changed(*swap))


def test_a_per_diem_beside_another_is_found_against_the_patients_live_claims() -> None:
    known = KnownClaim(per_diems={date(2026, 9, 29): ["S9326"]}, coverage=KNOWN.coverage, diagnoses=KNOWN.diagnoses)
    found = found_in(changed(("REF*G1*RH-PA-1~\n", "")), known=lambda claim: known)
    assert [(each.rule, each.line, each.message) for each in found] == [
        ("per_diem_twice", "1", "S9325 beside S9326 on 2026-09-29")
    ]


def test_a_void_restates_days_without_being_told_that_they_are_there_twice() -> None:
    void = changed(("12:B:1", "12:B:8"), ("REF*G1*RH-PA-1~", "REF*G1*RH-PA-1~\nREF*F8*RH900001~"))
    known = KnownClaim(
        per_diems={date(2026, 9, 29): ["S9325"]}, coverage=KNOWN.coverage, diagnoses=KNOWN.diagnoses,
        authorizations=KNOWN.authorizations,
    )  # fmt: skip
    assert found_in(void, known=lambda claim: known) == []


def test_what_the_book_does_not_know_is_not_held_against_a_code() -> None:
    assert found_in(changed(("HC:99601", "HC:Q5101"))) == []


def test_a_finding_never_repeats_who_the_patient_is() -> None:
    said = " ".join(
        each.message for swaps in FAILING.values() for each in found_in(changed(*swaps), known=lambda claim: KNOWN)
    )
    for told in ("EXAMPLE", "EDNA", "5550001", "BIRCH", "1948", "C259", "C25.9", "RH-PA-1"):
        assert told not in said
