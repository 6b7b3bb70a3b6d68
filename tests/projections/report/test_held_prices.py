"""A held day is priced as it would be once it is cured: by the provider's agreement where that names a rate."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.book import load_book
from projections.reading.rates import Rates, rates_of
from tests.command_line import House, example
from tests.exports import export, rows_in

AGREED = """
[[agreements]]
payer = "prairie-blue"
signed_on = 2026-01-20
from = 2026-01-01
to = 2026-02-02
rate_cents = { S9325 = 10000 }

[[agreements]]
payer = "prairie-blue"
signed_on = 2026-01-25
from = 2026-02-02
to = 2026-02-02
rate_cents = { S9325 = 11100 }
"""


@pytest.fixture
def house(tmp_path: Path) -> House:
    """The shared example without its plan, so that two days are on hold; for one of them a rate is agreed."""
    house = House(tmp_path)
    path = house.book / "providers" / "northside.toml"
    path.write_text(path.read_text() + AGREED)
    assert house.tell(*(line for line in example() if line["fact"]["type"] != "PlanSigned")).status == 0
    return house


def test_a_held_day_is_priced_by_the_agreement_of_its_provider(house: House) -> None:
    (hold,) = (row for row in house.run("report", "--on", "2026-02-10").rows if row["section"] == "holds")
    assert (hold["reason"], hold["days"], hold["cents"], hold["priced_days"]) == ("plan_missing", 2, 11100 + 9000, 2)


def test_the_dollars_of_a_finding_are_those_of_the_agreement_too(tmp_path: Path) -> None:
    house = House(tmp_path)
    path = house.book / "providers" / "northside.toml"
    path.write_text(path.read_text() + AGREED)
    assert house.tell(*example(), *example("EP-2")).status == 0
    out = house.run("findings", "--format", "table").out.decode()
    assert "201.00" in out, "111.00 by the agreement and 90.00 by the terms"


def test_the_exported_rates_say_from_when_to_when_a_rate_is_agreed(house: House, tmp_path: Path) -> None:
    agreed = [row for row in rows_in(export(house, "rates", "jsonl", tmp_path / "out")) if row["provider"]]
    told = {(row["from"], row["to"], row["code"], row["rate"]) for row in agreed}
    assert told == {
        (first, last, code, rate)
        for code in ("S9325", None)
        for first, last, rate in (("2026-01-20", "2026-02-01", "100.00"), ("2026-02-02", "2026-02-02", "111.00"))
    }


def test_of_agreements_in_force_the_last_gives_the_rate_and_one_without_a_rate_leaves_the_terms(house: House) -> None:
    book = load_book(house.book)
    (npi,) = book.providers
    terms = book.payers["prairie-blue"].terms[0]
    rates = Rates(rates_of(book))

    def on(day: str, provider: str = npi) -> int | None:
        edition = "prairie-blue", terms.from_.isoformat(), terms.published.isoformat()
        return rates.on(*edition, "S9325", provider, day)

    days = ("01-19", "01-20", "02-01", "02-02", "02-03")
    assert [on(f"2026-{day}") for day in days] == [9000, 10000, 10000, 11100, 9000]
    assert on("2026-02-02", "1245319599") == 9000
