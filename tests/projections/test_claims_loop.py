"""The whole loop against a simulated payer: written, turned back, cut, denied, paid too much, taken back and paid after
all, until every day is paid, refunded or written off, and the money adds up to the cent."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ledger.book import PER_DIEM_CODES
from ledger.x12.claim_reader import ReadClaim, ReadFile, ReadLine, read_claims
from ledger.x12.gate import day_of
from scripts.simulation.payer import Payer, eighty_percent
from tests.claims_simulated import claims_house
from tests.command_line import House, lines_of
from tests.exports import export, manifest_of, rows_in
from tests.payments_added import assert_payments_add_up

FIRST = date(2026, 11, 1)
MOST_ROUNDS = 12


class Loop:
    """A house and the payers of its files, one a file."""

    def __init__(self, house: House, seed: int) -> None:
        self.house, self.seed, self.round = house, seed, 0
        self.payers: list[tuple[Payer, ReadFile]] = []
        self.episodes: dict[str, str] = {}
        self.seen: Counter[str] = Counter()

    def run(self) -> None:
        """Rounds until nothing is written and no payer has anything left to say."""
        for _ in range(MOST_ROUNDS):
            self.round += 1
            if not self._write() and all(payer.is_done for payer, _ in self.payers):
                return
            for place, (payer, file) in enumerate(self.payers):
                if not payer.is_done:
                    check = payer.check(file, FIRST + timedelta(days=14 * self.round))
                    self._take("remit", f"{place}-{self.round}.835", check)
        raise AssertionError("the loop does not end")

    def _write(self) -> int:
        rows = self.house.run("claims", "write", "--out", self.house.folder / "out").rows
        written = [row for row in rows if row["outcome"] == "written"]
        self.episodes |= {row["claim"]: row["episode"] for row in written}
        expected = {
            (row["claim"], row["date"], row["code"]): row["expected_cents"] or 0
            for row in self.house.run("payments").rows
        }

        def worth(claim: ReadClaim, line: ReadLine) -> int:
            if line.code not in PER_DIEM_CODES:
                return eighty_percent(claim, line)
            first, last = day_of(line.from_), day_of(line.to)
            assert first is not None
            assert last is not None
            days = ((first + timedelta(days=place)).isoformat() for place in range((last - first).days + 1))
            return sum(expected[claim.control, day, line.code] for day in days)

        for name in sorted({row["file"] for row in written}):
            content = (self.house.folder / "out" / name).read_bytes()
            payer = Payer(self.seed + len(self.payers), worth)
            self.payers.append((payer, read_claims(content)[0]))
            self._take("ack", f"{name}.277", payer.answer(content, FIRST))
        return len(written)

    def _take(self, verb: str, name: str, content: bytes) -> None:
        path = self.house.folder / name
        path.write_bytes(content)
        ended = self.house.run(verb, path)
        assert ended.status in (0, 1), ended.err
        self.seen.update(f"{verb} {row['outcome']}" for row in ended.rows)

    def settle(self) -> list[dict[str, Any]]:
        """Write off what is denied for good, give back what was paid too much; the days that are then not settled."""
        rows = self.house.run("payments").rows
        off = {control for payer, _ in self.payers for control in payer.denied_for_good}
        over = {control for payer, _ in self.payers for control in payer.overpaid}
        acts = []
        for kind, claims in (("WrittenOff", off), ("RefundSent", over)):
            for claim in sorted(claims):
                mine = [row for row in rows if row["claim"] == claim and row["expected_cents"] is not None]
                cents = abs(sum(row["expected_cents"] - row["paid_cents"] for row in mine))
                fact = {
                    "type": kind,
                    "claim": claim,
                    "cents": cents,
                    "date": "2026-11-20",
                    "reason": "the payer's last word",
                }
                acts.append(
                    {
                        "episode": self.episodes[claim],
                        "source": "desk",
                        "id": f"{kind}-{claim}",
                        "by": "d",
                        "fact": fact,
                    }
                )
        told = self.house.run("record", "--no-effect", "-", stdin=lines_of(acts)).rows
        assert [row["outcome"] for row in told] == ["recorded"] * len(acts)
        ours = [row for row in rows if row["claim"] in self.episodes]
        return [row for row in ours if row["status"] not in ("paid", "patient") and row["claim"] not in off | over]


FED = ("claims", "payments", "remittances")


def paid_in_feed(house: House, dataset: str) -> int:
    """The cents that the rows of a dataset say were paid, which its manifest says, too."""
    place = export(house, dataset, "jsonl", house.folder / "feed")
    paid = sum((Decimal(row["paid"]) for row in rows_in(place)), Decimal())
    assert manifest_of(place)["totals"]["paid"] == str(paid)
    return int(paid * 100)


def by_hand(house: House) -> int:
    """What is to be given back, added up slowly: of each date's per diems what one payer paid beyond the day's rate."""
    paid: Counter[tuple[str, str, str]] = Counter()
    for row in house.run("payments").rows:
        if row["code"] in PER_DIEM_CODES:
            paid[row["episode"], row["payer"], row["date"]] += row["paid_cents"]
    worth = {
        (row["episode"], row["payer"], row["date"]): row["rate_cents"]
        for row in house.run("days", "--status", "billable").rows
    }
    return sum(max(0, cents - worth.get(place, 0)) for place, cents in paid.items())


def reported(house: House) -> Counter[str]:
    """The cents of the report's sections about money."""
    found: Counter[str] = Counter()
    for row in house.run("report").rows:
        if row["section"] == "paid":
            found["paid"] += row["paid_cents"] + row["other_cents"]
            found["paid beyond"] += row["give_back_cents"]
            found["lacking"] += row["missing_cents"]
        elif row["section"] in ("give_back", "denials", "unmatched"):
            found[row["section"]] += row["cents"]
    return found


