"""A patient whom somebody could be known by at every place, and how they are forgotten."""

from __future__ import annotations

import json
from typing import Final

from tests.command_line import Ended, Told, example, told
from tests.encrypted_house import Locked

MARK: Final = "ZQSECRETZQ"
PATIENT: Final = f"{MARK} patient"
EP: Final = "EP-1"
REASON: Final = ("--reason", "request 118", "--by", "officer", "--yes")


def of_the_patient() -> list[Told]:
    """The shared example, told of the patient, marked wherever somebody could be known by it; one day under an
    authorization, one refused."""
    lines = [json.loads(json.dumps(each).replace("M-77", f"{MARK} member")) for each in example(EP, PATIENT)]
    for number, each in enumerate(lines):
        each |= {"source": f"{each['source']} {MARK}", "by": f"{MARK} by", "id": f"{MARK} {number}"}
    granted = {"type": "AuthorizationGranted", "number": f"{MARK} number", "payer": "prairie-blue", "units": 2,
               "codes": ["S9325"], "from": "2026-02-01", "to": "2026-02-28"}  # fmt: skip
    noted = {"type": "CoordinationNoted", "date": "2026-02-02", "note": f"{MARK} note"}
    return [*lines, told(f"{MARK} g", granted), told(f"{MARK} n", noted)]


def everybody() -> list[Told]:
    return [*of_the_patient(), *example("EP-2", "P-2"), *example("EP-3", "P-3")]


def forget(house: Locked, patient: str = PATIENT, *more: object) -> Ended:
    return house.run("forget", patient, *REASON, *more)
