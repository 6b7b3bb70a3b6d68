"""The site over a ledger in PostgreSQL, plain and encrypted: one journey past all that it reads and writes there."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import stores
from tests.act_forms import Form, form_at, multipart, text_of
from tests.command_line import House, example
from tests.in_process_site import InProcess

SHEET = "Episode,Ticket,Order,From,To,Status,Infused\nEP-1,T-1,RX-1,02/05/2026,02/06/2026,CONFIRMED,yes\n"


@pytest.mark.parametrize(
    "kind",
    [pytest.param("postgres", marks=pytest.mark.soak), pytest.param("postgres encrypted", marks=pytest.mark.store)],
)
def test_a_team_works_at_a_site_whose_ledger_is_in_postgresql(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(stores.STORE, kind)
    house = House(tmp_path)
    assert house.tell(*example(), *example("EP-2", "P-2")).status == 0
    desk = InProcess(house.ledger, house.book)
    (tmp_path / desk.site.access.path.name).write_text(
        '{"at":"2026-01-01T10:00:00Z","session":"s","user":"u","remote":"","page":"why"}\n'
    )
    ann, bob, lead = (desk.visitor(role, name) for role, name in (
        ("biller", "ann"), ("biller", "bob"), ("operator", "lead")))  # type: ignore[arg-type]  # fmt: skip

    episode = ann.address_of("EP-1")
    effect = form_at(ann, f"{episode}/record/DayServed").shown(order="RX-1", date="2026-02-04")
    assert "Recorded as desk:" in text_of(effect.send("record"))
    assert "the ledger has this already" in text_of(effect.send("record"))
    mends = [form_at(who, f"{episode}/entry/4/retract").shown(reason="told twice") for who in (ann, bob)]
    assert "Recorded as desk:" in text_of(mends[0].send("record"))
    assert "ann was first" in text_of(mends[1].send("record"))
    looked = Form(ann, multipart(form_at(ann, "/import"), {"file": ("t.csv", SHEET)}, mapping="tickets"))
    assert "1 fact recorded." in text_of(looked.send("record"))

    page = ann.get("/")
    picked = {word.partition('"')[0]: "1" for word in page.text.split('name="')[1:] if word.startswith("pick.")}
    together = Form(ann, ann.post("/open-work", picked)).shown(owner="Ana Ruiz", note="call them")
    assert "Recorded for" in text_of(together.send("record"))
    assert "the ledger has this already" in text_of(together.send("record"))
    assert {row["owner"] for row in house.run("worklist").rows} == {"Ana Ruiz"}

    merged = form_at(lead, "/patients/merge").shown(old="P-2", into="P-1", reason="same person, by the insurer")
    assert "Recorded." in text_of(merged.send("record"))
    closing = form_at(lead, "/months/2026-02").shown(anyway="claims follow")
    assert "February 2026 is closed" in text_of(closing.send("record"))
    for path in ("/findings", "/pictures", "/months", "/months/2026-02", "/report", "/proof", f"{episode}/entries",
                 f"{episode}?day=2026-02-04", f"{episode}/why?day=2026-02-04", f"{episode}/history", f"{episode}/print",
                 f"{episode}/table/calendar?as=csv"):  # fmt: skip
        assert lead.get(path).status == 200, path
    assert "looks at P-1" in text_of(lead.sent("/looks", patient="P-1"))
    assert (lead.get("/health").status, desk.told) == (200, [])
    assert house.run("access", "--check").rows[0]["lines"] == 1, "what was looked at before today is sealed"
    assert house.run("verify").status == 0
