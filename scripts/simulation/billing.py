"""What claims need beside a simulated history: the keys of the book, who the patients are, the drugs they were given.

Nothing of it changes the history: the book's keys are added to files that are there, the lines stand in a file of their
own. Every name is invented, and drawn from the patient's alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

from .book import OUTSIDERS, PAYERS, PRESCRIBERS, PROVIDERS
from .days import NDCS

LAST_NAMES = ("Ahlström", "Berg", "Chávez", "Dubois", "Eriksen", "Fitz-Roy", "Gómez", "Håland", "Ibarra", "O'Neill")
FIRST_NAMES = ("Zoë", "Anna", "Björn", "Clara", "Dženan", "Emil", "Françoise", "Ines", "José", "Ruth")
CITIES = (("DULUTH", "MN", "55802"), ("FARGO", "ND", "581021234"), ("El Paso", "TX", "79901"), ("Salem", "OR", "97301"))
STREETS = ("Birch Street", "Elm Street Apt 4", "Harbor Road", "County Road 9")
CHARGES = {"S9325": 15_000, "S9326": 16_000, "S9327": 14_000, "S9328": 13_000, "J2270": 40, "99601": 16_000}
APART = {
    "prairie-blue": ("same_claim", "same_claim"),
    "summit-choice": ("separate_claim", "same_claim"),
    "cascade-medicaid": ("same_claim", "separate_claim"),
}
"""Which payers take drugs and visits, and on which claim."""
_BEGAN = "2020-01-01"


def complete_book(folder: Path) -> None:
    """Add to a simulated book what claims need of it."""
    for number, payer in enumerate(PAYERS):
        path = folder / "payers" / f"{payer.id}.toml"
        text = path.read_text(encoding="utf-8")
        drugs, visits = APART.get(payer.id, ("none", "none"))
        keys = f'drug_lines = "{drugs}"\nnursing_lines = "{visits}"\n'
        if "charge_cents" not in text:
            prices = ", ".join(f'"{code}" = {cents}' for code, cents in {**CHARGES, "99602": 8_000}.items())
            keys += f"charge_cents = {{ {prices} }}\n"
        text = text.replace("[[terms]]\n", f"[[terms]]\n{keys}")
        receiver = "CLEARHOUSE" if number % 2 else f"PAYER{number:05}"
        name = 'receiver_name = "Clearing House (simulated)"\n' if number % 2 else ""
        edi = f'\n[edi]\npayer_id = "SIM{number:02}"\nreceiver = "{receiver}"\n{name}claim_filing = "CI"\nusage = "T"\n'
        path.write_text(text + edi, encoding="utf-8", newline="\n")
    for number, provider in enumerate(PROVIDERS):
        slug = provider.name.split(" ")[0].lower()
        with (folder / "providers" / f"{slug}.toml").open("a", encoding="utf-8", newline="\n") as file:
            file.write(
                f'\n[billing]\ntax_id = "{100_000_000 + number}"\naddress = "{number + 1} Mill Road"\ncity = "Salem"\n'
                f'state = "OR"\nzip = "97301000{number}"\ncontact = "Billing desk"\nphone = "555555010{number}"\n'
                f'submitter = "SIMHOUSE{number:02}"\n'
            )
    prescribers = "".join(
        f'[[prescribers]]\nnpi = "{npi}"\nlast = "{LAST_NAMES[place % 10]}"\nfirst = "{FIRST_NAMES[place // 10]}"\n'
        for place, npi in enumerate(PRESCRIBERS + OUTSIDERS)
    )
    (folder / "prescribers.toml").write_text(prescribers, encoding="utf-8", newline="\n")
    drugs_text = "".join(
        f'[[drugs]]\nndc = "{ndc}"\nhcpcs = "J2270"\nfrom = {_BEGAN}\nunits_per = "{place + 1}"\nsource = "invented"\n'
        for place, ndc in enumerate(NDCS)
    )
    (folder / "drugs.toml").write_text(drugs_text, encoding="utf-8", newline="\n")


def billing_lines(intake: Path) -> Iterator[str]:
    """Who each patient is, and what was given of some drugs that were dispensed, as lines of intake."""
    opened: set[str] = set()
    with intake.open(encoding="utf-8") as lines:
        for line in lines:
            entry = json.loads(line)
            fact, episode = entry["fact"], entry["episode"]
            if fact["type"] == "EpisodeOpened" and episode not in opened:
                opened.add(episode)
                yield _line(episode, "who", _identity(fact["patient"]))
            elif fact["type"] == "DrugDispensed" and len(entry["id"]) % 2 == 0:
                yield _line(episode, f"given-{entry['source']}-{entry['id']}", _given(fact))


def _line(episode: str, id: str, fact: dict[str, Any]) -> str:
    told = {"episode": episode, "source": "desk", "id": id, "by": "desk-1", "fact": fact}
    return json.dumps(told, ensure_ascii=False) + "\n"


def _identity(patient: str) -> dict[str, Any]:
    drawn = Random(patient)
    city, state, code = drawn.choice(CITIES)
    return {
        "type": "PatientIdentified", "last": drawn.choice(LAST_NAMES), "first": drawn.choice(FIRST_NAMES),
        "birth_date": (date(1930, 1, 1) + timedelta(days=drawn.randrange(22_000))).isoformat(),
        "sex": drawn.choice("FMU"), "address": f"{drawn.randrange(1, 999)} {drawn.choice(STREETS)}",
        "city": city, "state": state, "zip": code,
    }  # fmt: skip


def _given(dispensed: dict[str, Any]) -> dict[str, Any]:
    first = date.fromisoformat(dispensed["date"])
    return {
        "type": "DrugAdministered", "from": first.isoformat(), "to": (first + timedelta(days=2)).isoformat(),
        "ndc": dispensed["ndc"], "quantity": dispensed["quantity"], "unit": dispensed["unit"], "rx": dispensed["rx"],
    }  # fmt: skip
