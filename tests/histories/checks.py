"""Payers' checks as remittances bring them: what each is worth, what came with it, what was kept."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any


def checks(rng: Random) -> list[dict[str, Any]]:
    """Some checks of two payers, with money kept and added for several reasons, most of them in balance."""
    made = []
    for number in range(rng.randint(1, 9)):
        kept = [
            {"reason": rng.choice(["WO", "FB", "72", "L6"]), "cents": 100 * rng.randint(-4, 4)}
            for _ in range(rng.choice([0, 0, 1, 1, 2]))
        ]
        posted = 1000 * rng.randint(-1, 9)
        check = {
            "type": "PaymentReceived", "payment": f"T-{number}", "payer": rng.choice(["blue", "gold"]), "claims": 1,
            "paid_on": (date(2026, 11, 2) + timedelta(rng.randint(0, 9))).isoformat(), "adjustments": kept,
            "cents": posted - sum(each["cents"] for each in kept) + rng.choice([0, 0, 0, 50]),
        }  # fmt: skip
        made.append(check | ({"posted_cents": posted} if rng.random() < 0.8 else {}))
    return made
