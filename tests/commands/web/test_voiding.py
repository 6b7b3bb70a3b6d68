"""What voids an episode is changed by whoever may void, whichever way it is gone about."""

from __future__ import annotations

from commands.desk.sheets import OWN
from tests.act_forms import Form, events, form_at, multipart, text_of
from tests.command_line import House, told
from tests.in_process_site import InProcess


def test_a_file_changes_nothing_of_what_voids_an_episode_unless_its_sender_may(house: House, desk: InProcess) -> None:
    biller, operator = desk.visitor("biller"), desk.visitor("operator")
    voiding = form_at(operator, f"{operator.address_of('EP-1')}/void")
    assert "Recorded as" in text_of(voiding.send("record", reason="opened twice"))
    sheet = f"Episode,Ticket\nEP-1,{voiding.fields['id']}\n"
    own = (
        'source = "desk"\nepisode = "{Episode}"\n[[sheets]]\n[[sheets.facts]]\ntype = "ResponseNoted"\n'
        'id = "{Ticket}"\nfields.date = "2026-02-05"\nfields.note = "not void any more"\n'
    )
    files = {"file": ("t.csv", sheet), "own": ("m.toml", own)}
    asked, before = {"mapping": OWN, "otherwise": "record them"}, len(events(house))
    looked = multipart(form_at(biller, "/import"), files, **asked)
    assert "1 row: 1 refused" in text_of(looked)
    assert "would change what voids an episode" in text_of(looked)
    assert "Nothing was recorded" in text_of(Form(biller, looked).send("record"))
    assert len(events(house)) == before
    looked = multipart(form_at(operator, "/import"), files, **asked)
    assert "1 fact recorded" in text_of(Form(operator, looked).send("record")), "an operator may"
    assert house.run("days", "--episode", "EP-1").rows


def test_what_was_corrected_to_void_an_episode_is_mended_by_whoever_may_void(house: House, desk: InProcess) -> None:
    note = {"type": "ResponseNoted", "date": "2026-02-02", "note": "x"}
    corrected = {
        "type": "FactCorrected", "target_source": "feed", "target_id": "n", "reason": "meant so",
        "fact": {"type": "EpisodeVoided", "reason": "opened twice"},
    }  # fmt: skip
    assert house.tell(told("n", note, source="feed"), told("c", corrected, source="feed")).status == 0
    assert house.run("days", "--episode", "EP-1").rows == []
    biller, operator, version = desk.visitor("biller"), desk.visitor("operator"), len(events(house))
    for at in (version - 1, version):
        for act in ("correct", "retract"):
            assert biller.get(f"{biller.address_of('EP-1')}/entry/{at}/{act}").status == 403
    back = form_at(operator, f"{operator.address_of('EP-1')}/entry/{version}/retract").send(
        "record", reason="it was not"
    )
    assert "Recorded as" in text_of(back)
    assert biller.get(f"{biller.address_of('EP-1')}/entry/{version}/restore").status == 403
    assert biller.get(f"{biller.address_of('EP-1')}/entry/2/retract").status == 200, "and other entries by others"
