"""``merge-patients`` and ``part-patients``: what they record, what they refuse, and that no name stays in the open."""

from __future__ import annotations

import json
import re
import shlex
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import pytest

from ledger.facts.administration import HouseAct, PatientsMerged, PatientsParted
from ledger.facts.merges import MergeRefused
from ledger.store import EpisodeLedger, RecordConflictError, UnreadableEntry
from tests.command_line import Ended, House, example, told
from tests.encrypted_house import Locked, files_with, rows_of, seal_anew, unguarded
from tests.stores import open_ledger

pytestmark = pytest.mark.sqlite_file

OLD, INTO, THIRD = "José-0117", "Zoë-1001", "Ida-1002"
REASON = "registered twice; birth dates compared"
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def opening(patient: str) -> dict[str, Any]:
    return {"type": "EpisodeOpened", "patient": patient, "provider": "1234567893", "zone": "America/Chicago"}


def filled(house: House) -> House:
    """OLD has two episodes, one of them opened for somebody else first; INTO and a third patient one each."""
    lines = [
        told(f"o-{number}", opening(patient), episode=episode)
        for number, (episode, patient) in enumerate((("EP-1", OLD), ("EP-2", THIRD), ("EP-3", INTO), ("EP-4", THIRD)))
    ]
    fact = {"type": "FactCorrected", "target_source": "pump", "target_id": "o-1", "reason": "x", "fact": opening(OLD)}
    assert house.tell(*lines, told("c-1", fact, episode="EP-2")).status == 0
    return house


@pytest.fixture
def house(tmp_path: Path) -> House:
    return filled(House(tmp_path))


@pytest.fixture
def locked(tmp_path: Path) -> House:
    return filled(Locked(tmp_path))


