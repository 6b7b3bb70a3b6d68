"""An encrypted ledger in PostgreSQL: what stands in its tables, who may do what, and that forgetting takes the keys."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from commands.writing.decide import Refused
from commands.writing.handle import Recorded, Recorder
from ledger.facts.administration import PatientForgotten, PatientsMerged
from ledger.facts.entry import Entry, UnreadableEntry
from ledger.keys.cipher import MasterKey, MasterKeyError
from ledger.proof.checkpoint import Checkpoint, origin_of
from ledger.recorders import Forgotten, NotRecorded
from ledger.recorders.by_name.proving import prove
from ledger.recorders.postgres import forget as postgres_forget
from ledger.recorders.postgres.migrate import migrate
from ledger.recorders.postgres.schema import TAKE_TURN
from ledger.store import EpisodeLedger, RecordConflictError, open_ledger
from tests import ROOT, stores
from tests.at_once import started
from tests.builders import SERVED, entry, line, opened
from tests.command_line import INTAKE, Ended, assert_plain, run
from tests.place import Place, place_of

EXAMPLES = sorted((ROOT / "docs" / "examples").glob("*.jsonl"))
FINGERPRINTS = ROOT / "tests" / "golden" / "fingerprints.json"
KEY, ANOTHER = MasterKey(bytes(range(32))), MasterKey(bytes(32))
NAMED = {"EPISODE_MASTER_KEY": bytes(range(32)).hex()}
OTHER_NAMED = {"EPISODE_MASTER_KEY": bytes(32).hex()}
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def encrypted(place: Place) -> Place:
    """A ledger made to be encrypted, and nothing in it."""
    stores.migrated(place.owner, stores.ROLE, KEY.id)
    return place


@pytest.fixture
def told(encrypted: Place) -> Place:
    """One with two patients' episodes, of two entries each."""
    return _told(encrypted)


