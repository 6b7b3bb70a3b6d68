"""When the newest entry was stamped is found without holding the entries that are looked at."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

from projections.reading.clock import newest_stamp
from tests.command_line import House, example, told
from tests.stores import open_ledger


def test_of_the_entries_looked_at_no_more_is_held_than_when_they_were_stamped(tmp_path: Path) -> None:
    """A thousand of the longest were 250 MB: 'doctor' and every 'record' held them."""
    line = {"code": "S9325", "charge_cents": 1, "paid_cents": 1, "units": "1"}
    about = {"claim": "C-1", "payer": "prairie-blue", "payment": "K-1", "paid_on": "2026-02-03", "status": "1"}
    answer = {"type": "RemittancePosted", **about, "charge_cents": 1, "paid_cents": 1, "lines": [line] * 400}
    house = House(tmp_path)
    assert house.tell(*example(), *(told(f"r-{number}", answer) for number in range(100))).status == 0
    with open_ledger(house.ledger, create=False) as ledger:
        text = sum(len(row[4]) for row in ledger.scan())
        assert text > 2**21
        tracemalloc.start()
        assert newest_stamp(ledger) is not None
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert most < 2 * text, "a page of rows, and one of them decoded"