@pytest.fixture(params=["in the open", "encrypted"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> House:
    return filled(House(tmp_path) if request.param == "in the open" else Locked(tmp_path))


def merge(house: House, old: str = OLD, into: str = INTO, *more: object, reason: str = REASON, **how: Any) -> Ended:
    options = ("--reason", reason, "--by", "registrar", "--yes", *more)
    return house.run("merge-patients", old, into, *options, **how)


def part(house: House, old: str = OLD, *more: object, reason: str = "two people", **how: Any) -> Ended:
    return house.run("part-patients", old, "--reason", reason, "--by", "registrar", "--yes", *more, **how)


def ledger_of(house: House) -> EpisodeLedger:
    return house.open() if isinstance(house, Locked) else open_ledger(house.ledger, create=False)


def acts(house: House) -> list[HouseAct]:
    with ledger_of(house) as ledger:
        return [act for _, act in ledger.house_acts()]


def test_a_merge_is_recorded_as_an_act_of_the_house(either: House) -> None:
    ended = merge(either)
    assert ended.status == 0, ended
    assert ended.err.splitlines() == [
        "To be merged: 2 episodes of OLD and 1 episode of INTO will be one patient's.",
        "Merged. What changed: 'replay EPISODE' for an episode, 'restatements MONTH' for a closed month.",
        "Episodes that go to another patient:",
        "  EP-1",
        "  EP-2",
    ]
    (act,) = acts(either)
    assert isinstance(act, PatientsMerged)
    assert (act.patient, act.into, act.by, act.reason) == (OLD, INTO, "registrar", REASON)
    assert len(act.nonce) == 32
    with ledger_of(either) as ledger:
        assert ledger.survivor_of(OLD) == INTO
        assert ledger.episodes_naming(INTO) == ["EP-1", "EP-2", "EP-3"]


def test_what_is_merged_can_be_parted_and_merged_again(either: House) -> None:
    assert [merge(either).status, part(either).status, merge(either).status] == [0, 0, 0]
    assert [type(act) for act in acts(either)] == [PatientsMerged, PatientsParted, PatientsMerged]
    with ledger_of(either) as ledger:
        assert ledger.survivor_of(OLD) == INTO


def test_merges_chain(either: House) -> None:
    assert [merge(either).status, merge(either, INTO, THIRD).status] == [0, 0]
    with ledger_of(either) as ledger:
        assert {ledger.survivor_of(name) for name in (OLD, INTO, THIRD)} == {THIRD}
    assert part(either).status == 0
    with ledger_of(either) as ledger:
        assert [ledger.survivor_of(name) for name in (OLD, INTO)] == [OLD, THIRD]


REFUSED = {
    "itself": ([(OLD, OLD)], "both names are the same"),
    "merged already": ([(OLD, INTO), (OLD, THIRD)], "merged already"),
    "merged already into the same": ([(OLD, INTO), (OLD, INTO)], "merged already"),
    "a circle": ([(OLD, INTO), (INTO, OLD)], "circle"),
    "a longer circle": ([(OLD, INTO), (INTO, THIRD), (THIRD, OLD)], "circle"),
    "an unknown old": ([("nobody", INTO)], "knows no patient of one of these names"),
    "an unknown into": ([(OLD, "nobody")], "knows no patient of one of these names"),
}


@pytest.mark.parametrize(("merges", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_merged_is_refused_and_leaves_no_trace(
    either: House, merges: list[tuple[str, str]], says: str
) -> None:
    *good, bad = merges
    assert [merge(either, *each).status for each in good] == [0] * len(good)
    ended = merge(either, *bad)
    assert ended.status == 2
    assert says in ended.err
    assert "nothing was done" in ended.err
    assert not [name for name in (OLD, INTO, THIRD, "nobody") if name in ended.err]
    assert len(acts(either)) == len(good)


def test_whoever_is_not_merged_is_not_parted(either: House) -> None:
    assert merge(either).status == 0
    for patient in (INTO, THIRD, "nobody"):
        ended = part(either, patient)
        assert ended.status == 2
        assert "nothing was done: the name is not merged into another" in ended.err
    assert part(either).status == 0
    assert part(either).status == 2


def test_nothing_is_done_without_a_yes(either: House) -> None:
    ended = either.run("merge-patients", OLD, INTO, "--reason", REASON)
    assert ended.status == 2
    assert "To be merged: 2 episodes of OLD" in ended.err
    assert "give --yes where nobody can be asked" in ended.err
    assert acts(either) == []


@pytest.mark.parametrize("answer", ["y", "n"])
def test_at_a_terminal_it_is_asked(house: House, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Typed(TextIOWrapper):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("tests.command_line.io.TextIOWrapper", Typed)
    ended = house.run("merge-patients", OLD, INTO, "--reason", REASON, stdin=answer.encode() + b"\n")
    assert ended.status == (0 if answer == "y" else 1)
    assert len(acts(house)) == (answer == "y")


@pytest.mark.parametrize("reason", ["", " registered twice", "a\nb", "e\u0301", "x" * 1001, "a\u00a0b"])
def test_a_reason_has_the_form_of_free_text(house: House, reason: str) -> None:
    ended = merge(house, reason=reason)
    assert ended.status == 2
    assert "--reason: expected text " in ended.err
    assert merge(house, reason="x" * 1000).status == 0


def test_a_reason_is_asked_for(house: House) -> None:
    assert house.run("merge-patients", OLD, INTO, "--yes").status == 2
    assert house.run("part-patients", OLD, "--yes").status == 2
    assert acts(house) == []


@pytest.mark.parametrize("reason", [f"{OLD} is {INTO}", "is José-0117".upper(), f"was {INTO}"])
def test_in_an_encrypted_ledger_the_reason_names_nobody(locked: House, reason: str) -> None:
    ended = merge(locked, reason=reason)
    assert ended.status == 2
    assert "do not name the patients" in ended.err
    assert acts(locked) == []


def test_help_teaches(house: House) -> None:
    for verb in ("merge-patients", "part-patients"):
        ended = house.run(verb, "--help")
        assert ended.status == 0
        for word in (b"Examples:", b"--reason", b"Refused", b"--known-at"):
            assert word in ended.out


def test_the_examples_of_the_help_work(tmp_path: Path) -> None:
    house = House(tmp_path)
    named = [told("o", opening(patient), episode=patient) for patient in ("P-0117", "P-1")]
    assert house.tell(*named).status == 0
    for verb in ("merge-patients", "part-patients"):
        found = re.findall(r"(?m)^    episode-ledger (.*)$", house.run(verb, "--help").out.decode())
        assert [house.run(*shlex.split(line)).status for line in found] == [0, 0]


def merging(old: str = OLD, into: str = INTO, at: datetime = NOON) -> PatientsMerged:
    return PatientsMerged(at, "registrar", old, into, REASON, "0" * 32)


def test_an_act_that_another_was_faster_than_is_not_recorded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_ledger(house.ledger, create=False) as slow, open_ledger(house.ledger, create=False) as fast:
        seen = slow.house_acts()
        fast.record_merging(merging(THIRD, INTO))
        monkeypatch.setattr(slow, "house_acts", lambda: seen)
        with pytest.raises(RecordConflictError):
            slow.record_merging(merging())
        monkeypatch.undo()
        assert slow.record_merging(merging()) == slow.position()
        with pytest.raises(MergeRefused):
            slow.record_merging(merging())


def test_a_clock_that_was_set_back_does_not_run_backwards(either: House) -> None:
    with ledger_of(either) as ledger:
        ledger.record_merging(merging())
        ledger.record_parting(PatientsParted(datetime(2026, 1, 1, tzinfo=UTC), "registrar", OLD, "no", "1" * 32))
        assert [entry.recorded_at for entry in ledger.merge_entries()] == [NOON, NOON]


def test_acts_of_merging_hold_the_chain_of_seals(either: House) -> None:
    assert merge(either).status == part(either).status == 0
    assert either.run("verify").status == 0
    assert either.run("status").status == 0
    out = either.folder / "copy.backup"
    assert either.run("backup", "--out", out).status == 0
    assert either.run("restore", "--check", out).status == 0


# Encrypted ledgers

SECRETS = [name.encode() for name in (OLD, INTO, REASON, "two people")]
SECRETS += [json.dumps(name)[1:-1].encode() for name in (OLD, INTO)]


def test_no_name_and_no_reason_of_a_merge_is_readable_without_the_key(locked: House, tmp_path: Path) -> None:
    assert merge(locked).status == part(locked).status == 0
    for view in locked.folder.glob("*.views*"):
        view.unlink()
    assert files_with(tmp_path, SECRETS) == set()
    stored = [
        json.loads(text) for (text,) in rows_of(locked.ledger, "SELECT state FROM entries WHERE originator_id = ''")
    ]
    assert [each["type"] for each in stored] == ["PatientsMerged", "PatientsParted"]
    assert [{part["episode"] for part in each["patient"]} for each in stored] == [{"EP-1", "EP-2"}] * 2
    assert [part["episode"] for part in stored[0]["into"]] == ["EP-3"]


def forget(locked: House, patient: str, *more: object) -> Ended:
    return locked.run("forget", patient, "--reason", "file 118", "--by", "officer", "--yes", *more)


def test_forgetting_takes_the_names_out_of_merges(locked: House) -> None:
    assert merge(locked).status == 0
    assert forget(locked, INTO, "--also", "EP-2").status == 0
    (merged, _) = acts(locked)
    assert isinstance(merged, PatientsMerged)
    assert (merged.patient, merged.into, merged.reason, merged.by) == ("", "", "", "registrar")
    with ledger_of(locked) as ledger:
        assert ledger.merge_entries() == []
        assert ledger.survivor_of(OLD) == OLD
        assert ledger.names_together() == {}
    assert locked.run("days").status == 0
    assert locked.run("verify").status == 0
    assert merge(locked).status == 2, "nobody is left of that name"
    assert locked.tell(told("o-9", opening("Ada"), episode="EP-9")).status == 0
    assert merge(locked, "Ada", THIRD).status == 0
    with ledger_of(locked) as ledger:
        assert ledger.survivor_of("Ada") == THIRD


def test_of_two_who_were_parted_the_one_who_stays_is_still_read(locked: House) -> None:
    assert merge(locked).status == part(locked).status == 0
    assert forget(locked, INTO).status == 0
    merged, parted, _ = acts(locked)
    assert isinstance(merged, PatientsMerged)
    assert isinstance(parted, PatientsParted)
    assert (merged.patient, merged.into, parted.patient) == (OLD, "", OLD)
    with ledger_of(locked) as ledger:
        assert {name for entry in ledger.merge_entries() for name in ledger.names_of(entry.fact.patient)} == {OLD}  # type: ignore[union-attr]
    assert locked.run("days", "--patient", OLD).status == 0


DAMAGES = {
    "a name in the open": "json_set(state, '$.patient', 'somebody else')",
    "no text at all": "json_set(state, '$.patient', json('[]'))",
    "another's text": "json_set(state, '$.patient', json_extract(state, '$.into'))",
    "another field's text": "json_set(state, '$.reason', json_extract(state, '$.patient'))",
    "an episode that never was": "json_set(state, '$.patient[0].episode', 'EP-9', '$.patient[1].episode', 'EP-8')",
    "no base64": "json_set(state, '$.into[0].sealed', '!')",
    "a text cut off": "json_set(state, '$.into[0].sealed', 'AAAA')",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_an_act_that_was_changed_stops_its_reader(locked: House, damage: str) -> None:
    assert merge(locked).status == 0
    with unguarded(locked.ledger) as connection:
        connection.execute(f"UPDATE entries SET state = {damage} WHERE originator_id = ''")
        seal_anew(connection)
    with ledger_of(locked) as ledger:
        with pytest.raises(UnreadableEntry):
            ledger.house_acts()
        with pytest.raises(UnreadableEntry):
            ledger.merge_entries()
    ended = locked.run("days")
    assert ended.status == 3
    assert not [name for name in (OLD, INTO) if name in ended.err]


def test_a_key_that_is_missing_for_no_reason_is_damage_and_not_forgetting(locked: House) -> None:
    assert merge(locked).status == 0
    with unguarded(locked.ledger) as connection:
        connection.execute("DELETE FROM keys WHERE episode = 'EP-3'")
    with ledger_of(locked) as ledger, pytest.raises(UnreadableEntry):
        ledger.merge_entries()


def test_a_dry_run_shows_what_the_merge_changes_and_records_nothing(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(*example("EP-1", "P-1"), *example("EP-2", "P-2")).status == 0
    for verb, tried, done in (("merge-patients", ("P-2", "P-1"), "Merged."), ("part-patients", ("P-2",), "Parted.")):
        reason = ("--reason", "registered twice")
        before = house.run("days").out
        dry = house.run(verb, *tried, *reason, "--dry-run")
        assert dry.status == 0
        assert (house.run("days").out, len(acts(house))) == (before, verb == "part-patients")
        real = house.run(verb, *tried, *reason, "--yes")
        first, *effect, last = dry.err.splitlines()
        assert last == "Nothing was recorded: this was a dry run."
        assert real.err.splitlines()[0] == first
        assert real.err.splitlines()[1].startswith(done)
        assert real.err.splitlines()[2:] == effect
        assert any("per diem billed twice" in line for line in effect)
        quiet = house.run(verb, *tried, *reason, "--dry-run", "--no-effect")
        assert quiet.status == 2, "it is done"


def test_the_effect_that_was_shown_is_what_the_merge_changes(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert house.tell(*example("EP-1", "P-1"), *example("EP-2", "P-2")).status == 0
    before = {(row["episode"], row["date"]): row for row in house.run("days").rows}
    ended = merge(house, "P-2", "P-1")
    after = {(row["episode"], row["date"]): row for row in house.run("days").rows}
    changed = [place for place, row in after.items() if row["status"] != before[place]["status"]]
    assert f"{len(changed)} days change:" in ended.err.splitlines()
