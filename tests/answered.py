"""The open example of claims and answers: a house whose claims left, and answers to them written as files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from tests import GOLDENS, kept
from tests.command_line import House, Told

EXAMPLES = GOLDENS / "answers"
PAID, CORRECTED = EXAMPLES / "835_paid_units_cut.x12", EXAMPLES / "835_reversal_and_correction.x12"
TAKEN_IN, TURNED_BACK = EXAMPLES / "277ca_accepted_and_rejected.x12", EXAMPLES / "999_rejected.x12"
FACTS = json.loads((EXAMPLES / "facts.json").read_text())


def line(code: str, first: str, last: str, units: int, cents: int, number: str) -> Told:
    return {"code": code, "from": first, "to": last, "units": units, "charge_cents": cents, "line": number}


LINES = [
    line("S9325", "2026-09-28", "2026-09-30", 3, 36000, "1"), line("S9325", "2026-10-01", "2026-10-04", 4, 48000, "2"),
    line("J1171", "2026-09-28", "2026-10-04", 1440, 57600, "3"),
    line("99601", "2026-09-28", "2026-09-28", 1, 16000, "4"),
]  # fmt: skip


def claim(number: str, lines: Sequence[Told] = LINES, **more: str) -> Told:
    fact = {"type": "ClaimSubmitted", "claim": number, "payer": "river-health", "frequency": "1", "batch": "B1"}
    fact |= {"sent_on": "2026-10-06", "lines": list(lines), **more}
    return {"episode": "EP-O1", "source": "claims", "id": number, "by": "desk-1", "fact": fact}


def house_with_claims(
    folder: Path, *, second: bool = True, lines: Sequence[Told] = LINES, made: House | None = None
) -> House:
    """The open example, its claim sent, and another for a day that is not billable."""
    if made is None and lines is LINES:
        return kept.house(folder, f"claims-{second}", lambda house: _with_claims(house, second, lines))
    return _with_claims(made or House(folder), second, lines)


def _with_claims(made: House, second: bool, lines: Sequence[Told]) -> House:
    shutil.rmtree(made.book)
    shutil.copytree(GOLDENS / "claims" / "book", made.book)
    told = [json.loads(each) for each in (GOLDENS / "claims" / "intake.jsonl").read_text().splitlines()]
    other = claim("EP-O1-2", [line("S9325", "2026-10-05", "2026-10-05", 1, 12000, "1")])
    sent = [claim("EP-O1-1", lines), *([other] if second else [])]
    assert made.tell(*told, *sent, options=("--identity-in-the-open",)).status == 0
    return made


def answered_house(folder: Path) -> House:
    """The open example with every answer to it: taken in, turned back, paid, cut, taken back and answered anew."""
    made = house_with_claims(folder)
    for verb, files in (("ack", (TAKEN_IN, TURNED_BACK)), ("remit", (PAID, CORRECTED))):
        assert made.run(verb, *files).status in (0, 1)
    return made


def payments(house: House) -> list[Told]:
    ended = house.run("payments")
    assert ended.status == 0
    return ended.rows


def paid(house: House) -> int:
    return sum(row["paid_cents"] for row in payments(house))


def by_day(house: House, code: str = "S9325") -> dict[str, tuple[int, str]]:
    return {row["date"]: (row["paid_cents"], row["status"]) for row in payments(house) if row["code"] == code}


def states(house: House) -> dict[str, str]:
    return {row["claim"]: row["state"] for row in house.run("claims", "list").rows}


def rules(house: House) -> set[str]:
    return {row["rule"] for row in house.run("findings").rows}


HEAD = (
    "ISA*00*          *00*          *ZZ*RIVERHEALTH    *ZZ*LAKESIDE01     *261020*0700*^*00501*000000009*0*T*:~"
    "GS*HP*RIVERHEALTH*LAKESIDE01*20261020*0700*9*X*005010X221A1~"
)


def answer(number: str, status: str, charge: float, paid: float, *more: str, control: str = "RH900001") -> list[str]:
    lines = more or ((f"CAS*CO*45*{charge - paid}",) if charge != paid else ())
    return [f"CLP*{number}*{status}*{charge}*{paid}**12*{control}*12*1", *lines]


def written(folder: Path, answers: Iterable[list[str]], cents: float, trace: str, *plb: str) -> Path:
    """A file of one check."""
    body = [
        f"BPR*I*{cents}*C*ACH*CCP*******1999999999****20261110",
        f"TRN*1*{trace}*1999999999",
        "N1*PR*RIVER HEALTH",
        "LX*1",
    ]
    body[0] = f"BPR*I*{cents}*C*ACH************20261110"
    body += [segment for one in answers for segment in one] + list(plb)
    whole = ["ST*835*0001", *body, f"SE*{len(body) + 2}*0001", "GE*1*9", "IEA*1*000000009"]
    path = folder / f"{trace}.835"
    path.write_text(HEAD + "~".join(whole) + "~")
    return path


def check_files(folder: Path) -> list[Path]:
    """Three checks: one out of balance, one that carries money on, one that takes it up and keeps some more."""
    carried, kept = "PLB*1999999999*20261231*FB:T-2*-200", "PLB*1999999999*20261231*FB:T-2*200*WO:OLD-7*50"
    back = answer("NOBODYS", "22", -300, -200)
    return [
        written(folder, [answer("EP-O1-1", "1", 1576, 1000)], 990, "T-1"),
        written(folder, [back], 0, "T-2", carried),
        written(folder, [answer("EP-O1-2", "1", 120, 100), answer("NOBODYS", "1", 400, 300)], 150, "T-3", kept),
    ]
