"""Answers in: acknowledgements and remittances matched to claims, posted to days; claims.md sections 5 and 7."""

from __future__ import annotations

import io
import re
import shutil
from collections import defaultdict
from contextlib import closing
from itertools import permutations
from pathlib import Path
from random import Random

import msgspec
import pytest

from commands.answers.assign import AnswersNamed, NotAssigned, assignment, record_assignment
from commands.outside import random_nonces
from ledger.facts.administration import RemittanceAssigned, RemittanceUnmatched
from ledger.x12.acknowledgements import read_acknowledgements
from ledger.x12.remittances import Answer, read_remittances
from ledger.x12.segments import Unreadable, read_segments
from projections.read_model.views import passing_views
from tests.answered import (
    CORRECTED,
    FACTS,
    HEAD,
    LINES,
    PAID,
    TAKEN_IN,
    TURNED_BACK,
    answer,
    by_day,
    claim,
    house_with_claims,
    paid,
    payments,
    rules,
    states,
    written,
)
from tests.command_line import House
from tests.fire.malformed_answers import malformed
from tests.in_process_site import InProcess
from tests.stores import open_ledger


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The open example, its claim sent."""
    return house_with_claims(tmp_path)


@pytest.mark.parametrize("file", [PAID, CORRECTED])
def test_a_file_yields_the_facts_that_are_worked_out_by_hand(house: House, file: Path) -> None:
    ended = house.run("remit", "--dry-run", file)
    assert ended.status == 0
    assert [row["fact"] for row in ended.rows] == FACTS[file.stem]
    assert paid(house) == 0


def test_a_dry_run_can_be_recorded_and_is_then_all_duplicate(house: House) -> None:
    lines = [row for row in house.run("remit", "--dry-run", PAID).rows if row["episode"]]
    assert [row["outcome"] for row in house.tell(*lines).rows] == ["recorded"]
    assert [row["outcome"] for row in house.run("remit", PAID).rows] == ["duplicate"]


def test_the_first_payment_is_posted_to_days_and_what_is_missing_is_found(house: House) -> None:
    ended = house.run("remit", PAID)
    assert (ended.status, ended.rows) == (0, [{"payment": "RH20261020", "claim": "EP-O1-1", "outcome": "recorded"}])
    assert paid(house) == 122400
    days = by_day(house)
    assert [days[f"2026-09-{day}"] for day in (28, 29, 30)] == [(8800, "paid")] * 3
    assert [days[f"2026-10-0{day}"] for day in (1, 2, 3, 4)] == [(6600, "underpaid")] * 4
    assert by_day(house, "99601") == {"2026-09-28": (12000, "paid")}
    cut = [row["dates"] for row in house.run("findings", "--rule", "units_cut").rows]
    assert cut == [["2026-10-04"]]
    assert states(house)["EP-O1-1"] == "paid"


def test_the_site_shows_on_the_calendar_and_by_claim_what_was_paid(house: House) -> None:
    assert house.run("remit", PAID).status == 0
    visitor = InProcess(house.ledger, house.book).visitor()
    page = visitor.get(visitor.address_of("EP-O1")).text
    said = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert "paid: 7 ($528.00)" in said
    assert re.search(r"EP-O1-1 original .* \$1,576\.00 \$1,224\.00 paid", said)
    assert re.search(r"EP-O1-2 original .* \$120\.00 nothing sent", said)


def test_what_was_taken_back_and_paid_anew_adds_up(house: House) -> None:
    assert house.run("remit", PAID, CORRECTED).status == 0
    assert paid(house) == 131200
    assert set(by_day(house).values()) == {(8800, "paid"), (0, "unpaid")}  # the second claim is not answered
    assert not rules(house) & {"underpaid", "units_cut", "reversed", "remittance_unbalanced"}
    (row,) = [row for row in house.run("claims", "list").rows if row["claim"] == "EP-O1-1"]
    assert (row["state"], row["payer_control"], row["paid_cents"]) == ("paid", "RH900002", 131200)


def test_a_file_that_takes_back_alone_leaves_the_days_reversed(house: House, tmp_path: Path) -> None:
    house.run("remit", PAID)
    assert house.run("remit", written(tmp_path, [answer("EP-O1-1", "22", -1576, -1224)], -1224, "T-9")).status == 0
    assert paid(house) == 0
    assert {status for _, status in by_day(house).values()} == {"reversed", "unpaid"}
    assert "reversed" in rules(house)
    assert states(house)["EP-O1-1"] == "reversed"


def test_the_order_of_answers_does_not_matter(house: House, tmp_path: Path) -> None:
    seen = []
    for number, order in enumerate(permutations([PAID, CORRECTED, TAKEN_IN, TURNED_BACK])):
        one = House.at(tmp_path / f"h{number}")
        one.folder.mkdir()
        shutil.copytree(house.book, one.book)
        shutil.copy(house.ledger, one.ledger)
        for file in order[:: -1 if number % 2 else 1]:
            one.run("remit" if "835" in file.name else "ack", file)
        seen.append((payments(one), states(one), rules(one)))
        if number == 5:
            break
    assert all(each == seen[0] for each in seen)


def test_one_check_in_another_envelope_is_all_duplicate(house: House, tmp_path: Path) -> None:
    house.run("remit", CORRECTED)
    other = tmp_path / "again.835"
    text = CORRECTED.read_text().replace("000000501", "000000777").replace("*501~", "*777~").replace("*501*X", "*777*X")
    other.write_text(text.replace("~", "~\r\n").replace("*", "|").replace("RH900001|12|1", "RH900001|12|1"))
    ended = house.run("remit", other, other)
    assert ended.status == 0
    assert [row["outcome"] for row in ended.rows] == ["duplicate"] * 4


def test_the_same_check_with_other_content_is_refused_whole(house: House, tmp_path: Path) -> None:
    house.run("remit", PAID)
    before = payments(house)
    text = (
        PAID.read_text().replace("BPR*I*1224*", "BPR*I*1204*").replace("SVC*HC:99601*160*120", "SVC*HC:99601*160*100")
    )
    (tmp_path / "other.835").write_text(
        text.replace("*1576*1224*24*", "*1576*1204*24*").replace("CO*45*16", "CO*45*36")
    )
    ended = house.run("remit", tmp_path / "other.835")
    assert (ended.status, [row["outcome"] for row in ended.rows]) == (1, ["refused"])
    assert payments(house) == before


def test_a_check_without_claims_is_not_passed_over_when_it_says_otherwise(house: House, tmp_path: Path) -> None:
    interest = written(tmp_path, [], 5, "T-1", "PLB*1245319599*20261231*L6*-5")
    assert house.run("remit", interest).status == 0
    assert house.run("remit", interest).status == 0
    other = written(tmp_path, [], 6, "T-1", "PLB*1245319599*20261231*L6*-6")
    ended = house.run("remit", other)
    assert (ended.status, ended.rows) == (1, [])
    assert "Check T-1 is in the ledger with other content" in ended.err


def test_a_claim_that_nobody_knows_is_kept_and_the_check_balances(house: House, tmp_path: Path) -> None:
    file = written(tmp_path, [answer("EP-O1-1", "1", 1576, 1000), answer("NOBODYS", "1", 300, 200)], 1200, "T-1")
    ended = house.run("remit", file)
    assert ended.status == 1
    assert [row["outcome"] for row in ended.rows] == ["recorded", "unmatched"]
    assert "add up" not in ended.err
    assert [row["outcome"] for row in house.run("remit", file).rows] == ["duplicate", "duplicate"]
    (row,) = house.run("payments", "--unmatched").rows
    assert (row["payment"], row["claim"], row["paid_cents"]) == ("T-1", "NOBODYS", 20000)
    assert house.run("payments", "--unmatched", "--payer", "other").rows == []
    with open_ledger(house.ledger, create=False) as ledger:
        assert [type(act).__name__ for _, act in ledger.house_acts()][-2:] == ["PaymentReceived", "RemittanceUnmatched"]


def test_somebody_assigns_what_no_claim_was_known_for(house: House, tmp_path: Path) -> None:
    file = written(tmp_path, [answer("NOBODYS", "1", 1576, 616, control="RH9")], 616, "T-1")
    house.run("remit", file)
    for wrong in (("T-1", "RH8", "EP-O1-1"), ("T-1", "RH9", "EP-O1-77")):
        assert house.run("assign-remittance", *wrong).status == 2
    assert house.run("assign-remittance", "T-1", "RH9", "EP-O1-1", "--by", "desk-1").status == 0
    assert paid(house) == 61600
    assert house.run("payments", "--unmatched").rows == []
    assert [row["outcome"] for row in house.run("remit", file).rows] == ["duplicate"]
    assert house.run("assign-remittance", "T-1", "RH9", "EP-O1-1").status == 2
    assert paid(house) == 61600


def test_of_two_who_assign_an_answer_at_once_one_wins(house: House, tmp_path: Path) -> None:
    house.run("remit", written(tmp_path, [answer("NOBODYS", "1", 1576, 616, control="RH9")], 616, "T-1"))
    named = AnswersNamed("T-1", "RH9")
    with open_ledger(house.ledger, create=False) as ledger, closing(passing_views()) as views:
        first, second = (assignment(ledger, views, named, claim) for claim in ("EP-O1-1", "EP-O1-2"))
        record_assignment(ledger, first, "ann", random_nonces)
        with pytest.raises(NotAssigned):
            record_assignment(ledger, second, "bob", random_nonces)
        assert [act.by for _, act in ledger.acts_of(RemittanceAssigned)] == ["ann"]
    assert paid(house) == 61600


def test_an_answer_that_its_episode_does_not_take_goes_on_waiting(house: House, tmp_path: Path) -> None:
    house.run("remit", written(tmp_path, [answer("NOBODYS", "1", 1576, 616, control="RH9")], 616, "T-1"))
    with open_ledger(house.ledger, create=False) as ledger:
        ((_, waiting),) = ledger.acts_of(RemittanceUnmatched)
    fact = {"type": "RemittancePosted"} | msgspec.to_builtins(waiting.posting) | {"claim": "EP-O1-1", "paid_cents": 1}
    by_hand = {"episode": "EP-O1", "source": "835", "id": waiting.key, "by": "desk-1", "fact": fact}
    assert house.tell(by_hand).status == 0
    ended = house.run("assign-remittance", "T-1", "RH9", "EP-O1-1", "--by", "desk-1")
    assert (ended.status, "another answer in its place" in ended.err) == (2, True)
    assert len(house.run("payments", "--unmatched").rows) == 1


def test_what_came_before_its_claim_waits_and_is_not_counted_twice(house: House, tmp_path: Path) -> None:
    file = written(tmp_path, [answer("EP-O1-9", "1", 360, 264)], 264, "T-1")
    house.run("remit", file)
    house.tell(claim("EP-O1-9", LINES[:1]))
    assert [row["outcome"] for row in house.run("remit", file).rows] == ["duplicate"]
    assert (paid(house), len(house.run("payments", "--unmatched").rows)) == (0, 1)


def test_a_check_that_does_not_add_up_is_recorded_and_told(house: House, tmp_path: Path) -> None:
    ended = house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 1000)], 990, "T-1"))
    assert ended.status == 1
    assert "T-1 does not add up" in ended.err
    assert paid(house) == 100000


def test_what_is_kept_from_a_check_changes_no_day(house: House, tmp_path: Path) -> None:
    plb = "PLB*1245319599*20261231*WO:OLD-7*50*FB*25.5"
    ended = house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 1000)], 924.5, "T-1", plb))
    assert ended.status == 0
    assert paid(house) == 100000


def test_an_answer_without_lines_goes_over_the_per_diem_days(house: House, tmp_path: Path) -> None:
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 616.03)], 616.03, "T-1"))
    cents = [cents for _, (cents, _) in sorted(by_day(house).items()) if cents]
    assert cents == [8801, 8801, 8801, 8800, 8800, 8800, 8800]


def one_line(number: str, charge: float, paid: float, units: int, *more: str) -> tuple[str, ...]:
    """A line of a per diem, with what else its segments say of it."""
    named = (f"REF*6R*{number}",) if number else ()
    return (f"SVC*HC:S9325*{charge}*{paid}**{units}", f"CAS*CO*45*{charge - paid}", *more, *named)


SPAN = ("DTM*232*20260928", "DTM*233*20261004")


@pytest.mark.parametrize("numbers", [("1", "2"), ("", "")])
@pytest.mark.parametrize("dates", [SPAN, ()])
def test_a_line_that_does_not_say_its_dates_is_for_those_of_ours_that_it_answers(
    house: House, tmp_path: Path, numbers: tuple[str, str], dates: tuple[str, ...]
) -> None:
    lines = one_line(numbers[0], 360, 264, 3) + one_line(numbers[1], 480, 352, 4)
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 840, 616, *dates, *lines)], 616, "T-1"))
    assert set(by_day(house).values()) == {(8800, "paid"), (0, "unpaid")}  # the second claim is not answered
    assert not rules(house) & {"overpaid", "underpaid", "units_cut", "paid_not_claimed"}


def test_a_line_that_could_be_any_of_several_is_for_all_their_dates(house: House, tmp_path: Path) -> None:
    line = one_line("", 840, 616, 7)
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 840, 616, *line)], 616, "T-1"))
    assert set(by_day(house).values()) == {(8800, "paid"), (0, "unpaid")}


@pytest.mark.parametrize("dates", [("20261004", "20261001"), ("20261001", "20991004")])
def test_dates_that_can_be_those_of_no_service_are_not_taken(
    house: House, tmp_path: Path, dates: tuple[str, str]
) -> None:
    line = one_line("2", 440, 352, 4, f"DTM*150*{dates[0]}", f"DTM*151*{dates[1]}")
    assert house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 440, 352, *line)], 352, "T-1")).status == 0
    october = {status for date, status in by_day(house).items() if "2026-10-01" <= date <= "2026-10-04"}
    assert october == {(8800, "paid")}
    assert "paid_not_claimed" not in rules(house)


def test_a_line_of_ours_for_another_charge_keeps_the_dates_that_it_says(house: House, tmp_path: Path) -> None:
    line = one_line("1", 840, 616, 7, "DTM*150*20260928", "DTM*151*20261006")
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 840, 616, *line)], 616, "T-1"))
    assert "paid_not_claimed" in rules(house)


def test_a_cent_that_is_shared_is_no_underpayment(house: House, tmp_path: Path) -> None:
    more = ("CAS*PR*1*50", "DTM*150*20260928", "DTM*151*20260930")
    line = ("SVC*HC:S9325*360*214**3", "CAS*CO*45*96", *more, "REF*6R*1")
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 360, 214, *line)], 214, "T-1"))
    days = [row for row in payments(house) if row["date"] < "2026-10" and row["code"] == "S9325"]
    assert [(row["paid_cents"], row["patient_cents"], row["status"]) for row in days] == [
        (7134, 1667, "paid"),
        (7133, 1667, "paid"),
        (7133, 1666, "paid"),
    ]
    assert "underpaid" not in rules(house)


def test_an_answer_that_does_not_add_up_is_found(house: House, tmp_path: Path) -> None:
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 1000, "CAS*CO*45*500")], 1000, "T-1"))
    assert "remittance_unbalanced" in rules(house)


def test_a_denial_owes_nothing_and_says_why(house: House, tmp_path: Path) -> None:
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "4", 1576, 0, "CAS*CO*197*1576")], 0, "T-1"))
    assert states(house)["EP-O1-1"] == "denied"
    assert {status for _, status in by_day(house).values()} == {"denied", "unpaid"}
    (message, *_) = [row["message"] for row in house.run("findings", "--rule", "denied").rows]
    assert "CO-197" in message


def exposure(house: House) -> int:
    return sum(
        row["exposure_cents"] for row in house.run("diff", "EP-O1", "--claimed").rows if row["claim"] == "EP-O1-1"
    )


def test_what_has_to_be_given_back_is_what_was_paid(house: House, tmp_path: Path) -> None:
    gone = {"type": "FactRetracted", "target_source": "example", "target_id": "day-2026-09-30", "reason": "wrong"}
    house.tell({"episode": "EP-O1", "source": "desk", "id": "gone", "by": "desk-1", "fact": gone})
    assert exposure(house) == 12000  # not answered: what was asked is the most it can be
    house.run("remit", PAID)
    assert exposure(house) == 8800
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "22", -1576, -1224)], -1224, "T-9"))
    assert exposure(house) == 0
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "4", 1576, 0, "CAS*CO*50*1576")], 0, "T-10"))
    assert exposure(house) == 0


def test_money_for_a_day_that_is_not_on_the_claim_is_found(house: House, tmp_path: Path) -> None:
    line = ("SVC*HC:S9325*1576*88**1", "DTM*472*20261020", "CAS*CO*45*1488")
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 88, *line)], 88, "T-1"))
    assert {"paid_not_claimed"} <= rules(house)
    assert paid(house) == 8800


def test_another_code_than_was_asked_is_found(house: House, tmp_path: Path) -> None:
    line = ("SVC*HC:S9326*1576*616**7*HC:S9325*7", "REF*6R*1", "CAS*CO*45*960")
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "1", 1576, 616, *line)], 616, "T-1"))
    assert "code_changed" in rules(house)


def test_a_claim_turned_back_is_not_live_and_what_it_would_replace_is(house: House) -> None:
    replacing = claim("EP-O1-3", LINES[:2], frequency="7", replaces="EP-O1-1", control="EP-O1-1", batch="B2")
    house.tell(replacing)
    assert states(house) == {"EP-O1-1": "replaced", "EP-O1-2": "submitted", "EP-O1-3": "submitted"}
    back = {"type": "ClaimAcknowledged", "claim": "EP-O1-3", "payer": "river-health", "kind": "277CA"}
    back |= {"status": "rejected", "date": "2026-10-08", "codes": ["A3:21"]}
    house.tell({"episode": "EP-O1", "source": "277CA", "id": "x", "by": "river-health", "fact": back})
    assert states(house) == {"EP-O1-1": "submitted", "EP-O1-2": "submitted", "EP-O1-3": "rejected"}
    assert house.run("claims", "list", "--episode", "EP-O1", "--payer", "other").rows == []
    assert not rules(house) & {"claimed_twice"}


def test_days_paid_on_a_claim_that_was_turned_back_are_not_asked_for_twice(house: House, tmp_path: Path) -> None:
    back = tmp_path / "back.277"
    back.write_text(TAKEN_IN.read_text().replace("STC*A2:20:PR", "STC*A7:164:IL"))
    house.run("ack", back)
    assert [row["instrument"] for row in house.run("claims", "plan").rows] == ["new"]
    assert [row["days"] for row in house.run("claims", "prepare").rows] == [7]
    house.run("remit", CORRECTED, PAID)
    assert "claim_rejected" in rules(house)  # so it is not live, whatever was paid for it
    assert house.run("claims", "plan").rows == []
    prepared = house.run("claims", "prepare")
    assert not any(row["days"] for row in prepared.rows)  # the drug was told without its NDC
    assert "7 days, 840.00 dollars: it was paid on a claim that was turned back" in prepared.err


def test_acknowledgements_go_to_their_claims_and_a_batch_to_all_of_it(house: House) -> None:
    ended = house.run("ack", TAKEN_IN)
    assert ended.status == 1
    assert ended.rows == [
        {"claim": "EP-O1-1", "outcome": "recorded", "status": "accepted", "kind": "277CA"},
        {"claim": "EP-O1-2", "outcome": "recorded", "status": "rejected", "kind": "277CA"},
    ]
    assert states(house) == {"EP-O1-1": "accepted", "EP-O1-2": "rejected"}
    assert "claim_rejected" in rules(house)
    assert [row["outcome"] for row in house.run("ack", TAKEN_IN).rows] == ["duplicate"] * 2
    whole = house.run("ack", TURNED_BACK)
    assert [(row["claim"], row["status"]) for row in whole.rows] == [("EP-O1-1", "rejected"), ("EP-O1-2", "rejected")]
    assert states(house) == {"EP-O1-1": "accepted", "EP-O1-2": "rejected"}  # the 277CA came later on the way


def test_an_interchange_turned_back_turns_back_its_claims(house: House, tmp_path: Path) -> None:
    file = tmp_path / "one.ta1"
    head = HEAD.split("GS*")[0]
    file.write_text(head + "TA1*000000001*261006*0930*R*006~IEA*0*000000009~")
    assert [row["status"] for row in house.run("ack", file).rows] == ["rejected"] * 2
    file.write_text(head + "TA1*000000077*261006*0930*A*000~IEA*0*000000009~")
    other = house.run("ack", file)
    assert (other.status, other.rows[0]["claim"], other.rows[0]["outcome"]) == (1, "batch 77", "unmatched")


def test_the_answer_to_a_replacement_goes_to_the_newest_of_the_chain(house: House, tmp_path: Path) -> None:
    house.run("remit", PAID)
    house.tell(claim("EP-O1-3", LINES, frequency="7", replaces="EP-O1-1", control="EP-O1-1", batch="B2"))
    back = answer("EP-O1-1", "22", -1576, -1224, "CAS*CO*45*-352")
    new = answer("EP-O1-1", "1", 1576, 1312, "CAS*CO*45*264", control="RH900002")
    new[0] = new[0].removesuffix("*1") + "*7"
    ended = house.run("remit", written(tmp_path, [back, new], 88, "T-2"))
    assert [row["claim"] for row in ended.rows] == ["EP-O1-1", "EP-O1-3"]
    sums: dict[str, int] = defaultdict(int)
    for row in payments(house):
        sums[row["claim"]] += row["paid_cents"]
    assert (sums["EP-O1-1"], sums["EP-O1-3"]) == (0, 131200)


@pytest.mark.parametrize("frequency", ["7", "8"])
def test_what_was_said_of_a_claim_that_is_replaced_or_void_is_no_work_any_more(
    house: House, tmp_path: Path, frequency: str
) -> None:
    house.run("remit", PAID)
    denied = one_line("2", 480, 0, 4)
    house.run("remit", written(tmp_path, [answer("EP-O1-1", "4", 480, 0, *denied)], 0, "T-2"))
    house.tell(claim("EP-O1-3", frequency=frequency, replaces="EP-O1-1", control="EP-O1-1"))
    assert not rules(house) & {"denied", "units_cut"}
    back = [answer("EP-O1-1", "22", -1576, -1224)]
    house.run("remit", written(tmp_path, back, -1224, "T-3"))
    assert "reversed" not in rules(house)


@pytest.mark.parametrize("file", [PAID, TAKEN_IN])
def test_a_file_cut_off_leaves_nothing_behind(house: House, tmp_path: Path, file: Path) -> None:
    cut, verb = tmp_path / "cut.x12", "remit" if "835" in file.name else "ack"
    text = file.read_text()
    position = len(house.run("replay", "EP-O1").rows)
    for end in range(0, len(text) - 2, 211):
        cut.write_text(text[:end])
        ended = house.run(verb, cut)
        assert ended.status == 2
        assert "nothing of it was recorded" in ended.err
    assert len(house.run("replay", "EP-O1").rows) == position


@pytest.mark.parametrize("seeds", [range(400), pytest.param(range(100_000), marks=pytest.mark.soak)])
def test_a_malformed_file_is_read_or_unreadable_and_never_a_fault(seeds: range) -> None:
    ended: dict[str, int] = defaultdict(int)
    for seed in seeds:
        content = malformed(Random(seed))
        for read in (read_remittances, read_acknowledgements):
            try:
                list(read(read_segments(io.BytesIO(content))))
                ended["read"] += 1
            except Unreadable:
                ended["unreadable"] += 1
    assert min(ended.values()) > 0


def test_no_name_or_member_number_of_an_answer_is_stored(house: House) -> None:
    house.run("remit", PAID)
    house.run("ack", TAKEN_IN)
    with open_ledger(house.ledger, create=False) as ledger:
        told = "\n".join(
            str(row[4])
            for row in ledger.scan()
            if row[3] in ("RemittancePosted", "PaymentReceived", "ClaimAcknowledged")
        )
    assert "EXAMPLE" not in told
    assert "RH5550001" not in told


def test_an_answer_read_twice_in_one_check_is_counted(tmp_path: Path) -> None:
    file = written(tmp_path, [answer("A", "1", 1, 1), answer("A", "1", 1, 1), answer("A", "2", 1, 1)], 3, "T-1")
    found = [
        each for each in read_remittances(read_segments(io.BytesIO(file.read_bytes()))) if isinstance(each, Answer)
    ]
    assert [each.occurrence for each in found] == [1, 2, 1]
