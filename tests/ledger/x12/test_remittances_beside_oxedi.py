"""What is read of a remittance beside a stranger's reading of it (oxedi): every sum, and whether it adds up."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from ledger.judge.paid import is_unbalanced
from ledger.x12.claim_reader import read_claims
from ledger.x12.remittances import Answer, Check, read_remittances
from ledger.x12.segments import read_segments
from scripts.simulation.payer import Payer, eighty_percent
from tests.answered import CORRECTED, PAID
from tests.claims_files import EXPECTED

oxedi = pytest.importorskip("oxedi")

SEEDS = range(60)
_AMOUNT = re.compile(rb"(?:BPR\*I\*|CAS\*[A-Z]{2}\*\d+\*|SVC\*[^*]+\*\d+\*|CLP\*[^*]+\*\d+\*)(\d+)")


def files() -> Iterator[tuple[str, bytes]]:
    """The open examples, and the checks of payers that pay, cut, deny and take back."""
    for path in (PAID, CORRECTED):
        yield path.stem, path.read_bytes()
    content = EXPECTED.read_bytes()
    for seed in SEEDS:
        payer = Payer(seed, eighty_percent)
        payer.answer(content, date(2026, 11, 1))
        for number in range(4):
            if not payer.is_done:
                yield f"{seed}-{number}", payer.check(read_claims(content)[0], date(2026, 11, 2) + timedelta(number))


def off_by_some(rng: Random, content: bytes) -> bytes:
    """The file with one of its amounts another."""
    at = rng.choice([match.span(1) for match in _AMOUNT.finditer(content)])
    return content[: at[0]] + str(int(content[at[0] : at[1]]) + rng.randint(1, 99)).encode() + content[at[1] :]


def cents(amount: Any) -> int:
    return 0 if amount is None else int(amount * 100)


def text(told: bytes) -> str:
    return told.decode("ascii")


def units(row: dict[str, Any]) -> Any:
    """How many were paid; a number that is not told is one."""
    return row["units_paid"] or 1


def ours(content: bytes) -> tuple[Any, ...]:
    """What we read: the check, each claim, each line, what was adjusted and kept; and what does not add up."""
    answers, checks = list[Answer](), list[Check]()
    for read in read_remittances(read_segments(io.BytesIO(content))):
        answers.append(read) if isinstance(read, Answer) else checks.append(read)
    facts = [answer.fact for answer in answers]
    lines = [line for fact in facts for line in fact.lines]
    adjusted = [
        each for fact in facts for each in (*fact.adjustments, *(a for line in fact.lines for a in line.adjustments))
    ]
    return (
        [(check.payment, check.cents) for check in checks],
        [(fact.claim, fact.status, fact.payer_control, fact.charge_cents, fact.paid_cents) for fact in facts],
        [(line.code, line.charge_cents, line.paid_cents, line.units) for line in lines],
        sorted((each.group, each.code, each.cents) for each in adjusted),
        [(each.reason, each.cents) for check in checks for each in check.adjustments],
        not all(check.is_balanced for check in checks),
        any(map(is_unbalanced, facts)),
    )


def theirs(content: bytes) -> tuple[Any, ...]:
    """What oxedi reads of the same."""
    read = oxedi.parse(content)
    rows = {name: read.tables[name].to_polars().to_dicts() for name in read.tables.keys()}  # noqa: SIM118
    off = {
        re.findall(r'balancing rule "(\w+)"', str(each))[0]
        for each in read.diagnostics
        if each.kind == "BalanceMismatch"
    }
    return (
        [(text(row["trace_number"]), cents(row["total_payment_amount"])) for row in rows["payments"]],
        [
            (
                text(row["claim_id"]), text(row["claim_status"]), text(row["payer_control_number"]),
                cents(row["charge_amount"]), cents(row["payment_amount"]),
            )
            for row in rows["claims"]
        ],
        [
            (text(row["procedure_code"]), *(cents(row[f"{each}_amount"]) for each in ("charge", "payment")), units(row))
            for row in rows["services"]
        ],
        sorted(
            (text(row["group_code"]), text(row["reason_code"]), cents(row["amount"])) for row in rows["adjustments"]
        ),
        [(text(row["reason_code"]), cents(row["amount"])) for row in rows["provider_adjustments"]],
        "transaction_balance" in off,
        bool(off - {"transaction_balance"}),
    )  # fmt: skip


def test_every_sum_of_a_remittance_is_read_as_a_stranger_reads_it() -> None:
    read = 0
    for name, content in files():
        assert ours(content) == theirs(content), name
        assert ours(content)[-2:] == (False, False), name
        read += 1
    assert read > len(SEEDS)


def test_what_does_not_add_up_does_not_add_up_for_a_stranger() -> None:
    verdicts = set()
    for name, content in files():
        changed = off_by_some(Random(name), content)
        assert ours(changed) == theirs(changed), name
        verdicts.add(ours(changed)[-2:])
    assert verdicts >= {(True, False), (False, True)}