@pytest.fixture(scope="module")
def settled(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """The same for all who try in vain to change it."""
    place = place_of(tmp_path_factory.mktemp("settled"))
    stores.migrated(place.owner, stores.ROLE, KEY.id)
    return _told(place)


def _told(place: Place) -> Place:
    with open_ledger(place.recorder, create=False, master=KEY) as ledger:
        for name, patient in (("EP-1", "Ada Lee"), ("EP-2", "Ben Lee")):
            ledger.append(both(name, patient), [(patient, name)])
    return place


def both(name: str, patient: str) -> list[Entry]:
    return [entry(1, name, opened(patient=patient)), entry(2, name)]


def asked(place: Place, *args: object, **more: Any) -> Ended:
    """A command that is given the master key."""
    return place.run(*args, env=NAMED, **more)


def act_of(ledger: EpisodeLedger, *episodes: str) -> PatientForgotten:
    keys = tuple(kept.id for kept in ledger.keys_of(episodes))
    return PatientForgotten(NOW, "officer", "file 118", episodes, keys, (), "0" * 32)


def forget(place: Place, *episodes: str, url: str | None = None) -> int:
    with open_ledger(url or place.owner, create=False, master=KEY) as ledger:
        return ledger.record_forgetting(act_of(ledger, *episodes), ledger.position())


def all_of(place: Place) -> list[Any]:
    """Every row of every table."""
    return [
        place.sql(f"SELECT * FROM {table} ORDER BY 1, 2")
        for table in ("entries", "keys", "patients", "ledger", "schema_versions")
    ]


@contextmanager
def without_guards(place: Place, table: str) -> Iterator[None]:
    """What an owner can do who has a mind to."""
    place.as_owner(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    place.as_owner(f"ALTER TABLE {table} ENABLE TRIGGER USER")


# Making it


def test_migrating_with_a_master_key_makes_an_encrypted_ledger_once(place: Place) -> None:
    made = asked(place, "migrate", "--runtime-role", stores.ROLE, url=place.owner)
    assert (made.status, made.err) == (0, "")
    assert b"Its entries are encrypted" in made.out
    again = asked(place, "migrate", url=place.owner)
    assert again.status == 0
    assert again.out.startswith(b"The ledger is there already:")
    page = dict(place.sql("SELECT key, value FROM ledger"))
    assert (page["format"], page["master_key"]) == ("3", KEY.id)
    assert asked(place, "record", INTAKE).status == 0


def test_migrating_without_a_key_makes_a_plain_one(made: Place) -> None:
    assert set(dict(made.sql("SELECT key, value FROM ledger"))) == {"id", "format", "created_at"}
    assert made.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{made.schema}' AND tablename = 'keys'") == []
    functions = f"SELECT proname FROM pg_proc WHERE pronamespace = '{made.schema}'::regnamespace ORDER BY 1"
    assert made.sql(functions) == [("entry_follows",), ("refuse_change",)]


def test_a_role_may_add_keys_and_take_none_away(encrypted: Place) -> None:
    granted = encrypted.sql(
        "SELECT privilege_type FROM information_schema.role_table_grants"
        f" WHERE table_schema = '{encrypted.schema}' AND grantee = '{stores.ROLE}' AND table_name = 'keys' ORDER BY 1"
    )
    assert granted == [("INSERT",), ("SELECT",)]


@pytest.mark.parametrize("command", [["record", INTAKE], ["days"], ["status"]])
def test_who_names_no_key_or_another_is_told(told: Place, command: list[object]) -> None:
    before = all_of(told)
    assert_plain(told.run(*command), 2, "this ledger is encrypted", "--master-key")
    assert_plain(told.run(*command, env=OTHER_NAMED), 2, "not the master key this ledger was made with")
    assert all_of(told) == before


def test_migrating_again_asks_for_the_same_key(told: Place) -> None:
    before = all_of(told)
    assert_plain(told.run("migrate", url=told.owner), 2, "this ledger is encrypted", "--master-key")
    assert_plain(told.run("migrate", url=told.owner, env=OTHER_NAMED), 2, "not the master key")
    assert all_of(told) == before


def test_a_key_named_for_a_plain_ledger_is_told(made: Place) -> None:
    for url, command in ((made.owner, ["migrate"]), (made.recorder, ["record", INTAKE]), (made.recorder, ["verify"])):
        if command != ["verify"]:  # which needs no key, and does not mind one
            assert_plain(asked(made, *command, url=url), 2, "this ledger is not encrypted")
    assert made.sql("SELECT count(*) FROM entries") == [(0,)]
    with pytest.raises(MasterKeyError):
        open_ledger(made.recorder, create=False, master=KEY)


# Recording and reading


def test_it_comes_to_the_same_as_a_plain_ledger_and_as_an_encrypted_file(
    encrypted: Place, plain: Place, tmp_path: Path
) -> None:
    found = []
    for name, env in ((encrypted.recorder, NAMED), (plain.recorder, {}), (str(tmp_path / "ledger.db"), NAMED)):
        way = partial(run, "--ledger", name, "--views", tmp_path, env=env)
        for example in EXAMPLES:
            assert way("record", "--keep-recorded-at", example).status == 0
        (status,) = way("status", "--format", "json").rows
        read = [way(*command).out for command in (["days"], ["lines"], ["findings"], ["why", "EP-2005", "2026-07-06"])]
        assert all(read)
        found.append((status["fingerprints"], status["position"], read))
    assert found[0][1] == sum(len(example.read_text().splitlines()) for example in EXAMPLES)
    assert found[1:] == [found[0]] * 2
    assert found[0][0] | {"entries": found[0][1]} == json.loads(FINGERPRINTS.read_text())


def markers(intake: Path) -> set[str]:
    """What lines say of a patient: every text in their facts, and who told it.

    But for instants, which are stored in another form, and what is so short that it stands in any base64.
    """
    found = set[str]()
    for said in map(json.loads, intake.read_text(encoding="utf-8").splitlines()):
        texts = [value for name, value in said["fact"].items() if name != "type" and isinstance(value, str)]
        found |= {*texts, said["id"], said["by"], said["source"]}
    return {text for text in found if len(text) > (7 if text.isalnum() else 3) and not INSTANT.match(text)}


def whole(place: Place) -> str:
    """Everything in the schema's tables, and in the server's samples of them, but for when they were made."""
    tables = {table for (table,) in place.sql(f"SELECT tablename FROM pg_tables WHERE schemaname = '{place.schema}'")}
    assert tables >= {"entries", "patients", "ledger", "schema_versions"}
    said = "SELECT value FROM ledger WHERE key <> 'created_at'"
    samples = f"SELECT s::text FROM pg_stats AS s WHERE schemaname = '{place.schema}'"
    dated = {"ledger", "schema_versions"}
    for table in tables - dated:
        place.as_owner(f"ANALYZE {table}")
        said += f" UNION ALL SELECT t::text FROM {table} AS t"
    return "\n".join(text for (text,) in place.sql(said) + place.sql(samples))


def test_nothing_of_a_patient_stands_in_any_table(encrypted: Place, plain: Place) -> None:
    for example in EXAMPLES:
        assert asked(encrypted, "record", "--keep-recorded-at", example).status == 0
        assert plain.run("record", "--keep-recorded-at", example).status == 0
    known = set.union(*map(markers, EXAMPLES))
    assert len(known) > 300
    in_clear, locked = whole(plain), whole(encrypted)
    assert {marker for marker in known if marker not in in_clear} == set()  # else it looks for the wrong things
    assert {marker for marker in known if marker in locked} == set()


@pytest.fixture
def plain(tmp_path: Path) -> Place:
    schema = stores.schema_of(tmp_path / "plain")
    owner = stores.in_schema(stores.server(), schema)
    with psycopg.connect(stores.server(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")  # type: ignore[call-overload]
    migrate(owner, stores.ROLE)
    return Place(schema, owner, stores.as_role(owner), tmp_path)


def test_the_server_samples_neither_keys_nor_names(told: Place) -> None:
    whole(told)
    sampled = set(told.sql(f"SELECT tablename, attname FROM pg_stats WHERE schemaname = '{told.schema}'"))
    assert ("keys", "episode") in sampled
    assert not sampled & {("keys", "wrapped"), ("patients", "patient")}


def test_patients_are_found_by_their_names_and_given_in_their_order(encrypted: Place) -> None:
    with open_ledger(encrypted.recorder, create=False, master=KEY) as ledger:
        ledger.append([entry(1), entry(1, "EP-2")], [("P-2", "EP-1"), ("P-1", "EP-1"), ("P-1", "EP-2")])
        ledger.append([entry(2)], [("P-1", "EP-1")])
        assert ledger.episodes_of("P-1") == ["EP-1", "EP-2"]
        assert ledger.patients_of("EP-1") == ["P-1", "P-2"]
        assert ledger.patients_since(2) == {"P-1", "P-2"}
        assert ledger.extents(3) == [("EP-1", "P-1", 1, 2), ("EP-1", "P-2", 1, 2), ("EP-2", "P-1", 2, 1)]
        assert ledger.versions_since(0) == [("EP-1", 2), ("EP-2", 1)]
        assert ledger.entries_of("EP-1") == [entry(1), entry(2)]


# Its guards


STATE = "(SELECT state FROM entries WHERE position = 2)"
CHANGES = [
    "UPDATE keys SET wrapped = ''",
    "UPDATE keys SET episode = 'EP-9' WHERE episode = 'EP-1'",
    "DELETE FROM keys",
    "DELETE FROM keys WHERE episode = 'EP-2'",
    "TRUNCATE keys",
    "TRUNCATE keys, entries, patients",
    "UPDATE patients SET patient = 'P-2'",
    "DELETE FROM patients",
    "DELETE FROM patients WHERE episode = 'EP-1'",
    "TRUNCATE patients",
    "UPDATE entries SET state = '{}'",
    "DELETE FROM entries",
    "TRUNCATE entries",
    "UPDATE ledger SET value = '2' WHERE key = 'format'",
    "DELETE FROM ledger WHERE key = 'master_key'",
    "INSERT INTO keys SELECT id, 'EP-9', wrapped FROM keys WHERE episode = 'EP-1'",
    "INSERT INTO keys SELECT 'another', episode, wrapped FROM keys",
    "INSERT INTO keys (id, episode, wrapped) VALUES ('k', 'EP-1', '') ON CONFLICT (episode) DO UPDATE SET wrapped = ''",
    "INSERT INTO entries SELECT 5, 'EP-1', 3, 'DayServed', '{\"type\":\"DayServed\"}', seal FROM entries LIMIT 1",
    f"INSERT INTO entries SELECT 5, 'EP-2', 3, 'DayServed', {STATE}, seal FROM entries LIMIT 1",
    f"INSERT INTO entries SELECT 5, 'EP-9', 1, 'DayServed', {STATE}, seal FROM entries LIMIT 1",
    f"INSERT INTO entries SELECT 6, 'EP-1', 3, 'DayServed', {STATE}, seal FROM entries LIMIT 1",
]


@pytest.mark.parametrize("statement", CHANGES)
def test_the_past_cannot_be_changed_not_even_by_its_owner(settled: Place, statement: str) -> None:
    before = all_of(settled)
    for url in (settled.owner, settled.recorder):
        with pytest.raises((psycopg.errors.IntegrityError, psycopg.errors.InsufficientPrivilege)) as refused:
            settled.sql(statement, url)
        assert refused.value.diag.message_detail is None  # it would be in the server's log
    assert all_of(settled) == before


@pytest.mark.parametrize(
    ("before", "statement"),
    [
        ("INSERT INTO patients VALUES ('Cem', 'EP-9')", "DELETE FROM patients WHERE episode = 'EP-9'"),
        ("INSERT INTO keys VALUES ('k', 'EP-9', '')", "INSERT INTO keys VALUES ('l', 'EP-9', '')"),
    ],
)
def test_an_episode_without_entries_is_guarded_too(told: Place, before: str, statement: str) -> None:
    told.as_owner(before)
    with pytest.raises(psycopg.errors.IntegrityError) as refused:
        told.as_owner(statement)
    assert refused.value.diag.message_detail is None


def test_an_entry_under_its_episodes_key_goes_in(told: Place) -> None:
    """What the guards refuse above is refused for what it says, not for its form."""
    told.as_owner(f"INSERT INTO entries SELECT 5, 'EP-1', 3, 'DayServed', {STATE}, seal FROM entries LIMIT 1")
    assert told.sql("SELECT max(position) FROM entries") == [(5,)]


def test_a_key_goes_only_with_an_act_that_names_it(told: Place) -> None:
    """An entry, or another act, that has the key's id in it is none."""
    (key,) = told.sql("SELECT id FROM keys WHERE episode = 'EP-1'")[0]
    seal = "decode(repeat('00', 32), 'hex')"
    told.as_owner(f"INSERT INTO entries VALUES (5, '', 1, 'MonthClosed', '{{\"keys\":[\"{key}\"]}}', {seal})")
    told.as_owner(f"INSERT INTO entries VALUES (6, '', 2, 'PatientForgotten', '{{\"keys\":[\"x{key}\"]}}', {seal})")
    with pytest.raises(psycopg.errors.RestrictViolation):
        told.sql("DELETE FROM keys WHERE episode = 'EP-1'")
    told.as_owner(f"INSERT INTO entries VALUES (7, '', 3, 'PatientForgotten', '{{\"keys\":[\"{key}\"]}}', {seal})")
    told.as_owner("DELETE FROM keys WHERE episode = 'EP-1'")
    told.as_owner("DELETE FROM patients WHERE episode = 'EP-1'")
    assert told.sql("SELECT episode FROM keys") == told.sql("SELECT episode FROM patients") == [("EP-2",)]


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TRIGGER key_forgotten ON keys",
        "DROP TRIGGER key_begins ON keys",
        "DROP TRIGGER keys_unchanged ON keys",
        "DROP TABLE keys",
        "ALTER TABLE entries DISABLE TRIGGER entry_encrypted",
        "ALTER TABLE patients ENABLE REPLICA TRIGGER patient_forgotten",
        "CREATE OR REPLACE FUNCTION key_forgotten() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN OLD; END'",
        "CREATE OR REPLACE TRIGGER key_forgotten BEFORE DELETE ON keys"
        " FOR EACH ROW WHEN (OLD.id = '') EXECUTE FUNCTION key_forgotten()",
        "CREATE OR REPLACE TRIGGER patients_unchanged BEFORE UPDATE ON patients"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ],
)
def test_a_ledger_that_lost_a_guard_is_not_opened(told: Place, statement: str) -> None:
    told.as_owner(statement)
    assert_plain(asked(told, "days"), 3, "the ledger was altered")
    for env in ({}, NAMED):
        found = told.run("verify", env=env)
        assert found.status == 1
        assert "Not as it was created" in found.err


def test_a_format_that_nobody_knows_is_told(told: Place) -> None:
    with without_guards(told, "ledger"):
        told.as_owner("UPDATE ledger SET value = '4' WHERE key = 'format'")
    assert_plain(asked(told, "days"), 3, "format 4, this program reads 2 and 3", "update the program")
    assert "its format is 4, this program knows 2 and 3" in told.run("verify").err


# Proving it


def test_it_is_proved_with_the_key_and_without(told: Place) -> None:
    reports = [prove(told.recorder, master=master) for master in (None, KEY)]
    assert [(report.holds, report.entries) for report in reports] == [(True, 4)] * 2
    assert reports[0].head == reports[1].head
    with pytest.raises(MasterKeyError):
        prove(told.recorder, master=ANOTHER)


@pytest.mark.parametrize(
    ("change", "without", "words"),
    [
        ("UPDATE keys SET wrapped = overlay(wrapped PLACING '\\x00000000' FROM 20) WHERE episode = 'EP-1'", True,
         "the key of episode ep-1 is missing or was changed"),
        ("DELETE FROM keys WHERE episode = 'EP-2'", False, "the key of episode ep-2 is missing or was changed"),
        ("UPDATE keys SET wrapped = (SELECT wrapped FROM keys WHERE episode = 'EP-2') WHERE episode = 'EP-1'", True,
         "the key of episode ep-1 is missing or was changed"),
        ("UPDATE patients SET episode = 'EP-2' WHERE episode = 'EP-1'", True, "the table of patients"),
        ("UPDATE entries SET state = state || ' ' WHERE position = 3", False, "entry 3 was changed"),
    ],
)  # fmt: skip
def test_what_an_owner_changed_behind_the_guards_is_found(told: Place, change: str, without: bool, words: str) -> None:
    table = change.split()[change.startswith("DELETE") + 1]
    with without_guards(told, table):
        told.as_owner(change)
    assert prove(told.recorder).holds == without
    report = prove(told.recorder, master=KEY)
    assert words in report.faults[0].message.lower()
    assert "Ada Lee" not in report.faults[0].message


def test_a_key_that_was_changed_is_told_to_a_reader(told: Place) -> None:
    with without_guards(told, "keys"):
        told.as_owner("UPDATE keys SET wrapped = '' WHERE episode = 'EP-1'")
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        with pytest.raises(UnreadableEntry, match="episode EP-1, version 1"):
            ledger.entries_of("EP-1")
        assert len(ledger.entries_of("EP-2")) == 2


# Forgetting


def test_the_owner_forgets_and_the_chain_holds(told: Place) -> None:
    report = prove(told.recorder)
    before = Checkpoint(origin_of(report.ledger), report.ledger, report.entries, report.root, report.head, NOW)
    assert forget(told, "EP-1") == 5
    assert told.sql("SELECT episode FROM keys") == told.sql("SELECT episode FROM patients") == [("EP-2",)]
    assert told.sql("SELECT count(*) FROM entries") == [(5,)]
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        with pytest.raises(Forgotten):
            ledger.entries_of("EP-1")
        assert [stood.episode for _, stood in ledger.follow(0)] == ["EP-2", "EP-2"]
        assert (ledger.episodes_of("Ada Lee"), ledger.episodes_of("Ben Lee")) == ([], ["EP-2"])
        assert ledger.entries_of("EP-2") == both("EP-2", "Ben Lee")
    for master in (None, KEY):
        after = prove(told.recorder, [before], master=master)
        assert (after.holds, after.outcomes, after.entries) == (True, ("holds",), 5)


def test_who_records_cannot_forget_and_nothing_is_half_done(told: Place) -> None:
    before = all_of(told)
    with pytest.raises(NotRecorded, match="forgetting needs a role that may delete keys: run it as the ledger's owner"):
        forget(told, "EP-1", url=told.recorder)
    assert all_of(told) == before
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        assert ledger.entries_of("EP-1") == both("EP-1", "Ada Lee")


def test_the_command_forgets_for_the_owner_alone(encrypted: Place) -> None:
    assert asked(encrypted, "record", INTAKE).status == 0
    before = all_of(encrypted)
    days = asked(encrypted, "days").rows
    command = ["forget", "P-1", "--reason", "file 118", "--by", "officer", "--yes"]
    refused = asked(encrypted, *command)
    assert refused.status == 3
    assert "run it as the ledger's owner\nhint: nothing was half done" in refused.err
    assert all_of(encrypted) == before
    assert asked(encrypted, *command, url=encrypted.owner).status == 0
    left = asked(encrypted, "days").rows
    assert {row["patient"] for row in days} == {"P-1"}
    assert [row["date"] for row in left] == [row["date"] for row in days if row["status"] == "billable"]
    assert "P-1" not in {row["patient"] for row in left}
    assert [encrypted.run("verify", env=env).status for env in ({}, NAMED)] == [0, 0]


def test_an_act_that_does_not_name_the_keys_destroys_nothing(told: Place) -> None:
    before = all_of(told)
    with open_ledger(told.owner, create=False, master=KEY) as ledger:
        act = PatientForgotten(NOW, "officer", "file 118", ("EP-1",), (), (), "0" * 32)
        with pytest.raises(NotRecorded, match="guards"):
            ledger.record_forgetting(act, ledger.position())
    assert all_of(told) == before


def test_keys_that_somebody_keeps_in_place_are_told_and_nothing_is_recorded(told: Place) -> None:
    told.as_owner("CREATE RULE kept AS ON DELETE TO keys DO INSTEAD NOTHING")
    before = all_of(told)
    with pytest.raises(NotRecorded, match="keeps keys from being deleted"):
        forget(told, "EP-1")
    assert all_of(told) == before


def test_what_was_recorded_meanwhile_stops_it(told: Place) -> None:
    before = all_of(told)
    with open_ledger(told.owner, create=False, master=KEY) as ledger, pytest.raises(RecordConflictError):
        ledger.record_forgetting(act_of(ledger, "EP-1"), ledger.position() - 1)
    assert all_of(told) == before


def test_a_writer_who_still_holds_a_destroyed_key_gets_a_conflict_and_no_entry(told: Place) -> None:
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        ledger.append([entry(3)])
        forget(told, "EP-1")
        for _ in range(2):  # with the key that it held, and when it has looked again
            with pytest.raises(RecordConflictError):
                ledger.append([entry(4)])
        assert told.sql("SELECT count(*) FROM entries WHERE originator_id = 'EP-1'") == [(3,)]
        assert ledger.append([entry(3, "EP-2")]) == [7]
    assert prove(told.recorder, master=KEY).holds


def test_a_line_for_a_forgotten_episode_is_refused_to_who_had_it_open(encrypted: Place) -> None:
    with open_ledger(encrypted.recorder, create=False, master=KEY) as ledger:
        recorder = Recorder(ledger)
        assert [type(each) for each in recorder.handle([line("a", opened())])] == [Recorded]
        forget(encrypted, "EP-1")
        assert [type(each) for each in recorder.handle([line("b", SERVED)])] == [Refused]
    assert encrypted.sql("SELECT count(*) FROM entries WHERE originator_id = 'EP-1'") == [(1,)]


def test_an_episode_that_was_forgotten_gets_no_key_again(told: Place) -> None:
    kept = told.sql("SELECT id, episode, encode(wrapped, 'hex') FROM keys WHERE episode = 'EP-1'")[0]
    forget(told, "EP-1")
    with pytest.raises(psycopg.errors.UniqueViolation):
        told.sql("INSERT INTO keys VALUES ('{}', '{}', decode('{}', 'hex'))".format(*kept))


# What remains of a key


def held_in(place: Place, folder: str, key: bytes) -> bool:
    """Whether a folder of the server's own files has these bytes in it."""
    return place.sql(
        f"SELECT bool_or(position(decode('{key.hex()}', 'hex')"
        f" IN coalesce(pg_read_binary_file('{folder}/' || name, 0, {2**29}, true), '')) > 0)"
        f" FROM pg_ls_dir('{folder}') AS name WHERE NOT (pg_stat_file('{folder}/' || name, true)).isdir"
    ) == [(True,)]


def test_scrubbing_leaves_nothing_of_a_key_in_the_tables_files_but_the_log_has_it(told: Place) -> None:
    ((key,),) = told.sql("SELECT wrapped FROM keys WHERE episode = 'EP-2'")
    ((database,),) = told.sql("SELECT 'base/' || oid FROM pg_database WHERE datname = current_database()")
    told.as_owner("CHECKPOINT")
    assert held_in(told, database, key)
    forget(told, "EP-2")
    told.as_owner("VACUUM keys")
    told.as_owner("CHECKPOINT")
    assert held_in(told, database, key)  # deleted, and its room free: the bytes stay until others need the room
    with open_ledger(told.owner, create=False, master=KEY) as ledger:
        assert ledger.scrub() is True
    told.as_owner("CHECKPOINT")
    assert not held_in(told, database, key)
    assert held_in(told, "pg_wal", key)  # as the docs say
    assert prove(told.recorder, master=KEY).holds


def test_scrubbing_is_the_owners_too(told: Place) -> None:
    forget(told, "EP-1")
    began = time.monotonic()
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        assert ledger.scrub() is False
    assert time.monotonic() - began < postgres_forget.WITHIN_SECONDS / 2  # it does not try again and again


def test_scrubbing_is_not_done_while_somebody_still_sees_the_key(told: Place) -> None:
    with open_ledger(told.owner, create=False, master=KEY) as ledger:
        with psycopg.connect(told.owner) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("SELECT count(*) FROM entries")
            forget(told, "EP-1")
            assert reader.execute("SELECT count(*) FROM keys").fetchone() == (2,)
            assert scrubbed_at_once(ledger) is False
        assert ledger.scrub() is True


def test_scrubbing_is_not_done_while_an_older_moment_is_being_looked_at(told: Place) -> None:
    with open_ledger(told.owner, create=False, master=KEY) as ledger:
        with psycopg.connect(told.owner) as reader:
            reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            reader.execute("SELECT count(*) FROM entries")
            forget(told, "EP-1")
            assert scrubbed_at_once(ledger) is False  # it may yet look into the table
        assert ledger.scrub() is True


def scrubbed_at_once(ledger: EpisodeLedger) -> bool:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postgres_forget, "WITHIN_SECONDS", 0.0)
        return ledger.scrub()


# Several at once


BEGINNER = """
import sys
from commands.writing.handle import Recorder
from ledger.keys.cipher import MasterKey
from ledger.store import open_ledger
from tests.builders import SERVED, line, opened
name = sys.argv[2]
with open_ledger(sys.argv[1], create=False, master=MasterKey(bytes(range(32)))) as ledger:
    recorder = Recorder(ledger)
    for number in range(5):
        lines = [line("open", opened(), f"EP-{number}"), line(name, SERVED, f"EP-{number}")]
        print(*[type(each).__name__ for each in recorder.handle(lines)], flush=True)
"""


def test_of_several_that_begin_the_same_episodes_at_once_one_draws_the_key(encrypted: Place) -> None:
    with psycopg.connect(encrypted.owner) as holder:
        holder.execute(TAKE_TURN)
        racing = [started(BEGINNER, encrypted.recorder, name) for name in ("one", "two", "three")]
        waiting = (  # for the holder, or in the row's queue behind one who is
            "SELECT count(DISTINCT w.pid) FROM pg_locks AS w WHERE NOT w.granted AND w.pid IN ("
            f" SELECT pid FROM pg_locks WHERE relation = '{encrypted.schema}.turn'::regclass)"
        )
        until = time.monotonic() + 60
        while encrypted.sql(waiting) != [(3,)]:  # each has drawn a key for the first episode
            assert time.monotonic() < until
            time.sleep(0.02)
    said = [process.communicate(timeout=60)[0].splitlines() for process in racing]
    assert [process.returncode for process in racing] == [0] * 3
    assert sorted(lines[0].split()[0] for lines in said) == ["Duplicate", "Duplicate", "Recorded"]
    assert {each.split()[1] for lines in said for each in lines} == {"Recorded"}
    with open_ledger(encrypted.recorder, create=False, master=KEY) as ledger:
        for number in range(5):
            assert {each.id for each in ledger.entries_of(f"EP-{number}")} == {"open", "one", "two", "three"}
    assert encrypted.sql("SELECT count(*), count(DISTINCT episode) FROM keys") == [(5, 5)]
    assert prove(encrypted.recorder, master=KEY).holds


def test_names_in_a_merge_are_hidden_and_go_with_the_patient(told: Place) -> None:
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        ledger.record_merging(PatientsMerged(NOW, "registrar", "Ada Lee", "Ben Lee", "registered twice", "0" * 32))
        assert ledger.survivor_of("Ada Lee") == "Ben Lee"
    stored = json.loads(told.sql("SELECT state FROM entries WHERE originator_id = ''")[0][0])
    assert [each["episode"] for each in stored["patient"]] == ["EP-1"]
    assert not [name for name in ("Ada Lee", "Ben Lee", "registered twice") if name in str(all_of(told))]
    forget(told, "EP-2")
    with open_ledger(told.recorder, create=False, master=KEY) as ledger:
        merged = ledger.house_acts()[0][1]
        assert isinstance(merged, PatientsMerged)
        assert (merged.patient, merged.into) == ("Ada Lee", "")
        assert ledger.survivor_of("Ada Lee") == "Ada Lee"