def _date(told: str) -> date:
    day = day_of(told)
    assert day is not None
    return day


def assert_lines_are_those_sent(loop: Loop, rows: list[dict[str, Any]]) -> None:
    """Each sum by line is of a line that stands in a file, under its number; a per diem's of the whole of it."""
    sent = {
        (claim.control, line.number): (line.code, _date(line.from_), _date(line.to))
        for _, file in loop.payers
        for claim in file.claims
        for line in claim.lines
    }
    ours = [row for row in rows if row["claim"] in loop.episodes]
    assert {row["code"] in PER_DIEM_CODES for row in ours} == {True, False}
    for row in ours:
        assert row["lines"], "nothing was paid for what was not sent"
        for number in row["lines"]:  # of drugs two may ask for one code on a date
            code, first, last = sent[row["claim"], number]
            assert row["code"] == code
            assert first <= date.fromisoformat(row["from"]) <= date.fromisoformat(row["to"]) <= last
            if code in PER_DIEM_CODES:
                assert (row["lines"], row["days"]) == ([number], (last - first).days + 1), row


def looped(folder: Path, episodes: int, seed: int) -> Loop:
    """The loop run to its end over simulated episodes: every day is settled, and all money is where it was paid."""
    loop = Loop(claims_house(folder, episodes, seed), seed)
    loop.run()
    over = by_hand(loop.house)
    said = reported(loop.house)
    assert (said["give_back"], said["paid beyond"], said["lacking"]) == (over, over, said["denials"])
    assert_lines_are_those_sent(loop, assert_payments_add_up(loop.house)["line"])
    assert loop.settle() == []
    settled = reported(loop.house)
    assert (settled["give_back"], settled["paid"], settled["unmatched"]) == (0, said["paid"], 0)
    owed = [row for row in loop.house.run("diff", "--claimed", "--all").rows if row["paid_cents"] is not None]
    assert sum(row["exposure_cents"] for row in owed) == 0
    paid = sum(row["paid_cents"] for row in loop.house.run("payments").rows)
    assert paid == settled["paid"] == sum(payer.paid_cents for payer, _ in loop.payers)
    assert {name: paid_in_feed(loop.house, name) for name in FED} == dict.fromkeys(FED, paid)
    found = {row["rule"] for row in loop.house.run("findings").rows}
    assert "payment_unbalanced" not in found  # every check of the payer's adds up
    assert "recouped" not in found
    assert loop.seen["remit refused"] == loop.seen["remit unmatched"] == loop.seen["ack unmatched"] == 0
    return loop


def test_every_day_ends_paid_refunded_or_written_off(tmp_path: Path) -> None:
    loop = looped(tmp_path / "house", 20, 4)
    assert loop.seen["remit recorded"] > 15


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_every_day_of_many_seeds_ends_paid_refunded_or_written_off(tmp_path: Path, seed: int) -> None:
    looped(tmp_path / "house", 50, seed)
