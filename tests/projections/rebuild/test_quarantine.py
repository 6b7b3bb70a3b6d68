"""An entry that cannot be read stops whoever reads it; with quarantine just its patient is left out, and it is said."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.entry import UnreadableEntry
from projections.read_model.trouble import SetAside
from projections.read_model.views import open_views
from projections.rebuild.certificate import ChangedRow
from tests.command_line import House, Told, assert_plain, example, told
from tests.harness import book_of
from tests.read_models import Site, Tables, crowd, mixed, reading_at_once, rows, whole
from tests.stores import open_ledger
from tests.tampering import (
    UNREADABLE,
    WRONG,
    broken,
    plant,
)
from tests.tiers import many

SAID = "Patient P-2 is set aside and not shown: version 4 of EP-2 at position 15 cannot be read.\n"
LATER = "2030-01-01T00:00Z"
READS = (["days"], ["findings"], ["lines"], ["status"], ["days", "--known-at", LATER],
         ["findings", "--known-at", LATER], ["lines", "--known-at", LATER])  # fmt: skip

pytestmark = pytest.mark.sqlite_file


def unread(house: House) -> None:
    """A read model that has nothing yet, so that everything must be read."""
    house.views.unlink()


def patients(house: House, *command: str) -> set[str]:
    return {row["patient"] for row in house.run(*command).rows}


# It stops


@pytest.mark.parametrize("live", [True, False], ids=["caught up before", "nothing derived yet"])
def test_a_rebuild_stops_and_names_the_place(house: House, live: bool) -> None:
    before = house.run("days").out
    if not live:
        unread(house)
    broken(house)
    for command in (["rebuild"], ["rebuild", "--check"], ["rebuild", "--processes", "2"]):
        assert_plain(house.run(*command), 3, "an entry cannot be read", "episode EP-2", "version 4", "position 15")
    assert not (house.folder / "ledger.views.certificates").exists()
    if live:
        assert house.run("days").out == before
    else:
        assert_plain(house.run("days"), 3, "episode EP-2, version 4, position 15")
    assert not list(house.folder.glob("*building*"))


@pytest.mark.parametrize("what", WRONG)
def test_whatever_is_wrong_with_it(house: House, what: str) -> None:
    statement, _ = WRONG[what]
    house.tell(told("later", episode="EP-2"))
    plant(house.ledger, statement, 15)
    unread(house)
    for command in (["rebuild"], ["days"]):
        ended = house.run(*command)
        assert_plain(ended, 3, "an entry cannot be read", "episode EP-2", "version")
        assert ended.err.count("position") == (what not in ("another episode", "an entry gone"))
    ended = house.run("rebuild", "--quarantine")
    assert (ended.status, [aside["patient"] for aside in ended.rows[0]["set_aside"]]) == (0, ["P-2"])
    assert patients(house, "days") == {"P-1", "P-3"}


def test_an_episode_that_lost_its_beginning(house: House) -> None:
    plant(house.ledger, "DELETE FROM entries WHERE position = 12")
    assert_plain(house.run("rebuild"), 3, "episode EP-2, version 1")
    assert house.run("rebuild", "--quarantine").status == 0
    assert patients(house, "days") == {"P-1", "P-3"}


def test_an_entry_recorded_since_stops_it_too(house: House) -> None:
    """The live read model stands before the entry, so that it is met in catching up."""
    house.tell(told("late", episode="EP-2"))
    plant(house.ledger, UNREADABLE, "EP-2", 12)
    for command in (["days"], ["rebuild"]):
        assert_plain(house.run(*command), 3, "episode EP-2, version 12, position 34")
    ended = house.run("rebuild", "--quarantine")
    assert (ended.status, [aside["position"] for aside in ended.rows[0]["set_aside"]]) == (0, [34])
    assert patients(house, "days") == {"P-1", "P-3"}


# What can be read and not judged


@pytest.mark.parametrize(
    ("wrong", "version"),
    [("'2026-02-05T', '0001-01-01T'", 12), ("'2026-02-05T', '2026-01-05T'", 12), ("'America/', 'Atlantis/'", 1)],
    ids=["an instant before all others", "an end before its beginning", "a zone that nobody knows"],
)
@pytest.mark.parametrize("processes", ["1", "2"])
def test_an_entry_that_no_door_would_let_in_is_named_and_its_patient_left_out(
    house: House, wrong: str, version: int, processes: str
) -> None:
    """A damaged text may still be one of a fact; the judge stopped at it then, and could not say for whom."""
    run = {
        "type": "InfusionLogged",
        "order": "RX-1",
        "started_at": "2026-02-04T10:00Z",
        "stopped_at": "2026-02-05T10:00Z",
    }
    assert house.tell(told("run", run, episode="EP-2")).status == 0
    episode, at = "EP-2", 34 if version == 12 else 12
    plant(house.ledger, f"UPDATE entries SET state = replace(state, {wrong}) WHERE position = ?", at)
    unread(house)
    for command in (["rebuild", "--processes", processes], ["days"], ["why", episode, "2026-02-03"], ["page", episode]):
        assert_plain(house.run(*command), 3, f"episode {episode}, version {version}")
    ended = house.run("rebuild", "--quarantine", "--processes", processes)
    assert (ended.status, [aside["patient"] for aside in ended.rows[0]["set_aside"]]) == (0, ["P-2"])
    assert [aside["version"] for aside in ended.rows[0]["set_aside"]] == [version]
    assert patients(house, "days") == {"P-1", "P-3"}


# Set aside


@pytest.mark.parametrize("processes", ["1", "2"])
def test_every_report_says_who_is_set_aside(house: House, processes: str) -> None:
    broken(house)
    ended = house.run("rebuild", "--quarantine", "--processes", processes)
    aside = {"patient": "P-2", "episode": "EP-2", "version": 4, "position": 15}
    assert ended.status == 0
    made = ended.rows[0]
    assert (made["outcome"], made["set_aside"], made["patients"]) == ("explained", [aside], 2)
    assert made["changed_rows"] == {"set aside": 4}
    for command in READS:
        shown = house.run(*command)
        assert (shown.status, shown.err) == (0, SAID), command
        assert {row.get("patient") for row in shown.rows} <= {"P-1", "P-3", None}
    assert patients(house, "days") == patients(house, "days", "--known-at", LATER) == {"P-1", "P-3"}
    assert house.run("days", "--patient", "P-1").err == SAID
    assert house.run("status").rows[0]["set_aside"] == [aside]
    assert "P-2" in house.run("status", "--format", "table").out.decode()


def test_the_person_is_told_at_the_rebuild(house: House) -> None:
    broken(house)
    ended = house.run("rebuild", "--quarantine", tty=True)
    assert "set aside: patient P-2, version 4 of EP-2 at position 15 cannot be read" in ended.out.decode()


def test_catching_up_goes_on_for_the_others(house: House) -> None:
    broken(house)
    house.run("rebuild", "--quarantine")
    late = {"type": "DayServed", "order": "RX-1", "date": "2026-02-05"}
    house.tell(told("late", late, episode="EP-1"))
    ended = house.run("days")
    assert (ended.status, ended.err, len(ended.rows)) == (0, SAID, 7)
    house.tell(*example("EP-7", "P-7"))
    assert patients(house, "lines") == {"P-1", "P-3", "P-7"}
    house.tell(*example("EP-8", "P-2"))  # another episode of the one set aside
    ended = house.run("days")
    assert (ended.status, ended.err) == (0, SAID)
    assert patients(house, "days") == {"P-1", "P-3", "P-7"}


def test_another_entry_that_cannot_be_read_stops_it_again(house: House) -> None:
    broken(house)
    house.run("rebuild", "--quarantine")
    house.tell(told("late", episode="EP-3"))
    plant(house.ledger, UNREADABLE, "EP-3", 12)
    assert_plain(house.run("days"), 3, "episode EP-3, version 12")
    assert_plain(house.run("rebuild"), 3, "an entry cannot be read")
    ended = house.run("rebuild", "--quarantine")
    assert [aside["patient"] for aside in ended.rows[0]["set_aside"]] == ["P-2", "P-3"]
    assert patients(house, "days") == {"P-1"}


def test_a_plain_rebuild_does_not_keep_them_aside(house: House) -> None:
    """Setting aside is asked for each time."""
    broken(house)
    house.run("rebuild", "--quarantine")
    assert_plain(house.run("rebuild"), 3, "episode EP-2, version 4")
    assert patients(house, "days") == {"P-1", "P-3"}
    again = house.run("rebuild", "--quarantine").rows[0]
    assert (again["outcome"], again["changed_rows"]) == ("equal", {})


def test_another_book_keeps_them_aside(house: House) -> None:
    broken(house)
    house.run("rebuild", "--quarantine")
    terms = house.book / "payers" / "prairie.toml"
    terms.write_text(terms.read_text(encoding="utf-8").replace("S9325 = 9000 }", "S9325 = 9100 }"), encoding="utf-8")
    ended = house.run("lines")
    assert ended.err.splitlines(keepends=True)[1] == SAID
    assert {(row["patient"], row["rate_cents"]) for row in ended.rows} == {("P-1", 9100), ("P-3", 9100)}


def test_mended_they_are_taken_back_by_a_rebuild(house: House) -> None:
    before = {command[0]: house.run(*command).out for command in READS[:3]}
    text = broken(house)
    house.run("rebuild", "--quarantine")
    plant(house.ledger, "UPDATE entries SET state = ? WHERE position = 15", text)
    made = house.run("rebuild").rows[0]
    assert (made["outcome"], made["changed_rows"], made["set_aside"]) == ("explained", {"set aside": 4}, [])
    for command in READS:
        assert house.run(*command).err == ""
    assert {command[0]: house.run(*command).out for command in READS[:3]} == before


def test_mended_they_are_taken_back_by_their_next_entry(house: House) -> None:
    text = broken(house)
    house.run("rebuild", "--quarantine")
    plant(house.ledger, "UPDATE entries SET state = ? WHERE position = 15", text)
    assert house.run("days").err == SAID
    house.tell(told("late", episode="EP-2"))
    assert (house.run("days").err, patients(house, "days")) == ("", {"P-1", "P-2", "P-3"})
    assert house.run("rebuild").rows[0]["outcome"] == "equal"


def test_marks_of_another_ledgers_patients_are_dropped(house: House, tmp_path: Path) -> None:
    broken(house)
    house.run("rebuild", "--quarantine")
    (tmp_path / "other").mkdir()
    other = House(tmp_path / "other")
    other.tell(*example("EP-7", "P-7"))
    other.views.write_bytes(house.views.read_bytes())
    ended = other.run("days")
    assert (ended.status, ended.err) == (0, "The read model is built anew: it was made from another ledger.\n")
    assert other.run("status").rows[0]["set_aside"] == []


def test_damage_is_told_from_being_set_aside(site: Site) -> None:
    site.plant(UNREADABLE, "EP-2", 4)
    site.damage("UPDATE lines SET units = 99 WHERE patient = 'P-1'")
    site.rebuild(quarantine=True)
    columns = "first_date, last_date, days, because"
    theirs = f"SELECT 'P-2', 'EP-2', {columns} FROM day_runs WHERE patient = 'P-3'"
    site.damage(f"INSERT INTO day_runs (patient, episode, {columns}) {theirs}")
    made = site.rebuild(quarantine=True)
    assert (made.outcome, made.changed_rows) == ("explained", {"damaged view": 3})


# Who just is


def ours(tables: Tables, patients: set[str]) -> Tables:
    """The rows of some patients."""
    of = {"days": 0, "lines": 0, "findings": 2}
    return {table: [row for row in rows if row[of[table]] in patients] for table, rows in tables.items()}


def renamed(fact: Told) -> list[Told]:
    naming = {"target_source": "intake", "target_id": "1", "reason": "another one"}
    return [told("fix", {"type": "FactCorrected", **naming, "fact": fact}, episode="EP-2")]


def test_only_those_whom_its_episode_named_are_set_aside(house: House) -> None:
    """EP-2 was opened for P-2 and corrected to P-1; EP-4 of P-1 was corrected to P-4, who is another matter."""
    opening = example()[0]["fact"]
    house.tell(*renamed(opening | {"patient": "P-1"}))
    house.tell(*example("EP-4", "P-1"))
    naming = {"target_source": "intake", "target_id": "1", "reason": "another one"}
    right = {"type": "FactCorrected", **naming, "fact": opening | {"patient": "P-4"}}
    house.tell(told("fix", right, episode="EP-4"))
    assert patients(house, "days") == {"P-1", "P-3", "P-4"}
    expected = house.run("days", "--patient", "P-4").rows
    broken(house)
    made = house.run("rebuild", "--quarantine").rows[0]
    assert [aside["patient"] for aside in made["set_aside"]] == ["P-1", "P-2"]
    assert patients(house, "days") == {"P-3", "P-4"}
    assert house.run("days", "--patient", "P-4").rows == expected
    house.tell(told("late", episode="EP-4"))
    assert patients(house, "days") == {"P-3", "P-4"}
    assert house.run("rebuild", "--quarantine").rows[0]["outcome"] == "equal"


@settings(max_examples=many(8, 15), deadline=None)
@given(seed=st.integers(0, 2**32), ahead=st.sampled_from([0, 20, 100_000]))
def test_the_others_are_as_they_were(seed: int, ahead: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """On random histories: a rebuild and a catch-up set the same patients aside, and have all rows of the others."""
    rng = Random(seed)
    histories, tables_of_book = crowd(rng, 4)
    entries = mixed(rng, histories)
    site = Site(tmp_path_factory.mktemp("site"), entries, book_of(tables_of_book))
    lost = rng.randint(1, len(entries))
    full = whole(site.path, site.book)[1]
    site.plant("UPDATE entries SET topic = 'Unknown' WHERE position = ?", lost)
    with open_ledger(site.path, create=False) as ledger:
        named = {name for pair in histories for entry in pair for name in ledger.patients_of(entry["episode"])}
        aside = set(ledger.patients_of(entries[lost - 1]["episode"]))
    with reading_at_once(ahead):
        with pytest.raises(UnreadableEntry, match=f"position {lost}"):
            site.rebuild()
        made = site.rebuild(quarantine=True)
    assert {each.patient for each in made.set_aside} == aside
    assert {each.position for each in made.set_aside} == {lost}
    assert site.rows() == ours(full, named - aside)
    with closing(open_views(site.places.live)) as views:
        assert set(views.set_aside()) == aside


def test_what_is_set_aside_is_noted_with_its_place(site: Site) -> None:
    site.catch_up()
    site.plant(UNREADABLE, "EP-1", 1)
    made = site.rebuild(quarantine=True)
    assert made.set_aside == (SetAside("P-1", "EP-1", 1, 1),)
    listed: list[ChangedRow] = rows(site, made)
    assert {(row.patient, row.cause, row.after) for row in listed} == {("P-1", "set aside", None)}
    facts: dict[str, Any] = made.changed_rows
    assert facts == {"set aside": 4}
